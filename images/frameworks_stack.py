"""The stack of lesson 1.2: program, high-level libraries, engines, hardware; NumPy and OpenCV beside it."""

from images.drawing import COLOURS, canvas, draw_box, save, write

figure, axes = canvas(6.9, 3.9)


def box(left, bottom, width, height, name, text="", colour="black"):
    draw_box(axes, left, bottom, width, height, colour=COLOURS[colour])
    middle = bottom + height / 2
    write(axes, left + width / 2, middle + (0.13 if text else 0), name, size=13, weight="bold")
    if text:
        write(axes, left + width / 2, middle - 0.16, text, size=10)


def stands_on(x, top, bottom):
    axes.annotate(
        "",
        (x, bottom),
        (x, top),
        arrowprops={"arrowstyle": "-|>", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0},
    )


box(0.15, 3.25, 4.55, 0.5, "your program")
box(0.15, 2.2, 3.6, 0.72, "Keras", "layers, losses, fit", "blue")
box(3.9, 2.2, 0.8, 0.72, "fastai", "recipes", "blue")
for left, name in ((0.15, "TensorFlow"), (1.72, "JAX"), (3.29, "PyTorch")):
    box(left, 1.05, 1.41, 0.72, name, "tensors, gradients", "orange")
box(0.15, 0.15, 4.55, 0.5, "CPU, GPU, TPU", colour="green")
for x in (1.95, 4.3):
    stands_on(x, 3.25, 2.92)
for x in (0.85, 2.42, 3.52, 4.3):
    stands_on(x, 2.2, 1.77)
for x in (0.85, 2.42, 4.0):
    stands_on(x, 1.05, 0.65)
box(5.2, 2.2, 1.55, 1.05, "OpenCV", "pictures, before\nand after", "purple")
box(5.2, 0.72, 1.55, 1.05, "NumPy", "arrays, CPU only,\nno gradients", "red")
write(axes, 5.97, 3.5, "beside the stack")
save(figure, __file__)
