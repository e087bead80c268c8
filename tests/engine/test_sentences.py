"""A rule's sentence is a template; the values of a note are put into words in one place."""

from __future__ import annotations

import pytest

from patterns.engine.sentences import counted, names, rules_of, sentence_of


@pytest.mark.parametrize(
    ("template", "values", "sentence"),
    [
        ("{who} waits", {"who": "S1"}, "S1 waits"),
        ("{n:vote|votes}", {"n": 1}, "1 vote"),
        ("{n:vote|votes}", {"n": 0}, "0 votes"),
        ("from {them:names}", {"them": ("S1", "S2", "S3")}, "from S1, S2 and S3"),
        ("from {them:names}", {"them": ("S1",)}, "from S1"),
        ("from {them:names}", {"them": "S1"}, "from S1"),
        ("from {them:names}", {"them": ()}, "from nothing"),
        ("from {them:names|nobody}", {"them": ()}, "from nobody"),
        ("{role:the} and {role:a}", {"role": "leader"}, "the leader and a leader"),
        ("{role:a}", {"role": "orchestrator"}, "an orchestrator"),
        ("{role:a|leader} and {other:a|leader}", {"role": "leader", "other": "follower"}, "the leader and a follower"),
        ("{vote:or|none}", {"vote": None}, "none"),
        ("{vote:or|none}", {"vote": 0}, "0"),
        ("{part:.0%}", {"part": 0.5}, "50%"),
        ("{them:list|none}", {"them": ("S1", "S2", "S3")}, "S1, S2, S3"),
        ("{them:list|none} and {it:list}", {"them": (), "it": 0}, "none and 0"),
        ("event{of:several|s} {of:list}", {"of": (4, 5)}, "events 4, 5"),
        ("event{of:several|s} {of:list}", {"of": (4,)}, "event 4"),
        ("append {indices:span}", {"indices": range(3, 6)}, "append 3-5"),
        ("append {indices:span}", {"indices": range(3, 4)}, "append 3"),
        ("vote {granted:if|granted|refused}", {"granted": True}, "vote granted"),
        ("show{after:if|, from {after} on}", {"after": 0}, "show"),
        ("{ok:if|{n:if|has {n}|heard}|refused}, term {n}", {"ok": True, "n": 0}, "heard, term 0"),
        ("{ok:if|{n:if|has {n}|heard}|refused}, term {n}", {"ok": True, "n": 2}, "has 2, term 2"),
        ("{role:is|leader|{who} leads|{who} follows}", {"who": "S1", "role": "leader"}, "S1 leads"),
        ("{role:is|leader|{who} leads|{who} follows}", {"who": "S1", "role": "voter"}, "S1 follows"),
    ],
)
def test_a_value_is_put_into_words(template: str, values: dict[str, object], sentence: str) -> None:
    assert sentence_of(template, values) == sentence


def test_a_value_that_the_note_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="who"):
        sentence_of("{who} waits", {})


def test_a_list_of_numbers_is_put_into_words_too() -> None:
    assert names((1, 2)) == "1 and 2"


def test_the_rules_of_a_chapter_are_read_from_its_page() -> None:
    rules = rules_of("patterns.leader_election")
    assert rules["B.ask"].source == "Coulouris et al., 15.3"
    assert sentence_of(rules["B.ask"].sentence, {"who": "P1", "higher": ("P2", "P3"), "timeout": 30}) == (
        "**P1 asks P2 and P3**: all with a higher id. It waits 30 ms for answers."
    )


def test_one_thing_is_counted_in_the_singular() -> None:
    assert [counted(n, "bag") for n in (0, 1, 1200)] == ["0 bags", "1 bag", "1,200 bags"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]
