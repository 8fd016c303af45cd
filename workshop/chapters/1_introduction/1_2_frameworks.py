# ---
# jupyter:
#   course:
#     prerequisites: ["1.1"]
#     optional: ["torch"]
#     equal_programs:
#       "Repair this":
#         "keyword dropped: zip(variables, gradients, strict=True) -> zip(variables, gradients)": "both have the same length"
#         "constant: True -> False": "strict only matters where the lengths differ"
#       "Beat Otsu in the shadow":
#         "constant: 0 -> 1": "the blur of width 1 has nearly the weights that OpenCV has of itself for 5 x 5 pixels"
#         "constant: 255 -> 256": "OpenCV cuts the value to a byte: 255"
#         "constant: 20 -> *": "a step more or less of darkness is another mask that meets the goal"
#     core_minutes: 105
# ---

# %% [markdown]
# # 1.2 Frameworks
#
# **After this lesson you can** say what a deep-learning framework does for you, write the same network in NumPy,
# TensorFlow, Keras and PyTorch, carry weights from one to another, use compiled graphs without falling into their traps,
# cut a picture up with OpenCV for a network to read, and choose the right tool for a task.
#
# **You build** one network four times, equal in every number, and a program that finds and reads the handwritten digits
# on a noisy page.
#
# **Question.** Four libraries offer you the same network. Do they compute the same, and if so, why are there four?

# %% tags=["setup"]
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.datasets
import sklearn.neighbors
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    show_images,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# PyTorch is the one library here that the course can do without. Where it is missing, its cells say so and the lesson goes on.

# %%
try:
    import torch
except (ImportError, OSError):  # not there, or without a system library that it needs
    torch = None

if torch is None:
    print("PyTorch is not installed. To get it: pip install torch")
    print(
        "(smaller, for the CPU alone: pip install torch --index-url https://download.pytorch.org/whl/cpu)"
    )
else:
    torch.set_num_threads(
        1
    )  # two libraries in one process: their threads would fight for the same cores
    print("PyTorch is installed: its cells will run.")

# %% [markdown]
# ## What a framework does for you
#
# A **framework** is a library that takes over the parts of deep learning that are the same in every project. There are five:
#
# | job | what it means | where you see it below |
# |---|---|---|
# | **tensors** | arrays of numbers that can live on a GPU | *Tensors* |
# | **automatic differentiation** | the gradient of whatever you computed, without a pen | *Automatic differentiation* |
# | **layers, losses, optimizers** | parts that are tested, so that you need not write them | *The same network, four times* |
# | **compilation** | your Python becomes a graph that runs without Python | *Eager and compiled* |
# | **everything around** | loading data, saving models, many GPUs, phones | lessons 8.1, 8.4 and 8.5 |

# %% [markdown]
# ![A stack of boxes. On top your program. Below it two high-level libraries: Keras, which stands on TensorFlow, JAX or PyTorch, and fastai, which stands on PyTorch alone. These three engines stand on the hardware: CPU, GPU, TPU. Beside the stack: NumPy, arrays on the CPU without gradients, and OpenCV, pictures before and after the network.](../../../images/frameworks_stack.png)

# %% [markdown]
# **Keras** is the top floor: layers and training loops. It computes nothing itself and asks an engine, its **backend**, to do it:
# TensorFlow in this course. **NumPy** has arrays, but no gradients and no GPU. So in NumPy we do the first job with its help and the
# other four by hand. That is the best way to see what the frameworks take off you.

# %% [markdown]
# ## The same network, four times: by hand first
#
# The network has one hidden layer. Inputs $x$ meet the first weights, ReLU bends the sum, and the second weights give one **output** for
# each class, also called **logit**:
#
# $$z = x W_1 + b_1, \qquad a = \max(0, z), \qquad o = a W_2 + b_2$$
#
# The softmax turns outputs into shares $p_k = e^{o_k} / \sum_j e^{o_j}$, and the loss of one example is $L = -\ln p_y$, where $y$ is the
# right class. Now the gradient, factor by factor, from the loss back to the first weights:
#
# 1. $L = -o_y + \ln \sum_j e^{o_j}$, so $\dfrac{\partial L}{\partial o} = p - \text{onehot}(y)$: the shares, minus 1 at the right class.
# 2. $o = a W_2 + b_2$, so $\dfrac{\partial L}{\partial W_2} = a^{\top} \dfrac{\partial L}{\partial o}$, $\dfrac{\partial L}{\partial b_2} = \dfrac{\partial L}{\partial o}$ and $\dfrac{\partial L}{\partial a} = \dfrac{\partial L}{\partial o} W_2^{\top}$.
# 3. ReLU passes the gradient where $z > 0$ and stops it elsewhere: $\dfrac{\partial L}{\partial z} = \dfrac{\partial L}{\partial a} \cdot [z > 0]$.
# 4. The first layer is like the second: $\dfrac{\partial L}{\partial W_1} = x^{\top} \dfrac{\partial L}{\partial z}$, $\dfrac{\partial L}{\partial b_1} = \dfrac{\partial L}{\partial z}$.
#
# The picture does it with numbers chosen so that you need no calculator. Follow it once with a pen.

# %% [markdown]
# ![A chain from left to right: x is 1 and 2, z is 2 and minus 1, a is 2 and 0, the outputs o are 4 and 4, the shares p one half each, the loss ln 2. Below it the gradients run back from right to left: minus one half and one half at o, minus one half and minus two and a half at a, minus one half and 0 at z.](../../../images/frameworks_by_hand.png)

# %% [markdown]
# For a batch the loss is the mean over its examples, so the gradient at the outputs is divided by their number. This is all:


# %%
def forward(weights, x):
    """The network's z, a and outputs. weights: W1 (inputs, hidden), b1, W2 (hidden, classes), b2. x: (examples, inputs)."""
    W1, b1, W2, b2 = weights
    z = x @ W1 + b1
    a = np.maximum(z, 0)
    return z, a, a @ W2 + b2


def loss_and_gradients(weights, x, y):
    """Mean cross-entropy of a batch and its gradient for each of the four weights. y: (examples,) class numbers."""
    z, a, outputs = forward(weights, x)
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))  # same shares, no overflow
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -np.log(shares[np.arange(len(y)), y]).mean()

    d_outputs = shares.copy()
    d_outputs[np.arange(len(y)), y] -= 1
    d_outputs /= len(y)
    d_z = (d_outputs @ weights[2].T) * (z > 0)
    return loss, [x.T @ d_z, d_z.sum(axis=0), a.T @ d_outputs, d_outputs.sum(axis=0)]


# %% tags=["nbval-check-output"]
tiny_weights = [
    np.array([[1.0, 1.0], [0.5, -1.0]]),
    np.zeros(2),
    np.array([[2.0, 1.0], [3.0, -2.0]]),
    np.array([0.0, 2.0]),
]
tiny_x, tiny_y = np.array([[1.0, 2.0]]), np.array([0])
tiny_loss, tiny_gradients = loss_and_gradients(tiny_weights, tiny_x, tiny_y)
print(f"loss {tiny_loss:.4f}, ln 2 = {np.log(2):.4f}")
for name, gradient in zip(("W1", "b1", "W2", "b2"), tiny_gradients, strict=True):
    print(f"gradient of {name}: {(gradient + 0.0).tolist()}")

# %% [markdown]
# These are the picture's numbers. The second hidden neuron had $z = -1$: ReLU closed it, and its weights get no gradient at all.
#
# Is the derivation right? Ask the loss itself: nudge one weight up and down by $h$ and see how the loss changes. This **finite difference**
# $\frac{L(w + h) - L(w - h)}{2h}$ needs no calculus.


# %% without_learning="arithmetic"
def finite_differences(weights, x, y, h=1e-6):
    """The gradient by trying: each weight in turn a little up and a little down."""
    gradients = [np.zeros_like(weight) for weight in weights]
    for weight, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(weight.shape):
            stored = weight[place]
            weight[place] = stored + h
            above = loss_and_gradients(weights, x, y)[0]
            weight[place] = stored - h
            below = loss_and_gradients(weights, x, y)[0]
            weight[place] = stored
            gradient[place] = (above - below) / (2 * h)
    return gradients


tried = finite_differences(tiny_weights, tiny_x, tiny_y)
far = max(np.abs(ours - theirs).max() for ours, theirs in zip(tiny_gradients, tried, strict=True))
claim(
    "The gradients derived by hand are the slopes that one finds by trying",
    far < 1e-8,
    f"largest difference {far:.1e} over {sum(weight.size for weight in tiny_weights)} weights",
)

# %% [markdown]
# ## The same start for all four
#
# Now the real thing: handwritten digits of 28 times 28 pixels, 64 hidden neurons, 10 classes. Four versions can only be compared if they
# start from the *same* weights, see the *same* batch and take the *same* step. So NumPy draws the weights, once. We keep each version's
# outputs, gradients and weights after one step of stochastic gradient descent, $w \leftarrow w - \eta\, \partial L / \partial w$, in one dictionary.

# %% tags=["setup"]
(
    (training_images, training_labels),
    (validation_images, validation_labels),
    (test_images, test_labels),
) = load_digits(seed=SEED)

# %%
HIDDEN, CLASSES, LEARNING_RATE, BATCH = 64, 10, 0.1, 64
training_x = training_images.reshape(len(training_images), -1)  # (examples, 784)
validation_x = validation_images.reshape(len(validation_images), -1)

generator = np.random.default_rng(SEED)
first_limit, second_limit = (
    np.sqrt(6 / (784 + HIDDEN)),
    np.sqrt(6 / (HIDDEN + CLASSES)),
)  # as Keras does
start_weights = [
    generator.uniform(-first_limit, first_limit, (784, HIDDEN)).astype("float32"),
    np.zeros(HIDDEN, "float32"),
    generator.uniform(-second_limit, second_limit, (HIDDEN, CLASSES)).astype("float32"),
    np.zeros(CLASSES, "float32"),
]
batch_x, batch_y = training_x[:BATCH], training_labels[:BATCH]
results = {}

