"""The predictions of the CQRS chapter, in the order they are asked.

tests/widgets/test_questions_cqrs.py compares their answers with the runs of the notebook.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

EMPTY = ask("EMPTY")
WHICH = ask("WHICH", at=fired("R.wait"))
CRASH = ask("CRASH", at=fired("P.fetch", model="sellers"))
PARKED = ask("PARKED", at=fired("R.park", position=4))
STALE = ask("STALE", at=fired("R.stale"))
LETTERS = ask("LETTERS", at=fired("R.write", version=2, through=4))
SWITCH = ask("SWITCH", at=fired("R.switch"))
BEFORE = ask("BEFORE")
NUMBERS = ask("NUMBERS")
UNIQUE = ask("UNIQUE")
LIKE = ask("LIKE")
