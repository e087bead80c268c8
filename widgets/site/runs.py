"""The runs of a chapter: each has an address in its chapter's page, and the code that goes on with it in a notebook."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.history import History
from patterns.engine.planted import AnyMachine, Played
from widgets import play
from widgets.player import Player, packed
from widgets.site.story import Guided
from widgets.still import still

LONGEST = 60
"""Letters of an address."""
AHEAD = 40
"""Steps of a run that is shown where a search proves that something never happens."""


@dataclass(frozen=True)
class Run:
    """A run as a page has it."""

    address: str
    """Its name in the page of its chapter: `chapter.html#address/step`."""
    title: str
    player: Player
    code: str
    """What a learner types to go on with it in a notebook; `at=0` stands for the step."""
    sentence: str = ""
    """For a planted bug: what is wrong."""
    breaks: str = ""
    """For a planted bug: the promise that breaks."""
    reason: str = ""
    """For a planted bug: why the promise does not hold; empty if the search found that something never happens."""
    verdict: str = ""
    """For a planted bug: what was looked at."""

    @property
    def steps(self) -> int:
        """The steps of the branch that is shown."""
        return len(self.player.history.branch) - 1

    @property
    def at(self) -> int:
        """The number of the step at which it opens."""
        return self.player.history.step.number

    @property
    def still(self) -> str:
        """The picture of this step, as SVG."""
        return still(self.player.view.scene_of(self.player.step))

    @cached_property
    def state(self) -> dict[str, Any]:
        """What a page needs in order to show the run."""
        saved: dict[str, Any] = json.loads(self.player.saved)
        return saved

    @cached_property
    def plain(self) -> str:
        """The run without its questions and what stands above it: two runs of the same steps have the same."""
        frames = [{name: value for name, value in frame.items() if name != "ask"} for frame in self.state["frames"]]
        always = self.state["head"]["always"]
        return json.dumps([frames, self.state["words"], self.state["codes"], always], ensure_ascii=False)

    def write(self, folder: Path, twin: Run | None = None) -> None:
        """Write the run as a script that hands it to the page: a page from a disk may load a script, and no data.

        With a `twin` of the same steps, only the questions, the head and the cursor.
        """
        state = self.state
        if twin is not None:
            asks = {frame["n"]: frame["ask"] for frame in state["frames"] if "ask" in frame}
            state = {"twin": f"{folder.name}/{twin.address}", "asks": asks, "head": state["head"], "cursor": self.at}
        text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{self.address}.js").write_text(f'patternsRun("{folder.name}/{self.address}","{packed(text)}")\n')


def write_all(folder: Path, runs: Iterable[Run]) -> None:
    """Write the runs of a chapter, each step once. Raises ValueError for two runs with one address."""
    twins: dict[str, Run] = {}
    seen: set[str] = set()
    for run in runs:
        if run.address in seen:
            raise ValueError(f"two runs of {folder.name} have the address {run.address!r}: give one another title")
        seen.add(run.address)
        run.write(folder, twins.get(run.plain))
        twins.setdefault(run.plain, run)


def guided(run: Guided, title: str) -> Run:
    """A run of the story, under the heading of its section."""
    subtitle = str(run.player.head["subtitle"])
    return Run(run.cell, f"{title}: {subtitle}" if subtitle else title, run.player, run.code)


def gallery_of(chapter: Chapter) -> Iterator[Run]:
    """All runs of a chapter's gallery, in its order."""
    for title, make in chapter.gallery.items():
        player = Player(make(), subtitle=title)
        yield Run(address_of(title), title, player, _code(chapter, "GALLERY", title, "play({}(), at=0)"))


def broken_of(chapter: Chapter) -> Iterator[Run]:
    """The found run of every planted bug, opened at the step that breaks the promise.

    Where a search proves that something never happens, the run is one of many, and is opened at its end.
    """
    for title, bug in chapter.bugs.items():
        found = bug.found()
        if counterexample := found.counterexample:
            run, cell = found, "play({}.found(), at=0)"
        else:
            run = _some_run(bug.machine)
            cell = f'play(History.replay({{}}.machine, "{run.code}"), at=0)'
        player = play(run, subtitle=title)
        assert isinstance(player, Player)
        reason = counterexample.reason if counterexample else ""
        verdict = "A prepared run shows it." if isinstance(found, Played) else timeless(found.summary)
        address, code = f"broken-{address_of(title)}", _code(chapter, "BUGS", title, cell)
        yield Run(address, title, player, code, bug.sentence, bug.breaks.name, reason, verdict)


def _some_run(machine: AnyMachine) -> History[Any, Any]:
    """A run of at most AHEAD steps. If nothing happens by itself, the request that the machine offers last is made."""
    run = History(machine)
    for _ in range(AHEAD):
        if run.advance() is None:
            offered = [each for each in machine.choices(run.state) if each.group == "request" and not each.why_not]
            if not offered:
                break
            run.apply(offered[-1].event)
    return run


def timeless(text: str) -> str:
    """What a search says, without the seconds that it took on the machine that built the page."""
    return re.sub(r"(?: in|,) \d+\.\d+ s\b", "", text)


def address_of(title: str) -> str:
    """A title in letters that can stand in an address: `One bank votes no` is `one-bank-votes-no`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    return words if len(words) <= LONGEST else words[:LONGEST].rpartition("-")[0]


def _code(chapter: Chapter, name: str, title: str, cell: str) -> str:
    imports = f"from patterns.{chapter.name}.lesson import {name}\nfrom widgets import play"
    if "History." in cell:
        imports = f"from patterns.engine.history import History\n{imports}"
    return f"{imports}\n\n{cell.format(f'{name}[{json.dumps(title, ensure_ascii=False)}]')}"
