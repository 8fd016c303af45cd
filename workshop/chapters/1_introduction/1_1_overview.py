# ---
# jupyter:
#   course:
#     prerequisites: []
#     equal_programs:
#       "Repair this":
#         "keyword dropped: zip(inputs, targets, strict=True) -> zip(inputs, targets)": "both have the same length"
#         "constant: True -> False": "strict only matters where the lengths differ"
#       "Artificial intelligence without learning":
#         "comparison: middle.mean() > 0.5 -> middle.mean() >= 0.5": "no mean is exactly one half"
#         "constant: 1* -> *": "a window one pixel larger or smaller is another rule that reads nine of ten"
#       "Beat the baseline with a small network":
#         "keyword dropped: keras.layers.Dense(32, activation='relu') -> keras.layers.Dense(32)": "measured over five seeds it reads as well: 7 x 7 averages hardly need the bend"
#         "constant: 4 -> 3": "9 x 9 averages take 2,954 weights and keep more of the image"
#         "constant: 32 -> 3*": "one neuron more or less is another network that meets the goal"
#     core_minutes: 75
# ---

# %% [markdown]
# # 1.1 Overview
#
# **After this lesson you can** say what deep learning is and how it differs from the rest of machine learning, train
# a first network and judge it fairly, name the steps from 1943 to today, and say why the breakthrough took so long.
#
# **You build** a first network of ten lines that reads handwritten digits, yours included, and a perceptron that goes
# in circles.
#
# **Question.** You read a handwritten 7 at a glance, and cannot say by which rules. How does a machine learn what
# nobody can write down, and what is *deep* about it?

# %% tags=["setup"]
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.datasets
import sklearn.decomposition
import sklearn.metrics
import sklearn.model_selection
import sklearn.neighbors

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

training_data, validation_data, test_data = load_digits(seed=SEED)
training_images, training_labels = training_data
test_images, test_labels = test_data

# %% [markdown]
# ## Ten lines that learn to read
#
# Run the next cell. It builds a network and trains it on 1,198 handwritten digits. What the lines mean comes right
# after.

# %%
layers = [
    keras.layers.Flatten(),
    keras.layers.Dense(128, activation="relu"),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
]
network = keras.Sequential(layers)
network.compile(optimizer=keras.optimizers.Adam(0.002), loss="sparse_categorical_crossentropy")
history = network.fit(training_images, training_labels, epochs=12, batch_size=64, verbose=0)

# %% [markdown]
# That was all. Let it read ten digits that it has never seen.

# %% alt="Ten small images of handwritten digits, each with the digit that the network reads above it."
shares = network.predict(
    test_images, verbose=0
)  # (300, 10): for each image, ten shares that add up to 1
readings = shares.argmax(axis=1)  # the digit with the largest share
show_images(test_images[:10], [f"reads {digit}" for digit in readings[:10]])

# %% [markdown]
# Compare the words with the images. Nobody told the machine what a 3 looks like. It got images with the right
# answers, and found out by itself.
#
# What the ten lines say:
#
# - An image is 28 × 28 numbers between 0 (paper) and 1 (ink). `Flatten` lays them in one row of 784.
# - Each `Dense` line is a **layer**: it takes a row of numbers and computes a new one, here of 128, then 64, then 32
#   numbers. Each new number is a sum of all the old ones, every one multiplied by a factor of its own. These factors
#   are the **weights**. `relu` replaces negative sums by 0.
# - The last layer has ten numbers, one for each digit. `softmax` makes them shares that add up to 1. The largest is
#   the answer.
# - Before training, all weights are random. `fit` shows the images in groups of 64, measures with the **loss** how
#   far the shares are from the right answers, and turns every weight a little in the direction that lowers the loss.
#   How far, `Adam(0.002)` decides. One walk through all images is an **epoch**; we take 12.
#
# Lesson 2.1 takes a layer apart, and lesson 2.3 the learning. Here we keep to the large picture.

# %% [markdown]
# ## How good is it?
#
# A score on images that it was trained on would say little: it could have learned them by heart. So a sixth of the
# digits was put aside before training, the **test data**. The share that it reads correctly there is its
# **accuracy**. A reader that knows nothing and always answers with the most frequent digit is right on about one in
# ten.

# %%
accuracy = np.mean(readings == test_labels)
constant_accuracy = np.mean(test_labels == np.bincount(training_labels).argmax())
claim(
    "Ten lines read nearly all handwritten digits that they have never seen",
    accuracy > 0.9 and constant_accuracy < 0.15,
    f"{accuracy:.1%} of {len(test_labels)} test digits, a constant answer {constant_accuracy:.1%}",
)

# %% [markdown]
# Now look at the ones it gets wrong. Would you have read all of them?

# %% alt="Up to ten test digits that the network misreads, each with the true digit and the reading above it. Several are hard to read for a person too."
wrong_places = np.flatnonzero(readings != test_labels)[:10]
show_images(
    test_images[wrong_places],
    [f"{test_labels[place]}, reads {readings[place]}" for place in wrong_places],
    columns=5,
)

# %% [markdown]
# Some are scrawls, some are plain to us. The machine has not learned *what a digit is*. It has learned something that
# works on digits like those it saw. The next section shows the difference.

# %% [markdown]
# ## Your own digit
#
# Draw one. The digits of this course were recorded as 8 × 8 small squares and then enlarged to 28 × 28, so your
# drawing is eight lines of eight characters: `#` for ink, `.` for paper. `enlarge` treats it like the others. Change
# the drawing, run the cell again, and try to draw a 2 that it misreads.


# %%
def image_of(drawing):
    """Eight lines of eight characters, # for ink, as an image in the course's form: (28, 28, 1)."""
    squares = np.array(
        [[character == "#" for character in line] for line in drawing.split()], dtype=float
    )
    return enlarge(squares[np.newaxis])[0]


# %% alt="A pixelated hand-drawn digit 2 with the network's reading above it, and beside it four handwritten training digits of the kind that it was taken for."
my_drawing = """
    ..####..
    .##..##.
    .#....#.
    .....##.
    ....##..
    ..##....
    .##.....
    .######.
"""
my_shares = network.predict(image_of(my_drawing)[np.newaxis], verbose=0)[0]
look_alikes = training_images[training_labels == my_shares.argmax()][:4]
show_images(
    [image_of(my_drawing), *look_alikes],
    [f"reads {my_shares.argmax()}", *4 * ["trained on"]],
    columns=5,
)
print("shares:", "  ".join(f"{digit}: {share:.2f}" for digit, share in enumerate(my_shares)))

# %% [markdown]
# One drawing proves nothing. Here are ten, one of each digit, drawn by the author in one go and not mended
# afterwards. Predict: on the test digits it was right nearly always. How many of these will it read?

# %%
AUTHORS_DRAWINGS = """
..####.. ...##... ..####.. ..####.. ....##.. .######. ...##... .####### ..####.. ..####..
.##..##. ..###... .##..##. .##..##. ...##... .##..... ..##.... ......## .##..##. .##..##.
.#....#. .####... .#....#. .....##. ..##.... .##..... .##..... .....##. .##..##. .##..##.
.#....#. ...##... .....##. ...###.. .##..##. .#####.. .#####.. ....##.. ..####.. ..#####.
.#....#. ...##... ....##.. .....##. .####### .....##. .##..##. ...##... .##..##. .....##.
.#....#. ...##... ..##.... ......#. .....##. .....##. .##..##. ..##.... .##..##. .....##.
.##..##. ...##... .##..... .##..##. .....##. .##..##. .##..##. ..##.... .##..##. ....##..
..####.. ..####.. .######. ..####.. .....##. ..####.. ..####.. ..##.... ..####.. ..###...
"""
columns_of_text = zip(
    *[line.split() for line in AUTHORS_DRAWINGS.strip().splitlines()], strict=True
)
drawn_images = np.array(
    [image_of("\n".join(lines)) for lines in columns_of_text]
)  # (10, 28, 28, 1)

