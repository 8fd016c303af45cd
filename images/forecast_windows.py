"""Windows of lesson 4.3a: inputs, origin and targets, moved on week by week along one row of weeks."""

from images.drawing import COLOURS, canvas, draw_box, save, write

WEEKS, INPUTS, TARGETS = 12, 5, 3
figure, axes = canvas(6.8, 3.5)
LEFT, SIDE = 1.25, 0.44


def cell(column, y, text, colour, filled):
    draw_box(
        axes,
        LEFT + column * SIDE,
        y,
        SIDE - 0.05,
        SIDE - 0.09,
        text,
        colour,
        face=colour if filled else "white",
        line=1.8,
        style="-" if filled else "--",
        rounding=0,
        size=10,
        ink="white" if filled else "black",
    )


write(axes, LEFT - 0.12, 2.98, "weeks", align="right")
for week in range(WEEKS):
    write(axes, LEFT + (week + 0.5) * SIDE - 0.025, 2.98, str(week), size=10)
border = LEFT + 9 * SIDE - 0.025
for row, origin in enumerate((4, 5, 6)):
    y = 2.28 - row * 0.62
    write(axes, LEFT - 0.12, y + 0.17, f"origin {origin}", align="right")
    for week in range(origin - INPUTS + 1, origin + 1):
        cell(week, y, "", COLOURS["blue"], True)
    for step in range(1, TARGETS + 1):
        cell(origin + step, y, f"{step}", COLOURS["red"], False)
axes.plot([border, border], [0.78, 3.2], color="black", linewidth=1.5, linestyle=":")
write(axes, border, 3.32, "border")
write(
    axes, LEFT + 10.15 * SIDE, 1.22, "reaches over\nthe border:\ndropped", size=10.5, align="left"
)
cell(0, 0.28, "", COLOURS["blue"], True)
write(axes, LEFT + 1.1 * SIDE, 0.45, "input", align="left")
cell(3.4, 0.28, "h", COLOURS["red"], False)
write(axes, LEFT + 4.5 * SIDE, 0.45, "target, h weeks after the origin", align="left")
save(figure, __file__)
