"""The script and the style of the widgets: sent to a page once, however many widgets it shows.

A widget's own module is a few lines. They take the script from the page, if it is there; else from the widget that
holds it, of which a kernel has one; else they ask the kernel.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar

import anywidget
import traitlets

from widgets.bundle import bundle, style

LOADER = """
const name = %(name)r, version = %(version)r;
const known = (globalThis.distributedPatterns ??= new Map());

async function assets(model) {
  try {
    const holder = await model.widget_manager.get_model(model.get("assets").replace("IPY_MODEL_", ""));
    return { script: holder.get("scripts")[name], style: holder.get("style") };
  } catch {
    return new Promise((done, fail) => {
      const heard = (message) => message.kind === "assets" && (model.off("msg:custom", heard), done(message));
      model.on("msg:custom", heard);
      model.send({ kind: "assets" });
      setTimeout(fail, 2000);
    });
  }
}

async function load(model) {
  const { script, style } = await assets(model);
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return { widget: (await import(url)).default, style };
}

export default {
  async render({ model, el }) {
    const key = `${name} ${version}`;
    if (!known.has(key)) known.set(key, load(model));
    let loaded;
    try {
      loaded = await known.get(key);
    } catch {
      known.delete(key);
      el.textContent = "The kernel that made this picture is gone: run its cell again.";
      return;
    }
    const { widget, style } = loaded;
    const root = el.getRootNode();
    const place = root instanceof ShadowRoot ? root : document.head;
    if (!place.querySelector(`style[data-patterns="${version}"]`)) {
      const sheet = Object.assign(document.createElement("style"), { textContent: style });
      sheet.dataset.patterns = version;
      place.append(sheet);
    }
    return widget.render({ model, el });
  },
};
"""


class Assets(anywidget.AnyWidget):
    """What all widgets of a kernel share. It is never shown."""

    _esm = "export default { render() {} };"
    scripts = traitlets.Dict().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)


NAMES = ("player", "question", "outcome")
STYLE = style()
SCRIPTS = {name: bundle(name) for name in NAMES}
VERSION = sha256("".join([*SCRIPTS.values(), STYLE]).encode()).hexdigest()[:12]


def loader(name: str) -> str:
    """The module of a widget: it gets the script of this name, and runs it."""
    return LOADER % {"name": name, "version": VERSION}


class Shared(anywidget.AnyWidget):
    """A widget whose script and style are sent once."""

    script: ClassVar[str]
    """The name of its script."""
    assets = traitlets.Unicode().tag(sync=True)
    """The widget that holds it."""
    _holder: ClassVar[Assets | None] = None

    def __init_subclass__(cls, **more: Any) -> None:
        if "script" in cls.__dict__:  # anywidget makes a class of its own of each widget
            cls._esm = loader(cls.script)
        super().__init_subclass__(**more)

    def __init__(self, **traits: Any) -> None:
        if Shared._holder is None or Shared._holder.comm is None:
            Shared._holder = Assets(scripts=SCRIPTS, style=STYLE)
        super().__init__(assets=f"IPY_MODEL_{Shared._holder.model_id}", **traits)
        self.on_msg(self._asked_for_assets)

    @property
    def bundle(self) -> Any:
        """What a front end gets in order to show the widget."""
        found = self._repr_mimebundle_()
        assert found is not None
        return found[0]

    def _asked_for_assets(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if content.get("kind") == "assets":
            self.send({"kind": "assets", "script": SCRIPTS[self.script], "style": STYLE})
