# ---
# jupyter:
#   course:
#     prerequisites: ["2.3", "2.4"]
#     equal_programs:
#       "A unit that never forgets":
#         "constant: 5.0 -> 10.0": "a larger w drives the tanh still nearer to 1"
#         "constant: 3.0 -> 6.0": "with a larger u the state holds still nearer to 1"
#       "Beat the pairs of letters":
#         "line dropped: keras.utils.set_random_seed(SEED) -> nothing": "it starts from other random weights"
#         "constant: 48 -> *": "a unit more or less in each direction"
#         "constant: 0.015 -> 0.03": "a higher rate that reads as well"
#     core_minutes: 90
# ---

# %% [markdown]
# # 4.1 Recurrent layers
#
# **After this lesson you can** write out one step of a simple recurrent cell, an LSTM and a GRU, count their parameters, read words of
# any length in one batch with a mask, run a layer in both directions or on top of another, watch the gates at work, and say when counting letters is enough.
#
# **You build** a reader that says after every letter which of 15 languages a name is from, beside a baseline that is hard to beat.
#
# **Question.** *ireland*, *ierland* and *irlande* are made of the same letters. How does a network with a fixed number of weights read a word of any length, in order?

# %% tags=["setup"]
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from workshop.kit import (
    COLOURS,
    LANGUAGES,
    claim,
    feedback,
    load_names,
    split_three_ways,
    use_course_settings,
    use_course_style,
)

use_course_settings(threads=1)  # for matrices this small, sharing costs more
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)
generator = np.random.default_rng(SEED)

# %% [markdown]
# ## Names from 15 languages
#
# The data are names of countries, languages and currencies, each written in 15 languages. They come from the Unicode project's tables for translating
# software. A name that two of the languages write alike (*angola*) is left out, so every name has one right answer.

# %% tags=["setup"]
names, labels = load_names()
train, validation, test = split_three_ways(names, labels, seed=SEED)
train_names, train_labels = train
validation_names, validation_labels = validation
test_names, test_labels = test

# %%
for language in ("Danish", "Finnish", "Polish", "Turkish"):
    of_language = np.flatnonzero(train_labels == LANGUAGES.index(language))[:5]
    print(f"{language:8s}", ", ".join(train_names[place] for place in of_language))
shares = np.bincount(train_labels) / len(train_labels)
print(f"{len(train_names)} names to train, {len(validation_names)} to validate, {len(test_names)}")
print(f"to test. Always saying {LANGUAGES[shares.argmax()]} is right for {shares.max():.1%}.")

# %% [markdown]
# ## First, without order: a bag of letters
#
# The simplest reader counts letters. Languages do use letters differently: *ä* and *k* say Finnish, *ç* and *ı* say Turkish. **Naive Bayes** turns
# counts into probabilities. By Bayes' rule
#
# $$P(\text{language} \mid \text{name}) \propto P(\text{language}) \cdot P(\text{name} \mid \text{language}).$$
#
# The *naive* part: each letter is drawn on its own, so $P(\text{name} \mid \text{language}) \propto \prod_k p_k^{n_k}$, with $n_k$ the number of times letter $k$ is in the name and $p_k$ its share among
# all letters of that language. In logarithms the product is a sum,
#
# $$\log P(\text{language}) + \sum_k n_k \log p_k,$$
#
# a linear layer whose weights come from counting. One caution: a letter that a language never showed would have $p_k = 0$ and forbid that language for good. So every
# count gets a little added, the **smoothing**.


# %% tags=["setup"]
def fit_naive_bayes(counts, labels, smoothing=1.0):
    """Log-probabilities of the languages, (languages,), and of the pieces in each, (pieces, languages).

    counts: (names, pieces), how often each piece is in each name, dense or sparse. labels: (names,).
    """
    one_hot = np.eye(labels.max() + 1)[labels]
    per_language = counts.T @ one_hot + smoothing
    return np.log(one_hot.mean(axis=0)), np.log(per_language / per_language.sum(axis=0))


def piece_counter(longest):
    """Counts all pieces of 1 to `longest` neighbouring letters in a name."""
    return CountVectorizer(analyzer="char", ngram_range=(1, longest), lowercase=False)


# %% without_learning="arithmetic"
bag = piece_counter(longest=1)
train_counts = bag.fit_transform(train_names)
log_prior, log_pieces = fit_naive_bayes(train_counts, train_labels)
bag_scores = log_prior + bag.transform(validation_names) @ log_pieces
theirs = MultinomialNB(alpha=1.0).fit(train_counts, train_labels)
their_scores = theirs.predict_joint_log_proba(bag.transform(validation_names))
difference = np.abs(bag_scores - their_scores).max()
claim(
    "Our counts give the scores of scikit-learn's MultinomialNB",
    difference < 1e-8 and np.ptp(bag_scores) > 1,
    f"largest difference {difference:.0e}, scores from {bag_scores.min():.0f} to {bag_scores.max():.0f}",
)
bag_accuracy = np.mean(bag_scores.argmax(axis=1) == validation_labels)
print(f"bag of letters, validation names: {bag_accuracy:.1%} right")

# %% [markdown]
# Far better than always saying the same. But what can a bag never see? We look for **anagrams**: names of different languages with the same letters (and the same number of spaces).


