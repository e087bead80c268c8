"""Builds the pages of the site."""

from __future__ import annotations

from pathlib import Path


def write(out: Path, *, lite: bool = False) -> None:
    """Write the start page and a page for each chapter into `out`. With `lite`, they link to the notebooks there."""
    out.mkdir(parents=True, exist_ok=True)
