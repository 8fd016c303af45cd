"""Unit tests of the functions that lessons share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from workshop import kit
from workshop.tools.kit import Kit

FILLED_CACHE = Path(__file__).parents[3] / "shared/datasets/keras"
needs_filled_cache = pytest.mark.skipif(
    not FILLED_CACHE.is_dir(), reason="no filled Keras cache beside the course"
)


def test_small_digits_have_mnists_shape_and_every_digit_is_in_one_part_only():
    parts = kit.load_digits()
    for images, labels in parts:
        assert images.shape[1:] == (28, 28, 1)
        assert images.dtype == np.float32
        assert images.min() == 0
        assert images.max() == 1
        assert set(labels) == set(range(10))
    assert [len(labels) for _, labels in parts] == [1198, 299, 300]
    everything = np.concatenate([images.reshape(len(images), -1) for images, _ in parts])
    assert len(np.unique(everything, axis=0)) == 1797


def test_the_seed_decides_which_digits_fall_where():
    first, again, other = (kit.load_digits(seed=seed)[2] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match='"small" and "full"'):
        kit.load_digits(size="medium")


def test_full_digits_without_network_say_what_to_do():
    with pytest.raises(RuntimeError, match=r'load_digits\(size="small"\)'):
        kit.load_digits(size="full")


@pytest.fixture
def filled_cache(tmp_path):
    """A Keras cache with MNIST in it: a copy, because Keras writes into its cache."""
    (tmp_path / "datasets").mkdir()
    shutil.copy(FILLED_CACHE / "datasets/mnist.npz", tmp_path / "datasets")
    return tmp_path


def run_with_cache(cache, code):
    environment = {**os.environ, "KERAS_HOME": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@needs_filled_cache
def test_full_digits_come_from_the_cache_in_the_same_shapes(filled_cache):
    code = "from workshop.kit import load_digits\nprint([(x.shape, x.dtype.name, y.shape) for x, y in load_digits('full')])"
    ran = run_with_cache(filled_cache, code)
    expected = [((count, 28, 28, 1), "float32", (count,)) for count in (50_000, 10_000, 10_000)]
    assert ran.stdout.strip() == str(expected), ran.stderr


def test_full_digits_are_split_and_scaled_from_what_keras_loads(monkeypatch):
    images, labels = np.full((20_000, 28, 28), 255, "uint8"), np.arange(20_000, dtype="uint8") % 10
    monkeypatch.setattr(
        keras.datasets.mnist, "load_data", lambda: ((images, labels), (images[:50], labels[:50]))
    )
    parts = kit.load_digits(size="full")
    assert [x.shape for x, _ in parts] == [
        (10_000, 28, 28, 1),
        (10_000, 28, 28, 1),
        (50, 28, 28, 1),
    ]
    assert {(x.dtype.name, float(x.max()), y.dtype.name) for x, y in parts} == {
        ("float32", 1.0, "int64")
    }


def test_a_corrupt_download_is_noticed_and_not_used(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/mnist.npz").write_bytes(b"corrupt")
    ran = run_with_cache(tmp_path, "from workshop.kit import load_digits\nload_digits('full')")
    assert ran.returncode != 0
    assert "hash does not match" in ran.stdout + ran.stderr
    assert "RuntimeError: MNIST is not in Keras's cache and could not be downloaded" in ran.stderr


def test_the_split_keeps_every_example_once_and_the_classes_in_proportion():
    labels = np.repeat([0, 1], [200, 100])
    parts = kit.split_three_ways(np.arange(300), labels, seed=3)
    assert sorted(np.concatenate([inputs for inputs, _ in parts])) == list(range(300))
    assert [len(inputs) for inputs, _ in parts] == [200, 50, 50]
    for inputs, part_labels in parts:
        np.testing.assert_array_equal(labels[inputs], part_labels)
        assert part_labels.mean() == pytest.approx(1 / 3, abs=0.02)


def test_everything_in_the_kit_stands_alone_in_a_notebook():
    source = Kit(Path(kit.__file__).parent)
    for name in kit.module_of():
        space = {}
        exec(source.source_of([name])[0], space)
        assert name in space


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 8, 1), (12, 8, 8, 3)])
def test_images_are_shown_in_a_grid(shape, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    kit.show_images(np.zeros(shape), titles=range(shape[0]), columns=5)
    shown = [axes for axes in plt.gcf().axes if axes.images]
    assert [axes.get_title() for axes in shown] == [str(number) for number in range(shape[0])]
    plt.close()


@pytest.mark.parametrize("shape", [(8, 8), (3, 8, 8, 2), (0, 8, 8)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="show_images needs"):
        kit.show_images(np.zeros(shape))


def test_a_title_too_few_is_refused():
    with pytest.raises(ValueError, match="3 images and 2 titles"):
        kit.show_images(np.zeros((3, 8, 8)), titles=["a", "b"])


def test_the_course_style_gives_each_line_its_own_colour_and_dashes():
    with plt.rc_context():
        kit.use_course_style()
        styles = list(plt.rcParams["axes.prop_cycle"])
    assert len({style["color"] for style in styles}) == len(styles) == len(kit.COLOURS)
    assert len({style["linestyle"] for style in styles[:4]}) == 4