# %%
def anagrams(names):
    """Lists of places of names that are made of the same letters."""
    groups = {}
    for place, name in enumerate(names):
        groups.setdefault("".join(sorted(name)), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


across = [group for group in anagrams(names) if len(set(labels[group])) > 1]
several_or_one_word = sorted(across, key=lambda group: (-len(group), names[group[0]].count(" ")))
for group in several_or_one_word[:10]:
    print(" · ".join(f"{names[place]} ({LANGUAGES[labels[place]]})" for place in group))

# %% [markdown]
# What does the bag say about each member of such a group? Predict, then run.

# %% without_learning="data"
all_scores = log_prior + bag.transform(names) @ log_pieces
spread_inside = max(np.ptp(all_scores[group], axis=0).max() for group in across)
right = [np.sum(all_scores[group].argmax(axis=1) == labels[group]) for group in across]
claim(
    "The bag of letters scores all anagrams alike, so it is right about at most one language of each group",
    bool(spread_inside < 1e-9 and max(right) <= 1 and len(across) > 30),
    f"{len(across)} groups across languages, largest difference inside one {spread_inside:.0e}, at most {max(right)} right",
)

# %% [markdown]
# ## A little order: n-grams
#
# A cheap cure: count **n-grams**, pieces of $n$ neighbouring letters. *ireland* holds *la*, *an*, *nd*; *irlande* holds *nde*. With marks for start
# and end, `^ireland$`, endings become pieces of their own: *nd$*. The naive assumption is now plainly wrong (neighbouring pieces overlap), and the method works all the same.
#
# How long should the pieces be, and how much smoothing? We ask the validation data.


# %% tags=["setup"]
def mark(names):
    """Names with a sign for their start and one for their end."""
    return [f"^{name}$" for name in names]


class PieceReader:
    """Naive Bayes on pieces of 1 to `longest` letters."""

    def __init__(self, longest, smoothing, names, labels):
        self.counter = piece_counter(longest)
        counts = self.counter.fit_transform(mark(names))
        self.log_prior, self.log_pieces = fit_naive_bayes(counts, labels, smoothing)

    def scores(self, names):
        """Log-probabilities of the languages, (names, languages)."""
        joint = self.log_prior + self.counter.transform(mark(names)) @ self.log_pieces
        return keras.ops.convert_to_numpy(keras.ops.log_softmax(joint))


# %% without_learning="data"
piece_readers = {
    (longest, smoothing): PieceReader(longest, smoothing, train_names, train_labels)
    for longest in (1, 2, 3, 4)
    for smoothing in (1.0, 0.3, 0.1)
}
accuracies = {
    settings: np.mean(piece_reader.scores(validation_names).argmax(axis=1) == validation_labels)
    for settings, piece_reader in piece_readers.items()
}
for longest in (1, 2, 3, 4):
    per_smoothing = [f"{accuracies[longest, smoothing]:.1%}" for smoothing in (1.0, 0.3, 0.1)]
    print(f"pieces of 1 to {longest} letters, smoothing 1, 0.3, 0.1:", " ".join(per_smoothing))
best_settings = max(accuracies, key=accuracies.get)
ngrams = piece_readers[best_settings]
ngram_accuracy = accuracies[best_settings]
claim(
    "Short pieces in order beat the bag of letters by more than 20 points",
    ngram_accuracy - bag_accuracy > 0.2,
    f"{bag_accuracy:.1%} for letters, {ngram_accuracy:.1%} for pieces of up to {best_settings[0]}",
)

# %% [markdown]
# That is the baseline to beat: a table that is counted in a fraction of a second. Its limit is the window. It never sees how the first letters and the last belong together, it needs one number for every piece and language,
# and it knows nothing about a piece that it never met.
#
# ## A reader with a memory
#
# A **recurrent cell** reads one letter at a time and keeps a **state** $h_t$, some numbers that sum up what it has read. Each step makes the new state from the new letter and the old state, always with the same weights.
# So the number of weights does not depend on the length of the word.
#
# The smallest one has a single number as its state: $h_t = x_t + u\,h_{t-1}$ with $h_0 = 0$. Let *a* be 1 and *b* be 2. Read *ab* and *ba* on paper, once with $u = 1$ and once with $u = 0.5$.


# %% tags=["nbval-check-output"]
def read_one_unit(letters, u):
    h = 0.0
    for x in letters:
        h = x + u * h
    return h


for u in (1.0, 0.5):
    print(f"u = {u}: ab gives {read_one_unit([1, 2], u)}, ba gives {read_one_unit([2, 1], u)}")

# %% [markdown]
# With $u = 1$ the state is a sum: this *is* the bag of letters. With any other $u$ an earlier letter weighs differently from a later one, and order shows.
#
# A real cell has many units, and each looks at all units of the old state. The **simple recurrent cell** (Elman, 1990) is
#
# $$h_t = \tanh(x_t W + h_{t-1} U + b),$$
#
# a dense layer that reads two things: the letter through the **kernel** $W$, its own last state through the **recurrent kernel** $U$. The tanh keeps the state between $-1$ and $1$, however long the word.
#
# In code a cell is one function, *step*. The letter's part $x_t W + b$ needs no state, so it is computed for all steps at once, and the step gets the finished `sums`. A second function, `read`, walks along the sequence.
# (Its `mask` we need later: where it is False, the state stays as it is.) We write the steps with `keras.ops`: later the very same functions train.


# %% tags=["setup"]
def simple_step(sums, state, recurrent):
    """One step of a simple recurrent cell. sums: x W + b, (batch, units). state: (h,), h (batch, units)."""
    (h,) = state
    return (keras.ops.tanh(sums + h @ recurrent),)


# %% tags=["setup"]
def split_weights(weights):
    """A Keras layer's weights, as W and b for the letters, and those that a step needs for its state."""
    kernel, recurrent, bias = weights
    if np.ndim(bias) == 1:
        return kernel, bias, (recurrent,)
    return kernel, bias[0], (recurrent, bias[1])  # Keras's default GRU, see below


def read(step, x, weights, state_count=1, mask=None):
    """All outputs, (batch, time, units), and the last state, of a cell that reads x: (batch, time, inputs).

    weights: those of a Keras layer. state_count: 2 for an LSTM. mask: (batch, time), False: skip.
    """
    kernel, bias, recurrent_weights = split_weights(weights)
    sums = x @ kernel + bias
    state = (np.zeros((len(x), len(recurrent_weights[0]))),) * state_count
    outputs = []
    for t in range(x.shape[1]):
        new_state = step(sums[:, t], state, *recurrent_weights)
        if mask is not None:
            keep = mask[:, t, np.newaxis]
            new_state = [np.where(keep, *pair) for pair in zip(new_state, state, strict=True)]
        state = tuple(np.asarray(part) for part in new_state)
        outputs.append(state[0])
    return np.stack(outputs, axis=1), state


# %% [markdown]
# Is that Keras's `SimpleRNN`? By default a recurrent layer returns only its last output. `return_sequences=True` asks for all of them, and `return_state=True` for the last state as well. The next function
# gives a layer random weights, random sequences of different lengths and a mask, and compares everything with our loop.


# %% without_learning="arithmetic"
def compare(layer, step, state_count=1):
    """Largest difference between a Keras layer and `read`, over all outputs and last states."""
    x = generator.normal(size=(6, 12, 3))
    lengths = generator.integers(3, 13, size=6)
    mask = np.arange(12) < lengths[:, np.newaxis]  # (batch, time)
    layer.build(x.shape)
    layer.set_weights([0.5 * generator.normal(size=w.shape) for w in layer.get_weights()])
    outputs, *states = layer(tf.constant(x), mask=tf.constant(mask))
    our_outputs, our_states = read(step, x, layer.get_weights(), state_count, mask)
    parts = [np.abs((outputs.numpy() - our_outputs)[mask]).max()]
    parts += [np.abs(a.numpy() - b).max() for a, b in zip(states, our_states, strict=True)]
    return max(parts), np.std(our_outputs)


EVERYTHING = {"return_sequences": True, "return_state": True, "dtype": "float64"}
difference, size = compare(keras.layers.SimpleRNN(5, **EVERYTHING), simple_step)
claim(
    "Our simple recurrent cell is Keras's SimpleRNN, over whole masked sequences",
    difference < 1e-5 and size > 0.1,
    f"largest difference {difference:.0e}, typical size of an output {size:.2f}",
)

# %% [markdown]
# ## The LSTM: a memory with doors
#
# A simple cell writes its whole state anew at every step. To keep something, it must copy it through $U$ and a tanh each time, and lesson 4.2 measures what that costs. The **long short-term memory** (LSTM, Hochreiter and Schmidhuber,
# 1997) keeps a second state, the **cell** $c_t$, that passes from step to step without any matrix. **Gates** decide what happens to it. A gate is a dense layer with a sigmoid: one number between 0 (shut) and 1 (open) for every unit.

# %% [markdown]
# ![Two cells side by side. In the LSTM the cell state c runs along the top: it is multiplied by the forget gate f, then the product of input gate i and candidate g is added; its tanh times the output gate o is the new state h. In the GRU the state h itself runs along the top: it is multiplied by z, then 1 minus z times the candidate is added; the reset gate r acts on the candidate.](../../../images/recurrent_cells.png)

# %% [markdown]
# Four dense layers read the letter and the old state, each with its own $W$, $U$ and $b$:
#
# | | | |
# |---|---|---|
# | **input gate** | $i_t = \sigma(x_t W_i + h_{t-1} U_i + b_i)$ | how much of the candidate is written |
# | **forget gate** | $f_t = \sigma(x_t W_f + h_{t-1} U_f + b_f)$ | how much of the old cell stays |
# | **candidate** | $g_t = \tanh(x_t W_g + h_{t-1} U_g + b_g)$ | what could be written |
# | **output gate** | $o_t = \sigma(x_t W_o + h_{t-1} U_o + b_o)$ | how much of the cell is shown |
#
# Then, unit by unit,
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh c_t.$$
#
# (The forget gate came three years later, by Gers, Schmidhuber and Cummins. The first LSTM could only add.) Keras keeps the four kernels side by side in one matrix, in the order $i, f, g, o$, so one multiplication serves all four.


# %% tags=["setup"]
def lstm_step(sums, state, recurrent):
    """One step of an LSTM. sums: (batch, 4 * units). state: (h, c), each (batch, units)."""
    h, c = state
    i, f, g, o = keras.ops.split(sums + h @ recurrent, 4, axis=-1)
    i, f, o = (keras.ops.sigmoid(gate) for gate in (i, f, o))
    c = f * c + i * keras.ops.tanh(g)
    return o * keras.ops.tanh(c), c


# %% [markdown]
# One step on paper. The four sums are $\ln 3,\ 0,\ \ln 2,\ \ln 4$, and the cell was $1$. Since $\sigma(\ln k) = k/(k+1)$, the gates are $i = \frac34$, $f = \frac12$, $o = \frac45$, and $g = \tanh(\ln 2) = \frac{2 - 1/2}{2 + 1/2} = 0.6$.
# What are $c_t$ and $h_t$? ($\tanh 0.95 \approx 0.74$.)

# %% without_learning="arithmetic"
paper_sums, no_recurrence = np.log([[3.0, 1.0, 2.0, 4.0]]), np.zeros((1, 4))
one, zero = np.ones((1, 1)), np.zeros((1, 1))
h, c = (float(part[0, 0]) for part in lstm_step(paper_sums, (zero, one), no_recurrence))
print(f"c = 0.5 · 1 + 0.75 · 0.6 = {c:.4f}, h = 0.8 · tanh(c) = {h:.4f}")

cell = keras.layers.LSTMCell(1, dtype="float64")
cell.build((1, 1))
cell.set_weights([paper_sums, no_recurrence, np.zeros(4)])  # for the letter 1
_, (keras_h, keras_c) = cell(tf.constant(one), [tf.constant(zero), tf.constant(one)])
difference, size = compare(keras.layers.LSTM(5, **EVERYTHING), lstm_step, state_count=2)
claim(
    "Our LSTM is Keras's, on paper's numbers and over whole masked sequences",
    abs(float(keras_c[0, 0]) - 0.95) < 1e-6
    and abs(float(keras_h[0, 0]) - h) < 1e-6
    and difference < 1e-5
    and size > 0.05,
    f"Keras's c {float(keras_c[0, 0]):.4f}, largest difference {difference:.0e}, typical size {size:.2f}",
)

# %% [markdown]
# ## The GRU: two gates, one state
#
# The **gated recurrent unit** (GRU, Cho and others, 2014) does without a separate cell. Its **update gate** $z_t$ is forget and input gate in one: what is not kept is written.
#
# $$z_t = \sigma(x_t W_z + h_{t-1} U_z + b_z), \qquad r_t = \sigma(x_t W_r + h_{t-1} U_r + b_r), \qquad h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t.$$
#
# The **reset gate** $r_t$ decides how much of the old state the candidate $\tilde h_t$ may look at. There are two forms, and both are in use:
#
# | | candidate | bias |
# |---|---|---|
# | `reset_after=False`, the published paper | $\tilde h_t = \tanh(x_t W_h + (r_t \odot h_{t-1})\,U_h + b_h)$ | one for each gate |
# | `reset_after=True`, Keras's default | $\tilde h_t = \tanh(x_t W_h + b_h + r_t \odot (h_{t-1} U_h + b'_h))$ | two, because $b'_h$ is inside of the gate |
#
# The second multiplies $h_{t-1}$ by all three recurrent kernels at once, before any gate is known. That is faster, and it is what the kernels of graphics cards compute. Keras's order is $z, r, h$.


# %% tags=["setup"]
def gru_step(sums, state, recurrent, recurrent_bias):
    """One step of Keras's default GRU, reset_after=True. sums: (batch, 3 * units). state: (h,)."""
    (h,) = state
    x_z, x_r, x_h = keras.ops.split(sums, 3, axis=-1)
    h_z, h_r, h_h = keras.ops.split(h @ recurrent + recurrent_bias, 3, axis=-1)
    z, r = keras.ops.sigmoid(x_z + h_z), keras.ops.sigmoid(x_r + h_r)
    return (z * h + (1 - z) * keras.ops.tanh(x_h + r * h_h),)


def gru_step_reset_before(sums, state, recurrent):
    """One step of the GRU of the published paper, reset_after=False. sums: (batch, 3 * units). state: (h,)."""
    (h,) = state
    x_z, x_r, x_h = keras.ops.split(sums, 3, axis=-1)
    u_z, u_r, u_h = keras.ops.split(recurrent, 3, axis=-1)
    z, r = keras.ops.sigmoid(x_z + h @ u_z), keras.ops.sigmoid(x_r + h @ u_r)
    return (z * h + (1 - z) * keras.ops.tanh(x_h + (r * h) @ u_h),)


# %% without_learning="arithmetic"
after, size_after = compare(keras.layers.GRU(5, **EVERYTHING), gru_step)
reset_before = keras.layers.GRU(5, reset_after=False, **EVERYTHING)
before, size_before = compare(reset_before, gru_step_reset_before)
claim(
    "Our two GRUs are Keras's two, over whole masked sequences",
    max(after, before) < 1e-5 and min(size_after, size_before) > 0.05,
    f"largest difference {after:.0e} with reset_after=True, {before:.0e} with False",
)

# %% [markdown]
# Are the two forms one and the same on the same kernels, with all biases zero? Predict first. And what if the reset gate is held wide open?

# %% without_learning="arithmetic"
x = generator.normal(size=(8, 12, 3))
kernel, recurrent = 0.5 * generator.normal(size=(3, 15)), 0.5 * generator.normal(size=(5, 15))
apart = {}
for name, reset_bias in (("free", 0.0), ("open", 40.0)):
    bias = np.repeat([0.0, reset_bias, 0.0], 5)  # for z, r, h
    reset_last, _ = read(gru_step, x, [kernel, recurrent, np.stack([bias, 0 * bias])])
    reset_first, _ = read(gru_step_reset_before, x, [kernel, recurrent, bias])
    apart[name] = np.abs(reset_last - reset_first).max()
claim(
    "The two GRUs differ on the same kernels, and agree where the reset gate is open",
    bool(apart["free"] > 0.01 and apart["open"] < 1e-9),
    f"difference {apart['free']:.2f} with a free reset gate, {apart['open']:.0e} with an open one",
)

# %% [markdown]
# So weights that were saved from one form mean something else in the other.
#
# ## Counting parameters
#
# Every dense layer inside a cell with $n$ inputs and $u$ units has $n u$ weights for the letter, $u^2$ for the state and $u$ biases. A simple cell has one such layer, an LSTM four, a GRU three; and the default GRU has two biases.

# %% without_learning="arithmetic"
formulas = {
    "SimpleRNN": lambda n, u: u * (n + u + 1),
    "LSTM": lambda n, u: 4 * u * (n + u + 1),
    "GRU, reset_after=False": lambda n, u: 3 * u * (n + u + 1),
    "GRU": lambda n, u: 3 * u * (n + u + 2),
}
makers = {
    "SimpleRNN": keras.layers.SimpleRNN,
    "LSTM": keras.layers.LSTM,
    "GRU, reset_after=False": lambda units: keras.layers.GRU(units, reset_after=False),
    "GRU": keras.layers.GRU,
}
counted = {}
for name, make in makers.items():
    for inputs, units in ((3, 5), (32, 64), (100, 7)):
        layer = make(units)
        layer.build((None, None, inputs))
        counted[name, inputs, units] = layer.count_params(), formulas[name](inputs, units)
    print(f"{name:23s} 32 inputs, 64 units: {counted[name, 32, 64][0]:6d} parameters")
claim(
    "The formulas give Keras's count_params for all four cells and three sizes",
    all(keras_count == ours for keras_count, ours in counted.values()),
    f"{len(counted)} counts equal",
)

# %% [markdown]
# ## Words of different lengths: padding and masks
#
# A batch is a rectangle, and words are not. So short words are **padded** with a number that stands for *nothing here*; we take 0. Letters get the numbers from 1, and the last number is for letters that the training names never showed.

# %% tags=["setup"]
ALPHABET = sorted(set("".join(train_names)))
CODES = {letter: code for code, letter in enumerate(ALPHABET, 1)}
UNKNOWN = len(ALPHABET) + 1


def encode(names, width=None):
    """Names as integers, (names, width), padded with zeros at the right. Without `width`: the longest name's."""
    names = [name.lower() for name in names]
    codes = np.zeros((len(names), width or max(map(len, names))), "int32")
    for row, name in enumerate(names):
        codes[row, : len(name)] = [CODES.get(letter, UNKNOWN) for letter in name]
    return codes


train_codes, validation_codes, test_codes = map(encode, (train_names, validation_names, test_names))

# %%
print(encode(["oman", "irlande"]))
padding_share = np.mean(train_codes == 0)
print(f"{padding_share:.0%} of the training rectangle is padding")

# %% [markdown]
# An **embedding** layer then looks up a row of learned numbers for every letter: multiplying a one-hot vector by a matrix, without the multiplication. To the recurrent layer that follows, a padding row looks
# like any other letter. It goes on reading and changes its state.
#
# `mask_zero=True` mends that. The embedding then also makes a **mask**, True where there is a letter, and the recurrent layer skips the other steps. We read four validation names with an untrained GRU, each alone, and then
# padded to three widths.

# %%
EIGHT_BYTES = {"dtype": "float64"}
WIDE_START = {"embeddings_initializer": keras.initializers.RandomNormal(stddev=1.0)}
small_names = validation_names[:4]
inputs = keras.Input((None,), dtype="int32")
embedded = keras.layers.Embedding(UNKNOWN + 1, 6, mask_zero=True, **WIDE_START, **EIGHT_BYTES)(
    inputs
)
gru = keras.layers.GRU(5, **EIGHT_BYTES)
with_mask = keras.Model(inputs, gru(embedded))
# The same layers again: a plain calculation in between loses the mask.
without_mask = keras.Model(inputs, gru(embedded * 1.0))
alone = np.concatenate([with_mask(encode([name])) for name in small_names])
off = {}
for width in (24, 40, 80):
    codes = encode(small_names, width)
    to_the_left = keras.utils.pad_sequences([code[code > 0] for code in codes], width)
    off["no mask, right", width] = np.abs(without_mask(codes) - alone).max()
    off["no mask, left", width] = np.abs(without_mask(to_the_left) - alone).max()
    off["mask, right", width] = np.abs(with_mask(codes) - alone).max()
for case in ("no mask, right", "no mask, left", "mask, right"):
    values = [f"{off[case, width]:.0e}" for width in (24, 40, 80)]
    print(f"{case:15s} off by", " ".join(values), "at widths 24, 40, 80")
print(f"typical size of the state {np.std(alone):.2f}")

# %% without_learning="untrained"
claim(
    "Without a mask the padding changes the state, at the left less than at the right; with a mask it changes nothing",
    all(
        off["no mask, right", width] > 0.01
        and off["no mask, right", width] > 3 * off["no mask, left", width]
        and off["mask, right", width] < 1e-9
        for width in (24, 40, 80)
    ),
    f"at width 24: {off['no mask, right', 24]:.2f} at the right, {off['no mask, left', 24]:.4f} at the left, "
    f"{off['mask, right', 24]:.0e} with a mask",
)

# %% [markdown]
# Padding at the left is read first and then partly forgotten: less harm, not none. (It is the default of `pad_sequences`, from times without masks.) With the mask every name gives the state that it gives alone.
#
# And the cell reading *nothing* does not leave the GRU's state in peace, because its gates have biases and look at the state too.
#
# The mask travels with the tensor from layer to layer, as long as every layer passes it on. Keras's recurrent layers do. Plain arithmetic between two layers does not, and nothing warns you: `embedded * 1.0` above is all it takes.

# %% [markdown]
# ## Stacked, and in both directions
#
# A recurrent layer that returns all its outputs makes a sequence, and a second layer can read that: a **stack**. The first layer needs `return_sequences=True`.
#
# A **bidirectional** layer is two layers, each with its own weights. One reads forwards and one backwards, and their outputs are put side by side. At every letter it then knows what comes before *and* what follows. Our `read`
# does it by turning the sequence round, and turning the outputs back.


# %% tags=["setup"]
def read_both_ways(step, x, weights, mask):
    """Outputs of a bidirectional layer, (batch, time, 2 * units). weights: first the forward cell's."""
    half = len(weights) // 2
    forwards, _ = read(step, x, weights[:half], mask=mask)
    backwards, _ = read(step, x[:, ::-1], weights[half:], mask=mask[:, ::-1])
    return np.concatenate([forwards, backwards[:, ::-1]], axis=-1)


# %% without_learning="arithmetic"
deep = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(UNKNOWN + 1, 6, mask_zero=True, **WIDE_START, **EIGHT_BYTES),
        keras.layers.Bidirectional(
            keras.layers.GRU(5, return_sequences=True, **EIGHT_BYTES), **EIGHT_BYTES
        ),
        keras.layers.GRU(4, **EIGHT_BYTES),
    ]
)
codes = encode(small_names, width=30)
table, *weights = deep.get_weights()
both_ways = read_both_ways(gru_step, table[codes], weights[:6], codes > 0)
_, (last_state,) = read(gru_step, both_ways, weights[6:], mask=codes > 0)
difference = np.abs(deep(codes) - last_state).max()
claim(
    "By hand and in Keras, a stack of a bidirectional GRU and a GRU agree, and the mask reaches the upper one",
    difference < 1e-5 and np.std(last_state) > 0.01,
    f"largest difference {difference:.0e}, typical size {np.std(last_state):.2f}",
)

