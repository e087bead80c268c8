"""The predictions of the leader election chapter, in the order they are asked.

A question that locks a step of a run says by `at` which. tests/widgets/test_questions_leader_election.py compares what
they say with what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

SILENCE = ask("SILENCE")
ANSWER = ask("ANSWER", at=fired("B.answer", who="P2"))
BACK = ask("BACK", at=fired("B.back"))
ALONE = ask("ALONE", at=fired("B.lead"))
OWN = ask("OWN", at=fired("CR.won"))
FEWEST = ask("FEWEST")
WAKES = ask("WAKES", at=fired("H.write", who="B"))
FENCE = ask("FENCE", at=fired("S.refuse"))
FREE = ask("FREE")
RAFT = ask("RAFT")
