"""Histories whose verdict others have published: the checker gives the same.

Porcupine's tests (github.com/anishathalye/porcupine, porcupine_test.go) and the runs of Jepsen against etcd that it
keeps (test_data/jepsen); Knossos' small bad histories (github.com/jepsen-io/knossos, data/cas-register/bad). Here are
the events that they recorded, written shorter.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from models.concurrent_clients import is_witness

from patterns.engine.linearizable import (
    CompareAndSwap,
    CompareAndSwapRegister,
    Operation,
    Read,
    Recorder,
    Register,
    Write,
    check,
)


def op(client: str, input: Any, called: int, returned: int, output: Any = None) -> Operation:
    return Operation(client=client, input=input, called=called, returned=returned, output=output)


PORCUPINE = {
    "TestRegisterModel, the good one": (
        [op("0", Write(100), 0, 100), op("1", Read(), 25, 75, 100), op("2", Read(), 30, 60, 0)],
        True,
    ),
    "TestRegisterModel, the bad one": (
        [op("0", Write(200), 0, 100), op("1", Read(), 10, 30, 200), op("2", Read(), 40, 90, 0)],
        False,
    ),
    "TestZeroDuration, the good one": (
        [
            op("0", Write(100), 0, 100),
            op("1", Read(), 25, 75, 100),
            op("2", Read(), 30, 30, 0),
            op("3", Read(), 30, 30, 0),
        ],
        True,
    ),
    "TestZeroDuration, the bad one": (
        [
            op("0", Write(200), 0, 100),
            op("1", Read(), 10, 10, 200),
            op("2", Read(), 10, 10, 200),
            op("3", Read(), 40, 90, 0),
        ],
        False,
    ),
}


@pytest.mark.parametrize("name", PORCUPINE)
def test_porcupines_own_histories(name: str) -> None:
    operations, linearizable = PORCUPINE[name]
    assert bool(check(operations, Register(0))) is linearizable


def jepsen(events: str) -> tuple[Operation, ...]:
    """`3.r` process 3 calls a read, `3.w4` a write of 4, `3.c42` a swap of 4 for 2; `3=4` the read returned 4 (`3=`: it
    returned nothing), `3+` the write or swap was done, `3-` the swap found another value, `3!` the operation failed and
    did nothing. An operation that timed out has no second event."""
    recorder, busy = Recorder(), dict[str, tuple[int, Any]]()
    for process, sign, value in re.findall(r"(\d+)([.=+!-])(\w*)", events):
        if sign == ".":
            kind, *values = value
            asked = {"r": Read, "w": Write, "c": CompareAndSwap}[kind](*map(int, values))
            busy[process] = recorder.call(process, asked), asked
            continue
        number, asked = busy.pop(process)
        if sign == "!":
            recorder.failed(number)
        elif isinstance(asked, Read):
            recorder.returned(number, int(value) if value else None)
        else:
            recorder.returned(number, sign == "+" if isinstance(asked, CompareAndSwap) else None)
    return recorder.operations


KNOSSOS = {
    "rethink-fail-minimal: a read between 0 and 4 is 3": ("0.w0 0+ 1.r 2.w4 1=3 2+ 3.r 3=4", "1", 3),
    "immediate-failure: a failed write is read": ("1.r 101.w3 101! 1=3", "1", 3),
    "bad-analysis: two reads of values long overwritten": (
        "4.w2 4+ 6.r 1.w4 1+ 14.r 14=4 9.w0 9+ 19.r 20.w1 19=0 22.r 21.r 21=2 22=3",
        "21",
        2,
    ),
}


@pytest.mark.parametrize("name", KNOSSOS)
def test_knossos_bad_histories_are_refused_for_the_operation_they_were_kept_for(name: str) -> None:
    """Its note on the first: a search must not blame the good operation that comes just after."""
    events, client, output = KNOSSOS[name]
    verdict = check(jepsen(events), CompareAndSwapRegister())
    assert verdict.counterexample is not None
    assert (verdict.counterexample.stuck.client, verdict.counterexample.stuck.output) == (client, output)


ETCD_002 = """
4.r 4= 1.w1 2.c24 3.c12 0.c14 1+ 0- 2+ 3+ 4.w0 4+ 1.w2 1+ 0.r 0=2 2.c02 3.c23 2- 3+ 4.r 4=3 1.w3 1+ 0.w2 2.w0 0+ 2+
3.c04 3+ 4.c34 4- 1.w1 0.w3 0+ 1+ 2.r 2=3 3.r 3=3 4.r 4=3 0.c43 0- 1.c22 2.w3 1- 3.w2 4.w2 4+ 0.c14 0- 1.w3 1+ 4.c30 4+
0.r 0=0 7.c31 1.w1 8.r 8=3 4.c40 1+ 0.w2 0+ 4- 8.c40 1.w0 1+ 0.w4 0+ 12.w4 4.r 4=4 1.r 1=4 0.w2 0+ 4.c30 4- 13.w3 1.w0
17.r 0.c21 17=3 4.w1 17.c01 18.r 18=3 6.w3 5.w2 9.c22 18.w4 22.w1 11.w3 10.c11 14.w0 11+ 23.c44 14+ 10- 23- 27.w1 11.w2
11+ 14.c12 10.r 10=2 14- 23.r 23=0 11.w1 11+ 10.r 10=1 14.w2 23.c23 32.c21 14+ 11.w4 11+ 10.c11 10- 14.w4 14+ 11.c24 11-
10.r 10=4 28.r 28=0 37.w3 14.r 14=4
"""
ETCD_000 = """
0.r 3.r 2.w4 1.w2 4.w3 3= 0= 4+ 1+ 2+ 3.w3 0.r 0=3 3+ 4.r 4=3 1.r 1=3 2.c30 2+ 0.w2 3.r 0+ 3=0 4.r 4=2 1.c03 2.c00 1- 2-
0.c21 3.r 3=2 0+ 4.r 4=1 1.r 1=1 2.r 2=1 3.w0 0.c13 3+ 4.w2 0- 4+ 1.r 1=2 2.c11 2- 3.c00 0.r 0=2 4.w1 3- 1.c21 2.w2 2+
0.c14 3.w3 0- 3+ 2.w2 9.w3 0.r 0=3 2+ 3.c34 3- 6.c11 0.w1 0+ 2.c00 2- 3.c22 3- 14.w4 0.c43 0- 2.w0 11.r 11=2 2+ 3.w2 3+
0.w1 11.c21 2.c03 3.r 3=2 19.r 19=2 3.r 3=2 19.c13 19+ 5.w0 16.c43 7.c12 5+ 7- 16- 3.c42 3- 19.c01 19+ 5.c40 7.c14 16.r
16=1 3.c13 3- 5+ 7+ 19.c20 19- 16.r 16=0 3.r 3=0 5.r 7.c42 5=0 7- 19.c23 19- 16.c41 3.w4 5.w4 7.c02 19.r 19=0 19.w3 19+
21.c20 21- 8.w4 10.w2 10+ 12.c44 19.w4 21.r 21=4 19+ 10.c01 10- 21.c33 21- 19.r 19=4 13.c22 17.c44 10.r 10=1
"""


@pytest.mark.parametrize(
    ("events", "linearizable"), [(ETCD_002, True), (ETCD_000, False)], ids=["etcd_002", "etcd_000"]
)
def test_jepsens_runs_against_etcd(events: str, linearizable: bool) -> None:
    """Some eighty operations each, a good many timed out, on values from 0 to 4."""
    operations = jepsen(events)
    verdict = check(operations, CompareAndSwapRegister())
    assert bool(verdict) is linearizable
    if linearizable:
        assert is_witness(verdict.order, operations, CompareAndSwapRegister())
    else:
        assert verdict.counterexample is not None
        assert len(verdict.counterexample.operations) <= 3
