"""What linearizable means, history by history.

Herlihy & Wing, Linearizability: A Correctness Condition for Concurrent Objects (TOPLAS 1990); Wing & Gong, Testing and
Verifying Concurrent Objects (JPDC 1993); Horn & Kroening, Faster Linearizability Checking via P-Compositionality
(FORTE 2015); Lowe, Testing for Linearizability (CCPE 2017).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from models.append_list import Append, AppendList
from models.concurrent_clients import is_witness

from patterns.engine.linearizable import (
    CompareAndSwap,
    CompareAndSwapRegister,
    Get,
    HistoryError,
    KeyValueStore,
    Model,
    Operation,
    Put,
    PutIf,
    Read,
    Recorder,
    Register,
    Undecided,
    Verdict,
    Write,
    check,
)


class Enqueue(msgspec.Struct, frozen=True):
    value: str
    queue: str = "q"


class Dequeue(msgspec.Struct, frozen=True):
    queue: str = "q"


class Queues(Model):
    """First in, first out: the object of Herlihy and Wing's figures. A dequeue of an empty queue never returns."""

    name = "queue"
    start = ()

    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        if isinstance(input, Enqueue):
            return (*state, input.value), None
        return (state[1:], state[0]) if state else (state, "nothing, yet")

    def key(self, input: Any) -> str:
        return str(input.queue)


def history(events: str, calls: dict[str, Any]) -> tuple[Operation, ...]:
    """`A:E(x) B:D A=ok B=x`: A calls, B calls, A returns, B returns x."""
    recorder = Recorder()
    busy: dict[str, int] = {}
    for event in events.split():
        if ":" in event:
            client, call = event.split(":")
            busy[client] = recorder.call(client, calls[call])
        else:
            client, output = event.split("=")
            recorder.returned(busy.pop(client), None if output == "ok" else output)
    return recorder.operations


QUEUE = {"E(x)": Enqueue("x"), "E(y)": Enqueue("y"), "E(z)": Enqueue("z"), "D": Dequeue()}

QUEUE_HISTORIES = {
    "H1: overlapping enqueues may take effect in either order": (
        "A:E(x) B:E(y) B=ok A=ok B:D B=x A:D A=y A:E(z)",
        True,
    ),
    "H2: x was enqueued before y was called, so it comes out first": ("A:E(x) A=ok B:E(y) A:D B=ok A=y", False),
    "H3: an enqueue that has not returned may have taken effect": ("A:E(x) B:D B=x", True),
    "H4: nothing comes out twice": ("A:E(x) B:E(y) A=ok B=ok A:D C:D A=y C=y", False),
}


@pytest.mark.parametrize("name", QUEUE_HISTORIES)
def test_the_queue_histories_of_herlihy_and_wing(name: str) -> None:
    """Herlihy & Wing 1990, section 1 and 2.3: the four histories of a queue by which the definition is explained."""
    events, linearizable = QUEUE_HISTORIES[name]
    operations = history(events, QUEUE)
    verdict = check(operations, Queues())
    assert bool(verdict) is linearizable, str(verdict)
    assert not linearizable or is_witness(verdict.order, operations, Queues())


def test_a_system_is_linearizable_when_each_of_its_objects_is() -> None:
    """Herlihy & Wing 1990, Theorem 1 (locality); by sequential consistency each of these two queues would do by itself
    and both together not (3.3). Here already the one is refused: x was enqueued before y was."""
    calls = {f"{q}.{name}": msgspec.structs.replace(call, queue=q) for q in "pr" for name, call in QUEUE.items()}
    events = "A:p.E(x) A=ok B:r.E(y) B=ok A:r.E(x) A=ok B:p.E(y) B=ok A:p.D A=y B:r.D B=x"
    verdict = check(history(events, calls), Queues())
    assert not verdict
    assert verdict.counterexample is not None
    assert {one.input.queue for one in verdict.counterexample.operations} == {"p"}, "one queue is enough to see it"
    assert check(history(events.replace("A=y", "A=x").replace("B=x", "B=y"), calls), Queues())


REGISTER = {"r": Read(), "w0": Write("0"), "w1": Write("1"), "w2": Write("2")}

