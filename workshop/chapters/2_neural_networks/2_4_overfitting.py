# ---
# jupyter:
#   course:
#     prerequisites: ["2.3"]
#     equal_programs:
#       "Stop early, but not for crumbs":
#         "constant: 0 -> 1": "the first loss is lower than infinity, and sets the best epoch anew"
#       "Beat no remedy":
#         "constant: 0.2 -> 0.4": "twice as much dropout helps, too"
#     core_minutes: 105
# ---

# %% [markdown]
# # 2.4 Overfitting and regularization
#
# **After this lesson you can** tell overfitting from underfitting by two curves, split data so that a score means
# something, find the leak in a result that looks too good, and use L1, L2, dropout, early stopping, batch normalization,
# data augmentation and more data: you know what each one computes, and how to measure whether it helps.
#
# **You build** L2, L1, dropout and early stopping from scratch, and one table that says which of them help a network that has few digits and
# some wrong labels.
#
# **Question.** A network gets every training example right. Has it understood them, or learned them by heart?
# And what can you do about it?

# %% tags=["setup"]
import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.dummy
import sklearn.linear_model
import sklearn.neighbors
import sklearn.svm
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
# ## A problem whose truth we know
#
# Start where nothing is hidden. The truth is a sine curve. We see it at 20 places, each time with some noise. A
# **polynomial** of degree $d$, $\hat y = c_0 + c_1 x + \dots + c_d x^d$, is fitted by least squares. Its degree is its
# **capacity**: how many different curves it can become.

# %%
NOISE = 0.3
places = np.linspace(-1, 1, 20)  # where the training examples lie
fine_places = np.linspace(-1, 1, 400)  # where we compare with the truth


def truth(x):
    return np.sin(np.pi * x)


def fit(targets, degree):
    """The fitted polynomial at `places` and at `fine_places`. targets: (20,) or (20, fits)."""
    basis = np.polynomial.legendre.legvander(
        places, degree
    )  # the same polynomials as x**k, easier on the computer
    coefficients = np.linalg.lstsq(basis, targets, rcond=None)[0]
    return basis @ coefficients, np.polynomial.legendre.legvander(
        fine_places, degree
    ) @ coefficients


# %% [markdown]
# Degree 1, 3 and 15 on the same 20 points. Which comes closest to the points? Which comes closest to the truth?

# %% alt="Three panels with the same noisy points around a sine curve: a straight line misses its shape, a cubic follows it, and a polynomial of degree 15 swings from point to point."
rng = np.random.default_rng(SEED)
noisy_targets = truth(places) + NOISE * rng.standard_normal(20)
figure, panels = plt.subplots(1, 3, figsize=(6.6, 2.7), sharey=True)
for axes, degree in zip(panels, (1, 3, 15), strict=True):
    axes.plot(fine_places, truth(fine_places), color="0.6", linestyle="--")
    axes.plot(fine_places, fit(noisy_targets, degree)[1], color=COLOURS["red"], linestyle="-")
    axes.plot(places, noisy_targets, "o", color=COLOURS["blue"], markersize=4)
    axes.set(title=f"degree {degree}", xlabel="x", ylim=(-2.4, 2.4))
panels[0].set_ylabel("y")
plt.show()

# %% [markdown]
# Grey dashes: the truth. Points: what we saw. Red: the fit. The line cannot bend; it misses the truth and the points alike. That is
# **underfitting**. Degree 15 comes close to the points and swings between them and near the ends: it has learned the noise. That is
# **overfitting**.
#
# One experiment may be luck. So we repeat it 300 times with new noise, and measure two errors for each degree: on the 20 points that
# the polynomial was fitted to, and on new points from the same source.

# %% alt="Training error falls with every degree; error on new points is lowest at a small degree and shoots up at the right end."
degrees = range(16)
many_targets = truth(places)[:, np.newaxis] + NOISE * rng.standard_normal((20, 300))
fits = [fit(many_targets, degree) for degree in degrees]
training_error = np.array([np.mean((at_places - many_targets) ** 2) for at_places, _ in fits])
curves = np.array([at_fine_places for _, at_fine_places in fits])  # (degrees, 400, experiments)
new_targets = truth(fine_places)[:, np.newaxis] + NOISE * rng.standard_normal((400, 300))
new_error = np.mean((curves - new_targets) ** 2, axis=(1, 2))

plt.semilogy(degrees, training_error, marker="o", color=COLOURS["blue"])
plt.semilogy(degrees, new_error, marker="s", color=COLOURS["red"])
plt.annotate("training points", (12, training_error[12]), (9.5, 0.022), color=COLOURS["blue"])
plt.annotate("new points", (12, new_error[12]), (9.8, 0.2), color=COLOURS["red"])
plt.xlabel("capacity: degree of the polynomial")
plt.ylabel("mean squared error (log scale)")
plt.show()

# %% [markdown]
# The blue curve only falls: more capacity always fits the training points better. The red curve has a valley. Left of it the model
# underfits, right of it the model overfits. The training error alone cannot tell you where you are.

# %% without_learning="data"
best_degree = int(new_error.argmin())
claim(
    "Training error falls with every degree, and error on new points is lowest in between",
    np.all(np.diff(training_error) < 0)
    and 3 <= best_degree <= 7
    and new_error[-1] > 3 * new_error[best_degree],
    f"new points: {new_error[0]:.2f} at degree 0, {new_error[best_degree]:.2f} at degree "
    f"{best_degree}, {new_error[-1]:.2f} at degree 15",
)

# %% [markdown]
# ### Where the error comes from
#
# Because we know the truth $f(x)$, we can take the error on new points apart. Write $\bar y(x)$ for the mean of the 300 fitted curves.
# Then the expected squared error is a sum of three parts that never mix, since the mixed terms average to zero:
#
# $$E\,(\hat y - y)^2 = \underbrace{(\bar y - f)^2}_{\text{bias}^2} + \underbrace{E\,(\hat y - \bar y)^2}_{\text{variance}} + \underbrace{\sigma^2}_{\text{noise}}$$
#
# **Bias** is what the model gets wrong on average, because it cannot bend. **Variance** is how much it changes when the noise changes.
# Nobody can predict the new noise $\sigma^2$.

# %%
mean_curves = curves.mean(axis=2)
bias_squared = np.mean((mean_curves - truth(fine_places)) ** 2, axis=1)
variance = np.mean(curves.var(axis=2), axis=1)
for degree in (0, 1, 3, 5, 9, 15):
    print(
        f"degree {degree:2d}: bias² {bias_squared[degree]:.3f} + variance "
        f"{variance[degree]:.3f} + noise {NOISE**2:.3f}"
    )

# %% without_learning="data"
sum_of_parts = bias_squared + variance + NOISE**2
claim(
    "Bias², variance and noise add up to the error measured on new points",
    np.allclose(sum_of_parts, new_error, rtol=0.03)
    and bias_squared[0] > 50 * variance[0]
    and variance[15] > 50 * bias_squared[15],
    f"largest difference {np.max(np.abs(sum_of_parts / new_error - 1)):.1%} of the error",
)

# %% [markdown]
# A rigid model is all bias, a loose one all variance. Almost every remedy in this lesson lowers variance and pays with some bias. That
# pays off only while variance is the larger part: a remedy against overfitting does not cure underfitting.

# %% [markdown]
# ## Is a wider network always worse?
#
# The valley was long read as a warning against large networks (Geman, Bienenstock and Doursat 1992). Look at networks before you believe it. Take 150 handwritten digits of
# 14 x 14 pixels, and change 30 of their labels to wrong ones, as a tired annotator would. Validation labels stay right.

# %% tags=["setup"]
TRAINING_SIZE, WRONG_SHARE = 150, 0.2


def halve(images):
    """(n, 28, 28, 1) to (n, 14, 14, 1): each pixel is the mean of four."""
    return images.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))


(pool_images, pool_labels), (validation_images, validation_labels), (test_images, test_labels) = (
    (halve(images), labels) for images, labels in load_digits(seed=SEED)
)


def draw_training_set(run, size=TRAINING_SIZE, wrong_share=WRONG_SHARE):
    """Images, labels, which labels are wrong: `size` digits from the pool, others for each run."""
    rng = np.random.default_rng([SEED, run])
    drawn = rng.permutation(len(pool_images))[:size]
    labels = pool_labels[drawn]
    is_wrong = np.arange(size) < round(wrong_share * size)
    labels[is_wrong] = (labels[is_wrong] + rng.integers(1, 10, size=is_wrong.sum())) % 10
    return pool_images[drawn], labels, is_wrong


# %%
images, labels, is_wrong = draw_training_set(run=0)
print(f"{len(images)} training images, {is_wrong.sum()} of them with a wrong label")
print(f"{len(validation_images)} validation images, {len(test_images)} test images")

# %% [markdown]
# The simplest wide network: one hidden layer with random weights that are never trained, and an output layer that least squares fits
# exactly, with no training loop to blame. Where many output layers fit equally well, `lstsq` takes the one with the smallest weights.

# %%
WIDTHS = (5, 10, 20, 40, 80, 150, 300, 600, 1200, 2400)


def random_network_accuracies(width, run):
    """Training and validation accuracy with `width` random ReLU units and a fitted output layer."""
    images, labels, _ = draw_training_set(run)
    weights = np.random.default_rng([SEED, run, width]).standard_normal((196, width)) / 14
    hidden, validation_hidden = (
        np.maximum(x.reshape(-1, 196) @ weights, 0) for x in (images, validation_images)
    )
    output_weights = np.linalg.lstsq(hidden, np.eye(10)[labels], rcond=1e-8)[0]
    return (
        np.mean((hidden @ output_weights).argmax(axis=1) == labels),
        np.mean((validation_hidden @ output_weights).argmax(axis=1) == validation_labels),
    )


by_width = np.array(
    [[random_network_accuracies(width, run) for run in range(3)] for width in WIDTHS]
)

# %% [markdown]
# Before you look: at which width will the network do worst on new digits?


