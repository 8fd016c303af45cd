"""The first window of lesson 3.1: a 4 × 4 image, a 2 × 2 kernel and the 3 × 3 feature map."""

from images.drawing import COLOURS, canvas, draw_box, save, write

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
            words = str(number).replace("-", "−")
            draw_box(
                axes,
                *corner,
                SIDE,
                SIDE,
                words,
                "0.3",
                face=face(number),
                line=1,
                rounding=0,
                size=13,
            )


def frame(left, top, side, colour):
    draw_box(axes, left, top - side, side, side, colour=colour, face="none", line=3.5, rounding=0)


table(IMAGE, 0.3, 2.5, GREYS.get)
table(KERNEL, 3.05, 2.0)
table(FEATURE_MAP, 4.95, 2.25)
frame(0.3 + SIDE, 2.5, 2 * SIDE, COLOURS["red"])
frame(3.05, 2.0, 2 * SIDE, COLOURS["red"])
frame(4.95 + SIDE, 2.25, SIDE, COLOURS["blue"])
write(axes, 2.68, 1.5, "×", size=20)
write(axes, 4.5, 1.5, "=", size=20)
for x, words in [(1.3, "image x"), (3.55, "kernel w"), (5.7, "feature map z")]:
    write(axes, x, 2.68, words, size=12, level="baseline")
write(
    axes, 3.4, 0.17, "−1 · 0 + 1 · 2 − 1 · 0 + 1 · 2 = 4", COLOURS["red"], size=13, level="baseline"
)
save(figure, __file__)
