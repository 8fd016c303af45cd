# ---
# jupyter:
#   course:
#     prerequisites: ["2.3", "2.4"]
#     core_minutes: 120
# ---

# %% [markdown]
# # 3.1 Convolutional layers
#
# **After this lesson you can** slide a kernel over an image by hand, work out the size, the parameters, the multiplications and the
# receptive field of any stack of convolutions, say exactly when a network keeps its answer on a moved image, show which pixels an
# answer rests on, and find the layer that eats a network's time.
#
# **You build** convolution, pooling, batch normalization and transposed convolution, each equal to Keras's, and a small network that learns to read digits with a fraction of the usual work.
#
# **Question.** In lesson 1.1 a dense network misread most digits that were moved by four pixels. A digit is the same digit wherever it stands. Which
# layer knows that, and does a network made of such layers really know it too?

# %% tags=["setup"]
import time

import keras
import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
import sklearn.datasets
import sklearn.neighbors
import tensorflow as tf
from PIL import Image

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## One window, by hand
#
# Lay a small table of weights, the **kernel**, on the upper left corner of an image. Multiply each weight by the pixel below it and add the products up: that is
# one number of the output. Move the kernel one pixel to the right and do it again; at the end of the row, go one row down. This is
# **cross-correlation**, and the table of outputs is called a **feature map**:
#
# $$z_{i,j} = \sum_{u} \sum_{v} w_{u,v} \, x_{i+u,\, j+v}$$
#
# Rows and columns count from 0: $(i, j)$ is the window's place, $(u, v)$ a place inside the kernel.

# %% [markdown]
# ![An image of four by four numbers, zeros on the left, twos on the right, ones in the last row. A kernel of two by two, minus one on the left and plus one on the right, lies on the second and third column of the upper two rows. Its sum, four, is written into the output of three by three, whose other eight squares are empty.](../../../images/convolution.png)

# %% [markdown]
# The window on the picture gives $-1 \cdot 0 + 1 \cdot 2 - 1 \cdot 0 + 1 \cdot 2 = 4$. Before you run the next cell: what do the other eight windows give? Why
# is the output 3 by 3?


# %% tags=["setup"]
def cross_correlate(image, kernel):
    """Slide the kernel over the image: (rows - kernel rows + 1, columns - kernel columns + 1)."""
    kernel_rows, kernel_columns = kernel.shape
    rows, columns = image.shape[0] - kernel_rows + 1, image.shape[1] - kernel_columns + 1
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = image[i : i + kernel_rows, j : j + kernel_columns]
            output[i, j] = np.sum(kernel * window)
    return output


# %% tags=["nbval-check-output"]
small_image = np.array([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 1, 1]])
small_kernel = np.array([[-1.0, 1], [-1, 1]])
print(cross_correlate(small_image, small_kernel))

# %% [markdown]
# The output is large where the image gets brighter from left to right, and zero where the two columns of the window are alike. The kernel is an **edge filter**: it
# answers one question, "does it get brighter here?", at every place. Its two columns fit into four columns of the image at three places, hence 3 by 3.
#
# Mathematicians say **convolution** when the kernel is turned by half a turn first. Which of the two does Keras's `Conv2D` compute?

# %% without_learning="arithmetic"
layer = keras.layers.Conv2D(filters=1, kernel_size=2, use_bias=False)
layer.build((None, 4, 4, 1))
layer.set_weights([small_kernel.reshape(2, 2, 1, 1)])
keras_map = layer(small_image.reshape(1, 4, 4, 1)).numpy()[0, :, :, 0]

correlated = scipy.signal.correlate2d(small_image, small_kernel, mode="valid")
convolved = scipy.signal.convolve2d(small_image, small_kernel, mode="valid")
claim(
    "Keras's Conv2D cross-correlates, as our two loops do; the mathematicians' convolution differs",
    np.allclose(keras_map, cross_correlate(small_image, small_kernel))
    and np.allclose(keras_map, correlated)
    and not np.allclose(keras_map, convolved),
    f"at the edge {keras_map[0, 1]:.0f}, {correlated[0, 1]:.0f} and {convolved[0, 1]:.0f}",
)

# %% [markdown]
# For a network the difference does not matter: it learns the kernel, and would learn the turned one just as well. So everybody says convolution and computes cross-correlation.
#
# ## Kernels on a photograph
#
# People designed kernels long before networks learned them. Five classics, each 5 by 5 (the smaller ones have zeros around them). **Sobel**'s kernels are an
# edge filter in one direction and a small blur in the other.


# %% tags=["setup"]
def photograph(name, top, bottom, left, right, shrink=2):
    """A cut-out of one of scikit-learn's photographs, shrunk: (height, width, 3) in [0, 1]."""
    cut = sklearn.datasets.load_sample_image(name)[top:bottom, left:right]
    size = (cut.shape[1] // shrink, cut.shape[0] // shrink)
    return np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BOX)) / np.float32(255)


PAGODA = photograph("china.jpg", 20, 372, 72, 376)  # (176, 152, 3)
GREY = PAGODA.mean(axis=-1)  # (176, 152)

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])  # brighter to the right
LAPLACE = np.array(
    [[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]
)  # positive where a pixel is darker than its neighbours
SHARPEN = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]) - LAPLACE
KERNELS = {
    "blur": np.full((5, 5), 1 / 25),
    "sharpen": np.pad(SHARPEN, 1),
    "vertical edges": np.pad(SOBEL, 1),
    "horizontal edges": np.pad(SOBEL.T, 1),
    "all edges": np.pad(LAPLACE, 1),
}

# %% [markdown]
# One `Conv2D` layer holds all five as its five **filters**: the kernels lie side by side along the last axis of its weights, and so do their feature maps.

# %%
five_filters = keras.layers.Conv2D(filters=5, kernel_size=5, use_bias=False)
five_filters.build((None, None, None, 1))
five_filters.set_weights([np.stack(list(KERNELS.values()), axis=-1)[:, :, np.newaxis]])


def filtered(image):
    """The five maps of a grey image (height, width), a dictionary of (height - 4, width - 4)."""
    maps = five_filters(image[np.newaxis, :, :, np.newaxis])[0]
    return dict(zip(KERNELS, np.moveaxis(maps.numpy(), -1, 0), strict=True))


maps = filtered(GREY)
FEW_GREYS = plt.get_cmap("gray", 64)  # enough for the eye, and a smaller file

