import numpy as np
from PIL import Image


def make_scenes(
    images, labels, count, seed=0, side=64, most=5, sizes=(14, 30), overlap=0.1, pieces=8, noise=0.1
):
    """Pictures of several digits over clutter, and for each digit what it is and which pixels are its own.

    images: (n, 28, 28, 1) in [0, 1]. labels: (n,). A scene has 1 to `most` digits, drawn from them at random and shrunk
    or enlarged so that the picture of the digit has between sizes[0] and sizes[1] pixels a side.
    overlap: how large a share of the smaller of two digits' boxes the other may cover.
    pieces: how many faint scraps of digits lie in the background. noise: standard deviation of each pixel's noise.
    Returns scenes (count, side, side, 1) float32 in [0, 1]; boxes, for each scene (digits, 4) float32: left, top, right,
    bottom in pixels, right and bottom exclusive; classes, for each scene (digits,) integers; and owners
    (count, side, side) uint8: 0 for background, k for a pixel of the scene's k-th digit.
    Raises ValueError where a digit would not fit. The scraps follow V. Mnih et al. (2014), arXiv:1406.6247.
    """
    if not 8 <= sizes[0] <= sizes[1] <= side:
        raise ValueError(f"sizes go from 8 up to the scene's side of {side}, got {sizes}")
    generator = np.random.default_rng(seed)
    scenes = np.empty((count, side, side), "float32")
    owners = np.zeros((count, side, side), "uint8")
    boxes, classes = [], []
    for scene, owner in zip(scenes, owners, strict=True):
        scene[:] = generator.uniform(0, 0.2)
        for piece in images[generator.integers(len(images), size=pieces), ..., 0]:
            top, left = generator.integers(4, 16, 2)
            scrap = piece[top : top + 8, left : left + 8] * generator.uniform(0.2, 0.6)
            paste(scene, scrap, generator.integers(side - 8, size=2))
        boxes.append([])
        classes.append([])
        for _ in range(generator.integers(1, most + 1)):
            which = generator.integers(len(images))
            ink = shrunk(images[which, ..., 0], generator.integers(sizes[0], sizes[1] + 1))
            corner = free_place(generator, ink.shape, side, boxes[-1], overlap)
            if corner is None:
                continue  # the scene is full
            top, left = corner
            paste(scene, ink * generator.uniform(0.7, 1), corner)
            own = owner[top : top + ink.shape[0], left : left + ink.shape[1]]
            boxes[-1].append([left, top, left + ink.shape[1], top + ink.shape[0]])
            classes[-1].append(labels[which])
            own[ink > 0.4] = len(classes[-1])
    scenes += generator.normal(0, noise, scenes.shape)
    return (
        np.clip(scenes, 0, 1)[..., np.newaxis],
        [np.array(each, "float32") for each in boxes],
        [np.array(each) for each in classes],
        owners,
    )


def shrunk(image, size):
    """A digit's picture (28, 28) resized to size x size and cut to its ink: (height, width)."""
    resized = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
    rows, columns = (np.flatnonzero((resized > 0.3).any(axis=axis)) for axis in (1, 0))
    return resized[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def paste(scene, ink, corner):
    """Lay ink (height, width) on a scene, at the corner (top, left): the brighter of the two stays."""
    top, left = corner
    under = scene[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(under, ink, out=under)


def free_place(generator, shape, side, boxes, overlap, tries=30):
    """A random corner (top, left) for a box of this shape, or None where other boxes leave no room for it."""
    for _ in range(tries):
        top, left = generator.integers(side - shape[0] + 1), generator.integers(side - shape[1] + 1)
        shares = [
            max(0, min(right, left + shape[1]) - max(other_left, left))
            * max(0, min(bottom, top + shape[0]) - max(other_top, top))
            / min(shape[0] * shape[1], (right - other_left) * (bottom - other_top))
            for other_left, other_top, right, bottom in boxes
        ]
        if max(shares, default=0) <= overlap:
            return top, left
    return None
