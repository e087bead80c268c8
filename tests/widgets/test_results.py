"""A result is a small table: names, and values with the digits that matter."""

from __future__ import annotations

import pytest

from widgets.results import table


def test_a_table_says_names_and_values_with_few_digits() -> None:
    rows = table({"order": ("D", "B"), "shares": {"A": 0.1989797196537865, "B": 0.75}, "limit": 1_200})
    assert repr(rows).splitlines() == ["order   D, B", "shares  A 0.199, B 0.75", "limit   1,200"]


def test_a_table_has_heads_and_escapes_what_is_in_it() -> None:
    shown = table({"a<b": 1}, "scheme", "keys")._repr_html_()
    assert "<th" in shown
    assert "a&lt;b" in shown
    with pytest.raises(ValueError, match="one for the names and one for the values"):
        table({}, "only one")
