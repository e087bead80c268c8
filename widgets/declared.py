"""What a chapter declares for a machine: its view, its milestones, the other machines beside it.

Found by the name in `Machine.view`, which may also be a view itself. A machine without one has the default view of
processes, and its own milestones.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones
from patterns.engine.simulation import Simulation
from widgets.kit import DeclaredView
from widgets.scene import View

AnyMachine = Machine[Any, Any]


def view_of(machine: AnyMachine) -> View:
    """The view that draws this machine. Raises TypeError for a machine without one that simulates no processes."""
    if not machine.view and not isinstance(machine, Simulation):
        raise TypeError(f"{type(machine).__name__} has no view: name a chapter in `view`, or give play(..., view=...)")
    if not isinstance(machine.view, str):
        own: View = machine.view
        return own
    if not machine.view:
        return DeclaredView
    view: View = import_module(f"widgets.chapters.{machine.view}.view").VIEW
    return view


def chapter_of(machine: AnyMachine) -> Chapter | None:
    """The declaration of the machine's chapter; None for a machine of no chapter."""
    if not machine.view or not isinstance(machine.view, str):
        return None
    chapter: Chapter = import_module(f"patterns.{machine.view}.lesson").CHAPTER
    return chapter


def milestones_of(machine: AnyMachine) -> Milestones:
    """The milestones of the machine's runs: those of its chapter, and its own."""
    chapter = chapter_of(machine)
    return {**(chapter.milestones_of(machine) if chapter else {}), **machine.milestones}


def machines_of(machine: AnyMachine) -> tuple[AnyMachine, ...]:
    """The machines of its chapter."""
    chapter = chapter_of(machine)
    return tuple(chapter.machines.values()) if chapter else ()