# %% alt="Training accuracy rises to 1 at 150 units and stays; validation accuracy rises, collapses at exactly 150 units, and rises again, nearly to its former height, for the widest networks."
def draw_with_band(x, accuracies, name, colour, marker):
    """Mean of the runs as a line, lowest to highest as a band. accuracies: (len(x), runs)."""
    plt.semilogx(x, accuracies.mean(axis=1), color=COLOURS[colour], marker=marker, label=name)
    lowest, highest = accuracies.min(axis=1), accuracies.max(axis=1)
    plt.fill_between(x, lowest, highest, color=COLOURS[colour], alpha=0.2)


draw_with_band(WIDTHS, by_width[..., 0], "training", "blue", "o")
draw_with_band(WIDTHS, by_width[..., 1], "validation", "red", "s")
plt.legend(frameon=False, loc="lower right")
plt.axvline(TRAINING_SIZE, color="0.6", linestyle=":")
plt.annotate("as many units as\ntraining examples", (TRAINING_SIZE * 0.92, 0.12), ha="right")
plt.xlabel("hidden units (log scale)")
plt.ylabel("accuracy")
plt.ylim(0, 1.1)
plt.show()

# %% [markdown]
# Lines are means of three runs, bands reach from the lowest to the highest. Validation accuracy first behaves as before: a hill, then
# overfitting. From 20 units on it is worst where the network has just enough units to fit all 150 labels, right and wrong: there is one solution, and it
# must be violent. But beyond, it *recovers*: with many solutions to choose from, the one with small weights is smooth. This is called
# **double descent** (Belkin et al. 2019).

# %% without_learning="untrained"
mean_by_width = dict(zip(WIDTHS, by_width[..., 1].mean(axis=1), strict=True))
worst_width = min(WIDTHS[2:], key=mean_by_width.get)
claim(
    "From 20 units on, the worst random network has as many units as there are training "
    "images, and much wider ones recover",
    worst_width == TRAINING_SIZE and mean_by_width[2400] > mean_by_width[worst_width] + 0.25,
    ", ".join(f"{width} units: {mean_by_width[width]:.2f}" for width in (40, 150, 2400)),
)

# %% [markdown]
# So "too many weights" is not the disease: the largest network fits every wrong label, and does far better on new digits than one with 150 units. What matters is *which*
# solution is found, and to steer that is what **regularization** means: anything that makes a network do better on new data,
# if need be at the cost of the training data.
#
# ## A network that learns by heart
#
# Now a network of the usual kind: all layers trained, with Adam. It takes the remedies of this lesson as arguments; for now, none.

# %% tags=["setup"]
HIDDEN_UNITS = 128


def small_network(penalty=None, dropout=0.0, batch_normalization=False, augment=None):
    """Two hidden layers for images (14, 14, 1), with the remedies asked for. Gives logits."""
    layers = [keras.Input((14, 14, 1)), *(augment() if augment else ()), keras.layers.Flatten()]
    for _ in range(2):
        layers.append(keras.layers.Dense(HIDDEN_UNITS, kernel_regularizer=penalty))
        if batch_normalization:
            layers.append(keras.layers.BatchNormalization(momentum=0.9))
        layers.append(keras.layers.Activation("relu"))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    return keras.Sequential([*layers, keras.layers.Dense(10)])


# %%
print(
    f"{small_network().count_params():,} weights for {TRAINING_SIZE} training images of "
    f"{14 * 14} pixels"
)

# %% [markdown]
# We will train it many times. So here is the training loop of lesson 2.3 as a class. It compiles each recipe once and starts it afresh for
# every run, which saves most of the time. A **round** is 10 batches of 50 images, drawn at random; after each round it measures the
# loss and the accuracy on the training and on the validation data. Every recipe gets the same 20 rounds.

# %% tags=["setup"]
BATCH_SIZE, BATCHES_A_ROUND, ROUNDS = 50, 10, 20
LEARNING_RATE = 0.003
IMAGES, LABELS = tf.TensorSpec((None, 14, 14, 1)), tf.TensorSpec((None,), "int64")  # of any number
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# %% tags=["setup"]
class Trainer:
    """Trains small_network with the given remedies, as often as you like, compiled once."""

    def __init__(self, **remedies):
        keras.utils.set_random_seed(SEED)
        self.model = small_network(**remedies)
        self.optimizer = keras.optimizers.Adam(LEARNING_RATE)
        self.optimizer.build(self.model.trainable_variables)
        self.weights_start = self.model.get_weights()
        self.optimizer_start = [variable.numpy() for variable in self.optimizer.variables]

    @tf.function(input_signature=[IMAGES, LABELS])
    def train_round(self, images, labels):
        for first in tf.range(0, len(images), BATCH_SIZE):
            batch, answers = images[first : first + BATCH_SIZE], labels[first : first + BATCH_SIZE]
            with tf.GradientTape() as tape:
                loss = cross_entropy(answers, self.model(batch, training=True))
                loss += sum(self.model.losses)  # the penalties
            self.optimizer.apply(tape.gradient(loss, self.model.trainable_variables))

    @tf.function(input_signature=[IMAGES, LABELS])
    def measure(self, images, labels):
        logits = self.model(images, training=False)
        return cross_entropy(labels, logits), tf.argmax(logits, axis=1) == labels


# %% tags=["setup"]
def start_afresh(trainer, seed):
    """New random weight matrices, all else as at first, the optimizer too."""
    keras.utils.set_random_seed(seed)
    trainer.model.set_weights(
        [
            keras.initializers.GlorotUniform()(w.shape) if w.ndim == 2 else w
            for w in trainer.weights_start
        ]
    )
    for variable, start in zip(trainer.optimizer.variables, trainer.optimizer_start, strict=True):
        variable.assign(start)


def score(trainer, images, labels):
    """Loss (without penalties) and accuracy."""
    loss, is_right = trainer.measure(images, labels)
    return float(loss), np.mean(is_right)


# %% tags=["setup"]
def train(
    trainer, images, labels, run=0, stopper=None, validation=(validation_images, validation_labels)
):
    """Train from new weights.

    Returns (rounds, 4): training loss and accuracy, validation loss and accuracy.
    """
    start_afresh(trainer, seed=1000 * SEED + run)
    callbacks = keras.callbacks.CallbackList([stopper] if stopper else [], model=trainer.model)
    trainer.model.stop_training = False
    callbacks.on_train_begin()
    rng = np.random.default_rng([SEED, run, 1])
    history = []
    for number in range(ROUNDS):
        drawn = rng.integers(len(images), size=BATCH_SIZE * BATCHES_A_ROUND)
        trainer.train_round(images[drawn], labels[drawn])
        history.append([*score(trainer, images, labels), *score(trainer, *validation)])
        callbacks.on_epoch_end(number, {"val_loss": history[-1][2]})
        if trainer.model.stop_training:
            break
    callbacks.on_train_end()
    return np.array(history)


# %%
RUNS = range(5)
plain = Trainer()
plain_histories, plain_hearts = [], []
for run in RUNS:
    images, labels, is_wrong = draw_training_set(run)
    plain_histories.append(train(plain, images, labels, run))
    plain_hearts.append(
        score(plain, images[is_wrong], labels[is_wrong])[1]
    )  # answers with the wrong label
plain_histories = np.array(plain_histories)  # (runs, rounds, 4)

# %% [markdown]
# Five runs, each with its own 150 images and its own initial weights. Predict the two curves of the loss.

# %% alt="Left: training loss falls towards zero in all runs while validation loss falls, turns after a few rounds and climbs. Right: training accuracy goes to 1, validation accuracy peaks early and sinks a little."
rounds = np.arange(1, ROUNDS + 1)
figure, panels = plt.subplots(1, 2, figsize=(6.6, 3.2))
for axes, first, what in ((panels[0], 0, "cross-entropy loss"), (panels[1], 1, "accuracy")):
    for offset, name, colour, style in (
        (0, "training", "blue", "-"),
        (2, "validation", "red", "--"),
    ):
        curve = plain_histories[..., first + offset]
        axes.plot(rounds, curve.T, color=COLOURS[colour], linestyle=style, linewidth=0.8, alpha=0.5)
        axes.plot(rounds, curve.mean(axis=0), color=COLOURS[colour], linestyle=style, label=name)
    axes.set(xlabel="round", title=what)
panels[0].legend(frameon=False)
plt.show()

# %% [markdown]
# Thick lines are means. The training loss sinks towards zero. The validation loss turns after a few rounds and climbs: from there on the
# network learns things that are true of these 150 images only. Its answers on new digits get worse, as the right panel shows.
#
# With wrong labels we can see directly what it learns by heart: no rule of handwriting makes that 7 a 4. A network that answers *4*
# there has stored the example.

# %%
turn = plain_histories[..., 2].argmin(axis=1)
lowest, last = plain_histories[..., 2].min(axis=1), plain_histories[:, -1, 2]
claim(
    "On average over the runs validation loss turns before the middle and then climbs by a "
    "fifth or more",
    turn.mean() < ROUNDS / 2 and last.mean() > 1.2 * lowest.mean(),
    f"lowest {lowest.mean():.2f} after round {turn.mean() + 1:.0f}, {last.mean():.2f} after "
    f"round {ROUNDS}, while training loss ends at {plain_histories[:, -1, 0].mean():.2f}",
)
claim(
    "At the end the network gives the wrong label to 8 in 10 training images that have one, "
    "or more",
    np.mean(plain_hearts) > 0.8,
    f"{np.mean(plain_hearts):.0%} of them; a network that had only understood would do so for "
    "about none",
)

# %% [markdown]
# ### The learning curve: more examples
#
# The same network, the same number of batches, the same share of wrong labels, more and more images. This plot is called a
# **learning curve**. Predict both curves.

# %%
SIZES = (50, 150, 450, 1150)
learning_curve = np.array(
    [
        [train(plain, *draw_training_set(run, size)[:2], run)[-1] for run in RUNS[:3]]
        for size in SIZES
    ]
)  # (sizes, runs, 4)

