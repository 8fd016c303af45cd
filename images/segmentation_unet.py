"""The U-Net of lesson 3.3b: maps on the way down and up, skip connections, two heads."""

import functools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(6.9, 4.3)
arrow = functools.partial(draw_arrow, axes, width=1.8, gap=2)


def maps(x, y, side, filters, colour, label="left"):
    """A stack of maps with its lower left corner at (x, y), taller for larger maps, wider for more filters."""
    width, height = 0.1 + filters / 130, 0.22 + side / 52
    draw_box(axes, x, y, width, height, colour=colour, rounding=0)
    size = f"{side}×{side}×{filters}"
    if label == "left":
        write(axes, x - 0.06, y + 0.06, size, size=10, align="right", level="baseline")
    elif label == "right":
        write(axes, x + width + 0.06, y + 0.06, size, size=10, align="left", level="baseline")
    else:
        write(axes, x + width / 2, y - 0.17, size, size=10, level="baseline")


DOWN, UP, SKIP = COLOURS["blue"], COLOURS["green"], COLOURS["red"]
maps(0.4, 2.85, 48, 1, COLOURS["black"], "below")
write(axes, 0.45, 4.08, "scene", level="baseline")
maps(1.4, 2.85, 48, 4, DOWN, "below")
maps(1.4, 1.75, 24, 16, DOWN)
maps(1.95, 0.95, 12, 32, DOWN)
maps(2.75, 0.3, 6, 64, COLOURS["black"], "below")
maps(3.7, 0.95, 12, 32, UP, "right")
maps(4.15, 1.75, 24, 16, UP, "right")
maps(4.6, 2.85, 48, 12, UP, "right")

arrow((0.53, 3.4), (1.38, 3.4), DOWN)
arrow((0.75, 2.72), (1.38, 2.25), DOWN)
arrow((1.63, 1.95), (1.98, 1.42), DOWN)
arrow((2.32, 1.05), (2.73, 0.6), DOWN)
arrow((3.37, 0.6), (3.75, 0.93), UP)
arrow((3.88, 1.42), (4.17, 1.73), UP)
arrow((4.3, 2.45), (4.63, 2.83), UP)
for y, left, right in ((3.4, 1.55, 4.58), (2.1, 1.66, 4.13), (1.25, 2.33, 3.68)):
    arrow((left, y), (right, y), SKIP, style="--")
    write(axes, 3.0, y + 0.09, "skip connection", SKIP, level="baseline")
write(axes, 0.75, 1.25, "down:\nsees far", DOWN, level="baseline")
write(axes, 5.6, 2.05, "up:\ngets sharp", UP, level="baseline")
arrow((4.07, 1.25), (5.3, 1.25))
write(axes, 5.35, 1.25, "digit?\n12×12×10", align="left")
arrow((4.82, 3.4), (5.55, 3.4))
write(axes, 5.6, 3.4, "ink?\n48×48×1", align="left")
save(figure, __file__)
