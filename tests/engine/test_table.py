"""A table is a small mapping as a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.tuples(st.integers(0, 40), st.integers())))
def test_a_table_of_any_size_is_as_a_dictionary_in_the_order_of_names(puts: list[tuple[int, int]]) -> None:
    table, right = Table[int](), dict[str, int]()
    for number, value in puts:
        table, right[f"k{number}"] = table.put(f"k{number}", value), value
        assert table.rows == tuple(sorted(right.items()))
    for number in range(42):
        assert table.get(f"k{number}") == right.get(f"k{number}")
        assert (f"k{number}" in table) == (f"k{number}" in right)
    if right:
        assert [table[name] for name in right] == [*right.values()]
    with pytest.raises(KeyError):
        table["nothing"]
