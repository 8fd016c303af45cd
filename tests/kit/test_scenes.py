"""Unit tests of the scenes of several digits."""

import itertools

import numpy as np
import pytest

from workshop.kit import load_digits, make_scenes

(IMAGES, LABELS), _, _ = load_digits()


def test_shapes_and_ranges_are_as_promised():
    scenes, boxes, classes, owners = make_scenes(IMAGES, LABELS, 50)
    assert scenes.shape == (50, 64, 64, 1)
    assert scenes.dtype == np.float32
    assert scenes.min() >= 0
    assert scenes.max() <= 1
    assert owners.shape == (50, 64, 64)
    assert {len(each) for each in classes} <= {1, 2, 3, 4, 5}
    assert [len(each) for each in boxes] == [len(each) for each in classes]
    assert {int(label) for each in classes for label in each} == set(range(10))


def test_without_overlap_the_pixels_of_a_digit_fill_its_box():
    _, boxes, classes, owners = make_scenes(IMAGES, LABELS, 50, overlap=0)
    for scene_boxes, scene_classes, owner in zip(boxes, classes, owners, strict=True):
        for place in range(len(scene_classes)):
            rows, columns = np.nonzero(owner == place + 1)
            found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            np.testing.assert_allclose(found, scene_boxes[place], atol=3)
        assert owner.max() == len(scene_classes)


@pytest.mark.parametrize("overlap", [0, 0.3])
def test_boxes_cover_each_other_by_no_more_than_was_asked(overlap):
    _, boxes, _, _ = make_scenes(IMAGES, LABELS, 100, overlap=overlap)
    shares = []
    for scene_boxes in boxes:
        for one, other in itertools.combinations(scene_boxes, 2):
            size = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)
            shares.append(size.prod() / min((box[2:] - box[:2]).prod() for box in (one, other)))
    assert max(shares) <= overlap + 1e-6
    assert (max(shares) > 0) == (overlap > 0)


def test_the_seed_decides_the_scenes():
    first, again, other = (make_scenes(IMAGES, LABELS, 3, seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_digit_that_cannot_fit_is_refused():
    with pytest.raises(ValueError, match="scene's side of 64"):
        make_scenes(IMAGES, LABELS, 1, sizes=(20, 65))