# %% [markdown]
# ### NumPy
#
# You wrote the network already; a step is one more line.

# %%
_, numpy_gradients = loss_and_gradients(start_weights, batch_x, batch_y)
after_step = [
    weight - np.float32(LEARNING_RATE) * gradient
    for weight, gradient in zip(start_weights, numpy_gradients, strict=True)
]
results["NumPy"] = forward(start_weights, batch_x)[2], numpy_gradients, after_step

# %% [markdown]
# ### TensorFlow
#
# Read the next cell for what is *gone*: the whole backward half. A `tf.Variable` is a tensor that may change. The `GradientTape`
# records what happens to variables, and `tape.gradient` plays the recording backwards.


# %%
def tensorflow_outputs(variables, x):
    W1, b1, W2, b2 = variables
    return tf.nn.relu(x @ W1 + b1) @ W2 + b2


def tensorflow_step(variables, x, y):
    """One step of gradient descent on the variables. Returns the gradients."""
    with tf.GradientTape() as tape:
        outputs = tensorflow_outputs(variables, x)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=outputs)
        )
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(LEARNING_RATE * gradient)
    return gradients


variables = [tf.Variable(weight) for weight in start_weights]
x_tensor, y_tensor = tf.constant(batch_x), tf.constant(batch_y)
outputs = tensorflow_outputs(variables, x_tensor)
gradients = tensorflow_step(variables, x_tensor, y_tensor)
results["TensorFlow"] = outputs, gradients, variables

# %% [markdown]
# ### Keras
#
# Now the formulas are gone as well: two `Dense` layers, a loss and an optimizer by name. `train_on_batch` is one turn of the loop inside
# `fit`. The loss must know that it gets outputs and not shares: `from_logits=True`.

# %%
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(CLASSES),
    ]
)
model.set_weights(start_weights)
loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE), loss=loss_function)

with tf.GradientTape() as tape:  # only to look at the gradients; training does not need it
    outputs = model(x_tensor)
    loss = loss_function(y_tensor, outputs)
gradients = tape.gradient(loss, model.trainable_variables)
_ = model.train_on_batch(x_tensor, y_tensor)
results["Keras"] = outputs, gradients, model.get_weights()

# %% [markdown]
# ### PyTorch
#
# PyTorch keeps each gradient *inside* its weight, as `weight.grad`: `loss.backward()` fills it in, `optimizer.step()` uses it. And mind the `.T`:
# PyTorch's `Linear` stores its weights as (outputs, inputs), the other way round from Keras's (inputs, outputs).


# %%
def torch_network(weights):
    """The network with these starting weights, given as in Keras."""
    network = torch.nn.Sequential(
        torch.nn.Linear(784, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
    )
    with torch.no_grad():  # copying is no part of the computation to differentiate
        for parameter, weight in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight.T))
    return network


def torch_step(network, optimizer, x, y):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(network(x), y).backward()
    optimizer.step()


# %%
if torch is not None:
    network = torch_network(start_weights)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    x_torch, y_torch = torch.from_numpy(batch_x), torch.from_numpy(batch_y)
    outputs = network(x_torch).detach().numpy()
    torch_step(network, optimizer, x_torch, y_torch)
    gradients = [parameter.grad.numpy().T for parameter in network.parameters()]
    after_step = [parameter.detach().numpy().T for parameter in network.parameters()]
    results["PyTorch"] = outputs, gradients, after_step

# %% [markdown]
# ### Do they agree?
#
# As a referee we compute everything once more in NumPy with 64-bit numbers, which carry about 16 decimal digits instead of 7.
# Predict: will the four versions differ from the referee not at all, in the seventh digit, or in the third?

# %%
exact_weights = [weight.astype("float64") for weight in start_weights]
exact_x = batch_x.astype("float64")
_, exact_gradients = loss_and_gradients(exact_weights, exact_x, batch_y)
exact_step = [
    weight - LEARNING_RATE * gradient
    for weight, gradient in zip(exact_weights, exact_gradients, strict=True)
]
referee = [forward(exact_weights, exact_x)[2]], exact_gradients, exact_step


def largest_difference(arrays, other_arrays):
    return max(
        np.abs(np.asarray(one) - np.asarray(other)).max()
        for one, other in zip(arrays, other_arrays, strict=True)
    )


differences = {
    name: [
        largest_difference(mine, exact)
        for mine, exact in zip(([outputs], gradients, after_step), referee, strict=True)
    ]
    for name, (outputs, gradients, after_step) in results.items()
}

# %% tags=["headline"]
print(f"{'largest difference':20s}{'outputs':>10s}{'gradients':>11s}{'one step':>10s}")
for name, (of_outputs, of_gradients, of_step) in differences.items():
    print(f"{name:20s}{of_outputs:10.1e}{of_gradients:11.1e}{of_step:10.1e}")

*all_but_last, last = results
claim(
    f"The same network in {', '.join(all_but_last)} and {last} has the same outputs, gradients and weights after one step",
    max(map(max, differences.values())) < 5e-6,  # so any two versions agree to 1e-5
    f"largest difference from 64-bit arithmetic {max(map(max, differences.values())):.1e}",
)

# %% [markdown]
# They agree as closely as 32-bit numbers can. **The mathematics does not depend on the framework.** Nobody's network is better because it was
# written in this library or that one.
#
# But agree is not equal. A 32-bit number keeps about 7 digits, so every addition rounds, and each library adds in an order of its own:

# %% tags=["nbval-check-output"]
large, small = np.float32(10**8), np.float32(1)
print("(large + small) - large =", (large + small) - large)
print("(large - large) + small =", (large - large) + small)

# %% [markdown]
# Does rounding grow while a network trains? A hundred steps on the same batches, each version against the referee:

# %%
STEPS = 100
batches = generator.integers(0, len(training_x), (STEPS, BATCH))
exact_weights = [weight.astype("float64") for weight in start_weights]
numpy_weights = [weight.copy() for weight in start_weights]
variables = [tf.Variable(weight) for weight in start_weights]
model.set_weights(start_weights)
if torch is not None:
    network = torch_network(start_weights)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)


def numpy_step(weights, x, y):
    rate = weights[0].dtype.type(LEARNING_RATE)
    _, gradients = loss_and_gradients(weights, x, y)
    return [weight - rate * gradient for weight, gradient in zip(weights, gradients, strict=True)]


# %%
drift = {name: [] for name in results}
for chosen in batches:
    x, y = training_x[chosen], training_labels[chosen]
    exact_weights = numpy_step(exact_weights, x.astype("float64"), y)
    numpy_weights = numpy_step(numpy_weights, x, y)
    tensorflow_step(variables, tf.constant(x), tf.constant(y))
    _ = model.train_on_batch(x, y)
    now = {"NumPy": numpy_weights, "TensorFlow": variables, "Keras": model.get_weights()}
    if torch is not None:
        torch_step(network, optimizer, torch.from_numpy(x), torch.from_numpy(y))
        now["PyTorch"] = [parameter.detach().numpy().T for parameter in network.parameters()]
    for name, weights in now.items():
        drift[name].append(largest_difference(weights, exact_weights))

# %% alt="Curves, one for each library, of the largest weight difference from 64-bit arithmetic against the training step, on a logarithmic axis. They lie close together and rise quickly at first, then slowly, from about one hundred-millionth to less than one millionth."
figure, axes = plt.subplots()
for name, curve in drift.items():
    axes.semilogy(np.arange(1, STEPS + 1), curve, label=name)
axes.set(
    xlabel="training step",
    ylabel="largest difference of a weight",
    title="How far 32-bit training drifts from 64-bit training",
)
axes.legend()
plt.show()

# %%
answers = {
    name: forward(list(map(np.asarray, weights)), validation_x)[2].argmax(axis=1)
    for name, weights in now.items()
}
same_answers = min(np.mean(answer == answers["NumPy"]) for answer in answers.values())
accuracy = np.mean(answers["NumPy"] == validation_labels)
largest_drift = max(max(curve) for curve in drift.values())
claim(
    "After 100 steps the weights still agree to 1e-4 and the trained networks give the same answers",
    largest_drift < 1e-4 and same_answers > 0.99 and accuracy > 0.8,
    f"largest drift {largest_drift:.1e}, same answer for {same_answers:.1%} of the validation digits, {accuracy:.1%} of them right",
)

# %% [markdown]
# The curves rise, because each step rounds again and builds on the rounding before it. They stay far too small to change what the network says.
# So if *your* port of a network differs in the third digit, do not blame rounding: something else is wrong.
#
# ## What differs although it has the same name
#
# Here is what is usually wrong. The next cell reads some defaults out of the libraries.

# %% without_learning="untrained"
keras_spread = float(np.std(keras.layers.Dense(HIDDEN).kernel_initializer((784, HIDDEN))))
normalization, adam = keras.layers.BatchNormalization(), keras.optimizers.Adam()
print(f"Keras:    fresh Dense weights spread {keras_spread:.4f}, Adam epsilon {adam.epsilon:.0e},")
print(
    f"          batch normalization momentum {normalization.momentum}, epsilon {normalization.epsilon:.0e}"
)
if torch is not None:
    torch.manual_seed(SEED)
    torch_spread = float(torch.nn.Linear(784, HIDDEN).weight.detach().std())
    normalization, adam = torch.nn.BatchNorm1d(HIDDEN), torch.optim.Adam(network.parameters())
    print(
        f"PyTorch:  fresh Linear weights spread {torch_spread:.4f}, Adam epsilon {adam.defaults['eps']:.0e},"
    )
    print(
        f"          batch normalization momentum {normalization.momentum}, epsilon {normalization.eps:.0e}"
    )
    claim(
        "A fresh dense layer of Keras has wider weights than PyTorch's: the same code does not start alike",
        keras_spread > 1.2 * torch_spread,
        f"standard deviation {keras_spread:.4f} and {torch_spread:.4f}",
    )

