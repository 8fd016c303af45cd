"""Windows of lesson 4.3a: inputs, origin and targets, moved on week by week along one row of weeks."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

WEEKS, INPUTS, TARGETS = 12, 5, 3
figure, axes = canvas(6.8, 3.5)
LEFT, SIDE = 1.25, 0.44


def cell(column, y, text, colour, filled):
    axes.add_patch(
        matplotlib.patches.Rectangle(
            (LEFT + column * SIDE, y),
            SIDE - 0.05,
            SIDE - 0.09,
            facecolor=colour if filled else "white",
            edgecolor=colour,
            linewidth=1.8,
            linestyle="-" if filled else "--",
        )
    )
    axes.text(
        LEFT + (column + 0.5) * SIDE - 0.025,
        y + (SIDE - 0.09) / 2,
        text,
        ha="center",
        va="center",
        fontsize=10,
        color="white" if filled else "black",
    )


axes.text(LEFT - 0.12, 2.98, "weeks", ha="right", va="center", fontsize=11)
for week in range(WEEKS):
    axes.text(LEFT + (week + 0.5) * SIDE - 0.025, 2.98, str(week), ha="center", va="center")
border = LEFT + 9 * SIDE - 0.025
for row, origin in enumerate((4, 5, 6)):
    y = 2.28 - row * 0.62
    axes.text(LEFT - 0.12, y + 0.17, f"origin {origin}", ha="right", va="center", fontsize=11)
    for week in range(origin - INPUTS + 1, origin + 1):
        cell(week, y, "", COLOURS["blue"], True)
    for step in range(1, TARGETS + 1):
        cell(origin + step, y, f"{step}", COLOURS["red"], False)
axes.plot([border, border], [0.78, 3.2], color="black", linewidth=1.5, linestyle=":")
axes.text(border, 3.32, "border", ha="center", va="center", fontsize=11)
axes.text(
    LEFT + 10.15 * SIDE, 1.22, "reaches over\nthe border:\ndropped", va="center", fontsize=10.5
)
cell(0, 0.28, "", COLOURS["blue"], True)
axes.text(LEFT + 1.1 * SIDE, 0.45, "input", va="center", fontsize=11)
cell(3.4, 0.28, "h", COLOURS["red"], False)
axes.text(LEFT + 4.5 * SIDE, 0.45, "target, h weeks after the origin", va="center", fontsize=11)
save(figure, __file__)
