# ---
# jupyter:
#   course:
#     prerequisites: ["2.1", "2.2"]
#     equal_programs:
#       "A warm-up":
#         "comparison: step < warmup_steps -> step <= warmup_steps": "at step warmup_steps both lines give the peak"
#       "Cross a narrower ravine":
#         "call forgotten: np.sqrt(1) -> 1": "the root of 1 is 1"
#         "constant: 200 -> 201": "a rate and a memory next to Polyak's, which arrive in time as well"
#     core_minutes: 125
# ---

# %% [markdown]
# # 2.3 Learning
#
# **After this lesson you can** say why a loss has the formula it has, send gradients back through a network by hand,
# check them in two independent ways, write SGD, momentum, RMSProp and Adam in a few lines each, choose a learning rate, a
# batch size and starting weights for a reason, and write the training loop that `fit` runs for you.
#
# **You build** back-propagation, five losses, four optimizers, two schedules and the training loop, each equal to Keras's.
#
# **Question.** A network has thousands of weights and one number, the loss, that says how wrong it is. How does each weight find out
# which way to move, and how far?

# %% tags=["setup"]
import itertools
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.linear_model
import sklearn.neighbors
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
# Learning is a loop of four steps. This lesson takes them one by one: the loss first, then the way back, then the step, and at the end
# the whole loop.

# %% [markdown]
# ![Four boxes in a row, batch, forward, backward and step, joined by arrows; a last arrow leads from step back to batch.](../../../images/learning_loop.png)

# %% [markdown]
# ## What to make small: a loss is a likelihood
#
# The **loss** is one number that says how badly the predictions $\hat y$ fit the targets $y$. Many formulas would do that. The usual ones all come
# from one idea: let the network's output describe a *probability* for every target that could occur, and ask that the targets that did
# occur be as probable as possible. That is **maximum likelihood**. Products of many probabilities are awkward, so take the
# logarithm, and minimise instead of maximise:
#
# $$L = -\frac1n \sum_{i=1}^n \ln p(y_i \mid \hat y_i)$$
#
# A choice of $p$ is a choice of loss. Write $r = y - \hat y$ for the error of a prediction.
#
# **Mean squared error.** Errors follow a bell curve of width $\sigma$: $p = \frac{1}{\sigma\sqrt{2\pi}} e^{-r^2 / 2\sigma^2}$, so
# $-\ln p = \frac{1}{2\sigma^2}\, r^2 + \text{constant}$. The factor and the constant do not move the minimum; what remains is $r^2$.
#
# **Mean absolute error.** Errors follow Laplace's distribution, a tent with heavier tails: $p = \frac{1}{2s} e^{-|r|/s}$, so
# $-\ln p = \frac1s\, |r| + \text{constant}$.
#
# **Huber loss.** A bell curve in the middle, Laplace's tails beyond $\delta$. It is made the other way round: start from a loss
# $h$ that is $r^2/2$ up to $\delta$ and continues as the straight line $\delta\,(|r| - \delta/2)$, and take $p \propto e^{-h(r)}$.
#
# **Binary cross-entropy.** The target is 0 or 1, and $\hat y$ is the probability of a 1. Then $p = \hat y^{\,y} (1 - \hat y)^{1-y}$, and
# $-\ln p = -\big(y \ln \hat y + (1-y) \ln(1 - \hat y)\big)$.
#
# **Categorical cross-entropy.** One of $k$ classes is right: $y$ is **one-hot**, a 1 at the right class and 0 elsewhere, and $\hat y$ holds
# $k$ probabilities. Then $p = \prod_k \hat y_k^{\,y_k}$ and $-\ln p = -\sum_k y_k \ln \hat y_k$, minus the logarithm of the probability given to the truth.
#
# In NumPy each loss is a line. By hand, for an error of $r = 2$: squared $4$, absolute $2$, Huber with $\delta = 1$: $1 \cdot (2 - \frac12) = 1.5$. For a 1 to which the
# network gave the probability $\frac14$: $\ln 4$.


# %%
def squared_loss(error):
    return error**2


def absolute_loss(error):
    return np.abs(error)


def huber_loss(error, delta=1.0):
    size = np.abs(error)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))


def binary_cross_entropy(y, probability):
    return -(y * np.log(probability) + (1 - y) * np.log(1 - probability))


def categorical_cross_entropy(y, probabilities):
    return -np.sum(y * np.log(probabilities), axis=-1)


# %% tags=["nbval-check-output"]
print(
    f"error 2: squared {squared_loss(2.0):.1f}, absolute {absolute_loss(2.0):.1f}, Huber {huber_loss(2.0):.1f}"
)
print(f"a 1 with probability 1/4: {binary_cross_entropy(1, 0.25):.4f}, and ln 4 = {np.log(4):.4f}")

# %% [markdown]
# Are these Keras's? We compare on random targets and predictions.

# %%
generator = np.random.default_rng(SEED)
number, prediction = generator.normal(scale=2, size=(2, 50, 3))
yes_or_no, probability = (
    generator.integers(0, 2, size=(50, 3)),
    generator.uniform(0.01, 0.99, size=(50, 3)),
)
one_of_four, four_probabilities = (
    np.eye(4)[generator.integers(0, 4, 50)],
    generator.dirichlet(np.ones(4), size=50),
)

pairs = {
    "MeanSquaredError": (number, prediction, squared_loss(number - prediction)),
    "MeanAbsoluteError": (number, prediction, absolute_loss(number - prediction)),
    "Huber": (number, prediction, huber_loss(number - prediction)),
    "BinaryCrossentropy": (yes_or_no, probability, binary_cross_entropy(yes_or_no, probability)),
    "CategoricalCrossentropy": (
        one_of_four,
        four_probabilities,
        categorical_cross_entropy(one_of_four, four_probabilities),
    ),
}
# %% without_learning="arithmetic"
differences = []
for name, (y, y_hat, ours) in pairs.items():
    keras_value = float(getattr(keras.losses, name)(dtype="float64")(y, y_hat))
    differences.append(abs(ours.mean() - keras_value))
    print(f"{name:24s} ours {ours.mean():.6f}, Keras {keras_value:.6f}")
claim(
    "Five losses in a line of NumPy each equal Keras's",
    max(differences) < 1e-6,
    f"largest difference {max(differences):.1e}",
)

# %% [markdown]
# Now the derivations. If they are right, minus the logarithm of each density is *factor times loss plus constant*, at every error. And each density must
# be one: its area must be 1.

# %% without_learning="arithmetic"
errors = np.linspace(-40, 40, 80_001)
WIDTH = 0.7  # σ of the bell curve and s of Laplace's distribution
huber_area = np.trapezoid(np.exp(-huber_loss(errors)), errors)
densities = {  # name: (density, loss, factor)
    "squared": (
        np.exp(-(errors**2) / (2 * WIDTH**2)) / (WIDTH * np.sqrt(2 * np.pi)),
        squared_loss(errors),
        1 / (2 * WIDTH**2),
    ),
    "absolute": (np.exp(-np.abs(errors) / WIDTH) / (2 * WIDTH), absolute_loss(errors), 1 / WIDTH),
    "Huber": (np.exp(-huber_loss(errors)) / huber_area, huber_loss(errors), 1.0),
}
near = np.abs(errors) < 10  # further out the bell curve is too small for a 64-bit number
areas = [np.trapezoid(density, errors) for density, _, _ in densities.values()]
spreads = [np.ptp(-np.log(p[near]) - factor * loss[near]) for p, loss, factor in densities.values()]
claim(
    "Minus the logarithm of the bell curve, of Laplace's and of Huber's density is their loss, up to a factor and a constant",
    max(spreads) < 1e-6 and np.allclose(areas, 1),
    f"the rest varies by at most {max(spreads):.1e} for errors from −10 to 10; areas {np.round(areas, 6)}",
)

# %% [markdown]
# The two cross-entropies need neither factor nor constant. They *are* minus the logarithm of the probability that the network gave to what happened:

# %% without_learning="arithmetic"
given_to_truth = np.where(yes_or_no == 1, probability, 1 - probability)
given_to_class = four_probabilities[np.arange(50), one_of_four.argmax(axis=1)]
rests = (
    binary_cross_entropy(yes_or_no, probability) + np.log(given_to_truth),
    categorical_cross_entropy(one_of_four, four_probabilities) + np.log(given_to_class),
)
claim(
    "Both cross-entropies are minus the logarithm of the probability given to the truth",
    max(np.abs(rest).max() for rest in rests) < 1e-6,
    f"largest difference {max(np.abs(rest).max() for rest in rests):.1e}",
)

# %% alt="Two plots. Left: the squared, the absolute and the Huber loss against the error; the parabola rises fastest. Right: their slopes; the parabola's is a straight line without bound, the absolute loss jumps from minus 1 to 1, the Huber loss rises from minus 1 to 1 and stays."
shown = np.linspace(-3, 3, 601)
curves = {
    "squared": (squared_loss(shown), 2 * shown),
    "absolute": (absolute_loss(shown), np.sign(shown)),
    "Huber": (huber_loss(shown), np.clip(shown, -1, 1)),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.2), sharex=True)
for name, (loss, slope) in curves.items():
    left.plot(shown, loss, label=name)
    right.plot(shown, slope)
left.set(title="loss", ylim=(-0.2, 5), xlabel="error r")
right.set(title="its slope", ylim=(-3, 3), xlabel="error r")
left.legend(loc="upper center")
plt.show()

# %% [markdown]
# Look at the right side. The slope is how hard an example pulls. Under the squared loss an example ten times as far off pulls ten times
# as hard. Under the absolute loss it pulls no harder than any other, and under Huber's no harder than one that is 1 off: *far off* is not *important*.
#
# ## Which loss resists outliers?
#
# Five targets, and the network may answer only one number for all: 1, 2, 3, 4 and 100. Which number has the least squared loss,
# and which the least absolute loss? Decide before you run the cell.

# %% tags=["nbval-check-output"]
targets = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
answers = np.linspace(0, 100, 10_001)
for name, loss in (("squared", squared_loss), ("absolute", absolute_loss), ("Huber", huber_loss)):
    totals = loss(targets - answers[:, np.newaxis]).sum(axis=1)
    print(f"{name:8s} loss is least at {answers[totals.argmin()]:.2f}")
print(f"mean {targets.mean():.2f}, median {np.median(targets):.2f}")

# %% [markdown]
# The squared loss asks for the **mean**, which one target of 100 drags to 22. The absolute loss asks for the **median**, which does not care how
# large the 100 is. Huber's answer is the median here too.
#
# One example proves little. We draw 500 data sets from the line $y = 2x + 1$ with noise of standard deviation 0.5, fit a line to each by each
# loss, and measure how far it is from the true one. Then again with one target in ten moved up by 15. Predict: which loss wins without outliers?


# %%
def fitted_line_error(x, y, slope_of_loss, steps=3000):
    """Fit lines by gradient descent to many data sets at once; return how far they are from 2x + 1.

    x, y: (data sets, points), x between -1 and 1. slope_of_loss: from errors to how hard each point pulls.
    Returns the root mean square distance between fitted and true line over -1 to 1, for each data set.
    """
    weight, bias = np.zeros((2, len(x), 1))
    for step in range(steps):
        rate = 0.2 * (
            1 - step / steps
        )  # ever smaller steps: the absolute loss needs them to come to rest
        pull = slope_of_loss(y - (weight * x + bias))
        weight += rate * (pull * x).mean(axis=1, keepdims=True)
        bias += rate * pull.mean(axis=1, keepdims=True)
    return np.sqrt((weight - 2) ** 2 / 3 + (bias - 1) ** 2).ravel()


# %%
generator = np.random.default_rng(SEED)
x = generator.uniform(-1, 1, size=(500, 50))
clean = 2 * x + 1 + generator.normal(scale=0.5, size=x.shape)
spoiled = clean + 15 * (generator.uniform(size=x.shape) < 0.1)
pulls = {"squared": lambda r: 2 * r, "absolute": np.sign, "Huber": lambda r: np.clip(r, -1, 1)}
distance = {
    name: (fitted_line_error(x, clean, pull).mean(), fitted_line_error(x, spoiled, pull).mean())
    for name, pull in pulls.items()
}
for name, (without, with_outliers) in distance.items():
    print(
        f"{name:8s} loss: distance from the true line {without:.3f} without outliers, {with_outliers:.3f} with"
    )

