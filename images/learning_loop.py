"""The training loop of lesson 2.3 as a cycle of four steps."""

import itertools

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save

figure, axes = canvas(7.0, 2.5)
STEPS = (
    (0.95, "batch", "a few examples\nx and targets y", COLOURS["black"]),
    (2.65, "forward", "outputs ŷ and\nthe loss L", COLOURS["blue"]),
    (4.35, "backward", "the gradient of L\nfor every weight", COLOURS["red"]),
    (6.05, "step", "the optimizer moves\nevery weight", COLOURS["green"]),
)
for x, name, what, colour in STEPS:
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x - 0.55, 1.5),
            1.1,
            0.55,
            boxstyle="round,pad=0.05",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
        )
    )
    axes.text(x, 1.775, name, ha="center", va="center", fontsize=13)
    axes.text(x, 1.12, what, ha="center", va="center", fontsize=10)


def arrow(start, end):
    draw_arrow(axes, start, end, "0.35")


for (x, *_), (next_x, *_) in itertools.pairwise(STEPS):
    arrow((x + 0.62, 1.775), (next_x - 0.62, 1.775))
axes.plot([6.05, 6.05, 0.95], [0.82, 0.42, 0.42], color="0.35", linewidth=1.6)
arrow((0.95, 0.42), (0.95, 0.82))
axes.text(3.5, 0.2, "again, with the next batch", ha="center", va="center", fontsize=10)
save(figure, __file__)
