"""Two translators of lesson 5.3 with a cycle loss of zero: one writes each digit right, one exchanges them."""

from images.drawing import COLOURS, canvas, draw_arrow, save, write

BLUE, ORANGE, BLACK = COLOURS["blue"], COLOURS["red"], COLOURS["black"]
HEIGHTS = {0: 1.75, 1: 0.75}
figure, axes = canvas(7.0, 2.9)


def letter(x, y, text, slanted):
    write(
        axes,
        x,
        y,
        text,
        size=20,
        style="italic" if slanted else "normal",
        bbox={"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": BLACK},
    )


for left, partner, title, verdict in (
    (0.9, (0, 1), "as wanted", "every digit stays itself"),
    (4.5, (1, 0), "exchanged", "every digit becomes another"),
):
    right = left + 1.6
    for row, other in enumerate(partner):
        y, goal = HEIGHTS[row], HEIGHTS[other]
        draw_arrow(axes, (left + 0.32, y + 0.08), (right - 0.32, goal + 0.08), BLUE, width=1.8)
        draw_arrow(
            axes, (right - 0.32, goal - 0.1), (left + 0.32, y - 0.1), ORANGE, width=1.8, style="--"
        )
    for row, text in enumerate("ab"):
        letter(left, HEIGHTS[row], text, slanted=False)
        letter(right, HEIGHTS[row], text.upper(), slanted=True)
    write(axes, left + 0.8, 2.6, title, size=13, weight="bold")
    write(axes, left + 0.8, 0.12, verdict)
write(axes, 3.5, 1.55, "G", BLUE, size=13)
write(axes, 3.5, 1.25, "solid, there", BLUE, size=10)
write(axes, 3.5, 0.85, "F", ORANGE, size=13)
write(axes, 3.5, 0.55, "dashed, back", ORANGE, size=10)
save(figure, __file__)
