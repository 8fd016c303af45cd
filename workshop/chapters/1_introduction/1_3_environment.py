# ---
# jupyter:
#   course:
#     prerequisites: ["1.1"]
#     equal_programs:
#       "Repair this":
#         "keyword dropped: network.compile(optimizer='sgd', loss=LOSS, run_e… -> network.compile(optimizer='sgd', loss=LOSS)": "compiled or not, the steps are the same up to rounding"
#         "constant: True -> False": "compiled or not, the steps are the same up to rounding"
#         "constant: 192 -> 191": "the third batch starts at 128 all the same"
#     core_minutes: 85
# ---

# %% [markdown]
# # 1.3 Environment
#
# **After this lesson you can** install what this course needs, say what a machine is missing and which command mends it, foresee how
# long a training takes, choose a number format, repeat a result bit by bit, and rent a machine without paying for the night.
#
# **You build** a doctor for your machine, and measure what one training step costs in time, memory and digits.
#
# **Question.** The same program trains a network on a laptop, in a browser tab and on a rented GPU. What changes when you
# move it: the time, the numbers, the bill?

# %% [markdown]
# ## What this machine has
#
# Begin with a visit to the doctor. It uses nothing but Python itself, so it runs even where TensorFlow is missing. Open the
# collapsed cell if you want to read how it looks at a machine.

# %% tags=["setup"]
from workshop.kit import Machine, diagnose, doctor

# %% tags=["measures-time"]
doctor()

# %% [markdown]
# Line by line:
#
# - **Machine.** The **CPU** is the processor that runs everything; its cores work side by side. A **GPU** is a second processor with
#   thousands of small cores and memory of its own. Every lesson of this course runs on two CPU cores.
# - **Memory.** A lesson takes up to 1.5 GB. When memory runs out, the **kernel**, the Python process behind this notebook, dies without a word.
# - **Python and packages.** What `pip` installed for the Python behind this notebook, which may not be the Python of your terminal.
# - **GPU.** Only what TensorFlow can *use* counts. A GPU that it cannot use is reported below the table, with the reason.
#
# A line that starts with ✗ stops lessons; a line that starts with ! does not, but is worth mending. Each names its command. Where this
# cell shows a ✗, mend that before you go on.

# %% tags=["setup"]
import math
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

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
# You have one machine, but the doctor takes any description. Here is a laptop for games: Windows, a strong NVIDIA GPU, and
# TensorFlow just installed with `pip install tensorflow`. Before you run the cell: will TensorFlow use the GPU?

