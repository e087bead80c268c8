"""Every rule of the sagas in words, with where it comes from.

`GMS`: Garcia-Molina and Salem, "Sagas", SIGMOD 1987. `MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

REASONS: Mapping[str, str] = {
    "": "",
    "cancelled": "its compensation came first",
    "changed": "{of} was written since it was seen",
    "declined": "it was declined",
    "failed": "it failed {value:time|times}",
    "held": "{of} holds it",
    "interrupted": "it was interrupted",
    "late": "{of} was not done in time",
    "out of order": "{of} is out of order",
    "short": "{of} has {value}, not {needed}",
    "stuck": "undo {of} fails",
    "unknown": "there is no saga {of!r}",
}
"""Why something is refused, fails or turns back: the kinds of `Reason`."""

REQUESTS: Mapping[str, Rule] = {
    "R.begin": Rule("**{who} begins {definition} {saga}**, and writes that to its log first.", "GMS 4"),
    "R.known": Rule("**{who} knows {saga} already**: the request is a retry, and one saga is enough.", "MP 3.3.6"),
    "R.answer again": Rule("**{who} answers again**: {saga} is {phase}.", "MP 3.3.6"),
    "R.unknown": Rule("**{who} knows no saga named {definition}**.", "our choice"),
    "R.repaired": Rule("**{who} goes on with {saga}**: what kept {step} from being undone is mended.", "GMS 6"),
}

ORCHESTRATOR: Mapping[str, Rule] = {
    "O.start": Rule("**{who} asks {service} for {step}**: all steps before it are done.", "GMS 4; MP 4.2.2"),
    "O.done": Rule("**{who} logs that {step} of {saga} is done**.", "GMS 4"),
    "O.pivot": Rule("**The pivot is passed**: {step} of {saga} is done, and from here it goes only forward.", "MP 4.3"),
    "O.refused": Rule("**{who} learns that {service} refuses {step}**: {reason}.", "MP 4.1.3"),
    "O.gave up": Rule("**{who} gives up on {step}** after {times:try|tries}. {service} may have done it.", "GMS 4"),
    "O.back": Rule("**{saga} turns back**: to be compensated: {steps:names}.", "GMS 4, backward recovery"),
    "O.undo": Rule("**{who} asks {service} to undo {step}**: nothing left of {saga} builds on it.", "GMS 4; GMS 8"),
    "O.undone": Rule("**{who} logs that {step} of {saga} is undone**.", "GMS 4"),
    "O.failed": Rule("**{command} did not work**: {reason}. {who} asks again later.", "MP 4.3"),
    "O.retry": Rule("**{who} asks {service} again**: {command}. It has not heard that this is done.", "MP 3.3.6"),
    "O.pivot again": Rule("**{who} asks {service} again**: {command}. Only {service} knows the outcome.", "MP 4.3"),
    "O.forward": Rule("**{who} asks {service} again**: {command}. There is no way back.", "GMS 5, forward recovery"),
    "O.stuck": Rule("**{saga} is stuck, and needs a human**: {service} failed {times:time|times} at {step}.", "GMS 6"),
    "O.release": Rule("**{who} asks {service} to take {saga}'s marks off its rows**: they are final.", "MP 4.3.2"),
    "O.completed": Rule("**{saga} is completed**: every step is done.", "GMS 2"),
    "O.compensated": Rule("**{saga} is compensated**: no step of it is left ({reason}).", "GMS 4"),
    "O.late": Rule("**{who} ignores {message}**: it does not wait for that any more.", "MP 3.3.6"),
    "O.resume": Rule("**{who} goes on with {saga}, {phase}**: its log has {done:names} done.", "GMS 4"),
    "O.start again": Rule("**{who} asks {service} for {step} again**: its log has no answer.", "GMS 4; MP 3.3.6"),
}

SERVICE: Mapping[str, Rule] = {
    "S.do": Rule("**{who} does {step}** for {saga}: {action}. Key and outcome are written with it.", "MP 3.3.6"),
    "S.again": Rule("**{who} has handled {step} of {saga} before** ({outcome}): it answers the same.", "MP 3.3.6"),
    "S.refuse": Rule("**{who} refuses {step}**: {reason}.", "MP 4.1.3"),
    "S.not yet": Rule("**{who} cannot do {step} yet**: {reason}. It may not refuse a retriable step.", "MP 4.3"),
    "S.cancelled": Rule("**{who} ignores {step}**: its compensation came first.", "MP 4.3.2, version file"),
    "S.fails": Rule("**{who} fails at {step}**; nothing is changed.", "GMS 6"),
    "S.undo fails": Rule("**{who} fails to undo {step}**; nothing is changed.", "GMS 6"),
    "S.wait": Rule("**{who} lets {step} of {saga} wait**: {holder} has marked the row.", "MP 4.3.2, semantic lock"),
    "S.undo": Rule("**{who} undoes {step}** of {saga}: {action}.", "GMS 4"),
    "S.empty": Rule("**{who} has nothing to undo for {step}**: it notes {saga}.", "MP 4.3.2, version file"),
    "S.undone again": Rule("**{who} has compensated {step} of {saga} before**: it answers the same.", "MP 3.3.6"),
    "S.cannot undo": Rule("**{who} cannot undo {step}** of {saga}: {reason}.", "GMS 6"),
    "S.release": Rule("**{who} takes {saga}'s marks off its rows**: they are final.", "MP 4.3.2, semantic lock"),
    "S.elsewhere": Rule("**{who} sends {client} on to {leader}**.", "our choice"),
}

CHOREOGRAPHY: Mapping[str, Rule] = {
    "C.publish": Rule("**The relay of {who} publishes what is new in its outbox**: {events:names}.", "MP 3.3.7"),
    "C.again": Rule("**The relay of {who} publishes again**: {event} to {to}. It was not acknowledged.", "MP 3.3.7"),
    "C.acked": Rule("**{who} takes event {number} out of its outbox**: {sender} has it on disk.", "MP 3.3.7"),
    "C.event": Rule("**{who} takes in** {event}, from {sender}.", "MP 4.2.1"),
    "C.seen": Rule("**{who} has {event} from {sender} in its inbox**: once is enough.", "MP 3.3.6"),
    "C.pivot": Rule("**The pivot is passed**: {step} of {saga} is done, and from here it goes only forward.", "MP 4.3"),
    "C.back": Rule("**{who} turns back**: {step} of {saga} was refused ({reason}).", "GMS 4; MP 4.2.1"),
    "C.gave up": Rule("**{who} refuses {step}** of {saga}: it failed {times:time|times}.", "MP 4.1.3"),
    "C.later": Rule("**{who} tries {step} of {saga} again** in {wait} ms or a little more.", "GMS 5"),
    "C.stuck": Rule("**{saga} is stuck, and needs a human**: {who} failed {times:time|times} at {step}.", "GMS 6"),
    "C.completed": Rule("**{saga} is completed**: {who} knows that its last steps are done.", "MP 4.2.1"),
    "C.compensated": Rule("**{saga} is compensated**: {who} knows its first steps are undone ({reason}).", "GMS 4"),
    "C.resume": Rule("**{who} goes on**: {events:event is|events are} in its outbox, not acknowledged.", "MP 3.3.7"),
}

RULES: Mapping[str, Rule] = {**REQUESTS, **ORCHESTRATOR, **SERVICE, **CHOREOGRAPHY}
"""Every rule of both styles."""
