"""What enters the discriminators of lesson 5.2 and what comes out: DCGAN, projection discriminator, critic of a WGAN-GP."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, draw_arrow, save

BLACK, BLUE, RED = COLOURS["black"], COLOURS["blue"], COLOURS["red"]
LEFT, WIDTH = (0.1, 2.4, 4.7), 2.2
figure, axes = canvas(7.0, 3.5)


def box(x, y, words, colour=BLACK, width=1.0, height=0.42):
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0.02",
            facecolor="white",
            edgecolor=colour,
            linewidth=1.6,
        )
    )
    axes.text(x, y, words, ha="center", va="center", fontsize=9.5, color=colour)


def arrow(start, end, colour=BLACK, style="-"):
    draw_arrow(axes, start, end, colour, 1.4, style)


for left, title in zip(LEFT, ("DCGAN", "conditional GAN", "WGAN-GP"), strict=True):
    axes.text(left + WIDTH / 2, 3.3, title, ha="center", va="center", fontsize=12, weight="bold")
    if left > 1:
        axes.plot([left - 0.05, left - 0.05], [0.1, 3.4], color="0.8", linewidth=1)

middle = LEFT[0] + WIDTH / 2
box(middle, 0.4, "image x")
box(middle, 1.25, "convolutions,\nbatch norm.", height=0.5)
box(middle, 2.1, "h · w + b")
axes.text(middle, 2.82, "logit: real?", ha="center", va="center", fontsize=10)
for low, high in ((0.63, 0.98), (1.52, 1.87), (2.33, 2.68)):
    arrow((middle, low), (middle, high))

image, label = LEFT[1] + 0.65, LEFT[1] + 1.7
box(image, 0.4, "image x")
box(image, 1.25, "convolutions", height=0.5)
box(label, 0.4, "label y", BLUE, 0.8)
box(label, 1.25, "vector v of y", BLUE, 0.95)
box(image, 2.1, "h · w + b")
box(label, 2.1, "h · v", BLUE, 0.8)
axes.text(
    (image + label) / 2, 2.82, "sum = logit: real, and a y?", ha="center", va="center", fontsize=10
)
for low, high in ((0.63, 0.98), (1.52, 1.87)):
    arrow((image, low), (image, high))
    arrow((label, low), (label, high), BLUE)
arrow((image, 1.52), (label - 0.25, 1.87), BLUE)
arrow((image, 2.33), ((image + label) / 2 - 0.1, 2.68))
arrow((label, 2.33), ((image + label) / 2 + 0.1, 2.68), BLUE)

image, mixed = LEFT[2] + 0.55, LEFT[2] + 1.67
box(image, 0.4, "image x")
box(mixed, 0.4, "mix of real\nand fake", RED, 0.95, 0.5)
box((image + mixed) / 2, 1.25, "convolutions", width=1.7, height=0.5)
box(image, 2.1, "h · w + b")
box(mixed, 2.1, "length of the\ngradient", RED, 0.95, 0.5)
axes.text(image, 2.82, "score", ha="center", va="center", fontsize=10)
axes.text(mixed, 2.82, "penalty: is it 1?", ha="center", va="center", fontsize=10, color=RED)
for low, high in ((0.63, 0.98), (1.52, 1.87), (2.33, 2.68)):
    arrow((image, low), (image, high))
for low, high in ((0.67, 0.98), (1.52, 1.83), (2.37, 2.68)):
    arrow((mixed, low), (mixed, high), RED, "--")
save(figure, __file__)
