"""A slot that moves key by key, as Redis Cluster does it: MIGRATING at the source, IMPORTING at the target.

Each key is at one side. The source serves the keys that it still has, and for any other key it says ASK. There is no
fence for the whole slot: each key has its own short one while it is on its way.
"""

from __future__ import annotations

from patterns.engine.process import Message

from .messages import AskThere, Begun, Hold, Ship, TakeOver, Try, TryAgain, Undo
from .shard import Shard, Stream, of_slot


class KeyByKey(Shard):
    """A shard that hands a slot over one key after the other. A move can be finished by anyone, and not undone."""

    def redirect(self, request: Try, slot: int) -> Message | None:
        hold, keys = self.hold(slot), request.order.keys
        to, here = (request.client, request.order.serial), [key for key in keys if self.has(slot, key)]
        if hold.role == "copying":
            if len(here) < len(keys):
                return TryAgain(*to) if here or self.is_first(slot) else AskThere(*to, slot, hold.peer)
            return TryAgain(*to) if any(key in self.on_their_way(slot) for key in keys) else None
        if hold.role == "importing" and request.asking:
            # A key that is new here begins its life here. Of several keys, all must have arrived.
            return None if len(here) == len(keys) or len(keys) == 1 else TryAgain(*to)
        return super().redirect(request, slot)

    def has(self, slot: int, key: str) -> bool:
        """Whether the key, or the answer to a request about it, or a write of it is here."""
        kept = (*self.rows, *self.answers)
        return any(each.key == key for each in kept) or any(each.order.key == key for each in self.running.values())

    def is_first(self, slot: int) -> bool:
        """Whether the other side may not know of the move yet: no client is sent there before it does."""
        return any(piece.nth == 0 for piece in self.pieces(slot))

    def pieces(self, slot: int) -> tuple[Ship | TakeOver, ...]:
        return (self.streams.get(str(slot)) or Stream()).pieces

    def on_their_way(self, slot: int) -> set[str]:
        pieces = self.pieces(slot)
        return {each.key for piece in pieces if isinstance(piece, Ship) for each in (*piece.rows, *piece.answers)}

    def copy(self, hold: Hold) -> None:
        """First the intent alone, so that the target accepts keys."""
        self.note("M.keys", slot=hold.slot, peer=hold.peer, rows=len(of_slot(self.rows, hold.slot)))
        self.streams = self.streams.put(str(hold.slot), Stream())
        self.append(hold, (), (), ())

    def committed(self, slot: int, row: object, answer: object) -> None:
        stream = self.streams.get(str(slot))
        if stream is not None and not stream.pieces:  # it waited for this write
            self.caught_up(self.hold(slot), stream)

    def arrived(self, piece: Ship | TakeOver) -> None:
        """A key that is on the other disk is deleted here."""
        if isinstance(piece, Ship):
            gone = {each.key for each in (*piece.rows, *piece.answers)}
            self.rows = tuple(row for row in self.rows if row.key not in gone)
            self.answers = tuple(each for each in self.answers if each.key not in gone)

    def caught_up(self, hold: Hold, stream: Stream) -> None:
        slot, busy = hold.slot, {each.order.key for each in self.running.values()}
        rows, answers = of_slot(self.rows, slot), of_slot(self.answers, slot)
        keys = sorted({each.key for each in (*rows, *answers)} - busy)
        if keys:
            self.note("M.key", slot=slot, key=keys[0], peer=hold.peer)
            row = tuple(each for each in rows if each.key == keys[0])
            # If the parcels are collected, only answers are left. An earlier life may have sent them: they go, too.
            self.append(hold, row, () if row else keys[:1], (each for each in answers if each.key == keys[0]))
        elif self.may_switch(slot):
            self.note("M.switch", slot=slot, peer=hold.peer, epoch=hold.epoch)
            self.ship(hold, stream, TakeOver(slot, hold.epoch, self.life, stream.next))
        else:
            self.note("M.drain", slot=slot, clients=self.writers(slot))

    def undo(self, sender: str, undo: Undo) -> None:
        """Refused: new keys have begun their life at the target."""
        self.reply(sender, Begun(undo.serial))
        self.note("M.finish", slot=undo.slot)

    def begin_import(self, source: str, ship: Ship) -> None:
        if self.hold(ship.slot).epoch < ship.epoch:  # a later life of the source goes on: what has arrived stays
            super().begin_import(source, ship)
