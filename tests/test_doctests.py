"""Every example in a docstring runs, and says what it says there."""

from __future__ import annotations

import doctest
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages

import pytest

import patterns
import widgets

MODULES = [
    found.name
    for package in (patterns, widgets)
    for found in walk_packages(package.__path__, f"{package.__name__}.")
    if ">>>" in (find_spec(found.name).loader.get_source(found.name) or "")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_of(name: str) -> None:
    tried = doctest.testmod(import_module(name))
    assert tried.attempted > 0
    assert tried.failed == 0