# %% alt="Training accuracy starts at 1 and falls towards 0.8 as images are added; validation accuracy rises from below and crosses it."
draw_with_band(SIZES, learning_curve[..., 1], "training", "blue", "o")
draw_with_band(SIZES, learning_curve[..., 3], "validation", "red", "s")
plt.legend(frameon=False, loc="lower right")
plt.axhline(1 - WRONG_SHARE, color="0.6", linestyle=":")
plt.annotate("share of right labels", (SIZES[0], 1 - WRONG_SHARE), va="bottom")
plt.xticks(SIZES, SIZES)
plt.minorticks_off()
plt.xlabel("training images (log scale)")
plt.ylabel("accuracy after 20 rounds")
plt.ylim(0.4, 1.1)
plt.show()

# %% [markdown]
# The training accuracy *falls*, and that is good news: with more images the network can no longer store each wrong label, and only what the
# images share pays. Validation accuracy rises at every step. The dotted line is as high as training accuracy can go without learning a wrong label.
#
# A learning curve tells you what to do next. A wide gap that still closes: get more data or regularize. Two curves that have met too low:
# more data will not help; the model is too small, or the inputs do not hold the answer.

# %%
gap = learning_curve[..., 1].mean(axis=1) - learning_curve[..., 3].mean(axis=1)
claim(
    "With every step of more data validation accuracy rises and the lead of training accuracy "
    "falls",
    np.all(np.diff(learning_curve[..., 3].mean(axis=1)) > 0) and np.all(np.diff(gap) < 0),
    ", ".join(f"{size} images: gap {value:+.2f}" for size, value in zip(SIZES, gap, strict=True)),
)

# %% [markdown]
# ## Three parts, and what each is for

# %% [markdown]
# ![All data is cut once into three bars: training data sets the weights, validation data makes the choices, test data gives one number at the end. Dashed red arrows from the two later parts back into the training data are named leakage.](../../../images/three_parts.png)

# %% [markdown]
# - The **training data** sets the weights. Its score says what the network can remember.
# - The **validation data** makes the choices: which remedy, how strong, when to stop. Whatever you choose by it, you fit to it a little.
# - The **test data** is used once, when every choice is made. Its score is the one you may report.
#
# **Leakage** is any way in which the data that judges has helped to make the model. It never announces itself: the result just looks
# good. Here are three leaks. In each, the labels are *random*, so an honest score is chance, and anything above it is the leak.
#
# ### Leak 1: choosing inputs before splitting
#
# 100 patients, 5,000 measurements each, all pure noise; 50 of the patients are called ill by lot. We keep the 20 measurements that go best with
# the label, split the patients into halves, train a classifier on one half and score it on the other. What accuracy do you expect?

# %% tags=["setup"]
PATIENTS, MEASUREMENTS, KEPT = 100, 5000, 20


def noise_patients(seed):
    """(100, 5000) numbers and (100,) labels, 0 or 1, that have nothing to do with each other."""
    rng = np.random.default_rng([SEED, seed])
    return rng.standard_normal((PATIENTS, MEASUREMENTS)), rng.permutation(np.arange(PATIENTS) % 2)


def best_measurements(patients, ill):
    """Which KEPT measurements differ most between the ill and the healthy of these patients."""
    difference = patients[ill == 1].mean(axis=0) - patients[ill == 0].mean(axis=0)
    return np.argsort(-np.abs(difference) / patients.std(axis=0))[:KEPT]


# %%
def accuracy_on_second_half(patients, ill, kept):
    classifier = sklearn.linear_model.LogisticRegression().fit(patients[:50, kept], ill[:50])
    return classifier.score(patients[50:, kept], ill[50:])


leaky, honest = [], []
for experiment in range(20):
    patients, ill = noise_patients(experiment)
    leaky.append(accuracy_on_second_half(patients, ill, best_measurements(patients, ill)))
    honest.append(
        accuracy_on_second_half(patients, ill, best_measurements(patients[:50], ill[:50]))
    )
print(
    f"chosen on all patients:       {np.mean(leaky):.2f} right, spread {np.std(leaky, ddof=1):.2f}"
)
print(
    f"chosen on the training half:  {np.mean(honest):.2f} right, spread "
    f"{np.std(honest, ddof=1):.2f}"
)

# %% without_learning="data"
claim(
    "On pure noise, choosing inputs before the split looks like a discovery, and choosing "
    "after it is chance",
    np.mean(leaky) > 0.8 and abs(np.mean(honest) - 0.5) < 0.1,
    f"accuracy {np.mean(leaky):.2f} against {np.mean(honest):.2f} over 20 experiments",
)

# %% [markdown]
# The classifier never saw the second half. The *choice* did: among 5,000 columns of noise some fit all 100 labels by luck, and they fit the
# second half because they were picked for it. This has happened with real genes (Ambroise and McLachlan 2002). The rule: everything that
# looks at labels or at the spread of the data, be it choosing inputs, scaling, or filling gaps, is part of training.
#
# ### Leak 2: copies on both sides
#
# 80 digits with labels by lot: there is nothing to learn. We make six copies of each, every copy with a little noise of its own. (This is data
# augmentation, of which more below.) Once we make the copies first and split afterwards; once whole digits go to one side. Our network trains on each.

# %%
leaky_copies, honest_copies = [], []
for run in RUNS[:2]:
    rng = np.random.default_rng([SEED, run])
    digits, _, _ = draw_training_set(run, size=80)
    copies = np.repeat(digits, 6, axis=0) + 0.05 * rng.standard_normal(
        (480, 14, 14, 1), dtype="float32"
    )
    lots = np.repeat(
        rng.permutation(np.arange(80) % 10), 6
    )  # a label by lot for each digit and its copies
    shuffled, in_order = (
        rng.permutation(480),
        np.arange(480),
    )  # in order, the copies of a digit stay together
    for order, accuracies in ((shuffled, leaky_copies), (in_order, honest_copies)):
        mine, others = order[:360], order[360:]
        history = train(
            plain, copies[mine], lots[mine], run, validation=(copies[others], lots[others])
        )
        accuracies.append(history[-1, 3])

# %%
claim(
    "A network seems to read labels given by lot when copies of one image lie on both sides "
    "of the split",
    np.mean(leaky_copies) > 0.7 and np.mean(honest_copies) < 0.2,
    f"validation accuracy {np.mean(leaky_copies):.2f}; {np.mean(honest_copies):.2f} with "
    "whole digits kept on one side",
)

# %% [markdown]
# The first number is memory, not reading: of nearly every validation image the network has seen a sister. The same happens with several
# photographs of one patient, neighbouring frames of a film, or the same text posted twice. Split by patient, film, author: by whatever
# will be *new* in real use; and augment after the split, the training part only.
#
# ### Leak 3: the best of many
#
# 200 models that guess, one coin for each answer. We keep the one with the best score on 100 validation examples.

# %% without_learning="data"
rng = np.random.default_rng(SEED)
answers = rng.integers(0, 2, 10_100)  # of 100 validation and 10,000 test examples
is_right = rng.integers(0, 2, (200, 10_100)) == answers  # 200 models
validation_scores, test_scores = is_right[:, :100].mean(axis=1), is_right[:, 100:].mean(axis=1)
winner = validation_scores.argmax()

claim(
    "The best of 200 guessing models looks good on the data that chose it, and is chance on "
    "test data",
    validation_scores[winner] > 0.58 and abs(test_scores[winner] - 0.5) < 0.03,
    f"{validation_scores[winner]:.2f} on validation data, {test_scores[winner]:.2f} on test data",
)

# %% [markdown]
# A validation score is honest for one model and flatters the winner of a contest, the more so the more take part and the smaller the
# validation data is. Hence the third part. Look at the test score, change something, look again: now it is validation data.
#
# ## The remedies, one at a time
#
# ### L2: large weights cost something
#
# Add to the loss the sum of the squared weights, times a strength $\lambda$: $L' = L + \lambda \sum_i w_i^2$. The gradient gains a term
# for each weight, and the only trap is its factor: the derivative of $w^2$ is $2w$, so the term is $2 \lambda w$.
#
# By hand, with $w = (3, -1)$ and $\lambda = 0.1$: penalty $0.1 \cdot (9 + 1) = 1$, gradient $2 \cdot 0.1 \cdot (3, -1) = (0.6, -0.2)$.

# %% without_learning="arithmetic"
weights, strength = np.array([3.0, -1.0]), 0.1
penalty_by_hand = strength * np.sum(weights**2)
gradient_by_hand = 2 * strength * weights

variable = tf.Variable(weights, dtype="float32")
with tf.GradientTape() as tape:
    penalty = keras.regularizers.L2(strength)(variable)
gradient = tape.gradient(penalty, variable).numpy()

np.testing.assert_allclose([penalty_by_hand, *gradient_by_hand], [1.0, 0.6, -0.2])
claim(
    "The L2 penalty and its gradient 2 λ w are those of keras.regularizers.L2",
    np.isclose(penalty, penalty_by_hand) and np.allclose(gradient, gradient_by_hand),
    f"penalty {float(penalty):.3f}, gradient {gradient.round(3)}",
)

# %% [markdown]
# A step of gradient descent with this term is $w - \eta\,(\nabla L + 2 \lambda w) = (1 - 2 \eta \lambda)\,w - \eta \nabla L$: first every weight
# shrinks by the same share, then comes the usual step. Shrinking weights by a share is called **weight decay**. For plain gradient descent the two are
# the same thing. Keras has both. With
# its `weight_decay` a step shrinks the weights by the share $\eta$ times `weight_decay`, so that `weight_decay` is $2 \lambda$.


# %%
def one_step(optimizer, strength=0.0):
    """Weights (3, -1) after one step on the loss w1 * w2 plus an L2 penalty."""
    variable = keras.Variable([3.0, -1.0], dtype="float32")
    with tf.GradientTape() as tape:
        loss = variable[0] * variable[1] + strength * keras.ops.sum(variable**2)
    optimizer.apply([tape.gradient(loss, variable.value)], [variable])
    return variable.numpy()


