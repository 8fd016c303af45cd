# ---
# jupyter:
#   course:
#     prerequisites: ["1.1"]
#     equal_programs:
#       "Repair this":
#         "keyword dropped: error.mean(axis=0) -> error.mean()": "with one neuron all errors are those of one column"
#     core_minutes: 75
# ---

# %% [markdown]
# # 2.1 The artificial neuron
#
# **After this lesson you can** compute a neuron's output by hand, say what its weights and its bias do, choose an
# activation and write down its derivative, train a neuron yourself and with Keras, and tell which problems one neuron
# can never solve.
#
# **You build** a neuron, its training loop and a classifier of breast tumours, each equal to Keras's.
#
# **Question.** A neuron only adds and squashes numbers. How can adding decide anything, and what can it never decide?

# %% tags=["setup"]
import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
import scipy.special
import sklearn.datasets
import sklearn.linear_model
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    split_three_ways,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## One neuron, by hand
#
# A neuron has one **weight** for each input and one **bias**. It multiplies each input by its weight, adds everything
# and the bias to the **weighted sum** $z = w_1 x_1 + w_2 x_2 + b$, and passes $z$ through a function, its
# **activation**. Here the activation is the **sigmoid** $\sigma(z) = 1 / (1 + e^{-z})$, which turns any number into one
# between 0 and 1.

# %% [markdown]
# ![Two inputs, 2 and 3, are multiplied by the weights 1 and minus 1 and meet the bias 0.5 in the sum z, minus 0.5; the sigmoid turns z into the output a, 0.378.](../../../images/neuron.png)

# %% [markdown]
# With $x = (2, 3)$, $w = (1, -1)$ and $b = 0.5$ the sum is $z = 1 \cdot 2 - 1 \cdot 3 + 0.5 = -0.5$.
# Before you run the cell: is the output above or below one half?

# %% tags=["nbval-check-output"]
inputs = np.array([2.0, 3.0])
weights = np.array([1.0, -1.0])
bias = 0.5

weighted_sum = inputs @ weights + bias
output = 1 / (1 + np.exp(-weighted_sum))
print(f"z = {weighted_sum:.2f}, a = {output:.3f}")

# %% [markdown]
# Below. A negative sum always lands under one half, because $\sigma(0) = 1/2$ and the sigmoid only rises.
#
# Keras calls this neuron `Dense(1, activation="sigmoid")`. Given the same weights, it must give the same number.

# %% without_learning="arithmetic"
neuron = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
neuron.set_weights([weights.reshape(2, 1), np.array([bias])])
keras_output = float(neuron(inputs.reshape(1, 2))[0, 0])

claim(
    "Our sum and sigmoid give the output of keras.layers.Dense(1)",
    abs(keras_output - output) < 1e-6,
    f"{output:.6f} and {keras_output:.6f}",
)

# %% [markdown]
# ## Where the idea comes from, and where the likeness ends
#
# A nerve cell collects signals through its **dendrites**, and where enough arrive at once it sends a pulse along its
# **axon**. In 1943 McCulloch and Pitts made this a formula: add the inputs, and say 1 where the sum reaches a threshold,
# else 0. Nothing in it is learned; a person chooses the weights. (Rosenblatt's perceptron of 1958 was the first to
# learn them.) Even so, such neurons compute logic.

# %% tags=["setup"]
BOTH_INPUTS = np.array(
    [[0, 0], [0, 1], [1, 0], [1, 1]]
)  # (4, 2): all that two yes-or-no inputs can be


def threshold_neuron(x, w, b):
    """1 where the weighted sum is above zero, else 0: (examples,).

    x: (examples, inputs), w: (inputs,), b: a number.
    """
    return (x @ w + b > 0).astype(int)


# %% tags=["nbval-check-output"]
and_answers = threshold_neuron(BOTH_INPUTS, np.array([1, 1]), -1.5)
or_answers = threshold_neuron(BOTH_INPUTS, np.array([1, 1]), -0.5)
for (first, second), and_answer, or_answer in zip(
    BOTH_INPUTS, and_answers, or_answers, strict=True
):
    print(f"{first}, {second}:  AND {and_answer}   OR {or_answer}")

# %% [markdown]
# AND and OR have the same weights. Only the bias differs: $-1.5$ asks for both inputs, $-0.5$ for one.
#
# The likeness to a nerve cell ends here. A nerve cell sends pulses in time, not one number; its dendrites compute on
# their own; the strength of a synapse depends on the history of both cells; and nobody has found in the brain the
# back-propagation by which our networks learn. "Neuron" is a name. What follows is mathematics.

# %% [markdown]
# ## What the bias does
#
# The neuron says *yes* where $z > 0$. The border $w_1 x_1 + w_2 x_2 + b = 0$ is a straight line, the **decision line**.
# Before you run the next cell: will a larger bias turn that line, or move it?
#
# We do not trust the formula; we ask the Keras neuron at 14,409 points where it changes its mind.

# %%
first_input = np.linspace(-4, 4, 9)
second_input = np.linspace(-8, 8, 1601)
points = np.stack(np.meshgrid(first_input, second_input, indexing="ij"), axis=-1)  # (9, 1601, 2)


def border_found(weights, bias):
    """Where the Keras neuron's output crosses one half, for each first input: (9,)."""
    neuron.set_weights([np.reshape(weights, (2, 1)), np.array([bias])])
    says_yes = (
        neuron.predict(points.reshape(-1, 2), verbose=0, batch_size=16384).reshape(9, 1601) > 0.5
    )
    return second_input[says_yes.argmin(axis=1)]


def draw_borders(borders, title):
    """borders: {label: (9,)}. One line each, named at its right end."""
    for label, border in borders.items():
        plt.plot(first_input, border)
        plt.annotate(label, (4.1, border[-1]), va="center", annotation_clip=False)
    plt.xlabel("first input $x_1$")
    plt.ylabel("second input $x_2$")
    plt.title(title)
    plt.show()


# %% alt="Three parallel lines rise from left to right; the one for the largest bias lies highest."
borders = {f"b = {value:+.0f}": border_found([1, -1], value) for value in (2.0, 0.0, -2.0)}
draw_borders(borders, "Where the neuron changes its mind, for three biases")

# %% [markdown]
# It moves: three parallel lines. The weights' direction sets the direction of the line. For given weights the bias sets
# its place: the line lies $|b| / \lVert w \rVert$ from the origin.

# %% without_learning="untrained"
slopes, heights = np.array([np.polyfit(first_input, border, 1) for border in borders.values()]).T
claim(
    "The bias moves the decision line and does not turn it",
    np.ptp(slopes) < 0.01 and np.ptp(heights) > 1,
    f"slopes {slopes.round(2)}, heights {heights.round(2)}",
)

# %% [markdown]
# Now change the weights. The second neuron below has every weight *and* the bias ten times as large. The third has ten times
# the weights and the old bias. Predict: where are their lines?

# %% alt="Four rising lines: one carries both the label for the weights 1, minus 1 and for everything tenfold; one a little below it is parallel; one is flatter and crosses them."
borders = {
    "w = (1, −1)\nand all tenfold": border_found([1, -1], 2.0),
    "": border_found([10, -10], 20.0),
    "w tenfold": border_found([10, -10], 2.0),
    "w = (1, −3)": border_found([1, -3], 2.0),
}
draw_borders(borders, "Other weights, and one common factor")

# %% without_learning="untrained"
plain, tenfold, longer, turned = borders.values()
moved = {
    "everything tenfold": np.abs(plain - tenfold).max(),
    "weights tenfold": np.abs(plain - longer).max(),
    "weights turned": np.abs(plain - turned).max(),
}
claim(
    "Only a common factor on the weights and the bias leaves the decision line where it is",
    moved["everything tenfold"] < 0.01
    and min(moved["weights tenfold"], moved["weights turned"]) > 0.4,
    ", ".join(f"{change}: line moves by {distance:.2f}" for change, distance in moved.items()),
)

