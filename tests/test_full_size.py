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
    """KERAS_HOME is a copy of the cached models: Keras writes into its cache."""
    cache = tmp_path / "keras"
    shutil.copytree(FILLED_CACHE / "models", cache / "models")
    monkeypatch.setenv("KERAS_HOME", str(cache))
    return cache


def test_transfer_learning_with_the_weights_of_imagenet(filled_cache, tmp_path):
    (lesson,) = COURSE.lessons(["3.2"])
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
    only_with_weights = {statement for statement, _, _ in claims_of(notebook)} - without
    assert len(only_with_weights) == 3
    assert any("ImageNet" in statement for statement in only_with_weights)
    assert memory.peak / 1e9 <= MOST_GIGABYTES
