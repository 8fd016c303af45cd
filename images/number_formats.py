"""The bits of float32, bfloat16 and float16, and what they buy (lesson 1.3)."""

from images.drawing import COLOURS, canvas, draw_box, save, write

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
    write(axes, 0.95, y + 0.19, name, size=12, align="right")
    kinds = ["red"] + ["orange"] * exponent + ["sky"] * fraction
    for place, kind in enumerate(kinds):
        corner = 1.05 + place * BIT, y
        draw_box(axes, *corner, BIT, 0.38, "", "white", face=COLOURS[kind], line=1.2, rounding=0)
    write(axes, 1.05 + (1 + exponent / 2) * BIT, y + 0.19, str(exponent), size=12)
    write(axes, 1.05 + (1 + exponent + fraction / 2) * BIT, y + 0.19, str(fraction), size=12)
    write(axes, 1.15 + len(kinds) * BIT, y + 0.19, says, align="left")

write(axes, 1.2, 2.45, "sign", COLOURS["red"], align="right", level="baseline")
write(axes, 1.4, 2.45, "exponent: how far", "#9A6A00", align="left", level="baseline")
write(axes, 1.05 + 20.5 * BIT, 2.45, "fraction: how fine", COLOURS["blue"], level="baseline")
for x in (1.05 + BIT / 2, 1.05 + 5 * BIT, 1.05 + 20.5 * BIT):
    axes.plot([x, x], [2.14, 2.38], color="grey", linewidth=1)
save(figure, __file__)
