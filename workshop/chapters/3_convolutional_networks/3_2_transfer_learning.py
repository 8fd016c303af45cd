# ---
# jupyter:
#   course:
#     prerequisites: ["3.1"]
#     downloads: ["MobileNetV2's ImageNet weights"]
#     equal_programs:
#       "Predict":
#         "operator: 3 * 3 * 1 -> 3 * 3 / 1": "there is one channel"
#         "one side: 3 * 3 * 1 -> 3 * 3": "there is one channel"
#       "Beat this baseline":
#         "comparison: image.max(axis=1) > 0.3 -> image.max(axis=1) >= 0.3": "the same rows, but for a brightest pixel of exactly 0.3"
#         "comparison: image.max(axis=0) > 0.3 -> image.max(axis=0) >= 0.3": "the same columns, but for a brightest pixel of exactly 0.3"
#         "constant: 0.3 -> 0.6*": "counts as ink what is brighter, and still undoes place and size: it reaches the goal"
#         "operator: rows[-1] + 1 -> rows[-1] - 1": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "operator: columns[-1] + 1 -> columns[-1] - 1": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 20 -> *": "all images get one size, as asked; it need not be 20 by 20"
#         "constant: 0 -> 1 (2)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 0 -> 1 (3)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 2 (2)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 2 (3)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 2 (4)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 2 (5)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 0": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#         "constant: 1 -> 0 (2)": "cuts one row or column more or less, and still undoes place and size: it reaches the goal"
#     core_minutes: 80
# ---

# %% [markdown]
# # 3.2 Transfer learning
#
# **After this lesson you can** take a network that was trained on one task and reuse it for another with a handful of labelled images:
# compute its features once, train a new head, unfreeze and fine-tune with a learning rate that does not destroy what was learned, keep batch
# normalization under control, and measure whether any of it was worth it.
#
# **You build** a reader for the digits 5 to 9 from a network that knows only 0 to 4, and the curve that shows where the gain ends.
#
# **Question.** You have five labelled images a class. Somebody has thousands, of other classes. What is their network worth to you?

# %% tags=["setup"]
import time

import cv2
import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.datasets
import sklearn.linear_model
import sklearn.neighbors
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    load_mobilenet,
    show_images,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## An old task and a new one
#
# The **old task** is reading 0 to 4, with all their training images. The **new task** is reading 5 to 9, with a few images each. The digits of
# this course stand upright in the middle of the frame, so neat that comparing pixels reads them. Real writing does not. So every digit here is
# made smaller, tilted and moved by chance. Then what has to be learned about writing in general is worth something.


# %% tags=["setup"]
def careless(images, rng, copies=1, scales=(0.55, 0.85), shift=5):
    """Every image scaled, tilted and moved by chance, `copies` times.

    images: (n, 28, 28, 1), shift: at most so many pixels. Returns (copies * n, 28, 28, 1): all images, then all again.
    """
    moved = []
    for image in np.tile(images, (copies, 1, 1, 1)):
        change = cv2.getRotationMatrix2D((13.5, 13.5), rng.uniform(-20, 20), rng.uniform(*scales))
        change[:, 2] += rng.uniform(-shift, shift, 2)
        moved.append(cv2.warpAffine(image[..., 0], change, (28, 28)))
    return np.array(moved)[..., np.newaxis]


# %%
def draw_task(run):
    """The images and labels (0 to 4 in both tasks) of one run: {part: (images, labels)}."""
    rng = np.random.default_rng([SEED, run])
    training, validation, test = load_digits(seed=100 * SEED + run)

    def part(images, labels, new, copies):
        mine = (labels >= 5) == new
        return careless(images[mine], rng, copies), np.tile(labels[mine] % 5, copies)

    return {
        "old": part(*training, new=False, copies=10),
        "old test": part(*test, new=False, copies=2),
        "pool": part(*training, new=True, copies=1),
        "validation": part(*validation, new=True, copies=2),
        "test": part(*test, new=True, copies=2),
    }


def few(task, shots):
    """The first `shots` images of each new class: images and labels."""
    images, labels = task["pool"]
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:shots] for digit in range(5)])
    return images[chosen], labels[chosen]


# %% [markdown]
# Everything below happens in five **runs**. Each has its own split, its own deformations, its own initial weights and its own few images.

# %% alt="Two rows of ten small handwritten digits, tilted and off centre: zeros to fours above, fives to nines below."
RUNS = range(5)
tasks = [draw_task(run) for run in RUNS]
old_images, old_labels = tasks[0]["old"]
first_of_each = [np.flatnonzero(old_labels == digit)[:2] for digit in range(5)]
show_images(
    np.concatenate([old_images[np.concatenate(first_of_each)], few(tasks[0], 2)[0]]),
    title="Old task: 0 to 4. New task: 5 to 9.",
)

# %% [markdown]
# Above the old task, below the new one, two images of each class. No image of the lower row's classes is ever shown to the network that
# learns the old task.

# %% [markdown]
# ## Learn the old task
#
# Four blocks of convolution, batch normalization (lesson 2.4) and ReLU, then the largest value over all places, wherever the digit is. These together are the **base**: it turns an
# image into 32 numbers, its **features**. The **head** is one dense layer from features to classes.

# %% [markdown]
# ![An image of a 3 goes through four blocks of a base to 32 features and a head for 0 to 4. Below, an image of a 7 goes through a frozen copy of the same base, drawn dashed, to a new head for 5 to 9.](../../../images/transfer.png)

# %%
BLOCKS = ((16, 5, 2), (32, 3, 2), (32, 3, 1), (32, 3, 1))  # filters, kernel size, stride


def make_network():
    """A base, images to 32 features, and the model with its head, images to 5 logits."""
    inputs = keras.Input((28, 28, 1))
    x = inputs
    for number, (filters, size, stride) in enumerate(BLOCKS, 1):
        x = keras.layers.Conv2D(
            filters, size, stride, "same", use_bias=False, name=f"block{number}_convolution"
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{number}_normalization")(x)
        x = keras.layers.ReLU(name=f"block{number}_relu")(x)
    base = keras.Model(inputs, keras.layers.GlobalMaxPooling2D()(x), name="base")
    outputs = keras.layers.Dense(5, name="head")(base.output)
    return base, keras.Model(inputs, outputs)


base, model = make_network()
print(f"base: {base.count_params():,} numbers, head: {model.count_params() - base.count_params()}")

# %% [markdown]
# We train this network more than a hundred times, briefly. `fit` would spend most of that on starting. So the steps run in one compiled loop: Adam
# (lesson 2.3), with a learning rate that falls along a cosine to zero.


# %%
class Trainer:
    """Trains what is trainable in a model when the trainer is made."""

    def __init__(self, model):
        self.model = model
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.variables = model.trainable_variables
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.variables)

    def train(self, images, labels, steps, learning_rate, rng):
        """Run `steps` steps on batches of at most 25 images, from a fresh optimizer."""
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        size = min(25, len(labels))
        rounds = -(-steps * size // len(labels))
        order = np.concatenate([rng.permutation(len(labels)) for _ in range(rounds)])
        batches = order[: steps * size].reshape(steps, size)
        rates = learning_rate * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2
        self.run(images[batches], labels[batches], rates.astype("float32"))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 28, 28, 1]),  # (steps, batch, height, width, channels)
            tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None]),
        ]
    )
    def run(self, images, labels, rates):
        for step in tf.range(tf.shape(rates)[0]):
            with tf.GradientTape() as tape:
                loss = self.loss(labels[step], self.model(images[step], training=True))
            self.optimizer.learning_rate.assign(rates[step])
            gradients = tape.gradient(loss, self.variables)
            self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))


@tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1])])
def answers(images):
    """The model's most likely class for each image, compiled once: (n,)."""
    return tf.argmax(model(images, training=False), axis=1)


def accuracy(images, labels):
    """The share that the model, with its present weights, reads right."""
    return float(np.mean(answers(images).numpy() == labels))


# %%
trainer = Trainer(model)
starts, pretrained, old_scores = [], [], []
for run, task in zip(RUNS, tasks, strict=True):
    keras.utils.set_random_seed(1000 * SEED + run)
    starts.append(make_network()[1].get_weights())  # new random weights for each run
    model.set_weights(starts[-1])
    trainer.train(*task["old"], 200, 4e-3, np.random.default_rng([SEED, run, 1]))
    pretrained.append(model.get_weights())
    old_scores.append(accuracy(*task["old test"]))

# %%
claim(
    "The base and its head read more than nine in ten new images of the old digits in every run",
    min(old_scores) > 0.9,
    f"right on test images of 0 to 4: {np.round(old_scores, 3)}",
)

# %% [markdown]
# This is **pre-training**. Now the head for 0 to 4 is of no use: it has no output for a 7. Is the base of any use?

# %% [markdown]
# ## A new head on old features
#
# The plainest transfer: keep the base as it is, and train a new head on its features. This is called **feature extraction**, and the base is **frozen**. Since a
# frozen base gives the same image the same features in every epoch, compute them *once* and keep them. A head of one dense layer with softmax on
# fixed inputs is logistic regression (lesson 2.1), which scikit-learn solves in milliseconds.


# %%
def fit_head(features, labels):
    """The kernel (32, 5) and the bias (5,) of a head, by logistic regression."""
    solver = sklearn.linear_model.LogisticRegression(C=10, max_iter=5000)
    solver.fit(features, labels)
    return solver.coef_.T.astype("float32"), solver.intercept_.astype("float32")


model.set_weights(pretrained[0])
images, labels = few(tasks[0], 5)
features = base(images).numpy()  # (25, 32), computed once
kernel, bias = fit_head(features, labels)
print("features", features.shape, " head", kernel.shape, bias.shape)

# %% [markdown]
# Put this head on the base. Cached features and the whole model must give the same logits.

# %% without_learning="arithmetic"
model.layers[-1].set_weights([kernel, bias])
cached_logits = features @ kernel + bias
whole_logits = model(images).numpy()
difference = np.abs(cached_logits - whole_logits).max()
claim(
    "A head on cached features gives the logits of the whole model",
    bool(difference < 1e-3 * np.abs(whole_logits).max()),
    f"largest difference {difference:.1e}, largest logit {np.abs(whole_logits).max():.1f}",
)

# %% [markdown]
# Why bother to cache? Suppose you train a head for twenty epochs. Without a cache every image goes through the base twenty times, with one it goes
# through once.

# %%
EPOCHS = 20
pool_images = tasks[0]["pool"][0]
print(f"images through the base: {EPOCHS * len(pool_images):,} or {len(pool_images):,}")

# %% [markdown]
# Guess how much faster that is, then measure.

# %% tags=["measures-time"] without_learning="untrained"
base(pool_images)  # the first call prepares things: leave it out
start = time.perf_counter()
for _ in range(EPOCHS):
    base(pool_images).numpy() @ kernel + bias
without_cache = time.perf_counter() - start
start = time.perf_counter()
cached = base(pool_images).numpy()
for _ in range(EPOCHS):
    cached @ kernel + bias
with_cache = time.perf_counter() - start
claim(
    "For twenty epochs, features computed once take less than a third of the time of features computed in every epoch",
    with_cache < without_cache / 3,
    f"{without_cache:.2f} s without a cache, {with_cache:.2f} s with it",
)

# %% [markdown]
# The head is nearly free; the base is the cost. The price of the cache: every image has one set of features, so there is no fresh augmentation in
# each epoch, and the base cannot learn.

# %% [markdown]
# ## What `trainable = False` does
#
# In Keras you freeze with one line, `base.trainable = False`, before `compile`. What exactly stays? We train a model with a frozen base on the new digits
# with `fit`, and compare every weight before and after, bit for bit.


# %%
def weights_of(layers):
    """Copies of all weights of some layers, by name."""
    return {
        f"{layer.name}/{weight.name}": weight.numpy().copy()
        for layer in layers
        for weight in layer.weights
    }


def changed(before, after):
    """The names of the weights that differ in at least one bit."""
    return [name for name in before if not np.array_equal(before[name], after[name])]