# %% [markdown]
# A trap: what stands at the *last letter* of the backward half? It started there, so it has read one letter. Take `outputs[:, -1]` as the summary of a word, and half of it knows only the word's end. With
# `return_sequences=False` Keras gives the right thing: the forward output at the last letter beside the backward output at the first.

# %% without_learning="untrained"
word, changed = encode(["finland"]), encode(["vinland"])
outputs, other_outputs = (
    read_both_ways(gru_step, table[codes], weights[:6], codes > 0) for codes in (word, changed)
)
moved = np.abs(outputs - other_outputs)[0]  # (time, 2 * units)
backward_at_end, backward_at_start = moved[-1, 5:].max(), moved[0, 5:].max()
claim(
    "Another first letter changes the backward output at the first letter, and not the one at the last",
    bool(backward_at_end == 0 and backward_at_start > 1e-3),
    f"changes by {backward_at_start:.3f} at the first letter, by {backward_at_end} at the last",
)

# %% [markdown]
# ## Training a reader
#
# The reader: an embedding, a recurrent layer, dropout, and a dense layer that turns the last state into 15 logits. (Gradients through time are lesson 4.2's subject; here `fit` does it.)


# %% tags=["setup"]
EMBEDDING, DROPOUT = 32, 0.3


def build_reader(recurrent_layer):
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(UNKNOWN + 1, EMBEDDING, mask_zero=True),
            recurrent_layer,
            keras.layers.Dropout(DROPOUT),
            keras.layers.Dense(len(LANGUAGES)),
        ]
    )


