"""The promises that every lesson keeps, read from its notebook and source. What must be run is in the other files."""

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest

from workshop.build.execute import CORES
from workshop.build.exercises import exercises_of
from workshop.build.index import claims_of
from workshop.build.lessons import (
    BIGGEST_NOTEBOOK,
    MORE_SECONDS,
    MOST_GIGABYTES,
    MOST_SECONDS,
    Course,
)

ROOT = Path(__file__).parents[1]
COURSE = Course.here()
LESSONS = COURSE.lessons()
PICTURES = sorted((ROOT / "images").glob("*.png"))
FEWEST_CLAIMS, FEWEST_EXERCISES = 6, 3
OPTIONAL = {"torch"}  # packages that a lesson can do without, and says so
# A share or a score in prose that no cell prints: numbers belong to code.
TYPED_RESULT = re.compile(r"(?<![\w.$-])\d+(?:\.\d+)? ?%|\b\d+(?:\.\d+)? percent\b")
MARKDOWN_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)]*)\)")
NAMED_COLOUR = re.compile(r"""color=["'](?!0?\.\d|black|white|none|(?:light)?gr[ae]y)""")
# What only a Markdown processor of another tool understands; JupyterLab would show it literally.
FOREIGN_MARKDOWN = re.compile(r"^:::|^> \[!|\[\^\w+\]|^```\{", re.MULTILINE)

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.number for lesson in LESSONS])


@pytest.fixture
def notebook(lesson):
    return COURSE.stored(lesson.notebook_path)


def text_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def imported(source):
    """The packages that a piece of Python imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def test_every_notebook_is_built_from_its_source_and_executed():
    assert COURSE.problems(LESSONS) == [], "run: python -m workshop.build"


@each_lesson
def test_a_lesson_is_one_file(notebook):
    nbformat.validate(notebook)
    for text in text_of(notebook):
        for picture in MARKDOWN_PICTURE.finditer(text):
            assert picture["target"].startswith("data:image/png;base64,")
    for cell in code_of(notebook):
        assert not imported(cell.source) & {"workshop", "images", "tests"}
        assert "../" not in cell.source
        assert "BEGIN SOLUTION" not in cell.source


@each_lesson
def test_a_lesson_claims_what_it_measures(notebook):
    claims = claims_of(notebook)
    assert len(claims) >= FEWEST_CLAIMS
    assert len({statement for statement, _, _ in claims}) == len(claims)
    for text in text_of(notebook):
        assert not TYPED_RESULT.search(text), "a number that only code may print"


@each_lesson
def test_a_claim_can_fail(lesson):
    for cell in lesson.cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
                    assert not isinstance(node.args[1], ast.Constant)


@each_lesson
def test_colours_are_the_courses(notebook):
    for cell in code_of(notebook):
        assert not NAMED_COLOUR.search(cell.source), (
            "take a colour from COLOURS, a grey, black or white"
        )


@each_lesson
def test_a_lesson_has_exercises_with_checks_and_solutions(lesson):
    assert len(exercises_of(lesson)) >= FEWEST_EXERCISES


@each_lesson
def test_a_lesson_fits_a_laptop(lesson, notebook):
    assert notebook.metadata.course.seconds <= MORE_SECONDS.get(lesson.number, MOST_SECONDS)
    assert notebook.metadata.course.gigabytes <= MOST_GIGABYTES
    assert notebook.metadata.course.cores <= CORES, (
        "build it where a kernel can be kept to two cores: on Linux"
    )
    assert (COURSE.notebooks / lesson.notebook_path).stat().st_size <= BIGGEST_NOTEBOOK


@each_lesson
def test_a_lesson_is_readable(notebook):
    for text in text_of(notebook):
        assert not FOREIGN_MARKDOWN.search(text)
        assert all(picture["alt"].strip() for picture in MARKDOWN_PICTURE.finditer(text))
    for place, cell in enumerate(notebook.cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert len(cell.metadata.alt) > 20
            following = notebook.cells[place + 1 : place + 4]
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


def test_every_picture_is_used():
    sources = "\n".join(lesson.source.read_text(encoding="utf-8") for lesson in LESSONS)
    assert [picture.name for picture in PICTURES if f"images/{picture.name})" not in sources] == []


def test_the_readme_links_every_lesson():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert f"[{lesson.number} {lesson.title}](lessons/{lesson.notebook_path})" in readme
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", re.sub("`[^`]*`", "", readme)):
        assert (ROOT / target).exists(), f"README links {target}"


def test_requirements_are_explained_and_locked():
    asked = [
        line
        for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for line in asked:
        assert re.fullmatch(r"[\w.-]+(==[\w.]+)? +# .{8,}", line), f"say what it is for: {line}"
        assert re.search(rf"^{re.split('[ =]', line)[0]}==", locked, re.MULTILINE)
        if "==" in line:
            assert line.split(" ")[0] in locked
    packages = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==.*(?:\n    .*)+", locked, re.MULTILINE)
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in locked, "the lock names no index: a reader's pip knows its own"


def test_lessons_import_only_what_the_requirements_ask_for():
    asked = re.findall(
        r"^[\w-]+", (ROOT / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE
    )
    package_of = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python-headless"}
    for lesson in LESSONS:
        for cell in code_of(COURSE.stored(lesson.notebook_path)):
            for name in imported(cell.source) - set(sys.stdlib_module_names) - OPTIONAL:
                assert package_of.get(name, name) in asked, f"lesson {lesson.number} imports {name}"


def test_nothing_left_over_lies_in_the_folder_of_lessons():
    kinds = {
        path.suffix
        for path in COURSE.notebooks.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    assert kinds <= {".ipynb", ".md"}
