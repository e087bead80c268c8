"""The player: one card that steps through a history, forward and back, without asking the kernel.

Only what makes new steps - a choice, a run until - goes to the kernel, which answers with the new frames.
"""

from __future__ import annotations

import html
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import traitlets

from patterns.engine.history import History
from patterns.engine.milestones import Reached
from patterns.engine.properties import Property, checked
from patterns.engine.sentences import counted
from patterns.engine.step import Step
from widgets import progress
from widgets.assets import SCRIPTS, STYLE, Shared
from widgets.declared import machines_of, milestones_of, view_of
from widgets.fallback import show
from widgets.frames import Frames, Json, trimmed
from widgets.question import Asked, locked_steps
from widgets.scene import View
from widgets.until import run_until

LONGEST_RUN = 400  # steps that one "run until" may take: so many frames a page gets in a second or two
BROKEN = "an invariant is broken"


class Run(Shared):
    """The frames of a run in the card that steps through them. Nothing here makes new frames."""

    script = "player"
    head = traitlets.Dict().tag(sync=True)
    frames: traitlets.List[Json] = traitlets.List().tag(sync=True)
    words: traitlets.List[Json] = traitlets.List().tag(sync=True)
    codes = traitlets.Dict().tag(sync=True)
    cursor = traitlets.Int().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    """Predictions made: the number of the step -> the place of the option that was taken."""


