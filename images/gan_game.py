"""The parts of a generative adversarial network in lesson 5.1, and the way back of each player's gradient."""

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

BLUE, RED = COLOURS["blue"], COLOURS["red"]
TOP, BOTTOM, MIDDLE = 2.45, 1.15, 1.8
figure, axes = canvas(7.0, 3.3)


def box(x, y, words, colour, width=1.29):
    draw_box(axes, x, y, width, 0.64, words, colour, centred=True, rounding=0.02, ink=colour)


write(axes, 0.5, BOTTOM, "noise\n$z$")
draw_arrow(axes, (0.8, BOTTOM), (1.15, BOTTOM))
box(1.8, BOTTOM, "generator\n$G$", BLUE)
draw_arrow(axes, (2.45, BOTTOM), (2.75, BOTTOM))
write(axes, 3.15, BOTTOM, "fake\n$G(z)$")
write(axes, 3.15, TOP, "real\n$x$")
draw_arrow(axes, (3.5, TOP), (3.95, MIDDLE + 0.15))
draw_arrow(axes, (3.5, BOTTOM), (3.95, MIDDLE - 0.15))
box(4.65, MIDDLE, "discriminator\n$D$", RED, 1.39)
draw_arrow(axes, (5.35, MIDDLE), (5.65, MIDDLE))
write(axes, 6.3, MIDDLE + 0.05, "logit $a$\n$D=\\sigma(a)$")
axes.plot((6.3, 6.3, 4.65), (2.2, 2.6, 2.6), color=RED, linewidth=1.6, linestyle="--")
draw_arrow(axes, (4.65, 2.61), (4.65, 2.13), RED)
write(axes, 5.2, 2.82, "discriminator's loss: real is 1, fake is 0", RED, size=10)
axes.plot((6.3, 6.3, 1.8), (1.4, 0.55, 0.55), color=BLUE, linewidth=1.6, linestyle=":")
draw_arrow(axes, (1.8, 0.56), (1.8, 0.82), BLUE)
write(
    axes,
    4.1,
    0.32,
    "generator's loss: its fakes should pass as real (through D, which is not moved)",
    BLUE,
    size=10,
)
save(figure, __file__)
