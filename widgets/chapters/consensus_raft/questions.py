"""The predictions of the Raft chapter, in the order they are asked.

Each stands at a step of a run that the notebook makes; tests/widgets/test_questions_consensus_raft.py holds what they
say against what happens there.
"""

from widgets.question import Option, Question

CUT = Question(
    "A cable breaks: **S1 and S2** hear each other, **S3, S4 and S5** hear each other, and nothing gets across. Buyers "
    "on both sides want seat 14C. What can the five promise at best?",
    (
        Option(
            "both sides sell, and sort it out when the cable is mended",
            "Then two people hold a ticket for one seat, and no sorting out gives both of them the evening.",
        ),
        Option(
            "neither side sells until the cable is mended",
            "Safe, but more careful than it has to be: three of five can go on without asking the other two.",
        ),
        Option(
            "the side with three sells, the side with two waits",
            "Two majorities of five always share a server. So at most one side can be one, and each side can count.",
            right=True,
        ),
        Option(
            "the side that the leader is on sells",
            "A leader with one follower looks to itself like a leader with four slow ones. It cannot know that nobody "
            "else was elected over there.",
        ),
    ),
)

REFUSED = Question(
    "S3 and S1 both ran out of patience in **term 1**, and each asks the others for a vote. Now **S3's request reaches "
    "S1**. What does S1 say?",
    (
        Option("yes: S3 asked first", "First come, first served. But the first that asked S1 for its vote was S1."),
        Option("no: it has voted for itself", "One vote a term. S1's went to S1 when it stood.", right=True),
        Option(
            "nothing: a candidate answers no requests",
            "It answers as all do. A candidate that kept silent could not learn of a newer term either.",
        ),
    ),
)

MAJORITY = Question(
    "S2 has voted for S3, and its **yes reaches S3**. S1's *no* is still on its way. What is S3 now?",
    (
        Option(
            "still a candidate: S1 has not answered",
            "It need not. If everybody had to answer, one crashed server would stop every election.",
        ),
        Option(
            "still a candidate: S1 stands as well, and could win",
            "It cannot: S1 needs two votes of three, and two are given to S3. A vote is not taken back.",
        ),
        Option("leader of term 1", "Its own vote and S2's are two of three, a majority.", right=True),
    ),
)

COMMIT = Question(
    "A asked S3 for x = 10. **S2's answer reaches S3: it has both entries.** S1 has neither. May S3 tell A that it is "
    "done?",
    (
        Option(
            "no: S1 has to have it, too",
            "Then A waits whenever one server is down. Three servers would be worse than one.",
        ),
        Option(
            "no: S2 has to know that it is committed",
            "That is news for S2, and it comes with the next message. What makes it safe is where the entry is, not "
            "who knows.",
        ),
        Option(
            "yes: two of three have it on disk",
            "Whoever leads next needs votes of two, and one of any two has the entry. It cannot be forgotten.",
            right=True,
        ),
    ),
)

FIGURE_8 = Question(
    "Index 2 of **term 2** is on S1, S2 and S3: a majority. But S1 now leads **term 4**. S1 crashes, and S5 is back, "
    "its log ending in an entry of **term 3**. Can that entry of term 2 still be lost?",
    (
        Option(
            "no: it is on a majority",
            "So one would think. But S5's log ends in a later term, so S2 and S3 vote for it, although they have what "
            "it lacks.",
        ),
        Option(
            "yes: S5 can win, and overwrites it",
            "Its last term is 3, theirs is 2: by the vote rule its log is the better one.",
            right=True,
        ),
        Option(
            "yes: S1 was the only one that knew of it",
            "S2 and S3 have it on their disks. That is not what is missing.",
        ),
    ),
)

FORGETFUL = Question(
    "A server writes its term and its log to disk, but keeps **voted_for in memory**. Three servers, and **one crash** "
    "is allowed. What is the worst that can happen?",
    (
        Option(
            "nothing: it asks the others whom it voted for",
            "Nobody keeps a list of who voted for whom, and no message asks for it.",
        ),
        Option(
            "an election takes longer",
            "The contrary: it is rather too quick to give a vote.",
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
            "It hears nothing, and that looks like four slow servers. It knows only when a newer term reaches it.",
        ),
        Option(
            "no answer; and when the cable is mended, S1's entry is overwritten",
            "The others have elected a leader of a newer term. B was promised nothing, so nothing is broken.",
            right=True,
        ),
        Option(
            "no answer; and when the cable is mended, it is committed after all",
            "It could be, had nobody else led meanwhile. But four of five did elect, and at that index they have "
            "something else.",
        ),
    ),
)
