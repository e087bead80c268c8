"""The static site: what it takes from the notebooks, its files, its links, its size, the code that it offers."""

from __future__ import annotations

import ast
import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from patterns.engine.params import ParameterError
from patterns.leader_election.properties import acknowledged_writes_stay
from widgets.player import Player
from widgets.site.build import LARGEST, ROOT, Site, notebooks, size_of
from widgets.site.cells import Notebook
from widgets.site.prose import rendered
from widgets.site.runs import address_of, timeless
from widgets.site.story import ITEM, PHRASES, Guided, Words, story_of, without_kernel

FIRST = 300_000
"""Bytes that a page needs for its first picture: itself and the style. At 4 Mbit/s that is 0.6 s."""


SOME = ("consistent_hashing", "leader_election", "sharding")
"""Chapters whose searches take a moment. `-m slow` looks at the whole site."""


TO_RUN = re.compile(r"\b[Rr]un\b[^.]*\bcells?\b|\b(?:next|this|these) cells?\b")
"""What a page cannot ask for: it has no cells."""


class Built(NamedTuple):
    """A site in a folder, and the chapters that it has."""

    folder: Path
    chapters: tuple[str, ...]

    def pages(self) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.html"))}

    def run(self, name: str) -> dict[str, Any]:
        """What the file of a run hands over; the steps of a twin from the twin's file."""
        text = (self.folder / "runs" / f"{name}.js").read_text(encoding="utf-8")
        called = re.fullmatch(r'patternsRun\("([^"]+)","([^"]+)"\)\n', text)
        assert called, f"{name} calls patternsRun with its name and its data"
        assert called[1] == name
        state: dict[str, Any] = json.loads(zlib.decompress(b64decode(called[2]), wbits=-15))
        return {**self.run(state["twin"]), **state} if "twin" in state else state