# %% alt="Ten pixelated drawings of the digits 0 to 9, each with the network's reading above it; several readings are wrong."
drawn_readings = network.predict(drawn_images, verbose=0).argmax(axis=1)
show_images(drawn_images, [f"reads {digit}" for digit in drawn_readings])
drawn_right = int(np.sum(drawn_readings == np.arange(10)))
claim(
    "It reads some drawings of a new hand, and a smaller share of them than of the test digits",
    drawn_right >= 3 and drawn_right / 10 < accuracy,
    f"{drawn_right} of 10 drawings, {accuracy:.1%} of the test digits",
)

# %% [markdown]
# ### When it fails, why?
#
# Every drawing is plain to you. To the network it is strange, and we can measure how strange. Take the distance from
# one image to another: the square root of the summed squared differences of all pixels. For each image, how far is
# the *nearest* of all training images?


# %%
def as_rows(images):
    """Images (n, 28, 28, 1) as rows of pixels (n, 784)."""
    return images.reshape(len(images), -1)


nearest = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(as_rows(training_images))
test_distances = nearest.kneighbors(as_rows(test_images))[0].ravel()
drawn_distances = nearest.kneighbors(as_rows(drawn_images))[0].ravel()

# %% alt="A histogram of distances to the nearest training image. The test digits form a hill at small distances; ten marks for the drawings lie to its right, most of them far outside the hill."
plt.hist(test_distances, 30, color=COLOURS["sky"])
plt.plot(drawn_distances, np.full(10, 3.0), "v", color=COLOURS["red"], markersize=9)
plt.annotate("test digits", (np.median(test_distances) + 0.8, 22), color=COLOURS["blue"])
plt.annotate("the ten drawings", (drawn_distances.mean() - 0.9, 5), color=COLOURS["red"])
plt.xlabel("distance to the nearest training image")
plt.ylabel("number of test digits")
plt.title("The drawings are unlike anything it was trained on")
plt.show()

# %% without_learning="data"
claim(
    "The drawings lie farther from all training images than the strangest test digit does, on average",
    drawn_distances.mean() > test_distances.max(),
    f"drawings {drawn_distances.mean():.1f} on average, "
    f"test digits {test_distances.mean():.1f} on average and {test_distances.max():.1f} at most",
)

# %% [markdown]
# Strange is not the same as misread: some of the far ones are read rightly. But nothing vouches for them.
#
# The blue hill is the world that the network knows. A good score there is a promise about digits *from that hill*,
# and about nothing else.
#
# We can leave the hill on purpose. Move every test digit four pixels to the right, or swap ink and paper. You still
# read them all. Predict: does the network? And when it is wrong, does it at least doubt?

# %% alt="Two rows of five test digits: the upper ones moved to the right, the lower ones white on black, each with the network's reading, most of them wrong."
moved_images = np.pad(test_images, ((0, 0), (0, 0), (4, 0), (0, 0)))[
    :, :, :28
]  # four empty columns at the left
swapped_images = 1 - test_images
moved_shares = network.predict(moved_images, verbose=0)
swapped_shares = network.predict(swapped_images, verbose=0)
show_images(
    np.concatenate([moved_images[:5], swapped_images[:5]]),
    [
        f"reads {digit}"
        for digit in [*moved_shares[:5].argmax(axis=1), *swapped_shares[:5].argmax(axis=1)]
    ],
    columns=5,
)

# %%
moved_right = moved_shares.argmax(axis=1) == test_labels
swapped_right = swapped_shares.argmax(axis=1) == test_labels
confidence_when_wrong = moved_shares.max(axis=1)[~moved_right].mean()
claim(
    "It reads more than nine of ten test digits in place, fewer than half when they are moved by four pixels, and swapped "
    "ones no better than by guessing",
    accuracy > 0.9 and moved_right.mean() < 0.5 and swapped_right.mean() < 0.15,
    f"right: {accuracy:.1%} as they are, {moved_right.mean():.1%} moved, {swapped_right.mean():.1%} swapped",
)
claim(
    "It does not notice: its wrong answers to moved digits come with a large share",
    confidence_when_wrong > 0.6,
    f"{confidence_when_wrong:.2f} on average, where a perfect doubt would be 0.10",
)

# %% [markdown]
# The reason is in the first layer. Every pixel has weights of its own, and those of the right margin have learned
# almost nothing, since there was never ink. A network for which a 7 is a 7 wherever it stands needs another kind of
# layer (lesson 3.1), or training on moved digits (lesson 2.4). Until then the mending is in your hands: centre your
# digit, fill the box, dark ink as 1.
#
# **Keep this** for every network you meet: it knows the data it was trained on, and it does not know what it does not
# know.

# %% [markdown]
# ## What deep learning is
#
# ![Three nested boxes. Artificial intelligence: pixels go through rules that a person wrote to an answer. Inside it machine learning: pixels go through features that a person chose and a learned rule to an answer. Inside that deep learning: pixels go through learned features, learned features of features and so on, and a learned rule to an answer.](../../../images/what_is_deep_learning.png)
#
# - **Artificial intelligence** is any program that does what seems to need thought. A chess program full of
#   hand-written rules is one.
# - **Machine learning** is the part where the program gets its rules from examples. A person still decides what to
#   look at: the **features**.
# - **Deep learning** is the part of machine learning that learns the features too, in many layers, each made from the
#   one before. What a layer computes is a **representation** of the image: the same digit, described by other
#   numbers. *Deep* means no more than that: many representations between input and answer. It says nothing about deep
#   understanding.
#
# Our network has three representations between pixels and answer. Those for photographs have dozens to hundreds.
#
# | task | goes in | comes out | you build it in |
# |---|---|---|---|
# | recognise | image | one of several classes | 2.2, 3.1 |
# | find and outline | photograph | boxes, a mask | 3.3 |
# | verify a face or a signature | two images | same person or not | 3.3 |
# | read text and hear speech | strip of writing, sound | letters | 4.3 |
# | forecast | past values | next values with a margin | 4.3 |
# | translate | sentence | sentence | 4.3, 6.2 |
# | write | beginning of a text | its continuation | 6.3 |
# | make images | noise, a wish | image | 5.1, 5.2 |
# | find what is odd | any measurement | how unusual it is | 5.3, 7.1 |

# %% [markdown]
# ## Is the network any better than something simple?
#
# Always ask this. Three rivals, from simple to clever:
#
# - **Nearest centroid**: average all training images of a digit; answer with the digit whose average is nearest.
# - **One layer**: our network without its three hidden layers, so nothing is deep.
# - **k-nearest-neighbours**: keep all training images; let the $k$ nearest ones vote. ($k$ is chosen on the
#   **validation data**, a second part that was put aside for such choices, so that the test data stays untouched.)
#
# One split could be luck, so we split the digits anew five times and give every reader the same data. We also train
# the network on fewer examples, for a later section. To make it fair, each run sees equally many images: a small set
# is repeated.


# %%
def dense_network(hidden, learning_rate):
    """A compiled network for digits with these hidden layers, for example (128, 64, 32)."""
    hidden_layers = [keras.layers.Dense(neurons, activation="relu") for neurons in hidden]
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), *hidden_layers, output]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy"
    )
    return model


def train_anew(model, images, labels, seed):
    """Forget everything, take new random weights, and train on the images.

    They are repeated until they are as many as in 12 epochs of 1,198, and shown in one long epoch.
    """
    keras.utils.set_random_seed(seed)
    model.set_weights(
        keras.models.clone_model(model).get_weights()
    )  # a clone has new random weights
    for variable in model.optimizer.variables:
        if variable.name != "learning_rate":
            variable.assign(
                keras.ops.zeros_like(variable)
            )  # what Adam remembers of the last training
    repeated = np.resize(np.arange(len(images)), 12 * 1198)
    _ = model.fit(images[repeated], labels[repeated], batch_size=64, verbose=0)