by_hand = np.array([3.0, -1.0]) - 0.1 * (np.array([-1.0, 3.0]) + 2 * 0.1 * np.array([3.0, -1.0]))
by_penalty = one_step(keras.optimizers.SGD(0.1), strength=0.1)
by_decay = one_step(keras.optimizers.SGD(0.1, weight_decay=0.2))
claim(
    "Under plain gradient descent an L2 penalty λ and a weight decay 2 λ take the same step, "
    "that of the formula",
    np.allclose(by_penalty, by_hand, atol=1e-6) and np.allclose(by_decay, by_hand, atol=1e-6),
    f"{by_penalty} and {by_decay}, by hand {by_hand}",
)

# %% [markdown]
# Under Adam they part. Adam divides each weight's step by the size of its gradients, and the penalty's gradient is divided along with the rest. A
# weight with large gradients is then hardly penalized at all. **AdamW** takes the decay out of that division (Loshchilov and Hutter 2019).
#
# To see it: 500 weights whose gradients are small noise, and 500 whose gradients are large noise. Nothing pulls any of them anywhere, so the
# penalty should bring all of them equally close to zero. All start at 1.


# %%
def weights_left(optimizer, strength, steps=300):
    """Mean of the weights that have small, and of those that have large, noisy gradients."""
    variable = keras.Variable(np.ones((2, 500)), dtype="float32")
    optimizer.build([variable])

    @tf.function
    def step(noise):
        optimizer.apply([noise + 2 * strength * variable.value], [variable])

    rng = np.random.default_rng(SEED)
    for _ in range(steps):
        step((rng.standard_normal((2, 500)) * [[0.1], [10]]).astype("float32"))
    return variable.numpy().mean(axis=1)


adam_small, adam_large = weights_left(keras.optimizers.Adam(0.003), strength=0.1)
adamw = keras.optimizers.AdamW(0.003, weight_decay=1.0)
adamw_small, adamw_large = weights_left(adamw, strength=0.0)
print(f"left of 1 with small, large gradients: Adam and L2 {adam_small:.2f}, {adam_large:.2f}")
print(f"                                       AdamW       {adamw_small:.2f}, {adamw_large:.2f}")

# %%
claim(
    "Adam with an L2 penalty hardly shrinks weights that have large gradients, AdamW shrinks "
    "all alike",
    adam_large > 0.9
    and adam_small < 0.7
    and abs(adamw_small - adamw_large) < 0.05
    and adamw_large < 0.7,
    f"left of 1: {adam_large:.2f} against {adam_small:.2f} with the penalty, "
    f"{adamw_large:.2f} and {adamw_small:.2f} with AdamW",
)

# %% [markdown]
# ### L1: some weights become exactly zero
#
# The **L1 penalty** is $\lambda \sum_i |w_i|$. Its derivative is $\lambda$ times the sign of $w_i$: the same pull whether the weight is large or tiny.
# L2 pulls in proportion and never quite arrives; L1 arrives. Take one weight that the data wants at $c$:
#
# - the lowest point of $\tfrac12 (w - c)^2 + \lambda w^2$ is $c / (1 + 2\lambda)$: smaller, never zero;
# - the lowest point of $\tfrac12 (w - c)^2 + \lambda |w|$ is $c$ moved by $\lambda$ towards zero, and *zero itself* where $|c| \le \lambda$. This is called
#   the **soft threshold**.


# %% tags=["setup"]
def soft_threshold(c, strength):
    """c moved towards zero by `strength`, and not beyond it."""
    return np.sign(c) * np.maximum(np.abs(c) - strength, 0)


# %%
wanted = np.array([-2.0, -0.3, 0.1, 0.5, 3.0])
candidates = np.linspace(-4, 4, 8001)[:, np.newaxis]  # every 0.001
found_l1 = candidates[
    np.argmin((candidates - wanted) ** 2 / 2 + 0.5 * np.abs(candidates), axis=0), 0
]
found_l2 = candidates[np.argmin((candidates - wanted) ** 2 / 2 + 0.5 * candidates**2, axis=0), 0]
print("wanted by the data:", wanted)
print("with L1:           ", found_l1.round(2), " with L2:", found_l2.round(2))
np.testing.assert_allclose(found_l1, soft_threshold(wanted, 0.5), atol=0.001)
np.testing.assert_allclose(found_l2, wanted / (1 + 2 * 0.5), atol=0.001)

# %% [markdown]
# Now a neuron with 30 inputs of which three matter. Three ways to train it with the same L1 penalty: Keras's regularizer with Adam; gradient steps on the
# data alone, each followed by the soft threshold; and scikit-learn's `Lasso`, whose answer is exact. How many weights will each make exactly zero?

# %%
rng = np.random.default_rng(SEED)
inputs = rng.standard_normal((100, 30))
targets = inputs[:, :3] @ [2.0, -1.5, 1.0] + 0.5 * rng.standard_normal(100)
STRENGTH = 0.15
exact = (
    sklearn.linear_model.Lasso(alpha=STRENGTH, fit_intercept=False, tol=1e-10)
    .fit(inputs, targets)
    .coef_
)

# %%
neuron = keras.Sequential(
    [
        keras.Input((30,)),
        keras.layers.Dense(
            1, use_bias=False, kernel_regularizer=keras.regularizers.L1(2 * STRENGTH)
        ),
    ]
)
neuron.compile(keras.optimizers.Adam(0.02), loss="mse")  # twice Lasso's loss, so twice its penalty
all_examples = tf.data.Dataset.from_tensors((inputs, targets[:, np.newaxis]))
_ = neuron.fit(all_examples.repeat(600), shuffle=False, verbose=0)
by_adam = neuron.get_weights()[0][:, 0]

by_threshold = np.zeros(30)
for _ in range(500):
    slope = inputs.T @ (inputs @ by_threshold - targets) / 100
    by_threshold = soft_threshold(by_threshold - 0.3 * slope, 0.3 * STRENGTH)


# %%
zeros = {
    name: int(np.sum(w == 0))
    for name, w in (("Adam", by_adam), ("threshold", by_threshold), ("Lasso", exact))
}
claim(
    "Steps with the soft threshold find Lasso's weights with its exact zeros, Adam comes "
    "close and has none",
    np.allclose(by_threshold, exact, atol=1e-4)
    and zeros["threshold"] == zeros["Lasso"] > 10
    and zeros["Adam"] == 0
    and np.max(np.abs(by_adam - exact)) < 0.05,
    f"zeros of 30: {zeros}; Adam differs from Lasso by at most "
    f"{np.max(np.abs(by_adam - exact)):.3f}",
)

# %% [markdown]
# So do not count zeros after training with Keras's L1: a step of Adam passes zero by and does not end on it. The weights are *near* zero, and you set those
# below a small limit to zero yourself.

# %% [markdown]
# ### Dropout: train without a random part of the network

# %% [markdown]
# ![Left, training: the same small network three times, each time other units are crossed out and the remaining ones count double. Right, prediction: all units are there, nothing is scaled.](../../../images/dropout_masks.png)

# %% [markdown]
# In every training step **dropout** sets each activation to zero with probability $p$, its rate. No unit can rely on a certain other one. At prediction
# all units are there. To keep the sums equally large, the survivors are divided by $1 - p$ during training; this form is called **inverted dropout**.
#
# Let $m$ be 1 with probability $1 - p$, else 0. The output is $a\,m / (1 - p)$. Its mean is $a\,(1 - p)/(1 - p) = a$: nothing changes on average.
# Its variance is $\dfrac{a^2}{(1 - p)^2}\,p\,(1 - p) = a^2\,\dfrac{p}{1 - p}$: dropout adds noise, in proportion to the activation.


# %%
def inverted_dropout(activations, rate, rng):
    survives = rng.random(activations.shape) >= rate
    return activations * survives / (1 - rate)


activation, rate = 2.0, 0.25
ours = inverted_dropout(np.full(200_000, activation), rate, np.random.default_rng(SEED))
keras_dropout = keras.layers.Dropout(rate, seed=SEED)
theirs = keras_dropout(np.full(200_000, activation, "float32"), training=True).numpy()
variance_formula = activation**2 * rate / (1 - rate)
for name, outputs in (("ours", ours), ("Keras's", theirs)):
    print(
        f"{name:8s} values {np.unique(outputs.round(4))}  mean {outputs.mean():.3f}  variance "
        f"{outputs.var():.3f}"
    )
print(f"formula  mean {activation:.3f}  variance {variance_formula:.3f}")

# %% without_learning="arithmetic"
claim(
    "Our dropout and Keras's give the same two values, with the mean and the variance of the "
    "formula",
    np.allclose(np.unique(ours), np.unique(theirs))
    and all(
        abs(out.mean() - activation) < 0.02 and abs(out.var() - variance_formula) < 0.02
        for out in (ours, theirs)
    ),
    f"means {ours.mean():.3f} and {theirs.mean():.3f} for {activation}, variances "
    f"{ours.var():.3f} and {theirs.var():.3f} for {variance_formula:.3f}",
)
claim(
    "At prediction Keras's dropout does nothing",
    np.all(keras_dropout(np.full(1000, activation), training=False).numpy() == activation),
    f"1,000 outputs, all {activation}",
)

# %% [markdown]
# ### Early stopping: a callback of our own
#
# **Early stopping** watches the validation loss, remembers the weights of the best epoch, gives up when `patience` epochs in a row have not beaten it,
# and puts the best weights back. A **callback** is an object whose methods `fit` calls at certain moments. Ours needs three.


# %% tags=["setup"]
class StopEarly(keras.callbacks.Callback):
    """Stops after `patience` epochs without a lower validation loss; restores the best weights."""

    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.lowest, self.best_epoch, self.best_weights, self.stopped_epoch = np.inf, 0, None, 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.lowest:
            self.lowest, self.best_epoch = logs["val_loss"], epoch
            self.best_weights = self.model.get_weights()
        elif epoch - self.best_epoch >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


