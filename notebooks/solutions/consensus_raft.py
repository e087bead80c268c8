"""Reference solutions of notebooks/05_consensus_raft.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.consensus_raft import grant`, and run the check.
"""


def grant(server, request):
    """Write it 1: the vote rule (RequestVote, rules 1 and 2; 5.1, 5.2, 5.4.1).

    Python compares two pairs by their first parts, and by their second parts if the first are equal: the later last
    term wins, then the longer log. A candidate that asks again gets the same vote again: the answer may have been lost.
    """
    if request.term < server.current_term:
        return False
    if server.voted_for not in (None, request.candidate_id):
        return False
    theirs = (request.last_log_term, request.last_log_index)
    return theirs >= (server.last_log_term, server.last_log_index)


def commit_index(current_term, commit_index, terms, match):
    """Write it 2: the commit rule (Leaders, rule 4; 5.3, 5.4.2).

    Go back from the end of the log. The first entry of our own term that a majority holds commits all entries before
    it, also those of older terms. Copies of an older entry alone never count (Figure 8).
    """
    for index in range(len(terms), commit_index, -1):
        holders = sum(known >= index for known in match)
        if terms[index - 1] == current_term and 2 * holders > len(match):
            return index
    return commit_index
