"""The predictions of the Raft chapter, in the order they are asked.

A question that locks a step names the step by what happens there. tests/widgets/test_questions_consensus_raft.py
compares what the questions say with the runs.
"""

from patterns.engine.milestones import fired
from widgets.question import Option, Question

CUT = Question(
    "A cable breaks: **S1 and S2** hear each other, **S3, S4 and S5** hear each other, and nothing gets across. Buyers "
    "on both sides want seat 14C. What can the five promise at best?",
    (
        Option(
            "both sides sell, and sort it out when the cable is mended",
            "Then two people hold a ticket for one seat. Sorting it out gives only one of them the evening.",
        ),
        Option(
            "neither side sells until the cable is mended",
            "This is safe, but too careful: three of five can go on without asking the other two.",
        ),
        Option(
            "the side with three sells, the side with two waits",
            "Two majorities of five always share a server. So at most one side is a majority, and each side can count.",
            right=True,
        ),
        Option(
            "the side that the leader is on sells",
            "To a leader, three followers that are cut off look like three slow ones. It cannot know that the other "
            "side has elected another leader.",
        ),
    ),
)

REFUSED = Question(
    "The election timers of S3 and S1 both ran out in **term 1**, and each asks the others for a vote. Now **S3's "
    "request reaches S1**. What does S1 answer?",
    (
        Option("yes: S3 asked first", "First come, first served. But the first server that asked S1 was S1 itself."),
        Option("no: it has voted for itself", "A server has one vote in each term. S1 voted for S1.", right=True),
        Option(
            "nothing: a candidate answers no requests",
            "A candidate answers like every server. If it kept silent, the others would not learn its term.",
        ),
    ),
    at=fired("RV.2.voted", who="S1", candidate="S3"),
)

MAJORITY = Question(
    "S2 has voted for S3, and its **yes reaches S3**. S1's *no* is still on its way. What is S3 now?",
    (
        Option(
            "still a candidate: S1 has not answered",
            "S1 need not answer. If every server had to, one crashed server would stop every election.",
        ),
        Option(
            "still a candidate: S1 stands as well, and could win",
            "S1 cannot win: it needs two votes of three, and two are given to S3. A vote is not taken back.",
        ),
        Option("leader of term 1", "Its own vote and S2's are two of three, a majority.", right=True),
    ),
    at=fired("C.2", who="S3"),
)

COMMIT = Question(
    "A asked S3 for x = 10. **S2's answer reaches S3: S2 has both entries.** S1 has neither. May S3 tell A that it is "
    "done?",
    (
        Option(
            "no: S1 must have it, too",
            "Then A waits whenever one server is down. Three servers would be worse than one.",
        ),
        Option(
            "no: S2 must know that it is committed",
            "S2 learns that with the next message. The entry is safe because S2 holds it, not because S2 knows.",
        ),
        Option(
            "yes: two of three have it on disk",
            "The next leader needs the votes of two servers, and one of any two has the entry. It cannot be lost.",
            right=True,
        ),
    ),
    at=fired("CL.done", client="A"),
)

FIGURE_8 = Question(
    "Index 2 of **term 2** is on S1, S2 and S3: a majority. But S1 now leads **term 4**. S1 crashes, and S5 is back, "
    "its log ending in an entry of **term 3**. Can that entry of term 2 still be lost?",
    (
        Option(
            "no: it is on a majority",
            "A majority is not enough here. S5's log ends in a later term, so S2 and S3 vote for S5, although S5 lacks "
            "the entry.",
        ),
        Option(
            "yes: S5 can win, and overwrites it",
            "S5's last term is 3, that of S2 and S3 is 2: by the vote rule S5's log is the better one.",
            right=True,
        ),
        Option(
            "yes: S1 was the only one that knew of it",
            "S2 and S3 have the entry on their disks. That is not what is missing.",
        ),
    ),
    at=fired("RV.2", who="S2", candidate="S5", term=5),
)

FORGETFUL = Question(
    "A server writes its term and its log to disk, but keeps **voted_for in memory**. Three servers, and **one crash** "
    "is allowed. What is the worst that can happen?",
    (
        Option(
            "nothing: it asks the others whom it voted for",
            "No server keeps a list of all votes, and no message asks for it.",
        ),
        Option(
            "an election takes longer",
            "The opposite is true: the server gives its vote too quickly.",
        ),
        Option(
            "an entry that was committed is lost",
            "That would come later. Something else breaks first, without a single entry in any log.",
        ),
        Option(
            "two leaders of one term",
            "It votes, crashes, forgets, and votes again in the same term. Each candidate counts two of three.",
            right=True,
        ),
    ),
)

DEPOSED = Question(
    "S1 leads five servers when it is cut off from **all** the others. It does not notice. Buyer B asks **S1** for the "
    "seat. What does B get?",
    (
        Option(
            "the seat: S1 is the leader",
            "S1 takes the request, as a leader does. But one of five is no majority: it can append, and never commit.",
        ),
        Option(
            "a refusal at once: S1 knows that it has lost the others",
            "To S1, servers that are cut off look like slow ones. It learns the truth when a newer term reaches it.",
        ),
        Option(
            "no answer; and when the cable is mended, S1's entry is overwritten",
            "The others have elected a leader of a newer term. B was promised nothing, so nothing is broken.",
            right=True,
        ),
        Option(
            "no answer; and when the cable is mended, it is committed after all",
            "That could happen if no other server had led meanwhile. But the other four did elect a leader, and at "
            "that index they have another entry.",
        ),
    ),
)
