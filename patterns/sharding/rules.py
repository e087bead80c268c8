"""The rules of sharding in words, from the page `rules.toml`."""

from __future__ import annotations

from patterns.engine.sentences import rules_of

RULES = rules_of(__package__)
