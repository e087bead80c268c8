"""The predictions of the consistent hashing chapter, in the order they are asked.

Each stands at a step of a run that the notebook makes; tests/widgets/test_questions_consistent_hashing.py holds what
they say against what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

COLD = ask("COLD")
CLOCKWISE = ask("CLOCKWISE", at=fired("first-point", key="Europe/London"))
WRAP = ask("WRAP", at=fired("wrap", key="Africa/Cairo"))
TAKES = ask("TAKES", at=fired("point", node="D", number=1))
MODULO = ask("MODULO", at=fired("join-other", node="D"))
SAME_NODE = ask("SAME_NODE")
TENTH = ask("TENTH")
