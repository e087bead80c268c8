"""Steps as frames: the JSON that a page draws, each frame only what changed since its parent's.

A page that has the frames steps without a kernel: everything that is said and drawn is in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from patterns.engine.choices import PACKET_GROUPS
from patterns.engine.machine import Choice, Machine
from patterns.engine.properties import AtRest, Property
from patterns.engine.step import Step
from widgets.question import Option, Question
from widgets.scene import Era, Fact, Mark, Moment, Panel, Scene, View

Json = dict[str, Any]
Changed = tuple[str, str, str, str, str]
Choices = tuple[Choice[Any], ...]
T = TypeVar("T")
NEAR = 32  # steps of which scene, choices and facts are kept; they are made again for others, for they are pure


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A choice in words; `about` are the marks it belongs to, `fill` what stands in the field that it asks for.

    With `several` it stands for all choices at these places: the menus, which are the same in most steps.
    """

    label: str
    group: str
    why_not: str = ""
    about: tuple[str, ...] = ()
    ask: str = ""
    likely: bool = False
    fill: str = ""
    several: tuple[int, ...] = ()


class PanelHead(msgspec.Struct, frozen=True):
    width: float
    height: float
    label: str
    title: str


class PanelChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A panel against the one of the step before: marks that are new, ids of those that are gone.

    Of a mark that is another one than before, `changed` has the fields that are: null for one that has its default now.
    """

    id: str
    head: PanelHead | None = None
    set: tuple[Mark, ...] = ()
    changed: dict[str, dict[str, Any]] = {}
    gone: tuple[str, ...] = ()


class Asking(msgspec.Struct, frozen=True):
    """A question that locks the step."""

    prompt: str
    options: tuple[Option, ...]


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a page knows of one step."""

    n: int
    depth: int
    event: str
    say: list[tuple[str, str, str]]
    """Sentence, rule, source of each rule that fired."""
    facts: list[Changed]
    """Who, field, was, is, where it is kept."""
    always: list[str]
    """Of each promise why it does not hold here, or nothing."""
    next: list[int | tuple[int, str]]
    """Choices, as places in the words, with when they are due."""
    cost: dict[str, int]
    panels: list[PanelChange]
    parent: int | None = None
    choice: int | None = None
    """The place of the choice that was taken at the parent; -1 for none that was offered."""
    rests: bool = False
    clock: str = ""
    quiet: bool = False
    fault: bool = False
    moment: Moment | None = None
    era: Era | None = None
    ask: Asking | None = None


