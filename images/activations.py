"""The activations of lesson 2.1: the same sum z on the horizontal axis, seven ways to answer."""

import matplotlib.pyplot as plt
import numpy as np
import scipy.special

from images.drawing import COLOURS, DOTS_PER_INCH, save

z = np.linspace(-4, 4, 401)
PANELS = [
    ("linear", z, "the sum itself"),
    ("sigmoid", scipy.special.expit(z), "a probability, 0 to 1"),
    ("tanh", np.tanh(z), "centred, −1 to 1"),
    ("ReLU", np.maximum(z, 0), "what is above zero"),
    ("leaky ReLU", np.where(z > 0, z, 0.2 * z), "below zero a fifth"),
    ("GELU", z * scipy.special.ndtr(z), "a smooth ReLU"),
    ("softmax", None, "several sums compete"),
]

figure, grid = plt.subplots(2, 4, figsize=(6.9, 3.7), dpi=DOTS_PER_INCH, layout="constrained")
for axes, (name, values, what) in zip(grid.flat, PANELS, strict=False):
    axes.set_title(name, fontsize=12, fontweight="bold")
    axes.set_xlabel(what, fontsize=9.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    if values is None:
        shares = scipy.special.softmax([0, np.log(2), np.log(3)])
        axes.bar(["$z_1$", "$z_2$", "$z_3$"], shares, color=COLOURS["green"], width=0.6)
        axes.set_ylim(0, 1)
        axes.tick_params(axis="x", labelsize=10)
        continue
    axes.axhline(0, color="0.8", linewidth=1, zorder=0)
    axes.axvline(0, color="0.8", linewidth=1, zorder=0)
    axes.plot(z, values, color=COLOURS["green"], linewidth=2.2)
    axes.set_xticks([-4, 0, 4])
    axes.set_ylim(
        (-1.4, 1.4)
        if name in ("sigmoid", "tanh")
        else (-4.3, 4.3)
        if name == "linear"
        else (-1.4, 4.3)
    )
grid[1, 3].axis("off")
save(figure, __file__)
