"""The predictions of the two-phase commit chapter, in the order they are asked.

tests/widgets/test_questions_two_phase_commit.py compares their answers with the runs of the notebook.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

SILENT = ask("SILENT")
PROMISE = ask("PROMISE", at=fired("P.yes", who="P1"))
POINT = ask("POINT", at=fired("C.commit"))
FORGET = ask("FORGET", at=fired("C.ack", participant="P2"))
NO = ask("NO", at=fired("C.abort"))
LOCKED = ask("LOCKED", at=fired("P.tired", who="P3"))
KNOWS = ask("KNOWS", at=fired("P.tell", who="P1"))
BACK = ask("BACK", at=fired("P.back"))
COLLECTING = ask("COLLECTING", at=fired("C.back"))
SPLIT = ask("SPLIT", at=fired("3.TR3", who="P2"))
ALONE = ask("ALONE")
UNASKED = ask("UNASKED")
