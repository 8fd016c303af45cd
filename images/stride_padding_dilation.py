"""Stride, padding and dilation of lesson 3.1, along one row of pixels."""

from images.drawing import COLOURS, canvas, draw_box, save, write

SIDE = 0.42  # inches
figure, axes = canvas(6.8, 4.7)


def square(x, y, face, text="", dashed=False):
    style = "--" if dashed else "-"
    draw_box(axes, x, y, SIDE, SIDE, text, "0.3", face=face, line=1, style=style, rounding=0)


def row(base, title, words, inputs, outputs, stride=1, dilation=1, padding=0):
    """Inputs below, outputs above; the lines show which inputs the first and the second output add up."""
    left = 2.75
    write(axes, 0.15, base + 0.95, title, size=13, align="left", weight="bold")
    write(axes, 0.15, base + 0.45, words, size=10.5, align="left", linespacing=1.3)
    for i in range(-padding, inputs + padding):
        inside = 0 <= i < inputs
        square(
            left + i * SIDE, base, "0.85" if inside else "white", "" if inside else "0", not inside
        )
    centre = dilation  # of the first window, counted from its first pixel
    for o in range(outputs):
        middle = left + (o * stride + centre - padding) * SIDE
        square(middle, base + 0.95, "white")
        if o < 2:
            colour = (COLOURS["red"], COLOURS["blue"])[o]
            for v in range(3):
                foot = left + (o * stride + v * dilation - padding + 0.5) * SIDE
                axes.plot(
                    [foot, middle + SIDE / 2],
                    [base + SIDE, base + 0.95],
                    color=colour,
                    linewidth=1.8,
                    linestyle=("-", "--")[o],
                )


row(3.2, "stride 2", "7 inputs, 3 outputs", 7, 3, stride=2)
row(1.65, "padding", "5 inputs and 2 zeros,\n5 outputs", 5, 5, padding=1)
row(0.1, "dilation 2", "7 inputs, 3 outputs;\na window reaches over 5", 7, 3, dilation=2)
save(figure, __file__)