REGISTER_HISTORIES = {
    "a read that overlaps a write sees the old value": ("A:w1 B:r B=0 A=ok", True),
    "or the new one": ("A:w1 B:r B=1 A=ok", True),
    "but once one read has seen the new value, a later one does not see the old": ("A:w1 B:r B=1 C:r C=0 A=ok", False),
    "though an overlapping one may": ("A:w1 B:r C:r B=1 C=0 A=ok", True),
    "a write is seen by whoever calls after it returned": ("A:w1 A=ok B:r B=0", False),
    "a value that was never written is never read": ("A:w1 B:r B=2 A=ok", False),
    "two writes that overlap: readers agree on their order": ("A:w1 B:w2 A=ok B=ok C:r C=1 D:r D=2", False),
    "a write without an answer may take effect late": ("A:w1 B:r B=0 C:r C=0 B:r B=1", True),
    "or never": ("A:w1 B:w2 B=ok C:r C=2 C:r C=2", True),
    "but only once": ("A:w1 B:r B=1 B:w2 B=ok C:r C=1", False),
    "nothing happened": ("", True),
    "nothing has returned": ("A:w1 B:w2 C:r", True),
}


@pytest.mark.parametrize("name", REGISTER_HISTORIES)
def test_a_register(name: str) -> None:
    """Herlihy & Wing 1990, 2.3: an operation seems to take effect at one instant between its call and its return;
    2.2: one that has not returned may have done so or not."""
    events, linearizable = REGISTER_HISTORIES[name]
    operations = history(events, REGISTER)
    verdict = check(operations, Register("0"))
    assert bool(verdict) is linearizable, str(verdict)
    assert is_witness(verdict.order, operations, Register("0")) is linearizable


def op(client: Any, input: Any, called: float, returned: float | None, output: Any = None, **more: Any) -> Operation:
    return Operation(client=client, input=input, called=called, returned=returned, output=output, **more)


def test_a_failed_operation_has_certainly_not_taken_effect() -> None:
    assert check([op("A", Write(1), 0, 1, failed=True), op("B", Read(), 2, 3, None)], Register())
    assert not check([op("A", Write(1), 0, 1, failed=True), op("B", Read(), 2, 3, 1)], Register())
    assert check([op("A", Write(1), 0, None), op("B", Read(), 2, 3, 1)], Register()), "without an answer it may have"


def test_what_meets_in_one_instant_overlaps() -> None:
    """No order is claimed that nobody saw: only a return strictly before a call precedes it."""
    assert check([op("A", Write(1), 0, 5), op("B", Read(), 5, 6, None)], Register())
    assert not check([op("A", Write(1), 0, 4.999), op("B", Read(), 5, 6, None)], Register())


def test_an_operation_may_take_no_time() -> None:
    assert check([op("A", Write(1), 0, 9), op("B", Read(), 3, 3, 1), op("C", Read(), 3, 3, None)], Register())
    assert not check([op("A", Write(1), 0, 9), op("B", Read(), 3, 3, 1), op("C", Read(), 4, 4, None)], Register())


def test_a_client_that_gave_up_on_an_operation_goes_on() -> None:
    assert check([op("A", Write(1), 0, None), op("A", Write(2), 1, 2), op("A", Read(), 3, 4, 1)], Register())


def test_a_swap_takes_effect_where_its_value_is_expected_and_tells() -> None:
    register = CompareAndSwapRegister(0)
    both = [op("A", CompareAndSwap(0, 1), 0, 3, True), op("B", CompareAndSwap(0, 2), 1, 4, True)]
    assert not check(both, register), "only one of two swaps of the same value can succeed"
    one = [both[0], msgspec.structs.replace(both[1], output=False)]
    assert check([*one, op("C", Read(), 5, 6, 1)], register)
    assert not check([*one, op("C", Read(), 5, 6, 2)], register)
    assert check([op("A", CompareAndSwap(0, 1), 0, None), op("B", Read(), 1, 2, 1)], register)


def test_the_keys_of_a_store_are_checked_apart() -> None:
    """P-compositionality (Horn & Kroening 2015): and the witness is still one order of everything."""
    operations = [
        op("A", Put("x", 1), 0, 10),
        op("B", Put("y", 1), 1, 9),
        op("C", Get("x"), 2, 8, 1),
        op("C", Get("y"), 9, 11, 1),
        op("B", PutIf("y", 1, 2), 10, 12, True),
        op("D", Get("y"), 13, 14, 2),
        op("D", PutIf("z", None, 7), 15, 16, True),
        op("A", PutIf("z", None, 8), 17, 18, False),
    ]
    verdict = check(operations, KeyValueStore())
    assert is_witness(verdict.order, operations, KeyValueStore())
    refused = check([*operations, op("E", Get("x"), 20, 21, None)], KeyValueStore())
    assert refused.counterexample is not None
    assert {one.input.key for one in refused.counterexample.operations} == {"x"}


