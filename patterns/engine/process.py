"""A process reads like its paper: fields, and one handler a message, a timer, a request. It records effects only.

    class Ping(Message):
        count: int

    class Player(Process):
        peer: str                          # given when it is built: what a process is told, it never loses
        rounds: int = durable(0)           # on disk: survives a crash
        waiting: bool = False              # in memory: a crash resets it

        def on_start(self) -> None:
            self.set_timer("serve", 10, 20)            # after 10 to 20 ms, drawn by the driver

        @on_timer("serve")
        def serve(self) -> None:
            self.waiting = True
            self.send(self.peer, Ping(self.rounds))

        @on(Ping)
        def return_it(self, sender: str, ping: Ping) -> None:
            self.rounds = ping.count + 1
            self.note("P.1", rounds=self.rounds)
            self.send(sender, Ping(self.rounds))

A process is a value: compared and hashed by its fields. Fields hold immutable values only (int, str, tuple, frozenset,
frozen structs); a handler assigns to them freely, because it runs on a copy. The simulator and a TCP host run the same
process. They call `after_start`, `after_message`, `after_timer`, `after_request`, `after_restart`. Each returns the
process afterwards and its `Effects`, and leaves the old process unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import compress
from operator import is_not
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

import msgspec
from msgspec.structs import astuple

from .step import Note
from .values import Value

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., None])


class Message(Value, tag=True):
    """What processes send: tagged with its class name on the wire."""


class Effects(msgspec.Struct, gc=False):
    """What a handler asked for, in its order. Nothing of it has been done."""

    now: int
    """The process's own clock when the handler ran, in ms."""
    clock_was_read: bool = False
    """Whether the handler looked at the clock: else what it did would be the same at any time."""
    sends: list[tuple[str, Any]] = []
    """(to, message)"""
    timers: dict[str, tuple[int, int] | None] = {}
    """Timer -> (low, high): it is to fire after low to high ms, both included; None: it is cancelled. The timer `votes`
    about `T1` is called `votes:T1`."""
    replies: list[tuple[str, Any]] = []
    """(client, message)"""
    notes: list[Note] = []


# Fields: what is given when a process is built is kept; durable ones are kept; a crash resets all others.


class _Kept:
    def __init__(self, default: Any, on_disk: bool) -> None:
        self.default = default
        self.on_disk = on_disk


def durable(default: T) -> T:
    """A field on disk: a crash leaves it, and a host writes it before it sends anything that depends on it."""
    return _Kept(default, on_disk=True)  # type: ignore[return-value]


def setting(default: T) -> T:
    """A field given when the process is built, with a default: not on disk, yet the same after a crash."""
    return _Kept(default, on_disk=False)  # type: ignore[return-value]


# Handlers


def on(*messages: type) -> Callable[[Handler], Handler]:
    """The handler of these message types: `(self, sender, message)`."""
    return _handles("messages", messages)


def on_timer(*names: str) -> Callable[[Handler], Handler]:
    """The handler of these timers: `(self)`, or `(self, about)` for timers that are set with a subject."""
    return _handles("timers", names)


def on_request(*messages: type) -> Callable[[Handler], Handler]:
    """The handler of these client requests: `(self, client, message)`."""
    return _handles("requests", messages)


def _handles(kind: str, keys: tuple[Any, ...]) -> Callable[[Handler], Handler]:
    def mark(handler: Handler) -> Handler:
        marks = getattr(handler, "_handles", ())
        handler._handles = (*marks, *((kind, key) for key in keys))  # type: ignore[attr-defined]
        return handler

    return mark


_ATOMS = frozenset({int, str, bool, type(None), float, bytes})


class ProcessType(msgspec.StructMeta):
    """Reads a process class: its durable fields, what a crash leaves, and which method handles what."""

    def __new__(mcls, name: str, bases: tuple[type, ...], body: dict[str, Any], **options: Any) -> Any:
        kept = {field: value for field, value in body.items() if isinstance(value, _Kept)}
        body.update({field: value.default for field, value in kept.items()})
        own = list(body.get("__annotations__", ()))
        given = [field for field in own if field not in body]
        defaults = {field: body[field] for field in own if field in body}
        for field in _inherited(bases, "__struct_fields__"):
            if field in body and field not in own:
                raise TypeError(f"{name}.{field} overrides a field: give its type again, `{field}: ... = ...`")
        # a field that a subclass defines anew is what the subclass says, on disk or not
        body["durable_fields"] = (
            *(f for f in _inherited(bases, "durable_fields") if f not in own),
            *(f for f in kept if kept[f].on_disk),
        )
        body["kept_fields"] = (*(f for f in _inherited(bases, "kept_fields") if f not in own), *given, *kept)
        cls: Any = super().__new__(mcls, name, bases, body, **options)
        _list_handlers(cls, bases, body)
        for field, value in defaults.items():
            if field in cls.__struct_fields__:
                _refuse_mutable(name, field, value)
        fields = set(cls.__struct_fields__)  # drops ClassVars, which are annotated too
        cls.durable_fields = tuple(dict.fromkeys(f for f in cls.durable_fields if f in fields))
        cls.kept_fields = tuple(dict.fromkeys(f for f in cls.kept_fields if f in fields))
        return cls


