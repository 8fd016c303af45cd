# ---
# jupyter:
#   course:
#     prerequisites: ["2.1"]
#     equal_programs:
#       "Predict the parameters":
#         "operator: 3 * 3 * 1 -> 3 * 3 / 1": "the image has one channel"
#         "one side: 3 * 3 * 1 -> 3 * 3": "the image has one channel"
#       "Beat the baseline":
#         "keyword dropped: keras.layers.Conv2D(*": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 10 -> 11": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 10 -> 9": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 3 -> 4": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 3 -> 2": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 3 -> 2 (2)": "another network of at most 3,000 parameters that reads a point more than the regression"
#         "constant: 15 -> 14": "another network of at most 3,000 parameters that reads a point more than the regression"
#     core_minutes: 75
# ---

# %% [markdown]
# # 2.2 Types of networks
#
# **After this lesson you can** compute a network's outputs as matrix products, choose its weights by hand so that it draws
# any curve, say what depth buys and what it does not, and name thirteen kinds of networks with the data each is made for.
#
# **You build** a network whose weights you compute instead of training, a saw for which one wide layer needs many more neurons than a few small ones, and four networks
# that read the same digits.
#
# **Question.** One hidden layer can approximate any continuous function. Why then are there so many kinds of networks?

# %% tags=["setup"]
import itertools
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
import sklearn.linear_model
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
# ## A network is a row of matrices
#
# Lesson 2.1 ends with a **dense layer**: many neurons that all see the same inputs. A **feed-forward network** is a row of layers.
# Each passes its outputs on to the next, and nothing flows back. Layers between the inputs and the last layer are **hidden**: the
# data do not say what their outputs should be. The number of neurons in a layer is its **width**, the number of layers that have
# weights is the network's **depth**.

# %% [markdown]
# ![A network with two inputs, three hidden neurons and two outputs. The inputs 1 and 2 give the hidden outputs 3, 1 and 3, and these give the outputs 6 and 2. Below stand the shapes of the matrices: X is 2 by 2, W1 2 by 3, W2 3 by 2.](../../../images/forward_pass.png)

# %% [markdown]
# The **forward pass** computes the outputs from the inputs, layer by layer. With one example in each row of $X$:
#
# $$Z_1 = X W_1 + b_1, \qquad A_1 = \max(0, Z_1), \qquad Z_2 = A_1 W_2 + b_2.$$
#
# The shapes tell you what fits: (examples, inputs) times (inputs, neurons) gives (examples, neurons). By hand, for the
# first example (1, 2): the first hidden neuron has the weights 1 and 1, which is the first *column* of $W_1$, so its sum is
# $1 \cdot 1 + 2 \cdot 1 + 0 = 3$. Work out the other two before you run the cell.

# %% tags=["nbval-check-output"]
X = np.array([[1.0, 2.0], [3.0, -1.0]])  # (2 examples, 2 inputs)
W1, b1 = (
    np.array([[1.0, 0.0, -1.0], [1.0, 1.0, 2.0]]),
    np.array([0.0, -1.0, 0.0]),
)  # (2, 3) and (3,)
W2, b2 = np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 1.0]]), np.array([1.0, 0.0])  # (3, 2) and (2,)

Z1 = X @ W1 + b1  # (2, 3)
A1 = np.maximum(Z1, 0)  # (2, 3)
Z2 = A1 @ W2 + b2  # (2, 2)
print("hidden sums    ", Z1.tolist())
print("hidden outputs ", A1.tolist())
print("outputs        ", Z2.tolist())

# %% [markdown]
# In the second example two hidden neurons are below zero, and ReLU silences them. Keras must agree.

# %% without_learning="arithmetic"
tiny = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)]
)
tiny.set_weights([W1, b1, W2, b2])
difference = np.abs(tiny.predict(X, verbose=0) - Z2).max()
claim(
    "Two matrix products with a ReLU between them are Keras's two dense layers",
    difference < 1e-6 and np.array_equal(Z2, [[6, 2], [3, 0]]),
    f"largest difference {difference:.1e}",
)

# %% [markdown]
# A layer from $m$ inputs to $n$ neurons has $m n$ weights and $n$ biases: its **parameters**, the numbers that training sets.


# %% tags=["setup"]
def parameters_of(sizes):
    """Weights and biases of dense layers. sizes: the number of inputs, then the width of each layer."""
    return sum(inputs * width + width for inputs, width in itertools.pairwise(sizes))


# %% tags=["nbval-check-output"]
print(f"by formula {parameters_of([2, 3, 2])}, Keras counts {tiny.count_params()}")

# %% [markdown]
# ## One hidden layer draws any curve
#
# In one dimension a ReLU neuron is a **kink**: flat up to a point $k$, then a straight rise, $\max(0, x - k)$. Add kinks of
# several sizes and you get a line that bends at each $k_i$. Read it the other way round. You want a line through the points
# $(k_0, y_0), (k_1, y_1), \dots$ Its slope in piece $i$ is $s_i = (y_{i+1} - y_i) / (k_{i+1} - k_i)$. At $k_i$ the slope must change by
# $s_i - s_{i-1}$, and that is the weight of the neuron with its kink at $k_i$:
#
# $$\hat y(x) = y_0 + s_0 \max(0, x - k_0) + \sum_{i \ge 1} (s_i - s_{i-1}) \max(0, x - k_i).$$
#
# By hand: through (0, 0), (1, 2), (2, 1) the slopes are 2 and −1, so the weights are 2 and −3. At $x = 2$ that gives
# $2 \cdot 2 - 3 \cdot 1 = 1$, as wanted. No training is needed: you *compute* the weights.


# %% tags=["setup"]
def interpolating_weights(knots, heights):
    """Weights of Dense(n, relu) and Dense(1) that draw straight lines between n + 1 points. knots, heights: (n + 1,)."""
    slopes = np.diff(heights) / np.diff(knots)
    kinks = np.diff(slopes, prepend=0.0)  # (n,): how much the slope changes at each knot
    return [np.ones((1, len(kinks))), -knots[:-1], kinks[:, np.newaxis], heights[:1]]


def curve(x):
    """The function that the networks are to draw, for x from -1 to 1."""
    return np.sin(np.pi * x) + 0.5 * np.sin(3 * np.pi * x)


def network_on_a_line(widths):
    """A network of ReLU layers of these widths, from one number to one number. (Lesson 2.3 explains He's start.)"""
    hidden = [
        keras.layers.Dense(width, "relu", kernel_initializer="he_uniform") for width in widths
    ]
    return keras.Sequential([keras.Input((1,)), *hidden, keras.layers.Dense(1)])


# %% without_learning="arithmetic"
WIDTHS = [4, 8, 16, 32, 64]
places = np.linspace(-1, 1, 513)
drawn = {}
for width in WIDTHS:
    knots = np.linspace(-1, 1, width + 1)
    network = network_on_a_line([width])
    network.set_weights(interpolating_weights(knots, curve(knots)))
    drawn[width] = network.predict(places[:, np.newaxis], batch_size=1024, verbose=0)[:, 0]

knots = np.linspace(-1, 1, 17)
difference = np.abs(drawn[16] - np.interp(places, knots, curve(knots))).max()
claim(
    "A hidden layer with computed weights draws exactly the straight lines between the points",
    difference < 1e-5,
    f"16 neurons in Keras against NumPy's interpolation: largest difference {difference:.1e}",
)

# %% alt="A wavy curve and what 4, 8 and 16 computed neurons make of it: 4 neurons cut straight through its humps, 8 give a coarse polygon, 16 a polygon close to the curve."
plt.plot(places, curve(places), color="0.75", linewidth=6, label="the curve")
for width in (4, 8, 16):
    plt.plot(places, drawn[width], label=f"{width} neurons")
