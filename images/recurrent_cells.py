"""One step of an LSTM cell and of a GRU cell of lesson 4.1, side by side: the road of the memory and its gates."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

BLUE, RED, GREY = COLOURS["blue"], COLOURS["red"], "0.45"
ROAD, MIDDLE, GATES, INPUT = 3.0, 2.2, 1.4, 0.72
figure, axes = canvas(7.0, 3.75)


def arrow(start, end, colour=GREY, width=1.3):
    draw_arrow(axes, start, end, colour, width)


def meeting(x, y, sign, colour=COLOURS["black"]):
    """Where two numbers meet, unit by unit."""
    axes.add_patch(
        matplotlib.patches.Circle((x, y), 0.16, facecolor="white", edgecolor=colour, linewidth=1.6)
    )
    write(axes, x, y, sign, colour, 12)


def box(x, y, words, colour):
    """A small dense layer that reads the letter and the state before."""
    draw_box(
        axes,
        x,
        y,
        0.54,
        0.38,
        words,
        colour,
        centred=True,
        line=1.6,
        rounding=0.02,
        size=12,
        ink=colour,
    )


def readers(places, words, middle):
    """The line of inputs below a row of boxes."""
    axes.plot([places[0], places[-1]], [INPUT + 0.25] * 2, color=GREY, linewidth=1.3)
    for place in places:
        arrow((place, INPUT + 0.25), (place, GATES - 0.2))
    write(axes, middle, INPUT, words)


# The LSTM: the road of the cell on top.
forget, store, show = 0.78, 1.76, 2.75
write(axes, 1.85, 3.55, "LSTM", size=12)
write(axes, 0.05, ROAD, "$c_{t-1}$", BLUE, 12, "left")
arrow((0.46, ROAD), (forget - 0.16, ROAD), BLUE, 2.4)
arrow((forget + 0.16, ROAD), (store - 0.16, ROAD), BLUE, 2.4)
arrow((store + 0.16, ROAD), (3.12, ROAD), BLUE, 2.4)
write(axes, 3.16, ROAD, "$c_t$", BLUE, 12, "left")
meeting(forget, ROAD, "×")
meeting(store, ROAD, "+")
meeting(store, MIDDLE, "×")
meeting(show, MIDDLE, "×")
arrow((store, MIDDLE + 0.16), (store, ROAD - 0.16))
arrow((show, ROAD), (show, MIDDLE + 0.16))
write(axes, show + 0.08, 2.63, "tanh", size=9, align="left")
arrow((show + 0.16, MIDDLE), (3.12, MIDDLE))
write(axes, 3.16, MIDDLE, "$h_t$", size=12, align="left")
box(forget, GATES, "$f_t$", RED)
box(1.44, GATES, "$i_t$", RED)
box(2.08, GATES, "$g_t$", COLOURS["black"])
box(show, GATES, "$o_t$", RED)
arrow((forget, GATES + 0.2), (forget, ROAD - 0.16), RED)
arrow((1.44, GATES + 0.2), (store - 0.1, MIDDLE - 0.14), RED)
arrow((2.08, GATES + 0.2), (store + 0.1, MIDDLE - 0.14))
arrow((show, GATES + 0.2), (show, MIDDLE - 0.16), RED)
readers((forget, 1.44, 2.08, show), "$x_t$ and $h_{t-1}$", 1.72)

# The GRU: the state itself is the road.
keep, join, fresh = 4.5, 5.9, 5.9
write(axes, 5.25, 3.55, "GRU", size=12)
write(axes, 3.74, ROAD, "$h_{t-1}$", BLUE, 12, "left")
arrow((4.16, ROAD), (keep - 0.16, ROAD), BLUE, 2.4)
arrow((keep + 0.16, ROAD), (join - 0.16, ROAD), BLUE, 2.4)
arrow((join + 0.16, ROAD), (6.6, ROAD), BLUE, 2.4)
write(axes, 6.64, ROAD, "$h_t$", BLUE, 12, "left")
meeting(keep, ROAD, "×")
meeting(join, ROAD, "+")
meeting(fresh, MIDDLE, "×")
arrow((fresh, MIDDLE + 0.16), (join, ROAD - 0.16))
box(keep, GATES, "$z_t$", RED)
box(5.2, GATES, "$r_t$", RED)
box(fresh, GATES, r"$\tilde h_t$", COLOURS["black"])
arrow((keep, GATES + 0.2), (keep, ROAD - 0.16), RED)
arrow((keep + 0.12, GATES + 0.2), (fresh - 0.16, MIDDLE - 0.02), RED)
write(axes, 5.12, 2.12, "$1-z_t$", RED, 10)
arrow((5.47, GATES), (fresh - 0.27, GATES), RED)
arrow((fresh, GATES + 0.2), (fresh, MIDDLE - 0.16))
readers((keep, 5.2, fresh), "$x_t$ and $h_{t-1}$", 5.2)

write(
    axes,
    3.5,
    0.25,
    "blue, thick: the road of the memory      red: gates, between 0 and 1      ×, +: unit by unit",
    size=10,
)
save(figure, __file__)
