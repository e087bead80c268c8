"""The predictions of the page of tasks, in the order they are asked."""

from widgets.question import questions_of

globals().update(questions_of(__package__, "tasks.toml"))