# %% [markdown]
# With everything tenfold the line stays, and yet the two neurons differ. Look at what they say *near* the line, at the point $(2, 3.9)$:

# %% tags=["nbval-check-output"]
near_the_line = np.array([2.0, 3.9])
for factor in (1, 10):
    z = factor * (near_the_line @ np.array([1.0, -1.0]) + 2.0)
    print(f"everything times {factor:2d}: z = {z:.1f}, a = {scipy.special.expit(z):.3f}")

# %% [markdown]
# Scale weights and bias together, and the decisions stay while the doubt goes.
# (`scipy.special.expit` is the sigmoid, written so that it never overflows.)

# %% [markdown]
# ## Many neurons, many examples: the dense layer
#
# One neuron is one column of weights. Put the columns of several neurons side by side, and the examples below each
# other, and one matrix product computes every sum at once:
#
# $$Z = X W + b, \qquad A = \sigma(Z)$$
#
# with $X$: (examples, inputs), $W$: (inputs, neurons), $b$: (neurons) and $A$: (examples, neurons). This is a **dense
# layer**, and it is one line of NumPy.


# %% tags=["setup"]
def dense(x, w, b, activation):
    """A dense layer's answers: (examples, neurons).

    x: (examples, inputs), w: (inputs, neurons), b: (neurons,).
    """
    return activation(x @ w + b)


# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
differences = []
for examples, input_count, neurons in [(1, 2, 1), (5, 3, 4), (64, 30, 16)]:
    layer = keras.layers.Dense(neurons, activation="sigmoid", bias_initializer="normal")
    x = generator.normal(size=(examples, input_count)).astype("float32")
    keras_answer = keras.ops.convert_to_numpy(layer(x))
    our_answer = dense(x, *layer.get_weights(), scipy.special.expit)
    differences.append(np.abs(our_answer - keras_answer).max())
claim(
    "activation(X @ W + b) is keras.layers.Dense, whatever the shape",
    max(differences) < 1e-6,
    f"largest difference {max(differences):.1e}",
)

# %% [markdown]
# ## Activations and their derivatives
#
# Without an activation a neuron's answer is a straight line in each of its inputs. The activation bends it. Its **derivative**, how
# much the answer changes when the sum changes a little, matters just as much: learning sends its corrections back through it.

# %% [markdown]
# ![Seven small plots: linear, a straight line; sigmoid, an S from 0 to 1; tanh, an S from minus 1 to 1; ReLU, zero and then rising; leaky ReLU, rising slowly and then fast; GELU, a smooth ReLU with a shallow dip; softmax, three bars of one sixth, one third and one half.](../../../images/activations.png)

# %% [markdown]
# | activation | formula | derivative | where it is used |
# |---|---|---|---|
# | linear | $z$ | $1$ | output of a regression |
# | sigmoid | $\sigma(z) = 1 / (1 + e^{-z})$ | $\sigma(z)\,(1 - \sigma(z))$ | yes-or-no outputs, gates |
# | tanh | $\tanh z$ | $1 - \tanh^2 z$ | recurrent networks |
# | ReLU (Glorot and others, 2011) | $\max(0, z)$ | $1$ for $z > 0$, else $0$ | hidden layers, the usual first choice |
# | leaky ReLU (Maas and others, 2013) | $z$ for $z > 0$, else $\alpha z$ | $1$ for $z > 0$, else $\alpha$ | where ReLU neurons die |
# | GELU (Hendrycks and Gimpel, 2016) | $z\,\Phi(z)$ | $\Phi(z) + z\,\varphi(z)$ | transformers |
#
# Here $\alpha$ is a small slope, $\Phi(z)$ the probability that a standard normal number is below $z$, and
# $\varphi(z) = e^{-z^2/2} / \sqrt{2\pi}$ the bell curve, the derivative of $\Phi$.
#
# Two of these derivatives deserve their steps. Write $\sigma = (1 + e^{-z})^{-1}$ and use the chain rule:
#
# $$\sigma' = \frac{e^{-z}}{(1 + e^{-z})^2} = \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}} = \sigma\,(1 - \sigma).$$
#
# At $z = 0$ that is $\frac12 \cdot \frac12 = \frac14$, the steepest place of the curve. For GELU the product rule
# $(uv)' = u'v + uv'$ with $u = z$ and $v = \Phi(z)$ gives $\Phi(z) + z\,\varphi(z)$. ReLU has a corner at 0 and no derivative there; like Keras, we take 0.

# %% tags=["setup"]
LEAK = 0.2  # default of keras.activations.leaky_relu; keras.layers.LeakyReLU has 0.3


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def normal_below(z):
    """Φ: the probability that a standard normal number is below z."""
    return (1 + scipy.special.erf(z / np.sqrt(2))) / 2


def bell_curve(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


# %%
ACTIVATIONS = {  # name: (activation, derivative)
    "linear": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, LEAK * z), lambda z: np.where(z > 0, 1.0, LEAK)),
    "gelu": (lambda z: z * normal_below(z), lambda z: normal_below(z) + z * bell_curve(z)),
}

# %% [markdown]
# TensorFlow's `GradientTape` records a computation and differentiates it. We hold each of our derivatives against it,
# at 401 places. (For GELU there is also a faster approximation; we ask for the exact one.)

# %% without_learning="arithmetic"
z = np.linspace(-6, 6, 401)
largest_difference = {}
for name, (activation, derivative) in ACTIVATIONS.items():
    options = {"approximate": False} if name == "gelu" else {}
    z_tensor = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z_tensor)
        keras_activation = getattr(keras.activations, name)(z_tensor, **options)
    keras_derivative = tape.gradient(keras_activation, z_tensor)
    pairs = (activation(z), keras_activation), (derivative(z), keras_derivative)
    largest_difference[name] = max(np.abs(ours - theirs.numpy()).max() for ours, theirs in pairs)
    print(f"{name:10s}  largest difference {largest_difference[name]:.1e}")
claim(
    "Six activations and their derivatives equal Keras's, at the corner of ReLU too",
    max(largest_difference.values()) < 1e-6,
    f"largest difference {max(largest_difference.values()):.1e}",
)

# %% alt="Six small plots, each with an activation as a solid line and its derivative as a dashed line. The derivatives of sigmoid and tanh are humps that vanish on both sides; those of ReLU and leaky ReLU are steps."
figure, grid = plt.subplots(2, 3, figsize=(6.6, 4.4), sharex=True)
for axes, (name, (activation, derivative)) in zip(grid.flat, ACTIVATIONS.items(), strict=True):
    axes.axhline(0, color="0.8", linewidth=1, linestyle="-")
    axes.plot(z, activation(z), color=COLOURS["blue"])
    axes.plot(z, derivative(z), color=COLOURS["red"], linestyle="--")
    axes.set(title=name, ylim=(-1.3, 2.3), xlim=(-6, 6))
grid[0, 1].annotate("activation", (-5.7, 1.25), color=COLOURS["blue"])
grid[0, 1].annotate("derivative", (-5.7, 0.4), color=COLOURS["red"])
figure.supxlabel("weighted sum z")
plt.show()

# %% [markdown]
# Compare the dashed lines. The sigmoid's never rises above one quarter and is almost zero a few steps from the middle.
# ReLU's is exactly one on its whole right half. You will see the consequence soon.
#
# **Softmax** is the activation for *one of several* answers. It looks at all sums $z_1, \dots, z_k$ at once and turns them into
# shares that add up to 1:
#
# $$a_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# By hand: for $z = (0, \ln 2, \ln 3)$ the exponentials are $1, 2, 3$, their sum is $6$, and the shares are
# $\frac16, \frac13, \frac12$. Every share depends on every sum, so the derivative is a table. With
# $S = \sum_j e^{z_j}$ the quotient rule gives, for a share's own sum and for another's,
#
# $$\frac{\partial a_i}{\partial z_i} = \frac{e^{z_i} S - e^{z_i} e^{z_i}}{S^2} = a_i (1 - a_i), \qquad
#   \frac{\partial a_i}{\partial z_j} = \frac{0 - e^{z_i} e^{z_j}}{S^2} = -a_i a_j.$$


