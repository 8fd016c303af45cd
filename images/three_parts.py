"""The three parts of the data in lesson 2.4, what each is for, and the way that is forbidden."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from images.drawing import COLOURS, canvas, save

PARTS = [  # name, left edge, width, colour, what it is for, how often
    ("training data", 0.2, 3.3, "blue", "sets the weights", "at every step"),
    ("validation data", 3.7, 1.55, "orange", "makes the choices", "at every choice"),
    ("test data", 5.45, 1.25, "green", "gives the score", "once, at the end"),
]
BOTTOM, HEIGHT = 1.35, 0.62

figure, axes = canvas(6.9, 2.75)
for name, left, width, colour, purpose, how_often in PARTS:
    box = FancyBboxPatch(
        (left, BOTTOM),
        width,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.08",
        color=COLOURS[colour],
        linewidth=0,
    )
    axes.add_patch(box)
    middle = left + width / 2
    text_colour = "black" if colour == "orange" else "white"
    axes.text(
        middle,
        BOTTOM + HEIGHT / 2,
        name,
        ha="center",
        va="center",
        fontsize=11.5,
        color=text_colour,
        weight="bold",
    )
    axes.text(middle, BOTTOM - 0.2, purpose, ha="center", va="center", fontsize=11.5)
    axes.text(
        middle, BOTTOM - 0.46, how_often, ha="center", va="center", fontsize=10.5, color="0.35"
    )

for start, end, bend in ((4.5, 2.2, 0.32), (6.1, 1.5, 0.3)):
    axes.add_patch(
        FancyArrowPatch(
            (start, BOTTOM + HEIGHT + 0.04),
            (end, BOTTOM + HEIGHT + 0.04),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=16,
            linewidth=2,
            linestyle=(0, (4, 2)),
            color=COLOURS["red"],
        )
    )
axes.text(
    5.6, 2.55, "leakage", ha="left", va="center", fontsize=12, color=COLOURS["red"], weight="bold"
)
axes.text(
    0.2,
    0.3,
    "Cut first. Then choose inputs, scale, augment and train, with the training part alone.",
    fontsize=11,
    va="center",
)
save(figure, __file__)
