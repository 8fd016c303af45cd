"""Transfer learning: one base, learned with the old head, copied and locked under a new head."""

import functools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(6.8, 3.1)
arrow = functools.partial(draw_arrow, axes, gap=2)


def row(y, digit, head, colour, locked):
    write(axes, 0.42, y + 0.35, digit, size=30, rotation=-12)
    arrow((0.72, y + 0.35), (1.05, y + 0.35))
    for block in range(4):
        words, style = f"block\n{block + 1}", "--" if locked else "-"
        draw_box(axes, 1.1 + 0.72 * block, y, 0.6, 0.7, words, COLOURS["blue"], style=style)
    arrow((3.92, y + 0.35), (4.22, y + 0.35))
    write(axes, 4.6, y + 0.35, "32\nfeatures", size=10)
    arrow((4.98, y + 0.35), (5.3, y + 0.35))
    draw_box(axes, 5.35, y, 1.3, 0.7, head, colour)


row(2.1, "3", "head\n0 to 4", COLOURS["orange"], False)
row(0.55, "7", "new head\n5 to 9", COLOURS["red"], True)
arrow((2.5, 2.0), (2.5, 1.36), COLOURS["blue"])
write(axes, 2.6, 1.68, "copy the weights", COLOURS["blue"], align="left")
write(axes, 2.5, 0.25, "frozen: no weight changes (dashed)", level="baseline")
write(axes, 6.0, 0.25, "learns", level="baseline")
write(axes, 2.5, 2.92, "base: learns the old task", level="baseline")
write(axes, 6.0, 2.92, "learns", level="baseline")
save(figure, __file__)
