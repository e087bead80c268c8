"""The rules of the sagas, from the page `rules.toml`, and the reasons that they give, from `reasons.toml`."""

from __future__ import annotations

from patterns.engine.sentences import page_of, rules_of

RULES = rules_of(__package__)
REASONS = page_of(__package__, "reasons.toml")
"""Kind of `Reason` -> why a request is refused, a step fails, or a saga turns back."""
