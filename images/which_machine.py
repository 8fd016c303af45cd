"""Which machine for which work: a decision picture (lesson 1.3)."""

import functools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

figure, axes = canvas(6.9, 4.45)
box = functools.partial(draw_box, axes, size=10.5)


def arrow(start, end, text, place):
    draw_arrow(axes, start, end, width=1.5)
    write(axes, *place, text, size=10.5)


QUESTIONS = (
    (
        3.95,
        "Measure ten steps.\nDone in minutes on your CPU?",
        "your own machine\nJupyterLab or VS Code, CPU",
        "free, always there",
    ),
    (
        2.75,
        "Do you own an NVIDIA GPU\nwith room for the network?",
        "your own machine\nLinux or WSL2, GPU",
        "electricity",
    ),
    (
        1.55,
        "Is it done in a few hours, and\nno harm if the machine goes?",
        "Google Colab\nGPU in the browser",
        "free or by compute units; its disk is wiped",
    ),
)
for y, question, answer, cost in QUESTIONS:
    box(0.15, y - 0.33, 2.85, 0.66, question, COLOURS["black"])
    box(4.05, y - 0.33, 2.7, 0.66, answer, COLOURS["blue"])
    write(axes, 5.4, y - 0.48, cost, COLOURS["red"], size=9.5)
    arrow((3.0, y), (4.05, y), "yes", (3.5, y + 0.14))
for y in (3.95, 2.75, 1.55):
    arrow((1.57, y - 0.33), (1.57, y - 0.87), "no", (1.8, y - 0.56))
box(
    0.15,
    0.12,
    6.6,
    0.56,
    "a rented machine: Amazon SageMaker, Azure Machine Learning, a job on a cluster",
    COLOURS["green"],
)
write(axes, 2.3, 0.82, "paid by the hour until you stop it", COLOURS["red"], size=9.5, align="left")
save(figure, __file__)