def accuracy_of(model, images, labels):
    """The share of images read correctly. (model(...) is predict without its overhead.)"""
    return np.mean(keras.ops.convert_to_numpy(model(images)).argmax(axis=1) == labels)


def centroid_accuracy(training_rows, training_labels, rows, labels):
    """How many rows lie nearest to the average of their own class. Rows: (n, numbers)."""
    averages = np.array(
        [training_rows[training_labels == digit].mean(axis=0) for digit in range(10)]
    )
    distances = ((rows[:, np.newaxis] - averages) ** 2).sum(axis=-1)  # (n, 10)
    return np.mean(distances.argmin(axis=1) == labels)


def neighbours_accuracy(training_rows, training_labels, validation, test):
    """Test accuracy of k-nearest-neighbours, with the k of 1, 3, 5 that is best on validation."""
    readers = [
        sklearn.neighbors.KNeighborsClassifier(k).fit(training_rows, training_labels)
        for k in (1, 3, 5)
    ]
    return max(readers, key=lambda reader: reader.score(*validation)).score(*test)


# %%
SIZES = (50, 200, 1198)  # training digits; the last is all of them
RUNS = 5
READERS = ("nearest centroid", "one layer", "deep network", "k-nearest-neighbours")
deep_network = dense_network((128, 64, 32), learning_rate=0.002)
one_layer = dense_network((), learning_rate=0.01)

scores = np.zeros((RUNS, len(READERS)))
accuracy_by_size = np.zeros((RUNS, len(SIZES)))
splits, trained_weights = [], []
for run in range(RUNS):
    split = (images, labels), validation, test = load_digits(seed=SEED + run)
    for place, size in enumerate(SIZES):
        train_anew(deep_network, images[:size], labels[:size], SEED + run)
        accuracy_by_size[run, place] = accuracy_of(deep_network, *test)
    splits.append(split)
    trained_weights.append(deep_network.get_weights())
    train_anew(one_layer, images, labels, SEED + run)
    rows = [(as_rows(part_images), part_labels) for part_images, part_labels in split]
    by_centroid = centroid_accuracy(*rows[0], *rows[2])
    by_neighbours = neighbours_accuracy(*rows[0], *rows[1:])
    scores[run] = (
        by_centroid,
        accuracy_of(one_layer, *test),
        accuracy_by_size[run, -1],
        by_neighbours,
    )

# %%
for reader, values in zip(READERS, scores.T, strict=True):
    print(f"{reader:22s} {values.mean():.1%} ± {values.std(ddof=1):.1%} of the test digits")

# %% tags=["headline"]
centroid, one_layer_scores, deep_scores, neighbours = scores.T
claim(
    "On five splits the first network reads far more digits than nearest centroid, and fewer than k-nearest-neighbours",
    np.all(deep_scores > centroid) and deep_scores.mean() < neighbours.mean(),
    f"network {deep_scores.mean():.1%} ± {deep_scores.std(ddof=1):.1%}, "
    f"nearest centroid {centroid.mean():.1%}, k-nearest-neighbours {neighbours.mean():.1%}",
)
claim(
    "On these small digits depth hardly matters: one layer reads within two percentage points of four",
    abs(deep_scores.mean() - one_layer_scores.mean()) < 0.02,
    f"one layer {one_layer_scores.mean():.1%} ± {one_layer_scores.std(ddof=1):.1%}, "
    f"four layers {deep_scores.mean():.1%}",
)

# %% [markdown]
# The network does not win. An old method that learns nothing and only compares beats it, and depth buys hardly any
# accuracy here. That is the truth about deep learning on a thousand small, clean, centred images: use the simple
# thing.
#
# Then why this course? Because what the rivals do well here does not grow. The neighbours' method keeps every
# training image and compares with all of them; the network keeps its weights, however many images it saw. And
# distance in *pixels* is a poor measure of likeness as soon as things move. Try the nearest neighbour on the moved
# digits from above.

# %% without_learning="data"
moved_neighbours = nearest.kneighbors(as_rows(moved_images), return_distance=False).ravel()
moved_by_neighbour = np.mean(training_labels[moved_neighbours] == test_labels)
claim(
    "Moved by four pixels, the nearest neighbour fails too: it reads at most six digits in ten",
    moved_by_neighbour < 0.6,
    f"right {moved_by_neighbour:.1%}",
)

# %% without_learning="arithmetic"
stored_numbers = training_images.size
claim(
    "The network is smaller than what k-nearest-neighbours must keep",
    network.count_params() < stored_numbers / 5,
    f"{network.count_params():,} weights against {stored_numbers:,} pixels; "
    f"with 60,000 images {60_000 * 784:,} pixels",
)

# %% [markdown]
# A photograph is that problem a thousandfold: the same dog at another place, in another light, from another side.
# There the simple rivals break down: on the photographs of ImageNet, all winners since 2012 were deep networks.
#
# ### A test can flatter
#
# The 1,797 digits come from 13 people. Our splits are random, so the hand that wrote a test digit wrote training
# digits too, and a neighbour in the same hand is the best neighbour of all. The file seems to be sorted by writer. So
# let us test on a *block* of the file, whose writers are nearly all absent from training, and compare with random
# thirds.

# %% without_learning="data"
pixels, digits = sklearn.datasets.load_digits(
    return_X_y=True
)  # (1797, 64), in the order of the file
reader = sklearn.neighbors.KNeighborsClassifier(3)
block_folds = sklearn.model_selection.KFold(3)
random_folds = sklearn.model_selection.RepeatedKFold(n_splits=3, n_repeats=5, random_state=SEED)
new_writers = sklearn.model_selection.cross_val_score(reader, pixels, digits, cv=block_folds)
known_writers = sklearn.model_selection.cross_val_score(reader, pixels, digits, cv=random_folds)
claim(
    "On blocks of the file k-nearest-neighbours errs more than twice as often as on random thirds",
    1 - new_writers.mean() > 2 * (1 - known_writers.mean()),
    f"errors {1 - new_writers.mean():.1%} on blocks, {1 - known_writers.mean():.1%} on random thirds",
)

# %% [markdown]
# So even the winner's score was a promise about known hands. When you judge a network, ask whether the test data is
# new in the way that the data of its later life will be new. Lesson 2.4 comes back to this.

# %% [markdown]
# ## From 1943 to today
#
# ![A timeline of seventeen works from 1943 to 2021, each with its authors, what it brought, and the lesson of this course that builds on it. Marks tell new networks, ways to train, a limit, and growth of data and size apart. Eight of the seventeen lie after 2008.](../../../images/deep_learning_history.png)
#
# Two things stand out. The ideas are old: neurons, learning from examples, convolution and back-propagation are all
# older than 1990. And nearly half of the works crowd into the time after 2008. What happened between? Measure it
# yourself: one wall that was real, and three conditions that were missing.
#
# (A timeline of single papers flatters them. Back-propagation, for one, has several fathers: Linnainmaa described its
# mathematics in 1970, and Werbos proposed it for networks before 1986 made it known.)

# %% [markdown]
# ### The wall: XOR
#
# Rosenblatt's **perceptron** of 1958 is one artificial neuron with a rule to learn. It adds its weighted inputs and
# says 1 if the sum is above zero, else 0. The rule:
#
# - right answer: change nothing;
# - it said 0 and should say 1: add the inputs to the weights;
# - it said 1 and should say 0: subtract them.
#
# All three cases are one line: $w \leftarrow w + (y - \hat y)\,x$, with the target $y$ and the answer $\hat y$. An
# input that is always 1 serves as the **bias**, a weight that does not depend on the input. By hand: all weights are
# 0, the input is $x = (1, 1, 1)$, the target 1. The sum is 0, the answer 0, wrong. The new weights are
# $(0, 0, 0) + (1 - 0) \cdot (1, 1, 1) = (1, 1, 1)$.


