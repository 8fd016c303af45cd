"""A true mask, a prediction one column beside it, and the counts of lesson 3.3b."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save, write

CELL = 0.42
figure, axes = canvas(6.8, 2.55)


def grid(left, title, kinds):
    """kinds: {(row, column): kind}. Draws a grid of 4 x 5 cells, the kinds filled, hatched or dotted."""
    looks = {
        "truth": (COLOURS["sky"], ""),
        "prediction": (COLOURS["orange"], "///"),
        "TP": (COLOURS["green"], ""),
        "FN": (COLOURS["sky"], ""),
        "FP": (COLOURS["orange"], "///"),
    }
    for row in range(4):
        for column in range(5):
            kind = kinds.get((row, column))
            colour, hatch = looks.get(kind, ("white", ""))
            corner = left + column * CELL, 2.15 - (row + 1) * CELL
            axes.add_patch(
                matplotlib.patches.Rectangle(
                    corner, CELL, CELL, facecolor=colour, edgecolor="0.35", hatch=hatch
                )
            )
            if kind in ("TP", "FN", "FP"):
                write(
                    axes,
                    corner[0] + CELL / 2,
                    corner[1] + CELL / 2,
                    kind,
                    size=10,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
                )
    write(axes, left + 2.5 * CELL, 2.25, title, size=12, level="baseline")


true_cells = {(row, column) for row in (1, 2) for column in (0, 1, 2)}
predicted_cells = {(row, column + 1) for row, column in true_cells}
grid(0.1, "truth A: 6 pixels", dict.fromkeys(true_cells, "truth"))
grid(2.35, "prediction B: 6 pixels", dict.fromkeys(predicted_cells, "prediction"))
both = dict.fromkeys(true_cells & predicted_cells, "TP")
both |= dict.fromkeys(true_cells - predicted_cells, "FN")
both |= dict.fromkeys(predicted_cells - true_cells, "FP")
grid(4.6, "together", both)
write(
    axes,
    3.4,
    0.12,
    "IoU = 4 / (4 + 2 + 2) = 1/2          Dice = 2·4 / (6 + 6) = 2/3",
    size=12,
    level="baseline",
)
save(figure, __file__)
