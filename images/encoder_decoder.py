"""An encoder reads "5 mars", a decoder writes "03-05": through one vector, and with attention to every state."""

import functools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

SOURCE, TARGET, ASKING = list("5 mar"), list("03-05"), 1
WEIGHTS = (0.02, 0.03, 0.35, 0.4, 0.2)  # what the decoder looks at while it writes the 3
SIZE, GAP, LEFT, RIGHT = 0.42, 0.58, 0.45, 4.05
BLUE, ORANGE, GREEN = COLOURS["blue"], COLOURS["orange"], COLOURS["green"]
figure, axes = canvas(7.0, 4.6)
arrow = functools.partial(draw_arrow, axes, width=1.4)


def box(x, y, words, colour):
    """A state. Its line lies 0.02 inches around the square of SIZE at (x, y), where arrows aim."""
    draw_box(
        axes, x - 0.02, y - 0.02, SIZE + 0.04, SIZE + 0.04, words, colour, rounding=0.02, size=12
    )


def letter(x, y, words):
    write(axes, x + SIZE / 2, y, words, size=13, family="monospace")


def network(base, title, with_attention):
    """Two rows of states, left the encoder's, right the decoder's; base: height of the boxes."""
    write(axes, 0.1, base + 1.42, title, size=12, align="left", weight="bold")
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
    arrow((end + 0.03, base + SIZE / 2), (RIGHT - 0.03, base + SIZE / 2), COLOURS["black"], width=3)
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
        arrow((asking - 0.2, base + 1.16), (asking - 0.08, base + SIZE + 0.6), GREEN, width=2)
        write(
            axes,
            3.1,
            base + 1.34,
            r"$\alpha_1 s_1+\dots+\alpha_5 s_5$",
            GREEN,
            size=12,
            align="left",
        )
    else:
        write(
            axes,
            (end + RIGHT) / 2,
            base + SIZE + 0.1,
            "all of it\nin one vector",
            size=10,
            level="bottom",
        )


network(3.0, "Encoder and decoder", False)
network(0.62, "… with attention", True)
save(figure, __file__)
