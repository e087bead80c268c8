"""What notebooks/07_saga.ipynb asks before it shows.

Each wrong option rests on a misconception that its `because` names. A question says by `at` at which step of its run it
stands; tests/widgets/test_questions_saga.py checks what the questions say against what happens there.
"""

from patterns.engine.milestones import fired
from widgets.question import Option, Question

TAKEN_BACK = Question(
    "An order has three steps at three companies. The warehouse has reserved the beans and committed. The bank has "
    "charged the card and committed. Then the order is refused. What is true at the end?",
    (
        Option(
            "everything is rolled back, as if nothing had happened",
            "A database rolls back only what it has not committed. Both companies have committed.",
        ),
        Option(
            "the money comes back by a second payment that everyone can see",
            "A committed step cannot be undone. A second transaction compensates for it. The account has its 100 "
            "again, the statement has two lines, and anyone who looked in between saw 70.",
            right=True,
        ),
        Option(
            "nothing can be done: committed is committed",
            "A committed step stays. But a second transaction can compensate for it: a refund, a cancellation, an "
            "apology.",
        ),
    ),
)

SEEN = Question(
    "The bank is about to charge the card. Its answer then still has to travel, and two steps of the order follow. Who "
    "can see by then that the 30 are gone?",
    (
        Option(
            "only this saga, until it is complete",
            "That would be isolation. The bank has committed a transaction of its own, and knows of no other.",
        ),
        Option(
            "only the orchestrator, because it asked for the charge",
            "The orchestrator does not know yet. The bank's customers know if they look.",
        ),
        Option(
            "everyone who looks at the account",
            "Each step commits by itself. This keeps rows free, and it gives up isolation.",
            right=True,
        ),
    ),
    at=fired("S.do", step="charge"),
)

FIRST_UNDONE = Question(
    "**reserve** and **charge** are done, **approve** is refused. What does the orchestrator undo first?",
    (
        Option(
            "charge",
            "The last step comes first: a later step may build on an earlier one, never the other way round.",
            right=True,
        ),
        Option(
            "reserve, because it was done first",
            "Then someone else could buy the beans while Ann still pays for them.",
        ),
        Option(
            "both at once, because that is quicker",
            "Parallel branches may be undone at once. These steps are in a row, and charge came after reserve.",
        ),
        Option(
            "nothing: it asks for approve once more",
            "A refusal is a decision, not a fault. Asked again, the service gives the same answer.",
        ),
    ),
    at=fired("O.undo"),
)

GONE = Question(
    "The charge is undone. Now the reservation is undone too. What is different from the time before the order?",
    (
        Option(
            "nothing: that is the purpose of a compensation",
            "The numbers are the same. But every disk says that it happened, and everyone could see it.",
        ),
        Option(
            "the rows are as before, and the disks say what happened",
            "There are 3 beans, and 100 on the account. Each service has its request and its compensation on disk, and "
            "each row was written twice.",
            right=True,
        ),
        Option(
            "the beans are still reserved, to be safe",
            "Every step that was done is undone, down to the first. The orchestrator's log ends with compensated.",
        ),
    ),
    at=fired("S.undo", step="reserve"),
)

FORWARD = Question(
    "The order is **approved**: the pivot is passed. Now shipping is out of order and answers with a failure. What "
    "does the orchestrator do?",
    (
        Option(
            "it turns back, and undoes charge and reserve",
            "approve has no compensation. The order is confirmed, so the only consistent end is ahead.",
        ),
        Option(
            "it waits, and asks for ship again",
            "This is forward recovery. A step after the pivot never refuses, so it succeeds after some retry.",
            right=True,
        ),
        Option(
            "it calls a human",
            "It may raise an alarm after some time. But a retry is enough as long as the step can still succeed.",
        ),
    ),
    at=fired("O.forward"),
)

AGAIN = Question(
    "The bank has charged the card. Its answer was lost because the orchestrator was down. The orchestrator restarts. "
    "Its log says that charge is **started**, not **done**, so it asks again. What does the bank do?",
    (
        Option(
            "it charges the card again",
            "A request without a name would be done again. This one has a name: charge of A1. The bank finds it in its "
            "table.",
        ),
        Option(
            "it answers done, and changes nothing",
            "The bank wrote the request and its effect together, so it knows that it did this. It gives the old "
            "answer.",
            right=True,
        ),
        Option(
            "it refuses: the card was charged already",
            "Then a healthy saga would turn back. A repeated request gets the same answer.",
        ),
    ),
    at=fired("S.again"),
)