# %% tags=["nbval-check-output"]
def softmax(z):
    """Shares of the last axis that add up to 1.

    The largest sum is taken off first: the shares stay the same, and nothing overflows.
    """
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_derivative(z):
    """The table of da_i / dz_j for one vector z of k sums: (k, k)."""
    a = softmax(z)
    return a[:, np.newaxis] * (np.eye(len(a)) - a)


sums = np.array([0.0, np.log(2), np.log(3)])
print(softmax(sums).round(4))
print(softmax_derivative(sums).round(4))

# %% [markdown]
# Read the first column: raise $z_1$ a little, and the first share grows by exactly what the other two lose. So each
# column adds up to zero.

# %% without_learning="arithmetic"
sums_tensor = tf.constant(sums)
with tf.GradientTape() as tape:
    tape.watch(sums_tensor)
    keras_shares = keras.activations.softmax(sums_tensor[tf.newaxis])[0]
keras_table = tape.jacobian(keras_shares, sums_tensor).numpy()
difference = max(
    np.abs(softmax(sums) - keras_shares.numpy()).max(),
    np.abs(softmax_derivative(sums) - keras_table).max(),
)
huge_shares = softmax(np.array([1000.0, 1001.0]))
claim(
    "Softmax and its whole table of derivatives equal Keras's, and huge sums do not overflow",
    difference < 1e-6 and np.allclose(huge_shares, softmax(np.array([0.0, 1.0]))),
    f"largest difference {difference:.1e}, shares of 1000 and 1001: {huge_shares.round(3)}",
)

# %% [markdown]
# ## How a neuron learns
#
# So far we chose the weights. Now the neuron is to find them from examples: inputs $x$ with a **target** $y$ of 0 or 1.
# Its output $\hat y = \sigma(z)$ is read as the probability of a 1. A good neuron makes the targets that really happened
# probable, so its **loss** on one example is minus the logarithm of the probability it gave to the truth, the
# **binary cross-entropy**:
#
# $$L = -\big(y \ln \hat y + (1 - y) \ln (1 - \hat y)\big)$$
#
# To lower it, follow its slope down. $\partial L / \partial w$ says how much $L$ changes when $w$ alone changes a little; all
# these slopes together are the **gradient**, and its length is its **norm**. By the chain rule there is one factor
# for each step from $w$ to $L$:
#
# $$\frac{\partial L}{\partial \hat y} = -\frac{y}{\hat y} + \frac{1 - y}{1 - \hat y} = \frac{\hat y - y}{\hat y\,(1 - \hat y)}, \qquad
#   \frac{\partial \hat y}{\partial z} = \hat y\,(1 - \hat y), \qquad
#   \frac{\partial z}{\partial w} = x, \qquad \frac{\partial z}{\partial b} = 1.$$
#
# The denominator of the first factor cancels the second. What remains is as simple as can be, *error times input*:
#
# $$\frac{\partial L}{\partial w} = (\hat y - y)\, x, \qquad \frac{\partial L}{\partial b} = \hat y - y.$$
#
# By hand, with the neuron from the start ($x = (2, 3)$, $\hat y = 0.378$) and the target $y = 1$: the error is $-0.622$,
# the gradient of the weights is $(-1.245, -1.867)$. Both weights should grow, the second one faster, for its input is larger.
#
# Over $n$ examples, the rows of $X$, the loss is the mean of their losses, so its gradient is the mean of their gradients:
#
# $$\frac{\partial L}{\partial w} = \frac1n X^\top (\hat y - y), \qquad \frac{\partial L}{\partial b} = \frac1n \sum (\hat y - y).$$
#
# Keras's loss takes the sum $z$, also called the **logit**, when told `from_logits=True`; it then applies the sigmoid itself.


# %% tags=["setup"]
def loss_and_gradients(x, y, w, b):
    """Mean binary cross-entropy of sigmoid neurons, and its gradients.

    x: (examples, inputs), w: (inputs, neurons), b: (neurons,), y: (examples, neurons) of 0 and 1.
    Returns the loss of each neuron (neurons,), dL/dw like w and dL/db like b.
    """
    z = x @ w + b
    error = scipy.special.expit(z) - y
    loss = np.mean(
        np.logaddexp(0, z) - y * z, axis=0
    )  # -y ln ŷ - (1 - y) ln(1 - ŷ), without overflow
    return loss, x.T @ error / len(x), error.mean(axis=0)


# %% tags=["nbval-check-output"]
one_input, one_target = np.array([[2.0, 3.0]]), np.array([[1.0]])
_, w_gradient, b_gradient = loss_and_gradients(
    one_input, one_target, np.array([[1.0], [-1.0]]), 0.5
)
print(
    f"by hand: gradient of the weights {w_gradient.ravel().round(3)}, of the bias {b_gradient.round(3)}"
)

# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
x, y = generator.normal(size=(40, 5)), generator.integers(0, 2, size=(40, 1)).astype(float)
w, b = generator.normal(size=(5, 1)), generator.normal(size=1)

w_variable, b_variable = tf.Variable(w), tf.Variable(b)
with tf.GradientTape() as tape:
    keras_loss = keras.ops.mean(
        keras.losses.binary_crossentropy(
            y, tf.constant(x) @ w_variable + b_variable, from_logits=True
        )
    )
tape_gradients = tape.gradient(keras_loss, [w_variable, b_variable])

loss, w_gradient, b_gradient = loss_and_gradients(x, y, w, b)
pairs = (loss[0], keras_loss), (w_gradient, tape_gradients[0]), (b_gradient, tape_gradients[1])
difference = max(np.abs(ours - theirs.numpy()).max() for ours, theirs in pairs)
claim(
    "The loss and the gradient 'error times input' equal Keras's and GradientTape's",
    difference < 1e-6,
    f"largest difference {difference:.1e}",
)

# %% [markdown]
# **Gradient descent** is then three lines: compute the gradient, take a small step against it, repeat. The size of the
# step is the **learning rate** $\eta$.


# %% tags=["setup"]
def train(x, y, learning_rate, steps, seed):
    """Gradient descent on all examples at once. Shapes as in loss_and_gradients.

    Returns w, b and the losses before each step, (steps, neurons).
    """
    w = np.random.default_rng(seed).normal(scale=0.01, size=(x.shape[1], y.shape[1]))
    b = np.zeros(y.shape[1])
    losses = []
    for _ in range(steps):
        loss, w_gradient, b_gradient = loss_and_gradients(x, y, w, b)
        w -= learning_rate * w_gradient
        b -= learning_rate * b_gradient
        losses.append(loss)
    return w, b, np.array(losses)


# %% [markdown]
# ## Saturation: a neuron that has stopped listening
#
# One factor of the gradient was the activation's derivative. Where the sigmoid is flat it is **saturated**: the sum may
# change, and the answer hardly does. A correction that travels back through such a neuron is multiplied by almost zero.

# %% without_learning="arithmetic"
saturated_sums = np.array([0.0, 5.0, 10.0])
slopes = sigmoid(saturated_sums) * (1 - sigmoid(saturated_sums))
claim(
    "A sigmoid at z = 10 passes on less than a thousandth of what it passes at z = 0",
    slopes[2] < slopes[0] / 1000,
    ", ".join(
        f"{slope:.5f} at z = {z:.0f}" for z, slope in zip(saturated_sums, slopes, strict=True)
    ),
)

# %% [markdown]
# In a deep network a correction passes one activation in every layer, and the factors multiply. Even without saturation a
# sigmoid's factor is at most one quarter. We send a batch of examples through 20 layers of 64 neurons whose sums stay
# near zero, and measure the norm of the gradient of each layer's weights. Predict how much the first layer gets.
#
# How the weights start matters too, so we measure with two common ways to draw them (lesson 2.3 derives both).

