"""A stack of causal convolutions whose dilation doubles: what the last output sees (lesson 4.3a)."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save, write

STEPS, DILATIONS = 8, (1, 2, 4)
figure, axes = canvas(6.8, 3.3)
LEFT, WIDTH, BOTTOM, HEIGHT = 1.75, 0.55, 0.62, 0.78


def place(layer, step):
    return LEFT + step * WIDTH, BOTTOM + layer * HEIGHT


seen = {len(DILATIONS): {STEPS - 1}}
for layer in range(len(DILATIONS), 0, -1):
    dilation = DILATIONS[layer - 1]
    seen[layer - 1] = {step - back for step in seen[layer] for back in (0, dilation)}
for layer, dilation in enumerate(DILATIONS, 1):
    for step in range(STEPS):
        for back in (0, dilation):
            if step - back < 0:
                continue
            used = step in seen[layer]
            start, end = place(layer - 1, step - back), place(layer, step)
            axes.plot(
                [start[0], end[0]],
                [start[1], end[1]],
                color=COLOURS["blue"] if used else "0.85",
                linewidth=2.2 if used else 1,
                zorder=2 if used else 1,
            )
names = ["inputs", *(f"dilation {dilation}" for dilation in DILATIONS)]
for layer, name in enumerate(names):
    write(axes, LEFT - 0.35, place(layer, 0)[1], name, align="right")
    for step in range(STEPS):
        used = step in seen[layer]
        axes.add_patch(
            matplotlib.patches.Circle(
                place(layer, step),
                0.14,
                facecolor=COLOURS["blue"] if used else "white",
                edgecolor=COLOURS["blue"] if used else "0.6",
                linewidth=1.6,
                zorder=3,
            )
        )
draw_arrow(axes, (LEFT - 0.2, 0.26), (LEFT + 7.3 * WIDTH, 0.26), width=1.4, gap=2)
write(axes, LEFT + 3.5 * WIDTH, 0.1, "time")
write(axes, *place(3, 7.55), "sees 8", align="left")
write(axes, *place(2, 7.55), "sees 4", align="left")
write(axes, *place(1, 7.55), "sees 2", align="left")
save(figure, __file__)