def test_a_list_shows_all_that_was_appended_in_one_order_for_all() -> None:
    both = [op("A", Append(1), 0, 5), op("B", Append(2), 1, 6)]
    assert check([*both, op("C", Read(), 2, 3, (2,)), op("C", Read(), 7, 8, (2, 1))], AppendList())
    assert not check([*both, op("C", Read(), 2, 3, (2,)), op("C", Read(), 7, 8, (1, 2))], AppendList())
    assert not check([*both, op("C", Read(), 7, 8, (1,))], AppendList()), "both had returned"


def test_the_search_remembers_where_it_has_been() -> None:
    """Lowe 2017, section 3: with n overlapping writes there are n! orders, but only n 2^n places to be in."""
    writes = [op(f"w{number}", Write(number), 0, 100) for number in range(10)]
    impossible = [op("reader", Read(), 50 + 2 * n, 51 + 2 * n, value) for n, value in enumerate((3, 4, 3))]
    with pytest.raises(Undecided, match="no answer after 100 configurations of 13 operations, 0 of them pending"):
        check([*writes, *impossible], Register(), bound=100)
    assert not check([*writes, *impossible], Register(), bound=10 * 2**10 + 1)


def hard(key: str, reads: tuple[int, ...]) -> list[Operation]:
    """Eighteen writes of one key at the same time, and reads in which an overwritten value comes back: no order, but
    2^18 places to look at."""
    writes = [op(f"{key}{n}", Put(key, n), 0, 100 + n) for n in range(18)]
    return [*writes, *(op(f"{key}r", Get(key), 10 + 2 * n, 11 + 2 * n, value) for n, value in enumerate(reads))]


REFUTED = [op("x", Put("b", 1), 0, 1), op("x", Get("b"), 2, 3, 2), op("x", Put("b", 2), 4, 5)]


@pytest.mark.parametrize("operations", [[*hard("a", (3, 4, 3)), *REFUTED], [*REFUTED, *hard("a", (3, 4, 3))]])
def test_one_refuted_part_is_enough_however_hard_another_is(operations: list[Operation]) -> None:
    """D01: no order of all exists when one part has none (locality, Herlihy & Wing 1990, Theorem 1)."""
    verdict = check(operations, KeyValueStore(), bound=20_000)
    assert refusal(verdict).stuck == REFUTED[1]
    assert refusal(verdict).of == len(operations)


def test_a_large_easy_part_refutes_before_a_small_hard_one_is_searched_to_the_end() -> None:
    """D01: within bounds in stages. The hard part alone would take 20,000 configurations."""
    many = [op("x", Put("b", n), 1000 + 2 * n, 1001 + 2 * n) for n in range(50)]
    operations = [*hard("a", (3, 4, 3)), *many, op("x", Get("b"), 1100, 1101, 7)]
    assert refusal(check(operations, KeyValueStore(), bound=20_000)).stuck == operations[-1]


def test_a_verdict_is_open_only_when_no_part_is_refuted() -> None:
    fine = [op("x", Put("b", 1), 0, 1), op("x", Get("b"), 2, 3, 1)]
    with pytest.raises(Undecided, match="no answer after 20,000 configurations of 21 operations"):
        check([*hard("a", (3, 4, 3)), *fine], KeyValueStore(), bound=20_000)


def test_a_value_that_nobody_wrote_is_refuted_without_a_search() -> None:
    """Of eighteen writes at the same time no order needs to be tried: none of them writes -1."""
    verdict = check(hard("a", (3, -1)), KeyValueStore(), bound=10)
    assert [one.output for one in refusal(verdict).operations] == [-1]
    assert "at the start it would return nothing instead of -1" in refusal(verdict).words
    written_later = [*hard("a", (3, -1)), op("late", Put("a", -1), 0, None)]
    with pytest.raises(Undecided):
        check(written_later, KeyValueStore(), bound=10)


@pytest.mark.parametrize("acknowledged", ["OK", "ok", True, False, 0, None])
def test_an_acknowledgement_of_a_write_is_no_answer(acknowledged: Any) -> None:
    """Recorded clients note "OK" for a write; the model answers None."""
    write = op("A", Write(1), 0, 1, acknowledged)
    assert check([write, op("B", Read(), 2, 3, 1)], Register())
    assert not check([write, op("B", Read(), 2, 3, None)], Register())
    assert check([op("A", Put("k", 1), 0, 1, acknowledged), op("B", Get("k"), 2, 3, 1)], KeyValueStore())
    assert check([op("A", Append(1), 0, 1, acknowledged), op("B", Read(), 2, 3, (1,))], AppendList())
    assert not check([op("A", CompareAndSwap(0, 1), 0, 1, "OK")], CompareAndSwapRegister(0)), "a swap answers"