# %%
LAYERS = 20


def gradient_by_layer(activation, initializer):
    """The norm of the gradient of each layer's weights in an untrained network: (LAYERS,)."""
    make_start = getattr(keras.initializers, initializer)
    layers = [
        keras.layers.Dense(64, activation=activation, kernel_initializer=make_start(seed))
        for seed in range(SEED * LAYERS, (SEED + 1) * LAYERS)
    ]
    network = keras.Sequential([keras.Input((64,)), *layers])
    batch = np.random.default_rng(SEED).normal(size=(128, 64)).astype("float32")
    with tf.GradientTape() as tape:
        loss = keras.ops.mean(network(batch) ** 2)
    gradients = tape.gradient(loss, [layer.kernel for layer in layers])
    return np.array([np.linalg.norm(gradient) for gradient in gradients])


gradients = {
    (activation, start): gradient_by_layer(activation, start)
    for activation in ("sigmoid", "relu")
    for start in ("HeNormal", "GlorotUniform")
}

# %% alt="On a logarithmic scale the gradient of the sigmoid network falls by about ten powers of ten from the last layer to the first, while that of the ReLU network stays level."
for activation in ("sigmoid", "relu"):
    norms = gradients[activation, "HeNormal"]
    plt.semilogy(range(1, LAYERS + 1), norms)
    plt.annotate(activation, (9, norms[8]), (8, -18), textcoords="offset points", ha="left")
plt.xticks([1, 5, 10, 15, 20])
plt.xlabel("layer (1 is next to the inputs)")
plt.ylabel("norm of the gradient")
plt.title("How much of a correction reaches each layer")
plt.show()

# %% [markdown]
# In the sigmoid network the first layers get practically nothing: they would sit still while the last ones learn. This is
# the **vanishing gradient**, and one reason why ReLU, whose factor is 1 or 0, is the usual choice for hidden layers.

# %% without_learning="untrained"
arriving = {
    activation: [
        norms[0] / norms[-1] for (name, _), norms in gradients.items() if name == activation
    ]
    for activation in ("sigmoid", "relu")
}
claim(
    "Through 20 sigmoid layers less than a millionth of the gradient arrives, through 20 ReLU layers at least a tenth",
    max(arriving["sigmoid"]) < 1e-6 and min(arriving["relu"]) > 0.1,
    f"first layer against last, with either start: sigmoid at most {max(arriving['sigmoid']):.0e}, "
    f"ReLU at least {min(arriving['relu']):.1f}",
)

# %% [markdown]
# ReLU has a failing of its own. A ReLU neuron whose sum is negative for *every* example has derivative 0 for every
# example. No correction reaches it: as long as its inputs stay as they are, it never comes back. It is a **dead
# neuron**. Leaky ReLU keeps a small slope there for this reason.
#
# Below, `compile` names the steps ("sgd", gradient descent with a learning rate of 0.01) and the loss ("mse", the mean
# squared error), and `fit` takes the steps.


# %%
def answers_after_training(activation, steps=400):
    """Train a neuron whose sums start below zero to answer 1 for the inputs 1, 2 and 3."""
    one_neuron = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation=activation)])
    one_neuron.set_weights([np.array([[-1.0]]), np.array([-1.0])])
    one_neuron.compile("sgd", "mse")
    x = np.array([[1.0], [2.0], [3.0]])
    # The three examples, over and over, three at a time: every step of this one epoch sees them all.
    _ = one_neuron.fit(
        np.tile(x, (steps, 1)), np.ones((3 * steps, 1)), batch_size=3, shuffle=False, verbose=0
    )
    return keras.ops.convert_to_numpy(one_neuron(x)).ravel()


dead, leaky = answers_after_training("relu"), answers_after_training("leaky_relu")
claim(
    "A ReLU neuron whose sums are all negative stays at zero; a leaky one recovers",
    np.all(dead == 0) and np.all(leaky > 0.5),
    f"answers after training: ReLU {dead}, leaky ReLU {leaky.round(2)}",
)

# %% [markdown]
# ## Stacked linear layers are one linear layer
#
# What if we leave the activation out and stack more layers instead? Multiply two linear layers out:
#
# $$(X W_1 + b_1)\, W_2 + b_2 = X \underbrace{W_1 W_2}_{W} + \underbrace{b_1 W_2 + b_2}_{b}$$
#
# That is one linear layer again. Here are three layers with more than a thousand weights and biases, folded into one with 9.

# %% without_learning="arithmetic"
three_layers = keras.Sequential(
    [keras.Input((8,))]
    + [keras.layers.Dense(size, bias_initializer="normal") for size in (32, 30, 1)]
)
folded_weights, folded_bias = np.eye(8), np.zeros(8)
for layer in three_layers.layers:
    w, b = layer.get_weights()
    folded_weights, folded_bias = folded_weights @ w, folded_bias @ w + b

x = np.random.default_rng(SEED).normal(size=(1000, 8)).astype("float32")
difference = np.abs(three_layers.predict(x, verbose=0) - (x @ folded_weights + folded_bias)).max()
folded_count = folded_weights.size + folded_bias.size
claim(
    "Three linear layers are one linear layer",
    difference < 1e-5 and three_layers.count_params() > 1000 and folded_count == 9,
    f"{three_layers.count_params()} numbers folded into {folded_count}, largest difference {difference:.1e}",
)

# %% [markdown]
# Depth without activations buys nothing. The activation is what makes a network more than one neuron.

# %% [markdown]
# ## What one neuron can never learn
#
# Two yes-or-no inputs make 4 cases, and a function of them answers 0 or 1 in each: there are $2^4 = 16$ such functions, AND, OR
# and XOR (*exactly one of the two*) among them. That is few enough to try them all. Sixteen neurons in one layer, each
# with its own function to learn, from the same four examples. Predict: how many of the sixteen fail?

# %%
function_numbers = np.arange(16)  # column k below holds the four binary digits of k
all_functions = (
    function_numbers[np.newaxis] >> np.arange(4)[:, np.newaxis]
) & 1  # (4 cases, 16 functions)
centred_inputs = (
    BOTH_INPUTS - 0.5
)  # only moves the line, and the bias makes up for that; learns faster

w, b, losses = train(centred_inputs, all_functions, learning_rate=2.0, steps=5000, seed=SEED)
answers = (centred_inputs @ w + b > 0).astype(int)
learned = (answers == all_functions).all(axis=0)
for number in np.flatnonzero(~learned):
    print(
        f"not learned: answers {all_functions[:, number]} to the inputs 00, 01, 10, 11; loss {losses[-1, number]:.3f}"
    )

# %% [markdown]
# Two fail: XOR and its opposite, as Minsky and Papert stressed in 1969. Their loss stands at $\ln 2 = 0.693$, the loss of a coin toss.
#
# They fail with any training, and four lines prove it. For XOR a neuron needs
# $b \le 0$ (no for 00), $w_2 + b > 0$ (yes for 01), $w_1 + b > 0$ (yes for 10) and $w_1 + w_2 + b \le 0$ (no for 11).
# Add the second and the third: $w_1 + w_2 + 2b > 0$. Add the first and the fourth: $w_1 + w_2 + 2b \le 0$. Both cannot be.
#
# Such examples are not **linearly separable**: no straight line has all the ones on one side. Whether a line exists is a
# question for **linear programming**, a method that finds numbers which satisfy a list of linear inequalities, or proves that
# there are none. It knows nothing of neurons. We ask it about all sixteen functions.


# %% without_learning="own loop"
def is_separable(x, y):
    """Is there a line with the examples y = 1 on one side and y = 0 on the other?

    x: (examples, inputs), y: (examples,).
    """
    sides = np.where(y == 1, 1, -1)[:, np.newaxis]
    wanted = -sides * np.column_stack(
        [x, np.ones(len(x))]
    )  # side * (x·w + b) >= 1, as linprog writes it
    answer = scipy.optimize.linprog(
        np.zeros(x.shape[1] + 1), A_ub=wanted, b_ub=-np.ones(len(x)), bounds=(None, None)
    )
    return answer.status == 0


