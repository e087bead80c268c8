"""The predictions of the Raft chapter, in the order they are asked.

tests/widgets/test_questions_consensus_raft.py compares what the questions say with the runs.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
