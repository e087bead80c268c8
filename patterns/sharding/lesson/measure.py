"""How long a client waits while a slot moves."""

from __future__ import annotations

from patterns.engine.script import Script
from patterns.sharding.messages import Ship
from patterns.sharding.resharding import OPERATOR, Resharding

from .broken import IN


def longest_write(way: str, copying: int = 300) -> int:
    """The longest write in ms, while a slot moves whose copy takes `copying` ms longer than other messages.

    Ann hands in one parcel after the other, until the slot has moved.
    """
    machine = Resharding(way=way, routers=1, orders=IN * 99, patience=9_000, ship_timeout=9_000, latency=(5, 5))
    run = Script(machine).ask(OPERATOR).delay(copying, Ship)
    while (call := run.world.call("Ann")) is None or call.waits or run.world["A"].hold(0).role != "given":
        run.advance() if call and call.waits else run.ask("Ann")
    calls = [call for step in run.history.branch if (call := step.state.call("Ann")) and not call.waits]
    return max(int(call.replied - call.asked) for call in calls)