plt.legend()
plt.xlabel("input x")
plt.ylabel("output")
plt.title("Weights computed by hand: more neurons, more corners")
plt.show()

# %% [markdown]
# Look at the four neurons: their corners lie on the curve, but in the dip between two humps, and so they miss both. Sixteen already follow it.
# How fast does the error fall? A line between two points of a smooth curve misses it by at most $h^2/8$ times the
# largest second derivative, where $h$ is the distance of the points. So twice the width should give a quarter of the error.

# %% without_learning="arithmetic"
errors = {width: np.abs(drawn[width] - curve(places)).max() for width in WIDTHS}
largest_bend = np.pi**2 * (1 + 0.5 * 9)  # a bound of the second derivative
bounds = {width: (2 / width) ** 2 / 8 * largest_bend for width in WIDTHS}
for width in WIDTHS:
    print(
        f"{width:3d} neurons: worst error {errors[width]:.4f}, at most {bounds[width]:.4f} by the formula"
    )
factors = [errors[width] / errors[2 * width] for width in (16, 32)]
claim(
    "From 16 neurons on, doubling the width of a computed network quarters its worst error, or nearly so",
    all(errors[w] <= bounds[w] for w in WIDTHS) and all(3.7 < factor < 4.3 for factor in factors),
    f"from 16 to 32 and to 64 neurons the error falls by factors of {factors[0]:.2f} and {factors[1]:.2f}",
)

# %% [markdown]
# This is the **universal approximation theorem**, seen: one hidden layer comes as close as you like to any continuous function
# on a bounded region, if it is wide enough. Cybenko (1989) and Hornik, Stinchcombe and White (1989) proved it for sigmoid-like activations; Leshno
# and others (1993) showed that any activation that is not a polynomial will do. Two limits are part of it.
#
# *Not a polynomial.* With the activation $z^2$ every neuron is a parabola, and a sum of parabolas is a parabola. The
# best parabola is all that any width can give.
#
# *A bounded region.* Outside the points the last line just goes on.

# %% without_learning="arithmetic"
powers, slack = np.vander(places, 3), np.ones((len(places), 1))  # x**2, x and 1; the worst error
parabola_error = scipy.optimize.linprog(  # the parabola whose worst error is least
    [0, 0, 0, 1],
    np.block([[powers, -slack], [-powers, -slack]]),
    np.concatenate([curve(places), -curve(places)]),
    bounds=(None, None),
).fun
beyond = np.array([[2.0], [3.0]])
outside = np.abs(network.predict(beyond, verbose=0) - curve(beyond)).max()
claim(
    "Squares as activation stay far from the curve at any width, and outside its points even the good network is lost",
    parabola_error > 50 * errors[64] and outside > 50 * errors[64],
    f"worst error: best parabola {parabola_error:.2f}; 64 neurons inside {errors[64]:.4f}, at x = 2 and 3 {outside:.1f}",
)

# %% [markdown]
# ## To exist is not to be found
#
# The theorem says that good weights exist. Does training find them? Many small networks train at once if you put them side
# by side in one model and add up their losses: they share no weight, and Adam scales the step of each weight by itself, so each
# trains as if it were alone. (Lesson 2.3 explains Adam and `GradientTape`.)


# %% tags=["setup"]
def side_by_side(networks):
    """One model whose outputs are those of several networks on a line: (examples, networks)."""
    x = keras.Input((1,))
    return keras.Model(x, keras.layers.Concatenate()([network(x) for network in networks]))


def train_side_by_side(networks, x, y, steps, learning_rate):
    """Train each network on all examples at once. x, y: (examples,). Returns its root mean squared error, (networks,)."""
    model = side_by_side(networks)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    optimizer.build(model.trainable_variables)
    x, y = (tf.constant(values[:, np.newaxis], "float32") for values in (x, y))

    @tf.function  # the whole loop runs inside TensorFlow, without Python between the steps
    def descend():
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.reduce_mean((model(x) - y) ** 2, axis=0))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    descend()
    return np.sqrt(np.mean((model(x) - y) ** 2, axis=0))


# %% [markdown]
# One trap first. A neuron's kink is where $w x + b = 0$, at $x = -b / w$. Keras starts all biases at zero. Where are
# the kinks of all 64 neurons at the start? Predict which will do better: 64 neurons as Keras starts them, or with biases that put the kinks at random places?


# %% tags=["setup"]
def spread_kinks(network):
    """Choose the first layer's biases so that its kinks lie at random places from -1 to 1. Returns the network."""
    first = network.layers[0]
    kinks = keras.random.uniform(first.bias.shape, -1.0, 1.0)
    first.bias.assign(-first.kernel[0] * kinks)  # w x + b is zero at x = -b / w
    return network


# %%
RUNS = 3  # independent starts of everything that is trained in this lesson
groups = {f"{width} neurons, kinks spread": width for width in (4, 64)} | {
    "64 neurons, biases zero": 64
}
networks = []
for name, width in groups.items():
    for _ in range(RUNS):
        network = network_on_a_line([width])
        networks.append(spread_kinks(network) if "spread" in name else network)

x_line = np.linspace(-1, 1, 257)
trained = train_side_by_side(networks, x_line, curve(x_line), steps=1000, learning_rate=0.02)
trained = dict(zip(groups, trained.reshape(len(groups), RUNS), strict=True))
for name, values in trained.items():
    print(f"{name:26s} error {values.mean():.4f}   (runs {values.min():.4f} to {values.max():.4f})")
computed = np.sqrt(np.mean((drawn[64] - curve(places)) ** 2))
print(f"{'64 neurons, computed':26s} error {computed:.4f}")

# %%
spread_error, zero_error = trained["64 neurons, kinks spread"], trained["64 neurons, biases zero"]
claim(
    "Wider trained networks come closer, but training stays behind the computed weights",
    spread_error.mean() < 0.5 * trained["4 neurons, kinks spread"].mean()
    and spread_error.min() > computed,
    f"4 neurons {trained['4 neurons, kinks spread'].mean():.3f}, 64 neurons {spread_error.mean():.3f}, computed {computed:.4f}",
)
claim(
    "With all kinks at zero at the start, the same 64 neurons end with a larger error",
    zero_error.mean() > 1.5 * spread_error.mean(),
    f"{zero_error.mean():.3f} against {spread_error.mean():.3f}",
)

# %% [markdown]
# All 64 kinks start at $x = 0$, because $-0/w = 0$, and in this time most have not travelled far. In a network with
# many inputs the zero is harmless: there the kinks are planes through the origin in all directions,
# and they cut centred data everywhere. On a line it is a trap.
#
# So a theorem about what *exists* does not tell you what *training finds*. Keep the two apart; the next section needs it.

# %% [markdown]
# ## What depth buys
#
# One wide layer can do everything. Why stack layers? Because a layer can **fold**. Two ReLU neurons make a tent on [0, 1]:
#
# $$t(x) = 2 \max(0, x) - 4 \max(0, x - \tfrac12), \qquad t(0) = 0,\; t(\tfrac12) = 1,\; t(1) = 0.$$
#
# The tent lays the right half of the line onto the left half. Whatever the next layer draws, it now draws twice. Feed the tent
# into the tent: two teeth. Again: four. Every layer *doubles* the teeth, where a neuron in one wide layer *adds* one kink.
#
# The next layer's two neurons need $2a_1 - 4a_2$ and $2a_1 - 4a_2 - \tfrac12$: the output weights of one tent, twice.


