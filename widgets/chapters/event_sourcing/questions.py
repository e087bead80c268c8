"""The predictions of the event sourcing chapter, in the order they are asked.

tests/widgets/test_questions_event_sourcing.py compares their answers with the runs of the notebook.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

WHERE = ask("WHERE")
SECOND = ask("SECOND", at=fired("E.refuse"))
AGAIN = ask("AGAIN", at=fired("E.same"))
LATE = ask("LATE")
VOUCHER = ask("VOUCHER")
STALE = ask("STALE", at=fired("H.stale"))
POWER = ask("POWER")
CALENDAR = ask("CALENDAR")
