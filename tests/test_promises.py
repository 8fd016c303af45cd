"""The promises that every lesson keeps, read from its notebook and source. What must be run is in the other files."""

import ast
import re
import runpy
from pathlib import Path

import nbformat
import numpy as np
import PIL.Image
import pytest

from workshop.build.exercises import exercises_of
from workshop.build.index import claims_of
from workshop.build.lessons import BIGGEST_NOTEBOOK, MOST_GIGABYTES, MOST_SECONDS, Course

ROOT = Path(__file__).parents[1]
COURSE = Course.here()
LESSONS = COURSE.lessons()
PICTURES = sorted((ROOT / "images").glob("*.png"))
FEWEST_CLAIMS, FEWEST_EXERCISES = 6, 3
# A share or a score in prose that no cell prints: numbers belong to code.
TYPED_RESULT = re.compile(r"(?<![\w.$-])\d+(?:\.\d+)? ?%|\b\d+(?:\.\d+)? percent\b")
MARKDOWN_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)]*)\)")
# What only a Markdown processor of another tool understands; JupyterLab would show it literally.
FOREIGN_MARKDOWN = re.compile(r"^:::|^> \[!|\[\^\w+\]|^```\{", re.MULTILINE)

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.number for lesson in LESSONS])


@pytest.fixture
def notebook(lesson):
    return COURSE.stored(lesson)


def text_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_notebook_is_built_from_its_source_and_executed():
    assert COURSE.problems(LESSONS) == [], "run: python -m workshop.build"


@each_lesson
def test_a_lesson_is_one_file(notebook):
    nbformat.validate(notebook)
    for text in text_of(notebook):
        for picture in MARKDOWN_PICTURE.finditer(text):
            assert picture["target"].startswith("data:image/png;base64,")
    for cell in code_of(notebook):
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
        }
        assert not imported & {"workshop", "images", "tests"}
        assert "../" not in cell.source


@each_lesson
def test_a_lesson_claims_what_it_measures(notebook):
    claims = claims_of(notebook)
    assert len(claims) >= FEWEST_CLAIMS
    assert len({statement for statement, _, _ in claims}) == len(claims)
    for text in text_of(notebook):
        assert not TYPED_RESULT.search(text), "a number that only code may print"


@each_lesson
def test_a_lesson_has_exercises_with_checks_and_solutions(lesson):
    assert len(exercises_of(lesson)) >= FEWEST_EXERCISES


@each_lesson
def test_a_lesson_fits_a_laptop(lesson, notebook):
    assert notebook.metadata.course.seconds <= MOST_SECONDS
    assert notebook.metadata.course.gigabytes <= MOST_GIGABYTES
    assert (COURSE.notebooks / lesson.notebook_name).stat().st_size <= BIGGEST_NOTEBOOK


@each_lesson
def test_a_lesson_is_readable(notebook):
    for text in text_of(notebook):
        assert not FOREIGN_MARKDOWN.search(text)
        assert all(picture["alt"].strip() for picture in MARKDOWN_PICTURE.finditer(text))
    for place, cell in enumerate(notebook.cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert len(cell.metadata.alt) > 20
            following = notebook.cells[place + 1 : place + 3]
            assert any(other.cell_type == "markdown" for other in following), (
                "say what to see in the plot"
            )


@each_lesson
def test_a_lesson_has_all_its_parts(notebook):
    text = "\n".join(text_of(notebook))
    for part in [
        "**After this lesson you can**",
        "**You build**",
        "**Question.**",
        "## Common mistakes",
        "## Summary",
        "## Questions",
        "## References",
    ]:
        assert part in text
    assert text.count("<summary>") >= 3


@pytest.mark.parametrize("picture", PICTURES, ids=[picture.stem for picture in PICTURES])
def test_a_picture_is_what_its_script_draws(picture, tmp_path, monkeypatch):
    script = picture.with_suffix(".py")
    assert script.is_file()
    monkeypatch.setattr("images.drawing.FOLDER", tmp_path)
    runpy.run_module(f"images.{picture.stem}", run_name="__main__")
    with PIL.Image.open(picture) as stored, PIL.Image.open(tmp_path / picture.name) as drawn:
        assert stored.size == drawn.size
        difference = np.abs(
            np.asarray(stored.convert("L"), float) - np.asarray(drawn.convert("L"), float)
        )
    assert difference.mean() < 2, f"run: python -m images.{picture.stem}"


def test_every_picture_is_used():
    sources = "\n".join(lesson.source.read_text(encoding="utf-8") for lesson in LESSONS)
    assert [picture.name for picture in PICTURES if f"images/{picture.name})" not in sources] == []


def test_the_readme_links_every_lesson():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert (
            f"[{lesson.number} {lesson.title}](lessons/{lesson.notebook_name.as_posix()})" in readme
        )
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", re.sub("`[^`]*`", "", readme)):
        assert (ROOT / target).exists(), f"README links {target}"


def test_requirements_are_explained_and_locked():
    asked = [
        line
        for line in (ROOT / "requirements.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    locked = (ROOT / "requirements.txt").read_text()
    for line in asked:
        assert re.fullmatch(r"[\w.-]+(==[\w.]+)? +# .{8,}", line), f"say what it is for: {line}"
        assert re.search(rf"^{re.split('[ =]', line)[0]}==", locked, re.MULTILINE)
    packages = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==.*(?:\n    .*)+", locked, re.MULTILINE)
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in locked, "the lock names no index: a reader's pip knows its own"


def test_nothing_left_over_lies_in_the_folder_of_lessons():
    kinds = {
        path.suffix
        for path in COURSE.notebooks.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    assert kinds <= {".ipynb", ".md"}
