"""The predictions of the consistent hashing chapter, in the order they are asked.

tests/widgets/test_questions_consistent_hashing.py compares what they say with the runs.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
