"""What notebooks/07_saga.ipynb asks before it shows.

tests/widgets/test_questions_saga.py compares what the questions say with the runs.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
