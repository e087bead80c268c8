"""The rules of the sagas, from the page `rules.toml`, and the reasons that they give."""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.sentences import rules_of

RULES = rules_of(__package__)

REASONS: Mapping[str, str] = {
    "": "",
    "cancelled": "its compensation came first",
    "changed": "{of} was written since it was seen",
    "declined": "it was declined",
    "held": "{of} holds it",
    "interrupted": "it was interrupted by the crash",
    "late": "{of} was not done in time",
    "out of order": "{of} is out of order",
    "short": "{of} has {value}, not {needed}",
    "stuck": "{of} did not succeed",
    "taken": "its key belongs to {of}",
    "withdrawn": "its client cancelled it",
    "unknown": "there is no saga {of!r}",
}
"""Why something is refused, fails or turns back: the kinds of `Reason`."""