# %% [markdown]
# | | Keras | PyTorch |
# |---|---|---|
# | dense weights | (inputs, outputs) | (outputs, inputs) |
# | fresh weights | Glorot uniform, bias 0 | uniform within $\pm 1/\sqrt{\text{inputs}}$, bias too |
# | a batch of images | (batch, height, width, channels) | (batch, channels, height, width) |
# | cross-entropy expects | shares, unless `from_logits=True` | outputs, always |
# | batch normalization's momentum | share of the *old* average kept | share of the *new* value taken |
# | training or prediction | `training=True` in the call; `fit` and `predict` set it | `model.train()` and `model.eval()`, set by you |
# | gradients | returned, new each time | stored in the weight, **added** to what is there |
#
# The last row catches everybody once. What happens if you call `backward()` twice and forget `zero_grad()`?

# %% without_learning="arithmetic"
if torch is not None:
    network.zero_grad()
    torch.nn.functional.cross_entropy(network(x_torch), y_torch).backward()
    once = network[0].weight.grad.clone()
    torch.nn.functional.cross_entropy(network(x_torch), y_torch).backward()
    twice = network[0].weight.grad
    claim(
        "PyTorch adds gradients up until you clear them",
        bool(torch.allclose(twice, 2 * once)) and float(once.abs().max()) > 0,
        f"largest entry {once.abs().max():.6f} after one backward(), {twice.abs().max():.6f} after two",
    )

# %% [markdown]
# No error, no warning: the network just takes ever longer steps.

# %% [markdown]
# ## Tensors
#
# A **tensor** is an array with any number of axes: a number has none, a list one, a table two, a batch of colour images four. It has a shape, a
# type of number, and a **device** on which it lives. The libraries' operations have almost the same names:
#
# | | NumPy | `keras.ops` | TensorFlow | PyTorch |
# |---|---|---|---|---|
# | make | `np.array([1., 2.])` | `convert_to_tensor([1., 2.])` | `tf.constant([1., 2.])` | `torch.tensor([1., 2.])` |
# | change shape | `reshape(a, (2, 3))` | `reshape(a, (2, 3))` | `tf.reshape(a, (2, 3))` | `a.reshape(2, 3)` |
# | swap axes | `transpose(a)` | `transpose(a)` | `tf.transpose(a)` | `a.T` |
# | sum one axis | `sum(a, axis=0)` | `sum(a, axis=0)` | `tf.reduce_sum(a, axis=0)` | `a.sum(dim=0)` |
# | matrix product | `a @ b` | `matmul(a, b)` | `a @ b` | `a @ b` |
# | back to NumPy | | `convert_to_numpy(a)` | `a.numpy()` | `a.detach().cpu().numpy()` |
# | usual number | float64 | float32 | float32 | float32 |
#
# The last row is a trap. NumPy makes 64-bit numbers, the frameworks want 32-bit ones. NumPy widens silently; TensorFlow refuses:

# %% without_learning="arithmetic"
wide, narrow = np.ones(3), np.ones(3, "float32")
print("NumPy:     ", wide.dtype, "+", narrow.dtype, "=", (wide + narrow).dtype)
try:
    tf.constant(wide) + tf.constant(narrow)
    refused = False
except tf.errors.InvalidArgumentError:
    refused = True
claim(
    "TensorFlow refuses to add 64-bit and 32-bit numbers, NumPy widens them",
    refused and (wide + narrow).dtype == np.float64,
    f"NumPy gives {(wide + narrow).dtype}, TensorFlow raises InvalidArgumentError",
)

# %% [markdown]
# Make your arrays `float32` when you load them, as `load_digits` does. Half the memory, and no such errors.
#
# A second trap: does a tensor *copy* the array you made it from, or look at the same memory?

# %% without_learning="arithmetic"
array = np.zeros(3, "float32")
views = {"tf.constant": tf.constant(array), "keras.ops": keras.ops.convert_to_tensor(array)}
if torch is not None:
    views.update({"torch.tensor": torch.tensor(array), "torch.from_numpy": torch.from_numpy(array)})
array[0] = 7  # change the array, not the tensor
first_value = {name: float(view[0]) for name, view in views.items()}
print(first_value)
if torch is not None:
    claim(
        "torch.from_numpy shares the array's memory, torch.tensor and tf.constant copy it",
        [first_value[name] for name in ("torch.from_numpy", "torch.tensor", "tf.constant")]
        == [7, 0, 0],
        f"first value after the array was changed: {first_value['torch.from_numpy']:.0f}, {first_value['torch.tensor']:.0f}, {first_value['tf.constant']:.0f}",
    )

# %% [markdown]
# ## One program, several engines: `keras.ops`
#
# What you write with `keras.ops` and Keras layers names no engine. The engine is chosen once, before `import keras`, by the environment
# variable `KERAS_BACKEND`: `"tensorflow"`, `"jax"` or `"torch"`. It stays while the program runs. So the next cells start a *second* Python,
# which runs Keras on PyTorch, and hand it our trained network as a file. If PyTorch is there: does the other engine give the same shares?

# %%
READER = """
import keras
import numpy as np

model = keras.saving.load_model("network.keras")
outputs = model(np.load("digits.npy"))
np.save("shares.npy", keras.ops.convert_to_numpy(keras.ops.softmax(outputs)))
print(keras.backend.backend())
"""


def shares_on(backend, model, x):
    """The shares that a Keras model gives in another Python, which runs on this backend; and the backend's name."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "network.keras")
        np.save(Path(folder) / "digits.npy", x)
        command = [sys.executable, "-c", READER]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Keras on {backend} failed: {done.stderr[-500:]}")
        return np.load(Path(folder) / "shares.npy"), done.stdout.split()[-1]


# %%
our_shares = keras.ops.convert_to_numpy(keras.ops.softmax(model(validation_x)))
if torch is not None:
    their_shares, other_backend = shares_on("torch", model, validation_x)
    far = np.abs(our_shares - their_shares).max()
    claim(
        "A network that Keras trained and saved on TensorFlow gives the same shares on PyTorch",
        other_backend == "torch" and far < 1e-5 and our_shares.max() > 0.9,
        f"largest difference {far:.1e} over {len(validation_x)} digits",
    )

# %% [markdown]
# The same layers, the same file, another engine. What names an engine, like `tf.GradientTape`, stays bound to it. So write your own layers
# and losses with `keras.ops`, and the choice of engine stays open.
#
# (This lesson imports two engines into one Python only to compare them. In a project of your own give each its own environment: two large
# libraries in one process cost memory, and on some machines their thread libraries clash.)

# %% [markdown]
# ## Automatic differentiation
#
# How can a tape know the gradient of whatever you wrote? It is less than you think. **Automatic differentiation** needs only this: each operation
# knows its own derivative and remembers its inputs. Then the chain rule multiplies along each path from the result back to an input, and adds up
# over paths. Here is the whole of it, for numbers that can be added, multiplied and cut off at zero:


# %% tags=["setup"]
class Number:
    """A number that remembers how it was made. sources: (number it was made from, derivative with respect to it)."""

    def __init__(self, value, sources=()):
        self.value, self.sources, self.gradient = value, sources, 0.0

    def __add__(self, other):
        return Number(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Number(self.value * other.value, [(self, other.value), (other, self.value)])

    def relu(self):
        return Number(max(self.value, 0.0), [(self, 1.0 if self.value > 0 else 0.0)])

    def backward(self, gradient=1.0):
        """Add to each source what reaches it along every path: the product of the derivatives on the way."""
        self.gradient += gradient
        for source, derivative in self.sources:
            source.backward(gradient * derivative)


# %% [markdown]
# Try it on $f(x, y) = xy + \max(0, x)\,x$ at $x = 3$, $y = 2$. By hand: $\partial f / \partial x = y + 2x = 8$ and $\partial f / \partial y = x = 3$.
# Note that $x$ is used three times, so three paths lead back to it. And nothing stops you from loops and `if`: they decide which operations
# happen, and only those are remembered.


# %%
def example(x, y, relu, times):
    """x y + relu(x) x, multiplied by y `times` times: for our numbers and for TensorFlow's."""
    result = x * y + relu(x) * x
    for _ in range(times):
        result = result * y
    return result


# %% without_learning="arithmetic"
tape_differences = []
for x_value, y_value, times in [(3.0, 2.0, 0), (3.0, 2.0, 3), (-1.5, 0.5, 2)]:
    x, y = Number(x_value), Number(y_value)
    example(x, y, Number.relu, times).backward()
    x_variable, y_variable = tf.Variable(x_value), tf.Variable(y_value)
    with tf.GradientTape() as tape:
        result = example(x_variable, y_variable, tf.nn.relu, times)
    theirs = [float(gradient) for gradient in tape.gradient(result, [x_variable, y_variable])]
    print(
        f"x = {x_value}, y = {y_value}, {times} times: ours {[x.gradient, y.gradient]}, tape {theirs}"
    )
    tape_differences.append(np.abs(np.subtract([x.gradient, y.gradient], theirs)).max())
claim(
    "Our small class differentiates a program with a loop as TensorFlow's tape does",
    max(tape_differences) < 1e-4,
    f"largest difference {max(tape_differences):.1e}",
)

# %% [markdown]
# The frameworks do the same with tensors instead of numbers, and for hundreds of operations. They are cleverer in one thing: our `backward`
# walks every path one by one, and a deep network has astronomically many. They visit each operation once, the last one first, and add up what
# arrives there before they go on. So the whole gradient costs about as much as a few forward passes, *however many weights there are*.
#
# Trying, as we did above, needs two forward passes for each weight:

# %%
weight_count = sum(weight.size for weight in start_weights)
print(f"{weight_count:,} weights: {2 * weight_count:,} forward passes")

# %% [markdown]
# Predict: for all weights of our network, how many forward passes does the tape's gradient cost?


# %%
def seconds_per_call(function, calls=20, repeats=5):
    """The shortest mean time of a call, in seconds: other work on the machine only ever makes it longer."""
    function()  # the first call may compile
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        times.append((time.perf_counter() - start) / calls)
    return min(times)


# %% tags=["measures-time"] without_learning="arithmetic"
forward_seconds = seconds_per_call(lambda: forward(start_weights, batch_x))
gradient_seconds = seconds_per_call(lambda: loss_and_gradients(start_weights, batch_x, batch_y))
tape_forward = seconds_per_call(lambda: tensorflow_outputs(variables, x_tensor))
tape_gradient = seconds_per_call(lambda: tensorflow_step(variables, x_tensor, y_tensor))
claim(
    "A gradient for every weight takes less time than 50 forward passes",
    tape_gradient < 50 * tape_forward and gradient_seconds < 50 * forward_seconds,
    f"{tape_gradient / tape_forward:.1f} passes with the tape, {gradient_seconds / forward_seconds:.1f} by hand",
)

# %% [markdown]
# ## Eager and compiled
#
# So far each line ran when Python came to it. That is **eager** execution: you can print, step and debug. Its price: Python asks for
# each operation one by one, and for small operations the asking takes longer than the work.
#
# `tf.function` turns a Python function into a **graph**. On the first call it runs your Python once, with stand-ins for the tensors, and
# writes down the operations that it meets. This is **tracing**. From then on the written-down graph runs, and Python takes no part.

# %% [markdown]
# ![A call with arguments asks: is there a graph for these shapes and types? If no, Python runs once with stand-in tensors and a graph is stored, and then runs. If yes, the stored graph runs at once. Prints, appends and NumPy happen only where Python runs.](../../../images/frameworks_tracing.png)

# %% [markdown]
# How much does it bring? One training step of a network with ten layers, eager and as a graph, for narrow and for wide layers.
# Predict: who gains more, the narrow network or the wide one?


# %%
LAYERS, WIDTHS = 10, (8, 32, 128, 512)


def make_step(width):
    """A training step of a network with LAYERS layers of this width, as a plain Python function."""
    weights = [tf.Variable(tf.random.normal((width, width)) / width**0.5) for _ in range(LAYERS)]
    x = tf.random.normal((64, width))

    def step():
        with tf.GradientTape() as tape:
            a = x
            for weight in weights:
                a = tf.nn.relu(a @ weight)
            loss = tf.reduce_mean(a**2)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.0001 * gradient)
        return loss

    return step


# %% tags=["measures-time"] alt="Milliseconds for a training step against layer width, both axes logarithmic. The eager curve is flat for narrow layers and rises for wide ones; the graph's curve lies far below it on the left and nearer to it on the right."
eager_seconds, graph_seconds = [], []
for width in WIDTHS:
    calls = 10 if width < 500 else 2
    eager_seconds.append(seconds_per_call(make_step(width), calls, repeats=4))
    graph_seconds.append(seconds_per_call(tf.function(make_step(width)), calls, repeats=4))

figure, axes = plt.subplots()
for name, seconds, above in (("eager", eager_seconds, 9), ("graph", graph_seconds, 9)):
    axes.loglog(WIDTHS, np.multiply(seconds, 1000), marker="o")
    axes.annotate(
        name, (WIDTHS[0], seconds[0] * 1000), xytext=(0, above), textcoords="offset points"
    )
axes.set(
    xlabel="neurons in each layer",
    ylabel="milliseconds",
    title="One training step, eager and compiled",
    xticks=WIDTHS,
    xticklabels=WIDTHS,
)
axes.tick_params(axis="x", which="minor", bottom=False)
plt.show()

# %% tags=["measures-time"] without_learning="arithmetic"
gains = np.divide(eager_seconds, graph_seconds)
claim(
    "A graph makes the narrow network at least twice as fast, and gains more there than with wide layers",
    gains[0] > 2 and gains[0] > gains[-1],
    ", ".join(
        f"width {width}: {gain:.1f} times" for width, gain in zip(WIDTHS, gains, strict=True)
    ),
)

# %% [markdown]
# The narrow one gains most. Its eager curve is flat on the left: what you see there is the price of asking, the same for each width. On the
# right the multiplications themselves fill the time, and both ways call the same ones.
#
# Keras compiles for you: `fit` runs a graph unless you ask for `run_eagerly=True`, which is for debugging. Here is our network's step
# once more, with each library:

# %% tags=["measures-time"]
timed = {
    "NumPy, by hand": lambda: numpy_step(numpy_weights, batch_x, batch_y),
    "TensorFlow, eager": lambda: tensorflow_step(variables, x_tensor, y_tensor),
    "TensorFlow, graph": tf.function(lambda: tensorflow_step(variables, x_tensor, y_tensor)),
    "Keras, train_on_batch": lambda: model.train_on_batch(x_tensor, y_tensor),
}
if torch is not None:
    timed["PyTorch, eager"] = lambda: torch_step(network, optimizer, x_torch, y_torch)
for name, function in timed.items():
    print(f"{name:22s} {seconds_per_call(function) * 1000:6.2f} ms a step")

# %% [markdown]
# Do not read this as a race. On a network this small you time the asking; with a large one, or on a GPU, the order can be another.
# PyTorch compiles too, with `torch.compile`. On a CPU it needs a C++ compiler on the machine, so this lesson leaves it out.
#
# ## The traps of tracing
#
# **Python runs only while tracing.** A `print` or an `append` in the function happens once for each graph, not once for each call. We use
# that to count graphs. Predict how many there are after these six calls:

# %% without_learning="arithmetic"
traced = []


@tf.function
def double(x):
    traced.append(x)  # Python: runs while tracing only
    return 2 * x


for argument in (
    tf.constant(1.0),
    tf.constant(5.0),
    tf.constant([1.0, 2.0]),
    tf.constant([3.0, 4.0]),
    1,
    2,
):
    before = len(traced)
    _ = double(argument)
    shown = (
        f"tensor {argument.numpy()}" if isinstance(argument, tf.Tensor) else f"Python's {argument}"
    )
    print(f"{shown:15s} {'traced' if len(traced) > before else 'reused a graph'}")
claim(
    "tf.function traces once for each shape of a tensor, but once for each value of a Python number",
    len(traced) == 4,
    f"{len(traced)} graphs for 6 calls",
)

# %% [markdown]
# A tensor's value does not matter; its shape and type do. A Python number's *value* becomes part of the graph. A training step that takes
# `step_number` as a Python integer compiles anew at each step, and is slower than eager. Hand over `tf.constant(step_number)` instead.
#
# **What was Python while tracing is frozen.** What will these three print at their second call?

# %%
factor = 2.0


@tf.function
def scaled(x):
    return x * factor


@tf.function
def numpy_noise(x):
    return x + np.random.default_rng().normal()


@tf.function
def tensorflow_noise(x):
    return x + tf.random.normal(())


# %% without_learning="arithmetic"
zero, three = tf.constant(0.0), tf.constant(3.0)
first_scaled = float(scaled(three))
factor = 10.0
second_scaled = float(scaled(three))
numpy_twice = [float(numpy_noise(zero)) for _ in range(2)]
tensorflow_twice = [float(tensorflow_noise(zero)) for _ in range(2)]

print(f"3 times factor: {first_scaled} with factor 2, {second_scaled} with factor 10")
print("NumPy's noise is the same twice:     ", numpy_twice[0] == numpy_twice[1])
print("TensorFlow's noise is the same twice:", tensorflow_twice[0] == tensorflow_twice[1])
claim(
    "A graph keeps the Python and NumPy values of its first run; TensorFlow's own random numbers stay random",
    second_scaled == first_scaled == 6
    and numpy_twice[0] == numpy_twice[1]
    and tensorflow_twice[0] != tensorflow_twice[1],
    f"3 times 10 gives {second_scaled:.0f}, NumPy's noise repeats, TensorFlow's does not",
)

# %% [markdown]
# The frozen noise is the nasty one. Data augmentation written with NumPy inside a graph turns every image the same way, forever, and nothing
# looks broken. What changes must come in as an argument, live in a `tf.Variable`, or be drawn by the framework.
#
# **A Python loop is unrolled.** Five hundred turns become five hundred copies in the graph; a loop over `tf.range` stays one loop.


# %% without_learning="arithmetic"
@tf.function
def python_loop(x, turns):
    for _ in range(turns):
        x = x + 1.0
    return x


@tf.function
def tensor_loop(x, turns):
    for _ in tf.range(turns):
        x = x + 1.0
    return x


number, integer = tf.TensorSpec(()), tf.TensorSpec((), tf.int32)
unrolled = [
    len(python_loop.get_concrete_function(number, turns).graph.get_operations())
    for turns in (5, 500)
]
looped = len(tensor_loop.get_concrete_function(number, integer).graph.get_operations())
claim(
    "A Python loop in a graph grows with its turns, a loop over tf.range does not",
    unrolled[1] > 50 * unrolled[0]
    and looped < 50
    and float(tensor_loop(zero, tf.constant(500))) == 500,
    f"{unrolled[0]} operations for 5 turns, {unrolled[1]} for 500; {looped} for tf.range, whatever the turns",
)

