"""Makes the pictures of `notebooks/images`: `python tests/browser/pictures.py`, from the root of the repository.

A still picture of each chapter, and one that moves: the index shows it before any cell is run. A moving PNG needs no
library: it is still ones, one behind the other.
"""

from __future__ import annotations

import struct
import sys
import tempfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright
from rig import QUIET, REPOSITORY, find_chromium

from widgets import play

IMAGES = REPOSITORY / "notebooks" / "images"
Pixels = NDArray[np.uint8]
CARD = {"width": 850, "height": 590}
FILM = ("consensus_raft", "A leader keeps one follower of four", (0, 4, 7, 9, 13, 16, 27, 30, 42, 46, 50, 57, 69))
"""The run that moves, and its steps."""
MS = 1_600
STILLS = {
    "consistent_hashing": ("A fourth machine joins the ring, and three of twelve keys move", 8),
    "leader_election": ("Bully: P1 and P2 are cut off", 40),
    "consensus_raft": ("A leader keeps one follower of four", 46),
    "two_phase_commit": ("The coordinator crashes after its decision", 14),
    "saga": ("The card is declined", 4),
    "replication": ("The primary answers, and crashes", 11),
    "sharding": ("A slot moves while clients write", 16),
    "event_sourcing": ("An event appears below a position that its reader has passed", 11),
    "cqrs": ("Ann orders, and looks at her list", 10),
}
"""Chapter -> the run and the step that stand for it."""


PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  let signs = "";
  for (const value of pen.getImageData(0, 0, image.width, image.height).data) signs += String.fromCharCode(value);
  return btoa(signs);
}"""


def pixels(page: Page, png: bytes, width: int) -> Pixels:
    """A picture as red, green, blue and alpha of each pixel."""
    values = b64decode(page.evaluate(PIXELS, b64encode(png).decode()))
    return np.frombuffer(values, np.uint8).reshape(-1, width, 4)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(picture: Pixels) -> bytes:
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in picture), 9)


def moving(frames: Sequence[Pixels], ms: int) -> bytes:
    """Pictures of one size, one behind the other for `ms` each, without end: an APNG. Each holds only what changed."""
    high, wide, _ = frames[0].shape
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 6, 0, 0, 0))]
    parts.append(chunk(b"acTL", struct.pack(">II", len(frames), 0)))
    for at, frame in enumerate(frames):
        number = struct.pack(">I", max(0, 2 * at - 1))
        parts.append(chunk(b"fcTL", number + struct.pack(">IIIIHHBB", wide, high, 0, 0, ms, 1_000, 0, int(at > 0))))
        if at == 0:
            parts.append(chunk(b"IDAT", packed(frame)))
        else:
            same = (frame == frames[at - 1]).all(axis=2, keepdims=True)
            parts.append(chunk(b"fdAT", struct.pack(">I", 2 * at) + packed(np.where(same, np.uint8(0), frame))))
    return b"".join([*parts, chunk(b"IEND", b"")])


def shots(page: Page, chapter: str, title: str, steps: Sequence[int], **clip: Any) -> list[bytes]:
    """The card of a run at these steps."""
    history = import_module(f"patterns.{chapter}.lesson").CHAPTER.gallery[title]()
    with tempfile.TemporaryDirectory() as folder:
        page.goto(play(history).save(Path(folder) / "run.html").as_uri())
        page.locator(".dp").focus()
        page.add_style_tag(content=".dp:focus-visible { outline: none }")  # who looks at a picture has no focus in it
        page.keyboard.press("Home")
        taken, here = [], 0
        for step in steps:
            for _ in range(here, step):
                page.keyboard.press("ArrowRight")
            here = step
            page.wait_for_function("() => !document.getAnimations().length")
            taken.append(page.screenshot(clip=clip or None))  # type: ignore[arg-type]
    return taken


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(QUIET))
        page = browser.new_page(viewport=CARD, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
        chapter, title, steps = FILM
        film = shots(page, chapter, title, steps)
        (IMAGES / "living.png").write_bytes(moving([pixels(page, shot, CARD["width"]) for shot in film], MS))
        for name, (run, step) in STILLS.items():
            (still,) = shots(page, name, run, [step], x=0, y=40, width=566, height=400)
            (IMAGES / f"{name}.png").write_bytes(still)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
