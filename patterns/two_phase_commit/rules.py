"""Every rule in words: what happened, why, and where it is written.

`MLO` is Mohan, Lindsay, Obermarck 1986; `BHG` is Bernstein, Hadzilacos, Goodman 1987.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

RULES: Mapping[str, Rule] = {
    # The coordinator
    "C.ask": Rule("**{who} asks {asked} to vote on {txn}** and waits {timeout} ms for the votes.", "BHG 7.4; MLO 2"),
    "C.stranger": Rule("**{who} aborts {txn}**: it knows no {strangers}.", "our addition"),
    "C.wait": Rule("{client} asks again, but {txn} is **not decided** yet: it is told when it is.", "our addition"),
    "C.known": Rule(
        "**{txn} is {outcome} already**: {who} says so to {client}, and does nothing twice.", "our addition"
    ),
    "C.vote": Rule("{who} has {participant}'s vote on {txn}: **{vote}**; {voted} voted so far.", "BHG 7.4"),
    "C.silent": Rule(
        "**{who} waits no longer** for the votes of {silent} on {txn}: {timeout} ms have passed. It may still abort.",
        "BHG 7.4: timeout actions",
    ),
    "C.commit": Rule(
        "**{who} decides: commit {txn}**, by the votes {votes}, and tells {told}.",
        "BHG 7.4; MLO 2",
    ),
    "C.abort": Rule(
        "**{who} decides: abort {txn}**, and tells {told}. Who voted no has aborted already.", "BHG 7.4; MLO 2"
    ),
    "C.readers": Rule("**{who} decides: commit {txn}**. All have only read: nobody has to be told.", "MLO 3"),
    "C.forced": Rule("The decision is **on {who}'s disk** before anybody hears of it.", "BHG 7.4; MLO 2"),
    "C.lazy": Rule(
        "{who}'s record of it is **lazy**: it goes to the disk with the next forced one, and a crash before loses it.",
        "MLO 3 and 4",
    ),
    "C.ack": Rule(
        "{participant} says that the decision on {txn} is on its disk; **{missing}** still to come.", "MLO 2"
    ),
    "C.end": Rule(
        "**{who} forgets {txn}**: all that were told say that it is on their disks, so nobody has to ask.", "MLO 2"
    ),
    "C.again": Rule(
        "**{who} tells {missing} again** what was decided on {txn}: no acknowledgement for {timeout} ms.",
        "MLO 2; BHG 7.4",
    ),
    "C.undecided": Rule("{who} cannot help {participant}: {txn} is **not decided** yet.", "BHG 7.4"),
    "C.answer": Rule("**{who} tells {participant}** that {txn} is {outcome}.", "BHG 7.4; MLO 2"),
    "C.presume": Rule(
        "**{who} remembers nothing of {txn}, so it tells {participant} that it is {outcome}**: of what ends otherwise "
        "it may forget nothing before all know it.",
        "MLO 2 to 4",
    ),
    "C.back": Rule(
        "**{who} is back**: by its log {txn} is {outcome}, and it tells {told}, who may not have heard.",
        "MLO 2; BHG 7.4",
    ),
    "C.late": Rule("{who} has no use for {sender}'s **{message}** any more.", "BHG 7.4"),
    # A participant
    "P.redirect": Rule("{who} only takes part: **{client} is to ask {coordinator}**.", "our addition"),
    "P.wait": Rule(
        "**{txn} waits at {who}**: {holders} holds, or waits before it for, what it wants.", "BHG 3: locking"
    ),
    "P.turn": Rule("**{txn} has its turn at {who}**: what it wants is free.", "BHG 3: locking"),
    "P.tired": Rule(
        "**{txn} has waited {timeout} ms at {who}** for a lock: maybe for ever. {who} has not voted, so it may abort "
        "alone.",
        "BHG 3: deadlocks by timeout; 7.3: before its vote a process may abort",
    ),
    "P.yes": Rule(
        "**{who} votes yes on {txn}**: it promises to write {redo}. The promise is **{where}**. From now on it is in "
        "doubt, and the rows are locked.",
        "BHG 7.4; MLO 2: the prepare record is forced",
    ),
    "P.no": Rule(
        "**{who} votes no on {txn}** ({moves}): {why}. A no decides for all, so it aborts at once.", "BHG 7.4"
    ),
    "P.read": Rule(
        "**{who} votes read-only on {txn}**: it has nothing to write, needs no record, and is done.", "MLO 3"
    ),
    "P.again": Rule("{who} is asked about {txn} again, and **votes {vote} again**.", "our addition"),
    "P.commit": Rule("**{who} commits {txn}**, as {by}: it writes {wrote}, and the locks are free.", "BHG 7.4; MLO 2"),
    "P.abort": Rule("**{who} aborts {txn}**, as {by}: nothing is written, the locks are free.", "BHG 7.4; MLO 2"),
    "P.lazy": Rule(
        "{who}'s record of it is **lazy**: a crash may lose it, and then {who} {then} {txn}.",
        "MLO 3 and 4",
    ),
    "P.known": Rule("{who} has **{outcome}** {txn} already, and that stands.", "MLO 2; BHG 7.3: AC2"),
    "P.ask": Rule(
        "**{who} is in doubt about {txn}**: it voted yes, and may neither commit nor abort alone. It asks {asked}.",
        "BHG 7.4: cooperative termination",
    ),
    "P.doubt": Rule(
        "{who} cannot help {sender}: it is **in doubt about {txn}** itself.", "BHG 7.4: cooperative termination"
    ),
    "P.veto": Rule(
        "**{who} aborts {txn}**, of which {sender} asks: it knows of no vote of its own, and now it never will say "
        "yes.",
        "BHG 7.4: cooperative termination",
    ),
    "P.tell": Rule("**{who} tells {sender}** that {txn} is {outcome}.", "BHG 7.4: cooperative termination"),
    "P.unknown": Rule(
        "{who} cannot help {sender}: it **does not know {txn}**, and may have voted read-only on it.", "our addition"
    ),
    "P.blocked": Rule(
        "**{who} goes on waiting**: {sender} says that it does not know what became of {txn} either.",
        "BHG 7.4: blocking",
    ),
    "P.back": Rule(
        "**{who} is back, in doubt about {txn}**: its log has its yes and {found}. It locks {locked} again, before "
        "anybody else comes.",
        "BHG 7.4: recovery; MLO 2",
    ),
    "P.late": Rule("{who} has no use for {sender}'s **{message}** any more.", "BHG 7.4"),
    # Three phases
    "3.pre": Rule(
        "**All voted yes on {txn}: {who} tells {asked}**, and commits only when all that are up know it.", "BHG 7.5"
    ),
    "3.ack": Rule("{participant} knows that all voted yes on {txn}; **{missing}** still to come.", "BHG 7.5"),
    "3.enough": Rule(
        "**{who} waits no longer for {silent}**: silent for {timeout} ms, so taken for crashed. All others know "
        "that all voted yes on {txn}.",
        "BHG 7.5: timeout actions",
    ),
    "3.ready": Rule("**{who} is committable**: it knows that all voted yes on {txn}.", "BHG 7.5"),
    "3.suspect": Rule(
        "**{who} takes {silent} for crashed**: nothing about {txn} for {timeout} ms.", "BHG 7.5: election"
    ),
    "3.wait": Rule("{who} now waits for **{leader}** to take the coordinator's place for {txn}.", "BHG 7.5: election"),
    "3.poll": Rule(
        "**{who} takes the coordinator's place** for {txn}: it asks {asked} how far they are.",
        "BHG 7.5: termination protocol",
    ),
    "3.poll.back": Rule(
        "**{who} was down and asks {asked}** what became of {txn}: it may not decide, unless all were down.",
        "BHG 7.5: recovery, total failure",
    ),
    "3.report": Rule("{who} tells {sender} how far it is with {txn}: **{state}**.", "BHG 7.5: termination protocol"),
    "3.heard": Rule("{who} hears that {sender} is **{state}** on {txn}.", "BHG 7.5: termination protocol"),
    "3.TR1": Rule("**{who} decides: abort {txn}**: somebody has aborted.", "BHG 7.5: TR1"),
    "3.TR2": Rule("**{who} decides: commit {txn}**: somebody has committed.", "BHG 7.5: TR2"),
    "3.TR3": Rule(
        "**{who} decides: abort {txn}**: {states}; nobody else counts. If the rest have kept the rules and "
        "crashed, nobody can have committed.",
        "BHG 7.5: TR3",
    ),
    "3.TR4.pre": Rule(
        "**{who} makes all committable** before it commits {txn}: somebody is, and nobody has decided.", "BHG 7.5: TR4"
    ),
    "3.TR4": Rule("**{who} decides: commit {txn}**: {states}; nobody else counts.", "BHG 7.5: TR4"),
    "3.blocked": Rule("**{who} may not decide {txn}**: it was down, and {why}.", "BHG 7.5: recovery, total failure"),
    "3.give": Rule(
        "**{who} gives {txn} up**: {sender} takes its place, and two must not lead. It has not decided, so it may "
        "abort.",
        "our addition; BHG 7.5: election",
    ),
    "3.ask": Rule(
        "**{who} is back and asks {asked}** what became of {txn}: they may have decided.", "BHG 7.5: recovery"
    ),
    "3.learn": Rule("**{who} hears from {sender}** that {txn} is {outcome}.", "BHG 7.5: termination protocol"),
    "3.known": Rule("{who} has **{outcome}** {txn} already, and that stands.", "BHG 7.3: AC2"),
}