# %% without_learning="own loop"
(
    (squared_clean, squared_spoiled),
    (absolute_clean, absolute_spoiled),
    (huber_clean, huber_spoiled),
) = distance.values()
claim(
    "With one outlier in ten the line of the squared loss is ten times as far off as without, or more, those of the absolute and the Huber loss at most twice",
    squared_spoiled > 10 * squared_clean
    and absolute_spoiled < 2 * absolute_clean
    and huber_spoiled < 2 * huber_clean,
    f"distances without and with: squared {squared_clean:.2f} and {squared_spoiled:.2f}, absolute {absolute_clean:.2f} and "
    f"{absolute_spoiled:.2f}, Huber {huber_clean:.2f} and {huber_spoiled:.2f}",
)
claim(
    "Where the noise really is a bell curve, the squared loss beats the absolute loss",
    squared_clean < 0.95 * absolute_clean,
    f"distance {squared_clean:.3f} against {absolute_clean:.3f}",
)

# %% [markdown]
# So no loss is best; each is best where its assumption holds. Bell-shaped noise: squared. Wild outliers: absolute or Huber.
#
# ## Softmax and cross-entropy belong together
#
# A classifier's last layer gives one number for each class, its **logits** $o_1, \dots, o_k$. Softmax turns them into probabilities,
# $\hat y_k = e^{o_k} / \sum_j e^{o_j}$, and cross-entropy compares these with the one-hot $y$. We need the gradient of the loss with respect to a logit.
# One factor for each step:
#
# $$\frac{\partial L}{\partial \hat y_k} = -\frac{y_k}{\hat y_k}, \qquad
#   \frac{\partial \hat y_k}{\partial o_j} = \hat y_k\,(\delta_{kj} - \hat y_j) \quad\text{(lesson 2.1)}$$
#
# Here $\delta_{kj}$ is 1 where $k = j$ and 0 elsewhere. Every $\hat y_k$ depends on $o_j$, so add over all $k$. The $\hat y_k$ cancels, and $\sum_k y_k = 1$:
#
# $$\frac{\partial L}{\partial o_j} = -\sum_k y_k\,(\delta_{kj} - \hat y_j) = \hat y_j - y_j$$
#
# Prediction minus target, as for the single neuron. It is also the safer way to compute: a probability near 1 runs out of digits, a logit does not.
# Here are three answers that are off by more and more: the target is 0, and the logit for *yes* is 2, 20 and 40, so the loss should be about 2, 20 and 40.

# %% without_learning="arithmetic"
logits = tf.Variable([[2.0], [20.0], [40.0]])
all_no = tf.zeros((3, 1))
with tf.GradientTape(persistent=True) as tape:
    from_probability = keras.losses.binary_crossentropy(all_no, 1 / (1 + keras.ops.exp(-logits)))
    from_logit = keras.losses.binary_crossentropy(all_no, logits, from_logits=True)
probability_slopes = tape.gradient(from_probability, logits).numpy().ravel()
logit_slopes = tape.gradient(from_logit, logits).numpy().ravel()
print(
    "from probabilities: loss",
    from_probability.numpy().round(2),
    " gradient",
    probability_slopes.round(2),
)
print("from logits:        loss", from_logit.numpy().round(2), " gradient", logit_slopes.round(2))
claim(
    "Computed from a 32-bit probability the loss of a hopelessly wrong answer has no gradient; from the logit it has",
    np.all(probability_slopes[1:] == 0) and np.allclose(logit_slopes[1:], 1),
    f"gradients for the logits 20 and 40: {probability_slopes[1:]} and {logit_slopes[1:]}",
)

# %% [markdown]
# The worst mistakes would teach nothing. Keras clips the probability away from 0 and 1, and a clipped value has no slope. (On TensorFlow Keras remembers the logit behind its own sigmoid and softmax,
# and repairs this where it can. Here we wrote the sigmoid ourselves.) That is why this course
# ends every classifier with plain logits and tells the loss `from_logits=True`.
#
# ## Back-propagation, number by number
#
# Now the central question: which way should a weight in the *middle* of a network move? Take the smallest network that has a middle: two inputs,
# two ReLU neurons, two logits. Weights and biases are blue. Follow the numbers from left to right; you need no calculator before the logarithm.

# %% [markdown]
# ![A network with two inputs 1 and 2, sums 1.5 and minus 1, ReLU outputs 1.5 and 0, logits 1 and 1, softmax outputs 0.5 and 0.5, and the loss 0.693; every weight stands on its arrow.](../../../images/learning_forward.png)

# %% tags=["nbval-check-output"]
x = np.array([1.0, 2.0])
y = np.array([1.0, 0.0])
W1, b1 = np.array([[1.0, 1.0], [0.5, -1.0]]), np.array([-0.5, 0.0])
W2, b2 = np.array([[2.0, -1.0], [1.0, 3.0]]), np.array([-2.0, 2.5])

z = x @ W1 + b1
a = np.maximum(z, 0)
o = a @ W2 + b2
y_hat = np.exp(o) / np.exp(o).sum()
loss = -np.log(y_hat) @ y
print(f"z = {z}, a = {a}, o = {o}, y_hat = {y_hat}, L = {loss:.4f}")

# %% [markdown]
# The two logits are equal, so the network gives each class one half, and the loss is $\ln 2$.
#
# **Back-propagation** walks the same arrows from right to left. At each node it asks: if this value grew by a little, by how much
# would the loss grow? Call that number the $\delta$ of the node (it has nothing to do with Huber's). The chain rule gives four moves, and there are no others:
#
# 1. **Start**: at the logits, $\delta o = \hat y - y$, as derived above.
# 2. **Back through a weight**: multiply by it. Where several arrows leave a node, *add*: $\delta a_1 = 2 \cdot (-0.5) + (-1) \cdot 0.5 = -1.5$.
# 3. **Back through an activation**: multiply by its slope. ReLU's slope is 1 where its sum is positive (the gate is open) and 0 elsewhere (shut).
# 4. **The gradient of a weight**: the value where its arrow starts times the $\delta$ where it ends, since $o_1 = w\,a_1 + \dots$ gives $\partial o_1 / \partial w = a_1$. For a bias it is
#    $\delta$ itself.
#
# Do it by hand, right to left, before you look.

# %% [markdown]
# ![The same network with the gradients, from right to left: minus 0.5 and 0.5 at the logits, minus 1.5 and 1 at the ReLU outputs, minus 1.5 and 0 at the sums; the gradients of the weights stand on the arrows in red.](../../../images/learning_backward.png)

# %% tags=["nbval-check-output"]
delta_o = y_hat - y  # move 1
W2_gradient, b2_gradient = np.outer(a, delta_o), delta_o  # move 4
delta_a = W2 @ delta_o  # move 2
delta_z = delta_a * (z > 0)  # move 3
W1_gradient, b1_gradient = np.outer(x, delta_z), delta_z  # move 4
print(f"delta o = {delta_o}, delta a = {delta_a}, delta z = {delta_z}")
print("gradient of W2:", (W2_gradient + 0).tolist(), " of b2:", b2_gradient.tolist())
print("gradient of W1:", W1_gradient.tolist(), " of b1:", b1_gradient.tolist())

# %% [markdown]
# Read two things off the picture. The second neuron is shut, and so this example says *nothing* to its four weights: those in front of it get 0 because the gate is shut, those behind it because
# $a_2 = 0$. And every $\delta$ is computed once and used again on its left; that is why one walk suffices for all weights.
#
# TensorFlow's **GradientTape** does the same walk on the same graph. The same network in Keras, with the same weights:

# %% without_learning="arithmetic"
tiny = keras.Sequential(
    [
        keras.Input((2,), dtype="float64"),
        keras.layers.Dense(2, activation="relu", dtype="float64"),
        keras.layers.Dense(2, dtype="float64"),
    ]
)
tiny.set_weights([W1, b1, W2, b2])
keras_loss = keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")
with tf.GradientTape() as tape:
    tape_loss = keras_loss(y[np.newaxis], tiny(x[np.newaxis]))
tape_gradients = tape.gradient(tape_loss, tiny.trainable_variables)

by_hand = [W1_gradient, b1_gradient, W2_gradient, b2_gradient]
difference = max(np.abs(h - t.numpy()).max() for h, t in zip(by_hand, tape_gradients, strict=True))
claim(
    "The twelve gradients on the picture are GradientTape's",
    difference < 1e-6 and sum(gradient.size for gradient in by_hand) == 12,
    f"largest difference {difference:.1e}, the largest gradient is {max(np.abs(g).max() for g in by_hand)}",
)

# %% [markdown]
# ## The same for a batch, as matrices
#
# With many examples, one in each row, every move becomes a matrix product. The loss is the *mean* over the examples, so the first
# move divides by $n$; and a weight collects what all examples say, which is what the product $A^\top \Delta$ adds up.
#
# | | one example | batch of $n$ |
# |---|---|---|
# | start | $\delta o = \hat y - y$ | $\Delta_o = (\hat Y - Y)/n$ |
# | gradient of weights | $a \otimes \delta o$ | $A^\top \Delta_o$ |
# | gradient of biases | $\delta o$ | column sums of $\Delta_o$ |
# | back through weights | $W \delta o$ | $\Delta_o W^\top$ |
# | back through activation | times slope | times slope, element by element |
#
# Written for any number of layers it is short. The parameters are a list $W_1, b_1, W_2, b_2, \dots$, in the order in which Keras lists them.
# The slope is computed from the activation's *output*: for ReLU $1$ where $a > 0$, for tanh $1 - a^2$.


# %% tags=["setup"]
def softmax(logits):
    exponentials = np.exp(
        logits - logits.max(axis=-1, keepdims=True)
    )  # same shares, and no overflow
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def cross_entropy(logits, targets):
    """Mean categorical cross-entropy of logits (n, classes) and one-hot targets (n, classes), without overflow."""
    largest = logits.max(axis=-1)
    log_sum = largest + np.log(np.exp(logits - largest[:, np.newaxis]).sum(axis=-1))
    return float(np.mean(log_sum - np.sum(logits * targets, axis=-1)))


RELU = (
    lambda z: np.maximum(z, 0),
    lambda a: a > 0,
)  # the activation, and its slope from its output
TANH = (np.tanh, lambda a: 1 - a**2)


# %% tags=["setup"]
def forward(inputs, parameters, activation=RELU):
    """Every layer's outputs: the inputs (n, k), each hidden layer's activations, and last the logits."""
    outputs = [inputs]
    for index in range(0, len(parameters), 2):
        z = outputs[-1] @ parameters[index] + parameters[index + 1]
        is_last = index == len(parameters) - 2
        outputs.append(z if is_last else activation[0](z))
    return outputs


