"""The frames that a page gets, as TypeScript declarations: derived from the structs, so that both sides agree.

.venv/bin/python -m widgets.declarations > widgets/js/frame.d.ts
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import NODEFAULT
from msgspec import inspect as types

from widgets.frames import Frame, Word
from widgets.scene import Arc, Box, Disc, Label, Line, Message, Ticks

MARKS = (Disc, Box, Line, Message, Arc, Ticks, Label)
SIMPLE = {
    types.IntType: "number",
    types.FloatType: "number",
    types.StrType: "string",
    types.BoolType: "boolean",
    types.AnyType: "any",
}


def declared(*roots: type) -> str:
    """The declarations of these structs and of all that they hold."""
    found: dict[str, list[str]] = {}
    for root in roots:
        _visit(types.type_info(root), found)
    marks = " | ".join(mark.__name__ for mark in MARKS)
    bodies = [f"export interface {name} {{\n" + "".join(lines) + "}\n" for name, lines in found.items()]
    head = "// Made by `python -m widgets.declarations` from the structs of a frame; a test holds the two together.\n\n"
    return head + "\n".join(bodies) + f"\nexport type AnyMark = {marks};\n"


def _visit(info: types.Type, found: dict[str, list[str]]) -> str:
    """A type in TypeScript; the structs in it are added to `found`."""
    match info:
        case types.StructType(cls=cls) if cls.__name__ == "Mark":
            return "AnyMark"
        case types.StructType(cls=cls):
            if cls.__name__ not in found:
                found[cls.__name__] = []
                found[cls.__name__] += _fields(info, found)
            return cls.__name__
        case types.LiteralType(values=values):
            return " | ".join(f'"{value}"' for value in values)
        case types.TupleType(item_types=items):
            return f"[{', '.join(_visit(item, found) for item in items)}]"
        case types.ListType(item_type=item) | types.VarTupleType(item_type=item):
            inner = _visit(item, found)
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case types.DictType(value_type=value):
            return f"Record<string, {_visit(value, found)}>"
        case types.UnionType(types=members):
            return " | ".join(_visit(each, found) for each in members if not isinstance(each, types.NoneType))
        case types.Metadata(type=inner_type):
            return _visit(inner_type, found)
    return SIMPLE[type(info)]


def _fields(info: Any, found: dict[str, list[str]]) -> Iterator[str]:
    if info.tag is not None:
        yield f'  {info.tag_field}: "{info.tag}";\n'
    for field in info.fields:
        optional = "" if field.required or not info.cls.__struct_config__.omit_defaults else "?"
        if field.default is NODEFAULT and field.default_factory is NODEFAULT:
            optional = ""
        yield f"  {field.encode_name}{optional}: {_visit(field.type, found)};\n"


def frame_declarations() -> str:
    return declared(Frame, Word, *MARKS)


if __name__ == "__main__":
    print(frame_declarations(), end="")