LATE = Question(
    "The request to charge took so long that the orchestrator gave it up. Its **compensation** arrived first, and the "
    "saga has ended. Now the request arrives. What does the bank do?",
    (
        Option(
            "it charges the card: it was never asked before",
            "No one would ever give that money back. The saga has ended.",
        ),
        Option(
            "it charges the card, and gives the money back at once",
            "It could. But this shows others a charge that never counts.",
        ),
        Option(
            "it does nothing, because it has noted the compensation",
            "The bank was asked to undo a step that it had not done, and wrote that down. So it knows that the request "
            "is too late.",
            right=True,
        ),
    ),
    at=fired("S.cancelled"),
)

HEARS = Question(
    "The same failure without an orchestrator: each service receives events and does its part. The warehouse holds a "
    "reservation. It receives the refusal of **approve**. What does it do?",
    (
        Option(
            "it undoes its reservation at once",
            "Then it would undo reserve while charge still stands: the wrong order. One of the planted bugs does this.",
        ),
        Option(
            "nothing, until it hears that charge is undone",
            "The steps that build on its step must be undone first. Without an orchestrator, each service has to know "
            "the steps that follow its own.",
            right=True,
        ),
        Option(
            "it asks the other services what to do",
            "In a choreography no service is asked. A service knows events, and its own place in the definition.",
        ),
    ),
    at=fired("C.back", who="stock'"),
)

DIRTY = Question(
    "A cancels an order, and 50 of credit are free again. B orders with that credit. But A's parcel cannot be called "
    "back, so A's saga has to take the 50 back. The compensation reaches the customer's account. What happens?",
    (
        Option(
            "the 50 are taken from B's order",
            "B's order knows nothing of A's. A compensation of a saga touches only the steps of that saga.",
        ),
        Option(
            "it fails: there is no credit left",
            "B used credit that A might still take back: a dirty read. Now the compensation fails, each time it is "
            "tried.",
            right=True,
        ),
        Option(
            "B's order is undone as well",
            "In a database that would be a cascading abort. Here no process knows that B read from A, and B is past "
            "its pivot.",
        ),
    ),
    at=fired("S.cannot undo"),
)

LOST = Question(
    "The limit is 100. Sagas A and B have both looked at it. Now each raises it by 50. A has just written 150, and B "
    "writes next. What is the limit then?",
    (
        Option("200", "It would be 200 if B added 50. B writes what it saw, plus 50."),
        Option(
            "150",
            "B saw 100 and writes 150. A's update is lost, although A is told that its saga is complete.",
            right=True,
        ),
        Option(
            "150, and B is refused",
            "No service compares. A comparison would be the countermeasure re-read value.",
        ),
    ),
    at=fired("S.do", saga="B1", step="raise"),
)

LOCKED = Question(
    "A transfer among three banks, once by two-phase commit (chapter 6) and once as a saga. A message takes 10 ms, but "
    "to the **third** bank it takes 110 ms. For how long can no one use the row at the **first** bank?",
    (
        Option(
            "two-phase commit: 20 ms, from its vote to the decision; saga: not at all",
            "There is no decision before the last vote has arrived. One slow participant slows down all.",
        ),
        Option(
            "two-phase commit: 120 ms; saga: not at all",
            "A participant that voted yes can neither commit nor abort until the slowest has voted. A step of a saga "
            "commits at once, and holds no lock.",
            right=True,
        ),
        Option(
            "in both until the third bank has answered",
            "No step of a saga waits for a later one. That is why its effect may have to be taken back.",
        ),
    ),
)

FORGETS = Question(
    "One rule is changed. The orchestrator restarts after a crash and turns back. It undoes the steps that its log has "
    "as **done**. It assumes that a step that is only **started** never ran. Can that go wrong?",
    (
        Option(
            "no: what is not logged has not happened",
            "The log belongs to the orchestrator. The step belongs to the service, and its answer may be lost.",
        ),
        Option(
            "yes: a step is done, and no one undoes it",
            "The service did the step, the orchestrator was down when the answer arrived, and the saga counts as "
            "compensated.",
            right=True,
        ),
        Option(
            "yes: a step is undone twice",
            "A second compensation does no harm: the service recognises it. Look for a step that is never undone.",
        ),
    ),
)

SEAT = Question(
    "A trip books a flight and a room at the same time. It gets the last seat. A minute later another traveller is "
    "told 'sold out', and takes the train. Now there is no room, and the trip turns back. What is true at the end?",
    (
        Option(
            "everything is as if no one had asked for the trip",
            "The rows are. The other traveller is on the train because of a seat that is free again.",
        ),
        Option(
            "the seat is free, and the other traveller is still on the train",
            "A compensation reaches what the saga wrote, not what others did after they read it.",
            right=True,
        ),
        Option(
            "the other traveller gets the seat",
            "No service kept the name. Without isolation, a saga does not know who read what it takes back.",
        ),
    ),
)