# %% tags=["setup"]
def perceptron_pass(weights, inputs, targets):
    """Rosenblatt's rule on each example in turn. weights: (k,), inputs: (n, k), targets: (n,).

    Returns the new weights and the number of mistakes.
    """
    mistakes = 0
    for x, target in zip(inputs, targets, strict=True):
        answer = int(weights @ x > 0)
        weights = weights + (target - answer) * x
        mistakes += int(answer != target)
    return weights, mistakes


# %%
TWO_INPUTS = np.array(
    [[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]]
)  # the always-1 for the bias, then two inputs
GATES = {"AND": np.array([0, 0, 0, 1]), "OR": np.array([0, 1, 1, 1]), "XOR": np.array([0, 1, 1, 0])}

# %% [markdown]
# AND means both inputs, OR at least one, and **XOR** exactly one. Predict: after how many passes does the perceptron
# make no more mistakes on each?

# %% tags=["nbval-check-output"]
for gate, targets in GATES.items():
    weights, mistakes_by_pass = np.zeros(3, dtype=int), []
    for _ in range(12):
        weights, mistakes = perceptron_pass(weights, TWO_INPUTS, targets)
        mistakes_by_pass.append(mistakes)
    print(f"{gate:4s} mistakes in each pass: {mistakes_by_pass}, last weights {weights}")

# %% [markdown]
# AND and OR are learned for good. On XOR it makes mistakes for ever. For ever? Twelve passes do not prove that. But
# the rule is deterministic: if the weights ever return to values that they had before a pass, everything repeats. We
# start at 100 random places and watch for that.


# %% without_learning="own loop"
def goes_in_circles(weights, inputs, targets, passes=200):
    """True if the weights return to a former value, False if the mistakes end before that."""
    former = set()
    for _ in range(passes):
        if tuple(weights) in former:
            return True
        former.add(tuple(weights))
        weights, mistakes = perceptron_pass(weights, inputs, targets)
        if mistakes == 0:
            return False
    raise RuntimeError("neither has happened yet: take more passes")


starts = np.random.default_rng(SEED).integers(-10, 11, size=(100, 3))
circles = {
    gate: sum(goes_in_circles(start, TWO_INPUTS, targets) for start in starts)
    for gate, targets in GATES.items()
}
claim(
    "From any of 100 starts the perceptron learns AND and OR, and on XOR it goes in circles for ever",
    circles == {"AND": 0, "OR": 0, "XOR": 100},
    f"starts that end in a circle: {circles}",
)

# %% [markdown]
# No other rule could help. The perceptron says 1 on one side of a straight line. Add its four demands for XOR: 00
# gives no, so $b \le 0$; 11 gives no, so $w_1 + w_2 + b \le 0$; together $w_1 + w_2 + 2b \le 0$. But 10 and 01 give
# yes, so $w_1 + b > 0$ and $w_2 + b > 0$; together $w_1 + w_2 + 2b > 0$. Both cannot be.
#
# Minsky and Papert proved many such limits in 1969, of XOR's larger relatives above all. That a *second layer* can do
# it was no secret: the nets of 1943 already computed any logic. Here is one, with weights set by hand: the hidden
# layer computes OR and AND, and the output says *OR, but not AND*.

# %% tags=["nbval-check-output"] without_learning="untrained"
hidden_weights = np.array([[-0.5, 1, 1], [-1.5, 1, 1]])  # bias and two weights: OR, AND
output_weights = np.array([-0.5, 1, -1])  # bias, from OR, from AND
hidden = (TWO_INPUTS @ hidden_weights.T > 0).astype(int)  # (4, 2)
answers = (np.column_stack([np.ones(4), hidden]) @ output_weights > 0).astype(int)
for inputs, representation, answer in zip(TWO_INPUTS[:, 1:], hidden, answers, strict=True):
    print(f"inputs {inputs}  ->  hidden layer {representation}  ->  answer {answer}")
claim(
    "Two layers of such neurons compute XOR",
    np.array_equal(answers, GATES["XOR"]),
    f"answers {answers}",
)

# %% [markdown]
# Look at the middle column. The inputs 01 and 10, which should get the same answer, have become *the same point*
# $(1, 0)$. The hidden layer has moved the points so that a line can separate them. That is all a hidden layer is for,
# in four examples as in a million.
#
# What was missing after 1969 was not the second layer but a way to *learn* it. The perceptron's rule knows the target
# of the output neuron. Nobody tells the hidden neurons theirs. **Back-propagation** (1986) does: it sends the error
# backwards through the layers (lesson 2.3). `fit` uses it.

# %%
HIDDEN_NEURONS = 8
points, targets = TWO_INPUTS[:, 1:].astype("float32"), GATES["XOR"]


def trained_on_xor(hidden_neurons):
    """A network with one hidden layer, or with none for 0, after 500 steps on the four points."""
    keras.utils.set_random_seed(SEED)
    hidden_layers = (
        [keras.layers.Dense(hidden_neurons, activation="tanh")] if hidden_neurons else []
    )
    model = keras.Sequential(
        [keras.Input((2,)), *hidden_layers, keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
    _ = model.fit(np.tile(points, (2000, 1)), np.tile(targets, 2000), batch_size=16, verbose=0)
    return model


xor_networks = {neurons: trained_on_xor(neurons) for neurons in (0, HIDDEN_NEURONS)}
xor_outputs = {
    neurons: keras.ops.convert_to_numpy(model(points)).ravel().round(2)
    for neurons, model in xor_networks.items()
}

# %% alt="Two squares coloured by a network's output, with the four points of XOR. Left, without a hidden layer, the colour is nearly even. Right, with one, the points 01 and 10 lie in the bright colour of yes and 00 and 11 in the dark colour of no."
grid = np.stack(np.meshgrid(np.linspace(-0.4, 1.4, 60), np.linspace(-0.4, 1.4, 60)), axis=-1)
figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.4), sharey=True)
for axes, (neurons, model) in zip((left, right), xor_networks.items(), strict=True):
    output = keras.ops.convert_to_numpy(model(grid.reshape(-1, 2))).reshape(60, 60)
    drawn = axes.contourf(grid[..., 0], grid[..., 1], output, np.linspace(0, 1, 11), cmap="cividis")
    for (x, y), target in zip(points, targets, strict=True):
        axes.plot(
            x,
            y,
            marker="s" if target else "o",
            color="white",
            markeredgecolor="black",
            markersize=13,
        )
        axes.annotate(target, (x, y), ha="center", va="center", fontsize=9)
    axes.set(
        title=f"{neurons} hidden neurons" if neurons else "no hidden layer", xlabel="first input"
    )
left.set_ylabel("second input")
figure.colorbar(drawn, ax=(left, right), label="network's output", ticks=[0, 0.5, 1])
plt.show()

# %%
xor_without, xor_with = xor_outputs.values()
claim(
    "With a hidden layer training finds XOR, and without one it ends near one half for every input",
    np.array_equal(xor_with > 0.9, targets == 1)
    and np.all(xor_with[targets == 0] < 0.1)
    and np.all(np.abs(xor_without - 0.5) < 0.2),
    f"outputs for 00, 01, 10, 11: {xor_with} with, {xor_without} without",
)