def backward(outputs, targets, parameters, activation=RELU):
    """The gradients of the mean cross-entropy, a list like parameters. outputs: as forward returns them."""
    gradients = []
    delta = (softmax(outputs[-1]) - targets) / len(targets)
    for index in range(len(parameters) - 2, -1, -2):
        below = outputs[index // 2]  # what entered this layer
        gradients = [below.T @ delta, delta.sum(axis=0), *gradients]
        if index > 0:
            delta = (delta @ parameters[index].T) * activation[1](below)
    return gradients


# %% tags=["setup"]
def initial_parameters(sizes, generator, gain=2.0):
    """Weights with variance gain / inputs, and biases of zero, for layers of these sizes."""
    parameters = []
    for inputs, outputs in itertools.pairwise(sizes):
        parameters += [
            generator.normal(scale=np.sqrt(gain / inputs), size=(inputs, outputs)),
            np.zeros(outputs),
        ]
    return parameters


# %%
def keras_twin(parameters, activation="relu"):
    """A Keras network with these parameters, in 64 bits."""
    widths = [len(bias) for bias in parameters[1::2]]
    hidden = [
        keras.layers.Dense(width, activation=activation, dtype="float64") for width in widths[:-1]
    ]
    network = keras.Sequential(
        [
            keras.Input((len(parameters[0]),), dtype="float64"),
            *hidden,
            keras.layers.Dense(widths[-1], dtype="float64"),
        ]
    )
    network.set_weights(parameters)
    return network


def tape_gradients_of(network, inputs, targets):
    with tf.GradientTape() as tape:
        loss = keras_loss(targets, network(inputs))
    return [gradient.numpy() for gradient in tape.gradient(loss, network.trainable_variables)]


# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
differences = []
for sizes, count, name in [
    ((2, 2, 2), 4, "relu"),
    ((5, 7, 3), 16, "tanh"),
    ((6, 8, 8, 8, 4), 32, "relu"),
]:
    parameters = initial_parameters(sizes, generator)
    inputs = generator.normal(size=(count, sizes[0]))
    targets = np.eye(sizes[-1])[generator.integers(0, sizes[-1], count)]
    activation = {"relu": RELU, "tanh": TANH}[name]
    ours = backward(forward(inputs, parameters, activation), targets, parameters, activation)
    tape_says = tape_gradients_of(keras_twin(parameters, name), inputs, targets)
    differences += [np.abs(our - tape).max() for our, tape in zip(ours, tape_says, strict=True)]
claim(
    "Our backward equals GradientTape for two to four layers, batches, ReLU and tanh",
    max(differences) < 1e-6,
    f"largest of {len(differences)} differences {max(differences):.1e}",
)

# %% [markdown]
# ## A check that knows nothing of the chain rule
#
# A derivative is a limit, so try it: move one weight by $\pm h$ and see how the loss changes. This **finite difference**
#
# $$\frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2h}$$
#
# needs no derivation at all, which makes it the judge over every derivation. (Our judge gets a network with tanh. ReLU has a corner, and a step across the corner measures neither of its two slopes.)


# %%
def finite_differences(inputs, targets, parameters, activation, h=1e-5):
    """The gradients of the mean cross-entropy, measured weight by weight. A list like parameters."""
    gradients = []
    for parameter in parameters:
        gradient = np.empty_like(parameter)
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            losses = []
            for moved in (kept + h, kept - h):
                parameter[place] = moved
                losses.append(cross_entropy(forward(inputs, parameters, activation)[-1], targets))
            parameter[place] = kept
            gradient[place] = (losses[0] - losses[1]) / (2 * h)
        gradients.append(gradient)
    return gradients


# %% without_learning="arithmetic"
parameters = initial_parameters((6, 8, 8, 4), generator)
inputs, targets = generator.normal(size=(32, 6)), np.eye(4)[generator.integers(0, 4, 32)]

measured = finite_differences(inputs, targets, parameters, TANH)
gradients = backward(forward(inputs, parameters, TANH), targets, parameters, TANH)
difference = max(np.abs(m - g).max() for m, g in zip(measured, gradients, strict=True))

broken = [gradient.copy() for gradient in gradients]
broken[0] *= 1.01  # a mistake of one part in a hundred in one layer
broken_difference = max(np.abs(m - g).max() for m, g in zip(measured, broken, strict=True))
claim(
    "Finite differences agree with back-propagation, and would notice a mistake of one part in a hundred",
    difference < 1e-6 < broken_difference,
    f"largest difference {difference:.1e}, with the mistake {broken_difference:.1e}",
)

# %% [markdown]
# How small should $h$ be? "As small as possible" sounds right. Predict what happens to the error as $h$ shrinks from $10^{-1}$ to $10^{-13}$.

# %%
step_sizes = np.logspace(-13, -1, 25)


def median_error(h, precision):
    """The median error of all finite differences with this step, computed in this precision."""
    x, y, *rounded = [array.astype(precision) for array in (inputs, targets, *parameters)]
    measured = finite_differences(x, y, rounded, TANH, h)
    return np.median(
        np.concatenate([np.abs(m - g).ravel() for m, g in zip(measured, gradients, strict=True)])
    )


finite_errors = {
    bits: np.array([median_error(h, f"float{bits}") for h in step_sizes]) for bits in (64, 32)
}

# %% alt="On logarithmic axes the error of the finite difference falls with the step h, has its lowest point near 1e-5 in 64 bits and near 1e-2 in 32 bits, and rises again for smaller steps. The 32-bit curve lies far above the other."
for bits, marker in ((64, "o"), (32, "s")):
    plt.loglog(step_sizes, finite_errors[bits], marker=marker, markersize=4, label=f"{bits} bits")
plt.legend()
plt.xlabel("step h")
plt.ylabel("median error of the finite differences")
plt.title("Too large a step is crude, too small a step drowns in rounding")
plt.show()

# %% without_learning="arithmetic"
best_64, best_32 = (finite_errors[bits].min() for bits in (64, 32))
claim(
    "The smallest step is not the best one, and in 32 bits the best check is ten thousand times cruder than in 64, or worse",
    1e-8 < step_sizes[finite_errors[64].argmin()] < 1e-3 and best_32 > 10_000 * best_64,
    f"64 bits: error {best_64:.0e} at h = {step_sizes[finite_errors[64].argmin()]:.0e}, {finite_errors[64][0]:.0e} at h = 1e-13; "
    f"32 bits: {best_32:.0e} at best",
)

# %% [markdown]
# The error first falls with $h^2$, as calculus says. Then it rises: both losses agree in almost all of their 16 digits, and their difference keeps only the noise of the last ones.
# With the 7 digits of 32 bits that happens much earlier. Check gradients in 64 bits, with an $h$ near $10^{-5}$.
#
# Why not train with finite differences? They need two forward passes *for each weight*. Back-propagation needs one walk for all of them.
# From here on the network reads handwritten digits, shrunk to 14 x 14 pixels to save your time: 196 inputs, 32 ReLU neurons, 10 classes.

# %% tags=["setup"]
training, validation, test = load_digits(seed=SEED)


def shrunk(images):
    """Images (n, 28, 28, 1) as rows of 14 x 14 pixels, (n, 196): each is the mean of a square of four. In 64 bits."""
    squares = images.astype("float64").reshape(-1, 14, 2, 14, 2)
    return squares.mean(axis=(2, 4)).reshape(-1, 196)


PIXEL_MEAN, PIXEL_DEVIATION = shrunk(training[0]).mean(), shrunk(training[0]).std()


def as_rows(images):
    """Rows of 196 pixels with mean 0 and standard deviation 1 over the training data."""
    return (shrunk(images) - PIXEL_MEAN) / PIXEL_DEVIATION


(train_x, valid_x, test_x) = (as_rows(images) for images, _ in (training, validation, test))
train_y, valid_y, test_y = (np.eye(10)[labels] for _, labels in (training, validation, test))
SIZES = (196, 32, 10)

# %% without_learning="arithmetic"
parameters = initial_parameters(SIZES, np.random.default_rng(SEED))
parameter_count = sum(parameter.size for parameter in parameters)
claim(
    "Finite differences need more than 10,000 forward passes for one gradient of this network",
    2 * parameter_count > 10_000,
    f"{2 * parameter_count:,} passes for {parameter_count:,} parameters, each over {len(train_x):,} digits",
)

# %% [markdown]
# And the walk back? Measure it in forward passes, too. How many do you expect?


# %% tags=["measures-time"] without_learning="arithmetic"
def seconds_of(action, repeats=30):
    """The shortest time of one call: what else the machine does can only make it longer."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


forward_time = seconds_of(lambda: forward(train_x, parameters))
both_time = seconds_of(lambda: backward(forward(train_x, parameters), train_y, parameters))
print(f"forward {forward_time * 1e3:.1f} ms, forward and backward {both_time * 1e3:.1f} ms")
print(f"finite differences would take {2 * parameter_count * forward_time:.0f} s for one gradient")
claim(
    "Back-propagation finds all gradients in less than the time of 100 forward passes",
    both_time < 100 * forward_time,
    f"forward and backward take {both_time / forward_time:.1f} times as long as forward alone",
)

# %% [markdown]
# The way back takes two matrix products a layer where the way forward takes one: the price of a few forward passes, for any number of weights. This is what made learning in networks with hidden layers practical
# (Rumelhart, Hinton and Williams 1986).
#
# ## The step: how far?
#
# The gradient says which way is up, so **gradient descent** goes the other way: $w \leftarrow w - \eta\, \partial L / \partial w$. The **learning rate** $\eta$ says how far.
#
# Near a minimum every smooth loss looks like a parabola, so study $L(w) = \frac12 \lambda w^2$. The number $\lambda$ is its **curvature**. Its gradient is $\lambda w$, and a step is
#
# $$w \leftarrow w - \eta \lambda w = (1 - \eta\lambda)\, w.$$
#
# Each step multiplies by the same factor. For $\eta < 1/\lambda$ the weight slides down; at $\eta = 1/\lambda$ it lands in one step; above that it jumps to the other side; and it comes closer only
# while $|1 - \eta\lambda| < 1$, that is $\eta < 2/\lambda$. With several curvatures the *largest* sets the limit.
#
# Is the limit that sharp? We try rates, and close in on the border between coming closer and flying away.


# %%
def flies_away(rate, curvatures, steps=2000):
    """Does gradient descent on a parabola with this matrix of curvatures end further out than it began?"""
    weights = np.ones(len(curvatures))
    for _ in range(steps):
        weights = weights - rate * (curvatures @ weights)
        if np.abs(weights).max() > 1e6:
            break
    return np.linalg.norm(weights) > np.sqrt(len(curvatures))


def largest_rate(curvatures):
    """The border between rates that converge and rates that diverge, by halving an interval."""
    low, high = 0.0, 100.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if flies_away(middle, curvatures) else (middle, high)
    return low


# %% without_learning="own loop"
generator = np.random.default_rng(SEED)
mixing = generator.normal(size=(6, 6))
parabolas = {
    "λ = 0.5": np.array([[0.5]]),
    "λ = 1 and 10": np.diag([1.0, 10.0]),
    "six weights, mixed": mixing @ mixing.T / 6,
}
ratios = []
for name, curvatures in parabolas.items():
    limit, formula = largest_rate(curvatures), 2 / np.linalg.eigvalsh(curvatures).max()
    ratios.append(limit / formula)
    print(f"{name:20s} largest rate that works {limit:.4f}, formula {formula:.4f}")
claim(
    "Gradient descent on a parabola works up to a learning rate of 2 / (largest curvature), and not beyond",
    np.allclose(ratios, 1, rtol=0.01),
    f"measured limit over formula: {np.round(ratios, 4)}",
)

# %% [markdown]
# A network's loss is no parabola, and its curvature changes while it learns, so the limit cannot be looked up. But the three regimes are the same. Full-batch gradient descent on the 32 neurons
# that read digits, with three rates. Which one is which?

# %% alt="Training loss over 100 steps for three learning rates. The smallest falls slowly, the middle one falls fast and low, the largest first rises far above the start and ends at the level of knowing nothing, drawn as a dotted line."
start = initial_parameters(SIZES, np.random.default_rng(SEED))
descents, trained = {}, {}
for rate in (0.001, 0.1, 1.0):
    parameters, losses = start, []
    for _ in range(100):
        outputs = forward(train_x, parameters)
        losses.append(cross_entropy(outputs[-1], train_y))
        gradients = backward(outputs, train_y, parameters)
        parameters = [p - rate * g for p, g in zip(parameters, gradients, strict=True)]
    descents[rate], trained[rate] = np.array(losses), parameters
    plt.semilogy(losses)
    plt.annotate(
        f"η = {rate}",
        (100, losses[-1] * {0.001: 0.8, 0.1: 1, 1.0: 1.35}[rate]),
        va="center",
        annotation_clip=False,
    )
plt.axhline(np.log(10), color="0.6", linestyle=":")
plt.annotate("knowing nothing: ln 10", (55, np.log(10) * 1.35), color="0.4")
plt.xlabel("step")
plt.ylabel("training loss")
plt.title("Too small, good and too large")
plt.show()

# %% without_learning="own loop"
small, good, large = descents.values()
claim(
    "On the digits a rate of 0.1 learns, a hundredth of it is far behind after 100 steps, and 10 times as much breaks the network",
    good[-1] < 0.3 and small[-1] > 3 * good[-1] and large.max() > 2 * large[0] and large[-1] > 1,
    f"loss after 100 steps: {small[-1]:.2f}, {good[-1]:.2f}, {large[-1]:.2f}; the largest on the way {large.max():.0f}",
)

# %% [markdown]
# The large rate does worse than nothing. Why does its loss sit so still in the end? Count the hidden neurons that are shut for every single digit:

# %% without_learning="own loop"
dead = {}
for rate, parameters in trained.items():
    hidden = forward(train_x, parameters)[1]  # (digits, 32)
    dead[rate] = int(np.sum(np.all(hidden == 0, axis=0)))
claim(
    "The large rate leaves most of the 32 neurons dead, the good rate few or none",
    dead[1.0] > 16 and dead[0.1] < 8,
    f"dead neurons after 100 steps: {dead}",
)

# %% [markdown]
# The first steps throw the weights so far that ReLU neurons shut for every digit and stay shut: dead neurons (lesson 2.1). With all of them dead the network answers the same for every digit, a tenth for each class, with a loss near $\ln 10$,
# and no gradient leads back. A loss that sits at $\ln(\text{classes})$ is a symptom to remember.
#
# ## Stochastic and mini-batch
#
# A gradient over all examples is exact and dear. **Stochastic gradient descent** uses the gradient of one random example, **mini-batch** gradient descent that of a few, the **batch size** $B$.
# On average both are right: the mean over random batches is the gradient of all. Each alone is noisy. The mean of $B$ independent things varies $1/B$ as much as one of them, so the noise should follow
#
# $$E\,\lVert g_B - g \rVert^2 = \frac{\text{(noise of one example)}}{B}.$$
#
# Batches are usually drawn *without* putting examples back; then the noise is smaller by the factor $(n - B)/(n - 1)$, and zero for $B = n$. We measure both.


# %%
def gradient_noise(batch_size, replace, generator, draws=200):
    """The mean squared distance of a batch's gradient from the gradient of all training digits, at the start."""
    distances = []
    for _ in range(draws):
        batch = generator.choice(len(train_x), batch_size, replace=replace)
        gradients = backward(forward(train_x[batch], start), train_y[batch], start)
        distances.append(
            sum(np.sum((g - f) ** 2) for g, f in zip(gradients, full_gradient, strict=True))
        )
    return np.mean(distances)


full_gradient = backward(forward(train_x, start), train_y, start)
generator = np.random.default_rng(SEED)
batch_sizes = np.array([1, 4, 16, 64, 256])
noise = {
    replace: np.array([gradient_noise(size, replace, generator) for size in batch_sizes])
    for replace in (True, False)
}

# %% alt="On logarithmic axes the noise of the gradient falls on a straight line as the batch grows; without putting examples back it falls a little faster at the end, as its dashed curve predicts."
sizes = np.geomspace(1, len(train_x) - 1, 100)
one_example = noise[True][0]
plt.loglog(batch_sizes, noise[True], "o", color=COLOURS["blue"])
plt.loglog(batch_sizes, noise[False], "s", color=COLOURS["red"], markersize=5)
plt.loglog(sizes, one_example / sizes, "-", color=COLOURS["blue"])
plt.loglog(
    sizes,
    one_example / sizes * (len(train_x) - sizes) / (len(train_x) - 1),
    "--",
    color=COLOURS["red"],
)
plt.annotate("with putting back: 1/B", (110, one_example / 30), color=COLOURS["blue"])
plt.annotate("without", (250, one_example / 1500), color=COLOURS["red"], ha="right")
plt.ylim(one_example / 2e4, one_example * 2)
plt.xlabel("batch size B")
plt.ylabel("mean squared noise")
plt.title("Noise of the gradient: measured (points) and predicted (lines)")
plt.show()

# %% without_learning="untrained"
slope = np.polyfit(np.log(batch_sizes), np.log(noise[True]), 1)[0]
predicted = one_example / batch_sizes * (len(train_x) - batch_sizes) / (len(train_x) - 1)
claim(
    "The squared noise of the gradient falls as one over the batch size",
    abs(slope + 1) < 0.1 and np.allclose(noise[False], predicted, rtol=0.35),
    f"slope {slope:.3f} on logarithmic axes; without putting back, measured over predicted {np.round(noise[False] / predicted, 2)}",
)

# %% [markdown]
# Sixteen times as many examples are sixteen times as much arithmetic and make the noise (not squared) only four times smaller. So small batches should be a bargain. Here is the loop that every run
# from here on uses. The **optimizer** is a function that turns gradients into a step; plain descent is the simplest. One **epoch** is one pass over all training examples.


# %% tags=["setup"]
def sgd(parameters, gradients, state, rate):
    return [p - rate * g for p, g in zip(parameters, gradients, strict=True)]


def train(parameters, x, y, optimizer, rate, batch_size, epochs, generator=None, activation=RELU):
    """Mini-batch training. Returns the new parameters and the loss of each batch before its step.

    rate: the learning rate, a number or a function of the step. generator: shuffles the examples in each epoch;
    None keeps their order. optimizer: (parameters, gradients, state, rate) -> parameters; state is a dict it may fill.
    """
    state, losses = {}, []
    for _ in range(epochs):
        order = np.arange(len(x)) if generator is None else generator.permutation(len(x))
        for first in range(0, len(x), batch_size):
            batch = order[first : first + batch_size]
            outputs = forward(x[batch], parameters, activation)
            gradients = backward(outputs, y[batch], parameters, activation)
            rate_now = rate(len(losses)) if callable(rate) else rate
            losses.append(cross_entropy(outputs[-1], y[batch]))
            parameters = optimizer(parameters, gradients, state, rate_now)
    return parameters, losses


# %% [markdown]
# Five epochs each: every run sees the same 5 times 1,198 digits, with the same learning rate. Only the number of digits for each step differs.

# %% without_learning="own loop"
EPOCHS = 5
losses_by_size = {}
for batch_size in (1, 4, 16, 64, len(train_x)):
    finals = []
    for run in range(3):
        generator = np.random.default_rng([SEED, run])
        parameters = initial_parameters(SIZES, generator)
        parameters, _ = train(
            parameters, train_x, train_y, sgd, 0.02, batch_size, EPOCHS, generator
        )
        finals.append(cross_entropy(forward(train_x, parameters)[-1], train_y))
    losses_by_size[batch_size] = np.mean(finals)
    steps = EPOCHS * -(-len(train_x) // batch_size)
    print(
        f"B = {batch_size:4d}: {steps:5d} steps, loss {np.mean(finals):.3f} ± {np.std(finals, ddof=1):.3f}"
    )
claim(
    "For the same digits seen and the same rate, batches of 16 get much further than full batches",
    losses_by_size[16] < losses_by_size[len(train_x)] / 3,
    f"training loss {losses_by_size[16]:.3f} against {losses_by_size[len(train_x)]:.3f}",
)

# %% [markdown]
# The weights move only at a step, and small batches make many steps. Why not always take single examples, then? Because a processor likes large matrices:

# %% tags=["measures-time"] without_learning="arithmetic"
microseconds = {}
for batch_size in (1, 16, 64, 256):
    x, y = train_x[:batch_size], train_y[:batch_size]
    seconds = seconds_of(lambda x=x, y=y: backward(forward(x, start), y, start))
    microseconds[batch_size] = 1e6 * seconds / batch_size
    print(f"B = {batch_size:3d}: {microseconds[batch_size]:6.1f} microseconds for each example")
claim(
    "An example on its own takes at least twice as long as an example in a batch",
    microseconds[1] > 2 * min(microseconds.values()),
    f"{microseconds[1]:.0f} against {min(microseconds.values()):.0f} microseconds",
)

# %% [markdown]
# Batches of 16 to 256 are the usual middle. A larger batch is less
# noisy and so usually bears a larger rate; comparing batch sizes at one rate, as we just did, is a comparison *at that rate*.
#
# ## Momentum crosses a ravine
#
# The largest curvature limits the rate, and the *smallest* curvature sets how long it takes: with $\eta$ near $2/\lambda_{\max}$ the flat direction shrinks only by $1 - \eta\lambda_{\min}$ in a step. A loss that is steep one way and flat the other is a
# **ravine**: plain descent zigzags between the walls and crawls along the floor.
#
# **Momentum** remembers. A velocity $v$ collects the gradients and forgets slowly, with factor $\beta$, usually 0.9:
#
# $$v \leftarrow \beta v - \eta g, \qquad w \leftarrow w + v$$
#
# Across the ravine the gradients change sign and cancel. Along the floor they agree and add up, to at most $1 + \beta + \beta^2 + \dots = 1/(1-\beta)$ times one step.


# %% tags=["setup"]
def momentum(parameters, gradients, state, rate, beta=0.9):
    velocities = state.get("velocities", [np.zeros_like(p) for p in parameters])
    state["velocities"] = [beta * v - rate * g for v, g in zip(velocities, gradients, strict=True)]
    return [p + v for p, v in zip(parameters, state["velocities"], strict=True)]


def walk(optimizer, rate, curvatures, start, steps):
    """The places that an optimizer visits on the parabola with these curvatures: (steps + 1, weights)."""
    place, state, places = np.array(start, dtype=float), {}, [np.array(start, dtype=float)]
    for _ in range(steps):
        (place,) = optimizer([place], [curvatures * place], state, rate)
        places.append(place)
        if np.abs(place).max() > 1e6:
            break
    return np.array(places)


def steps_to_the_end(optimizer, rate, curvatures, start, most=2000):
    """How many steps until the distance to the minimum is below 0.001 for good, or None if it never is."""
    far = np.linalg.norm(walk(optimizer, rate, curvatures, start, most), axis=1) >= 1e-3
    return None if far[-1] else int(np.flatnonzero(far).max()) + 1


# %% [markdown]
# A fair race gives each its best learning rate, found by trying 61 of them, and momentum four memories.

# %%
RAVINE, RAVINE_START = np.array([1.0, 50.0]), (10.0, 1.0)


def best_of(optimizer, rates):
    """(steps, rate) of the fastest rate."""
    results = [(steps_to_the_end(optimizer, rate, RAVINE, RAVINE_START), rate) for rate in rates]
    return min((steps, rate) for steps, rate in results if steps is not None)


def momentum_of(beta):
    return lambda *arguments: momentum(*arguments, beta=beta)


rates = np.geomspace(1e-3, 1e-1, 61)
race = {"plain descent": best_of(sgd, rates)}
for beta in (0.5, 0.7, 0.8, 0.9):
    race[f"momentum {beta}"] = best_of(momentum_of(beta), rates)
for name, (steps, rate) in race.items():
    print(f"{name:14s} {steps:4d} steps at its best rate, {rate:.4f}")

# %% alt="Contour lines of a narrow valley. Plain descent zigzags between the walls and is still far from the minimum after 25 steps; momentum swings once or twice and comes close."
horizontal, vertical = np.meshgrid(np.linspace(-6, 11, 200), np.linspace(-1.6, 1.6, 200))
plt.contour(
    horizontal,
    vertical,
    (horizontal**2 + 50 * vertical**2) / 2,
    levels=[1, 4, 12, 30, 60],
    colors="0.8",
    linewidths=1,
)
for name, optimizer, colour, marker in (
    ("plain descent", sgd, COLOURS["blue"], "o"),
    ("momentum 0.7", momentum_of(0.7), COLOURS["red"], "s"),
):
    places = walk(optimizer, race[name][1], RAVINE, RAVINE_START, 25)
    plt.plot(
        *places.T,
        marker=marker,
        markersize=4,
        color=colour,
        linewidth=1.3,
        label=f"{name}, 25 steps",
    )
plt.plot(0, 0, "k*", markersize=12)
plt.legend(loc="lower left")
plt.xlabel("flat direction (curvature 1)")
plt.ylabel("steep direction (curvature 50)")
plt.title("A ravine, each method with its best learning rate")
plt.show()

# %% without_learning="own loop"
plain_steps, momentum_steps = race["plain descent"][0], race["momentum 0.7"][0]
claim(
    "Momentum crosses the ravine in less than a third of the steps, each method at its best rate",
    momentum_steps < plain_steps / 3,
    f"{momentum_steps} against {plain_steps} steps",
)

# %% [markdown]
# More memory is not always better: with $\beta = 0.9$ the weights overshoot and swing back, and need more steps than with 0.7. For parabolas theory gives the best values: plain descent needs steps in proportion to
# $\kappa = \lambda_{\max}/\lambda_{\min}$, momentum in proportion to $\sqrt\kappa$ (Polyak 1964).
#
# ## RMSProp and Adam: a rate for each weight
#
# Momentum smooths the gradient. **RMSProp** rescales it: it keeps a running mean $s$ of the *squared* gradient of each weight and divides by its root. A weight whose gradients are always tiny takes steps as long as one whose gradients are huge.
#
# $$s \leftarrow \rho s + (1-\rho)\, g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt{s + \varepsilon}}$$
#
# **Adam** does both: a running mean $m$ of the gradient and $s$ of its square. Both start at 0, so at first they are too small, by the factors $1 - \beta_1^t$ and $1 - \beta_2^t$ after $t$ steps. Adam divides these out, the **bias correction**:
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad s \leftarrow \beta_2 s + (1-\beta_2)\, g^2, \qquad
#   w \leftarrow w - \eta\, \frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\; \frac{m}{\sqrt s + \varepsilon}$$
#
# The small $\varepsilon$ prevents a division by zero. Mind where it stands: *inside* the root in Keras's RMSProp, *outside* in its Adam.


# %% tags=["setup"]
def rmsprop(parameters, gradients, state, rate, rho=0.9, epsilon=1e-7):
    squares = state.get("squares", [np.zeros_like(p) for p in parameters])
    state["squares"] = [rho * s + (1 - rho) * g**2 for s, g in zip(squares, gradients, strict=True)]
    return [
        p - rate * g / np.sqrt(s + epsilon)
        for p, g, s in zip(parameters, gradients, state["squares"], strict=True)
    ]


def adam(parameters, gradients, state, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    state["step"] = state.get("step", 0) + 1
    means = state.get("means", [np.zeros_like(p) for p in parameters])
    squares = state.get("squares", [np.zeros_like(p) for p in parameters])
    state["means"] = [beta_1 * m + (1 - beta_1) * g for m, g in zip(means, gradients, strict=True)]
    state["squares"] = [
        beta_2 * s + (1 - beta_2) * g**2 for s, g in zip(squares, gradients, strict=True)
    ]
    corrected = rate * np.sqrt(1 - beta_2 ** state["step"]) / (1 - beta_1 ** state["step"])
    return [
        p - corrected * m / (np.sqrt(s) + epsilon)
        for p, m, s in zip(parameters, state["means"], state["squares"], strict=True)
    ]


# %% [markdown]
# By hand, with a gradient that is always 4 and a learning rate of 0.1: how long are the first three steps of each? (Momentum: $0.4$, then $0.9 \cdot 0.4 + 0.4$. Adam: the correction turns $m$ into 4 and $s$ into 16.)

# %% tags=["nbval-check-output"]
for name, optimizer in (("SGD", sgd), ("momentum", momentum), ("RMSProp", rmsprop), ("Adam", adam)):
    places, state = [0.0], {}
    for _ in range(3):
        (place,) = optimizer([np.array(places[-1])], [np.array(4.0)], state, 0.1)
        places.append(float(place))
    print(f"{name:9s}", " ".join(f"{-step:.3f}" for step in np.diff(places)))

# %% [markdown]
# Momentum speeds up. Adam's steps are the learning rate. RMSProp has no bias correction, so its first steps are the longest.
#
# Are these Keras's? Twenty noisy steps on a parabola of three weights, ours and Keras's from the same place with the same noise. At every step
# each optimizer gets the gradient at *its own* place, so a difference would grow.


# %%
def largest_difference(ours, theirs, rate, steps=20):
    """How far our optimizer and a Keras optimizer come apart in 20 steps, at most."""
    generator = np.random.default_rng(SEED)
    curvatures = np.array([0.1, 1.0, 10.0])
    places, state = [np.array([1.0, -2.0, 0.5])], {}
    variable = keras.Variable(places[0], dtype="float64")
    apart = 0.0
    for _ in range(steps):
        noise_now = generator.normal(size=3)
        keras_place = keras.ops.convert_to_numpy(variable)
        theirs.apply([tf.constant(curvatures * keras_place + noise_now)], [variable])
        places = ours(places, [curvatures * places[0] + noise_now], state, rate)
        apart = max(apart, np.abs(keras.ops.convert_to_numpy(variable) - places[0]).max())
    return apart


# %%
differences = {
    "SGD": largest_difference(sgd, keras.optimizers.SGD(0.01), 0.01),
    "momentum": largest_difference(momentum, keras.optimizers.SGD(0.01, momentum=0.9), 0.01),
    "RMSProp": largest_difference(rmsprop, keras.optimizers.RMSprop(0.01), 0.01),
    "Adam": largest_difference(adam, keras.optimizers.Adam(0.001), 0.001),
}
for name, difference in differences.items():
    print(f"{name:9s} largest difference in 20 steps {difference:.1e}")
claim(
    "SGD, momentum, RMSProp and Adam in a few lines equal Keras's optimizers for 20 steps",
    max(differences.values()) < 1e-6,
    f"largest difference {max(differences.values()):.1e}",
)

# %% [markdown]
# Small, but in 64 bits one expects $10^{-15}$. Where does the rest come from? Keras holds learning rate and $\beta$ in 32 bits, even for 64-bit weights, and 0.999 has no exact 32-bit form. Test that explanation: with settings that *are* exact in 32 bits
# (powers of one half), the difference must vanish.

# %%
exact_adam = lambda *arguments: adam(*arguments, beta_1=1 - 2**-3, beta_2=1 - 2**-10)
exact_difference = largest_difference(
    exact_adam, keras.optimizers.Adam(2**-10, beta_1=1 - 2**-3, beta_2=1 - 2**-10), 2**-10
)
claim(
    "What is left of Adam's difference is 32-bit rounding of its settings: with settings exact in 32 bits it vanishes",
    exact_difference < 1e-12,
    f"{exact_difference:.1e} against {differences['Adam']:.1e}",
)

# %% [markdown]
# What does dividing by the root of $s$ buy? Multiply the loss by 1,000, as a sum over 1,000 examples in place of their mean does. Every gradient grows a thousandfold. Predict: what happens to the path of momentum, and what to Adam's?

# %% without_learning="own loop"
curvatures = np.array([1.0, 5.0])
ends = {}
for name, optimizer, rate in (("momentum", momentum, 0.05), ("Adam", adam, 0.05)):
    plain, scaled = (
        walk(optimizer, rate, factor * curvatures, (2.0, 1.0), 100) for factor in (1.0, 1000.0)
    )
    ends[name] = (np.abs(plain[-1]).max(), np.abs(scaled[-1]).max(), len(scaled) - 1)
    print(
        f"{name:9s} largest weight at the end {ends[name][0]:.4f}, with the loss times 1,000: {ends[name][1]:.4f} after {ends[name][2]} steps"
    )
adam_paths = [walk(adam, 0.05, factor * curvatures, (2.0, 1.0), 100) for factor in (1.0, 1000.0)]
first_step = np.abs(adam_paths[0][1] - adam_paths[0][0])
claim(
    "Adam walks the same path when the loss is multiplied by 1,000, and its first step is the learning rate in every weight; momentum flies away",
    np.abs(adam_paths[0] - adam_paths[1]).max() < 1e-4
    and np.allclose(first_step, 0.05)
    and ends["momentum"][1] > 1e6,
    f"Adam's paths differ by {np.abs(adam_paths[0] - adam_paths[1]).max():.1e}, its first step is {first_step}",
)

# %% [markdown]
# So Adam's learning rate is a *length*, about the longest step a weight usually takes, whatever the scale of the loss. That is why its default of 0.001 works so often.
#
# On the ravine Adam has no magic. On the digits? We let each optimizer train with six learning rates, three starts each, five epochs of batches of 32.

# %%
OPTIMIZERS = {"SGD": sgd, "momentum": momentum, "RMSProp": rmsprop, "Adam": adam}
RATES = np.array([1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1])


def training_loss_after(optimizer, rate, run):
    generator = np.random.default_rng([SEED, run])
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # too large a rate may overflow; that is a result too
        parameters, _ = train(
            initial_parameters(SIZES, generator),
            train_x,
            train_y,
            optimizer,
            rate,
            32,
            5,
            generator,
        )
        loss = cross_entropy(forward(train_x, parameters)[-1], train_y)
    return loss if np.isfinite(loss) else np.inf


sweep = {
    name: np.array(
        [[training_loss_after(optimizer, rate, run) for run in range(3)] for rate in RATES]
    )
    for name, optimizer in OPTIMIZERS.items()
}

# %% alt="Training loss after five epochs against the learning rate, both logarithmic, one curve for each of four optimizers. The bottom of SGD's curve lies furthest right, those of RMSProp and Adam furthest left; momentum and Adam reach lowest."
for (name, losses), marker in zip(sweep.items(), "os^D", strict=True):
    plt.loglog(RATES, np.minimum(losses.mean(axis=1), 10), marker=marker, markersize=5, label=name)
plt.axhline(np.log(10), color="0.6", linestyle=":", linewidth=1.5)
plt.annotate("knowing nothing: ln 10", (4e-2, np.log(10) * 1.12), color="0.4", ha="right")
plt.ylim(top=3.5)
plt.legend(loc="upper right", bbox_to_anchor=(0.66, 0.88))
plt.xlabel("learning rate")
plt.ylabel("training loss after 5 epochs")
plt.title("Every optimizer has its own range of good rates")
plt.show()

# %% without_learning="own loop"
best = {name: losses.mean(axis=1).min() for name, losses in sweep.items()}
for name, losses in sweep.items():
    at = losses.mean(axis=1).argmin()
    print(
        f"{name:9s} best rate {RATES[at]:.4f}: loss {losses[at].mean():.3f} ± {losses[at].std(ddof=1):.3f}"
    )
claim(
    "On the digits momentum and Adam get lower in five epochs than plain SGD, each at its best of six rates",
    max(best["momentum"], best["Adam"]) < 0.8 * best["SGD"],
    f"training loss: momentum {best['momentum']:.3f}, Adam {best['Adam']:.3f}, RMSProp {best['RMSProp']:.3f}, SGD {best['SGD']:.3f}",
)

# %% [markdown]
# Look at the ranges more than at the ranking: they lie apart. A rate of 0.1 is good for SGD and bad for Adam. A comparison of optimizers at *one* rate compares rates, not optimizers.
# This is *training* loss on one small task; how well a network does on new digits is the matter of lesson 2.4.

# %% [markdown]
# ## Schedules: large steps first, small steps last
#
# With noisy gradients a constant rate never arrives. On the parabola $\frac12 \lambda w^2$ with noise of standard deviation $\sigma$ in each gradient, the weight ends up wandering around the minimum, and one can compute how far. Ask that one step leaves its variance $V$ as it was:
#
# $$V = (1 - \eta\lambda)^2\, V + \eta^2 \sigma^2 \quad\Rightarrow\quad V = \frac{\eta\,\sigma^2}{\lambda\,(2 - \eta\lambda)}$$
#
# For small rates the floor is in proportion to $\eta$. So a small rate ends low and gets there slowly; a large rate is fast and ends high. A **schedule** has both: it lowers the rate during training. Two usual ones, over $T$ steps:
# **cosine**, $\eta_t = \eta_0\,\frac12\,(1 + \cos(\pi t / T))$, and **step decay**, which divides the rate at a few chosen steps.


# %% tags=["setup"]
def cosine_schedule(peak, total_steps):
    return lambda step: peak * (1 + np.cos(np.pi * min(step / total_steps, 1))) / 2


def step_schedule(boundaries, rates):
    """rates[0] up to and including step boundaries[0], then rates[1], and so on."""
    return lambda step: rates[int(np.sum(step > np.array(boundaries)))]


# %% without_learning="arithmetic"
schedules = keras.optimizers.schedules
pairs = [
    (cosine_schedule(0.1, 200), schedules.CosineDecay(0.1, 200)),
    (
        step_schedule([100, 150], [0.1, 0.01, 0.001]),
        schedules.PiecewiseConstantDecay([100, 150], [0.1, 0.01, 0.001]),
    ),
]
difference = max(
    abs(ours(step) - float(theirs(step))) for ours, theirs in pairs for step in range(0, 221)
)
claim(
    "Both schedules equal Keras's at each of 221 steps",
    difference < 1e-6,
    f"largest difference {difference:.1e}",
)

# %% [markdown]
# Now 4,000 weights walk down the same parabola, each with its own noise, with three constant rates and with a cosine from the largest to zero.


# %%
def noisy_descent(rate_at, steps=200, walkers=4000, curvature=1.0, sigma=1.0):
    """The mean loss of many independent walkers at each step of gradient descent with noisy gradients: (steps,)."""
    generator = np.random.default_rng(SEED)
    weights, losses = np.full(walkers, 10.0), []
    for step in range(steps):
        gradient = curvature * weights + sigma * generator.normal(size=walkers)
        weights = weights - rate_at(step) * gradient
        losses.append(np.mean(curvature * weights**2 / 2))
    return np.array(losses)


CONSTANT_RATES = (0.5, 0.1, 0.02)
walks = {f"η = {rate}": noisy_descent(lambda step, rate=rate: rate) for rate in CONSTANT_RATES}
walks["cosine from 0.5"] = noisy_descent(cosine_schedule(0.5, 200))

# %% alt="Mean loss over 200 steps on a logarithmic axis. The rate 0.5 drops at once and stays on a high floor, 0.1 drops more slowly to a lower floor, 0.02 is still falling; the cosine schedule drops at once and goes on falling to the lowest value."
for name, losses in walks.items():
    plt.semilogy(losses)
    above = {"η = 0.1": 1.15, "η = 0.02": 0.85}.get(name, 1)  # keeps two labels apart
    plt.annotate(name, (202, above * losses[-1]), va="center", annotation_clip=False)
plt.xlabel("step")
plt.ylabel("mean loss")
plt.title("Noise sets a floor; lowering the rate lowers the floor")
plt.show()

# %% without_learning="own loop"
floors = [walks[f"η = {rate}"][-50:].mean() for rate in (0.5, 0.1)]
formula = [rate / (2 - rate) / 2 for rate in (0.5, 0.1)]
constant_ends = [losses[-1] for name, losses in walks.items() if name.startswith("η")]
claim(
    "With a constant rate the loss ends on the floor that the formula gives, and a cosine schedule gets below all of them in the same steps",
    np.allclose(floors, formula, rtol=0.05)
    and walks["cosine from 0.5"][-1] < 0.7 * min(constant_ends),
    f"floors {np.round(floors, 3)}, formula {np.round(formula, 3)}; ends {np.round(constant_ends, 3)}, cosine {walks['cosine from 0.5'][-1]:.3f}",
)

# %% [markdown]
# ## Where to start: weights that keep the signal alive
#
# Why are the first weights random, and how large must they be? If all were equal, all neurons of a layer would compute the same, get the same gradient and stay the same for ever. Random numbers break the tie. Their size follows from one line.
# A sum $z = \sum_{i=1}^n w_i a_i$ of independent terms with mean 0 has variance
#
# $$\operatorname{Var} z = n \cdot \operatorname{Var} w \cdot E[a^2].$$
#
# - **tanh** near 0 is nearly $a = z$. The signal keeps its size when $n \operatorname{Var} w = 1$. Going back, the same holds with the number of *outputs*; **Glorot's** rule is the compromise $\operatorname{Var} w = 2 / (n_{\text{in}} + n_{\text{out}})$.
# - **ReLU** sets one half of a symmetric $z$ to 0, so $E[a^2] = \frac12 \operatorname{Var} z$. To make up for it, **He's** rule doubles: $\operatorname{Var} w = 2 / n_{\text{in}}$.
#
# So if $\operatorname{Var} w = \text{gain}/n$, each ReLU layer should multiply the signal's mean square by gain/2. Over 20 layers even a small misfit is raised to the 20th power. Digits go through 20 layers of 64 neurons, with four gains.


# %%
DEPTH, WIDTH_OF_LAYER = 20, 64
GAINS = {"too small (0.5)": 0.5, "Glorot (1)": 1.0, "He (2)": 2.0, "too large (4)": 4.0}
deep_sizes = (196, *[WIDTH_OF_LAYER] * DEPTH, 10)


def signal_by_layer(activation, gain, run):
    """Root mean square of each hidden layer's outputs, and of the gradient of each hidden layer's weights: two (DEPTH,)."""
    parameters = initial_parameters(deep_sizes, np.random.default_rng([SEED, run]), gain)
    outputs = forward(train_x[:256], parameters, activation)
    gradients = backward(outputs, train_y[:256], parameters, activation)[: 2 * DEPTH : 2]
    size = lambda array: np.sqrt(np.mean(array**2))
    return [size(a) for a in outputs[1:-1]], [size(g) for g in gradients]


signals = {
    (name, label): np.exp(
        np.mean(np.log([signal_by_layer(activation, gain, run) for run in range(3)]), axis=0)
    )
    for name, activation in (("ReLU", RELU), ("tanh", TANH))
    for label, gain in GAINS.items()
}

# %% alt="Four plots over 20 layers with logarithmic axes: the size of the activations above, of the gradients below, for ReLU on the left and tanh on the right. With ReLU only He's gain stays level and the others fall or rise by many powers of ten. With tanh Glorot's and larger gains end between a tenth and one, and the smallest fades."
figure, grid = plt.subplots(2, 2, figsize=(6.6, 5.4), sharex=True, sharey="row")
for column, name in enumerate(("ReLU", "tanh")):
    for label in GAINS:
        for row in (0, 1):
            grid[row, column].semilogy(range(1, DEPTH + 1), signals[name, label][row], label=label)
    grid[0, column].set_title(name)
    grid[1, column].set(xlabel="layer", xticks=[1, 5, 10, 15, 20])
grid[0, 0].set_ylabel("size of the activations")
grid[1, 0].set_ylabel("size of the gradients")
figure.legend(
    *grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9
)
plt.show()

# %% without_learning="untrained"
growth = {  # by which factor a layer multiplies the mean square of the signal
    label: (signals["ReLU", label][0][-1] / signals["ReLU", label][0][0]) ** (2 / (DEPTH - 1))
    for label in GAINS
}
for label, factor in growth.items():
    print(
        f"ReLU, {label:16s} mean square times {factor:.2f} in each layer, predicted {GAINS[label] / 2:.2f}"
    )
claim(
    "Each ReLU layer multiplies the mean square of the signal by half the gain, so that only He's gain keeps it",
    all(abs(factor / (GAINS[label] / 2) - 1) < 0.15 for label, factor in growth.items()),
    ", ".join(f"{label}: {factor:.2f}" for label, factor in growth.items()),
)

# %% without_learning="untrained"
tanh_activations = {label: signals["tanh", label][0][-1] for label in GAINS}
tanh_gradients = {label: signals["tanh", label][1] for label in GAINS}
claim(
    "With tanh a too small gain fades as well, but no gain explodes: the activations end between 0.05 and 1 for the other three",
    tanh_activations["too small (0.5)"] < 0.01
    and all(0.05 < tanh_activations[label] < 1 for label in list(GAINS)[1:]),
    f"size in layer {DEPTH}: "
    + ", ".join(f"{label}: {value:.3f}" for label, value in tanh_activations.items()),
)

# %% [markdown]
# Top left, ReLU: one line stays level. The top right shows why tanh forgives more: it cannot exceed 1.
#
# The lower row may surprise you: most gradients are the same in all layers. The gradient of a weight is what enters times the $\delta$ that comes back. With a small gain the one fades on the way forward and the other on the way back, so that
# their product is level, and far too small *everywhere*. With tanh and a large gain the gradients grow towards the first layers.
#
# Does it matter for learning? Four gains, ReLU, plain SGD with a cosine schedule, the best of three peak rates each, 8 epochs. Predict which of them learn to read digits.


# %% without_learning="own loop"
def best_loss(gain):
    """The lowest training loss that 8 epochs of SGD reach with one of three peak rates, and that rate."""
    results = []
    for rate in (0.01, 0.03, 0.1):
        schedule = cosine_schedule(rate, total_steps=8 * -(-len(train_x) // 32))
        parameters = initial_parameters(deep_sizes, np.random.default_rng(SEED), gain)
        with np.errstate(over="ignore", invalid="ignore"):  # the large gain overflows
            parameters, _ = train(
                parameters, train_x, train_y, sgd, schedule, 32, 8, np.random.default_rng(SEED)
            )
            loss = cross_entropy(forward(train_x, parameters)[-1], train_y)
        results.append((loss if np.isfinite(loss) else np.inf, rate))
    return min(results)


deep_losses = {label: best_loss(gain) for label, gain in GAINS.items()}
for label, (loss, rate) in deep_losses.items():
    print(
        f"{label:16s} training loss {loss:.3f} at its best rate {rate}   (knowing nothing: {np.log(10):.3f})"
    )
claim(
    "Twenty ReLU layers learn to read digits with He's gain; with half and a quarter of it they have hardly begun after the same steps of plain SGD, at the best of three rates",
    deep_losses["He (2)"][0] < 1
    and min(deep_losses["Glorot (1)"][0], deep_losses["too small (0.5)"][0]) > 1.5,
    f"training loss {deep_losses['He (2)'][0]:.2f} against {deep_losses['Glorot (1)'][0]:.2f} and {deep_losses['too small (0.5)'][0]:.2f}",
)

# %% [markdown]
# Keras's `Dense` starts with Glorot's rule unless you say otherwise. In a network of two or three layers that hardly matters; for many ReLU layers write `kernel_initializer="he_normal"`. Batch normalization (lesson 2.4) and
# residual connections (lesson 6.2) are other ways to keep the signal alive.

# %% without_learning="untrained"
spreads = {}
for name, formula in (("GlorotUniform", 2 / (300 + 500)), ("HeNormal", 2 / 300)):
    drawn = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(SEED)((300, 500)))
    spreads[name] = drawn.var() / formula
claim(
    "Keras's GlorotUniform and HeNormal have the variances of the two rules",
    np.allclose(list(spreads.values()), 1, rtol=0.03),
    ", ".join(f"{name}: {ratio:.3f} of the formula" for name, ratio in spreads.items()),
)

# %% [markdown]
# ## The training loop, three times
#
# All parts are there. The same network, the same start, the same batches in the same order, once with our `train`, once as you write it with TensorFlow when `fit` is not flexible enough,
# and once with `fit`. (The settings are powers of one half, which 32 bits hold exactly.)

# %%
RATE, BETA, BATCH, LOOP_EPOCHS = 2**-6, 1 - 2**-3, 32, 3
start = initial_parameters(SIZES, np.random.default_rng(SEED))

our_parameters, our_losses = train(
    start, train_x, train_y, momentum_of(BETA), RATE, BATCH, LOOP_EPOCHS
)
print(
    f"{len(our_losses)} steps, loss of the first batch {our_losses[0]:.3f}, of the last {our_losses[-1]:.3f}"
)

# %%
network = keras_twin(start)
optimizer = keras.optimizers.SGD(RATE, momentum=BETA)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = keras_loss(y, network(x, training=True))
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply(gradients, network.trainable_variables)
    return loss


for _ in range(LOOP_EPOCHS):
    for first in range(0, len(train_x), BATCH):
        _ = train_step(
            tf.constant(train_x[first : first + BATCH]), tf.constant(train_y[first : first + BATCH])
        )
tape_parameters = network.get_weights()

# %% [markdown]
# `@tf.function` turns the Python function into a graph that runs without Python. `training=True` tells layers like dropout that this is training.

# %%
network = keras_twin(start)
network.compile(
    optimizer=keras.optimizers.SGD(RATE, momentum=BETA),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64"),
)
_ = network.fit(train_x, train_y, batch_size=BATCH, epochs=LOOP_EPOCHS, shuffle=False, verbose=0)
fit_parameters = network.get_weights()


# %% tags=["headline"]
def largest_gap(first, second):
    return max(np.abs(one - other).max() for one, other in zip(first, second, strict=True))


tape_gap, fit_gap = (
    largest_gap(our_parameters, tape_parameters),
    largest_gap(our_parameters, fit_parameters),
)
moved = largest_gap(our_parameters, start)
claim(
    "A training loop in NumPy, one with GradientTape and Keras's fit end with the same weights",
    tape_gap < 1e-9 and fit_gap < 1e-6 and moved > 0.1 and our_losses[-1] < our_losses[0] / 2,
    f"{parameter_count} weights, {len(our_losses)} steps, in which a weight moved by up to {moved:.2f}; "
    f"largest difference {tape_gap:.0e} to the tape and {fit_gap:.0e} to fit",
)

# %% [markdown]
# There is no secret in `fit`: batch, forward, backward, step. You have written every part of it. The loop with the tape agrees to almost all digits of a 64-bit number. `fit` differs a little more, because it
# hands the inputs to the network in 32 bits.
#
# ## Does it read digits?
#
# Our NumPy network against three others on the same digits: a constant answer, the **nearest centroid** (compare with each class's mean image), and logistic regression. Settings are chosen on the validation data: the strength `C` there, the number of epochs here.

# %%
labels, valid_labels, test_labels = (part[1] for part in (training, validation, test))


def accuracy(parameters, x, labels):
    return float(np.mean(forward(x, parameters)[-1].argmax(axis=1) == labels))


def read_digits(run, epochs):
    """Our network, trained with Adam and a cosine schedule."""
    generator = np.random.default_rng([SEED, run])
    total_steps = epochs * -(-len(train_x) // 32)
    schedule = cosine_schedule(0.01, total_steps)
    parameters, _ = train(
        initial_parameters(SIZES, generator),
        train_x,
        train_y,
        adam,
        schedule,
        32,
        epochs,
        generator,
    )
    return parameters


# %%
valid_scores = {
    epochs: np.mean([accuracy(read_digits(run, epochs), valid_x, valid_labels) for run in range(3)])
    for epochs in (3, 8, 20)
}
best_epochs = max(valid_scores, key=valid_scores.get)
regressions = [
    sklearn.linear_model.LogisticRegression(C=strength, max_iter=1000).fit(train_x, labels)
    for strength in (0.0003, 0.003, 0.03)
]
best_regression = max(regressions, key=lambda regression: regression.score(valid_x, valid_labels))
print(
    f"validation: {', '.join(f'{epochs} epochs {score:.1%}' for epochs, score in valid_scores.items())}"
)

# %% [markdown]
# Choices made; now the test digits, once. The network three times from other starting weights.

# %% without_learning="own loop"
centroid = sklearn.neighbors.NearestCentroid().fit(train_x, labels)
net_scores = np.array(
    [accuracy(read_digits(run, best_epochs), test_x, test_labels) for run in range(3)]
)
constant_score = np.bincount(test_labels).max() / len(test_labels)
centroid_score, regression_score = (
    centroid.score(test_x, test_labels),
    best_regression.score(test_x, test_labels),
)
print(f"constant answer      {constant_score:.1%}")
print(f"nearest centroid     {centroid_score:.1%}")
print(f"logistic regression  {regression_score:.1%}")
print(
    f"our network          {net_scores.mean():.1%} ± {net_scores.std(ddof=1):.1%} over starting weights"
)
claim(
    "Our network reads new digits better than the nearest centroid and within two points of logistic regression, or better",
    net_scores.mean() > centroid_score + 0.02 and net_scores.mean() > regression_score - 0.02,
    f"test digits read right: network {net_scores.mean():.1%}, logistic regression {regression_score:.1%}, nearest centroid {centroid_score:.1%}",
)

# %% [markdown]
# With 1,198 examples a straight-line method is hard to beat; 300 test digits cannot settle a difference of one point. Learning is solved, generalising is not: that is lesson 2.4.
#
# ## Common mistakes
#
# - **Softmax in the last layer *and* `from_logits=True`**, or plain logits without it. The first is wrong, and stays hidden where Keras on TensorFlow takes the logits from behind the softmax by itself; the second takes logarithms of things that are no probabilities. Decide once: plain logits and `from_logits=True`.
# - **Judging an optimizer at one learning rate.** You saw the four curves: at one rate you can make any of them win.
# - **A loss that stands at $\ln(\text{classes})$ from the start or after a jump.** The rate is too large, the weights died, or the labels are shuffled. Divide the rate by 10 first.
# - **Sum instead of mean over a batch.** The gradient grows with the batch size, and the good learning rate shrinks with it.
# - **All weights zero at the start.** Nothing passes, forward or back: with ReLU only the output biases ever move. Equal weights that are not zero keep all neurons of a hidden layer equal, so that it counts as one neuron, however wide it is. (Zero *biases* are fine.)
# - **Checking gradients in 32 bits**, or at a corner of ReLU: finite differences then disagree with a correct derivation.

# %% [markdown]
# ## Exercise 1: predict the other target
#
# In the small network on the picture the target was the first class. Now it is the *second*, $y = (0, 1)$, and everything else stays. Without running the network: what are the gradients of the weight 0.5 (from $x_2$ to $z_1$)
# and of the bias of $z_2$?

# %% tags=["exercise"]
weight_gradient = None  # replace None with the gradient of the weight from x2 to z1
bias_gradient = None  # replace None with the gradient of the bias of z2
### BEGIN SOLUTION
# The errors at the logits change sign: 0.5 and -0.5. Then delta a1 = 2 * 0.5 + (-1) * (-0.5) = 1.5, and the gate is open.
weight_gradient = 2 * 1.5
bias_gradient = 0.0  # the second neuron is shut, whatever the target is
### END SOLUTION

# %% tags=["wrong"] says="the gradient for the old target"
weight_gradient = -3.0  # the gradient for the old target
bias_gradient = 0.0

# %% tags=["wrong"] says="delta times the value that enters"
weight_gradient = 1.5  # forgets to multiply by the input
bias_gradient = 0.0

# %% tags=["wrong"] says="is the gate of the second neuron open?"
weight_gradient = 3.0
bias_gradient = -1.0  # overlooks that the gate is shut

# %% tags=["wrong"] says="both logits"
weight_gradient = 2.0  # walks back through the first logit only
bias_gradient = 0.0

# %% tags=["check"]
with feedback("Predict the other target"):
    small_parameters = [
        np.array([[1.0, 1.0], [0.5, -1.0]]),
        np.array([-0.5, 0.0]),
        np.array([[2.0, -1.0], [1.0, 3.0]]),
        np.array([-2.0, 2.5]),
    ]
    small_outputs = forward(np.array([[1.0, 2.0]]), small_parameters)
    by_program = backward(small_outputs, np.array([[0.0, 1.0]]), small_parameters)
    right_weight, right_bias = by_program[0][1, 0], by_program[1][1]
    assert not np.isclose(weight_gradient, -right_weight), (
        "that is the gradient for the old target: what is prediction minus target now?"
    )
    assert not np.isclose(weight_gradient, by_program[1][0]), (
        "that is delta z1; the gradient of a weight is delta times the value that enters, here x2 = 2"
    )
    assert not np.any(np.isclose(weight_gradient, [2.0, 1.0])), (
        "a1 enters both logits: delta a1 is a sum of two products, one for each"
    )
    assert np.isclose(weight_gradient, right_weight), (
        "the weight: walk back from the errors at the logits through both arrows to a1, through the gate, then times x2"
    )
    assert np.isclose(bias_gradient, right_bias), (
        "the bias: z2 is -1; is the gate of the second neuron open?"
    )

# %% [markdown]
# ## Exercise 2: derive a loss
#
# Counts, such as visitors an hour, often follow Poisson's distribution: $p(y \mid \hat y) = e^{-\hat y}\, \hat y^{\,y} / y!$, where $\hat y > 0$ is the expected count. Derive the loss, leaving out what does not depend on $\hat y$, and its slope with
# respect to $\hat y$. The loss is a mean over all counts; the slope is one number for each count, without the mean.


# %% tags=["exercise"]
def poisson_loss(y, y_hat):
    """Mean loss of expected counts y_hat for counts y, arrays of the same shape."""
    ### BEGIN SOLUTION
    return np.mean(y_hat - y * np.log(y_hat))  # -ln p = y_hat - y ln y_hat + ln y!
    ### END SOLUTION


def poisson_slope(y, y_hat):
    """The derivative of each count's loss with respect to its y_hat."""
    ### BEGIN SOLUTION
    return 1 - y / y_hat
    ### END SOLUTION


# %% tags=["wrong"] says="a loss is *minus* the logarithm"
def poisson_loss(y, y_hat):  # the likelihood's logarithm, without the minus
    return np.mean(y * np.log(y_hat) - y_hat)


def poisson_slope(y, y_hat):
    return y / y_hat - 1


# %% tags=["wrong"] says="the slope of the first term, y_hat, is 1"
def poisson_loss(y, y_hat):
    return np.mean(y_hat - y * np.log(y_hat))


def poisson_slope(y, y_hat):  # forgets the first term
    return -y / y_hat


# %% tags=["wrong"] says="the first factor of p"
def poisson_loss(y, y_hat):  # forgets the exponential in front
    return np.mean(-y * np.log(y_hat))


def poisson_slope(y, y_hat):
    return -y / y_hat


# %% tags=["wrong"] says="a mean over all counts"
def poisson_loss(y, y_hat):  # forgets the mean
    return y_hat - y * np.log(y_hat)


def poisson_slope(y, y_hat):
    return 1 - y / y_hat


# %% tags=["wrong"] says="that is the sum"
def poisson_loss(y, y_hat):  # a sum for a mean
    return np.sum(y_hat - y * np.log(y_hat))


def poisson_slope(y, y_hat):
    return 1 - y / y_hat


# %% tags=["wrong"] says="without the mean"
def poisson_loss(y, y_hat):
    return np.mean(y_hat - y * np.log(y_hat))


def poisson_slope(y, y_hat):  # the slope of the mean
    return (1 - y / y_hat) / np.size(y)


# %% tags=["check"]
with feedback("Derive a loss"):
    generator = np.random.default_rng(SEED)
    for shape in ((20, 1), (3, 4)):
        means = generator.uniform(0.5, 8.0, size=shape)
        counts = generator.poisson(means).astype("float64")
        right = float(keras.losses.Poisson(dtype="float64")(counts, means))
        loss = poisson_loss(counts, means)
        assert np.ndim(loss) == 0, "the loss is one number, a mean over all counts"
        assert not np.isclose(loss, right * counts.size, atol=1e-5), "that is the sum, not the mean"
        assert not np.isclose(loss, -right, atol=1e-5), (
            "right up to the sign: a loss is *minus* the logarithm"
        )
        assert not np.isclose(loss, right - means.mean(), atol=1e-5), (
            "you left out the first factor of p: what is -ln of it?"
        )
        assert np.isclose(loss, right, atol=1e-5), (
            f"keras.losses.Poisson says {right:.4f}, yours says {loss:.4f}: take minus the "
            "logarithm of each factor of p that holds y_hat"
        )
        slope = np.array(poisson_slope(counts, means))
        one_by_one = lambda y_hat, y=counts: y_hat - y * np.log(y_hat)
        measured = (one_by_one(means + 1e-5) - one_by_one(means - 1e-5)) / 2e-5
        assert slope.shape == shape, "the slope is one number for each count"
        assert not np.allclose(slope * counts.size, measured, atol=1e-6), (
            "the slope is one for each count, without the mean: do not divide by their number"
        )
        assert not np.allclose(slope, -measured, atol=1e-6), "the slope has the wrong sign"
        assert not np.allclose(slope + 1, measured, atol=1e-6), (
            "the slope of the first term, y_hat, is 1: differentiate both terms"
        )
        assert np.allclose(slope, measured, atol=1e-6), (
            "the loss is right, its slope is not what finite differences say: the derivative of "
            "ln y_hat is 1 / y_hat"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# This Adam step works badly. It has **two** mistakes. Mend them, so that it does what Keras's Adam does. `step` counts from 1. (The place of `epsilon` is right.)
#
# ```python
# def repaired_adam(w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
#     m = beta_1 * m + (1 - beta_1) * g
#     s = beta_2 * s + (1 - beta_2) * m**2
#     corrected = rate * np.sqrt(1 - beta_2) / (1 - beta_1)
#     return w - corrected * m / (np.sqrt(s) + epsilon), m, s
# ```


# %% tags=["exercise"]
def repaired_adam(w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """One step of Adam. Returns the new weights, the running mean m and the running mean of squares s."""
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * g**2  # the squares of the gradient, not of its mean
    corrected = (
        rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    )  # the correction fades with the steps
    return w - corrected * m / (np.sqrt(s) + epsilon), m, s
    ### END SOLUTION


# %% tags=["wrong"] says="the powers beta**step"
def repaired_adam(
    w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):  # only the squares
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * g**2
    corrected = rate * np.sqrt(1 - beta_2) / (1 - beta_1)
    return w - corrected * m / (np.sqrt(s) + epsilon), m, s


# %% tags=["wrong"] says="squared *gradient*"
def repaired_adam(
    w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):  # only the correction
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * m**2
    corrected = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return w - corrected * m / (np.sqrt(s) + epsilon), m, s


# %% tags=["wrong"] says="the bias correction is missing"
def repaired_adam(
    w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):  # drops the correction
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * g**2
    return w - rate * m / (np.sqrt(s) + epsilon), m, s


# %% tags=["wrong"] says="epsilon is added to the root of s as it is"
def repaired_adam(
    w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):  # the form of the paper
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * g**2
    size = np.sqrt(s / (1 - beta_2**step)) + epsilon
    return w - rate * m / (1 - beta_1**step) / size, m, s


# %% tags=["wrong"] says="use the arguments"
def repaired_adam(
    w, g, m, s, step, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):  # a rate typed in
    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * g**2
    corrected = 0.01 * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return w - corrected * m / (np.sqrt(s) + epsilon), m, s


# %% tags=["check"]
with feedback("Repair this"):
    generator = np.random.default_rng(SEED)
    for rate, beta_1, beta_2, epsilon in ((0.01, 0.9, 0.999, 1e-7), (0.3, 0.6, 0.8, 0.5)):
        keras_adam = keras.optimizers.Adam(rate, beta_1, beta_2, epsilon)
        variable = keras.Variable([1.0, -2.0, 0.5], dtype="float64")
        w, m, s = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
        for step in range(1, 11):
            g = generator.uniform(1, 100, size=3) * generator.choice([-1, 1], size=3)
            keras_adam.apply([tf.constant(g)], [variable])
            right = keras.ops.convert_to_numpy(variable)
            right_m, right_s = beta_1 * m + (1 - beta_1) * g, beta_2 * s + (1 - beta_2) * g**2
            before = w
            w, m, s = repaired_adam(w, g, m, s, step, rate, beta_1, beta_2, epsilon)
            assert np.allclose(m, right_m), (
                f"step {step}: m is beta_1 of the old m and 1 - beta_1 of the *gradient*"
            )
            assert np.allclose(s, right_s), (
                f"step {step}: s is beta_2 of the old s and 1 - beta_2 of the squared *gradient*"
            )
            moved = before - w
            bare, root = rate * m / (np.sqrt(s) + epsilon), np.sqrt(1 - beta_2**step)
            corrected = bare * root / (1 - beta_1**step)
            assert not np.allclose(moved, bare), "the bias correction is missing"
            assert not np.allclose(moved, -corrected), "it climbs: subtract the step from w"
            if step > 1:
                assert not np.allclose(moved, bare * np.sqrt(1 - beta_2) / (1 - beta_1)), (
                    "the first step is right, the second is not: the correction needs the powers beta**step"
                )
            if epsilon == 0.5:
                papers = rate * m / (1 - beta_1**step) / (np.sqrt(s) / root + epsilon)
                assert not np.allclose(moved, papers), (
                    "in Keras epsilon is added to the root of s as it is, before any correction"
                )
                assert np.allclose(w, right, atol=1e-5), (
                    f"right with the usual settings, wrong with rate {rate}, beta_1 {beta_1}, beta_2 "
                    f"{beta_2}, epsilon {epsilon}: use the arguments, and add epsilon to the root"
                )
            assert np.allclose(w, right, atol=1e-5), (
                f"step {step} differs from Keras's: the rate is multiplied by the square root of "
                "1 - beta_2**step and divided by 1 - beta_1**step"
            )

# %% [markdown]
# ## Exercise 4: a warm-up
#
# Adam's first steps are as long as its later ones, though it knows least then. A **warm-up** raises the rate in a straight line from 0 to the peak over the first steps; then a cosine lowers it to 0. Write it.
# At step 0 the rate is 0, at step `warmup_steps` it is `peak`, and at `warmup_steps + decay_steps` and after that it is 0.


# %% tags=["exercise"]
def warm_cosine(step, peak, warmup_steps, decay_steps):
    """The learning rate at a step."""
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return peak * step / warmup_steps
    return cosine_schedule(peak, decay_steps)(step - warmup_steps)
    ### END SOLUTION


# %% tags=["wrong"] says="the cosine starts when the warm-up ends"
def warm_cosine(
    step, peak, warmup_steps, decay_steps
):  # the cosine starts at step 0, not after the warm-up
    if step < warmup_steps:
        return peak * step / warmup_steps
    return cosine_schedule(peak, decay_steps)(step)


# %% tags=["wrong"] says="after the end the rate stays 0"
def warm_cosine(step, peak, warmup_steps, decay_steps):  # rises again after the end
    if step < warmup_steps:
        return peak * step / warmup_steps
    return peak * (1 + np.cos(np.pi * (step - warmup_steps) / decay_steps)) / 2


# %% tags=["wrong"] says="the warm-up is a straight line"
def warm_cosine(step, peak, warmup_steps, decay_steps):  # counts steps from 1
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    return cosine_schedule(peak, decay_steps)(step - warmup_steps)


# %% tags=["wrong"] says="and takes decay_steps"
def warm_cosine(step, peak, warmup_steps, decay_steps):  # takes decay_steps for the whole run
    if step < warmup_steps:
        return peak * step / warmup_steps
    return cosine_schedule(peak, decay_steps - warmup_steps)(step - warmup_steps)


# %% tags=["check"]
with feedback("A warm-up"):
    for peak, warmup_steps, decay_steps in ((1.0, 10, 40), (0.02, 5, 100), (3.0, 50, 8)):
        keras_schedule = keras.optimizers.schedules.CosineDecay(
            0.0, decay_steps, warmup_target=peak, warmup_steps=warmup_steps
        )
        end = warmup_steps + decay_steps
        for step in sorted({*range(0, end, 3), warmup_steps, end - 1, end, end + 1, end + 7}):
            rate = warm_cosine(step, peak, warmup_steps, decay_steps)
            right = float(keras_schedule(step))
            rule = (
                "the warm-up is a straight line, 0 at step 0 and the peak at step warmup_steps"
                if step < warmup_steps
                else "the cosine starts when the warm-up ends, at the peak, and takes decay_steps steps"
                if step < end
                else "after the end the rate stays 0"
            )
            assert np.isclose(rate, right, atol=1e-6, rtol=1e-4), (
                f"peak {peak}, warm-up {warmup_steps}, decay {decay_steps}, step {step}: Keras says "
                f"{right:.5f}, yours {rate:.5f}; {rule}"
            )

# %% [markdown]
# ## Exercise 5: cross a narrower ravine (open-ended)
#
# The ravine has curvatures 1 and 200. Plain descent crawls there for a very long time. Choose a rate and a memory for `momentum` that bring it within 0.001 of the minimum, for good, in at most 120 steps from each of three
# starting points. (`steps_to_the_end` and `momentum` are above. You may search, or compute: the best values for curvatures $\lambda_1$ and $\lambda_2$ are known.)

# %% tags=["exercise"]
my_rate, my_beta = (
    None,
    None,
)  # replace None with a learning rate, and with a memory between 0 and 1
### BEGIN SOLUTION
# Polyak's values: the memory that makes the swings of both directions die out equally fast, and the rate that belongs to it.
low, high = np.sqrt(1), np.sqrt(200)
my_rate, my_beta = 4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2
### END SOLUTION

# %% tags=["wrong"] says="it crawls along the floor"
my_rate, my_beta = 0.0098, 0.0  # plain descent near its limit

# %% tags=["wrong"] says="remember less"
my_rate, my_beta = 0.01, 0.99  # remembers too long

# %% tags=["wrong"] says="take a smaller rate"
my_rate, my_beta = 0.1, 0.8  # too large a rate

# %% tags=["wrong"] says="take a larger rate"
my_rate, my_beta = 0.0005, 0.8  # too small a rate

# %% tags=["check"]
with feedback("Cross a narrower ravine"):
    assert my_rate > 0, "the rate is positive"
    assert 0 <= my_beta < 1, "the memory lies between 0 and 1"
    # What is left of a distance after each step, at best: the larger root of x**2 - (1 + beta - rate * curvature) x + beta
    floor, wall = (
        np.roots([1, -(1 + my_beta - my_rate * curvature), my_beta]) for curvature in (1, 200)
    )
    assert np.abs(wall).max() < 1, "it flies away, up the walls: take a smaller rate"
    if np.abs(wall).max() > np.abs(floor).max() + 1e-9:
        advice = "it jumps from wall to wall: take a smaller rate, or remember more"
    elif np.iscomplexobj(floor):
        advice = "it swings for too long: remember less"
    else:
        advice = "it crawls along the floor: take a larger rate, or remember more"
    for ravine_start in ((10.0, 1.0), (-3.0, 2.0), (5.0, -5.0)):
        needed = steps_to_the_end(
            lambda *arguments: momentum(*arguments, beta=my_beta),
            my_rate,
            np.array([1.0, 200.0]),
            ravine_start,
        )
        assert needed is not None, (
            f"from {ravine_start} it does not arrive in 2,000 steps: {advice}"
        )
        assert needed <= 120, f"it arrives from {ravine_start} after {needed} steps: {advice}"

# %% [markdown]
# ## Summary
#
# - A loss is minus the logarithm of a probability. Bell-shaped errors give the squared loss, heavy tails the absolute and the Huber loss, classes the cross-entropies.
# - Back-propagation is four moves from right to left. It gives all gradients in one walk; finite differences check it.
# - On a parabola the learning rate must stay below 2 / (largest curvature). Networks show the same three regimes.
# - A batch's noise falls as one over its size. Small batches make more steps; processors like large ones.
# - Momentum crosses ravines, RMSProp and Adam give each weight its own scale, schedules end the wandering.
# - He's rule keeps the signal through many ReLU layers; without it 20 of them hardly begin to learn with plain SGD.
# - `fit` is the loop you wrote.
#
# Not shown: how well the network does on new data and how to improve that (lesson 2.4); layers that share weights (lesson 3.1) and gradients through time (lesson 4.2), where the same four moves apply; second-order methods;
# and why gradient descent on a large network finds good minima at all, which is still being researched. One such finding: in full-batch training the curvature often rises until it hovers near $2/\eta$ (Cohen and others 2021).

# %% [markdown]
# ## Questions
#
# <details>
# <summary>You double all targets and all predictions. What happens to the squared loss, the absolute loss and their gradients?</summary>
#
# The squared loss becomes four times as large and its gradient with respect to a prediction twice; the absolute loss doubles and its gradient stays. Under the squared loss the output layer's steps double with the weights that it needs, so plain descent
# can keep its rate there. Adam's step keeps its length, whatever the gradients, and far larger targets are a longer way: Adam bears a loss in other units, not targets in other units.
#
# </details>
#
# <details>
# <summary>Why does move 2 of back-propagation add over the arrows that leave a node?</summary>
#
# The value goes into every one of these sums. Raise it a little and all of them change, and the loss changes by the sum of the effects.
#
# </details>
#
# <details>
# <summary>The gradient of a batch is the mean of the gradients of its examples. May you split a batch of 64 into 4 parts of 16 because memory is short?</summary>
#
# Yes: add the four gradients, each weighted by a quarter, and take one step. This is called gradient accumulation. (It is not the same as four steps with batches of 16, and layers such as batch normalization, which look at the whole batch,
# do notice.)
#
# </details>
#
# <details>
# <summary>In the ravine, would a larger learning rate help plain descent along the flat floor?</summary>
#
# Along the floor yes, but the walls would throw it out: their curvature sets the limit 2/λ for all directions together.
#
# </details>
#
# <details>
# <summary>A colleague starts all weights at exactly 0.1 "to be reproducible". What will happen?</summary>
#
# All neurons of a hidden layer get the same gradient and stay equal. The network learns no more than with one neuron in each hidden layer. A fixed seed makes random weights reproducible.
#
# </details>

# %% [markdown]
# ## References
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by back-propagating errors. doi:10.1038/323533a0
# - P. J. Huber (1964). Robust estimation of a location parameter. doi:10.1214/aoms/1177703732
# - H. Robbins, S. Monro (1951). A stochastic approximation method. doi:10.1214/aoms/1177729586
# - B. T. Polyak (1964). Some methods of speeding up the convergence of iteration methods. doi:10.1016/0041-5553(64)90137-5
# - D. P. Kingma, J. Ba (2014). Adam: a method for stochastic optimization. arXiv:1412.6980
# - I. Loshchilov, F. Hutter (2016). SGDR: stochastic gradient descent with warm restarts (the cosine schedule). arXiv:1608.03983
# - X. Glorot, Y. Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS, PMLR 9:249-256.
# - K. He, X. Zhang, S. Ren, J. Sun (2015). Delving deep into rectifiers. arXiv:1502.01852
# - S. McCandlish, J. Kaplan, D. Amodei and others (2018). An empirical model of large-batch training. arXiv:1812.06162
# - J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter, A. Talwalkar (2021). Gradient descent on neural networks typically occurs at the edge of stability. arXiv:2103.00065
