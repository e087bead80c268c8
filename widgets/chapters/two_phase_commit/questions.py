"""The predictions of the two-phase commit chapter, in the order they are asked.

Each stands at a step of a run that the notebook makes; tests/widgets/test_questions_two_phase_commit.py holds what they
say against what happens there.
"""

from widgets.question import Option, Question

SILENT = Question(
    "Ann's bank was asked whether it can give 40, and has answered **yes**. Bob's bank was asked whether it can take "
    "them. Since then the program that asked has been silent, for a minute. What may Ann's bank do?",
    (
        Option(
            "give up: no money has moved yet",
            "Not at Ann's bank. Bob's may have been told to add its 40 by now: then there are 40 too many.",
        ),
        Option(
            "take Ann's 40: it said yes, after all",
            "Bob's bank may have said no. Then Ann has paid, and nobody has received it.",
        ),
        Option(
            "wait, however long, with Ann's account locked",
            "Either may have been decided, and somebody may have acted on it. Only who knows what it was can end this.",
            right=True,
        ),
    ),
)

PROMISE = Question(
    "C's question reaches P1: **can you take 40 from Ann?** She has 100. What does P1 do before it says yes?",
    (
        Option(
            "it takes the 40; it can give them back",
            "Whoever looks in between sees money missing that is only being asked about, and may act on it.",
        ),
        Option(
            "it makes a note in memory",
            "P1 may crash after its yes. It would come back, know of no promise, and let somebody else have the 40.",
        ),
        Option(
            "it writes `ann 60` to its disk as a promise, and locks Ann's row",
            "Now it can do both, commit and abort, even after a crash, and nobody can spend the 40 meanwhile.",
            right=True,
        ),
    ),
)

POINT = Question(
    "**P2's yes reaches C**, the last that was missing. From which moment on is the transfer certain?",
    (
        Option(
            "from now: both have said yes",
            "Nobody but C knows that. If C crashes now, it comes back without the votes, and the transfer is aborted.",
        ),
        Option(
            "when **commit** is on C's disk",
            "One write at one process. Before it, a crash means abort; after it, C will say commit until all know.",
            right=True,
        ),
        Option(
            "when P1 and P2 have written their new balances",
            "By then it has long been certain: nothing that can happen to P1 or P2 would change it.",
        ),
    ),
)

FORGET = Question(
    "P2 has committed, and **its acknowledgement reaches C**. May C forget the transfer?",
    (
        Option(
            "yes: it is decided, and both were told",
            "Told, yes; heard, nobody knows. P1 may ask again, and C would have no answer left.",
        ),
        Option(
            "not before P1's is here, too",
            "An acknowledgement says: on my disk, I shall not ask again. With both of them C is free.",
            right=True,
        ),
        Option(
            "never",
            "Its log would grow for ever. Once all have the decision on disk, nobody can be in doubt.",
        ),
    ),
)

NO = Question(
    "C has P3's yes; P2's vote is still on its way. Now **P1's no** arrives. What does C do?",
    (
        Option(
            "it waits for P2's vote",
            "It may, but it changes nothing, and P3 would be in doubt for longer.",
        ),
        Option(
            "it commits what P2 and P3 can do",
            "Then Bob and Cho would have money that Ann never paid.",
        ),
        Option(
            "it aborts, and tells P2 and P3",
            "One no is enough. P1 need not be told: who says no has aborted already.",
            right=True,
        ),
    ),
)

LOCKED = Question(
    "T2 has been waiting at P3 for 70 ms, for the row that T1 has locked; P3 has not voted on T2. T1's coordinator is "
    "down. What may P3 do?",
    (
        Option(
            "abort T1, which is stuck, and let T2 through",
            "P3 said yes to T1, and C has decided commit. P3 would undo what P1 and P2 are going to do.",
        ),
        Option(
            "abort T2, though nothing is wrong with it",
            "It has promised T2 nothing yet. A crash has now stopped a transfer that had no part in it.",
            right=True,
        ),
        Option(
            "let T2 write the row; T1 can be added later",
            "T1's promise is `cho 120`, worked out from 100. Whatever T2 wrote would be lost.",
        ),
    ),
)