# %% [markdown]
# Masked steps change nothing, but they are computed, and half of our rectangle is padding. **Bucketing** puts names of similar length together in a batch and pads only to the longest of them.
#
# The learning rate starts at zero, rises to a peak in the first quarter, and falls along a cosine (lesson 2.3). The peak is high for Adam, so gradients are clipped: no single batch may throw the weights away (lesson 4.2).

# %% tags=["setup"]
BATCH, EPOCHS = 64, 5


def bucketed(codes, labels, seed):
    """A data set of batches of names of similar length, in a new order each epoch. Drops what fills no batch."""
    kept = np.random.default_rng(seed).permutation(len(codes))[: len(codes) // BATCH * BATCH]
    lengths = np.sum(codes > 0, axis=1)
    rows = kept[np.argsort(lengths[kept], kind="stable")].reshape(-1, BATCH)
    widths = lengths[rows].max(axis=1)
    dataset = tf.data.Dataset.from_tensor_slices((codes[rows], labels[rows], widths))
    dataset = dataset.shuffle(len(rows), seed=seed)
    return dataset.map(lambda names, answers, width: (names[:, :width], answers))


# %% tags=["setup"]
def rate_schedule(peak_rate, steps):
    """A learning rate that rises from 0 for a quarter of the steps, then falls to 0 along a cosine."""
    rising = steps // 4
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - rising, warmup_target=peak_rate, warmup_steps=rising
    )


def train_reader(reader, codes, labels, peak_rate, seed, epochs=EPOCHS, **arguments):
    """Fit a reader in place. Returns the history."""
    batches = bucketed(codes, labels, seed)
    rate = rate_schedule(peak_rate, epochs * len(batches))
    reader.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # every new width would be compiled anew
    )
    return reader.fit(batches, epochs=epochs, shuffle=False, verbose=0, **arguments)


# %% without_learning="data"
first_batches = [codes.numpy() for codes, _ in bucketed(train_codes, train_labels, SEED)]
all_steps = sum(codes.size for codes in first_batches)
bucketed_share = sum(np.sum(codes == 0) for codes in first_batches) / all_steps
claim(
    "Bucketing cuts the padding from about half of all steps to less than a tenth",
    padding_share > 0.4 and bucketed_share < 0.1,
    f"{padding_share:.0%} and {bucketed_share:.0%}",
)

# %%
UNITS = 76
keras.utils.set_random_seed(SEED)
reader = build_reader(keras.layers.GRU(UNITS))
reader.summary()

# %%
validating = {
    "validation_data": (validation_codes, validation_labels),
    "validation_batch_size": 512,
}
history = train_reader(reader, train_codes, train_labels, 0.02, SEED, **validating).history

# %% alt="Share of names right, against the epoch, for training and validation. Both rise steeply at first; training goes on rising while validation flattens, above the bag of letters and near the n-grams, which are horizontal lines."
epochs = range(1, len(history["accuracy"]) + 1)
plt.plot(epochs, history["accuracy"])
plt.plot(epochs, history["val_accuracy"])
plt.annotate("training", (epochs[-1] + 0.1, history["accuracy"][-1]), annotation_clip=False)
plt.annotate(
    "validation", (epochs[-1] + 0.1, history["val_accuracy"][-1] - 0.04), annotation_clip=False
)
for name, accuracy, place in (("n-grams", ngram_accuracy, 1), ("bag of letters", bag_accuracy, 5)):
    plt.axhline(accuracy, color="0.6", linestyle=":")
    plt.annotate(name, (place, accuracy + 0.01), color="0.35")
plt.xticks(epochs)
plt.xlabel("epoch")
plt.ylabel("share of names right")
plt.title("A GRU learns to read")
plt.show()

# %% [markdown]
# The GRU leaves the bag of letters behind within a few epochs and comes near the n-grams. (At first training is below validation: its share is measured with dropout, and while the weights are still moving.) In the end
# training runs ahead: the reader begins to know its names by heart. We come back to who wins; first, look inside.

# %% [markdown]
# ## Letter by letter
#
# The reader was trained on whole names. But its state after five letters is the state of a five-letter name, so the dense layer can be asked at *every* letter. (It sees no sign for the end, so it takes each beginning for a whole name.) We build a second model from the same layers, with
# `return_sequences=True`, and check that it says along the way what the reader says about each beginning.

# %%
embedding, recurrent, _, to_logits = reader.layers
inputs = keras.Input((None,), dtype="int32")
all_states = keras.layers.GRU(UNITS, return_sequences=True)
logits = to_logits(all_states(embedding(inputs)))
along = keras.Model(inputs, keras.ops.softmax(logits))
all_states.set_weights(recurrent.get_weights())

name = "deutschland"
at_once = along(encode([name])).numpy()[0]  # (letters, languages)
beginnings = reader(encode([name[:end] for end in range(1, len(name) + 1)])).numpy()
difference = np.abs(at_once - keras.ops.softmax(beginnings).numpy()).max()
claim(
    "The probabilities along a name are those of its beginnings",
    bool(difference < 1e-3 and np.ptp(at_once, axis=0).max() > 0.2),
    f"largest difference {difference:.0e}, largest move along the name {np.ptp(at_once, axis=0).max():.2f}",
)


# %%
def watch(name, shown=4):
    """Draw the probabilities of the likeliest languages, letter by letter."""
    name = name.lower()
    probabilities = along(encode([name])).numpy()[0]
    likeliest = np.argsort(probabilities.max(axis=0))[::-1][:shown]
    for marker, language in zip("osD^v*P", likeliest, strict=False):
        plt.plot(probabilities[:, language], marker=marker, label=LANGUAGES[language])
    plt.xticks(range(len(name)), list(name))
    plt.ylim(-0.02, 1.02)
    plt.xlabel("letter just read")
    plt.ylabel("probability")
    plt.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plt.title(f"After “{name}”: {LANGUAGES[probabilities[-1].argmax()]}")
    plt.show()


# %% alt="Probabilities of four languages along the letters of deutschland. They jump from letter to letter; the curve of one language is on top at the end."
watch("deutschland")

# %% [markdown]
# The curves jump where a letter decides something, and later letters can overturn an earlier opinion. (Many famous names were among the training names: the reader may simply remember them. Only names from the validation and test data are evidence.)
#
# Now a name of yours. Letters outside of the 15 languages all become one unknown letter.

# %% alt="Probabilities of four languages along the letters of the name amsterdam, letter by letter."
my_name = "amsterdam"  # type any name here
watch(my_name)

# %% [markdown]
# Names of people and of towns are not what it learned from, and a name may fit no language at all. The reader never says *I do not know*: its 15 probabilities always add up to one.
#
# And the anagrams of the beginning? The bag gave all three the same answer.

# %%
same_letters = ["ireland", "ierland", "irlande"]
answers = keras.ops.softmax(reader(encode(same_letters))).numpy()
for name, probabilities in zip(same_letters, answers, strict=True):
    top = np.argsort(probabilities)[::-1][:2]
    where = "training" if name in train_names else "new"
    said = ", ".join(f"{LANGUAGES[language]} {probabilities[language]:.2f}" for language in top)
    print(f"{name} ({where}): {said}")

# %% [markdown]
# It treats the three differently, and need not be right about all of them, although some may be training names. Three names prove nothing. Let us take all validation names that have an anagram in another language.

# %%
held_out = set(validation_names)
places = [place for group in across for place in group if names[place] in held_out]
twisted = [names[place] for place in places]
print(f"{len(places)} validation names with an anagram in another language:")
for title, scores in (
    ("bag of letters", all_scores[places]),
    ("n-grams", ngrams.scores(twisted)),
    ("GRU", reader(encode(twisted)).numpy()),
):
    print(f"{title:14s} {np.mean(scores.argmax(axis=1) == labels[places]):.0%} right")

# %% [markdown]
# ## Four readers, three runs each
#
# Which cell reads best? A fair comparison gives all the same number of parameters, near 28,000 with embedding and output, the same names and the same epochs, and each its own learning rate, chosen on validation data. And one more: a GRU
# whose training and validation names have their letters **shuffled**. If order is what the reader uses, what will it score? Write your ranking down.

# %%
both = keras.layers.Bidirectional
UNITS_OF = {"simple RNN": 140, "GRU": 76, "LSTM": 64, "bidirectional GRU": 50, "GRU, shuffled": 76}
LAYERS = {
    "simple RNN": keras.layers.SimpleRNN,
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
    "bidirectional GRU": lambda units: both(keras.layers.GRU(units)),
    "GRU, shuffled": keras.layers.GRU,
}
PEAK_RATES = {kind: 0.004 if kind == "simple RNN" else 0.02 for kind in LAYERS}
RUNS = 3
keras.utils.set_random_seed(SEED + 1)
study = {
    (kind, run): build_reader(make(UNITS_OF[kind]))
    for kind, make in LAYERS.items()
    for run in range(RUNS)
}

# %% [markdown]
# Fifteen times `fit` would take minutes. For matrices this small most of the time goes into starting thousands of tiny operations, so three runs of a kind train **side by side**: each weight gets an axis of runs in front, and one
# operation serves all three. The steps are ours from above, since they do not mind the extra axis; around them, TensorFlow's loop.