# %% [markdown]
# Does it do what Keras's does? Train the network twice from the same weights on the same batches, once with each callback.


# %%
plain.model.compile(optimizer=plain.optimizer, loss=cross_entropy)


def fit_with(callback):
    start_afresh(plain, SEED)
    images, labels, _ = draw_training_set(run=0)
    _ = plain.model.fit(
        images,
        labels,
        epochs=60,
        batch_size=75,
        validation_batch_size=300,
        validation_data=(validation_images, validation_labels),
        callbacks=[callback],
        verbose=0,
    )
    return np.concatenate([w.ravel() for w in plain.model.get_weights()])


ours = StopEarly(patience=4)
theirs = keras.callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True)
our_weights, their_weights = fit_with(ours), fit_with(theirs)

# %%
claim(
    "Our callback stops in the same epoch as keras.callbacks.EarlyStopping and restores the "
    "same weights, those of an epoch after the first",
    ours.stopped_epoch == theirs.stopped_epoch > ours.best_epoch == theirs.best_epoch > 0
    and np.allclose(our_weights, their_weights, atol=1e-6),
    f"best epoch {ours.best_epoch} and {theirs.best_epoch}, stopped after "
    f"{ours.stopped_epoch} and {theirs.stopped_epoch}, "
    f"weights differ by {np.max(np.abs(our_weights - their_weights)):.0e}",
)

# %% [markdown]
# One run is one case. So we also feed both callbacks 300 made-up loss curves. Here the "weights" are just the number of the epoch.


# %% tags=["setup"]
class PretendModel:
    """Has weights, which are the number of the epoch, and can be stopped."""

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.epoch = weights


def outcome(callback, losses):
    """When the callback stops on this loss curve, and the weights it leaves."""
    model = PretendModel()
    model.epoch, model.stop_training = 0, False
    callback.set_model(model)
    callback.on_train_begin()
    for model.epoch, loss in enumerate(losses):
        callback.on_epoch_end(model.epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return callback.stopped_epoch, model.epoch


# %% without_learning="arithmetic"
rng = np.random.default_rng(SEED)
curves_made_up = [np.cumsum(rng.normal(0, 0.1, 40)) + 1 for _ in range(300)]
same = [
    outcome(StopEarly(patience), losses)
    == outcome(
        keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True),
        losses,
    )
    for losses, patience in zip(curves_made_up, rng.integers(1, 8, 300), strict=True)
]
claim(
    "On every one of 300 made-up loss curves our callback and Keras's stop alike and leave "
    "the same weights",
    all(same),
    f"{sum(same)} of {len(same)} alike",
)

# %% [markdown]
# ### Batch normalization
#
# **Batch normalization** subtracts from each weighted sum its mean over the batch, divides by its standard deviation over the batch, and then scales and shifts
# by two learned numbers. It was invented to make training faster. It also regularizes a little: an image's activations depend on which other
# images happen to share its batch, and that is noise. At prediction it uses moving averages instead. (Lesson 3.1 writes the layer out.)

# %% without_learning="arithmetic"
normalization = keras.layers.BatchNormalization()
rng = np.random.default_rng(SEED)
example = rng.standard_normal((1, 4)).astype("float32")
batches = [
    np.concatenate([example, rng.standard_normal((49, 4)).astype("float32")]) for _ in range(2)
]
in_training = [normalization(batch, training=True).numpy()[0] for batch in batches]
in_prediction = [normalization(batch, training=False).numpy()[0] for batch in batches]

claim(
    "With batch normalization one example gets other outputs in another batch, but only in "
    "training",
    np.max(np.abs(in_training[0] - in_training[1])) > 0.01
    and np.array_equal(in_prediction[0], in_prediction[1]),
    f"largest difference {np.max(np.abs(in_training[0] - in_training[1])):.2f} in training, "
    f"{np.max(np.abs(in_prediction[0] - in_prediction[1])):.2f} in prediction",
)

# %% [markdown]
# Dividing by the standard deviation has a second effect: the *size* of the weights before it no longer matters. Weights five times as large give the same output.

# %% without_learning="arithmetic"
larger_weights = normalization(
    5 * batches[0], training=True
).numpy()  # the weighted sums grow as the weights do
difference = np.max(np.abs(larger_weights - normalization(batches[0], training=True).numpy()))
claim(
    "Behind batch normalization it makes no difference whether weights are five times as large",
    difference < 0.01,
    f"outputs differ by at most {difference:.4f}",
)

# %% [markdown]
# ### Data augmentation
#
# **Data augmentation** changes the training images a little, anew at every step, in ways that keep their label. It tells the network something
# true that 150 images cannot: a digit moved by a pixel or turned a little is the same digit. Keras has layers for it; they work in training only.
#
# What you tell the network must be true. Below, the same digits under two augmentations. What is wrong with the second?


# %% tags=["setup"]
def shift_and_turn():
    """A tenth of the image in each direction, and up to 14 degrees."""
    return (
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        keras.layers.RandomRotation(0.04, fill_mode="constant"),
    )


def mirror_and_spin():
    """Mirror images, and any angle."""
    return keras.layers.RandomFlip(), keras.layers.RandomRotation(0.5, fill_mode="constant")


# %% alt="Three rows of the same ten digits: as they are; slightly shifted and turned, all still readable; mirrored and spun by any angle, several no longer readable."
examples = np.array([pool_images[pool_labels == digit][0] for digit in range(10)])
rows = [examples]
for augment in (shift_and_turn, mirror_and_spin):
    changed = examples
    for layer in augment():
        changed = layer(changed, training=True)
    rows.append(np.array(changed))
show_images(np.concatenate(rows))

# %% [markdown]
# First row: as they are. Second row: shifted and turned a little, every label still true. Third row: mirrored and spun. A 6 upside down
# is a 9, and nobody writes a mirrored 2. This augmentation teaches something false.

# %% [markdown]
# ## All of them, measured
#
# Now the table. Every recipe trains the same network for the same number of batches (early stopping may use fewer), in the same five runs: the same 150 images with 30 wrong labels, the same
# initial weights. (*More data* has 600 images, 120 labels wrong.) The strengths come from a coarse search
# beforehand, by validation accuracy on other splits of the same 1,797 digits. (Those splits held some of today's test images as training images. In a lesson we accept that and say
# so; in a study you would not.)
#
# Before you run it, write down your ranking. Which remedy will help most? Which not at all?

# %%
L1, L2 = keras.regularizers.L1, keras.regularizers.L2
MORE = 4 * TRAINING_SIZE
FULL = {"penalty": L2(0.02), "dropout": 0.5, "batch_normalization": True, "augment": shift_and_turn}
WITHOUT_BN = {name: remedy for name, remedy in FULL.items() if name != "batch_normalization"}

# %%
RECIPES = {  # name: (remedies in the network, training images, early stopping)
    "no remedy": ({}, TRAINING_SIZE, False),
    "L1": ({"penalty": L1(0.002)}, TRAINING_SIZE, False),
    "L2": ({"penalty": L2(0.02)}, TRAINING_SIZE, False),
    "dropout": ({"dropout": 0.5}, TRAINING_SIZE, False),
    "early stopping": ({}, TRAINING_SIZE, True),
    "batch normalization": ({"batch_normalization": True}, TRAINING_SIZE, False),
    "augmentation": ({"augment": shift_and_turn}, TRAINING_SIZE, False),
    "more data": ({}, MORE, False),
    "all together": (FULL, TRAINING_SIZE, True),
    "all but batch normalization": (WITHOUT_BN, TRAINING_SIZE, True),
    "bad: false augmentation": ({"augment": mirror_and_spin}, TRAINING_SIZE, False),
    "bad: far too strong": ({"dropout": 0.8, "penalty": L2(0.1)}, TRAINING_SIZE, False),
}

# %%
trainers = {}  # one for each set of remedies, so that each is compiled once


def try_recipe(remedies, size, stops, wrong_share=WRONG_SHARE):
    """Five runs. Returns an array of five numbers a run, and the trained weights.

    The numbers: training loss, accuracy, validation loss, accuracy, share of wrong labels learned.
    """
    key = tuple(remedies.items())
    if key not in trainers:
        trainers[key] = Trainer(**remedies)
    trainer = trainers[key]
    results, weights = [], []
    for run in RUNS:
        images, labels, is_wrong = draw_training_set(run, size, wrong_share)
        _ = train(trainer, images, labels, run, StopEarly(patience=5) if stops else None)
        wrong_ones = images[is_wrong], labels[is_wrong]
        by_heart = score(trainer, *wrong_ones)[1] if is_wrong.any() else np.nan
        on_validation = score(trainer, validation_images, validation_labels)
        results.append([*score(trainer, images, labels), *on_validation, by_heart])
        weights.append(trainer.model.get_weights())
    return np.array(results), weights


# %%
results, trained_weights = {}, {}
for name, recipe in RECIPES.items():
    results[name], trained_weights[name] = try_recipe(*recipe)

# %% [markdown]
# How do we decide whether a remedy helps? Five runs vary, but they vary *together*: a lucky draw of images is lucky for every recipe. So compare
# within each run, with *no remedy* on the same draw. The verdict is *helps* if validation accuracy is better in all five runs, *hurts* if it is worse in all five,
# and *no clear effect* otherwise. A remedy that does nothing has one chance in 32 of being called helpful by luck, and the
# table gives every recipe that chance: one *helps* by a hair proves little.


# %%
def verdict(name, measured):
    """Compares a recipe with no remedy, run by run."""
    difference = measured[name][:, 3] - measured["no remedy"][:, 3]
    if np.all(difference > 0):
        return "helps"
    return "hurts" if np.all(difference < 0) else "no clear effect"


