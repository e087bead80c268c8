"""The predictions of the Raft chapter, in the order they are asked.

A question that locks a step names the step by what happens there. tests/widgets/test_questions_consensus_raft.py
compares what the questions say with the runs.
"""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

CUT = ask("CUT")
REFUSED = ask("REFUSED", at=fired("RV.2.voted", who="S1", candidate="S3"))
MAJORITY = ask("MAJORITY", at=fired("C.2", who="S3"))
COMMIT = ask("COMMIT", at=fired("CL.done", client="A"))
FIGURE_8 = ask("FIGURE_8", at=fired("RV.2", who="S2", candidate="S5", term=5))
FORGETFUL = ask("FORGETFUL")
DEPOSED = ask("DEPOSED")
