"""What notebooks/07_saga.ipynb asks before it shows.

Each wrong option rests on a misconception that its `because` names. A question says by `at` at which step of its run it
stands; tests/widgets/test_questions_saga.py checks what the questions say against what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

TAKEN_BACK = ask("TAKEN_BACK")
SEEN = ask("SEEN", at=fired("S.do", step="charge"))
FIRST_UNDONE = ask("FIRST_UNDONE", at=fired("O.undo"))
GONE = ask("GONE", at=fired("S.undo", step="reserve"))
FORWARD = ask("FORWARD", at=fired("O.forward"))
AGAIN = ask("AGAIN", at=fired("S.again"))
LATE = ask("LATE", at=fired("S.cancelled"))
HEARS = ask("HEARS", at=fired("C.back", who="stock'"))
DIRTY = ask("DIRTY", at=fired("S.cannot undo"))
LOST = ask("LOST", at=fired("S.do", saga="B1", step="raise"))
LOCKED = ask("LOCKED")
FORGETS = ask("FORGETS")
SEAT = ask("SEAT")
