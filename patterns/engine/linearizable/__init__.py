"""Is what concurrent clients saw linearizable? A checker, and counterexamples that people can read.

Wing & Gong's search (1993) with Lowe's memory of configurations and just-in-time order (2017), part by part
(Horn & Kroening 2015).
"""

from .models import (
    CompareAndSwap,
    CompareAndSwapRegister,
    Get,
    KeyValueStore,
    Model,
    Put,
    PutIf,
    Read,
    Register,
    Write,
)
from .operations import HistoryError, Operation, Recorder
from .search import Undecided
from .verdict import Verdict, check

__all__ = [
    "CompareAndSwap",
    "CompareAndSwapRegister",
    "Get",
    "HistoryError",
    "KeyValueStore",
    "Model",
    "Operation",
    "Put",
    "PutIf",
    "Read",
    "Recorder",
    "Register",
    "Undecided",
    "Verdict",
    "Write",
    "check",
]
