"""The predictions of the workshop, in the order they are asked."""

from widgets.question import questions_of

globals().update(questions_of(__package__))
