"""Reference solutions of notebooks/05_consensus_raft.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.consensus_raft import grant`, and run the check.
"""


def grant(server, request):
    """Write it 1: the vote rule (RequestVote, rules 1 and 2; 5.1, 5.2, 5.4.1).

    Two pairs compare by their first parts, and only where these are equal by their second ones: the later last term
    wins, then the longer log. Who asks again gets the same vote again, for the answer may have been lost.
    """
    if request.term < server.current_term:
        return False
    if server.voted_for not in (None, request.candidate_id):
        return False
    theirs = (request.last_log_term, request.last_log_index)
    return theirs >= (server.last_log_term, server.last_log_index)


def commit_index(current_term, commit_index, terms, match):
    """Write it 2: the commit rule (Leaders, rule 4; 5.3, 5.4.2).

    From the end of the log backwards: the first entry of our own term that a majority holds commits all before it,
    entries of older terms too. By themselves these never count, however many hold them (Figure 8).
    """
    for index in range(len(terms), commit_index, -1):
        holders = sum(known >= index for known in match)
        if terms[index - 1] == current_term and 2 * holders > len(match):
            return index
    return commit_index
