"""The predictions of the leader election chapter, in the order they are asked.

A question that locks a step of a run says by `at` which. tests/widgets/test_questions_leader_election.py compares what
they say with what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import Option, Question

SILENCE = Question(
    "The replica has not heard from the primary for ten seconds. Before, it heard from it every second. "
    "What does the replica know?",
    (
        Option(
            "the primary has crashed", "Perhaps. The primary may also run, and accept orders, behind a broken link."
        ),
        Option("the network is broken", "Perhaps. The primary may also be down, or paused for a while."),
        Option(
            "that it has heard nothing for ten seconds",
            "Only that. A crash, a broken link, a slow link and a long pause look the same from outside.",
            right=True,
        ),
    ),
)

ANSWER = Question(
    "P1 has asked all processes with higher ids. Its **election** reaches P2. P2 is in an election of its own, and "
    "does not know yet whether P3 or P4 is alive. What does P2 do?",
    (
        Option(
            "it does nothing: it is busy with its own election",
            "Then P1 would hear nothing, take P2 for crashed, and lead as well. You will see that run.",
        ),
        Option("it answers, and goes on with its own", "An answer says: I am alive, and higher.", right=True),
        Option(
            "it gives P1 its vote",
            "The bully has no votes. The live process with the highest id leads, whatever the others think of it.",
        ),
    ),
    at=fired("B.answer", who="P2"),
)

BACK = Question(
    "P3 leads. Now P4, the old leader, comes back; it remembers nothing. What happens?",
    (
        Option(
            "P4 follows P3, which leads well",
            "Raft does that: a leader stays until it fails. Here the live process with the highest id leads, always.",
        ),
        Option("P4 takes over at once", "No id is higher, so P4 need not ask. Hence the algorithm's name.", right=True),
        Option("P4 asks P1 to P3 first", "A process sends an election only to higher ids, and P4 is the highest."),
    ),
    at=fired("B.back"),
)

ALONE = Question(
    "P1 and P2 are cut off from P3, P4 and P5. P2 asked all three, and no answer came for 30 ms. P5 still leads on "
    "the other side. What does P2 do?",
    (
        Option("it leads too", "By its rules, silence is a crash. No message tells it otherwise.", right=True),
        Option(
            "it waits: two of five are too few",
            "Then it would have to count. The bully algorithm does not count; a majority is Raft's idea.",
        ),
        Option("it follows P5, as before", "It gave P5 up when the heartbeats stopped."),
    ),
    at=fired("B.lead"),
)

OWN = Question(
    "P5's own id comes back to it, once round the ring. What does P5 know now?",
    (
        Option("all processes follow it", "They passed its id on, but do not know yet that it has won. P5 tells them."),
        Option(
            "all other ids are lower",
            "Each process passes on only higher ids than its own, and all of them passed P5's.",
            right=True,
        ),
        Option("all other processes are alive", "They were alive when the id passed. P5 does not know about now."),
    ),
    at=fired("CR.won"),
)

FEWEST = Question(
    "33 processes begin at once. Chang and Roberts's worst case grows like n², Hirschberg and Sinclair's like n log n. "
    "The ids are on the ring **in random order**. Which algorithm needs fewer messages on average?",
    (
        Option(
            "Hirschberg-Sinclair",
            "In the worst order and for large n it does. But low ids seldom get far, and going out and back costs more "
            "than it saves here.",
        ),
        Option(
            "Chang-Roberts, by a factor of about five",
            "On average an id is swallowed soon: n(1 + 1/2 + ... + 1/n) messages. The other pays for safety in every "
            "order.",
            right=True,
        ),
        Option("about the same", "Both grow like n log n on average, but with very different factors."),
    ),
)

WAKES = Question(
    "B was granted the lease for 200 ms. It paused for 332 ms, and now wakes up with a line ready to be written. "
    "For B no time has passed. What does it do first?",
    (
        Option(
            "it looks at the clock, and stops",
            "It does that two steps later. Whatever it checks first, a pause can follow the check.",
        ),
        Option(
            "it writes",
            "It was just about to. No check before the write can help: the pause may follow the check.",
            right=True,
        ),
        Option("it asks the lock server", "The answer would be old by the time B wrote: the same gap again."),
    ),
    at=fired("H.write", who="B"),
)

FENCE = Question(
    "The same run up to here, but the storage checks tokens. B's write comes with token 1; A wrote with token 2. "
    "What does the storage do?",
    (
        Option(
            "it asks the lock server which process holds the lease",
            "It need not ask, and the answer could be outdated on arrival. Two numbers are enough.",
        ),
        Option("it accepts the write: B was granted the lease", "That lease is over. The write would undo A's line."),
        Option(
            "it refuses: 1 is less than 2", "It remembers the highest token, and asks no other process.", right=True
        ),
    ),
    at=fired("S.refuse"),
)

FREE = Question(
    "Without fencing once more. Now no process crashes or pauses, and no message is lost or duplicated. But messages "
    "and timers may come in any order. Can an acknowledged line still be lost?",
    (
        Option(
            "no: it takes a pause",
            "A pause is one way to be late. A slow message and a slow clock are others, with the same result.",
        ),
        Option("yes: a late write is enough", "Any delay will do, whatever its cause.", right=True),
        Option("only with three holders", "Two are enough: one is late, and the other has read the lines before."),
    ),
)

RAFT = Question(
    "The same cut under Raft, with the leader on the smaller side. How many processes believe that they lead before "
    "the cut is healed?",
    (
        Option(
            "one: Raft has at most one leader",
            "At most one **in a term**. The old leader has not heard of the new term.",
        ),
        Option(
            "two, of different terms",
            "The old leader of term 1 can commit nothing any more. A majority elected the new one.",
            right=True,
        ),
        Option("two, of the same term", "Each would need a majority, and two majorities have a server in common."),
    ),
)
