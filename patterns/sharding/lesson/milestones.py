"""What a run can be told to run until."""

from __future__ import annotations

from patterns.engine.milestones import Milestones, fired

MOVE: Milestones = {
    "a change follows the copy": fired("M.change"),
    "the slot is fenced": fired("M.fence"),
    "the target owns the slot": fired("M.on"),
    "a router learns": fired("R.moved"),
    "a router asks elsewhere, this once": fired("R.askthere"),
    "the source is clean": fired("M.clean"),
    "a move is undone": fired("M.undone"),
}
ROOM: Milestones = {"a machine joins": fired("K.join", "K.join.all"), "a key is salted": fired("K.salt")}
GATHER: Milestones = {"a leg is asked for again": fired("G.hedge"), "the last leg is in": fired("G.all")}
SIGN_UPS: Milestones = {"an e-mail is taken": fired("I.taken"), "the index is complete": fired("I.index")}
