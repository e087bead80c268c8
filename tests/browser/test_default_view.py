"""A process of thirty lines, typed into a cell, is played at once: the default view, and controls of its parameters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chapter import button, choose, row
from playwright.sync_api import expect
from rig import Lab, Notebook, Server, write

GOSSIP = """
from typing import Annotated
from msgspec import Meta
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import Request, WorldEvent
from widgets import play

class Tell(Message):
    words = "{rumour}"
    rumour: str

class Gossip(Process):
    next: str
    every: int
    known: tuple[str, ...] = durable(())
    told: int = 0

    @on_request(Tell)
    def begin(self, client: str, tell: Tell) -> None:
        self.hear(tell.rumour)
        self.reply(client, "thanks")

    @on(Tell)
    def heard(self, sender: str, tell: Tell) -> None:
        self.hear(tell.rumour)

    def hear(self, rumour: str) -> None:
        if rumour not in self.known:
            self.known = (*self.known, rumour)
            self.note("G.hear", rumour=rumour)
            self.set_timer("tell", self.every, about=rumour)

    @on_timer("tell")
    def tell(self, rumour: str) -> None:
        self.told += 1
        self.send(self.next, Tell(rumour))"""

MACHINE = '''
class Village(Simulation):
    """A rumour goes round."""

    class Params(Simulation.Params, frozen=True):
        people: Annotated[int, Meta(ge=2, le=6)] = 4
        """How many people there are."""

    name = "village"
    rules = {"G.hear": Rule("**{who} hears of {rumour}.**", "gossip")}
    events = WorldEvent | Request[Tell]

    def processes(self):
        names = [f"P{n}" for n in range(1, self.params.people + 1)]
        return [Gossip(id=name, next=names[(at + 1) % len(names)], every=30) for at, name in enumerate(names)]

    def requests(self, world):
        return [Request("Ann", "P1", Tell("snow"))]

run = Village()
play(run)'''

CONTROLS = "shown = play(Village(), controls=True); shown"


@pytest.fixture(scope="module")
def notebook(lab: Lab, server: Server) -> Iterator[Notebook]:
    with lab.open(write(server, "gossip.ipynb", GOSSIP, MACHINE, CONTROLS), height=1500) as opened:
        opened.run_all()
        yield opened


def test_a_process_that_nobody_drew_is_played_with_what_it_declares(notebook: Notebook) -> None:
    player = notebook.cell(1).locator(".dp").first
    expect(player).to_contain_text("village")
    expect(player).to_contain_text("disk, survives a crash")
    row(player, "disk:P4:known", "known", "–")
    choose(player, "request", "Ann asks P1")
    expect(player).to_contain_text("P1 hears of snow.")
    button(player, "Forward one step").click()
    expect(player.locator(".dp-panel").first).to_contain_text("snow")
    row(player, "disk:P1:known", "known", "snow")
    notebook.screenshots("default_view", notebook.cell(1))


def test_a_slider_restarts_the_run(notebook: Notebook) -> None:
    cell = notebook.cell(2)
    expect(cell.locator(".dp").first).to_contain_text("village")
    people = cell.locator(".widget-slider").filter(has_text="people").get_by_role("slider")
    people.focus()
    people.press("ArrowRight")
    expect(cell.locator(".dp-panel").first).to_contain_text("P5")
    notebook.screenshots("controls", cell)
