"""The player's half in Python: frames as differences, questions, invariants, what a page may ask, the saved page."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from patterns.engine.along import AlwaysNext, NeverTwice
from patterns.engine.history import History, ReplayError
from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.properties import Always, Sometimes
from patterns.engine.step import Note, Rule
from widgets.player import Player
from widgets.question import Option, Question
from widgets.scene import Disc, Fact, Label, Panel, Scene


class Climb(msgspec.Struct, frozen=True, tag=True):
    by: int = 1


class Say(msgspec.Struct, frozen=True, tag=True):
    word: str = "hello"


class Ladder(Machine[tuple[int, str], Climb | Say]):
    """Climbs to five rungs, and can say a word."""

    name = "ladder"
    rules = {"L.1": Rule("climbs to **{rung}**", "Ladder 1.1"), "L.2": Rule("says {word}", "Ladder 1.2")}
    events = Climb | Say
    always = (
        Always("below four", lambda state: None if state[0] < 4 else f"it stands on rung {state[0]}"),
        AlwaysNext("never two at once", lambda was, now: "it jumped" if now[0] - was[0] > 1 else None),
        NeverTwice("one word a rung", lambda state, notes: [(state[0], state[1])]),
    )
    milestones = {"on the third rung": lambda step: step.state[0] == 3, "on the ninth": lambda step: step.state[0] == 9}

    def start(self) -> tuple[int, str]:
        return (0, "")

    def apply(self, state: tuple[int, str], event: Climb | Say) -> tuple[tuple[int, str], tuple[Note, ...]]:
        rung, _ = state
        if isinstance(event, Say):
            return (rung, event.word), (Note("L.2", {"word": event.word}),)
        if rung + event.by > 5:
            raise NotEnabled(f"there are 5 rungs; rung {rung + event.by} is not one of them")
        return (rung + event.by, ""), (Note("L.1", {"rung": rung + event.by}),)

    def choices(self, state: tuple[int, str]) -> tuple[Choice[Climb | Say], ...]:
        full = "" if state[0] < 5 else "the ladder ends here"
        leap = "" if state[0] < 4 else "too near the top"
        return (
            Choice(event=Climb(), label="climb **one**", when="1 ms", why_not=full, about=("me",)),
            Choice(event=Climb(2), label="climb two", why_not=leap),
            Choice(event=Say(), label="say", group="say", ask="word"),
        )


class LadderView:
    title = "Ladder"

    def scene_of(self, step: Any) -> Scene:
        rung, word = step.state
        marks = [Disc(id="me", x=50, y=100 - 10 * rung, text="me"), Label(id="floor", x=0, y=110, text="floor")]
        if word:
            marks.append(Label(id="word", x=60, y=50, text=word))
        panel = Panel(id="ladder", width=100, height=120, marks=tuple(marks), label=f"on rung {rung}")
        return Scene(panels=(panel,), quiet=rung == 2)

    def facts_of(self, state: tuple[int, str]) -> tuple[Fact, ...]:
        said = (Fact("me", "word", state[1], "memory"),) if state[1] else ()
        return (Fact("me", "rung", str(state[0]), "disk"), Fact("you", "seen", "all"), *said)

    def costs_of(self, step: Any) -> dict[str, int]:
        return {} if step.parent is None else {"steps": 1, "rungs": step.state[0] - step.parent.state[0]}


QUESTION = Question("What now?", (Option("up", "the ladder goes up", right=True), Option("down", "not by itself")))


def player(*events: Climb | Say, **options: Any) -> Player:
    history = History(Ladder())
    history.run(events)
    return Player(history, LadderView(), **options)


def heard(shown: Player, content: dict[str, Any]) -> dict[str, Any]:
    """What the player answers a page that sends `content`."""
    answers: list[dict[str, Any]] = []
    shown.send = lambda message, buffers=None: answers.append(message)  # type: ignore[method-assign]
    shown._asked(shown, content, [])
    return answers[-1]


def test_a_frame_holds_the_event_and_every_rule_that_fired_with_its_values_and_source() -> None:
    frame = player(Climb()).frames[1]
    assert frame["event"] == "climb **one**"
    assert frame["say"] == [("climbs to **1**", "L.1", "Ladder 1.1")]


def test_the_first_frame_has_the_whole_picture_and_each_other_only_what_changed() -> None:
    start, climbed, said, climbed_on = player(Climb(), Say(), Climb()).frames
    assert [mark["id"] for mark in start["panels"][0]["set"]] == ["me", "floor"]
    assert climbed["panels"][0]["changed"] == {"me": {"y": 90}}, "of a mark that moved, where it is now"
    assert [mark["id"] for mark in said["panels"][0]["set"]] == ["word"]
    assert "head" not in said["panels"][0], "the panel itself did not change"
    assert climbed_on["panels"][0]["gone"] == ("word",)


def test_differences_put_together_along_a_branch_give_the_scene_of_every_step() -> None:
    shown = player(Climb(), Say(), Climb(2))
    shown.history.jump(1)
    shown.history.apply(Climb(2))
    heard(shown, {"kind": "until", "at": 0, "name": "on the third rung"})
    for step in shown.history.steps:
        marks: dict[str, Any] = {}
        for ancestor in step.path:
            panel = shown.frames[ancestor.number]["panels"][0]
            marks = {k: v for k, v in marks.items() if k not in panel.get("gone", ())}
            marks |= {mark["id"]: mark for mark in panel.get("set", ())}
            for id, fields in panel.get("changed", {}).items():
                both = marks[id] | fields
                marks[id] = {name: value for name, value in both.items() if value is not None}
        (scene,) = LadderView().scene_of(step).panels
        assert marks == {mark.id: msgspec.to_builtins(mark) for mark in scene.marks}, f"step {step.number}"


def test_only_what_changed_is_shown_before_and_after() -> None:
    frames = player(Climb(), Say(), Climb()).frames
    assert frames[1]["facts"] == [("me", "rung", "0", "1", "disk")]
    assert frames[2]["facts"] == [("me", "word", "", "hello", "memory")]
    assert frames[3]["facts"] == [("me", "rung", "1", "2", "disk"), ("me", "word", "hello", "", "memory")]


def test_invariants_are_judged_on_the_state_shown_and_along_the_branch_that_led_to_it() -> None:
    shown = player(Climb(), Climb(2), Climb())
    reasons = [frame["always"][:2] for frame in shown.frames]
    assert reasons == [["", ""], ["", ""], ["", "it jumped"], ["it stands on rung 4", "it jumped"]]
    shown = player(Say("a"), Say("b"))
    assert shown.frames[2]["always"][2] == "0: first , now a"


def test_costs_add_up_along_each_branch() -> None:
    shown = player(Climb(), Climb(2))
    shown.history.jump(1)
    heard(shown, {"kind": "do", "at": 1, "choice": 0})
    assert shown.frames[2]["cost"] == {"steps": 2, "rungs": 3}
    assert shown.frames[3]["cost"] == {"steps": 2, "rungs": 2}


def test_a_choice_is_listed_once_however_often_it_is_offered_with_its_reason_when_it_cannot_happen() -> None:
    shown = player(Climb(), Climb(), Climb(), Climb(), Climb())
    assert len(shown.words) == 5, "one, two, say; and the two that can do nothing at the top"
    assert shown.words[shown.frames[5]["next"][0][0]]["why_not"] == "the ladder ends here"
    assert shown.frames[0]["next"][0] == (0, "1 ms")


def test_a_frame_knows_which_of_its_parents_choices_it_took() -> None:
    assert [frame.get("choice") for frame in player(Climb(2), Say("other"), Climb()).frames] == [None, 1, -1, 0]


def test_a_frame_says_when_nothing_more_happens_by_itself() -> None:
    assert [frame.get("rests", False) for frame in player(Climb(2), Climb(2), Climb()).frames] == [False] * 3 + [True]


def test_a_page_that_chooses_gets_the_new_frame_and_nothing_it_has() -> None:
    shown = player(Climb())
    answer = heard(shown, {"kind": "do", "at": 0, "choice": 1})
    assert [frame["n"] for frame in answer["frames"]] == [2]
    assert (answer["cursor"], shown.cursor, shown.history.state[0]) == (2, 2, 2)
    assert History.replay(Ladder(), answer["codes"]["2"]).state == shown.history.state
    assert heard(shown, {"kind": "do", "at": 0, "choice": 1})["frames"] == [], "the branch exists: it is followed"


def test_a_choice_that_asks_for_a_word_takes_the_learners() -> None:
    shown = player()
    heard(shown, {"kind": "do", "at": 0, "choice": 2, "fill": " good morning "})
    assert shown.step.event == Say("good morning")


def test_run_until_takes_the_steps_there_or_says_that_they_do_not_lead_there() -> None:
    shown = player()
    answer = heard(shown, {"kind": "until", "at": 0, "name": "on the third rung"})
    assert (answer["cursor"], answer["said"]) == (3, "on the third rung: after 3 steps")
    assert (
        heard(shown, {"kind": "until", "at": 3, "name": "on the ninth"})["said"]
        == "not reached: on the ninth; nothing more happens by itself"
    )


def test_run_until_counts_one_step_as_one() -> None:
    said = heard(player(Climb(2)), {"kind": "until", "at": 1, "name": "on the third rung"})["said"]
    assert said == "on the third rung: after 1 step"


def test_a_page_that_plays_on_gets_steps_to_show_one_by_one_and_stands_at_the_first() -> None:
    shown = player()
    answer = heard(shown, {"kind": "ahead", "at": 0, "steps": 3})
    assert [frame["n"] for frame in answer["frames"]] == [1, 2, 3]
    assert (answer["cursor"], shown.cursor, shown.step.number) == (1, 1, 1)
    assert [step.number for step in shown.history.branch] == [0, 1, 2, 3]


def test_a_run_can_be_told_to_run_until_an_invariant_is_broken() -> None:
    answer = heard(player(), {"kind": "until", "at": 0, "name": "an invariant is broken"})
    assert (answer["cursor"], answer["said"]) == (4, "an invariant is broken: after 4 steps")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"kind": "do", "at": 0, "choice": 9}, "no choice 9 at step 0: it has 3"),
        ({"kind": "do", "at": 99, "choice": 0}, "step 99 does not exist"),
        ({"kind": "dance", "at": 0}, "'dance'"),
        ({"kind": "open", "code": "ladder:xx:00000000"}, "damaged"),
        ({"kind": "until", "at": 0, "name": "on the moon"}, "on the moon"),
        ({"kind": "open"}, "'code'"),
        ({"kind": "do", "at": float("inf"), "choice": 0}, "infinity"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason_and_the_run_stays_as_it_was(
    content: dict[str, Any], why: str
) -> None:
    shown = player(Climb())
    frames = json.dumps(shown.frames)
    answer = heard(shown, content)
    assert answer["kind"] == "refused"
    assert why in answer["why"]
    assert (json.dumps(shown.frames), len(shown.history.steps), shown.step.number) == (frames, 2, 1)


def test_an_event_that_cannot_happen_is_refused_in_its_own_words() -> None:
    shown = player(Climb(), Climb(), Climb(), Climb(), Climb())
    assert heard(shown, {"kind": "do", "at": 5, "choice": 0})["why"].startswith("there are 5 rungs")


def test_a_replay_code_opens_its_run_in_the_same_player() -> None:
    code = player(Climb(2), Say("hi"), Climb()).history.code
    shown = player(Climb())
    answer = heard(shown, {"kind": "open", "code": code + "@2"})
    assert answer["said"] == "opened a run of 3 steps"
    assert len(shown.frames) == 4
    assert (shown.cursor, shown.step.state) == (2, (2, "hi"))
    with pytest.raises(ReplayError):
        shown.replay(code[:-1])
    assert shown.step.state == (2, "hi")


def test_a_question_locks_the_step_it_stands_at() -> None:
    assert "ask" in player(Climb(), Climb(), ask={2: QUESTION}).frames[2]


def test_a_question_about_a_step_that_the_branch_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="stands at step 7; the branch has steps 1 to 2"):
        player(Climb(), Climb(), ask={7: QUESTION})


@pytest.mark.parametrize("rights", [(), (0, 1)])
def test_a_question_has_exactly_one_right_answer(rights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Question("?", tuple(Option(text, "why", right=i in rights) for i, text in enumerate("ab")))


def test_the_kernel_follows_where_the_page_stands() -> None:
    shown = player(Climb(), Climb())
    shown.cursor = 1
    assert shown.step.number == 1


def test_two_marks_of_one_id_are_refused() -> None:
    class Twice(LadderView):
        def scene_of(self, step: Any) -> Scene:
            mark = Label(id="a", x=0, y=0)
            return Scene(panels=(Panel(id="p", width=1, height=1, marks=(mark, mark), label=""),))

    with pytest.raises(ValueError, match="two marks with the id 'a'"):
        Player(History(Ladder()), Twice())


def test_the_saved_page_is_one_small_file_that_needs_nothing_from_elsewhere(tmp_path: Any) -> None:
    shown = player(Climb(), Say("</script>"), Climb())
    page = shown.save(tmp_path / "ladder.html").read_text(encoding="utf-8")
    assert len(page) < 100_000
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("</script>") == 4, "a word of the run cannot end the script"
    packed = page.split('id="run">')[1].split("</script>")[0]
    run = json.loads(zlib.decompress(b64decode(packed), wbits=-15))
    assert [frame["event"] for frame in run["frames"]] == [frame["event"] for frame in shown.frames]
    assert not run["head"]["live"]


def on_rung(rung: int) -> Any:
    return lambda step: step.state[0] == rung


def asking(at: Any = None) -> Question:
    return Question(QUESTION.prompt, QUESTION.options, at=at)


def test_a_question_that_says_where_it_stands_locks_that_step() -> None:
    shown = player(Climb(), Climb(), Climb(), ask=[asking(on_rung(2)), asking(on_rung(3))])
    assert [number for number, frame in enumerate(shown.frames) if "ask" in frame] == [2, 3]


@pytest.mark.parametrize(
    ("at", "sentence"), [(None, "does not say where it stands"), (on_rung(9), "the run has no step")]
)
def test_a_question_without_a_step_is_refused(at: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        player(Climb(), ask=[asking(at)])


def test_a_property_that_stands_alone_is_refused_in_words_and_one_of_the_whole_search_is_not_shown() -> None:
    low = Always("low", lambda rung: None)
    with pytest.raises(ValueError, match="allowed is a list of properties"):
        player(Climb(), always=low)
    assert player(Climb(), always=(low, Sometimes("high", lambda rung: True))).head["always"] == ["low"]


def test_a_player_opens_where_something_happens() -> None:
    assert player(Climb(), Climb(), Climb(), at=on_rung(2)).cursor == 2