class Frames:
    """The frames of one history's steps, in the order of their numbers."""

    def __init__(
        self,
        machine: Machine[Any, Any],
        view: View,
        properties: tuple[Property, ...],
        questions: Mapping[int, Question],
    ) -> None:
        self.machine, self.view, self.properties, self.questions = machine, view, properties, questions
        self.words: list[Json] = []
        """Every choice ever offered, once; frames point into it."""
        self._places: dict[Hashable, int] = {}
        self._menus: dict[Hashable, tuple[Choices, int]] = {}
        self._scenes: dict[int, Scene] = {}
        self._memories: dict[int, list[Any]] = {}
        self._costs: dict[int, dict[str, int]] = {}
        self._offered: dict[int, Choices] = {}
        self._facts: dict[int, tuple[Fact, ...]] = {}

    def of(self, step: Step[Any, Any]) -> Json:
        """The frame of a step whose parent's frame was made before."""
        parent, scene, question = step.parent, self._scene(step), self.questions.get(step.number)
        frame = Frame(
            n=step.number,
            depth=step.depth,
            event="the start" if parent is None else self.machine.describe(parent.state, step.event),
            say=self._said(step),
            facts=self._changes(step),
            always=self._verdicts(step),
            next=self._next(self._choices(step)),
            cost=self._cost(step),
            panels=_difference(None if parent is None else self._scene(parent), scene),
            parent=None if parent is None else parent.number,
            choice=None if parent is None else self._taken(parent, step.event),
            rests=self.machine.usual(step.state) is None,
            clock=scene.clock,
            quiet=scene.quiet,
            fault=scene.fault,
            moment=scene.moment,
            era=scene.era,
            ask=Asking(question.prompt, question.options) if question else None,
        )
        built: Json = msgspec.to_builtins(frame)
        for panel in built["panels"]:
            if "set" in panel:
                panel["set"] = [{name: _rounded(value) for name, value in mark.items()} for mark in panel["set"]]
        return built

    def _taken(self, parent: Step[Any, Any], event: Any) -> int:
        return next((at for at, choice in enumerate(self._choices(parent)) if choice.event == event), -1)

    def _said(self, step: Step[Any, Any]) -> list[tuple[str, str, str]]:
        """[sentence, rule, source] of each rule that fired; or what a fault did, which is no rule of the pattern."""
        if step.notes:
            return [(self.machine.say(n), n.rule, self.machine.rule_of(n).source) for n in step.notes]
        told_of = getattr(self.view, "told_of", None)
        return [(sentence, "", "") for sentence in (told_of(step) if told_of else ())]

    def broken(self, step: Step[Any, Any]) -> bool:
        """Whether any property does not hold at a step whose parent was seen before."""
        return any(self._verdicts(step))

    def _scene(self, step: Step[Any, Any]) -> Scene:
        return _near(self._scenes, step, lambda: self.view.scene_of(step))

    def _choices(self, step: Step[Any, Any]) -> Choices:
        return _near(self._offered, step, lambda: self.machine.choices(step.state))

    def _facts_of(self, step: Step[Any, Any]) -> tuple[Fact, ...]:
        return _near(self._facts, step, lambda: self.view.facts_of(step.state))

    def _next(self, choices: Choices) -> list[int | tuple[int, str]]:
        """The choices as places in `words`, the menus as one of them: in many steps they are the very same."""
        first = last = 0
        while first < len(choices) and choices[first].group == "next":
            first += 1
        for last in range(len(choices), first - 1, -1):
            if last == first or choices[last - 1].group not in PACKET_GROUPS:
                break
        start, menus, rest = choices[:first], choices[first:last], choices[last:]
        places = [self._word(choice) for choice in start]
        if len(menus) < 2 or any(choice.when for choice in menus):
            places += [self._word(choice) for choice in menus]
        else:
            places.append(self._several(menus))
        return [*places, *(self._word(choice) for choice in rest)]

    def _several(self, menus: Choices) -> int:
        key = tuple(map(id, menus))
        if (known := self._menus.get(key)) is not None:
            return known[1]
        several = tuple([self._place(choice) for choice in menus])
        place = self._placed(several, Word(label="", group="", several=several))
        self._menus[key] = menus, place  # the ids are theirs as long as they are kept
        return place

    def _word(self, choice: Choice[Any]) -> int | tuple[int, str]:
        """A choice as its place in `words`, with when it is due where that is known."""
        place = self._place(choice)
        return (place, choice.when) if choice.when else place

    def _place(self, choice: Choice[Any]) -> int:
        fill = str(getattr(choice.event, choice.ask)) if choice.ask else ""
        label, group, why_not, about = choice.label, choice.group, choice.why_not, choice.about
        key = (label, group, why_not, about, choice.ask, choice.likely, fill)
        if (place := self._places.get(key)) is not None:
            return place
        word = Word(
            label=label, group=group, why_not=why_not, about=about, ask=choice.ask, likely=choice.likely, fill=fill
        )
        return self._placed(key, word)

    def _placed(self, key: Hashable, word: Word) -> int:
        if key not in self._places:
            self._places[key] = len(self.words)
            self.words.append(msgspec.to_builtins(word))
        return self._places[key]

    def _changes(self, step: Step[Any, Any]) -> list[Changed]:
        """[who, field, was, is, where] of every field that changed here, and of each message sent; empty at the
        start."""
        now = self._facts_of(step)
        if step.parent is None:
            return []
        was = {(f.who, f.name): f for f in self._facts_of(step.parent)}
        there = {(fact.who, fact.name) for fact in now}
        gone = [fact for key, fact in was.items() if key not in there]
        sends_of = getattr(self.view, "sends_of", None)
        sends = sends_of(step) if sends_of else ()
        rows = [_row(was.get((f.who, f.name)), f) for f in now if was.get((f.who, f.name)) != f]
        return rows + [_row(f, None) for f in gone] + [_row(None, f) for f in sends]

    def _verdicts(self, step: Step[Any, Any]) -> list[str]:
        """For each property the reason why it does not hold here, or nothing."""
        if step.parent is None:
            memories = [p.begin(step.state) for p in self.properties]
        else:
            known = self._memories[step.parent.number]
            memories = [
                p.follow(memory, step.parent.state, step.event, step.state, step.notes)
                for p, memory in zip(self.properties, known, strict=True)
            ]
        self._memories[step.number] = memories
        asked = [not isinstance(p, AtRest) or self.machine.usual(step.state) is None for p in self.properties]
        return [
            (p.reason(memory, step.state) or "") if now else ""
            for p, memory, now in zip(self.properties, memories, asked, strict=True)
        ]

    def _cost(self, step: Step[Any, Any]) -> dict[str, int]:
        """What the run has cost up to and with this step."""
        total = {} if step.parent is None else dict(self._costs[step.parent.number])
        for name, cost in self.view.costs_of(step).items():
            total[name] = total.get(name, 0) + cost
        self._costs[step.number] = total
        return total


