"""Every rule of leases and fencing tokens in words: what happened, why, and where it is written (see `lease`)."""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

RULES: Mapping[str, Rule] = {
    # The lock server
    "L.grant": Rule(
        "**{who} grants {holder} the lease** for {term} ms, with **token {token}**: higher than any before.",
        "Gray and Cheriton 1989, 2; Kleppmann 2016: fencing tokens",
    ),
    "L.renew": Rule(
        "**{who} renews {holder}'s lease** for another {term} ms; it is the same lease, so token {token} stays.",
        "Gray and Cheriton 1989",
    ),
    "L.busy": Rule("**{who} does not grant {asker} the lease**: {holder} has it.", "Gray and Cheriton 1989"),
    "L.wait": Rule(
        "**{who} does not grant {asker} the lease**: it restarted, and must wait out what it may have granted before.",
        "Gray and Cheriton 1989: recovery of a server",
    ),
    "L.over": Rule(
        "**{who} does not renew {asker}'s lease**: token {token} is not of the lease in force.",
        "Gray and Cheriton 1989",
    ),
    "L.expire": Rule("**{holder}'s lease has run out** by {who}'s clock.", "Gray and Cheriton 1989"),
    "L.back": Rule(
        "**{who} is back** and has forgotten who holds a lease: for {term} ms it grants none.",
        "Gray and Cheriton 1989: recovery of a server",
    ),
    "L.free": Rule("**{who} has waited** {term} ms: whatever it granted before has run out.", "Gray and Cheriton 1989"),
    # A holder
    "H.ask": Rule("**{who} asks for the lease** and counts it from now.", "Gray and Cheriton 1989: effective term"),
    "H.renew": Rule(
        "**{who} asks to renew its lease**, token {token}, and counts the new one from now.",
        "Gray and Cheriton 1989: effective term",
    ),
    "H.lead": Rule(
        "**{who} leads**, with token {token}, for the {left} ms that are left of the {term} ms since it asked.",
        "Gray and Cheriton 1989: effective term; Kleppmann 2016",
    ),
    "H.renewed": Rule(
        "**{who} goes on leading** with token {token}, {left} ms from now.", "Gray and Cheriton 1989: effective term"
    ),
    "H.late": Rule(
        "**{who} has no use for the answer “{message}”**: it asked again since, or gave up.",
        "Gray and Cheriton 1989: effective term",
    ),
    "H.busy": Rule("**{who} does not get the lease**: it asks again in {retry} ms.", "Gray and Cheriton 1989"),
    "H.silence": Rule(
        "**{who} had no answer** while the lease it asked for would have lasted.",
        "Gray and Cheriton 1989: effective term",
    ),
    "H.end": Rule("**{who} stops leading**: its lease, token {token}, has run out.", "Gray and Cheriton 1989"),
    "H.read": Rule("**{who} reads** what is stored, with token {token}.", "Kleppmann 2016; Burrows 2006 (Chubby), 2.4"),
    "H.has": Rule("**{who} knows what is stored**: {content}.", "Kleppmann 2016"),
    "H.write": Rule("**{who} writes {item}** with token {token}: all that it read, and {item}.", "Kleppmann 2016"),
    "H.again": Rule("**{who} writes {item} again**, with token {token}: it had no answer.", "Kleppmann 2016"),
    "H.wrote": Rule("**{who}'s write of {item} is acknowledged.**", "Kleppmann 2016"),
    "H.fenced": Rule(
        "**{who} learns that it leads no more**: its token {token} was refused, {highest} is in use.",
        "Kleppmann 2016: fencing tokens",
    ),
    # The storage
    "S.read": Rule("**{who} lets {holder} read**, and remembers token {token}.", "Burrows 2006 (Chubby), 2.4"),
    "S.write": Rule(
        "**{who} takes {holder}'s write**: its token {token} is no older than any seen ({highest}).",
        "Kleppmann 2016: fencing tokens",
    ),
    "S.stale": Rule(
        "**{who} takes {holder}'s write, though its token {token} is older** than {highest}: it looks at none.",
        "Kleppmann 2016: protecting a resource with a lock",
    ),
    "S.refuse": Rule(
        "**{who} refuses {holder}**: its token {token} is older than {highest}, which has been seen already.",
        "Kleppmann 2016: fencing tokens",
    ),
}
