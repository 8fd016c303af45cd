"""enlarge: a reader's own 8x8 drawing gets the form of the course's digits."""

import numpy as np
import sklearn.datasets

from workshop.kit import enlarge, load_digits


def test_a_drawing_gets_the_shape_and_range_of_the_digits():
    drawing = np.zeros((1, 8, 8))
    drawing[0, 2:6, 3] = 1
    image = enlarge(drawing)
    assert image.shape == (1, 28, 28, 1)
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1
    assert image[0, 14, 12, 0] > 0.9, "ink stays where it was drawn"
    assert not image[0, :2].any()
    assert not image[0, :, -2:].any()


def test_a_drawing_is_treated_like_the_digits_of_the_course():
    enlarged = enlarge(sklearn.datasets.load_digits().images / 16)
    (images, _), _, _ = load_digits()
    assert any(np.array_equal(images[0], image) for image in enlarged)
