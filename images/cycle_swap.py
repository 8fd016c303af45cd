"""Two translators of lesson 5.3 with a cycle loss of zero: one writes each digit right, one exchanges them."""

from images.drawing import COLOURS, canvas, draw_arrow, save

BLUE, ORANGE, BLACK = COLOURS["blue"], COLOURS["red"], COLOURS["black"]
HEIGHTS = {0: 1.75, 1: 0.75}
figure, axes = canvas(7.0, 2.9)


def arrow(start, end, colour, style):
    draw_arrow(axes, start, end, colour, 1.8, style)


def letter(x, y, text, slanted):
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=20,
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
        arrow((left + 0.32, y + 0.08), (right - 0.32, goal + 0.08), BLUE, "-")
        arrow((right - 0.32, goal - 0.1), (left + 0.32, y - 0.1), ORANGE, "--")
    for row, text in enumerate("ab"):
        letter(left, HEIGHTS[row], text, slanted=False)
        letter(right, HEIGHTS[row], text.upper(), slanted=True)
    axes.text(left + 0.8, 2.6, title, ha="center", va="center", fontsize=13, weight="bold")
    axes.text(left + 0.8, 0.12, verdict, ha="center", va="center", fontsize=11)
axes.text(3.5, 1.55, "G", ha="center", va="center", fontsize=13, color=BLUE)
axes.text(3.5, 1.25, "solid, there", ha="center", va="center", fontsize=10, color=BLUE)
axes.text(3.5, 0.85, "F", ha="center", va="center", fontsize=13, color=ORANGE)
axes.text(3.5, 0.55, "dashed, back", ha="center", va="center", fontsize=10, color=ORANGE)
save(figure, __file__)
