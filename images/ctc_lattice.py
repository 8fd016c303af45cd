"""The forward algorithm of CTC in lesson 4.3c: the text "ab" in three frames, each circle with its alpha."""

import matplotlib.patches
import numpy as np

from images.drawing import COLOURS, canvas, draw_arrow, save, write

TABLE = np.array([[0.3, 0.6, 0.1], [0.5, 0.3, 0.2], [0.4, 0.1, 0.5]])
EXTENDED, LETTERS = [0, 1, 0, 2, 0], "–ab"
figure, axes = canvas(6.6, 4.1)


def point(frame, place):
    return 1.55 + 1.75 * frame, 3.3 - 0.68 * place


def arrow(start, end, colour, style):
    (x0, y0), (x1, y1) = point(*start), point(*end)
    length = np.hypot(x1 - x0, y1 - y0)
    dx, dy = 0.3 * (x1 - x0) / length, 0.3 * (y1 - y0) / length
    draw_arrow(axes, (x0 + dx, y0 + dy), (x1 - dx, y1 - dy), colour, 1.5, style, gap=2)


alpha = np.zeros((3, 5))
alpha[0, :2] = TABLE[0, EXTENDED[:2]]
for t in (1, 2):
    for s in range(5):
        sources = [s, s - 1] + ([s - 2] if s == 3 else [])
        for source in sources:
            if source < 0:
                continue
            alpha[t, s] += alpha[t - 1, source] * TABLE[t, EXTENDED[s]]
            if alpha[t - 1, source] > 0:
                colour, style = {0: ("0.45", "-"), 1: (COLOURS["blue"], "--")}.get(
                    s - source, (COLOURS["red"], "-.")
                )
                arrow((t - 1, source), (t, s), colour, style)

for t in range(3):
    x, _ = point(t, 0)
    write(axes, x, 3.85, f"frame {t + 1}")
    for s in range(5):
        x, y = point(t, s)
        reached = alpha[t, s] > 0
        ends = t == 2 and s > 2
        axes.add_patch(
            matplotlib.patches.Circle(
                (x, y),
                0.27,
                facecolor="white",
                edgecolor="black" if reached else "0.75",
                linewidth=2.6 if ends else 1.2,
            )
        )
        if reached:
            write(axes, x, y, f"{alpha[t, s]:.3f}", size=9.5)
for s, symbol in enumerate(EXTENDED):
    write(axes, 0.85, point(0, s)[1], LETTERS[symbol], size=15)
write(axes, 0.85, 3.85, "text")
_, y = point(2, 3.5)
write(axes, 5.42, y, "sum:\n0.393", align="left")
for x, name, colour, style in (
    (1.0, "stay", "0.45", "-"),
    (2.75, "step", COLOURS["blue"], "--"),
    (4.4, "skip", COLOURS["red"], "-."),
):
    axes.plot([x, x + 0.5], [0.15, 0.15], color=colour, linestyle=style, linewidth=1.8)
    write(axes, x + 0.6, 0.15, name, align="left")
assert abs(alpha[2, 3] + alpha[2, 4] - 0.393) < 1e-9
save(figure, __file__)
