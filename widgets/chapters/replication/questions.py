"""The predictions of the replication chapter, in the order they are asked.

tests/widgets/test_questions_replication.py compares their answers with the runs of the notebook.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