# %% [markdown]
# The circles are points whose answer is 0, the squares those whose answer is 1. Without a hidden layer the best the
# network can do is to shrug. With one its border bends, and each point lies on its own side.
#
# Eight hidden neurons are more than the two that suffice. Set `HIDDEN_NEURONS` to 2 and try a few seeds: does
# training always find the way? (The claim will tell you.)

# %% [markdown]
# ## Why it took off: data, compute, algorithms
#
# Back-propagation was known in 1986 and read zip codes in 1989. The breakthrough came in 2012. Three things were
# missing, and each can be measured.
#
# ### Data
#
# You have already trained the same network on 50, 200 and 1,198 digits, five times each.

# %% alt="Accuracy on test digits against the number of training digits on a logarithmic scale: the average of five splits rises from 50 over 200 to 1,198 examples, with bars for the spread that shrink or stay small against the rise."
mean_by_size = accuracy_by_size.mean(axis=0)
spread_by_size = accuracy_by_size.std(axis=0, ddof=1)
plt.errorbar(SIZES, mean_by_size, spread_by_size, marker="o", capsize=5)
plt.plot(np.repeat([SIZES], RUNS, axis=0), accuracy_by_size, ".", color="0.6", zorder=0)
plt.xscale("log")
plt.xticks(SIZES, [f"{size:,}" for size in SIZES])
plt.minorticks_off()
plt.xlabel("training digits (each step: four to six times as many)")
plt.ylabel("accuracy on test digits")
plt.title("More examples, better reading: mean and spread of five splits")
plt.show()

# %%
errors_left = (1 - accuracy_by_size[:, -1]) / (1 - accuracy_by_size[:, 0])
claim(
    "Accuracy grows with training data: each larger set reads better on average",
    np.all(np.diff(mean_by_size) > 0),
    ", ".join(
        f"{size:,}: {mean:.1%} ± {spread:.1%}"
        for size, mean, spread in zip(SIZES, mean_by_size, spread_by_size, strict=True)
    ),
)
claim(
    "From the smallest to the largest set the errors fall to less than half, on every split",
    np.all(errors_left < 0.5),
    f"share of the errors that remains: {errors_left.round(2)}",
)

# %% [markdown]
# The grey dots are single runs, the bars their standard deviation. Twenty-four times the data cuts the errors to a
# fraction, and nothing else was changed. Networks of all kinds show this over many powers of ten (Hestness et al.,
# 2017). The digits of 1989 were 7,291 for training; MNIST of 1998 has 60,000; the ImageNet contest of 2012 had 1.2
# million photographs, collected on the internet.

# %% [markdown]
# ### Compute
#
# Training is multiplying and adding. How much of it does this machine do in a second? Multiplying two matrices of
# 1,000 × 1,000 takes $2 \cdot 1000^3$ such operations. The fastest computer of 1985, a Cray-2, reached at best 1.9
# billion a second.

# %% tags=["measures-time"] without_learning="arithmetic"
CRAY_2 = 1.9e9  # operations a second, at its peak
matrix = np.random.default_rng(SEED).normal(size=(1000, 1000))
seconds = []
for _ in range(5):
    start = time.perf_counter()
    _ = matrix @ matrix
    seconds.append(time.perf_counter() - start)
this_machine = 2 * 1000**3 / min(seconds)
claim(
    "This machine computes faster than the fastest computer of 1985",
    this_machine > CRAY_2,
    f"{this_machine / 1e9:.0f} billion operations a second, "
    f"{this_machine / CRAY_2:.0f} times the Cray-2",
)

# %% [markdown]
# And what did the network of 2012 need? About 0.7 billion multiplications for one look at one image; twice that for
# multiplying *and* adding; three times that for training, since the way back costs twice the way forth; for 1.2
# million images, 90 times over.

# %%
operations_2012 = 0.7e9 * 2 * 3 * 1.2e6 * 90
operations_here = (training_images.size / 784) * network.count_params() * 2 * 3 * 12
print(
    f"The network of 2012 took about {operations_2012:.0e} operations, "
    f"our first network {operations_here:.0e}."
)
print(
    f"A Cray-2 at its peak: {operations_2012 / CRAY_2 / 3.15e7:.0f} years for the network of 2012, "
    f"{operations_here / CRAY_2:.0f} s for ours."
)

# %% tags=["measures-time"]
print(
    f"This machine at the speed above: {operations_2012 / this_machine / 86400:.0f} days "
    f"and {operations_here / this_machine:.2f} s."
)

# %% [markdown]
# A career at the Cray for one training run. In 2012 it took five to six days on two graphics cards made for games,
# which do very many multiplications at once. Our little network would have been no trouble in 1985; what was out of
# reach was the *scale* at which depth pays.

# %% [markdown]
# ### Algorithms
#
# The third is the least visible. Take one deep network of five hidden layers and one plain way to train it, gradient
# descent. Change a single word: the activation, which every layer applies to its sums. `sigmoid`, an S-shaped curve
# from 0 to 1, was the usual choice of 1986. `relu` became usual around 2011. Predict the two curves.


# %%
def training_curve(activation):
    """Loss by epoch, and accuracy on the validation data, of a network with five hidden layers."""
    keras.utils.set_random_seed(SEED)
    hidden_layers = [keras.layers.Dense(64, activation=activation) for _ in range(5)]
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), *hidden_layers, output]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    history = model.fit(*training_data, epochs=15, batch_size=64, verbose=0)
    return history.history["loss"], accuracy_of(model, *validation_data)


curves = {activation: training_curve(activation) for activation in ("sigmoid", "relu")}

# %% alt="Training loss over 15 epochs: with sigmoid it stays flat at the loss of guessing; with ReLU it falls towards zero."
for activation, (losses, _) in curves.items():
    plt.plot(range(1, 16), losses)
    plt.annotate(activation, (15.2, losses[-1]), va="center", annotation_clip=False)
plt.axhline(np.log(10), color="0.6", linewidth=1, linestyle=":")
plt.annotate("guessing: ln 10", (8, np.log(10) - 0.06), color="0.4", va="top")
plt.ylim(0, 2.6)
plt.xlabel("epoch")
plt.ylabel("training loss")
plt.title("The same deep network, one word changed")
plt.show()

# %%
claim(
    "With ReLU the deep network learns, and with sigmoids the same training leaves it at guessing",
    curves["relu"][1] > 0.5 and curves["sigmoid"][1] < 0.2,
    f"validation accuracy {curves['relu'][1]:.1%} and {curves['sigmoid'][1]:.1%}",
)

# %% [markdown]
# Flat. (The falling curve is rough: plain gradient descent at this rate may jump, from other starting weights more
# than here.) The error that travels back shrinks in every sigmoid layer, until the first layers hear nothing; lesson
# 2.1 measures it. This is one reason why deep networks had the name of being untrainable. There were other cures,
# such as training layer after layer (2006; lesson 7.4), other starting weights and other optimizers (lesson 2.3), and
# sigmoids can be trained with them. The point is: each missing trick looks like *it does not work*.

# %% [markdown]
# ## What the layers do: the classes come apart
#
# Back to the word *deep*. Each layer of the first network holds another description of the same digit. Are they
# better descriptions? Two ways to see.
#
# **A picture.** A representation of 128 numbers is a point in 128 dimensions. **Principal component analysis** (PCA)
# finds the flat view on a cloud of points that shows most of its spread, like the best place to photograph a swarm
# from.
#
# **A number.** Add up the squared distances of all points from the common centre: that is the whole spread. Replace
# each point by the centre of its class, and do it again: the spread *between* the classes. Their ratio, the
# **separability**, is 0 where all classes have the same centre and 1 where each class is a single point. By hand: the
# numbers 1 and 3 of one class and 5 and 7 of another have the centre 4 and the spread $9 + 1 + 1 + 9 = 20$. The class
# centres are 2 and 6, the spread between is $4 + 4 + 4 + 4 = 16$, and the separability is $16 / 20 = 0.8$.


