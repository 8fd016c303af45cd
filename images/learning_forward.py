"""The small network of lesson 2.3 with the numbers of its forward pass. `learning_backward` adds the gradients."""

import matplotlib.patches
import numpy as np

from images.drawing import COLOURS, canvas, draw_arrow, save, write

X = np.array([1.0, 2.0])
W1, B1 = np.array([[1.0, 1.0], [0.5, -1.0]]), np.array([-0.5, 0.0])
W2, B2 = np.array([[2.0, -1.0], [1.0, 3.0]]), np.array([-2.0, 2.5])
Y = np.array([1.0, 0.0])

Z1 = X @ W1 + B1
A = np.maximum(Z1, 0)
Z2 = A @ W2 + B2
P = np.exp(Z2) / np.exp(Z2).sum()
LOSS = -np.log(P) @ Y

ROWS = (3.05, 1.25)
COLUMNS = {"x": 0.5, "z": 2.35, "a": 3.3, "o": 5.15, "p": 6.1}
RADIUS = 0.33


def number(value):
    """A number as short as it can be written exactly, with a true minus sign."""
    return (
        f"{value:.3f}".rstrip("0")
        .rstrip(".")
        .replace("-0", "0" if value == 0 else "-0")
        .replace("-", "−")
    )


def node(axes, place, symbol, value, colour):
    axes.add_patch(
        matplotlib.patches.Circle(
            place, RADIUS, facecolor="white", edgecolor=colour, linewidth=2, zorder=3
        )
    )
    write(axes, place[0], place[1] + 0.11, symbol, zorder=4)
    write(axes, place[0], place[1] - 0.12, number(value), zorder=4)


def arrow(axes, start, end, colour="0.35"):
    """An arrow between two nodes, from border to border."""
    start, end = np.array(start), np.array(end)
    step = RADIUS * (end - start) / np.linalg.norm(end - start)
    draw_arrow(axes, start + step, end - step, colour, 1.4)


def on_edge(axes, start, end, share, text, colour, above):
    """Text along an edge, at a share of its length, above (+1) or below (-1) it."""
    start, end = np.array(start), np.array(end)
    angle = np.arctan2(*(end - start)[::-1])
    place = start + share * (end - start) + above * 0.13 * np.array([-np.sin(angle), np.cos(angle)])
    write(axes, *place, text, colour, size=10, rotation=np.degrees(angle), zorder=5)


def edges():
    """(start, end, value, row, column, matrix's name) of the eight weights."""
    for first, last, matrix, name in (("x", "z", W1, "W1"), ("a", "o", W2, "W2")):
        for row in (0, 1):
            for column in (0, 1):
                start, end = (COLUMNS[first], ROWS[row]), (COLUMNS[last], ROWS[column])
                yield start, end, matrix[row, column], row, column, name


def share_of(row, column):
    """Where on an edge its text stands: apart from the crossing in the middle."""
    return 0.5 if row == column else 0.27


def draw_network(axes):
    for start, end, value, row, column, _ in edges():
        arrow(axes, start, end)
        on_edge(axes, start, end, share_of(row, column), f"× {number(value)}", COLOURS["blue"], +1)
    for row, height in enumerate(ROWS):
        node(axes, (COLUMNS["x"], height), f"$x_{row + 1}$", X[row], COLOURS["black"])
        node(axes, (COLUMNS["z"], height), f"$z_{row + 1}$", Z1[row], COLOURS["black"])
        node(axes, (COLUMNS["a"], height), f"$a_{row + 1}$", A[row], COLOURS["green"])
        node(axes, (COLUMNS["o"], height), f"$o_{row + 1}$", Z2[row], COLOURS["black"])
        node(axes, (COLUMNS["p"], height), rf"$\hat y_{row + 1}$", P[row], COLOURS["purple"])
        arrow(axes, (COLUMNS["z"], height), (COLUMNS["a"], height))
        arrow(axes, (COLUMNS["o"], height), (COLUMNS["p"], height))
        side = 1 if row == 0 else -1
        for name, bias in (("z", B1), ("o", B2)):
            write(
                axes,
                COLUMNS[name],
                height + side * 0.47,
                f"+ {number(bias[row])}"
                if bias[row] >= 0
                else number(bias[row]).replace("−", "− "),
                COLOURS["blue"],
                size=10,
            )


def captions(axes, height):
    for name, text in (
        ("x", "inputs"),
        ("z", "sums"),
        ("a", "ReLU"),
        ("o", "logits"),
        ("p", "softmax"),
    ):
        write(axes, COLUMNS[name], height, text, size=10)


if __name__ == "__main__":
    figure, axes = canvas(7.0, 4.1)
    draw_network(axes)
    captions(axes, 3.88)
    write(axes, 6.1, 2.35, "target: 1", size=10)
    write(axes, 6.1, 1.95, "target: 0", size=10)
    write(
        axes,
        3.5,
        0.22,
        f"loss  $L = -\\ln \\hat y_1 = -\\ln\\,${number(P[0])}$ = ${number(LOSS)}",
        size=12,
    )
    save(figure, __file__)
