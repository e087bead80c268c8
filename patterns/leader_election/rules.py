"""Every rule of the chapter's own algorithms as a sentence, with its source. Raft has its own table.

`CDKB`: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design", 5th edition.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

CDKB = "CDKB 15.3"
CR = "Chang and Roberts 1979"
HS = "Hirschberg and Sinclair 1980"
LEASES = "Gray and Cheriton 1989"
EFFECTIVE = "Gray and Cheriton 1989: effective term"
RECOVERY = "Gray and Cheriton 1989: recovery of a server"
KLEPPMANN = "Kleppmann 2016"
FENCING = "Kleppmann 2016: fencing tokens"
TIMEOUT = "Garcia-Molina 1982, Bully Algorithm: timeout"

RULES: Mapping[str, Rule] = {
    # Bully
    "B.start": Rule("**{who} begins an election**: it knows of no coordinator.", CDKB),
    "B.back": Rule(
        "**{who} is back and begins an election**, even if a coordinator exists: {who} may now be the highest.",
        "CDKB 15.3; Garcia-Molina 1982, Bully Algorithm: recovery",
    ),
    "B.silent": Rule("**{who} begins an election**: it has not heard from {leader} for {waited} ms.", TIMEOUT),
    "B.nobody": Rule("**{who} begins an election**: no process has announced itself for {waited} ms.", CDKB),
    "B.ask": Rule("**{who} asks {higher:names}**: all with a higher id. It waits {timeout} ms for answers.", CDKB),
    "B.answer": Rule("**{who} answers {lower}**: {who} is alive and higher, so {lower} must not lead.", CDKB),
    "B.asked": Rule("**{who} begins an election** of its own, because {lower} did.", CDKB),
    "B.begun": Rule("**{who} goes on with its election**: it has begun one already.", CDKB),
    "B.wait": Rule("**{who} stands back for {higher}** and waits {timeout} ms for the new coordinator.", CDKB),
    "B.again": Rule("**{who} begins again**: {timeout} ms after an answer it knows of no coordinator.", CDKB),
    "B.lead": Rule(
        "**{who} becomes coordinator**: no answer from {higher:names} within {timeout} ms means a crash. "
        "It tells {lower:names|nobody}.",
        "CDKB 15.3; Garcia-Molina 1982, assumptions 8 and 9",
    ),
    "B.top": Rule("**{who} becomes coordinator** at once: no id is higher. It tells {lower:names|nobody}.", CDKB),
    "B.follow": Rule("**{who} follows {leader}**, which says that it coordinates.", CDKB),
    "B.beat": Rule("**{who} sends a heartbeat** to {lower:names|nobody}: it still coordinates.", TIMEOUT),
    "B.heard": Rule("**{who} hears {leader}'s heartbeat.**", TIMEOUT),
    "B.other": Rule(
        "**{who} begins an election**: {sender} also claims to coordinate, but {who} follows {leader:or|nobody}.",
        "Garcia-Molina 1982, Bully Algorithm: check",
    ),
    "B.late": Rule("**{who} ignores {sender}'s {message}**: it arrived too late.", CDKB),
    # Rings
    "CR.begin": Rule("**{who} stands for election**: it sends its id {uid} round the ring.", CR),
    "CR.relay": Rule("**{who} does not stand**: it only passes messages on.", CR),
    "CR.pass": Rule("**{who} passes {uid} on**: it is higher than its own id {own}.", CR),
    "CR.lost": Rule("**{who} has lost** and passes {uid} on: it is higher than its own id {own}.", CR),
    "CR.carry": Rule("**{who} passes {uid} on**: it does not stand itself.", CR),
    "CR.stop": Rule("**{who} swallows {uid}**: its own id {own} is at least as high.", CR),
    "CR.won": Rule("**{who} has won**: its own id {uid} came all the way round, so no id is higher.", CR),
    "HS.begin": Rule("**{who} stands for election**: it sends id {uid} both ways, {reach:process|processes} far.", HS),
    "HS.pass": Rule("**{who} passes {uid} on**: {uid} is above its own {own}, at step {num} of {maxnum}.", HS),
    "HS.ok": Rule("**{who} answers {uid} with ok**: {uid} is above its own {own}, at its last step of {maxnum}.", HS),
    "HS.no": Rule("**{who} answers {uid} with no**: its own id {own} is higher.", HS),
    "HS.carry": Rule("**{who} passes the {reply} on**, towards the process that asked.", HS),
    "HS.half": Rule("**{who} has one reply**, and waits for the reply from the other side.", HS),
    "HS.next": Rule("**{who} goes on, twice as far**: no id within {before:process|processes} is above {uid}.", HS),
    "HS.lost": Rule("**{who} has lost**: there is a higher id within {maxnum:process|processes}.", HS),
    "HS.won": Rule("**{who} has won**: its own id {uid} came all the way round, so no id is higher.", HS),
    "HS.higher": Rule("**{who} has lost**: {uid} is higher than its own id {own}.", HS),
    "HS.late": Rule("**{who} ignores the {reply}**: it has lost or won already.", HS),
    "HS.twice": Rule("**{who} gets its own id back** from the other side too.", HS),
    "R.tell": Rule("**{who} tells the others**, all the way round.", CDKB),
    "R.know": Rule("**{who} follows {leader}** and passes the announcement on.", CDKB),
    "R.round": Rule("**{who} hears its own announcement**: all processes know.", CDKB),
    # The lock server
    "L.grant": Rule(
        "**{who} grants {holder} the lease** for {term} ms, with **token {token}**: higher than any before.",
        "Gray and Cheriton 1989, 2; Kleppmann 2016: fencing tokens",
    ),
    "L.renew": Rule("**{who} renews {holder}'s lease** for another {term} ms. The token stays {token}.", LEASES),
    "L.busy": Rule("**{who} does not grant {asker} the lease**: {holder} has it.", LEASES),
    "L.wait": Rule("**{who} grants {asker} no lease yet**: it waits until all earlier leases have expired.", RECOVERY),
    "L.over": Rule("**{who} does not renew {asker}'s lease**: it is over, and so is token {token}.", LEASES),
    "L.expire": Rule("**{holder}'s lease has expired** by {who}'s clock.", LEASES),
    "L.back": Rule("**{who} is back** and has forgotten its leases. For {term} ms it grants none.", RECOVERY),
    "L.free": Rule("**{who} has waited** {term} ms: every lease that it granted before has expired.", RECOVERY),
    # A holder
    "H.ask": Rule("**{who} asks for the lease** and counts it from now.", EFFECTIVE),
    "H.renew": Rule("**{who} asks to renew its lease**, token {token}, and counts it from now.", EFFECTIVE),
    "H.lead": Rule(
        "**{who} leads**, with token {token}, for the {left} ms that are left of the {term} ms since it asked.",
        "Gray and Cheriton 1989: effective term; Kleppmann 2016",
    ),
    "H.renewed": Rule("**{who} goes on leading** with token {token}, for {left} ms from now.", EFFECTIVE),
    "H.late": Rule("**{who} ignores the answer “{message}”**: it has asked again since, or given up.", EFFECTIVE),
    "H.busy": Rule("**{who} does not get the lease**: it asks again in {retry} ms.", LEASES),
    "H.silence": Rule("**{who} has no answer**, and the lease it asked for would be over by now.", EFFECTIVE),
    "H.end": Rule("**{who} stops leading**: its lease, token {token}, has expired.", LEASES),
    "H.read": Rule("**{who} reads the lines**, with token {token}.", "Kleppmann 2016; Burrows 2006 (Chubby), 2.4"),
    "H.has": Rule("**{who} knows the stored lines**: {content:names}.", KLEPPMANN),
    "H.write": Rule("**{who} writes {item}**, added to the lines that it read, with token {token}.", KLEPPMANN),
    "H.again": Rule("**{who} writes {item} again**, with token {token}: it had no answer.", KLEPPMANN),
    "H.wrote": Rule("**{who}'s write of {item} is acknowledged.**", KLEPPMANN),
    "H.fenced": Rule("**{who} stops leading**: its token {token} was refused, {highest} has been seen.", FENCING),
    # The storage
    "S.read": Rule("**{who} lets {holder} read**, and remembers token {token}.", "Burrows 2006 (Chubby), 2.4"),
    "S.write": Rule(
        "**{who} accepts {holder}'s write**: token {token} is at least {highest}, the highest seen.", FENCING
    ),
    "S.stale": Rule(
        "**{who} accepts {holder}'s write, although its token {token} is older** than {highest}: it checks no token.",
        "Kleppmann 2016: protecting a resource with a lock",
    ),
    "S.refuse": Rule("**{who} refuses {holder}**: token {token} is below {highest}, the highest seen.", FENCING),
}
