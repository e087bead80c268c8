"""What notebooks/07_saga.ipynb asks before it shows.

Each wrong option rests on a misconception that its `because` names. The chapter's runs are fixed by their seeds, so
that a question belongs to one step of one run; tests/widgets/test_questions_saga.py holds what they say against what
happens there.
"""

from widgets.question import Option, Question

TAKEN_BACK = Question(
    "An order in three steps at three companies. The beans are reserved, and the warehouse has committed that; the "
    "card is charged, and the bank has committed that. Then the order is refused. What will be so in the end?",
    (
        Option(
            "everything is rolled back, as if nothing had happened",
            "A database rolls back what it has not committed. Both have committed; there is nothing left to roll back.",
        ),
        Option(
            "the money comes back by a second payment, which everybody can see",
            "What is committed can only be made up for, by one more transaction. The account has its 100 again, the "
            "statement has two lines, and who looked in between saw 70.",
            right=True,
        ),
        Option(
            "nothing can be done: committed is committed",
            "Not undone, but made up for: a refund, a cancellation, a letter of apology.",
        ),
    ),
)

SEEN = Question(
    "The request to charge the card reaches the bank. When that is done, the answer still has to travel, and two steps "
    "of the order are to come. Who can see by then that the 30 are gone?",
    (
        Option(
            "only this saga, until it is complete",
            "That would be isolation. The bank has committed a transaction of its own, and knows of no other.",
        ),
        Option(
            "only the orchestrator, which asked for it",
            "It does not even know yet. The bank's own customers do, if they look.",
        ),
        Option(
            "everybody who looks at the account",
            "Each step commits by itself. That is what keeps rows free, and what takes isolation away.",
            right=True,
        ),
    ),
)

FIRST_UNDONE = Question(
    "**reserve** and **charge** are done, **approve** is refused. What does the orchestrator have undone first?",
    (
        Option(
            "charge",
            "The last one first: what was done later may build on what was done before, never the other way round.",
            right=True,
        ),
        Option(
            "reserve: it was done first",
            "Then beans could be sold to somebody else while Ann still pays for them.",
        ),
        Option(
            "both at once: that is quicker",
            "For branches that ran side by side it may. These are in a row, and charge came after reserve.",
        ),
        Option(
            "nothing: it asks for approve once more",
            "A refusal is a decision, not a fault. Asked again, the service gives the same answer.",
        ),
    ),
)

GONE = Question(
    "The charge is undone, and now the reservation will be. What is different then from the time before the order?",
    (
        Option(
            "nothing: that is what compensation is for",
            "The numbers are the same. That it happened is on every disk, and was for all to see.",
        ),
        Option(
            "the rows are as before; that it happened is kept",
            "3 beans, 100 on the account. But each service has its request and its compensation on file, and both "
            "rows were written twice.",
            right=True,
        ),
        Option(
            "the beans are still reserved, to be safe",
            "Whatever was done is undone, down to the first step. The orchestrator's log ends with compensated.",
        ),
    ),
)

FORWARD = Question(
    "The order is **approved**: the pivot is passed. Now shipping is out of order and answers with a failure. What "
    "does the orchestrator do?",
    (
        Option(
            "it turns back, and undoes charge and reserve",
            "approve has no compensation. With the order confirmed, the only consistent end is ahead.",
        ),
        Option(
            "it waits, and asks for ship again",
            "Forward recovery: what comes after the pivot must not refuse, so asking again ends well some day.",
            right=True,
        ),
        Option(
            "it calls a human",
            "It may raise an alarm at some time. But as long as a step can be tried again, that is what helps.",
        ),
    ),
)

AGAIN = Question(
    "The bank has charged the card. Its answer was lost, with the orchestrator down. Now the orchestrator is back: its "
    "log has charge **started**, not **done**, so it asks again. What does the bank do?",
    (
        Option(
            "it charges the card again",
            "So it is where a request has no name. This one has: charge of A1. The bank finds it in its table.",
        ),
        Option(
            "it answers done, and changes nothing",
            "Request and effect were written together, so that it knows it did that. The answer is the old one.",
            right=True,
        ),
        Option(
            "it refuses: the card was charged already",
            "Then a saga that is in the best of health would turn back. A repeated request deserves the same answer.",
        ),
    ),
)

