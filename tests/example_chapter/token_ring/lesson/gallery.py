"""Runs worth seeing. Each stands at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from token_ring.machine import TokenRing
from token_ring.station import Token


def in_turn() -> History[Any, Any]:
    return Script(TokenRing()).ask("B").ask("C").ask("A").finish().at("start").history


def doubled() -> History[Any, Any]:
    run = Script(TokenRing()).ask("B").until(on_its_way(Token, to="P2")).duplicate(Token).ask("C")
    return run.finish().at("start").history


def lost() -> History[Any, Any]:
    run = Script(TokenRing()).ask("B").until(fired("T.enter")).crash("P2").restart("P2").ask("C")
    return run.finish().at("start").history


GALLERY: Mapping[str, Callable[[], History[Any, Any]]] = {
    "The token goes round, and each station enters in turn": in_turn,
    "The token is on its way twice, and the second one is ignored": doubled,
    "A station crashes with the token, and no station enters again": lost,
}
