# ---
# jupyter:
#   course:
#     prerequisites: ["5.2"]
#     equal_programs:
#       "Repair the loss":
#         "arguments swapped: mean_difference_of(*": "the absolute difference of two arrays does not depend on their order"
#       "Beat the mean image":
#         "function: search.kneighbors(others)[0].mean(axis=1) -> search.kneighbors(others)[0].sum(axis=1)": "twice the mean puts the digits in the same order"
#         "keyword dropped: sklearn.neighbors.NearestNeighbors(n_neighbors=2) -> sklearn.neighbors.NearestNeighbors()": "another number of neighbours is as good an answer"
#         "constant: 2 -> *": "another number of neighbours is as good an answer"
#     core_minutes: 110
# ---

# %% [markdown]
# # 5.3 Applications
#
# **After this lesson you can** walk through a generator's latent space and find directions in it that mean something, say what
# generated images add to a class of ten examples, use a generator to find what it has never seen, change a
# style without pairs and check that the content stayed, and judge what a detector of generated images is worth.
#
# **You build** a latent walk, an augmentation study, an anomaly detector, a CycleGAN and a detector of fakes, each measured against something simpler.
#
# **Question.** A generator makes images that nobody ever took. What are they good for, and where does something simpler do better?

# %% tags=["setup"]
import hashlib
import hmac

import cv2
import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.metrics
import sklearn.neighbors
import sklearn.svm
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    claim,
    enlarge,
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
generator_of_numbers = np.random.default_rng(SEED)

# %% [markdown]
# ## Digits of 64 numbers, and three measures
#
# Our digits were recorded with 8 by 8 numbers and enlarged for this course. Here we take the enlargement back: a digit is
# a row of 64 numbers between 0 and 1, and twelve GANs fit into a minute. To look at digits, we enlarge them again.


# %% tags=["setup"]
def as_numbers(images):
    """Images (n, 28, 28, 1) as rows of 8x8 numbers: (n, 64). Each number is the mean of a block of 3x3 pixels."""
    blocks = images[:, 2:26, 2:26, 0].reshape(-1, 8, 3, 8, 3)
    return blocks.mean(axis=(2, 4)).reshape(-1, 64)


def as_images(numbers):
    """Rows of 64 numbers as images to look at: (n, 28, 28, 1)."""
    return enlarge(np.reshape(numbers, (-1, 8, 8)))


parts = load_digits(seed=SEED)
(training_images, training_labels), (_, validation_labels), (test_images, test_labels) = parts
training, validation, test = (as_numbers(images) for images, _ in parts)
print(f"training {training.shape}, validation {validation.shape}, test {test.shape}")

# %% [markdown]
# A GAN must be judged by something that is not part of its game. We use three measures.
#
# 1. **A judge** that reads digits: a support vector machine, trained on the training digits. It says whether a generated digit is read as the one that was asked for.
# 2. **Ink**: the sum of all numbers. Bold digits have more.
# 3. **Slant.** Take the ink as weights, and let $\mathrm{cov}(x, y)$ and $\mathrm{var}(y)$ be the covariance and variance of the ink's places, $y$ pointing down. Then
#
# $$\text{slant} = -\frac{\mathrm{cov}(x, y)}{\mathrm{var}(y)}.$$
#
# It is the slope of the line that best predicts $x$ from $y$; the sign makes it positive for digits that lean to the right. On paper: ink at $(0, 2)$, $(1, 1)$ and $(2, 0)$
# has $\mathrm{cov} = -\frac23$ and $\mathrm{var}(y) = \frac23$, so its slant is 1, which is 45 degrees.
#
# Why this measure? Because we know what it must say. A **shear** by $s$ moves every point to $x' = x - s\,y$. Then
# $\mathrm{cov}(x', y) = \mathrm{cov}(x, y) - s\,\mathrm{var}(y)$, so the slant grows by exactly $s$.


# %% tags=["setup"]
ROWS, COLUMNS = np.mgrid[:8, :8].reshape(2, 64)


def ink(numbers):
    """The amount of ink of each digit: (n,). numbers: (n, 64)."""
    return numbers.sum(axis=1)


def slant(numbers):
    """How far each digit leans to the right, as a slope: (n,). numbers: (n, 64)."""
    weights = numbers / ink(numbers)[:, np.newaxis]
    from_middle_x = COLUMNS - (weights @ COLUMNS)[:, np.newaxis]
    from_middle_y = ROWS - (weights @ ROWS)[:, np.newaxis]
    return -(weights * from_middle_x * from_middle_y).sum(1) / (weights * from_middle_y**2).sum(1)


def sheared(images, amount):
    """Images (n, 28, 28, 1), each sheared to the right around its middle row, as numbers: (n, 64)."""
    shear = np.float32([[1, -amount, 13.5 * amount], [0, 1, 0]])
    return as_numbers(np.stack([cv2.warpAffine(i, shear, (28, 28)) for i in images])[..., None])


# %% without_learning="data"
three_dots = np.zeros((1, 64))
three_dots[0, [0 + 2 * 8, 1 + 1 * 8, 2 + 0 * 8]] = 1  # places x + 8 y
judge = sklearn.svm.SVC(C=10).fit(training, training_labels)
reads = judge.score(validation, validation_labels)

STYLE = 0.4
gained = slant(sheared(training_images, STYLE)) - slant(training)
claim(
    "A shear adds its amount to the slant, and the judge reads real digits it has not seen",
    abs(slant(three_dots)[0] - 1) < 1e-9 and abs(gained.mean() - STYLE) < 0.04 and reads > 0.97,
    f"three dots {slant(three_dots)[0]:.3f}, a shear of {STYLE} adds {gained.mean():.3f} ± {gained.std():.3f}, judge {reads:.1%}",
)

# %% [markdown]
# ## Twelve GANs side by side
#
# Lessons 5.1 and 5.2 taught the game; here we use it. This lesson needs twelve GANs that differ only in the data they see:
#
# | model | sees | for |
# |---|---|---|
# | 0 | all digits | walks, detector |
# | 1 | all digits, from another start | detector |
# | 2 to 6 | all digits, but of one class only ten images | augmentation |
# | 7 to 11 | all digits but one, without labels | anomalies |
#
# Small networks leave a computer idle: most of the time goes into starting operations. So we train all twelve *in one*. A
# layer gets the shape (batch, **models**, inputs), and each model has its own weights. Keras's `EinsumDense` does just that:
# in `"bmi,mio->bmo"`, the letter m stands on both sides and is never summed over, so no model sees another. Is it really a row of `Dense` layers?


# %% tags=["setup"]
def dense(models, units, activation=None):
    """Dense layers of several networks side by side: (batch, models, inputs) to (batch, models, units)."""
    return keras.layers.EinsumDense(
        "bmi,mio->bmo",
        output_shape=(models, units),
        bias_axes="mo",
        activation=activation,
        # Keras counts the models as inputs too; this scale makes it Glorot's start for each network.
        kernel_initializer=keras.initializers.VarianceScaling(models, "fan_avg", "uniform"),
    )


def normalized(x):
    """Batch normalization for each model alone. x: (batch, models, units)."""
    flat = keras.layers.Flatten()(x)  # every (model, unit) is a column of its own
    flat = keras.layers.BatchNormalization(momentum=0.9)(flat)
    return keras.layers.Reshape(x.shape[1:])(flat)


# %% without_learning="arithmetic"
inputs = generator_of_numbers.normal(size=(5, 3, 4)).astype("float32")
together = dense(3, 6, "tanh")
outputs = together(inputs).numpy()
kernel, bias = together.get_weights()
differences = []
for model in range(3):
    alone = keras.layers.Dense(6, "tanh")
    alone.build((None, 4))
    alone.set_weights([kernel[model], bias[model]])
    differences.append(np.abs(alone(inputs[:, model]).numpy() - outputs[:, model]).max())
claim(
    "Three networks side by side compute what three Dense layers compute",
    max(differences) < 1e-5 and np.abs(outputs[:, 0] - outputs[:, 1]).max() > 0.1,
    f"largest difference {max(differences):.0e}",
)

# %% [markdown]
# The networks are those of lesson 5.2 in small: a generator that gets noise and the digit asked for, and a projection discriminator.

# %%
LATENT, WIDTH = 16, 128


def make_generator(models):
    noise, condition = keras.Input((models, LATENT)), keras.Input((models, 10))
    x = keras.layers.Concatenate()([noise, condition])
    for units in (WIDTH, 2 * WIDTH):
        x = keras.layers.ReLU()(normalized(dense(models, units)(x)))
    return keras.Model([noise, condition], dense(models, 64, "tanh")(x))


def make_discriminator(models):
    numbers, condition = keras.Input((models, 64)), keras.Input((models, 10))
    x = numbers
    for units in (2 * WIDTH, WIDTH):
        x = keras.layers.LeakyReLU(0.2)(dense(models, units)(x))
    match = keras.ops.sum(dense(models, WIDTH)(condition) * x, axis=-1)
    return keras.Model([numbers, condition], match + dense(models, 1)(x)[..., 0])


# %% [markdown]
# Who sees what. The ten images of a rare class are repeated twelve times, so that every class comes equally often.

# %%
RARE_DIGITS, NEVER_SEEN = (2, 3, 5, 7, 8), (0, 1, 4, 6, 9)
FULL, SIBLING, FIRST_RARE, FIRST_BLIND, MODELS = 0, 1, 2, 7, 12

every_row = np.arange(len(training))
ten_rows = {
    digit: generator_of_numbers.choice(np.flatnonzero(training_labels == digit), 10, replace=False)
    for digit in RARE_DIGITS
}
sees = [every_row, every_row]
for digit in RARE_DIGITS:
    sees.append(np.r_[np.flatnonzero(training_labels != digit), np.tile(ten_rows[digit], 12)])
sees += [np.flatnonzero(training_labels != digit) for digit in NEVER_SEEN]
has_labels = (np.arange(MODELS) < FIRST_BLIND).astype("float32")[:, np.newaxis]  # (models, 1)


def draw_rows(rows_of_models, *shape):
    """Random rows for each model from the rows it sees: (*shape, models)."""
    return np.stack([generator_of_numbers.choice(rows, shape) for rows in rows_of_models], axis=-1)


# %% [markdown]
# The losses: non-saturating, with the R1 penalty of lesson 5.1 on every fourth step. Means go over the batch, **sums over the models**: the sum's gradient for one model's weights is
# the gradient of that model's own loss. We keep a moving average of the generators' weights, and use only that.

# %%
generators, discriminators = make_generator(MODELS), make_discriminator(MODELS)
averaged = keras.models.clone_model(generators)
averaged.set_weights(generators.get_weights())
optimizers = [keras.optimizers.Adam(2e-3, beta_1=0.5, beta_2=0.99) for _ in range(2)]
for optimizer, networks in zip(optimizers, (generators, discriminators), strict=True):
    optimizer.build(networks.trainable_variables)

