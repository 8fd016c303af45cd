"""The parts of a generative adversarial network in lesson 5.1, and the way back of each player's gradient."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save

BLUE, RED, GREEN, BLACK = (COLOURS[name] for name in ("blue", "red", "green", "black"))
TOP, BOTTOM, MIDDLE = 2.45, 1.15, 1.8
figure, axes = canvas(7.0, 3.3)


def box(x, y, words, colour, width=1.25):
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x - width / 2, y - 0.3),
            width,
            0.6,
            boxstyle="round,pad=0.02",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
        )
    )
    text(x, y, words, colour)


def text(x, y, words, colour=BLACK, size=11):
    axes.text(x, y, words, ha="center", va="center", color=colour, fontsize=size)


def arrow(start, end, colour=BLACK, style="-"):
    draw_arrow(axes, start, end, colour, 1.6, style)


text(0.5, BOTTOM, "noise\n$z$")
arrow((0.8, BOTTOM), (1.15, BOTTOM))
box(1.8, BOTTOM, "generator\n$G$", BLUE)
arrow((2.45, BOTTOM), (2.75, BOTTOM))
text(3.15, BOTTOM, "fake\n$G(z)$")
text(3.15, TOP, "real\n$x$")
arrow((3.5, TOP), (3.95, MIDDLE + 0.15))
arrow((3.5, BOTTOM), (3.95, MIDDLE - 0.15))
box(4.65, MIDDLE, "discriminator\n$D$", RED, 1.35)
arrow((5.35, MIDDLE), (5.65, MIDDLE))
text(6.3, MIDDLE + 0.05, "logit $a$\n$D=\\sigma(a)$")
axes.plot((6.3, 6.3, 4.65), (2.2, 2.6, 2.6), color=RED, linewidth=1.6, linestyle="--")
arrow((4.65, 2.61), (4.65, 2.13), RED)
text(5.2, 2.82, "discriminator's loss: real is 1, fake is 0", RED, 10)
axes.plot((6.3, 6.3, 1.8), (1.4, 0.55, 0.55), color=BLUE, linewidth=1.6, linestyle=":")
arrow((1.8, 0.56), (1.8, 0.82), BLUE)
text(
    4.1,
    0.32,
    "generator's loss: its fakes should pass as real (through D, which is not moved)",
    BLUE,
    10,
)
save(figure, __file__)