def print_table(measured):
    print(" " * 28 + "training validation    gap  val. loss  by heart  verdict")
    for name, runs in measured.items():
        spread = runs[:, 3].std(ddof=1)
        _, accuracy, val_loss, val_accuracy, by_heart = runs.mean(axis=0)
        said = "" if name == "no remedy" else verdict(name, measured)
        print(
            f"{name:28} {accuracy:7.2f} {val_accuracy:5.2f} ±{spread:.2f} "
            f"{accuracy - val_accuracy:+6.2f}"
            f" {val_loss:10.2f} {by_heart:9.0%}  {said}"
        )


print_table(results)

# %% [markdown]
# *training* and *validation* are accuracies, ± the standard deviation over five runs; *gap* is training minus validation accuracy; *by heart* is the share of wrong
# labels that the network has learned. The gap can be negative here, because training labels are partly wrong and validation labels are not.
# Early stopping chooses its round by the validation data, so its score there is flattered a little: leak 3 in small.

# %% alt="One row of marks per recipe: its validation accuracy in each of five runs and their mean, sorted from the far too strong recipe at the bottom to more data at the top; a dotted line marks no remedy."
ordered = sorted(results, key=lambda name: results[name][:, 3].mean())
marks = {"helps": ("blue", "o"), "hurts": ("red", "X"), "no clear effect": ("black", "s")}
plt.figure(figsize=(6.9, 4.6))
for said, (colour, marker) in marks.items():
    plt.plot([], [], marker, color=COLOURS[colour], label=said)
for place, name in enumerate(ordered):
    colour, marker = marks[verdict(name, results)]
    accuracies = results[name][:, 3]
    plt.plot(
        accuracies, [place] * len(RUNS), marker, color=COLOURS[colour], markersize=5, alpha=0.6
    )
    plt.plot(
        accuracies.mean(), place, "|", color=COLOURS[colour], markersize=18, markeredgewidth=2.5
    )
plt.axvline(results["no remedy"][:, 3].mean(), color="0.6", linestyle=":")
plt.yticks(range(len(ordered)), ordered)
plt.xlabel("validation accuracy in five runs, and their mean (bar)")
plt.legend(frameon=False, loc="upper left")
plt.show()

# %% [markdown]
# ### What helped, what did not
#
# More data helps most. Of the remedies that cost no labels, augmentation, early stopping and dropout help clearly, each alone; they also learn far fewer wrong labels by heart.

# %% tags=["headline"]
means = {name: runs[:, 3].mean() for name, runs in results.items()}
by_heart = {name: runs[:, 4].mean() for name, runs in results.items()}
alone = ("early stopping", "dropout", "augmentation")
claim(
    "With few images and wrong labels, of all single remedies more data adds most to validation "
    "accuracy, and augmentation, early stopping and dropout add 0.03 or more each",
    all(means["more data"] > means[name] for name in (*alone, "L1", "L2", "batch normalization"))
    and means["more data"] > means["no remedy"] + 0.1
    and all(means[name] > means["no remedy"] + 0.03 for name in alone),
    "validation accuracy "
    + ", ".join(f"{name} {means[name]:.2f}" for name in ("no remedy", *alone, "more data"))
    + f", means of {len(RUNS)} runs",
)

# %% [markdown]
# Now what did *not* help. The next cell says it from the table, not from memory.

# %%
for name in ordered:
    if name != "no remedy" and verdict(name, results) != "helps":
        change = means[name] - means["no remedy"]
        print(
            f"{name}: {verdict(name, results)}, {change:+.2f}; learned by heart: "
            f"{by_heart[name]:.0%} of the wrong labels"
        )

# %% [markdown]
# A remedy listed with a plus may help a little: five runs are too few to be sure. The others deserve a word each.
#
# - **Far too strong**: the gap is nearly closed, because the network learned next to nothing. A small gap is not the aim. Good validation scores are.
# - **False augmentation** is a lie, repeated thousands of times.
# - **Batch normalization** alone does little here: it makes the network fit faster, and it fits all the wrong labels.
# - **All but batch normalization** is a surprise: remedies of which most help alone do, all at once, worse than augmentation alone. Together they hold the network back too much:
#   in the 20 rounds that it has, it underfits. When you combine remedies, make each one weaker, or see the next point.
# - **All together** with batch normalization is among the best, although that layer alone does little. A likely reason: behind it the size of weights makes no difference, as you saw,
#   so the L2 penalty cannot press the signal down. What a remedy does depends on its company.

# %%
claim(
    "Batch normalization alone helps less than early stopping, dropout, augmentation or more "
    "data, and learns the wrong labels by heart",
    means["batch normalization"] < min(means[name] for name in (*alone, "more data")) - 0.02
    and by_heart["batch normalization"] > 0.9,
    f"validation accuracy {means['batch normalization']:.2f}, no remedy "
    f"{means['no remedy']:.2f}; wrong labels learned {by_heart['batch normalization']:.0%}",
)
claim(
    "All remedies together do better than no remedy in every run; without batch normalization "
    "they do worse than augmentation alone",
    verdict("all together", results) == "helps"
    and means["all but batch normalization"] < means["augmentation"] - 0.02
    and means["all together"] > means["all but batch normalization"] + 0.05,
    f"{means['all together']:.2f} against {means['all but batch normalization']:.2f}; "
    f"augmentation alone {means['augmentation']:.2f}",
)

# %%
claim(
    "Augmentation that is not true is worse than true augmentation by a tenth of all images "
    "or more, and no help",
    means["bad: false augmentation"] < min(means["no remedy"] + 0.02, means["augmentation"] - 0.1),
    f"validation accuracy {means['bad: false augmentation']:.2f}; none "
    f"{means['no remedy']:.2f}, true augmentation {means['augmentation']:.2f}",
)

# %%
good, bad = "all together", "bad: far too strong"
gap_of = {name: np.mean(runs[:, 1] - runs[:, 3]) for name, runs in results.items()}
claim(
    "The recipe that is far too strong nearly closes the gap and is the worst of all",
    abs(gap_of[bad]) < 0.1 < gap_of["no remedy"]
    and min(means, key=means.get) == bad
    and means[good] > means[bad] + 0.3,
    f"gap {gap_of[bad]:+.2f}, validation accuracy {means[bad]:.2f}; the good recipe has "
    f"{means[good]:.2f}",
)

# %% [markdown]
# ### Another task, another verdict
#
# Is batch normalization useless, then? The table is about *this* task. The same two recipes once more, with all labels right:

# %%
clean = {
    "no remedy": try_recipe({}, TRAINING_SIZE, False, wrong_share=0)[0],
    "batch normalization": try_recipe(
        {"batch_normalization": True}, TRAINING_SIZE, False, wrong_share=0
    )[0],
}
for name, runs in clean.items():
    print(f"{name:20} validation accuracy {runs[:, 3].mean():.3f}, loss {runs[:, 2].mean():.3f}")
print("batch normalization:", verdict("batch normalization", clean))

# %%
claim(
    "With right labels batch normalization lowers the validation loss",
    clean["batch normalization"][:, 2].mean() < clean["no remedy"][:, 2].mean(),
    f"{clean['no remedy'][:, 2].mean():.2f} without, "
    f"{clean['batch normalization'][:, 2].mean():.2f} with",
)

# %% [markdown]
# A remedy is not good or bad. It fits a problem or does not. That is why this lesson teaches you to measure, and why no list of best remedies replaces the table you make
# for your own data.

# %% [markdown]
# ## The test data, once
#
# All choices are made. So now, for the first and only time, the test data: for the network without remedy, for all remedies together, for the plain network with 600 images, and for
# classical methods on the same 150 images. Their settings, too, are chosen on validation data.


# %%
def flat(images):
    return images.reshape(len(images), -1)


CLASSICAL = {
    "the most frequent label": [sklearn.dummy.DummyClassifier()],
    "nearest neighbours": [sklearn.neighbors.KNeighborsClassifier(k) for k in (1, 5)],
    "logistic regression": [
        sklearn.linear_model.LogisticRegression(C=c, max_iter=500) for c in (0.01, 0.1)
    ],
    "support vector machine": [sklearn.svm.SVC(C=c) for c in (1, 3)],
}
test_accuracy = {name: [] for name in CLASSICAL}
validation_accuracy = {name: [] for name in CLASSICAL}
for run in RUNS:
    images, labels, _ = draw_training_set(run)
    for name, settings in CLASSICAL.items():
        fitted = [model.fit(flat(images), labels) for model in settings]
        on_validation = [
            model.score(flat(validation_images), validation_labels) for model in fitted
        ]
        best = fitted[np.argmax(on_validation)]
        validation_accuracy[name].append(max(on_validation))
        test_accuracy[name].append(best.score(flat(test_images), test_labels))

# %%
for name in ("no remedy", good, "more data"):
    trainer = trainers[tuple(RECIPES[name][0].items())]
    test_accuracy[name] = []
    for weights in trained_weights[name]:
        trainer.model.set_weights(weights)
        test_accuracy[name].append(score(trainer, test_images, test_labels)[1])

for name, accuracies in sorted(test_accuracy.items(), key=lambda item: np.mean(item[1])):
    print(
        f"{name:29} {np.mean(accuracies):.2f} ±{np.std(accuracies, ddof=1):.2f} of "
        f"{len(test_images)} test images"
    )

# %%
test_means = {name: np.mean(accuracies) for name, accuracies in test_accuracy.items()}
best_classical = max(CLASSICAL, key=lambda name: np.mean(validation_accuracy[name]))
claim(
    "On test data all remedies together beat the network without remedy in every run",
    np.all(np.array(test_accuracy[good]) > np.array(test_accuracy["no remedy"])),
    f"{test_means['no remedy']:.2f} without, {test_means[good]:.2f} with",
)
claim(
    "On the same 150 images the classical method that validation data chooses does as well as all "
    "remedies together or better, and both read more than 8 in 10 test images",
    test_means[best_classical] > test_means[good] - 0.02
    and min(test_means[best_classical], test_means[good]) > 0.8,
    f"{best_classical} {test_means[best_classical]:.2f}, all together {test_means[good]:.2f}",
)

