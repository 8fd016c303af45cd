"""Lesson 1.1: deep learning inside machine learning inside artificial intelligence, and who makes each step."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from images.drawing import COLOURS, canvas, save

BY_HAND, LEARNED = "#EFEFEF", "#CFE6F5"


def box(
    axes, left, bottom, width, height, text="", colour="white", edge="0.3", style="-", size=9.0
):
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour, edgecolor=edge, linestyle=style, linewidth=1.3,
        )
    )  # fmt: skip
    axes.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=size)


def arrow(axes, start, end, height):
    axes.add_patch(
        FancyArrowPatch(
            (start, height), (end, height), arrowstyle="-|>", mutation_scale=9, color="0.3", lw=1.1
        )
    )


def chain(axes, height, steps):
    """A row of boxes joined by arrows. steps: (left, width, text, colour, line style)."""
    for (left, width, text, colour, style), following in zip(
        steps, [*steps[1:], None], strict=True
    ):
        edge = COLOURS["blue"] if colour == LEARNED else "0.3"
        box(axes, left, height - 0.25, width, 0.5, text, colour, edge, style, size=8.6)
        if following:
            arrow(axes, left + width + 0.02, following[0] - 0.02, height)


def main():
    figure, axes = canvas(7.0, 4.3)
    box(axes, 0.1, 0.55, 6.8, 3.65, edge="0.3")
    axes.text(0.25, 3.98, "Artificial intelligence", fontsize=10.5, weight="bold", va="center")
    axes.text(
        2.15,
        3.98,
        "programs that do what seems to need thought",
        fontsize=9,
        va="center",
        color="0.25",
    )
    chain(axes, 3.53, [(0.3, 0.75, "pixels", "white", "-"), (2.15, 2.9, "rules that a person wrote", BY_HAND, "--"),
                       (6.05, 0.7, "answer", "white", "-")])  # fmt: skip
    box(axes, 0.2, 0.63, 6.6, 2.55, edge=COLOURS["green"])
    axes.text(
        0.33, 2.96, "Machine learning", fontsize=10.5, weight="bold", va="center", color="#006B4F"
    )
    axes.text(
        2.15,
        2.96,
        "programs that get their rules from examples",
        fontsize=9,
        va="center",
        color="0.25",
    )
    chain(axes, 2.5, [(0.3, 0.75, "pixels", "white", "-"), (1.4, 2.1, "features that a\nperson chose", BY_HAND, "--"),
                      (3.85, 1.85, "a rule,\nlearned", LEARNED, "-"), (6.05, 0.7, "answer", "white", "-")])  # fmt: skip
    box(axes, 0.3, 0.71, 6.4, 1.42, edge=COLOURS["blue"])
    axes.text(
        0.42, 1.9, "Deep learning", fontsize=10.5, weight="bold", va="center", color=COLOURS["blue"]
    )
    axes.text(
        2.15,
        1.9,
        "many steps in a row, and every one is learned",
        fontsize=9,
        va="center",
        color="0.25",
    )
    chain(axes, 1.27, [(0.4, 0.65, "pixels", "white", "-"), (1.32, 0.95, "features,\nlearned", LEARNED, "-"),
                       (2.55, 1.2, "features of\nfeatures, learned", LEARNED, "-"), (4.03, 0.4, "...", LEARNED, "-"),
                       (4.72, 1.0, "a rule,\nlearned", LEARNED, "-"), (6.0, 0.62, "answer", "white", "-")])  # fmt: skip
    box(axes, 1.35, 0.13, 0.35, 0.26, colour=BY_HAND, style="--")
    axes.text(1.8, 0.26, "made by a person", fontsize=9, va="center")
    box(axes, 3.75, 0.13, 0.35, 0.26, colour=LEARNED, edge=COLOURS["blue"])
    axes.text(4.2, 0.26, "learned from examples", fontsize=9, va="center")
    save(figure, __file__)


if __name__ == "__main__":
    main()
