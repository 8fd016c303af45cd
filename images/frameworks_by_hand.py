"""The network of lesson 1.2 with numbers that need no calculator: values forward above, gradients back below."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save, write

figure, axes = canvas(6.9, 2.9)
STEPS = [  # name, values, gradients
    ("$x$", "(1, 2)", ""),
    ("$z$", "(2, −1)", "(−½, 0)"),
    ("$a$", "(2, 0)", "(−½, −2½)"),
    ("$o$", "(4, 4)", "(−½, ½)"),
    ("$p$", "(½, ½)", ""),
    ("$L$", "ln 2", ""),
]
BETWEEN = ["$W_1, b_1$", "ReLU", "$W_2, b_2$", "softmax", "−ln $p_y$"]
places = [0.5 + 1.17 * number for number in range(len(STEPS))]

for x, (name, values, gradients) in zip(places, STEPS, strict=True):
    axes.add_patch(
        matplotlib.patches.Circle(
            (x, 1.75), 0.26, facecolor="white", edgecolor=COLOURS["blue"], linewidth=2
        )
    )
    write(axes, x, 1.75, name, size=14)
    write(axes, x, 2.2, values, COLOURS["blue"], size=13)
    write(axes, x, 1.05, gradients, COLOURS["red"], size=13)
for x, text in zip(places, BETWEEN, strict=False):
    draw_arrow(axes, (x + 0.28, 1.75), (x + 0.89, 1.75), COLOURS["blue"], 1.8)
    write(axes, x + 0.58, 1.43, text, size=10)
write(axes, 0.1, 2.67, "forward, values", COLOURS["blue"], align="left")
write(axes, 0.1, 0.72, "backward,\ngradients", COLOURS["red"], align="left")
draw_arrow(axes, (places[5], 0.72), (places[1] - 0.1, 0.72), COLOURS["red"], 1.8)
weights = r"$W_1$ = [1, 1; ½, −1]    $b_1$ = (0, 0)    $W_2$ = [2, 1; 3, −2]    $b_2$ = (0, 2)    $y$ = first class"
write(axes, 3.45, 0.25, weights)
save(figure, __file__)