# %% [markdown]
# That is the answer to the question at the top. Training accuracy cannot tell understanding from memory; data that the network has not seen can. And be honest about the
# list: on so few images a classical method matches the network with all its remedies, or beats it. The network's advantage comes with more data, and with layers made for images (lesson 3.1).

# %% [markdown]
# ## Common mistakes
#
# - **Scaling, selecting or augmenting before the split.** Split first. What the training part teaches is then *applied* to the other parts.
# - **Looking at the test score while you still choose.** From that moment it is validation data.
# - **Treating underfitting with regularization.** If the training score is low, too, use a larger network, train longer, or weaken the remedies.
# - **Calling the network with `training=True` at prediction**, or forgetting it in your own training loop: dropout, batch normalization and augmentation depend on it.
# - **Taking $\lambda$ from one library to another.** Some penalties are halved, some averaged, and Keras's `weight_decay` is $2\lambda$ for plain gradient descent.
# - **Regularizing more because the gap is large.** Judge by the validation score. A gap may stay and do no harm.
# - **One run.** A lucky draw of images moves the score as much as many a remedy does. Compare on the same draws, several times.

# %% [markdown]
# ## Exercise 1: two penalties at once
#
# The **elastic net** adds both penalties: $\lambda_1 \sum |w_i| + \lambda_2 \sum w_i^2$. Write its gradient. Where a weight is zero, take 0 for the
# derivative of $|w|$, as TensorFlow does.


# %% tags=["exercise"]
def elastic_net_gradient(w, l1, l2):
    """Gradient of l1 * sum(|w|) + l2 * sum(w**2) for weights of any shape."""
    ### BEGIN SOLUTION
    return l1 * np.sign(w) + 2 * l2 * w
    ### END SOLUTION


# %% tags=["wrong"] says="the derivative of w² is 2w"
def elastic_net_gradient(w, l1, l2):  # forgets the 2
    return l1 * np.sign(w) + l2 * w


# %% tags=["wrong"] says="the derivative of |w| is −1"
def elastic_net_gradient(w, l1, l2):  # forgets the sign
    return l1 + 2 * l2 * w


# %% tags=["wrong"] says="a weight can be zero"
def elastic_net_gradient(w, l1, l2):  # divides by zero where a weight is zero
    return l1 * w / np.abs(w) + 2 * l2 * w


# %% tags=["wrong"] says="whether it is large or tiny"
def elastic_net_gradient(w, l1, l2):  # takes the penalty itself for its slope
    return l1 * np.abs(w) * np.sign(w) + 2 * l2 * w


# %% tags=["check"]
with feedback("Two penalties at once"):
    table = np.array([[3.0, -1.0, 0.0], [0.5, -0.25, -2.0]])
    for w, l1, l2 in (
        (table, 0.0, 0.5),
        (table, 0.3, 0.0),
        (table, 0.2, 0.7),
        (-table[0], 0.5, 0.3),
    ):
        variable = tf.Variable(w)
        with tf.GradientTape() as tape:
            penalty = keras.regularizers.L1L2(l1, l2)(variable)
        expected = tape.gradient(penalty, variable).numpy()
        got = np.array(elastic_net_gradient(w.copy(), l1, l2))
        assert got.shape == w.shape, f"return one number for each weight, in the shape {w.shape}"
        assert np.all(np.isfinite(got)), "a weight can be zero: do not divide by it, nor by |w|"
        if l1 == 0:
            assert not np.allclose(got, expected / 2), "the derivative of w² is 2w, not w"
        if l2 == 0:
            assert not np.allclose(got[w < 0], l1), "the derivative of |w| is −1 for negative w"
            assert np.allclose(got[w == 0], 0), "at w = 0 take 0 for the derivative of |w|"
            assert np.allclose(np.abs(got[w != 0]), l1), (
                "the penalty λ1 |w| pulls a weight by λ1, whether it is large or tiny"
            )
        assert np.allclose(got, expected, atol=1e-6), (
            f"for λ1 = {l1}, λ2 = {l2} and w = {w.tolist()} GradientTape gives "
            f"{expected.round(3).tolist()}, yours is {got.round(3).tolist()}: add λ1 times the "
            "sign of w and 2 λ2 w"
        )

# %% [markdown]
# ## Exercise 2: predict
#
# `keras.layers.Dropout(0.8)` in training gets 100,000 activations that are all 3. Predict, before you run anything: what value do the survivors have, and what is the
# variance of the outputs?

# %% tags=["exercise"]
survivor, variance_of_outputs = None, None  # replace None with your two numbers
### BEGIN SOLUTION
survivor = 3 / (1 - 0.8)  # five times as much
variance_of_outputs = 3**2 * 0.8 / (1 - 0.8)
### END SOLUTION

# %% tags=["wrong"] says="the survivors are scaled"
survivor, variance_of_outputs = 3.0, 3**2 * 0.8 * 0.2  # dropout without scaling

# %% tags=["wrong"] says="0.8 is the share that is set to zero"
survivor, variance_of_outputs = (
    3 / 0.8,
    3**2 * 0.2 / 0.8,
)  # takes the rate for the share that survives

# %% tags=["wrong"] says="that is the standard deviation"
survivor, variance_of_outputs = 15, 6

# %% tags=["check"]
with feedback("Predict"):
    outputs = keras.layers.Dropout(0.8, seed=1)(
        np.full(100_000, 3.0, "float32"), training=True
    ).numpy()
    assert not np.isclose(survivor, 3), "the survivors are scaled, so that the mean stays 3"
    assert not np.isclose(survivor, 3 / 0.8), (
        "the rate 0.8 is the share that is set to zero, not the share that survives"
    )
    assert np.isclose(survivor, outputs.max(), rtol=0.01), (
        f"the survivors are not {survivor:.4g}: divide by the share that survives"
    )
    assert not np.isclose(variance_of_outputs, outputs.std(), rtol=0.02), (
        "that is the standard deviation: the variance is its square"
    )
    assert not np.isclose(variance_of_outputs, 3**2 * 0.8 * 0.2), (
        "that is the variance without the scaling of the survivors"
    )
    assert np.isclose(variance_of_outputs, outputs.var(), rtol=0.02), (
        f"the measured variance is not {variance_of_outputs:.4g}: use a² p / (1 − p), p is the rate"
    )

# %% [markdown]
# ## Exercise 3: repair this
#
# A colleague prepares the noise patients and reports a classifier that is right for most of them. Two lines of this function leak. Repair it so that
# the choice and the scaling come from the patients in `training_rows` alone, and are then applied to all patients alike.
#
# ```python
# def prepare(patients, ill, training_rows):
#     kept = best_measurements(patients, ill)
#     chosen = patients[:, kept]
#     return (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)
# ```


# %% tags=["exercise"]
def prepare(patients, ill, training_rows):
    """All patients (n, KEPT), chosen and scaled. training_rows: whose data may be used."""
    ### BEGIN SOLUTION
    kept = best_measurements(patients[training_rows], ill[training_rows])
    training_part = patients[training_rows][:, kept]
    return (patients[:, kept] - training_part.mean(axis=0)) / training_part.std(axis=0)
    ### END SOLUTION


# %% tags=["wrong"] says="the scaling still sees them"
def prepare(patients, ill, training_rows):  # the choice is mended, the scaling is not
    chosen = patients[:, best_measurements(patients[training_rows], ill[training_rows])]
    return (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)


# %% tags=["wrong"] says="the choice of measurements still sees them"
def prepare(patients, ill, training_rows):  # the scaling is mended, the choice is not
    chosen = patients[:, best_measurements(patients, ill)]
    return (chosen - chosen[training_rows].mean(axis=0)) / chosen[training_rows].std(axis=0)


# %% tags=["wrong"] says="the others are not"
def prepare(patients, ill, training_rows):  # the other patients get a scaling of their own
    chosen = patients[:, best_measurements(patients[training_rows], ill[training_rows])]
    others = np.setdiff1d(np.arange(len(patients)), training_rows)
    scaled = np.zeros_like(chosen)
    for rows in (training_rows, others):
        scaled[rows] = (chosen[rows] - chosen[rows].mean(axis=0)) / chosen[rows].std(axis=0)
    return scaled


# %% tags=["wrong"] says="mean 0 and spread 1"
def prepare(patients, ill, training_rows):  # shifts and does not divide
    chosen = patients[:, best_measurements(patients[training_rows], ill[training_rows])]
    return chosen - chosen[training_rows].mean(axis=0)


# %% tags=["check"]
with feedback("Repair this"):
    for seed, size in ((1000, 60), (1001, 40)):
        patients, ill = noise_patients(seed)
        rows, others = np.split(np.random.default_rng(seed).permutation(PATIENTS), [size])
        got = np.array(prepare(patients.copy(), ill.copy(), rows))
        assert got.shape == (PATIENTS, KEPT), (
            f"return all {PATIENTS} patients with {KEPT} measurements, yours is {got.shape}"
        )
        relabelled, moved = ill.copy(), patients.copy()
        relabelled[others] = 1 - relabelled[others]
        moved[others] += 5
        assert np.allclose(prepare(patients.copy(), relabelled, rows), got), (
            "with other labels for the patients outside training_rows your result changes: "
            "the choice of measurements still sees them"
        )
        assert np.allclose(prepare(moved, ill.copy(), rows)[rows], got[rows]), (
            "with other numbers for the patients outside training_rows the training patients "
            "change: the scaling still sees them"
        )
        right = patients[:, best_measurements(patients[rows], ill[rows])]
        right = (right - right[rows].mean(axis=0)) / right[rows].std(axis=0)
        right, got = (table[:, np.argsort(table[rows[0]])] for table in (right, got))
        assert np.allclose(
            [got[rows].mean(axis=0), got[rows].std(axis=0)], [[0], [1]], atol=0.05
        ), "the training patients must end with mean 0 and spread 1 in each measurement"
        assert np.allclose(got[rows], right[rows], rtol=0.02, atol=0.02), (
            "these are not the measurements that best_measurements chooses for the training patients"
        )
        assert np.allclose(got[others], right[others], rtol=0.02, atol=0.02), (
            "the training patients are right, the others are not: scale them with the mean and "
            "the spread of the training patients, not with their own"
        )

