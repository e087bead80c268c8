"""The judges of the three tasks accept right processes and name each usual mistake. They answer any code in words."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from patterns.engine.exercise import UNWRITTEN
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.planted import Search, planted
from patterns.engine.process import on, on_timer
from patterns.engine.properties import NoFailure, Sometimes
from patterns.engine.script import Script
from patterns.engine.sentences import page_of
from patterns.engine.trace import sent
from patterns.workshop import EXERCISES, GOSSIP, MUTEX, PAXOS, usual_run
from patterns.workshop.gossip import Compare, Gossip, Gossiper, Heard, Rumour, Tell, is_quiet
from patterns.workshop.judging import Live
from patterns.workshop.mutex import Ack, Ask, Contender, Enter, Mutex, one_inside
from patterns.workshop.paxos import Accept, Node, Paxos, Prepare, Promise
from widgets import play
from widgets.exercise import check

PAGE = Path(__file__).resolve().parents[2] / "notebooks" / "solutions" / "workshop.py"
MACHINES = {"mutex": Mutex(), "gossip": Gossip(), "paxos": Paxos()}
BAD_RUNS = {
    "mutex": (
        "enters after the first Ack",
        "counts Acks only",
        "enters on a tie",
        "a receipt does not move the clock",
        "keeps its own request",
        "no Release",
    ),
    "gossip": ("never loses interest", "a known rumour is hot again", "answers only what is new", "forgets its own"),
    "paxos": (
        "uses a number twice after a crash",
        "accepts an older number",
        "the promise is not on disk",
        "proposes its own value",
        "takes the lowest number",
        "one is enough",
        "all must answer",
        "counts messages instead of nodes",
        "counts old promises",
        "proposes again at a late promise",
    ),
}
"""Task -> mistakes with a run that breaks a property of the task."""


def page() -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("solutions_of_the_workshop", PAGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


RIGHT = page()
SOLVED = {"mutex": RIGHT["MyMutex"], "gossip": RIGHT["MyGossip"], "paxos": RIGHT["MyNode"]}


@pytest.mark.parametrize("task", EXERCISES)
def test_the_judge_accepts_the_page_of_solutions(task: str) -> None:
    verdict = EXERCISES[task].judge(SOLVED[task])
    assert verdict.accepted, verdict
    assert verdict.tried > 15
    assert verdict.states > 3_000
    assert verdict.runs >= 40
    assert "random runs of a larger machine" in verdict.headline


@pytest.mark.parametrize("task", EXERCISES)
def test_the_judges_own_solution_is_right_in_all_situations(task: str) -> None:
    exercise = EXERCISES[task]
    assert exercise._replace(searches=()).judge(exercise.solution).accepted


@pytest.mark.parametrize(("task", "at"), [(task, at) for task, e in EXERCISES.items() for at in range(len(e.mistakes))])
def test_a_usual_mistake_is_refused_by_its_name_with_its_hint(task: str, at: int) -> None:
    mistake = EXERCISES[task].mistakes[at]
    verdict = EXERCISES[task]._replace(put=None).judge(mistake.function)
    assert (verdict.accepted, verdict.mistake, verdict.hint) == (False, mistake.name, mistake.hint)
    assert verdict.failing.startswith("The case: ")
    assert "Expected: " in verdict.failing


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in BAD_RUNS.items() for name in names])
def test_a_bad_run_opens_in_the_player_at_the_step_that_breaks_a_promise(task: str, name: str) -> None:
    [mistake] = [each for each in EXERCISES[task].mistakes if each.name == name]
    judged = check(EXERCISES[task], mistake.function)
    assert judged.verdict.mistake == name
    assert "In a run: " in judged.verdict.failing
    player = judged.player
    assert player is not None
    assert player.history.step.depth > 0
    assert player.step is player.history.step


def test_each_hint_of_the_page_is_that_of_a_mistake_and_each_task_has_ten() -> None:
    hints = page_of("patterns.workshop", "mistakes.toml")
    assert hints == {name: {m.name: m.hint for m in exercise.mistakes} for name, exercise in EXERCISES.items()}
    assert min(len(exercise.mistakes) for exercise in EXERCISES.values()) >= 10


# Any code is answered in words


def cells_of_the_notebook() -> dict[str, str]:
    cells = json.loads((PAGE.parents[1] / "workshop_tasks.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


@pytest.mark.parametrize("task", EXERCISES)
def test_the_skeleton_in_the_notebook_is_not_attempted_yet(task: str) -> None:
    cells, scope = cells_of_the_notebook(), dict[str, Any]({"__name__": "workshop_tasks"})
    for id in ("mutex", "gossip", "paxos"):
        imports = [line for line in cells[f"{id}-watch"].splitlines() if line.startswith("from")]
        exec(compile("\n".join([*imports, cells[id]]), id, "exec", dont_inherit=True), scope)
    exercise, name = EXERCISES[task], {"mutex": "MyMutex", "gossip": "MyGossip", "paxos": "MyNode"}[task]
    assert cells[f"{task}-check"] == f"check({task.upper()}, {name})"
    verdict = exercise.judge(scope[name])
    assert (verdict.accepted, verdict.attempted) == (False, False)
    assert verdict.hint == "Write the methods of your class above, and run both cells again."


class BlankMutex(Contender):
    @on(Ask)
    def asked(self, sender: str, message: Ask) -> None:
        raise NotImplementedError


class BlankGossip(Gossiper):
    @on(Rumour)
    def hear(self, sender: str, message: Rumour) -> None:
        raise NotImplementedError

    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        raise NotImplementedError

    @on(Compare)
    def compared(self, sender: str, message: Compare) -> None:
        raise NotImplementedError


class HalfMutex(Contender):
    """Rule 1 is written, and no other."""

    def ask(self) -> None:
        for other in self.others:
            self.send(other, Ask(1))

    @on(Ask)
    def asked(self, sender: str, message: Ask) -> None:
        raise NotImplementedError


def test_what_is_not_written_yet_is_told_from_what_is_wrong() -> None:
    verdict = MUTEX.judge(HalfMutex)
    assert verdict.attempted
    assert "P2's request arrives. What does P1 send? Expected: Ack to P2. Yours is not written yet" in verdict.failing
    assert verdict.hint == UNWRITTEN


@pytest.mark.parametrize("given", [3, MUTEX.solution("P1", ("P2",)), len, Contender.ask, GOSSIP.solution])
def test_what_is_no_class_of_the_task_is_refused_in_words(given: Any) -> None:
    verdict = MUTEX.judge(given)
    assert not verdict.accepted
    assert "`Contender`" in verdict.hint


def test_a_handler_that_does_not_end_is_stopped_and_told() -> None:
    class Spins(MUTEX.solution):  # type: ignore[misc, name-defined]
        def hear(self, sender: str, time: int) -> None:
            while self.clock < time:
                pass

    class SpinsOn(MUTEX.solution):  # type: ignore[misc, name-defined]
        def hear(self, sender: str, time: int) -> None:
            while self.clock < time:
                try:
                    pass
                except Exception:  # it must not take what stops the loop
                    continue

    for each in (Spins, SpinsOn):
        verdict = MUTEX.judge(each)
        assert "Endless: a handler ran 20,000 lines and did not end" in verdict.failing
        assert verdict.hint.startswith("A loop does not end")


class Chatters(MUTEX.solution):  # type: ignore[misc, name-defined]
    """It answers each Ack with another one."""

    @on(Ack)
    def acknowledged(self, sender: str, message: Ack) -> None:
        super().acknowledged(sender, message)
        self.send(sender, Ack(self.clock))


def test_messages_that_cause_each_other_for_ever_are_found() -> None:
    verdict = MUTEX.judge(Chatters)
    assert not verdict.accepted
    assert "does one cause another for ever?" in verdict.failing
    assert verdict.history is not None


@pytest.mark.parametrize("problem", [KeyError("x"), SystemExit(3), RecursionError("deep")])
def test_an_exception_in_a_handler_is_told_and_its_run_is_shown(problem: BaseException) -> None:
    class Raises(PAXOS.solution):  # type: ignore[misc, name-defined]
        @on(Accept)
        def accept(self, sender: str, message: Accept) -> None:
            raise problem

    verdict = PAXOS.judge(Raises)
    assert type(problem).__name__ in verdict.failing
    assert verdict.history is not None


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (lambda process: process.typo, "A field of a process needs its type"),
        (lambda process: [1], "A field holds values that never change"),
    ],
)
def test_a_usual_slip_with_fields_has_a_hint(value: Any, hint: str) -> None:
    class Slips(MUTEX.solution):  # type: ignore[misc, name-defined]
        @on(Ack)
        def acknowledged(self, sender: str, message: Ack) -> None:
            self.queue = value(self)

    assert hint in MUTEX.judge(Slips).hint


def test_a_class_without_a_handler_is_told_how_to_mark_one() -> None:
    class NoHandler(Contender):
        def ask(self) -> None:
            for other in self.others:
                self.send(other, Ask(1))

    verdict = MUTEX.judge(NoHandler)
    assert "NoHandler P1 has no handler for Ask" in verdict.failing
    assert "with `@on(...)` above it" in verdict.hint


# Other ways to be right


class CountsAcks(RIGHT["MyMutex"]):  # type: ignore[misc]
    """It counts the Acks for its request, and compares no times. With links that keep the order this is as good."""

    acks: frozenset[str] = frozenset()

    def ask(self) -> None:
        self.acks = frozenset()
        super().ask()

    @on(Ack)
    def acknowledged(self, sender: str, message: Ack) -> None:
        self.acks |= {sender}
        self.receipt(sender, message.time)

    def may_enter(self) -> bool:
        return bool(self.queue) and min(self.queue)[1] == self.id and len(self.acks) == len(self.others)


class TicksMore(RIGHT["MyMutex"]):  # type: ignore[misc]
    """It ticks for each Ack, too."""

    @on(Ask)
    def asked(self, sender: str, message: Ask) -> None:
        self.queue |= {(message.time, sender)}
        self.receipt(sender, message.time)
        self.clock += 1
        self.send(sender, Ack(self.clock))


@pytest.mark.parametrize("other", [CountsAcks, TicksMore])
def test_mutual_exclusion_written_in_another_way_is_accepted(other: type[Contender]) -> None:
    verdict = MUTEX.judge(other)
    assert verdict.accepted, verdict


def test_a_node_that_promises_the_same_number_again_is_right_in_all_situations() -> None:
    class Again(RIGHT["MyNode"]):  # type: ignore[misc]
        @on(Prepare)
        def prepare(self, sender: str, message: Prepare) -> None:
            if message.number >= self.promised:
                self.promised = message.number
                self.send(sender, Promise(message.number, self.accepted))

    assert PAXOS._replace(searches=()).judge(Again).accepted


def test_a_search_that_is_cut_short_accepts_nothing() -> None:
    short = Search(Mutex(), MUTEX.searches[0].properties, max_states=500)  # type: ignore[attr-defined]
    verdict = MUTEX._replace(searches=[short]).judge(MUTEX.solution)
    assert (verdict.accepted, verdict.failing) == (False, "")
    assert "max_states = 500 cut a search short" in verdict.undecided


def test_a_search_for_dead_ends_that_is_cut_short_accepts_nothing() -> None:
    live = GOSSIP.searches[0]
    assert isinstance(live, Live)
    verdict = GOSSIP._replace(searches=[live._replace(max_states=20)]).judge(GOSSIP.solution)
    assert not verdict.accepted
    assert "max_states = 20" in verdict.undecided


def test_a_search_for_dead_ends_that_is_stopped_accepts_nothing() -> None:
    def stopped(world: Any) -> bool:
        raise KeyboardInterrupt

    live = GOSSIP.searches[0]
    assert isinstance(live, Live)
    verdict = GOSSIP._replace(searches=[live._replace(ended=Sometimes("all is quiet", stopped))]).judge(GOSSIP.solution)
    assert (verdict.accepted, "an interruption" in verdict.undecided) == (False, True)


# What the papers say


def right(machine: Any) -> Any:
    [task] = [task for task, each in MACHINES.items() if each.name == machine.name]
    return planted(machine, process=EXERCISES[task].solution)


def test_an_entry_costs_three_messages_for_each_other_process() -> None:
    """Lamport 1978, rules 1 to 3: N - 1 requests, N - 1 acknowledgements, N - 1 releases."""
    for processes in (2, 3, 5):
        run = Script(right(Mutex(processes=processes, clients=1))).ask("A").finish()
        assert sum(len(sent(step)) for step in run.history.path[1:]) == 3 * (processes - 1)


def test_mutual_exclusion_breaks_if_messages_of_a_link_overtake_one_another() -> None:
    """The paper assumes that messages of a link arrive in the order in which they were sent."""
    found = explore(right(Mutex(clients=2, fifo=False)), max_states=20_000).counterexample
    assert found is not None
    assert found.property is one_inside


def test_a_rumour_can_die_out_before_all_nodes_know_it_and_anti_entropy_finds_them() -> None:
    """Demers et al. 1987, section 1.4: rumour mongering leaves a residue."""

    class OnlyRumours(GOSSIP.solution):  # type: ignore[misc, name-defined]
        @on_timer("compare")
        def compare(self) -> None:
            pass

    worlds = [
        Script(planted(Gossip(nodes=5, rumours=5, k=1, seed=seed), process=kind)).ask("A").ask("B").ask("C").ask("D")
        .ask("E").wait(900).world
        for seed in range(4)
        for kind in (OnlyRumours, GOSSIP.solution)
    ]  # fmt: skip
    rumours, both = worlds[::2], worlds[1::2]
    assert all(not any(len(node.hot) for node in world.processes) for world in worlds), "no rumour is hot any more"
    assert [sum(len(node.known) for node in world.processes) for world in rumours] == [23, 23, 25, 21]
    assert all(is_quiet(world) for world in both)


def test_two_proposers_can_stop_each_other_for_ever_and_one_alone_is_answered() -> None:
    """Lamport 2001, section 2.4: progress needs a distinguished proposer."""
    run = Script(right(Paxos()))
    for round in range(5):
        for client, name in (("A", "S1"), ("B", "S2")):
            run.ask(client)
            run.deliver(Prepare, sender=name, to="S3").deliver(Promise, sender="S3", to=name)
            assert run.world[name].proposed, round
            run.lose(Promise).lose(Prepare)
            if round or client == "B":
                run.deliver(Accept, to="S3")  # of the other one, too late
    assert all(call.waits for call in run.world.calls)
    assert not any(node.learned for node in run.world.processes)
    run.settle().ask("A").finish()
    assert run.world.call("A").reply


def test_a_value_stays_chosen_when_another_node_proposes_later() -> None:
    """P2: every higher-numbered proposal that is chosen has the value that was chosen first."""
    run = Script(right(Paxos())).ask("A").finish().ask("B").finish()
    assert {node.learned for node in run.world.processes[:2]} == {"red"}
    assert run.world.call("B").reply == "red"


# Each part does something


@pytest.mark.parametrize("task", EXERCISES)
def test_each_rule_of_a_task_fires_in_its_usual_run_and_every_step_has_a_picture(task: str) -> None:
    machine = MACHINES[task]
    history = usual_run(machine, EXERCISES[task].solution)
    letter = {"mutex": "M.", "gossip": "G.", "paxos": "X."}[task]
    rules = {rule for rule in machine.rules if rule.startswith((letter, "receive"))}
    assert rules == {note.rule for step in history.branch for note in step.notes}
    player = play(history)
    assert len(player.frames) == len(history.branch)
    assert history.step.depth == 0


def test_a_usual_run_ends_where_the_process_raises_an_exception() -> None:
    for blank, machine in ((BlankMutex, Mutex()), (BlankGossip, Gossip()), (Node, Paxos())):
        history: History[Any, Any] = usual_run(machine, blank)
        assert history.step.depth == 0
        assert len(history.branch) <= 2


def test_a_process_that_enters_without_a_client_is_told_so() -> None:
    class Enters(MUTEX.solution):  # type: ignore[misc, name-defined]
        def look(self) -> None:
            self.enter()

    found = explore(planted(Mutex(), process=Enters), max_states=500).counterexample
    assert found is not None
    assert isinstance(found.property, NoFailure)
    assert "no client of P2 waits" in found.reason or "no client of P3 waits" in found.reason


def test_the_messages_say_what_is_in_them() -> None:
    assert str(Promise(7, (5, "red"))) == "Promise 7, accepted 5: red"
    assert str(Promise(7, None)) == "Promise 7"
    assert str(Heard("fire", False)) == "fire was known"
    assert str(Compare(frozenset({"snow", "fire"}))) == "Compare fire and snow"
    assert [str(Enter()), str(Tell("fire"))] == ["enter", "a rumour: fire"]
