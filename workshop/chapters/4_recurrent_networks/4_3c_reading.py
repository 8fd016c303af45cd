# ---
# jupyter:
#   course:
#     prerequisites: ["3.1", "4.1"]
#     most_seconds: 75
#     equal_programs:
#       "On paper":
#         "operator: 60 // 4 -> 60 / 4": "60 / 4 is 15 too"
#         "constant: 60 -> 61": "61 // 4 is 15 too"
#       "Count single mistakes":
#         "function: np.zeros((len(first) + 1, len(second) + 1), int) -> np.ones((len(first) + 1, len(second) + 1), int)": "every entry is written before it is read"
#       "Beat this baseline":
#         "constant: 60 -> *": "a beam one text wider or narrower is as good a choice"
#         "operator: symbol - 1 -> symbol + 1": "for five symbols the sum grows by 10, which leaves the check as it is"
#     core_minutes: 70
# ---

# %% [markdown]
# # 4.3c Reading
#
# **After this lesson you can** train a network on texts of which nobody said where each letter stands, compute the CTC loss and its
# gradient by hand, turn frames into a text greedily and with a beam, and say whether a recurrent layer earns its place beside a
# convolution.
#
# **You build** a reader of touching handwritten digits, and the CTC loss and its gradient, equal to Keras's.
#
# **Question.** A picture has 140 columns, a text has five digits. Which column belongs to which digit, if nobody knows?

# %% tags=["setup"]
import collections
import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.neighbors
import tensorflow as tf
from PIL import Image

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    use_course_settings,
    use_course_style,
)

use_course_settings(threads=1)  # for matrices this small, sharing costs more
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## A text without places
#
# A postcode on a letter, an amount on a cheque, a word in a recording: the answer is a sequence, the input is a longer one, and the training data say
# *what* is written, not *where*. Marking the place of every letter by hand would cost more than writing the answers.
#
# We make such data from real handwriting: strips of 3 to 7 of the course's digits, shifted up and down, and set so close that they touch and overlap.
# Training strips are made of training digits only, validation strips of validation digits, test strips of test digits, so no network has seen a digit it is examined on.
# The digits of the training strips are also tilted and stretched a little, as augmentation (lesson 2.4): there are only 1,200 of them.

# %% tags=["setup"]
HEIGHT, ROOM = (
    32,
    20,
)  # pixels: the height of a strip, and its width for each digit of the longest text
TOUCHING = (-3, 2)  # pixels between two digits; a negative gap is an overlap