def test_clients_may_be_numbers() -> None:
    """D11: as Porcupine's and Jepsen's are."""
    operations = [op(0, Write(1), 0, 10), op(1, Write(2), 12, 20), op(7, Read(), 22, 30, 1), op("B", Read(), 31, 32, 2)]
    assert str(check(operations[:2], Register())) == "Linearizable, in this order:\n0: write 1\n1: write 2"
    text = str(check(operations, Register()))
    assert text.splitlines()[2:5] == [
        "0  ├─ write 1 ─┤",
        "1                 ├─ write 2 ─┤",
        "7                                ├─ ✗ read → 1 ─┤",
    ]
    assert "7's read → 1, from 22 to 30, cannot be placed:" in text


def test_values_are_told_apart_as_python_does() -> None:
    """`Model` says so: 1, 1.0 and True are one value."""
    assert check([op("A", Write(True), 0, 1), op("B", Read(), 2, 3, 1)], Register())


def test_equal_lost_operations_are_as_good_as_one_another() -> None:
    """Forty lost writes of two values: 2^40 subsets, and yet an answer within a thousand places a read."""
    lost = [op(f"lost{number}", Write(number % 2), number, None) for number in range(40)]
    reads = [op("reader", Read(), 100 + 2 * number, 101 + 2 * number, number % 2) for number in range(41)]
    assert not check(reads[:1], Register(), bound=10)
    assert check([*lost, *reads[:40]], Register(), bound=40_000)
    assert not check([*lost, *reads], Register(), bound=40_000), (
        "the reads change their mind more often than was written"
    )


@pytest.mark.parametrize("first", ["A", "B"])
def test_lost_operations_that_lead_to_the_same_state_are_not_the_same(first: str) -> None:
    """The first read of 1 may be due to the write or to the swap; the second, after a 5, only to the write."""
    lost = {"A": Write(1), "B": CompareAndSwap(0, 1)}
    operations = [
        *(op(client, asked, 0 if client == first else 1, None) for client, asked in lost.items()),
        op("C", Read(), 2, 3, 1),
        op("C", Write(5), 4, 5),
        op("C", Read(), 6, 7, 1),
    ]
    assert check(operations, CompareAndSwapRegister(0))
    assert not check([*operations, op("C", Write(0), 8, 9), op("C", Read(), 10, 11, 1)], CompareAndSwapRegister(0))


def test_a_place_is_looked_at_again_with_fewer_pending_operations_spent() -> None:
    """Where it was reached before, the pending swap was spent. Only without it the later swap of 1 can succeed."""
    operations = [
        op("A", Write(1), 0, 1),
        op("B", Write(0), 1, 1),
        op("C", CompareAndSwap(0, 0), 2, 4, False),
        op("D", CompareAndSwap(0, 1), 2, None),
        op("E", Write(0), 4, 4),
        op("F", CompareAndSwap(1, 1), 5, 7, True),
        op("G", Read(), 5, 6, 0),
    ]
    verdict = check(operations, CompareAndSwapRegister(0))
    assert [one.client for one in verdict.order] == list("BACEGDF")
    assert is_witness(verdict.order, operations, CompareAndSwapRegister(0))


# what the counterexample says


def refusal(verdict: Verdict) -> Any:
    assert verdict.counterexample is not None
    return verdict.counterexample


def test_a_counterexample_is_small_and_says_what_cannot_be_placed_and_why() -> None:
    noise = [op("N", Write(f"noise{number}"), 100 + 10 * number, 105 + 10 * number) for number in range(50)]
    operations = [
        *noise,
        op("A", Write(1), 1000, 1010),
        op("B", Write(2), 1020, 1030),
        op("C", Read(), 1005, 1025, 1),
        op("C", Read(), 1040, 1050, 1),
    ]
    assert str(check(operations, Register())) == (
        "Not linearizable: of 54 operations these 3 cannot be put in order.\n"
        "\n"
        "A  ├─ write 1 ─┤\n"
        "B                   ├─ write 2 ─┤\n"
        "C                                    ├─ ✗ read → 1 ─┤\n"
        "   1000        1010 1020        1030 1040           1050\n"
        "\n"
        "C's read → 1, from 1040 to 1050, cannot be placed:\n"
        "- after A's write 1, B's write 2 it would return 2 instead of 1\n"
        "These had ended before it was called, so they stand before it: A's write 1 (at 1010), B's write 2\n"
        "  (at 1030)."
    )


