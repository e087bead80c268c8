"""Saga: a long transaction as a sequence of small ones, each with a compensation that undoes what it did."""

from .actions import Add, Look, Move, Nothing, Overwrite, Reread
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, DefinitionError, saga, step
from .examples import DEFINITIONS
from .machines import SagaMachine
from .messages import Begin, Cancel, Ended, Repair, Reply
from .properties import ALWAYS, ISOLATION
from .rules import RULES

__all__ = [
    "ALWAYS",
    "COMPENSATABLE",
    "DEFINITIONS",
    "ISOLATION",
    "PIVOT",
    "RETRIABLE",
    "RULES",
    "Add",
    "Begin",
    "Cancel",
    "DefinitionError",
    "Ended",
    "Look",
    "Move",
    "Nothing",
    "Overwrite",
    "Repair",
    "Reply",
    "Reread",
    "SagaMachine",
    "saga",
    "step",
]
