"""Reference solutions of notebooks/09_cqrs.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.cqrs import project`, and run the check.
"""


def project(row, checkpoint, position, event):
    """Write it 1: only the event directly after the checkpoint is applied.

    An event at or below the checkpoint was counted before. A later one came too early: applied now, it would move the
    checkpoint over an event that has not come.
    """
    if position != checkpoint + 1:
        return row, checkpoint
    return row + event, position


def answer(model_position, wanted, waited_ms, deadline_ms):
    """Write it 2: what was wanted is there, or may still come, or did not come in time."""
    if model_position >= wanted:
        return "show"
    return "wait" if waited_ms < deadline_ms else "say stale"