# %% [markdown]
# ## Exercise 4: stop early, but not for crumbs
#
# Keras's `EarlyStopping` has one more setting: with `min_delta`, only a loss *lower than the best so far by more than* `min_delta` counts as better. Write the rule for a
# recorded loss curve, an array.


# %% tags=["exercise"]
def stopping_epochs(losses, patience, min_delta):
    """When training stops (0 if it never does), and the best epoch; both counted from 0."""
    ### BEGIN SOLUTION
    lowest, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:
            lowest, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            return epoch, best_epoch
    return 0, best_epoch
    ### END SOLUTION


# %% tags=["wrong"] says="crumb"
def stopping_epochs(losses, patience, min_delta):  # every crumb counts as better
    lowest, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest:
            lowest, best_epoch = loss, epoch
        elif epoch - best_epoch >= patience:
            return epoch, best_epoch
    return 0, best_epoch


# %% tags=["wrong"] says="not with the epoch before"
def stopping_epochs(
    losses, patience, min_delta
):  # compares with the epoch before, not with the best
    best_epoch = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[epoch - 1] - min_delta:
            best_epoch = epoch
        elif epoch - best_epoch >= patience:
            return epoch, best_epoch
    return 0, best_epoch


# %% tags=["wrong"] says="as soon as `patience` epochs have passed"
def stopping_epochs(losses, patience, min_delta):  # waits one epoch too long
    lowest, best_epoch = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:
            lowest, best_epoch = loss, epoch
        elif epoch - best_epoch > patience:
            return epoch, best_epoch
    return 0, best_epoch


# %% tags=["check"]
with feedback("Stop early, but not for crumbs"):
    trials = [  # losses, patience, min_delta, what the trial is about
        ([4, 3, 2, 1], 2, 0, "it never stops: return 0, and the last epoch, counted from 0"),
        ([4, 3, 5, 6, 7], 2, 0, "stop as soon as `patience` epochs have passed since the best"),
        ([4, 2, 3.5, 3, 2.5], 3, 0, "compare with the best so far, not with the epoch before"),
        ([4, 4, 4, 4], 3, 0, "an equal loss is not better"),
        ([4, 3.5, 3.25, 3.25], 2, 1, "a loss that is lower by less than min_delta is a crumb"),
        ([4, 3, 3, 3], 2, 1, "a loss that is lower by just min_delta is not better"),
        ([-4, -5, -7, -6, -6], 2, 1, "subtract min_delta, also where losses are negative"),
        ([4, 3.5, 2.75, 2.5, 1.5], 2, 1, "crumbs do not move the best loss, but they add up"),
    ]
    rng = np.random.default_rng(1)
    for _ in range(200):
        curve = np.cumsum(rng.integers(-3, 4, 30)) / 8
        trials.append((curve, rng.integers(1, 6), rng.integers(0, 4) / 8, "go through it by hand"))
    for losses, patience, min_delta, hint in trials:
        losses = np.array(losses, dtype=float)
        oracle = keras.callbacks.EarlyStopping(
            "val_loss", min_delta, int(patience), restore_best_weights=True
        )
        expected = outcome(oracle, losses)
        got = stopping_epochs(losses.copy(), int(patience), min_delta)
        assert np.shape(got) == (2,), "return two numbers, also where training never stops"
        assert tuple(got) == expected, (
            f"losses {losses.tolist()}, patience {patience}, min_delta {min_delta}: Keras says "
            f"{expected}, yours {tuple(got)}; {hint}"
        )

# %% [markdown]
# ## Exercise 5: beat no remedy (open-ended)
#
# Choose remedies for `small_network`. The check trains with them and without, twice, on 150 images with 30 wrong labels, and asks for at least 5 more of 100
# validation images right. Then go on: how much further can you get? Try a convolution (lesson 3.1) when you know it.


# %% tags=["exercise"]
def my_remedies():
    """A dictionary with any of penalty, dropout, batch_normalization and augment."""
    ### BEGIN SOLUTION
    return {"augment": shift_and_turn, "dropout": 0.2}
    ### END SOLUTION


# %% tags=["wrong"] says="which remedies helped in the table?"
def my_remedies():  # nothing
    return {}


# %% tags=["wrong"] says="it underfits"
def my_remedies():  # so much that nothing is learned
    return {"dropout": 0.9, "penalty": keras.regularizers.L2(0.1)}


# %% tags=["check"]
with feedback("Beat no remedy"):
    remedies = my_remedies()
    assert isinstance(remedies, dict), "return a dictionary, such as {'dropout': 0.5}"
    known = {"penalty", "dropout", "batch_normalization", "augment"}
    assert remedies.keys() <= known, f"small_network has no {', '.join(remedies.keys() - known)}"
    scores = {}
    for name, chosen in (("without", {}), ("with", remedies)):
        trainer = Trainer(**chosen)
        scores[name] = np.mean(
            [train(trainer, *draw_training_set(run)[:2], run)[-1] for run in (100, 101)], axis=0
        )
    _, fitted, _, with_them = scores["with"]
    without = scores["without"][3]
    if fitted < 0.6:
        advice = f"it underfits, with training accuracy {fitted:.2f}; make them weaker"
    elif with_them > without + 0.02:
        advice = "they help, by less than 5 of 100; combine two, or change their strengths"
    else:
        advice = "which remedies helped in the table?"
    assert with_them >= without + 0.05, (
        f"validation accuracy {with_them:.2f} with your remedies, {without:.2f} without: {advice}"
    )

# %% [markdown]
# ## Summary
#
# - Underfitting is bias, overfitting is variance; with a known truth you can measure both, and they add up to the error.
# - Training error falls with capacity. Error on new data has a valley, and for wide networks it can fall a second time.
# - Training data sets weights, validation data makes choices, test data is used once. A leak makes random labels look readable.
# - L2 shrinks weights in proportion, L1 makes weights zero, dropout adds noise in proportion to the activation, early stopping keeps the best epoch, augmentation tells
#   the network what does not change the label.
# - Here, with few images and wrong labels, more data helped most, then augmentation, early stopping and dropout. Batch normalization alone did not keep the
#   network from learning wrong labels, and strong remedies piled up without it underfit. With right labels, batch normalization did help.
#
# Not shown: larger networks and images, where the ranking can differ; weight decay tuned with AdamW; label smoothing and mixup; cross-validation, which uses every image
# for training and for validation in turn. Lesson 3.1 builds networks that need not be told about shifts; lesson 3.2 uses knowledge from other data when yours is
# scarce; lesson 8.1 makes augmentation fast, and lesson 8.2 searches for the strengths.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Training loss 0.9, validation loss 0.92, and chance would be 2.3. Do you add dropout?</summary>
#
# No. The two are close together, so variance is not the problem. If 0.9 is too high, the network underfits: more capacity, more steps, better inputs.
#
# </details>
#
# <details>
# <summary>Validation loss climbs while validation accuracy stays the same. How can that be?</summary>
#
# The same images are answered wrongly, but with ever more confidence. Cross-entropy punishes confident mistakes; accuracy does not see confidence.
#
# </details>
#
# <details>
# <summary>Why can validation accuracy be higher than training accuracy, as in several rows of the table?</summary>
#
# Here, because a fifth of the training labels are wrong and the validation labels are not: a network that has understood gets those training labels "wrong". In other work, because
# a framework measures the training loss while dropout or augmentation is on, and on average over the epoch.
#
# </details>
#
# <details>
# <summary>You normalize all images by the mean of the whole data set before splitting. Is that a leak?</summary>
#
# Yes, a small one: the mean has seen the test images. With many images the effect is tiny, but the right way costs nothing, and with few examples or with chosen inputs the effect is large.
#
# </details>
#
# <details>
# <summary>Dropout at prediction, many times, gives different answers. Is that useful?</summary>
#
# It can be: the spread of the answers says something about how sure the network is (Gal and Ghahramani 2016). Keras does it with `model(x, training=True)`, if the network has no
# batch normalization, which would change its behaviour, too.
#
# </details>

# %% [markdown]
# ## References
#
# - S. Geman, E. Bienenstock, R. Doursat (1992). Neural networks and the bias/variance dilemma. doi:10.1162/neco.1992.4.1.1
# - M. Belkin, D. Hsu, S. Ma, S. Mandal (2019). Reconciling modern machine-learning practice and the classical bias-variance trade-off. doi:10.1073/pnas.1903070116
# - C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals (2017). Understanding deep learning requires rethinking generalization. arXiv:1611.03530
# - C. Ambroise, G. J. McLachlan (2002). Selection bias in gene extraction on the basis of microarray gene-expression data. doi:10.1073/pnas.102102699
# - S. Kapoor, A. Narayanan (2023). Leakage and the reproducibility crisis in machine-learning-based science. doi:10.1016/j.patter.2023.100804
# - R. Tibshirani (1996). Regression shrinkage and selection via the lasso. Journal of the Royal Statistical Society B 58.
# - I. Loshchilov, F. Hutter (2019). Decoupled weight decay regularization. arXiv:1711.05101
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014). Dropout: a simple way to prevent neural networks from overfitting. JMLR 15:1929-1958.
# - L. Prechelt (1998). Early stopping, but when? doi:10.1007/3-540-49430-8_3
# - S. Ioffe, C. Szegedy (2015). Batch normalization. arXiv:1502.03167
# - P. Y. Simard, D. Steinkraus, J. C. Platt (2003). Best practices for convolutional neural networks applied to visual document analysis. doi:10.1109/ICDAR.2003.1227801
# - Y. Gal, Z. Ghahramani (2016). Dropout as a Bayesian approximation. arXiv:1506.02142
