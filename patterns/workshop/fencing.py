"""Reference solution of notebooks/workshop.ipynb. Try first: the judge gives better hints than this page."""

from __future__ import annotations


def may_write(token: int, highest: int) -> bool:
    """Whether a write with lease `token` may pass, after one with lease `highest`: its lease is not older.

    The same number passes, because a client writes twice with one lease. A higher number passes whatever lies between,
    because the holder of a lease need not write at all.
    """
    return token >= highest
