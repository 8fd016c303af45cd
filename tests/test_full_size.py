"""Parts of lessons that use downloads, with a filled Keras cache and without network, in the memory of a lesson.

nbval runs these lessons with the same cache; here their memory is measured too, with --everything.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workshop.tools.claims import claims_of
from workshop.tools.course import Course
from workshop.tools.environment import learner_environment
from workshop.tools.execute import run
from workshop.tools.rules import MOST_GIGABYTES

COURSE = Course.here()
FILLED_CACHE = Path(__file__).parents[2] / "shared/datasets/keras"
WITH_DOWNLOADS = [lesson for lesson in COURSE.lessons() if lesson.header.downloads]

needs_filled_cache = pytest.mark.skipif(
    not FILLED_CACHE.is_dir(), reason="no filled Keras cache beside the course"
)


@pytest.fixture
def filled_cache(tmp_path):
    """A copy of what lessons use of the cache: Keras writes into its cache."""
    cache = tmp_path / "keras"
    shutil.copytree(FILLED_CACHE / "models", cache / "models")
    (cache / "datasets").mkdir()
    for name in ("free_spoken_digits.zip", "mnist.npz"):
        shutil.copy(FILLED_CACHE / "datasets" / name, cache / "datasets")
    return cache


@needs_filled_cache
@pytest.mark.parametrize("lesson", WITH_DOWNLOADS, ids=[lesson.number for lesson in WITH_DOWNLOADS])
def test_a_lesson_with_what_it_can_download(lesson, filled_cache, request):
    if not request.config.getoption("everything"):
        pytest.skip(
            "nbval has run it with the same cache; its memory is measured with --everything"
        )
    offline = COURSE.stored(lesson.notebook_path)
    notebook, _ = COURSE.unexecuted(lesson)
    took = run(notebook, lesson, environment=learner_environment(keras_home=filled_cache))
    without = {claim.statement for claim in claims_of(offline)}
    only_with_download = {claim.statement for claim in claims_of(notebook)} - without
    assert len(only_with_download) == 3
    assert took.gigabytes <= MOST_GIGABYTES


@needs_filled_cache
def test_the_cache_can_be_filled_before_a_class(filled_cache):
    ran = prefetch(filled_cache)
    assert ran.returncode == 0, ran.stderr
    for lesson in WITH_DOWNLOADS:
        assert lesson.name in ran.stdout
    assert str(filled_cache) in ran.stdout


def test_what_could_not_be_loaded_is_named(tmp_path):
    ran = prefetch(tmp_path)
    assert ran.returncode == 1
    assert "Missing: MNIST, MobileNetV2's ImageNet weights, spoken digits." in ran.stderr


def prefetch(cache):
    return subprocess.run(
        [sys.executable, "data/prefetch.py"],
        cwd=COURSE.root,
        env=learner_environment(keras_home=cache),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lesson", WITH_DOWNLOADS, ids=[lesson.number for lesson in WITH_DOWNLOADS])
def test_a_header_names_what_can_be_loaded(lesson):
    listed = (COURSE.root / "data/prefetch.py").read_text(encoding="utf-8")
    assert all(f'"{name}": (' in listed for name in lesson.header.downloads)