def tilted(image, generator):
    """A digit (28, 28), tilted and stretched sideways about its middle, each by up to a fifth."""
    tilt, stretch = generator.uniform(-0.2, 0.2), generator.uniform(0.8, 1.2)
    # Where in the old picture the colour of a new pixel comes from: an affine map.
    backwards = (1 / stretch, tilt, 14 - 14 / stretch - 14 * tilt, 0, 1, 0)
    picture = Image.fromarray(image)
    moved = picture.transform(
        (28, 28), Image.Transform.AFFINE, backwards, Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def cut_to_ink(image, ink=0.25):
    """A digit's picture without the empty columns on its left and right."""
    columns = np.flatnonzero((image > ink).any(axis=0))
    return image[:, columns[0] : columns[-1] + 1]


# %% tags=["setup"]
def make_strips(digits, count, lengths, generator, gaps=TOUCHING, tilt=False):
    """Strips of random digits, from lengths[0] to lengths[1] of them, at a random place.

    digits: images (n, 28, 28, 1) and labels (n,). Returns strips (count, height, width, 1); texts
    (count, longest), each digit plus 1, and 0 behind the last; and middles (count, longest), the
    pixel column of each digit's middle.
    """
    images, labels = digits
    strips = np.zeros((count, HEIGHT, ROOM * lengths[1]), "float32")
    texts, middles = np.zeros((count, lengths[1]), "int32"), np.zeros((count, lengths[1]))
    for strip, text, middle in zip(strips, texts, middles, strict=True):
        chosen = generator.integers(
            len(images), size=generator.integers(lengths[0], lengths[1] + 1)
        )
        inks = [images[index, ..., 0] for index in chosen]
        inks = [cut_to_ink(tilted(ink, generator) if tilt else ink) for ink in inks]
        spaces = generator.integers(gaps[0], gaps[1] + 1, len(inks))
        free = strip.shape[1] - sum(ink.shape[1] for ink in inks) - spaces[:-1].sum()
        left = generator.integers(max(free, 0) + 1)
        for place, (ink, space) in enumerate(zip(inks, spaces, strict=True)):
            top = generator.integers(HEIGHT - 28 + 1)
            under = strip[top : top + 28, left : left + ink.shape[1]]
            np.maximum(under, ink[:, : under.shape[1]], out=under)
            text[place], middle[place] = labels[chosen[place]] + 1, left + ink.shape[1] / 2
            left += ink.shape[1] + space
    strips += 0.08 * generator.standard_normal(strips.shape, "float32")
    return np.clip(strips, 0, 1)[..., np.newaxis], texts, middles


def as_text(numbers):
    """The digits of a row of texts, as a string: 0 is no digit, 1 is the digit 0."""
    return "".join(str(number - 1) for number in numbers if number > 0)


# %% tags=["setup"]
training_digits, validation_digits, test_digits = load_digits(seed=SEED)
generator = np.random.default_rng(SEED)
SHORT, LONG = (3, 7), (8, 12)
validation_strips, validation_texts, validation_middles = make_strips(
    validation_digits, 600, SHORT, generator
)

# %% alt="Six strips, each with three to seven handwritten digits that touch or overlap, at different heights, and the text of each as its title."
figure, grid = plt.subplots(3, 2, figsize=(6.6, 2.9))
for axes, strip, text in zip(grid.flat, validation_strips, validation_texts, strict=False):
    axes.imshow(strip[..., 0])
    axes.set_title(as_text(text), fontsize=11)
    axes.axis("off")
plt.show()

# %% [markdown]
# The titles are all that the network will be told. Where one digit ends and the next begins is not in the data, and often not in the picture either.
#
# ## Cut first, then read
#
# The obvious way has two steps: cut the strip where no ink is, then recognise each piece. The recogniser here is the nearest neighbour among the 1,198 training
# digits, after cutting both to their ink and bringing them to one size. First on strips whose digits stand apart, then on ours. Predict both results.


# %% tags=["setup"]
DARK = 0.5  # far above the noise


def normal_form(piece):
    """A piece of a strip, cut to its ink, centred in a square and resized to 16x16: (256,)."""
    rows = np.flatnonzero((piece > DARK).any(axis=1))
    piece = piece[rows[0] : rows[-1] + 1]
    side = max(piece.shape)
    square = np.zeros((side, side), "float32")
    top, left = (side - piece.shape[0]) // 2, (side - piece.shape[1]) // 2
    square[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return np.asarray(Image.fromarray(square).resize((16, 16), Image.Resampling.BILINEAR)).ravel()


def cut_at_gaps(strip):
    """The pieces (height, columns) between columns without ink; specks of noise are dropped."""
    has_ink = (strip > DARK).any(axis=0).astype(int)
    borders = np.flatnonzero(np.diff(has_ink, prepend=0, append=0)).reshape(-1, 2)
    return [strip[:, left:right] for left, right in borders if right - left > 3]


def cut_in_slots(strip, count):
    """The inked part of a strip, cut into `count` pieces of equal width."""
    inked = np.flatnonzero((strip > DARK).any(axis=0))
    borders = np.linspace(inked[0], inked[-1] + 1, count + 1).round().astype(int)
    return [strip[:, left:right] for left, right in itertools.pairwise(borders)]


# %%
neighbours = sklearn.neighbors.KNeighborsClassifier(1)
neighbours.fit(
    [normal_form(cut_to_ink(image, DARK)) for image in training_digits[0][..., 0]],
    training_digits[1],
)


def read_pieces(pieces):
    """A strip's pieces, read one by one: a tuple of digits plus 1."""
    known = [piece for piece in pieces if (piece > DARK).any()]
    return tuple(neighbours.predict([normal_form(piece) for piece in known]) + 1) if known else ()


# %% tags=["setup"]
def share_right(read, texts):
    """How many of the texts were read without a single mistake: a share."""
    return np.mean([got == tuple(text[text > 0]) for got, text in zip(read, texts, strict=True)])


# %%
apart_strips, apart_texts, _ = make_strips(validation_digits, 200, SHORT, generator, gaps=(3, 6))
sets = {
    "apart": (apart_strips[..., 0], apart_texts),
    "touching": (validation_strips[:200, ..., 0], validation_texts[:200]),
}
cutting = {}
for name, (strips, texts) in sets.items():
    gaps = [read_pieces(cut_at_gaps(strip)) for strip in strips]
    slots = [
        read_pieces(cut_in_slots(strip, np.count_nonzero(text)))
        for strip, text in zip(strips, texts, strict=True)
    ]
    cutting[name] = share_right(gaps, texts), share_right(slots, texts)
    print(f"{name:9s} cut at gaps {cutting[name][0]:.2f}, in equal slots {cutting[name][1]:.2f}")

# %% without_learning="data"
claim(
    "Cutting at gaps reads most strips whose digits stand apart, and few whose digits touch",
    cutting["apart"][0] > 0.8 and cutting["touching"][0] < 0.3,
    f"whole strips right: apart {cutting['apart'][0]:.2f}, touching {cutting['touching'][0]:.2f}",
)
claim(
    "Equal slots read more touching strips than gaps, for they are told the number of digits, but still not two in three",
    cutting["touching"][0] < cutting["touching"][1] < 0.65,
    f"in equal slots {cutting['touching'][1]:.2f}, at gaps {cutting['touching'][0]:.2f}",
)

# %% [markdown]
# The recogniser is good: with digits apart it reads whole strips, nearly always. The *cutting* fails. Even who is told the number of digits, as no postman is, cuts through many. To cut well one would have to know what the digits are, and to know that one
# would have to cut (Sayre's paradox, 1973). The way out is to decide both at once, and to let the network find out by itself.
#
# ## Frames, and one more symbol
#
# A network can look at the strip through a window that moves along, and say at each of $T$ places, called **frames**, what it sees: a probability for each digit. There
# are more frames than digits, so we need a rule that makes a short text from a long row of symbols. **Connectionist temporal classification** (CTC; Graves and
# others, 2006) adds one symbol, the **blank** –, "nothing new here", and this rule, $B$:
#
# 1. merge neighbouring frames that say the same; 2. then drop the blanks.
#
# A row of $T$ symbols is a **path**. $B(\text{a a –})$ = a. $B(\text{a – b})$ = ab. And $B(\text{a – a})$ = aa, but $B(\text{a a a})$ = a: *two equal letters in a row need a blank between them.*

# %% tags=["setup"]
BLANK = 0


def collapse(path):
    """The rule B: merge equal neighbours, then drop blanks. path: symbols. Returns a tuple."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return tuple(int(symbol) for symbol in merged if symbol != BLANK)


# %% tags=["nbval-check-output"]
LETTERS = "–ab"
for path in ("aa–", "a–b", "a–a", "aaa", "–––"):
    text = collapse([LETTERS.index(letter) for letter in path])
    print(f"B({path}) = '{''.join(LETTERS[symbol] for symbol in text)}'")

# %% [markdown]
# Now a case for paper: three frames, the letters a and b. The network says, frame by frame (rows):
#
# | frame | – | a | b |
# |---|---|---|---|
# | 1 | 0.3 | 0.6 | 0.1 |
# | 2 | 0.5 | 0.3 | 0.2 |
# | 3 | 0.4 | 0.1 | 0.5 |
#
# Given the input, the frames are taken as independent, so a path's probability is the product of its three numbers. The probability of a text is the **sum over all paths that
# collapse to it**. For "ab" there are five: aab, abb, ab–, a–b, –ab. Multiply and add them on paper. Then let the computer walk all $3^3 = 27$ paths.

# %% tags=["setup"]
table = np.array([[0.3, 0.6, 0.1], [0.5, 0.3, 0.2], [0.4, 0.1, 0.5]])  # (frames, symbols)


def all_texts(table):
    """Each text that some path collapses to, with its probability, by walking every path."""
    texts = collections.Counter()
    for path in itertools.product(range(table.shape[1]), repeat=len(table)):
        factors = (frame[symbol] for frame, symbol in zip(table, path, strict=True))
        texts[collapse(path)] += math.prod(factors)
    return texts


# %% tags=["nbval-check-output"]
for path in ("aab", "abb", "ab–", "a–b", "–ab"):
    factors = [frame[LETTERS.index(letter)] for frame, letter in zip(table, path, strict=True)]
    print(f"{path}: {' × '.join(f'{f:.1f}' for f in factors)} = {np.prod(factors):.3f}")
for text, probability in all_texts(table).most_common(4):
    print(f"P('{''.join(LETTERS[symbol] for symbol in text)}') = {probability:.3f}")

# %% [markdown]
# The **CTC loss** is $L = -\ln P(\text{text})$. Keras has it: `keras.losses.CTC` takes logits, (batch, frames, symbols), and texts, (batch, longest), as integers. **0 is the blank**, and
# 0 also fills up short texts, so your symbols start at 1. The logarithm of our table will do as logits.


# %% without_learning="arithmetic"
def keras_ctc(texts, tables):
    """Keras's loss of each text, for tables of probabilities."""
    return keras.ops.convert_to_numpy(keras.losses.ctc(np.array(texts), np.log(tables)))


walked = all_texts(table)
keras_probability = np.exp(-keras_ctc([[1, 2], [1, 0], [1, 1]], np.stack([table] * 3)))
our_probability = np.array([walked[1, 2], walked[1,], walked[1, 1]])
claim(
    "Adding up all paths gives Keras's CTC loss, and the probabilities of all texts add up to 1",
    np.allclose(keras_probability, our_probability, atol=1e-6)
    and abs(sum(walked.values()) - 1) < 1e-12,
    f"P(ab), P(a), P(aa): {keras_probability.round(4)} and {our_probability.round(4)}",
)

# %% [markdown]
# A text needs at least as many frames as it has letters, plus one for each pair of equal neighbours. "aa" in two frames has no path at all: its probability is 0 and its loss infinite.
# What does Keras say?

# %% without_learning="arithmetic"
impossible = float(keras_ctc([[1, 1]], table[np.newaxis, :2])[0])
claim(
    "For a text that does not fit into the frames Keras gives a large finite loss, where the true one is infinite",
    all_texts(table[:2])[1, 1] == 0 and 100 < impossible < np.inf,
    f"P = {all_texts(table[:2])[1, 1]}, Keras's loss {impossible:.0f}",
)

# %% [markdown]
# No warning, no `inf`: one such example in a batch adds hundreds to the mean, and training runs on. If a CTC loss starts absurdly high and never falls, count your frames.
#
# ## All paths at once
#
# Walking all paths takes $K^T$ steps for $K$ symbols. With 35 frames and 11 symbols that is hopeless. But paths share their beginnings. Write the text with blanks around every letter, the **extended text** $e$:
# for "ab" it is – a – b –, for $n$ letters it has $2n + 1$ places. A path is then a walk through these places, from one of the first two to one of the last two. From frame to frame it may
#
# - *stay* at place $s$ (the same symbol again, merged by $B$),
# - *step* to the next place, or
# - *skip* one place, if that place is a blank and the letters on both sides differ. (Equal ones would merge.)
#
# Let $\alpha_t(s)$ be the probability of all beginnings of paths that are at place $s$ in frame $t$. Whoever is at $s$ now was at $s$, $s-1$ or $s-2$ before, so
#
# $$\alpha_t(s) = y_t(e_s)\,\bigl[\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + \mathbb{1}[\text{skip allowed}]\;\alpha_{t-1}(s-2)\bigr], \qquad P = \alpha_T(2n+1) + \alpha_T(2n),$$
#
# where $y_t(k)$ is the network's probability of symbol $k$ in frame $t$. That is $T(2n+1)$ steps, the **forward algorithm**.

# %% [markdown]
# ![The extended text – a – b – as five rows, three frames as columns. Arrows show staying, stepping and skipping; each circle holds the sum of the beginnings that end there; the two circles at the lower right add up to 0.393.](../../../images/ctc_lattice.png)

# %% [markdown]
# Products of many probabilities underflow, so the code below adds logarithms: a product becomes a sum, and a sum becomes `logaddexp`, $\ln(e^a + e^b)$.


# %% tags=["setup"]
def forward_table(log_probabilities, text):
    """ln alpha for each frame and place of the extended text: (frames, 2 * letters + 1).

    log_probabilities: (frames, symbols). text: symbols from 1 on, without fill.
    """
    extended = np.zeros(2 * len(text) + 1, int)
    extended[1::2] = text
    may_skip = (extended != BLANK) & (extended != np.roll(extended, 2))
    may_skip[:2] = False
    alpha = np.full((len(log_probabilities), len(extended)), -np.inf)
    alpha[0, :2] = log_probabilities[0, extended[:2]]
    for t in range(1, len(alpha)):
        before = np.pad(alpha[t - 1], (2, 0), constant_values=-np.inf)
        stay, step, skip = before[2:], before[1:-1], np.where(may_skip, before[:-2], -np.inf)
        alpha[t] = np.logaddexp(np.logaddexp(stay, step), skip) + log_probabilities[t, extended]
    return alpha


def ctc_loss(log_probabilities, text):
    """-ln P(text)."""
    return -np.logaddexp(*forward_table(log_probabilities, text)[-1, -2:])


# %% tags=["nbval-check-output"]
alpha = np.exp(forward_table(np.log(table), [1, 2]))
for place, row in zip("–a–b–", alpha.T, strict=True):
    print(place, " ".join(f"{value:.3f}" for value in row))
print(
    f"P('ab') = {alpha[-1, -1]:.3f} + {alpha[-1, -2]:.3f} = {np.exp(-ctc_loss(np.log(table), [1, 2])):.3f}"
)

# %% without_learning="arithmetic"
random_tables = generator.dirichlet(np.ones(11), size=(50, 35))  # (examples, frames, symbols)
random_texts = generator.integers(1, 11, (50, 7)) * (
    np.arange(7) < generator.integers(3, 8, (50, 1))
)
ours = np.array(
    [
        ctc_loss(np.log(t), text[text > 0])
        for t, text in zip(random_tables, random_texts, strict=True)
    ]
)
theirs = keras_ctc(random_texts, random_tables)
claim(
    "The forward algorithm gives Keras's CTC loss for texts of 3 to 7 letters in 35 frames",
    np.allclose(ours, theirs, rtol=1e-4),
    f"losses {ours.min():.1f} to {ours.max():.1f}, largest difference {np.abs(ours - theirs).max():.0e}",
)

# %% [markdown]
# ## What the gradient says
#
# Back-propagation needs $\partial L/\partial z_t(k)$ for the logits $z$. Two factors.
#
# 1. *From the loss to a probability.* Split $P$ into the paths that say $k$ in frame $t$ and those that do not. Each path of the first kind contains $y_t(k)$ exactly once as a
#    factor, so $\partial P/\partial y_t(k) = P_t(k) / y_t(k)$, where $P_t(k)$ is the part of $P$ from paths that say $k$ in frame $t$. With $L = -\ln P$: $\ \partial L/\partial y_t(k) = -\dfrac{P_t(k)}{P\,y_t(k)}$.
# 2. *Through the softmax* (lesson 2.3): $\partial y_j/\partial z_k = y_j(\mathbb{1}[j = k] - y_k)$. Multiply and sum over $j$; the shares $P_t(j)/P$ add up to 1, and what remains is
#
# $$\frac{\partial L}{\partial z_t(k)} = y_t(k) - \gamma_t(k), \qquad \gamma_t(k) = \frac{P_t(k)}{P}.$$
#
# This is the gradient of ordinary classification, with a target $\gamma_t$ for every frame that *the network computes itself*: the share of symbol $k$ in frame $t$ among all paths that
# spell the right text. Nobody gave it places, so it makes up its own, and sharpens them as it learns.
#
# $P_t(k)$ needs beginnings and endings. Endings are beginnings of the reversed problem. Both contain $y_t(k)$, so one has to go.


# %% tags=["setup"]
def path_shares(log_probabilities, text):
    """gamma: for each frame and symbol, its share among the paths of the text, (frames, symbols)."""
    beginnings = forward_table(log_probabilities, text)
    endings = forward_table(log_probabilities[::-1], text[::-1])[::-1, ::-1]
    extended = np.zeros(2 * len(text) + 1, int)
    extended[1::2] = text
    log_share = beginnings + endings - log_probabilities[:, extended]
    log_share += ctc_loss(log_probabilities, text)  # minus ln P
    shares = np.zeros_like(log_probabilities)
    np.add.at(shares.T, extended, np.exp(log_share).T)  # several places hold the same symbol
    return shares


# %% without_learning="arithmetic"
logits = tf.Variable(generator.normal(size=(1, 12, 5)))
text = np.array([1, 3, 3, 2])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(keras.losses.ctc(text[np.newaxis], logits))
from_tape = tape.gradient(loss, logits)[0].numpy()

log_softmax = tf.nn.log_softmax(logits)[0].numpy()
shares = path_shares(log_softmax, text)
claim(
    "The gradient is what the network says minus the shares of the right paths, as GradientTape finds",
    np.allclose(np.exp(log_softmax) - shares, from_tape, atol=1e-4)
    and np.allclose(shares.sum(axis=1), 1)
    and np.abs(from_tape).max() > 0.05,
    f"largest difference {np.abs(np.exp(log_softmax) - shares - from_tape).max():.0e}, "
    f"largest entry {np.abs(from_tape).max():.2f}",
)

# %% [markdown]
# ## From frames to a text
#
# After training we want the most probable text. The quick way, **greedy decoding**: take the best symbol of each frame, then collapse. That is the most probable *path*. Is it the most probable *text*?
# Two frames, blank 0.6 and a 0.4 in both. Which path is best, and which text?


# %% tags=["setup"]
def read_greedily(frames):
    """The best symbol of each frame, collapsed. frames: (frames, symbols), logits or probabilities."""
    return collapse(frames.argmax(axis=-1))


# %% tags=["nbval-check-output"]
two_frames = np.array([[0.6, 0.4], [0.6, 0.4]])
print(f"greedy: '{'a' * len(read_greedily(two_frames))}'")
for text, probability in all_texts(two_frames).most_common():
    print(f"P('{'a' * len(text)}') = {probability:.2f}")

# %% [markdown]
# The best path is – –, with 0.36. But a –, – a and a a all spell "a" and have 0.64 together. **Prefix beam search** follows texts instead of paths: after every frame it keeps the `width` most probable beginnings. For
# each it needs two numbers, the probability of the paths that end in a *blank*, and of those that end in its *last letter*, because a new a after "a" starts a second a only behind a blank.


# %% tags=["setup"]
def beam_search(table, width):
    """The most probable texts found, best first: a list of (text, probability). table: (frames, symbols)."""
    beam = {(): (1.0, 0.0)}  # text: probability of its paths that end in blank, in its last letter
    for frame in table:
        grown = collections.defaultdict(lambda: [0.0, 0.0])
        for text, (blank, letter) in beam.items():
            grown[text][0] += (blank + letter) * frame[BLANK]
            if text:
                grown[text][1] += letter * frame[text[-1]]  # the last letter goes on
            for symbol in range(1, len(frame)):
                before = blank if text and text[-1] == symbol else blank + letter
                grown[(*text, symbol)][1] += before * frame[symbol]
        beam = dict(sorted(grown.items(), key=lambda item: -sum(item[1]))[:width])
    return [(text, blank + letter) for text, (blank, letter) in beam.items()]


# %% [markdown]
# We try it where all paths can still be walked: 100 random tables of 5 frames and 4 symbols. How often does each method find the most probable text of all? And does `keras.ops.ctc_decode` give
# the same as our beam search?

# %%
small_tables = generator.dirichlet(np.ones(4), size=(100, 5))
best_texts = [all_texts(small).most_common(1)[0][0] for small in small_tables]


def share_best(read):
    return np.mean([got == best for got, best in zip(read, best_texts, strict=True)])


best_found = {"greedy": share_best(map(read_greedily, small_tables))}
for width in (1, 4, 50):
    found = [beam_search(small, width)[0] for small in small_tables]
    best_found[f"beam of {width}"] = share_best(text for text, _ in found)
print(", ".join(f"{name} {share:.2f}" for name, share in best_found.items()))

# %%
decoded, scores = keras.ops.ctc_decode(
    np.log(small_tables).astype("float32"), np.full(100, 5), strategy="beam_search", beam_width=50
)
decoded = keras.ops.convert_to_numpy(decoded)[0]  # (tables, frames), filled up with -1
keras_texts = [tuple(int(symbol) for symbol in row if symbol > 0) for row in decoded]

# %% without_learning="arithmetic"
claim(
    "On random tables a beam of 4 finds the most probable text more often than greedy decoding, by over a tenth, and a beam of 50 nearly always",
    best_found["beam of 4"] > best_found["greedy"] + 0.1 and best_found["beam of 50"] > 0.97,
    ", ".join(f"{name} {share:.2f}" for name, share in best_found.items()),
)
log_found = np.log([probability for _, probability in found])
claim(
    "A beam of 50 finds the texts and probabilities of keras.ops.ctc_decode",
    keras_texts == [text for text, _ in found]
    and np.allclose(log_found, keras.ops.convert_to_numpy(scores)[:, 0], atol=1e-4),
    f"{len(found)} texts, largest difference of a log-probability "
    f"{np.abs(log_found - keras.ops.convert_to_numpy(scores)[:, 0]).max():.0e}",
)

# %% [markdown]
# On tables of pure chance the difference is large. What will it be for a network that is sure of itself?
#
# ## A network that reads
#
# Two convolutions look at the strip. The first halves it in both directions, the second squeezes the height to 4 and halves the width again, so each column of the result is one frame, 4 pixels wide. `Permute` and
# `Reshape` turn columns into a sequence: (batch, frames, features). A **bidirectional LSTM** reads it from both sides, so each frame knows what stands left and right. A dense layer gives
# logits for 11 symbols: the blank and ten digits. No layer knows the width of a strip; the same weights read any length.
#
# For the comparison that follows, the middle part can be something else: an LSTM from left to right only, or two one-dimensional convolutions, which see four frames to each side of their own.
#
# One detail decides whether training starts well. Most frames of every right path say blank, so "blank everywhere" is the first thing that a CTC network learns, and it may stay there for long. We hand it that first step: the blank's bias
# starts at 3, so that among eleven equal logits the blank begins with the probability $e^3/(e^3+10) \approx 2/3$, and no weight has to be bent for it. (Detectors of rare objects start in the same way: Lin and others, 2017.)

# %% tags=["setup"]
PIXELS_A_FRAME, SYMBOLS = 4, 11


def mostly_blank(shape, dtype=None):
    """Initial biases of the last layer: 3 for the blank and 0 for every digit. shape: (symbols,)."""
    return 3.0 * keras.ops.one_hot(BLANK, shape[0], dtype=dtype)


def make_reader(kind):
    """A network from strips (batch, height, width, 1) to logits (batch, width / 4, symbols)."""
    layers = keras.layers
    inputs = keras.Input((HEIGHT, None, 1))
    x = layers.Conv2D(16, 5, strides=2, padding="same", activation="relu")(inputs)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Conv2D(32, (5, 3), strides=(4, 2), padding="same", activation="relu")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)  # (batch, 4, frames, 32)
    x = layers.Reshape((-1, 4 * 32))(layers.Permute((2, 1, 3))(x))
    x = layers.Dropout(0.1)(x)
    if kind == "both directions":
        x = layers.Bidirectional(layers.LSTM(48, return_sequences=True))(x)
    elif kind == "left to right":
        x = layers.LSTM(96, return_sequences=True)(x)
    else:
        for _ in range(2):
            x = layers.Conv1D(64, 5, padding="same", activation="relu")(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
    return keras.Model(inputs, layers.Dense(SYMBOLS, bias_initializer=mostly_blank)(x))


# %%
make_reader("both directions").summary()

# %% [markdown]
# The training is Keras's own: `compile` with `keras.losses.CTC()`, `fit` on strips and texts. The step length falls along a cosine to zero (lesson 2.3), and gradients are clipped
# (lesson 4.2), for the first CTC losses are large. Two networks get the same 2,500 strips. The one that reads from left to right gets half of them: it will not compete, it will show us *when* it speaks.

# %%
EPOCHS, BATCH, STRIPS = 3, 25, 2500
strips, training_texts, _ = make_strips(training_digits, STRIPS, SHORT, generator, tilt=True)
training_strips = keras.ops.convert_to_tensor(strips)  # once, for all networks
del strips


def train(model, count):
    """Train with Adam on the first `count` strips, with a falling step length. Returns the loss of each epoch."""
    falling = keras.optimizers.schedules.CosineDecay(6e-3, EPOCHS * count // BATCH)
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), loss=keras.losses.CTC())
    # Our strips are made in random order, so they need no shuffling.
    task = training_strips[:count], training_texts[:count]
    history = model.fit(*task, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
    return history.history["loss"]


# %%
READERS = {"both directions": STRIPS, "convolution only": STRIPS, "left to right": STRIPS // 2}
keras.utils.set_random_seed(SEED)
readers = {kind: make_reader(kind) for kind in READERS}
with ThreadPoolExecutor(2) as pool:  # two networks at a time, one core each
    losses = dict(zip(READERS, pool.map(train, readers.values(), READERS.values()), strict=True))
for kind in READERS:
    print(f"{kind:17s} loss by epoch: {', '.join(f'{loss:.2f}' for loss in losses[kind])}")


# %%
def frames_of(model, inputs):
    """The logits of a network for many inputs: (n, frames, symbols)."""
    return model.predict(inputs, batch_size=50, verbose=0)


def read_all(frames):
    return [read_greedily(each) for each in frames]


validation_frames = {kind: frames_of(model, validation_strips) for kind, model in readers.items()}
right = {
    kind: share_right(read_all(frames), validation_texts)
    for kind, frames in validation_frames.items()
}
untrained = share_right(
    read_all(frames_of(make_reader("both directions"), validation_strips)), validation_texts
)
for kind, share in right.items():
    print(f"{kind:17s} {share:.3f} of the strips right")
print(f"{'untrained':17s} {untrained:.3f}")

# %%
claim(
    "With both directions, and with convolutions only, a network reads more than 75 in 100 touching strips without a mistake, a fifth more than the better way of cutting",
    min(right["both directions"], right["convolution only"])
    > max(0.75, max(cutting["touching"]) + 0.2)
    and untrained < 0.05,
    ", ".join(f"{kind} {share:.3f}" for kind, share in right.items())
    + f"; cutting {max(cutting['touching']):.2f}, untrained {untrained:.2f}",
)

# %% [markdown]
# ## What the frames say
#
# Here is one strip, and below it what each network says in each frame: a digit's probability as a line with its name, the blank in grey. Where do you expect the peaks, over the middle of a digit or somewhere else?


# %%
def softmax(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def draw_frames(axes, logits):
    """Probabilities over the columns of the strip: the blank as a grey area, each digit as a named line."""
    probabilities = softmax(logits)
    columns = (np.arange(len(logits)) + 0.5) * PIXELS_A_FRAME
    axes.fill_between(columns, probabilities[:, BLANK], color="0.85", linewidth=0)
    for symbol in range(1, SYMBOLS):
        if probabilities[:, symbol].max() > 0.5:
            axes.plot(
                columns,
                probabilities[:, symbol],
                color=COLOURS["blue"],
                linestyle="-",
                linewidth=1.3,
            )
    says, previous = logits.argmax(axis=-1), np.r_[BLANK, logits.argmax(axis=-1)[:-1]]
    for frame in np.flatnonzero((says != BLANK) & (says != previous)):
        axes.text(columns[frame], 1.05, str(says[frame] - 1), ha="center", fontsize=10)
    axes.set(ylim=(0, 1.3), yticks=(0, 1))


# %% alt="A strip of seven touching digits with a dotted line through the middle of each. Below it, for each of three networks, narrow peaks named with the digits rise out of a grey area, the blank. The peaks of the network from left to right stand to the right of the dotted lines."
example = int(np.argmax([len(as_text(text)) == 7 for text in validation_texts]))
figure, grid = plt.subplots(4, 1, figsize=(6.6, 5.2), sharex=True)
grid[0].imshow(validation_strips[example, ..., 0], aspect="auto")
grid[0].set(yticks=(), title=f"the text is {as_text(validation_texts[example])}")
for axes, kind in zip(grid[1:], READERS, strict=True):
    draw_frames(axes, validation_frames[kind][example])
    axes.set_ylabel(kind.replace(" ", "\n", 1), fontsize=10)
    for middle in validation_middles[example][: len(as_text(validation_texts[example]))]:
        axes.axvline(middle, color="0.4", linestyle=":", linewidth=1)
grid[-1].set_xlabel("column of the strip (pixels)")
figure.supylabel("probability in each frame", fontsize=11)
plt.show()

# %% [markdown]
# Most frames say blank, and each digit is a narrow peak: one frame is enough, and the loss does not ask for more. Look where the peaks stand. The network that reads from both sides can speak before a digit's middle or behind it. The one that reads from left to
# right must have seen enough of a digit first, so it waits. We measure the delay of each network, on all strips that it reads right: from the middle of a digit to the first frame that says it.


# %%
def delays(frames, texts, middles):
    """Pixels from each digit's middle to the frame that first says it, over all texts read right."""
    found = []
    for logits, text, middle in zip(frames, texts, middles, strict=True):
        says = logits.argmax(axis=-1)
        first = np.flatnonzero((says != BLANK) & (says != np.r_[BLANK, says[:-1]]))
        if collapse(says) == tuple(text[text > 0]):
            found.extend((first + 0.5) * PIXELS_A_FRAME - middle[: len(first)])
    return np.array(found)


delay = {
    kind: delays(frames, validation_texts, validation_middles)
    for kind, frames in validation_frames.items()
}
for kind, pixels in delay.items():
    print(f"{kind:17s} {np.mean(pixels):+.1f} pixels on average, spread {np.std(pixels):.1f}")
from_left, from_both = (np.mean(delay[kind]) for kind in ("left to right", "both directions"))
claim(
    "The network that reads from left to right says a digit behind its middle on average, and later than the one with both directions",
    from_left > max(0, from_both),
    f"left to right {from_left:+.1f} pixels from the middle, both directions {from_both:+.1f}, a frame has {PIXELS_A_FRAME}",
)

# %% [markdown]
# For a page that lies before you the delay costs nothing. In live speech recognition it is what you wait for, and both directions cannot be had before the speaker has finished.
# (The loss does not ask when a symbol comes, so a CTC network is free to wait. In speech recognition such delays are a problem of their own: Senior and others, 2015.)
#
# ## Does it need the recurrent layer?
#
# Look at the results again: the network with *no* recurrent layer at all comes close to the one with two LSTMs. That is not what most descriptions of CTC tell you, so be precise about why.
# Each convolutional frame sees 4 frames to each side and their pixels, more than a digit's width. What digit it is can be decided from the digit alone, because the digits of a strip are drawn at random and say nothing about
# each other. Nothing further away helps.

# %%
lead = right["both directions"] - right["convolution only"]
claim(
    "Without any recurrent layer nearly as many strips are read as with one, or more",
    lead < 0.08 and right["convolution only"] > 0.75,
    f"convolution only {right['convolution only']:.3f}, both directions {right['both directions']:.3f}",
)

# %% [markdown]
# A recurrent layer earns its place where the answer depends on what is further away than the convolutions see. Lesson 4.3d has such a task. Next question: the networks have trained on strips of at most 7 digits. What about 12?

# %%
long_strips, long_texts, _ = make_strips(validation_digits, 400, LONG, generator)
by_length = {}
for kind in ("both directions", "convolution only"):
    rights = []
    for frames, texts in (
        (validation_frames[kind], validation_texts),
        (frames_of(readers[kind], long_strips), long_texts),
    ):
        rights += [
            (np.count_nonzero(text), got == tuple(text[text > 0]))
            for got, text in zip(read_all(frames), texts, strict=True)
        ]
    lengths, is_right = np.array(rights).T
    by_length[kind] = [is_right[lengths == n].mean() for n in range(SHORT[0], LONG[1] + 1)]

# %% alt="Share of whole strips read right against the number of digits, for two networks; both fall from 3 to 12 digits. A thick grey curve shows what would happen if each digit were right independently of the others; right of a dotted line strips are longer than in training."
counts = np.arange(SHORT[0], LONG[1] + 1)
for kind, shares in by_length.items():
    plt.plot(counts, shares, marker="o", markersize=4, label=kind)
per_digit = np.mean(by_length["both directions"][:5]) ** (1 / 5)  # 3 to 7 digits, 5 on average
plt.plot(counts, per_digit**counts, color="0.6", linestyle="-", linewidth=5, alpha=0.5, zorder=0)
plt.annotate(
    "if each digit is right\nindependently of the others",
    (9.3, per_digit**9.3 + 0.05),
    color="0.35",
    fontsize=10,
)
plt.axvline(SHORT[1] + 0.5, color="0.4", linestyle=":")
plt.annotate("longer than trained →", (SHORT[1] + 0.6, 0.62), fontsize=10)
plt.xlabel("digits in the strip")
plt.ylabel("share of strips without a mistake")
plt.ylim(0.6, 1.01)
plt.legend(loc="lower left", fontsize=10)
plt.show()

# %%
long_right = {kind: np.mean(shares[5:]) for kind, shares in by_length.items()}
short_right = {kind: np.mean(shares[:5]) for kind, shares in by_length.items()}
claim(
    "Both read most strips of 8 to 12 digits, longer than any they trained on, but fewer than of the short ones",
    min(long_right.values()) > 0.6
    and all(long_right[kind] < short_right[kind] for kind in by_length),
    ", ".join(
        f"{kind} {long_right[kind]:.2f} against {short_right[kind]:.2f}" for kind in by_length
    ),
)

# %% [markdown]
# Strips of 12 digits can be read, for no layer knows how long a strip is. A long text must hold more mistakes than a short one: if each digit had the same small chance, the curve of both directions would follow the grey one. Where it lies below the grey one, more than length is at work:
# beyond the dotted line, strips are longer than in training. (A point stands for some 80 to 120 strips, so it may be off by a few hundredths.) A rate per *whole text* says little unless you know how long the
# texts are, so speech recognition counts single mistakes instead, with the edit distance (exercise 3).
#
# ## Greedy or beam?
#
# The beam won on tables of chance. On what the network says about strips?

# %%
frames = validation_frames["both directions"]
beam_decoded, _ = keras.ops.ctc_decode(
    frames, np.full(len(frames), frames.shape[1]), strategy="beam_search", beam_width=10
)
beam_read = [
    tuple(int(symbol) for symbol in row if symbol > 0)
    for row in keras.ops.convert_to_numpy(beam_decoded)[0]
]
greedy_read = read_all(frames)
same = np.mean([beam == greedy for beam, greedy in zip(beam_read, greedy_read, strict=True)])
beam_right = share_right(beam_read, validation_texts)
claim(
    "On the trained network's frames, greedy and beam give the same text for at least 19 strips in 20, and about the same share right, over three in four",
    same > 0.95
    and abs(beam_right - right["both directions"]) < 0.02
    and right["both directions"] > 0.75,
    f"same text {same:.3f}, right: greedy {right['both directions']:.3f}, beam of 10 {beam_right:.3f}",
)

# %% [markdown]
# A network that is sure puts nearly all probability on paths of one text, and the best path spells it. The beam matters where the frames leave doubt *and* something else can decide it: in speech recognition a **language model** scores the beginnings in the beam, so that "recognise
# speech" beats "wreck a nice beach". Our digits are random; no such knowledge exists.
#
# ## The test strips, once
#
# All choices were made on validation strips. Now the digits that nobody has used: one set of strips, each method once.

# %% tags=["headline"]
test_strips, test_texts, _ = make_strips(test_digits, 600, SHORT, generator)
test_right = {
    kind: share_right(read_all(frames_of(model, test_strips)), test_texts)
    for kind, model in readers.items()
}
test_right["cut at gaps"] = share_right(
    [read_pieces(cut_at_gaps(strip)) for strip in test_strips[..., 0]], test_texts
)
claim(
    "Convolution, bidirectional LSTM and CTC read at least 85 in 100 strips of touching digits that were never seen, without being told where a digit is",
    test_right["both directions"] > 0.85 and test_right["cut at gaps"] < 0.3,
    ", ".join(f"{name} {share:.3f}" for name, share in test_right.items()),
)

# %% [markdown]
# ## Common mistakes
#
# - **Symbol 0 for a letter.** In Keras 0 is the blank and the fill. Shift your labels by one before the loss, and back after decoding.
# - **Softmax in front of the loss.** `keras.losses.CTC` and `keras.ops.ctc_decode` want logits.
# - **Too few frames.** A text needs its letters plus its doubled letters. Pooling and strides eat frames. Keras does not complain.
# - **Dropping blanks before merging.** Then "aa" becomes "a", always.
# - **Looking at the first epochs and giving up.** A CTC network often says only blank for a while: whatever else it says is worse until it knows something. Let the blank's bias start high, and train longer, before you change the network.
# - **Frames of the padding.** `keras.losses.CTC` counts every frame of the batch's width. Ours learn to say blank there. For inputs of very different lengths give `keras.ops.ctc_loss` each one's `output_length`.

# %% [markdown]
# ## Exercise 1: on paper
#
# A network with a 10-millisecond frame step ends in two poolings by 2. A speaker says "bookkeeper" (10 letters) in 0.6 seconds. How many frames reach the loss? How many does the word need at least? And for the three
# frames of the table above: what is the probability of the empty text?

# %% tags=["exercise"]
frames_there = None
frames_needed = None
empty_probability = None
### BEGIN SOLUTION
frames_there = 60 // 4
frames_needed = 10 + 3  # oo, kk and ee need a blank each
empty_probability = 0.3 * 0.5 * 0.4  # one path only: – – –
### END SOLUTION

# %% tags=["wrong"] says="what must stand between equal letters?"
frames_there, frames_needed, empty_probability = 15, 10, 0.06  # forgets the doubled letters

# %% tags=["wrong"] says="each of the two poolings halves them"
frames_there, frames_needed, empty_probability = 30, 13, 0.06  # one pooling

# %% tags=["wrong"] says="multiply the three blanks, do not average them"
frames_there, frames_needed, empty_probability = 15, 13, 0.4  # the mean of the blanks

# %% tags=["check"]
with feedback("On paper"):
    assert frames_there == 15, (
        f"not {frames_there}: 0.6 seconds are 60 frames of 10 ms, and each of the two poolings halves them"
    )
    assert frames_needed == 13, (
        f"not {frames_needed}: ten letters, and o, k and e are doubled: what must stand between equal letters?"
    )
    assert not np.isclose(empty_probability, 0.4), "multiply the three blanks, do not average them"
    assert np.isclose(empty_probability, all_texts(table)[()]), (
        "only one path collapses to nothing, three blanks; multiply its three numbers"
    )

# %% [markdown]
# ## Exercise 2: repair this
#
# This decoder has **two** mistakes. Mend it. It shall return the text and the probability of the *path* it came from.
#
# ```python
# def greedy_with_probability(table):
#     best = table.argmax(axis=0)
#     letters = [symbol for symbol in best if symbol != BLANK]
#     text = tuple(symbol for symbol, _ in itertools.groupby(letters))
#     return text, table.max(axis=1).prod()
# ```


# %% tags=["exercise"]
def greedy_with_probability(table):
    """The text of the best path, as a tuple, and that path's probability. table: (frames, symbols)."""
    ### BEGIN SOLUTION
    best = table.argmax(axis=1)  # in each frame, over the symbols
    merged = [symbol for symbol, _ in itertools.groupby(best)]  # merge first
    text = tuple(symbol for symbol in merged if symbol != BLANK)
    return text, table.max(axis=1).prod()
    ### END SOLUTION


# %% tags=["wrong"] says="which of the two rules comes first?"
def greedy_with_probability(table):  # the right axis, but blanks are dropped too early
    letters = [symbol for symbol in table.argmax(axis=1) if symbol != BLANK]
    return tuple(symbol for symbol, _ in itertools.groupby(letters)), table.max(axis=1).prod()


# %% tags=["wrong"] says="take the best symbol of each frame, not the best frame of each symbol"
def greedy_with_probability(table):  # merges first, along the wrong axis
    merged = [symbol for symbol, _ in itertools.groupby(table.argmax(axis=0))]
    return tuple(symbol for symbol in merged if symbol != BLANK), table.max(axis=1).prod()


# %% tags=["wrong"] says="two different letters need no blank between them"
def greedy_with_probability(table):  # hears a letter only behind a blank
    best = table.argmax(axis=1)
    starts = (best != BLANK) & (np.r_[BLANK, best[:-1]] == BLANK)
    return tuple(best[starts]), table.max(axis=1).prod()


# %% tags=["check"]
with feedback("Repair this"):
    says = {"a": [0.1, 0.8, 0.1], "b": [0.2, 0.1, 0.7], "–": [0.9, 0.04, 0.06]}
    mistakes = {
        ("aa–a", (1,)): "which of the two rules comes first?",
        ("aa–a", (2,)): "take the best symbol of each frame, not the best frame of each symbol",
        ("–ab", (1,)): "two different letters need no blank between them",
    }
    for path, text in (("aa–a", (1, 1)), ("–ab", (1, 2)), ("bbaaa––bb", (2, 1, 2)), ("––", ())):
        frames = np.array([says[symbol] for symbol in path])
        got = greedy_with_probability(frames)
        assert got is not None and len(got) == 2 and np.ndim(got[0]) == 1, (
            "return two things, the text as a tuple and the probability of its path"
        )
        found = tuple(int(symbol) for symbol in got[0])
        rule = mistakes.get((path, found), "merge equal neighbours, then drop the blanks")
        assert found == text, f"{path} spells {text}, yours {found}: {rule}"
        assert np.isclose(got[1], math.prod(max(frame) for frame in frames)), (
            f"{path}: yours has {got[1]:.3g}; multiply the largest number of each frame"
        )

# %% [markdown]
# ## Exercise 3: count single mistakes
#
# The **edit distance** of two texts is the least number of letters to insert, delete or replace that turns one into the other. Let $d(i, j)$ be the distance of the first $i$ letters of one to the first $j$ of the other. Its last step was a deletion, an insertion, or a
# replacement (free if the letters agree):
# $d(i, j) = \min\{d(i-1, j) + 1,\ d(i, j-1) + 1,\ d(i-1, j-1) + \mathbb{1}[a_i \ne b_j]\}$. Divided by the true text's length, summed over a test set, it is the **label error rate**.


# %% tags=["exercise"]
def edit_distance(first, second):
    """The edit distance of two tuples of symbols, an integer."""
    ### BEGIN SOLUTION
    distance = np.zeros((len(first) + 1, len(second) + 1), int)
    distance[:, 0], distance[0] = np.arange(len(first) + 1), np.arange(len(second) + 1)
    for i, a in enumerate(first, 1):
        for j, b in enumerate(second, 1):
            distance[i, j] = min(
                distance[i - 1, j] + 1, distance[i, j - 1] + 1, distance[i - 1, j - 1] + (a != b)
            )
    return int(distance[-1, -1])
    ### END SOLUTION


# %% tags=["wrong"] says="let the rest slide"
def edit_distance(first, second):  # compares place by place
    pairs = itertools.zip_longest(first, second)
    return sum(a != b for a, b in pairs)


# %% tags=["wrong"] says="what are d(i, 0) and d(0, j)?"
def edit_distance(first, second):  # forgets the borders
    distance = np.zeros((len(first) + 1, len(second) + 1), int)
    for i, a in enumerate(first, 1):
        for j, b in enumerate(second, 1):
            distance[i, j] = min(
                distance[i - 1, j] + 1, distance[i, j - 1] + 1, distance[i - 1, j - 1] + (a != b)
            )
    return int(distance[-1, -1])


# %% tags=["check"]
with feedback("Count single mistakes"):
    for first, second, apart, mistake in (
        ("123", "123", 0, "equal letters cost nothing"),
        ("1234", "", 4, "four deletions: what are d(i, 0) and d(0, j)?"),
        ("", "12", 2, "two insertions: what are d(i, 0) and d(0, j)?"),
        ("1234", "134", 1, "one deletion, then let the rest slide"),
        ("134", "1234", 1, "one insertion, then let the rest slide"),
        ("axc", "abc", 1, "a replacement is one mistake, not two"),
        ("ab", "ba", 2, "two replacements: letters do not change places"),
        ("kitten", "sitting", 3, "two replacements and an insertion"),
        ("intention", "execution", 5, "take the least of the three ways in every place"),
        ("sunday", "saturday", 3, "two insertions and a replacement"),
        ("saturday", "sunday", 3, "two deletions and a replacement"),
    ):
        got = edit_distance(tuple(first), tuple(second))
        assert got is not None and np.ndim(got) == 0, "return one number, the last d(i, j)"
        assert got == apart, (
            f"'{first}' and '{second}' are {apart} apart, yours says {got}: {mistake}"
        )

# %% [markdown]
# ## Exercise 4: beat this baseline (open-ended)
#
# Account numbers carry a check: here the last of five digits is chosen so that the sum of all is divisible by 10. The reader below is unsure, and greedy decoding gets few numbers right. Use what you know about the numbers. Your decoder gets one
# table, (frames, symbols), and returns a tuple of digits plus 1. It has to read at least ten in a hundred numbers more than greedy decoding does.


# %% tags=["setup"]
def unsure_tables(count, generator):
    """Account numbers (count, 5), digits plus 1, and tables (count, 10, 11) of a reader that is often unsure."""
    digits = generator.integers(0, 10, (count, 5))
    digits[:, 4] = -digits[:, :4].sum(axis=1) % 10
    logits = generator.normal(0, 1.0, (count, 10, 11))
    logits[:, ::2, BLANK] += 5  # blanks stand between the digits
    for place in range(5):
        logits[np.arange(count), 2 * place + 1, digits[:, place] + 1] += 3.5
    return digits + 1, keras.ops.convert_to_numpy(keras.ops.softmax(logits))


account_numbers, unsure = unsure_tables(150, np.random.default_rng(SEED + 5))


# %% tags=["exercise"]
def read_account_number(table):
    """Five digits plus 1, whose digits sum up to a multiple of 10: a tuple."""
    ### BEGIN SOLUTION
    for text, _ in beam_search(table, 60):  # best first
        if len(text) == 5 and sum(symbol - 1 for symbol in text) % 10 == 0:
            return text
    return ()  # nothing in the beam can be an account number
    ### END SOLUTION


# %% tags=["wrong"] says="keep the check, five digits whose sum is a multiple of 10"
def read_account_number(table):  # the beam alone knows nothing about account numbers
    return beam_search(table, 60)[0][0]


# %% tags=["wrong"] says="you change the last digit only"
def read_account_number(table):  # always changes the last digit, wherever the mistake is
    text = list(read_greedily(table))
    text[-1:] = [-sum(symbol - 1 for symbol in text[:-1]) % 10 + 1]
    return tuple(text)


# %% tags=["check"]
with feedback("Beat this baseline"):
    got = read_account_number(unsure[0])
    assert np.ndim(got) == 1, "return one text, a tuple of digits plus 1"
    found = [tuple(read_account_number(table)) for table in unsure]
    greedy = [read_greedily(table) for table in unsure]
    fits = [len(text) == 5 and sum(symbol - 1 for symbol in text) % 10 == 0 for text in found]
    assert np.mean(fits) > 0.9, (
        f"{np.mean(fits):.2f} of your texts are account numbers (digits plus 1): keep the check, five digits whose sum is a multiple of 10"
    )
    assert any(text[:-1] != best[:-1] for text, best in zip(found, greedy, strict=True)), (
        "you change the last digit only: a doubtful digit may stand in any place"
    )
    baseline, share = share_right(greedy, account_numbers), share_right(found, account_numbers)
    assert share >= baseline + 0.1, (
        f"greedy reads {baseline:.2f} of the numbers, yours {share:.2f}: let the beam propose several "
        "texts, and take the best one that has five digits and passes the check"
    )

# %% [markdown]
# ## Summary
#
# - CTC needs the text, not the places. A blank and one rule turn frames into texts; the probability of a text is a sum over all paths, and the forward algorithm adds them up in a few thousand steps.
# - Its gradient is that of ordinary classification, with targets the network makes up from the paths that spell the right text.
# - Touching digits were read as whole strips, where cutting first failed. Strips longer than any in training were read too.
# - The best path is not always the best text. On a network that is sure the two hardly differ; the beam pays when other knowledge joins in.
# - A recurrent layer helped little, or not at all, to read strips of random digits: a digit can be told from its own pixels.
#
# Not shown: language models inside the beam, and networks that predict the next letter from the last ones (transducers, and the encoder-decoder of lesson 4.3b). Lesson 4.3d listens: the same loss, and a task
# where it does matter how far a network hears.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why does a path need a blank between two equal letters, and not between two different ones?</summary>
#
# Merging makes one letter of equal neighbours. A change of symbol is visible by itself; only a repetition needs something in between.
#
# </details>
#
# <details>
# <summary>CTC takes the frames as independent, given the input. What can such a network not express?</summary>
#
# That two readings belong together. If "there" and "their" are equally likely, each frame says both letters half and half, and mixtures like "theie" get as much probability as the two words. A language model in the beam, or a decoder that sees its own last letters, can choose.
#
# </details>
#
# <details>
# <summary>Could CTC translate from one language to another?</summary>
#
# Only where the order stays and the output is not longer than the input. A path runs from left to right through both; nothing may cross.
#
# </details>
#
# <details>
# <summary>The peaks of a CTC network are narrow. Can you take their places as the places of the digits?</summary>
#
# Not safely. The loss asks for the right text, not for places, and our reader from left to right got the text and spoke late. If you need places, check them, or train for them.
#
# </details>

# %% [markdown]
# ## References
#
# - A. Graves, S. Fernández, F. Gomez, J. Schmidhuber (2006). Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks. doi:10.1145/1143844.1143891
# - A. Hannun (2017). Sequence modeling with CTC. doi:10.23915/distill.00008
# - T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017). Focal loss for dense object detection. arXiv:1708.02002
# - K. M. Sayre (1973). Machine recognition of handwritten words: a project report. Pattern Recognition 5(3)
# - A. Senior, H. Sak, F. de Chaumont Quitry, T. N. Sainath, K. Rao (2015). Acoustic modelling with CD-CTC-SMBR LSTM RNNs. IEEE Workshop on Automatic Speech Recognition and Understanding, pages 604-609
