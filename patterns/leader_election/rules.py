"""Every rule of the chapter's own algorithms as a sentence, with its source. Raft has its own table.

`CDKB`: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design", 5th edition.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

CDKB = "CDKB 15.3"
CHANG_ROBERTS = "Chang and Roberts 1979"
HIRSCHBERG_SINCLAIR = "Hirschberg and Sinclair 1980"
GRAY_CHERITON = "Gray and Cheriton 1989"
EFFECTIVE_TERM = "Gray and Cheriton 1989: effective term"
SERVER_RECOVERY = "Gray and Cheriton 1989: recovery of a server"
KLEPPMANN = "Kleppmann 2016"
FENCING_TOKENS = "Kleppmann 2016: fencing tokens"
BULLY_TIMEOUT = "Garcia-Molina 1982, Bully Algorithm: timeout"

RULES: Mapping[str, Rule] = {
    # Bully
    "B.start": Rule("**{who} begins an election**: it knows of no coordinator.", CDKB),
    "B.back": Rule(
        "**{who} is back and begins an election**, even if a coordinator exists: {who} may now be the highest.",
        "CDKB 15.3; Garcia-Molina 1982, Bully Algorithm: recovery",
    ),
    "B.silent": Rule(
        "**{who} begins an election**: it has heard nothing from {leader} for {waited} ms.", BULLY_TIMEOUT
    ),
    "B.nobody": Rule("**{who} begins an election**: no process has announced itself for {waited} ms.", CDKB),
    "B.ask": Rule(
        "**{who} asks {higher:names}**, all that have a higher id, and waits {timeout} ms for answers.", CDKB
    ),
    "B.answer": Rule(
        "**{who} answers {lower}**: {who} is alive and has the higher id, so {lower} must not lead.", CDKB
    ),
    "B.asked": Rule("**{who} begins an election** of its own, because {lower} did.", CDKB),
    "B.begun": Rule("**{who} goes on with its election**: it has begun one already.", CDKB),
    "B.wait": Rule(
        "**{who} stands back for {higher}**, which is alive. {who} waits {timeout} ms for the new coordinator.", CDKB
    ),
    "B.again": Rule(
        "**{who} begins again**: no coordinator has announced itself within {timeout} ms of the answer.", CDKB
    ),
    "B.lead": Rule(
        "**{who} becomes coordinator**: no answer came from {higher:names} within {timeout} ms, so they must have "
        "crashed. {who} tells {lower:names|nobody}.",
        "CDKB 15.3; Garcia-Molina 1982, assumptions 8 and 9",
    ),
    "B.top": Rule(
        "**{who} becomes coordinator** at once: it has the highest id of all. {who} tells {lower:names|nobody}.", CDKB
    ),
    "B.follow": Rule("**{who} follows {leader}**, which says that it coordinates.", CDKB),
    "B.beat": Rule("**{who} sends a heartbeat** to {lower:names|nobody}: it still coordinates.", BULLY_TIMEOUT),
    "B.heard": Rule("**{who} hears {leader}'s heartbeat.**", BULLY_TIMEOUT),
    "B.other": Rule(
        "**{who} begins an election**: {sender} also claims to coordinate, but {who} follows {leader:or|nobody}.",
        "Garcia-Molina 1982, Bully Algorithm: check",
    ),
    "B.late": Rule("**{who} ignores {sender}'s {message}**: it arrived too late.", CDKB),
    # Rings
    "CR.begin": Rule("**{who} stands for election**: it sends its id {uid} round the ring.", CHANG_ROBERTS),
    "CR.relay": Rule("**{who} does not stand**: it only passes messages on.", CHANG_ROBERTS),
    "CR.pass": Rule("**{who} passes {uid} on**: it is higher than its own id {own}.", CHANG_ROBERTS),
    "CR.lost": Rule("**{who} has lost** and passes {uid} on: it is higher than its own id {own}.", CHANG_ROBERTS),
    "CR.carry": Rule("**{who} passes {uid} on**: it does not stand itself.", CHANG_ROBERTS),
    "CR.stop": Rule("**{who} swallows {uid}**: its own id {own} is at least as high.", CHANG_ROBERTS),
    "CR.won": Rule("**{who} has won**: its own id {uid} came all the way round, so no id is higher.", CHANG_ROBERTS),
    "HS.begin": Rule(
        "**{who} stands for election**: it sends its id {uid} both ways, {reach:process|processes} far.",
        HIRSCHBERG_SINCLAIR,
    ),
    "HS.pass": Rule(
        "**{who} passes {uid} on**: it is higher than its own id {own}, and has gone {num} of {maxnum} steps.",
        HIRSCHBERG_SINCLAIR,
    ),
    "HS.ok": Rule(
        "**{who} answers {uid} with ok**: it is higher than its own id {own}, and has gone all of its "
        "{maxnum:step|steps}.",
        HIRSCHBERG_SINCLAIR,
    ),
    "HS.no": Rule("**{who} answers {uid} with no**: its own id {own} is higher.", HIRSCHBERG_SINCLAIR),
    "HS.carry": Rule("**{who} passes the {reply} on**, towards the process that asked.", HIRSCHBERG_SINCLAIR),
    "HS.half": Rule("**{who} has one reply**, and waits for the reply from the other side.", HIRSCHBERG_SINCLAIR),
    "HS.next": Rule(
        "**{who} goes on, twice as far**: within {before:process|processes} on either side no id is higher than {uid}.",
        HIRSCHBERG_SINCLAIR,
    ),
    "HS.lost": Rule("**{who} has lost**: there is a higher id within {maxnum:process|processes}.", HIRSCHBERG_SINCLAIR),
    "HS.won": Rule(
        "**{who} has won**: its own id {uid} came all the way round, so no id is higher.", HIRSCHBERG_SINCLAIR
    ),
    "HS.higher": Rule("**{who} has lost**: {uid} is higher than its own id {own}.", HIRSCHBERG_SINCLAIR),
    "HS.late": Rule("**{who} ignores the {reply}**: it has lost or won already.", HIRSCHBERG_SINCLAIR),
    "HS.twice": Rule("**{who} gets its own id back** from the other side too.", HIRSCHBERG_SINCLAIR),
    "R.tell": Rule("**{who} tells the others**, all the way round.", CDKB),
    "R.know": Rule("**{who} follows {leader}** and passes the announcement on.", CDKB),
    "R.round": Rule("**{who} hears its own announcement**: all processes know.", CDKB),
    # The lock server
    "L.grant": Rule(
        "**{who} grants {holder} the lease** for {term} ms, with **token {token}**: higher than any before.",
        "Gray and Cheriton 1989, 2; Kleppmann 2016: fencing tokens",
    ),
    "L.renew": Rule(
        "**{who} renews {holder}'s lease** for another {term} ms. It is the same lease, so token {token} stays.",
        GRAY_CHERITON,
    ),
    "L.busy": Rule("**{who} does not grant {asker} the lease**: {holder} has it.", GRAY_CHERITON),
    "L.wait": Rule(
        "**{who} does not grant {asker} the lease**: it restarted, so it must wait until every lease that it granted "
        "before has expired.",
        SERVER_RECOVERY,
    ),
    "L.over": Rule(
        "**{who} does not renew {asker}'s lease**: token {token} is not the token of the lease in force.", GRAY_CHERITON
    ),
    "L.expire": Rule("**{holder}'s lease has expired** by {who}'s clock.", GRAY_CHERITON),
    "L.back": Rule(
        "**{who} is back** and has forgotten which process holds a lease. It grants no lease for {term} ms.",
        SERVER_RECOVERY,
    ),
    "L.free": Rule("**{who} has waited** {term} ms: every lease that it granted before has expired.", SERVER_RECOVERY),
    # A holder
    "H.ask": Rule("**{who} asks for the lease** and counts it from now.", EFFECTIVE_TERM),
    "H.renew": Rule(
        "**{who} asks to renew its lease**, token {token}, and counts the new lease from now.", EFFECTIVE_TERM
    ),
    "H.lead": Rule(
        "**{who} leads**, with token {token}, for the {left} ms that are left of the {term} ms since it asked.",
        "Gray and Cheriton 1989: effective term; Kleppmann 2016",
    ),
    "H.renewed": Rule("**{who} goes on leading** with token {token}, for {left} ms from now.", EFFECTIVE_TERM),
    "H.late": Rule(
        "**{who} ignores the answer “{message}”**: since it sent this request, it has asked again or given up.",
        EFFECTIVE_TERM,
    ),
    "H.busy": Rule("**{who} does not get the lease**: it asks again in {retry} ms.", GRAY_CHERITON),
    "H.silence": Rule(
        "**{who} has no answer**, and the lease that it asked for would have expired by now.", EFFECTIVE_TERM
    ),
    "H.end": Rule("**{who} stops leading**: its lease, token {token}, has expired.", GRAY_CHERITON),
    "H.read": Rule(
        "**{who} reads** the stored lines, with token {token}.", "Kleppmann 2016; Burrows 2006 (Chubby), 2.4"
    ),
    "H.has": Rule("**{who} knows the stored lines**: {content:names}.", KLEPPMANN),
    "H.write": Rule("**{who} writes {item}** with token {token}, after all the lines that it read.", KLEPPMANN),
    "H.again": Rule("**{who} writes {item} again**, with token {token}: it had no answer.", KLEPPMANN),
    "H.wrote": Rule("**{who}'s write of {item} is acknowledged.**", KLEPPMANN),
    "H.fenced": Rule(
        "**{who} learns that it no longer leads**: its token {token} was refused, the storage has seen {highest}.",
        FENCING_TOKENS,
    ),
    # The storage
    "S.read": Rule("**{who} lets {holder} read**, and remembers token {token}.", "Burrows 2006 (Chubby), 2.4"),
    "S.write": Rule(
        "**{who} accepts {holder}'s write**: its token {token} is not older than any token seen ({highest}).",
        FENCING_TOKENS,
    ),
    "S.stale": Rule(
        "**{who} accepts {holder}'s write, although its token {token} is older** than {highest}: it checks no token.",
        "Kleppmann 2016: protecting a resource with a lock",
    ),
    "S.refuse": Rule(
        "**{who} refuses {holder}**: its token {token} is older than {highest}, which it has seen already.",
        FENCING_TOKENS,
    ),
}
