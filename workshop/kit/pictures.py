import itertools

import matplotlib.pyplot as plt
import numpy as np

# Okabe and Ito's palette: told apart with any kind of colour vision (https://jfly.uni-koeln.de/color/).
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
}


def use_course_style():
    """Give all plots of a notebook the course's look: colour-blind safe colours, each with its own line style.

    What a reader's own settings of Matplotlib say is left out.
    """
    plt.style.use("default")
    line_styles = itertools.islice(itertools.cycle(["-", "--", "-.", ":"]), len(COLOURS))
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=list(COLOURS.values()))
            + plt.cycler(linestyle=list(line_styles)),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 12,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.figsize": (6.6, 4.0),
            "font.size": 11,
            "image.cmap": "gray_r",
            "lines.linewidth": 2,
        }
    )


def show_images(images, titles=None, columns=10, title=None):
    """Show images side by side, in rows of `columns`, all on one brightness scale.

    images: (n, height, width), (n, height, width, 1) or (n, height, width, 3). titles: n short texts, or None.
    Raises ValueError when the shape is another one or the number of titles differs from n.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if (
        images.ndim not in (3, 4)
        or (images.ndim == 4 and images.shape[-1] != 3)
        or len(images) == 0
    ):
        raise ValueError(
            f"show_images needs (n, height, width) with an optional last axis of 1 or 3, got {images.shape}"
        )
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            f"show_images got {len(images)} images and {len(titles)} titles: give one title an image"
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    width = 6.6 / columns
    height = width * images.shape[1] / images.shape[2] + (0.3 if titles is not None else 0)
    figure, grid = plt.subplots(
        rows, columns, squeeze=False, figsize=(6.6, rows * height + (0.4 if title else 0))
    )
    for axes in grid.flat:
        axes.axis("off")
    for index, axes in enumerate(grid.flat[: len(images)]):
        axes.imshow(images[index], vmin=images.min(), vmax=images.max())
        if titles is not None:
            axes.set_title(titles[index], fontsize=10)
    figure.suptitle(title)
    plt.show()