# %% alt="Six grey pictures of a pagoda: the photograph; blurred; sharpened; with only its vertical edges, mainly columns and walls; with only its horizontal edges, mainly roofs; with thin lines along all edges."
figure, grid = plt.subplots(2, 3, figsize=(6.6, 5.4))
for axes, (name, picture) in zip(grid.flat, {"photograph": GREY, **maps}.items(), strict=True):
    if "edges" in name:  # grey is zero, white is positive, black is negative
        most = np.quantile(np.abs(picture), 0.99)
        axes.imshow(picture, cmap=FEW_GREYS, vmin=-most, vmax=most, interpolation="nearest")
    else:
        axes.imshow(picture, cmap=FEW_GREYS, vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(name)
    axes.axis("off")
plt.show()

# %% [markdown]
# The columns stand out among the vertical edges, the roofs among the horizontal ones. In the edge maps grey means zero, white brighter towards the right (or towards the
# bottom), black darker; among *all edges* white is a pixel darker than its four neighbours, black a brighter one. The flat sky is grey: the weights of an edge filter add up to zero, so an even area cancels whatever its brightness. The weights of the blur and of the sharpening
# kernel add up to one, so they keep the brightness.

# %% without_learning="arithmetic"
brighter = filtered(GREY + 0.2)
gain = {name: np.mean(brighter[name] - maps[name]) for name in KERNELS}
most_changed = max(np.abs(brighter[name] - maps[name]).max() for name in KERNELS if "edges" in name)
claim(
    "A photograph brighter by 0.2 has the same edges, and its blurred and sharpened maps are brighter by 0.2",
    bool(most_changed < 1e-5)
    and all(abs(gain[name] - 0.2) < 1e-5 for name in ("blur", "sharpen"))
    and np.abs(maps["all edges"]).max() > 0.1,
    f"largest change of an edge {most_changed:.0e}, mean change {gain['blur']:.3f} and {gain['sharpen']:.3f}",
)

# %% [markdown]
# ## Channels
#
# A colour image has three numbers for each pixel: three **channels**. A kernel then has a slice of weights for each input channel, and adds up over all of them. A layer with several
# filters has one such kernel, and one bias, for each output channel:
#
# $$z_{i,j,k} = b_k + \sum_{u} \sum_{v} \sum_{c} w_{u,v,c,k} \; x_{i+u,\, j+v,\, c}$$
#
# So the weights of a `Conv2D` have the shape (kernel height, kernel width, input channels, filters). Even a kernel of 1 by 1 is useful: it mixes channels. What will
# *red minus blue* show of this flower?

# %% alt="A photograph of an orange dahlia before dark leaves, and beside it a feature map in grey: the flower is bright, the leaves are dark."
FLOWER = photograph("flower.jpg", 60, 372, 144, 456)  # (156, 156, 3)
red_minus_blue = np.array([1.0, 0, -1]).reshape(1, 1, 3, 1)
mixer = keras.layers.Conv2D(filters=1, kernel_size=1, use_bias=False)
mixer.build((None, None, None, 3))
mixer.set_weights([red_minus_blue])
redness = mixer(FLOWER[np.newaxis]).numpy()[0, :, :, 0]  # (156, 156)

figure, (left, right) = plt.subplots(1, 2, figsize=(5.2, 2.8))
left.imshow(FLOWER, interpolation="nearest")
left.set_title("photograph")
right.imshow(redness, cmap=FEW_GREYS, vmin=-0.8, vmax=0.8, interpolation="nearest")
right.set_title("red minus blue")
for axes in (left, right):
    axes.axis("off")
plt.show()

# %% [markdown]
# Three weights cut the flower out: the petals are bright, the blue-green leaves are not.

# %% [markdown]
# ## The whole layer in NumPy: stride, padding, dilation
#
# Three settings say where the kernel looks.

# %% [markdown]
# ![Three rows of squares. Stride 2: a kernel of three moves by two, so that seven inputs give three outputs. Padding: one zero on each side, so that five inputs give five outputs. Dilation 2: the three weights lie on every second input and reach five.](../../../images/stride_padding_dilation.png)

# %% [markdown]
# - **Stride** $s$: the kernel moves by $s$ pixels at a time.
# - **Padding**: zeros around the image. `padding="valid"` means none; `padding="same"` means so many that at stride 1 the output is as large as the input.
# - **Dilation** $d$: the weights lie $d$ pixels apart, so that a kernel of $k$ weights reaches over $d\,(k - 1) + 1$ pixels.
#
# From these follows the size of the output. Of $n$ pixels (padding included) a kernel with reach $r = d\,(k - 1) + 1$ has its first window at pixel 0, and the last one
# can start at pixel $n - r$. Steps of $s$ fit $\lfloor (n - r) / s \rfloor$ times between the two, and the first window counts too:
#
# $$\text{output} = \left\lfloor \frac{n - r}{s} \right\rfloor + 1.$$
#
# For `"same"` Keras wants $\lceil n / s \rceil$ outputs, where $n$ counts the image's own pixels, and pads just enough: $p = \max\big((\lceil n / s \rceil - 1)\, s + r - n,\; 0\big)$ zeros in all, half of them
# before and, where $p$ is odd, the extra one *after* the image. (PyTorch's strided layers take a number of zeros and pad both sides alike: a classic source of small differences.)


# %% tags=["setup"]
def same_padding(x, reach, stride, value=0.0):
    """Pads x (batch, height, width, channels) as Keras's "same" does, for windows of `reach` pixels."""
    widths = [(0, 0)]
    for n in x.shape[1:3]:
        outputs = -(-n // stride)  # n / stride, rounded up
        total = max((outputs - 1) * stride + reach - n, 0)
        widths.append((total // 2, total - total // 2))
    return np.pad(x, [*widths, (0, 0)], constant_values=value)


def shifted_views(x, kernel_size, stride=1, dilation=1):
    """For each place (u, v) in the kernel: the pixels of x that it meets, (batch, rows, columns, channels)."""
    reach = dilation * (kernel_size - 1) + 1
    rows, columns = ((n - reach) // stride + 1 for n in x.shape[1:3])
    for u in range(kernel_size):
        for v in range(kernel_size):
            top, left = u * dilation, v * dilation
            bottom, right = top + (rows - 1) * stride + 1, left + (columns - 1) * stride + 1
            yield u, v, x[:, top:bottom:stride, left:right:stride]


# %% [markdown]
# With these helpers the layer is one line of the formula: for each place in the kernel, all pixels that it meets times its weights. The product `view @ w[u, v]`
# sums over the input channels for all filters at once.


# %% tags=["setup"]
def conv2d(x, w, b, stride=1, padding="valid", dilation=1):
    """A convolutional layer: (batch, rows, columns, filters).

    x: (batch, height, width, channels), w: (size, size, channels, filters), b: (filters,).
    """
    if padding == "same":
        x = same_padding(x, dilation * (len(w) - 1) + 1, stride)
    return b + sum(view @ w[u, v] for u, v, view in shifted_views(x, len(w), stride, dilation))


# %%
generator = np.random.default_rng(SEED)


def random_array(*shape):
    return generator.normal(size=shape).astype("float32")


differences = []
for size, stride, padding, dilation, shape in [
    (3, 1, "valid", 1, (2, 8, 9, 1)),
    (3, 1, "same", 1, (2, 8, 9, 3)),
    (5, 2, "same", 1, (3, 28, 27, 2)),
    (4, 3, "same", 1, (1, 12, 17, 2)),  # an odd padding
    (2, 2, "valid", 1, (2, 7, 7, 4)),
    (3, 1, "same", 2, (2, 11, 10, 3)),
    (3, 1, "valid", 3, (2, 15, 16, 2)),
]:
    layer = keras.layers.Conv2D(4, size, stride, padding, dilation_rate=dilation)
    layer.build(shape)
    weights = [random_array(*weight.shape) / 4 for weight in layer.get_weights()]
    layer.set_weights(weights)
    x = random_array(*shape)
    differences.append(np.abs(conv2d(x, *weights, stride, padding, dilation) - layer(x)).max())

# %% without_learning="arithmetic"
claim(
    "Our conv2d is keras.layers.Conv2D for seven mixtures of size, stride, padding, dilation and channels",
    len(differences) == 7 and bool(max(differences) < 1e-5),
    f"largest difference {max(differences):.1e}",
)

# %% [markdown]
# And the two formulas for the size of the output, asked for every combination of small numbers (Keras does not allow a stride together with a dilation, so one of the two is always 1):


# %% tags=["setup"]
def output_size(n, size, stride=1, padding="valid", dilation=1):
    """Pixels along one side after a convolution or a pooling of n pixels."""
    if padding == "same":
        return -(-n // stride)
    return (n - (dilation * (size - 1) + 1)) // stride + 1


# %% without_learning="arithmetic"
mistakes, combinations = 0, 0
for size in range(1, 6):
    for stride, dilation in [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]:
        for padding in ("valid", "same"):
            layer = keras.layers.Conv2D(1, size, stride, padding, dilation_rate=dilation)
            for n in range(13, 30, 3):
                keras_size = layer.compute_output_shape((1, n, n, 1))[1]
                mistakes += output_size(n, size, stride, padding, dilation) != keras_size
                combinations += 1
claim(
    "The formulas give the size of every output",
    mistakes == 0 and combinations == 300,
    f"{combinations} combinations, {mistakes} mistakes",
)

# %% [markdown]
# ## What it costs: parameters and multiplications
#
# A kernel of $k \times k$ weights with $c$ input channels has $k^2 c$ weights, and the layer has one kernel and one bias for each of its $f$ filters:
#
# $$\text{parameters} = (k^2 c + 1)\, f, \qquad \text{multiplications} = \text{rows} \cdot \text{columns} \cdot k^2 c \, f.$$
#
# The second formula counts, for every number of the output, the $k^2 c$ products in its sum. The image's size is in the second formula and not in the first: **the parameters are shared** by all places, the work
# is not. So a layer with few parameters can be a slow one. Keep that in mind for the end of the lesson.
#
# Do layers do what the formulas say? A convolution only adds and multiplies, so it is a dense layer with a special matrix. Show it images with a single white pixel, and each answer
# is one row of that matrix.


# %%
def as_matrix(layer, shape):
    """The matrix of a linear layer: (input numbers, output numbers). shape: (height, width, channels)."""
    single_pixels = np.eye(np.prod(shape), dtype="float32").reshape(-1, *shape)
    return layer(single_pixels).numpy().reshape(len(single_pixels), -1)


one_kernel = keras.layers.Conv2D(1, 3, use_bias=False)
one_kernel.build((None, 6, 6, 1))
one_kernel.set_weights([np.arange(1.0, 10).reshape(3, 3, 1, 1)])  # weights 1 to 9
matrix = as_matrix(one_kernel, (6, 6, 1))  # (36, 16)

# %% alt="A table of 36 rows, one for each pixel, and 16 columns, one for each output. Most of it is white. Slanting bands in nine greys run through it: the same nine weights in every column, one or more rows lower each time."
figure, axes = plt.subplots(figsize=(4.6, 5.4))
axes.imshow(matrix, vmin=0, vmax=9, aspect="auto")
axes.set(xlabel="output (4 × 4, row by row)", ylabel="pixel (6 × 6, row by row)")
axes.set_title("A convolution as the matrix of a dense layer")
plt.show()

# %% [markdown]
# Every column holds the same nine weights, shifted: **weight sharing**. All else is zero: **local connections**. A dense layer would have to learn each square of this table on its own. In
# such a matrix a multiplication by zero need not be done, so the squares that are not white count the multiplications, and the different greys count the parameters.

# %% without_learning="arithmetic"
counts = []
for size, stride, channels, filters, side in [(3, 1, 1, 1, 6), (3, 1, 2, 3, 6), (2, 2, 3, 4, 8)]:
    layer = keras.layers.Conv2D(filters, size, stride, use_bias=False)
    matrix = as_matrix(layer, (side, side, channels))
    outputs = output_size(side, size, stride) ** 2
    counted = int(np.count_nonzero(matrix)), len(np.unique(matrix[matrix != 0]))
    counts.append((counted, (outputs * size**2 * channels * filters, layer.count_params())))
    print(f"counted {counted}, formulas {counts[-1][1]}, dense layer {matrix.size} weights")
claim(
    "The formulas for multiplications and parameters count what is in the matrix",
    all(counted == formula for counted, formula in counts),
    ", ".join(f"{products} products of {weights} weights" for (products, weights), _ in counts),
)

# %% [markdown]
# ## How far a layer sees: the receptive field
#
# One number deep in a network depends on a patch of the image, its **receptive field**. How large is it? Go from the image to the output and keep two numbers:
# the field $r$, and the **jump** $j$, by how many image pixels two neighbours of the current map are apart. Before the first layer $r = 1$ and $j = 1$.
#
# A layer with kernel $k$ and dilation $d$ looks at $k$ neighbours, $d$ apart. From the first to the last of them it is $(k - 1)\, d$ steps on the current map, and each step is $j$ pixels of the image. So the field
# grows by that many pixels. A stride $s$ then puts the outputs $s$ times as far apart:
#
# $$r \leftarrow r + (k - 1)\, d \, j, \qquad j \leftarrow j \, s.$$
#
# By hand: two layers of 3 × 3 see $1 + 2 + 2 = 5$ pixels. If the first one has stride 2, they see $1 + 2 + 2 \cdot 2 = 7$.
#
# To measure it, ask the gradient: which pixels change the number in the middle of the last map? All weights are 1 here, so nothing cancels, and the gradient of a pixel
# counts in how many ways it reaches that number.


# %% tags=["setup"]
def receptive_field(stack):
    """Pixels along one side that an output depends on. stack: (kernel size, stride, dilation) of each layer."""
    field, jump = 1, 1
    for size, stride, dilation in stack:
        field += (size - 1) * dilation * jump
        jump *= stride
    return field


# %%
def paths_to_the_middle(stack, side=45):
    """The gradient of the middle of the last map, for every pixel: (side, side)."""
    image = x = tf.Variable(tf.zeros((1, side, side, 1)))
    with tf.GradientTape() as tape:
        for size, stride, dilation in stack:
            settings = {"dilation_rate": dilation, "kernel_initializer": "ones", "use_bias": False}
            x = keras.layers.Conv2D(1, size, stride, "valid", **settings)(x)
        middle = x[0, x.shape[1] // 2, x.shape[2] // 2, 0]
    return tape.gradient(middle, image).numpy()[0, :, :, 0]


def measured_field(paths):
    """How many rows of pixels reach the output at all."""
    return int(np.ptp(np.flatnonzero(paths.any(axis=1)))) + 1


# %%
STACKS = {
    "three of 3 × 3": [(3, 1, 1), (3, 1, 1), (3, 1, 1)],
    "the same, strides 2, 2, 1": [(3, 2, 1), (3, 2, 1), (3, 1, 1)],
    "the same, dilations 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    "5 × 5 with stride 2, three of 3 × 3": [(5, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)],
    "2 × 2 with stride 2, 4 × 4, 3 × 3 with stride 3": [(2, 2, 1), (4, 1, 1), (3, 3, 1)],
}
paths = {name: paths_to_the_middle(stack) for name, stack in STACKS.items()}
fields = {name: (measured_field(paths[name]), receptive_field(STACKS[name])) for name in STACKS}

# %% alt="Three square patches of an image that one output depends on: 7 by 7 pixels, 15 by 15 and 15 by 15. In the first the middle is dark and the corners are nearly white; the last two are the same, dark on a grid of points around a pale centre."
figure, grid = plt.subplots(1, 3, figsize=(6.6, 2.9), sharex=True, sharey=True)
for axes, name in zip(grid, list(STACKS)[:3], strict=True):
    half = paths[name].shape[0] / 2
    shown = paths[name] / paths[name].max()
    centre = np.mean(np.argwhere(paths[name]), axis=0)
    extent = (-centre[1] - 0.5, 44.5 - centre[1], 44.5 - centre[0], -centre[0] - 0.5)
    axes.imshow(shown, extent=extent)
    axes.set(title=name.replace(", ", ",\n", 1), xlim=(-9, 9), ylim=(9, -9))
    axes.set_xlabel(f"{fields[name][0]} × {fields[name][0]} pixels")
grid[0].set_ylabel("pixels from the centre")
plt.show()

# %% [markdown]
# Strides and dilations widen the view without more weights: all three stacks have 27. Look at the shades, too. In the first stack the centre reaches the output in many ways and a corner in one, so
# pixels at the rim of such a receptive field count for little (Luo and others, 2016). With strides or dilations the ways lie on a grid, and the centre itself has only one. And the last two pictures are the same: for *one* output, strides 2, 2 and dilations 1, 2, 4 add up the same pixels. They differ
# in how many outputs there are. The strided stack keeps every fourth in each direction and saves the work of the others. Remember it; you will see what is lost with them.

# %% without_learning="arithmetic"
three, strided_paths, dilated_paths = list(paths.values())[:3]
claim(
    "One output of the strided stack and one of the dilated stack depend on the same pixels, equally strongly",
    np.array_equal(strided_paths[strided_paths > 0], dilated_paths[dilated_paths > 0])
    and fields["the same, strides 2, 2, 1"] == fields["the same, dilations 1, 2, 4"],
    f"{np.sum(strided_paths > 0)} and {np.sum(dilated_paths > 0)} pixels, up to {strided_paths.max():.0f} and {dilated_paths.max():.0f} ways",
)
claim(
    "The receptive field measured with gradients is the formula's for five stacks",
    all(measured == formula for measured, formula in fields.values()),
    ", ".join(f"{name}: {measured}" for name, (measured, _) in fields.items()),
)
claim(
    "In a stack of three 3 × 3 layers the centre has at least 40 times as many ways to the output as a corner; with strides 2, 2, 1 the centre has one way, and other pixels up to nine",
    bool(three.max() >= 40 * three[three > 0].min())
    and strided_paths[strided_paths.any(axis=1)][7][strided_paths.any(axis=0)][7] == 1
    and strided_paths.max() == 9,
    f"{three.max():.0f} ways against {three[three > 0].min():.0f}; with strides up to {strided_paths.max():.0f}",
)

# %% [markdown]
# ## Pooling
#
# **Pooling** takes one number from each window and each channel, without any weights: the largest in **max pooling**, the mean in **average pooling**. Usually the window is 2 by 2 with stride 2, which leaves a quarter of the
# numbers. With `"same"` a window may reach over the border. What counts there? A zero would be wrong: it could be larger than all pixels, and would pull the mean towards zero. Keras leaves the border out. With NaN,
# "not a number", as padding, NumPy's `nanmax` and `nanmean` do the same.


# %% tags=["setup"]
def pool2d(x, summary, size, stride, padding="valid"):
    """Pooling: (batch, rows, columns, channels). summary: np.nanmax or np.nanmean."""
    if padding == "same":
        x = same_padding(x, size, stride, np.nan)
    windows = np.stack([view for _, _, view in shifted_views(x, size, stride)])
    return summary(windows, axis=0)


# %% without_learning="arithmetic"
POOLINGS = [
    (keras.layers.MaxPooling2D, np.nanmax),
    (keras.layers.AveragePooling2D, np.nanmean),
]
differences = []
for size, stride, padding, shape in [
    (2, 2, "valid", (2, 8, 9, 3)),
    (3, 2, "same", (2, 8, 9, 3)),
    (3, 1, "same", (1, 6, 7, 2)),
    (4, 3, "valid", (2, 13, 12, 1)),
]:
    x = random_array(*shape) - 1  # mostly negative: a zero from the padding would show
    for layer_class, summary in POOLINGS:
        ours = pool2d(x, summary, size, stride, padding)
        differences.append(np.abs(ours - layer_class(size, stride, padding)(x)).max())
claim(
    "Our pool2d is MaxPooling2D and AveragePooling2D, at borders too",
    len(differences) == 8 and bool(max(differences) < 1e-5),
    f"largest of 8 differences {max(differences):.1e}",
)

# %% [markdown]
# ## What a convolution does to a moved image
#
# Now the property that convolutions are used for. Move the image, and the feature map moves along: the layer is **equivariant** to shifts. In signs: $f(\text{moved } x) = \text{moved } f(x)$. It must be so, because every window gets the same kernel.
#
# At least almost. Before you run the next cells: when can it not be exactly true? There are two cases.


# %% tags=["setup"]
def moved(images, down, right):
    """Images (batch, height, width, channels) moved by whole pixels, zeros coming in at the border."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (abs(down),) * 2, (abs(right),) * 2, (0, 0)))
    top, left = abs(down) - down, abs(right) - right
    return padded[:, top : top + height, left : left + width]


(training_images, training_labels), validation, test = load_digits(seed=SEED)
MARGIN = 2  # with the 2 empty pixels around each digit: room to move by 4


def with_margin(images):
    """(n, 28, 28, 1) to (n, 32, 32, 1)."""
    return np.pad(images, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))


# %%
convolution = keras.layers.Conv2D(8, 5, padding="same", bias_initializer="normal")
strided = keras.layers.Conv2D(8, 5, strides=2, padding="same", bias_initializer="normal")
max_pooling = keras.layers.MaxPooling2D(2)
digits = with_margin(training_images[:20])  # (20, 32, 32, 1)
noise = random_array(20, 32, 32, 1)  # up to its border there is something to see


def broken(function, images, shift, shift_of_map, border):
    """The largest change of a map when the image moves first, relative to the map's size; border: left out."""
    early = np.asarray(function(moved(images, shift, shift)))
    late = moved(np.asarray(function(images)), shift_of_map, shift_of_map)
    inside = slice(border, early.shape[1] - border)
    return np.abs(early - late)[:, inside, inside].max() / np.abs(late).max()


REACH = 2  # a kernel of 5 looks 2 pixels to each side
rows = {
    "noise, away from the border": broken(convolution, noise, 3, 3, 3 + REACH),
    "noise, border included": broken(convolution, noise, 3, 3, 0),
    "stride 2, moved by 4": broken(strided, noise, 4, 2, 4),
    "stride 2, moved by 3": min(broken(strided, noise, 3, map_shift, 4) for map_shift in (1, 2)),
    "max pooling, moved by 4": broken(max_pooling, noise, 4, 2, 4),
    "max pooling, moved by 3": min(broken(max_pooling, noise, 3, by, 4) for by in (1, 2)),
}
for name, change in rows.items():
    print(f"{name:30s} {change:.7f}")

# %% without_learning="arithmetic"
exact = [rows[name] for name in rows if "away" in name or "by 4" in name]
inexact = [rows[name] for name in rows if "included" in name or "by 3" in name]
claim(
    "Away from the border a convolution moves with the image exactly; strides and pooling keep this only for "
    "shifts by whole strides",
    bool(max(exact) < 1e-5 and min(inexact) > 0.1),
    f"largest change {max(exact):.0e} where it is exact, {min(inexact):.2f} or more of the map where it is not",
)

# %% [markdown]
# **At the border** something is cut off or comes in, and the padding is not part of the image. **With a stride of 2** only every second window exists, and a shift by an odd number of pixels
# needs the others. So a network of strided layers is equivariant only for shifts by multiples of the product of its strides (Azulay and Weiss, 2019).
#
# Look at the edges of one digit, and of the same digit moved by 3 pixels to the right. For the difference the second map is moved back: by 3 places with stride 1, and by 1 with stride 2. (It should be by one and a half. There is no such place.)

# %% alt="Two rows of three pictures. Upper row, stride 1: the feature map of a digit, that of the moved digit, and their difference after moving the second back, which is empty. Lower row, stride 2: coarser maps, and a difference that shows the digit's outline."
one_digit = with_margin(test[0][:1])
left_edges = SOBEL.reshape(3, 3, 1, 1)
figure, grid = plt.subplots(2, 3, figsize=(6.2, 4.4))
for row, (stride, back) in zip(grid, [(1, 3), (2, 1)], strict=True):
    plain = conv2d(one_digit, left_edges, 0, stride, "same")
    late = conv2d(moved(one_digit, 0, 3), left_edges, 0, stride, "same")
    for axes, picture in zip(row, (plain, late, moved(late, 0, -back) - plain), strict=True):
        axes.imshow(picture[0, :, :, 0], cmap="gray", vmin=-4, vmax=4)
        axes.set(xticks=[], yticks=[])
    row[0].set_ylabel(f"stride {stride}")
titles = ("map of the digit", "of the moved digit", "difference")
for axes, title in zip(grid[0], titles, strict=True):
    axes.set_title(title)
plt.show()

# %% [markdown]
# Above nothing is left: the map has moved and that is all. Below the maps differ by more than a shift: an outline is left.
#
# Other changes of the image have no such promise. Turn the digit, and a random kernel gives another map, not a turned one. For a network, a turned digit is a new thing.

# %% without_learning="untrained"
turned_first = np.asarray(convolution(np.rot90(digits, axes=(1, 2))))
turned_late = np.rot90(np.asarray(convolution(digits)), axes=(1, 2))
change = np.abs(turned_first - turned_late).max() / np.abs(turned_late).max()
claim(
    "A convolution with random kernels is not equivariant to rotation",
    bool(change > 0.1),
    f"the turned digit's map differs by {change:.2f} of the map's size",
)

# %% [markdown]
# ## Batch normalization
#
# Lesson 2.4 used **batch normalization**; here it is written out for images. For each channel it takes the mean $\mu$ and the variance $v$ over *all examples and all pixels*, and returns
#
# $$\gamma \, \frac{x - \mu}{\sqrt{v + \epsilon}} + \beta,$$
#
# with a learned scale $\gamma$ and a learned shift $\beta$ for each channel. A channel is one kernel's answer, and the kernel is the same everywhere; so one mean for all places is right, and the layer stays equivariant. In prediction
# there may be a single image and no batch. Then the layer uses **moving averages** that it has gathered in training: after each batch,
#
# $$\text{average} \leftarrow m \cdot \text{average} + (1 - m) \cdot \text{batch value}, \qquad m = 0.99 \text{ unless you say otherwise.}$$


# %% tags=["setup"]
EPSILON = 1e-3  # Keras's default; it keeps a channel that never changes from dividing by zero


def normalize(x, mean, variance, gamma, beta):
    """x: (batch, height, width, channels), the rest: (channels,)."""
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def batch_normalization(x, gamma, beta, averages, training, momentum=0.99):
    """The layer's output, and its moving averages (mean, variance) afterwards, each (channels,)."""
    if not training:
        return normalize(x, *averages, gamma, beta), averages
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    averages = (
        momentum * averages[0] + (1 - momentum) * mean,
        momentum * averages[1] + (1 - momentum) * variance,
    )
    return normalize(x, mean, variance, gamma, beta), averages


# %% without_learning="arithmetic"
differences = []
for shape, momentum in [((16, 5, 4, 3), 0.99), ((4, 7, 7, 2), 0.9), ((32, 1, 1, 6), 0.5)]:
    layer = keras.layers.BatchNormalization(momentum=momentum)
    layer.build(shape)
    gamma, beta = random_array(shape[-1]), random_array(shape[-1])
    averages = (np.zeros(shape[-1]), np.ones(shape[-1]))
    layer.set_weights([gamma, beta, *averages])
    for training in (True, True, False, True, False):
        x = 2 * random_array(*shape) + 3
        ours, averages = batch_normalization(x, gamma, beta, averages, training, momentum)
        differences.append(np.abs(ours - layer(x, training=training)).max())
        differences += [
            np.abs(mine - keras_value).max()
            for mine, keras_value in zip(averages, layer.get_weights()[2:], strict=True)
        ]
claim(
    "Our batch normalization is Keras's: outputs and moving averages, in training and in prediction",
    len(differences) == 45 and bool(max(differences) < 1e-5),
    f"largest of {len(differences)} differences {max(differences):.1e}",
)

# %% [markdown]
# The momentum hides a trap. The averages start at mean 0 and variance 1. How far have they come after 40 steps, if every batch has the mean 3?

# %% without_learning="arithmetic"
came_how_far = {}
for momentum in (0.99, 0.9):
    layer = keras.layers.BatchNormalization(momentum=momentum)
    for _ in range(40):
        layer(np.full((8, 2, 2, 1), 3.0, "float32"), training=True)
    came_how_far[momentum] = float(layer.moving_mean.numpy()[0]) / 3
claim(
    "After 40 steps the default momentum of 0.99 has covered less than half of the way, and 0.9 nearly all",
    came_how_far[0.99] < 0.5 and came_how_far[0.9] > 0.95,
    f"{came_how_far[0.99]:.2f} and {came_how_far[0.9]:.2f} of the way",
)

# %% [markdown]
# So a network that trained for a few hundred steps may be good in training and bad in prediction, for no other reason than its averages. With few steps take `momentum=0.9`, as this lesson does.
#
# In prediction batch normalization right behind a convolution is free. It multiplies each channel by a fixed number and adds another, and both can be put into the convolution before it:
# $w' = w \, \gamma / \sqrt{v + \epsilon}$ and $b' = (b - \mu)\, \gamma / \sqrt{v + \epsilon} + \beta$.

# %% without_learning="arithmetic"
shape = (2, 9, 9, 3)
convolution = keras.layers.Conv2D(6, 3, bias_initializer="normal")
convolution.build(shape)
mean, gamma, beta = (random_array(6) for _ in range(3))
variance = np.square(random_array(6)) + 0.1
x, (w, b) = random_array(*shape), convolution.get_weights()

scale = gamma / np.sqrt(variance + EPSILON)
folded = conv2d(x, w * scale, (b - mean) * scale + beta)
one_after_the_other = normalize(np.asarray(convolution(x)), mean, variance, gamma, beta)
claim(
    "A convolution with batch normalization is, in prediction, a convolution with other weights",
    np.allclose(folded, one_after_the_other, atol=1e-4) and not np.allclose(folded, convolution(x)),
    f"largest difference {np.abs(folded - one_after_the_other).max():.1e}",
)

# %% [markdown]
# ## The way back: transposed convolution
#
# Networks that draw images (chapter 5) or label every pixel (lesson 3.3) must make small maps large. A **transposed convolution** turns the window around: it does not gather a window into one number, but spreads one number over a
# window. Each number of the input is multiplied by the whole kernel and laid into the output, $s$ pixels farther for each step; where the copies overlap they add up. The last copy starts at
# $(n - 1)\, s$ and has $k$ pixels, so the output has $(n - 1)\, s + k$ where $k \ge s$. (`"same"` cuts it to $n s$.)


# %% tags=["setup"]
def conv2d_transpose(x, w, b, stride=1, padding="valid"):
    """A transposed convolution: (batch, rows, columns, filters).

    x: (batch, height, width, channels), w: (size, size, filters, channels), b: (filters,).
    """
    batch, height, width, _ = x.shape
    size, filters = w.shape[0], w.shape[2]
    rows, columns = ((n - 1) * stride + max(size, stride) for n in (height, width))
    output = np.zeros((batch, rows, columns, filters))
    for u, v, view in shifted_views(output, size, stride):  # the views share the output's memory
        view += x @ w[u, v].T
    if padding == "same":
        cut = max(size - stride, 0) // 2
        output = output[:, cut : cut + height * stride, cut : cut + width * stride]
    return output + b


# %% without_learning="arithmetic"
differences = []
for size, stride, padding, shape in [
    (3, 1, "valid", (2, 5, 6, 2)),
    (3, 2, "valid", (2, 5, 6, 2)),
    (4, 2, "same", (1, 7, 7, 3)),
    (3, 2, "same", (2, 4, 5, 1)),
    (5, 3, "same", (2, 4, 5, 2)),
]:
    layer = keras.layers.Conv2DTranspose(4, size, stride, padding, bias_initializer="normal")
    layer.build(shape)
    x = random_array(*shape)
    ours = conv2d_transpose(x, *layer.get_weights(), stride, padding)
    differences.append(np.abs(ours - layer(x)).max())
claim(
    "Our conv2d_transpose is keras.layers.Conv2DTranspose for five mixtures of size, stride and padding",
    len(differences) == 5 and bool(max(differences) < 1e-5),
    f"largest difference {max(differences):.1e}",
)

# %% [markdown]
# Why "transposed"? A convolution is a matrix, as you saw. The layer that goes back with the same kernel has the transposed matrix. (It is not the inverse: it restores the size, not the image. But it is what
# back-propagation applies to the gradient of a convolution.)

# %% without_learning="arithmetic"
forward = keras.layers.Conv2D(3, 3, strides=2, use_bias=False)
backward = keras.layers.Conv2DTranspose(2, 3, strides=2, use_bias=False)
forward_matrix = as_matrix(forward, (7, 7, 2))  # (98, 27)
backward.build((None, 3, 3, 3))
backward.set_weights(forward.get_weights())
backward_matrix = as_matrix(backward, (3, 3, 3))  # (27, 98)
difference = np.abs(forward_matrix.T - backward_matrix).max()
claim(
    "The matrix of a transposed convolution is the transposed matrix of the convolution",
    forward_matrix.shape == (98, 27)
    and bool(difference < 1e-6)
    and np.abs(forward_matrix).max() > 0.1,
    f"{forward_matrix.shape} and {backward_matrix.shape}, largest difference {difference:.0e}",
)

# %% [markdown]
# One more property, because you will meet it in pictures drawn by networks. Spread an even grey with a kernel of ones, at stride 2. How many copies overlap in each pixel?

# %% tags=["nbval-check-output"]
even_grey = np.ones((1, 6, 6, 1))
for size in (3, 4):
    spread = conv2d_transpose(even_grey, np.ones((size, size, 1, 1)), 0, stride=2)
    print(f"kernel {size}:", spread[0, 5, 3:-3, 0])

# %% [markdown]
# With a kernel of 3 the copies overlap on every second pixel: a **checkerboard** (Odena and others, 2016). With a kernel size that the stride divides, such as 4, the sum is even.

# %% [markdown]
# ## A kernel learns to be an edge filter
#
# Sobel chose his numbers by thinking. Can a layer find them from examples? Give a `Conv2D` with one random kernel the grey photograph as input and the photograph's Sobel edges as target, cut into 16 tiles. The loss is the mean
# squared error. Nine weights are unknown, and the layer is told nothing about edges.

# %%
STEPS, TILES_A_STEP = 600, 8


def tiles(image, rows=4, columns=4):
    """Cuts an image (height, width) into (rows · columns, height / rows, width / columns, 1)."""
    strips = image.reshape(rows, image.shape[0] // rows, columns, image.shape[1] // columns)
    return strips.swapaxes(1, 2).reshape(-1, *strips.shape[1::2], 1)


photo_tiles = tiles(GREY - GREY.mean())  # (16, 44, 38, 1)
sobel_tiles = conv2d(photo_tiles, SOBEL.reshape(3, 3, 1, 1), 0)  # (16, 42, 36, 1)

learner = keras.Sequential(
    [keras.Input((None, None, 1)), keras.layers.Conv2D(1, 3, use_bias=False)]
)
falling_rate = keras.optimizers.schedules.CosineDecay(0.15, STEPS)
learner.compile(keras.optimizers.Adam(falling_rate), "mean_squared_error")

# %%
order = generator.integers(len(photo_tiles), size=STEPS * TILES_A_STEP)
learned = {0: learner.get_weights()[0][:, :, 0, 0]}
for start, stop in [(0, 30), (30, 150), (150, STEPS)]:
    part = order[start * TILES_A_STEP : stop * TILES_A_STEP]
    _ = learner.fit(photo_tiles[part], sobel_tiles[part], batch_size=TILES_A_STEP, verbose=0)
    learned[stop] = learner.get_weights()[0][:, :, 0, 0]

# %% alt="Four tables of three by three weights, at the start and after 30, 150 and 600 steps. At the start they are random; in the end they are minus 1, 0, 1; minus 2, 0, 2; minus 1, 0, 1, the kernel of Sobel."
figure, grid = plt.subplots(1, 4, figsize=(6.6, 2.2))
for axes, (step, kernel) in zip(grid, learned.items(), strict=True):
    axes.imshow(kernel, cmap="gray", vmin=-2.5, vmax=2.5)
    for (i, j), weight in np.ndenumerate(kernel):
        colour = "black" if weight > -0.8 else "white"
        axes.text(j, i, f"{round(weight, 1) + 0.0:.1f}", ha="center", va="center", color=colour)
    axes.set(xticks=[], yticks=[], title=f"step {step}")
plt.show()

# %% [markdown]
# First the kernel finds the direction, then the middle row's double weight. It has become Sobel's. Does it also work on something it has never seen? Ask it about the flower.

# %%
flower_grey = FLOWER.mean(axis=-1)[np.newaxis, :, :, np.newaxis]
flower_edges = conv2d(flower_grey, SOBEL.reshape(3, 3, 1, 1), 0)
error = {
    step: np.abs(conv2d(flower_grey, kernel[:, :, np.newaxis, np.newaxis], 0) - flower_edges).mean()
    for step, kernel in learned.items()
}
claim(
    "From one photograph and its edges a random kernel becomes Sobel's, and finds the edges of another photograph",
    bool(np.abs(learned[STEPS] - SOBEL).max() < 0.15)
    and bool(np.abs(learned[0] - SOBEL).max() > 0.5)
    and bool(error[STEPS] < 0.02 * error[0]),
    f"largest difference from Sobel {np.abs(learned[0] - SOBEL).max():.2f} at the start, "
    f"{np.abs(learned[STEPS] - SOBEL).max():.4f} in the end; mean error on the flower "
    f"{error[0]:.3f} and {error[STEPS]:.5f}",
)

# %% [markdown]
# ## A small fast network
#
# Keras's well-known example for MNIST is a good network and a slow one. Read it, and guess: which of its layers does most of the work?


# %% tags=["setup"]
def keras_example():
    """The convolutional network of Keras's MNIST example."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),  # (26, 26, 32)
            keras.layers.MaxPooling2D(),  # (13, 13, 32)
            keras.layers.Conv2D(64, 3, activation="relu"),  # (11, 11, 64)
            keras.layers.MaxPooling2D(),  # (5, 5, 64)
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["setup"]
def multiplications(network):
    """How often each layer with weights multiplies for one image: {layer's name: count}."""
    counts = {}
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            products = np.prod(layer.kernel.shape[:-1])  # for one number of the output
        elif isinstance(layer, keras.layers.DepthwiseConv2D):  # you meet it in exercise 4
            products = np.prod(layer.kernel.shape[:2])
        else:
            continue
        counts[layer.name] = int(np.prod(layer.output.shape[1:]) * products)
    return counts


# %%
example = keras_example()
example_counts = multiplications(example)
for layer in example.layers:
    if layer.name in example_counts:
        print(
            f"{layer.count_params():8,} parameters {example_counts[layer.name]:10,} multiplications"
        )

# %% [markdown]
# Is our count right? TensorFlow has a counter of its own, which counts each multiplication and each addition of a sum, so about twice as much.


# %%
tf.get_logger().setLevel("ERROR")  # the profiler would warn that it is old


def tensorflow_count(network):
    """Multiplications of the convolutions and dense layers for one image, by TensorFlow's profiler."""
    one_image = tf.TensorSpec((1, *network.input_shape[1:]))
    graph = tf.function(lambda x: network(x, training=False)).get_concrete_function(one_image).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    found = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    operations = {}
    while found.children:
        found = found.children[0]
        operations[found.name] = found.float_ops
    return (operations["Conv2D"] + operations["MatMul"]) // 2


# %% without_learning="arithmetic"
second = list(example_counts.values())[1]
second_share = second / sum(example_counts.values())
claim(
    "More than nine tenths of the example's multiplications are in its second convolution, and TensorFlow counts the same number in all",
    second_share > 0.9 and tensorflow_count(example) == sum(example_counts.values()),
    f"{second:,} of {sum(example_counts.values()):,}",
)

# %% [markdown]
# The second convolution works at nearly full width: 64 filters over 32 channels on 11 × 11 places. The remedy is to make the map small *before* it gets many channels. The next network does so, with five habits at once:
#
# - **Stride 2 in the first layer**, with a kernel of 5, so that neighbouring windows overlap. There are less than a quarter of the places, and the image has only one channel, so the larger kernel costs little.
# - **Pooling at once**: the second convolution works on 6 × 6 places. It has three quarters of the weights of the example's second convolution, and less than a quarter of its work.
# - **Pooling before the activation.** The largest of four numbers stays the largest under ReLU, which never falls. So the order does not change the result, and what follows the pooling has a quarter of the work.
# - **Batch normalization**: behind it the size of the weights does not matter (lesson 2.4). It is there so that large steps do less harm.
# - A **one-cycle schedule** (Smith and Topin, 2017): the learning rate rises in a straight line to a large peak, and falls to zero. (This one is a triangle with its peak after a quarter of the steps.)


# %% tags=["setup"]
def fast_network():
    """A network that shrinks the image before it widens the channels."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(24, 5, strides=2, use_bias=False),  # (12, 12, 24)
            keras.layers.MaxPooling2D(),  # (6, 6, 24)
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Conv2D(64, 3, padding="same", use_bias=False),
            keras.layers.MaxPooling2D(),  # (3, 3, 64)
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["setup"]
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a straight line from 0 to the peak, and falls to 0. rise: the share of the steps that it rises."""

    def __init__(self, peak, steps, rise=0.25):
        self.peak, self.steps, self.rise = peak, steps, rise

    def __call__(self, step):
        done = keras.ops.cast(step, "float32") / self.steps
        return self.peak * keras.ops.minimum(done / self.rise, (1 - done) / (1 - self.rise))


# %% without_learning="arithmetic"
x = random_array(4, 8, 8, 3)
pool, mean, relu = (
    keras.layers.MaxPooling2D(2),
    keras.layers.AveragePooling2D(2),
    keras.layers.ReLU(),
)
claim(
    "Max pooling and ReLU may change places, and average pooling and ReLU may not",
    np.array_equal(pool(relu(x)), relu(pool(x))) and not np.allclose(mean(relu(x)), relu(mean(x))),
    "equal to the last bit with max pooling, with average pooling different by up to "
    f"{np.abs(mean(relu(x)) - relu(mean(x))).max():.2f}",
)

# %% without_learning="arithmetic"
fast = fast_network()
fast_counts = multiplications(fast)
for network, counts in [(example, example_counts), (fast, fast_counts)]:
    print(f"{network.count_params():7,} parameters, multiplications: ", end="")
    print(" + ".join(f"{count:,}" for count in counts.values()), f"= {sum(counts.values()):,}")
claim(
    "The fast network multiplies less than half as often as the example, and TensorFlow counts the same number",
    sum(fast_counts.values()) < 0.5 * sum(example_counts.values())
    and tensorflow_count(fast) == sum(fast_counts.values()),
    f"{sum(fast_counts.values()) / sum(example_counts.values()):.2f} of the example's multiplications for each image",
)

# %% [markdown]
# Fewer multiplications for one image, and it also needs to see fewer images. Both train on the small digits, each in its own way: the example as published, with Adam's default rate and batches of 128; the fast one with batches
# of 64 and the one-cycle schedule. So two recipes race: network, batch and schedule together. Each trains `RUNS` times, from other weights; making its graph is not part of the measured seconds.

# %% tags=["setup"]
RUNS = 3


def accuracy(network, images, labels):
    return float(np.mean(np.argmax(network(images, training=False), axis=1) == labels))


def epochs_in_one(images, labels, epochs, seed):
    """All epochs one after the other, each in a new order: images and labels."""
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(len(images)) for _ in range(epochs)])
    return images[order], labels[order]


# %% [markdown]
# The training is the loop of lesson 2.3, with all its steps inside one `tf.function`. (`fit` does the same and takes longer between the steps, so that a small network would look slower than it is.)


# %% tags=["setup"]
def training_program(network, optimizer, batch):
    """A function of images and labels that trains the network on them, once, in order, in whole batches."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(network.trainable_variables)
    signature = [tf.TensorSpec(network.input_shape), tf.TensorSpec((None,), "int64")]

    @tf.function(input_signature=signature)
    def training(images, labels):
        for first in tf.range(0, len(labels) - batch + 1, batch):
            part = slice(first, first + batch)
            with tf.GradientTape() as tape:
                loss = loss_of(labels[part], network(images[part], training=True))
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply(gradients, network.trainable_variables)

    return training


# %% tags=["setup"]
def trainer(build, rate, batch):
    """A network, and a function (images, labels, seed) that trains it from new weights and returns the seconds."""
    network, optimizer = build(), keras.optimizers.Adam(rate)
    training = training_program(network, optimizer, batch)
    optimizer_start = [variable.numpy() for variable in optimizer.variables]
    shape = (batch, *network.input_shape[1:])
    training(np.zeros(shape, "float32"), np.zeros(batch, "int64"))  # a first step: makes the graph

    def train_afresh(images, labels, seed):
        keras.utils.set_random_seed(seed)
        network.set_weights(build().get_weights())
        for variable, value in zip(optimizer.variables, optimizer_start, strict=True):
            variable.assign(value)
        start = time.perf_counter()
        training(images, labels)
        network.get_weights()  # waits until a GPU, too, has them ready
        return time.perf_counter() - start

    return network, train_afresh


# %%
RECIPES = {  # name: (network, epochs, batch, learning rate for a number of steps)
    "example": (keras_example, 12, 128, lambda steps: 0.001),
    "fast": (fast_network, 3, 64, lambda steps: OneCycle(0.03, steps)),
}
scores, seconds, images_seen = {}, {}, {}
for name, (build, epochs, batch, rate) in RECIPES.items():
    steps = epochs * len(training_images) // batch
    images_seen[name] = steps * batch
    network, train_afresh = trainer(build, rate(steps), batch)
    scores[name], seconds[name] = [], []
    for run in range(RUNS):
        stream = epochs_in_one(training_images, training_labels, epochs, SEED + run)
        seconds[name].append(train_afresh(*stream, SEED + run))
        scores[name].append(accuracy(network, *test))

# %%
nearest = sklearn.neighbors.KNeighborsClassifier(1)
nearest.fit(training_images.reshape(-1, 784), training_labels)
nearest_score = nearest.score(test[0].reshape(-1, 784), test[1])
constant_score = np.mean(test[1] == np.bincount(training_labels).argmax())
print(f"constant answer   {constant_score:6.1%}\nnearest neighbour {nearest_score:6.1%}")
for name in RECIPES:
    print(
        f"{name:17s} {np.mean(scores[name]):6.1%} ± {np.std(scores[name], ddof=1):.1%}, "
        f"{images_seen[name]:,} images seen"
    )

# %% [markdown]
# The two savings multiply: fewer products for an image, fewer images until it can read. Count the multiplications of a whole training. (Only those of the way forward; the way back takes about twice as many, in either network.)

# %% tags=["headline"]
mean_scores = {name: np.mean(values) for name, values in scores.items()}
one_image = {"example": sum(example_counts.values()), "fast": sum(fast_counts.values())}
work = {name: images_seen[name] * one_image[name] for name in RECIPES}
claim(
    "The fast network reads more than 19 in 20 test digits, within one percentage point of Keras's example, or better, after less than a tenth of its multiplications",
    bool(mean_scores["fast"] > max(0.95, mean_scores["example"] - 0.01))
    and work["fast"] < 0.1 * work["example"],
    f"fast {mean_scores['fast']:.1%} after {work['fast'] / 1e9:.1f} billion, example {mean_scores['example']:.1%} after "
    f"{work['example'] / 1e9:.1f} billion, means of {RUNS} runs; nearest neighbour {nearest_score:.1%}",
)

# %% [markdown]
# On so few and so small digits the nearest neighbour is hard to beat, as in lesson 1.1; what the networks buy is that they need not keep the training images. The comparison that counts is between the networks, and it holds at full size too: `tests/benchmarks/mnist_time_to_accuracy.py` in the
# course's repository trains both on full-size MNIST and measures the time that each needs to the same accuracy.
#
# The count is the same on every machine. What it means in seconds, your machine decides:

# %% tags=["measures-time"] without_learning="untrained"
middle_seconds = {name: np.median(values) for name, values in seconds.items()}
claim(
    "The fast network trains in less than three quarters of the time of Keras's example",
    bool(middle_seconds["fast"] < 0.75 * middle_seconds["example"]),
    f"fast {middle_seconds['fast']:.2f} s, example {middle_seconds['example']:.2f} s, medians of {RUNS} runs",
)

# %% [markdown]
# Seconds are not only products. Reading and writing large maps takes time too, and small maps save that as well. And each step has a fixed price (lesson 1.3). On a GPU, which is quick at products, that price may be most of what you measure.

# %% [markdown]
# ## Moved digits
#
# Back to the question. Four networks learn digits in the middle of a frame of 32 × 32 pixels, and then read test digits that are moved down, right, up or left by up to 4 pixels. Nothing of a digit is cut off.
#
# 1. A **dense** network.
# 2. Three convolutions, with max pooling after the first, then **flatten**: every place of the last map has weights of its own in the dense layer at the end.
# 3. The same with **global pooling** in place of flatten: `GlobalAveragePooling2D` keeps of each channel the mean over all places.
# 4. The same as 3 with a **stride** of 2 in the first convolution in place of the max pooling.
#
# Networks 2 and 3 differ in nothing but the head, networks 3 and 4 in nothing but how they halve the map. Write your prediction down: which of them keep their accuracy?


# %% tags=["setup"]
FILTERS = (8, 16, 24)


def dense_reader():
    """A network from images (32, 32, 1) to ten scores, as the next ones."""
    image = keras.Input((32, 32, 1))
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(image))
    return keras.Model(image, keras.layers.Dense(10)(x))


def convolutional_reader(head, stride):
    """Three convolutions with batch normalization and ReLU; the map is halved by a stride or by max pooling."""
    image = keras.Input((32, 32, 1))
    x = keras.layers.Conv2D(FILTERS[0], 5, stride, padding="same", use_bias=False)(image)
    if stride == 1:
        x = keras.layers.MaxPooling2D()(x)  # (16, 16, 8), as with stride 2
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    for filters in FILTERS[1:]:
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(image, keras.layers.Dense(10)(head(x)))


# %% tags=["setup"]
def flat_reader():
    return convolutional_reader(keras.layers.Flatten(), stride=1)


def pooled_reader():
    return convolutional_reader(keras.layers.GlobalAveragePooling2D(), stride=1)


def strided_reader():
    return convolutional_reader(keras.layers.GlobalAveragePooling2D(), stride=2)


# %% tags=["setup"]
MOST_PIXELS = 4


def moved_by(images, pixels):
    """Each image moved by this many pixels in one direction: the first down, the next right, up, left, down ..."""
    directions = [(pixels, 0), (0, pixels), (-pixels, 0), (0, -pixels)]
    result = np.empty_like(images)
    for first, direction in enumerate(directions):
        result[first::4] = moved(images[first::4], *direction)
    return result


def moved_at_random(images, random):
    """Each image moved by lot, by up to 4 pixels down or up and right or left."""
    padded = np.pad(images, ((0, 0), (MOST_PIXELS,) * 2, (MOST_PIXELS,) * 2, (0, 0)))
    corners = random.integers(2 * MOST_PIXELS + 1, size=(len(images), 2))
    return np.stack(
        [
            image[top : top + 32, left : left + 32]
            for image, (top, left) in zip(padded, corners, strict=True)
        ]
    )


# %% [markdown]
# Networks 1 to 3 also learn from *moved* digits: each image by up to 4 pixels down or up and right or left, by lot, anew in every epoch. All train with the one-cycle schedule.

# %%
EPOCHS, BATCH = 5, 32
READERS = {  # name: (network, how it learns, peak of the learning rate)
    "dense": (dense_reader, ("centred", "moved"), 0.005),
    "flatten": (flat_reader, ("centred", "moved"), 0.02),
    "global pooling": (pooled_reader, ("moved", "centred"), 0.02),
    "global pooling, stride 2": (strided_reader, ("centred",), 0.02),
}
framed_training = with_margin(training_images)
framed_test = [moved_by(with_margin(test[0]), pixels) for pixels in range(MOST_PIXELS + 1)]
steps = EPOCHS * len(framed_training) // BATCH


def curve_of_run(network, train_afresh, way, run):
    """Trains from new weights and returns accuracy on test digits moved by 0, 1, 2, 3 and 4 pixels."""
    images, labels = epochs_in_one(framed_training, training_labels, EPOCHS, SEED + run)
    if way == "moved":
        images = moved_at_random(images, np.random.default_rng(SEED + run))
    train_afresh(images, labels, SEED + run)
    return [accuracy(network, part, test[1]) for part in framed_test]


# %%
curves, readers = {}, {}  # curves: {(name, how it learned): (RUNS, 5)}
for name, (build, ways, peak) in READERS.items():
    network, train_afresh = trainer(build, OneCycle(peak, steps), BATCH)
    for way in ways:
        runs = [curve_of_run(network, train_afresh, way, run) for run in range(RUNS)]
        curves[name, way] = np.array(runs)
    readers[name] = network
nearest.fit(framed_training.reshape(-1, 1024), training_labels)
neighbour_curve = [nearest.score(part.reshape(-1, 1024), test[1]) for part in framed_test]
curves["nearest neighbour", "centred"] = np.array([neighbour_curve])

# %%
print("right, by pixels moved:".ljust(34) + "".join(f"{pixels:7d}" for pixels in range(5)))
for (name, way), values in curves.items():
    print(f"{name + ', ' + way:34s}" + "".join(f"{value:7.1%}" for value in values.mean(axis=0)))

# %% alt="Accuracy against the number of pixels that the test digits are moved. Of the networks that learned centred digits, dense and flatten fall steeply; global pooling stays level; global pooling with stride 2 is a saw: high at 0, 2 and 4 pixels, low at 1 and 3. Of those that learned moved digits, flatten and global pooling are level at the top, dense lies below them."
STYLES = {  # key: (colour, marker, label, where the label stands)
    ("dense", "centred"): ("red", "o", "dense", (2.75, 0.45)),
    ("flatten", "centred"): ("orange", "s", "flatten", (3.6, 0.58)),
    ("global pooling", "centred"): ("blue", "D", "global pooling", (3.2, 1.03)),
    ("global pooling, stride 2", "centred"): (
        "purple",
        "^",
        "global pooling,\nstride 2",
        (0.8, 0.42),
    ),
    ("dense", "moved"): ("red", "o", "dense", (2, 0.8)),
    ("flatten", "moved"): ("orange", "s", "flatten", (0.7, 1.03)),
    ("global pooling", "moved"): ("blue", "D", "global pooling", (3.2, 1.03)),
}
figure, panels = plt.subplots(1, 2, figsize=(7, 3.9), sharey=True)
for (name, way), (colour, marker, label, place) in STYLES.items():
    axes, values = panels[int(way == "moved")], curves[name, way]
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    axes.errorbar(range(5), mean, spread, color=COLOURS[colour], marker=marker, capsize=3)
    axes.annotate(label, place, color=COLOURS[colour], ha="center", va="center")
for axes, title in zip(panels, ("learned centred digits", "learned moved digits"), strict=True):
    axes.set(title=title, xlabel="test digits moved by (pixels)", xticks=range(5), ylim=(0, 1.08))
panels[0].set_ylabel("accuracy")
plt.show()

# %% [markdown]
# - **Flatten falls as the dense network does.** Its maps move along with the digit, and the dense layer at the end has learned its weights place by place. Convolutions alone make no network that reads moved digits.
# - **Global pooling stays.** A mean over all places does not ask where. The network never saw a moved digit and reads them nearly as well.
# - **With a stride it is a saw.** Moved by 2 or 4 pixels the digit meets the same windows again; moved by 1 or 3 it meets only windows that the network never saw in training. Max pooling computes all windows and keeps
#   the largest of each four: something changes there too, as you measured, and a shallow saw is left, but much less that matters. (Zhang, 2019, smooths the map before each stride, for the same reason.)
# - **Learning from moved digits** mends flatten, and the dense network only in part: it must learn every stroke at every place on its own. With global pooling the saw is gone: in training the network has
#   met the digits in every position relative to the pooling windows.

# %%
lost = {key: values[:, 0] - values[:, -1] for key, values in curves.items()}
even = curves["global pooling, stride 2", "centred"].mean(axis=0)[[0, 2, 4]]
odd = curves["global pooling, stride 2", "centred"].mean(axis=0)[[1, 3]]
odd_with_pooling = curves["global pooling", "centred"][:, [1, 3]].mean()
claim(
    "Trained on centred digits, dense network and flattened convolutions lose more than a quarter of all digits at 4 pixels in every run; global pooling after max pooling loses less than a tenth at any shift, on average over the runs",
    bool(min(lost["dense", "centred"].min(), lost["flatten", "centred"].min()) > 0.25)
    and bool(np.ptp(curves["global pooling", "centred"].mean(axis=0)) < 0.1),
    "lost at 4 pixels: "
    + ", ".join(
        f"{name} {values.mean():.1%}" for (name, way), values in lost.items() if way == "centred"
    ),
)
claim(
    "With stride 2 the same network is better at every even shift than at any odd one, and at odd shifts worse than with max pooling, on average over the runs",
    bool(even.min() > odd.max() + 0.03) and bool(odd.mean() < odd_with_pooling - 0.03),
    f"moved by 0, 2, 4 pixels {even.mean():.1%}, by 1 or 3 {odd.mean():.1%}, with max pooling {odd_with_pooling:.1%}",
)
pooled = curves["global pooling", "moved"].mean(axis=0)  # (5,)
moved_means = {name: curves[name, "moved"].mean(axis=1) for name in ("dense", "flatten")}
claim(
    "Trained on moved digits the flattened convolutions keep their accuracy and beat the dense network in every run, and with global pooling odd shifts are as good as even ones, to two percentage points, on average",
    bool(lost["flatten", "moved"].max() < 0.1)
    and bool(moved_means["flatten"].min() > moved_means["dense"].max() + 0.01)
    and bool(abs(pooled[[1, 3]].mean() - pooled[[0, 2, 4]].mean()) < 0.02),
    f"mean over all shifts: flatten {moved_means['flatten'].mean():.1%}, dense {moved_means['dense'].mean():.1%}; "
    f"global pooling {pooled[[0, 2, 4]].mean():.1%} at even shifts, {pooled[[1, 3]].mean():.1%} at odd ones",
)

# %% [markdown]
# The nearest neighbour, in the table, is no help here: pixel by pixel, a moved digit is far from all that it has stored.

# %% [markdown]
# ## What the network looks at
#
# Take the network with max pooling and global pooling, and look inside: eight of its first kernels, and what each of them makes of a digit.

# %%
looker = readers["global pooling"]
convolutions = [layer for layer in looker.layers if isinstance(layer, keras.layers.Conv2D)]
relus = [layer for layer in looker.layers if isinstance(layer, keras.layers.ReLU)]
see_first_maps = keras.Model(looker.input, relus[0].output)
see_last_maps = keras.Model(looker.input, [relus[-1].output, looker.output])

framed_images = np.concatenate([with_margin(validation[0]), framed_test[0]])  # (599, 32, 32, 1)
true_labels = np.concatenate([validation[1], test[1]])
scores_of_all = looker(framed_images, training=False).numpy()  # (599, 10)
answers = scores_of_all.argmax(axis=1)
is_right = answers == true_labels

# %% alt="Upper row: eight learned kernels of 5 by 5 weights, rough, some of them light on one side and dark on the other. Lower row: the feature maps of one digit; some show its left edges, some its lower edges, some its inside."
kernels = convolutions[0].kernel.numpy()[:, :, 0]  # (5, 5, filters)
first_maps = see_first_maps(framed_images[:1]).numpy()[0]  # (height, width, filters)
figure, grid = plt.subplots(2, 8, figsize=(6.8, 2.2))
for column, (upper, lower) in enumerate(grid.T):
    most = np.abs(kernels[..., column]).max()
    upper.imshow(kernels[..., column], cmap="gray", vmin=-most, vmax=most)
    lower.imshow(first_maps[..., column])
    for axes in (upper, lower):
        axes.set(xticks=[], yticks=[])
grid[0, 0].set_ylabel("kernel")
grid[1, 0].set_ylabel("map")
plt.show()

# %% [markdown]
# Nobody told the network what an edge is. In the kernels light means a positive weight and dark a negative one; in the maps dark means a large number. The kernels are still rough after so short a training. Yet some are light on one side and dark on the other, as Sobel's, and their maps show one side of the strokes. In a fresh kernel the weights are drawn by lot and neighbours have
# nothing in common; learned kernels are smoother.


# %%
def neighbour_likeness(kernels):
    """Correlation between weights and their neighbours to the right and below, over all kernels (5, 5, filters)."""
    pairs = [(kernels[:, :-1], kernels[:, 1:]), (kernels[:-1], kernels[1:])]
    first, second = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    return float(np.corrcoef(first, second)[0, 1])


fresh = np.mean(
    [neighbour_likeness(pooled_reader().layers[1].kernel.numpy()[:, :, 0]) for _ in range(5)]
)
learned_likeness = neighbour_likeness(kernels)
claim(
    "In the learned kernels neighbouring weights are alike, in fresh ones they are not",
    learned_likeness > 0.15 and abs(fresh) < 0.15,
    f"correlation of neighbours {learned_likeness:.2f} learned, {fresh:.2f} fresh",
)

# %% [markdown]
# ### Grad-CAM
#
# Which places of the image made the network say *eight*? **Grad-CAM** (Selvaraju and others, 2017) asks the last feature maps $A_k$. Let $s$ be the score of the answer. How much does $s$ grow with map $k$? Take the mean of the gradient over
# all places $(i, j)$ of the map:
#
# $$\alpha_k = \frac{1}{\text{places}} \sum_{i, j} \frac{\partial s}{\partial A_{k,i,j}}, \qquad \text{heat}_{i,j} = \max\Big(0,\; \sum_k \alpha_k A_{k,i,j}\Big).$$
#
# Maps that speak for the answer count positive, maps that speak against it negative, and only what is positive in sum is shown.


# %%
def grad_cam(model, images, answers):
    """Heat of each image for its answer: (images, height, width) of the last maps, and the means of the gradients."""
    with tf.GradientTape() as tape:
        maps, scores = model(images, training=False)
        score = tf.reduce_sum(tf.gather(scores, answers, batch_dims=1))
    alpha = tape.gradient(score, maps).numpy().mean(axis=(1, 2))  # (images, filters)
    return np.maximum(np.einsum("nijk,nk->nij", maps.numpy(), alpha), 0), alpha


heat, alpha = grad_cam(see_last_maps, framed_images, answers)  # (599, 16, 16), (599, filters)

# %% [markdown]
# In *this* network you can derive what comes out. Global average pooling is the mean over the 16 · 16 places, and the dense layer multiplies it by its weight $w_k$ for the answer. So the gradient is the same everywhere, $w_k / 256$.

# %% without_learning="arithmetic"
last_weights = looker.layers[-1].kernel.numpy()  # (filters, 10)
claim(
    "Behind global average pooling Grad-CAM weighs each map by the answer's weight in the last layer, divided by the number of places",
    np.allclose(alpha, last_weights.T[answers] / 256, atol=1e-6)
    and np.abs(last_weights).max() > 0.1,
    f"largest difference {np.abs(alpha - last_weights.T[answers] / 256).max():.0e}",
)


# %%
def full_size(maps):
    """Maps (n, 16, 16) enlarged to (n, 32, 32)."""
    return keras.ops.image.resize(maps[..., np.newaxis], (32, 32)).numpy()[..., 0]


INK = 0.3  # brighter pixels count as ink
big_heat = full_size(heat)
shown = np.concatenate([np.flatnonzero(is_right)[:5], np.flatnonzero(~is_right)[:5]])

# %% alt="Ten digits drawn as outlines, with their Grad-CAM heat in red. Upper row, right answers: the red lies on parts of the strokes. Lower row, wrong answers: the red lies on the part of the strokes that the wrong answer shares."
figure, grid = plt.subplots(2, 5, figsize=(6.6, 3.3))
for axes, index in zip(grid.flat, shown, strict=False):
    red = np.full((32, 32, 4), matplotlib.colors.to_rgba(COLOURS["red"]))
    red[..., 3] = big_heat[index] / big_heat[index].max()  # opacity
    axes.imshow(red)
    axes.contour(framed_images[index, ..., 0], levels=[INK], colors="black", linewidths=1.2)
    axes.set_title(f"{true_labels[index]}, read as {answers[index]}", fontsize=10)
for axes in grid.flat:
    axes.axis("off")
plt.show()

# %% [markdown]
# Red lies on and beside strokes, and not on all of them. (It is a little blurred, because the last map has 16 × 16 places for 32 × 32 pixels.) In the lower row look at what the wrong answer rests on: cover the rest of the digit
# with a finger, and some of the mistakes become understandable.

# %%
ink = framed_images[..., 0] > INK
untrained = pooled_reader()
untrained_relu = [layer for layer in untrained.layers if isinstance(layer, keras.layers.ReLU)][-1]
see_untrained = keras.Model(untrained.input, [untrained_relu.output, untrained.output])
untrained_heat = full_size(grad_cam(see_untrained, framed_images, answers)[0])
heat_ratios = [float(each[ink].mean() / each[~ink].mean()) for each in (big_heat, untrained_heat)]
claim(
    "The heat lies on the strokes, on ink on average at least half as high again as beside it, and so does the heat of a network that never learned",
    min(heat_ratios) > 1.5,
    f"{heat_ratios[0]:.1f} times as high, without learning {heat_ratios[1]:.1f} times",
)

# %% [markdown]
# So heat on the strokes proves nothing: there is next to nothing else in the image. Do you only see what you want to see? A heat map is a claim about the network, so it can be tested. **Delete** the hottest pixels of ink and let the network read again. If the heat is true, that must change more answers than
# deleting other ink. The comparison must be fair: the hottest pixels lie side by side, so compare with a *patch* of ink around a point drawn by lot. Pixels drawn one by one are another thing: they
# make holes in every stroke. As a control, take the heat of a network with fresh weights, too (Adebayo and others, 2018).


# %%
def after_deleting(order, count):
    """The scores of all images when the first `count` pixels of ink are black. order: (images, 1024), larger first."""
    ranks = np.where(framed_images[..., 0] > INK, order, -np.inf).reshape(len(order), -1)
    first = np.argsort(-ranks, axis=1)[:, :count]
    deleted = framed_images.reshape(len(order), -1).copy()
    np.put_along_axis(deleted, first, 0, axis=1)
    return looker(deleted.reshape(framed_images.shape), training=False).numpy()


# %%
centres = np.array([generator.choice(np.argwhere(each)) for each in ink])  # (599, 2)
distances = np.indices((32, 32))[np.newaxis] - centres[:, :, np.newaxis, np.newaxis]
ORDERS = {
    "hottest": big_heat,
    "hottest for\nan untrained net": untrained_heat,
    "single pixels\nby lot": generator.random(big_heat.shape),
    "patch by lot": -np.sum(distances**2, axis=1),
    "coldest": -big_heat,
}
COUNTS = (15, 30, 45, 60)
HALF = 1  # the second of them: 30 pixels
everyone = np.arange(len(answers))
changed, drops = {}, {}
for name, order in ORDERS.items():
    later = [after_deleting(order, count) for count in COUNTS]
    changed[name] = np.array([np.mean(each.argmax(axis=1) != answers) for each in later])
    drops[name] = scores_of_all[everyone, answers] - later[HALF][everyone, answers]

# %% alt="Share of changed answers against the number of deleted pixels of ink. The line for the hottest pixels rises fastest, the one for the coldest slowest; by lot and the untrained network lie between."
figure, axes = plt.subplots(figsize=(6.6, 3.6))
colours = (COLOURS["red"], COLOURS["purple"], "0.4", "black", COLOURS["blue"])
label_shifts = (0.04, 0.0, -0.03, 0.0, 0.0)  # so that the labels do not meet
for (name, share), colour, marker, shift in zip(
    changed.items(), colours, "osx^D", label_shifts, strict=True
):
    axes.plot(COUNTS, share, color=colour, marker=marker)
    place = (61.5, share[-1] + shift)
    axes.annotate(name, place, color=colour, va="center", annotation_clip=False)
axes.set(xlabel="deleted pixels of ink", ylabel="share of changed answers", ylim=(0, 1))
plt.show()

# %% [markdown]
# The heat passes the test: what it calls hot matters more to this network than a patch of other ink, and what it calls cold matters less. How much harm single
# pixels by lot do depends on the network: after training from another seed their line can lie on that of the patch. No network here has ever seen dotted strokes.

# %%
claim(
    "Deleting the 30 hottest pixels of ink changes more answers than a patch of 30 by lot or the heat of an untrained network, by a fifth or more, and deleting the 30 coldest changes fewer",
    all(
        bool(changed["hottest"][HALF] > 1.2 * changed[control][HALF])
        for control in ("patch by lot", "hottest for\nan untrained net")
    )
    and bool(changed["coldest"][HALF] < changed["patch by lot"][HALF]),
    ", ".join(f"{name} {share[HALF]:.1%}".replace("\n", " ") for name, share in changed.items()),
)
claim(
    "For wrong answers as for right ones the hottest pixels support the answer more than a patch by lot",
    all(
        bool(drops["hottest"][part].mean() > drops["patch by lot"][part].mean())
        for part in (is_right, ~is_right)
    ),
    ", ".join(
        f"{words}: score falls by {drops['hottest'][part].mean():.1f}, by lot {drops['patch by lot'][part].mean():.1f}"
        for words, part in [("right", is_right), ("wrong", ~is_right)]
    ),
)

# %% [markdown]
# ## Common mistakes
#
# - **A forgotten channel axis.** `Conv2D` wants (batch, height, width, channels). Grey images need `images[..., np.newaxis]`.
# - **Judging a layer's cost by its parameters.** The work also depends on the size of the map. The layer with most parameters is often a cheap one.
# - **Shrinking too late.** Full-size maps with many channels eat the time. Shrink first, widen then.
# - **A bias before batch normalization.** The normalization subtracts it again: write `use_bias=False`.
# - **Batch normalization with the default momentum in a short training:** good in training, bad in prediction. And the call in your own loop needs `training=True`.
# - **"A CNN does not care where things stand."** Its convolutions move with the image. Whether its *answer* stays is decided by what comes after them.
# - **Weights from another framework give nearly the same numbers.** Look at the padding of strided layers: Keras's `"same"` pads more after the image than before it.

# %% [markdown]
# ## Exercise 1: predict
#
# An image of 28 × 28 with one channel goes through `Conv2D(16, 5, strides=2, padding="same")` and then through `Conv2D(32, 3, padding="valid")`. Without running
# them: how many rows has the last map, how many parameters and multiplications has the *second* layer, and how many pixels, along one side, does one of its outputs see?

# %% tags=["exercise"]
last_rows = None
second_parameters = None
second_multiplications = None
pixels_seen = None
### BEGIN SOLUTION
last_rows = 14 - 3 + 1  # "same" with stride 2 halves 28 to 14
second_parameters = (3 * 3 * 16 + 1) * 32
second_multiplications = last_rows * last_rows * 3 * 3 * 16 * 32
pixels_seen = 1 + 4 + 2 * 2  # after the first layer neighbours are two pixels apart
### END SOLUTION

# %% tags=["wrong"] says="each of the 32 filters has a bias, too"
last_rows = 12
second_parameters = 3 * 3 * 16 * 32  # forgets the biases
second_multiplications = 12 * 12 * 3 * 3 * 16 * 32
pixels_seen = 9

# %% tags=["wrong"] says="the second layer's neighbours are two pixels apart"
last_rows = 12
second_parameters = (3 * 3 * 16 + 1) * 32
second_multiplications = 12 * 12 * 3 * 3 * 16 * 32
pixels_seen = 7  # forgets the jump

# %% tags=["wrong"] says="'valid' fits a window of 3"
last_rows = 14  # takes the second layer for "same"
second_parameters = (3 * 3 * 16 + 1) * 32
second_multiplications = 14 * 14 * 3 * 3 * 16 * 32
pixels_seen = 9

# %% tags=["check"]
with feedback("Predict"):
    assert None not in (last_rows, second_parameters, second_multiplications, pixels_seen), (
        "fill in all four numbers"
    )
    assert last_rows == 12, (
        f"{last_rows} rows: 28 pixels with stride 2 and 'same' leave 14, and 'valid' fits a window of 3 into them ... times"
    )
    assert second_parameters != 3 * 3 * 16 * 32, "each of the 32 filters has a bias, too"
    assert second_parameters == 4640, (
        f"{second_parameters} parameters: a kernel has 3 · 3 weights for each of the 16 channels"
    )
    assert second_multiplications == 144 * 4608, (
        f"{second_multiplications} multiplications: each of the 12 · 12 · 32 outputs takes 3 · 3 · 16"
    )
    assert pixels_seen != 7, (
        "the second layer's neighbours are two pixels apart: the first layer has stride 2"
    )
    assert pixels_seen == 9, (
        f"{pixels_seen} pixels: 1, and 4 more from the first layer, and ... from the second"
    )

# %% [markdown]
# ## Exercise 2: a kernel for falling strokes
#
# Fill in a 3 × 3 kernel that is zero on every even area, and answers to a bright stroke that falls from the upper left to the lower right with at least twice what it answers to a rising, a horizontal or a vertical stroke.

# %% tags=["exercise"]
falling_kernel = None  # np.array of shape (3, 3)
### BEGIN SOLUTION
falling_kernel = 3 * np.eye(3) - 1  # bright on the diagonal, and in all zero
### END SOLUTION

# %% tags=["wrong"] says="the nine weights must add up to zero"
falling_kernel = np.eye(3)  # looks for brightness, not for a stroke: an even area excites it

# %% tags=["wrong"] says="a rising stroke gives"
falling_kernel = 3 * np.eye(3)[::-1] - 1  # rising strokes

# %% tags=["wrong"] says="a vertical stroke gives"
falling_kernel = SOBEL  # edges

# %% tags=["check"]
with feedback("Falling strokes"):
    kernel = np.asarray(falling_kernel, float)
    assert kernel.shape == (3, 3), f"the shape must be (3, 3), yours is {kernel.shape}"
    even = cross_correlate(np.ones((5, 5)), kernel)
    assert np.allclose(even, 0), (
        f"an even area gives {even[0, 0]:.2f}: the nine weights must add up to zero"
    )
    level = np.outer(np.eye(9)[4], np.ones(9))
    strokes = {
        "falling": np.eye(9),
        "rising": np.eye(9)[::-1],
        "horizontal": level,
        "vertical": level.T,
    }
    answers = {name: cross_correlate(stroke, kernel).max() for name, stroke in strokes.items()}
    strongest = max(list(strokes)[1:], key=answers.get)
    assert answers["falling"] > 0 or answers[strongest] > 0, "no stroke gives anything"
    assert answers["falling"] >= 2 * answers[strongest], (
        f"a {strongest} stroke gives {answers[strongest]:.2f} and a falling one {answers['falling']:.2f}: "
        "which weights lie under each?"
    )

# %% [markdown]
# ## Exercise 3: repair this
#
# This batch normalization trains without an error message, and its network then predicts badly. There are **two** mistakes. Mend them, so that the function does what `batch_normalization` above does.
#
# ```python
# def repaired_normalization(x, gamma, beta, averages, training, momentum=0.99):
#     mean, variance = x.mean(axis=0), x.var(axis=0)
#     averages = (
#         momentum * averages[0] + (1 - momentum) * mean,
#         momentum * averages[1] + (1 - momentum) * variance,
#     )
#     return normalize(x, mean, variance, gamma, beta), averages
# ```


# %% tags=["exercise"]
def repaired_normalization(x, gamma, beta, averages, training, momentum=0.99):
    """Output (batch, height, width, channels) and the averages (mean, variance) afterwards, each (channels,)."""
    ### BEGIN SOLUTION
    if not training:  # in prediction: the averages, and they stay
        return normalize(x, *averages, gamma, beta), averages
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))  # one for each channel
    averages = (
        momentum * averages[0] + (1 - momentum) * mean,
        momentum * averages[1] + (1 - momentum) * variance,
    )
    return normalize(x, mean, variance, gamma, beta), averages
    ### END SOLUTION


# %% tags=["wrong"] says="in prediction the output must not depend on the batch"
def repaired_normalization(x, gamma, beta, averages, training, momentum=0.99):
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))  # still the batch, in prediction
    averages = (
        momentum * averages[0] + (1 - momentum) * mean,
        momentum * averages[1] + (1 - momentum) * variance,
    )
    return normalize(x, mean, variance, gamma, beta), averages


# %% tags=["wrong"] says="take it over all examples and all pixels of a channel"
def repaired_normalization(x, gamma, beta, averages, training, momentum=0.99):
    if not training:
        return normalize(x, *averages, gamma, beta), averages
    mean, variance = x.mean(axis=0), x.var(axis=0)  # a mean for each pixel
    averages = (
        momentum * averages[0] + (1 - momentum) * mean,
        momentum * averages[1] + (1 - momentum) * variance,
    )
    return normalize(x, mean, variance, gamma, beta), averages


# %% tags=["check"]
with feedback("Repair this"):
    random = np.random.default_rng(1)
    x = random.normal(3, 2, size=(4, 5, 6, 2))
    gamma, beta = np.array([1.5, -2]), np.array([0.5, 1])
    start = np.array([0.3, -1]), np.array([2.0, 0.7])
    result = repaired_normalization(x, gamma, beta, start, training=True)
    assert result is not None, "return the output and the averages"
    output, averages = result
    assert np.shape(averages[0]) == np.shape(averages[1]) == (2,), (
        f"the mean has the shape {np.shape(averages[0])}: take it over all examples and all pixels of a channel"
    )
    expected, expected_averages = batch_normalization(x, gamma, beta, start, training=True)
    assert np.allclose(output, expected), (
        "in training: subtract the mean of the batch, divide by its deviation"
    )
    for momentum in (0.99, 0.5):
        _, averages = repaired_normalization(x, gamma, beta, start, True, momentum)
        _, expected_averages = batch_normalization(x, gamma, beta, start, True, momentum)
        assert np.allclose(averages, expected_averages), (
            f"in training with momentum {momentum} the averages become {np.round(expected_averages, 3).tolist()}, "
            f"yours {np.round(averages, 3).tolist()}: momentum is the share that stays"
        )
    gamma, beta, start = gamma + 1, beta - 0.5, (2 * start[0], start[1] + 1)
    for examples in (x[:1], random.normal(size=(3, 2, 4, 2))):
        output, averages = repaired_normalization(examples, gamma, beta, start, training=False)
        expected, _ = batch_normalization(examples, gamma, beta, start, training=False)
        assert np.allclose(output, expected), (
            "in prediction the output must not depend on the batch: use the averages, gamma and beta that come in"
        )
        assert np.allclose(averages, start), "in prediction the averages stay as they are"

# %% [markdown]
# ## Exercise 4: a cheaper layer
#
# In a **depthwise convolution** the channels do not mix: each has a kernel of its own, and there are as many output channels as input channels. Write it with `shifted_views` (stride 1, valid), and the number of its multiplications.
# MobileNet (Howard and others, 2017) puts a 1 × 1 convolution behind it and saves most of the work of a full layer.


# %% tags=["exercise"]
def depthwise_conv2d(x, w):
    """(batch, rows, columns, channels) from x (batch, height, width, channels) and w (size, size, channels)."""
    ### BEGIN SOLUTION
    return sum(view * w[u, v] for u, v, view in shifted_views(x, len(w)))
    ### END SOLUTION


def depthwise_multiplications(rows, columns, size, channels):
    """For a map of rows · columns outputs in each channel."""
    ### BEGIN SOLUTION
    return rows * columns * size**2 * channels
    ### END SOLUTION


# %% tags=["wrong"] says="keep the channels apart"
def depthwise_conv2d(x, w):  # adds the channels up
    mixed = sum((view * w[u, v]).sum(axis=-1) for u, v, view in shifted_views(x, len(w)))
    return mixed[..., np.newaxis]


def depthwise_multiplications(rows, columns, size, channels):
    return rows * columns * size**2 * channels


# %% tags=["wrong"] says="that is a full layer with 6 filters"
def depthwise_conv2d(x, w):
    return sum(view * w[u, v] for u, v, view in shifted_views(x, len(w)))


def depthwise_multiplications(rows, columns, size, channels):  # counts a full layer
    return rows * columns * size**2 * channels * channels


# %% tags=["check"]
with feedback("A cheaper layer"):
    random = np.random.default_rng(2)
    for size, channels in ((3, 3), (4, 2), (2, 5)):
        x, w = random.normal(size=(2, 7, 6, channels)), random.normal(size=(size, size, channels))
        output, shape = depthwise_conv2d(x, w), (2, 8 - size, 7 - size, channels)
        assert output is not None, "depthwise_conv2d returns nothing yet"
        assert np.shape(output)[-1] == channels, (
            f"{channels} channels come out as {np.shape(output)[-1]}: keep the channels apart"
        )
        assert np.shape(output) == shape, (
            f"a kernel of {size}: the output has the shape {np.shape(output)}, not {shape}: "
            "take the size of the kernel from w"
        )
        kernel = w[..., np.newaxis].astype("float32")
        expected = keras.ops.depthwise_conv(x.astype("float32"), kernel)
        assert np.allclose(output, expected, atol=1e-4), (
            "multiply each view by w[u, v] channel by channel, and add the views"
        )
    count = depthwise_multiplications(5, 4, 3, 6)
    assert count is not None, "the layer is right; depthwise_multiplications returns nothing yet"
    assert count != 5 * 4 * 9 * 36, (
        "that is a full layer with 6 filters: here each output adds up one channel only"
    )
    for rows, columns, size, channels in [(5, 4, 3, 6), (2, 7, 5, 3), (9, 1, 2, 10)]:
        count, outputs = (
            depthwise_multiplications(rows, columns, size, channels),
            rows * columns * channels,
        )
        assert count == outputs * size * size, (
            f"{rows} · {columns} · {channels} outputs with {size} · {size} products each are "
            f"{outputs * size * size}, yours says {count}"
        )

# %% [markdown]
# ## Exercise 5: a smaller network (open-ended)
#
# Design a network for digits that are moved by up to 4 pixels, in frames of 32 × 32, with at most 300,000 multiplications for an image and at most 20,000 parameters. The check trains it for five epochs on moved digits, with batches of 32 and the one-cycle schedule up to 0.02, and asks for nine of ten moved validation digits.
# A dense network of that size does not get there. When yours does: how few multiplications can you do with?


# %% tags=["exercise"]
def small_reader():
    """A network from images (32, 32, 1) to ten scores (logits)."""
    ### BEGIN SOLUTION
    layers = [keras.Input((32, 32, 1))]
    for filters, size, stride in [(8, 5, 2), (12, 3, 2), (16, 3, 1)]:
        layers += [
            keras.layers.Conv2D(filters, size, stride, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
        ]
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10)])
    ### END SOLUTION


# %% tags=["wrong"] says="multiplications are too many"
def small_reader():  # no stride and no pooling: far too many multiplications
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["wrong"] says="each of your weights see one place only"
def small_reader():  # a dense network of the allowed size
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(18, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["check"]
with feedback("A smaller network"):
    network = small_reader()
    assert network is not None, "small_reader returns nothing yet"
    assert network.input_shape == (None, 32, 32, 1), "the images are (32, 32, 1)"
    assert network.output_shape == (None, 10), (
        f"ten scores are asked for, yours gives {network.output_shape}"
    )
    normalizations = keras.layers.BatchNormalization, keras.layers.LayerNormalization
    for layer in network.layers:
        counted = layer.name in multiplications(network) or isinstance(layer, normalizations)
        assert counted or not layer.weights, (
            f"{layer.name} is not counted: take Conv2D, DepthwiseConv2D and Dense, not nested"
        )
    products = sum(multiplications(network).values())
    assert products <= 300_000, (
        f"{products:,} multiplications are too many: make the map smaller, and early"
    )
    assert network.count_params() <= 20_000, f"{network.count_params():,} parameters are too many"
    images, labels = epochs_in_one(with_margin(training_images), training_labels, 5, seed=0)
    images = moved_at_random(images, np.random.default_rng(0))
    rate = OneCycle(0.02, len(images) // 32)
    network, train_afresh = trainer(small_reader, rate, 32)
    train_afresh(images, labels, seed=0)
    moved_validation = moved_at_random(with_margin(validation[0]), np.random.default_rng(1))
    share = accuracy(network, moved_validation, validation[1])
    assert share >= 0.9, (
        f"{share:.0%} of the moved digits: does each of your weights see one place only? Are there few filters, "
        "no batch normalization, or one with too large a momentum for so few steps?"
    )

# %% [markdown]
# ## Summary
#
# - A convolution lays one kernel on every window of the image and adds up products. Stride, padding and dilation say which windows. It is a dense layer with local connections and shared weights.
# - Parameters do not depend on the size of the map; multiplications do. So make maps small early: the fast network needs a fraction of the example's multiplications and reads as well.
# - Pooling, batch normalization and transposed convolution are a few lines each. Batch normalization has one mean for each channel, and moving averages for prediction.
# - A convolution moves with the image, exactly so for whole strides and away from the border. A *network* keeps its answer on moved digits only if nothing after its convolutions asks *where* (global pooling instead of flatten), and if its strides do not leave out what a shift needs. Otherwise it must see moved digits in training;
#   then the convolutional network learns them much better than the dense one.
# - Kernels that people designed can be learned from examples. A heat map is a claim that can be tested by deleting pixels.
#
# Not shown: networks that are deep, with skip connections (He and others, 2015); how to use a trained network for another task (lesson 3.2); finding several objects in one image, and the shape of each (lesson 3.3).

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Two layers of 3 × 3 and one layer of 5 × 5 see the same 5 × 5 pixels. Why do networks prefer the first?</summary>
#
# With c channels in and out, two layers have 2 · 9 · c² = 18 c² weights and one has 25 c², and in between is one more ReLU. The multiplications compare alike.
#
# </details>
#
# <details>
# <summary>A network of convolutions and global pooling, without flatten, reads images of any size. Why, and what limits it?</summary>
#
# A kernel's weights do not depend on the size of the map, and global pooling makes one number for each channel of any map. The limit is the size of the *object*: a digit twice as large has strokes that no kernel has learned.
#
# </details>
#
# <details>
# <summary>Why does batch normalization for images take its mean over the pixels as well, and not for each pixel on its own?</summary>
#
# One kernel makes the whole map. With a mean for each pixel, the same stroke would give another number at another place, and the layer would no longer be equivariant. It would also not work for images of another size.
#
# </details>
#
# <details>
# <summary>You double the height and the width of the images. What happens to parameters, multiplications and receptive field of a stack of convolutions?</summary>
#
# Parameters and receptive field in pixels stay, the multiplications become fourfold. The field now covers a smaller part of the object; a deeper stack or more strides must make up for it.
#
# </details>

# %% [markdown]
# ## References
#
# - K. Fukushima (1980). Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position. doi:10.1007/BF00344251
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition. doi:10.1109/5.726791
# - V. Dumoulin, F. Visin (2016). A guide to convolution arithmetic for deep learning. arXiv:1603.07285
# - W. Luo, Y. Li, R. Urtasun, R. Zemel (2016). Understanding the effective receptive field in deep convolutional neural networks. arXiv:1701.04128
# - S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network training by reducing internal covariate shift. arXiv:1502.03167
# - A. Odena, V. Dumoulin, C. Olah (2016). Deconvolution and checkerboard artifacts. doi:10.23915/distill.00003
# - A. Azulay, Y. Weiss (2019). Why do deep convolutional networks generalize so poorly to small image transformations? arXiv:1805.12177
# - R. Zhang (2019). Making convolutional networks shift-invariant again. arXiv:1904.11486
# - L. N. Smith, N. Topin (2017). Super-convergence: very fast training of neural networks using large learning rates. arXiv:1708.07120
# - R. R. Selvaraju and others (2017). Grad-CAM: visual explanations from deep networks via gradient-based localization. arXiv:1610.02391
# - J. Adebayo and others (2018). Sanity checks for saliency maps. arXiv:1810.03292
# - A. G. Howard and others (2017). MobileNets: efficient convolutional neural networks for mobile vision applications. arXiv:1704.04861
# - K. He, X. Zhang, S. Ren, J. Sun (2015). Deep residual learning for image recognition. arXiv:1512.03385
