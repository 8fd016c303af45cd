"""The small network of lesson 2.3 with the gradients of its backward pass, computed here, below each value."""

import numpy as np

from images.drawing import COLOURS, canvas, save, write
from images.learning_forward import (
    COLUMNS,
    ROWS,
    W2,
    Z1,
    A,
    P,
    X,
    Y,
    arrow,
    captions,
    edges,
    node,
    number,
    on_edge,
    share_of,
)

RED = COLOURS["red"]
error = P - Y
to_a = W2 @ error
to_z = to_a * (Z1 > 0)
gradients = {"W1": np.outer(X, to_z), "W2": np.outer(A, error)}

figure, axes = canvas(7.0, 4.1)
for start, end, weight, row, column, name in edges():
    arriving = (to_z if name == "W1" else error)[column]
    arrow(axes, end, start, RED if arriving else "0.75")
    gradient = number(gradients[name][row, column])
    on_edge(axes, start, end, share_of(row, column), gradient, RED, +1)
    on_edge(axes, start, end, share_of(row, column), f"× {number(weight)}", COLOURS["blue"], -1)
for row, height in enumerate(ROWS):
    side = 1 if row == 0 else -1
    for name, values, symbol in (("z", to_z, "z"), ("a", to_a, "a"), ("o", error, "o")):
        edge_colour = COLOURS["green"] if name == "a" else COLOURS["black"]
        node(
            axes, (COLUMNS[name], height), f"$\\delta {symbol}_{row + 1}$", values[row], edge_colour
        )
    node(axes, (COLUMNS["x"], height), f"$x_{row + 1}$", X[row], COLOURS["black"])
    node(axes, (COLUMNS["p"], height), rf"$\hat y_{row + 1}$", P[row], COLOURS["purple"])
    arrow(axes, (COLUMNS["a"], height), (COLUMNS["z"], height), RED if to_a[row] else "0.75")
    arrow(axes, (COLUMNS["p"], height), (COLUMNS["o"], height), RED)
    gate = "× 1: gate open" if Z1[row] > 0 else "× 0: gate shut"
    write(axes, (COLUMNS["z"] + COLUMNS["a"]) / 2, height + side * 0.47, gate, size=10)
    write(
        axes,
        COLUMNS["o"] + 0.2,
        height + side * 0.47,
        rf"$\hat y_{row + 1} - y_{row + 1}$",
        size=10,
    )
captions(axes, 3.9)
write(axes, 6.1, 2.35, "target: 1", size=10)
write(axes, 6.1, 1.95, "target: 0", size=10)
write(
    axes,
    3.5,
    0.42,
    r"in a circle: $\delta$, the gradient of the loss with respect to that value",
    size=10,
)
write(
    axes,
    3.5,
    0.16,
    r"red on an arrow: the gradient of its weight = value at its left end × $\delta$ at its right end",
    RED,
    size=10,
)
save(figure, __file__)
