"""The predictions of the two-phase commit chapter, in the order they are asked.

tests/widgets/test_questions_two_phase_commit.py compares their answers with the runs of the notebook.
"""

from patterns.engine.milestones import fired
from widgets.question import Option, Question

SILENT = Question(
    "Ann's bank was asked whether it can give 40, and has answered **yes**. Bob's bank was asked whether it can take "
    "them. Since then the program that asked has been silent, for a minute. What may Ann's bank do?",
    (
        Option(
            "give up: no money has moved yet",
            "Bob's bank may have added its 40 by now. Then there are 40 too many.",
        ),
        Option(
            "take Ann's 40: it said yes, after all",
            "Bob's bank may have said no. Then Ann has paid, and nobody has received it.",
        ),
        Option(
            "wait, however long, with Ann's account locked",
            "Commit or abort may have been decided, and Bob's bank may have acted on it. Only a process that knows the "
            "decision can end the wait.",
            right=True,
        ),
    ),
)

PROMISE = Question(
    "C's question reaches P1: **can you take 40 from Ann?** She has 100. What does P1 do before it says yes?",
    (
        Option(
            "it takes the 40; it can give them back",
            "A reader sees that money is missing, though nothing is decided, and may act on it.",
        ),
        Option(
            "it makes a note in memory",
            "P1 may crash after its yes. Then it knows of no promise and gives the 40 to another transfer.",
        ),
        Option(
            "it writes `ann 60` to its disk as a promise, and locks Ann's row",
            "Now P1 can commit and can abort, even after a crash, and no other transfer can spend the 40.",
            right=True,
        ),
    ),
    at=fired("P.yes", who="P1"),
)

POINT = Question(
    "**P2's yes reaches C**: the last missing vote. From which moment on is the transfer certain?",
    (
        Option(
            "from now: both have said yes",
            "Only C knows both votes. If C crashes now, it comes back without them, and the transfer is aborted.",
        ),
        Option(
            "when **commit** is on C's disk",
            "One write at one process. Before it, a crash means abort; after it, C will say commit until all know.",
            right=True,
        ),
        Option(
            "when P1 and P2 have written their new balances",
            "By then it is already certain: no crash of P1 or P2 can change it.",
        ),
    ),
    at=fired("C.commit"),
)

FORGET = Question(
    "P2 has committed, and **its acknowledgement reaches C**. May C forget the transfer?",
    (
        Option(
            "yes: C has sent the decision to both",
            "C has sent it, but P1 may not have received it. P1 may ask again, and C would have no answer.",
        ),
        Option(
            "only when P1's acknowledgement is here too",
            "An acknowledgement says: the decision is on my disk, I shall not ask again. With both of them C is free.",
            right=True,
        ),
        Option(
            "never",
            "Its log would grow for ever. Once all have the decision on disk, no participant can be in doubt.",
        ),
    ),
    at=fired("C.ack", participant="P2"),
)

NO = Question(
    "C has P3's yes; P2's vote is still on its way. Now **P1's no** arrives. What does C do?",
    (
        Option(
            "it waits for P2's vote",
            "C may wait, but the vote changes nothing, and P3 stays in doubt for longer.",
        ),
        Option(
            "it commits what P2 and P3 can do",
            "Then Bob and Cho would have money that Ann never paid.",
        ),
        Option(
            "it aborts, and tells P2 and P3",
            "One no is enough. P1 does not need the message: a participant that votes no has aborted already.",
            right=True,
        ),
    ),
    at=fired("C.abort"),
)

LOCKED = Question(
    "T2 has waited at P3 for 70 ms, for the row that T1 has locked. P3 has not voted on T2. T1's coordinator is down. "
    "What may P3 do?",
    (
        Option(
            "abort T1, which is blocked, and let T2 through",
            "P3 voted yes on T1, and C has decided commit. P3 would abort, while P1 and P2 are going to commit.",
        ),
        Option(
            "abort T2, though nothing is wrong with it",
            "P3 has promised T2 nothing yet. The crash has now stopped a transfer that had no part in it.",
            right=True,
        ),
        Option(
            "let T2 write the row; T1 can be added later",
            "T1's promise is `cho 120`, computed from 100. When T1 commits, the row loses what T2 wrote.",
        ),
    ),
    at=fired("P.tired", who="P3"),
)

