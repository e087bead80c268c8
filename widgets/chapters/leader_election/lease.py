"""A lease: the lock server above, the holders, the storage below; what lock and storage have kept stands beside them.

A token has a colour, as a term has in Raft. The lease is an arc round its holder and round the lock server, both to the
same scale: a whole circle is the lease's term. If clocks differ, or a holder is paused, the two arcs do, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.trace import noted
from patterns.engine.world import Timer
from patterns.leader_election import Holder, LockServer, Storage
from patterns.leader_election.lease_messages import (
    Acquire,
    Busy,
    Granted,
    Read,
    Refused,
    Renew,
    Stored,
    Write,
    Written,
)
from widgets.kit import Look, Point, box, row, small, stack
from widgets.scene import Box, Label, Mark, Panel, Role

from .reign import ReignView

WIDTH, LINE = 240, 24
MOST_LINES = 6


def token_role(token: int) -> Role:
    """The colour of a token; the colours repeat after eight."""
    return f"c{(token - 1) % 8 + 1}" if token else "soft"


class LeaseView(ReignView):
    shorts = {
        Renew: "renew {token}",
        Granted: "token {token}",
        Read: "read, {token}",
        Stored: "stored",
        Refused: "refused",
    }
    glyphs = {
        "?": (Acquire, Read),
        "beat": (Renew,),
        "append": (Write,),
        "yes": (Granted, Written),
        "no": (Busy, Refused),
    }
    answers = (Granted, Busy, Stored, Written, Refused)

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), self.kept()

    def seats(self) -> Mapping[str, Point]:
        """The lock server on top, the holders in a row, the storage below."""
        holders = [process.id for process in self.world.processes if isinstance(process, Holder)]
        middle = self.width / 2
        return {"lock": (middle, 42.0), **row(holders, 166.0, 0, self.width), "storage": (middle, 290.0)}

    def reign(self, leader: Holder) -> str:
        return f"{leader.id}: token {leader.token}"

    def reign_role(self, leader: Holder) -> Role:
        return token_role(leader.token)

    def colour(self, message: Any) -> Role:
        """The colour of the token that a message carries."""
        return token_role(getattr(message, "token", 0))

    def short(self, message: Any) -> str:
        """A message in a few words; one that carries a token says which."""
        match message:
            case Write(token=token, content=content):
                return f"write {content[-1]}, {token}"
            case Written(content=content):
                return f"has {content[-1]}"
        return super().short(message)

    def look(self, process: Any) -> Look:
        token = process.highest if isinstance(process, Storage) else process.token
        look = Look("", "follower", f"token {token}" if token else "", hue=token_role(token) if token else "")
        if isinstance(process, Storage):
            seen = f"the storage has seen tokens up to {token}"
            return look._replace(words=seen, caption="highest seen" if token else "")
        if isinstance(process, LockServer):
            held = f"{process.holder} holds the lease with token {token}" if process.holder else "the lease is free"
            free = "grants nothing yet" if process.waits else "free"
            caption = f"{process.holder} holds" if process.holder else free
            return look._replace(words=f"for the lock server {held}", caption=caption)
        if process.role != "leader":
            return look._replace(words=f"{process.id} waits", caption="waits")
        words = f"{process.id} leads with token {token}"
        return look._replace(words=words, caption="leader", role="leader")

    def whole(self, timer: Timer) -> int:
        """Of the timers only the lease is drawn, each to the same scale."""
        return self.world[timer.process].term if timer.name in ("expire", "lease") else 0

    # What is kept

    def kept(self) -> Panel:
        """The lock server's lease, and the storage as a box: the highest token seen, and the lines in their order."""
        lock, storage = self.world["lock"], self.world["storage"]
        expire = self.world.timer("lock", "expire")
        left = f", {max(0, expire.due - self.world.clock)} ms left" if expire else ""
        held = f"{lock.holder} with token {lock.token}{left}" if lock.holder else f"nobody{left}"
        lost = [line for line in self._acknowledged() if line not in storage.content]
        lines = [*(_line(line) for line in storage.content), *(_lost(line) for line in lost)]
        highest = box(
            "storage:highest",
            f"highest token\t{storage.highest}",
            token_role(storage.highest),
            "row",
            f"the highest token that the storage has seen is {storage.highest}",
        )
        marks: list[Mark] = [
            Label(id="lock:name", x=6, y=16, text="lock", strong=True),
            small("lock:held", 58, 16, held, token_role(lock.token)),
            small("lock:last", 58, 36, f"last token given: {lock.last_token}"),
            Label(id="storage:name", x=6, y=72, text="storage", strong=True),
            *stack([highest], 84, 54, 150, pitch=30),
            Box(id="storage:box", x=84, y=82, w=150, h=8 + MOST_LINES * LINE, role="soft", tone="soft"),
            *stack(lines[-MOST_LINES:], 90, 88, 138, pitch=LINE),
        ]
        if not lines:
            marks.append(small("storage:empty", 159, 106, "nothing yet", anchor="middle"))
        words = f"the lease is held by {held}; stored is {', '.join(storage.content) or 'nothing'}"
        if lost:
            words += f"; lost is {', '.join(lost)}"
        height, title = 106 + MOST_LINES * LINE, "Kept by lock and storage"
        return Panel(id="kept", title=title, width=WIDTH, height=height, marks=tuple(marks), label=words)

    def _acknowledged(self) -> tuple[str, ...]:
        """The lines of which a holder knows that they are written."""
        return noted(self.step, "H.wrote", "item") if self.step else ()

    # Before and after

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        match process:
            case LockServer():
                return {"last token": process.last_token}
            case Holder():
                return {"asked": f"{process.asked} times"}
        content = ", ".join(process.content) or "empty"
        return {"highest token": process.highest, "content": content, "written with token": process.written_with}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        match process:
            case LockServer():
                free = "waits out" if process.waits else "free"
                return {"lease": f"{process.holder}, token {process.token}" if process.holder else free}
            case Holder():
                leads = process.role == "leader"
                return {
                    "role": f"leader, token {process.token}" if leads else process.role,
                    "has read": (", ".join(process.content) or "empty") if process.knows else "nothing",
                    "waits for its write of": process.writing or "none",
                }
        return {}


def _line(line: str) -> Box:
    """A line of the file, in the colour of the token that it was written with."""
    token = int(line.partition(".")[0].lstrip("ABCDEFGHI"))
    title = f"{line}, written with token {token}"
    return box(f"line:{line}", f"{line}\ttoken {token}", token_role(token), "row", title)


def _lost(line: str) -> Box:
    """A line that was acknowledged and is lost."""
    title = f"{line} was acknowledged, and is lost"
    return box(f"line:{line}", f"{line}\tlost", "bad", "dashed", title)
