"""How the tests run: every kernel sees what a learner's machine has, half of them with settings that should not matter.

The notebooks come first, the longest before the others, each on one worker; at the end stands where the time went.
"""

import contextlib
import os
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest

from workshop.tools.course import MOST_SECONDS_IN_ALL, Course
from workshop.tools.environment import learner_environment
from workshop.tools.errors import BuildError
from workshop.tools.execute import usable_cores

ROOT = Path(__file__).parent
HOSTILE = ROOT / "tests/hostile"
FILLED_CACHE = ROOT.parent / "shared/datasets/keras"
MOST_WORKERS = 4  # each may run a kernel of up to 1.5 GB
FIRST = [
    "tests/test_promises.py",
    "lessons/",
]  # quick to fail, then long to run; the others fill the gaps


def pytest_addoption(parser):
    parser.addoption(
        "--everything",
        action="store_true",
        help="try all exercises anew, run all notebooks under hostile settings, and those with downloads twice",
    )


def pytest_xdist_auto_num_workers():
    return min(MOST_WORKERS, usable_cores())


def pytest_configure():
    """This process, and all kernels and processes that it starts, see a learner's machine."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # Two kernels with two threads each on two cores wait for each other.
    environment = learner_environment(threads=max(1, usable_cores() // workers))
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def pytest_collection_modifyitems(items):
    seconds = {}
    for path in (ROOT / "lessons").rglob("*.ipynb"):
        course = nbformat.read(path, 4).metadata.get("course", {})
        seconds[path.relative_to(ROOT).as_posix()] = course.get("seconds", 0)

    def rank(item):
        path = item.path.relative_to(ROOT).as_posix()
        place = next((place for place, name in enumerate(FIRST) if path.startswith(name)), 9)
        return place, -seconds.get(path, 0)

    items.sort(key=rank)  # stable: what is equal keeps its order


# What a reader may have set, and no lesson may mind: every second notebook runs with it.
HOSTILE_SETTINGS = {
    "PYTHONPATH": str(HOSTILE),
    "MATPLOTLIBRC": str(HOSTILE / "matplotlibrc"),
    "KERAS_BACKEND": "torch",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "HOME": "/proc/nowhere",  # as in a container where nobody has one: it cannot be made either
}


def settings_of(lesson, hostile):
    """The variables that the notebook of a lesson runs with, beside a learner's own."""
    settings = {}
    home = Path(tempfile.mkdtemp(prefix="keras-"))
    if hostile:
        settings |= HOSTILE_SETTINGS
        # Jupyter and Matplotlib ask for a place of their own where there is no home.
        settings |= {"JUPYTER_RUNTIME_DIR": str(home), "MPLCONFIGDIR": str(home)}
        shutil.copy(HOSTILE / "keras/keras.json", home)
        settings["KERAS_HOME"] = str(home)
    if lesson.header.downloads and FILLED_CACHE.is_dir():
        # The build has run it without: here it finds what it can download. A copy, for Keras writes into its cache.
        shutil.copytree(FILLED_CACHE / "models", home / "models")
        (home / "datasets").mkdir()
        shutil.copy(FILLED_CACHE / "datasets/free_spoken_digits.zip", home / "datasets")
        settings["KERAS_HOME"] = str(home)
    return settings, home


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A kernel starts with the first cell of its notebook: from there on the process has the notebook's settings."""
    path = item.path.relative_to(ROOT).as_posix()
    if path.endswith(".ipynb") and path not in SETTINGS:
        lessons = Course.here().lessons()
        place = next(
            place
            for place, lesson in enumerate(lessons)
            if path == f"lessons/{lesson.notebook_path}"
        )
        SETTINGS[path] = settings_of(
            lessons[place], place % 2 or item.config.getoption("everything")
        )
    settings, _ = SETTINGS.get(path, ({}, None))
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        return (yield)
    finally:
        os.environ.clear()
        os.environ.update(before)


SETTINGS: dict = {}


def pytest_unconfigure():
    for _, home in SETTINGS.values():
        shutil.rmtree(home, ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    """Where the time went, and what the lessons promise."""
    took = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                path = report.nodeid.partition("::")[0]
                took["lessons" if path.startswith("lessons/") else path] += report.duration
    terminalreporter.section("where the time went")
    for name, seconds in sorted(took.items(), key=lambda item: -item[1])[:8]:
        terminalreporter.write_line(f"{seconds:7.0f} s  {name}")
    with contextlib.suppress(BuildError):  # a source that cannot be read has failed above
        total = sum(
            notebook.metadata.course.seconds for _, notebook in Course.here().stored_lessons()
        )
        terminalreporter.write_line(
            f"The lessons' seconds sum to {total} of {MOST_SECONDS_IN_ALL}, on two cores of the reference machine."
        )
