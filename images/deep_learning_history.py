"""The timeline of lesson 1.1: years on a true scale at the left, the works beside it."""

from images.drawing import COLOURS, canvas, save, write

IDEA, TRAINING, LIMIT, SCALE = "a new network", "a way to train", "a limit", "data and size"
LOOK = {
    IDEA: ("o", COLOURS["blue"]),
    TRAINING: ("s", COLOURS["green"]),
    LIMIT: ("X", COLOURS["black"]),
    SCALE: ("^", COLOURS["orange"]),
}
WORKS = [
    (1943, IDEA, "McCulloch, Pitts", "a neuron adds and fires; it does not learn", "2.1"),
    (1958, TRAINING, "Rosenblatt", "the perceptron learns from examples", "1.1"),
    (1969, LIMIT, "Minsky, Papert", "book: what perceptrons cannot compute", "1.1"),
    (1980, IDEA, "Fukushima", "neocognitron: layers of local detectors", "3.1"),
    (1986, TRAINING, "Rumelhart, Hinton, Williams", "back-propagation trains hidden layers", "2.3"),
    (1989, IDEA, "LeCun et al.", "a convolutional network reads zip codes", "3.1"),
    (1997, IDEA, "Hochreiter, Schmidhuber", "LSTM remembers over long sequences", "4.1"),
    (1998, IDEA, "LeCun et al.", "LeNet-5 reads digits and cheques", "3.1"),
    (2006, TRAINING, "Hinton, Osindero, Teh", "deep belief nets, layer after layer", "7.4"),
    (2009, SCALE, "Deng et al.", "ImageNet: millions of labelled photographs", "3.2"),
    (
        2012,
        SCALE,
        "Krizhevsky, Sutskever, Hinton",
        "AlexNet: 8 layers on two graphics cards",
        "3.1",
    ),
    (2014, IDEA, "Goodfellow et al.", "GAN: two networks play against each other", "5.1"),
    (2015, IDEA, "He et al.", "residual networks: 152 layers", "3.2"),
    (2017, IDEA, "Vaswani et al.", "the transformer: attention, no recurrence", "6.1"),
    (2020, TRAINING, "Ho, Jain, Abbeel", "diffusion: images out of noise", ""),
    (2020, SCALE, "Brown et al.", "GPT-3: 175 billion weights", "6.3"),
    (2021, IDEA, "Jumper et al.", "AlphaFold: the shapes of proteins", ""),
]
FIRST, LAST = 1940, 2025
TOP, BOTTOM = 7.0, 0.55
ROW = (TOP - BOTTOM) / (len(WORKS) - 1)
AXIS, ELBOW, YEAR, NAME, WHAT, LESSON = 0.55, 1.0, 1.12, 1.62, 3.58, 6.75


def main():
    figure, axes = canvas(7.0, 7.75)

    def height(year):
        return TOP + 0.08 - (year - FIRST) / (LAST - FIRST) * (TOP - BOTTOM + 0.16)

    axes.plot([AXIS, AXIS], [height(FIRST), height(LAST)], color="0.3", lw=1.5)
    for decade in range(FIRST, LAST + 1, 10):
        axes.plot([AXIS - 0.06, AXIS], [height(decade)] * 2, color="0.3", lw=1.5)
        write(axes, AXIS - 0.1, height(decade), decade, "0.25", size=8.5, align="right")
    for text, place, align in (
        ("who", NAME, "left"),
        ("what", WHAT, "left"),
        ("lesson", LESSON, "center"),
    ):
        write(axes, place, TOP + 0.27, text, "0.35", size=8.5, align=align, style="italic")
    for row, (year, kind, who, what, lesson) in enumerate(WORKS):
        marker, colour = LOOK[kind]
        level = TOP - row * ROW
        axes.plot([AXIS, ELBOW], [height(year), level], color="0.75", lw=0.9, zorder=0)
        axes.plot(AXIS, height(year), marker, color=colour, ms=5.5)
        axes.plot(ELBOW, level, marker, color=colour, ms=6.5)
        write(axes, YEAR, level, year, size=9.5, align="left", weight="bold")
        write(axes, NAME, level, who, size=8.8, align="left")
        write(axes, WHAT, level, what, size=8.8, align="left")
        write(axes, LESSON, level, lesson, "0.35", size=8.8)
    for place, (kind, (marker, colour)) in zip((1.12, 2.62, 4.22, 5.22), LOOK.items(), strict=True):
        axes.plot(place, 0.2, marker, color=colour, ms=6.5)
        write(axes, place + 0.12, 0.2, kind, size=9, align="left")
    write(axes, 3.5, 7.57, "From the first artificial neuron to today", size=12)
    save(figure, __file__)


if __name__ == "__main__":
    main()
