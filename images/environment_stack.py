"""What lies between a notebook and the processor, and which command installs it (lesson 1.3)."""

import matplotlib.patches

from images.drawing import COLOURS, canvas, save

figure, axes = canvas(6.8, 3.5)


def box(x, y, width, text, colour, height=0.48):
    axes.add_patch(
        matplotlib.patches.FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
        )
    )
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=11)


box(0.15, 2.85, 4.35, "your notebook", COLOURS["black"])
box(0.15, 2.23, 4.35, "Keras: layers, losses, fit", COLOURS["blue"])
box(0.15, 1.61, 4.35, "TensorFlow: tensors, gradients", COLOURS["blue"])
box(2.4, 0.99, 2.1, "CUDA and cuDNN", COLOURS["green"])
box(2.4, 0.37, 0.98, "driver", COLOURS["red"])
box(3.52, 0.37, 0.98, "GPU", COLOURS["red"])
box(0.15, 0.37, 2.1, "CPU", COLOURS["black"], 1.10)

for low, high, text, colour in (
    (1.61, 2.71, "pip install tensorflow keras", COLOURS["blue"]),
    (0.99, 1.47, 'pip install\n"tensorflow[and-cuda]"', COLOURS["green"]),
    (0.37, 0.85, "NVIDIA's installer: no pip\n(nvidia-smi shows it)", COLOURS["red"]),
):
    axes.plot([4.62, 4.7, 4.7, 4.62], [low, low, high, high], color=colour, linewidth=2)
    axes.text(4.8, (low + high) / 2, text, va="center", fontsize=10, color=colour)
axes.text(1.2, 0.13, "works everywhere", ha="center", fontsize=10)
axes.text(3.45, 0.13, "Linux, WSL2, Colab", ha="center", fontsize=10)
save(figure, __file__)