scaled_training = tf.constant(2 * training - 1)
one_hot = tf.one_hot(training_labels, 10)


def penalty(critics, *inputs):
    """R1: squared slope of each model's score with respect to its real data, mean over the batch, sum over models."""
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        total = tf.reduce_sum(critics(list(inputs) if len(inputs) > 1 else inputs[0]))
    return tf.reduce_sum(tape.gradient(total, inputs[0]) ** 2) / tf.cast(len(inputs[0]), "float32")


# %%
def gan_step(rows, penalty_weight):
    """One step of every discriminator and every generator. rows: (batch, models)."""
    real, condition = tf.gather(scaled_training, rows), tf.gather(one_hot, rows) * has_labels
    noise = tf.random.normal((2, *rows.shape, LATENT))
    fake = generators([noise[0], condition], training=True)
    with tf.GradientTape() as tape:
        real_score, fake_score = (discriminators([x, condition]) for x in (real, fake))
        losses = tf.nn.softplus(-real_score) + tf.nn.softplus(fake_score)
        loss = tf.reduce_sum(tf.reduce_mean(losses, axis=0))
        if penalty_weight:
            loss += penalty_weight / 2 * penalty(discriminators, real, condition)
    weights = discriminators.trainable_variables
    optimizers[1].apply(tape.gradient(loss, weights), weights)
    with tf.GradientTape() as tape:
        fake = generators([noise[1], condition], training=True)
        losses = tf.nn.softplus(-discriminators([fake, condition]))
        loss = tf.reduce_sum(tf.reduce_mean(losses, axis=0))
    weights = generators.trainable_variables
    optimizers[0].apply(tape.gradient(loss, weights), weights)
    for average, weight in zip(averaged.weights, generators.weights, strict=True):
        average.assign(0.98 * average + 0.02 * weight)


# %%
@tf.function
def train_gans(rows):
    """rows: (rounds, 4, batch, models). The first of four steps pays the penalty, four times."""
    for round_number in tf.range(rows.shape[0]):
        gan_step(rows[round_number, 0], 0.4)
        for step in tf.range(1, 4):
            gan_step(rows[round_number, step], 0.0)


# %%
GAN_STEPS, BATCH = 500, 32


