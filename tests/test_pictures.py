"""Every drawn picture is what its script draws."""

import importlib.metadata
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest

from images import drawing

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "images").glob("*.png"))
LOCKED = dict(
    re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
)
AS_LOCKED = all(
    importlib.metadata.version(name) == LOCKED[name] for name in ("matplotlib", "pillow")
)
# Where they are others, an edge may be a little darker. (Before 3.11, Matplotlib shaped its letters otherwise.)
TILE = 8  # pixels: about a digit
LARGEST_DIFFERENCE = 10  # grey levels of 255, in a tile's mean: half of what a digit makes


def largest_difference(first, second):
    """The largest mean difference in grey of a tile between two pictures (height, width, 3) of one size."""
    difference = np.abs(first.astype(float) - second).mean(axis=-1)
    rows, columns = (size // TILE for size in difference.shape)
    tiles = difference[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return tiles.mean(axis=(1, 3)).max()


def agree(first, second, exactly):
    """Whether two pictures are one: in every pixel if `exactly`, else but for a little in each tile."""
    if first.shape != second.shape:
        return False
    if exactly:
        return np.array_equal(first, second)
    return largest_difference(first, second) < LARGEST_DIFFERENCE


def read(path):
    """The pixels of a picture, (height, width, 3)."""
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """draw(script): the pixels of what a script draws, (height, width, 3). The stored picture stays as it is."""
    monkeypatch.setattr(drawing, "FOLDER", tmp_path)

    def draw(script):
        runpy.run_path(str(script), run_name="__main__")
        return read(tmp_path / f"{script.stem}.png")

    # An earlier test in this process may have set the course's look.
    with plt.style.context("default"):
        yield draw


@pytest.mark.parametrize("picture", PICTURES, ids=[picture.stem for picture in PICTURES])
def test_a_picture_is_what_its_script_draws(picture, draw):
    assert agree(read(picture), draw(picture.with_suffix(".py")), AS_LOCKED), (
        f"run: python -m images.{picture.stem}, with the versions of requirements.txt"
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("neuron", "0.378", "0.878"),
        ("detection_grid", "20, 22", "26, 22"),
        ("dropout_masks", "×2", "×3"),
    ],
)
def test_a_changed_digit_is_noticed(name, old, new, draw, tmp_path):
    script = ROOT / "images" / f"{name}.py"
    source = script.read_text(encoding="utf-8")
    assert old in source
    changed = tmp_path / script.name
    changed.write_text(source.replace(old, new), encoding="utf-8")
    before, after = draw(script), draw(changed)
    assert not agree(before, after, exactly=True)
    assert not agree(before, after, exactly=False)


def test_settings_of_the_author_do_not_reach_a_picture():
    with plt.rc_context({"font.size": 20, "lines.linewidth": 5}):
        runpy.run_path(drawing.__file__)
        assert plt.rcParams["font.size"] == plt.rcParamsDefault["font.size"]
        assert plt.rcParams["lines.linewidth"] == plt.rcParamsDefault["lines.linewidth"]