separable = np.array(
    [is_separable(BOTH_INPUTS, all_functions[:, number]) for number in function_numbers]
)
claim(
    "Of the 16 functions of two yes-or-no inputs one neuron learns exactly those that a line can separate",
    np.array_equal(learned, separable)
    and np.flatnonzero(~separable).tolist() == [6, 9]  # XOR and its opposite
    and np.allclose(losses[-1, ~learned], np.log(2), atol=1e-3),
    f"{learned.sum()} learned, {separable.sum()} separable, the same ones; "
    f"loss of the others {losses[-1, ~learned].round(3)}",
)

# %% [markdown]
# What mends it is a second layer with an activation between. Two ReLU neurons suffice, and you can check them in your head:
#
# $$h_1 = \max(0,\; x_1 + x_2), \qquad h_2 = \max(0,\; x_1 + x_2 - 1), \qquad \text{answer} = h_1 - 2 h_2$$
#
# Below, the same weights run with ReLU and with no activation between the layers.


# %% without_learning="untrained"
def two_layers(activation):
    hidden = dense(BOTH_INPUTS, np.array([[1, 1], [1, 1]]), np.array([0, -1]), activation)  # (4, 2)
    return hidden @ np.array([1, -2])


with_relu, without = two_layers(lambda z: np.maximum(z, 0)), two_layers(lambda z: z)
claim(
    "Two ReLU neurons and one linear neuron compute XOR, and the ReLU is what does it",
    np.array_equal(with_relu, [0, 1, 1, 0]) and not np.array_equal(without, [0, 1, 1, 0]),
    f"answers to 00, 01, 10, 11: with ReLU {with_relu}, without {without}",
)

# %% [markdown]
# ## A neuron on real data
#
# For 569 breast tumours the Wisconsin data give 30 measures of the cell nuclei under a microscope (radius, texture, smoothness
# ...), and what the tumour was: benign or malignant. The task is to tell which, so malignant is our 1.
#
# Three parts: the neuron learns from the **training** data, we choose settings on the **validation** data, and the **test**
# data are used once, at the end.

# %% tags=["setup"]
tumours = sklearn.datasets.load_breast_cancer()
is_malignant = 1 - tumours.target  # scikit-learn has 0 for malignant

training, validation, test = split_three_ways(tumours.data, is_malignant, seed=SEED)
for name, (_, labels) in {"training": training, "validation": validation, "test": test}.items():
    print(f"{name:10s} {len(labels)} tumours, {labels.sum()} of them malignant")

# %% [markdown]
# Look at the raw numbers before you train on them.

# %% tags=["nbval-check-output"]
for name in ("mean area", "mean smoothness"):
    values = training[0][:, list(tumours.feature_names).index(name)]
    print(f"{name:16s} from {values.min():.2f} to {values.max():.2f}")

# %% [markdown]
# One measure is about ten thousand times as large as another. Error *times input* would let it drown the rest. So
# we **standardise**: subtract each measure's mean and divide by its standard deviation, both taken from the training data
# alone. The validation and test data must not help, not even with their mean.

# %% tags=["setup"]
measure_means, measure_deviations = training[0].mean(axis=0), training[0].std(axis=0)


def standardise(raw):
    """Measures, (tumours, 30), so that the training data have mean 0 and deviation 1."""
    return (raw - measure_means) / measure_deviations


training_x, validation_x, test_x = (standardise(part[0]) for part in (training, validation, test))
training_y, validation_y, test_y = (
    part[1][:, np.newaxis].astype(float) for part in (training, validation, test)
)

# %% without_learning="own loop"
_, _, raw_losses = train(training[0], training_y, learning_rate=0.03, steps=500, seed=SEED)
_, _, losses = train(training_x, training_y, learning_rate=0.03, steps=500, seed=SEED)
claim(
    "On the raw measures the same steps do not learn: the loss stays more than a hundred times as large",
    raw_losses[-1, 0] > 100 * losses[-1, 0],
    f"loss after 500 steps: raw {raw_losses[-1, 0]:.1f}, standardised {losses[-1, 0]:.3f}",
)

# %% [markdown]
# First the baselines. A constant answer, *benign*, needs no learning. **Logistic regression** is the classical method. Its
# one setting, `C`, is chosen on the validation data: a small `C` holds the weights small.


# %%
def best_regression(x, y, validation_x, validation_y):
    """Logistic regression with the C, of four, that does best on the validation data."""
    fitted = [
        sklearn.linear_model.LogisticRegression(C=strength, max_iter=5000).fit(x, y.ravel())
        for strength in (0.01, 0.1, 1.0, 10.0)
    ]
    return max(fitted, key=lambda regression: regression.score(validation_x, validation_y.ravel()))


regression = best_regression(training_x, training_y, validation_x, validation_y)
print(f"constant answer: {np.mean(validation_y == 0):.1%} of the validation data right")
print(
    f"logistic regression: {regression.score(validation_x, validation_y.ravel()):.1%}, C = {regression.C}"
)

# %% [markdown]
# Now our neuron. Its setting is the learning rate. We try three and look at how the loss falls.

# %% alt="The training loss over 1,000 steps for three learning rates: the smallest falls slowly, the larger ones quickly and to a lower value."
RATES, STEPS = (0.001, 0.03, 1.0), 1000
runs = {rate: train(training_x, training_y, rate, STEPS, SEED) for rate in RATES}
for rate, (_, _, losses) in runs.items():
    plt.plot(losses[:, 0])
    plt.annotate(f"η = {rate}", (STEPS * 1.01, losses[-1, 0]), va="center", annotation_clip=False)
plt.xlabel("step")
plt.ylabel("training loss")
plt.title("The same neuron with three learning rates")
plt.show()

# %% [markdown]
# All curves fall; after the smallest steps the neuron is far from done. Does the lowest training loss also give the best
# answers on tumours that it was not trained on? Predict, then look.


# %%
def accuracy(x, y, w, b):
    """The share of examples that a sigmoid neuron gets right, its border at one half."""
    return float(np.mean((x @ w + b > 0) == (y == 1)))


for rate, (w, b, _) in runs.items():
    print(
        f"η = {rate}: {accuracy(validation_x, validation_y, w, b):.1%} of the validation data right"
    )
best_rate = max(RATES, key=lambda rate: accuracy(validation_x, validation_y, *runs[rate][:2]))
our_w, our_b, _ = runs[best_rate]

# %% [markdown]
# We keep the rate that does best on the validation data.
#
# In Keras the neuron, the loss and the steps are three lines. With the same start and the same steps it must end with
# the same weights. Our steps each see all examples; so Keras gets them 200 times over, one whole set to a batch: the same
# as 200 epochs, but faster. (The rate is larger here, so that the weights move far and a difference would show.)

# %%
KERAS_STEPS, KERAS_RATE = 200, 0.5
keras_neuron = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1)])
start = np.random.default_rng(SEED).normal(scale=0.01, size=(30, 1))
keras_neuron.set_weights([start, np.zeros(1)])
loss = keras.losses.BinaryCrossentropy(from_logits=True)
keras_neuron.compile(keras.optimizers.SGD(KERAS_RATE), loss)
repeated_x, repeated_y = (np.tile(part, (KERAS_STEPS, 1)) for part in (training_x, training_y))
_ = keras_neuron.fit(repeated_x, repeated_y, batch_size=len(training_x), shuffle=False, verbose=0)

# %%
keras_w, keras_b = keras_neuron.get_weights()
w, b, _ = train(training_x, training_y, KERAS_RATE, KERAS_STEPS, SEED)
difference = max(np.abs(w - keras_w).max(), np.abs(b - keras_b).max())
claim(
    "Our training loop and Keras's fit end with the same weights",
    difference < 1e-3 and np.abs(w - start).max() > 0.1,
    f"largest difference {difference:.1e} after {KERAS_STEPS} steps, "
    f"in which a weight moved by up to {np.abs(w - start).max():.2f}",
)

