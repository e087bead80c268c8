"""No notebook gives the answer to a question away before the question comes.

What is held: no sentence of the text, no explanation of an earlier question and no title in the code before a question
has most of the words that only its right option has, or a form that `ANSWERS` lists for it; no promise beside the
picture is broken before it; in most questions of a chapter the right option is not the longest; the outcome of a
prediction stands below the run that shows it, and never in the cell of a player with locked questions.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from patterns.engine.history import History
from patterns.engine.properties import AtRest, Property
from widgets.question import Question, locked_steps

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CHECKED = (
    "01_consistent_hashing",
    "02_replication",
    "03_sharding",
    "04_leader_election",
    "05_consensus_raft",
    "06_two_phase_commit",
    "07_saga",
    "08_event_sourcing",
    "09_cqrs",
)
"""The notebooks that keep these rules."""
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "01_consistent_hashing": {
        "COLD": r"three quarters|three (?:of|chances in)|most (?:keys|names)|nearly all",
        "GIVERS": r"cuts? (?:one|two|an|the) arcs?|one or two|at most two",
        "TAKES": r"arc that ends at|before the points?|just behind",
        "MISSES": r"starts?,? (?:empty|with nothing)|3 miss|those of D",
        "MODULO": r"between (?:the )?old machines|old machine to another",
        "SAME_NODE": r"(?:leaves|crashes|leaving|crash of)[^.]*(?:copies|neighbours)",
        "LAKE": r"next (?:one|machine|hut) clockwise of|(?:from|of) one machine only",
    },
    "02_replication": {
        "TWO_OF_THREE": r"(?:newer|newest|highest) (?:version|number)",
        "DONE": r"waits for no|does not wait|before (?:it|the primary) ships|Ann's alone",
        "WHO_LEADS": r"Ben leads|next in the set",
        "GONE": r"does not know|no message (?:tells|says)|not told that",
        "CUT": r"cuts? (?:its|the) log|log is cut|drops eggs|last common epoch",
        "BEN_DOWN": r"again to its new successor|sent again|sends? (?:Cem|what)",
        "FOUND": r"writes? (?:it |tea |what it found )?back|second phone",
        "NO_WRITE_BACK": r"and then (?:not|no tea)|older list|seen and then",
        "MEET": r"no phone in common|do not (?:meet|share)|another phone counts",
        "BEER": r"dots? that (?:it|Ann) has seen|observed|beer stays",
        "ALBUM": r"next look perhaps not",
    },
    "03_sharding": {
        "HARDEST": r"last copy|just before|copy is the easy",
        "CHANGED": r"catch up|after the copy|behind the copy|ship the rest",
        "ASKED": r"answers? \W*ASK\b|(?:for|only) this (?:one )?request|this once",
        "RETRY": r"repeats the answer|table of answered",
        "SALTED": r"reads? (?:asks?|collects?)|each read",
        "DRAIN": r"no fault|slow(?:er)? (?:write|than)|nobody asks|nothing else|no crash",
        "CLASS": r"old teacher",
    },
    "04_leader_election": {
        "SILENCE": r"silence|look the same|does not know (?:whether|why)",
        "ANSWER": r"answers? .{0,30}(?:goes on|even)|answers (?:always|every)",
        "BACK": r"takes over at once|need not ask",
        "ALONE": r"kept to the rules|breaks? no rule|rules? (?:allow|assume)",
        "HEALED": r"(?:two|both) coordinators? .{0,40}election",
        "OWN": r"other ids are lower|id is (?:above|the highest)|\bwon\b",
        "FEWEST": r"Hirschberg.{0,60}costs? more|Chang.{0,60}(?:fewer|cheap)",
        "WAKES": r"B writes|the pause can come after|acknowledged, and it is gone",
        "FENCE": r"refuse[sd]? (?:an? |any |the )?(?:older|lower|token|write|request)|leader is refused|highest token",
        "FREE": r"(?:late|slow) (?:write|message) is enough|loses a write|no fault",
        "RAFT": r"(?:in|of) different terms|old leader still|elects one",
        "LAST": r"bank (?:compares|refuses|checks)",
    },
    "05_consensus_raft": {
        "CUT": r"(?:side|group|half) with (?:three|the majority|more)|three of (?:the )?five (?:can|go)",
        "REFUSED": r"vot(?:es|ed) for itself",
        "MAJORITY": r"(?:two|2) of (?:the )?(?:three|3) (?:votes|servers) (?:are|is) (?:a majority|enough)",
        "COMMIT": r"on (?:the )?disks? of (?:two|a majority)|majority (?:has|have|holds) it|committed (?:as soon|when)",
        "FIGURE_8": r"overwrit|majority is not enough|S5 (?:can|will) win",
        "SNAPSHOT": r"(?:discards?|deletes?) (?:its|the) (?:own |whole )?log|log is (?:deleted|discarded)",
        "FORGETFUL": r"votes? (?:twice|again)|two leaders (?:of|in) one term",
        "UNANSWERED": r"depends on the (?:next|new) leader|lost or kept|kept or lost|S2 .{0,20}commits (?:it|the)",
    },
    "06_two_phase_commit": {
        "SILENT": r"in doubt|account (?:is|stays) locked|healthy banks|may neither",
        "PROMISE": r"(?:promise|yes) .{0,40}\bdisk|locks? .{0,20}row",
        "POINT": r"one write to one disk|decision is on",
        "FORGET": r"forgets? .{0,40}acknowledged|acknowledged, .{0,20}forget",
        "NO": r"votes? no .{0,40}(?:has aborted|aborts at once)",
        "LOCKED": r"not voted .{0,30}may abort|T2 (?:is|was) aborted",
        "KNOWS": r"knows the decision (?:answers|repeats|may repeat)",
        "BACK": r"locks? .{0,30} again",
        "COLLECTING": r"collecting",
        "SPLIT": r"contradict|P2 and P3 (?:have )?abort|not alike|C and P1 (?:have )?commit",
        "ALONE": r"(?:a|one|the) lost commit|commit .{0,20}(?:is|was) lost",
        "EMPTY": r"contradict|which one breaks|P1 has committed, and P2 aborts",
        "BY_HAND": r"mixed|contradict",
        "UNASKED": r"not (?:yet )?voted .{0,30}abort|abort for all|without a record of its vote aborts",
    },
    "07_saga": {
        "TAKEN_BACK": r"refund|second payment|two lines",
        "SEEN": r"others see|every customer|isolation",
        "FIRST_UNDONE": r"in reverse|undone last|last step first",
        "GONE": r"rows are as before|only the disks",
        "FORWARD": r"twice as long|doubles|backoff|after a pause",
        "AGAIN": r"recognises|idempoten|answers the same|old answer",
        "LATE": r"recognises a late|ignores (?:the|a) (?:late )?request|kept the compensation",
        "HEARS": r"waits? for (?:an|the) event|charge undone",
        "DIRTY": r"dirty read|used up",
        "LOST": r"update is lost|lost update",
        "LOCKED": r"120 ms",
        "FORGETS": r"one crash|crash of the orchestrator alone",
        "SEAT": r"on the train because",
    },
    "08_event_sourcing": {
        "WHERE": r"no row says|counted anew|nowhere|worked out (?:from|when)",
        "SECOND": r"decides again|append is refused|refuses (?:the|its) (?:append|event)",
        "AGAIN": r"recognises|is this a retry|first answer again|answers as (?:before|the first)",
        "STALE": r"snapshot is (?:discarded|a cache)|carries the name of|names (?:the|its) (?:code|fold)",
        "LATE": r"late arrival|loses? an event|never (?:gets|sees|receives)",
        "VOUCHER": r"condition|query|boundary",
        "POWER": r"only a power cut|operating system (?:has|keeps|writes)",
        "CALENDAR": r"phone .{0,30}(?:retry|same id)",
    },
    "09_cqrs": {
        "EMPTY": r"not (?:yet )?(?:heard|reached)|projector|moment behind|read side",
        "WHICH": r"(?:her|its) own position|position that (?:her|the) command returned",
        "STALE": r"this far behind|answer is stale|says? that it is stale",
        "CRASH": r"counted twice|applied again|counts? .{0,20}twice",
        "PARKED": r"behind (?:it|3|the)|later (?:one|events?) of its stream|waits behind",
        "LETTERS": r"mailer (?:has|keeps)|must not run it|sends? no letter",
        "SWITCH": r"level with|back in time|as far as|catch(?:es)? up",
        "BEFORE": r"loses it|never counted|says 0",
        "NUMBERS": r"finished prefix|visible in their order|calls itself fresh",
        "UNIQUE": r"reserves the name|read model .{0,30}cannot decide",
        "LIKE": r"position of your like",
    },
}
"""Notebook -> question -> what would answer it in other words than those of its right option."""
RED: Mapping[tuple[str, str], str] = {
    ("02_replication", "GONE"): "the primary has every acknowledged write",
    ("04_leader_election", "HEALED"): "at most one coordinates, once the highest coordinator's message has arrived",
    ("04_leader_election", "WAKES"): "at most one leads at a time",
    ("04_leader_election", "FENCE"): "at most one leads at a time",
    ("09_cqrs", "CRASH"): "a read model has exactly the events up to its checkpoint",
}
"""(notebook, question) -> a promise that is broken before it, and says nothing of its answer."""
COMMON = re.compile(
    "the|and|for|its|are|has|had|have|not|but|that|this|they|them|then|than|does|did|was|were|will|with|from|into|only|"
    "one|two|all|any|can|may|must|more|who|what|when|where|which|there|here|their|because|asks?|until|each|other|"
    "itself|himself|herself|been|being|also|too|yet|still|before|after|again|would|yes"
)
MOST = 0.7
"""Of the key words: a sentence that has so many of them gives the answer away."""


class Asked(NamedTuple):
    """A question of a notebook, and what a learner has read when it comes."""

    notebook: str
    name: str
    question: Question
    sentences: tuple[str, ...]
    titles: tuple[str, ...]


def stems(text: str) -> set[str]:
    """The words that carry meaning, cut so that `aborts` is `abort` and `aborted` too."""
    words = re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))
    return {word[:5] for word in words if len(word) > 2 and not COMMON.fullmatch(word)}


def key_words(question: Question) -> set[str]:
    """The words of the right option that stand neither in the question nor in another option."""
    others = " ".join([question.prompt, *(option.text for option in question.options if not option.right)])
    return stems(question.right.text) - stems(others)


def titles_in(code: str) -> list[str]:
    """The texts in the code of a cell that are more than a word: titles of runs and bugs, subtitles."""
    found = [
        node.value
        for node in ast.walk(compile(code, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if isinstance(node, ast.Constant)
    ]
    return [text for text in found if isinstance(text, str) and " " in text]


def sentences_of(markdown: str) -> list[str]:
    plain = re.sub(r"\]\([^)]*\)|[*_`#|]", " ", markdown)
    return [sentence for sentence in re.split(r"(?<=[.!?:])\s+|\n\s*\n|\n\s*\d+\. ", plain) if sentence.strip()]


def cells_of(name: str) -> list[Any]:
    cells: list[Any] = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return cells


def questions_of(name: str) -> list[Asked]:
    """The questions of a notebook in the order of its cells."""
    ask = import_module(f"widgets.chapters.{name[3:]}.questions")
    found, sentences, titles = [], list[str](), list[str]()
    cells = cells_of(name)
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            sentences += sentences_of(source)
            continue
        titles += titles_in(source)
        below = codes[codes.index(source) + 1 :][:1] if "predict(ask." in source else []  # it is on the screen too
        for each in re.findall(r"\bask\.([A-Z][A-Z0-9_]*)", source):
            question: Question = getattr(ask, each)
            seen = [*titles, *(title for code in below for title in titles_in(code))]
            found.append(Asked(name, each, question, (*sentences, question.prompt), tuple(seen)))
            sentences += [question.prompt, *(option.because for option in question.options)]
    return found


def giveaways(asked: Asked) -> Iterator[str]:
    """The sentences and titles before a question that answer it."""
    keys, form = key_words(asked.question), ANSWERS.get(asked.notebook, {}).get(asked.name)
    if form:
        yield from (text for text in (*asked.sentences, *asked.titles) if re.search(form, text, re.IGNORECASE))
    if not keys:
        return  # told from the other options by its order or by a word like `not`: nothing to look for
    for sentence in asked.sentences:
        if len(keys) > 1 and len(keys & stems(sentence)) >= MOST * len(keys):
            yield sentence
    for title in asked.titles:
        if 2 * len(keys & stems(title)) > len(keys):
            yield title


ASKED = [asked for name in CHECKED for asked in questions_of(name)]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.notebook[:2]}-{asked.name}")
def test_nothing_before_a_question_has_the_words_of_its_answer(asked: Asked) -> None:
    assert not list(giveaways(asked)), f"{asked.question.right.text!r}, by {sorted(key_words(asked.question))}"


@pytest.mark.parametrize("name", CHECKED)
def test_the_longest_option_is_seldom_the_right_one(name: str) -> None:
    longest = [
        asked.name
        for asked in questions_of(name)
        if max(asked.question.options, key=lambda option: len(option.text)) is asked.question.right
    ]
    assert 2 * len(longest) <= len(questions_of(name)), longest


@pytest.mark.parametrize("name", CHECKED)
def test_an_outcome_stands_below_the_run_that_shows_it(name: str) -> None:
    for cell in cells_of(name):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and ".outcome" in source and "play(" in source:
            assert "ask=" not in source, f"{cell['id']}: the outcome answers while questions are still locked"
            assert source.index("play(") < source.index(".outcome"), cell["id"]


def test_a_sentence_that_answers_a_question_is_found() -> None:
    question = next(asked.question for asked in ASKED if len(key_words(asked.question)) > 1)
    given = Asked("", "", question, (f"You see: {question.right.text}.",), ())
    assert list(giveaways(given))


def test_each_line_of_answers_belongs_to_a_question() -> None:
    for name, forms in ANSWERS.items():
        assert set(forms) == {asked.name for asked in questions_of(name)}, name


# The promises beside the picture


def played(name: str, source: str) -> list[tuple[History[Any, Any], Mapping[str, Any]]]:
    """The runs that a cell plays, each with what else the player is given."""
    found: list[tuple[History[Any, Any], Mapping[str, Any]]] = []
    imports = next("".join(cell["source"]) for cell in cells_of(name) if cell["cell_type"] == "code")
    scope: dict[str, Any] = {"display": lambda *shown: None}
    exec(imports.partition("\ndisplay(")[0], scope)
    scope["play"] = lambda run, **options: found.append((run, options))
    while True:
        try:
            exec(source, scope)
        except NameError as missing:  # another cell has it
            exec(next(each for each in map(_source, cells_of(name)) if each.startswith(f"{missing.name} = ")), scope)
        else:
            return found


def _source(cell: Any) -> str:
    return "".join(cell["source"])


def broken(history: History[Any, Any], always: tuple[Property, ...], until: int) -> set[str]:
    """The names of the promises that are broken on the branch, up to a depth."""
    names, branch = set[str](), history.branch
    for promise in always:
        memory = promise.begin(branch[0].state)
        for before, step in pairwise(branch[: until + 1]):
            memory = promise.follow(memory, before.state, step.event, step.state, step.notes)
            now = not isinstance(promise, AtRest) or history.machine.usual(step.state) is None
            if now and promise.reason(memory, step.state):
                names.add(promise.name)
    return names


@pytest.mark.parametrize("name", ANSWERS)
def test_no_promise_is_broken_before_a_question(name: str) -> None:
    asked = {each.question.prompt: each.name for each in questions_of(name)}
    for source in ("".join(cell["source"]) for cell in cells_of(name) if cell["cell_type"] == "code"):
        if "ask=[" not in source:
            continue
        for history, options in played(name, source):
            always = options.get("always", history.machine.always)
            for number, question in locked_steps(history, options.get("ask", ())).items():
                allowed = {RED.get((name, asked[question.prompt]), "")}
                assert broken(history, always, history.steps[number].depth - 1) <= allowed, asked[question.prompt]