# %% [markdown]
# ## Where the others fit
#
# - **JAX** (2018) is NumPy with transformations of functions. `jax.grad(f)` returns the function that computes the gradient of `f`,
#   `jax.jit(f)` compiles it, `jax.vmap(f)` applies it to a whole batch. Functions must be pure: everything comes in as an argument and
#   leaves as a result. So no layer owns its weights; libraries on top, such as Flax or Keras, add that.
# - **fastai** (published 2020) stands on PyTorch and brings recipes as defaults: a `Learner` finds a learning rate, warms up, freezes and
#   unfreezes. It is made for getting a strong model on a usual task in a few lines.
# - **OpenCV** (2000) is no framework for learning. It reads, cleans, cuts, turns and measures pictures and video: the work before and after
#   the network. Its module `cv2.dnn` runs networks that were trained elsewhere.
# - **scikit-learn** has the classical methods, which belong beside every network as a baseline, and the tools to split and to score.

# %% [markdown]
# ## OpenCV at work: a page of digits
#
# Now something you could use. On a picture of a page there are handwritten digits, slightly turned, on noisy paper. Find them and read them.
#
# Two facts about OpenCV first. Its pictures are NumPy arrays of whole numbers from 0 to 255, (height, width, channels). And its colours come
# as blue, green, red:

# %% without_learning="data"
flower = sklearn.datasets.load_sample_image("flower.jpg")  # a photograph; red, green, blue
_, file_content = cv2.imencode(".png", cv2.cvtColor(flower, cv2.COLOR_RGB2BGR))
read_by_opencv = cv2.imdecode(file_content, cv2.IMREAD_COLOR)
claim(
    "OpenCV hands out a picture's channels in the order blue, green, red",
    np.array_equal(read_by_opencv[..., ::-1], flower)
    and not np.array_equal(read_by_opencv, flower),
    f"a pixel of a petal is {flower[200, 300].tolist()} in the file, {read_by_opencv[200, 300].tolist()} from OpenCV",
)

# %% [markdown]
# A network trained on red, green, blue also answers when it gets blue, green, red. No error tells you. Convert with `cv2.cvtColor` at the
# door. And mind sizes: OpenCV's arguments say (width, height), an array's shape says (height, width).
#
# ### A page
#
# Each digit is turned by up to 10 degrees, enlarged, moved off its place, and printed dark on light. Then comes the noise of a camera, and
# on request a shadow. We know where each digit lies, so that we can mark the reading. The reader does not get to know.


# %% tags=["setup"]
def make_page(images, generator, pitch=70, shadow=0.0):
    """A page with eight digits a row, `pitch` pixels apart, its right edge darker by the share `shadow`.

    images: (n, 28, 28, 1), light on dark. Returns the page (height, width) of bytes, and the digits' centres (n, 2) as x, y.
    """
    rows = -(-len(images) // 8)
    ink = np.zeros((rows * pitch, 8 * pitch), "float32")
    centres = []
    for number, image in enumerate(images):
        row, column = divmod(number, 8)
        centre = (np.array([column, row]) + 0.5) * pitch + generator.uniform(-6, 6, 2)
        angle, scale = generator.uniform(-10, 10), generator.uniform(1.3, 1.8)
        turn = cv2.getRotationMatrix2D(
            (13.5, 13.5), angle, scale
        )  # (2, 3): turns about the digit's middle
        turn[:, 2] += centre - 13.5
        ink = np.maximum(ink, cv2.warpAffine(image.squeeze(), turn, ink.shape[::-1]))
        centres.append(centre)
    light = np.linspace(1, 1 - shadow, ink.shape[1])
    page = (235 - 190 * ink) * light + generator.normal(0, 8, ink.shape)
    return np.clip(page, 0, 255).astype("uint8"), np.array(centres)


# %%
def show_page(page, boxes=(), texts=(), colours=(), title=None):
    """Draw a page with boxes (x, y, width, height), each in its colour and with a short text at its left."""
    _, axes = plt.subplots(figsize=(4.8, 4.8 * page.shape[0] / page.shape[1] + 0.3))
    axes.imshow(page, cmap="gray", vmin=0, vmax=255)
    for (x, y, width, height), text, colour in zip(boxes, texts, colours, strict=True):
        frame = plt.Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=1.5)
        axes.add_patch(frame)
        axes.text(
            x - 2, y + 1, text, color=colour, fontsize=10, fontweight="bold", ha="right", va="top"
        )
    axes.set_title(title)
    axes.axis("off")
    plt.show()


# %% [markdown]
# ### Find the ink
#
# Three steps. Blur a little, so that grains of noise vanish. Then separate dark from light: **Otsu's method** looks at the histogram of
# brightness and picks the threshold that leaves the two groups as uniform as possible. Last, `findContours` follows the border, the
# **contour**, of each dark patch, and each contour has a bounding box. Boxes that are too low are dirt. Boxes come in no useful order, so
# we sort them into rows.


# %% tags=["setup"]
def otsu_mask(page):
    """255 where there is ink, 0 where there is paper: one threshold for the whole page."""
    smooth = cv2.GaussianBlur(page, (5, 5), 0)
    return cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]


def find_boxes(mask, lowest=15):
    """Boxes (x, y, width, height) of the patches in a mask, at least `lowest` high, in reading order: (n, 4)."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    boxes = sorted((box for box in boxes if box[3] >= lowest), key=lambda box: box[1] + box[3] / 2)
    rows, last_middle = [], -np.inf
    for box in boxes:
        middle = box[1] + box[3] / 2
        if middle - last_middle > 20:  # so far below the box before: a new row
            rows.append([])
        rows[-1].append(box)
        last_middle = middle
    return np.array([box for row in rows for box in sorted(row)]).reshape(-1, 4)


def match(boxes, centres):
    """For each digit's centre the number of the box that lies there, or -1 where there is none: (digits,)."""
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    distances = np.linalg.norm(centres[:, np.newaxis] - middles, axis=-1)  # (digits, boxes)
    return np.where(distances.min(axis=1) < 20, distances.argmin(axis=1), -1)


# %% alt="A light grey, grainy page with four rows of eight handwritten digits, dark, slightly turned and not quite in line. Around each is a blue box, numbered in reading order from 1 to 32."
DIGITS_ON_A_PAGE = 32
page, centres = make_page(validation_images[:DIGITS_ON_A_PAGE], np.random.default_rng(SEED))
boxes = find_boxes(otsu_mask(page))
show_page(
    page,
    boxes,
    texts=range(1, len(boxes) + 1),
    colours=[COLOURS["blue"]] * len(boxes),
    title="Boxes around the digits, in reading order",
)

# %% without_learning="data"
found = match(boxes, centres)
claim(
    "Contours find every digit of this page, and nothing else, in reading order",
    list(found) == list(range(DIGITS_ON_A_PAGE)) and len(boxes) == DIGITS_ON_A_PAGE,
    f"{len(boxes)} boxes for {DIGITS_ON_A_PAGE} digits, {np.sum(found >= 0)} of them where a digit is",
)

# %% [markdown]
# The digits of one row lie at different heights. Sorted by height alone, each row would be shuffled.
#
# ### What the network must get
#
# A network knows only pictures like those it was trained on: light on dark, values from 0 to 1, 24 pixels long in a frame of 28, centred.
# A box of the page is none of these. `to_network` makes it so. Its options make it *wrong* on purpose; you will use them later.


# %%
def to_network(page, boxes, margin=0, invert=True, keep_shape=True, largest=1.0):
    """Cut boxes out of a page and bring them into the training pictures' form: (n, 28, 28, 1), light on dark, 0 to 1."""
    paper, darkest = np.median(page), np.percentile(page, 1)
    light = np.clip((paper - page.astype("float32")) / (paper - darkest), 0, 1)
    light = light if invert else 1 - light
    crops = np.full((len(boxes), 28, 28), 0 if invert else 1, "float32")
    for crop, (x, y, width, height) in zip(crops, boxes, strict=True):
        cut = light[
            max(y - margin, 0) : y + height + margin, max(x - margin, 0) : x + width + margin
        ]
        shrink = 24 / max(cut.shape)
        size = [max(1, round(length * shrink)) for length in cut.shape] if keep_shape else [24, 24]
        top, left = (28 - size[0]) // 2, (28 - size[1]) // 2
        small = cv2.resize(cut, (size[1], size[0]), interpolation=cv2.INTER_AREA)  # width, height
        crop[top : top + size[0], left : left + size[1]] = small
    return largest * crops[..., np.newaxis]


# %% alt="Two rows of eight pictures. Above are digits cut from the page, below training pictures of the same digits: alike in size, place and brightness, but those above are slightly turned."
crops = to_network(page, boxes)
similar = [training_images[training_labels == label][0] for label in validation_labels[:8]]
show_images(
    [*crops[:8], *similar], columns=8, title="Cut from the page (above), training pictures (below)"
)

# %% [markdown]
# Always draw this picture: what the network gets beside what it was trained on. Most failures of a trained network in use can be seen here.
#
# ### Read
#
# We train the network of this lesson, now with the optimizer Adam, on the clean training digits, and let it read pages of validation digits.
# A digit that was not found counts as misread. How much is lost between clean pictures and a page?