def _inherited(bases: tuple[type, ...], table: str) -> tuple[str, ...]:
    return tuple(field for base in bases for field in getattr(base, table, ()))


def _list_handlers(cls: Any, bases: tuple[type, ...], body: Mapping[str, Any]) -> None:
    """A subclass that overrides a method by its name takes over what the method handled."""
    methods: dict[tuple[str, Any], str] = {}
    for base in reversed(bases):
        methods.update(getattr(base, "_methods", {}))
    for name, value in body.items():
        methods.update(dict.fromkeys(getattr(value, "_handles", ()), name))
    cls._methods = methods
    for kind in ("messages", "timers", "requests"):
        table = {key: getattr(cls, method) for (of, key), method in methods.items() if of == kind}
        setattr(cls, f"_{kind}", table)


def _refuse_mutable(process: str, field: str, value: Any) -> None:
    """A value without a hash can change in place, and so can an object that is hashed by its identity."""
    try:
        hash(value)
        by_identity: Any = object.__hash__
        changeable = type(value).__hash__ is by_identity and hasattr(value, "__dict__")
    except TypeError:
        changeable = True
    if changeable:
        raise TypeError(
            f"{process}.{field} holds the {type(value).__name__} {value!r}; fields hold immutable values only: "
            f"a tuple for a list, a frozenset for a set, a frozen struct for an object"
        )


class _Recorder(msgspec.Struct, metaclass=ProcessType, kw_only=True, gc=False):
    _effects: Effects | None = None  # set only while a handler runs, on the copy it runs on