def generated(noise, labels):
    """What each generator makes of the same noise (n, LATENT) and labels (n,): (n, models, 64) in [0, 1]."""
    made = []
    for part in np.array_split(np.arange(len(noise)), -(-len(noise) // 500)):  # spares memory
        z = np.repeat(noise[part, np.newaxis], MODELS, axis=1).astype("float32")
        condition = np.eye(10, dtype="float32")[labels[part]][:, np.newaxis] * has_labels
        made.append(averaged([z, condition], training=False).numpy() / 2 + 0.5)
    return np.concatenate(made)


sample_labels = np.repeat(np.arange(10), 50)
sample_noise = generator_of_numbers.normal(size=(500, LATENT))
untrained = generated(sample_noise, sample_labels)
train_gans(tf.constant(draw_rows(sees, GAN_STEPS // 4, 4, BATCH)))
samples = generated(sample_noise, sample_labels)

# %% alt="Three rows of ten digits from 0 to 9. The first row is real, the second from the GAN that sees everything, the third from GANs that saw few of some digits; all are readable."
real_row = [np.flatnonzero(test_labels == digit)[0] for digit in range(10)]
rare_row = [
    samples[50 * digit + 1, FIRST_RARE + RARE_DIGITS.index(digit) if digit in RARE_DIGITS else FULL]
    for digit in range(10)
]
show_images(
    as_images(np.concatenate([test[real_row], samples[::50, FULL], rare_row])),
    title="Real; generated; generated after ten images of 2, 3, 5, 7, 8",
)

# %% [markdown]
# The first row is real. The second comes from model 0. In the third, each 2, 3, 5, 7 and 8 comes from a model that has seen only ten images of it. Does the judge read them as asked? And are they new,
# or copies? A copy would lie closer to some training digit than a new real digit does.


# %%
def to_nearest(numbers, others):
    """Distance of each row to the nearest row of others: (n,)."""
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(others)
    return search.kneighbors(numbers)[0][:, 0]


as_asked = [
    np.mean(judge.predict(samples[:, model]) == sample_labels) for model in range(FIRST_BLIND)
]
before = np.mean(judge.predict(untrained[:, FULL]) == sample_labels)
new_real, new_generated = (to_nearest(x, training).mean() for x in (validation, samples[:, FULL]))
claim(
    "The judge reads what was asked for, and the generated digits are no copies of training digits",
    min(as_asked) > 0.9 and before < 0.4 and new_generated > 0.8 * new_real,
    f"read as asked: {min(as_asked):.1%} to {max(as_asked):.1%}, untrained {before:.1%}; distance to the nearest "
    f"training digit: generated {new_generated:.2f}, new real {new_real:.2f}",
)

# %% [markdown]
# ## Walks through latent space
#
# Two noise vectors give two digits. What lies between them? First ask where the noise itself lives. Its $d$ entries are independent with mean 0 and variance 1, so
#
# $$\mathbb{E}\lVert z\rVert^2 = \sum_{i=1}^d \mathbb{E} z_i^2 = d .$$
#
# Now mix two of them in a straight line, $(1-t)\,z_1 + t\,z_2$. The mixed term $2t(1-t)\,z_1\!\cdot z_2$ has mean 0, so the expected squared norm is
# $d\,\big((1-t)^2 + t^2\big)$: in the middle *half* of what the generator was trained on.
#
# The remedy is to walk on the arc, by **spherical interpolation** (Shoemake, 1985). Let $\omega$ be the angle between the two. We want
# $a z_1 + b z_2$ at angle $t\omega$ from $z_1$. For vectors of equal length, the law of sines in the triangle with sides $a z_1$ and $b z_2$ gives
#
# $$a = \frac{\sin((1-t)\,\omega)}{\sin \omega}, \qquad b = \frac{\sin(t\,\omega)}{\sin \omega}.$$
#
# On paper: $z_1 = (1, 0)$, $z_2 = (0, 1)$, $\omega = 90°$. Halfway the straight line is at $(0.5, 0.5)$, of length 0.71. The arc is at $(0.71, 0.71)$, of length 1.


# %% without_learning="arithmetic"
def straight(z1, z2, t):
    return (1 - t) * z1 + t * z2


def spherical(z1, z2, t):
    """The point at share t of the arc from z1 to z2, each (n, d)."""
    lengths = np.linalg.norm(z1, axis=-1, keepdims=True) * np.linalg.norm(
        z2, axis=-1, keepdims=True
    )
    omega = np.arccos(np.sum(z1 * z2, axis=-1, keepdims=True) / lengths)
    return (np.sin((1 - t) * omega) * z1 + np.sin(t * omega) * z2) / np.sin(omega)


start, end = generator_of_numbers.normal(size=(2, 1000, LATENT))
walk_labels = generator_of_numbers.integers(0, 10, 1000)
middles = {"ends": start, "straight": straight(start, end, 0.5), "arc": spherical(start, end, 0.5)}
squares = {name: np.mean(np.sum(z**2, axis=1)) for name, z in middles.items()}
on_paper = spherical(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0.5)
claim(
    "Halfway a straight line has half the squared norm, the arc keeps it",
    abs(squares["straight"] / squares["ends"] - 0.5) < 0.05
    and abs(squares["arc"] / squares["ends"] - 1) < 0.08
    and np.allclose(on_paper, np.sqrt(0.5)),
    f"d = {LATENT}; mean squared norms: {', '.join(f'{name} {value:.1f}' for name, value in squares.items())}",
)

# %% [markdown]
# Predict: what does a generator make of noise that is too short? Blur? Nonsense?


# %%
def variety(numbers, labels):
    """How much the digits of one class differ: variance, summed over the numbers, mean over the classes."""
    return np.mean([numbers[labels == digit].var(axis=0).sum() for digit in range(10)])


middle_digits = {name: generated(z, walk_labels)[:, FULL] for name, z in middles.items()}
varieties, read = {}, {}
for name, digits in middle_digits.items():
    varieties[name] = variety(digits, walk_labels)
    read[name] = np.mean(judge.predict(digits) == walk_labels)
    print(f"{name:9s} variety {varieties[name]:.2f}, read as asked {read[name]:.1%}")
claim(
    "Halfway on a straight line the digits are duller, not worse: at least nine of ten are read as asked",
    varieties["straight"] < 0.8 * varieties["ends"]
    and abs(varieties["arc"] / varieties["ends"] - 1) < 0.15
    and read["straight"] > max(0.9, read["ends"] - 0.02),
    f"variety of the arc's digits is {varieties['arc'] / varieties['ends']:.2f} of the ends', "
    f"of the line's {varieties['straight'] / varieties['ends']:.2f}",
)

# %% [markdown]
# Neither. Short noise gives *typical* digits: clear, and all alike. This is used on purpose, and called the **truncation trick**: draw shorter noise, and trade variety for quality.
# It also cheats in demonstrations: a straight walk looks better than the model is.
#
# Does the walk jump? We take twenty steps and ask for the share of the way that the longest step makes. A walk that moves evenly has one twentieth. The counterpart is a
# model that has only *stored* its digits: fade one digit into the other, and show at each step the nearest training digit.

# %%
shares_of_way = np.linspace(0, 1, 21)
walkers = 60
path = np.stack(
    [
        generated(spherical(start, end, t)[:walkers], walk_labels[:walkers])[:, FULL]
        for t in shares_of_way
    ]
)  # (21, walkers, 64)
fade = np.stack([straight(path[0], path[-1], t) for t in shares_of_way])
search = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(training)
stored = training[search.kneighbors(fade.reshape(-1, 64))[1][:, 0]].reshape(path.shape)


def longest_step(path):
    """Longest step as a share of the whole way, mean over the walks. path: (steps, walks, 64)."""
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    moves = lengths.sum(axis=0) > 0
    return np.mean(lengths.max(axis=0)[moves] / lengths.sum(axis=0)[moves])


on_the_way = judge.predict(path.reshape(-1, 64)) == np.tile(walk_labels[:walkers], len(path))
claim(
    "The generator walks, and at least 85 of 100 digits on the way are read as asked; a memory of digits jumps",
    longest_step(path) < 0.12 and longest_step(stored) > 0.2 and on_the_way.mean() > 0.85,
    f"longest of 20 steps: {longest_step(path):.1%} of the way, among stored digits {longest_step(stored):.1%}; "
    f"read as asked on the way {on_the_way.mean():.1%}",
)

# %% alt="Three rows of ten digits each, walking from one noise vector to another for the digits 3, 5 and 8. Each row keeps its digit and changes its shape little by little."
row_labels = np.repeat([3, 5, 8], 10)
row_shares = np.tile(np.linspace(0, 1, 10), 3)[:, np.newaxis]
row_noise = spherical(np.repeat(start[:3], 10, axis=0), np.repeat(end[:3], 10, axis=0), row_shares)
show_images(
    as_images(generated(row_noise, row_labels)[:, FULL]),
    title="From one noise to another, on the arc",
)

# %% [markdown]
# Each row keeps its digit, because the condition stays. Only the handwriting changes, a little at each step.
#
# ### Arithmetic
#
# Is there a direction in noise that means *slanted*? Make many digits, measure them, and subtract the mean noise of the most upright quarter from that of the most slanted quarter (after Radford and others, 2015, who did it
# with glasses and smiles). The difference of two means is a vector: add it to any noise.
#
# To see whether it means slant and not "a slanted 4", we look for it among the digits 0 to 4 only, and use it on 5 to 9. The control: ten random directions of equal length.


# %%
def mean_difference(noise, values):
    """Direction, of length 1, from the noise (n, d) of the lowest quarter of values (n,) to the highest."""
    order, quarter = np.argsort(values), len(values) // 4
    direction = noise[order[-quarter:]].mean(axis=0) - noise[order[:quarter]].mean(axis=0)
    return direction / np.linalg.norm(direction)


def within_class(values, labels):
    """Values minus the mean of their class: some digits lean by nature."""
    return values - np.array([values[labels == digit].mean() for digit in range(10)])[labels]


many_noise = generator_of_numbers.normal(size=(4000, LATENT))
many_labels = np.arange(4000) % 10
many_digits = generated(many_noise, many_labels)[:, FULL]
small = many_labels < 5
directions = {}
for name, measure in {"slant": slant, "ink": ink}.items():
    values = within_class(measure(many_digits), many_labels)
    directions[name] = mean_difference(many_noise[small], values[small])

# %%
DISTANCES = np.arange(-3, 4)
walk_noise, large_labels = many_noise[~small][:500], many_labels[~small][:500]


def walk(direction, distances):
    """The digits 5 to 9 moved along a direction: (distances, 500, 64)."""
    return np.stack(
        [generated(walk_noise + t * direction, large_labels)[:, FULL] for t in distances]
    )


walked = {name: walk(direction, DISTANCES) for name, direction in directions.items()}
random_ends = [walk(z / np.linalg.norm(z), DISTANCES[[0, -1]]) for z in many_noise[:10]]

# %%
for name, measure in {"slant": slant, "ink": ink}.items():
    along = np.array([measure(digits).mean() for digits in walked[name]])
    random_changes = [
        abs(measure(last).mean() - measure(first).mean()) for first, last in random_ends
    ]
    read = [np.mean(judge.predict(digits) == large_labels) for digits in walked[name][1:-1]]
    claim(
        f"The direction of {name}, found on 0 to 4, works on 5 to 9, step by step",
        np.all(np.diff(along) > 0)
        and np.ptp(along) > 2 * np.mean(random_changes)
        and min(read) > 0.8,
        f"{name} along it {along.round(2)}, a change of {np.ptp(along):.2f}, along random directions "
        f"{np.mean(random_changes):.2f} on average; still read as asked within two units: {min(read):.1%}",
    )

# %% alt="Three rows of seven digits, from -3 to +3 along a direction. A 7 and a 6 lean more and more to the right, a 5 becomes bolder; at the ends the shapes begin to break up."
first = {digit: np.flatnonzero(large_labels == digit)[1] for digit in (5, 6, 7)}
rows = np.concatenate(
    [walked["slant"][:, first[7]], walked["slant"][:, first[6]], walked["ink"][:, first[5]]]
)
show_images(
    as_images(rows),
    titles=[f"{t:+d}" for t in DISTANCES] * 3,
    columns=7,
    title="Along the direction of slant (7 and 6) and of ink (5)",
)

# %% [markdown]
# Random directions change slant and ink a little too: in 16 dimensions, two directions are seldom quite perpendicular. Nobody told the generator of slant or ink. It found that handwriting varies in these ways, and laid them out in directions that all digits share. Farther out the digits lose their shape: there was little noise of that kind in training.
#
# ## Augmentation: a class with ten images
#
# Of one digit we have ten images, of the others about 120. A classifier trained on that overlooks the rare digit. Can a GAN make the missing ones? Models 2 to 6 have each
# learnt one such case. We train the same small classifier for the same number of steps on
#
# - **nothing**: the data as they are;
# - **repeated**: the ten images as often as any other class (*oversampling*);
# - **moved, rare only**: the repeated ten, turned, scaled and shifted at random (*plain augmentation*), the other digits as they are;
# - **moved, all**: every image of every class, so treated;
# - **generated, rare only**: the ten, and generated images for nine of ten draws of the rare class;
# - **generated, all**: half of every class generated;
# - **generated and moved, all**: both;
# - **everything**: no image missing, the ceiling.
#
# Predict the order before you go on. Is there any difference between *rare only* and *all*?


# %%
def moved(numbers):
    """Each digit turned by up to 12 degrees, scaled by up to a tenth, shifted by up to 2 pixels: (n, 64)."""
    images = as_images(numbers)
    angles = generator_of_numbers.uniform(-12, 12, len(images))
    scales = generator_of_numbers.uniform(0.9, 1.1, len(images))
    shifts = generator_of_numbers.uniform(-2, 2, (len(images), 2))
    for image, angle, scale, shift in zip(images, angles, scales, shifts, strict=True):
        turn = cv2.getRotationMatrix2D((13.5, 13.5), angle, scale)
        turn[:, 2] += shift
        image[..., 0] = cv2.warpAffine(image[..., 0], turn, (28, 28))
    return as_numbers(images)


# %%
DRAWS = 4800
pool_labels = np.repeat(np.arange(10), 120)
pool_noise = generator_of_numbers.normal(size=(len(pool_labels), LATENT))
pool = generated(pool_noise, pool_labels)  # (1200, models, 64)


def training_sets(case):
    """For one rare digit: {name: (numbers, labels)}, DRAWS rows each."""
    digit, model = RARE_DIGITS[case], FIRST_RARE + case
    as_they_are = np.r_[np.flatnonzero(training_labels != digit), ten_rows[digit]]
    few, even, complete = (
        generator_of_numbers.choice(rows, DRAWS) for rows in (as_they_are, sees[model], every_row)
    )
    real, labels = training[even], training_labels[even]
    fake = pool[120 * labels + generator_of_numbers.integers(0, 120, DRAWS), model]
    rare, often, half = labels == digit, *(generator_of_numbers.random((2, DRAWS)).T < [0.9, 0.5]).T
    mixed = np.where(half[:, None], fake, real)
    sets = {
        "nothing": (training[few], training_labels[few]),
        "repeated": (real, labels),
        "moved, rare only": (np.where(rare[:, None], moved(real), real), labels),
        "moved, all": (moved(real), labels),
        "generated, rare only": (np.where((rare & often)[:, None], fake, real), labels),
        "generated, all": (mixed, labels),
        "generated and moved, all": (moved(mixed), labels),
        "everything": (training[complete], training_labels[complete]),
    }
    return sets


# %% [markdown]
# Five rare digits, eight sets: forty classifiers, side by side, with Keras's `fit`.

# %%
names = list(training_sets(0))
CLASSIFIERS = len(RARE_DIGITS) * len(names)
set_numbers = np.empty((DRAWS, CLASSIFIERS, 64), "float32")
set_labels = np.empty((DRAWS, CLASSIFIERS), "int32")
for case in range(len(RARE_DIGITS)):
    for place, (numbers, labels) in enumerate(training_sets(case).values(), case * len(names)):
        set_numbers[:, place], set_labels[:, place] = numbers, labels

numbers_input = keras.Input((CLASSIFIERS, 64))
hidden = dense(CLASSIFIERS, 64, "relu")(numbers_input)
classifiers = keras.Model(numbers_input, dense(CLASSIFIERS, 10)(hidden))
classifiers.compile(
    keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
classifiers.fit(set_numbers, set_labels, batch_size=64, epochs=4, verbose=0)

# %% [markdown]
# **Recall** is the share of the rare digit's images that are found. We measure it on all images of that digit that neither classifier nor generator has seen: the test digits and the unused training digits. (*Everything* has trained on the unused ones, so its recall is measured on the test digits alone.)


# %%
def answers(numbers):
    """The digit each classifier reads in each row: (n, cases, sets)."""
    scores = classifiers.predict(
        np.repeat(numbers[:, np.newaxis], CLASSIFIERS, axis=1), batch_size=300, verbose=0
    )
    return scores.argmax(axis=-1).reshape(len(numbers), len(RARE_DIGITS), len(names))


training_answers, test_answers = answers(training), answers(test)
recall = np.zeros((len(RARE_DIGITS), len(names)))
ceiling = names.index("everything")
for case, digit in enumerate(RARE_DIGITS):
    unused = np.setdiff1d(np.flatnonzero(training_labels == digit), ten_rows[digit])
    on_unused = training_answers[unused, case] == digit
    on_test = test_answers[test_labels == digit, case] == digit
    recall[case] = np.concatenate([on_unused, on_test]).mean(axis=0)
    recall[case, ceiling] = on_test[:, ceiling].mean()
mean_recall = dict(zip(names, recall.mean(axis=0), strict=True))
accuracy = np.mean(test_answers == test_labels[:, None, None], axis=(0, 1))
for place, name in enumerate(names):
    print(
        f"{name:25s} recall {recall[:, place].round(2)}, mean {mean_recall[name]:.1%}, accuracy {accuracy[place]:.1%}"
    )

# %% alt="Recall of the rare digit for eight ways to train, one dot for each of five rare digits and a line at their mean. Nothing is lowest, everything is highest, the rest lie between."
for place, name in enumerate(names):
    plt.plot(
        recall[:, place], np.full(len(RARE_DIGITS), -place), "o", color=COLOURS["blue"], alpha=0.6
    )
    plt.plot([mean_recall[name]] * 2, [-place - 0.35, -place + 0.35], "-", color=COLOURS["black"])
plt.yticks(-np.arange(len(names)), names)
plt.xlabel("recall of the rare digit")
plt.title("Ten images of one class: what helps?")
plt.show()

# %% [markdown]
# A dot is one rare digit, a bar the mean. Read it from the top.

# %% tags=["headline"]
claim(
    "For a class of ten images, repeating them mends most of the harm, moving all classes more, and a GAN's samples add a few points at most",
    mean_recall["repeated"] > mean_recall["nothing"] + 0.1
    and mean_recall["moved, all"] > mean_recall["repeated"]
    and mean_recall["generated, all"] < mean_recall["repeated"] + 0.07
    and mean_recall["generated and moved, all"] < mean_recall["moved, all"] + 0.07
    and mean_recall["everything"] > mean_recall["generated, all"] + 0.02,
    f"mean recall over five rare digits: {', '.join(f'{name} {value:.1%}' for name, value in mean_recall.items())}",
)

# %% [markdown]
# Repeating the ten images costs nothing and mends most of the harm: the class simply came too seldom. Moving them does more. That a turned or shifted 2 is still a 2 is *knowledge that we bring in*; the ten images do not tell it.
# The generator has seen the same ten images. It cannot know how other people write this digit. What it adds is what it carries over from the other classes (slant, boldness), and that has to make up for its own mistakes.
# Nothing replaces the images that are missing.
#
# Now look at *rare only*. There, treatment and class go together: nearly every moved image is the rare digit. A network learns whatever sign is easiest, and being moved is a sign. If that is so, it should take *any* moved digit for the rare one.
# We move the test digits and count how many of the **other** classes are read as the rare digit.

# %%
moved_answers = answers(moved(test))
taken_for_rare = np.mean(
    [
        np.mean(moved_answers[test_labels != digit, case] == digit, axis=0)
        for case, digit in enumerate(RARE_DIGITS)
    ],
    axis=0,
)
taken_for_rare = dict(zip(names, taken_for_rare, strict=True))
claim(
    "Who moves only the rare class teaches the moving as a sign of it; treat all classes alike",
    taken_for_rare["moved, rare only"] > 3 * taken_for_rare["moved, all"]
    and mean_recall["moved, all"] > mean_recall["moved, rare only"] + 0.02,
    f"moved digits of other classes taken for the rare one: rare only {taken_for_rare['moved, rare only']:.1%}, "
    f"all {taken_for_rare['moved, all']:.1%}; recall: rare only {mean_recall['moved, rare only']:.1%}, "
    f"all {mean_recall['moved, all']:.1%}",
)

# %% [markdown]
# ## Anomalies: what the generator cannot make
#
# Models 7 to 11 have each never seen one of the digits. A generator that knows only the normal should fail to make the others. That is the idea of AnoGAN (Schlegl and others, 2017): search for the noise
# whose image comes nearest to the given one, and take what remains as the anomaly's score,
#
# $$z^\star = \arg\min_z \lVert G(z) - x \rVert^2 + \lambda \lVert z \rVert^2, \qquad \text{score} = \lVert G(z^\star) - x \rVert^2 .$$
#
# The second term keeps $z$ where the generator was trained (AnoGAN itself compares the discriminator's features there). The generator has no inverse, so the search is gradient descent on $z$. The weights stay as they are. This is called **inversion**.
#
# On paper, with a generator that has an answer: $G(z) = z\,g$ with the unit vector $g = (0.6, 0.8)$, $\lambda = 0$, and $x = (2, 1)$. The slope is $2\,(z g - x)\cdot g = 2\,(z - x \cdot g)$, zero at $z^\star = x \cdot g = 1.2 + 0.8 = 2$. The
# nearest image is $(1.2, 1.6)$, and what remains is $(0.8, -0.6)$, of squared length 1.

# %% without_learning="own loop"
g, x = np.array([0.6, 0.8]), np.array([2.0, 1.0])
z = tf.Variable(0.0, dtype="float64")
for _ in range(60):
    with tf.GradientTape() as tape:
        remainder = tf.reduce_sum((z * g - x) ** 2)
    slope = tape.gradient(remainder, z)
    by_hand = 2 * (float(z) - x @ g)
    z.assign_sub(0.1 * slope)
    assert abs(float(slope) - by_hand) < 1e-9
claim(
    "Gradient descent on the noise finds the nearest image that the generator can make",
    abs(float(z) - 2) < 1e-4 and abs(float(remainder) - 1) < 1e-4,
    f"z = {float(z):.4f}, remainder {float(remainder):.4f}; every slope as derived",
)

# %% [markdown]
# Now for all test digits and all five models at once.

# %%
INVERSION_STEPS, PULL = 60, 0.2
wanted = tf.constant(np.repeat(2 * test[:, np.newaxis] - 1, MODELS, axis=1))  # (n, models, 64)
no_condition = tf.zeros((len(test), MODELS, 10))
search_noise = tf.Variable(tf.zeros((len(test), MODELS, LATENT)))
search_optimizer = keras.optimizers.Adam(0.1)
search_optimizer.build([search_noise])


@tf.function
def invert():
    """Moves search_noise towards the images wanted. Returns the images found: (n, models, 64) in [-1, 1]."""
    for _ in tf.range(INVERSION_STEPS):
        with tf.GradientTape() as tape:
            found = averaged([search_noise, no_condition], training=False)
            remainder = tf.reduce_sum((found - wanted) ** 2)
            loss = remainder + PULL * tf.reduce_sum(search_noise**2)
        search_optimizer.apply([tape.gradient(loss, search_noise)], [search_noise])
    return averaged([search_noise, no_condition], training=False)


nearest_images = invert().numpy()[:, FIRST_BLIND:] / 2 + 0.5  # (n, 5, 64)
remainders = np.sum((nearest_images - test[:, np.newaxis]) ** 2, axis=-1)

# %% [markdown]
# What is it compared with?
#
# - **mean image**: the distance to the mean of the normal training digits, the trivial baseline;
# - **nearest neighbour**: the distance to the nearest normal training digit, in the 64 numbers, without any training;
# - **autoencoder**: a network that squeezes a digit into 16 numbers and paints it again (chapter 7), trained on the normal digits; the score is the error of its painting. Again five side by side;
# - **discriminator**: how little the GAN's own judge believes in the image.

# %%
BLIND = len(NEVER_SEEN)
autoencoder_input = keras.Input((BLIND, 64))
code = dense(BLIND, 16)(dense(BLIND, 96, "relu")(autoencoder_input))
painted = dense(BLIND, 64, "sigmoid")(dense(BLIND, 96, "relu")(code))
autoencoders = keras.Model(autoencoder_input, painted)
autoencoders.compile(keras.optimizers.Adam(3e-3), "mse")
rows = draw_rows(sees[FIRST_BLIND:], 6000)  # (6000, 5)
autoencoders.fit(training[rows], training[rows], batch_size=64, epochs=8, verbose=0)

repeated_test = np.repeat(test[:, np.newaxis], BLIND, axis=1)
repainted = autoencoders.predict(repeated_test, batch_size=300, verbose=0)
belief = discriminators([wanted, no_condition]).numpy()[:, FIRST_BLIND:]
normal_sets = [training[training_labels != digit] for digit in NEVER_SEEN]
scores = {
    "mean image": np.stack([np.sum((test - s.mean(0)) ** 2, axis=1) for s in normal_sets], axis=1),
    "discriminator": -belief,
    "autoencoder": np.sum((repainted - repeated_test) ** 2, axis=-1),
    "GAN inversion": remainders,
    "nearest neighbour": np.stack([to_nearest(test, s) for s in normal_sets], axis=1),
}

# %% [markdown]
# Scores of different kinds are compared by the **area under the ROC curve** (AUC): the share of all pairs of one anomaly and one normal digit in which the anomaly has the higher score. One half is guessing, 1 is perfect, and no threshold is needed.

# %%
auc = {
    name: np.array(
        [
            sklearn.metrics.roc_auc_score(test_labels == digit, values[:, case])
            for case, digit in enumerate(NEVER_SEEN)
        ]
    )
    for name, values in scores.items()
}
for name, values in auc.items():
    print(f"{name:18s} never seen {NEVER_SEEN}: {values.round(3)}, mean {values.mean():.3f}")
inversion, neighbour = auc["GAN inversion"].mean(), auc["nearest neighbour"].mean()
claim(
    "Inversion finds anomalies about as well as an autoencoder, and the nearest neighbour, which needs no training, finds more",
    inversion > auc["mean image"].mean() + 0.05
    and abs(inversion - auc["autoencoder"].mean()) < 0.08
    and neighbour > inversion + 0.03
    and neighbour > 0.95,
    f"mean AUC: {', '.join(f'{name} {values.mean():.3f}' for name, values in auc.items())}",
)

# %% alt="Area under the ROC curve for five scores, one marker for each of five digits never seen. The nearest neighbour's markers crowd at the right end near 1; those of the other scores are spread out."
MARKERS = "osD^v"
for place, values in enumerate(auc.values()):
    for digit, marker, value in zip(NEVER_SEEN, MARKERS, values, strict=True):
        plt.plot(
            value,
            place,
            marker,
            color=COLOURS["blue"],
            alpha=0.6,
            label=f"{digit}" if not place else None,
        )
    plt.plot([values.mean()] * 2, [place - 0.3, place + 0.3], "-", color=COLOURS["black"])
plt.yticks(range(len(auc)), auc)
plt.axvline(0.5, color="0.6", linewidth=1)
plt.xlabel("area under the ROC curve (grey line: guessing)")
plt.legend(title="never seen", loc="upper left", fontsize=9)
plt.title("Which score finds the digit that was never seen?")
plt.show()

# %% [markdown]
# Not one left-out digit but five, because the choice matters: a score can do well on one and poorly on another. On images this small and this many, the distance to the nearest stored digit is hard to beat. It stops working where distances in pixels mean
# nothing, in large photographs. Then one takes distances in the features of a network. What inversion offers besides its score is a picture of *what* is wrong:

# %% alt="Three rows of five digits: test digits that were never seen, the nearest image that the generator can make, and the difference between the two."
shown = [np.flatnonzero(test_labels == digit)[2] for digit in NEVER_SEEN]
originals = as_images(test[shown])
nearest = as_images(nearest_images[shown, np.arange(BLIND)])
show_images(
    np.concatenate([originals, nearest, np.abs(originals - nearest)]),
    columns=BLIND,
    title="Never seen; nearest the generator comes; difference",
)

# %% [markdown]
# The middle row shows what the generator says instead: a digit that it knows, or a blur of several, bent towards the one it does not know.
#
# ## Style transfer without pairs
#
# We want a network $G$ that writes a plain digit in *slanted* style. We have plain digits and slanted digits, but **no pairs**: no digit in both styles.
# A GAN needs none. A discriminator of slanted digits pushes $G(x)$ to look slanted. But nothing says that $G(x)$ must still be the same digit.
#
# **CycleGAN** (Zhu and others, 2017) adds a second network $F$ for the way back, with its own discriminator, and asks that there and back changes nothing. The **cycle loss** is
#
# $$L_{\text{cycle}} = \operatorname{mean}\lvert F(G(x)) - x \rvert + \operatorname{mean}\lvert G(F(y)) - y \rvert .$$
#
# Often you read that this keeps the content. Does it? Try the smallest case. There are two plain digits, a and b, and two slanted, A and B. Let $G$ write a as **B** and b as **A**, and $F$ read B as a and A as b. All
# plain digits become good slanted ones. There and back is perfect. And every single digit is wrong.

# %% [markdown]
# ![Two pairs of translators between plain digits a, b and slanted digits A, B. On the left G writes a as A and b as B, and F reads them back. On the right G exchanges them and F exchanges them back. Both return every digit to itself.](../../../images/cycle_swap.png)

# %% tags=["nbval-check-output"]
plain_to_slanted, slanted_to_plain = {"a": "B", "b": "A"}, {"B": "a", "A": "b"}
for digit in "ab":
    there = plain_to_slanted[digit]
    print(f"{digit} -> {there} -> {slanted_to_plain[there]}, right would be {digit.upper()}")

# %% [markdown]
# The cycle loss forbids that two digits become one, because then there is no way back. It does not say *which* becomes which. A second term says a little of it. The **identity loss** asks that a digit already in the right style stays as it is:
#
# $$L_{\text{identity}} = \operatorname{mean}\lvert G(y) - y \rvert + \operatorname{mean}\lvert F(x) - x \rvert .$$
#
# We compare none, each, and both, from two starts: eight CycleGANs side by side. The style is a shear, so for each test digit we know the right answer. The networks never see it, nor any label: one half of the
# training digits is plain, the *other* half is sheared.

# %%
CYCLE = np.array([0, 0, 10, 10, 0, 0, 10, 10], "float32")
IDENTITY = np.array([0, 0, 0, 0, 5, 5, 5, 5], "float32")
LOSSES = ["neither", "cycle", "identity", "both"]  # two starts each
CYCLE_GANS = len(CYCLE)

halves = generator_of_numbers.permutation(len(training))
plain_half, slanted_half = halves[: len(halves) // 2], halves[len(halves) // 2 :]
plain_data = tf.constant(2 * training[plain_half] - 1)
slanted_data = tf.constant(2 * sheared(training_images[slanted_half], STYLE) - 1)


def make_translator():
    numbers = keras.Input((CYCLE_GANS, 64))
    x = numbers
    for _ in range(2):
        x = keras.layers.ReLU()(normalized(dense(CYCLE_GANS, WIDTH)(x)))
    return keras.Model(numbers, dense(CYCLE_GANS, 64, "tanh")(x))


def make_critic():
    numbers = keras.Input((CYCLE_GANS, 64))
    x = numbers
    for _ in range(2):
        x = keras.layers.LeakyReLU(0.2)(dense(CYCLE_GANS, WIDTH)(x))
    return keras.Model(numbers, dense(CYCLE_GANS, 1)(x)[..., 0])


# %%
to_slanted, to_plain = make_translator(), make_translator()
plain_critic, slanted_critic = make_critic(), make_critic()
translators = to_slanted.trainable_variables + to_plain.trainable_variables
critics = plain_critic.trainable_variables + slanted_critic.trainable_variables
translator_optimizer, critic_optimizer = (
    keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.99) for _ in range(2)
)
translator_optimizer.build(translators)
critic_optimizer.build(critics)


# %%
def difference(a, b):
    """Mean absolute difference for each model. a, b: (batch, models, 64)."""
    return tf.reduce_mean(tf.abs(a - b), axis=(0, 2))


def translator_loss(x, y):
    """The sum of all models' losses. x: plain, y: slanted, (batch, models, 64) each."""
    fake_y, fake_x = to_slanted(x, training=True), to_plain(y, training=True)
    losses = tf.nn.softplus(-slanted_critic(fake_y)) + tf.nn.softplus(-plain_critic(fake_x))
    there_and_back = difference(to_plain(fake_y, training=True), x)
    there_and_back += difference(to_slanted(fake_x, training=True), y)
    unchanged = difference(to_slanted(y, training=True), y)
    unchanged += difference(to_plain(x, training=True), x)
    total = tf.reduce_mean(losses, axis=0) + CYCLE * there_and_back + IDENTITY * unchanged
    return tf.reduce_sum(total), fake_x, fake_y


# %%
def cycle_step(rows, penalty_weight):
    """rows: (2, batch, models), of the plain and of the slanted data."""
    x, y = tf.gather(plain_data, rows[0]), tf.gather(slanted_data, rows[1])
    with tf.GradientTape() as tape:
        loss, fake_x, fake_y = translator_loss(x, y)
    translator_optimizer.apply(tape.gradient(loss, translators), translators)
    with tf.GradientTape() as tape:
        losses = tf.nn.softplus(-plain_critic(x)) + tf.nn.softplus(plain_critic(fake_x))
        losses += tf.nn.softplus(-slanted_critic(y)) + tf.nn.softplus(slanted_critic(fake_y))
        loss = tf.reduce_sum(tf.reduce_mean(losses, axis=0))
        if penalty_weight:
            both = penalty(plain_critic, x) + penalty(slanted_critic, y)
            loss += penalty_weight / 2 * both
    critic_optimizer.apply(tape.gradient(loss, critics), critics)


@tf.function
def train_cycle_gans(rows):
    """rows: (rounds, 4, 2, batch, models)."""
    for round_number in tf.range(rows.shape[0]):
        cycle_step(rows[round_number, 0], 4.0)
        for step in tf.range(1, 4):
            cycle_step(rows[round_number, step], 0.0)


# %%
CYCLE_STEPS = 600
fewest = min(len(plain_half), len(slanted_half))
train_cycle_gans(
    tf.constant(draw_rows([np.arange(fewest)] * CYCLE_GANS, CYCLE_STEPS // 4, 4, 2, BATCH))
)
repeated = np.repeat(2 * test[:, np.newaxis] - 1, CYCLE_GANS, axis=1)
translated = to_slanted(repeated, training=False).numpy()
returned = to_plain(translated, training=False).numpy() / 2 + 0.5
translated = translated / 2 + 0.5  # (n, models, 64)

# %% [markdown]
# Five questions to each model. Is the style reached (slant)? Is the digit still read as itself, by a judge trained on slanted digits? Does it come back? How far is it from the true answer, pixel by pixel? And how far is the test digit that was *left as it is*, the
# trivial baseline?
#
# There is a classical answer too: measure the mean slant of both styles, and shear by the difference.

# %%
slanted_judge = sklearn.svm.SVC(C=10).fit(sheared(training_images, STYLE), training_labels)
truth = sheared(test_images, STYLE)
true_slant = slant(truth).mean()
measured_shear = (
    slant(slanted_data.numpy() / 2 + 0.5).mean() - slant(plain_data.numpy() / 2 + 0.5).mean()
)
candidates = {
    "the truth": [truth],
    "left as it is": [test],
    "measured shear": [sheared(test_images, measured_shear)],
}
for place, name in enumerate(LOSSES):
    candidates[name] = [translated[:, 2 * place], translated[:, 2 * place + 1]]

# %%
leans, kept, error = {}, {}, {}
for name, tries in candidates.items():
    leans[name] = np.array([slant(numbers).mean() for numbers in tries])
    kept[name] = np.array([slanted_judge.score(numbers, test_labels) for numbers in tries])
    error[name] = np.array([np.abs(numbers - truth).mean() for numbers in tries])
    print(
        f"{name:15s} slant {leans[name].round(2)}, read as itself {kept[name].round(2)}, error {error[name].round(3)}"
    )
comes_back = np.abs(returned - test[:, np.newaxis]).mean(axis=(0, 2)).reshape(4, 2)
for name, values in zip(LOSSES, comes_back, strict=True):
    print(f"{name:15s} error after there and back {values.round(3)}")

# %% alt="Six rows of ten digits: plain, truly slanted, and translated with neither loss, the cycle loss, the identity loss, and both. With neither and with cycle alone the digits are slanted but different ones; with both they are the same digits."
shown = [np.flatnonzero(test_labels == digit)[1] for digit in range(10)]
rows = [test[shown], truth[shown], *(candidates[name][0][shown] for name in LOSSES)]
show_images(as_images(np.concatenate(rows)), title="Plain, truth, neither, cycle, identity, both")

# %% [markdown]
# Look at the fourth row: slanted strokes as in the second row, and other digits than above. Exactly what the two-digit example allows.

# %%
claim(
    "The cycle loss alone brings digits back, as other digits",
    comes_back[1].max() < 0.75 * comes_back[0].min() and kept["cycle"].max() < 0.6,
    f"error after there and back {comes_back[1].round(3)} (neither: {comes_back[0].round(3)}), "
    f"read as itself on the way {kept['cycle'].round(2)}",
)
style_reached = (leans["both"] - leans["left as it is"]) / (true_slant - leans["left as it is"])
claim(
    "With both losses the style changes and the digit stays",
    style_reached.min() > 0.55
    and kept["both"].min() > 0.75
    and error["both"].max() < 0.75 * error["left as it is"][0],
    f"share of the slant reached {style_reached.round(2)}, read as itself {kept['both'].round(2)}, "
    f"error {error['both'].round(3)}, left as it is {error['left as it is'].round(3)}",
)

# %% without_learning="data"
claim(
    "Who knows that the style is a shear measures it and wins",
    error["measured shear"][0] < 0.5 * error["both"].min()
    and kept["measured shear"][0] > kept["both"].max(),
    f"measured shear {measured_shear:.3f}, error {error['measured shear'].round(3)}, read as itself {kept['measured shear'].round(3)}",
)

# %% [markdown]
# So the identity loss did what the cycle loss is praised for. It also holds back: part of the slant is missing. Each weight in such a sum is a compromise.
#
# Why do published CycleGANs keep horses' shapes with a weak identity loss, or none? Their generators are convolutional, start near a copy of their input, and reach only a small neighbourhood of each pixel. They cannot easily turn a 3 into a 7. Ours are dense and can. What keeps the content there is the *architecture*.
# And a good return proves little even so: networks hide the way back in faint patterns that no one sees (Chu and others, 2017). Always measure the content with a judge that is not part of the game.
#
# ## Misuse, and what helps
#
# The same networks fake faces, voices and documents. Can one tell? We play the defender: a convolutional detector, trained on real digits and on those of model 0, both saved as images of 8 bits. The threshold is set on validation data, so that
# about one real digit in a hundred raises a false alarm.


# %%
def published(numbers):
    """Numbers as they come out of an image file: (n, 14, 14), enlarged, halved, rounded to 8 bits."""
    halved = as_images(numbers).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return (np.round(255 * halved) / 255).astype("float32")


def blurred(images):
    return np.stack([cv2.GaussianBlur(image, (3, 3), 0.6) for image in images])


def noisy(images):
    return (images + generator_of_numbers.normal(scale=0.05, size=images.shape)).astype("float32")


def fakes(model, count):
    """(count, 64) new digits of one model."""
    noise = generator_of_numbers.normal(size=(count, LATENT))
    return generated(noise, generator_of_numbers.integers(0, 10, count))[:, model]


# %% [markdown]
# The attackers: the same generator; its **sibling**, trained from another start; its images **blurred** a little; and two generators of **another kind** that take no network at all. *Gaussian* draws from a normal distribution fitted to each class. *Blend* mixes two neighbours of
# one class.


# %%
def gaussian_digits(count):
    labels = generator_of_numbers.integers(0, 10, count)
    digits = np.empty((count, 64), "float32")
    for digit in range(10):
        own = training[training_labels == digit]
        covariance = np.cov(own.T)
        digits[labels == digit] = generator_of_numbers.multivariate_normal(
            own.mean(axis=0), covariance, np.sum(labels == digit)
        )
    return digits.clip(0, 1)


def blended_digits(count):
    digits = np.empty((count, 64), "float32")
    for place, row in enumerate(generator_of_numbers.integers(0, len(training), count)):
        own = training[training_labels == training_labels[row]]
        near = own[np.argsort(np.sum((own - training[row]) ** 2, axis=1))[1:6]]
        share = generator_of_numbers.uniform(0.3, 0.7)
        digits[place] = share * training[row] + (1 - share) * near[generator_of_numbers.integers(5)]
    return digits


# %%
def train_detector(real, fake, epochs):
    """A small convolutional network that says how fake an image (14, 14) looks."""
    detector = keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    detector.compile(keras.optimizers.Adam(2e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    labels = np.repeat([0.0, 1.0], [len(real), len(fake)])
    detector.fit(np.concatenate([real, fake]), labels, batch_size=64, epochs=epochs, verbose=0)
    return detector


def alarms(detector, images):
    """Which images exceed the threshold that a hundredth of the real validation digits exceeds."""
    threshold = np.quantile(detector.predict(published(validation), verbose=0), 0.99)
    return detector.predict(images, batch_size=512, verbose=0)[:, 0] > threshold


# %%
COUNT = 1000
own_fakes = published(fakes(FULL, COUNT))
trials = {
    "real (false alarms)": published(test),
    "real, blurred": blurred(published(test)),
    "real, noisy": noisy(published(test)),
    "its own generator": own_fakes,
    "own, blurred": blurred(own_fakes),
    "sibling generator": published(fakes(SIBLING, COUNT)),
    "Gaussian": published(gaussian_digits(COUNT)),
    "blend": published(blended_digits(COUNT)),
}
real_images = published(training)
first_detector = train_detector(real_images, published(fakes(FULL, len(training))), epochs=24)
first_alarms = {name: alarms(first_detector, images).mean() for name, images in trials.items()}
for name, share in first_alarms.items():
    print(f"{name:20s} flagged {share:.1%}")

# %%
own, blend = first_alarms["its own generator"], first_alarms["blend"]
claim(
    "The detector catches its own generator, less of the sibling, and hardly any blend",
    own > 0.4 and first_alarms["sibling generator"] < own and blend < 0.1,
    f"own {own:.1%}, sibling {first_alarms['sibling generator']:.1%}, blend {blend:.1%}",
)
claim(
    "A light blur hides many fakes, and a little noise makes real digits look fake",
    first_alarms["own, blurred"] < own - 0.1
    and first_alarms["real, noisy"] > first_alarms["real (false alarms)"] + 0.02,
    f"own {own:.1%}, blurred {first_alarms['own, blurred']:.1%}; real flagged "
    f"{first_alarms['real (false alarms)']:.1%}, noisy {first_alarms['real, noisy']:.1%}",
)

# %% [markdown]
# About one real digit in a hundred was to be flagged; the test shows how roughly that holds when only three validation digits lie above the threshold. The detector knows its own generator best. Already the sibling, with the same data and the same
# networks from another start, is caught less often: some of what the detector has learnt are habits of one set of weights. A blur that one hardly sees hides many fakes. Noise on *real* digits raises false alarms, since the detector has never seen an edited real image.
# Of the Gaussian digits, a kind it has never seen, it catches a part. The blend, made without any network too, passes as real.

# %% [markdown]
# The defender learns from it. A second detector sees blurred images too, real and fake, and Gaussian fakes. It has not seen the blend.

# %%
more_fakes = np.concatenate(
    [published(fakes(FULL, len(training))), published(gaussian_digits(len(training)))]
)
second_detector = train_detector(
    np.concatenate([real_images, blurred(real_images)]),
    np.concatenate([more_fakes, blurred(more_fakes)]),
    epochs=8,
)
second_alarms = {name: alarms(second_detector, images).mean() for name, images in trials.items()}

# %% alt="Share of images flagged as fake by the first and by the second detector, for real digits, blurred real digits and five kinds of fakes."
places = np.arange(len(trials))
plt.barh(
    places - 0.2, list(first_alarms.values()), 0.36, color=COLOURS["blue"], label="first detector"
)
plt.barh(
    places + 0.2,
    list(second_alarms.values()),
    0.36,
    color=COLOURS["orange"],
    hatch="//",
    edgecolor="white",
    label="second: also saw blur and Gaussian",
)
plt.yticks(places, trials)
plt.gca().invert_yaxis()
plt.xlabel("share flagged as fake")
plt.legend(loc="lower right", fontsize=9)
plt.title("What two detectors take for fakes")
plt.show()

# %%
seen_kinds = [second_alarms[name] for name in ("its own generator", "own, blurred", "Gaussian")]
claim(
    "The second detector catches every kind it has seen, and still passes the kind it has not",
    min(seen_kinds) > 0.2 and second_alarms["blend"] < min(seen_kinds) - 0.15,
    ", ".join(f"{name} {share:.1%}" for name, share in second_alarms.items()),
)

# %% [markdown]
# Both detectors had the same number of training steps. Compare the bars, kind by kind. To have seen a kind of fake does not make its bar long; not to have seen it, as with the blend, leaves hardly any.
# In Wang and others (2020) a detector of photographs did better: trained with blurred and compressed images of one generator, it recognised those of many others. Which of the two you have, only a test on *other* generators tells.

# %% [markdown]
# ### How often is an alarm right?
#
# A detector with few false alarms sounds useful. Whether it is depends on how rare fakes are. Let $\pi$ be the share of fakes among all images, $h$ the share of fakes that are flagged, and $f$ the share of real images that are flagged. Of $N$ images,
# $N \pi h$ are flagged rightly and $N (1 - \pi) f$ wrongly. So the share of alarms that are right is
#
# $$\frac{\pi h}{\pi h + (1 - \pi) f}.$$
#
# On paper: a million images, a thousand of them fake. A perfect catch, $h = 1$, and $f = 0.01$: a thousand right alarms, and 9,990 wrong ones.


# %% without_learning="arithmetic"
def right_alarms(share_of_fakes, hits, false_alarms):
    """Which share of all alarms is right."""
    right = share_of_fakes * hits
    return right / (right + (1 - share_of_fakes) * false_alarms)


shares = {one_in: right_alarms(1 / one_in, 1.0, 0.01) for one_in in (2, 10, 100, 1000, 10_000)}
for one_in, share in shares.items():
    print(f"one image in {one_in:6,d} is fake: {share:.1%} of the alarms are right")
own_rate = right_alarms(0.001, own, first_alarms["real (false alarms)"])
print(f"the first detector, at one fake in 1,000: {own_rate:.1%}")
simulated = generator_of_numbers.random(1_000_000) < 0.001
flagged = simulated | (generator_of_numbers.random(1_000_000) < 0.01)
claim(
    "With one fake in a thousand, a detector that misses none and errs on one real image in a hundred is wrong in nine alarms of ten",
    abs(simulated[flagged].mean() - shares[1000]) < 0.01 and 0.08 < shares[1000] < 0.1,
    f"formula {shares[1000]:.2%}, counted among a million simulated images {simulated[flagged].mean():.2%}",
)

# %% [markdown]
# ### Where an image comes from
#
# A detector guesses from the pixels. **Provenance** does not guess: it records where an image comes from. Two ways, and what each can do.
#
# A **signature.** Whoever makes the image (a camera, an editor, a generator) computes a digest of its bytes, and signs that with a secret key. The standard C2PA ("Content Credentials") stores such signed statements in the image file, with certificates, so that anyone can check them. Below a small stand-in: one secret key for
# signing and checking (`hmac`). Three things can happen to an image on its way. What does the check say to each?

# %%
SECRET = b"the maker's key"


def signed(image, maker):
    """The image's bytes, a statement on who made it, and a signature of both."""
    statement = maker.encode() + hashlib.sha256(image.tobytes()).digest()
    return {
        "image": image,
        "maker": maker,
        "signature": hmac.new(SECRET, statement, "sha256").digest(),
    }


def checked(record):
    """valid, broken, or unknown where there is no signature."""
    if record.get("signature") is None:
        return "unknown"
    expected = signed(record["image"], record["maker"])["signature"]
    return "valid" if hmac.compare_digest(expected, record["signature"]) else "broken"


# %% without_learning="arithmetic"
record = signed(own_fakes[0], "generator 0")
retouched = record["image"].copy()
retouched[0, 0] += 1 / 255
verdicts = {
    "untouched": checked(record),
    "one pixel changed by one step": checked({**record, "image": retouched}),
    "said to come from a camera": checked({**record, "maker": "camera"}),
    "signature removed": checked({"image": record["image"]}),
}
claim(
    "A signature notices the smallest change, and its absence says nothing",
    list(verdicts.values()) == ["valid", "broken", "broken", "unknown"],
    ", ".join(f"{name}: {verdict}" for name, verdict in verdicts.items()),
)

# %% [markdown]
# It is exact, and it is easily lost: a screenshot carries no signature. So "unknown" must not be read as "fake", nor "valid" as "true": it says who signed.
#
# A **watermark** sits in the pixels themselves, and survives some edits. The simplest adds a faint secret pattern $k$ of random signs, $x' = x + \varepsilon k$. To find it, remove what is smooth, $r = x' - \text{blur}(x')$, and correlate what is left with the pattern:
#
# $$s = \frac{\sum_i k_i r_i}{\sqrt{\sum_i r_i^2}}.$$
#
# Without the mark, $r$ has nothing to do with $k$. The signs are independent with mean 0 and variance 1, so the sum has mean 0 and variance $\sum_i r_i^2$, and $s$ has mean 0 and variance 1, *whatever the image*. So we know the rate of false alarms in advance, which no detector above could tell: 4 is exceeded about three times in 100,000. With the mark,
# the sum grows by about $\varepsilon$ for every pixel, and therefore $s$ with the root of the number of pixels. Large images hide a mark easily, our small ones need a rather strong one.

# %%
STRENGTH = 0.06
patterns = generator_of_numbers.choice([-1.0, 1.0], (COUNT, 28, 28))


def smooth(images, width):
    return np.stack([cv2.GaussianBlur(image, (0, 0), width) for image in images])


def mark_score(images, patterns):
    rest = images - smooth(images, 1.0)
    return np.sum(patterns * rest, axis=(1, 2)) / np.sqrt(np.sum(rest**2, axis=(1, 2)))


# %%
unmarked = as_images(fakes(FULL, COUNT))[..., 0].astype("float64")
marked = np.clip(unmarked * (1 - 2 * STRENGTH) + STRENGTH + STRENGTH * patterns, 0, 1)
mark_scores = {
    "unmarked": mark_score(unmarked, patterns),
    "marked": mark_score(marked, patterns),
    "marked, wrong key": mark_score(marked, patterns[::-1]),
    "marked, blurred a little": mark_score(smooth(marked, 0.5), patterns),
    "marked, blurred more": mark_score(smooth(marked, 1.3), patterns),
}
for name, values in mark_scores.items():
    print(
        f"{name:25s} score {values.mean():6.2f} ± {values.std():.2f}, above 4: {np.mean(values > 4):.1%}"
    )

# %% without_learning="arithmetic"
null = mark_scores["unmarked"]
found = {name: np.mean(values > 4) for name, values in mark_scores.items()}
claim(
    "The watermark's false alarms are known beforehand, only the key finds it, and blur wears it off",
    abs(null.mean()) < 0.15
    and abs(null.std() - 1) < 0.1
    and found["marked"] > 0.99
    and found["marked, wrong key"] < 0.01
    and found["marked, blurred more"] < found["marked"] - 0.3,
    f"unmarked {null.mean():.2f} ± {null.std():.2f}; found: {', '.join(f'{name} {share:.1%}' for name, share in found.items())}",
)

# %% [markdown]
# Neither stops a forger who writes the generator himself and marks nothing. Together, signatures, marks, detectors and a look at who published an image raise the effort. And some harm needs no perfect fake: people can doubt a true recording by calling it one.
#
# Before you publish a generator or its images, ask: whose images did it learn from, and did they agree? Can it give them back (the distance to the nearest training image tells something)? Whom could a fake of this kind hurt? Are the images marked?
#
# ## Common mistakes
#
# - **Judging a generator by chosen samples**, or by a straight walk, whose middle is duller and cleaner than the model.
# - **Augmenting one class only.** The network learns the treatment. Treat every class alike.
# - **Comparing GAN augmentation with nothing** instead of with repetition and plain augmentation, or with one rare class only.
# - **Training the GAN on all data and testing the classifier on some of them.** Generated images carry test data into the training.
# - **One lucky left-out digit** for anomaly detection, and no nearest-neighbour baseline.
# - **A small cycle error taken as proof** that the content stayed.
# - **A detector's accuracy quoted for its own generator**, without other generators, edits and the base rate.
# - **"No signature, so it is fake."**

# %% [markdown]
# ## Exercise 1: count the pairs
#
# Write the area under the ROC curve by its definition: the share of all pairs of one anomaly and one normal example in which the anomaly has the higher score. A tie counts half.


# %% tags=["exercise"]
def area_under_roc(normal_scores, anomaly_scores):
    """normal_scores: (n,), anomaly_scores: (m,). A number between 0 and 1."""
    ### BEGIN SOLUTION
    difference = anomaly_scores[:, np.newaxis] - normal_scores[np.newaxis]  # (m, n)
    return np.mean((difference > 0) + 0.5 * (difference == 0))
    ### END SOLUTION


# %% tags=["wrong"] says="a tie counts half"
def area_under_roc(normal_scores, anomaly_scores):  # ties count nothing
    return np.mean(anomaly_scores[:, np.newaxis] > normal_scores[np.newaxis])


# %% tags=["wrong"] says="you count the pairs in which the normal one is higher"
def area_under_roc(normal_scores, anomaly_scores):  # the normal ones should be higher
    difference = normal_scores[:, np.newaxis] - anomaly_scores[np.newaxis]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


# %% tags=["wrong"] says="each anomaly meets each normal example"
def area_under_roc(normal_scores, anomaly_scores):  # only pairs of equal rank
    count = min(len(normal_scores), len(anomaly_scores))
    difference = anomaly_scores[:count] - normal_scores[:count]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


# %% tags=["check"]
with feedback("Count the pairs"):
    got = area_under_roc(np.array([1.0, 2.0, 3.0]), np.array([2.5, 4.0]))
    assert got is not None, "area_under_roc returns nothing yet"
    assert not np.isclose(got, 1 / 6), "you count the pairs in which the normal one is higher"
    assert np.isclose(got, 5 / 6), (
        "each anomaly meets each normal example: 2.5 and 4 with 1, 2 and 3 are six pairs; in five of "
        f"them, 0.833, the anomaly is higher, yours says {got:.3f}"
    )
    got = area_under_roc(np.array([1.0, 1.0]), np.array([1.0]))
    assert np.isclose(got, 0.5), (
        f"a tie counts half: if all scores are equal, that is guessing, 0.5, yours says {got:.3f}"
    )
    check_generator = np.random.default_rng(3)
    normal, odd = check_generator.integers(-3, 3, 40), check_generator.integers(-1, 5, 15)
    expected = sklearn.metrics.roc_auc_score(np.repeat([0, 1], [40, 15]), np.r_[normal, odd])
    got = area_under_roc(normal, odd)
    assert np.isclose(got, expected), (
        f"of 40 normal scores and 15 others, some equal, some negative, scikit-learn says {expected:.3f}, yours {got:.3f}"
    )

# %% [markdown]
# ## Exercise 2: predict how good a detector must be
#
# One image in ten thousand is fake, and your detector catches nine fakes of ten. How many false alarms may it raise, as a share of the real images, so that at least every second alarm is right? Guess first; then write the formula for any
# share of fakes $\pi$, hits $h$ and wanted share of right alarms $q$, by solving $q = \pi h / (\pi h + (1 - \pi) f)$ for $f$.


# %% tags=["exercise"]
def allowed_false_alarms(share_of_fakes, hits, right):
    """The largest share of real images that may be flagged."""
    ### BEGIN SOLUTION
    return share_of_fakes * hits * (1 - right) / (right * (1 - share_of_fakes))
    ### END SOLUTION


# %% tags=["wrong"] says="how rare fakes are does not enter"
def allowed_false_alarms(share_of_fakes, hits, right):  # forgets how rare fakes are
    return hits * (1 - right) / right


# %% tags=["wrong"] says="q and 1 - q have changed places"
def allowed_false_alarms(share_of_fakes, hits, right):  # q and 1 - q exchanged
    return share_of_fakes * hits * right / ((1 - right) * (1 - share_of_fakes))


# %% tags=["wrong"] says="divide by 1 - π"
def allowed_false_alarms(
    share_of_fakes, hits, right
):  # a share of all images, not of the real ones
    return share_of_fakes * hits * (1 - right) / right


# %% tags=["wrong"] says="the hits do not enter"
def allowed_false_alarms(share_of_fakes, hits, right):  # takes it that all fakes are caught
    return share_of_fakes * (1 - right) / (right * (1 - share_of_fakes))


# %% tags=["check"]
with feedback("How good must a detector be"):
    for pi, h, q in ((0.2, 0.8, 0.25), (0.0001, 0.9, 0.6), (0.01, 0.7, 0.95)):
        f = allowed_false_alarms(pi, h, q)
        assert f is not None, "allowed_false_alarms returns nothing yet"
        for mistake, value in {
            "how rare fakes are does not enter": h * (1 - q) / q,
            "q and 1 - q have changed places": pi * h * q / ((1 - q) * (1 - pi)),
            "f is a share of the real images only: divide by 1 - π": pi * h * (1 - q) / q,
            "the hits do not enter": pi * (1 - q) / (q * (1 - pi)),
        }.items():
            assert not np.isclose(f, value, atol=0), mistake
        right, wrong = pi * h, (1 - pi) * f  # shares of all images
        assert np.isclose(right, q * (right + wrong)), (
            f"with {pi:.2%} fakes, {h:.0%} of them caught, and your f = {f:.3g}, the share of right alarms is "
            f"{right / (right + wrong) if right + wrong else np.nan:.2%}, wanted are {q:.0%}: solve for f again"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# This loss for a CycleGAN trains without complaint, and the networks learn nothing of use. It has **two** mistakes. Mend them. $x$ is plain, $y$ slanted, `to_slanted` and `to_plain` are functions.
#
# ```python
# def content_loss(x, y, to_slanted, to_plain):
#     cycle = mean_difference_of(to_plain(to_slanted(x)), x) + mean_difference_of(to_plain(to_slanted(y)), y)
#     identity = mean_difference_of(to_slanted(x), x) + mean_difference_of(to_plain(y), y)
#     return 10 * cycle + 5 * identity
# ```


# %% tags=["setup"]
def mean_difference_of(a, b):
    """Mean absolute difference of two arrays of equal shape."""
    return np.mean(np.abs(a - b))


# %% tags=["exercise"]
def content_loss(x, y, to_slanted, to_plain):
    """10 times the cycle loss plus 5 times the identity loss."""
    ### BEGIN SOLUTION
    cycle = mean_difference_of(to_plain(to_slanted(x)), x)
    cycle += mean_difference_of(to_slanted(to_plain(y)), y)  # y starts the other way round
    # What already has the style stays: x comes out of to_plain, y out of to_slanted.
    identity = mean_difference_of(to_slanted(y), y) + mean_difference_of(to_plain(x), x)
    return 10 * cycle + 5 * identity
    ### END SOLUTION


# %% tags=["wrong"] says="the identity loss asks the wrong network"
def content_loss(x, y, to_slanted, to_plain):  # the identity loss still forbids every change
    cycle = mean_difference_of(to_plain(to_slanted(x)), x)
    cycle += mean_difference_of(to_slanted(to_plain(y)), y)
    identity = mean_difference_of(to_slanted(x), x) + mean_difference_of(to_plain(y), y)
    return 10 * cycle + 5 * identity


# %% tags=["wrong"] says="the trip of y starts with to_plain"
def content_loss(x, y, to_slanted, to_plain):  # both cycles still start with to_slanted
    cycle = mean_difference_of(to_plain(to_slanted(x)), x)
    cycle += mean_difference_of(to_plain(to_slanted(y)), y)
    identity = mean_difference_of(to_slanted(y), y) + mean_difference_of(to_plain(x), x)
    return 10 * cycle + 5 * identity


# %% tags=["wrong"] says="10 for the cycle and 5 for the identity"
def content_loss(x, y, to_slanted, to_plain):  # the weights exchanged
    cycle = mean_difference_of(to_plain(to_slanted(x)), x)
    cycle += mean_difference_of(to_slanted(to_plain(y)), y)
    identity = mean_difference_of(to_slanted(y), y) + mean_difference_of(to_plain(x), x)
    return 5 * cycle + 10 * identity


# %% tags=["check"]
with feedback("Repair the loss"):
    x, y = np.array([0.0, 1.0]), np.array([10.0, 12.0])
    at_least_10, at_most_1 = (lambda a: np.maximum(a, 10.0)), (lambda a: np.minimum(a, 1.0))
    got = content_loss(x, y, at_least_10, at_most_1)  # neither changes what has its style
    assert got is not None, "content_loss returns nothing yet"
    assert not np.isclose(got, [62.5, 65, 112.5, 202.5]).any(), (
        "the identity loss asks the wrong network: which of the two must leave x alone, which y?"
    )
    assert not np.isclose(got, 105), "the trip of y starts with to_plain, and then goes back"
    x, y = np.array([1.0, 3.0, 7.0, 3.0]), np.array([-10.0, 12.0])
    got_other = content_loss(x, y, lambda a: 2 * a, lambda a: a - 4)
    # x to 2x - 4, off by 3, 1, 3, 1; y to 2y - 8, off by 18, 4; alone, y is off by 10, 12 and x by 4
    cycle, identity = 2 + 11, 11 + 4
    assert not np.isclose(got_other, 5 * cycle + 10 * identity), (
        "the weights are 10 for the cycle and 5 for the identity"
    )
    for loss, want, networks in (
        (got, 15.0, "at least 10 and at most 1"),
        (got_other, 10.0 * cycle + 5 * identity, "2a and a - 4"),
    ):
        assert np.isclose(loss, want), (
            f"with networks that compute {networks} the loss is {want}, yours {float(loss):.2f}: "
            "it has four terms, a trip of x, a trip of y, and each style alone"
        )

# %% [markdown]
# ## Exercise 4: take a direction away
#
# Bold digits also lean a little more. So the direction of ink may hide some slant. Change a direction so that it no longer points along another one: subtract its **projection** on the unwanted direction, and make its length 1 again.


# %% tags=["exercise"]
def without(direction, unwanted):
    """direction (d,) of length 1, made perpendicular to unwanted (d,), of any length: (d,), of length 1."""
    ### BEGIN SOLUTION
    unit = unwanted / np.linalg.norm(unwanted)
    rest = direction - (direction @ unit) * unit
    return rest / np.linalg.norm(rest)
    ### END SOLUTION


# %% tags=["wrong"] says="its length must not matter"
def without(direction, unwanted):  # takes the unwanted direction to have length 1
    rest = direction - (direction @ unwanted) * unwanted
    return rest / np.linalg.norm(rest)


# %% tags=["wrong"] says="not the whole of it"
def without(direction, unwanted):  # subtracts all of it instead of the projection
    rest = direction - unwanted / np.linalg.norm(unwanted)
    return rest / np.linalg.norm(rest)


# %% tags=["wrong"] says="its length must be 1"
def without(direction, unwanted):  # forgets the length
    unit = unwanted / np.linalg.norm(unwanted)
    return direction - (direction @ unit) * unit


# %% tags=["wrong"] says="not what is left of `direction`"
def without(direction, unwanted):  # takes another direction at right angles
    others = np.linalg.svd(unwanted[np.newaxis])[2][1:]  # all of length 1
    nearest = others[np.argmax(np.abs(others @ direction))]
    return np.sign(nearest @ direction) * nearest


# %% tags=["check"]
with feedback("Take a direction away"):
    for length, hint in {
        1.0: "subtract the projection of `direction` on it, not the whole of it",
        2.0: "`unwanted` can have any length, its length must not matter",
    }.items():
        got = without(np.array([0.6, 0.8, 0.0]), np.array([0.0, length, 0.0]))
        assert got is not None, "without returns nothing yet"
        assert np.shape(got) == (3,), f"a direction (3,) is wanted, yours is {np.shape(got)}"
        assert abs(got[1]) < 1e-9, (
            f"(0.6, 0.8, 0) without (0, {length:.0f}, 0) has a second entry of 0, yours is {got}: {hint}"
        )
        assert np.isclose(np.linalg.norm(got), 1), f"its length must be 1, yours is {got}"
    for size in (3, 16):
        a, b = np.random.default_rng(size).normal(size=(2, size))
        a /= np.linalg.norm(a)
        rest = a - b * np.linalg.lstsq(b[:, np.newaxis], a)[0]  # what no multiple of b explains
        got = without(a, b)
        assert abs(got @ b) < 1e-9, (
            "with other directions it still has a part along the unwanted one"
        )
        assert got @ rest > 0, "it was turned around"
        assert np.allclose(got, rest / np.linalg.norm(rest)), (
            "it is perpendicular to the unwanted one, but it is not what is left of `direction`"
        )

# %% [markdown]
# ## Exercise 5: beat this baseline (open-ended)
#
# The distance to the mean image finds some of the digits that were left out. Write a better score, without a network or with a small one. You get the normal training digits, without labels, and must score others; higher is odder. Each of the ten digits is left out once, and
# the mean area under the ROC curve on validation digits must exceed that of the mean image by 0.15. It has to work on the rows alone: one digit's score may not depend on the others to be scored.


# %% tags=["setup"]
def mean_area(score, normal, normal_labels, others, other_labels):
    """Mean area under the ROC curve of a score over the ten left-out digits."""
    areas = []
    for digit in range(10):
        values = score(normal[normal_labels != digit], others)
        areas.append(sklearn.metrics.roc_auc_score(other_labels == digit, values))
    return np.mean(areas)


def distance_to_mean(normal, others):
    return np.linalg.norm(others - normal.mean(axis=0), axis=1)


# %% tags=["exercise"]
def oddness(normal, others):
    """How odd each row of others (n, 64) is, given normal digits (m, 64): (n,)."""
    ### BEGIN SOLUTION
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=2).fit(normal)
    return search.kneighbors(others)[0].mean(axis=1)
    ### END SOLUTION


# %% tags=["wrong"] says="near what is it"
def oddness(normal, others):  # the baseline
    return np.linalg.norm(others - normal.mean(axis=0), axis=1)


# %% tags=["wrong"] says="is a high score odd"
def oddness(normal, others):  # how near, not how far
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=2).fit(normal)
    return -search.kneighbors(others)[0].mean(axis=1)


# %% tags=["wrong"] says="use only the normal digits"
def oddness(normal, others):  # compares with the others themselves
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=2).fit(others)
    return search.kneighbors(others)[0].mean(axis=1)


# %% tags=["check"]
with feedback("Beat the mean image"):
    check_rows = validation[:40]
    got = oddness(training, check_rows)
    assert got is not None, "oddness returns nothing yet"
    assert np.shape(got) == (40,), f"one number for each of 40 rows, not {np.shape(got)}"
    assert np.allclose(oddness(training, check_rows[:5]), got[:5]), (
        "the score of a row changed when fewer others were scored: use only the normal digits"
    )
    data = training, training_labels, validation, validation_labels
    baseline, reached = mean_area(distance_to_mean, *data), mean_area(oddness, *data)
    assert reached > baseline + 0.15, (
        f"the mean image reaches {baseline:.3f}, yours {reached:.3f}: "
        f"{'is a high score odd?' if reached < 0.5 else 'a digit may be normal and far from the mean; near what is it?'}"
    )

# %% [markdown]
# ## Summary
#
# - Noise of the usual length gives variety, short noise gives typical digits: walk on the arc. Directions found as a difference of means changed slant and ink of digits they were not found on.
# - With ten images of a class, repeating them mended most of the harm, moving the images of all classes mended more, and a GAN's samples added a few points at most. New real images would help most.
# - Inverting a generator finds what it cannot make, and shows it. An autoencoder did about as well. The nearest stored digit found more.
# - The cycle loss makes a way back, not the right way there. Identity loss, architecture, and above all a judge outside of the game keep the content. A known transformation needs no network.
# - A detector's hits on its own generator say little about other fakes. Ask for other generators, for edits, and for the base rate. Signatures and watermarks say where an image comes from, as long as they stay on it.
#
# Not shown: large images, where pixel distances fail and the rankings of augmentation and anomaly detection may be others; video and sound; diffusion models, which make most generated images today. Chapter 7 returns to anomaly detection with autoencoders.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why do images halfway on a straight line in latent space look better than the model deserves?</summary>
#
# Their noise has half the squared norm. Short noise lies near the middle of the distribution, where training was densest, and gives typical digits. The variety that is missing does not show in a single image.
#
# </details>
#
# <details>
# <summary>You add generated images to one class only, and the training accuracy of that class is perfect. What do you suspect?</summary>
#
# The network may recognise generated images and not the digit: in training, "generated" and "this class" are the same. Give every class its share of generated images, and measure recall on real ones.
#
# </details>
#
# <details>
# <summary>Could a GAN trained on ten images of a class ever beat ten thousand real ones?</summary>
#
# No. It computes its images from what it was given, and no computation adds information about how this digit is written by others. It can only bring in what the other classes and the network's form suggest.
#
# </details>
#
# <details>
# <summary>A CycleGAN for two styles has a cycle loss of nearly zero. Name two ways in which its translations can still be useless.</summary>
#
# It may exchange contents and exchange them back, as ours did. Or it may change nothing visible and hide the way back in a faint pattern. And the style may not be reached at all: two identities have a cycle loss of zero.
#
# </details>
#
# <details>
# <summary>Your detector flags a photograph. What else do you need to know before you call it a fake?</summary>
#
# How rare fakes are among such photographs, how many real ones are flagged, whether blur or compression of real photographs raises the alarm, and which generators the detector has seen. And whether there is a signature.
#
# </details>

# %% [markdown]
# ## References
#
# - K. Shoemake (1985). Animating rotation with quaternion curves. doi:10.1145/325334.325242
# - A. Radford, L. Metz, S. Chintala (2015). Unsupervised representation learning with deep convolutional generative adversarial networks. arXiv:1511.06434
# - T. White (2016). Sampling generative networks. arXiv:1609.04468
# - T. Schlegl, P. Seeböck, S. M. Waldstein, U. Schmidt-Erfurth, G. Langs (2017). Unsupervised anomaly detection with generative adversarial networks to guide marker discovery. arXiv:1703.05921
# - J.-Y. Zhu, T. Park, P. Isola, A. A. Efros (2017). Unpaired image-to-image translation using cycle-consistent adversarial networks. arXiv:1703.10593
# - C. Chu, A. Zhmoginov, M. Sandler (2017). CycleGAN, a master of steganography. arXiv:1712.02950
# - A. Brock, J. Donahue, K. Simonyan (2018). Large scale GAN training for high fidelity natural image synthesis (the truncation trick). arXiv:1809.11096
# - S. Ravuri, O. Vinyals (2019). Classification accuracy score for conditional generative models. arXiv:1905.10887
# - S.-Y. Wang, O. Wang, R. Zhang, A. Owens, A. A. Efros (2020). CNN-generated images are surprisingly easy to spot... for now. arXiv:1912.11035, doi:10.1109/CVPR42600.2020.00872
# - I. J. Cox, J. Kilian, F. T. Leighton, T. Shamoon (1997). Secure spread spectrum watermarking for multimedia. doi:10.1109/83.650120
# - Coalition for Content Provenance and Authenticity. C2PA technical specification. https://c2pa.org
