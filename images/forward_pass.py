"""A network of two layers with the numbers of its forward pass, as lesson 2.2 computes them by hand."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save, write

figure, axes = canvas(6.8, 4.55)

FIRST_WEIGHTS = [[1, 0, -1], [1, 1, 2]]
SECOND_WEIGHTS = [[1, 0], [2, -1], [0, 1]]
inputs = [(1.0, 3.25, "$x_1$\n1"), (1.0, 2.0, "$x_2$\n2")]
hidden = [(3.4, 3.75, "3"), (3.4, 2.65, "1"), (3.4, 1.55, "3")]
outputs = [(5.8, 3.25, "$\\hat y_1$\n6"), (5.8, 2.0, "$\\hat y_2$\n2")]


def circles(places, colour, radius=0.34):
    for x, y, text in places:
        axes.add_patch(
            matplotlib.patches.Circle(
                (x, y), radius, facecolor="white", edgecolor=colour, linewidth=2, zorder=3
            )
        )
        write(axes, x, y, text, size=12, zorder=4)


def connect(left, right, weights, place):
    """Lines from all of `left` to all of `right`, each with its weight at this share of its length."""
    for (x, y, _), row in zip(left, weights, strict=True):
        for (x_end, y_end, _), weight in zip(right, row, strict=True):
            style = "-" if weight else ":"
            axes.plot([x, x_end], [y, y_end], style, color="0.55", linewidth=1.3, zorder=1)
            write(
                axes,
                x + place * (x_end - x),
                y + place * (y_end - y),
                f"{weight}".replace("-", "−"),
                COLOURS["red"],
                zorder=2,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )


connect(inputs, hidden, FIRST_WEIGHTS, 0.28)
connect(hidden, outputs, SECOND_WEIGHTS, 0.30)
circles(inputs, COLOURS["blue"])
circles(hidden, COLOURS["green"])
circles(outputs, COLOURS["blue"])
for (x, y, _), bias in zip(hidden + outputs, (0, -1, 0, 1, 0), strict=True):
    write(axes, x, y - 0.49, f"$b$ = {bias}".replace("-", "−"), COLOURS["red"], size=10)
for x, text in ((1.0, "inputs"), (3.4, "hidden layer, ReLU"), (5.8, "outputs")):
    write(axes, x, 4.34, text, size=12)
for x, text in (
    (1.0, "$X$\n(examples, 2)"),
    (2.2, "$W_1$\n(2, 3)"),
    (3.4, "$A_1$\n(examples, 3)"),
    (4.6, "$W_2$\n(3, 2)"),
    (5.8, "$Z_2$\n(examples, 2)"),
):
    colour = COLOURS["red"] if "W" in text else COLOURS["black"]
    write(axes, x, 0.42, text, colour)
save(figure, __file__)
