"""Every drawn picture is what its script draws."""

import runpy
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest

from images import drawing

PICTURES = sorted((Path(__file__).parents[1] / "images").glob("*.png"))
TILE = 16  # pixels: about a letter
LARGEST_DIFFERENCE = 16  # grey levels of 255, in the mean of a tile


def largest_difference(first, second):
    """The largest mean difference in grey of a tile between two pictures of one size."""
    difference = np.abs(
        np.asarray(first.convert("L"), float) - np.asarray(second.convert("L"), float)
    )
    rows, columns = (size // TILE for size in difference.shape)
    tiles = difference[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return tiles.mean(axis=(1, 3)).max()


@pytest.mark.parametrize("picture", PICTURES, ids=[picture.stem for picture in PICTURES])
def test_a_picture_is_what_its_script_draws(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "FOLDER", tmp_path)
    runpy.run_module(f"images.{picture.stem}", run_name="__main__")
    with PIL.Image.open(picture) as stored, PIL.Image.open(tmp_path / picture.name) as drawn:
        assert stored.size == drawn.size
        assert largest_difference(stored, drawn) < LARGEST_DIFFERENCE, (
            f"run: python -m images.{picture.stem}"
        )


def test_a_changed_letter_is_noticed():
    with PIL.Image.open(PICTURES[0]) as stored:
        changed = stored.convert("L")
        PIL.ImageDraw.Draw(changed).rectangle([100, 100, 108, 112], fill="gray")
        assert largest_difference(stored, changed) > LARGEST_DIFFERENCE