# %%
def last_output(step, state_count, weights, table, codes, backwards=False):
    """The last output of a cell for all runs at once: (runs, batch, units). table: the embeddings."""
    kernel, recurrent, bias = weights
    recurrent_weights = (recurrent, bias[:, 1:]) if bias.shape[1] == 2 else (recurrent,)
    sums = tf.gather(table @ kernel + bias[:, :1], codes, axis=1)  # (runs, batch, time, gates)
    sums, mask = tf.transpose(sums, (2, 0, 1, 3)), tf.transpose(codes > 0)[..., tf.newaxis]
    if backwards:
        sums, mask = sums[::-1], mask[::-1]
    # as a list: the gradient of sums[t] would be an array for all times, at every t, zero elsewhere
    sums = tf.TensorArray(tf.float32, tf.shape(sums)[0]).unstack(sums)

    def body(t, *state):
        new_state = step(sums.read(t), state, *recurrent_weights)
        return t + 1, *[tf.where(mask[t], *pair) for pair in zip(new_state, state, strict=True)]

    shape = tf.stack([RUNS, tf.shape(codes)[0], recurrent.shape[1]])
    start = (tf.zeros(shape),) * state_count
    return tf.while_loop(lambda t, *_: t < tf.shape(codes)[1], body, (0, *start))[1]


# %%
STEPS = {"simple RNN": (simple_step, 1), "LSTM": (lstm_step, 2)}


