"""The predictions of the leader election chapter, in the order they are asked.

Each stands at a step of a run that the notebook makes; tests/widgets/test_questions_leader_election.py holds what they
say against what happens there.
"""

from widgets.question import Option, Question

SILENCE = Question(
    "The replica has not heard from the primary for ten seconds; before, it heard from it every second. "
    "What does the replica know?",
    (
        Option("the primary has crashed", "It may have. It may also run, and take orders, behind a broken link."),
        Option("the network is broken", "It may be. The primary may also be down, or standing still for a while."),
        Option(
            "that it has heard nothing for ten seconds",
            "No more than that. A crash, a broken link, a slow one and a long pause look the same from outside.",
            right=True,
        ),
    ),
)

ANSWER = Question(
    "P1 has asked all that are higher. Its **election** comes to P2, which is in an election of its own and does not "
    "know yet whether P3 or P4 is alive. What does P2 do?",
    (
        Option(
            "nothing: it is busy with an election",
            "Then P1 would hear nothing, take P2 for crashed, and lead as well. You will see that run.",
        ),
        Option("it answers, and goes on with its own", "An answer says: I am alive, and higher.", right=True),
        Option(
            "it gives P1 its vote",
            "There are no votes here. Who is alive and has the highest id leads, whatever the others think of it.",
        ),
    ),
)

BACK = Question(
    "P3 leads. Now P4, the old leader, comes back; it remembers nothing. What happens?",
    (
        Option(
            "P4 follows P3, which leads well",
            "So it is in Raft, where a leader stays until it fails. Here the highest that is alive leads, always.",
        ),
        Option(
            "P4 takes over at once", "Nobody is higher, so it need not ask: hence the algorithm's name.", right=True
        ),
        Option("P4 asks P1 to P3 first", "An election is sent only upwards, and above P4 there is nobody to be asked."),
    ),
)

ALONE = Question(
    "P1 and P2 are cut off from P3, P4 and P5. P2 asked all three, and for 30 ms nobody answered. P5 still leads on "
    "the other side. What does P2 do?",
    (
        Option("it leads, too", "By its rules, silence is a crash. Nothing tells it otherwise.", right=True),
        Option(
            "it waits: two of five are too few",
            "It would have to count. The bully algorithm does not; a majority is Raft's idea.",
        ),
        Option("it follows P5, as before", "It gave P5 up when the heartbeats stopped coming."),
    ),
)

OWN = Question(
    "P5's own id comes back to it, once round the ring. What does P5 know now?",
    (
        Option(
            "that all follow it", "They let its id pass, but whose it is to be they do not know yet. It tells them."
        ),
        Option(
            "that all the others are lower",
            "Each process lets only higher ids than its own pass, and P5's passed all of them.",
            right=True,
        ),
        Option("that all the others are alive", "They were when the id passed. That is no knowledge of now."),
    ),
)

FEWEST = Question(
    "33 processes that all begin at once. Chang and Roberts's worst case grows like n², Hirschberg and Sinclair's "
    "like n log n. The ids stand round the ring **in no particular order**. Which needs fewer messages on average?",
    (
        Option(
            "Hirschberg-Sinclair, of course",
            "In the worst order and for large n it does. But low ids seldom get far, and going out and back four times "
            "costs more than it saves here.",
        ),
        Option(
            "Chang-Roberts, by a factor of five or so",
            "On average an id is swallowed soon: n(1 + 1/2 + ... + 1/n) messages. The other pays to be safe always.",
            right=True,
        ),
        Option("about the same", "Both grow like n log n on average, but with very different factors before it."),
    ),
)

WAKES = Question(
    "B was granted the lease for 200 ms, stood still for 332, and now wakes up with a line ready to be written. "
    "For B no time has passed. What does it do first?",
    (
        Option(
            "it looks at the clock, and stops",
            "It does that, two steps later. Whatever it looks at first, it can be paused after the look.",
        ),
        Option(
            "it writes",
            "It was just about to. No check before the write can help: the pause may follow it.",
            right=True,
        ),
        Option("it asks the lock server", "The answer would be old by the time it wrote: the same gap once more."),
    ),
)

FENCE = Question(
    "The same run up to here, but the storage checks tokens. B's write comes with token 1; A wrote with token 2. "
    "What does the storage do?",
    (
        Option(
            "it asks the lock server who holds the lease",
            "It need not, and the answer could be outdated when it comes. Two numbers are enough.",
        ),
        Option(
            "it takes the write: B was granted the lease", "It was, and that is over. Taken, it would undo A's line."
        ),
        Option("it refuses: 1 is less than 2", "It remembers the highest token, and asks nobody.", right=True),
    ),
)

FREE = Question(
    "Without fencing once more. Now nobody crashes, nobody is paused, no message is lost or doubled; but messages and "
    "timers may come in any order. Can an acknowledged line still be lost?",
    (
        Option(
            "no: it took a pause",
            "A pause is one way to be late. A slow message and a slow clock are others, and the result is the same.",
        ),
        Option("yes", "A late write is enough, whatever made it late.", right=True),
        Option(
            "only with three holders", "Two are enough: one that is late, and one that has read what is stored before."
        ),
    ),
)

RAFT = Question(
    "The same cut under Raft, with the leader on the smaller side. How many believe that they lead before the cut is "
    "healed?",
    (
        Option(
            "one: Raft has at most one leader",
            "At most one **in a term**. The old one has not heard that there is a new term.",
        ),
        Option(
            "two, of different terms",
            "The old one of term 1, which can commit nothing any more, and the new one, which a majority elected.",
            right=True,
        ),
        Option("two, of the same term", "Each would need a majority, and two majorities have a server in common."),
    ),
)
