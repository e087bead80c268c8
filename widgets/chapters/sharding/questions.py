"""The predictions of the sharding chapter, in the order they are asked."""

from patterns.engine.milestones import fired
from widgets.question import questions_of

ask = questions_of(__package__)

HARDEST = ask("HARDEST")
CHANGED = ask("CHANGED", at=fired("M.change"))
KEPT = ask("KEPT", at=fired("R.done", client="Ben"))
RETRY = ask("RETRY", at=fired("S.again"))
SALTED = ask("SALTED", at=fired("K.salt"))
DRAIN = ask("DRAIN")
CLASS = ask("CLASS")