LATE = Question(
    "The request to charge was on its way for so long that the orchestrator gave it up. Its **compensation** came "
    "first, and the saga is over. Now the request arrives. What does the bank do?",
    (
        Option(
            "it charges the card: it was never asked before",
            "Nobody would ever give that money back. The saga has ended.",
        ),
        Option(
            "it charges, and gives back at once",
            "It could. But why do something only to undo it, and let others see it in between?",
        ),
        Option(
            "nothing: it has noted the compensation",
            "It was asked to undo what it had not done, and wrote that down. So it knows that this is too late.",
            right=True,
        ),
    ),
)

HEARS = Question(
    "The same failure with nobody in charge: each service hears events, and does its part. The refusal of **approve** "
    "reaches the warehouse, which holds a reservation. What does it do?",
    (
        Option(
            "it undoes its reservation at once",
            "Then it would be undone while charge still stands: the wrong order. There is a planted bug that does so.",
        ),
        Option(
            "nothing, until it hears that charge is undone",
            "What builds on its step must be gone first. Without a coordinator each service has to know its followers.",
            right=True,
        ),
        Option(
            "it asks the others what to do",
            "Nobody is asked in a choreography. A service knows events, and its own place in the definition.",
        ),
    ),
)

DIRTY = Question(
    "A cancels an order, and 50 of credit are free again. B orders with that credit. But A's parcel cannot be called "
    "back, so A's saga has to take the 50 back. The compensation reaches the customer's account. What happens?",
    (
        Option(
            "the 50 are taken from B's order",
            "B's order is approved, and knows nothing of A's. A saga's compensation touches its own steps.",
        ),
        Option(
            "it cannot be done: there is no credit left",
            "B used what A might still take back: a dirty read. Now a compensation fails, and goes on failing.",
            right=True,
        ),
        Option(
            "B's order is undone as well",
            "In a database that would be a cascading abort. Nobody here knows that B read from A, and B is past its "
            "pivot.",
        ),
    ),
)

LOST = Question(
    "The limit is 100. Sagas A and B have both looked at it, had the risk checked, and now each raises it by 50. A has "
    "just written 150. B writes. What is the limit then?",
    (
        Option("200", "It would be if B added 50. B writes what it saw, plus 50."),
        Option(
            "150",
            "B saw 100 and writes 150. A's update is lost, though A will be told that its saga is complete.",
            right=True,
        ),
        Option(
            "150, and B is refused",
            "Nobody compares. That would be the countermeasure re-read value.",
        ),
    ),
)

LOCKED = Question(
    "A transfer among three banks, once as an atomic commitment (chapter 6) and once as a saga. A message takes 10 ms, "
    "but to the **third** bank 110. For how long can nobody use the row at the **first** one?",
    (
        Option(
            "two-phase commit: 20 ms, from its vote to the decision; saga: not at all",
            "There is no decision before the last vote is in. The slow one is slow for all.",
        ),
        Option(
            "two-phase commit: 120 ms; saga: not at all",
            "Who has voted yes may neither commit nor abort until the slowest has voted, too. A step of a saga is "
            "committed at once, and holds nothing.",
            right=True,
        ),
        Option(
            "in both until the third has answered",
            "Nothing of a saga waits for a later step. That is why what it wrote may have to be taken back.",
        ),
    ),
)

FORGETS = Question(
    "One rule is changed: an orchestrator that comes back after a crash, and turns back, undoes the steps that its log "
    "has as **done**. A step that is only **started** it takes for one that never ran. Can that go wrong?",
    (
        Option(
            "no: what is not logged has not happened",
            "The log is the orchestrator's. The step is the service's, and its answer may be lost on the way.",
        ),
        Option(
            "yes: a step is done, and nobody will undo it",
            "The service did it, the answer met a dead orchestrator, and the saga is called compensated.",
            right=True,
        ),
        Option(
            "yes: a step is undone twice",
            "That would do no harm: the second compensation is recognised. Look for what is not undone at all.",
        ),
    ),
)

SEAT = Question(
    "A trip books a flight and a room at the same time. It got the last seat; a minute later somebody else was told "
    "'sold out', and took the train. Now there is no room, and the trip turns back. What will be so in the end?",
    (
        Option(
            "everything is as if the trip had never been asked for",
            "The rows are. The other traveller sits in the train because of a seat that is free again.",
        ),
        Option(
            "the seat is free, and the other one is still in the train",
            "A compensation reaches what the saga wrote, not what others did after they read it.",
            right=True,
        ),
        Option(
            "the other one gets the seat",
            "Nobody kept their name. Who read what may be taken back is on their own: that is what no isolation means.",
        ),
    ),
)
