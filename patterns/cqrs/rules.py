"""The rules of the two sides, from the page `rules.toml`: what happened, why, and where it is written."""

from __future__ import annotations

from patterns.engine.sentences import rules_of

RULES = rules_of(__package__)
