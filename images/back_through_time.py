"""Three steps of the linear recurrent unit of lesson 4.2: states forward, gradients back, with its numbers."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save, write

U, W, INPUTS, TARGET = 0.5, 1.0, (1.0, 2.0, 3.0), 4.0
states = [0.0]
for value in INPUTS:
    states.append(U * states[-1] + W * value)
deltas = [states[-1] - TARGET]
for _ in range(2):
    deltas.insert(0, deltas[0] * U)

FORWARD, BELOW = 1.95, 0.62
PLACES = (0.65, 2.15, 3.65, 5.15)
RED, BLUE = COLOURS["red"], COLOURS["blue"]
figure, axes = canvas(7.0, 2.9)

for step, (place, state) in enumerate(zip(PLACES, states, strict=True)):
    axes.add_patch(
        matplotlib.patches.Circle(
            (place, FORWARD), 0.4, facecolor="white", edgecolor=COLOURS["black"], linewidth=2
        )
    )
    write(axes, place, FORWARD, f"$h_{step}$\n{state:g}", size=12)
    if step:
        before = PLACES[step - 1]
        draw_arrow(axes, (before + 0.4, FORWARD + 0.12), (place - 0.4, FORWARD + 0.12), BLUE)
        write(axes, (before + place) / 2, FORWARD + 0.3, f"× {U}", BLUE)
        draw_arrow(axes, (place, BELOW + 0.22), (place, FORWARD - 0.4), BLUE)
        write(axes, place + 0.36, 1.2, f"× {W:g}", BLUE)
        write(axes, place, BELOW, f"$x_{step}$ = {INPUTS[step - 1]:g}")
        write(axes, place, 2.55, rf"$\delta_{step}$ = {deltas[step - 1]:g}", RED, size=12)
    if step > 1:
        draw_arrow(
            axes,
            (place - 0.4, FORWARD - 0.12),
            (PLACES[step - 1] + 0.4, FORWARD - 0.12),
            RED,
            style="--",
        )
        write(axes, (PLACES[step - 1] + place) / 2, FORWARD - 0.32, f"× {U}", RED)
write(axes, 6.35, FORWARD + 0.12, rf"$L=\frac{{1}}{{2}}(h_3-{TARGET:g})^2$")
draw_arrow(axes, (5.55, FORWARD + 0.12), (5.72, FORWARD + 0.12), BLUE)
write(axes, 6.35, FORWARD - 0.3, f"$h_3-{TARGET:g}$ = {deltas[-1]:g}", RED)
write(axes, 3.5, 0.2, "blue, solid: forward       red, dashed: back through time", size=10)
save(figure, __file__)