def _near(known: dict[int, T], step: Step[Any, Any], make: Callable[[], T]) -> T:
    """The frame of a step, from the cache or made now. Of NEAR steps it is kept."""
    if step.number not in known:
        while len(known) >= NEAR:
            del known[next(iter(known))]
        known[step.number] = make()
    return known[step.number]


def _row(was: Fact | None, now: Fact | None) -> Changed:
    fact = now or was
    assert fact is not None
    return fact.who, fact.name, was.value if was else "", now.value if now else "", fact.where


def _rounded(value: Any) -> Any:
    """A number of a mark, or several, with as many digits as a picture has use for."""
    if value.__class__ is float:
        return round(value, 4)
    return [round(each, 4) for each in value] if isinstance(value, list | tuple) else value


def _difference(before: Scene | None, after: Scene) -> list[PanelChange]:
    """The panels of `after`: of each, the marks that are new or other than `before`, and the ids that are gone."""
    old = {panel.id: panel for panel in before.panels} if before else {}
    return [_panel(old.get(panel.id), panel) for panel in after.panels]


def _panel(before: Panel | None, after: Panel) -> PanelChange:
    was = {mark.id: mark for mark in before.marks} if before else {}
    now = {mark.id: mark for mark in after.marks}
    if len(now) < len(after.marks):
        twice = next(id for id, n in Counter(mark.id for mark in after.marks).items() if n > 1)
        raise ValueError(f"panel {after.id!r} has two marks with the id {twice!r}; an id names one thing")
    new: list[Mark] = []
    changed: dict[str, dict[str, Any]] = {}
    for key, mark in now.items():
        old = was.get(key)
        if type(old) is not type(mark):
            new.append(mark)
        elif old != mark:
            changed[key] = _fields(old, mark)
    head = _head(after)
    return PanelChange(
        id=after.id,
        head=head if before is None or _head(before) != head else None,
        set=tuple(new),
        changed=changed,
        gone=tuple([key for key in was if key not in now]),
    )


def _fields(old: Any, mark: Any) -> dict[str, Any]:
    """The fields of a mark that are other than they were; None for one that has its default again."""
    found = {}
    for name, default in _defaults(mark.__class__):
        value = getattr(mark, name)
        if value != getattr(old, name):
            found[name] = None if value == default else _rounded(value)
    return found


@cache
def _defaults(kind: type[Mark]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(kind))


def _head(panel: Panel) -> PanelHead:
    return PanelHead(panel.width, panel.height, panel.label, panel.title)


def spread(frame: Json, words: list[Json]) -> list[int | list[Any]]:
    """The choices of a frame, those of its menus one by one."""
    places: list[Any] = []
    for word in frame["next"]:
        several = () if not isinstance(word, int) else words[word].get("several", ())
        places += several or [word]
    return places


def trimmed(frames: list[Json], words: list[Json]) -> tuple[list[Json], list[Json]]:
    """The frames and words of a page without a kernel: of the choices only what happens by itself or was taken."""
    taken = {(frame["parent"], frame["choice"]) for frame in frames[1:]}
    places: dict[int, int] = {}
    kept = []
    for frame in frames:
        choices: list[int | list[Any]] = []
        where: dict[int, int] = {}
        for at, word in enumerate(spread(frame, words)):
            place, *when = [word] if isinstance(word, int) else word
            if words[place]["group"] == "next" or (frame["n"], at) in taken:
                where[at] = len(choices)
                place = places.setdefault(place, len(places))
                choices.append([place, *when] if when else place)
        kept.append((frame | {"next": choices}, where))
    for frame, _ in kept[1:]:
        frame["choice"] = kept[frame["parent"]][1].get(frame["choice"], -1)
    return [frame for frame, _ in kept], [words[place] for place in places]
