"""The three parts of the data in lesson 2.4, what each is for, and the way that is forbidden."""

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

PARTS = [  # name, left edge, width, colour, what it is for, how often
    ("training data", 0.2, 3.3, "blue", "sets the weights", "at every step"),
    ("validation data", 3.7, 1.55, "orange", "makes the choices", "at every choice"),
    ("test data", 5.45, 1.25, "green", "gives the score", "once, at the end"),
]
BOTTOM, HEIGHT = 1.35, 0.62

figure, axes = canvas(6.9, 2.75)
for name, left, width, colour, purpose, how_often in PARTS:
    draw_box(
        axes,
        left,
        BOTTOM,
        width,
        HEIGHT,
        name,
        face=COLOURS[colour],
        line=0,
        ink="black" if colour == "orange" else "white",
        size=11.5,
        weight="bold",
    )
    middle = left + width / 2
    write(axes, middle, BOTTOM - 0.2, purpose, size=11.5)
    write(axes, middle, BOTTOM - 0.46, how_often, "0.35", size=10.5)

for start, end, bend in ((4.5, 2.2, 0.32), (6.1, 1.5, 0.3)):
    height = BOTTOM + HEIGHT + 0.04
    draw_arrow(
        axes,
        (start, height),
        (end, height),
        COLOURS["red"],
        2,
        (0, (4, 2)),
        gap=2,
        head=6.4,
        bend=bend,
    )
write(axes, 5.6, 2.55, "leakage", COLOURS["red"], size=12, align="left", weight="bold")
write(
    axes,
    0.2,
    0.3,
    "Cut first. Then choose inputs, scale, augment and train, with the training part alone.",
    align="left",
)
save(figure, __file__)
