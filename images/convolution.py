"""The first window of lesson 3.1: a 4 × 4 image, a 2 × 2 kernel and the 3 × 3 feature map."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

IMAGE = [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 1, 1]]
KERNEL = [[-1, 1], [-1, 1]]
FEATURE_MAP = [["", 4, ""], ["", "", ""], ["", "", ""]]  # the others are the reader's question
SIDE = 0.5  # inches
GREYS = {0: "0.55", 1: "0.8", 2: "1.0"}

figure, axes = canvas(6.8, 2.9)


def table(numbers, left, top, face=lambda number: "white"):
    """Draws numbers in squares, the upper left corner at (left, top)."""
    for i, row in enumerate(numbers):
        for j, number in enumerate(row):
            corner = left + j * SIDE, top - (i + 1) * SIDE
            axes.add_patch(
                matplotlib.patches.Rectangle(
                    corner, SIDE, SIDE, facecolor=face(number), edgecolor="0.3"
                )
            )
            axes.text(
                corner[0] + SIDE / 2,
                corner[1] + SIDE / 2,
                str(number).replace("-", "−"),
                ha="center",
                va="center",
                fontsize=13,
            )


def frame(left, top, side, colour):
    axes.add_patch(
        matplotlib.patches.Rectangle(
            (left, top - side), side, side, facecolor="none", edgecolor=colour, linewidth=3.5
        )
    )


table(IMAGE, 0.3, 2.5, GREYS.get)
table(KERNEL, 3.05, 2.0)
table(FEATURE_MAP, 4.95, 2.25)
frame(0.3 + SIDE, 2.5, 2 * SIDE, COLOURS["red"])
frame(3.05, 2.0, 2 * SIDE, COLOURS["red"])
frame(4.95 + SIDE, 2.25, SIDE, COLOURS["blue"])
axes.text(2.68, 1.5, "×", ha="center", va="center", fontsize=20)
axes.text(4.5, 1.5, "=", ha="center", va="center", fontsize=20)
for x, words in [(1.3, "image x"), (3.55, "kernel w"), (5.7, "feature map z")]:
    axes.text(x, 2.68, words, ha="center", fontsize=12)
axes.text(
    3.4,
    0.17,
    "−1 · 0 + 1 · 2 − 1 · 0 + 1 · 2 = 4",
    ha="center",
    fontsize=13,
    color=COLOURS["red"],
)
save(figure, __file__)