def compile_and_fit(model, images, labels, learning_rate=1e-3):
    """A fresh compile and three epochs, as Keras users write them."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    model.fit(images, labels, batch_size=25, epochs=3, verbose=0)


# %%
frozen_base, frozen_model = make_network()
frozen_model.set_weights(pretrained[0])
frozen_base.trainable = False
before = weights_of(frozen_model.layers)
compile_and_fit(frozen_model, *few(tasks[0], 20))
changed_when_frozen = changed(before, weights_of(frozen_model.layers))
claim(
    "With base.trainable = False only the head changes; the base keeps every bit, its moving means and variances too",
    changed_when_frozen == ["head/kernel", "head/bias"],
    f"changed {changed_when_frozen} of {len(before)} arrays",
)

# %% [markdown]
# Not only the convolutions: `moving_mean` and `moving_variance` stay too. That is no matter of course, since no gradient ever changes those two.
# Batch normalization has **two kinds of numbers**: $\gamma$ and $\beta$, which gradients teach, and the moving statistics, which every
# *training call* drags along, towards the mean and the variance of its batch:
#
# $$\text{moving mean} \leftarrow m \cdot \text{moving mean} + (1 - m) \cdot \text{batch mean}$$
#
# Here $m$ is the **momentum**. By hand: moving mean 0, momentum 0.9, and a batch 2, 4, 6 with mean 4. The new moving mean is
# $0.9 \cdot 0 + 0.1 \cdot 4 = 0.4$. In training the layer normalizes with the batch's own statistics, otherwise with the moving ones:
# $\gamma\,(x - \mu)/\sqrt{\sigma^2 + \varepsilon} + \beta$.

# %% without_learning="arithmetic"
batch = np.array([[2.0], [4.0], [6.0]], "float32")
normalization = keras.layers.BatchNormalization(momentum=0.9)
training_output = normalization(batch, training=True).numpy()
inference_output = normalization(batch, training=False).numpy()


def normalize(x, mean, variance, epsilon=1e-3):
    return (x - mean) / np.sqrt(variance + epsilon)


mean_by_hand, variance_by_hand = 0.9 * 0 + 0.1 * 4, 0.9 * 1 + 0.1 * batch.var()
errors = [
    np.abs(training_output - normalize(batch, batch.mean(), batch.var())).max(),
    np.abs(inference_output - normalize(batch, mean_by_hand, variance_by_hand)).max(),
    abs(normalization.moving_mean.numpy()[0] - mean_by_hand),
]
claim(
    "The formulas give Keras's batch normalization in training and in use, and its moving mean 0.4",
    bool(max(errors) < 1e-5),
    f"largest difference {max(errors):.1e}",
)

# %% [markdown]
# Two switches look alike and are not. `layer.trainable = False` is a property: *do not learn*. `layer(x, training=False)` is an argument of one call:
# *behave as in use*. For batch normalization the first includes the second: a frozen one also behaves as in use, whatever the call says. Predict for the four
# combinations: do the moving statistics move?

# %%
moves = {}
for trainable in (True, False):
    for training in (True, False):
        normalization.trainable = trainable
        before_call = normalization.moving_mean.numpy().copy()
        normalization(batch, training=training)
        moves[trainable, training] = not np.array_equal(
            before_call, normalization.moving_mean.numpy()
        )
        print(
            f"trainable={trainable!s:5}  training={training!s:5}  moved: {moves[trainable, training]}"
        )
normalization.trainable = False
dropout = keras.layers.Dropout(0.5, seed=SEED)
dropout.trainable = False
drops = float(np.mean(dropout(np.ones((1000, 1), "float32"), training=True) == 0))

# %% without_learning="untrained"
claim(
    "Moving statistics move only where the layer is trainable and the call is a training call; frozen dropout still drops",
    [pair for pair, moved in moves.items() if moved] == [(True, True)] and 0.4 < drops < 0.6,
    f"{sum(moves.values())} of 4 combinations move; dropout with trainable = False sets {drops:.2f} to zero",
)

# %% [markdown]
# Dropout shows that this is special to batch normalization: `trainable = False` on a dropout layer changes nothing, for it has nothing to learn.
#
# ### The trap: unfreezing wakes the statistics
#
# Now unfreeze the base, and set the learning rate to **zero**. Nothing can be learned. Can anything go wrong?

# %%
frozen_model.set_weights(pretrained[0])
frozen_base.trainable = True
before = weights_of(frozen_model.layers)
bright_images = few(tasks[0], 20)[0] + 1.0  # a new scanner: every pixel brighter by one
compile_and_fit(frozen_model, bright_images, few(tasks[0], 20)[1], learning_rate=0.0)
changed_at_rate_zero = changed(before, weights_of(frozen_model.layers))
old_before, old_after = (
    old_scores[0],
    float(
        np.mean(
            frozen_model(tasks[0]["old test"][0]).numpy().argmax(axis=1) == tasks[0]["old test"][1]
        )
    ),
)
claim(
    "With a learning rate of zero an unfrozen base still changes, in its moving statistics and nowhere else, and the old task suffers",
    len(changed_at_rate_zero) == 8
    and all("moving" in name for name in changed_at_rate_zero)
    and old_after < old_before - 0.1,
    f"{len(changed_at_rate_zero)} arrays changed; right on the old task {old_before:.2f} before, {old_after:.2f} after",
)

# %% [markdown]
# Twelve steps on brighter images, and a network that "did not learn" has lost much of the old task. Its kernels are the same; the statistics that its
# normalization uses now belong to other images.
#
# The remedy in many guides is to build the new model on `base(inputs, training=False)`. By the table of four above, that should keep the statistics. Does it, inside `fit`?

# %% without_learning="untrained"
inputs = keras.Input((28, 28, 1))
features = frozen_base(inputs, training=False)
new_model = keras.Model(inputs, keras.layers.Dense(5, name="new_head")(features))
frozen_model.set_weights(pretrained[0])
before = weights_of(frozen_base.layers)
compile_and_fit(new_model, bright_images, few(tasks[0], 20)[1])
changed_by_fit = changed(before, weights_of(frozen_base.layers))
moved_by_fit = [name for name in changed_by_fit if "moving" in name]
claim(
    "In a functional model fit overrules training=False: the statistics of the unfrozen base move all the same",
    len(moved_by_fit) == 8,
    f"{len(changed_by_fit)} of {len(before)} arrays changed, {len(moved_by_fit)} of them moving statistics",
)

# %% [markdown]
# It does not. When `fit` calls a functional model with `training=True`, Keras 3 hands this on to the parts and replaces what you wrote (Keras issue 20285). While the base is
# *frozen* nobody notices, because frozen batch normalization behaves as in use anyway. The moment you unfreeze it, the trap closes. What does hold is the property:
# freeze each batch normalization layer by itself.

# %%
for layer in frozen_base.layers:
    layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
frozen_model.set_weights(pretrained[0])
compile_and_fit(new_model, bright_images, few(tasks[0], 20)[1])
changed_with_care = changed(before, weights_of(frozen_base.layers))
claim(
    "With each batch normalization frozen by itself, fine-tuning changes the four kernels of the base and nothing else in it",
    len(changed_with_care) == 4 and all("kernel" in name for name in changed_with_care),
    f"changed {changed_with_care}",
)

# %% [markdown]
# ### Compile again
#
# `fit` builds its training step once, at its first call, with what is trainable then. Freeze *after* that, forget to compile, and call `fit` again: does the base stay?


# %%
def base_changes():
    """Which arrays of the base one more epoch changes."""
    before = weights_of(frozen_base.layers)
    new_model.fit(*few(tasks[0], 5), batch_size=25, epochs=1, verbose=0)
    return changed(before, weights_of(frozen_base.layers))


frozen_base.trainable = False
without_compile = base_changes()
new_model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
with_compile = base_changes()
claim(
    "Freezing after fit has no effect until the model is compiled again",
    len(without_compile) == 4 and with_compile == [],
    f"arrays of the base changed: {len(without_compile)} without compiling again, {len(with_compile)} with it",
)

# %% [markdown]
# ## Fine-tuning: how large a step?
#
# **Fine-tuning** unfreezes the base and trains on, from the learned weights. It starts with the head of the frozen features: a random head would send large, random
# gradients into the base at once (Kumar and others, 2022). The learning rate decides how much of the old is kept. Predict: what does a large one do to
# the new task, and what to the old one?
#
# We choose on *validation* images of the new digits, with five images a class. The old task is measured with its old head on the changed base.


# %%
FINE_TUNING_STEPS = 60


def frozen(run, shots):
    """The pre-trained base of a run with a head for the new digits: all weights."""
    images, labels = few(tasks[run], shots)
    model.set_weights(pretrained[run])
    return pretrained[run][:-2] + list(fit_head(base(images).numpy(), labels))


def fine_tune(run, shots, start, learning_rate, trainer=trainer):
    """Train from the weights `start` on a few images of the new digits."""
    model.set_weights(start)
    rng = np.random.default_rng([SEED, run, shots])
    trainer.train(*few(tasks[run], shots), FINE_TUNING_STEPS, learning_rate, rng)


def old_task_score(run):
    """The old task, with the present base and the head that pre-training gave it."""
    model.set_weights(model.get_weights()[:-2] + pretrained[run][-2:])
    return accuracy(*tasks[run]["old test"])


# %%
RATES = (1e-4, 1e-3, 1e-2, 1e-1)
rate_scores = np.empty((len(RATES), 3, 2))  # new task, old task
for row, rate in enumerate(RATES):
    for run in range(3):
        fine_tune(run, 5, frozen(run, 5), rate)
        rate_scores[row, run] = accuracy(*tasks[run]["validation"]), old_task_score(run)

# %% alt="Accuracy against the learning rate. The new task rises to a hump at a middle rate and falls at the largest; the old task starts near one and then falls, nearly to chance at the largest rate."
for column, name, colour, marker in ((0, "new task", "blue", "o"), (1, "old task", "red", "s")):
    plt.semilogx(
        RATES, rate_scores[:, :, column], marker, color=COLOURS[colour], alpha=0.4, markersize=4
    )
    mean = rate_scores[:, :, column].mean(axis=1)
    plt.plot(
        RATES, mean, color=COLOURS[colour], linestyle="-" if column == 0 else "--", marker=marker
    )
    plt.annotate(
        name,
        (RATES[1], mean[1]),
        (0, -40 if column == 0 else 12),
        textcoords="offset points",
        ha="center",
        color=COLOURS[colour],
    )
plt.axhline(0.2, color="0.6", linestyle=":")
plt.annotate("guessing", (RATES[0], 0.21), color="0.4")
plt.ylim(0, 1.1)
plt.xlabel("learning rate of fine-tuning (log scale)")
plt.ylabel("accuracy")
plt.show()

# %% [markdown]
# Small markers are single runs. On the left the base hardly moves: the new task gains little and the old one loses little. A middle rate is best for the new
# task, and costs the old one little. On the right the base is destroyed for both tasks. The fall of the dashed line is **catastrophic forgetting** (McCloskey and Cohen, 1989):
# nothing in the new loss asks the network to remember, so only the small step protects what was there.
#
# Our loop leaves batch normalization awake. Here that does no harm, as the dashed line shows at the smallest rate: the new digits are as dark and as thick as the old ones, so the
# statistics hardly move. The brighter images above were another matter.

# %%
new_curve, old_curve = rate_scores.mean(axis=1).T
BEST_RATE = RATES[int(new_curve.argmax())]
claim(
    "A too large learning rate destroys what was learned: the new task falls well below its best, the old task to near guessing",
    bool(new_curve[-1] < new_curve.max() - 0.08 and old_curve[-1] < 0.5),
    f"best rate {BEST_RATE}: new {new_curve.max():.2f}; rate {RATES[-1]}: new {new_curve[-1]:.2f}, old {old_curve[-1]:.2f}",
)
claim(
    "At the best rate the old head on the changed base still reads nine in ten of the old digits",
    bool(old_curve[new_curve.argmax()] > 0.9),
    ", ".join(
        f"rate {rate}: old {score:.2f}" for rate, score in zip(RATES, old_curve, strict=True)
    ),
)

# %% [markdown]
# ## Which layers transfer?
#
# Copy the first $k$ blocks from the pre-trained base and freeze them; give the other blocks new random weights and train those. $k = 0$ is training from scratch, $k = 4$ the
# frozen base. The same with *random* frozen blocks shows what learning was worth. Where do you expect the peak?


# %%
def frozen_accuracy(run, source):
    """Validation accuracy of a head on the base with the weights `source`."""
    model.set_weights(source)
    images, labels = few(tasks[run], 5)
    kernel, bias = fit_head(base(images).numpy(), labels)
    model.layers[-1].set_weights([kernel, bias])
    return accuracy(*tasks[run]["validation"])


def train_above(copied, run, source):
    """Validation accuracy with the first `copied` blocks frozen at the weights `source`, the rest trained."""
    if copied == len(BLOCKS):  # only a head is left to train
        return frozen_accuracy(run, source)
    mixed = source[: 5 * copied] + starts[run][5 * copied :]  # a block has five arrays of weights
    fine_tune(run, 5, mixed, 3e-3, block_trainers[copied])
    return accuracy(*tasks[run]["validation"])


block_trainers = [trainer]
for frozen_blocks in range(1, len(BLOCKS)):
    for layer in model.layers[1:-2]:
        layer.trainable = int(layer.name[len("block")]) > frozen_blocks
    block_trainers.append(Trainer(model))
    block_trainers[-1].train(*few(tasks[0], 5), 1, 0.0, np.random.default_rng(0))  # traces it now
for layer in model.layers:
    layer.trainable = True

# %%
block_scores = np.array(
    [
        [
            [train_above(copied, run, source[run]) for source in (pretrained, starts)]
            for run in range(3)
        ]
        for copied in range(len(BLOCKS) + 1)
    ]
)  # (blocks, runs, pre-trained or random)

# %% alt="Accuracy against the number of frozen blocks. With pre-trained blocks it rises above the level of training from scratch; with random blocks it stays level and falls when all are frozen."
for column, name, colour, marker, offset in (
    (0, "pre-trained", "blue", "o", 26),
    (1, "random", "orange", "^", -30),
):
    values = block_scores[:, :, column]
    mean = values.mean(axis=1)
    plt.plot(range(5), values, marker, color=COLOURS[colour], alpha=0.4, markersize=4)
    plt.plot(
        range(5), mean, color=COLOURS[colour], linestyle="--" if column else "-", marker=marker
    )
    plt.annotate(
        f"{name} blocks",
        (2, mean[2]),
        (0, offset),
        textcoords="offset points",
        ha="center",
        color=COLOURS[colour],
    )
plt.xticks(range(5), ["0\n(from scratch)", "1", "2", "3", "4\n(frozen base)"])
plt.xlabel("blocks copied and frozen")
plt.ylabel("accuracy on validation images")
plt.show()

# %% [markdown]
# The lower line says what you get for frozen blocks that never learned anything. Look at its left part: random first blocks cost next to nothing! With 25 images the first filters
# hardly learn anyway, and random ones already answer to strokes. The distance between the lines is what the old task taught, and it opens late, in the blocks that put strokes together.
# Yosinski and others (2014) drew this curve for ImageNet; with many labels they found the opposite weakness, last layers that are made for the old classes.

# %%
learned_blocks, random_blocks = block_scores.mean(axis=1).T
lead_of_learned = learned_blocks - random_blocks
claim(
    "Three pre-trained blocks beat training from scratch, and three or four beat as many random ones by more than ten points in a hundred on average",
    bool(learned_blocks[3] > learned_blocks[0] + 0.05 and lead_of_learned[3:].mean() > 0.1),
    f"pre-trained {learned_blocks.round(2)}, random {random_blocks.round(2)}",
)
claim(
    "Learned weights matter more the more blocks are frozen: their lead is larger with all four than with one",
    bool(lead_of_learned[4] > lead_of_learned[1] + 0.1),
    f"lead over random blocks: {lead_of_learned.round(2)}",
)

# %% [markdown]
# ## Where the gain ends
#
# Now the test images, for the first time. From 1 to 50 labelled images a class, five methods: from scratch, frozen base, fine-tuned, the same base with random weights frozen, and the
# nearest neighbour on raw pixels. Training from scratch gets its own learning rate, larger than that of
# fine-tuning, and the same number of steps. Draw your guess: which curves cross?

# %%
SHOTS = (1, 2, 5, 10, 20, 50)
SCRATCH_RATE = 3e-3
METHODS = ("fine-tuned", "frozen base", "from scratch", "random frozen", "raw pixels")


def score_methods(run, shots):
    """Test accuracy of the five methods, in the order of METHODS."""
    images, labels = few(tasks[run], shots)
    test = tasks[run]["test"]
    start = frozen(run, shots)
    fine_tune(run, shots, start, BEST_RATE)
    scores = [accuracy(*test)]
    model.set_weights(start)
    scores.append(accuracy(*test))
    fine_tune(run, shots, starts[run], SCRATCH_RATE)
    scores.append(accuracy(*test))
    model.set_weights(starts[run])
    kernel, bias = fit_head(base(images).numpy(), labels)
    scores.append(np.mean((base(test[0]).numpy() @ kernel + bias).argmax(axis=1) == test[1]))
    neighbour = sklearn.neighbors.KNeighborsClassifier(1).fit(
        images.reshape(len(images), -1), labels
    )
    return [*scores, neighbour.score(test[0].reshape(len(test[0]), -1), test[1])]


curves = np.array([[score_methods(run, shots) for run in RUNS] for shots in SHOTS])

# %%
print("right on test images, mean ± standard deviation of five runs")
print("images a class" + "".join(f"{name:>15}" for name in METHODS))
for shots, means, spreads in zip(
    SHOTS, curves.mean(axis=1), curves.std(axis=1, ddof=1), strict=True
):
    print(
        f"{shots:14}"
        + "".join(f"   {m:.2f} ± {s:.2f} " for m, s in zip(means, spreads, strict=True))
    )

# %% alt="Test accuracy against images a class, five curves with bands. Fine-tuned is on top from the start; from scratch starts low, overtakes the frozen base and meets the fine-tuned curve at fifty; random frozen and raw pixels stay lower."
STYLES = (
    ("blue", "o", "-"),
    ("green", "s", "--"),
    ("red", "^", "-."),
    ("orange", "v", ":"),
    ("black", "x", ":"),
)
for column, (name, (colour, marker, line)) in enumerate(zip(METHODS, STYLES, strict=True)):
    mean, spread = curves[..., column].mean(axis=1), curves[..., column].std(axis=1, ddof=1)
    plt.fill_between(
        SHOTS, mean - spread, mean + spread, color=COLOURS[colour], alpha=0.15, linewidth=0
    )
    plt.plot(SHOTS, mean, color=COLOURS[colour], marker=marker, linestyle=line, label=name)
plt.xscale("log")
plt.xticks(SHOTS, SHOTS)
plt.minorticks_off()
plt.ylim(0, 1)
plt.xlabel("labelled images a class (log scale)")
plt.ylabel("accuracy on test images")
plt.legend(frameon=False, fontsize=9, loc="upper left")
plt.show()

# %% [markdown]
# Bands are one standard deviation of the five runs. With few images the pre-trained base is ahead of the other rows, frozen or fine-tuned. (Exercise 5 asks for one more rival, which knows what happened to the images.) Then training from scratch overtakes the *frozen* base: with enough images it
# learns features for 5 to 9, and the frozen ones stay made for 0 to 4. The lead of fine-tuning melts as well: look where the blue line and the red line meet. The value of somebody else's network is the
# labels it saves you; once you have the labels, it saves you little.

# %% tags=["headline"]
at = {
    shots: dict(zip(METHODS, curves[row].mean(axis=0), strict=True))
    for row, shots in enumerate(SHOTS)
}
gain = {shots: at[shots]["fine-tuned"] - at[shots]["from scratch"] for shots in SHOTS}
claim(
    "With five labelled images a class a fine-tuned base beats training from scratch on the same images by more than ten points in a hundred, and the frozen base by more than two",
    bool(gain[5] > 0.1 and at[5]["fine-tuned"] > at[5]["frozen base"] + 0.02),
    f"fine-tuned {at[5]['fine-tuned']:.2f}, from scratch {at[5]['from scratch']:.2f}, "
    f"frozen {at[5]['frozen base']:.2f}, means of five runs",
)

# %%
claim(
    "The lead of fine-tuning at fifty images a class is less than half of its lead at five",
    bool(gain[50] < gain[5] / 2),
    ", ".join(f"{shots} images {lead:+.2f}" for shots, lead in gain.items()),
)
claim(
    "The frozen base beats scratch with one and two images a class and loses to it with fifty",
    bool(
        at[1]["frozen base"] > at[1]["from scratch"]
        and at[2]["frozen base"] > at[2]["from scratch"]
        and at[50]["frozen base"] < at[50]["from scratch"]
    ),
    ", ".join(f"{s}: {at[s]['frozen base']:.2f} and {at[s]['from scratch']:.2f}" for s in SHOTS),
)
claim(
    "A frozen base with random weights and the raw pixels stay far behind the pre-trained base with five images a class",
    bool(max(at[5]["random frozen"], at[5]["raw pixels"]) < at[5]["frozen base"] - 0.05),
    f"random {at[5]['random frozen']:.2f}, pixels {at[5]['raw pixels']:.2f}, pre-trained {at[5]['frozen base']:.2f}",
)

# %% [markdown]
# ### Is it only that the base has seen tilted digits?
#
# An honest doubt: pre-training showed the base ten deformations of every old digit. What if we give training from scratch deformations too, 40 of each of its 25 images, and
# the same to fine-tuning?

# %%
augmented = np.empty((len(RUNS), 2))
for run in RUNS:
    images, labels = few(tasks[run], 5)
    rng = np.random.default_rng([SEED, run, 2])
    # these images are deformed already, so the copies change them less and keep their size on average
    many = np.concatenate([images, careless(images, rng, 40, scales=(0.8, 1.2), shift=3)])
    for column, (start, rate) in enumerate(
        ((frozen(run, 5), BEST_RATE), (starts[run], SCRATCH_RATE))
    ):
        model.set_weights(start)
        trainer.train(many, np.tile(labels, 41), 2 * FINE_TUNING_STEPS, rate, rng)
        augmented[run, column] = accuracy(*tasks[run]["test"])

# %%
with_copies = augmented.mean(axis=0)
claim(
    "Deformed copies help both, and leave fine-tuning less than half of its lead at five images a class",
    bool(
        with_copies[0] > at[5]["fine-tuned"] + 0.05
        and with_copies[1] > at[5]["from scratch"] + 0.15
        and with_copies[0] - with_copies[1] < gain[5] / 2
    ),
    f"with deformed copies {with_copies[0]:.2f} against {with_copies[1]:.2f}, "
    f"without {at[5]['fine-tuned']:.2f} against {at[5]['from scratch']:.2f}",
)

# %% [markdown]
# That is sobering, and it is why you ask. With copies, look how little is left of the lead, if it is one at all. Most of what the base brought was *how a digit may be moved*, and forty copies of each image tell a network the same for free. What you
# can write down as augmentation, you need not borrow. Borrow what you cannot write down. And always give the network that starts from nothing the same care as the one you hope will win.

# %% [markdown]
# ## A network that has seen a million photographs
#
# In practice the base comes from **ImageNet**, 1.2 million photographs of 1,000 kinds of things. **MobileNetV2** (Sandler and others, 2018) is a small one; ours
# has 0.35 of its full width. The new task: four materials from the two photographs that scikit-learn brings, with **five** labelled patches each. Patches to
# learn from and patches to test come from regions that do not overlap. We make it hard for pixels: no colour, and the light, the size and the orientation change by chance.

# %%
CHINA, FLOWER = sklearn.datasets.load_sample_images().images  # (427, 640, 3) each
MATERIALS = {  # photograph, region to learn from, region to test: left, top, right, bottom
    "pagoda": (CHINA, (85, 100, 212, 340), (212, 100, 340, 340)),
    "tree": (CHINA, (335, 320, 450, 427), (450, 320, 640, 427)),
    "petals": (FLOWER, (195, 120, 305, 330), (305, 120, 420, 330)),
    "leaves": (FLOWER, (0, 0, 160, 427), (470, 0, 640, 340)),
}


def draw_patch(photograph, region, rng):
    """A grey patch (224, 224) in [0, 1] from a place in the region, in another light, size and orientation."""
    left, top, right, bottom = region
    size = rng.integers(48, 81)
    x, y = rng.integers(left, right - size + 1), rng.integers(top, bottom - size + 1)
    patch = photograph[y : y + size, x : x + size].mean(axis=2) / 255
    patch = np.rot90(patch, rng.integers(4))[:, :: rng.choice([-1, 1])]
    patch = (patch - patch.mean()) * rng.uniform(0.5, 1.5) + rng.uniform(0.3, 0.7)
    return cv2.resize(np.ascontiguousarray(np.clip(patch, 0, 1), "float32"), (224, 224))


def draw_patches(part, count, rng):
    """`count` patches of each material from the learning (0) or test (1) regions, and their labels."""
    patches = [
        draw_patch(photograph, regions[part], rng)
        for photograph, *regions in MATERIALS.values()
        for _ in range(count)
    ]
    return np.array(patches), np.repeat(np.arange(len(MATERIALS)), count)


# %% alt="Four rows of six grey square patches: parts of a pagoda, trees, petals and blurred leaves, in different light, size and orientation."
PATCH_DRAWS = []
for run in range(3):
    rng = np.random.default_rng([SEED, run, 3])
    PATCH_DRAWS.append((*draw_patches(0, 5, rng), *draw_patches(1, 15, rng)))
shown = np.concatenate(
    [np.r_[5 * kind : 5 * kind + 3, 20 + 15 * kind : 23 + 15 * kind] for kind in range(4)]
)
show_images(
    1 - np.concatenate([PATCH_DRAWS[0][0], PATCH_DRAWS[0][2]])[shown, ::4, ::4],
    columns=6,
    title="Pagoda, tree, petals, leaves: left three to learn from, right three to test",
)

# %% [markdown]
# You tell the four rows apart at once, in any light. How would you do it with five examples and no network? Two classical answers: compare a small image of the patch, or
# ten hand-made numbers: brightness, contrast, and the strength of edges at four scales. And one control: MobileNetV2 with *random* weights. Every method ends in the same
# classifier, the nearest neighbour.


# %%
def pixels_of(patches):
    """(n, 224, 224) made 16 x 16: (n, 256)."""
    return patches.reshape(-1, 16, 14, 16, 14).mean(axis=(2, 4)).reshape(-1, 256)


def handmade_numbers(patches):
    """Mean, standard deviation, and at four scales the mean and spread of edge strength: (n, 10)."""
    rows = []
    for patch in patches:
        row = [patch.mean(), patch.std()]
        for scale in (1, 2, 4, 8):
            smooth = cv2.GaussianBlur(patch, (0, 0), scale)
            down, across = np.gradient(smooth)
            strength = np.hypot(down, across)
            row += [np.log(strength.mean() + 1e-5), np.log(strength.std() + 1e-5)]
        rows.append(row)
    return np.array(rows)


def network_features(network, patches):
    """The features (n, 1280) of a MobileNetV2, twenty patches at a time to save memory."""
    prepare = keras.applications.mobilenet_v2.preprocess_input
    batches = np.split(patches, len(patches) // 20)
    colours = (np.repeat(255 * batch[..., np.newaxis], 3, axis=-1) for batch in batches)
    return np.concatenate(
        [network.predict(prepare(batch), batch_size=10, verbose=0) for batch in colours]
    )


def patch_scores(features_of):
    """Accuracy on test patches in each draw, with five and with one patch a class: (draws, 2)."""
    scores = []
    for patches, labels, test_patches, test_labels in PATCH_DRAWS:
        known, new = features_of(patches), features_of(test_patches)
        neighbour = sklearn.neighbors.KNeighborsClassifier(1)
        scores.append(
            [
                neighbour.fit(known[::step], labels[::step]).score(new, test_labels)
                for step in (1, 5)
            ]
        )
    return np.array(scores)


# %%
patch_results = {
    "raw pixels": patch_scores(pixels_of),
    "hand-made numbers": patch_scores(handmade_numbers),
}
keras.utils.set_random_seed(SEED)
random_network = keras.applications.MobileNetV2(
    alpha=0.35, include_top=False, pooling="avg", input_shape=(224, 224, 3), weights=None
)
patch_results["random weights"] = patch_scores(
    lambda patches: network_features(random_network, patches)
)
for name, scores in patch_results.items():
    print(
        f"{name:18} five patches a class {scores[:, 0].mean():.2f}, one {scores[:, 1].mean():.2f}"
    )

# %% without_learning="untrained"
classical = patch_results["hand-made numbers"][:, 0].mean()
claim(
    "With five patches a class the hand-made numbers beat the raw pixels and the random network",
    bool(
        classical > patch_results["raw pixels"][:, 0].mean()
        and classical > patch_results["random weights"][:, 0].mean()
    ),
    ", ".join(f"{name} {scores[:, 0].mean():.2f}" for name, scores in patch_results.items())
    + "; guessing 0.25",
)

# %% [markdown]
# A network with random weights loses to ten well-chosen numbers. An architecture alone knows little. Now the same network with its weights from ImageNet. They are a
# download of 2 MB, once, which Keras keeps in its cache. Where there is neither cache nor network, the next cell says what to do, and the lesson goes on.

# %%
try:
    imagenet_network = load_mobilenet()
except RuntimeError as what_to_do:
    imagenet_network = None
    print(what_to_do)

# %%
if imagenet_network is not None:
    imagenet_network.trainable = False
    imagenet_scores = patch_scores(lambda patches: network_features(imagenet_network, patches))
    with_five, with_one = imagenet_scores.mean(axis=0)
    others = max(scores[:, 0].mean() for scores in patch_results.values())
    claim(
        "With five patches a class the frozen ImageNet features name nine in ten patches right, or more",
        bool(with_five > 0.9),
        f"{with_five:.3f}, mean of three draws",
    )
    claim(
        "The features of ImageNet beat pixels, hand-made numbers and random weights by more than fifteen points in a hundred",
        bool(with_five > others + 0.15),
        f"{with_five:.2f} against {others:.2f} for the best of the others",
    )
    claim(
        "One patch a class is worth more with the features of ImageNet than five with any of the others",
        bool(with_one > others),
        f"{with_one:.2f} against {others:.2f}",
    )

# %% [markdown]
# If the cell above printed nothing, the weights are not on this machine. Where they are, it prints three claims, and stops if one is false: with five patches a class, the frozen
# features name at least nine in ten patches right; that is more than fifteen points above the best of the three rows before; and even a *single* patch a class is enough to beat
# those three with five. The network never learned "pagoda patch in grey", and no weight was changed. It learned what surfaces look like in any light.
#
# The same is how you would fine-tune it: head first on cached features; then unfreeze all but the batch normalization, compile again, and take a small learning rate. And
# always `preprocess_input` of the same family: this one wants pixels from −1 to 1.

# %% [markdown]
# ## Common mistakes
#
# - **Freezing without compiling again.** The old training step goes on changing the base.
# - **Unfreezing batch normalization.** Its statistics move even at a learning rate of zero, and inside `fit` a `training=False` of yours does not hold. Keep each such layer frozen.
# - **Fine-tuning with the learning rate of training from scratch**, or from a random head. Both can harm what you came for.
# - **The wrong preparation of the input.** Each family of `keras.applications` has its own `preprocess_input`.
# - **Caching features and then augmenting.** The cache holds one version of each image.
# - **A weak opponent.** Without training from scratch on the same images, and a classical method, you do not know what transfer gained.
# - **Choosing the learning rate by the test images.** With few labels the temptation is large, and so is the noise.

# %% [markdown]
# ## Exercise 1: predict
#
# A base has `Conv2D(8, 3, use_bias=False)` on one channel, `BatchNormalization()` and `GlobalAveragePooling2D()`. It is frozen, with `Dense(3)` on top.
# How many numbers can be trained, and how many cannot?

# %% tags=["exercise"]
trainable_count = None
frozen_count = None
### BEGIN SOLUTION
trainable_count = 8 * 3 + 3  # the head: a kernel from 8 features to 3 classes, and biases
frozen_count = 3 * 3 * 1 * 8 + 4 * 8  # the kernel; gamma, beta, moving mean, moving variance
### END SOLUTION

# %% tags=["wrong"] says="gamma and beta belong to the base, and the base is frozen"
trainable_count = 27 + 16  # takes gamma and beta for trainable though the base is frozen
frozen_count = 72 + 16

# %% tags=["wrong"] says="two of them are moving statistics"
trainable_count = 27
frozen_count = 72 + 16  # forgets the moving statistics

# %% tags=["check"]
with feedback("Predict"):
    assert trainable_count is not None and frozen_count is not None, "write two numbers"
    assert trainable_count != 43, "gamma and beta belong to the base, and the base is frozen"
    assert trainable_count == 27, "only the head can be trained: 8 features, 3 classes, 3 biases"
    assert frozen_count != 88, (
        "batch normalization has four numbers a channel, two of them are moving statistics"
    )
    small_base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    assert frozen_count == small_base.count_params(), (
        f"Keras counts {small_base.count_params()} in the base, you say {frozen_count}"
    )

# %% [markdown]
# ## Exercise 2: where do moving statistics go?
#
# A batch normalization layer with moving mean `start` sees training batches with these means, one after the other. Return its moving mean afterwards.


# %% tags=["exercise"]
def moving_mean_after(start, batch_means, momentum):
    """The moving mean, a number, after batches with the means batch_means, a list of numbers."""
    ### BEGIN SOLUTION
    moving_mean = start
    for batch_mean in batch_means:
        moving_mean = momentum * moving_mean + (1 - momentum) * batch_mean
    return moving_mean
    ### END SOLUTION


# %% tags=["wrong"] says="0.9 is the share that stays"
def moving_mean_after(start, batch_means, momentum):  # the two shares swapped
    moving_mean = start
    for batch_mean in batch_means:
        moving_mean = (1 - momentum) * moving_mean + momentum * batch_mean
    return moving_mean


# %% tags=["wrong"] says="yours forgets where it started"
def moving_mean_after(start, batch_means, momentum):  # forgets where it started
    return sum(batch_means) / len(batch_means)


# %% tags=["wrong"] says="begin with start"
def moving_mean_after(start, batch_means, momentum):  # starts at nothing
    moving_mean = 0.0
    for batch_mean in batch_means:
        moving_mean = momentum * moving_mean + (1 - momentum) * batch_mean
    return moving_mean


# %% tags=["check"]
with feedback("Where do moving statistics go?"):
    got = moving_mean_after(2.0, [4.0], 0.9)
    assert got is not None, "moving_mean_after returns nothing yet"
    assert not np.isclose(got, 3.8), "0.9 is the share that stays; you gave it to the batch"
    assert not np.isclose(got, 4.0), "yours forgets where it started: 2 counts for nine tenths"
    assert not np.isclose(got, 0.4), "yours starts at 0: begin with start, here 2"
    assert np.isclose(got, 2.2), (
        f"from 2, a batch with mean 4 gives 0.9 · 2 + 0.1 · 4 = 2.2, not {got}"
    )
    got = moving_mean_after(2.0, [], 0.9)
    assert got == 2, f"without a batch the moving mean stays at 2, yours says {got}"
    for start, batch_means, momentum in [(0, [1, -2, 5], 0.8), (-3, [4, 0.5], 0.5), (7, [3], 0.99)]:
        layer = keras.layers.BatchNormalization(momentum=momentum)
        layer.build((None, 1))
        layer.moving_mean.assign([start])
        for batch_mean in batch_means:
            layer(np.full((4, 1), batch_mean, "float32"), training=True)
        got, expected = (
            moving_mean_after(start, batch_means, momentum),
            layer.moving_mean.numpy()[0],
        )
        assert np.isclose(got, expected, atol=1e-4), (
            f"from {start} with momentum {momentum} Keras has {expected:.3f} after {batch_means}, yours says {got:.3f}"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# This function shall unfreeze the last `count` layers of a frozen base for fine-tuning, and keep every batch normalization frozen, so that its statistics stay. It does neither.
#
# ```python
# def unfreeze_last(base, count):
#     for layer in base.layers[:count]:
#         layer.trainable = True
# ```


# %% tags=["exercise"]
def unfreeze_last(base, count):
    """Make the last `count` layers trainable, except batch normalization; freeze all others. Changes base, returns nothing."""
    ### BEGIN SOLUTION
    base.trainable = True  # else the model as a whole stays frozen
    for place, layer in enumerate(base.layers):
        is_last = place >= len(base.layers) - count
        layer.trainable = is_last and not isinstance(layer, keras.layers.BatchNormalization)
    ### END SOLUTION


# %% tags=["wrong"] says="a batch normalization is awake"
def unfreeze_last(base, count):  # the last layers now, with their batch normalization
    base.trainable = True
    for place, layer in enumerate(base.layers):
        layer.trainable = place >= len(base.layers) - count


# %% tags=["wrong"] says="freeze all others"
def unfreeze_last(base, count):  # the base as a whole is unfrozen, and nothing is frozen again
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


# %% tags=["wrong"] says="count from the end"
def unfreeze_last(base, count):  # the first layers instead of the last
    base.trainable = True
    for place, layer in enumerate(base.layers):
        layer.trainable = place < count and not isinstance(layer, keras.layers.BatchNormalization)


# %% tags=["check"]
def small_base(trainable):
    """Two convolutions, each with a batch normalization, and a third convolution, frozen or not."""
    layers = [keras.Input((8, 8, 1))]
    for name in ("first", "second"):
        layers += [
            keras.layers.Conv2D(4, 3, name=name),
            keras.layers.BatchNormalization(name=f"{name} normalization"),
        ]
    made = keras.Sequential([*layers, keras.layers.Conv2D(4, 1, name="third")])
    made.trainable = trainable
    return made


with feedback("Repair this"):
    for count, wanted in {
        3: ["second", "third"],
        1: ["third"],
        5: ["first", "second", "third"],
    }.items():
        for trainable in (False, True):
            base = small_base(trainable)
            unfreeze_last(base, count)
            assert base.trainable, "nothing can be trained yet: the base as a whole is still frozen"
            learning = [layer.name for layer in base.layers if layer.trainable_weights]
            assert (
                "first normalization" not in learning and "second normalization" not in learning
            ), "a batch normalization is awake: its statistics will move"
            assert set(wanted) <= set(learning), (
                f"with count = {count} {' and '.join(wanted)} must learn, in yours {learning or 'none'}: count from the end"
            )
            assert learning == wanted, (
                f"with count = {count} only {' and '.join(wanted)} must learn, in yours {learning}: freeze all others"
            )

# %% [markdown]
# ## Exercise 4: no training at all
#
# On cached features you need no head to be trained: a new class is the mean of its few features, its **prototype** (Snell and others, 2017), and a new image belongs to the nearest prototype.
# Write it with NumPy. (Then try it in `score_methods` instead of `fit_head`: with one image a class it is the nearest neighbour in feature space; who wins with fifty?)


# %% tags=["exercise"]
def nearest_prototype(features, labels, new_features):
    """The label of the nearest class mean for each row of new_features, (m, k), from features (n, k), labels (n,)."""
    ### BEGIN SOLUTION
    classes = np.unique(labels)
    prototypes = np.array([features[labels == name].mean(axis=0) for name in classes])
    distances = np.linalg.norm(new_features[:, np.newaxis] - prototypes, axis=-1)  # (m, classes)
    return classes[distances.argmin(axis=1)]
    ### END SOLUTION


# %% tags=["wrong"] says="compare with means, not with single features"
def nearest_prototype(features, labels, new_features):  # the nearest neighbour: no means
    distances = np.linalg.norm(new_features[:, np.newaxis] - features, axis=-1)
    return labels[distances.argmin(axis=1)]


# %% tags=["wrong"] says="return labels, here 7 and 9"
def nearest_prototype(features, labels, new_features):  # gives places instead of labels
    prototypes = np.array([features[labels == name].mean(axis=0) for name in np.unique(labels)])
    distances = np.linalg.norm(new_features[:, np.newaxis] - prototypes, axis=-1)
    return distances.argmin(axis=1)


# %% tags=["check"]
with feedback("No training at all"):
    known = np.array([[5.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    got = nearest_prototype(known, np.array([9, 7, 7, 7]), np.array([[100.0, 0.0], [3.5, 0.0]]))
    assert got is not None, "nearest_prototype returns nothing yet"
    got = np.asarray(got).tolist()
    assert len(got) == 2 and set(got) <= {7, 9}, f"return labels, here 7 and 9, yours are {got}"
    assert got[0] == 9, "100 is nearest to the 5 of class 9: does each mean keep its own label?"
    assert got[1] == 9, (
        "three features at 1 have the mean 1, not the sum 3: so 3.5 is nearer to the 5 of class 9"
    )
    known = np.array([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0], [20.0, 0.0]])
    got = nearest_prototype(known, np.array([7, 7, 9, 9]), np.array([[4.5, 0.0], [12.0, 1.0]]))
    assert np.asarray(got).tolist() == [7, 9], (
        f"4.5 is nearest to the mean 5 of class 7, and 12 to the mean 12 of class 9, yours says {got}: "
        "compare with means, not with single features"
    )
    rng = np.random.default_rng(0)
    many, names, new = rng.normal(size=(60, 4)), rng.choice([8, 3, 5], 60), rng.normal(size=(50, 4))
    expected = sklearn.neighbors.NearestCentroid().fit(many, names).predict(new)
    agree = np.mean(np.asarray(nearest_prototype(many, names, new)) == expected)
    assert agree == 1, (
        f"scikit-learn's nearest centroid, on three classes with 4 features, agrees on {agree:.0%}: "
        "do all features count in each distance?"
    )

# %% [markdown]
# ## Exercise 5: beat this baseline
#
# Before you borrow a network, ask what you know about the images. Here you know that place and size mean nothing. Write `prepare`, which undoes such changes as well as you can, with OpenCV and
# NumPy, no training. The check gives your images to the nearest neighbour, five images a class, 5 to 9, three draws; raw pixels are the baseline. Get past seven in ten. Then compare your
# number with the row for five images in the table above: how much would you still pay for a network?


# %% tags=["exercise"]
def prepare(images):
    """Images (n, 28, 28, 1), each a small digit somewhere, made comparable: (n, height, width), any one size."""
    ### BEGIN SOLUTION
    prepared = []
    for image in images[..., 0]:
        rows = np.flatnonzero(image.max(axis=1) > 0.3)  # the rows and columns with ink
        columns = np.flatnonzero(image.max(axis=0) > 0.3)
        cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        prepared.append(cv2.resize(cut, (20, 20)))
    return np.array(prepared)
    ### END SOLUTION


# %% tags=["wrong"] says="no better than raw pixels"
def prepare(images):  # changes nothing
    return images[..., 0]


# %% tags=["wrong"] says="no better than raw pixels"
def prepare(images):  # blurs, but leaves every digit where it is
    return np.array([cv2.GaussianBlur(image[..., 0], (0, 0), 2) for image in images])


# %% tags=["wrong"] says="return one prepared image for each image"
def prepare(images):  # forgets all but the first image
    return images[:1, ..., 0]


# %% tags=["check"]
def neighbour_score(prepare, draw):
    """Accuracy of the nearest neighbour on prepared test images of 5 to 9, five known images a class."""
    rng = np.random.default_rng(draw)
    training, _, test = load_digits(seed=draw)
    parts = []
    for images, labels in (training, test):
        rows = np.flatnonzero(labels >= 5)
        parts.append((prepare(careless(images[rows], rng)), labels[rows]))
    (known, names), (new, answers_wanted) = parts
    assert len(known) == len(names), "return one prepared image for each image"
    chosen = np.concatenate([np.flatnonzero(names == digit)[:5] for digit in range(5, 10)])
    neighbour = sklearn.neighbors.KNeighborsClassifier(1)
    neighbour.fit(known[chosen].reshape(25, -1), names[chosen])
    return neighbour.score(new.reshape(len(new), -1), answers_wanted)


measured = {}
with feedback("Beat this baseline"):
    assert prepare(np.ones((2, 28, 28, 1), "float32")) is not None, "prepare returns nothing yet"
    raw = np.mean([neighbour_score(lambda images: images[..., 0], draw) for draw in range(3)])
    yours = np.mean([neighbour_score(prepare, draw) for draw in range(3)])
    measured = {"raw pixels": raw, "yours": yours}
    assert yours > raw + 0.05, (
        f"yours reads {yours:.2f}, no better than raw pixels with {raw:.2f}: does a digit end in the same place and size wherever it was?"
    )
    assert yours > 0.7, (
        f"yours reads {yours:.2f}, raw pixels {raw:.2f}: place and size, is one left?"
    )
for name, score in measured.items():
    print(f"{name} {score:.2f}")

# %% [markdown]
# ## Summary
#
# - A base that learned other classes is worth most when labels are few. From five images a class to fifty its lead over training from scratch falls to less than half, and a *frozen* base falls behind.
# - A frozen base needs to see each image once: cache its features, train a head in milliseconds.
# - `trainable = False` keeps every bit, for batch normalization the statistics too. Unfrozen, they move without any learning, and inside `fit` not even `training=False` stops them.
#   Compile again after every change.
# - Fine-tune from a trained head, with a learning rate chosen on validation data. A large one destroys both tasks.
# - Augmentation teaches part of the same: with deformed copies most of the lead was gone. Preparing the images well helps too: measure it in exercise 5.
# - The more blocks you freeze, the more it matters that they learned. First blocks do nearly as well with random weights.
# - Random weights are no base: on patches of photographs they lose to ten hand-made numbers, and those, where they can be had, to weights from ImageNet.
#
# Not shown: tasks so far from the old one that transfer hurts; bases trained without labels. Next: detection, segmentation and verification, which all start from a base (lesson 3.3).

# %% [markdown]
# ## Questions
#
# <details>
# <summary>You freeze a base of plain convolutions, without batch normalization. Does it matter whether you call it with training=True?</summary>
#
# No. A convolution computes the same in both cases. The argument matters to layers that behave differently in training: batch normalization and dropout.
#
# </details>
#
# <details>
# <summary>Why train the head before you unfreeze the base?</summary>
#
# A random head makes large errors, and their gradients flow back through random weights into the base: it is pushed about before the head can tell it anything useful.
#
# </details>
#
# <details>
# <summary>A frozen base beats training from scratch on your 30 images. You now get 3,000 more. What do you measure again?</summary>
#
# Everything: the frozen base, fine-tuning and training from scratch, on the same split. With more labels the order changes, as it does in the curve above.
#
# </details>
#
# <details>
# <summary>The base must go on reading 0 to 4 as well. What can you do?</summary>
#
# Keep it frozen and give each task its own head. Or fine-tune a copy. Or mix images of the old task into the new training, so that forgetting costs something.
#
# </details>

# %% [markdown]
# ## References
#
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson (2014). How transferable are features in deep neural networks? arXiv:1411.1792
# - A. Kumar, A. Raghunathan, R. Jones, T. Ma, P. Liang (2022). Fine-tuning can distort pretrained features and underperform out-of-distribution. arXiv:2202.10054
# - M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen (2018). MobileNetV2: inverted residuals and linear bottlenecks. arXiv:1801.04381
# - S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network training by reducing internal covariate shift. arXiv:1502.03167
# - M. McCloskey, N. J. Cohen (1989). Catastrophic interference in connectionist networks. doi:10.1016/S0079-7421(08)60536-8
# - J. Snell, K. Swersky, R. Zemel (2017). Prototypical networks for few-shot learning. arXiv:1703.05175
# - O. Russakovsky and others (2015). ImageNet large scale visual recognition challenge. arXiv:1409.0575
