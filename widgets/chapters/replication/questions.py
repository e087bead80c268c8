"""The predictions of the replication chapter, in the order they are asked.

tests/widgets/test_questions_replication.py compares their answers with the runs of the notebook.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

TWO_OF_THREE = ask("TWO_OF_THREE")
DONE = ask("DONE", at=fired("PB.ack"))
WHO_LEADS = ask("WHO_LEADS", at=fired("CF.out"))
GONE = ask("GONE", at=fired("PB.answer"))
CUT = ask("CUT", at=fired("PB.cut"))
RESEND = ask("RESEND", at=fired("CH.resend"))
SEEN = ask("SEEN", at=fired("Q.answer", client="Z"))
MEET = ask("MEET", at=fired("Q.answer", client="Y"))
BEER = ask("BEER", at=fired("M.merge", who="Ben"))
NO_WRITE_BACK = ask("NO_WRITE_BACK")
ALBUM = ask("ALBUM")