@pytest.fixture(
    scope="module",
    params=[pytest.param(SOME, id="three chapters"), pytest.param((), id="all chapters", marks=pytest.mark.slow)],
)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A site, built once: all searches of all planted bugs of its chapters run in it."""
    folder, chapters = tmp_path_factory.mktemp("site"), request.param or tuple(notebooks())
    (folder / "runs" / "of").mkdir(parents=True)
    (folder / "runs" / "of" / "before.js").touch()
    Site(folder, source="SOURCE", lite=True).write(chapters)
    return Built(folder, chapters)


def lines(page: str) -> Iterator[dict[str, str]]:
    """The data of each line in the lists of a page."""
    for found in re.finditer(r'<a href="#[a-z0-9-]+" (data-run=.*?)>', page, re.DOTALL):
        yield {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', found[1], re.DOTALL)}


@pytest.mark.slow
def test_the_whole_site_is_under_four_megabytes(built: Built) -> None:
    """The command refuses to end with a larger one, too."""
    assert size_of(built.folder) < LARGEST


def test_the_size_counts_all_but_the_notebooks_that_run_in_the_browser(tmp_path: Path) -> None:
    site = tmp_path / "lite"  # a folder above the site may have this name
    for name in ("index.html", "runs/saga/lite.js", "lite/lab.js", "lite/a/b.js"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("12345")
    assert size_of(site) == 10


def test_there_is_a_page_for_each_chapter_and_the_first_picture_needs_few_bytes(built: Built) -> None:
    assert {*built.pages()} == {"index.html", *(f"{name}.html" for name in built.chapters)}
    style = (built.folder / "site.css").stat().st_size
    assert max(len(page.encode()) for page in built.pages().values()) + style < FIRST


def test_every_link_leads_to_a_page_a_part_of_a_page_a_run_or_a_file_of_the_repository(built: Built) -> None:
    pages = built.pages()
    ids = {name: {*re.findall(r'\bid="([^"]+)"', page)} for name, page in pages.items()}
    checked = 0
    for name, page in pages.items():
        for link in re.findall(r'\b(?:href|src)="([^"]+)"', page):
            to = urlsplit(unescape(link))
            checked += 1
            if to.scheme in ("https", "data"):
                continue
            if to.path.startswith("SOURCE/"):
                assert (ROOT / unquote(to.path.removeprefix("SOURCE/"))).exists(), f"{name}: {link}"
            elif to.path.startswith("lite/"):
                assert (ROOT / to.query.removeprefix("path=")).is_file(), f"{name}: {link}"
            elif not (page_name := to.path or name).endswith(".html"):
                assert (built.folder / page_name).is_file(), f"{name}: {link}"
            else:
                assert page_name in pages or page_name.removesuffix(".html") in notebooks(), f"{name}: {link}"
                run, chapter = to.fragment.split("/")[0], page_name.removesuffix(".html")
                is_run = (built.folder / "runs" / chapter / f"{run}.js").is_file()
                assert not run or run in ids.get(page_name, ()) or is_run, f"{name}: {link}"
    assert checked > 50 * len(built.chapters)


def test_an_id_names_one_part_of_a_page(built: Built) -> None:
    for name, page in built.pages().items():
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len({*ids}), name


def test_every_run_that_a_page_names_has_its_file_and_the_step_at_which_it_opens(built: Built) -> None:
    named: set[str] = set()
    for name, page in built.pages().items():
        for run in re.findall(r'data-(?:run|living)="([^"]+)"', page):
            named.add(run)
        for run, at in re.findall(r'data-run="([^"]+)" data-at="(\d+)"', page):
            steps = {frame["n"] for frame in built.run(run)["frames"]}
            assert int(at) in steps, f"{name}: {run} has no step {at}"
    files = {f"{path.parent.name}/{path.stem}" for path in built.folder.glob("runs/*/*.js")}
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", file.partition("/")[2]) for file in files), "widgets/js/address.js"
    assert named == files, "a page for each run, and a file for each run that a page names"


def test_a_page_has_the_whole_gallery_and_each_bug_at_the_step_that_breaks_its_promise(built: Built) -> None:
    for name in built.chapters:
        chapter = import_module(f"patterns.{name}.lesson").CHAPTER
        listed = {line["run"].split("/")[1]: line for line in lines(built.pages()[f"{name}.html"])}
        assert {address_of(title) for title in chapter.gallery} <= {*listed}
        for title, bug in chapter.bugs.items():
            line = listed[f"broken-{address_of(title)}"]
            assert line["sentence"] == bug.sentence
            assert line["breaks"] == bug.breaks.name
            run = built.run(line["run"])
            frame = next(frame for frame in run["frames"] if frame["n"] == int(line["at"]))
            shown = [reason for reason in frame["always"] if reason]
            unseen = not line["reason"] or line["breaks"] == "no handler fails"
            assert unseen or line["reason"] in shown, f"{title}: the player says {shown}"


def test_the_code_of_a_line_makes_the_run_of_the_line(built: Built) -> None:
    """One line of each list, and each bug that no single step shows, played as a learner would in a notebook."""
    played = 0
    for name in SOME:
        listed = list(lines(built.pages()[f"{name}.html"]))
        for line in (listed[0], listed[-1], *(each for each in listed if each.get("reason") == "")):
            names: dict[str, Any] = {}
            *body, last = line["code"].replace("at=0)", f"at={line['at']})").splitlines()
            exec("\n".join(body), names)
            player = eval(last, names)
            assert isinstance(player, Player)
            run = built.run(line["run"])
            assert json.loads(player.saved)["frames"] == run["frames"], line["run"]
            assert player.cursor == int(line["at"])
            assert len(run["frames"]) > 1, f"{line['run']} has no step to look at"
            played += 1
    assert played == 9


def test_the_code_of_every_run_can_be_read_by_python_and_opens_it_at_a_step(built: Built) -> None:
    for name, page in built.pages().items():
        cells = [unescape(cell) for cell in re.findall(r'<code class="cell">(.*?)</code>', page, re.DOTALL)]
        cells += [line["code"] for line in lines(page)]
        assert cells or name == "index.html"
        for cell in filter(None, cells):  # the cell of a list is empty until a line of it is chosen
            calls = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
            opened = [call for call in calls for keyword in call.keywords if keyword.arg == "at"]
            assert opened, f"{name}: {cell}"


def test_questions_of_a_page_say_what_each_answer_rests_on(built: Built) -> None:
    for name in built.chapters:
        page = built.pages()[f"{name}.html"]
        asked = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
        assert asked, f"{name} asks before anything moves"
        answered = {*re.findall(r'data-outcome="(\d+)"', page)}
        assert answered == {str(number) for number in range(1, len(asked) + 1)}, f"{name}: each outcome, further down"
        for text in asked:
            question = json.loads(text)
            options = question["question"]["options"]
            tones = [outcome["tone"] for outcome in question["outcomes"]]
            assert tones.count("good") == 1
            assert len(tones) == len(options) + 1, "an outcome for each answer, and one before any"
            assert all(said[1] == option for said, option in zip(
                (outcome["said"][0] for outcome in question["outcomes"]), options, strict=False
            ))  # fmt: skip


def test_no_page_says_how_long_a_search_took_on_the_machine_that_built_it(built: Built) -> None:
    for name, page in built.pages().items():
        assert not re.search(r"\d\.\d+ s\b", page), name


def test_a_page_asks_for_nothing_from_elsewhere(built: Built) -> None:
    for name, page in built.pages().items():
        assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', page), name
    script = (built.folder / "site.js").read_text(encoding="utf-8")
    style = (built.folder / "site.css").read_text(encoding="utf-8")
    assert "fetch(" not in script
    assert "@import" not in style
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", script + style)


# what is taken from a notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook with a guided run, cells that a page cannot show, and a rule that is taken out."""
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        md("# Ring · 环\n\n*Keys on a ring.* Pattern 1\n\n## Purpose · 目的\n\nA story.\n\n**You will** step."),
        md("### Before anything moves\n\nRun the next cell."),
        code("from widgets.chapters.consistent_hashing import questions as ask"),
        code("from widgets.exercise import predict\n\nguess = predict(ask.COLD)\nguess"),
        md("## Core pattern · 核心模式\n\n### D joins\n\nWords.\n\n1. Press **→**.\n2. Press *Break…*, and crash A."),
        code("unused = 1 / 0"),
        code("from patterns.consistent_hashing.lesson import GALLERY\nfrom widgets import play"),
        code('run = next(iter(GALLERY.values()))()\nplay(run, ask={1: ask.GIVERS}, subtitle="D joins")'),
        code("guess.outcome"),
        md("Why.\n\nThe next cell lists keys.\n\n### On its own\n\nNo question here."),
        code("play(run)"),
        md("## Terminology · 术语"),
    ]
    for at, cell in enumerate(cells):
        cell["id"] = f"c{at}"
    path = tmp_path / "01_ring.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_story_has_the_words_the_locked_runs_and_the_outcome_of_the_first_question(notebook: Path) -> None:
    story = story_of(Notebook(notebook))
    assert (story.title, story.chinese, story.tagline, story.purpose) == ("Ring", "环", "Keys on a ring", "A story.")
    [section] = story.sections
    words, run, outcome, why = section.parts
    assert isinstance(words, Words)
    assert words.text == "Words.\n\n1. Press **→**."
    assert isinstance(run, Guided)
    assert run.cell == "c7"
    assert story.first[0] is getattr(outcome, "prediction", None)
    assert isinstance(why, Words)
    assert why.text == "Why."