# %%
def separability(points, labels):
    """The part of the spread of points (n, numbers) that lies between the classes: 0 to 1."""
    centre = points.mean(axis=0)
    class_centres = np.array(
        [points[labels == label].mean(axis=0) for label in labels]
    )  # (n, numbers)
    return ((class_centres - centre) ** 2).sum() / ((points - centre) ** 2).sum()


by_hand = separability(np.array([[1.0], [3.0], [5.0], [7.0]]), np.array([0, 0, 1, 1]))
assert np.isclose(by_hand, 0.8)


# %%
def representations(model, images):
    """What each layer makes of the images: rows of pixels, then the output of each Dense layer."""
    outputs = []
    values = images
    for layer in model.layers:  # Flatten first: the pixels themselves
        values = layer(values)
        outputs.append(keras.ops.convert_to_numpy(values))
    return outputs


LAYERS = ("pixels", "layer 1", "layer 2", "layer 3", "output")
deep_network.set_weights(trained_weights[0])
trained_layers = representations(deep_network, splits[0][2][0])


# %% alt="Four maps of the test digits, drawn as small numerals. After the pixels most of the ten classes overlap in one cloud; after layers 1, 2 and 3 more and more of them stand apart, and some still overlap."
def draw_map(axes, points, labels, title):
    """The points (n, numbers) seen by PCA, each drawn as its digit."""
    flat = sklearn.decomposition.PCA(2, random_state=SEED).fit_transform(points)
    palette = [*COLOURS.values(), "0.5", "#6A3D9A", "#8C564B"]
    for digit in range(10):
        chosen = flat[labels == digit]
        axes.scatter(*chosen.T, marker=f"${digit}$", s=22, color=palette[digit], linewidth=0.3)
    axes.set(title=title, xticks=[], yticks=[])


map_labels = splits[0][2][1]
figure, grid = plt.subplots(2, 2, figsize=(6.6, 6.2))
for axes, points, name in zip(grid.flat, trained_layers, LAYERS, strict=False):
    draw_map(axes, points, map_labels, name)
figure.suptitle("Test digits, flattened to two dimensions, after each layer")
plt.show()

# %% [markdown]
# Group after group leaves the heap. But two dimensions cannot hold ten classes: what overlaps here may lie apart in a
# direction that you do not see. So look once more, without flattening: the distance from every test digit to every
# other, sorted by class. Small distances are dark. If the classes are apart, ten dark squares stand on the diagonal.

# %% alt="Five square images of distances between test digits sorted by class, one for each layer. In the pixels ten dark squares on the diagonal are faint; they become sharper from layer to layer and are crisp at the output."
by_class = np.argsort(map_labels, kind="stable")
figure, row = plt.subplots(1, 5, figsize=(6.6, 1.75))
for axes, points, name in zip(row, trained_layers, LAYERS, strict=True):
    axes.imshow(sklearn.metrics.pairwise_distances(points[by_class]), cmap="gray")
    axes.set(title=f"{name}: {separability(points, map_labels):.2f}", xticks=[], yticks=[])
    axes.title.set_fontsize(9)
plt.show()

# %% [markdown]
# The squares sharpen from left to right, and so does the number above them, the separability. These are test digits:
# the network arranges images that it has never seen.
#
# Is it the training, or would any layers do that? The control is a network with the same layers and its random first
# weights, untrained.

# %%
trained_curves, untrained_curves = [], []
for run in range(RUNS):
    images, labels = splits[run][2]
    deep_network.set_weights(trained_weights[run])
    keras.utils.set_random_seed(SEED + run)
    untrained = keras.models.clone_model(deep_network)  # the weights that training started from
    for model, curves_of in ((deep_network, trained_curves), (untrained, untrained_curves)):
        curves_of.append(
            [separability(points, labels) for points in representations(model, images)]
        )
trained_curves, untrained_curves = np.array(trained_curves), np.array(untrained_curves)  # (RUNS, 5)

# %% alt="Separability after each layer for five splits. Trained: five lines close together rise from under one half at the pixels to above 0.9 at the output. Untrained: five lines stay flat or sink."
plt.plot(LAYERS, trained_curves.T, color=COLOURS["blue"], linestyle="-", marker="o", linewidth=1)
plt.plot(LAYERS, untrained_curves.T, color=COLOURS["red"], linestyle="--", marker="s", linewidth=1)
plt.annotate("trained", (2.6, 0.86), color=COLOURS["blue"])
plt.annotate("untrained", (2.6, 0.26), color=COLOURS["red"])
plt.ylim(0, 1)
plt.ylabel("separability of test digits")
plt.title("Training makes the classes come apart, layer by layer")
plt.show()

# %%
claim(
    "In a trained network the classes come apart layer by layer, on every split",
    np.all(np.diff(trained_curves, axis=1) > 0),
    f"average separability {trained_curves.mean(axis=0).round(2)} from pixels to output",
)

# %% without_learning="untrained"
claim(
    "In an untrained network of the same shape they do not",
    np.all(untrained_curves[:, 1:].mean(axis=0) < untrained_curves[:, 0].mean()),
    f"average separability {untrained_curves.mean(axis=0).round(2)}",
)

# %% [markdown]
# That is deep learning in one plot: not one great step from pixels to answer, but several small ones, each learned,
# each making the next one easier.
#
# Stay honest about it. On these digits the *answers* of one layer are as good, as you measured. Separability says how
# tidy a representation is, not how many digits are read. Depth pays where one step cannot do it: four points of XOR,
# or a million photographs.

# %% [markdown]
# ## When not to use deep learning
#
# - **Few examples.** You saw who wins with a thousand.
# - **Tables** of mixed columns, up to some ten thousand rows: ensembles of decision trees are usually as good or
#   better, and faster (Grinsztajn et al., 2022).
# - **The rule is known.** Nobody should learn to add up an invoice.
# - **You must explain each answer,** or a wrong one does harm and nobody checks. You saw confident nonsense above.
#
# It is the right tool for images, sound, text and other raw signals, with many examples, or with a network that was
# trained on many (lesson 3.2).

# %% [markdown]
# ## Common mistakes
#
# - **Judging on the training data.** Any memory looks like skill there.
# - **No rival.** A score means something only beside that of a constant answer and of a simple method.
# - **One run.** You saw the spread over five splits. A difference smaller than that, from one run, says nothing.
# - **Taking a share for a probability of being right.** On strange inputs large shares come with wrong answers.
# - **Preparing new data differently:** ink as 0, another size, off centre. The network does not complain. It answers.
# - **"The neural network works like the brain."** It is named after it. Lesson 2.1 says where the likeness ends.

# %% [markdown]
# ## Exercise 1: predict
#
# Which of these functions of *three* inputs can a perceptron learn? Write `True` or `False` for each.
#
# - *majority*: 1 if two or three inputs are 1
# - *parity*: 1 if the number of ones is odd
# - *all equal*: 1 if the three inputs are the same
# - *at most one*: 1 if no input or one input is 1

# %% tags=["exercise"]
my_prediction = {
    "majority": None,
    "parity": None,
    "all equal": None,
    "at most one": None,
}  # True or False each
### BEGIN SOLUTION
# Majority: the sum of the inputs is above 1.5. At most one: the sum is below 1.5. Both are one border.
# Parity and all equal say yes, no, yes ... as the number of ones grows: one border is not enough.
my_prediction = {"majority": True, "parity": False, "all equal": False, "at most one": True}
### END SOLUTION

# %% tags=["wrong"] says="'all equal': we let a perceptron learn it"
my_prediction = {"majority": True, "parity": False, "all equal": True, "at most one": True}

# %% tags=["wrong"] says="'at most one': we let a perceptron learn it, and in its hundredth pass it made 0 mistakes"
my_prediction = {"majority": True, "parity": False, "all equal": False, "at most one": False}

