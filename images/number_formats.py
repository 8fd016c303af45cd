"""The bits of float32, bfloat16 and float16, and what they buy (lesson 1.3)."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

figure, axes = canvas(6.8, 2.75)
BIT = 0.172

for row, (name, exponent, fraction, says) in enumerate(
    (
        ("float32", 8, 23, ""),
        ("bfloat16", 8, 7, "the same range, few digits"),
        ("float16", 5, 10, "more digits, a short range"),
    )
):
    y = 1.72 - 0.68 * row
    axes.text(0.95, y + 0.19, name, ha="right", va="center", fontsize=12)
    kinds = ["red"] + ["orange"] * exponent + ["sky"] * fraction
    for place, kind in enumerate(kinds):
        axes.add_patch(
            matplotlib.patches.Rectangle(
                (1.05 + place * BIT, y),
                BIT,
                0.38,
                facecolor=COLOURS[kind],
                edgecolor="white",
                linewidth=1.2,
            )
        )
    axes.text(
        1.05 + (1 + exponent / 2) * BIT,
        y + 0.19,
        str(exponent),
        ha="center",
        va="center",
        fontsize=12,
    )
    axes.text(
        1.05 + (1 + exponent + fraction / 2) * BIT,
        y + 0.19,
        str(fraction),
        ha="center",
        va="center",
        fontsize=12,
    )
    axes.text(1.15 + len(kinds) * BIT, y + 0.19, says, va="center", fontsize=11)

axes.text(1.2, 2.45, "sign", fontsize=11, ha="right", color=COLOURS["red"])
axes.text(1.4, 2.45, "exponent: how far", fontsize=11, ha="left", color="#9A6A00")
axes.text(
    1.05 + 20.5 * BIT, 2.45, "fraction: how fine", fontsize=11, ha="center", color=COLOURS["blue"]
)
for x in (1.05 + BIT / 2, 1.05 + 5 * BIT, 1.05 + 20.5 * BIT):
    axes.plot([x, x], [2.14, 2.38], color="grey", linewidth=1)
save(figure, __file__)
