"""Parts of lessons that use downloads, run with a filled Keras cache and without network."""

import shutil
from pathlib import Path

import nbclient
import nbformat
import pytest

from workshop.build.execute import PeakMemory
from workshop.build.index import claims_of
from workshop.build.lessons import MOST_GIGABYTES, Course

COURSE = Course.here()
FILLED_CACHE = Path(__file__).parents[2] / "shared/datasets/keras"

pytestmark = pytest.mark.skipif(
    not FILLED_CACHE.is_dir(), reason="no filled Keras cache beside the course"
)


@pytest.fixture
def filled_cache(tmp_path, monkeypatch):
    """KERAS_HOME is a copy of what lessons use of the cache: Keras writes into its cache."""
    cache = tmp_path / "keras"
    shutil.copytree(FILLED_CACHE / "models", cache / "models")
    (cache / "datasets").mkdir()
    shutil.copy(FILLED_CACHE / "datasets/free_spoken_digits.zip", cache / "datasets")
    monkeypatch.setenv("KERAS_HOME", str(cache))
    return cache


@pytest.mark.parametrize(
    ("number", "subject"),
    [("3.2", "ImageNet"), ("4.3d", "spoken digits")],
    ids=["transfer learning", "spoken digits"],
)
def test_a_lesson_with_what_it_can_download(number, subject, filled_cache, tmp_path):
    (lesson,) = COURSE.lessons([number])
    offline = COURSE.stored(lesson.notebook_path)
    notebook = nbformat.from_dict(offline)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": tmp_path}},
    )
    without = {statement for statement, _, _ in claims_of(offline)}
    with PeakMemory() as memory:
        client.execute()
    only_with_download = {statement for statement, _, _ in claims_of(notebook)} - without
    assert len(only_with_download) == 3
    assert any(subject in statement for statement in only_with_download)
    assert memory.peak / 1e9 <= MOST_GIGABYTES