# %% [markdown]
# The choices are made. Now the test data, once.

# %%
test_accuracy = {
    "constant answer": float(np.mean(test_y == 0)),
    "logistic regression": regression.score(test_x, test_y.ravel()),
    "our neuron": accuracy(test_x, test_y, our_w, our_b),
}
for name, share in test_accuracy.items():
    print(
        f"{name:20s} {share:6.1%} right, {round((1 - share) * len(test_y))} of {len(test_y)} wrong"
    )

# %% [markdown]
# How much would another split of the same tumours change that? We repeat everything, the choices too, on ten other splits.
# As a control we train twenty more neurons in each split on **shuffled labels**. They can find nothing but chance; if
# they did well on the true test labels, something would be wrong with our measuring.


# %%
def scores_of_split(seed):
    """Test accuracies on another split of the tumours, all choices made on its validation data.

    Returns the constant answer's, logistic regression's, the neuron's, and the mean of twenty
    neurons that learned from shuffled labels.
    """
    parts = split_three_ways(tumours.data, is_malignant, seed=seed)
    mean, deviation = parts[0][0].mean(axis=0), parts[0][0].std(axis=0)
    (x, y), (validation_x, validation_y), (test_x, test_y) = (
        ((raw - mean) / deviation, labels[:, np.newaxis].astype(float)) for raw, labels in parts
    )
    runs = {rate: train(x, y, rate, STEPS, seed)[:2] for rate in RATES}
    rate = max(RATES, key=lambda rate: accuracy(validation_x, validation_y, *runs[rate]))
    generator = np.random.default_rng(seed)
    shuffled = np.column_stack([generator.permutation(y.ravel()) for _ in range(20)])
    w, b, _ = train(x, shuffled, rate, STEPS, seed)  # twenty neurons side by side
    regression = best_regression(x, y, validation_x, validation_y)
    return (
        np.mean(test_y == 0),
        regression.score(test_x, test_y.ravel()),
        accuracy(test_x, test_y, *runs[rate]),
        accuracy(test_x, test_y, w, b),
    )


scores = np.array([scores_of_split(100 + 10 * SEED + split) for split in range(10)])
constant, regression_scores, neuron_scores, shuffled_scores = scores.T
names = "constant", "logistic regression", "neuron", "neurons, labels shuffled"
for name, values in zip(names, scores.T, strict=True):
    print(f"{name:24s} {values.mean():.1%} ± {values.std(ddof=1):.1%}")

# %% tags=["headline"] without_learning="own loop"
difference = neuron_scores - regression_scores
claim(
    "On ten splits of the breast tumours one neuron is far above the constant answer and level with logistic regression",
    np.all(neuron_scores > constant + 0.2) and abs(difference.mean()) < 0.02,
    f"right on test data: neuron {neuron_scores.mean():.1%} ± {neuron_scores.std(ddof=1):.1%}, "
    f"logistic regression {regression_scores.mean():.1%}, constant {constant.mean():.1%}",
)

# %% without_learning="own loop"
claim(
    "Trained on shuffled labels the neuron does no better than the constant answer",
    shuffled_scores.mean() < constant.mean() + 0.02,
    f"{shuffled_scores.mean():.1%} in the mean of 200 neurons against {constant.mean():.1%}",
)

# %% [markdown]
# Level, and no wonder: logistic regression *is* a sigmoid neuron with cross-entropy. It only searches in another way, and it adds
# $\lVert w \rVert^2 / 2C$ to the summed loss, which holds the weights small. Put that term's gradient, $w / C$ (over $n$, since our loss is a
# mean), into our steps, and the neuron must find scikit-learn's very weights.

# %% without_learning="own loop"
STRENGTH = 0.1
w, b = np.zeros((30, 1)), np.zeros(1)
for _ in range(3000):
    _, w_gradient, b_gradient = loss_and_gradients(training_x, training_y, w, b)
    w -= 0.1 * (w_gradient + w / (STRENGTH * len(training_x)))
    b -= 0.1 * b_gradient
classical = sklearn.linear_model.LogisticRegression(C=STRENGTH, tol=1e-10, max_iter=5000)
classical.fit(training_x, training_y.ravel())
difference = np.abs(w.ravel() - classical.coef_.ravel()).max()
claim(
    "With the penalty of logistic regression the neuron ends with logistic regression's weights",
    difference < 1e-3 and np.abs(w).max() > 0.1,
    f"largest difference {difference:.0e}, largest weight {np.abs(w).max():.2f}",
)

# %% [markdown]
# The neuron's worth is not that it beats the older method, but that it can be one of many.
#
# A picture of its decisions: the 30 measures of every test tumour, added up to one number.

# %% alt="A histogram of the weighted sums of the test tumours: benign ones lie left of zero, malignant ones right of it, with a small overlap around the dashed line at zero."
test_sums = (test_x @ our_w + our_b).ravel()
edges = np.arange(np.floor(test_sums.min()), np.ceil(test_sums.max()) + 1)
plt.hist(test_sums[test_y.ravel() == 0], edges, color=COLOURS["sky"], alpha=0.8, label="benign")
plt.hist(
    test_sums[test_y.ravel() == 1],
    edges,
    color=COLOURS["red"],
    alpha=0.6,
    hatch="//",
    label="malignant",
)
plt.axvline(0, color=COLOURS["black"], linestyle="--")
plt.legend()
plt.xlabel("weighted sum z (right of the line the neuron says malignant)")
plt.ylabel("test tumours")
plt.title("Thirty measures, one sum, one border")
plt.show()

# %% [markdown]
# The two kinds lie on two sides of zero, with a few tumours across the line. Not every mistake lies close to it: a neuron
# can be wrong and sure. A missed cancer costs more than a false alarm; moving the border to the left trades one for
# the other, and lesson 3.3 does so.

# %% [markdown]
# ## Common mistakes
#
# - **No activation between layers.** The network trains, and is one linear layer. You saw a thousand numbers fold into 9.
# - **Sigmoid *and* `from_logits=True`.** The loss then applies the sigmoid a second time. Either give the loss the sum $z$, or the
#   sigmoid's output, and tell it which.
# - **Raw inputs.** A measure in the thousands drowns one in the hundredths. Standardise, with the mean and deviation of the training data.
# - **A ReLU output where negative answers are possible,** or a sigmoid output for a quantity above 1: the right answer is out of reach.
# - **Reading a weight as importance.** Radius, perimeter and area say nearly the same; the neuron may split one effect among them, or
#   play them off against each other.

# %% [markdown]
# ## Exercise 1: the distance to the border
#
# Return the signed distance of a point `x` from the border $w \cdot x + b = 0$: positive where the neuron says yes.
# (The sum $z$ is not yet a distance: make every weight and the bias ten times as large, and $z$ grows, but no point moves.)


# %% tags=["exercise"]
def distance_to_border(x, w, b):
    """Signed distance of the point x, (n,), from the border of a neuron with w, (n,), and b."""
    ### BEGIN SOLUTION
    return (x @ w + b) / np.linalg.norm(w)
    ### END SOLUTION


# %% tags=["wrong"] says="that is the sum z: divide it by the length of w"
def distance_to_border(x, w, b):  # forgets to divide by the length of w
    return x @ w + b


# %% tags=["wrong"] says="keep the sign"
def distance_to_border(x, w, b):  # loses the sign
    return abs(x @ w + b) / np.linalg.norm(w)


# %% tags=["wrong"] says="the squared length"
def distance_to_border(x, w, b):  # divides by the squared length
    return (x @ w + b) / (w @ w)


# %% tags=["wrong"] says="divide the whole sum, b too"
def distance_to_border(x, w, b):  # divides a part of the sum
    return x @ w / np.linalg.norm(w) + b


