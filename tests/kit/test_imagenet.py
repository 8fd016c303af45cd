"""The ImageNet weights: from the cache, or a clear message, quickly."""

import shutil
import time
from pathlib import Path

import keras
import pytest

from workshop.kit import downloads, imagenet, load_mobilenet

FILLED_CACHE = Path(__file__).parents[3] / "shared/datasets/keras"


def test_without_cache_and_network_the_message_comes_quickly_and_nothing_is_left(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    start = time.perf_counter()
    with pytest.raises(RuntimeError, match=r"there is no network.*data/prefetch\.py"):
        load_mobilenet()
    assert time.perf_counter() - start < 10
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_never_answers_is_given_up(monkeypatch):
    def hang(*_, **__):
        time.sleep(2)
        raise OSError("too late")

    monkeypatch.setattr(downloads.urllib.request, "urlopen", hang)
    start = time.perf_counter()
    assert not downloads.network_answers("https://example.com", seconds=0.2)
    assert time.perf_counter() - start < 1.5


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    damaged = tmp_path / "models" / imagenet.IMAGENET_WEIGHTS
    damaged.parent.mkdir()
    damaged.write_bytes(b"half a download")
    with pytest.raises(RuntimeError, match="it is damaged: delete it"):
        load_mobilenet()
    assert damaged.is_file()


def test_a_failing_download_is_explained(tmp_path, monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet, "network_answers", lambda _: True)
    monkeypatch.setattr(keras.applications, "MobileNetV2", fail)
    with pytest.raises(RuntimeError, match=r"could not be loaded \(URL fetch failure"):
        load_mobilenet()


@pytest.mark.skipif(not FILLED_CACHE.is_dir(), reason="no filled Keras cache beside the course")
def test_the_weights_come_from_the_cache_without_network(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    shutil.copy(FILLED_CACHE / "models" / imagenet.IMAGENET_WEIGHTS, tmp_path / "models")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = load_mobilenet()
    assert model.output_shape == (None, 1280)
    assert model.count_params() == 410_208
