"""The grid of lesson 3.3a: one box by hand, the cell that answers for it, and that cell's 15 outputs."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

figure, axes = canvas(6.8, 3.4)
LEFT, TOP, UNIT = 0.35, 3.05, 2.7 / 64  # inches; a pixel of the scene is UNIT wide


def place(x, y):
    """A pixel of the scene, from its top left corner, in inches."""
    return LEFT + x * UNIT, TOP - y * UNIT


for line in range(0, 65, 8):
    axes.plot(*zip(place(line, 0), place(line, 64), strict=True), color="0.75", linewidth=1)
    axes.plot(*zip(place(0, line), place(64, line), strict=True), color="0.75", linewidth=1)
axes.add_patch(
    matplotlib.patches.Rectangle(
        place(16, 32), 8 * UNIT, 8 * UNIT, facecolor=COLOURS["sky"], edgecolor="none"
    )
)
axes.add_patch(
    matplotlib.patches.Rectangle(
        place(10, 38), 12 * UNIT, 18 * UNIT, fill=False, edgecolor=COLOURS["red"], linewidth=2
    )
)
axes.plot(*place(16, 29), "o", color="black", markersize=5)
axes.text(*place(10, 18.5), "box (10, 20, 22, 38)", fontsize=10, color=COLOURS["red"])
axes.text(*place(25, 31), "centre (16, 29):\ncolumn 2, row 3", fontsize=10, va="center")
axes.text(place(32, 0)[0], 0.1, "scene: 64 x 64 pixels, 8 x 8 cells", ha="center", fontsize=10)
axes.annotate(
    "",
    (3.85, place(0, 31)[1]),
    place(65, 31),
    arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 1.6},
)
axes.text(5.3, 3.05, "15 outputs of this cell", ha="center", fontsize=11)
ROWS = [
    ("objectness", "1", COLOURS["green"]),
    ("$t_x$, $t_y$ (place in the cell)", "−0.5, 0.125", COLOURS["red"]),
    ("$t_w$, $t_h$ (log of the size)", "ln(12/$w_0$), ln(18/$h_0$)", COLOURS["red"]),
    ("class, 10 shares", "1 for the digit, 0 else", COLOURS["blue"]),
]
for number, (name, target, colour) in enumerate(ROWS):
    bottom = 2.35 - 0.62 * number
    axes.add_patch(
        matplotlib.patches.Rectangle(
            (3.95, bottom), 2.7, 0.54, facecolor="white", edgecolor=colour, linewidth=2
        )
    )
    axes.text(4.03, bottom + 0.37, name, fontsize=10, va="center")
    axes.text(6.57, bottom + 0.15, target, fontsize=10, va="center", ha="right")
save(figure, __file__)