# %% tags=["check"]
with feedback("Distance to the border"):
    examples = [  # the point, the weights, the bias, the distance, and what some mistakes make of it
        ([6, 8], [3, 4], 0.0, 10, {50: "that is the sum z: divide it by the length of w",
            2: "25 is the squared length of w, take its root",
            50 / 7: "the length of (3, 4) is not 3 + 4", 5: "divide by the length of w, not of x",
            -10: "a distance is positive where the neuron says yes"}),
        ([1, 1], [-4, 3], -14.0, -3, {3: "keep the sign", -0.2: "where is the bias?",
            2.6: "the bias is added", -14.2: "divide the whole sum, b too"}),
        ([0.5, -1, 2], [2, -4, 4], -1.0, 2, {}),
    ]  # fmt: skip
    for x, w, b, wanted, mistakes in examples:
        got = distance_to_border(np.array(x, float), np.array(w, float), b)
        assert got is not None, "return the distance"
        told = f"the distance of {x} for w = {w} and b = {b} is {wanted}, yours is {got}"
        for mistake, words in mistakes.items():
            assert not np.isclose(got, mistake), f"{told}: {words}"
        assert np.isclose(got, wanted), told

# %% [markdown]
# ## Exercise 2: predict
#
# A sigmoid neuron has $w = (3, 4)$ and $b = -5$. You double the bias and both weights. What happens to the point
# $x = (1, 1)$, for which the neuron said *yes*?
#
# A: it may become a *no*. B: still *yes*, with an output closer to 1. C: still *yes*, with the same output.

# %% tags=["exercise"]
my_prediction = None  # "A", "B" or "C"
new_output = None  # the neuron's output for (1, 1) after doubling, as a number
### BEGIN SOLUTION
my_prediction = "B"  # the border stays where it is, and the sum doubles from 2 to 4
new_output = 1 / (1 + np.exp(-4))
### END SOLUTION

# %% tags=["wrong"] says="the border stays, but the sum doubles"
my_prediction = "C"  # takes the border for the whole answer
new_output = 1 / (1 + np.exp(-2))

# %% tags=["wrong"] says="double the sum, not the output"
my_prediction = "B"
new_output = 2 / (1 + np.exp(-2))  # doubles the output instead of the sum

# %% tags=["wrong"] says="the bias doubles too"
my_prediction = "B"
new_output = 1 / (1 + np.exp(-(6 + 8 - 5)))  # leaves the bias

# %% tags=["check"]
with feedback("Predict"):
    assert my_prediction in ("A", "B", "C"), 'write "A", "B" or "C" into my_prediction'
    assert my_prediction != "A", (
        "the sum of a yes is positive, and twice a positive number is positive"
    )
    assert my_prediction != "C", (
        "the border stays, but the sum doubles: does the sigmoid not notice?"
    )
    assert new_output is not None, "right letter; now compute new_output"
    mistakes = {
        2 * sigmoid(2): "double the sum, not the output",
        sigmoid(2): "that is the output before the doubling",
        sigmoid(9): "the bias doubles too",
        sigmoid(-3): "the weights double too",
        sigmoid(-4): "the sum is positive: look at the sign in the exponent",
        4: "that is the sum: squash it",
    }
    for mistake, words in mistakes.items():
        assert not np.isclose(new_output, mistake, atol=3e-4), words
    assert np.isclose(new_output, 0.98201379, atol=5e-3), (
        f"the sum is 3 + 4 - 5 = 2 before and 4 after: what does the sigmoid make of 4? Not {new_output}"
    )

# %% [markdown]
# ## Exercise 3: a new activation
#
# **SiLU** (Elfwing and others, 2018), also called *swish* (Ramachandran and others, 2017), is $z\,\sigma(z)$. Write it and its derivative. Use `sigmoid` from above.


# %% tags=["exercise"]
def silu(z):
    """z times sigmoid of z, for an array z."""
    ### BEGIN SOLUTION
    return z * sigmoid(z)
    ### END SOLUTION


def silu_derivative(z):
    """The derivative of silu, for an array z."""
    ### BEGIN SOLUTION
    return sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z))  # the product rule
    ### END SOLUTION


# %% tags=["wrong"] says="it lacks u' v"
def silu(z):
    return z * sigmoid(z)


def silu_derivative(z):  # forgets the product rule's first half
    return z * sigmoid(z) * (1 - sigmoid(z))


# %% tags=["wrong"] says="you multiply the two derivatives"
def silu(z):
    return z * sigmoid(z)


def silu_derivative(z):  # multiplies the two derivatives
    return sigmoid(z) * (1 - sigmoid(z))


# %% tags=["wrong"] says="at z = -4.00 silu is -0.072, yours says -3.928"
def silu(z):  # the sign of the exponent
    return z / (1 + np.exp(z))


def silu_derivative(z):
    return sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z))


# %% tags=["check"]
with feedback("A new activation"):
    for z in (np.linspace(-4, 3, 17), np.array([[-6.0, 0.3], [1.0, 2.5], [0.0, 9.0]])):
        a = scipy.special.expit(z)
        above, below = (
            (z + 1e-5) * scipy.special.expit(z + 1e-5),
            (z - 1e-5) * scipy.special.expit(z - 1e-5),
        )
        for name, got, wanted in (
            ("silu", silu(z), z * a),
            ("silu_derivative", silu_derivative(z), (above - below) / 2e-5),
        ):
            assert got is not None, f"{name} returns nothing yet"
            assert np.shape(got) == z.shape, (
                f"{name} makes {np.shape(got)} of {z.shape}: a number for each z"
            )
            if name == "silu_derivative":
                rule = "for u = z and v = σ(z) the rule is (u v)' = u' v + u v'"
                assert not np.allclose(got, a), f"{rule}: it lacks u v'"
                assert not np.allclose(got, z * a * (1 - a)), f"{rule}: it lacks u' v"
                assert not np.allclose(got, a * (1 - a)), (
                    f"{rule}: you multiply the two derivatives"
                )
            far = np.abs(got - wanted).argmax()
            assert np.allclose(got, wanted, atol=1e-6), (
                f"at z = {z.flat[far]:.2f} {name} is {wanted.flat[far]:.3f}, "
                f"yours says {np.ravel(got)[far]:.3f}"
            )

# %% [markdown]
# ## Exercise 4: repair this
#
# This training loop does not learn: its loss rises. There are **two** mistakes. Find and mend both, so that it
# does the same as `train` above for one neuron.
#
# ```python
# def repaired_step(x, y, w, b, learning_rate):
#     error = y - sigmoid(x @ w + b)
#     w = w - learning_rate * x.T @ error
#     b = b - learning_rate * error.mean(axis=0)
#     return w, b
# ```


# %% tags=["exercise"]
def repaired_step(x, y, w, b, learning_rate):
    """One step of gradient descent on the mean loss. Returns the new w and b.

    x: (n, k), y: (n, 1), w: (k, 1), b: (1,).
    """
    ### BEGIN SOLUTION
    error = sigmoid(x @ w + b) - y  # prediction minus target: the step goes *down*
    w = w - learning_rate * x.T @ error / len(x)  # the loss is a mean, so its gradient is one too
    b = b - learning_rate * error.mean(axis=0)
    return w, b
    ### END SOLUTION


# %% tags=["wrong"] says="a sum over the examples where a mean belongs"
def repaired_step(x, y, w, b, learning_rate):  # the sign is mended, the mean is not
    error = sigmoid(x @ w + b) - y
    return w - learning_rate * x.T @ error, b - learning_rate * error.mean(axis=0)


# %% tags=["wrong"] says="w goes up the slope"
def repaired_step(x, y, w, b, learning_rate):  # the mean is mended, the sign is not
    error = y - sigmoid(x @ w + b)
    return w - learning_rate * x.T @ error / len(x), b - learning_rate * error.mean(axis=0)


# %% tags=["wrong"] says="b goes up the slope"
def repaired_step(x, y, w, b, learning_rate):  # the bias still goes up the slope
    error = sigmoid(x @ w + b) - y
    return w - learning_rate * x.T @ error / len(x), b + learning_rate * error.mean(axis=0)


