"""Text from values: a template with the values in it. Handlers note values, messages have fields; words are made here.

    {who}                     the value
    {voters:names}            S1, S2 and S3; nothing for none
    {voters:names|nobody}     the same, with a word for none
    {count:entry|entries}     1 entry, 3 entries
    {role:the}                the leader
    {role:a}                  a leader, an orchestrator
    {role:a|leader}           the same, but the leader
    {voted_for:or|nobody}     the value, or a word for None
    {events:list|none}        S1, S2, S3; a single value stands for itself, and the word for an empty tuple or None
    {events:several|s}        s, if there are two or more
    {indices:span}            3-5, the first and the last; 3 if they are the same
    {granted:if|yes|no}       one text or the other: is the value true, or a number other than 0, or not empty?
    {role:is|leader|yes|no}   one text or the other: is it this value?

The two texts of `if` and `is` are templates themselves: `{after:if|from {after} on}`. The last one may be left out.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

from .step import Rule

_FORMATTER = Formatter()


def sentence_of(template: str, values: Mapping[str, Any]) -> str:
    """The template with the values in it. Raises KeyError for a value that the note lacks.

    >>> sentence_of("{who} has {n:vote|votes}, from {voters:names}", {"who": "S1", "n": 2, "voters": ("S1", "S2")})
    'S1 has 2 votes, from S1 and S2'
    """
    said = ""
    for text, name, spec in _parts(template):
        said += text
        if name is not None:
            value = _value(name, values)
            said += _in_form(value, spec, values) if spec else str(value)
    return said


def _in_form(value: Any, spec: str, values: Mapping[str, Any]) -> str:
    form, first, second, third, bars = _split(spec)
    match form:
        case "if":
            return sentence_of(first if value else second, values)
        case "is":
            return sentence_of(second if str(value) == first else third, values)
        case "names":
            return names(value) or first or "nothing"
        case "list":
            several = value if isinstance(value, tuple) else () if value is None else (value,)
            return ", ".join(map(str, several)) or first
        case "several":
            return first if len(value) > 1 else second
        case "span":
            return "-".join(dict.fromkeys(map(str, (value[0], value[-1]))))
        case "or":
            return first if value is None else str(value)
        case "a" if value != first:
            return f"{'an' if str(value)[:1] in 'aeiou' else 'a'} {value}"
        case "a" | "the":
            return f"the {value}"
    return f"{value} {form if value == 1 else first}" if bars else format(value, form)


@lru_cache(maxsize=4096)
def _split(spec: str) -> tuple[str, str, str, str, bool]:
    """A form, its texts, and whether it has any. Bars divide them, except for bars inside braces."""
    form, *texts = re.findall(r"(?:^|\|)((?:[^{}|]|\{(?:[^{}]|\{[^{}]*\})*\})*)", spec)
    first, second, third = (*texts, "", "", "")[:3]
    return form, first, second, third, bool(texts)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    """A value, or a part of one: `entry.command`, `members[0]`."""
    return values[name] if name.isidentifier() else _FORMATTER.get_field(name, (), values)[0]


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """A template taken apart, once: text, and the name and the form of the value behind it."""
    return tuple((text, name, spec) for text, name, spec, _ in _FORMATTER.parse(template))


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things in words: `1 bag`, `3 bags`, `1,200 entries`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def wrapped(text: str, indent: str = "") -> str:
    """A line in lines of at most 100 characters, as many as fit into a notebook's cell; `indent` begins the later ones.

    A notebook breaks a longer line anywhere, also inside a word.

    >>> print(wrapped("A sentence " * 10, "  "))
    A sentence A sentence A sentence A sentence A sentence A sentence A sentence A sentence A sentence A
      sentence
    """
    return "\n".join(textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False))


def names(values: Iterable[Any]) -> str:
    """The values as a list in words: `S1, S2 and S3`; a single text stands for itself."""
    several = [values] if isinstance(values, str) else [str(value) for value in values]
    return " and ".join([*filter(None, [", ".join(several[:-1])]), *several[-1:]])


def rules_of(package: str, page: str = "rules.toml") -> dict[str, Rule]:
    """The rules of a chapter, from the page in its package: rule -> what it says, and its source.

    A page in another language has the same rules.
    """
    return {name: Rule(rule["says"], rule["source"]) for name, rule in page_of(package, page).items()}


def page_of(package: str, page: str) -> dict[str, Any]:
    """The texts on a page in a package: name -> what the page has under that name."""
    return tomllib.loads(files(package).joinpath(page).read_text(encoding="utf-8"))
