"""The neuron of lesson 2.1 with the numbers that the lesson computes by hand."""

import matplotlib.patches
import numpy as np

from images.drawing import COLOURS, canvas, draw_arrow, save

figure, axes = canvas(6.8, 2.7)


def circle(x, y, radius, text, colour, size=13):
    axes.add_patch(
        matplotlib.patches.Circle((x, y), radius, facecolor="white", edgecolor=colour, linewidth=2)
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=size)


def arrow(start, end, colour=COLOURS["black"]):
    draw_arrow(axes, start, end, colour)


circle(0.75, 1.95, 0.36, "$x_1$\n2", COLOURS["blue"])
circle(0.75, 0.75, 0.36, "$x_2$\n3", COLOURS["blue"])
arrow((1.11, 1.95), (2.62, 1.5))
arrow((1.11, 0.75), (2.62, 1.2))
axes.text(1.85, 1.93, "$w_1$ = 1", ha="center", color=COLOURS["red"], fontsize=12)
axes.text(1.85, 0.64, "$w_2$ = −1", ha="center", color=COLOURS["red"], fontsize=12)
circle(3.07, 1.35, 0.47, "sum\n$z$ = −0.5", COLOURS["black"], 11)
arrow((3.07, 2.35), (3.07, 1.82))
axes.text(3.07, 2.43, "bias $b$ = 0.5", ha="center", color=COLOURS["red"], fontsize=12)
arrow((3.54, 1.35), (4.23, 1.35))
axes.add_patch(
    matplotlib.patches.Rectangle(
        (4.23, 0.85), 1.0, 1.0, facecolor="white", edgecolor=COLOURS["green"], linewidth=2
    )
)
z = np.linspace(-6, 6, 60)
axes.plot(
    4.33 + (z + 6) / 12 * 0.8, 1.0 + 0.7 / (1 + np.exp(-z)), color=COLOURS["green"], linewidth=2
)
axes.text(4.73, 0.6, "activation", ha="center", fontsize=11)
arrow((5.23, 1.35), (5.73, 1.35))
circle(6.16, 1.35, 0.42, "$a$\n0.378", COLOURS["blue"], 12)
axes.text(0.75, 0.17, "inputs", ha="center", fontsize=11)
axes.text(3.07, 0.6, "weighted sum", ha="center", fontsize=11)
axes.text(6.16, 0.6, "output", ha="center", fontsize=11)
save(figure, __file__)
