"""What a call of a tf.function does, for lesson 1.2: trace once, or reuse the graph."""

import functools

from images.drawing import COLOURS, canvas, draw_box, save, write

figure, axes = canvas(6.9, 2.9)
box = functools.partial(draw_box, axes, centred=True)


def arrow(start, end, text="", shift=(0, 0)):
    axes.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0},
    )
    middle = ((start[0] + end[0]) / 2 + shift[0], (start[1] + end[1]) / 2 + shift[1])
    write(axes, *middle, text, weight="bold")


box(0.75, 0.85, 1.2, 0.8, "a call with\narguments", COLOURS["black"])
box(
    2.75,
    0.85,
    1.75,
    0.95,
    "a graph for these\nshapes and types,\nand Python values?",
    COLOURS["black"],
)
box(
    2.75,
    2.3,
    2.5,
    0.95,
    "Python runs once\nwith stand-in tensors:\nprint, append, NumPy happen",
    COLOURS["red"],
)
box(5.75, 2.3, 1.6, 0.95, "the graph\nis stored", COLOURS["orange"])
box(5.75, 0.85, 1.6, 0.95, "the graph runs,\nPython does not", COLOURS["blue"])
arrow((1.35, 0.85), (1.87, 0.85))
arrow((2.75, 1.33), (2.75, 1.82), "no", (-0.25, 0))
arrow((4.0, 2.3), (4.95, 2.3), "trace", (0, 0.17))
arrow((5.75, 1.82), (5.75, 1.33))
arrow((3.63, 0.85), (4.95, 0.85), "yes", (0, 0.17))
write(axes, 5.75, 0.16, "result")
arrow((5.75, 0.37), (5.75, 0.25))
save(figure, __file__)
