"""What lies between a notebook and the processor, and which command installs it (lesson 1.3)."""

import functools

from images.drawing import COLOURS, canvas, draw_box, save, write

figure, axes = canvas(6.8, 3.5)
box = functools.partial(draw_box, axes, rounding=0.06)
box(0.15, 2.85, 4.35, 0.48, "your notebook", COLOURS["black"])
box(0.15, 2.23, 4.35, 0.48, "Keras: layers, losses, fit", COLOURS["blue"])
box(0.15, 1.61, 4.35, 0.48, "TensorFlow: tensors, gradients", COLOURS["blue"])
box(2.4, 0.99, 2.1, 0.48, "CUDA and cuDNN", COLOURS["green"])
box(2.4, 0.37, 0.98, 0.48, "driver", COLOURS["red"])
box(3.52, 0.37, 0.98, 0.48, "GPU", COLOURS["red"])
box(0.15, 0.37, 2.1, 1.10, "CPU", COLOURS["black"])

for low, high, text, colour in (
    (1.61, 2.71, "pip install tensorflow keras", COLOURS["blue"]),
    (0.99, 1.47, 'pip install\n"tensorflow[and-cuda]"', COLOURS["green"]),
    (0.37, 0.85, "NVIDIA's installer: no pip\n(nvidia-smi shows it)", COLOURS["red"]),
):
    axes.plot([4.62, 4.7, 4.7, 4.62], [low, low, high, high], color=colour, linewidth=2)
    write(axes, 4.8, (low + high) / 2, text, colour, size=10, align="left")
write(axes, 1.2, 0.13, "works everywhere", size=10, level="baseline")
write(axes, 3.45, 0.13, "Linux, WSL2, Colab", size=10, level="baseline")
save(figure, __file__)
