"""What enters the discriminators of lesson 5.2 and what comes out: DCGAN, projection discriminator, critic of a WGAN-GP."""

import functools

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

BLACK, BLUE, RED = COLOURS["black"], COLOURS["blue"], COLOURS["red"]
LEFT, WIDTH = (0.1, 2.4, 4.7), 2.2
figure, axes = canvas(7.0, 3.5)
arrow = functools.partial(draw_arrow, axes, width=1.4)


def box(x, y, words, colour=BLACK, width=1.04, height=0.46):
    draw_box(
        axes,
        x,
        y,
        width,
        height,
        words,
        colour,
        centred=True,
        line=1.6,
        rounding=0.02,
        size=9.5,
        ink=colour,
    )


for left, title in zip(LEFT, ("DCGAN", "conditional GAN", "WGAN-GP"), strict=True):
    write(axes, left + WIDTH / 2, 3.3, title, size=12, weight="bold")
    if left > 1:
        axes.plot([left - 0.05, left - 0.05], [0.1, 3.4], color="0.8", linewidth=1)

middle = LEFT[0] + WIDTH / 2
box(middle, 0.4, "image x")
box(middle, 1.25, "convolutions,\nbatch norm.", height=0.54)
box(middle, 2.1, "h · w + b")
write(axes, middle, 2.82, "logit: real?", size=10)
for low, high in ((0.63, 0.98), (1.52, 1.87), (2.33, 2.68)):
    arrow((middle, low), (middle, high))

image, label = LEFT[1] + 0.65, LEFT[1] + 1.7
box(image, 0.4, "image x")
box(image, 1.25, "convolutions", height=0.54)
box(label, 0.4, "label y", BLUE, 0.84)
box(label, 1.25, "vector v of y", BLUE, 0.99)
box(image, 2.1, "h · w + b")
box(label, 2.1, "h · v", BLUE, 0.84)
write(axes, (image + label) / 2, 2.82, "sum = logit: real, and a y?", size=10)
for low, high in ((0.63, 0.98), (1.52, 1.87)):
    arrow((image, low), (image, high))
    arrow((label, low), (label, high), BLUE)
arrow((image, 1.52), (label - 0.25, 1.87), BLUE)
arrow((image, 2.33), ((image + label) / 2 - 0.1, 2.68))
arrow((label, 2.33), ((image + label) / 2 + 0.1, 2.68), BLUE)

image, mixed = LEFT[2] + 0.55, LEFT[2] + 1.67
box(image, 0.4, "image x")
box(mixed, 0.4, "mix of real\nand fake", RED, 0.99, 0.54)
box((image + mixed) / 2, 1.25, "convolutions", width=1.74, height=0.54)
box(image, 2.1, "h · w + b")
box(mixed, 2.1, "length of the\ngradient", RED, 0.99, 0.54)
write(axes, image, 2.82, "score", size=10)
write(axes, mixed, 2.82, "penalty: is it 1?", RED, size=10)
for low, high in ((0.63, 0.98), (1.52, 1.87), (2.33, 2.68)):
    arrow((image, low), (image, high))
for low, high in ((0.67, 0.98), (1.52, 1.83), (2.37, 2.68)):
    arrow((mixed, low), (mixed, high), RED, style="--")
save(figure, __file__)
