"""Every rule in words: what happened, why, and where it is written.

`MLO` is Mohan, Lindsay, Obermarck 1986; `BHG` is Bernstein, Hadzilacos, Goodman 1987.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

LOCKING, COOPERATIVE = "BHG 3: locking", "BHG 7.4: cooperative termination"
ELECTION, TERMINATION, TOTAL = "BHG 7.5: election", "BHG 7.5: termination protocol", "BHG 7.5: total failure"
BOTH, OURS = "BHG 7.4; MLO 2", "our addition"

RULES: Mapping[str, Rule] = {
    # The coordinator
    "C.ask": Rule("**{who} asks {asked:names} to vote on {txn}**. It waits {timeout} ms for the votes.", BOTH),
    "C.wait": Rule("{client} asks again. {txn} is **not decided** yet: {who} answers when it is.", OURS),
    "C.known": Rule("**{who} repeats its answer** to {client}: {outcome} {txn}. Nothing is done twice.", OURS),
    "C.vote": Rule("{who} receives {participant}'s vote on {txn}: **{vote}**. It has {voted:vote|votes}.", BOTH),
    "C.silent": Rule(
        "**{who} stops waiting** for the votes of {silent:names} on {txn} after {timeout} ms. It may still abort.", BOTH
    ),
    "C.commit": Rule(
        "**{who} decides: commit {txn}**, by the votes of {voters:names}, and sends this to {told:names|none}.",
        BOTH,
    ),
    "C.abort": Rule(
        "**{who} decides: abort {txn}**, and sends this to {told:names|none}. A participant that voted no has "
        "aborted already.",
        BOTH,
    ),
    "C.forced": Rule("The decision is **on {who}'s disk** before any message with it leaves.", BOTH),
    "C.lazy": Rule(
        "{who}'s record of it is **lazy**: it goes to the disk with the next forced record. A crash before loses it.",
        "MLO 3 and 4",
    ),
    "C.ack": Rule("{participant} has the decision on {txn} on disk. Still missing: **{missing:names|none}**.", "MLO 2"),
    "C.end": Rule("**{who} forgets {txn}**: all have the decision on disk, so no participant will ask.", "MLO 2"),
    "C.again": Rule("**{who} sends {missing:names} {txn} again**: no acknowledgement for {timeout} ms.", BOTH),
    "C.undecided": Rule("{who} cannot help {participant}: {txn} is **not decided** yet.", COOPERATIVE),
    "C.answer": Rule("**{who} answers {participant}**: {outcome} {txn}.", BOTH),
    "C.presume": Rule(
        "**{who} remembers nothing of {txn}, so it answers {participant}: {outcome}**. It may forget a transaction "
        "early only if it ended this way.",
        "MLO 2 to 4",
    ),
    "C.back": Rule(
        "**{who} is back**: by its log the decision on {txn} is {outcome}. It sends this to {told:names} again.", BOTH
    ),
    "C.late": Rule("{who} ignores {sender}'s **{message}**: it arrived too late.", BOTH),
    # A participant
    "P.redirect": Rule("{who} is only a participant: **{client} must ask {coordinator}**.", OURS),
    "P.wait": Rule("**{txn} waits at {who}** for a lock: {holders:names} came first.", LOCKING),
    "P.turn": Rule("**{who} can now run {txn}**: the locks that {txn} needs are free.", LOCKING),
    "P.tired": Rule(
        "**{txn} has waited {timeout} ms at {who}** for a lock, perhaps in a deadlock. {who} has not voted, so it may "
        "abort alone.",
        "BHG 3: deadlocks by timeout; 7.3: before its vote a process may abort",
    ),
    "P.yes": Rule(
        "**{who} votes yes on {txn}**: it promises to write {redo:names}. The promise is **on disk before the yes "
        "leaves**. From now on it is in doubt, and the rows are locked.",
        "BHG 7.4; MLO 2: the prepare record is forced",
    ),
    "P.no": Rule(
        "**{who} votes no on {txn}** ({moves:names}): it has {balances:names|no such account}. A no decides for all, "
        "so it aborts at once.",
        "BHG 7.4",
    ),
    "P.read": Rule("**{who} votes read-only on {txn}**: it writes nothing, needs no record, and is done.", "MLO 3"),
    "P.again": Rule("{who} is asked about {txn} again, and **votes {vote} again**.", OURS),
    "P.commit": Rule("**{who} commits {txn}** (from {sender}): it writes {wrote:names} and releases the locks.", BOTH),
    "P.abort": Rule("**{who} aborts {txn}** (from {sender}): it writes no balance and releases the locks.", BOTH),
    "P.lazy": Rule(
        "{who}'s record of it is **lazy**: a crash may lose it. {who} then asks, and the presumption says the same.",
        "MLO 3 and 4",
    ),
    "P.known": Rule("{who} already has the decision on {txn}: **{outcome}**. It never changes.", "BHG 7.3: AC2"),
    "P.ask": Rule(
        "**{who} is in doubt about {txn}**: it voted yes, and may neither commit nor abort alone. It asks "
        "{asked:names}.",
        COOPERATIVE,
    ),
    "P.doubt": Rule("{who} cannot help {sender}: it is **in doubt about {txn}** too.", COOPERATIVE),
    "P.veto": Rule(
        "**{who} aborts {txn}** when {sender} asks: it has no record of a vote, and from now on it never votes yes.",
        COOPERATIVE,
    ),
    "P.tell": Rule("**{who} answers {sender}**: {outcome} {txn}.", COOPERATIVE),
    "P.unknown": Rule("{who} cannot help {sender}: it does not know {txn}, and may have voted **read-only**.", OURS),
    "P.blocked": Rule("**{who} goes on waiting**: {sender} does not know the decision on {txn} either.", "BHG 7.4"),
    "P.back": Rule(
        "**{who} is back, in doubt about {txn}**: its log says {records:names}. It locks {locked:names} again before "
        "any other transaction runs.",
        "BHG 7.4: recovery; MLO 2",
    ),
    "P.late": Rule("{who} ignores {sender}'s **{message}**: it arrived too late.", BOTH),
    # Three phases
    "3.pre": Rule(
        "**All voted yes on {txn}: {who} says so to {asked:names}**. It commits only when all that are up know it.",
        "BHG 7.5",
    ),
    "3.ack": Rule("{participant} knows that all voted yes. Still missing: **{missing:names|none}**.", "BHG 7.5"),
    "3.enough": Rule(
        "**{who} stops waiting for {silent:names}**: silent for {timeout} ms, so counted as crashed. All others know "
        "that all voted yes on {txn}.",
        "BHG 7.5: timeout actions",
    ),
    "3.ready": Rule("**{who} is committable**: it knows that all voted yes on {txn}.", "BHG 7.5"),
    "3.suspect": Rule("**{who} counts {silent} as crashed**: no message about {txn} for {timeout} ms.", ELECTION),
    "3.wait": Rule("{who} now waits for **{leader}** to take the coordinator's place for {txn}.", ELECTION),
    "3.poll": Rule("**{who} takes the coordinator's place** for {txn}: it asks {asked:names} for states.", TERMINATION),
    "3.poll.back": Rule("**{who} was down and asks {asked:names}** for their states of {txn}.", TOTAL),
    "3.report": Rule("{who} answers {sender} how far it is with {txn}: **{state}**.", TERMINATION),
    "3.heard": Rule("{who} hears that {sender} is **{state}** on {txn}.", TERMINATION),
    "3.TR1": Rule("**{who} decides: abort {txn}**: a process has aborted.", "BHG 7.5: TR1"),
    "3.TR2": Rule("**{who} decides: commit {txn}**: a process has committed.", "BHG 7.5: TR2"),
    "3.TR3": Rule(
        "**{who} decides: abort {txn}**. Uncertain: {uncertain:names}; no other process counts. If the others have "
        "crashed, none of them can have committed.",
        "BHG 7.5: TR3",
    ),
    "3.TR4.pre": Rule("**{who} makes all committable** before it commits {txn}: one is committable.", "BHG 7.5: TR4"),
    "3.TR4": Rule(
        "**{who} decides: commit {txn}**. Committable: {committable:names}; uncertain: {uncertain:names|none}; no "
        "other process counts.",
        "BHG 7.5: TR4",
    ),
    "3.blocked": Rule("**{who} may not decide {txn}**: it was down. {others:names} may decide, or know more.", TOTAL),
    "3.give": Rule("**{who} gives {txn} up**: {sender} has taken its place, and two must not lead.", ELECTION),
    "3.ask": Rule("**{who} is back and asks {asked:names}** about {txn}: they may have decided without it.", TOTAL),
    "3.learn": Rule("**{who} learns the decision on {txn} from {sender}**: {outcome}.", TERMINATION),
}
