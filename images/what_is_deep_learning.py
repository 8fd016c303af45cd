"""Lesson 1.1: deep learning inside machine learning inside artificial intelligence, and who makes each step."""

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

BY_HAND, LEARNED = "#EFEFEF", "#CFE6F5"
LINE = 1.3  # points: of the boxes


def chain(axes, height, steps):
    """A row of boxes joined by arrows. steps: (left, width, text, colour, line style)."""
    for (left, width, text, colour, style), following in zip(
        steps, [*steps[1:], None], strict=True
    ):
        edge = COLOURS["blue"] if colour == LEARNED else "0.3"
        draw_box(
            axes,
            left,
            height - 0.25,
            width,
            0.5,
            text,
            edge,
            face=colour,
            line=LINE,
            style=style,
            size=8.6,
        )
        if following:
            start, end = (left + width + 0.02, height), (following[0] - 0.02, height)
            draw_arrow(axes, start, end, "0.3", 1.1, gap=2, head=3.6)


def main():
    figure, axes = canvas(7.0, 4.3)
    draw_box(axes, 0.1, 0.55, 6.8, 3.65, colour="0.3", line=LINE)
    write(axes, 0.25, 3.98, "Artificial intelligence", size=10.5, align="left", weight="bold")
    write(
        axes,
        2.15,
        3.98,
        "programs that do what seems to need thought",
        "0.25",
        size=9,
        align="left",
    )
    chain(axes, 3.53, [(0.3, 0.75, "pixels", "white", "-"), (2.15, 2.9, "rules that a person wrote", BY_HAND, "--"),
                       (6.05, 0.7, "answer", "white", "-")])  # fmt: skip
    draw_box(axes, 0.2, 0.63, 6.6, 2.55, line=LINE, colour=COLOURS["green"])
    write(axes, 0.33, 2.96, "Machine learning", "#006B4F", size=10.5, align="left", weight="bold")
    write(
        axes,
        2.15,
        2.96,
        "programs that get their rules from examples",
        "0.25",
        size=9,
        align="left",
    )
    chain(axes, 2.5, [(0.3, 0.75, "pixels", "white", "-"), (1.4, 2.1, "features that a\nperson chose", BY_HAND, "--"),
                      (3.85, 1.85, "a rule,\nlearned", LEARNED, "-"), (6.05, 0.7, "answer", "white", "-")])  # fmt: skip
    draw_box(axes, 0.3, 0.71, 6.4, 1.42, line=LINE, colour=COLOURS["blue"])
    write(axes, 0.42, 1.9, "Deep learning", COLOURS["blue"], size=10.5, align="left", weight="bold")
    write(
        axes,
        2.15,
        1.9,
        "many steps in a row, and every one is learned",
        "0.25",
        size=9,
        align="left",
    )
    chain(axes, 1.27, [(0.4, 0.65, "pixels", "white", "-"), (1.32, 0.95, "features,\nlearned", LEARNED, "-"),
                       (2.55, 1.2, "features of\nfeatures, learned", LEARNED, "-"), (4.03, 0.4, "...", LEARNED, "-"),
                       (4.72, 1.0, "a rule,\nlearned", LEARNED, "-"), (6.0, 0.62, "answer", "white", "-")])  # fmt: skip
    draw_box(axes, 1.35, 0.13, 0.35, 0.26, colour="0.3", face=BY_HAND, line=LINE, style="--")
    write(axes, 1.8, 0.26, "made by a person", size=9, align="left")
    draw_box(axes, 3.75, 0.13, 0.35, 0.26, colour=COLOURS["blue"], face=LEARNED, line=LINE)
    write(axes, 4.2, 0.26, "learned from examples", size=9, align="left")
    save(figure, __file__)


if __name__ == "__main__":
    main()