KNOWS = Question(
    "C is down. P2 and P3 are in doubt, P1 has received **commit**. **P2's question reaches P1**. What does P1 do?",
    (
        Option(
            "it sends P2 to C: only C may decide",
            "C has decided. P1 decides nothing new: a process that knows the decision may repeat it.",
        ),
        Option(
            "it sends commit to P2",
            "All have the same decision, so P1's is also P2's. P2 need not wait for C.",
            right=True,
        ),
        Option(
            "it takes C's place and asks all for their votes again",
            "There is nothing to vote on: the votes were counted, and the answer is known.",
        ),
    ),
    at=fired("P.tell", who="P1"),
)

BACK = Question(
    "**P2 starts again.** Its log says `prepared T1`, and nothing after it. All memory is gone, the locks as well. "
    "What does P2 do first?",
    (
        Option(
            "it aborts T1: a crash ends all that was open",
            "In a single database it does. But P2 has promised, and the others have committed because of that promise.",
        ),
        Option(
            "it asks C, and serves other transfers meanwhile",
            "Before the answer arrives, another transfer could spend what P2 has promised to T1.",
        ),
        Option(
            "it locks Bob's row again, and then it asks",
            "The promise is on disk, so P2 knows the row. Only behind the lock may it serve other transfers.",
            right=True,
        ),
    ),
    at=fired("P.back"),
)

COLLECTING = Question(
    "Under presumed commit C answers **commit** about any transfer that it does not know. It crashed while the votes "
    "were on their way, and **starts again**. What becomes of T1?",
    (
        Option(
            "it is committed: all would have said yes",
            "C cannot know that. One of the lost votes may have been a no.",
        ),
        Option(
            "it is aborted: C's log says only that C asked for votes",
            "That is the purpose of the collecting record. It was forced before the first question left.",
            right=True,
        ),
        Option(
            "C counts the votes again",
            "C has lost the votes, and the banks in doubt wait. Abort is safe, because C has sent commit to no bank.",
        ),
    ),
    at=fired("C.back"),
)

SPLIT = Question(
    "A cut separates P2 and P3 from C and P1. P2 has taken the coordinator's place and asked for all states. P3 is as "
    "**uncertain** as P2, and the others have not answered in time. What does P2 decide?",
    (
        Option(
            "nothing: two of four are no majority",
            "Three-phase commit needs no majority. It counts a silent process as crashed and leaves it out.",
        ),
        Option(
            "commit: all had voted yes",
            "P2 does not know that: it has received no pre-commit.",
        ),
        Option(
            "abort: P2 and P3 are both uncertain",
            "By its rules that is right: had the others crashed, none could have committed. But C and P1 are up, "
            "and have committed.",
            right=True,
        ),
    ),
    at=fired("3.TR3", who="P2"),
)

ALONE = Question(
    "A participant that is in doubt for too long **aborts by itself**. Nobody crashes; one message may be lost. Two "
    "participants, one transfer. Can the two decide differently?",
    (
        Option(
            "no: a process would have to crash",
            "A silent coordinator need not have crashed. A lost message makes the same silence.",
        ),
        Option(
            "yes: a lost **commit** is enough",
            "C has decided and sent commit to both. One receives it, and the other gives up.",
            right=True,
        ),
        Option(
            "no: if no participant hears of a commit, all abort",
            "True, if none hears of it. But one participant may hear of it, and the other may not.",
        ),
    ),
)

UNASKED = Question(
    "Three banks. Ann's and Bob's have voted **yes**. The question to Cho's bank was lost. Then C crashes. Ann's and "
    "Bob's bank are in doubt and ask all others. What may happen before C is repaired?",
    (
        Option(
            "nothing: a bank that voted yes waits for C",
            "Another process may know more. Without the yes of Cho's bank, C cannot have decided commit.",
        ),
        Option(
            "they commit: two of three voted yes",
            "A majority elects a leader. A commit needs all votes, because each bank writes its own part.",
        ),
        Option(
            "Cho's bank aborts, and so all three do",
            "Cho's bank has promised nothing. It aborts, so it never votes yes, and then abort is certain.",
            right=True,
        ),
    ),
)
