"""CQRS: commands go to one side, queries to another, and projectors carry the events between them."""

from .machine import Cqrs
from .properties import ALWAYS
from .rules import RULES

__all__ = ["ALWAYS", "RULES", "Cqrs"]