# %%
def saw_network(folds):
    """A network with `folds` hidden layers of two neurons, whose weights are set so that it draws 2 ** (folds - 1) teeth."""
    network = network_on_a_line([2] * folds)
    tent, shift = np.array([[2.0], [-4.0]]), np.array([0.0, -0.5])
    later_layers = [tent.repeat(2, axis=1), shift] * (folds - 1)
    network.set_weights([np.ones((1, 2)), shift, *later_layers, tent, np.zeros(1)])
    return network


FOLDS = 6
saw = saw_network(FOLDS)
grid = np.linspace(0, 1, 2**10 + 1)  # binary fractions: 32-bit numbers are exact here
saw_values = saw.predict(grid[:, np.newaxis], batch_size=2048, verbose=0)[:, 0]
corners = np.flatnonzero(np.abs(np.diff(saw_values, n=2)) > 1e-3) + 1
pieces = len(corners) + 1
print(f"{saw.count_params()} parameters draw {pieces} straight pieces")

# %% alt="Three panels: one fold is one tooth, two folds are two teeth, six folds are thirty-two narrow teeth between 0 and 1."
figure, panels = plt.subplots(1, 3, figsize=(6.6, 2.4), sharey=True)
for axes, folds in zip(panels, (1, 2, FOLDS), strict=True):
    axes.plot(
        grid,
        saw_network(folds).predict(grid[:, np.newaxis], batch_size=2048, verbose=0),
        linewidth=1.2,
    )
    axes.set_title(f"{folds} hidden layer{'s' if folds > 1 else ''}")
    axes.set_xlabel("input x")
panels[0].set_ylabel("output")
plt.show()

# %% [markdown]
# A network with one hidden layer of $n$ neurons has at most $n$ kinks, so at most $n + 1$ pieces. Which width has as many
# parameters as the deep saw? And how close can *any* network of that width come?
#
# Count the 65 peaks and valleys of the saw (64 pieces have 65 ends). The wide network has 13 straight pieces at most. Some piece must contain three
# neighbours: a peak, a valley, a peak (or the other way round), since 13 pieces with two each reach only 26. On that piece the
# network is a straight line. If it missed all three by less than one half, it would be above one half at both
# peaks and hence above one half at the valley between them, where it should be zero. So its worst error is **at least
# one half**, and the constant answer one half is just as good. This is the idea of Telgarsky (2015, 2016).

# %% without_learning="arithmetic"
equal_width = next(
    width for width in range(200) if parameters_of([1, width + 1, 1]) > saw.count_params()
)
needed_width = pieces - 1
deep_error = np.abs(saw_values - np.interp(grid, np.arange(65) / 64, np.arange(65) % 2)).max()
rng = np.random.default_rng(SEED)
best_wide = np.inf
for _ in range(300):  # knots at random, all other weights by least squares
    kinks = np.maximum(grid[:, np.newaxis] - rng.uniform(0, 1, equal_width), 0)
    columns = np.column_stack([kinks, np.ones_like(grid)])
    answer = columns @ np.linalg.lstsq(columns, saw_values, rcond=None)[0]
    best_wide = min(best_wide, np.abs(answer - saw_values).max())
print(f"equal parameters: {equal_width} neurons wide; as many pieces: {needed_width} neurons wide")
claim(
    "Six layers of two neurons draw a saw exactly that one layer with the same number of parameters misses by a half or more",
    pieces == 64
    and deep_error < 1e-6
    and best_wide >= 0.5
    and parameters_of([1, equal_width, 1]) == saw.count_params(),
    f"{saw.count_params()} parameters each: worst error deep {deep_error:.0e}, best of 300 wide networks {best_wide:.2f}",
)

# %% [markdown]
# That depth wins *by construction*: we chose the function. What does training make of it? Two fewer folds, 16 pieces, so that it is not
# hopeless. Three shapes: the four layers of two neurons that can do it exactly, one layer of 200, and five layers of 11.
# The last two have about 600 parameters, many more than needed. Predict which one comes closest, and
# whether the exact shape finds the exact weights.

# %%
teeth = np.abs((8 * (x_line + 1) + 1) % 2 - 1)  # 16 straight pieces on [-1, 1]
shapes = {"4 layers of 2": [2] * 4, "1 layer of 200": [200], "5 layers of 11": [11] * 5}
networks = [
    spread_kinks(network_on_a_line(widths)) for widths in shapes.values() for _ in range(RUNS)
]
saw_errors = train_side_by_side(networks, x_line, teeth, steps=1500, learning_rate=0.01)
saw_errors = dict(zip(shapes, saw_errors.reshape(len(shapes), RUNS), strict=True))
constant_error = teeth.std()
print(f"{'constant answer':16s}      1 parameter:  error {constant_error:.3f}")
for name, values in saw_errors.items():
    size = parameters_of([1, *shapes[name], 1])
    print(
        f"{name:16s} {size:6d} parameters: error {values.mean():.3f}   (runs {values.min():.3f} to {values.max():.3f})"
    )

# %%
exact, wide, deep = saw_errors.values()
saw_inputs = (x_line[:, np.newaxis] + 1) / 2
computed_saw = saw_network(4).predict(saw_inputs, batch_size=512, verbose=0)[:, 0]
computed_error = np.abs(computed_saw - teeth).max()
claim(
    "The saw that four computed layers of two neurons draw exactly is found by none of these trained networks, neither by the same shape nor by "
    "the deep one, which does learn some of it",
    computed_error < 1e-6
    and min(exact.min(), wide.min()) > 0.01
    and 0.01 < deep.min() < constant_error,
    f"best error: four layers of two {exact.min():.3f}, wide {wide.min():.3f}, deep {deep.min():.3f}; computed {computed_error:.0e}",
)
claim(
    "The best deep run comes closer to the saw than the best wide run, and than a constant",
    deep.min() < min(wide.min(), 0.9 * constant_error),
    f"mean error of {RUNS} runs: deep {deep.mean():.3f}, wide {wide.mean():.3f}, constant answer {constant_error:.3f}",
)

# %% [markdown]
# Keep both halves. With about the same number of parameters, the deep network can come closer to this function than the wide one; but its
# runs differ much from each other, so one run would tell you little. And weights that exist are not found: the shape that could be
# exact ends about where a constant answer is.
#
# And this is a saw. On smooth or simple functions one hidden layer is often enough. That depth pays in practice is an observation about
# the data people care about, not a theorem about all functions. Lesson 2.3 measures how gradients fare on their way through many layers.

# %% [markdown]
# ## The map
#
# If a dense network can do anything, why have others? Because *can* is cheap. What counts is what a network learns from the data you
# have. Every other kind builds in something that is known beforehand, and each can be told by what it changes.

# %% [markdown]
# ![A map of thirteen kinds of networks in four groups, with an icon each. Other wiring: feed-forward, convolutional, recurrent, transformer, graph. Another neuron: radial basis function, spiking, capsule. Another goal: autoencoder, GAN, self-organising map, deep belief network. Networks of networks: modular.](../../../images/network_map.png)

