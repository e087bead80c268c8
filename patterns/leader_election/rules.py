"""The rules of the chapter's own algorithms, from the page `rules.toml`. Raft has a page of its own."""

from __future__ import annotations

from patterns.engine.sentences import rules_of

RULES = rules_of(__package__)
