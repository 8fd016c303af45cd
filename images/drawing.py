"""What the scripts of the pictures share: the course's colours, arrows, and saving as a small palette PNG.

Each picture is drawn by the script of its name: `python -m images.neuron` makes images/neuron.png.
"""

import io
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import PIL.Image

from workshop.kit.pictures import COLOURS

__all__ = ["COLOURS", "canvas", "draw_arrow", "save"]

DOTS_PER_INCH = 100
FOLDER = Path(__file__).parent


def canvas(width=6.6, height=3.0):
    """An empty figure of at most 7 inches width, and its axes in inches from the lower left corner, without frame."""
    figure = plt.figure(figsize=(width, height), dpi=DOTS_PER_INCH)
    axes = figure.add_axes([0, 0, 1, 1], xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def draw_arrow(axes, start, end, colour=COLOURS["black"], width=1.6, style="-"):
    """Draw an arrow that touches both points, (x, y) in inches. width, style: of its line; the width in points."""
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "linestyle": style}
    axes.annotate("", end, start, arrowprops={**look, "shrinkA": 0, "shrinkB": 0})


def save(figure, script):
    """Save a figure as the palette PNG beside its script (`__file__`)."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, facecolor="white")
    plt.close(figure)
    with PIL.Image.open(drawn) as picture:
        smaller = picture.convert("RGB").quantize(64, dither=PIL.Image.Dither.NONE)
    smaller.save(FOLDER / f"{Path(script).stem}.png", optimize=True)
