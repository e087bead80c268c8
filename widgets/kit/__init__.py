"""What the pictures of all simulated processes share: one view of processes, and the parts it is made of."""

from .boxes import Row, box, boxes_of, cut, fitted, fitting, shown, small, stack, wide
from .declares import DeclaredView
from .network import Ends, Point, arched, between, circle, cuts, messages, row, running, state_of, timer_in_words
from .storage import Column, Key
from .view import Look, ProcessView, is_fault, legend_of

__all__ = [
    "Column",
    "DeclaredView",
    "Ends",
    "Key",
    "Look",
    "Point",
    "ProcessView",
    "Row",
    "arched",
    "between",
    "box",
    "boxes_of",
    "circle",
    "cut",
    "cuts",
    "fitted",
    "fitting",
    "is_fault",
    "legend_of",
    "messages",
    "row",
    "running",
    "shown",
    "small",
    "stack",
    "state_of",
    "timer_in_words",
    "wide",
]
