"""The siamese network of lesson 3.3c: two pictures, one network, two vectors, one distance, one threshold."""

from matplotlib.patches import FancyArrowPatch

from images.drawing import COLOURS, canvas, draw_box, save, write
from workshop.kit import load_digits

ROWS = 2.35, 0.85  # the middle of the upper and of the lower picture
VECTORS = "(0.6, 0.8)", "(0, 1)"
PICTURE_SIDE = 1.0

figure, axes = canvas(6.9, 3.2)


def arrow(start, end):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, linewidth=1.6))


def box(left, middle, width, text, colour):
    draw_box(axes, left, middle - 0.35, width, 0.7, text, colour, size=11.5)


(images, labels), _, _ = load_digits()
fours = images[labels == 4][:2, ..., 0]
for middle, vector, image in zip(ROWS, VECTORS, fours, strict=True):
    left, half = 0.15, PICTURE_SIDE / 2
    axes.imshow(
        image, cmap="gray_r", extent=(left, left + PICTURE_SIDE, middle - half, middle + half)
    )
    axes.plot(
        [left, left + PICTURE_SIDE, left + PICTURE_SIDE, left, left],
        [middle - half] * 2 + [middle + half] * 2 + [middle - half],
        color="0.6",
        linewidth=1,
    )
    arrow((1.2, middle), (1.6, middle))
    box(1.6, middle, 1.15, "network", COLOURS["blue"])
    arrow((2.75, middle), (3.15, middle))
    write(axes, 3.62, middle, vector, size=12)
    arrow((4.1, middle), (4.55, 1.6 + 0.25 * (middle - 1.6)))
axes.plot(
    [2.175, 2.175],
    [ROWS[1] + 0.35, ROWS[0] - 0.35],
    color=COLOURS["blue"],
    linestyle=":",
    linewidth=2,
)
write(axes, 2.28, 1.6, "same weights", COLOURS["blue"], align="left")
write(axes, 3.62, 0.38, "embeddings", "0.35", size=10.5, level="baseline")
box(4.55, 1.6, 1.0, "distance\n0.63", COLOURS["red"])
arrow((5.55, 1.6), (5.85, 1.6))
write(axes, 6.35, 1.6, "< 0.8 ?\nthe same", size=12)
write(axes, 6.35, 1.02, "threshold 0.8", "0.35", size=10.5, level="baseline")
axes.set(xlim=(0, 6.9), ylim=(0, 3.2), aspect="auto")
save(figure, __file__)