# %%
PACKAGES = {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6", "matplotlib": "3.11.2"}
PACKAGES |= {"scikit-learn": "1.9.1", "pillow": "13.0.0", "opencv-python-headless": "5.0.0.93"}
PACKAGES |= {"statsmodels": "0.15.0", "babel": "2.18.0"}
ROOM = {"cores": 8, "memory": 16.0, "free_memory": 9.0, "free_disk": 100.0}
gaming_laptop = Machine(
    "Windows", "AMD64", packages=PACKAGES, driver_gpus=("NVIDIA GeForce RTX 4070",), **ROOM
)

doctor(gaming_laptop)

# %% [markdown]
# It will not, and without the doctor nothing says so: TensorFlow computes on the CPU and stays silent. Version 2.10 was the last to use a
# GPU on Windows itself. Inside Windows runs a Linux, the Windows Subsystem for Linux (**WSL2**), and there it works.
#
# Seven more machines. Six have one thing wrong; which is the healthy one?

# %%
machines = {
    "Linux with a GPU, plain pip install": Machine(
        packages=PACKAGES, driver_gpus=("NVIDIA T4",), **ROOM
    ),
    "Mac of 2019": Machine("Darwin", "x86_64", **ROOM),
    "newest Python": Machine(python=(3, 14, 0), **ROOM),
    "Keras set to JAX": Machine(packages=PACKAGES, backend="jax", **ROOM),
    "old Keras": Machine(packages=PACKAGES | {"keras": "2.15.0"}, **ROOM),
    "no environment": Machine("Windows", "AMD64", own_environment=False, packages=PACKAGES, **ROOM),
    "new Mac": Machine("Darwin", "arm64", packages=PACKAGES, **ROOM),
}
for name, machine in machines.items():
    mends = [finding.mend for finding in diagnose(machine)]
    print(f"{name}: {' '.join(mends[0].split()) if mends else 'nothing to mend'}")

# %% without_learning="data"
found = {name: diagnose(machine) for name, machine in machines.items()}
claim(
    "The doctor finds one thing on each of the six sick machines, names a command for it, and leaves the healthy one alone",
    [len(findings) for findings in found.values()] == [1] * 6 + [0]
    and all(finding.mend for findings in found.values() for finding in findings),
    f"findings: {[len(findings) for findings in found.values()]}",
)

# %% [markdown]
# The new Mac is healthy, though its fast graphics chip is idle: the TensorFlow of `pip` computes on a Mac's CPU only. That is no fault to mend,
# and this course needs no GPU. Nor does every finding stop a lesson: on the machine set to JAX these notebooks choose TensorFlow for themselves, while your own programs follow the setting.
#
# ## Install it yourself
#
# ![Layers from top to bottom: your notebook, Keras, TensorFlow, then either the CPU, which works everywhere, or CUDA and cuDNN above the driver and the GPU, for Linux, WSL2 and Colab. Brackets name what installs them: pip for Keras and TensorFlow, pip with and-cuda for CUDA, NVIDIA's installer for the driver.](../../../images/environment_stack.png)
#
# **CUDA** is NVIDIA's language for GPUs, **cuDNN** its library for neural networks, the **driver** the program that talks to the hardware.
# Most trouble is a gap between two neighbours in this picture: a driver older than CUDA, a TensorFlow without CUDA, a Keras without TensorFlow.
#
# An **environment** is a folder with its own Python and its own packages. One for each course or project: then no `pip install` breaks another
# project, and you may delete it and start again. Type these lines in a terminal, once:
#
# | | Linux, and WSL2 on Windows | macOS (Apple chip) | Windows |
# |---|---|---|---|
# | make | `python3 -m venv course` | `python3 -m venv course` | `py -3.12 -m venv course` |
# | enter | `source course/bin/activate` | `source course/bin/activate` | `course\Scripts\activate` |
# | TensorFlow, CPU | `python -m pip install tensorflow` | `python -m pip install tensorflow` | `python -m pip install tensorflow` |
# | TensorFlow, GPU | `python -m pip install "tensorflow[and-cuda]"` | not supported | in WSL2 (`wsl --install`) |
# | Keras | comes with TensorFlow; newest: `python -m pip install --upgrade keras` | the same | the same |
# | PyTorch (lesson 1.2) | `python -m pip install torch` | `python -m pip install torch` | CPU: the same; GPU: the line from pytorch.org/get-started/locally |
# | the rest | `python -m pip install jupyterlab matplotlib scikit-learn pillow opencv-python-headless statsmodels babel` | the same | the same |
# | start | `jupyter lab` | `jupyter lab` | `jupyter lab` |
#
# On Ubuntu, `sudo apt install python3-venv` comes first. With this course's files at hand, `python -m pip install -r requirements.txt` does it in one go and gives you the very versions that the lessons
# were tested with. Say `python -m pip`, not `pip`: then you know which Python gets the packages. In a notebook cell it is `%pip install ...`,
# then *Restart kernel*: a module that is already imported does not change under you.
#
# Python must be between 3.11 and 3.13. TensorFlow comes ready-made for 64-bit Linux, for Windows on Intel and AMD, and for Macs
# with an Apple chip; 2.16 was the last for Macs with an Intel chip. On an old machine, Colab (below) is the short way out.

# %% [markdown]
# ## What one training step costs
#
# A network learns in **steps**: it looks at a **batch** of examples, compares its answers with the labels, and corrects its weights a little.
# (Lesson 2.3 builds that step by hand; here we only hold a watch to it.) Our network has two dense layers of a chosen **width**, the number of
# their neurons, and reads the handwritten digits of this course.

# %% tags=["setup"]
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
(train_images, train_labels), (validation_images, validation_labels), _ = load_digits(seed=SEED)


def dense_network(width=64):
    """Reads digits: images (batch, 28, 28, 1) in, ten numbers (batch, 10) out, in float32 whatever the layers compute in."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(10),
            keras.layers.Activation("linear", dtype="float32"),
        ]
    )


# %% [markdown]
# A stopwatch for one step. The first two steps are not counted, because TensorFlow translates the program into a graph first. Of the
# others we keep the fastest: other programs on this machine can make a step slower, and nothing can make it faster than it is.

# %%
STEPS = 10


def seconds_per_step(width, batch_size, device="cpu:0"):
    """The time of one training step on this device, in seconds."""
    images, labels = train_images[:batch_size], train_labels[:batch_size]
    times = []
    with keras.device(device):
        network = dense_network(width)
        network.compile(optimizer="adam", loss=LOSS, jit_compile=False)
        for _ in range(2 + STEPS):
            start = time.perf_counter()
            network.train_on_batch(images, labels)
            times.append(time.perf_counter() - start)
    return min(times[2:])


# %% [markdown]
# Now the batch grows from 1 image to 1,024. Each image costs the same arithmetic, wherever it stands. Predict: how much cheaper is an
# image in a batch of 256 than an image alone? A little, twice, ten times?

# %% tags=["measures-time"]
BATCH_SIZES = np.array([1, 4, 16, 64, 256, 1024])
step_times = np.array([seconds_per_step(256, int(size)) for size in BATCH_SIZES])
for size, step_time in zip(BATCH_SIZES, step_times, strict=True):
    print(
        f"batch of {size:5}: {1e3 * step_time:7.2f} ms a step, {1e6 * step_time / size:8.1f} µs an image"
    )

# %% tags=["measures-time"] without_learning="arithmetic"
gain = (step_times[0] / 1) / (step_times[4] / 256)
claim(
    "An image costs at least ten times less in a batch of 256 than alone",
    gain > 10,
    f"{gain:.0f} times less",
)

# %% [markdown]
# Look at the time of a *step*: from 1 to 16 images it hardly moves. A step has a **fixed price**, for starting the program, handing over the
# data and moving the weights, and a price for each image. That gives a law with two numbers:
#
# $$\text{time of a step} = \text{fixed} + \text{batch size} \times \text{price of an image}$$
#
# We fit the two by least squares on the *relative* error, so that the short steps count as much as the long ones.

# %% tags=["measures-time"] without_learning="arithmetic"
table = np.column_stack([np.ones(len(BATCH_SIZES)), BATCH_SIZES]) / step_times[:, np.newaxis]
fixed, per_image = np.linalg.lstsq(table, np.ones(len(BATCH_SIZES)), rcond=None)[0]
law = fixed + per_image * BATCH_SIZES
worst = max(np.max(law / step_times), np.max(step_times / law))
without_fixed = step_times[0] / (step_times[-1] / BATCH_SIZES[-1])
print(f"fixed {1e3 * fixed:.2f} ms a step, {1e6 * per_image:.1f} µs an image")
claim(
    "The law is right within a factor of 5 for every batch, and without its fixed price it is wrong by more than 20",
    worst < 5 and without_fixed > 20,
    f"largest miss {worst:.2f} times; without the fixed price {without_fixed:.0f} times",
)

# %% alt="Time per image against batch size, both logarithmic: the measured points fall steeply at first, follow the curve of the law, and flatten at its price of an image." tags=["measures-time"]
plt.loglog(
    BATCH_SIZES, 1e6 * step_times / BATCH_SIZES, "o", color=COLOURS["blue"], label="measured"
)
sizes = np.geomspace(1, 1024, 200)
plt.loglog(sizes, 1e6 * (fixed / sizes + per_image), "-", color=COLOURS["orange"], label="the law")
plt.axhline(1e6 * per_image, color=COLOURS["black"], linestyle=":", label="price of an image")
plt.xticks(BATCH_SIZES, BATCH_SIZES)
plt.minorticks_off()
plt.xlabel("batch size")
plt.ylabel("time per image (µs)")
plt.title("In company, an image is cheap")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# The points fall along the law and flatten at the price of an image, which no batch can beat. On a GPU the curve goes on falling for much longer: its
# price of an image is tiny and its fixed price is not. That is why a GPU with a small batch can lose against a laptop, and why "use a
# bigger batch" is the first advice on slow training. (It changes how the network learns, too: lesson 2.3.)
#
# ## Width: what the arithmetic costs
#
# A dense layer with $n$ inputs and $m$ neurons has $n \cdot m$ weights, and each weight is used in one multiplication and one addition for
# each image: two operations. The way back through the network, which finds the corrections, costs about twice the way forward. So a
# step on $B$ images with $P$ weights takes about $6 \cdot B \cdot P$ operations.
#
# So the count follows from the widths:

# %% without_learning="arithmetic"
WIDTHS = np.array([16, 64, 256, 1024, 2048])
BATCH = 128
operations = np.array([6 * BATCH * dense_network(int(width)).count_params() for width in WIDTHS])
for width, operation_count in zip(WIDTHS, operations, strict=True):
    print(f"width {width:4}: {operation_count / 1e6:7.0f} million operations a step")
claim(
    "From width 16 to 64 the arithmetic of a step grows more than fourfold",
    operations[1] > 4 * operations[0],
    f"{operations[1] / operations[0]:.2f} times as many operations",
)

# %% [markdown]
# Predict: does the time grow as much?

# %% tags=["measures-time"]
devices = ["cpu:0"] + (["gpu:0"] if tf.config.list_physical_devices("GPU") else [])
width_times = {
    device: [seconds_per_step(int(width), BATCH, device) for width in WIDTHS] for device in devices
}
for device, times in width_times.items():
    for width, step_time, rate in zip(WIDTHS, times, operations / np.array(times), strict=True):
        print(
            f"{device}  width {width:4}: {1e3 * step_time:7.2f} ms a step, "
            f"{rate / 1e9:6.1f} billion operations a second"
        )

# %% tags=["measures-time"] without_learning="arithmetic"
cpu_times = np.array(width_times["cpu:0"])
rates = operations / cpu_times
claim(
    "From width 16 to 64 the time of a step grows less than threefold; from 64 to 2,048 it grows more than threefold",
    cpu_times[1] < 3 * cpu_times[0] and cpu_times[4] > 3 * cpu_times[1],
    f"time x {cpu_times[1] / cpu_times[0]:.1f}, then x {cpu_times[4] / cpu_times[1]:.1f}",
)
claim(
    "The widest network makes at least twice as many operations a second as the narrowest",
    rates[4] > 2 * rates[0],
    f"{rates[4] / rates[0]:.0f} times as many",
)

# %% [markdown]
# Small networks pay the fixed price and leave the processor idle; large ones pay for arithmetic. A GPU makes arithmetic cheap and
# nothing else. So before you rent one, look at the last column: if doubling the width costs you nothing, a GPU gains you nothing.
# Where the doctor found a GPU, the table has its lines, and the crossing point for *your* two processors.
#
# ## Foresee the time before you pay for it
#
# One measured step tells the time of a whole training: steps an epoch times epochs times the time of a step. (An **epoch** is one pass
# over all training images.)

# %%
BATCH_FOR_TRAINING, EPOCHS = 64, 5
steps = EPOCHS * math.ceil(len(train_images) / BATCH_FOR_TRAINING)
foreseen = steps * seconds_per_step(256, BATCH_FOR_TRAINING)
print(f"{EPOCHS} epochs are {steps} steps")

keras.utils.set_random_seed(SEED)
with keras.device("cpu:0"):
    network = dense_network(256)
    network.compile(optimizer="adam", loss=LOSS, jit_compile=False)
    _ = network.fit(
        train_images, train_labels, batch_size=BATCH_FOR_TRAINING, verbose=0
    )  # pays for the graph
    start = time.perf_counter()
    _ = network.fit(
        train_images, train_labels, batch_size=BATCH_FOR_TRAINING, epochs=EPOCHS, verbose=0
    )
    took = time.perf_counter() - start

# %% tags=["measures-time"] without_learning="arithmetic"
claim(
    "Ten steps foretell the time of a whole training within a factor of 10",
    1 / 10 < took / foreseen < 10,
    f"foreseen {foreseen:.2f} s, took {took:.2f} s",
)

# %% [markdown]
# Good enough to choose a machine: you want to know whether it is a minute, an hour or a week. Do this on a small part of your data *before* you
# rent anything, and again in the first minute on the rented machine.

# %% [markdown]
# ## How a number is stored
#
# Networks compute with **floating-point numbers**: a sign, an exponent that says how far the point is shifted, and a fraction
# that holds the digits. Fewer bits are faster to move and to multiply, and take less memory. What do they cost?
#
# ![The bits of three formats. float32: 1 sign, 8 exponent, 23 fraction bits. bfloat16: 1, 8 and 7, the same range with few digits. float16: 1, 5 and 10, more digits and a short range.](../../../images/number_formats.png)
#
# With sign bit $s$, exponent bits read as a whole number $e$, and $F$ fraction bits read as a whole number $f$, the value is
#
# $$(-1)^s \cdot 2^{\,e - \text{bias}} \cdot \left(1 + \frac{f}{2^F}\right)$$
#
# For float16 the bias is 15 and $F = 10$. Take the number 0.1 apart, by hand:

# %% tags=["nbval-check-output"]
bits = f"{np.float16(0.1).view(np.uint16):016b}"
sign, exponent, fraction = int(bits[0], 2), int(bits[1:6], 2), int(bits[6:], 2)
value = (-1) ** sign * 2.0 ** (exponent - 15) * (1 + fraction / 2**10)
print(f"{bits[0]} {bits[1:6]} {bits[6:]}:  2^({exponent} - 15) x (1 + {fraction}/1024) = {value}")

# %% without_learning="arithmetic"
claim(
    "The formula gives exactly what NumPy stores for 0.1 in float16, which is not 0.1",
    value == float(np.float16(0.1)) and value != 0.1,
    f"{value:.10f}",
)

# %% [markdown]
# Two numbers tell what a format can do: the **step at one**, the smallest power of two that still changes 1 when it is added, and the smallest
# number above zero. We do not look them up, we try.

# %% tags=["setup"]
NUMBER_TYPES = {
    "float32": np.float32,
    "bfloat16": tf.bfloat16.as_numpy_dtype,
    "float16": np.float16,
}
EXPONENT_AND_FRACTION_BITS = {"float32": (8, 23), "bfloat16": (8, 7), "float16": (5, 10)}


# %%
def step_at_one(number):
    """The smallest power of two that changes 1 when it is added. number: a NumPy type, as the next."""
    step = number(1)
    while number(1) + step / number(2) != number(1):
        step = step / number(2)
    return float(step)


def smallest_above_zero(number):
    """How often 1 can be halved before nothing is left, as the last power of two."""
    smallest = number(1)
    while smallest / number(2) != number(0):
        smallest = smallest / number(2)
    return float(smallest)


for name, number in NUMBER_TYPES.items():
    print(
        f"{name:9} step at one {step_at_one(number):.1e}, smallest {smallest_above_zero(number):.1e}, "
        f"largest {float(tf.as_dtype(name).max):.1e}"
    )

# %% [markdown]
# All three follow from the bits. With $E$ exponent and $F$ fraction bits: one more in the last fraction bit of 1 is $2^{-F}$; the largest number is
# $(2 - 2^{-F}) \cdot 2^{\,2^{E-1} - 1}$; the smallest is $2^{\,2 - 2^{E-1} - F}$.

# %% without_learning="arithmetic"
as_computed, as_found = [], []
for name, (exponent_bits, fraction_bits) in EXPONENT_AND_FRACTION_BITS.items():
    middle = 2 ** (exponent_bits - 1)
    largest = (2 - 2.0**-fraction_bits) * 2.0 ** (middle - 1)
    as_computed.append((2.0**-fraction_bits, largest, 2.0 ** (2 - middle - fraction_bits)))
    number = NUMBER_TYPES[name]
    as_found.append(
        (step_at_one(number), float(tf.as_dtype(name).max), smallest_above_zero(number))
    )

claim(
    "Step, largest and smallest number of the three formats are those that their bits promise",
    as_computed == as_found,
    "; ".join(
        f"2^{np.log2(step):.0f}, {largest:.3g}, 2^{np.log2(least):.0f}"
        for step, largest, least in as_found
    ),
)

# %% [markdown]
# **bfloat16** keeps the range of float32 and gives up digits: it knows about two to three. **float16** has about one digit more, but it ends
# at 65,504 and below at 0.00000006. Beyond lies infinity, or zero.
#
# ### TF32: float32 that multiplies with ten bits
#
# A fourth format comes without being asked for. GPUs of NVIDIA's Ampere generation and later (A100, L4, RTX 30 and newer) round what goes *into* a float32 matrix product or
# convolution: the 8 exponent bits stay, and 10 of the 23 fraction bits. The rounded numbers are multiplied exactly, and the products are added up in float32. This is **TF32**. TensorFlow uses
# it on such a GPU unless you say otherwise, and all arrays still call themselves float32.
#
# You need no such GPU to see what it does. Read the 32 bits as a whole number, add half of the last bit that stays, and set the 13 bits behind that one to zero: this rounds to the nearest.


# %% tags=["nbval-check-output"]
def to_tf32(numbers):
    """float32 numbers, each rounded to the nearest with 10 fraction bits, still stored as float32."""
    whole = np.asarray(numbers, "float32").view(np.int32)
    return ((whole + 2**12) & -(2**13)).view(np.float32)  # 13 of 23 fraction bits become zero


for title, number in (("float32", np.float32(0.1)), ("TF32", to_tf32(0.1))):
    bits = f"{number.view(np.uint32):032b}"
    print(f"{title:8} {bits[0]} {bits[1:9]} {bits[9:19]} {bits[19:]}  is {number:.10f}")

# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
samples = generator.normal(size=100_000) * 2.0 ** generator.integers(-100, 101, size=100_000)
samples = samples.astype("float32")  # sizes over sixty powers of ten
moved = np.abs(to_tf32(samples).astype("float64") - samples) / np.abs(samples.astype("float64"))
claim(
    "TF32 moves no number by more than 2^-11 of its size, whether it is tiny or huge, and some by nearly as much",
    0.9 * 2**-11 < moved.max() <= 2**-11,
    f"2^{np.log2(moved.max()):.4f}, for sizes from {np.abs(samples).min():.0e} to {np.abs(samples).max():.0e}",
)

# %% [markdown]
# The range is float32's, the digits are float16's. Now multiply two matrices: in float32, with both rounded to TF32 first, and for comparison once more in float32 with the sums taken in another order. Which of
# the two changes counts for more?

# %% without_learning="arithmetic"
first_matrix, second_matrix = generator.normal(size=(2, 500, 500)).astype("float32")
product = first_matrix @ second_matrix
with_tf32 = to_tf32(first_matrix) @ to_tf32(second_matrix)
other_order = first_matrix[:, ::-1] @ second_matrix[::-1]
rounding, reordering = (
    np.abs(other - product).max() / product.std() for other in (with_tf32, other_order)
)
claim(
    "TF32 changes a product of matrices by about a thousandth, more than a hundred times as much as another order of its sums does",
    3e-4 < rounding < 3e-3 and 0 < reordering < rounding / 100,
    f"largest difference, in standard deviations of the product: {rounding:.1e} with TF32, {reordering:.1e} in another order",
)

# %% [markdown]
# Does a trained network mind? Take the digit reader whose training you have just timed, and round whatever goes into a product: weights, pixels and hidden outputs.


# %%
def scores_of(network, images, rounded=np.asarray):
    """The outputs of a network of dense layers with ReLU between, with both inputs of every product rounded."""
    a, weights = images.reshape(len(images), -1), network.get_weights()
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        z = rounded(a) @ rounded(kernel) + bias
        a = np.maximum(z, 0)
    return z


plain = scores_of(network, validation_images)
with_tf32 = scores_of(network, validation_images, to_tf32)
keras_gap = np.abs(network(validation_images) - plain).max()
tf32_gap = np.abs(with_tf32 - plain).max()
readings = plain.argmax(axis=1)
read_otherwise = int(np.sum(with_tf32.argmax(axis=1) != readings))
right = np.mean(readings == validation_labels)

# %%
claim(
    "TF32 moves a trained network's outputs 50 times as far as NumPy's lie from Keras's, or farther, and yet at most one validation digit is read otherwise",
    tf32_gap >= 50 * keras_gap and keras_gap < 1e-4 and read_otherwise <= 1 and right > 0.9,
    f"outputs move by {tf32_gap:.1e}, NumPy and Keras differ by {keras_gap:.1e}; "
    f"{read_otherwise} of {len(plain)} digits read otherwise, {right:.1%} right in float32",
)

# %% [markdown]
# The reading survives, and large products take less time: in your own training you may leave TF32 on. What suffers is comparing. Many claims of this course say that two computations
# agree to six digits, and with TF32 they agree to three. So `use_course_settings`, in a first cell of every lesson, switches it off with
# `tf.config.experimental.enable_tensor_float_32_execution(False)`. What is stored, and all that is no matrix product and no convolution, is float32 either way.
#
# ## Swallowed updates
#
# A weight of 1 gets 500 corrections of $-0.001$ each. It should end at 0.5. Where will it end in each format?

# %% alt="Weight against number of updates: float32 falls in a straight line from 1 to 0.5, float16 falls almost as it should, bfloat16 stays at 1."
UPDATES = 500
paths = {}
for name, number in NUMBER_TYPES.items():
    weight, path = number(1), []
    for _ in range(UPDATES):
        weight = weight - number(0.001)
        path.append(float(weight))
    paths[name] = path
    plt.plot(path)
plt.annotate(
    "bfloat16", (UPDATES * 0.75, 1.0), (0, -16), textcoords="offset points", color=COLOURS["orange"]
)
plt.annotate(
    "float16",
    (UPDATES * 0.75, paths["float16"][375]),
    (4, 6),
    textcoords="offset points",
    color=COLOURS["green"],
)
plt.annotate(
    "float32",
    (UPDATES * 0.6, paths["float32"][300]),
    (-58, -14),
    textcoords="offset points",
    color=COLOURS["blue"],
)
plt.xlabel("updates of −0.001")
plt.ylabel("weight")
plt.title("Many small corrections, three formats")
plt.show()

# %% without_learning="own loop"
ends = {name: path[-1] for name, path in paths.items()}
claim(
    "In bfloat16 500 small updates leave the weight exactly where it was; float32 moves it by one half",
    ends["bfloat16"] == 1.0
    and abs(ends["float32"] - 0.5) < 1e-4
    and abs(ends["float16"] - 0.5) < 0.05,
    ", ".join(f"{name} {end:.4f}" for name, end in ends.items()),
)

# %% [markdown]
# The orange line never moves. Just below 1, neighbours in bfloat16 lie $2^{-8} \approx 0.004$ apart; 1 − 0.001 is nearer to 1 than to the next number, so it
# is rounded back, every time. An update is **swallowed** when it is smaller than half the gap between a weight and its neighbour.
#
# ## A network in 16 bits
#
# Does that happen to real training? We train the digit reader in several formats. `train` is all that this and the next experiments need.
# A **policy** tells Keras in which format the layers compute and in which they keep their weights. And a GPU, if TensorFlow found one, is told to
# repeat itself to the last bit; you need that further below.

# %% tags=["setup"]
if tf.config.list_physical_devices("GPU"):
    tf.config.experimental.enable_op_determinism()  # a GPU adds in changing order unless you forbid it


def weights_of(network):
    """All weights of a network in one row, as float32."""
    return np.concatenate(
        [np.ravel(weights).astype("float32") for weights in network.get_weights()]
    )


def accuracy_of(network):
    """The share of the validation digits that a network reads right."""
    return float(np.mean(np.argmax(network(validation_images), axis=1) == validation_labels))


# %%
def train(seed, policy="float32", optimizer="adam", change=None):
    """Train a new network for 10 epochs. change: called with the network before training. Returns it and its last loss."""
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(policy)
    network = dense_network()
    network.compile(optimizer=optimizer, loss=LOSS, steps_per_execution=8)
    keras.config.set_dtype_policy("float32")
    if change:
        change(network)
    history = network.fit(train_images, train_labels, batch_size=64, epochs=10, verbose=0)
    return network, history.history["loss"][-1]


# %%
runs = {}
for policy in ("float32", "mixed_bfloat16", "mixed_float16", "bfloat16"):
    network, loss = train(SEED, policy)
    runs[policy] = network
    kept_in = network.layers[1].kernel.dtype
    print(
        f"{policy:14} weights kept in {kept_in:8}  last loss {loss:.3f}  accuracy {accuracy_of(network):.3f}"
    )

# %% [markdown]
# **Mixed precision** computes in 16 bits and keeps the weights in 32, so that no update is swallowed: as good as float32. Pure bfloat16, weights and
# all, has learned nothing whatever. No error, no warning.

# %%
accuracies = {policy: accuracy_of(network) for policy, network in runs.items()}
keras.utils.set_random_seed(SEED)
keras.config.set_dtype_policy("bfloat16")
untrained = weights_of(dense_network())
keras.config.set_dtype_policy("float32")
keras.utils.set_random_seed(SEED)
float32_start = weights_of(dense_network())
claim(
    "float32 reads at least 85 of 100 validation digits, and both mixed policies, with weights kept in float32, end "
    "within 5 of that",
    accuracies["float32"] >= 0.85
    and all(
        abs(accuracies[policy] - accuracies["float32"]) < 0.05
        and runs[policy].layers[1].kernel.dtype == "float32"
        for policy in ("mixed_bfloat16", "mixed_float16")
    ),
    ", ".join(f"{policy} {accuracy:.3f}" for policy, accuracy in accuracies.items()),
)
weights_changed = {
    policy: np.sum(weights_of(runs[policy]) != start)
    for policy, start in (("float32", float32_start), ("bfloat16", untrained))
}
claim(
    "Adam in float32 changes most weights, in pure bfloat16 not a single one in ten epochs",
    weights_changed["float32"] > 0.5 * untrained.size and weights_changed["bfloat16"] == 0,
    f"{weights_changed['float32']:,} and {weights_changed['bfloat16']} of {untrained.size:,} weights differ from the start; "
    f"accuracy {accuracies['float32']:.3f} and {accuracies['bfloat16']:.3f}",
)

# %% [markdown]
# Not one. Swallowed updates alone would not be so thorough. The culprit is a constant: Adam's $\beta_2 = 0.999$ (lesson 2.3) becomes

# %% tags=["nbval-check-output"]
print(float(NUMBER_TYPES["bfloat16"](0.999)))

# %% [markdown]
# one. Adam multiplies each step by $\sqrt{1 - \beta_2^t}$, which is now zero. A plain gradient step (SGD) has no such constant, and shows the swallowing itself:

# %%
losses = {
    policy: train(SEED, policy, keras.optimizers.SGD(0.01))[1] for policy in ("float32", "bfloat16")
}
claim(
    "Plain gradient steps learn in pure bfloat16, but their loss stays at least 1.3 times that of float32",
    1.3 * losses["float32"] < losses["bfloat16"] < 2.2,
    f"last loss {losses['float32']:.3f} in float32, {losses['bfloat16']:.3f} in bfloat16",
)

# %% [markdown]
# ## Gradients that vanish into zero, and loss scaling
#
# float16 has another trouble: its short range. Gradients, the corrections' raw material, are small numbers, and in the first layers of a deep network
# they are tiny. Here is a network of ten sigmoid layers, fresh, and the gradients of its first layer.

# %%
keras.utils.set_random_seed(SEED)
deep_network = keras.Sequential(
    [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    + [keras.layers.Dense(64, activation="sigmoid") for _ in range(10)]
    + [keras.layers.Dense(10)]
)
with tf.GradientTape() as tape:
    loss = LOSS(train_labels[:64], deep_network(train_images[:64]))
gradient = tape.gradient(loss, deep_network.trainable_variables)[0].numpy().ravel()
gradient = gradient[gradient != 0]  # pixels that are always white have none


def lost_in_float16(scale):
    """The share of the gradients that float16 rounds to zero when they are multiplied by scale."""
    return float(np.mean((gradient * np.float32(scale)).astype(np.float16) == 0))


print(
    f"median size {np.median(np.abs(gradient)):.1e}; rounded to zero by float16: {lost_in_float16(1):.3f} of them"
)

# %% [markdown]
# The remedy costs one multiplication. Multiply the *loss* by a large number $S$. Every gradient is then $S$ times as large, since
# $\partial (S L) / \partial w = S \cdot \partial L / \partial w$, and survives in float16. Divide by $S$ afterwards, in float32.
# That is **loss scaling**.

# %% alt="Two histograms of gradient sizes on a logarithmic axis: the plain gradients lie left of float16's smallest number, in the shaded zone; those scaled by 32,768 lie almost all to its right."
SCALE = 2**15
bins = np.linspace(-14, 0, 85)
plt.hist(np.log10(np.abs(gradient)), bins, color=COLOURS["red"], alpha=0.8)
plt.hist(
    np.log10(np.abs(gradient) * SCALE),
    bins,
    color=COLOURS["blue"],
    alpha=0.8,
    hatch="//",
    edgecolor="white",
)
plt.axvspan(-14, np.log10(2.0**-24), color="lightgrey", zorder=0)
top = plt.ylim()[1]
plt.text(-13.8, 0.93 * top, "zero in float16")
plt.text(-9.3, 0.6 * top, "plain", ha="right", color=COLOURS["red"])
plt.text(-2.7, 0.6 * top, f"times {SCALE:,}", color=COLOURS["blue"])
plt.ylim(0, 1.05 * top)
plt.xlabel("size of the gradient, as a power of ten")
plt.ylabel("how many")
plt.title("First layer of a deep network")
plt.show()

# %% without_learning="untrained"
rescued = (gradient * np.float32(SCALE)).astype(np.float16).astype(np.float32) / SCALE
error = np.median(np.abs(rescued - gradient) / np.abs(gradient))
claim(
    "float16 loses more than nine tenths of these gradients; with the loss scaled it loses less than one in fifty",
    lost_in_float16(1) > 0.9 and lost_in_float16(SCALE) < 0.02 and error < 1e-3,
    f"{lost_in_float16(1):.3f} lost, then {lost_in_float16(SCALE):.4f}; median error {error:.1e}",
)

# %% [markdown]
# The scale moves the whole hill to the right, out of the grey zone. Keras does this for you: under the policy `mixed_float16`, `compile` wraps your
# optimizer in a `LossScaleOptimizer`, which also looks for a good $S$ while it trains. bfloat16 has float32's range and needs none of it.
# But the wrapping hangs on the *network's* policy. Give the policy to each layer instead, and nothing is scaled:

# %% without_learning="arithmetic"
layer_by_layer = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(10, dtype="mixed_float16"),
    ]
)
layer_by_layer.compile(optimizer="adam", loss=LOSS)
optimizers = {
    "policy of the network": runs["mixed_float16"].optimizer,
    "policy of its layers": layer_by_layer.optimizer,
}
scaled = [
    isinstance(optimizer, keras.optimizers.LossScaleOptimizer) for optimizer in optimizers.values()
]
claim(
    "Keras scales the loss under the network's policy mixed_float16, and not when only the layers have it",
    scaled == [True, False],
    ", ".join(f"{name}: {type(optimizer).__name__}" for name, optimizer in optimizers.items()),
)

# %% [markdown]
# So set it once, before you build: `keras.config.set_dtype_policy("mixed_float16")`, or `"mixed_bfloat16"` where the GPU has it (NVIDIA since
# its Ampere generation, TPUs). Let the last layer give float32, as ours does. What you gain depends on the hardware: GPUs with units for
# 16-bit products gain much, most CPUs nothing. Measure before you believe it.
#
# ## What fits into memory
#
# Training with Adam keeps, for each weight: the weight, its gradient, and two running averages. Four numbers of 4 bytes make 16 bytes a
# weight, before the first image comes in. Each image then adds the outputs of all layers, which are kept for the way back.


# %%
def megabytes(variables):
    """What a list of variables takes."""
    return sum(np.asarray(variable).nbytes for variable in variables) / 1e6


for policy, network in runs.items():
    weights, averages = megabytes(network.weights), megabytes(network.optimizer.variables)
    print(
        f"{policy:14} {network.count_params():,} weights: {weights:.3f} MB, Adam's averages {averages:.3f} MB"
    )

# %% without_learning="arithmetic"
bytes_a_weight = {
    policy: 1e6 * megabytes(network.weights) / network.count_params()
    for policy, network in runs.items()
}
averages_a_weight = (
    1e6 * megabytes(runs["float32"].optimizer.variables) / runs["float32"].count_params()
)
claim(
    "A weight takes 4 bytes, also under the mixed policies, and 2 in pure bfloat16; Adam adds 8",
    bytes_a_weight == {"float32": 4, "mixed_bfloat16": 4, "mixed_float16": 4, "bfloat16": 2}
    and abs(averages_a_weight - 8) < 0.01,
    f"{bytes_a_weight}, Adam {averages_a_weight:.3f}",
)

# %% [markdown]
# Mixed precision does not shrink the weights. It halves what the layers hand on, and that is most of the memory when images are many and
# large. When a GPU says *out of memory*, halve the batch first: the outputs shrink with it, the weights do not.

# %% [markdown]
# ## The same numbers again
#
# A result that nobody can repeat is a rumour. Training draws random numbers: for the first weights, the order of the examples, for dropout.
# They come from a **generator**, a formula that turns a first number, the **seed**, into a long row of numbers that look random. Same
# seed, same row. `keras.utils.set_random_seed` sets the generators of Python, NumPy and TensorFlow at once.
#
# On a CPU that is enough. A GPU lets thousands of threads add, and whoever is ready adds first: an order that no seed covers, and so other last bits every time.
# `tf.config.experimental.enable_op_determinism()` forbids that and costs speed; where TensorFlow found a GPU, it was called before the first `train`.
#
# Train twice with one seed and once with another. Predict: how many of the weights will be equal to the last bit?

# %%
first = weights_of(train(SEED)[0])
again = weights_of(train(SEED)[0])
other = weights_of(train(SEED + 1000)[0])
for name, weights in (("same seed", again), ("other seed", other)):
    equal = np.sum(weights == first)
    print(
        f"{name:10}  {equal:6,} of {first.size:,} equal, largest difference {np.max(np.abs(weights - first)):.2g}"
    )

# %% tags=["headline"]
claim(
    "On one machine training with the same seed ends with the same weights to the last bit; another seed gives another "
    "network",
    np.array_equal(again, first)
    and np.max(np.abs(first - float32_start)) > 0.05
    and np.mean(other == first) < 0.05
    and np.max(np.abs(other - first)) > 0.05,
    f"{np.sum(again != first)} of {first.size:,} weights differ with the same seed, {np.sum(other != first):,} with another; "
    f"training moved a weight by up to {np.max(np.abs(first - float32_start)):.2f}",
)

# %% [markdown]
# All, against hardly any.
#
# ### What a seed does not cover
#
# **One more random number.** The seed fixes the row of numbers, not what you use them for. Draw one number before you build, and everything
# behind it gets others. In a notebook this happens when you run a cell twice.

# %% without_learning="untrained"
keras.utils.set_random_seed(SEED)
at_once = dense_network().layers[1].get_weights()[0]
keras.utils.set_random_seed(SEED)
keras.random.normal((1,))
after_a_draw = dense_network().layers[1].get_weights()[0]
claim(
    "One random number drawn before the network is built changes its first weights",
    np.mean(at_once == after_a_draw) < 0.05,
    f"{np.mean(at_once == after_a_draw):.3f} of them equal",
)

# %% [markdown]
# **Generators of their own.** `np.random.default_rng()` makes a fresh generator, and no global seed reaches it. Give it one: `np.random.default_rng(SEED)`.

# %% without_learning="arithmetic"
fresh, seeded, with_global = [], [], []
for _ in range(2):
    keras.utils.set_random_seed(SEED)
    with_global.append(np.random.normal())
    fresh.append(np.random.default_rng().normal())
    seeded.append(np.random.default_rng(SEED).normal())
claim(
    "The global seed does not reach a generator made by np.random.default_rng(); a seed of its own does",
    with_global[0] == with_global[1] and fresh[0] != fresh[1] and seeded[0] == seeded[1],
    f"seeded {seeded[0]:.3f} and {seeded[1]:.3f}; the unseeded ones differ on every run",
)

# %% [markdown]
# **The order of a sum.** In floating point, adding is not the same from the left and from the right. Another processor, another number of
# cores, another version of TensorFlow cut a sum into other pieces. We add the same 100,000 numbers forwards and backwards:

# %% without_learning="arithmetic"
numbers = np.random.default_rng(SEED).normal(size=100_000).astype("float32")
forwards, backwards = np.cumsum(numbers)[-1], np.cumsum(numbers[::-1])[-1]
claim(
    "Two orders of the same sum differ, in the last digits",
    0 < abs(forwards - backwards) < 0.1,
    f"{forwards:.5f} and {backwards:.5f}",
)

# %% [markdown]
# So a seed repeats a run on *one* machine with *one* set of versions, and no further. How far apart do two machines end? We play the other machine, which
# rounds a little otherwise: in the fresh network we change each weight of the first layer by its very last bit, and train with the same seed.


# %%
def change_last_bits(network):
    """Replace every weight of the first layer by the next number above it."""
    weights = network.get_weights()
    weights[0] = np.nextafter(weights[0], np.float32(1))
    network.set_weights(weights)


nudged = weights_of(train(SEED, change=change_last_bits)[0])
behind = slice(28 * 28 * 64 + 64, None)  # what follows the first layer's weights and biases
changed, largest = np.sum(nudged[behind] != first[behind]), np.max(np.abs(nudged - first))
claim(
    "Last bits in the first layer change more than a tenth of the weights behind it, and no weight by more than a thousandth",
    changed > 0.1 * first[behind].size and largest < 1e-3,
    f"{changed:,} of {first[behind].size:,} weights behind it differ; largest difference anywhere {largest:.1g}",
)

# %% [markdown]
# The bits spread into layers that were equal at the start, and stayed small: ten epochs on a small task forgive them. Longer trainings of deep networks do
# not. There one bit in one weight grows to a difference as large as that between two seeds (Summers and Dinneen 2021). Do not expect equal weights from
# two machines. Expect equal *conclusions*, and check them over seeds:

# %% alt="Five dots, one for each seed, at different validation accuracies; a dotted line marks their mean."
seed_accuracies = np.array([accuracy_of(train(SEED + 2000 + run)[0]) for run in range(5)])
mean, spread = seed_accuracies.mean(), seed_accuracies.std(ddof=1)
plt.figure(figsize=(6.6, 2.4))
plt.plot(seed_accuracies, range(5), "o", color=COLOURS["blue"], markersize=9)
plt.axvline(mean, color=COLOURS["black"], linestyle=":")
plt.yticks(range(5), [f"seed {SEED + 2000 + run}" for run in range(5)])
plt.xlabel("accuracy on the validation digits")
plt.title("One network, five seeds; dotted: their mean")
plt.show()
print(
    f"mean {mean:.4f}, standard deviation {spread:.4f}; one validation digit is {1 / len(validation_labels):.4f}"
)

# %% [markdown]
# Nothing but the seed differs between these dots. Whoever reports one run reports one dot. A change that gains less than this spread has
# shown nothing; that is why the rankings in this course come from several seeds.
#
# Write down with every result: the seed, the versions (the doctor prints them), the machine, and the order of the cells (*Restart and run all*).

# %% [markdown]
# ## Which machine for which work
#
# ![A decision picture. Done in minutes on your CPU: your own machine, free. If not, and you own an NVIDIA GPU with room: your own machine under Linux or WSL2. If not, and it is done in a few hours without harm if the machine goes: Google Colab. Otherwise a rented machine such as SageMaker or Azure Machine Learning, paid by the hour until you stop it.](../../../images/which_machine.png)
#
# One question comes before all these: *may the data leave your house?* Patients' records and other people's pictures often may not, however
# cheap the GPU.
#
# Menus, names and prices below change every few months. The names of commands, classes and parameters were checked against the makers' documentation and packages; nothing was rented to
# run them. Prices are on the makers' pages, per hour and region. What does not change is the rule: **a rented machine costs money while it exists, not while it works.**

# %% [markdown]
# ### Google Colab: a notebook in the browser
#
# - **For** trying out, teaching, a few hours of GPU. Nothing to install. The packages of this course are there.
# - **First steps.** Open https://colab.research.google.com, then *File > Upload notebook* and one of these lessons. For a GPU: *Runtime > Change runtime type*,
#   choose one, save, and *Runtime > Run all*. The doctor's GPU line now has a name.
# - **Its disk is wiped** when the session ends. What you want to keep goes to your Google Drive:
#   `from google.colab import drive; drive.mount("/content/drive")`.
# - **Costs.** Free, with limits that are not promised: no GPU on some days, a session ends when you leave it idle, and after some hours
#   in any case. Paid
#   plans sell *compute units*, which a connected GPU uses up, working or not.
# - **Stop:** *Runtime > Disconnect and delete runtime*; forgotten ones under *Runtime > Manage sessions*. Closing the tab is not stopping.

# %% [markdown]
# ### Amazon SageMaker AI: notebooks and jobs at Amazon
#
# - **For** teams whose data is at Amazon already, long trainings, many at once, and models that go into service.
# - **First steps in the browser.** In the AWS console open *Amazon SageMaker AI*, set up a **domain** (once), open *Studio*, choose *JupyterLab*, create a
#   **space**, choose an instance (`ml.t3.medium` has the two cores that this course needs) and 10 GB of disk, *Run space*, open JupyterLab and upload a lesson.
# - **First training job**, from your own machine or from a space. A job rents its machine only while it runs. The Python package changed its names in version 3:
#   `ModelTrainer` has replaced `Estimator`, and `train` has replaced `fit`. Old tutorials no longer work.
#
# ```python
# # python -m pip install "sagemaker>=3"; folder code/ holds train.py and requirements.txt
# from sagemaker.core import image_uris
# from sagemaker.core.training.configs import Compute, SourceCode, StoppingCondition
# from sagemaker.train import ModelTrainer
#
# machine = "ml.g4dn.xlarge"  # with a GPU
# image = image_uris.retrieve(
#     "tensorflow", region="eu-west-1", version="2.21", py_version="py312",
#     instance_type=machine, image_scope="training",
# )
# trainer = ModelTrainer(
#     training_image=image,
#     role="arn:aws:iam::ACCOUNT:role/NAME",  # an execution role; inside Studio leave it out
#     source_code=SourceCode(
#         source_dir="code", entry_script="train.py", requirements="requirements.txt"
#     ),
#     compute=Compute(instance_type=machine, instance_count=1),
#     stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),  # the most you can lose
# )
# trainer.train()
# ```
#
# - **Costs.** A space's instance, from *Run* until *Stop*, idle or not; its disk until the space is deleted; a job's instance while it runs; an **endpoint** (a model in service)
#   day and night until it is deleted; files in S3.
# - **Stop.** In Studio: *Running instances*, then *Stop*; delete spaces that you no longer need. Ask for *idle shutdown* in the settings of the domain. In a terminal:
#
# ```
# aws sagemaker list-apps
# aws sagemaker delete-app --domain-id ID --space-name NAME \
#     --app-type JupyterLab --app-name default
# aws sagemaker stop-training-job --training-job-name NAME
# aws sagemaker list-endpoints
# aws sagemaker delete-endpoint --endpoint-name NAME
# ```

# %% [markdown]
# ### Azure Machine Learning Studio: the same at Microsoft
#
# - **For** the same, where the data and the accounts are Microsoft's. The *Studio* (https://ml.azure.com) is its face in the
#   browser; the older *Studio (classic)* of many tutorials closed in 2024.
# - **First steps in the browser.** Create a **workspace**; under *Compute* create a **compute instance** and, on the page *Scheduling*, enable idle shutdown; open
#   it in *Notebooks*, JupyterLab or VS Code and upload a lesson.
# - **The same in a terminal**, with the second version of the tools (`az ml`; support for the first, `azureml-core`, ended in June 2026):
#
# ```
# az extension add --name ml
# az login
# az group create --name course --location westeurope
# az ml workspace create --name course --resource-group course
# az configure --defaults group=course workspace=course
# az ml compute create --file instance.yml
# ```
#
# ```yaml
# # instance.yml. It stops after half an hour without work; say so now, az cannot add it later
# name: choose-a-name-of-your-own
# type: computeinstance
# size: STANDARD_DS3_V2
# idle_time_before_shutdown_minutes: 30
# ```
#
# - **First training job**, on a cluster that shrinks to nothing when no job waits (`az ml compute create --name cluster --type amlcompute --min-instances 0 --max-instances 1`;
#   `az ml compute list-sizes` shows what `--size` may be, GPUs among them; for one, write
#   `tensorflow[and-cuda]` into `requirements.txt`):
#
# ```python
# # python -m pip install azure-ai-ml azure-identity; folder code/ holds train.py and requirements.txt
# from azure.ai.ml import MLClient, command
# from azure.ai.ml.entities import Environment
# from azure.identity import DefaultAzureCredential
#
# client = MLClient(DefaultAzureCredential(), "your subscription's ID", "course", "course")
# job = command(
#     code="code",
#     command="pip install -r requirements.txt && python train.py",
#     environment=Environment(image="tensorflow/tensorflow:2.20.0"),  # a container with Python
#     compute="cluster",
#     timeout=3600,  # seconds: the most you can lose
# )
# client.jobs.create_or_update(job)
# ```
#
# - **Costs.** An instance by the hour while it is on, idle or not. Stopped, it still costs its disk and its network address. Storage, registry and key vault, which came with the
#   workspace, cost a little every day, even after the workspace is gone.
# - **Stop:** `az ml compute stop --name NAME` for the night, `az ml compute delete --name NAME` for good, `az ml job cancel --name NAME`, and when the course is over
#   `az group delete --name course`, which takes everything along. Do not shut the machine down from its own terminal.

# %% [markdown]
# ### VS Code: one editor, any of these machines
#
# - **For** those who like their editor, and for work that moves between machines: the notebook stays, the kernel changes.
# - **First steps.** `code --install-extension ms-python.python --install-extension ms-toolsai.jupyter`, open a lesson, press *Select Kernel*, choose
#   *Python Environments*, then `course`. For another machine choose *Existing Jupyter Server* and paste its address, or open WSL2 or a
#   server over SSH with the *Remote* extensions.
# - **Costs.** Nothing. The machine behind the kernel costs what it costs.
# - **Stop** that machine, not the editor. Closing the window leaves it on, and an open connection keeps idle shutdown from starting.

# %% [markdown]
# ## Common mistakes
#
# - **`ModuleNotFoundError` right after installing.** `pip` belonged to another Python. Use `%pip` in a cell, or `python -m pip` in the environment.
# - **The new version does not show.** The old one is still imported. Restart the kernel.
# - **"TensorFlow does not see my GPU", on Windows.** It never will, since 2.11. WSL2.
# - **A driver from yesterday.** `nvidia-smi` must answer *before* any `pip install` can help.
# - **A Mac with an Apple chip, and pip finds no TensorFlow.** Its Python was built for Intel: `python -c "import platform; print(platform.machine())"` must say `arm64`.
# - **Comparing times from the first step.** It includes building the graph. Leave it out, and take several.
# - **Pure float16 or bfloat16 for weights.** Use the policies whose names begin with `mixed_`.
# - **Equal to six digits on your laptop, to three on the new GPU.** TF32. Switch it off while you compare.
# - **A seed at the top, cells run out of order.** *Restart and run all* before you write a number down.
# - **The tab is closed, the machine is on.** Look at the list of running instances before you go home, and set an alarm on the bill.

# %% [markdown]
# ## Exercise 1: predict
#
# float16 has ten fraction bits. You compute `np.float16(2048) + np.float16(1)`. What comes out? Replace `None` by your number, before
# you try it.

# %% tags=["exercise"]
my_prediction = None  # replace None with a number
### BEGIN SOLUTION
# From 2048 = 2^11 on, ten fraction bits make steps of 2^11 / 2^10 = 2. The 1 is half a step and is rounded back, to the even neighbour.
my_prediction = 2048
### END SOLUTION

# %% tags=["wrong"] says="how far apart are neighbours in float16 from 2048 = 2^11 on?"
my_prediction = 2049

# %% tags=["wrong"] says="no infinity here"
my_prediction = float("inf")

# %% tags=["wrong"] says="1 lies halfway between two neighbours: which one is even?"
my_prediction = 2050

# %% tags=["check"]
with feedback("Predict"):
    predicted = float(my_prediction)
    assert np.isfinite(predicted), "float16 reaches up to 65,504: no infinity here"
    assert predicted != 2049, "how far apart are neighbours in float16 from 2048 = 2^11 on?"
    assert predicted != 2050, (
        "2048 + 1 lies halfway between two neighbours: which one is even? Look at the last fraction bit"
    )
    assert predicted == float(np.float16(2048) + np.float16(1)), (
        f"not {predicted:g}: which float16 lies nearest to 2049?"
    )

# %% [markdown]
# ## Exercise 2: will it fit?
#
# How many bytes does training take for the weights, their gradients and the optimizer's running averages, all in float32? SGD keeps no average, SGD with momentum one,
# Adam two for each weight.


# %% tags=["exercise"]
def training_bytes(weight_count, averages):
    """Bytes for training weight_count weights with an optimizer that keeps this many averages for each."""
    ### BEGIN SOLUTION
    numbers_a_weight = 1 + 1 + averages  # the weight, its gradient, the averages
    return 4 * numbers_a_weight * weight_count
    ### END SOLUTION


# %% tags=["wrong"] says="the gradients take memory, too"
def training_bytes(weight_count, averages):  # forgets the gradients
    return 4 * (1 + averages) * weight_count


# %% tags=["wrong"] says="you take 2 bytes for a number"
def training_bytes(weight_count, averages):  # two bytes a number
    return 2 * (2 + averages) * weight_count


# %% tags=["wrong"] says="the averages take memory, too"
def training_bytes(weight_count, averages):  # always Adam
    return 16 * weight_count


# %% tags=["check"]
with feedback("Will it fit?"):
    sgd, momentum = training_bytes(1000, 0), training_bytes(1000, 1)
    assert sgd is not None, "return a number of bytes"
    assert sgd != momentum, "the averages take memory, too: momentum needs more than plain SGD"
    assert momentum - sgd == 4000, (
        f"you take {(momentum - sgd) / 1000:g} bytes for a number: float32 has 32 bits"
    )
    assert sgd != 4000, "the gradients take memory, too: one for each weight"
    for name, optimizer, averages in (
        ("SGD", keras.optimizers.SGD(), 0),
        ("SGD with momentum", keras.optimizers.SGD(momentum=0.9), 1),
        ("Adam", keras.optimizers.Adam(), 2),
    ):
        for width in (16, 200):
            network = dense_network(width)
            optimizer = type(optimizer).from_config(optimizer.get_config())
            optimizer.build(network.trainable_variables)
            weight_bytes = sum(np.asarray(weights).nbytes for weights in network.weights)
            big = [
                np.asarray(variable).nbytes
                for variable in optimizer.variables
                if len(variable.shape)
            ]
            right = 2 * weight_bytes + sum(big)  # a gradient is as large as its weight
            got = training_bytes(network.count_params(), averages)
            assert got == right, (
                f"{name}, {network.count_params():,} weights: Keras takes {right:,} bytes, you say {got:,}"
            )

# %% [markdown]
# ## Exercise 3: repair this
#
# This function should give the same weights for the same seed, and others for another. It does neither one nor the other as it should. Find **both**
# leaks, let `seed` itself mend them, and leave the training as it is.
#
# ```python
# def train_a_little(seed):
#     order = np.random.default_rng().permutation(len(train_images))
#     network = dense_network(16)
#     network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
#     for start in range(0, 192, 64):
#         chosen = order[start : start + 64]
#         network.train_on_batch(train_images[chosen], train_labels[chosen])
#     return weights_of(network)
# ```


# %% tags=["exercise"]
def train_a_little(seed):
    """The weights after three steps on random batches: the same for the same seed, others for another."""
    ### BEGIN SOLUTION
    keras.utils.set_random_seed(seed)  # the first weights
    order = np.random.default_rng(seed).permutation(len(train_images))  # the order of the images
    network = dense_network(16)
    network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for start in range(0, 192, 64):
        chosen = order[start : start + 64]
        network.train_on_batch(train_images[chosen], train_labels[chosen])
    return weights_of(network)
    ### END SOLUTION


# %% tags=["wrong"] says="who draws the *first* weights"
def train_a_little(seed):  # the order is seeded, the first weights are not
    order = np.random.default_rng(seed).permutation(len(train_images))
    network = dense_network(16)
    network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for start in range(0, 192, 64):
        network.train_on_batch(
            train_images[order[start : start + 64]], train_labels[order[start : start + 64]]
        )
    return weights_of(network)


# %% tags=["wrong"] says="Who draws the order of the images"
def train_a_little(seed):  # the first weights are seeded, the order is not
    keras.utils.set_random_seed(seed)
    order = np.random.default_rng().permutation(len(train_images))
    network = dense_network(16)
    network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for start in range(0, 192, 64):
        network.train_on_batch(
            train_images[order[start : start + 64]], train_labels[order[start : start + 64]]
        )
    return weights_of(network)


# %% tags=["wrong"] says="seeds 3 and 4 give the same weights"
def train_a_little(seed):  # always the same, whatever the seed
    keras.utils.set_random_seed(0)
    network = dense_network(16)
    network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for start in range(0, 192, 64):
        network.train_on_batch(train_images[start : start + 64], train_labels[start : start + 64])
    return weights_of(network)


# %% tags=["wrong"] says="other images than the first 192 in the order of the seed"
def train_a_little(seed):  # the first weights follow the seed, the order is always the same
    keras.utils.set_random_seed(seed)
    order = np.random.default_rng(0).permutation(len(train_images))
    network = dense_network(16)
    network.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for start in range(0, 192, 64):
        network.train_on_batch(
            train_images[order[start : start + 64]], train_labels[order[start : start + 64]]
        )
    return weights_of(network)


# %% tags=["wrong"] says="it took no step"
def train_a_little(seed):  # mends the leaks, and does not train
    keras.utils.set_random_seed(seed)
    return weights_of(dense_network(16))


# %% tags=["check"]
with feedback("Repair this"):
    tried = list(map(train_a_little, (3, 3, 4)))
    keras.utils.set_random_seed(4)
    reference = dense_network(16)
    untrained = weights_of(reference)
    for weights in tried:
        assert weights is not None, "return weights_of(network)"
        assert np.shape(weights) == untrained.shape, (
            "return the weights of dense_network(16), no others"
        )
    assert not np.array_equal(tried[0], tried[2]), (
        "seeds 3 and 4 give the same weights: the seed must reach every generator"
    )
    difference = np.max(np.abs(tried[0] - tried[1]))
    assert difference < 0.1, (
        "seed 3 gives other weights each time, from the start: who draws the *first* weights?"
    )
    assert difference == 0, (
        f"seed 3 gives weights {difference:.1g} apart: same start, other way. Who draws the order of the images?"
    )
    assert not np.array_equal(tried[2], untrained), "it took no step: train, batch after batch"
    assert np.max(np.abs(tried[2] - untrained)) < 0.1, (
        "seed 4 does not start from the weights that set_random_seed(4) gives, or trains otherwise"
    )
    reference.compile(optimizer="sgd", loss=LOSS, run_eagerly=True)
    for chosen in np.split(np.random.default_rng(4).permutation(len(train_images))[:192], 3):
        _ = reference.train_on_batch(train_images[chosen], train_labels[chosen])
    assert np.allclose(tried[2], weights_of(reference), atol=1e-6), (
        "seed 4 starts well and ends elsewhere: it took other steps, or other images than the first 192 in the order "
        "of the seed"
    )

# %% [markdown]
# ## Exercise 4: rent wisely
#
# You know how many images a second each machine on offer learns (you measured ten steps), what it costs an hour, and how many minutes it takes
# to start, which you pay, too. Return the name of the machine that does the whole training for the least money and within the deadline, or `None` where
# none does.

# %% tags=["setup"]
OFFERS = [  # made-up figures, of the size of real ones
    {"name": "small CPU", "images_per_second": 900, "price_per_hour": 0.10, "start_minutes": 1},
    {"name": "large CPU", "images_per_second": 4_000, "price_per_hour": 0.80, "start_minutes": 2},
    {"name": "small GPU", "images_per_second": 20_000, "price_per_hour": 0.75, "start_minutes": 6},
    {"name": "large GPU", "images_per_second": 150_000, "price_per_hour": 5.00, "start_minutes": 9},
]


# %% tags=["exercise"]
def best_offer(offers, images, epochs, deadline_hours):
    """The name of the offer that trains on `images` images for `epochs` epochs for the least money in time, or None."""
    ### BEGIN SOLUTION
    bills = {}
    for offer in offers:
        hours = offer["start_minutes"] / 60 + images * epochs / offer["images_per_second"] / 3600
        if hours <= deadline_hours:
            bills[offer["name"]] = hours * offer["price_per_hour"]
    return min(bills, key=bills.get) if bills else None
    ### END SOLUTION


# %% tags=["wrong"] says="the lowest price of an hour is not the lowest bill"
def best_offer(offers, images, epochs, deadline_hours):  # the lowest price an hour
    return min(offers, key=lambda offer: offer["price_per_hour"])["name"]


# %% tags=["wrong"] says="the fastest is not the cheapest in the end"
def best_offer(offers, images, epochs, deadline_hours):  # the fastest
    return max(offers, key=lambda offer: offer["images_per_second"])["name"]


# %% tags=["wrong"] says="the start is paid, too"
def best_offer(
    offers, images, epochs, deadline_hours
):  # forgets the start, which is paid and takes time
    hours = {offer["name"]: images * epochs / offer["images_per_second"] / 3600 for offer in offers}
    bills = {offer["name"]: hours[offer["name"]] * offer["price_per_hour"] for offer in offers}
    return min(
        [name for name in bills if hours[name] <= deadline_hours], key=bills.get, default=None
    )


# %% tags=["wrong"] says="the start takes time, too"
def best_offer(
    offers, images, epochs, deadline_hours
):  # pays for the start, and lets it take no time
    bills = {}
    for offer in offers:
        work = images * epochs / offer["images_per_second"] / 3600
        if work <= deadline_hours:
            hours = work + offer["start_minutes"] / 60
            bills[offer["name"]] = hours * offer["price_per_hour"]
    return min(bills, key=bills.get) if bills else None


# %% tags=["check"]
with feedback("Rent wisely"):
    slow = {"name": "a", "images_per_second": 1000, "price_per_hour": 1.0, "start_minutes": 60}
    late = {"name": "b", "images_per_second": 10, "price_per_hour": 0.01, "start_minutes": 1}
    fast = {"name": "c", "images_per_second": 4000, "price_per_hour": 10.0, "start_minutes": 1}
    for offers, images, epochs, deadline, answer, hints in (
        ([fast, slow], 3_600_000, 1, 24, "a", {"c": "the fastest is not the cheapest in the end"}),
        ([fast, slow], 36_000, 100, 24, "a", {"c": "every epoch goes through all images"}),
        (OFFERS, 1_000_000, 10, 24, "small GPU", {
            "small CPU": "the lowest price of an hour is not the lowest bill",
            "large GPU": "the start is paid, too"}),
        (OFFERS, 1_000_000, 10, 0.1, None, {
            "large GPU": "the start takes time, too", "small GPU": "it is too late"}),
        (OFFERS, 10_000_000, 50, 2, "large GPU", {"small GPU": "it is too late"}),
        (OFFERS, 60_000, 3, 24, "small CPU", {}),
        (OFFERS[::-1], 50_000_000, 100, 240, "large GPU", {}),
        ([late, slow], 1_200_000, 3, 2, "a", {None: "two hours are not more than two hours"}),
        ([late, slow], 1_200_000, 3, 1.9999, None, {}),
    ):  # fmt: skip
        got = best_offer(offers, images, epochs, deadline)
        hint = hints.get(got, "work out hours and bill of each machine on paper")
        assert got == answer, (
            f"{images:,} images, {epochs} epochs, {deadline} hours: {answer} is right, you chose {got}: {hint}"
        )

# %% [markdown]
# ## Summary
#
# - The doctor says what a machine has, what is missing, and the command that mends it. A GPU that TensorFlow cannot use makes no error, only a long wait.
# - A step costs a fixed price and a price for each image. Batches share the fixed price; width buys arithmetic, and a GPU makes arithmetic cheap.
# - Ten measured steps foretell the time, and so the bill.
# - float16 ends early, bfloat16 has few digits. TF32 keeps the range and rounds what goes into products, on newer NVIDIA GPUs only; these lessons switch it off. Mixed precision keeps the weights in float32 and loses nothing here; pure 16-bit weights lose updates, or everything.
# - The same seed on the same machine repeats a training to the last bit, on a GPU with deterministic operations. Another machine does not; conclusions must hold over seeds.
# - A rented machine costs while it exists.
#
# Not shown: the speed of mixed precision and of several GPUs (lesson 8.4), feeding a fast processor without letting it wait (8.1), and serving a model (8.5).
# Next: lesson 2.1 takes the network apart, down to one neuron.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Your GPU is at a tenth of its load while it trains. Name two causes and what you would try.</summary>
#
# The fixed price of each step: make the batch larger. Or the processor waits for data: load and prepare it ahead (lesson 8.1). A
# small network may simply have too little arithmetic for a GPU.
#
# </details>
#
# <details>
# <summary>Why does doubling the batch not double the memory that training takes?</summary>
#
# Weights, gradients and the optimizer's averages do not depend on the batch. Only the outputs of the layers, kept for the way back, do.
#
# </details>
#
# <details>
# <summary>bfloat16 has fewer digits than float16. Why do many prefer it for training?</summary>
#
# It has the range of float32. Gradients neither vanish into zero nor run into infinity, so there is no loss scale to look after. The
# missing digits matter little in products and sums that are rounded once, while the weights stay in float32.
#
# </details>
#
# <details>
# <summary>A colleague runs your notebook with your seed and gets 0.9632 where you got 0.9666. Who made a mistake?</summary>
#
# Perhaps nobody. Other hardware or other versions add in another order. Compare versions, run all cells in order on both sides, then compare means over several
# seeds: the difference should be small against the spread.
#
# </details>
#
# <details>
# <summary>You closed the laptop on Friday and the notebook on the rented GPU was open. What do you pay by Monday?</summary>
#
# Every hour, unless idle shutdown was on. Even then: a kernel that is still open counts as activity, so shut it down. And the disk, in any
# case.
#
# </details>

# %% [markdown]
# ## References
#
# - D. Goldberg (1991). What every computer scientist should know about floating-point arithmetic. doi:10.1145/103162.103163
# - P. Micikevicius et al. (2018). Mixed precision training. arXiv:1710.03740
# - D. Kalamkar et al. (2019). A study of BFLOAT16 for deep learning training. arXiv:1905.12322
# - C. Summers, M. J. Dinneen (2021). Nondeterminism and instability in neural network optimization. arXiv:2103.04514
# - S. Williams, A. Waterman, D. Patterson (2009). Roofline: an insightful visual performance model for multicore architectures. doi:10.1145/1498765.1498785
# - NVIDIA. Accelerating AI training with NVIDIA TF32 Tensor Cores. developer.nvidia.com/blog/accelerating-ai-training-with-tf32-tensor-cores
# - Documentation: tensorflow.org/api_docs/python/tf/config/experimental/enable_tensor_float_32_execution and, beside it, enable_op_determinism; tensorflow.org/install/pip; sagemaker.readthedocs.io; learn.microsoft.com/azure/machine-learning; research.google.com/colaboratory/faq.html
