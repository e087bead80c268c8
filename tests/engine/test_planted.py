"""A planted bug is found by the search that it declares; without it the same search finds nothing."""

from __future__ import annotations

import pytest
from models.replicas import (
    A_WRITE_IS_ANSWERED,
    ANSWERED_IS_EVERYWHERE,
    Backup,
    Copy,
    Forgetful,
    Hasty,
    OneRequest,
    Replicas,
)

from patterns.engine.history import History
from patterns.engine.planted import MANY_FAULTS, Bug, RandomWorlds, Scripted, Search, first_broken, planted, with_parts
from patterns.engine.process import Process
from patterns.engine.properties import Property
from patterns.engine.script import Script
from patterns.engine.simulation import Simulation
from patterns.engine.step import Note, Rule
from patterns.engine.world import Crash

CHECKED = (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED)
SMALL = OneRequest(backups=1, writes=1, timing="quiet", budget={"crash": 1})
FORGETFUL = Bug(
    "A backup acknowledges a copy that is only in memory.",
    {"backup": Forgetful},
    Search(SMALL, CHECKED),
    breaks=ANSWERED_IS_EVERYWHERE,
    random=RandomWorlds(Replicas(), CHECKED, range(50)),
)


def test_a_bug_is_found_and_its_repair_is_clean_in_the_same_bounds() -> None:
    found = FORGETFUL.found()
    assert found.counterexample.property is FORGETFUL.breaks
    assert any(isinstance(step.event, Crash) for step in found.counterexample.history.path)
    assert FORGETFUL.clean().holds
    assert FORGETFUL.machine.params == SMALL.params


def test_random_worlds_find_it_too_if_it_says_so() -> None:
    assert FORGETFUL.random_runs().counterexample.property is FORGETFUL.breaks
    with pytest.raises(ValueError, match="this bug names no random worlds"):
        FORGETFUL._replace(random=None).random_runs()


def test_random_worlds_can_be_what_finds_a_bug() -> None:
    worlds = RandomWorlds(Replicas(), CHECKED, range(5))
    bug = Bug("One acknowledgement is enough.", {"primary": Hasty}, worlds, ANSWERED_IS_EVERYWHERE)
    assert bug.found().counterexample.property is bug.breaks
    assert bug.clean().counterexample is None


def test_rough_probabilities_add_up_to_less_than_one() -> None:
    assert 0.5 < sum(MANY_FAULTS.values()) < 1


def test_a_machine_gets_other_parts_and_the_rules_of_those() -> None:
    class Chatty(Backup):
        rules = {"X": Rule("{who} chats", "none")}

    machine = with_parts(Replicas, backup=Chatty)
    assert machine.__name__ == "ChattyReplicas"
    assert {*machine.rules} == {*Replicas.rules, "X"}
    assert isinstance(machine().start()["B1"], Chatty)
    assert not isinstance(Replicas().start()["B1"], Chatty)
    with pytest.raises(ValueError, match="Replicas has no part 'bakcup'"):
        with_parts(Replicas, bakcup=Chatty)


class Plain(Simulation):
    """A machine with neither a name nor a table of rules."""

    backup = Backup

    class Params(Simulation.Params, frozen=True):
        copies: int = 1

    def processes(self) -> list[Process]:
        return [self.backup(id="B")]


def test_a_machine_without_a_name_has_that_of_its_class_and_its_replay_codes_fit_other_parts() -> None:
    history = History(Plain())
    history.apply(Crash("B"))
    assert Plain().name == "Plain"
    assert History.replay(planted(Plain(), backup=Forgetful), history.code).state.down == {"B"}


def test_a_machine_without_rules_says_a_note_by_its_rule_and_its_values() -> None:
    note = Note("copies", {"value": 3, "names": ("P", "B"), "who": "B"})
    assert Plain().say(note) == "**B** copies: value 3, names ('P', 'B')"
    assert Plain().rule_of(note).source == ""
    assert Plain().say(Note("waits", {"who": "B"})) == "**B** waits"
    with pytest.raises(KeyError, match=r"'copies' is noted, and is missing in Replicas\.rules"):
        Replicas().say(note)  # a table of rules has all of them


def test_parts_and_parameters_are_changed_together() -> None:
    machine = planted(SMALL, primary=Hasty, writes=2)
    assert machine.params == SMALL.again(writes=2).params
    assert isinstance(machine.start()["P"], Hasty)
    assert type(planted(SMALL, writes=2)) is OneRequest


def crash_the_backup(run: Script) -> None:
    run.ask("C1").deliver(Copy, to="B1").crash("B1").restart("B1").finish()


def test_a_scripted_run_is_watched_to_the_first_step_that_breaks_a_property() -> None:
    run = Scripted(SMALL, crash_the_backup, (ANSWERED_IS_EVERYWHERE,))
    played = run.run()
    assert played.counterexample is None
    assert played.history.step.depth == 0
    broken = run.run(planted(SMALL, backup=Forgetful)).counterexample
    assert broken.property is ANSWERED_IS_EVERYWHERE
    assert "B1 has 0" in broken.reason
    assert broken.history.step.depth == len(broken.history.path) - 1 > 3


def test_a_scripted_run_ends_where_the_script_cannot_go_on() -> None:
    class Silent(Backup):
        def copy(self, sender: str, message: Copy) -> None:
            raise RuntimeError("not written yet")

    played = Scripted(SMALL, crash_the_backup).run(planted(SMALL, backup=Silent))
    assert len(played.history.branch) == 2
    assert played.counterexample is None


def test_the_first_broken_property_of_a_branch_is_found_at_its_step() -> None:
    class Odd(Property):
        def begin(self, state: object) -> int:
            return 0

        def follow(self, memory: int, *step: object) -> int:
            return memory + 1

        def reason(self, memory: int, state: object) -> str | None:
            return "three steps" if memory == 3 else None

    history = Script(SMALL).ask("C1").finish().at("start").history
    broken = first_broken(history, [Odd("fewer than three steps")])
    assert (broken.reason, history.step.depth) == ("three steps", 3)
    assert first_broken(history, [ANSWERED_IS_EVERYWHERE]) is None
    assert issubclass(Backup, Process)
