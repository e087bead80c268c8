"""Rules as text: a sentence is a template over a note's values. Handlers note values, only this makes words of them.

{who}                     the value
{voters:names}            S1, S2 and S3; nothing for none
{voters:names|nobody}     the same, with a word for none
{count:entry|entries}     1 entry, 3 entries
{role:the}                the leader
{role:a}                  a leader, an orchestrator
{role:a|leader}           the same, but the leader
{voted_for:or|nobody}     the value, or a word for None
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

from .step import Rule


class _Sentence(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        kind, bar, other = format_spec.partition("|")
        if kind == "names":
            return names(value) or other or "nothing"
        if kind == "or":
            return other if value is None else str(value)
        if kind == "a" and value != other:
            return f"{'an' if str(value)[:1] in 'aeiou' else 'a'} {value}"
        if kind in ("a", "the"):
            return f"the {value}"
        if bar:
            return f"{value} {kind if value == 1 else other}"
        return str(super().format_field(value, format_spec))


_SENTENCE = _Sentence()


def sentence_of(template: str, values: Mapping[str, Any]) -> str:
    """The template with the values in it. Raises KeyError for a value that the note lacks.

    >>> sentence_of("{who} has {n:vote|votes}, from {voters:names}", {"who": "S1", "n": 2, "voters": ("S1", "S2")})
    'S1 has 2 votes, from S1 and S2'
    """
    return "".join(
        text if name is None else text + _SENTENCE.format_field(_value(name, values), spec or "")
        for text, name, spec in _parts(template)
    )


def _value(name: str, values: Mapping[str, Any]) -> Any:
    """A value, or a part of one: `entry.command`, `members[0]`."""
    return values[name] if name.isidentifier() else _SENTENCE.get_field(name, (), values)[0]


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """A template taken apart, once: text, and the name and the form of the value behind it."""
    return tuple((text, name, spec) for text, name, spec, _ in _SENTENCE.parse(template))


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
