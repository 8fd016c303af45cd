"""What the scripts of the pictures share: the course's colours, arrows, boxes, words, and saving as a small palette PNG.

Each picture is drawn by the script of its name: `python -m images.neuron` makes images/neuron.png.
"""

import io
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.patches
import matplotlib.pyplot as plt
import PIL.Image

from workshop.kit.pictures import COLOURS

plt.style.use("default")  # a picture is the same whatever the author's own matplotlibrc says

__all__ = ["COLOURS", "canvas", "draw_arrow", "draw_box", "save", "write"]

DOTS_PER_INCH = 100
FOLDER = Path(__file__).parent


def canvas(width=6.6, height=3.0):
    """An empty figure of at most 7 inches width, and its axes in inches from the lower left corner, without frame."""
    figure = plt.figure(figsize=(width, height), dpi=DOTS_PER_INCH)
    axes = figure.add_axes([0, 0, 1, 1], xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def draw_arrow(
    axes,
    start,
    end,
    colour=COLOURS["black"],
    width=1.6,
    style="-",
    *,
    gap=0,
    head=4,
    bend=0,
    layer=3,
):
    """Draw an arrow between two points, (x, y) in inches.

    width, style: of its line; the width in points. gap: left free at both ends, in points.
    head: length of its head, in points. bend: 0.2 lets its middle bow out by 0.1 of its length, to its right.
    layer: Matplotlib's zorder: what lies on a higher layer is drawn over it.
    """
    look = {
        "arrowstyle": "-|>",
        "color": colour,
        "connectionstyle": f"arc3,rad={bend}",
        "linestyle": style,
        "linewidth": width,
        "mutation_scale": 2.5 * head,  # by which Matplotlib multiplies the 0.4 of "-|>"
        "shrinkA": gap,
        "shrinkB": gap,
    }
    axes.annotate("", end, start, arrowprops=look, zorder=layer)


def draw_box(
    axes,
    x,
    y,
    width,
    height,
    words="",
    colour=COLOURS["black"],
    *,
    centred=False,
    face="white",
    line=2.0,
    style="-",
    rounding=0.08,
    layer=1,
    ink=COLOURS["black"],
    **look,
):
    """Draw a box, with words in its middle.

    x, y: its lower left corner, or its middle if `centred`. These, its width and its height are in inches.
    colour, line, style: of the line around it; `line` is the width in points. face: colour inside, or "none".
    rounding: radius of its corners, in inches. layer: Matplotlib's zorder, as for an arrow.
    ink: colour of the words. look: of the words, as `write` takes it: size and so on.
    """
    if centred:
        x, y = x - width / 2, y - height / 2
    corners = f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0"
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle=corners,
            facecolor=face,
            edgecolor=colour,
            linewidth=line,
            linestyle=style,
            zorder=layer,
        )
    )
    write(axes, x + width / 2, y + height / 2, words, ink, **look)


def write(
    axes, x, y, words, colour=COLOURS["black"], size=11, align="center", level="center", **look
):
    """Write words at (x, y) in inches.

    size: of the letters, in points. align: which part of the words is at x, "left", "center" or "right".
    level: which height of them is at y, "center", "bottom", or "baseline", the line that the last row stands on.
    look: anything else that Matplotlib's `Axes.text` takes: weight="bold", rotation in degrees, and so on.
    """
    axes.text(x, y, words, color=colour, fontsize=size, ha=align, va=level, **look)


def save(figure, script):
    """Save a figure as the palette PNG beside its script (`__file__`)."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, facecolor="white")
    plt.close(figure)
    with PIL.Image.open(drawn) as picture:
        smaller = picture.convert("RGB").quantize(64, dither=PIL.Image.Dither.NONE)
    smaller.save(FOLDER / f"{Path(script).stem}.png", optimize=True)