class Player(Run):
    """A history in a picture that can be stepped, branched and broken.

    `view` defaults to the one of the machine's chapter. `ask` lists the questions that lock a step (each says where by
    `at`), or maps depths on the history's current branch to questions. `always` defaults to the machine's invariants,
    `until` to its milestones with those of its chapter. `subtitle` says what run this is. The player opens at `at`: the
    number of a step, or an event such as `fired("AE.5")`. Without `at` it opens at the history's cursor. `hide_quiet`
    leaves out quiet steps (heartbeats) at first.

    Raises ValueError for a question about a step that the branch does not have.
    """

    def __init__(
        self,
        history: History[Any, Any],
        view: View | None = None,
        *,
        ask: Asked = (),
        always: tuple[Property, ...] | None = None,
        until: Mapping[str, Callable[[Step[Any, Any]], bool]] | None = None,
        subtitle: str = "",
        at: int | Reached | None = None,
        hide_quiet: bool = False,
    ) -> None:
        self._given = (view, always, until)
        self._subtitle, self._hide_quiet = subtitle, hide_quiet
        if callable(at):
            at = next((step.number for step in history.branch if at(step)), -1)
        if at is not None:
            history.jump(at)
        super().__init__(**self._load(history, ask))
        self.on_msg(self._asked)
        self.observe(self._moved, "cursor")
        self.observe(self._keep, "answers")

    def _load(self, history: History[Any, Any], ask: Asked) -> Json:
        """Take up a history; the traits that show it."""
        questions = locked_steps(history, ask)
        machine, (view, always, until) = history.machine, self._given
        self.history = history
        self.view = view_of(machine) if view is None else view
        every = checked(machine.always if always is None else always)
        self._always = tuple(each for each in every if isinstance(each, Property))
        self._until = dict(milestones_of(machine) if until is None else until)
        if self._always:
            self._until[BROKEN] = lambda step: self._frames.broken(step)
        self._frames = Frames(machine, self.view, self._always, questions)
        frames = [self._frames.of(step) for step in history.steps]
        return {
            "head": self._head(),
            "frames": frames,
            "words": list(self._frames.words),
            "codes": self._codes(),
            "cursor": history.step.number,
            "answers": {},
        }

    def _head(self) -> Json:
        return {
            "name": self.history.machine.name,
            "title": self.title,
            "subtitle": self._subtitle,
            "always": [p.name for p in self._always],
            "until": list(self._until),
            "lanes": list(self.view.scene_of(self.history.steps[0]).lanes),
            "hidesQuiet": self._hide_quiet,
            "quiet": getattr(self.view, "quiet", "heartbeats"),
            "signs": list(getattr(self.view, "signs", {}).items()),
            "live": True,
        }

    @property
    def title(self) -> str:
        """The view's title, or the name of a machine that has the default view."""
        return self.view.title or self.history.machine.name

    def _codes(self) -> dict[str, str]:
        return {str(leaf.number): self.history.code_of(leaf) for leaf in self.history.leaves}

    def _moved(self, change: Any) -> None:
        if 0 <= self.cursor < len(self.history.steps):
            self.history.jump(self.cursor)

    def _keep(self, change: Any) -> None:
        """Keep the predictions that were just made in the learner's progress."""
        for number in change.new.keys() - change.old.keys():
            question = self._frames.questions[int(number)]
            progress.predicted(question, question.options[change.new[number]])

    # what a page asks for; every answer is new frames, or the reason why there are none

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        here = self.history.step
        self.send({"kind": "heard"})  # a page whose kernel is gone does not hear this
        try:
            said = self._answer(content)
        except Exception as problem:  # of a page, a replay code, or a handler: the card says it, and waits no longer
            self.history.jump(here)
            code = {"code": content.get("code")} if content.get("kind") == "open" else {}
            self.send({"kind": "refused", "why": str(problem), **code})
            return
        self._publish(said)

    def _answer(self, asked: Json) -> str:
        kind, history = asked.get("kind"), self.history
        if kind == "open":
            self.replay(str(asked["code"]))
            return f"opened a run of {counted(len(self.history.branch) - 1, 'step')}"
        step = history.jump(int(asked["at"]))
        if kind == "do":
            choices, place = history.machine.choices(step.state), int(asked["choice"])
            if not 0 <= place < len(choices):
                raise ValueError(f"there is no choice {place} at step {step.number}: it has {len(choices)}")
            choice = choices[place]
            event = choice.event
            if choice.ask and "fill" in asked:
                event = msgspec.structs.replace(event, **{choice.ask: str(asked["fill"]).strip()})
            history.apply(event)
            return ""
        if kind == "ahead":
            ahead = [new for _ in range(min(int(asked["steps"]), 50)) if (new := history.advance()) is not None]
            if not ahead:
                return "nothing more happens by itself: choose what does"
            history.jump(ahead[0])  # the page stands there, and has what follows
            return ""
        if kind == "until":
            name = str(asked["name"])
            if name not in self._until:
                raise ValueError(f"cannot run until {name!r}; it can be: {', '.join(self._until)}")
            why_not = run_until(history, self._until[name], LONGEST_RUN)
            took = history.step.depth - step.depth
            steps = counted(took, "step")
            return f"not reached: {name}; {why_not}" if why_not else f"{name}: after {steps}"
        raise ValueError(f"the player asked for {kind!r}, which is not do, ahead, until or open")

    def _publish(self, said: str) -> None:
        """Send the frames that the page does not have. They join `frames` in place, so that they are not sent twice."""
        new = [self._frames.of(step) for step in self.history.steps[len(self.frames) :]]
        words = self._frames.words[len(self.words) :]
        codes = {str(step.number): self.history.code_of(step) for step in self.history.steps[-1:]}
        self.frames.extend(new)
        self.words.extend(words)
        self.codes.update(codes)
        here = self.history.step.number
        self.send({"kind": "frames", "frames": new, "words": words, "codes": codes, "cursor": here, "said": said})
        self.cursor = here

    # for cells

    def _ipython_display_(self) -> None:
        show(self, self.bundle)

    @property
    def step(self) -> Step[Any, Any]:
        """The step that is shown."""
        return self.history.step

    def replay(self, code: str) -> None:
        """Replace the run by the one of a replay code, of this machine or of another one of its chapter.

        Raises ReplayError, and keeps the run, if the code cannot be replayed.
        """
        name, here = code.strip().partition(":")[0], self.history.machine
        machine = next((each for each in (here, *machines_of(here)) if each.name == name), here)
        self.show(History.replay(machine, code))

    def show(self, history: History[Any, Any]) -> None:
        """Replace the run by another one."""
        loaded = self._load(history, {})
        with self.hold_sync():  # in one message: new frames and the old cursor would not fit together
            for name, value in loaded.items():
                self.set_trait(name, value)

    def page(self) -> str:
        """The run as one self-contained HTML page that steps without a kernel, offline."""
        script = SCRIPTS[self.script].replace("export default", "const player =")
        parts = {"style": STYLE, "script": script, "run": self.saved}
        return PAGE.format(title=html.escape(self.title), **{name: packed(part) for name, part in parts.items()})

    @property
    def saved(self) -> str:
        """The run as JSON, as far as a page without a kernel can use it."""
        frames, words = trimmed(self.frames, self.words)
        state = {
            "head": self.head | {"live": False},
            "frames": frames,
            "words": words,
            "codes": self._codes(),
            "cursor": self.history.step.number,
            "answers": {},
        }
        return msgspec.json.encode(state).decode()

    def save(self, path: str | Path) -> Path:
        """Write `page()` to a file and return its path."""
        target = Path(path)
        target.write_text(self.page(), encoding="utf-8")
        return target


def packed(text: str) -> str:
    """A text, compressed, in letters that can stand in a page."""
    return b64encode(zlib.compress(text.encode(), 9, wbits=-15)).decode()


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 0; background: #fff; color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #13161b; }} }}
body .dp {{ margin: 0 auto; }}
</style>
<body>
<noscript>This page steps through a run of {title}: it needs JavaScript, and nothing from elsewhere.</noscript>
<script type="text/plain" id="style">{style}</script>
<script type="text/plain" id="script">{script}</script>
<script type="text/plain" id="run">{run}</script>
<script type="module">
async function unpacked(id) {{
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}}
const add = (tag, more) => document.head.append(Object.assign(document.createElement(tag), more));
const state = JSON.parse(await unpacked("run"));
const model = {{
  get: (name) => state[name], set: (name, value) => (state[name] = value),
  save_changes() {{}}, on() {{}}, off() {{}}, send() {{}},
}};
window.show = (player) => player.render({{ model, el: document.body }});
add("style", {{ textContent: await unpacked("style") }});
add("script", {{ type: "module", textContent: `${{await unpacked("script")}}\nwindow.show(player);` }});
</script>
</html>
"""