KNOWS = Question(
    "C is down. P2 and P3 are in doubt, P1 has heard **commit**. **P2's question reaches P1**. What does P1 do?",
    (
        Option(
            "it sends P2 to C: only C may decide",
            "C has decided. Repeating what was decided is no decision, and anybody who knows it may do that.",
        ),
        Option(
            "it tells P2 to commit",
            "A decision that one has heard is the decision of all. P2 need not wait for C.",
            right=True,
        ),
        Option(
            "it takes C's place and asks all for their votes again",
            "There is nothing to vote on: the votes were counted, and the answer is known.",
        ),
    ),
)

BACK = Question(
    "**P2 starts again.** Its log says `prepared T1`, and nothing after it. All memory is gone, the locks as well. "
    "What does P2 do first?",
    (
        Option(
            "it aborts T1: a crash ends all that was open",
            "In one database alone it does. But P2 gave its word, and the others have committed because of it.",
        ),
        Option(
            "it asks C, and serves other transfers meanwhile",
            "Another could take what T1 was promised, in the moment before the answer.",
        ),
        Option(
            "it locks Bob's row again, and then it asks",
            "What was promised is on disk, so what must be locked is known. Only then may anybody come in.",
            right=True,
        ),
    ),
)

COLLECTING = Question(
    "Under presumed commit C would answer **commit** for whatever it does not know. It crashed while the votes were on "
    "their way, and **starts again**. What becomes of T1?",
    (
        Option(
            "it is committed: all would have said yes",
            "C cannot know that. A no may have been among the votes that were lost.",
        ),
        Option(
            "it is aborted: C's log says that it was asking, and nothing more",
            "That is what the collecting record is for. It was forced before the first question left.",
            right=True,
        ),
        Option(
            "C counts the votes again",
            "The votes were lost with C, and those in doubt are waiting. Abort is safe, as nobody was told commit.",
        ),
    ),
)

SPLIT = Question(
    "A cut keeps P2 and P3 from C and P1. P2 has taken the coordinator's place and asked all how far they are: P3 is "
    "as **uncertain** as P2, and nobody else has answered in time. What does P2 decide?",
    (
        Option(
            "nothing: two of four are no majority",
            "Three-phase commit counts nobody. Who does not answer is taken for crashed, and left out.",
        ),
        Option(
            "commit: all had voted yes",
            "P2 does not know that. Had it been pre-committed, it would.",
        ),
        Option(
            "abort: none that is up is committable",
            "By its rules that is right, for nobody can have committed. But C and P1 are up, and have.",
            right=True,
        ),
    ),
)

ALONE = Question(
    "A participant that is in doubt for too long **aborts by itself**. Nobody crashes; one message may be lost. Two "
    "participants, one transfer. Can the two decide differently?",
    (
        Option(
            "no: somebody would have to crash",
            "A silent coordinator is not a dead one. A message that was lost makes the same silence.",
        ),
        Option(
            "yes: a lost **commit** is enough",
            "C has decided and told both; one has heard it, and the other gives up.",
            right=True,
        ),
        Option(
            "no: if nobody hears of a commit, all abort",
            "If nobody hears of it. It takes one that does.",
        ),
    ),
)

UNASKED = Question(
    "Three banks. Ann's and Bob's have said **yes**; the question to Cho's bank was lost. Then C crashes. Ann's and "
    "Bob's bank are in doubt, and ask everybody they know. What may happen before C is repaired?",
    (
        Option(
            "nothing: who said yes waits for C",
            "For whoever knows. Cho's bank knows something: without its yes, C cannot have decided commit.",
        ),
        Option(
            "they commit: two of three said yes",
            "A majority elects a leader. A commit needs all, for each of them writes a part of its own.",
        ),
        Option(
            "Cho's bank aborts, and so all three do",
            "It has given no promise. By aborting it makes sure that it never will, and then abort is certain.",
            right=True,
        ),
    ),
)