class Process(_Recorder):
    """A process of a distributed system. See the module's text for an example."""

    id: str

    durable_fields: ClassVar[tuple[str, ...]]
    """The fields on disk."""
    kept_fields: ClassVar[tuple[str, ...]]
    """What a crash leaves: the durable fields, and what the process was built with."""
    checked: ClassVar[bool] = True
    """Whether each new value of a field is checked to be immutable; costs about a microsecond a step."""
    _methods: ClassVar[dict[tuple[str, Any], str]]
    _messages: ClassVar[dict[type, Callable[..., None]]]
    _timers: ClassVar[dict[str, Callable[..., None]]]
    _requests: ClassVar[dict[type, Callable[..., None]]]

    # What a handler may do

    @property
    def now(self) -> int:
        """The process's own clock, in ms; it may run fast or slow. Only while a handler runs."""
        effects = self._effects or self._idle()
        effects.clock_was_read = True
        return effects.now

    def send(self, to: str, message: Any) -> None:
        """Send to another process, or to itself. It may be lost, late, out of order or doubled."""
        (self._effects or self._idle()).sends.append((to, message))

    def reply(self, client: str, message: Any) -> None:
        """Answer a client's request. A client that no longer waits ignores the answer."""
        (self._effects or self._idle()).replies.append((client, message))

    def set_timer(self, name: str, low: int, high: int | None = None, *, about: str = "") -> None:
        """Let the timer fire once, `low` to `high` ms from now; set again before that, it starts anew.

        There is one timer of this name for each subject `about`: a transaction, a peer.
        """
        high = low if high is None else high
        if not 0 <= low <= high:
            raise ValueError(f"timer {name!r} of {self.id} is set to {low}..{high} ms; allowed is 0 <= low <= high")
        if name not in self._timers:
            raise ValueError(f"{type(self).__name__} has no @on_timer({name!r}); it has {_names(self._timers)}")
        (self._effects or self._idle()).timers[timer_name(name, about)] = (low, high)

    def cancel_timer(self, name: str, *, about: str = "") -> None:
        """Let the timer not fire; one that is not set is left so."""
        (self._effects or self._idle()).timers[timer_name(name, about)] = None

    def note(self, rule: str, /, **values: Any) -> None:
        """Note that a rule fired, with its values. The value `who` is this process."""
        values.setdefault("who", self.id)
        (self._effects or self._idle()).notes.append(Note(rule, values))

    def _idle(self) -> Effects:
        raise RuntimeError(f"{self.id} can act only while a handler runs: call after_message() or after_timer()")

    # What a process may override

    def on_start(self) -> None:
        """The very first thing a process does."""

    def on_restart(self) -> None:
        """The first thing after a crash: durable fields are as they were, all others as at the start."""
        self.on_start()

    def receive(self, sender: str, message: Any) -> None:
        """Every message comes through here: the place for a rule over all of them."""
        (self._messages.get(type(message)) or self._unhandled(message, self._messages))(self, sender, message)

    def request(self, client: str, message: Any) -> None:
        """Every client request comes through here."""
        (self._requests.get(type(message)) or self._unhandled(message, self._requests))(self, client, message)

    def _unhandled(self, what: Any, table: Mapping[Any, Any]) -> Callable[..., None]:
        kind, name = type(self).__name__, type(what).__name__
        older = any(getattr(key, "__name__", "") == name for key in table)  # in a notebook: a cell that was run again
        again = f"{name} was defined again after {kind}: run the cell of {kind} again"
        known = again if older else f"it handles {_names(table)}"
        raise TypeError(f"{kind} {self.id} has no handler for {what!r}; {known}")

    def impossible(self, sender: str, message: Any) -> str:
        """Why no peer that keeps to the protocol can have sent this, empty where one can: a real host refuses it."""
        return ""

    # What a driver calls: each returns the process afterwards and the effects

    def after_start(self, now: int = 0) -> tuple[Self, Effects]:
        after, effects = self._recorder(now)
        after.on_start()
        return self._keep(after), effects

    def after_restart(self, now: int = 0) -> tuple[Self, Effects]:
        """To be called on what `crashed()` left."""
        after, effects = self._recorder(now)
        after.on_restart()
        return self._keep(after), effects

    def after_message(self, sender: str, message: Any, now: int = 0) -> tuple[Self, Effects]:
        after, effects = self._recorder(now)
        after.receive(sender, message)
        return self._keep(after), effects

    def after_timer(self, name: str, now: int = 0) -> tuple[Self, Effects]:
        after, effects = self._recorder(now)
        kind, _, about = name.partition(":")
        handler = self._timers.get(kind) or self._unhandled(name, self._timers)
        handler(after, *([about] if about else []))
        return self._keep(after), effects

    def after_request(self, client: str, message: Any, now: int = 0) -> tuple[Self, Effects]:
        after, effects = self._recorder(now)
        after.request(client, message)
        return self._keep(after), effects

    def _recorder(self, now: int) -> tuple[Self, Effects]:
        after: Self = self.__copy__()  # type: ignore[attr-defined]
        effects = after._effects = Effects(now)
        return after, effects

    def _keep(self, after: Self) -> Self:
        """`after` with its recorder taken off; this very process where nothing changed.

        A field that got an equal value keeps the old object: equal parts of a run are shared.
        """
        after._effects = None
        changed = False
        # Values that are the same object are not compared any deeper: a long log costs nothing while it stays.
        for field in compress(self.__struct_fields__, map(is_not, astuple(self), astuple(after))):
            was, value = getattr(self, field), getattr(after, field)
            if type(was) is type(value) and not _differ(was, value):
                setattr(after, field, was)
                continue
            changed = True
            if self.checked and type(value) not in _ATOMS:
                _refuse_mutable(type(self).__name__, field, value)
        return after if changed else self

    # Crash and disk

    def crashed(self) -> Self:
        """The process after a crash: durable fields and settings are kept, every other field has its default."""
        return type(self)(**{field: getattr(self, field) for field in self.kept_fields})

    @property
    def disk(self) -> Any:
        """The durable fields as one struct of `disk_type()`: to be written before what was sent with them is sent."""
        return self.disk_type()(*(getattr(self, field) for field in self.durable_fields))

    @classmethod
    def disk_type(cls) -> Any:
        """The type of `disk`, for decoding it."""
        return _disk_type(cls)

    def with_disk(self, disk: Any) -> Self:
        """This process, its durable fields taken from `disk`; `after_restart` comes next."""
        return msgspec.structs.replace(self.crashed(), **msgspec.structs.asdict(disk))

    def written_since(self, before: Process) -> tuple[str, ...]:
        """The durable fields that are not as in `before`: one disk write where there are any."""
        return tuple(f for f in self.durable_fields if _differ(getattr(self, f), getattr(before, f)))

    def __hash__(self) -> int:
        return hash((type(self), astuple(self)))

    def __rich_repr__(self) -> Any:
        return ((field, getattr(self, field)) for field in self.__struct_fields__ if field != "_effects")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{field}={value!r}' for field, value in self.__rich_repr__())})"


def _differ(one: Any, other: Any) -> bool:
    """Whether two values are not equal. A tuple that grew is seen by its length: a long log is not compared."""
    if one is other:
        return False
    return (type(one) is type(other) is tuple and len(one) != len(other)) or one != other


def timer_name(name: str, about: str) -> str:
    """What a timer is called among the running ones: its name, and its subject if it has one."""
    return f"{name}:{about}" if about else name


def _names(table: Mapping[Any, Any]) -> str:
    return ", ".join(getattr(key, "__name__", repr(key)) for key in table) or "none"


@cache
def _disk_type(cls: type[Process]) -> Any:
    hints = get_type_hints(cls)
    return msgspec.defstruct(f"{cls.__name__}Disk", [(f, hints[f]) for f in cls.durable_fields], frozen=True)
