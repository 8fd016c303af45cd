"""An encoder reads "5 mars", a decoder writes "03-05": through one vector, and with attention to every state."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save

SOURCE, TARGET, ASKING = list("5 mar"), list("03-05"), 1
WEIGHTS = (0.02, 0.03, 0.35, 0.4, 0.2)  # what the decoder looks at while it writes the 3
SIZE, GAP, LEFT, RIGHT = 0.42, 0.58, 0.45, 4.05
BLUE, ORANGE, GREEN = COLOURS["blue"], COLOURS["orange"], COLOURS["green"]
figure, axes = canvas(7.0, 4.6)


def box(x, y, words, colour):
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x, y),
            SIZE,
            SIZE,
            boxstyle="round,pad=0.02",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
        )
    )
    axes.text(x + SIZE / 2, y + SIZE / 2, words, ha="center", va="center", fontsize=12)


def arrow(start, end, colour, width=1.4, style="-"):
    draw_arrow(axes, start, end, colour, width, style)


def letter(x, y, words):
    axes.text(x + SIZE / 2, y, words, ha="center", va="center", fontsize=13, family="monospace")


def network(base, title, with_attention):
    """Two rows of states, left the encoder's, right the decoder's; base: height of the boxes."""
    axes.text(0.1, base + 1.42, title, fontsize=12, weight="bold", va="center")
    for place, sign in enumerate(SOURCE):
        x = LEFT + place * GAP
        box(x, base, f"$s_{place + 1}$", BLUE)
        letter(x, base - 0.42, "␣" if sign == " " else sign)
        arrow((x + SIZE / 2, base - 0.26), (x + SIZE / 2, base - 0.03), BLUE)
        if place:
            arrow((x - GAP + SIZE + 0.03, base + SIZE / 2), (x - 0.03, base + SIZE / 2), BLUE)
    for place, sign in enumerate(TARGET):
        x = RIGHT + place * GAP
        box(x, base, f"$h_{place + 1}$", ORANGE)
        letter(x, base - 0.42, (["^", *TARGET])[place])
        arrow((x + SIZE / 2, base - 0.26), (x + SIZE / 2, base - 0.03), ORANGE)
        arrow((x + SIZE / 2, base + SIZE + 0.03), (x + SIZE / 2, base + SIZE + 0.3), ORANGE)
        letter(x, base + SIZE + 0.46, sign)
        if place:
            arrow((x - GAP + SIZE + 0.03, base + SIZE / 2), (x - 0.03, base + SIZE / 2), ORANGE)
    end = LEFT + 4 * GAP + SIZE
    arrow((end + 0.03, base + SIZE / 2), (RIGHT - 0.03, base + SIZE / 2), COLOURS["black"], 3)
    if with_attention:
        asking = RIGHT + ASKING * GAP + SIZE / 2
        for place, weight in enumerate(WEIGHTS):
            x = LEFT + place * GAP + SIZE / 2
            axes.plot(
                [x, x, 3.1],
                [base + SIZE + 0.03, base + SIZE + 0.18, base + 1.16],
                color=GREEN,
                linewidth=0.6 + 8 * weight,
                solid_joinstyle="round",
            )
        axes.plot([3.1, asking - 0.2], [base + 1.16, base + 1.16], color=GREEN, linewidth=2)
        arrow((asking - 0.2, base + 1.16), (asking - 0.08, base + SIZE + 0.6), GREEN, 2)
        axes.text(
            3.1,
            base + 1.34,
            r"$\alpha_1 s_1+\dots+\alpha_5 s_5$",
            fontsize=12,
            ha="left",
            va="center",
            color=GREEN,
        )
    else:
        axes.text(
            (end + RIGHT) / 2,
            base + SIZE + 0.1,
            "all of it\nin one vector",
            ha="center",
            va="bottom",
            fontsize=10,
        )


network(3.0, "Encoder and decoder", False)
network(0.62, "… with attention", True)
save(figure, __file__)