def test_every_answer_it_could_have_had_is_shown_with_an_order_that_leads_to_it() -> None:
    operations = history("A:w1 B:w2 C:r C=3 A=ok B=ok", REGISTER)
    found = refusal(check(operations, Register("0")))
    assert {answer for _, answer in found.attempts} == {"0", "1", "2"} & {answer for _, answer in found.attempts}
    assert found.stuck == operations[2]
    assert "- at the start it would return 0 instead of 3" in found.words


def test_an_operation_that_returned_only_after_things_went_wrong_is_shown_without_its_answer() -> None:
    operations = history("A:w1 B:r B=1 C:r C=0 A=ok", REGISTER)
    found = refusal(check(operations, Register("0")))
    assert [one.pending for one in found.operations] == [True, False, False]
    assert "├" in found.diagram
    assert "→\n" in found.diagram, "an arrow for the write that was still under way"
    assert "C's read → 0" in found.words.splitlines()[0]


def test_a_past_too_long_to_read_is_summed_up_in_what_it_can_have_left() -> None:
    recorder = Recorder()
    for turn in range(300):  # so many writes of 0 and 1 that a read of 0 could have seen any of a hundred
        for value in (0, 1, 2):
            recorder.returned(recorder.call("AB"[turn % 2], Write(value)))
    recorder.returned(recorder.call("C", Read()), 1)
    found = refusal(check(recorder.operations, Register()))
    assert len(found.operations) <= 3
    assert found.since is not None
    assert found.starts == (2,)
    assert f"Whatever the order of all that came before {found.since}, it left 2." in found.words


def test_the_verdict_shows_its_witness() -> None:
    verdict = check(history("A:w1 B:r B=1 A=ok", REGISTER), Register())
    assert str(verdict) == "Linearizable, in this order:\nA: write 1\nB: read → 1"
    assert repr(verdict) == "<Verdict: linearizable, 2 operations>"


# bad input

REFUSED = {
    "returned before it was called": ([op("A", Read(), 5, 4)], HistoryError, "returned is 4, before called, 5"),
    "no time": ([op("A", Read(), float("nan"), 4)], HistoryError, "called is nan .* must be a finite number"),
    "a time that is no number": ([op("A", Read(), 1, "soon")], HistoryError, "returned is 'soon' .* finite number"),  # type: ignore[arg-type]
    "two at a time": ([op("A", Read(), 0, 5), op("A", Read(), 4, 9)], HistoryError, "client 'A' called read at 4"),
    "an answer without a return": (
        [op("A", Read(), 0, None, 7)],
        HistoryError,
        "output is 7 of an operation that is pending",
    ),
    "an answer of what failed": ([op("A", Read(), 0, 1, 7, failed=True)], HistoryError, "output is 7 .* that failed"),
    "an input the model does not know": (
        [op("A", Append(1), 0, 1)],
        TypeError,
        "a register knows Read, Write; input is",
    ),
    "an input that can change": (
        [op("A", Write([1]), 0, 1)],
        TypeError,
        r"input of Operation.* is Write\(value=\[1\]\); allowed is a hashable value",
    ),
    "a client that can change": (
        [op(["A"], Read(), 0, 1)],
        TypeError,
        r"client of Operation.* is \['A'\]; allowed is a hashable value",
    ),
    "no client": ([op(None, Read(), 0, 1)], TypeError, "client is None; allowed is a name or a number"),
    "no operation": ([Read()], TypeError, "a history is made of Operation; this is a Read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    operations, error, said = REFUSED[what]
    with pytest.raises(error, match=said):
        check(operations, Register())  # type: ignore[arg-type]


def test_a_model_and_a_bound_are_checked_too() -> None:
    with pytest.raises(TypeError, match=r"model is <class .*Register'>; allowed is a Model: write Register\(\)"):
        check([], Register)  # type: ignore[arg-type]
    for bound in (0, 2.5, float("nan"), None, "9"):
        with pytest.raises(ValueError, match=f"bound is {bound!r}; allowed is a whole number, at least 1"):
            check([], Register(), bound=bound)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"start is \[1\]; allowed is a hashable value"):
        check([], Register([1]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="operations is None; allowed is a list of operations"):
        check(None, Register())  # type: ignore[arg-type]


def test_a_recorder_refuses_what_did_not_happen() -> None:
    recorder = Recorder()
    with pytest.raises(HistoryError, match="operation 0 was never called: 0 were"):
        recorder.returned(0)
    for number in ("x", None, 1.5, True, -1):
        with pytest.raises(HistoryError, match=f"operation {number!r} was never called"):
            recorder.returned(number)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="allowed is a hashable value"):
        recorder.call("A", Write([1]))
    recorder.failed(recorder.call("A", Read()))
    with pytest.raises(HistoryError, match="operation 0 is over"):
        recorder.returned(0, 1)
