"""The promises that the course keeps, read from its files. What must be run is in the other tests."""

import re
import sys
from pathlib import Path

import pytest

from workshop.kit.machine import COURSE_PACKAGES
from workshop.tools.course import Course
from workshop.tools.nulls import nulls_remembered
from workshop.tools.rules import PACKAGE_OF, imported

ROOT = Path(__file__).parents[1]
COURSE = Course.here()
LESSONS = COURSE.lessons()
PICTURES = sorted((ROOT / "images").glob("*.png"))
# Text in these files is a reader's: no word of tools or places that a reader does not have.
READ_BY_ALL = [*ROOT.glob("*.md"), *ROOT.glob("lessons/*.md"), *ROOT.glob("data/*.md")]

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.number for lesson in LESSONS])


@each_lesson
def test_a_lesson_keeps_the_rules_and_its_notebook_is_built(lesson):
    assert COURSE.problems_of(lesson) == [], "run: python -m workshop build"


def test_the_lists_and_the_sum_of_seconds_are_right():
    assert COURSE.problems_in_all() == [], "run: python -m workshop build"


@each_lesson
def test_what_holds_without_learning_says_why(lesson):
    """What `workshop nulls` found of the lesson as it is leaves no claim unexplained."""
    found = nulls_remembered(COURSE, lesson)
    if not found:
        pytest.skip(f"not run since the last change: python -m workshop nulls {lesson.number}")
    assert found["unexplained"] == []


def test_every_picture_is_used():
    sources = "\n".join(lesson.source.read_text(encoding="utf-8") for lesson in LESSONS)
    assert [picture.name for picture in PICTURES if f"images/{picture.name})" not in sources] == []


@pytest.mark.parametrize("page", READ_BY_ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = re.sub("`[^`]*`", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links {target}"


def test_requirements_are_explained_and_locked():
    asked = [
        line
        for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for line in asked:
        assert re.fullmatch(r"[\w.-]+(==[\w.]+)? +# .{8,}", line), f"say what it is for: {line}"
        assert re.search(rf"^{re.split('[ =]', line)[0]}==", locked, re.MULTILINE | re.IGNORECASE)
        if "==" in line:
            assert line.split(" ")[0] in locked
    packages = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==.*(?:\n    .*)+", locked, re.MULTILINE)
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in locked, "the lock names no index: a reader's pip knows its own"


def test_the_doctor_knows_every_package_that_lessons_import():
    names = set()
    for lesson in LESSONS:
        for cell in COURSE.unexecuted(lesson)[0].cells:
            if cell.cell_type == "code":
                names |= imported(cell.source) - set(lesson.header.optional)
    come_with_others = {"psutil", "scipy", "ipykernel"}
    asked = {PACKAGE_OF.get(name, name) for name in names - set(sys.stdlib_module_names)}
    assert asked - COURSE_PACKAGES.keys() - come_with_others == set()


def test_nothing_left_over_lies_in_the_folder_of_lessons():
    kinds = {
        path.suffix
        for path in COURSE.notebooks.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    assert kinds <= {".ipynb", ".md"}
