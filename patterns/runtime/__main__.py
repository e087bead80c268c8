"""One process as an OS process: python -m patterns.runtime patterns.consensus_raft:Server --id S1 --port 7001
--fields '{"peers": ["S2"]}' --peer S2=127.0.0.1:7002 --disk S1.disk

It listens on loopback unless told otherwise, prints what its rules say, and runs until it is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import msgspec

from patterns.engine.process import Process
from patterns.engine.sentences import sentence_of

from .channels import Closed, Lagged, Subscriber
from .envelopes import TOLD, Orders, Ready, Record
from .failpoint import DieAt
from .host import Address, Host
from .rpc import LOOPBACK
from .telling import Teller
from .wire import HEADER, WireError


def process_class(path: str) -> type[Process]:
    """The class at `module:Name`. Raises ValueError unless there is a Process of this name."""
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as problem:
        raise ValueError(f"process is {path!r}, which cannot be imported: {problem}") from None
    if not (isinstance(found, type) and issubclass(found, Process)):
        raise ValueError(f"process is {path!r}, which is no Process")
    return found


def address(text: str) -> tuple[str, Address]:
    """`name=host:port` in its parts. Raises ValueError."""
    name, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    if not (name and host and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ValueError(f"peer is {text!r}; allowed is name=host:port")
    return name, (host, int(port))


def point(words: Sequence[str]) -> DieAt:
    """`rule stage [nth]` in its parts. Raises ValueError."""
    if not 2 <= len(words) <= 3 or not all(word.isdecimal() for word in words[2:]):
        raise ValueError(f"die-at is {' '.join(words)!r}; allowed is: rule stage [nth]")
    return DieAt(words[0], words[1], *map(int, words[2:]))  # type: ignore[arg-type]  # it checks the stage


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m patterns.runtime", description=__doc__)
    parser.add_argument("process", help="the process's class, as module:Name")
    parser.add_argument("--id", required=True)
    parser.add_argument("--fields", default="{}", help="its other fields, as a JSON object")
    parser.add_argument("--host", default=LOOPBACK, help="where to listen (loopback)")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=HOST:PORT")
    parser.add_argument(
        "--disk",
        help="the file of its durable fields, a database if it is named .sqlite; without one, a crash forgets them",
    )
    parser.add_argument(
        "--die-at", nargs="+", metavar="WORD", help="kill -9 itself there: a rule, noted, written or sent [, nth time]"
    )
    parser.add_argument(
        "--child",
        action="store_true",
        help="be the child of a cluster: read orders from standard input and end when it ends, tell on standard output",
    )
    parser.add_argument("--quiet", action="store_true", help="tell nothing of what happens")
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    fields, peers = msgspec.json.decode(options.fields), dict(address(text) for text in options.peer)
    host = host_of(
        options.process,
        options.id,
        fields,
        peers,
        options.disk,
        options.die_at or (),
        host=options.host,
        port=options.port,
    )
    if options.host != LOOPBACK:
        print(
            f"{host.process.id} listens on {options.host}: every client that reaches it can read and write",
            file=sys.stderr,
        )
    async with host:
        work = [host.ended()]
        if not options.quiet:  # a subscriber that nothing is read from would cost memory and time
            work.append(say(host, host.narration.subscribe()))  # before the process takes its first step
        await first_of(work)


async def run_child(name: str, orders: Orders) -> None:
    fields = msgspec.msgpack.decode(orders.fields)
    network = {"port": orders.port, "token": orders.token, "shared_port": True}
    host = host_of(orders.process, name, fields, orders.peers, orders.disk, orders.die_at, **network)
    host.teller = teller = await Teller(type(host.process), orders.quiet).open()
    async with host:
        teller.say(Ready(host.port))
        await first_of([host.ended(), until_input_ends()])


def host_of(
    path: str,
    name: str,
    fields: Any,
    peers: Mapping[str, Address],
    disk: str | None,
    words: Sequence[str],
    **network: Any,
) -> Host:
    kind = process_class(path)
    kind.checked = False  # the simulator checks it; here it would hash a whole log for every entry
    process = msgspec.convert({**fields, "id": name}, kind)
    return Host(process, peers, disk=disk, die_at=point(words) if words else None, **network)


async def first_of(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait for the first of them to end, and cancel the others."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def orders_of_parent() -> Orders:
    """What the parent wrote to standard input. Raises WireError for anything else."""
    told = TOLD.decode(sys.stdin.buffer.read(TOLD.length(sys.stdin.buffer.read(HEADER))))
    if not isinstance(told, Orders):
        raise WireError(f"orders are {type(told).__name__}; a child of a cluster needs Orders")
    return told


async def say(host: Host, records: Subscriber[Record]) -> None:
    """What the rules say, in lines."""
    rules = getattr(host.process, "rules", {})

    def words(rule: str, values: Any) -> str:
        return sentence_of(rules[rule].sentence, values) if rule in rules else f"{rule} {dict(values)}"

    print(f"{host.process.id} listens on {host.host}:{host.port}", flush=True)
    with suppress(Closed):
        while True:
            with suppress(Lagged):
                if line := sentence(await records.recv(), words):
                    print(line, flush=True)


def sentence(record: Record, say: Callable[[str, Mapping[str, Any]], str]) -> str:
    """What a record says, a line a rule; empty where no rule fired."""
    return "\n".join(f"{record.at:.3f} {record.process}: {say(rule, values)}" for rule, values in record.notes)


async def until_input_ends() -> None:
    """Returns when standard input ends: whoever held its other end is gone, kill -9 included."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1 << 16):
        pass


def main() -> None:
    try:
        with suppress(KeyboardInterrupt):
            options = parsed()
            asyncio.run(run_child(options.id, orders_of_parent()) if options.child else run(options))
    except (ValueError, OSError, msgspec.MsgspecError) as problem:
        sys.exit(f"python -m patterns.runtime: {problem}")


if __name__ == "__main__":
    main()
