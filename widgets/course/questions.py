"""What notebooks/10_same_story.ipynb asks before it shows.

tests/widgets/test_course_stories.py compares what the questions say with the runs.
"""

from widgets.question import questions_of

globals().update(questions_of(__package__))
