"""Transfer learning: one base, learned with the old head, copied and locked under a new head."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

figure, axes = canvas(6.8, 3.1)


def box(x, y, width, height, text, colour, dashed=False):
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
            linestyle="--" if dashed else "-",
        )
    )
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=11)


def arrow(start, end, colour=COLOURS["black"]):
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6}
    )


def row(y, digit, head, colour, locked):
    axes.text(0.42, y + 0.35, digit, ha="center", va="center", fontsize=30, rotation=-12)
    arrow((0.72, y + 0.35), (1.05, y + 0.35))
    for block in range(4):
        box(1.1 + 0.72 * block, y, 0.6, 0.7, f"block\n{block + 1}", COLOURS["blue"], locked)
    arrow((3.92, y + 0.35), (4.22, y + 0.35))
    axes.text(4.6, y + 0.35, "32\nfeatures", ha="center", va="center", fontsize=10)
    arrow((4.98, y + 0.35), (5.3, y + 0.35))
    box(5.35, y, 1.3, 0.7, head, colour)


row(2.1, "3", "head\n0 to 4", COLOURS["orange"], False)
row(0.55, "7", "new head\n5 to 9", COLOURS["red"], True)
arrow((2.5, 2.0), (2.5, 1.36), COLOURS["blue"])
axes.text(2.6, 1.68, "copy the weights", va="center", fontsize=11, color=COLOURS["blue"])
axes.text(2.5, 0.25, "frozen: no weight changes (dashed)", ha="center", fontsize=11)
axes.text(6.0, 0.25, "learns", ha="center", fontsize=11)
axes.text(2.5, 2.92, "base: learns the old task", ha="center", fontsize=11)
axes.text(6.0, 2.92, "learns", ha="center", fontsize=11)
save(figure, __file__)
