"""Every rule in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

SOURCE = "Le Lann 1977, 3"
RULES: Mapping[str, Rule] = {
    "T.ask": Rule("{client} asks **{who}** to enter; {who} waits for the token", SOURCE),
    "T.enter": Rule("**{who} enters** the critical section with token {number}, for {clients:names}", SOURCE),
    "T.pass": Rule("{who} has token {number}, and no client waits", SOURCE),
    "T.leave": Rule("**{who} leaves** the critical section and answers {clients:names}", SOURCE),
    "T.old": Rule("{who} ignores token {number}: it took token {seen} before", "a duplicate"),
}
