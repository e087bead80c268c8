"""Values that travel or are kept: frozen, compared by their fields, and with words that stand on a page.

    class Put(Value):
        key: str
        value: int

The page `messages.toml` of the package has the words of each class, as a template over its fields and properties:
`Put = "{key} = {value}"`. See `sentences.py` for the forms. A page in another language can take its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Protocol, TypeVar, dataclass_transform

import msgspec
from msgspec.structs import astuple

from .sentences import page_of, sentence_of


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))  # a subclass is frozen, too
class Value(msgspec.Struct, frozen=True, gc=False):
    """A value with fields. The garbage collector does not track it: immutable fields make no cycles."""

    words: ClassVar[str] = ""
    """The template of a class that has no page, such as one in a notebook."""

    def __str__(self) -> str:
        if words := words_of(type(self)):
            return sentence_of(words, _Attributes(self))
        fields = (f"{name}={_short(value)}" for name, value in zip(self.__struct_fields__, astuple(self), strict=True))
        return f"{type(self).__name__}({', '.join(fields)})"


class _Attributes(dict[str, Any]):
    """The fields and properties of a value by their names."""

    def __init__(self, value: Value) -> None:
        self._value = value

    def __missing__(self, name: str) -> Any:
        return getattr(self._value, name)


def _short(value: object) -> str:
    return str(value) if isinstance(value, Value) else repr(value)


class Named(Protocol):
    """A value that has a name."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def by_name(values: Iterable[N], name: str) -> N | None:
    """The value of this name, or None."""
    return next((value for value in values if value.name == name), None)


@cache
def words_of(kind: type) -> str:
    """The template of a class: its own, or else that of the class that it extends. Empty for a class without words."""
    for each in kind.__mro__:
        if words := vars(each).get("words") or _page(each.__module__.rpartition(".")[0]).get(each.__name__):
            return str(words)
    return ""


@cache
def _page(package: str) -> dict[str, Any]:
    name = "messages.toml"
    return page_of(package, name) if package and files(package).joinpath(name).is_file() else {}
