"""The predictions of the leader election chapter, in the order they are asked.

tests/widgets/test_questions_leader_election.py compares what they say with what happens in the runs.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
