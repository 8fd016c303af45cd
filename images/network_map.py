"""The map of lesson 2.2: thirteen kinds of networks, each as a small icon, in groups by what they change."""

import itertools

import matplotlib.patches
import numpy as np

from images.drawing import COLOURS, canvas, draw_arrow, draw_box, save, write

WIDTH, HEIGHT = 7.0, 6.3
figure, axes = canvas(WIDTH, HEIGHT)
BLUE, RED, GREEN = (COLOURS[name] for name in ("blue", "red", "green"))
CELL, ICON = 1.36, 0.95  # width of a place, and of the icon in it, in inches


class Icon:
    """Draws in a square of side 1 whose lower left corner is at (x, y)."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def at(self, u, v):
        return self.x + ICON * u, self.y + ICON * v

    def dot(self, u, v, colour=BLUE, size=0.075):
        circle = matplotlib.patches.Circle(
            self.at(u, v), size * ICON, facecolor=colour, edgecolor=colour, linewidth=1.3, zorder=3
        )
        axes.add_patch(circle)

    def line(self, start, end, colour="0.45", width=1.1, style="-"):
        (x, y), (x_end, y_end) = self.at(*start), self.at(*end)
        axes.plot(
            [x, x_end],
            [y, y_end],
            style,
            color=colour,
            linewidth=width,
            zorder=1,
            solid_capstyle="round",
        )

    def arrow(self, start, end, colour="0.35", bend=0.0):
        draw_arrow(axes, self.at(*start), self.at(*end), colour, 1.2, head=3.2, bend=bend, layer=2)

    def box(self, u, v, width, height, text="", colour=BLUE, fill="white"):
        draw_box(
            axes,
            *self.at(u, v),
            width * ICON,
            height * ICON,
            colour=colour,
            face=fill,
            line=1.4,
            rounding=0,
            layer=2,
        )
        write(axes, *self.at(u + width / 2, v + height / 2), text, size=8.5, zorder=4)

    def curve(self, u, v, colour=BLUE, width=1.5):
        x, y = self.at(np.asarray(u), np.asarray(v))
        axes.plot(x, y, color=colour, linewidth=width, zorder=2)

    def layers(self, columns):
        """Dots in columns [(u, [v ...]), ...], every one connected with every one of the next column."""
        for (u, places), (u_next, places_next) in itertools.pairwise(columns):
            for v in places:
                for v_next in places_next:
                    self.line((u, v), (u_next, v_next), width=0.8)
        for u, places in columns:
            for v in places:
                self.dot(u, v)


def feed_forward(icon):
    icon.layers([(0.1, [0.2, 0.5, 0.8]), (0.5, [0.05, 0.35, 0.65, 0.95]), (0.9, [0.35, 0.65])])


def convolutional(icon):
    for row in range(5):
        for column in range(5):
            icon.box(0.11 * column, 0.2 + 0.11 * row, 0.11, 0.11, colour="0.6")
    icon.box(0.11, 0.42, 0.33, 0.33, colour=RED, fill="none")
    for row in range(3):
        for column in range(3):
            icon.box(0.68 + 0.11 * column, 0.31 + 0.11 * row, 0.11, 0.11, colour="0.6")
    icon.box(0.79, 0.53, 0.11, 0.11, colour=RED, fill=RED)
    for corner, target in (((0.44, 0.75), (0.79, 0.64)), ((0.44, 0.42), (0.79, 0.53))):
        icon.line(corner, target, colour=RED, width=0.9)


def recurrent(icon):
    for place in range(3):
        u = 0.1 + 0.4 * place
        icon.dot(u, 0.1)
        icon.dot(u, 0.52, GREEN, 0.1)
        icon.dot(u, 0.94)
        icon.arrow((u, 0.18), (u, 0.42))
        icon.arrow((u, 0.62), (u, 0.86))
        if place < 2:
            icon.arrow((u + 0.1, 0.52), (u + 0.3, 0.52), RED)


def transformer(icon):
    places = [0.05, 0.35, 0.65, 0.95]
    strength = [
        [2.4, 0.5, 0.9, 0.5],
        [0.5, 0.9, 0.5, 2.4],
        [0.5, 2.4, 0.5, 0.9],
        [0.9, 0.5, 2.4, 0.5],
    ]
    for u, row in zip(places, strength, strict=True):
        for u_next, width in zip(places, row, strict=True):
            icon.line((u, 0.12), (u_next, 0.88), RED if width > 2 else "0.6", width)
    for u in places:
        icon.dot(u, 0.12)
        icon.dot(u, 0.88)


def graph(icon):
    nodes = [(0.15, 0.8), (0.5, 0.95), (0.42, 0.5), (0.85, 0.6), (0.12, 0.22), (0.65, 0.1)]
    for start, end in ((0, 1), (0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (1, 3)):
        icon.line(nodes[start], nodes[end], width=1.4)
    for number, node in enumerate(nodes):
        icon.dot(*node, RED if number == 2 else BLUE, 0.085)


def radial(icon):
    for radius, shade in ((0.46, "#DCEAF4"), (0.32, "#9CC6E2"), (0.17, BLUE)):
        circle = matplotlib.patches.Circle(
            icon.at(0.42, 0.45), radius * ICON, facecolor=shade, edgecolor="none", zorder=1
        )
        axes.add_patch(circle)
    icon.dot(0.42, 0.45, "white", 0.035)
    icon.dot(0.9, 0.85, RED, 0.05)
    icon.line((0.42, 0.45), (0.9, 0.85), RED, 1.3, "--")


def spiking(icon):
    for v, places in (
        (0.78, [0.1, 0.3, 0.42, 0.8]),
        (0.42, [0.2, 0.55, 0.65, 0.75]),
        (0.06, [0.45, 0.9]),
    ):
        icon.line((0, v), (1, v))
        for u in places:
            icon.line((u, v), (u, v + 0.24), RED if v < 0.1 else BLUE, 1.8)


def capsule(icon):
    for v in (0.2, 0.75):
        for number in range(4):
            icon.box(0.02, v - 0.18 + 0.1 * number, 0.16, 0.1, fill="#9CC6E2")
    for number in range(4):
        icon.box(0.82, 0.27 + 0.1 * number, 0.16, 0.1, colour=RED, fill="#F6D3BC")
    icon.arrow((0.22, 0.76), (0.78, 0.53))
    icon.arrow((0.22, 0.2), (0.78, 0.42))


def autoencoder(icon):
    icon.layers(
        [(0.05, [0.1, 0.37, 0.63, 0.9]), (0.5, [0.37, 0.63]), (0.95, [0.1, 0.37, 0.63, 0.9])]
    )
    for v in (0.37, 0.63):
        icon.dot(0.5, v, RED)


def adversarial(icon):
    icon.box(-0.12, 0.6, 0.5, 0.3, "maker")
    icon.box(-0.12, 0.08, 0.5, 0.3, "data", colour="0.5")
    icon.box(0.66, 0.34, 0.46, 0.3, "judge", colour=RED)
    icon.arrow((0.38, 0.72), (0.66, 0.56))
    icon.arrow((0.38, 0.24), (0.66, 0.42))
    icon.arrow((0.9, 0.66), (0.38, 0.82), RED, bend=0.35)


def self_organising(icon):
    rows, columns = np.meshgrid(
        np.linspace(0.08, 0.92, 4), np.linspace(0.08, 0.92, 4), indexing="ij"
    )
    pull = 0.45 * np.exp(-((columns - 0.64) ** 2 + (rows - 0.64) ** 2) / 0.09)
    u, v = columns + pull * (0.85 - columns), rows + pull * (0.9 - rows)
    for number in range(4):
        icon.curve(u[number], v[number], "0.5", 1.1)
        icon.curve(u[:, number], v[:, number], "0.5", 1.1)
    for place in np.ndindex(4, 4):
        icon.dot(u[place], v[place], RED if place == (2, 2) else BLUE, 0.05)


def deep_belief(icon):
    rows = [(0.08, [0.05, 0.35, 0.65, 0.95]), (0.5, [0.2, 0.5, 0.8]), (0.92, [0.35, 0.65])]
    for (v, places), (v_next, places_next) in itertools.pairwise(rows):
        for u in places:
            for u_next in places_next:
                icon.line(
                    (u, v), (u_next, v_next), GREEN if v < 0.1 else "0.7", 1.2 if v < 0.1 else 0.8
                )
    for v, places in rows:
        for u in places:
            icon.dot(u, v)
    icon.arrow((1.06, 0.08), (1.06, 0.48), GREEN)
    icon.arrow((1.06, 0.52), (1.06, 0.92), "0.6")


def modular(icon):
    icon.box(-0.1, 0.35, 0.36, 0.3, "gate", colour=RED)
    for v, chosen in ((0.74, False), (0.38, True), (0.02, False)):
        colour = BLUE if chosen else "0.65"
        icon.box(0.58, v, 0.5, 0.26, "expert", colour=colour)
        if chosen:
            icon.arrow((0.26, 0.5), (0.58, 0.5), RED)
        else:
            icon.line((0.26, 0.5), (0.58, v + 0.12), "0.65", 0.9, ":")


def place_icon(column, bottom, draw, name, cell=CELL):
    left = 0.1 + cell * column
    draw(Icon(left + (cell - ICON) / 2, bottom + 0.36))
    write(axes, left + cell / 2, bottom + 0.08, name, size=10)


def group(left, bottom, columns, title):
    corner = left + 0.08, bottom - 0.08
    width = CELL * columns - 0.04
    draw_box(axes, *corner, width, 1.88, colour="0.75", face="#F6F6F6", line=1, layer=0)
    write(axes, left + 0.2, bottom + 1.6, title, align="left", weight="bold")


top, middle, low = 4.36, 2.3, 0.22
group(0.02, top, 5, "Other wiring: who hears whom")
for column, (draw, name) in enumerate(
    [
        (feed_forward, "feed-forward"),
        (convolutional, "convolutional"),
        (recurrent, "recurrent"),
        (transformer, "transformer"),
        (graph, "graph"),
    ]
):
    place_icon(column, top, draw, name)
group(0.02, middle, 3, "Another neuron: what one unit does")
for column, (draw, name) in enumerate(
    [(radial, "radial basis"), (spiking, "spiking"), (capsule, "capsule")]
):
    place_icon(column, middle, draw, name)
group(0.02 + 3.12 * CELL, middle, 1.88, "Networks of networks")
place_icon(3.55, middle, modular, "modular")
group(0.02, low, 5, "Another goal: what it is trained for")
for column, (draw, name) in enumerate(
    [
        (autoencoder, "autoencoder"),
        (adversarial, "generative adversarial"),
        (self_organising, "self-organising map"),
        (deep_belief, "deep belief"),
    ]
):
    place_icon(column, low, draw, name, cell=1.25 * CELL)
save(figure, __file__)