def loss_of_all(kind, weights, codes, answers):
    """The sum of the runs' mean losses. weights: each (runs, ...), as Keras orders them."""
    step, state_count = STEPS.get(kind, (gru_step, 1))
    table, *cells, kernel, bias = weights
    output = last_output(step, state_count, cells[:3], table, codes)
    if len(cells) == 6:
        back = last_output(step, state_count, cells[3:], table, codes, backwards=True)
        output = tf.concat([output, back], axis=-1)
    logits = tf.nn.dropout(output, DROPOUT) @ kernel + bias  # (runs, batch, languages)
    answers = tf.tile(answers[tf.newaxis], [RUNS, 1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
    return RUNS * tf.reduce_mean(losses)


# %%
def train_side_by_side(kind, codes):
    """Train the three readers of a kind in place. Returns the seconds."""
    started, readers = perf_counter(), [study[kind, run] for run in range(RUNS)]
    stacked = [np.stack(arrays) for arrays in zip(*(r.get_weights() for r in readers), strict=True)]
    # a bias becomes (runs, 1, units), to be added to (runs, batch, units)
    weights = [tf.Variable(a[:, np.newaxis] if a.ndim == 2 else a) for a in stacked]
    batches = bucketed(codes, train_labels, SEED)
    rate = rate_schedule(PEAK_RATES[kind], EPOCHS * len(batches))
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=RUNS**0.5)
    optimizer.build(weights)

    @tf.function(input_signature=[batches.element_spec])
    def train_step(batch):
        with tf.GradientTape() as tape:
            loss = loss_of_all(kind, weights, *batch)
        optimizer.apply(tape.gradient(loss, weights), weights)

    for batch in batches.repeat(EPOCHS):
        train_step(batch)
    for run, reader in enumerate(readers):
        trained = [
            w[run].numpy().reshape(a.shape[1:]) for w, a in zip(weights, stacked, strict=True)
        ]
        reader.set_weights(trained)
    return perf_counter() - started


# %%
def shuffled(names):
    return ["".join(generator.permutation(list(name))) for name in names]


shuffled_train, shuffled_validation = map(encode, map(shuffled, (train_names, validation_names)))
jobs = {kind: shuffled_train if "shuffled" in kind else train_codes for kind in LAYERS}
with ThreadPoolExecutor(2) as threads:
    seconds = dict(zip(jobs, threads.map(train_side_by_side, jobs, jobs.values()), strict=True))


# %% [markdown]
# The trained weights are back in the Keras readers, and Keras tells how good they are.


# %%
def log_probabilities(reader, codes):
    return keras.ops.log_softmax(reader(codes)).numpy()


def accuracy(scores, labels):
    return np.mean(scores.argmax(axis=1) == labels)


validation_accuracies = {kind: [] for kind in LAYERS}
for (kind, _), trained in study.items():
    codes = shuffled_validation if "shuffled" in kind else validation_codes
    score = accuracy(log_probabilities(trained, codes), validation_labels)
    validation_accuracies[kind].append(score)
for kind, values in validation_accuracies.items():
    parameters = study[kind, 0].count_params()
    shown = " ".join(f"{value:.1%}" for value in values)
    print(f"{kind:18s} {parameters:6d} parameters, validation {shown}")
print(f"bag of letters {bag_accuracy:.1%}, n-grams {ngram_accuracy:.1%}")

# %% tags=["measures-time"]
for kind, value in seconds.items():
    print(f"{kind:18s} {value:4.1f} s for three readers, two kinds at a time")

# %%
shuffled_best = max(validation_accuracies["GRU, shuffled"])
gated_worst = min(validation_accuracies["GRU"] + validation_accuracies["LSTM"])
claim(
    "Without the order of the letters a GRU falls to within 8 points of the bag of letters, more than 12 below any reader of whole names with gates",
    bool(abs(shuffled_best - bag_accuracy) < 0.08 and gated_worst - shuffled_best > 0.12),
    f"shuffled at most {shuffled_best:.1%}, bag {bag_accuracy:.1%}, GRU and LSTM at least {gated_worst:.1%}",
)
simple_best = max(validation_accuracies["simple RNN"])
claim(
    "With the same number of parameters every GRU and LSTM reads better than every simple RNN",
    bool(gated_worst > simple_best + 0.02),
    f"worst gated run {gated_worst:.1%}, best simple run {simple_best:.1%}",
)

# %% [markdown]
# Order is what the reader uses: take it away, and a GRU knows little more than a bag. And the gates earn their keep: the same number of weights in a simple cell reads clearly worse. Among the three readers with gates the
# gaps are small, and two runs of the same kind differ too: three runs on one split are too few to rank them.
#
# ## The gates at work
#
# What do the gates of an LSTM do along a name? Our `lstm_step` hides them, so we compute them from the trained weights. A bright unit holds on (forget gate), writes (input gate) or shows itself (output gate).


# %%
def gates_along(reader, codes):
    """Gates of an LSTM reader: three arrays (names, letters, units): input, forget and output gate."""
    weights = reader.layers[1].get_weights()
    table = reader.layers[0].get_weights()[0]
    outputs, _ = read(lstm_step, table[codes], weights, state_count=2)
    before = np.concatenate([np.zeros_like(outputs[:, :1]), outputs[:, :-1]], axis=1)
    i, f, _, o = np.split(table[codes] @ weights[0] + before @ weights[1] + weights[2], 4, axis=-1)
    return [keras.ops.sigmoid(gate).numpy() for gate in (i, f, o)]


# %% alt="Three heat maps, one above the other, of the forget, input and output gates of 22 units along the letters of a name of two words. Some rows stay bright along the whole name, others change from letter to letter; at the space many forget gates are dark."
gate_name = "isole salomone"
lstm_reader = study["LSTM", 0]
i, f, o = (gate[0] for gate in gates_along(lstm_reader, encode([gate_name])))
some_units = np.argsort(f.mean(axis=0))[::3]  # every third, sorted by the forget gate
figure, panels = plt.subplots(3, 1, figsize=(6.6, 7.0), sharex=True)
named_gates = {"forget gate": f, "input gate": i, "output gate": o}
for panel, (title, gate) in zip(panels, named_gates.items(), strict=True):
    picture = panel.imshow(gate[:, some_units].T, aspect="auto", vmin=0, vmax=1, cmap="gray")
    panel.set_title(title)
    panel.set_ylabel("unit")
    panel.set_yticks([])
panels[-1].set_xticks(range(len(gate_name)), list(gate_name.replace(" ", "␣")))
panels[-1].set_xlabel("letter being read")
figure.colorbar(picture, ax=panels, label="0: shut, 1: open")
plt.show()

# %% [markdown]
# The units are sorted by their forget gate. Those at the bottom of the first panel hold on to their cell through most of the name; those at the top forget with almost every letter, so they look at a few letters only. Many
# gates flip from one letter to the next: what is kept depends on what is read.
#
# Is there a rule in it? Look at the column of the space (␣). Two measurements on validation names: what the gates do at spaces, and what they did before training, when each sat near the sigmoid of its bias.

# %%
spaced = encode([name for name in validation_names if name.count(" ") == 1])
is_space = spaced == CODES[" "]
is_letter = (spaced > 0) & ~is_space
all_gates = np.stack([gates_along(study["LSTM", run], spaced) for run in range(RUNS)])
at_space = all_gates[:, :, is_space].mean(axis=(0, 2, 3))
at_letters = all_gates[:, :, is_letter].mean(axis=(0, 2, 3))
for title, space, letter in zip(("input", "forget", "output"), at_space, at_letters, strict=True):
    print(f"{title} gate, mean at spaces {space:.2f}, at letters {letter:.2f}")

# %%
keras.utils.set_random_seed(SEED)
fresh_reader = build_reader(keras.layers.LSTM(64))
decided = {}
for when, lstm in (("before", fresh_reader), ("after", lstm_reader)):
    gates = np.stack(gates_along(lstm, spaced))[:, spaced > 0]
    decided[when] = np.mean((gates < 0.2) | (gates > 0.8))
claim(
    "Training makes the gates take sides: before it fewer than 5 % of them are below 0.2 or above 0.8, after it more than a third",
    bool(decided["before"] < 0.05 and decided["after"] > 1 / 3),
    f"{decided['before']:.1%} before, {decided['after']:.1%} after",
)

# %% [markdown]
# ## The test
#
# All choices are made; now the test names, once. Beside the readers and the n-grams stands a **team**: the mean of the log-probabilities of one GRU and of the n-grams.

# %%
test_scores = {
    kind: [log_probabilities(study[kind, run], test_codes) for run in range(RUNS)]
    for kind in LAYERS
    if "shuffled" not in kind
}
ngram_scores = ngrams.scores(test_names)
team_scores = [(scores + ngram_scores) / 2 for scores in test_scores["GRU"]]
bag_test = accuracy(log_prior + bag.transform(test_names) @ log_pieces, test_labels)
ngram_test = accuracy(ngram_scores, test_labels)
rows = {**test_scores, "GRU and n-grams": team_scores}
results = {name: [accuracy(run, test_labels) for run in runs] for name, runs in rows.items()}
print(f"most frequent language {np.mean(test_labels == shares.argmax()):.1%}")
print(f"bag of letters         {bag_test:.1%}")
print(f"n-grams                {ngram_test:.1%}")
for name, values in results.items():
    shown = " ".join(f"{value:.1%}" for value in values)
    print(f"{name:22s} {np.mean(values):.1%}   ({shown})")

# %% tags=["headline"]
least = {kind: min(results[kind]) for kind in ("GRU", "LSTM")}
claim(
    "GRU and LSTM name the right one of 15 languages for at least 65 % of the test names in every run",
    bool(min(least.values()) >= 0.65 and bag_test < 0.55),
    f"GRU at least {least['GRU']:.1%}, LSTM at least {least['LSTM']:.1%}, "
    f"bag of letters {bag_test:.1%}, n-grams {ngram_test:.1%}",
)

# %%
gaps = {kind: np.mean(results[kind]) - ngram_test for kind in ("GRU", "LSTM")}
claim(
    "GRU and LSTM do not beat the n-grams by more than 2 points, and are not more than 6 below them",
    all(-0.06 < gap < 0.02 for gap in gaps.values()),
    f"n-grams {ngram_test:.1%}, GRU {gaps['GRU']:+.1%}, LSTM {gaps['LSTM']:+.1%}",
)
claim(
    "A GRU and the n-grams together beat either alone, in every run, and the GRU alone beats the bag of letters by more than 10 points",
    bool(
        min(results["GRU and n-grams"]) > max(ngram_test, *results["GRU"])
        and min(results["GRU"]) > bag_test + 0.1
    ),
    f"together at least {min(results['GRU and n-grams']):.1%}, n-grams {ngram_test:.1%}, "
    f"best GRU {max(results['GRU']):.1%}",
)

# %% [markdown]
# The honest result: on these data a table that is counted in less than a second is about as good as a trained network. Why?
#
# - **The data are few.** A piece seen twice in one language and never in another is evidence at once. The reader must find the same out by small steps, for many weights, from a few hundred names a language.
# - **The evidence is local.** Endings like *-ien*, *-ska*, *-stan* and words like *dollar* decide, and they fit into a window. What a recurrent state can do beyond that, carry something over a long way, is hardly asked for here.
# - **The data repeat themselves.** Many test names share a whole word with a training name. Such words are what a table knows by heart.
#
# The last point we can look at: split the test names by whether they share a word with a training name. (And that the team beats both says that they make different mistakes: each knows something that the other does not.)

# %%
train_words = {word for name in train_names for word in name.replace("-", " ").split()}
knows_word = np.array(
    [any(word in train_words for word in name.replace("-", " ").split()) for name in test_names]
)
ngram_hits = ngram_scores.argmax(axis=1) == test_labels
gru_hits = np.mean([run.argmax(axis=1) == test_labels for run in test_scores["GRU"]], axis=0)
lstm_hits = np.mean([run.argmax(axis=1) == test_labels for run in test_scores["LSTM"]], axis=0)
for title, chosen in (("shares a word", knows_word), ("shares none", ~knows_word)):
    print(
        f"{title:14s} {chosen.sum():4d} names: n-grams {ngram_hits[chosen].mean():.1%}, "
        f"GRU {gru_hits[chosen].mean():.1%}, LSTM {lstm_hits[chosen].mean():.1%}"
    )

# %% [markdown]
# Does the length of a name matter? Predict: which names are the hardest, for whom?

# %% alt="Share of test names right against the length of the name, for the GRU and the n-grams. Both rise from the shortest names to those of medium length."
lengths = np.array([len(name) for name in test_names])
edges = [(3, 5), (6, 7), (8, 9), (10, 12), (13, 16), (17, 24)]
inside = [(lengths >= low) & (lengths <= high) for low, high in edges]
for name, hits, marker in (("GRU", gru_hits, "o"), ("n-grams", ngram_hits, "s")):
    plt.plot([hits[chosen].mean() for chosen in inside], marker=marker, label=name)
plt.xticks(range(len(edges)), [f"{low}-{high}" for low, high in edges])
plt.xlabel("letters in the name")
plt.ylabel("share of test names right")
plt.ylim(0.4, 1)
plt.legend(loc="lower right")
plt.title("Short names tell less")
plt.show()

# %% [markdown]
# A name of a few letters may be one that several languages could have; every further letter can settle it. Both readers know this curve. Among the longest names are many of two and three words.

# %%
short, long = lengths <= 7, lengths >= 10
claim(
    "GRU and n-grams both find names of 10 letters or more easier than names of 7 or fewer, and more than 60 % of the long ones",
    bool(
        min(gru_hits[long].mean(), ngram_hits[long].mean()) > 0.6
        and gru_hits[long].mean() > gru_hits[short].mean() + 0.05
        and ngram_hits[long].mean() > ngram_hits[short].mean() + 0.05
    ),
    f"GRU {gru_hits[short].mean():.1%} and {gru_hits[long].mean():.1%}, "
    f"n-grams {ngram_hits[short].mean():.1%} and {ngram_hits[long].mean():.1%}",
)

# %% [markdown]
# Which languages does the GRU take for which? We put related languages side by side; the mistakes of all three runs go into one **confusion matrix**, whose rows are shares of a language's names.

# %%
FAMILIES = {
    "North Germanic": ("Danish", "Swedish"),
    "West Germanic": ("Dutch", "German", "English"),
    "Romance": ("French", "Italian", "Portuguese", "Spanish"),
    "West Slavic": ("Czech", "Polish"),
    "Finnic": ("Estonian", "Finnish"),
    "Hungarian": ("Hungarian",),
    "Turkish": ("Turkish",),
}
in_order = [LANGUAGES.index(language) for family in FAMILIES.values() for language in family]
ordered = [LANGUAGES[place] for place in in_order]
called = np.concatenate([run.argmax(axis=1) for run in test_scores["GRU"]])
confusion = np.zeros((len(LANGUAGES), len(LANGUAGES)))
np.add.at(confusion, (np.tile(test_labels, RUNS), called), 1)
confusion = (confusion / confusion.sum(axis=1, keepdims=True))[np.ix_(in_order, in_order)]

# %% alt="Confusion matrix of the 15 languages, related languages beside each other. The diagonal is dark; grey squares beside it lie inside the boxes of the families."
figure, axes = plt.subplots(figsize=(6.6, 5.8))
picture = axes.imshow(confusion, vmin=0, vmax=0.25)
start = -0.5
for family in FAMILIES.values():
    side = len(family)
    box = plt.Rectangle((start, start), side, side, fill=False, edgecolor=COLOURS["red"], lw=2)
    axes.add_patch(box)
    start += side
axes.set_xticks(range(len(ordered)), ordered, rotation=90)
axes.set_yticks(range(len(ordered)), ordered)
axes.set_xlabel("the GRU says")
axes.set_ylabel("the language is")
axes.set_title("Who is taken for whom")
figure.colorbar(picture, label="share of the row (black: 0.25 and more)")
plt.show()

# %% [markdown]
# The boxes are families of languages that have a common ancestor. Pair by pair the grey is darkest in them: where spelling and words are related, short names are alike. But most pairs of languages are of two families, and so are many mistakes. Names of
# currencies and peoples wander, and English gives and takes everywhere.

# %%
family_of = np.concatenate([[number] * len(f) for number, f in enumerate(FAMILIES.values())])
same_family = (family_of[:, np.newaxis] == family_of) & ~np.eye(15, dtype=bool)
other_family = family_of[:, np.newaxis] != family_of
inside_rate, outside_rate = confusion[same_family].mean(), confusion[other_family].mean()
off_diagonal = confusion * ~np.eye(15, dtype=bool)
for place in np.argsort(off_diagonal, axis=None)[::-1][:6]:
    row, column = np.unravel_index(place, off_diagonal.shape)
    print(f"{ordered[row]:10s} called {ordered[column]:10s} {off_diagonal[row, column]:.1%}")
claim(
    "The GRU is right about more than half of the names, and for each pair inside a family it takes one language for the other at least twice as often as for a pair across",
    bool(np.diag(confusion).mean() > 0.5 and inside_rate > 2 * outside_rate),
    f"right {np.diag(confusion).mean():.1%}, mistaken {inside_rate:.1%} for each pair inside a family, {outside_rate:.1%} across",
)

# %% [markdown]
# ## Common mistakes
#
# - **No mask.** The layer reads the padding, and the state depends on how long the *other* names of the batch are. Set `mask_zero=True` and keep the code 0 for padding alone.
# - **A calculation between two layers.** `embedded * 1.0` has no mask any more. Do it in a layer that passes masks on, or give the next layer `mask=` yourself.
# - **Padding at the left with a mask on a graphics card.** The fast kernel there needs padding at the right. Pad at the right, or set `use_cudnn=False`.
# - **`return_sequences=False` below another recurrent layer.** The upper layer needs a sequence. Keras stops with a message about dimensions.
# - **`outputs[:, -1]` as the summary of a word.** At padded steps it stands for nothing, and of a bidirectional layer it holds the backward half's *first* step.
# - **A bidirectional layer where the future is unknown.** It cannot forecast, and it cannot answer letter by letter.
# - **Another activation in an LSTM or GRU.** It works, but leaves the fast kernel of graphics cards; `recurrent_dropout` does the same.
# - **No simple baseline.** Without the n-grams we would have called the GRU's result a triumph.

# %% [markdown]
# ## Exercise 1: count before you build
#
# Each layer reads 20 numbers a step and has 50 units (the bidirectional one: 50 each way). How many parameters? Work on paper, then write numbers or formulas.

# %% tags=["exercise"]
lstm_parameters = None
gru_parameters = None  # Keras's default GRU
bidirectional_parameters = None  # keras.layers.Bidirectional(keras.layers.LSTM(50))
### BEGIN SOLUTION
lstm_parameters = 4 * 50 * (20 + 50 + 1)
gru_parameters = 3 * 50 * (20 + 50 + 2)  # two biases: the reset comes after the product
bidirectional_parameters = 2 * lstm_parameters
### END SOLUTION

# %% tags=["wrong"] says="the reset gate stands between two biases"
lstm_parameters = 4 * 50 * (20 + 50 + 1)
gru_parameters = 3 * 50 * (20 + 50 + 1)  # one bias
bidirectional_parameters = 2 * lstm_parameters

# %% tags=["wrong"] says="beside its three gates an LSTM has a candidate"
lstm_parameters = 3 * 50 * (20 + 50 + 1)  # three gates, and the candidate forgotten
gru_parameters = 3 * 50 * (20 + 50 + 2)
bidirectional_parameters = 2 * lstm_parameters

# %% tags=["wrong"] says="each direction sees its own state only"
lstm_parameters = 4 * 50 * (20 + 50 + 1)
gru_parameters = 3 * 50 * (20 + 50 + 2)
bidirectional_parameters = 4 * 100 * (20 + 100 + 1)  # as if each direction saw the other's state

# %% tags=["check"]
with feedback("Count before you build"):
    lstm, gru = keras.layers.LSTM(50), keras.layers.GRU(50)
    two_lstms = keras.layers.Bidirectional(keras.layers.LSTM(50))
    for layer in (lstm, gru, two_lstms):
        layer.build((None, 7, 20))
    asked = "is not what Keras counts: what does each dense layer inside read, and which biases are there?"
    assert lstm_parameters != 3 * 50 * 71, (
        "lstm_parameters: beside its three gates an LSTM has a candidate, a fourth dense layer"
    )
    assert lstm_parameters == lstm.count_params(), f"lstm_parameters: {lstm_parameters} {asked}"
    assert gru_parameters != 3 * 50 * 71, (
        "gru_parameters: in Keras's default GRU the reset gate stands between two biases"
    )
    assert gru_parameters == gru.count_params(), f"gru_parameters: {gru_parameters} {asked}"
    assert bidirectional_parameters != 4 * 100 * 121, (
        "bidirectional_parameters: each direction sees its own state only"
    )
    assert bidirectional_parameters == two_lstms.count_params(), (
        f"bidirectional_parameters: {bidirectional_parameters} {asked}"
    )

# %% [markdown]
# ## Exercise 2: a unit that never forgets
#
# A simple recurrent cell with one unit reads zeros and ones. Choose its three numbers so that the state is above 0.9 at the end if a 1 came *anywhere* (even 30 steps ago), and between $-0.1$ and $0.1$ if none came.


# %% tags=["exercise"]
def latch():
    """Three numbers: the kernel w, the recurrent kernel u and the bias b of h = tanh(w x + u h + b)."""
    ### BEGIN SOLUTION
    return 5.0, 3.0, 0.0  # tanh(3 h) = h has a solution near 1, and the state stays there
    ### END SOLUTION


# %% tags=["wrong"] says="for which u has h = tanh(u h) a solution above 0.9"
def latch():  # u = 1 is not enough: tanh shrinks the state at every step
    return 5.0, 1.0, 0.0


# %% tags=["wrong"] says="one step later nothing is left of it"
def latch():  # reports the last letter only
    return 5.0, 0.0, 0.0


# %% tags=["wrong"] says="what does the bias do alone"
def latch():  # the bias fires the unit by itself
    return 5.0, 3.0, 0.5


# %% tags=["check"]
with feedback("A unit that never forgets"):
    w, u, b = (float(number) for number in latch())
    steps = 60
    check_x = np.zeros((steps + 3, steps, 1))
    check_x[:steps, :, 0] = np.eye(steps)  # a single 1 at every place, then several, all, none
    check_x[steps, ::3], check_x[steps + 1] = 1, 1
    weights = [np.array([[w]]), np.array([[u]]), np.array([b])]
    *single, several, always, silent = read(simple_step, check_x, weights)[0][:, -1, 0]
    assert abs(silent) < 0.1, (
        f"no 1 came and the state is {silent:.2f}: what does the bias do alone?"
    )
    assert single[-1] > 0.9, (
        f"a 1 just came and the state is {single[-1]:.2f}: how large must w be?"
    )
    assert abs(single[-2]) > 1e-3, (
        "a 1 came and one step later nothing is left of it: what is u for?"
    )
    assert min(single) > 0.9, (
        f"of a 1 that came up to {steps - 1} steps ago {min(single):.2f} is left: "
        "for which u has h = tanh(u h) a solution above 0.9?"
    )
    assert min(several, always) > 0.9, (
        f"many ones came and the state is {min(several, always):.2f}: it must stay up"
    )

# %% [markdown]
# ## Exercise 3: repair this
#
# This function should give what a bidirectional layer returns with `return_sequences=False`, out of all its outputs. It has **two** mistakes.
#
# ```python
# def summary(outputs, lengths):
#     units = outputs.shape[-1] // 2
#     forward, backward = outputs[..., :units], outputs[..., units:]
#     return np.concatenate([forward[:, -1], backward[:, -1]], axis=-1)
# ```


# %% tags=["exercise"]
def summary(outputs, lengths):
    """Forward and backward half after each has read the whole word: (batch, 2 * units).

    outputs: (batch, time, 2 * units), padded at the right. lengths: (batch,), how many steps are real.
    """
    ### BEGIN SOLUTION
    units = outputs.shape[-1] // 2
    forward, backward = outputs[..., :units], outputs[..., units:]
    last = forward[np.arange(len(outputs)), lengths - 1]  # behind it is padding
    return np.concatenate([last, backward[:, 0]], axis=-1)  # backwards ends at the first letter
    ### END SOLUTION


# %% tags=["wrong"] says="the backward half: at which step has it read the whole word"
def summary(outputs, lengths):  # the backward half has read one letter
    units = outputs.shape[-1] // 2
    last = outputs[np.arange(len(outputs)), lengths - 1]
    return np.concatenate([last[:, :units], last[:, units:]], axis=-1)


# %% tags=["wrong"] says="there is padding in your forward half"
def summary(outputs, lengths):  # the forward half stands in the padding
    units = outputs.shape[-1] // 2
    return np.concatenate([outputs[:, -1, :units], outputs[:, 0, units:]], axis=-1)


# %% tags=["wrong"] says="your forward half has not read the last letter"
def summary(outputs, lengths):  # one step too early
    units = outputs.shape[-1] // 2
    last = outputs[np.arange(len(outputs)), lengths - 2, :units]
    return np.concatenate([last, outputs[:, 0, units:]], axis=-1)


# %% tags=["check"]
with feedback("Repair this"):
    for word_lengths, half in (([3, 5, 2], 2), ([4, 2, 6, 3, 2], 3)):
        shape = len(word_lengths), 2 * half
        check_outputs = np.random.default_rng(half).normal(size=(shape[0], 7, shape[1]))
        for row, length in enumerate(word_lengths):
            check_outputs[row, length:] = np.nan  # padding
        got = np.asarray(summary(check_outputs.copy(), np.array(word_lengths)))
        assert got.shape == shape, f"the summary is {shape} here, yours is {got.shape}"
        words = [check_outputs[row, :length] for row, length in enumerate(word_lengths)]
        read_forward = np.array([word[-1, :half] for word in words])
        read_backward = np.array([word[0, half:] for word in words])
        assert not np.array_equal(got, np.concatenate([read_backward, read_forward], axis=-1)), (
            "the forward half stands first"
        )
        assert np.array_equal(got[:, half:], read_backward), (
            "the backward half: at which step has it read the whole word?"
        )
        assert not np.isnan(got).any(), (
            "there is padding in your forward half: a word of n letters ends at n - 1"
        )
        early = np.array([word[-2, :half] for word in words])
        assert not np.array_equal(got[:, :half], early), (
            "your forward half has not read the last letter: count from 0"
        )
        assert np.array_equal(got[:, :half], read_forward), (
            f"the forward half: at which step have words of {word_lengths} letters been read?"
        )

# %% [markdown]
# ## Exercise 4: a cell of your own
#
# In a **coupled** LSTM the forget gate has no weights of its own: it keeps what is not written, $f_t = 1 - i_t$. Write its step. The kernels are side by side in the order $i, g, o$.


# %% tags=["exercise"]
def coupled_step(sums, state, recurrent):
    """One step of an LSTM with f = 1 - i. sums: x W + b, (batch, 3 * units). state: (h, c)."""
    ### BEGIN SOLUTION
    h, c = state
    i, g, o = keras.ops.split(sums + h @ recurrent, 3, axis=-1)
    i, o = keras.ops.sigmoid(i), keras.ops.sigmoid(o)
    c = (1 - i) * c + i * keras.ops.tanh(g)
    return o * keras.ops.tanh(c), c
    ### END SOLUTION


# %% tags=["wrong"] says="an open input gate keeps the old cell in yours"
def coupled_step(sums, state, recurrent):  # keeps what is written, writes what is kept
    h, c = state
    i, g, o = keras.ops.split(sums + h @ recurrent, 3, axis=-1)
    i, o = keras.ops.sigmoid(i), keras.ops.sigmoid(o)
    c = i * c + (1 - i) * keras.ops.tanh(g)
    return o * keras.ops.tanh(c), c


# %% tags=["wrong"] says="yours shows the cell without its tanh"
def coupled_step(sums, state, recurrent):  # shows the cell without its tanh
    h, c = state
    i, g, o = keras.ops.split(sums + h @ recurrent, 3, axis=-1)
    i, o = keras.ops.sigmoid(i), keras.ops.sigmoid(o)
    c = (1 - i) * c + i * keras.ops.tanh(g)
    return o * c, c


# %% tags=["wrong"] says="a shut input gate keeps the old h in yours"
def coupled_step(sums, state, recurrent):  # a GRU's habit: mixes the candidate with h instead of c
    h, _ = state
    i, g, o = keras.ops.split(sums + h @ recurrent, 3, axis=-1)
    i, o = keras.ops.sigmoid(i), keras.ops.sigmoid(o)
    c = (1 - i) * h + i * keras.ops.tanh(g)
    return o * keras.ops.tanh(c), c


# %% tags=["check"]
with feedback("A cell of your own"):
    old_h, old_c = np.array([[0.3, -0.6]]), np.array([[0.8, -0.2]])
    g, o, no_recurrence = np.array([[0.9, -1.1]]), np.array([[0.4, -0.7]]), np.zeros((2, 6))
    cells, shown = {}, {}
    for gate, i in (("open", 40.0), ("shut", -40.0)):
        sums = np.concatenate([np.full((1, 2), i), g, o], axis=-1)
        new_state = coupled_step(sums, (old_h.copy(), old_c.copy()), no_recurrence)
        shown[gate], cells[gate] = (np.asarray(part) for part in new_state)
    assert not np.allclose(cells["open"], old_c), (
        "an open input gate keeps the old cell in yours: it must write, and f = 1 - i"
    )
    assert np.allclose(cells["open"], np.tanh(g)), (
        f"with an open input gate the new cell is the tanh of the candidate's sum, {np.tanh(g)}, "
        f"yours is {cells['open']}: the order is i, g, o, and h comes before c"
    )
    assert not np.allclose(cells["shut"], old_h), (
        "a shut input gate keeps the old h in yours: it is the cell c that stays"
    )
    assert np.allclose(cells["shut"], old_c), "a shut input gate keeps the whole old cell"
    output_gate = 1 / (1 + np.exp(-o))
    assert not np.allclose(shown["open"], output_gate * cells["open"]), (
        "yours shows the cell without its tanh"
    )
    assert np.allclose(shown["open"], output_gate * np.tanh(cells["open"])), (
        "the new h is the output gate, a sigmoid, times the tanh of the new cell"
    )
    check_generator = np.random.default_rng(3)
    check_x = check_generator.normal(size=(2, 9, 3))
    parts = [check_generator.normal(size=shape) for shape in ((3, 12), (4, 12), (12,))]
    # Keras's LSTM can do the same: 1 - sigmoid(a) is sigmoid(-a), so f gets the negative weights of i.
    full = [np.concatenate([p[..., :4], -p[..., :4], p[..., 4:]], axis=-1) for p in parts]
    lstm = keras.layers.LSTM(4, return_sequences=True, dtype="float64")
    lstm.build(check_x.shape)
    lstm.set_weights(full)
    got = read(coupled_step, check_x, parts, state_count=2)[0]
    difference = np.abs(got - lstm(tf.constant(check_x)).numpy()).max()
    assert difference < 1e-6, (
        f"over a whole sequence yours differs by {difference:.2f} from a Keras LSTM whose forget weights are "
        "minus its input weights: how does the old h join the sums, and are gates half open right?"
    )

# %% [markdown]
# ## Exercise 5: beat the pairs of letters (open-ended)
#
# Train a reader of whole names that is better on the validation names than naive Bayes on letters and pairs of letters, in less than a minute. All helpers from above are yours: `build_reader`, `train_reader`, the arrays of codes.


# %% tags=["exercise"]
def my_reader():
    """A trained model: codes (names, letters) in, 15 logits out."""
    ### BEGIN SOLUTION
    keras.utils.set_random_seed(SEED)
    both_ways = keras.layers.Bidirectional(keras.layers.LSTM(48))
    reader = build_reader(both_ways)
    train_reader(reader, train_codes, train_labels, peak_rate=0.015, seed=SEED)
    return reader
    ### END SOLUTION


# %% tags=["wrong"] says="hardly more than guessing"
def my_reader():  # not trained
    return build_reader(keras.layers.LSTM(64))


# %% tags=["wrong"] says="it does not see the order of the letters"
def my_reader():  # a mean of embeddings is a bag of letters
    keras.utils.set_random_seed(SEED)
    reader = build_reader(keras.layers.GlobalAveragePooling1D())
    train_reader(reader, train_codes, train_labels, peak_rate=0.02, seed=SEED)
    return reader


# %% tags=["wrong"] says="hardly more than guessing"
def my_reader():  # a rate far too small
    keras.utils.set_random_seed(SEED)
    reader = build_reader(keras.layers.GRU(64))
    train_reader(reader, train_codes, train_labels, peak_rate=1e-4, seed=SEED, epochs=2)
    return reader


# %% tags=["check"]
with feedback("Beat the pairs of letters"):
    mine = my_reader()
    lessons = [globals().get("reader"), *globals().get("study", {}).values()]
    assert not any(mine is other for other in lessons if other is not None), (
        "this reader is the lesson's, trained already: build and train one of your own"
    )
    to_beat = PieceReader(2, 0.3, train_names, train_labels).scores(validation_names)
    to_beat = np.mean(to_beat.argmax(axis=1) == validation_labels)
    logits = keras.ops.convert_to_numpy(mine(validation_codes, training=False))
    assert logits.shape == (len(validation_names), len(LANGUAGES)), (
        f"15 logits for each name, yours have the shape {logits.shape}"
    )
    got = np.mean(logits.argmax(axis=1) == validation_labels)
    assert got > 0.15, (
        f"yours is right for {got:.1%}, hardly more than guessing: was it trained, and at a rate that moves it?"
    )
    turned = mine(encode([name[::-1] for name in validation_names]), training=False)
    assert not np.allclose(logits, turned, atol=1e-3), (
        "names read from the end get the same logits: it does not see the order of the letters"
    )
    others = keras.ops.convert_to_numpy(mine(test_codes, training=False)).argmax(axis=1)
    assert got < np.mean(others == test_labels) + 0.1, (
        "it knows the validation names far better than other new names: train on the training names alone"
    )
    assert got > to_beat, (
        f"yours is right for {got:.1%} of the validation names, pairs of letters for {to_beat:.1%}: "
        "did it train long enough, is the rate right?"
    )

# %% [markdown]
# ## Summary
#
# - A recurrent layer is one small network used at every step. Its state sums up what came before, so order counts and length does not matter.
# - LSTM and GRU are dense layers with sigmoids that decide what is kept, written and shown. You have written all of them, and they are Keras's to the last digit that counts.
# - A mask makes the padding vanish, for every layer that it reaches. Two directions see both sides of a letter, and cannot answer before the end.
# - With the same number of parameters the gated cells read clearly better than the simple one. Take away the order, and a GRU is a bag of letters.
# - A table of n-grams, counted in a moment, is about as good on these data. Together they are better than either.
#
# Not shown: long texts, where a window of a few letters has no chance; larger data, where a reader keeps learning; and names from another source, on which all of these methods would do worse. Lesson 4.2 looks at how
# these layers are trained and how far back they learn, lesson 4.3 puts them to work, and lesson 6.1 replaces the state by attention.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>A simple recurrent layer with 64 units reads words of 5 letters. For words of 500 letters, how many more parameters does it need?</summary>
#
# None. The same kernel, recurrent kernel and bias serve every step. Whether it still remembers the first letter after 500 steps is another question, and lesson 4.2's.
#
# </details>
#
# <details>
# <summary>An LSTM has f = 1, i = 0 and o = 1 at every step. What does it do?</summary>
#
# It keeps its cell for ever, writes nothing, and shows the tanh of the cell at each step: a perfect memory that hears nothing.
#
# </details>
#
# <details>
# <summary>Which gates make a GRU behave like a simple recurrent cell?</summary>
#
# z = 0 and r = 1: nothing of the old state is carried over directly, and the candidate sees all of it. Then the new state is the candidate, a tanh of letter and old state.
#
# </details>
#
# <details>
# <summary>Why may a mask change the result although the padding is embedded as a row of zeros?</summary>
#
# A cell that reads zeros still computes: its biases and its own state move it on. Only a skipped step leaves the state as it is.
#
# </details>
#
# <details>
# <summary>The n-grams hold their own here. Name two changes of the task after which you would bet on the recurrent reader.</summary>
#
# Much more data, so that it can learn what counting cannot store; and questions about things far apart, as in sentences where the first word decides about the last. Also: names without the shared words that a table knows by heart.
#
# </details>

# %% [markdown]
# ## References
#
# - J. L. Elman (1990). Finding structure in time. doi:10.1207/s15516709cog1402_1
# - W. B. Cavnar, J. M. Trenkle (1994). N-gram-based text categorization. Proceedings of SDAIR-94, 161-175.
# - S. Hochreiter, J. Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
# - M. Schuster, K. K. Paliwal (1997). Bidirectional recurrent neural networks. doi:10.1109/78.650093
# - F. A. Gers, J. Schmidhuber, F. Cummins (2000). Learning to forget: continual prediction with LSTM. doi:10.1162/089976600300015015
# - K. Cho and others (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation. doi:10.3115/v1/D14-1179
# - J. Chung, C. Gulcehre, K. Cho, Y. Bengio (2014). Empirical evaluation of gated recurrent neural networks on sequence modeling. arXiv:1412.3555
# - K. Greff, R. K. Srivastava, J. Koutník, B. R. Steunebrink, J. Schmidhuber (2017). LSTM: a search space odyssey. doi:10.1109/TNNLS.2016.2582924
# - Unicode Consortium. Common locale data repository (CLDR), the source of the names. https://cldr.unicode.org