# %% [markdown]
# | kind | idea | made for | lesson | a paper to start from |
# |---|---|---|---|---|
# | **feed-forward (dense)** | every neuron sees all outputs of the layer before | tables: inputs without arrangement | 2.1 to 2.4 | Rosenblatt 1958; trained through hidden layers: Rumelhart, Hinton and Williams 1986 |
# | **convolutional** | a small window of weights slides over the input | images, sound: neighbours belong together | 3.1 to 3.3 | Fukushima 1980; LeCun et al. 1989 |
# | **recurrent (LSTM, GRU)** | one step at a time, with a memory; gates decide what to keep | sequences: text, time series, speech | 4.1 to 4.3 | Elman 1990; LSTM: Hochreiter and Schmidhuber 1997; GRU: Cho et al. 2014 |
# | **transformer** | each position asks all others, and the data decide who answers | text, and sets or sequences with far relations | 6.1 to 6.3 | Vaswani et al. 2017 |
# | **graph** | each node hears from its neighbours in a given graph | molecules, networks of people or roads | 7.7 | Scarselli et al. 2009 |
# | **radial basis function** | a neuron answers to how near the input is to its centre | few inputs, smooth functions | 7.2 | Broomhead and Lowe 1988 |
# | **spiking** | neurons send pulses in time instead of numbers | events in time, hardware with little energy | 7.6 | Maass 1997 |
# | **capsule** | a group of neurons says *what* and *in which pose*; parts vote for wholes | objects made of parts | 7.8 | Sabour, Frosst and Hinton 2017 |
# | **autoencoder** | copies its input through a narrow middle | data without labels: compressing, cleaning, finding the odd one | 7.1 | Hinton and Salakhutdinov 2006 |
# | **generative adversarial (GAN)** | one network makes, another one judges | making new images | 5.1 to 5.3 | Goodfellow et al. 2014 |
# | **self-organising map** | neurons on a grid compete, the winner pulls its neighbours along | looking at data of many dimensions | 7.3 | Kohonen 1982 |
# | **deep belief** | layers learn one by one to make the layer below probable | data without labels; history of deep learning | 7.4 | Hinton, Osindero and Teh 2006 |
# | **modular (mixture of experts)** | a gate sends each input to a few of several networks | mixed tasks; large models at a small cost | 7.5 | Jacobs et al. 1991 |
#
# The groups are not walls. A transformer's blocks contain dense layers, a GAN for images consists of convolutional networks, and the largest
# language models are modular transformers. Most of these ideas have older roots than the paper named here.

# %% [markdown]
# ## Wiring, seen as who influences whom
#
# What exactly does a wiring change? Take eight positions in a row, one number each, and ask a layer: if I nudge the number at position
# $j$, how does the output at position $i$ move? That table of slopes, $\partial \hat y_i / \partial x_j$, is the layer's **Jacobian**.
# For a dense layer without activation it is the weight matrix itself (written output by input). Predict the pattern of the others before you look.

# %%
POSITIONS = 8


def four_layers(positions):
    """A model with one layer of each wiring, all from (positions, 1) to (positions, 1)."""
    x = keras.Input((positions, 1))
    attention = keras.layers.MultiHeadAttention(num_heads=1, key_dim=4)
    dense = keras.layers.Dense(positions)(keras.layers.Flatten()(x))
    outputs = {
        "dense": keras.layers.Reshape((positions, 1))(dense),
        "convolution": keras.layers.Conv1D(1, kernel_size=3, padding="same")(x),
        "recurrent": keras.layers.SimpleRNN(1, return_sequences=True)(x),
        "self-attention": attention(x, x),
    }
    return {name: keras.Model(x, output) for name, output in outputs.items()}


def jacobian(model, x):
    """Slopes of all outputs with respect to all inputs, (positions, positions). x: (positions,)."""
    inputs = tf.constant(x.reshape(1, -1, 1), "float32")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs = tf.reshape(model(inputs), [-1])
    slopes = tape.jacobian(outputs, inputs, experimental_use_pfor=False)  # row by row
    return slopes.numpy().reshape(len(x), len(x))


# %% alt="Four eight by eight tables of slopes. Dense: filled without order. Convolution: a band of three diagonals with equal entries. Recurrent: the lower triangle, fading away from the diagonal. Self-attention: filled."
layers = four_layers(POSITIONS)
inputs = np.random.default_rng(SEED).normal(scale=0.5, size=(2, POSITIONS))
slopes = {name: [jacobian(model, x) for x in inputs] for name, model in layers.items()}

figure, panels = plt.subplots(1, 4, figsize=(6.6, 2.3), sharey=True)
for axes, (name, (first, _)) in zip(panels, slopes.items(), strict=True):
    axes.imshow(first, cmap="PuOr", vmin=-np.abs(first).max(), vmax=np.abs(first).max())
    axes.set_title(name)
    axes.set_xlabel("input")
panels[0].set_ylabel("output")
plt.show()

# %% [markdown]
# Purple is positive, orange is negative, white is *no influence at all*. Each panel has its own scale.
#
# - **Dense**: everything on everything, in no order.
# - **Convolution**: only neighbours, and the same three numbers in every row: the weights are *shared*.
# - **Recurrent**: only the past. The memory carries influence down, and it fades.
# - **Self-attention**: everything on everything again. But these slopes are not weights. They depend on the input: each position
#   decides by what it finds there to whom it listens.
#
# (The recurrent layer's slopes change with the input as well, since its tanh is steeper near zero. Its pattern does not.)

# %% without_learning="untrained"
dense_slopes, convolution_slopes, recurrent_slopes, attention_slopes = slopes.values()
rows, columns = np.indices((POSITIONS, POSITIONS))
band = np.abs(rows - columns) <= 1
shared = [np.ptp(np.diagonal(convolution_slopes[0], offset)) < 1e-5 for offset in (-1, 0, 1)]
claim(
    "A convolution reaches only neighbours, with the same weights everywhere; a recurrent layer only the past",
    np.all(convolution_slopes[0][~band] == 0)
    and all(shared)
    and np.all(recurrent_slopes[0][columns > rows] == 0)
    and np.all(dense_slopes[0] != 0),
    f"slopes that are zero, of {POSITIONS**2}: dense {np.sum(dense_slopes[0] == 0)}, "
    f"convolution {np.sum(convolution_slopes[0] == 0)}, recurrent {np.sum(recurrent_slopes[0] == 0)}",
)
changes = {
    name: np.abs(first - second).max() / np.abs(first).max()
    for name, (first, second) in slopes.items()
}
claim(
    "For another input the slopes of self-attention change, those of the dense layer and the convolution do not",
    changes["self-attention"] > 0.01 and max(changes["dense"], changes["convolution"]) < 1e-6,
    ", ".join(f"{name} {change:.1%}" for name, change in changes.items()),
)

# %% [markdown]
# Shared weights also mean that the number of parameters does not depend on the length of the input. Only one of the four grows.

# %% tags=["nbval-check-output"]
longer = four_layers(2 * POSITIONS)
for name, model in layers.items():
    print(
        f"{name:15s} {POSITIONS} positions: {model.count_params():3d} parameters, {2 * POSITIONS} positions: {longer[name].count_params():3d}"
    )

# %% [markdown]
# One thing about self-attention surprises most people. It compares contents and knows no order. Shuffle the positions, and the outputs
# are shuffled the same way. If you then add them up, as a classifier does, nothing is left of the order.

# %% without_learning="untrained"
order = np.random.default_rng(SEED).permutation(POSITIONS)
moved = {
    name: float(
        np.abs(
            model(inputs[:1, order, np.newaxis])
            - model(inputs[:1, :, np.newaxis]).numpy()[:, order]
        ).max()
    )
    for name, model in layers.items()
}
claim(
    "Self-attention alone does not know the order of its inputs; the other three layers do",
    moved["self-attention"] < 1e-5
    and min(moved[name] for name in ("dense", "convolution", "recurrent")) > 1e-3,
    "change of the shuffled outputs: "
    + ", ".join(f"{name} {change:.1e}" for name, change in moved.items()),
)

# %% [markdown]
# So a transformer must be *told* the order. It adds to each position a vector of its own, learned or fixed. You will
# see such a layer, `AddPositions`, in a moment.