# %% tags=["wrong"] says="'parity': we let a perceptron learn it"
my_prediction = {"majority": True, "parity": True, "all equal": True, "at most one": True}

# %% tags=["check"]
with feedback("Predict"):
    three_inputs = np.array([[1, a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    ones = three_inputs[:, 1:].sum(axis=1)
    functions = {
        "majority": ones >= 2,
        "parity": ones % 2 == 1,
        "all equal": ones % 3 == 0,
        "at most one": ones <= 1,
    }
    for name, wanted in functions.items():
        weights, mistakes = np.zeros(4), 1
        for _ in range(100):
            weights, mistakes = perceptron_pass(weights, three_inputs, wanted.astype(int))
        assert isinstance(my_prediction.get(name), bool), f"write True or False for {name!r}"
        assert my_prediction[name] == (mistakes == 0), (
            f"{name!r}: we let a perceptron learn it, and in its hundredth pass it made {mistakes} mistakes. "
            "List the answers for 0, 1, 2 and 3 ones: how often do they change?"
        )

# %% [markdown]
# ## Exercise 2: repair this
#
# This perceptron should learn OR. It never does: there are **two** mistakes. Find and mend both.
#
# ```python
# def repaired_pass(weights, inputs, targets):
#     for x, target in zip(inputs, targets):
#         answer = int(weights @ x > 0)
#         weights = weights - (target - answer) * x
#     weights[0] = 0
#     return weights
# ```


# %% tags=["exercise"]
def repaired_pass(weights, inputs, targets):
    """One pass of Rosenblatt's rule. inputs: (n, k) with an always-1 first, targets: (n,).

    Returns the new weights, (k,).
    """
    ### BEGIN SOLUTION
    for x, target in zip(inputs, targets, strict=True):
        answer = int(weights @ x > 0)
        weights = weights + (target - answer) * x  # towards the target, not away from it
    return weights  # the first weight is the bias and learns like the others
    ### END SOLUTION


# %% tags=["wrong"] says="the bias must learn too"
def repaired_pass(weights, inputs, targets):  # the sign is mended, the bias is not
    for x, target in zip(inputs, targets, strict=True):
        weights = weights + (target - int(weights @ x > 0)) * x
    return weights * np.array([0, *np.ones(len(weights) - 1)])


# %% tags=["wrong"] says="look at the sign"
def repaired_pass(weights, inputs, targets):  # the bias is mended, the sign is not
    for x, target in zip(inputs, targets, strict=True):
        weights = weights - (target - int(weights @ x > 0)) * x
    return weights


# %% tags=["wrong"] says="each example must see the weights that the one before it left"
def repaired_pass(
    weights, inputs, targets
):  # all examples at once, with the answers of the old weights
    answers = (inputs @ weights > 0).astype(int)
    return weights + (targets - answers) @ inputs


# %% tags=["wrong"] says="a sum of exactly 0 is not above 0"
def repaired_pass(weights, inputs, targets):  # says 1 at a sum of 0
    for x, target in zip(inputs, targets, strict=True):
        weights = weights + (target - int(weights @ x >= 0)) * x
    return weights


# %% tags=["check"]
with feedback("Repair this"):
    got = repaired_pass(np.zeros(3), np.ones((1, 3)), np.array([1]))
    assert got is not None, "return the new weights"
    told = f"weights 0, example (1, 1, 1), target 1: the new weights are (1, 1, 1), yours are {got}"
    assert np.any(got), f"{told}: a sum of exactly 0 is not above 0, so the answer was 0 and wrong"
    assert np.min(got) >= 0, f"{told}: the weights must rise, look at the sign"
    assert got[0] != 0, f"{told}: the bias must learn too"
    assert np.allclose(got, 1), f"{told}: add the example as it is"
    corners = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]])
    others = np.array([[1, -2, 0.5, 3], [1, 0, -1, 2], [1, 4, 1, -3], [1, 1, 1, 1], [1, 3, -2, 0]])
    for inputs, wanted, start in (
        (corners, [0, 1, 1, 1], [0, 0, 0]),
        (corners, [1, 1, 1, 0], [-4, 0, 5]),
        (others, [1, 0, 0, 1, 1], [0, -1, 2, 1]),
        (others, [0, 1, 1, 0, 0], [-1, 2, 0.5, -2]),
    ):
        start, targets = np.array(start, float), np.array(wanted)
        expected, _ = perceptron_pass(start, inputs, targets)
        got = repaired_pass(start, inputs, targets)
        at_once = start + (targets - (inputs @ start > 0)) @ inputs
        told = f"from the weights {start} a pass over the targets {wanted} ends at {expected}, yours at {got}"
        assert np.allclose(at_once, expected) or not np.allclose(got, at_once), (
            f"{told}: each example must see the weights that the one before it left"
        )
        assert np.allclose(got, expected), told

# %% [markdown]
# ## Exercise 3: artificial intelligence without learning
#
# Write a rule by hand that tells a handwritten 0 from a 1. `image` is (28, 28), 0 for paper, 1 for ink. No network
# and no examples in the code: look at `training_images` as long as you like, but let the rule stand without them. The
# check wants 90 of 100 zeros and ones of the validation data right. (Then think how you would go on to ten digits.)


# %% tags=["exercise"]
def zero_or_one(image):
    """0 or 1, whichever the image (28, 28) shows."""
    ### BEGIN SOLUTION
    middle = image[10:18, 12:16]
    return int(middle.mean() > 0.5)  # a one has ink in the middle, a zero has a hole there
    ### END SOLUTION


# %% tags=["wrong"] says="*where* does only one of them have it"
def zero_or_one(image):  # the amount of ink
    return int(image.mean() < 0.22)


# %% tags=["wrong"] says="the opposite would be a good rule"
def zero_or_one(image):  # the two answers swapped
    return int(image[10:18, 12:16].mean() < 0.5)


# %% tags=["wrong"] says="no examples in the code"
def zero_or_one(image):  # learns from examples: the nearer of the two averages
    averages = [training_images[training_labels == digit].mean(axis=0) for digit in (0, 1)]
    return int(np.argmin([((image[..., np.newaxis] - average) ** 2).sum() for average in averages]))


# %% tags=["wrong"] says="it answers 1 for every image"
def zero_or_one(image):  # does not look
    return 1


# %% tags=["check"]
with feedback("Artificial intelligence without learning"):
    chosen = validation_data[1] < 2
    rule_answers = list(map(zero_or_one, validation_data[0][chosen][..., 0]))
    assert all(np.ndim(answer) == 0 and answer in (0, 1) for answer in rule_answers), (
        f"answer 0 or 1, yours answers {rule_answers[0]!r}"
    )
    codes = [getattr(zero_or_one, "__wrapped__", zero_or_one).__code__]
    for code in codes:  # a comprehension is code within code
        codes += [part for part in code.co_consts if hasattr(part, "co_names")]
        for name in code.co_names:
            assert not name.startswith(("training_", "validation_", "test_", "network")), (
                f"your rule uses {name}: no network and no examples in the code"
            )
    assert len(set(rule_answers)) == 2, f"it answers {rule_answers[0]} for every image"
    right = np.mean(np.array(rule_answers) == validation_data[1][chosen])
    assert right > 0.2, (
        f"right on {right:.0%}: that is almost always wrong, so the opposite would be a good rule"
    )
    assert right >= 0.9, (
        f"right on {right:.0%} of the zeros and ones: both have much ink; *where* does only one of them have it?"
    )

