"""A table is a small mapping as a value."""

from __future__ import annotations

import pytest

from patterns.engine.table import Table


def test_a_table_is_a_value() -> None:
    empty: Table[int] = Table()
    both = empty.put("b", 2).put("a", 1)
    assert both == empty.put("a", 1).put("b", 2)
    assert (both["a"], both.get("c"), both.values(), both.names, len(both)) == (1, None, (1, 2), ("a", "b"), 2)
    assert both.put("a", 3)["a"] == 3
    assert both["a"] == 1
    with pytest.raises(KeyError):
        both["c"]


def test_a_table_without_a_name_is_another_table() -> None:
    both = Table[int]().put("b", 2).put("a", 1)
    assert both.without("a") == Table[int]().put("b", 2)
    assert both.without("c") is both
    assert "a" in both