# %% tags=["check"]
with feedback("Repair this"):
    for count, rate in ((6, 0.5), (11, 2.0)):
        draws = np.random.default_rng(count)
        x, w, b = (draws.normal(size=shape) for shape in ((count, 3), (3, 1), (1,)))
        y = draws.integers(0, 2, size=(count, 1)).astype(float)
        step = repaired_step(x, y, w, b, rate)
        assert step is not None and len(step) == 2, "return the new w and b"
        _, *gradients = loss_and_gradients(x, y, w, b)
        for name, old, new, gradient in zip("wb", (w, b), step, gradients, strict=True):
            assert np.shape(new) == old.shape, (
                f"{name} was {old.shape} and is {np.shape(new)} after the step"
            )
            wanted = -rate * gradient
            assert np.sum((new - old) * gradient) <= 0, (
                f"{name} goes up the slope, and the loss rises: look at the sign"
            )
            assert not np.allclose(new - old, count * wanted), (
                f"the step of {name} is {count} times too long for {count} examples: "
                "a sum over the examples where a mean belongs"
            )
            assert np.allclose(new - old, wanted), (
                f"with the rate {rate} {name} moves by {wanted.ravel().round(3)}, "
                f"yours by {np.ravel(new - old).round(3)}"
            )

# %% [markdown]
# ## Exercise 5: beat the line (open-ended)
#
# No line separates the inner ring of points below from the outer one. One neuron can, if you give it better inputs.

# %% tags=["setup"] alt="Two noisy rings of points around the same centre, the inner one marked with crosses."
rings, is_inner = sklearn.datasets.make_circles(600, noise=0.08, factor=0.5, random_state=1)
plt.figure(figsize=(3.6, 3.6))
plt.plot(*rings[is_inner == 0].T, linestyle="", marker="o", markersize=3, color=COLOURS["sky"])
plt.plot(*rings[is_inner == 1].T, linestyle="", marker="x", markersize=4, color=COLOURS["red"])
plt.xlabel("first input")
plt.ylabel("second input")
plt.show()

# %% [markdown]
# A straight line that meets the inner ring has points of the outer ring on both of its sides. Write `features`: it takes points (n, 2) and returns at most three
# numbers for each point. The check trains one neuron on your features and asks for 95 of 100 new points right. A
# neuron on the raw points gets about half. What number do all points of a ring share?


# %% tags=["exercise"]
def features(points):
    """New inputs for one neuron, (n, 1), (n, 2) or (n, 3), computed from points (n, 2)."""
    ### BEGIN SOLUTION
    return (
        points**2
    )  # with equal weights the neuron adds them up to the squared distance from the centre
    ### END SOLUTION


# %% tags=["wrong"] says="only weighted sums of the two inputs"
def features(points):  # the raw points
    return points


# %% tags=["wrong"] says="only weighted sums of the two inputs"
def features(points):  # still only sums: a rotation keeps every line a line
    return np.column_stack([points[:, 0] + points[:, 1], points[:, 0] - points[:, 1]])


# %% tags=["wrong"] says="what do all points of a ring share"
def features(points):  # the direction, which both rings have in common
    return np.arctan2(points[:, :1], points[:, 1:])


# %% tags=["check"]
with feedback("Beat the line"):
    new_points, new_inner = sklearn.datasets.make_circles(
        500, noise=0.08, factor=0.5, random_state=2
    )
    x, new_x = features(rings), features(new_points)
    assert x is not None, "features returns nothing yet"
    assert np.ndim(x) == 2 and len(x) == 600 and np.shape(x)[1] <= 3, (
        f"return (n, at most 3), yours is {np.shape(x)} for n = 600"
    )
    assert np.shape(new_x) == (500, np.shape(x)[1]) and np.allclose(features(rings[:7]), x[:7]), (
        "a point's features must depend on that point alone"
    )
    raw = np.column_stack([rings, np.ones(600)])
    rest = x - raw @ np.linalg.lstsq(raw, x, rcond=None)[0]
    assert np.abs(rest).max() > 1e-6, (
        "your features are only weighted sums of the two inputs: their line is a line of the old inputs"
    )
    mean, deviation = np.mean(x, axis=0), np.std(x, axis=0) + 1e-9
    w, b, _ = train((x - mean) / deviation, is_inner[:, np.newaxis], 1.0, steps=2000, seed=0)
    right = np.mean((((new_x - mean) / deviation) @ w + b > 0).ravel() == new_inner)
    assert right >= 0.95, (
        f"the neuron gets {right:.0%} of new points right: what do all points of a ring share?"
    )

# %% [markdown]
# ## Summary
#
# - Adding decides because a sum has a sign. The sum of a neuron $a = f(w \cdot x + b)$ is zero on a line, and the neuron says yes on one
#   side of it. What no line separates, one neuron cannot decide.
# - The weights' direction sets the line's direction, the bias its place; a common factor on both changes only the confidence.
# - A dense layer is many neurons in one matrix product.
# - Activations bend. Without them layers fold into one; with sigmoids in every layer, gradients vanish.
# - With cross-entropy, a sigmoid neuron learns by *error times input*.
# - On the tumours it does what logistic regression does, because it is that.
#
# Not shown: how gradients travel through several layers, and better steps than plain gradient descent (lesson 2.3); how many neurons
# make a network (lesson 2.2); what to do when a network learns its examples by heart (lesson 2.4).

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why does a neuron need a bias? What can it not do without one?</summary>
#
# Without a bias its border goes through the origin. AND of inputs 0 and 1 is then out of reach: it needs $w_1 \le 0$ (no for 10) and
# $w_2 \le 0$ (no for 01), but $w_1 + w_2 > 0$ (yes for 11).
#
# </details>
#
# <details>
# <summary>You replace the sigmoid of a trained output neuron by tanh and keep the weights. Which decisions change?</summary>
#
# None, if *yes* now means above 0 instead of above one half: both curves cross their middle at z = 0. The numbers change, since
# tanh(z) = 2σ(2z) − 1.
#
# </details>
#
# <details>
# <summary>Why is the gradient exactly zero at a saturated ReLU, but never exactly zero, mathematically, at a sigmoid?</summary>
#
# Left of zero ReLU is constant. The sigmoid always rises, ever more slowly. (In 32-bit arithmetic it does become exactly zero: for
# large z the output rounds to 1, and 1 − 1 is 0.)
#
# </details>
#
# <details>
# <summary>A neuron says malignant for 0.51 and for 0.99. Is the second patient's disease worse?</summary>
#
# No. The number says how sure the neuron is, at best; it says nothing about how bad the disease is. Lesson 3.3 checks whether such
# numbers can be trusted as probabilities.
#
# </details>

# %% [markdown]
# ## References
#
# - W. S. McCulloch, W. Pitts (1943). A logical calculus of the ideas immanent in nervous activity. doi:10.1007/BF02478259
# - F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and organization in the brain. doi:10.1037/h0042519
# - M. Minsky, S. Papert (1969). Perceptrons. MIT Press.
# - X. Glorot, A. Bordes, Y. Bengio (2011). Deep sparse rectifier neural networks. AISTATS, PMLR 15:315-323.
# - A. L. Maas, A. Y. Hannun, A. Y. Ng (2013). Rectifier nonlinearities improve neural network acoustic models. ICML workshop.
# - D. Hendrycks, K. Gimpel (2016). Gaussian error linear units (GELUs). arXiv:1606.08415
# - S. Elfwing, E. Uchibe, K. Doya (2018). Sigmoid-weighted linear units for neural network function approximation in
#   reinforcement learning. Neural Networks 107. arXiv:1702.03118
# - P. Ramachandran, B. Zoph, Q. V. Le (2017). Searching for activation functions. arXiv:1710.05941
# - W. H. Wolberg, W. N. Street, O. L. Mangasarian (1995). Breast Cancer Wisconsin (Diagnostic). doi:10.24432/C5DW2B