def test_a_cell_for_the_notebook_has_what_it_needs_and_no_more(notebook: Path) -> None:
    story = story_of(Notebook(notebook))
    run = next(part for part in story.sections[0].parts if isinstance(part, Guided))
    assert run.code.splitlines()[-1] == 'play(run, ask={1: ask.GIVERS}, subtitle="D joins", at=0)'
    assert "import GALLERY" in run.code
    assert "unused" not in run.code
    assert "predict(" not in run.code.splitlines()[-1]


def test_a_notebook_without_a_title_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "01_none.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("words")]), path)
    with pytest.raises(ValueError, match=r"01_none\.ipynb"):
        story_of(Notebook(path))


def test_what_a_cell_prints_is_shown_unless_it_lists_all_bugs(built: Built) -> None:
    page = built.pages()["leader_election.html"]
    [printed] = re.findall(r'<pre class="printed".*?>(.*?)</pre>', page, re.DOTALL)
    assert re.findall(r'"([^"]+)".* (\d+) steps', unescape(printed)) == [(acknowledged_writes_stay.name, "16")]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Run the next cell, and guess.", ""),
        ("One.\n\nThe chart shows more. In the second chart look up.", "One."),
        ("1. Press **→**.\n2. **Request…**: let A ask.\n3. Look.", "1. Press **→**.\n3. Look."),
        ("A cell below it is filled if a table has it.", "A cell below it is filled if a table has it."),
    ],
)
def test_what_only_a_kernel_can_do_is_left_out_of_the_words(text: str, left: str) -> None:
    assert without_kernel(text) == left