# %% [markdown]
# ## Exercise 4: beat the baseline with a small network (open-ended)
#
# Nearest centroid keeps 7,840 numbers. Build a network with **at most 3,000 weights** that reads the validation
# digits better by at least 2 percentage points. The check trains it for 15 epochs. Hint: a digit does not need 784
# pixels; `keras.layers.AveragePooling2D(4)` replaces each square of 4 × 4 pixels by its average.


# %% tags=["exercise"]
def small_network():
    """A network for images (28, 28, 1): ten softmax outputs, at most 3,000 weights, not compiled."""
    ### BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.AveragePooling2D(4),  # 7 x 7 averages
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    ### END SOLUTION


# %% tags=["wrong"] says="7,850 weights, 3,000 are allowed"
def small_network():  # the full image: too many weights
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


# %% tags=["wrong"] says="keep more of the image"
def small_network():  # pooled too far: 2 x 2 averages say too little
    layers = [
        keras.layers.AveragePooling2D(14),
        keras.layers.Flatten(),
        keras.layers.Dense(10, "softmax"),
    ]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


# %% tags=["wrong"] says="or add a hidden layer"
def small_network():  # 7 x 7 averages and one layer: little better than nearest centroid
    layers = [
        keras.layers.AveragePooling2D(4),
        keras.layers.Flatten(),
        keras.layers.Dense(10, "softmax"),
    ]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


# %% tags=["wrong"] says="the ten outputs must be shares: end with a softmax"
def small_network():  # no softmax: the outputs are no shares
    layers = [keras.layers.AveragePooling2D(4), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


# %% tags=["check"]
with feedback("Beat the baseline with a small network"):
    keras.utils.set_random_seed(SEED)
    model = small_network()
    assert isinstance(model, keras.Model), "return a network, for example a keras.Sequential"
    assert model.built and model.input_shape == (None, 28, 28, 1), (
        "start it with keras.Input((28, 28, 1)): images come in, and its weights can be counted"
    )
    assert model.count_params() <= 3000, (
        f"it has {model.count_params():,} weights, 3,000 are allowed: shrink the image first"
    )
    untrained_shares = keras.ops.convert_to_numpy(model(training_images[:5]))
    assert untrained_shares.shape == (5, 10), (
        f"ten outputs for each image are wanted, yours gives {untrained_shares.shape}"
    )
    assert np.allclose(untrained_shares.sum(axis=1), 1, atol=1e-4), (
        "the ten outputs must be shares: end with a softmax"
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    _ = model.fit(*training_data, epochs=15, batch_size=64, verbose=0)
    averages = np.array(
        [training_images[training_labels == digit].mean(axis=0) for digit in range(10)]
    )
    distances = ((validation_data[0][:, np.newaxis] - averages) ** 2).sum(axis=(2, 3, 4))
    baseline = np.mean(distances.argmin(axis=1) == validation_data[1])
    trained_shares = keras.ops.convert_to_numpy(model(validation_data[0]))
    reached = np.mean(trained_shares.argmax(axis=1) == validation_data[1])
    assert reached >= baseline + 0.02, (
        f"it reads {reached:.1%}, nearest centroid {baseline:.1%}: keep more of the image, or add a hidden layer"
    )

# %% [markdown]
# ## Summary
#
# - Ten lines learn from examples what nobody can write down as rules. The result holds for data like the training
#   data, and for no other.
# - Deep learning learns the features too, as a chain of representations. Training makes the classes come apart along
#   the chain; without training they do not.
# - One perceptron cannot compute XOR; with a hidden layer in front of it, it can. The hidden layer moves the points
#   so that a line suffices.
# - The ideas are old. Data, compute and many small algorithms made them work.
# - On a thousand small digits an older method wins. Compare, always, over several splits.
#
# Not shown: how the weights are found (lesson 2.3), layers made for images (3.1), sequences (4.1) and text (6.1), and
# any case where depth wins. You will build those. Next: lesson 1.2 writes one network in NumPy, TensorFlow, Keras and
# PyTorch.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Is a program that plays noughts and crosses by a table of rules artificial intelligence? Machine learning? Deep learning?</summary>
#
# Artificial intelligence, in the wide sense of the word. It learns nothing, so it is neither of the others.
#
# </details>
#
# <details>
# <summary>Why must the test digits be put aside before training, and not chosen afterwards?</summary>
#
# Digits that were trained on may be known by heart. A score on them does not tell skill from memory.
#
# </details>
#
# <details>
# <summary>A hidden layer sends 01 and 10 of XOR to the same point. What did the network lose by that, and why is it no harm?</summary>
#
# It can no longer tell 01 from 10. The answer does not depend on it. Representations keep what matters for the task
# and may drop the rest; that is why a network trained for one task can be poor at another.
#
# </details>
#
# <details>
# <summary>The same perceptron with its inputs and the product of both as a third input: can it learn XOR?</summary>
#
# Yes. With $x_3 = x_1 x_2$ the sum $x_1 + x_2 - 2 x_3$ is XOR. A person chose a better feature. A hidden layer learns
# one.
#
# </details>
#
# <details>
# <summary>Your network reads 99 of 100 digits of the post office where it was trained. What do you check before you sell it to another country?</summary>
#
# Digits of that country, written by people who are not in the training data (ones and sevens differ), scanned with
# its scanners. And what the network answers to things that are no digits.
#
# </details>

# %% [markdown]
# ## References
#
# The works of the timeline:
#
# - W. S. McCulloch, W. Pitts (1943). A logical calculus of the ideas immanent in nervous activity. doi:10.1007/BF02478259
# - F. Rosenblatt (1958). The perceptron: a probabilistic model for information storage and organization in the brain. doi:10.1037/h0042519
# - M. Minsky, S. Papert (1969). Perceptrons: an introduction to computational geometry. MIT Press.
# - K. Fukushima (1980). Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position. doi:10.1007/BF00344251
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986). Learning representations by back-propagating errors. doi:10.1038/323533a0
# - Y. LeCun et al. (1989). Backpropagation applied to handwritten zip code recognition. doi:10.1162/neco.1989.1.4.541
# - S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document recognition. doi:10.1109/5.726791
# - G. E. Hinton, S. Osindero, Y.-W. Teh (2006). A fast learning algorithm for deep belief nets. doi:10.1162/neco.2006.18.7.1527
# - J. Deng et al. (2009). ImageNet: a large-scale hierarchical image database. doi:10.1109/CVPR.2009.5206848
# - A. Krizhevsky, I. Sutskever, G. E. Hinton (2012). ImageNet classification with deep convolutional neural networks. doi:10.1145/3065386
# - I. Goodfellow et al. (2014). Generative adversarial nets. arXiv:1406.2661
# - K. He, X. Zhang, S. Ren, J. Sun (2015). Deep residual learning for image recognition. arXiv:1512.03385
# - A. Vaswani et al. (2017). Attention is all you need. arXiv:1706.03762
# - T. B. Brown et al. (2020). Language models are few-shot learners. arXiv:2005.14165
# - J. Ho, A. Jain, P. Abbeel (2020). Denoising diffusion probabilistic models. arXiv:2006.11239
# - J. Jumper et al. (2021). Highly accurate protein structure prediction with AlphaFold. doi:10.1038/s41586-021-03819-2
#
# And:
#
# - Y. LeCun, Y. Bengio, G. Hinton (2015). Deep learning. doi:10.1038/nature14539 (the best short overview)
# - J. Hestness et al. (2017). Deep learning scaling is predictable, empirically. arXiv:1712.00409
# - L. Grinsztajn, E. Oyallon, G. Varoquaux (2022). Why do tree-based models still outperform deep learning on tabular data? arXiv:2207.08815
# - X. Glorot, A. Bordes, Y. Bengio (2011). Deep sparse rectifier neural networks. AISTATS, PMLR 15:315-323.
# - E. Alpaydin, C. Kaynak (1998). Optical recognition of handwritten digits. doi:10.24432/C50P49
