"""Dropout in lesson 2.4: another part of the network is missing in each training step, none at prediction."""

from images.drawing import COLOURS, canvas, save, write

LAYERS = [3, 4, 4, 2]
STEPS = [  # heading, dropped units as (layer, place)
    ("training step 1", {(1, 0), (1, 2), (2, 1), (2, 2)}),
    ("training step 2", {(1, 1), (1, 3), (2, 0), (2, 3)}),
    ("training step 3", {(1, 0), (1, 3), (2, 1), (2, 3)}),
    ("prediction", set()),
]
WIDTH, COLUMN, ROW, MIDDLE = 1.7, 0.4, 0.42, 1.3

figure, axes = canvas(6.9, 2.6)


def centre(step, layer, place):
    return 0.25 + step * WIDTH + layer * COLUMN, MIDDLE + (place - (LAYERS[layer] - 1) / 2) * ROW


for step, (heading, dropped) in enumerate(STEPS):
    write(axes, 0.25 + step * WIDTH + 1.5 * COLUMN, 2.4, heading, size=11.5, weight="bold")
    for layer in range(3):
        for here in range(LAYERS[layer]):
            for there in range(LAYERS[layer + 1]):
                if (layer, here) not in dropped and (layer + 1, there) not in dropped:
                    (x0, y0), (x1, y1) = centre(step, layer, here), centre(step, layer + 1, there)
                    axes.plot([x0, x1], [y0, y1], color="0.65", linewidth=0.9, zorder=1)
    for layer, count in enumerate(LAYERS):
        for place in range(count):
            x, y = centre(step, layer, place)
            if (layer, place) in dropped:
                axes.plot(
                    x,
                    y,
                    "o",
                    markersize=13,
                    markerfacecolor="white",
                    markeredgecolor="0.7",
                    zorder=2,
                )
                axes.plot(
                    x, y, "x", markersize=8, color=COLOURS["red"], markeredgewidth=2, zorder=3
                )
            else:
                colour = COLOURS["blue"] if layer in (1, 2) else "0.45"
                axes.plot(x, y, "o", markersize=13, color=colour, zorder=2)
                if dropped and layer in (1, 2):
                    write(axes, x, y - 0.008, "×2", "white", size=7.5, zorder=4)
axes.plot([0.25 + 3 * WIDTH - 0.25] * 2, [0.45, 2.5], color="0.7", linewidth=1, linestyle=":")
write(axes, 0.25, 0.2, "rate 0.5: survivors count double", align="left")
write(axes, 0.25 + 3 * WIDTH - 0.1, 0.2, "all units, unscaled", align="left")
save(figure, __file__)
