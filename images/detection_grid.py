"""The grid of lesson 3.3a: one box by hand, the cell that answers for it, and that cell's 15 outputs."""

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(6.8, 3.4)
LEFT, TOP, UNIT = 0.35, 3.05, 2.7 / 64  # inches; a pixel of the scene is UNIT wide


def place(x, y):
    """A pixel of the scene, from its top left corner, in inches."""
    return LEFT + x * UNIT, TOP - y * UNIT


for line in range(0, 65, 8):
    axes.plot(*zip(place(line, 0), place(line, 64), strict=True), color="0.75", linewidth=1)
    axes.plot(*zip(place(0, line), place(64, line), strict=True), color="0.75", linewidth=1)
draw_box(
    axes, *place(16, 32), 8 * UNIT, 8 * UNIT, colour="none", face=COLOURS["sky"], line=1, rounding=0
)
draw_box(axes, *place(10, 38), 12 * UNIT, 18 * UNIT, colour=COLOURS["red"], face="none", rounding=0)
axes.plot(*place(16, 29), "o", color="black", markersize=5)
write(
    axes,
    *place(10, 18.5),
    "box (10, 20, 22, 38)",
    COLOURS["red"],
    size=10,
    align="left",
    level="baseline",
)
write(axes, *place(25, 31), "centre (16, 29):\ncolumn 2, row 3", size=10, align="left")
write(axes, place(32, 0)[0], 0.1, "scene: 64 x 64 pixels, 8 x 8 cells", size=10, level="baseline")
draw_arrow(axes, place(65, 31), (3.85, place(0, 31)[1]), gap=2)
write(axes, 5.3, 3.05, "15 outputs of this cell", level="baseline")
ROWS = [
    ("objectness", "1", COLOURS["green"]),
    ("$t_x$, $t_y$ (place in the cell)", "−0.5, 0.125", COLOURS["red"]),
    ("$t_w$, $t_h$ (log of the size)", "ln(12/$w_0$), ln(18/$h_0$)", COLOURS["red"]),
    ("class, 10 shares", "1 for the digit, 0 else", COLOURS["blue"]),
]
for number, (name, target, colour) in enumerate(ROWS):
    bottom = 2.35 - 0.62 * number
    draw_box(axes, 3.95, bottom, 2.7, 0.54, colour=colour, rounding=0)
    write(axes, 4.03, bottom + 0.37, name, size=10, align="left")
    write(axes, 6.57, bottom + 0.15, target, size=10, align="right")
save(figure, __file__)