# %% [markdown]
# ## The same digits, four networks
#
# Now the kinds compete on handwritten digits: 8 rows of 8 grey values each, 1,198 for training, 299 for
# validation, 300 for the test. To know what is due to the arrangement of the pixels, every network also trains on **shuffled pixels**: one fixed
# permutation, the same for all images. Nothing is lost, every pixel is still there, at another place.


# %% tags=["setup"]
def shrink(images):
    """Digits (n, 28, 28, 1) at the size at which they were collected: (n, 8, 8), by averaging blocks of 3 x 3."""
    return images[:, 2:26, 2:26, 0].reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4))


def shuffle_pixels(images, order):
    """The same permutation for every image. images: (n, 8, 8), order: a permutation of 0 to 63."""
    return images.reshape(-1, 64)[:, order].reshape(images.shape)


def digits_of_run(run):
    """Three pairs (images, labels), training, validation and test, of another random split for each run."""
    return [(shrink(images), labels) for images, labels in load_digits(seed=SEED + run)]


training, validation, _ = digits_of_run(0)
pixel_order = np.random.default_rng(SEED).permutation(64)

# %% alt="Two rows of the same eight digits: above legible, below with shuffled pixels, as grey noise."
shuffled_images = shuffle_pixels(training[0][:8], pixel_order)
show_images(
    np.concatenate([training[0][:8], shuffled_images]),
    columns=8,
    title="The same digits, and their pixels shuffled",
)

# %% [markdown]
# You cannot read the lower row. Which of the four networks can? Write your ranking down before you go on.
#
# The networks get about the same number of parameters, a little over six thousand each. The recurrent one, a GRU, reads an image as a sequence of
# eight rows, from top to bottom. Self-attention takes the eight rows as eight positions.


# %% tags=["setup"]
class AddPositions(keras.layers.Layer):
    """Adds to each position a learned vector of its own. Inputs and outputs: (batch, positions, features)."""

    def build(self, input_shape):
        self.position_vectors = self.add_weight(shape=input_shape[1:], initializer="random_normal")

    def call(self, inputs):
        return inputs + self.position_vectors


def dense_network():
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Flatten(),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


# %%
def convolutional_network():
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),  # (4, 4, 16)
            keras.layers.Conv2D(32, 3, activation="relu"),  # (2, 2, 32)
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


# %%
def recurrent_network():
    return keras.Sequential(
        [keras.Input((8, 8)), keras.layers.GRU(40, unroll=True), keras.layers.Dense(10)]
    )


def attention_network():
    rows = keras.Input((8, 8))  # 8 positions, each a row of 8 pixels
    x = AddPositions()(keras.layers.Dense(24)(rows))
    x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(4, key_dim=6)(x, x))
    hidden = keras.layers.Dense(32, activation="relu")(x)
    x = keras.layers.LayerNormalization()(x + keras.layers.Dense(24)(hidden))
    return keras.Model(rows, keras.layers.Dense(10)(keras.layers.Flatten()(x)))


KINDS = {
    "dense": dense_network,
    "convolutional": convolutional_network,
    "recurrent": recurrent_network,
    "self-attention": attention_network,
}

# %% [markdown]
# All four train alike: Adam with a learning rate that falls to zero, batches of 128. That recipe, the sizes and the number of epochs
# were chosen on validation data. Each kind trains `RUNS` times on plain and on shuffled
# pixels; a run has its own split, its own permutation and its own start. Compiling is the slow part, so the model of
# a kind is compiled once and gets fresh weights and a fresh optimizer for every run.

# %%
EPOCHS, BATCH = 16, 128


