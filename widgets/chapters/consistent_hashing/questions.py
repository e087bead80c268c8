"""The predictions of the consistent hashing chapter, in the order they are asked.

Each stands at a step of a run that the notebook makes; tests/widgets/test_questions_consistent_hashing.py holds what
they say against what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import Option, Question

COLD = Question(
    "The rule is the usual one: machine number **hash(key) mod N**. At noon N goes from 3 to 4. "
    "How many of the names does the tier look for on a machine that does not hold them?",
    (
        Option("none: nothing was taken away", "No machine lost anything. But the rule now asks other machines."),
        Option(
            "about a quarter: the new machine's share",
            "That much has to move if the new machine is to be of use. This rule moves far more than has to.",
        ),
        Option("about half", "It feels like a safe guess; the arithmetic is harsher."),
        Option(
            "about three quarters",
            "A name stays only if hash mod 3 and hash mod 4 agree: when hash mod 12 is 0, 1 or 2. That is 3 in 12.",
            right=True,
        ),
    ),
)

CLOCKWISE = Question(
    "Europe/London stands at **149.8°**. The points round the circle: A at 16°, B at 68°, C at 124°, A at 132°, "
    "C at 194°, B at 219°. Which machine owns it?",
    (
        Option(
            "A: its point at 132° is nearest",
            "Nearest it is, 18° against 44°. But the walk goes one way only, clockwise: degrees that grow.",
        ),
        Option(
            "B: that is what hash mod 3 says",
            "So says the old rule. On the ring the number of machines plays no part: only positions do.",
        ),
        Option(
            "C: its point at 194° comes next clockwise", "The first point met on the walk owns the key.", right=True
        ),
    ),
    at=fired("first-point", key="Europe/London"),
)

WRAP = Question(
    "Africa/Cairo stands at **297.3°**. The last point before the top is B's, at 219°. Who owns Cairo?",
    (
        Option(
            "B: there is no point further on",
            "B's point lies behind Cairo, and nobody walks back. B is even the nearest, by a degree: no matter.",
        ),
        Option("A: the walk goes on past the top, to 16°", "360° is 0°: a circle has no last point.", right=True),
        Option("nobody: the lookup fails", "It does in code that forgot the circle; you will meet that mistake again."),
    ),
    at=fired("wrap", key="Africa/Cairo"),
)

TAKES = Question(
    "D's first point lands at **251.5°**, between B's at 219° and A's at 16°. Which keys go to D?",
    (
        Option(
            "those just behind it: from 219° to 251.5°",
            "They used to walk on to A and now meet D first. All other walks end where they did.",
            right=True,
        ),
        Option(
            "those ahead of it: from 251.5° to A's point",
            "They walk away from D, not towards it: a point owns the arc that ends at it.",
        ),
        Option(
            "a quarter of what each machine has",
            "That would be fair, but a point cuts one arc, of one machine. Fairness will take more points.",
        ),
    ),
    at=fired("point", node="D", number=1),
)

MODULO = Question(
    "The same twelve keys, the same fourth machine, under **hash mod N**. How many keys change machine?",
    (
        Option("3: the new machine's share", "The ring moved that many. This rule does not know whose keys to leave."),
        Option("6", "Each key stays with one chance in four, not in two."),
        Option("9", "A key stays when hash mod 12 is 0, 1 or 2. Of these twelve, three do.", right=True),
        Option("12: all of them", "Nearly. But where hash mod 3 happens to equal hash mod 4, a key stays."),
    ),
    at=fired("join-other", node="D"),
)

SAME_NODE = Question(
    "Two copies of each key, and the rule **skip a machine that has a copy already** is gone: copies go to the next "
    "two points, whosever they are. What shows it first?",
    (
        Option(
            "any read: it is wrong at once",
            "On this ring no two neighbouring points are of one machine. As it stands, nothing is wrong: tests pass.",
        ),
        Option(
            "D joins",
            "D's points land between others. More machines make neighbours of one machine rarer, not more frequent.",
        ),
        Option(
            "a machine leaves",
            "With A gone, two points of B become neighbours, and both copies of a key between them are on B.",
            right=True,
        ),
        Option("nothing: two copies are two copies", "Not when both are on the machine that is about to crash."),
    ),
)

TENTH = Question(
    "Nine machines behind a ring, 160 points each. A tenth joins. Which keys change machine?",
    (
        Option("about a tenth, all of them to the new machine", "K/(N+1), and nobody else's keys stir.", right=True),
        Option(
            "about a tenth, between all of the machines", "The amount is right. But only arcs with new points change."
        ),
        Option("about nine tenths", "That is hash mod N once more: a key stays with one chance in ten."),
        Option("about a quarter", "That was the step from three machines to four: the share is 1/(N+1)."),
    ),
)
