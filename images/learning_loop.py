"""The training loop of lesson 2.3 as a cycle of four steps."""

import itertools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(7.0, 2.5)
STEPS = (
    (0.95, "batch", "a few examples\nx and targets y", COLOURS["black"]),
    (2.65, "forward", "outputs ŷ and\nthe loss L", COLOURS["blue"]),
    (4.35, "backward", "the gradient of L\nfor every weight", COLOURS["red"]),
    (6.05, "step", "the optimizer moves\nevery weight", COLOURS["green"]),
)
for x, name, what, colour in STEPS:
    draw_box(axes, x, 1.775, 1.2, 0.65, name, colour, centred=True, rounding=0.05, size=13)
    write(axes, x, 1.12, what, size=10)
for (x, *_), (next_x, *_) in itertools.pairwise(STEPS):
    draw_arrow(axes, (x + 0.62, 1.775), (next_x - 0.62, 1.775), "0.35")
axes.plot([6.05, 6.05, 0.95], [0.82, 0.42, 0.42], color="0.35", linewidth=1.6)
draw_arrow(axes, (0.95, 0.42), (0.95, 0.82), "0.35")
write(axes, 3.5, 0.2, "again, with the next batch", size=10)
save(figure, __file__)
