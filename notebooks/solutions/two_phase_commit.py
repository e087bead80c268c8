"""Reference solutions of notebooks/06_two_phase_commit.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.two_phase_commit import decide`, and run the check.
"""


def decide(votes, asked, timed_out):
    """Exercise 1: one no is enough to abort, and a commit needs the vote of every participant.

    Silence is not a yes: when the time is up, abort. A participant that voted read-only accepts both outcomes.
    """
    if timed_out or "no" in votes.values():
        return "abort"
    return "commit" if len(votes) == len(asked) else "wait"


def to_ask(log):
    """Exercise 2: the transactions that are prepared, and neither committed nor aborted.

    The log mixes the records of several transactions: look for a decision of the same one, anywhere in the log.
    """
    decided = {txn for kind, txn in log if kind != "prepared"}
    return [txn for kind, txn in log if kind == "prepared" and txn not in decided]