# %%
def train_reader(images, labels, epochs):
    """The network of this lesson, trained. Returns a function from images (n, 28, 28, 1) to answers (n,)."""
    keras.utils.set_random_seed(SEED)
    reader = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(CLASSES),
        ]
    )
    reader.compile(
        optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    _ = reader.fit(images, labels, batch_size=64, epochs=epochs, verbose=0)
    return lambda images: np.asarray(reader(images)).argmax(axis=1)


def make_pages(images, labels, generator):
    """As many pages as the images fill, in random order: a list of (page, centres, labels)."""
    order = generator.permutation(len(images))[: len(images) // DIGITS_ON_A_PAGE * DIGITS_ON_A_PAGE]
    parts = order.reshape(-1, DIGITS_ON_A_PAGE)
    return [(*make_page(images[part], generator), labels[part]) for part in parts]


def share_read(read, pages, **options):
    """The share of all digits on the pages that are found and read right. options: those of to_network."""
    right = []
    for page, centres, labels in pages:
        boxes = find_boxes(otsu_mask(page))
        place = match(boxes, centres)
        answers = read(to_network(page, boxes, **options))
        right.append((place >= 0) & (answers[place] == labels))
    return np.mean(right)


# %%
generator = np.random.default_rng(SEED + 1)
validation_pages = make_pages(validation_images, validation_labels, generator)
clean_reader = train_reader(training_images, training_labels, epochs=30)
clean_accuracy = np.mean(clean_reader(validation_images) == validation_labels)
clean_share = share_read(clean_reader, validation_pages)
print(
    f"Validation digits read right: {clean_accuracy:.1%} of the clean pictures, {clean_share:.1%} on pages"
)

# %% [markdown]
# The boxes are right, and still the network loses. It has never seen a turned digit, nor our way to cut and shrink. The best cure is to
# **train on what you will read**: print the *training* digits on pages too, cut them out with the same functions, and train on those crops.


# %%
def labelled_crops(pages):
    """The crops of all digits that were found on the pages, and their labels."""
    crops, labels = [], []
    for page, centres, page_labels in pages:
        boxes = find_boxes(otsu_mask(page))
        place = match(boxes, centres)
        crops.append(to_network(page, boxes)[place[place >= 0]])
        labels.append(page_labels[place >= 0])
    return np.concatenate(crops), np.concatenate(labels)


training_pages = [
    page for _ in range(3) for page in make_pages(training_images, training_labels, generator)
]
crop_images, crop_labels = labelled_crops(training_pages)
page_reader = train_reader(crop_images, crop_labels, epochs=20)

# %% [markdown]
# And the baselines: the most frequent digit, always; and the **nearest neighbours**, which learn nothing but keep all crops and answer as
# the three most similar ones do.

# %%
neighbours = sklearn.neighbors.KNeighborsClassifier(3)
_ = neighbours.fit(crop_images.reshape(len(crop_images), -1), crop_labels)
most_frequent = np.bincount(training_labels).argmax()
readers = {
    "most frequent digit": lambda images: np.full(len(images), most_frequent),
    "network, clean digits": clean_reader,
    "network, crops": page_reader,
    "neighbours, crops": lambda images: neighbours.predict(images.reshape(len(images), -1)),
}
on_validation = {name: share_read(read, validation_pages) for name, read in readers.items()}
for name, share in on_validation.items():
    print(f"{name:22s} {share:6.1%} of the validation digits")
claim(
    "Trained on crops cut like those it reads, the same network reads more than trained on clean pictures",
    on_validation["network, crops"] > on_validation["network, clean digits"] + 0.01,
    f"{on_validation['network, crops']:.1%} against {on_validation['network, clean digits']:.1%} of the validation digits",
)

# %% [markdown]
# We settle on the network trained on crops. Only now come the test digits, once: pages on which no choice was made.

# %%
test_pages = make_pages(test_images, test_labels, generator)
on_test = {name: share_read(read, test_pages) for name, read in readers.items()}
test_count = len(test_pages) * DIGITS_ON_A_PAGE
for name, share in on_test.items():
    print(f"{name:22s} {round(share * test_count)} of {test_count} test digits, {share:.1%}")
claim(
    "The program finds and reads at least nine of ten test digits on noisy pages",
    on_test["network, crops"] >= 0.9 and on_test["most frequent digit"] < 0.2,
    f"{round(on_test['network, crops'] * test_count)} of {test_count} digits on {len(test_pages)} pages",
)

# %% alt="A page of 32 test digits, each in a box with the network's reading at its left. Right readings are blue; wrong ones are orange-red and carry a question mark."
page, centres, labels = test_pages[0]
boxes = find_boxes(otsu_mask(page))
answers = page_reader(to_network(page, boxes))
truth = dict(zip(match(boxes, centres), labels, strict=True))
right = [truth.get(number) == answer for number, answer in enumerate(answers)]
show_page(
    page,
    boxes,
    texts=[
        f"{answer}" if good else f"?{answer}" for answer, good in zip(answers, right, strict=True)
    ],
    colours=[COLOURS["blue"] if good else COLOURS["red"] for good in right],
    title=f"Read right: {sum(right)} of {len(labels)} digits",
)

# %% [markdown]
# Look at the ones with a question mark, if there are any: would you have read them?
#
# And look back at the table. The nearest neighbours are hard to beat. On a small, tidy problem a classical method is often as good as a
# network or better. Nor is a plain dense network the best network for pictures: lesson 3.1 has the right one.

# %%
claim(
    "This dense network reads nine of ten test digits and more, and does not beat three nearest neighbours",
    0.9 <= on_test["network, crops"] <= on_test["neighbours, crops"],
    f"neighbours {on_test['neighbours, crops']:.1%}, network {on_test['network, crops']:.1%} of the test digits",
)

# %% [markdown]
# ### What breaks
#
# Same readers, same validation pages, one thing prepared differently. Predict for the network: which of the four mistakes hurts most, and
# which does not hurt at all?

# %%
mistakes = {
    "as in training": {},
    "values 0 to 255": {"largest": 255.0},
    "4 pixels of margin": {"margin": 4},
    "squeezed to a square": {"keep_shape": False},
    "not inverted": {"invert": False},
}
network_share = {
    name: share_read(page_reader, validation_pages, **wrong) for name, wrong in mistakes.items()
}
neighbours_share = {
    name: share_read(readers["neighbours, crops"], validation_pages, **wrong)
    for name, wrong in mistakes.items()
}

# %% alt="Horizontal bars of the share of digits read right, for the network and for the nearest neighbours. Both are near 1 as in training. Values to 255 leave the network as good and drop the neighbours; margin, squeezing and a missing inversion make both worse, the last one most."
figure, axes = plt.subplots(figsize=(6.6, 3.8))
rows = np.arange(len(mistakes))
for offset, name, shares, colour, hatch in (
    (-0.2, "network", network_share, "blue", ""),
    (0.2, "nearest neighbours", neighbours_share, "orange", "//"),
):
    bars = axes.barh(
        rows + offset, shares.values(), 0.38, label=name, color=COLOURS[colour], hatch=hatch
    )
axes.set(
    yticks=rows,
    yticklabels=mistakes,
    xlabel="share of the validation digits read right",
    xlim=(0, 1),
    title="The same readers, prepared wrongly",
)
axes.invert_yaxis()
figure.legend(loc="outside lower center", ncols=2, frameon=False)
plt.show()

# %%
claim(
    "Without inversion the network reads nothing, a margin or squeezing costs a tenth and more, values up to 255 nothing",
    network_share["not inverted"] < 0.1
    and network_share["4 pixels of margin"] < 0.9 * network_share["as in training"]
    and network_share["squeezed to a square"] < 0.9 * network_share["as in training"]
    and abs(network_share["values 0 to 255"] - network_share["as in training"]) < 0.03,
    ", ".join(f"{name} {share:.1%}" for name, share in network_share.items()),
)

# %% [markdown]
# Surprised by the values up to 255? ReLU has no scale of its own. 255 times the input gives about 255 times each output (only the biases stay
# behind), and the largest output stays the largest. The neighbours compare raw values and are lost. So do not conclude that scale does not
# matter: with outputs that large the softmax says nearly 1 to everything, right or wrong, and *training* on such values is another matter.
# One rule covers all of it: **the same function prepares the pictures in training and in use.**
#
# Two more things break, and both before the network.

# %% without_learning="data"
crowded, _ = make_page(validation_images[:DIGITS_ON_A_PAGE], np.random.default_rng(SEED), pitch=34)
crowded_boxes = find_boxes(otsu_mask(crowded))
claim(
    "Digits that touch share one contour, so a crowded page gives fewer boxes than digits",
    len(crowded_boxes) < 0.8 * DIGITS_ON_A_PAGE,
    f"{len(crowded_boxes)} boxes for {DIGITS_ON_A_PAGE} digits",
)

# %% alt="Above a page that grows dark towards its right edge. Below its mask: separate white digits on the left, and one white patch where the paper itself lies in the shadow."
shadowed, shadowed_centres = make_page(
    validation_images[:DIGITS_ON_A_PAGE], np.random.default_rng(SEED), shadow=0.6
)
shadowed_mask = otsu_mask(shadowed)
figure, (above, below) = plt.subplots(2, 1, figsize=(3.3, 3.8))
above.imshow(cv2.GaussianBlur(shadowed, (5, 5), 0), cmap="gray", vmin=0, vmax=255)
above.set_title("the page, blurred")
below.imshow(shadowed_mask, cmap="gray")
below.set_title("Otsu's mask")
for axes in (above, below):
    axes.axis("off")
plt.show()

# %% without_learning="data"
lost = np.sum(match(find_boxes(shadowed_mask), shadowed_centres) == -1)
claim(
    "One threshold for the whole page loses digits in a shadow",
    lost >= 5,
    f"{lost} of {DIGITS_ON_A_PAGE} digits lost",
)

# %% [markdown]
# Paper in the shadow is darker than Otsu's threshold, so it counts as ink and swallows its digits. Exercise 5 is yours to mend it. Touching
# digits need more: a network that finds and reads at once (lesson 3.3), or one that reads a whole strip (lesson 4.3).

# %% [markdown]
# ## How to choose
#
# | you want to | take | why |
# |---|---|---|
# | understand a method, or work with arrays | NumPy | nothing is hidden, and everybody can read it |
# | train usual networks with little code, and ship them | Keras | layers, `fit`, saving, one program for three engines |
# | write unusual training steps, graphs, or run on phones and servers | TensorFlow, mostly below Keras | tapes, graphs, export |
# | follow current research code, or change everything inside a model | PyTorch | most published code is in it, and it is plain Python |
# | a strong model for a usual task on PyTorch, from recipes | fastai | good defaults |
# | derivatives of derivatives, TPUs, pure functions | JAX | transformations compose |
# | get pictures ready, find shapes, read video | OpenCV | no training needed |
# | tables, small data, a baseline | scikit-learn | fast, and often enough |
#
# The last two columns are judgement, not measurement; what you *measured* is that the arithmetic is the same. So the choice is about people,
# code that exists, and where the model must run. Ask in this order: what does my team use? Where is the model I want to start from? What
# must it run on? This course takes Keras, because its code stays close to the idea.

# %% [markdown]
# ## Common mistakes
#
# - **Shares where outputs are expected, or the reverse.** A model without softmax and a loss without `from_logits=True` runs, and learns badly.
# - **A transposed weight matrix when porting.** With a square matrix nothing complains. Compare outputs on one batch, to 1e-5.
# - **A forgotten `zero_grad()`** in PyTorch, or a forgotten `model.eval()` when predicting.
# - **`float64` from NumPy** in a `float32` network: an error in TensorFlow, twice the memory elsewhere.
# - **Python or NumPy inside `tf.function`**: run once, frozen, or compiled anew at each call.
# - **Two ways to prepare pictures**, one in training and one in use. Draw both side by side.
# - **Red and blue exchanged**, width and height exchanged: OpenCV's order is not NumPy's or Matplotlib's.

# %% [markdown]
# ## Exercise 1: predict
#
# How many graphs does `scaled_sum` have after these five calls? Write down a number before you think of running it.
#
# ```python
# @tf.function
# def scaled_sum(x, factor):
#     return tf.reduce_sum(x) * factor
#
# scaled_sum(tf.constant([1.0, 2.0]), 3)
# scaled_sum(tf.constant([5.0, 6.0]), 3)
# scaled_sum(tf.constant([1.0, 2.0]), 4)
# scaled_sum(tf.constant([1.0, 2.0, 3.0]), 3)
# scaled_sum(tf.constant([7.0, 8.0]), 4)
# ```

# %% tags=["exercise"]
my_prediction = None  # replace None with a number
### BEGIN SOLUTION
my_prediction = 3  # (two values, 3), (two values, 4), (three values, 3); the second and fifth call reuse a graph
### END SOLUTION

# %% tags=["wrong"] says="it reuses a graph"
my_prediction = 5  # one for each call

# %% tags=["wrong"] says="what does a Python number's value do"
my_prediction = 2  # forgets that the Python number counts

# %% tags=["wrong"] says="a graph holds for one shape"
my_prediction = 1  # one for the function

# %% tags=["check"]
with feedback("Predict"):
    graphs = []

    @tf.function
    def scaled_sum(x, factor):
        graphs.append(factor)
        return tf.reduce_sum(x) * factor

    for values, factor_used in (([1, 2], 3), ([5, 6], 3), ([1, 2], 4), ([1, 2, 3], 3), ([7, 8], 4)):
        _ = scaled_sum.get_concrete_function(
            tf.constant(values, "float32"), factor_used
        )  # traces if it must
    assert my_prediction is not None, "write a number into my_prediction"
    assert my_prediction != 5, (
        "the second call has tensors of the same shape and the same factor: it reuses a graph"
    )
    assert my_prediction != 1, "a graph holds for one shape; is there more than one shape here?"
    assert my_prediction != 2, "you counted the shapes; what does a Python number's value do?"
    assert my_prediction == len(graphs), (
        f"not {my_prediction}: count the different pairs (shape, factor)"
    )

# %% [markdown]
# ## Exercise 2: from PyTorch to Keras
#
# You have the weights of a `torch.nn.Linear` as NumPy arrays: `weight` of shape (outputs, inputs) and `bias` of shape (outputs,). PyTorch computes
# `x @ weight.T + bias`. Return the list that `keras.layers.Dense.set_weights` wants. You need no PyTorch for it.


# %% tags=["exercise"]
def dense_weights(weight, bias):
    """Weights for keras.layers.Dense, as a list, from those of torch.nn.Linear."""
    ### BEGIN SOLUTION
    return [weight.T, bias]
    ### END SOLUTION


# %% tags=["wrong"] says="reshape keeps the order of the numbers and does not swap the axes"
def dense_weights(weight, bias):  # the right shape with the numbers in the wrong places
    return [weight.reshape(weight.shape[::-1]), bias]


# %% tags=["wrong"] says="the axes are not swapped"
def dense_weights(weight, bias):  # as it is; with a square matrix this runs
    return [weight, bias]


# %% tags=["wrong"] says="the matrix comes first, the bias second"
def dense_weights(weight, bias):  # the wrong order of the list
    return [bias, weight.T]


# %% tags=["wrong"] says="a square matrix has swapped axes too"
def dense_weights(weight, bias):  # swaps only where the shapes would not fit
    return [weight if weight.shape[0] == weight.shape[1] else weight.T, bias]


# %% tags=["check"]
with feedback("From PyTorch to Keras"):
    draws = np.random.default_rng(0)
    for inputs, outputs_count in ((3, 4), (6, 2), (5, 5)):
        weight, bias = draws.normal(size=(outputs_count, inputs)), draws.normal(size=outputs_count)
        x = draws.normal(size=(7, inputs)).astype("float32")
        got = dense_weights(weight, bias)
        assert got is not None and len(got) == 2, "return a list of two arrays"
        assert np.ndim(got[0]) == 2, "the matrix comes first, the bias second"
        assert np.shape(got[0]) == (inputs, outputs_count), (
            f"Dense wants (inputs, outputs) = {(inputs, outputs_count)}, yours is {np.shape(got[0])}: "
            "the axes are not swapped"
        )
        assert np.shape(got[1]) == bias.shape and np.allclose(got[1], bias), (
            "the bias needs no change"
        )
        reshaped = weight.reshape(inputs, outputs_count)
        assert inputs == outputs_count or not np.allclose(got[0], reshaped), (
            "the shape fits, but reshape keeps the order of the numbers and does not swap the axes"
        )
        assert inputs != outputs_count or not np.allclose(got[0], weight), (
            "a square matrix has swapped axes too: it fits as it is, and computes something else"
        )
        layer = keras.layers.Dense(outputs_count)
        layer.build((None, inputs))
        layer.set_weights(list(got))
        far = np.abs(np.asarray(layer(x)) - (x @ weight.T + bias)).max()
        assert far < 1e-4, f"the shapes fit, but the outputs differ by {far:.2f} from PyTorch's"

# %% [markdown]
# ## Exercise 3: repair this
#
# This training step for TensorFlow variables does not train. It has **two** mistakes. Mend both.
#
# ```python
# def repaired_step(variables, loss_of, learning_rate):
#     loss = loss_of(variables)
#     with tf.GradientTape() as tape:
#         gradients = tape.gradient(loss, variables)
#     for variable, gradient in zip(variables, gradients, strict=True):
#         variable = variable - learning_rate * gradient
#     return loss
# ```


# %% tags=["exercise"]
def repaired_step(variables, loss_of, learning_rate):
    """One step of gradient descent. variables: several tf.Variable, changed in place; loss_of: from them to the loss."""
    ### BEGIN SOLUTION
    with tf.GradientTape() as tape:
        loss = loss_of(variables)  # the tape must see the computation
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(
            learning_rate * gradient
        )  # changes the variable; `=` only gives a new tensor an old name
    return loss
    ### END SOLUTION


# %% tags=["wrong"] says="where the tape sees it"
def repaired_step(variables, loss_of, learning_rate):  # the tape sees nothing
    loss = loss_of(variables)
    with tf.GradientTape() as tape:
        gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(learning_rate * gradient)
    return loss


# %% tags=["wrong"] says="names a new tensor, assign_sub changes it"
def repaired_step(variables, loss_of, learning_rate):  # the variables stay as they are
    with tf.GradientTape() as tape:
        loss = loss_of(variables)
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable = variable - learning_rate * gradient
    return loss


# %% tags=["wrong"] says="the step goes up the slope of the loss"
def repaired_step(variables, loss_of, learning_rate):  # up the slope
    with tf.GradientTape() as tape:
        loss = loss_of(variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_add(learning_rate * gradient)
    return loss


# %% tags=["wrong"] says="the value minus the rate times the gradient"
def repaired_step(variables, loss_of, learning_rate):  # another rate than the one given
    with tf.GradientTape() as tape:
        loss = loss_of(variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.25 * gradient)
    return loss


# %% tags=["wrong"] says="return the loss before the step"
def repaired_step(variables, loss_of, learning_rate):  # the loss after the step
    with tf.GradientTape() as tape:
        loss = loss_of(variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(learning_rate * gradient)
    return loss_of(variables)


# %% tags=["check"]
with feedback("Repair this"):
    for text, loss_of, rate, gradients in (  # the gradients at 3 and (1, -2), by hand
        ("v² + Σw²", lambda v, w: v**2 + tf.reduce_sum(w**2), 0.25, (6, [2, -4])),
        ("4v + Σw³", lambda v, w: 4 * v + tf.reduce_sum(w**3), 0.1, (4, [3, 12])),
    ):
        pair = tf.Variable(3.0), tf.Variable([1.0, -2.0])
        loss_before = float(loss_of(*pair))
        try:
            got = repaired_step(pair, lambda pair, loss_of=loss_of: loss_of(*pair), rate)
        except (TypeError, ValueError) as error:
            told = f"a gradient is None ({error}): compute the loss inside the `with`, where the tape sees it"
            raise AssertionError(told) if "None" in str(error) else error from None
        assert got is not None, "return the loss"
        for variable, old, gradient in zip(pair, (3.0, [1.0, -2.0]), gradients, strict=True):
            now, wanted = variable.numpy(), np.subtract(old, rate * np.array(gradient))
            told = f"loss {text}, rate {rate}, value {old}, gradient {gradient}: it became {now}"
            assert not np.allclose(now, old), (
                f"{told}. `variable = ...` names a new tensor, assign_sub changes it"
            )
            assert not np.allclose(now, 2 * np.array(old) - wanted), (
                f"{told}: the step goes up the slope of the loss"
            )
            assert np.allclose(now, wanted), (
                f"{told}, not the value minus the rate times the gradient"
            )
        assert np.isclose(float(got), loss_before), (
            f"return the loss before the step, {loss_before}, not {float(got):.4g}"
        )

# %% [markdown]
# ## Exercise 4: teach the tape a new operation
#
# `Number` cannot divide yet. Write `divide(u, v)`: a `Number` with the value $u / v$ whose sources know both derivatives,
# $\partial (u/v) / \partial u$ and $\partial (u/v) / \partial v$.


# %% tags=["exercise"]
def divide(u, v):
    """The quotient of two Numbers, as a Number."""
    ### BEGIN SOLUTION
    return Number(u.value / v.value, [(u, 1 / v.value), (v, -u.value / v.value**2)])
    ### END SOLUTION


# %% tags=["wrong"] says="v gets no gradient: it is a source too"
def divide(u, v):  # treats v as a constant
    return Number(u.value / v.value, [(u, 1 / v.value)])


# %% tags=["wrong"] says="u / v falls when v grows, look at the sign"
def divide(u, v):  # loses the sign
    return Number(u.value / v.value, [(u, 1 / v.value), (v, u.value / v.value**2)])


# %% tags=["wrong"] says="u gets no gradient: it is a source too"
def divide(u, v):  # forgets the sources
    return Number(u.value / v.value)


# %% tags=["wrong"] says="the derivative of 1 / v is -1 / v², with a square"
def divide(u, v):  # forgets the square
    return Number(u.value / v.value, [(u, 1 / v.value), (v, -u.value / v.value)])


# %% tags=["check"]
with feedback("A new operation"):
    nudge = 1e-6
    for a, b in ((7.0, 4.0), (-1.0, 3.0), (2.5, -0.5)):
        u, v = Number(a), Number(b)
        quotient = divide(u, v)
        assert isinstance(quotient, Number), "return a Number"
        assert np.isclose(quotient.value, a / b), f"{a} / {b} is not {quotient.value}"
        quotient.backward()
        told = f"{a} / {b} gives u the gradient {u.gradient:.4g} and v {v.gradient:.4g}"
        assert u.gradient != 0, f"{told}: u gets no gradient: it is a source too"
        slope = ((a + nudge) / b - (a - nudge) / b) / (2 * nudge)
        assert np.isclose(u.gradient, slope), f"{told}: how does u / v change with u?"
        assert v.gradient != 0, f"{told}: v gets no gradient: it is a source too"
        slope = (a / (b + nudge) - a / (b - nudge)) / (2 * nudge)
        for mistake, words in (
            (-slope, "u / v falls when v grows, look at the sign"),
            (slope * b, "the derivative of 1 / v is -1 / v², with a square"),
            (slope / a, "u is a factor of the derivative"),
        ):
            assert not np.isclose(v.gradient, mistake, rtol=1e-4), f"{told}: {words}"
        assert np.isclose(v.gradient, slope, rtol=1e-4), f"{told}: how does u / v change with v?"
        u, v = Number(a), Number(b)
        (divide(u, v) * divide(v, u) + divide(u, u)).backward()  # 2, whatever u and v are
        assert np.allclose([u.gradient, v.gradient], 0, atol=1e-9), (
            "the quotient stands alone: it must also work within a longer program"
        )

# %% [markdown]
# ## Exercise 5: beat Otsu in the shadow (open-ended)
#
# Write `shadow_mask(page)`: 255 where there is ink, 0 where there is paper, for pages with a shadow as above. The check makes three such pages of other sizes and asks
# for at least 30 of 32 digits found on each, with at most 3 boxes too many. Otsu alone fails. Ideas: compare each pixel with the
# brightness *around* it (`cv2.adaptiveThreshold`), or divide the page by a strongly blurred copy first.


# %% tags=["exercise"]
def shadow_mask(page):
    """255 where there is ink, 0 where there is paper, also where the paper lies in a shadow."""
    ### BEGIN SOLUTION
    smooth = cv2.GaussianBlur(page, (5, 5), 0)
    # ink is 20 steps darker than the mean of the 41 x 41 pixels around it
    return cv2.adaptiveThreshold(
        smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20
    )
    ### END SOLUTION


# %% tags=["wrong"] says="One threshold cannot fit light and shadow"
def shadow_mask(page):  # one threshold, as before
    return otsu_mask(page)


# %% tags=["wrong"] says="One threshold cannot fit light and shadow"
def shadow_mask(page):  # a fixed threshold, low enough for the shadow
    return np.where(page < 60, 255, 0).astype("uint8")


# %% tags=["wrong"] says="boxes for 32 digits"
def shadow_mask(page):  # compares with the surroundings, and takes the noise for ink
    return cv2.adaptiveThreshold(
        page, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 6
    )


# %% tags=["wrong"] says="is it inverted?"
def shadow_mask(page):  # paper instead of ink
    smooth = cv2.GaussianBlur(page, (5, 5), 0)
    return cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 41, 20)


# %% tags=["check"]
with feedback("Beat Otsu in the shadow"):
    for number, pitch in enumerate((70, 80, 66)):
        draws = np.random.default_rng(100 + number)
        chosen = validation_images[draws.choice(len(validation_images), 32, replace=False)]
        page, centres = make_page(chosen, draws, pitch, shadow=0.6)
        mask = shadow_mask(page)
        assert mask is not None, "return a mask"
        assert np.shape(mask) == page.shape, (
            f"the page is {page.shape}, and your mask {np.shape(mask)}"
        )
        assert set(np.unique(mask)) <= {0, 255}, "the mask holds 0 and 255 and nothing else"
        ink = np.mean(np.asarray(mask) > 0)
        assert ink < 0.7, f"{ink:.0%} of your mask is ink: is it inverted?"
        boxes = find_boxes(np.asarray(mask, "uint8"))
        boxes = boxes[boxes[:, 2] < 90]  # a box as wide as two digits is no digit
        found = np.sum(match(boxes, centres) >= 0) if len(boxes) else 0
        assert found >= 30, (
            f"page {number + 1}: {found} of 32 digits found. One threshold cannot fit light and shadow: compare with the surroundings"
        )
        assert len(boxes) <= 35, (
            f"page {number + 1}: {len(boxes)} boxes for 32 digits. What else passes? Blur first, or ask for more difference"
        )

# %% [markdown]
# ## Summary
#
# - The same weights give the same outputs, gradients and steps in NumPy, TensorFlow, Keras and PyTorch, up to the rounding of 32-bit numbers. Training
#   does not blow the rounding up.
# - What differs is around the arithmetic: the layout of weights, defaults, who clears the gradients.
# - Automatic differentiation is the chain rule along remembered operations, at the price of a few forward passes.
# - A graph saves the price of asking. It pays for small operations, and it freezes what was Python.
# - OpenCV finds, the network reads. A picture prepared in another way than in training can cost most of the reading, and no error tells you.
#
# Not shown: GPUs (lesson 1.3), `torch.compile`, JAX at work, and how the frameworks spread training over machines (lesson 8.4). Next: lesson 1.3 sets up your
# own environment, and lesson 2.1 takes a single neuron apart.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Your port of a network gives outputs that differ from the original by 0.02. Is that rounding?</summary>
#
# No. For one pass through a network of this size rounding stays near 1e-6. Look for a transposed matrix, another epsilon, a missing
# `eval()`, or pictures prepared in another way. Compare layer by layer until the first difference shows.
#
# </details>
#
# <details>
# <summary>Why does automatic differentiation go from the loss back to the weights, and not from each weight forward?</summary>
#
# There is one loss and there are many weights. Going back from the loss serves all weights in one pass. Going forward would need one pass for each
# weight. With one input and many results it would be the other way round.
#
# </details>
#
# <details>
# <summary>A tf.function works on the first batches and is traced again on the last one of each epoch. Why?</summary>
#
# The last batch is smaller, so its tensors have another shape. It costs one more graph. Drop the rest of the data, pad it, or allow any
# batch size with `input_signature=[tf.TensorSpec((None, 784))]`.
#
# </details>
#
# <details>
# <summary>The network read crops with values up to 255 as well as before. Why scale at all?</summary>
#
# Because training depends on it: the size of the gradients of the first layer grows with the inputs, and so does the right learning rate. Because the
# shares become useless. And because other methods, and networks with other activations, do not forgive it.
#
# </details>

# %% [markdown]
# ## References
#
# - C. R. Harris et al. (2020). Array programming with NumPy. doi:10.1038/s41586-020-2649-2
# - M. Abadi et al. (2016). TensorFlow: a system for large-scale machine learning. arXiv:1605.08695
# - F. Chollet et al. (2015). Keras. keras.io
# - A. Paszke et al. (2019). PyTorch: an imperative style, high-performance deep learning library. arXiv:1912.01703
# - R. Frostig, M. J. Johnson, C. Leary (2018). Compiling machine learning programs via high-level tracing. SysML. (JAX)
# - J. Howard, S. Gugger (2020). fastai: a layered API for deep learning. doi:10.3390/info11020108
# - G. Bradski (2000). The OpenCV library. Dr. Dobb's Journal of Software Tools.
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind (2018). Automatic differentiation in machine learning: a survey. arXiv:1502.05767
# - D. Moldovan et al. (2018). AutoGraph: imperative-style coding with graph-based performance. arXiv:1810.08061
# - N. Otsu (1979). A threshold selection method from gray-level histograms. doi:10.1109/TSMC.1979.4310076
# - S. Suzuki, K. Abe (1985). Topological structural analysis of digitized binary images by border following. doi:10.1016/0734-189X(85)90016-7
# - E. Alpaydin, C. Kaynak (1998). Optical recognition of handwritten digits. doi:10.24432/C50P49
