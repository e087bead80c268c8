"""The predictions of the CQRS chapter, in the order they are asked.

tests/widgets/test_questions_cqrs.py compares their answers with the runs of the notebook.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