def compiled(build):
    """A network ready for training, and the values with which its optimizer starts."""
    network, steps = build(), -(-EPOCHS * len(training[0]) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(0.015, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(
        keras.optimizers.Adam(rate), loss, metrics=["accuracy"], steps_per_execution=steps
    )
    network.optimizer.build(network.trainable_variables)
    return network, [variable.numpy() for variable in network.optimizer.variables]


# %%
def accuracy(network, images, labels):
    return float(np.mean(np.argmax(network(images), axis=1) == labels))


def train_from_scratch(network, optimizer_start, build, parts, seed):
    """Returns accuracy on validation and test data, and the seconds that training took."""
    keras.utils.set_random_seed(seed)
    network.set_weights(build().get_weights())
    for variable, value in zip(network.optimizer.variables, optimizer_start, strict=True):
        variable.assign(value)
    images, labels = parts[0]
    # All epochs in one long pass, each in a new order: a new epoch costs Keras more than the steps of these small networks.
    order = np.concatenate([np.random.permutation(len(images)) for _ in range(EPOCHS)])
    start = time.perf_counter()
    _ = network.fit(images[order], labels[order], batch_size=BATCH, shuffle=False, verbose=0)
    seconds = time.perf_counter() - start
    return accuracy(network, *parts[1]), accuracy(network, *parts[2]), seconds


# %%
plain_parts = [digits_of_run(run) for run in range(RUNS)]
shuffled_parts = []
for run, parts in enumerate(plain_parts):
    order = np.random.default_rng(SEED + run).permutation(64)
    shuffled_parts.append([(shuffle_pixels(images, order), labels) for images, labels in parts])

results, sizes = {}, {}  # results: (plain or shuffled, runs, [validation, test, seconds])
for name, build in KINDS.items():
    network, optimizer_start = compiled(build)
    results[name] = np.array(
        [
            [
                train_from_scratch(network, optimizer_start, build, parts, SEED + run)
                for run, parts in enumerate(arrangement)
            ]
            for arrangement in (plain_parts, shuffled_parts)
        ]
    )
    sizes[name] = network.count_params()

# %% [markdown]
# Before we look, the baselines on the same splits: always the most frequent digit; logistic regression; and the **nearest neighbour**, which gives
# a new image the label of the most similar training image. None of the three depends on where a pixel stands, so shuffling changes nothing for them.


# %%
def baseline_scores(parts):
    """Accuracy on validation and test data of three classical answers, {name: (validation, test)}."""
    flat = [(images.reshape(-1, 64), labels) for images, labels in parts]
    regression = sklearn.linear_model.LogisticRegression(max_iter=1000).fit(*flat[0])
    neighbour = sklearn.neighbors.KNeighborsClassifier(1).fit(*flat[0])
    frequent = np.bincount(flat[0][1]).argmax()
    scores = {"constant answer": [np.mean(labels == frequent) for _, labels in flat[1:]]}
    scores["logistic regression"] = [regression.score(*part) for part in flat[1:]]
    scores["nearest neighbour"] = [neighbour.score(*part) for part in flat[1:]]
    return scores


baselines = [baseline_scores(parts) for parts in plain_parts]
baselines = {
    name: np.array([scores[name] for scores in baselines]) for name in baselines[0]
}  # (runs, 2)

# %% [markdown]
# The test data, once, for everything: mean and standard deviation over the runs.


# %%
def percent(values):
    return f"{100 * values.mean():5.1f} ± {100 * values.std(ddof=1):3.1f}"


print(f"{'':20s} parameters  validation   test         test, shuffled")
for name, scores in baselines.items():
    print(
        f"{name:20s} {'':10s}  {percent(scores[:, 0])}  {percent(scores[:, 1])}  {'the same':14s}"
    )
for name, result in results.items():
    (validation_scores, test_scores), shuffled_scores = result[0, :, :2].T, result[1, :, 1]
    print(
        f"{name:20s} {sizes[name]:10,d}  {percent(validation_scores)}  {percent(test_scores)}  "
        f"{percent(shuffled_scores)}"
    )

# %% [markdown]
# And what does it cost? About the same number of parameters is not the same number of seconds:

# %% tags=["measures-time"]
for name, result in results.items():
    print(f"{name:20s} {np.median(result[:, :, 2]):.1f} s a training")

# %% alt="For each of the four networks, dots for the test accuracy of every run on plain pixels, and open squares for shuffled pixels; a dotted line marks the nearest neighbour."
for place, result in enumerate(results.values()):
    plain, shuffled = 100 * result[:, :, 1]
    plt.plot(
        np.full(RUNS, place - 0.12),
        plain,
        "o",
        color=COLOURS["blue"],
        label="plain" if place == 0 else None,
    )
    plt.plot(
        np.full(RUNS, place + 0.12),
        shuffled,
        "s",
        color=COLOURS["red"],
        fillstyle="none",
        label="pixels shuffled" if place == 0 else None,
    )
plt.axhline(
    100 * baselines["nearest neighbour"][:, 1].mean(),
    color="0.5",
    linestyle=":",
    label="nearest neighbour",
)
plt.xticks(range(len(results)), results)
plt.xlim(-0.5, 3.5)
plt.ylabel("test digits read correctly (%)")
plt.legend(loc="lower left")
plt.title("Four kinds of networks, every run")
plt.show()

# %% [markdown]
# Look at the distance between dots of one kind: that is the noise, about as large as the distance between some kinds. Three
# runs with 300 test digits cannot rank four good networks. What they can tell:

# %% tags=["headline"]
plain_test = {name: result[0, :, 1] for name, result in results.items()}
lost = {name: result[0, :, 1] - result[1, :, 1] for name, result in results.items()}
claim(
    "Four kinds of networks with about 6,000 parameters read more than nine of ten digits; shuffling the pixels costs "
    "the convolutional one more accuracy than the dense one",
    min(values.mean() for values in plain_test.values()) > 0.9
    and 6000 < min(sizes.values()) <= max(sizes.values()) < 6500
    and lost["convolutional"].mean() > max(0, lost["dense"].mean()) + 0.005,
    "right, and points lost by shuffling: "
    + ", ".join(
        f"{name} {plain_test[name].mean():.1%}, {100 * lost[name].mean():+.1f}" for name in KINDS
    ),
)

# %%
neighbour = baselines["nearest neighbour"][:, 1].mean()
claim(
    "With 1,198 training digits the best kind of network comes within three points of the nearest neighbour and does not beat it by a clear margin",
    neighbour - 0.03 < max(values.mean() for values in plain_test.values()) < neighbour + 0.01,
    f"nearest neighbour {neighbour:.1%}, best network {max(values.mean() for values in plain_test.values()):.1%}",
)

# %% [markdown]
# That is the honest result: with few, clean, centred digits a method without any learning is hard to beat. With more data and with
# digits that move about, this changes (lesson 3.1).
#
# For the dense network no statistics are needed. Its first layer has a weight for every pixel. Shuffle the *rows of that weight
# matrix* like the pixels, and the network computes the same as before. So for every network that reads plain digits there
# is one that reads shuffled digits exactly as well: **a dense network has no idea which pixels are neighbours**.

# %% without_learning="untrained"
plain_network, shuffled_network = dense_network(), dense_network()
first_weights, *other_weights = plain_network.get_weights()
shuffled_network.set_weights(
    [first_weights[pixel_order], *other_weights]
)  # (64, 50), rows moved like the pixels

images = validation[0]
on_plain = plain_network.predict(images, verbose=0)
on_shuffled = shuffled_network.predict(shuffle_pixels(images, pixel_order), verbose=0)
difference, unmoved = (
    np.abs(on_plain - on_shuffled).max(),
    np.abs(plain_network.predict(shuffle_pixels(images, pixel_order), verbose=0) - on_plain).max(),
)
claim(
    "A dense network with its first weights moved along gives the same answers for shuffled pixels",
    difference < 1e-5 and unmoved > 1e-2,
    f"largest difference {difference:.1e}; without moving the weights {unmoved:.2f}",
)

# %% [markdown]
# The convolution cannot do that. It sees windows of 3 x 3 neighbours, and after shuffling they are no neighbours.
# The rows that the GRU and self-attention read are torn too: they become eight arbitrary groups of pixels. They can still use them, since
# inside a row their weights are dense.
#
# So here is the answer to the question. A dense network *can* do anything, and for just that reason it knows nothing. The other kinds know
# something about the data before they see any: that neighbours belong together, that time runs forward, that any two parts may matter to each
# other. Where it is true, it saves data and weights. Where it is false, as with shuffled pixels, it costs.

# %% [markdown]
# ## Common mistakes
#
# - **"Universal approximation, so one hidden layer will do."** It says that weights exist, not how many neurons they need, nor that training finds them.
# - **Trusting a network outside its data.** Your 64 neurons followed the curve closely and were lost one step further.
# - **Comparing kinds at different sizes,** or from one run. Fix the parameters or the time, repeat, and print the spread.
# - **No baseline.** Without the nearest neighbour, every one of the four would look like a success.
# - **Self-attention without positions,** with an average behind it. It trains, and cannot tell a digit from the same digit with its rows exchanged.
# - **A convolution on a table.** The order of a table's columns means nothing; neighbouring columns are not neighbours.

# %% [markdown]
# ## Exercise 1: predict the parameters
#
# Images grow from 8 x 8 to 16 x 16 pixels. How many parameters has each of these layers *then*? `Dense(10)` on the flattened image;
# `Conv2D(10, 3)` on an image with one channel; `SimpleRNN(10)` that reads the image row by row (it has weights for the row, weights for its own
# last output, and biases).

# %% tags=["exercise"]
dense_count = None  # replace None with a number
convolution_count = None
recurrent_count = None
### BEGIN SOLUTION
dense_count = 16 * 16 * 10 + 10
convolution_count = 3 * 3 * 1 * 10 + 10  # the window does not grow
recurrent_count = (
    16 * 10 + 10 * 10 + 10
)  # only the row has become longer, not the number of weights for a step
### END SOLUTION

# %% tags=["wrong"] says="you forgot the biases"
dense_count, convolution_count, recurrent_count = (
    16 * 16 * 10,
    3 * 3 * 10,
    16 * 10 + 10 * 10,
)  # no biases

# %% tags=["wrong"] says="its window of 3 x 3 does not grow with the image"
dense_count = 16 * 16 * 10 + 10
convolution_count = 16 * 16 * 10 + 10  # takes the convolution for a dense layer
recurrent_count = 270

# %% tags=["wrong"] says="all steps share one set of weights"
dense_count, convolution_count = 2570, 100
recurrent_count = 16 * (16 * 10 + 10 * 10 + 10)  # new weights for every step

# %% tags=["wrong"] says="that is the number for 8 x 8 pixels"
dense_count, convolution_count, recurrent_count = 2570, 100, 190  # the row has not grown

# %% tags=["wrong"] says="it reads its own last output, too"
dense_count, convolution_count, recurrent_count = 2570, 100, 16 * 10 + 10

# %% tags=["check"]
with feedback("Predict the parameters"):
    counts = {}  # for images of 8 x 8 and of 16 x 16 pixels
    for size in (8, 16):
        image = keras.Input((size, size))
        outputs = (
            keras.layers.Dense(10)(keras.layers.Flatten()(image)),
            keras.layers.Conv2D(10, 3)(keras.layers.Reshape((size, size, 1))(image)),
            keras.layers.SimpleRNN(10)(image),
        )
        counts[size] = [keras.Model(image, output).count_params() for output in outputs]
    assert recurrent_count != 16 * counts[16][2], "recurrent: all steps share one set of weights"
    assert recurrent_count != 16 * 10 + 10, "recurrent: it reads its own last output, too"
    assert convolution_count != 16 * 16 * 10 + 10, (
        "convolution: its window of 3 x 3 does not grow with the image"
    )
    for name, answer, small, right, rule in (
        ("dense", dense_count, counts[8][0], counts[16][0], "a weight for each pixel and neuron"),
        ("convolution", convolution_count, -1, counts[16][1], "3 x 3 weights for each filter"),
        ("recurrent", recurrent_count, counts[8][2], counts[16][2], "10 x 16 and 10 x 10 weights"),
    ):
        assert answer + 10 != right, f"{name}: you forgot the biases, one for each neuron or filter"
        assert answer != small, f"{name}: that is the number for 8 x 8 pixels"
        assert answer == right, f"{name}: {answer} is not right; {rule}, and 10 biases"

# %% [markdown]
# ## Exercise 2: a bump from three neurons
#
# Three kinks make a **bump**: zero up to `left`, straight up to 1 at `peak`, straight down to zero at `right`, and zero after that. Return the
# weights of the three output connections, so that
# $w_0 \max(0, x - \text{left}) + w_1 \max(0, x - \text{peak}) + w_2 \max(0, x - \text{right})$ is that bump. (Bumps side by side, each as high as you like, are
# another proof of universal approximation.)


# %% tags=["exercise"]
def bump_weights(left, peak, right):
    """The three output weights, (3,), of a bump of height 1."""
    ### BEGIN SOLUTION
    rise, fall = 1 / (peak - left), 1 / (right - peak)
    return np.array([rise, -rise - fall, fall])  # each is the change of the slope at its kink
    ### END SOLUTION


# %% tags=["wrong"] says="behind right it must stay at zero"
def bump_weights(left, peak, right):  # never comes back to zero slope
    rise, fall = 1 / (peak - left), 1 / (right - peak)
    return np.array([rise, -rise - fall, 0.0])


# %% tags=["wrong"] says="the way down is right - peak wide"
def bump_weights(left, peak, right):  # right only where both sides are equally wide
    rise = 1 / (peak - left)
    return np.array([rise, -2 * rise, rise])


# %% tags=["wrong"] says="these are the slopes"
def bump_weights(left, peak, right):  # takes the slopes for their changes
    return np.array([1 / (peak - left), -1 / (right - peak), 0.0])


# %% tags=["check"]
with feedback("A bump from three neurons"):
    for left, peak, right in (
        (0.0, 1.0, 2.0),
        (-1.0, 0.0, 3.0),
        (2.0, 2.5, 2.6),
        (-7.0, -3.0, 1.5),
    ):
        weights = np.array(bump_weights(left, peak, right))
        assert weights.shape == (3,), f"return three weights, yours has the shape {weights.shape}"
        rise, fall = 1 / (peak - left), 1 / (right - peak)
        assert not np.allclose(weights, [rise, -fall, 0]), (
            "these are the slopes; a weight is the change of the slope at its kink"
        )
        for place, height, hint in (
            (peak, 1, "the first weight is the slope of the way up, which is peak - left wide"),
            ((left + peak) / 2, 0.5, "the way up is straight"),
            (
                (peak + right) / 2,
                0.5,
                "the second weight turns it; the way down is right - peak wide",
            ),
            (right, 0, "the way down is right - peak wide"),
            (right + 5, 0, "behind right it must stay at zero: the third weight ends the way down"),
        ):
            got = np.maximum(place - np.array([left, peak, right]), 0) @ weights
            assert np.isclose(got, height), (
                f"for the bump {left}, {peak}, {right} the value at {place:g} must be {height:g}, "
                f"yours is {got:.3f}: {hint}"
            )

# %% [markdown]
# ## Exercise 3: repair this
#
# This forward pass has **three** mistakes. One of them hides as long as the number of examples happens to equal all the widths. Mend them, so that
# the function does what a Keras network with ReLU in its hidden layers and nothing after its last layer does.
#
# ```python
# def forward(x, layers):
#     for weights, bias in layers:
#         x = np.maximum(weights @ x, 0) + bias
#     return x
# ```


# %% tags=["exercise"]
def forward(x, layers):
    """Outputs (examples, last width). x: (examples, inputs), layers: a list of (weights, bias), (inputs, width) and (width,)."""
    ### BEGIN SOLUTION
    for weights, bias in layers[:-1]:
        x = np.maximum(
            x @ weights + bias, 0
        )  # the examples are rows, and the bias belongs inside the ReLU
    last_weights, last_bias = layers[-1]
    return x @ last_weights + last_bias  # no ReLU: outputs may be negative
    ### END SOLUTION


# %% tags=["wrong"] says="the last layer has no ReLU"
def forward(x, layers):  # the ReLU also cuts the outputs
    for weights, bias in layers:
        x = np.maximum(x @ weights + bias, 0)
    return x


# %% tags=["wrong"] says="add the bias before the ReLU"
def forward(x, layers):  # the bias comes after the ReLU
    for weights, bias in layers[:-1]:
        x = np.maximum(x @ weights, 0) + bias
    return x @ layers[-1][0] + layers[-1][1]


# %% tags=["wrong"] says="your function mixes the examples"
def forward(x, layers):  # weights on the wrong side
    for weights, bias in layers[:-1]:
        x = np.maximum((weights.T @ x) + bias, 0)
    return x @ layers[-1][0] + layers[-1][1]


# %% tags=["wrong"] says="a hidden layer needs its ReLU"
def forward(x, layers):  # no ReLU at all
    for weights, bias in layers:
        x = x @ weights + bias
    return x


# %% tags=["wrong"] says="the numbers differ from Keras's"
def forward(x, layers):  # transposed weights
    for weights, bias in layers[:-1]:
        x = np.maximum(x @ weights.T + bias, 0)
    return x @ layers[-1][0].T + layers[-1][1]


# %% tags=["check"]
with feedback("Repair this"):
    generator = np.random.default_rng(5)
    x, one, zero = generator.normal(size=(3, 3)), np.eye(3), np.zeros(3)  # one: leaves x as it is
    assert np.shape(forward(x, [(one, zero)])) == (3, 3), "return the outputs, a row an example"
    assert np.allclose(forward(x, [(one, zero)]), x), (
        "negative outputs are lost or changed: the last layer has no ReLU"
    )
    assert np.allclose(forward(x, [(one, zero), (one, zero)]), np.maximum(x, 0)), (
        "negative sums pass a hidden layer: a hidden layer needs its ReLU"
    )
    assert np.allclose(forward(x, [(one, zero - 9), (one, zero)]), 0), (
        "a bias of -9 must shut a hidden neuron: add the bias before the ReLU"
    )
    other = np.where(np.arange(3)[:, np.newaxis] == 0, generator.normal(size=3), x)
    some = [(generator.normal(size=(3, 3)), generator.normal(size=3)) for _ in range(3)]
    assert np.allclose(forward(other, some)[1:], forward(x, some)[1:]), (
        "with another first row the other rows of the output change: your function mixes the "
        "examples; examples are rows, so x stands left of the weights"
    )
    for examples, widths in ((3, (3, 3, 3)), (2, (2, 5, 4, 1)), (6, (4, 2)), (1, (3, 7, 2, 5, 4))):
        hidden = [keras.layers.Dense(width, activation="relu") for width in widths[1:-1]]
        oracle = keras.Sequential(
            [keras.Input((widths[0],)), *hidden, keras.layers.Dense(widths[-1])]
        )
        oracle.set_weights([generator.normal(size=w.shape) for w in oracle.get_weights()])
        numbers = oracle.get_weights()
        x = generator.normal(size=(examples, widths[0])).astype("float32")
        got = forward(x, list(zip(numbers[::2], numbers[1::2], strict=True)))
        assert np.shape(got) == (examples, widths[-1]), (
            f"widths {widths}: {examples} examples give outputs of the shape {np.shape(got)}"
        )
        assert np.allclose(got, oracle(x), atol=1e-4), (
            f"widths {widths}: the numbers differ from Keras's; each layer is x @ weights + bias"
        )

# %% [markdown]
# ## Exercise 4: beat the baseline (open-ended)
#
# Write `my_network`: a Keras network of any kind with at most 3,000 parameters. It gets images (8, 8) and returns 10
# numbers without softmax. The check trains it for 30 epochs, at a rate that falls to zero, and asks it to read at least one validation digit in a
# hundred more than logistic regression does. How few parameters can you do it with?


# %% tags=["exercise"]
def my_network():
    """A Keras model from (8, 8) to 10 sums, not yet compiled."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(10, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(15, 3, activation="relu"),
            keras.layers.MaxPooling2D(),  # behind both, so that they see every pixel
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    ### END SOLUTION


# %% tags=["wrong"] says="more than 3,000"
def my_network():  # too large
    return dense_network()


# %% tags=["wrong"] says="which arrangement of the pixels does it use?"
def my_network():  # forgets where the ink is, keeps only how much of it there is
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Reshape((64, 1)),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["wrong"] says="leave out the softmax"
def my_network():  # softmax, although the loss expects sums
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Flatten(),
            keras.layers.Dense(30, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


# %% tags=["wrong"] says="which arrangement of the pixels does it use?"
def my_network():  # no activation between the layers: logistic regression once more
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Flatten(),
            keras.layers.Dense(36),
            keras.layers.Dense(10),
        ]
    )


# %% tags=["check"]
with feedback("Beat the baseline"):
    keras.utils.set_random_seed(SEED)
    answer = my_network()
    assert answer.output_shape == (None, 10), (
        f"the outputs must have the shape (batch, 10), yours {answer.output_shape}"
    )
    assert answer.count_params() <= 3000, f"{answer.count_params()} parameters are more than 3,000"
    assert not np.allclose(np.sum(answer(training[0][:9]), axis=1), 1), (
        "leave out the softmax: the loss applies it (from_logits=True)"
    )
    rate = keras.optimizers.schedules.CosineDecay(0.015, 30 * -(-len(training[0]) // 128))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    answer.compile(keras.optimizers.Adam(rate), loss)
    _ = answer.fit(*training, epochs=30, batch_size=128, verbose=0)
    share = np.mean(np.argmax(answer(validation[0]), axis=1) == validation[1])
    regression = sklearn.linear_model.LogisticRegression(max_iter=1000)
    regression.fit(training[0].reshape(-1, 64), training[1])
    to_beat = regression.score(validation[0].reshape(-1, 64), validation[1])
    assert share >= to_beat + 0.01, (
        f"your network reads {share:.1%}, logistic regression {to_beat:.1%}: which arrangement of the pixels does it use?"
    )

# %% [markdown]
# ## Summary
#
# - A feed-forward network is a row of matrix products with activations between them; shapes tell what fits.
# - One hidden layer of ReLUs can draw any continuous curve on a bounded region. You computed the weights; training finds worse ones.
# - Depth folds. There are functions for which a few small layers do what one layer cannot do with the same number of parameters. Training does
#   not always find what exists.
# - Kinds of networks differ in wiring, in the neuron, in the goal, or in being made of networks. Wiring says beforehand who may influence whom.
# - On 1,198 digits all four kinds read well, none clearly beats the nearest neighbour, and shuffling the pixels shows who uses their arrangement.
#
# Not shown: a ranking of the kinds, which three runs on one small data set cannot give; how weights are learned (lesson 2.3); how to keep a network
# from learning its examples by heart (lesson 2.4). Each kind has its own lesson, listed in the map.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>The theorem holds for one hidden layer. Does it tell you how wide it must be?</summary>
#
# No. For a smooth curve on a line the error falls with the square of the width, as you measured. With many inputs the width that a given error needs may grow
# exponentially with their number.
#
# </details>
#
# <details>
# <summary>Why can one layer of 12 ReLU neurons have no more than 13 straight pieces on a line?</summary>
#
# Each neuron bends in one place only, where its sum is zero. Between two neighbouring bends every neuron is straight, so their sum is straight.
#
# </details>
#
# <details>
# <summary>Somebody gives you a table of patients with 30 columns. Which of the four wirings would you try, and which would make no sense?</summary>
#
# Dense, next to logistic regression and a forest of trees. A convolution or a recurrent layer over the columns makes no sense: the order of the columns is
# an accident. If each patient has a series of measurements in time, that changes.
#
# </details>
#
# <details>
# <summary>A convolution is a dense layer with a special weight matrix. Why not let a dense layer learn that matrix?</summary>
#
# It could, but nothing tells it to. It would have to learn every zero, and at every position the same three numbers again, from examples.
#
# </details>
#
# <details>
# <summary>You shuffle whole rows of the digits and leave the rows themselves as they are. Which networks can notice?</summary>
#
# The convolution loses its vertical neighbours. The GRU reads the rows in another order, which it can learn. Self-attention has learned position vectors, which can move
# along: it is indifferent, as the dense network is.
#
# </details>

# %% [markdown]
# ## References
#
# - G. Cybenko (1989). Approximation by superpositions of a sigmoidal function. doi:10.1007/BF02551274
# - K. Hornik, M. Stinchcombe, H. White (1989). Multilayer feedforward networks are universal approximators. doi:10.1016/0893-6080(89)90020-8
# - M. Leshno, V. Y. Lin, A. Pinkus, S. Schocken (1993). Multilayer feedforward networks with a nonpolynomial activation function can approximate any function. doi:10.1016/S0893-6080(05)80131-5
# - M. Telgarsky (2015). Representation benefits of deep feedforward networks. arXiv:1509.08101
# - M. Telgarsky (2016). Benefits of depth in neural networks. COLT, PMLR 49:1517-1539. arXiv:1602.04485
#
# The papers named in the map:
#
# - F. Rosenblatt (1958). The perceptron. doi:10.1037/h0042519
# - K. Fukushima (1980). Neocognitron. doi:10.1007/BF00344251
# - T. Kohonen (1982). Self-organized formation of topologically correct feature maps. doi:10.1007/BF00337288
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by back-propagating errors. doi:10.1038/323533a0
# - D. S. Broomhead, D. Lowe (1988). Multivariable functional interpolation and adaptive networks. Complex Systems 2:321-355.
# - Y. LeCun et al. (1989). Backpropagation applied to handwritten zip code recognition. doi:10.1162/neco.1989.1.4.541
# - J. L. Elman (1990). Finding structure in time. doi:10.1207/s15516709cog1402_1
# - R. A. Jacobs, M. I. Jordan, S. J. Nowlan, G. E. Hinton (1991). Adaptive mixtures of local experts. doi:10.1162/neco.1991.3.1.79
# - S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
# - W. Maass (1997). Networks of spiking neurons: the third generation of neural network models. doi:10.1016/S0893-6080(97)00011-7
# - G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets. doi:10.1162/neco.2006.18.7.1527
# - G. E. Hinton, R. R. Salakhutdinov (2006). Reducing the dimensionality of data with neural networks. doi:10.1126/science.1127647
# - F. Scarselli et al. (2009). The graph neural network model. doi:10.1109/TNN.2008.2005605
# - K. Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. arXiv:1406.1078
# - I. J. Goodfellow et al. (2014). Generative adversarial networks. arXiv:1406.2661
# - A. Vaswani et al. (2017). Attention is all you need. arXiv:1706.03762
# - S. Sabour, N. Frosst, G. E. Hinton (2017). Dynamic routing between capsules. arXiv:1710.09829