def test_each_phrase_leaves_out_a_paragraph_of_a_notebook_that_no_other_phrase_leaves_out() -> None:
    texts = [
        "\n\n".join(cell.source for cell in Notebook(path).cells if cell.kind == "markdown")
        for path in notebooks().values()
    ]
    cores = [
        core for text in texts for core in re.findall(r"^## Core pattern.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    ]
    assert len(cores) == len(notebooks())
    blocks = [" ".join(block.split()) for core in cores for block in re.split(rf"(?m)\n\s*\n|{ITEM.pattern}", core)]
    for phrase in PHRASES:
        others = re.compile("|".join({*PHRASES} - {phrase}))
        assert any(re.search(phrase, block) and not others.search(block) for block in blocks), phrase


def test_no_page_tells_a_reader_to_run_a_cell(built: Built) -> None:
    for name, page in built.pages().items():
        paragraphs = re.findall(r"<(p|li)>(.*?)</\1>", page, re.DOTALL)
        told = [said for _, said in paragraphs if TO_RUN.search(re.sub(r"<.*?>", "", said))]
        assert not told, name


def test_links_of_the_notebooks_lead_to_pages_and_to_the_source() -> None:
    def html(text: str) -> str:
        return rendered(text, lambda path: f"S/{path}")

    assert 'href="saga.html"' in html("[7](07_saga.ipynb)")
    assert 'href="index.html"' in html("[index](00_index.ipynb)")
    assert 'href="S/patterns/saga/log.py"' in html("[log](../patterns/saga/log.py)")
    assert 'href="S/notebooks/solutions/saga.py"' in html("[s](solutions/saga.py)")
    assert html('See `BUGS["no drain"]`.') == '<p>See <a href="#broken-no-drain">no drain</a>.</p>\n'
    assert 'href="https://raft.github.io"' in html("[Raft](https://raft.github.io)")


def test_an_address_is_short_and_made_of_letters_that_need_no_code() -> None:
    assert address_of("Bully: P1's answer – is lost") == "bully-p1s-answer-is-lost"
    assert len(address_of("a very long title " * 9)) <= 60


def test_a_verdict_does_not_depend_on_the_machine_that_built_the_page() -> None:
    assert timeless("23 states. It tried 35 steps in 0.1 s.") == "23 states. It tried 35 steps."


@pytest.mark.parametrize("names", [("saga", "sagas"), ()])
def test_unknown_chapters_are_refused_before_anything_is_written(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError, match="names"):
        Site(tmp_path / "site").write(names)
    assert not (tmp_path / "site").exists()


def test_a_link_to_a_file_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no/such\.py"):
        Site(tmp_path).source("no/such.py")
