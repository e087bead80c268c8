"""Reference solutions of notebooks/04_leader_election.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.leader_election import on_election`, and run the check.
"""


def on_election(me, sender, electing):
    """Write it 1: always answer, and begin an election unless one has begun already.

    The answer is what keeps the lower one from leading, so it must not depend on what this process is doing. The
    election is what gives the lower one, which now stands back, somebody to wait for.
    """
    return True, not electing


def may_pass(token, highest):
    """Write it 2: no older than any token seen.

    The same token passes, for a leader comes more than once; any higher one passes, for tokens may leave gaps.
    """
    return token >= highest
