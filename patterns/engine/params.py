"""A machine's parameters, declared once: the signature, the check, the replay code, the documentation, the controls.

    class Params(Simulation.Params):
        participants: Annotated[int, Meta(ge=1, le=9)] = 3
        \"\"\"How many banks take part.\"\"\"
        vote_timeout: Ms = 60
        \"\"\"How long the coordinator waits for votes.\"\"\"

`parse` makes such a struct from what a caller gave, or refuses it with an error that names the parameter, its value and
the allowed values. A rule over several parameters goes into `check`, which calls `refuse`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, NoReturn, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec import inspect as types

Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]
Ms = Annotated[int, Meta(ge=1, extra={"unit": "ms"})]
"""A time of at least 1 ms."""


class ParameterError(ValueError, TypeError):
    """A parameter that is out of range, of a wrong type, or unknown. The message says what is allowed."""


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a machine: each a field with a type, a default and a docstring."""

    def __post_init__(self) -> None:
        for kind in reversed(type(self).__mro__):
            if "check" in vars(kind):
                vars(kind)["check"](self)

    def check(self) -> None:
        """Refuses values that do not go together. Each class checks its own, after the classes that it extends."""


P = TypeVar("P", bound=Params)


def refuse(name: str, value: Any, allowed: str) -> NoReturn:
    """Raise a ParameterError for this parameter."""
    raise ParameterError(f"{name} is {value!r}; allowed is {allowed}")


def _smallest_fault(name: str, value: Any, kind: Any) -> tuple[str, Any, str]:
    """The part of a value that its type does not allow: its name, the part, and the allowed values."""
    parts: list[tuple[str, Any, Any]] = []
    for option in get_args(kind) if isinstance(kind, UnionType) else (kind,):
        inner = get_args(option)
        if get_origin(option) is dict and isinstance(value, Mapping):
            parts += [(f"a name in {name}", key, inner[0]) for key in value]
            parts += [(f"{name}[{key!r}]", each, inner[1]) for key, each in value.items()]
        elif get_origin(option) in (tuple, list) and isinstance(value, list | tuple):
            alike = ... in inner or get_origin(option) is list
            kinds = inner[:1] * len(value) if alike else inner
            if len(kinds) == len(value):
                parts += [(f"{name}[{at}]", each, of) for at, (each, of) in enumerate(zip(value, kinds, strict=True))]
    for part in parts:
        try:
            msgspec.convert(part[1], part[2])
        except msgspec.ValidationError:
            return _smallest_fault(*part)
    return name, value, allowed_by(types.type_info(kind))


def parse(kind: type[P], given: Mapping[str, Any], owner: str) -> P:
    """The parameters of `owner` as a struct of this kind, each value converted to its field's type.

    JSON values are converted too: a list becomes a tuple. Raises ParameterError, and nothing is converted in part.
    """
    fields = _hints(kind)
    for name in given:
        if name not in fields:
            raise ParameterError(f"{owner} has no parameter {name!r}; it has {', '.join(fields)}")
    converted = {}
    for name, value in given.items():
        try:
            converted[name] = msgspec.convert(value, fields[name])
        except msgspec.ValidationError:
            refuse(*_smallest_fault(name, value, fields[name]))
    return kind(**converted)


def allowed_by(kind: types.Type) -> str:
    """What a type allows, in a few words.

    >>> allowed_by(types.type_info(Annotated[int, Meta(ge=1, le=9)]))
    '1 to 9'
    """
    match kind:
        case types.Metadata(type=inner, extra=extra):
            return f"{allowed_by(inner)} {(extra or {}).get('unit', '')}".rstrip()
        case types.IntType(ge=low, le=high) | types.FloatType(ge=low, le=high):
            what = "a whole number" if isinstance(kind, types.IntType) else "a number"
            if low is None and high is None:
                return what
            if high is None:
                return f"{what}, at least {low}"
            return f"{what}, at most {high}" if low is None else f"{low} to {high}"
        case types.BoolType():
            return "True or False"
        case types.StrType(min_length=least):
            return "a text that is not empty" if least else "a text"
        case types.NoneType():
            return "None"
        case types.LiteralType(values=values):
            return ", ".join(map(repr, values))
        case types.UnionType(types=several):
            return " or ".join(map(allowed_by, several))
        case types.TupleType(item_types=several):
            return f"{len(several)} values: {', '.join(map(allowed_by, several))}"
        case types.VarTupleType(item_type=inner) | types.ListType(item_type=inner):
            return f"a list, each item {allowed_by(inner)}"
        case types.DictType(key_type=key, value_type=value):
            return f"a mapping from {allowed_by(key)} to {allowed_by(value)}"
        case types.StructType(cls=cls):
            return f"a {cls.__name__}"
    return "a value of another type"


@cache
def documentation(kind: type[Params]) -> Mapping[str, str]:
    """Parameter -> its docstring; empty where the source is out of reach."""
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        try:
            [body] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        except (OSError, TypeError, ValueError, SyntaxError):
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in pairwise(statements):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = inspect.cleandoc(words)
    return found


@cache
def _hints(kind: type[Params]) -> Mapping[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(kind)}
