"""A station of the ring (Le Lann 1977, section 3), and the messages it knows."""

from __future__ import annotations

from patterns.engine.process import Message, Process, durable, on, on_request, on_timer, setting


class Token(Message):
    """Only the station that holds it may enter. Each pass has a number of its own."""

    number: int


class Enter(Message):
    """A client wants a station to enter the critical section once."""


class Station(Process):
    """Takes the token, enters if a client waits, and passes the token on to the next station."""

    next: str
    last: int
    """The token is not passed on after this number, so that a run ends."""
    starts: bool = setting(False)
    seen: int = durable(0)
    """The highest number of a token that it took."""
    inside: bool = False
    waiting: tuple[str, ...] = ()
    """The clients that wait."""

    def on_start(self) -> None:
        if self.starts:
            self.take(1)

    @on_request(Enter)
    def client_asks(self, client: str, request: Enter) -> None:
        self.note("T.ask", client=client)
        if client not in self.waiting:
            self.waiting = (*self.waiting, client)

    @on(Token)
    def token_arrives(self, sender: str, token: Token) -> None:
        if self.may_take(token.number):
            self.take(token.number)
        else:
            self.note("T.old", number=token.number, seen=self.seen)

    def may_take(self, number: int) -> bool:
        """A duplicate of a token has a number that was seen before."""
        return number > self.seen

    def take(self, number: int) -> None:
        self.seen = number
        self.inside = bool(self.waiting)
        self.note("T.enter" if self.inside else "T.pass", number=number, clients=self.waiting)
        self.set_timer("leave", 20 if self.inside else 5)

    @on_timer("leave")
    def leave(self) -> None:
        if self.inside:
            self.note("T.leave", clients=self.waiting)
            for client in self.waiting:
                self.reply(client, "done")
            self.inside, self.waiting = False, ()
        if self.seen < self.last:
            self.send(self.next, Token(self.seen + 1))
