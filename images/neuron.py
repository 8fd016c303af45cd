"""The neuron of lesson 2.1 with the numbers that the lesson computes by hand."""

import matplotlib.patches
import numpy as np

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(6.8, 2.7)


def circle(x, y, radius, text, colour, size=13):
    axes.add_patch(
        matplotlib.patches.Circle((x, y), radius, facecolor="white", edgecolor=colour, linewidth=2)
    )
    write(axes, x, y, text, size=size)


circle(0.75, 1.95, 0.36, "$x_1$\n2", COLOURS["blue"])
circle(0.75, 0.75, 0.36, "$x_2$\n3", COLOURS["blue"])
draw_arrow(axes, (1.11, 1.95), (2.62, 1.5))
draw_arrow(axes, (1.11, 0.75), (2.62, 1.2))
write(axes, 1.85, 1.93, "$w_1$ = 1", COLOURS["red"], size=12, level="baseline")
write(axes, 1.85, 0.64, "$w_2$ = −1", COLOURS["red"], size=12, level="baseline")
circle(3.07, 1.35, 0.47, "sum\n$z$ = −0.5", COLOURS["black"], 11)
draw_arrow(axes, (3.07, 2.35), (3.07, 1.82))
write(axes, 3.07, 2.43, "bias $b$ = 0.5", COLOURS["red"], size=12, level="baseline")
draw_arrow(axes, (3.54, 1.35), (4.23, 1.35))
draw_box(axes, 4.23, 0.85, 1.0, 1.0, colour=COLOURS["green"], rounding=0)
z = np.linspace(-6, 6, 60)
axes.plot(
    4.33 + (z + 6) / 12 * 0.8, 1.0 + 0.7 / (1 + np.exp(-z)), color=COLOURS["green"], linewidth=2
)
write(axes, 4.73, 0.6, "activation", level="baseline")
draw_arrow(axes, (5.23, 1.35), (5.73, 1.35))
circle(6.16, 1.35, 0.42, "$a$\n0.378", COLOURS["blue"], 12)
write(axes, 0.75, 0.17, "inputs", level="baseline")
write(axes, 3.07, 0.6, "weighted sum", level="baseline")
write(axes, 6.16, 0.6, "output", level="baseline")
save(figure, __file__)
