"""What a learner reads is written in plain English: short sentences, and the thing by its name, not by a pronoun.

Texts: notebooks, the pages of sentences, questions and hints, the glossary, both README, and docstrings. Each form
below cost readers a second look; the words to use are those of the glossary.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("notebooks/*.ipynb"),
        *(path for folder in ("patterns", "widgets") for path in ROOT.glob(f"{folder}/**/*.toml")),
        *(path for path in ROOT.glob("patterns/*.md")),
        *(path for folder in ("patterns", "widgets") for path in ROOT.glob(f"{folder}/**/*.py")),
        ROOT / "README.md",
    ]
)
LONGEST = 30
"""Words of a sentence, at most. Most have about 13."""
LONG, SHARE = 25, 0.04
"""At most this share of a notebook's sentences may have more than so many words."""
NO = "(?:not|never|no|nobody|nothing|none|without|unless|cannot)"
VERBS = (
    "is are was has have had does did may can must need needs want wants wait waits say says vote votes ask asks crash "
    "crashes come comes hold holds lead leads read reads write writes"
)
ONES = "task row entry message process subscriber machine line file point write record connection draw"
EACH = "node connection server process step message client participant machine peer subscriber round term file"
OLD = (
    "go(?:es)? by (?!one|hand)", "has no use for", "in vain", "nor (?:does|is|has|can|do|are)", "befall", "how manyth",
    "the like", "be so", "as (?:much|many) as to", "so as to", "of its own accord", "to be had", "stands still",
    "takes? nothing from", "runs? out of patience", "lest", "carr(?:y|ies|ied) out", "so long as",
)  # fmt: skip


def one_of(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


FORMS = {
    "'who' without a person before it": (
        r"(?:^|[.;:(]\s+|\b(?:to|for|from|with|by|that|when|if|but|so|as|than|then|only)\s)"
        rf"who(?:ever)? (?!knows\b)(?:\w+ ){{0,3}}{one_of(VERBS)}\b(?![^.!?]*\?)"
    ),
    "'what is ...' as a thing": r"\b(?:of|to|for|from|by|with|all|and|but|that|than|only|at) "
    r"what (?:is|was|has|had|cannot|can|may|it|they|one)\b(?![^.!?]*\?)"
    r"|(?-i:^What) (?:is|was|has|cannot|can|may|stands|comes|goes)\b[^.?!]*[.;]",
    "'is none', 'is no ...'": r"\b(?:is|are|was) (?:none|no (?:number|integer|string|list|name|key|node|tuple|such))\b",
    "'what cannot be'": r"\b(?:what|that) cannot be(?! \w+(?:ed|en|ad|un|ne)\b)",
    "'a ... a ...' instead of 'for each'": rf"\b(?:a|one) {one_of(ONES)} an? {one_of(EACH)}\b",
    "an old phrase": rf"\b(?:{'|'.join(OLD)})\b",
    "two negations": rf"\b{NO}\b[^.;:,]{{0,60}}\b{NO}\b[^.;:]{{0,60}}\b{NO}\b",
}


def texts(page: Path) -> Iterator[str]:
    source = page.read_text(encoding="utf-8")
    match page.suffix:
        case ".ipynb":
            cells = json.loads(source)["cells"]
            yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        case ".toml":
            yield from _strings(tomllib.loads(source))
        case ".py":
            yield from docstrings(source)
        case _:
            yield source


def docstrings(source: str) -> Iterator[str]:
    """The texts that stand alone: of a module, class or function, or of the field above it.

    Indented lines are code, and `None` is a value.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            text = re.sub(rf"(?m)^ {{{node.col_offset}}}", "", node.value.value)
            yield re.sub(r"(?m)^(?: +|>>>).*$|\bNone\b", "", text)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text in Markdown. Code and lists of papers are no sentences."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"```.*?```", " ", text, flags=re.DOTALL))
    for block in re.split(r"\n\s*\n|\n\s*(?=[-*|#\d])", text):
        parts = (
            [cell for cell in block.split("|") if len(cell.split()) > 3] if block.lstrip().startswith("|") else [block]
        )
        for part in parts:
            plain = re.sub(r"[*_>#]", "", " ".join(part.split()))
            for code in re.split(r"(?<=[.!?])(?:\s|$)(?=[A-Z0-9(“\"'`]|$)", plain):
                sentence = code.replace("`", "")
                if len(sentence.split()) > 2 and not re.search(r" · |\w\(.*=|\w = \w|\w\(\[", sentence):
                    yield sentence.strip()


def words(sentence: str) -> int:
    return len(re.findall(r"[A-Za-z0-9'’-]+", sentence))


def faults(sentence: str) -> list[str]:
    found = [why for why, form in FORMS.items() if re.search(form, sentence, re.IGNORECASE)]
    return found + ([f"{words(sentence)} words"] if words(sentence) > LONGEST else [])


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("For who waits there is no answer.", "'who' without a person before it"),
        ("It holds all and what is committed.", "'what is ...' as a thing"),
        ("What is committed stays.", "'what is ...' as a thing"),
        ("One message a participant is sent.", "'a ... a ...' instead of 'for each'"),
        ("S2 goes by S3.", "an old phrase"),
        ("Nobody can read nothing that is not there.", "two negations"),
        ("word " * 31 + ".", "31 words"),
    ],
)
def test_a_form_that_costs_a_second_look_is_found(sentence: str, fault: str) -> None:
    assert fault in faults(sentence)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_learner_reads_each_sentence_once(page: Path) -> None:
    found = {sentence: why for text in texts(page) for sentence in sentences(text) if (why := faults(sentence))}
    assert not found, "\n".join(f"{'; '.join(why)}: {sentence}" for sentence, why in found.items())


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".ipynb"], ids=lambda page: page.name)
def test_few_sentences_of_a_notebook_are_long(page: Path) -> None:
    sizes = {sentence: words(sentence) for text in texts(page) for sentence in sentences(text)}
    long = [sentence for sentence, size in sizes.items() if size > LONG]
    assert len(long) <= SHARE * len(sizes), "\n".join(long)
