# ---
# jupyter:
#   course:
#     prerequisites: ["4.1", "4.2"]
#     most_seconds: 75
#     equal_programs:
#       "Wean the decoder":
#         "comparison: generator.random(answers.shape) < share -> generator.random(answers.shape) <= share": "a random number hardly ever equals the share"
#       "Beat this baseline":
#         "arguments swapped: likeness(word, month) -> likeness(month, word)": "the likeness is symmetric"
#         "operator: len(padded) - 1 -> len(padded) + 1": "it counts the last letter too: a likeness that meets the goal"
#         "constant: 2 -> *": "letters alone, or three in a row: a likeness that meets the goal"
#         "constant: 1 -> *": "one pair at the end more or less: a likeness that meets the goal"
#     core_minutes: 115
# ---

# %% [markdown]
# # 4.3b Language
#
# **After this lesson you can** train a network to continue a text letter by letter, turn its answers up and down with a temperature, say
# whether what it invents is new and whether it is any good, build an encoder and a decoder with attention, read an attention map without
# believing it, and find out where such a reader breaks.
#
# **You build** a generator of names in 15 languages, and an encoder-decoder that reads dates as people write them and gives the ISO form.
#
# **Question.** A network that only guesses the next letter knows no word and no grammar. How can guessing invent, or translate?

# %% tags=["setup"]
import datetime
import functools
import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    LANGUAGES,
    claim,
    feedback,
    load_names,
    make_dates,
    split_three_ways,
    use_course_settings,
    use_course_style,
)

use_course_settings(threads=1)  # for matrices this small, sharing costs more
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## Guess the next letter
#
# A name is a row of letters. Its probability is a product with one factor for each letter, given all letters before it, and one for the end:
#
# $$p(\text{oslo}) = p(\text{o})\; p(\text{s} \mid \text{o})\; p(\text{l} \mid \text{os})\; p(\text{o} \mid \text{osl})\; p(\text{end} \mid \text{oslo}).$$
#
# That is the rule of conditional probability, and nothing is lost by it. Whatever gives you these factors is a **language model**: for every beginning, a probability
# for every sign that may come next. To invent a name, draw a sign, append it, and ask again, until the end is drawn.
#
# Our names are those of countries, languages and currencies in 15 languages, of at most 20 letters, from Unicode's data base CLDR. Words repeat in them (*dollar australien*, *dollar
# canadien*), so a random split leaves relatives of the training names in the test. Every method below gains by that.

# %% tags=["setup"]
names, name_labels = load_names()
usual = np.array([len(name) <= 20 for name in names])  # a few longer ones would cost much time
names, name_labels = np.array(names)[usual], name_labels[usual]
(
    (training_names, training_labels),
    (validation_names, validation_labels),
    (test_names, test_labels),
) = split_three_ways(names, name_labels, seed=SEED)
END = "$"
SIGNS = [END, *sorted(set("".join(names)))]
SIGN_CODES = {sign: code for code, sign in enumerate(SIGNS)}

# %%
print(f"{len(training_names)} training names, {len(SIGNS)} signs: {''.join(SIGNS)!r}")
for language in ("Finnish", "Italian", "Polish", "Turkish"):
    own = training_names[training_labels == LANGUAGES.index(language)]
    print(f"{language:8s} {', '.join(own[:: len(own) // 4][:4])}")

# %% [markdown]
# A good language model gives high probability to names it has not seen. We score the mean of $-\log p$ over all signs, the **cross-entropy** $L$ that you know as a loss,
# and its power $e^L$, the **perplexity**: as unsure as somebody who chooses between so many equally likely signs. Two signs with $p = \frac12$ and
# $p = \frac18$ have $L = (\log 2 + \log 8) / 2 = \log 4$, so the perplexity is 4. Who knows nothing has the perplexity of the alphabet.
#
# ## The baseline: counting
#
# Before any network, count. Which letter followed *osl* in the training names, and how often? An **n-gram model** of order $n$ looks at the last $n - 1$ letters, its **history**.
# A long history says more, and has been seen less. **Witten-Bell smoothing** mixes both. Let $c(h)$ be how often history $h$ was seen, $c(hx)$ how often $x$ followed, and $T(h)$ how many
# *different* signs followed. Then
#
# $$p(x \mid h) = \frac{c(hx) + T(h)\; p(x \mid h')}{c(h) + T(h)},$$
#
# where $h'$ is $h$ without its oldest letter. A history that has had many different followers will have new ones, so it trusts the shorter one more. At the bottom every sign is equally likely.
#
# On paper: the training names are *anna* and *ana*, the signs are a, n and the end. Without history, a was seen 4 times, n 3 times, the end twice, so $p(\text{a}) = (4 + 3 \cdot \frac13)/(9 + 3) = \frac{5}{12}$.
# After n, a came twice, n once, the end never, so $p(\text{a} \mid \text{n}) = (2 + 2 \cdot \frac{5}{12})/(3 + 2) = \frac{17}{30}$. And $p(\text{end} \mid \text{n})$? It is not zero.

# %% tags=["setup"]
ORDER = 7  # the longest that we count


def count_followers(texts, order=ORDER):
    """For every history of 0 to order - 1 letters: how often each sign followed, {history: {sign: count}}.

    A text is padded with blanks "^" in front, so that also its first letter has a history.
    """
    followers = {}
    for text in texts:
        padded = "^" * (order - 1) + text + END
        for place in range(order - 1, len(padded)):
            for length in range(order):
                seen = followers.setdefault(padded[place - length : place], {})
                seen[padded[place]] = seen.get(padded[place], 0) + 1
    return followers


# %% tags=["setup"]
def smoothed(sign, history, followers, sign_count):
    """Witten-Bell: the probabilities of a sign after the last 0, 1, 2, ... letters of the history."""
    p, by_length = 1 / sign_count, []
    for length in range(len(history) + 1):
        seen = followers.get(history[len(history) - length :])
        if seen:  # a history that was never seen adds nothing to the shorter one
            p = (seen.get(sign, 0) + len(seen) * p) / (sum(seen.values()) + len(seen))
        by_length.append(p)
    return by_length


# %% tags=["nbval-check-output"]
tiny_followers = count_followers(["anna", "ana"], order=2)
tiny = {sign: smoothed(sign, "n", tiny_followers, sign_count=3) for sign in ("a", "n", END)}
for sign, (without, after_n) in tiny.items():
    print(f"p({sign}) = {without:.4f}, p({sign} | n) = {after_n:.4f}")
print("sums", np.sum(list(tiny.values()), axis=0).round(6))

# %% without_learning="arithmetic"
claim(
    "The counted probabilities are those of the paper, and every sign keeps a chance",
    bool(np.allclose(tiny["a"], [5 / 12, 17 / 30]) and tiny[END][1] > 0),
    f"a: {np.round(tiny['a'], 4)}, end after n: {tiny[END][1]:.4f}",
)

# %% [markdown]
# A name has a language, and languages have different habits. So we count twice, once over all training names and once over those of the language, and take the mean of the two
# probabilities. How long should the history be? The validation names decide.

# %% tags=["setup"]
everybody = count_followers(training_names)
own_followers = [
    count_followers(training_names[training_labels == label]) for label in range(len(LANGUAGES))
]


def histories(name, order=ORDER):
    """The history of every sign of a name, the end included."""
    padded = "^" * (order - 1) + name
    return [padded[place : place + order - 1] for place in range(len(name) + 1)]


@functools.cache  # many names share their histories
def counted_in_all(sign, history):
    return smoothed(sign, history, everybody, len(SIGNS))


def counted(sign, history, label):
    """The n-gram model's probabilities of a sign, for each order: the mean of all names and those of one language."""
    for_one = smoothed(sign, history, own_followers[label], len(SIGNS))
    return [(p + q) / 2 for p, q in zip(counted_in_all(sign, history), for_one, strict=True)]


# %%
by_order = [  # for every sign its probability in each order
    counted(sign, history, label)
    for name, label in zip(validation_names, validation_labels, strict=True)
    for sign, history in zip((*name, END), histories(name), strict=True)
]
order_perplexities = np.exp(-np.log(by_order).mean(axis=0))
best_order = 1 + int(order_perplexities.argmin())
print(f"knows nothing: perplexity {len(SIGNS)}")
for order, value in enumerate(order_perplexities, 1):
    print(f"order {order}: perplexity {value:5.2f}{' (best)' if order == best_order else ''}")

# %% without_learning="data"
claim(
    "A history of five letters is best: a quarter of the perplexity of letters without history, and longer ones are no better",
    bool(best_order == 6 and order_perplexities[5] < order_perplexities[0] / 4),
    f"order 1: {order_perplexities[0]:.2f}, order {best_order}: {order_perplexities.min():.2f}, "
    f"order {ORDER}: {order_perplexities[-1]:.2f}",
)


# %% tags=["setup"]
BEST_ORDER = 6  # chosen on the validation names


def counted_probabilities(names, labels):
    """The n-gram model's probability of each sign of the names, ends included, in one row."""
    return np.array(
        [
            counted(sign, history, label)[-1]
            for name, label in zip(names, labels, strict=True)
            for sign, history in zip((*name, END), histories(name, BEST_ORDER), strict=True)
        ]
    )


def perplexity(probabilities):
    return float(np.exp(-np.log(probabilities).mean()))


# %% [markdown]
# ## The network: a memory instead of a history
#
# A GRU (lesson 4.1) has no history of fixed length. Its state has read everything. It gets one sign at a time and answers with logits for the next sign, so input and target are the same name,
# shifted by one:
#
# | step | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|
# | input | Finnish | o | s | l | o |
# | target | o | s | l | o | end |
#
# The first input says the language. It is a sign like the letters, with a code of its own, and the network has to remember it. While it trains, every input is a true letter, whatever the network would have
# said: that is **teacher forcing** (lesson 4.2). Behind the end of a short name the targets are $-1$, and the loss leaves them out.

# %% tags=["setup"]
MOST_LETTERS = max(map(len, names))


def encode_names(names, labels):
    """Inputs (n, time) with the language in front, and targets (n, time), -1 behind the end."""
    inputs = np.zeros((len(names), MOST_LETTERS + 1), "int32")
    targets = np.full(inputs.shape, -1, "int32")
    for row, (name, label) in enumerate(zip(names, labels, strict=True)):
        codes = [SIGN_CODES[sign] for sign in (*name, END)]
        inputs[row, : len(codes)] = [len(SIGNS) + label, *codes[:-1]]
        targets[row, : len(codes)] = codes
    return inputs, targets


# %%
UNITS, NAME_BATCH, NAME_EPOCHS = 128, 64, 7

embedding = keras.layers.Embedding(len(SIGNS) + len(LANGUAGES), 32)
gru = keras.layers.GRU(UNITS, return_sequences=True)
to_logits = keras.layers.Dense(len(SIGNS))
name_network = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, gru, to_logits])
name_network.summary()


# %%
def falling_rate(epoch, *_):
    """0.012 in the first half of the training, then falling to zero."""
    return 0.012 * min(1, 2 * (1 - epoch / NAME_EPOCHS))


name_inputs, name_targets = encode_names(training_names, training_labels)
name_network.compile(
    keras.optimizers.AdamW(weight_decay=0.02),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
)
name_history = name_network.fit(
    name_inputs,
    name_targets,
    batch_size=NAME_BATCH,
    epochs=NAME_EPOCHS,
    callbacks=[keras.callbacks.LearningRateScheduler(falling_rate)],
    verbose=0,
)
print(", ".join(f"{np.exp(loss):.2f}" for loss in name_history.history["loss"]))

# %% [markdown]
# The line shows the perplexity on the training names, round by round.

# %% [markdown]
# ## Who guesses better?
#
# Predict: 6,000 names are few. Who has the lower perplexity on names that neither has seen, counting or the network? And what does the mean of their probabilities do?


# %%
def network_probabilities(names, labels):
    """The network's probability of each sign of the names, in one row."""
    inputs, targets = encode_names(names, labels)
    logits = name_network.predict(inputs, batch_size=256, verbose=0)
    probabilities = keras.ops.softmax(logits).numpy()
    rows, steps = np.nonzero(targets >= 0)
    return probabilities[rows, steps, targets[rows, steps]]


def compare_guessers(names, labels):
    by_counting = counted_probabilities(names, labels)
    by_network = network_probabilities(names, labels)
    rows = {"counting": by_counting, "network": by_network, "mean": (by_counting + by_network) / 2}
    return {name: perplexity(row) for name, row in rows.items()}


seen = compare_guessers(training_names[:500], training_labels[:500])
unseen = compare_guessers(validation_names, validation_labels)
for title, values in (("training", seen), ("validation", unseen)):
    print(f"{title:10s} " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()))

# %% [markdown]
# Counting wins. It has seen *dollar* and knows how it goes on; the network has to squeeze 6,000 names into its weights in a few rounds. Both know the training names far better than new ones. And the mean of the two
# is better than either: they err at different places. (Where text is plenty the ranking turns: a table of histories cannot grow as a network can. Lesson 6.3 comes back to this.)

# %%
claim(
    "On unseen names counting guesses better than the network, and the mean of both better than counting",
    bool(
        unseen["counting"] < 0.95 * unseen["network"] and unseen["mean"] < 0.98 * unseen["counting"]
    ),
    ", ".join(f"{name} {value:.2f}" for name, value in unseen.items()),
)
claim(
    "Both find the names that they were trained on much easier than new ones",
    bool(
        seen["counting"] < 0.7 * unseen["counting"] and seen["network"] < 0.95 * unseen["network"]
    ),
    f"counting {seen['counting']:.2f} and {unseen['counting']:.2f}, "
    f"network {seen['network']:.2f} and {unseen['network']:.2f}",
)

# %% [markdown]
# ## Temperature
#
# To draw a sign we need probabilities, and the network ends in logits $z$. Divide them by a **temperature** $T$ before the softmax:
#
# $$p_i(T) = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}, \qquad \frac{p_i(T)}{p_j(T)} = e^{(z_i - z_j) / T} = \left(\frac{p_i(1)}{p_j(1)}\right)^{1/T}.$$
#
# So a temperature takes all *odds* to the power of $1/T$. Three logits, 2, 1 and 0: at $T = 1$ the odds are $7.39 : 2.72 : 1$. At $T = \frac12$ each is squared, at $T = 2$ each is replaced by its square root. Toward $T = 0$ only
# the most likely sign is left, for large $T$ all signs become equally likely. Write the three rows of probabilities on paper before you run the cell.


# %% tags=["setup"]
def heated(logits, temperature):
    """Probabilities at a temperature: the softmax of the logits divided by it, along the last axis."""
    scaled = np.asarray(logits, "float64") / temperature
    odds = np.exp(scaled - scaled.max(axis=-1, keepdims=True))  # the largest is 1: no overflow
    return odds / odds.sum(axis=-1, keepdims=True)


# %% tags=["nbval-check-output"]
small_logits = np.array([2.0, 1.0, 0.0])
for temperature in (0.5, 1, 2):
    print(f"T = {temperature}: {heated(small_logits, temperature).round(3)}")

# %% without_learning="arithmetic"
cold = heated(small_logits, 1)
claim(
    "Temperature one half squares the odds, 0.01 leaves one sign, 1,000 makes all alike",
    bool(
        np.allclose(heated(small_logits, 0.5), cold**2 / np.sum(cold**2))
        and heated(small_logits, 0.01)[0] > 0.999
        and np.ptp(heated(small_logits, 1000)) < 0.001
    ),
    f"T = 0.5: {heated(small_logits, 0.5).round(3)}, T = 1000: {heated(small_logits, 1000).round(3)}",
)

# %% [markdown]
# How much does a little more heat change? The **entropy** $H = -\sum_i p_i \log p_i$ says how open a choice is, and its power $e^H$ how many equally likely signs it is worth. Write $\beta = 1/T$. Then $\log p_i = \beta z_i - \log Z$ with
# $Z = \sum_j e^{\beta z_j}$, so $H = \log Z - \beta\, \bar z$, where $\bar z = \sum_i p_i z_i$. Two facts: $\frac{d}{d\beta} \log Z = \bar z$, and $\frac{d}{d\beta} \bar z = \mathrm{Var}(z)$, the variance of the logits under $p$. Together:
#
# $$\frac{dH}{d\beta} = \bar z - \bar z - \beta\, \mathrm{Var}(z), \qquad \frac{dH}{dT} = \frac{dH}{d\beta} \cdot \frac{-1}{T^2} = \frac{\mathrm{Var}(z)}{T^3} \ge 0.$$
#
# More heat never makes a choice less open.

# %% without_learning="arithmetic"
largest_gap, smallest_slope = 0, np.inf
for temperature in (0.3, 0.7, 1.0, 2.0):
    heat = tf.Variable(temperature, dtype="float64")
    with tf.GradientTape() as tape:
        p = tf.nn.softmax(small_logits / heat)
        entropy = -tf.reduce_sum(p * tf.math.log(p))
    slope = float(tape.gradient(entropy, heat))
    p = heated(small_logits, temperature)
    variance = p @ small_logits**2 - (p @ small_logits) ** 2
    largest_gap = max(largest_gap, abs(variance / temperature**3 - slope))
    smallest_slope = min(smallest_slope, slope)
claim(
    "The entropy rises with the temperature by variance over T cubed, as GradientTape says",
    bool(largest_gap < 1e-9 and smallest_slope > 0.01),
    f"largest difference {largest_gap:.0e}, smallest slope {smallest_slope:.2f}",
)

# %% [markdown]
# ## Inventing
#
# Now draw. The GRU takes one step at a time: `gru.cell` is one step of the layer, with the same weights. We feed the sign that was drawn, and keep the state. Does that give the logits of the whole sequence at once?


# %%
def one_step(signs, state):
    """Logits for the next sign (n, signs) and the new state, after one more sign each: (n,)."""
    output, [state] = gru.cell(embedding(signs), [state])
    return to_logits(output).numpy(), state


at_once = name_network(name_inputs[:50]).numpy()
state, step_by_step = tf.zeros((50, UNITS)), []
for step in range(name_inputs.shape[1]):
    logits, state = one_step(name_inputs[:50, step], state)
    step_by_step.append(logits)
step_gap = np.abs(np.stack(step_by_step, axis=1) - at_once).max()
claim(
    "Step by step, with its state kept, the network says what it says of the whole name",
    bool(step_gap < 1e-3 and np.ptp(at_once) > 5),
    f"largest difference of a logit {step_gap:.0e}, logits between {at_once.min():.0f} and {at_once.max():.0f}",
)


# %%
def draw(probabilities, generator):
    """One place for each row of probabilities (n, signs), drawn with those probabilities: (n,)."""
    bars = probabilities.cumsum(axis=1)
    return (bars < generator.random((len(bars), 1)) * bars[:, -1:]).sum(axis=1)


def as_names(rows):
    """Rows of codes as texts, up to the first end."""
    return ["".join(SIGNS[code] for code in row).split(END)[0] for row in rows]


def invent(labels, temperature, generator):
    """One name for each language label, drawn sign by sign; after MOST_LETTERS signs it is cut."""
    signs, state, rows = len(SIGNS) + labels, tf.zeros((len(labels), UNITS)), []
    for _ in range(MOST_LETTERS):
        logits, state = one_step(signs, state)
        signs = draw(heated(logits, temperature), generator)
        rows.append(signs)
    return as_names(np.stack(rows, axis=1))


# %%
generator = np.random.default_rng(SEED)
SHOWN = ("Finnish", "German", "Italian", "Polish", "Turkish")
shown_labels = np.array([LANGUAGES.index(language) for language in SHOWN])
for temperature in (0.3, 0.7, 1.0, 1.5):
    print(f"T = {temperature}")
    tries = invent(np.repeat(shown_labels, 3), temperature, generator)
    for place, language in enumerate(SHOWN):
        print(f"   {language:8s} {', '.join(tries[3 * place : 3 * place + 3])}")

# %% [markdown]
# Read them aloud. Cold, the network says the same few things again and again. In the middle it makes up countries that might be on a map. Hot, it stutters. But taste is no measurement. Three numbers:
#
# - **New**: the share of names that are not in the training data, and were not said before.
# - **Likely**: the perplexity that the n-gram model finds in them. This judge has never seen the network, and it has its own taste: it likes what it has counted.
# - **As asked**: the share of names that the n-gram models of the 15 languages, asked which of them finds the name most likely, give to the language that we asked for. Chance is 1 in 15.
#
# Before you look: which share of *new* has a monkey at a typewriter?


# %%
def language_by_counting(name):
    """The label of the language whose n-gram model gives the name the highest probability."""
    return max(
        range(len(LANGUAGES)),
        key=lambda label: np.log(counted_probabilities([name], [label])).sum(),
    )


def judge(invented, labels):
    """Share of names that are new, perplexity for the n-gram model, share of the first 90 in the language asked for.

    A name counts as new if it is not in the training data and was not invented before.
    """
    named = [(name, label) for name, label in zip(invented, labels, strict=True) if name]
    new = len({name for name, _ in named} - set(training_names)) / len(named)
    as_asked = np.mean([language_by_counting(name) == label for name, label in named[:90]])
    return new, perplexity(counted_probabilities(*zip(*named, strict=True))), as_asked


# %%
def count_and_draw(labels, generator):
    """Names drawn from the n-gram model."""
    names = []
    for label in labels:
        name = ""
        while not name.endswith(END) and len(name) < MOST_LETTERS:
            history = histories(name, BEST_ORDER)[-1]
            probabilities = [[counted(sign, history, label)[-1] for sign in SIGNS]]
            name += SIGNS[draw(np.array(probabilities), generator)[0]]
        names.append(name.removesuffix(END))
    return names


# %%
SAMPLES = 180
asked = np.tile(np.arange(len(LANGUAGES)), SAMPLES // len(LANGUAGES))
by_counts = count_and_draw(asked[: SAMPLES // 2], generator)  # slow: half as many
monkey = as_names(generator.integers(0, len(SIGNS), (SAMPLES, MOST_LETTERS)))
judged = {
    "real, seen": judge(training_names[:SAMPLES], training_labels[:SAMPLES]),
    "real, unseen": judge(validation_names[:SAMPLES], validation_labels[:SAMPLES]),
    "n-gram": judge(by_counts, asked[: SAMPLES // 2]),
    "monkey": judge(monkey, asked),
}
TEMPERATURES = (0.1, 0.3, 0.5, 0.7, 1.0, 1.5)
for temperature in TEMPERATURES:
    judged[temperature] = judge(invent(asked, temperature, generator), asked)
for name, (new, likely, as_asked) in judged.items():
    title = name if isinstance(name, str) else f"T = {name}"
    print(f"{title:12s} new {new:.2f}, perplexity {likely:6.2f}, as asked {as_asked:.2f}")

# %% alt="Share of new names against the n-gram model's perplexity on a logarithmic axis. The network's points climb from temperature 0.1, where many names repeat, to the upper right at 1.5; real unseen names are in the upper left, seen ones at zero, n-gram samples close to the line near its left end, the monkey far right at 1."
curve = np.array([judged[temperature][:2] for temperature in TEMPERATURES])
plt.semilogx(curve[:, 1], curve[:, 0], marker="o", color=COLOURS["blue"])
for place, (new, likely) in enumerate(curve):
    height = new - 0.06 - 0.07 * (place % 2)  # so that no label hides its neighbour
    plt.annotate(f"T = {TEMPERATURES[place]}", (likely * 1.1, height), color=COLOURS["blue"])
for name, marker in (("real, seen", "s"), ("real, unseen", "D"), ("n-gram", "^"), ("monkey", "X")):
    new, likely, _ = judged[name]
    plt.plot(likely, new, marker, color=COLOURS["red"], markersize=9)
    side = "right" if name == "n-gram" else "center"
    plt.annotate(f"{name}  ", (likely, new + 0.05), ha=side)
plt.xlabel("perplexity for the n-gram model (left: likely)")
plt.ylabel("share of new names")
plt.xticks([2, 5, 10, 20, 50, 200, 1000], [2, 5, 10, 20, 50, 200, 1000])
plt.minorticks_off()
plt.ylim(-0.08, 1.15)
plt.title("New is easy, new and likely is not")
plt.show()

# %% [markdown]
# The upper left corner is where you want to be: new, and as likely as a real name. *Real, unseen* is there by definition. The temperature moves the network along a line: very cold, it repeats itself; hot, its names are new and unlikely. It cannot leave
# the line. The n-gram model's own names are likely too, but there the judge is also the author. And the monkey wins the prize for novelty. Whoever reports only the share of new names praises noise.

# %%
news = np.array([judged[temperature][0] for temperature in TEMPERATURES])
likelies = np.array([judged[temperature][1] for temperature in TEMPERATURES])
claim(
    "The hotter, the more names are new, and from temperature 0.3 on the less likely are they",
    bool(
        np.all(np.diff(news) > -0.05)
        and news[-1] > news[0] + 0.3
        and np.all(np.diff(likelies[1:]) > 0)
    ),
    f"new {news.round(2)}, perplexity {likelies.round(1)}",
)
claim(
    "Random letters are all new, and the n-gram model finds them far less likely than names drawn at temperature 1",
    bool(judged["monkey"][0] > 0.99 and judged["monkey"][1] > 5 * judged[1.0][1]),
    f"new {judged['monkey'][0]:.2f} and {judged[1.0][0]:.2f}, "
    f"perplexity {judged['monkey'][1]:.0f} and {judged[1.0][1]:.1f}",
)
shuffled = judge(invent(asked, 0.3, generator), generator.permutation(asked))[2]
claim(
    "At temperature 0.3 more than three names of ten are in the language asked for, and held against shuffled requests nothing of that is left",
    bool(judged[0.3][2] > 0.3 and shuffled < 0.2),
    f"as asked {judged[0.3][2]:.2f}, real unseen names {judged['real, unseen'][2]:.2f}, shuffled {shuffled:.2f}",
)

# %% [markdown]
# How new is new? A name can be new and still be old words in a new order. We split the new names at spaces and hyphens and look whether every word is known, for both generators. And do they hit upon real names that were kept from them?


# %%
def share_of_known_words(invented):
    """Of the names that are not in the training data: the share that is made of training words only."""
    new_names = set(invented) - set(training_names) - {""}
    return np.mean([set(re.split("[ -]", name)) <= known_words for name in new_names])


known_words = {word for name in training_names for word in re.split("[ -]", name)}
drawn = {
    "network, T = 0.5": invent(asked, 0.5, generator),
    "n-gram": by_counts,
}
known_shares = {name: share_of_known_words(invented) for name, invented in drawn.items()}
for name, invented in drawn.items():
    existing = set(invented) & set(validation_names)
    print(f"{name}: real validation names among them: {', '.join(sorted(existing)) or 'none'}")
claim(
    "Most new names have a word that no training name has, and yet the n-gram model finds the network's far likelier than random letters",
    bool(max(known_shares.values()) < 0.5 and 20 * judged[0.5][1] < judged["monkey"][1]),
    ", ".join(f"{name}: {share:.2f} from known words only" for name, share in known_shares.items())
    + f"; perplexity {judged[0.5][1]:.1f} at T = 0.5, random {judged['monkey'][1]:.0f}",
)

# %% [markdown]
# And now, once, the test names, for the three guessers.

# %%
tested = compare_guessers(test_names, test_labels)
claim(
    "On the test names the order of the guessers is the same: the mean, counting, the network",
    bool(tested["mean"] < tested["counting"] < tested["network"] < len(SIGNS) / 5),
    ", ".join(f"{name} {value:.2f}" for name, value in tested.items()),
)

# %% [markdown]
# ## From guessing to translating
#
# A generator invents what it likes. A translator must write what somebody else has written, in another form. Ours reads dates as people write them, in the same 15 languages and three
# formats of CLDR, and gives the ISO form. Every day of the calendar belongs to one part: no day of the validation or test dates is among the training dates.

# %% tags=["setup"]
TRAINING_DATES, EXAM_DATES = 16_000, 2_000
written, iso, _, _ = make_dates(TRAINING_DATES, "training", seed=SEED)
validation_written, validation_iso, _, _ = make_dates(EXAM_DATES, "validation", seed=SEED)

# %%
for text, day in list(zip(written, iso, strict=True))[:8]:
    print(f"{text:40s} {day}")
shared_days = set(iso) & set(validation_iso)
print(f"\n{len(set(iso))} days in training, {len(shared_days)} of them in validation")

# %% [markdown]
# Who knows nothing about the text writes the most frequent character at each place of the answer. The date is never right, and still many characters are: **exact match** is the share of answers that are right as a whole,
# **character accuracy** the share of their characters. Two of the ten characters are hyphens, and some digits have few values.


# %% tags=["setup"]
def character_accuracy(answers, iso):
    pairs = zip("".join(answers), "".join(iso), strict=True)
    return float(np.mean([a == b for a, b in pairs]))


def exact_match(answers, iso):
    return float(np.mean([answer == day for answer, day in zip(answers, iso, strict=True)]))


# %% without_learning="data"
most_frequent = "".join(Counter(column).most_common(1)[0][0] for column in zip(*iso, strict=True))
ignorant = [most_frequent] * EXAM_DATES
scores = exact_match(ignorant, validation_iso), character_accuracy(ignorant, validation_iso)
claim(
    "Who never looks at the text gets no date right, and more than four characters of ten",
    bool(scores[0] < 0.01 and scores[1] > 0.4),
    f"always {most_frequent}: exact match {scores[0]:.3f}, characters {scores[1]:.3f}",
)

# %% [markdown]
# The second baseline is a rule, and it is strong. A number of four digits is the year. The words that always went with one month name that month; we learn this dictionary from the training dates. What is left is
# the day.


# %% tags=["setup"]
def learn_months(written, iso):
    """The words that always stood in dates of one month: {"märz": "03", ...}."""
    months = defaultdict(set)
    for text, day in zip(written, iso, strict=True):
        for word in re.findall(r"[^\W\d]+", text):
            months[word].add(day[5:7])
    return {word: min(found) for word, found in months.items() if len(found) == 1}


def read_by_rule(text, months):
    """The ISO date of a text, "" where the rule finds none. months: from learn_months."""
    numbers = re.findall(r"\d+", text)
    years = [number for number in numbers if len(number) == 4]
    small = [number for number in numbers if len(number) < 4]
    named = [months[word] for word in re.findall(r"[^\W\d]+", text) if word in months]
    if not years or len(small) + len(named) < 2:
        return ""
    month = named[0] if named else small[1]
    return f"{years[0]}-{int(month):02d}-{int(small[0]):02d}"


month_names = learn_months(written, iso)

# %% without_learning="data"
by_rule = [read_by_rule(text, month_names) for text in validation_written]
rule_score = exact_match(by_rule, validation_iso)
print(f"{len(month_names)} names of months, such as {', '.join(sorted(month_names)[:6])}")
claim(
    "A rule of a dozen lines reads nearly every date",
    bool(rule_score > 0.99),
    f"exact match {rule_score:.4f} on {EXAM_DATES} validation dates",
)

# %% [markdown]
# So nobody *needs* a network for this. We take dates because here you can check everything: each answer is right or wrong, you know where in the text each digit comes from,
# and you have a rule that knows what to do. Real translation has none of these. What the network gets is less than the rule: only pairs of texts. Nobody tells it that there are numbers, months, or languages.
#
# ## Encoder and decoder

# %% [markdown]
# ![Above: five encoder states read the letters of 5 mar and hand their last state to five decoder states, which write 03-05. Below: the same, and lines of different thickness lead from all encoder states to the decoder at the moment it writes the 3.](../../../images/encoder_decoder.png)

# %% [markdown]
# The **encoder** is an LSTM that reads the text in both directions. The **decoder** is a second LSTM, a language model of ISO dates as in the first half of this lesson: start sign, then its own last character as the next input. Only
# its first state is not zero. It is the encoder's last state. That bridge, one vector of a fixed size, must carry all that is known about the text (Sutskever and others, 2014; Cho and others, 2014).
#
# **Attention** (Bahdanau and others, 2014) is a second way. The encoder keeps its state $s_i$ for every letter $i$. At each step the decoder's state $h$ asks all of them, and takes a mean that it weights itself:
#
# $$e_i = h \cdot s_i, \qquad \alpha_i = \frac{e^{e_i}}{\sum_j e^{e_j}}, \qquad c = \sum_i \alpha_i\, s_i.$$
#
# The scores $e_i$ are logits, and the weights $\alpha$ their softmax: positive, with sum 1. The **context** $c$ joins $h$ on the way to the output. This form, with a plain dot product, is Luong and others' (2015).
#
# Small enough for paper: $h = (1, 1)$ and the states $s_1 = (2, 0)$, $s_2 = (0, 1)$, $s_3 = (1, -1)$. The scores are 2, 1, 0, the same logits as in the section on temperature, so you know the weights. Which context do they make?


# %% tags=["setup"]
def attend(queries, memory, visible):
    """Dot-product attention. queries: (batch, steps, units), memory: (batch, letters, units), visible: (batch, letters).

    Returns the contexts (batch, steps, units) and the weights (batch, steps, letters). Hidden letters get weight 0.
    """
    scores = queries @ memory.transpose(0, 2, 1)
    scores = np.where(visible[:, np.newaxis], scores, -np.inf)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = scores / scores.sum(axis=-1, keepdims=True)
    return weights @ memory, weights


# %% tags=["nbval-check-output"]
memory = np.array([[[2.0, 0.0], [0.0, 1.0], [1.0, -1.0]]])
context, weights = attend(np.array([[[1.0, 1.0]]]), memory, np.ones((1, 3), bool))
print(f"weights {weights[0, 0].round(3)}, context {context[0, 0].round(3)}")

# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
queries, memory = generator.normal(size=(4, 10, 6)), generator.normal(size=(4, 17, 6))
visible = np.arange(17) < generator.integers(3, 17, (4, 1))
context, weights = attend(queries, memory, visible)
keras_context, keras_weights = keras.layers.Attention(dtype="float64")(
    [tf.constant(queries), tf.constant(memory)],
    mask=[None, tf.constant(visible)],
    return_attention_scores=True,
)
attention_gap = max(np.abs(context - keras_context).max(), np.abs(weights - keras_weights).max())
claim(
    "Our five lines of attention are keras.layers.Attention, and hidden letters get nothing",
    bool(attention_gap < 1e-6 and weights.transpose(0, 2, 1)[~visible].max() == 0),
    f"largest difference {attention_gap:.0e}",
)

# %% [markdown]
# And the way back? If score $e_j$ grows, its weight grows and the others shrink: $\partial \alpha_i / \partial e_j = \alpha_i (\delta_{ij} - \alpha_j)$, the derivative of the softmax, with $\delta_{ij} = 1$ for $i = j$ and
# 0 otherwise. Sum over all letters:
#
# $$\frac{\partial c}{\partial e_j} = \sum_i s_i\, \alpha_i (\delta_{ij} - \alpha_j) = \alpha_j s_j - \alpha_j \sum_i \alpha_i s_i = \alpha_j\, (s_j - c).$$
#
# A letter learns to be looked at if its state would pull the context to a better place. And the error of *one* answer reaches the state of *each* letter in one step. Over the bridge it must travel back
# through all letters between (lesson 4.2).

# %% without_learning="arithmetic"
scores = tf.constant(generator.normal(size=5))
states = tf.constant(generator.normal(size=(5, 3)))
with tf.GradientTape() as tape:
    tape.watch(scores)
    context = tf.linalg.matvec(states, tf.nn.softmax(scores), transpose_a=True)
tape_jacobian = tape.jacobian(context, scores).numpy()  # (3, 5)
alpha = tf.nn.softmax(scores).numpy()
our_jacobian = (alpha[:, np.newaxis] * (states.numpy() - context.numpy())).T
claim(
    "The context moves by alpha times (state minus context), as GradientTape says",
    bool(np.abs(our_jacobian - tape_jacobian).max() < 1e-9 and np.abs(tape_jacobian).max() > 0.01),
    f"largest difference {np.abs(our_jacobian - tape_jacobian).max():.0e}",
)

# %% [markdown]
# ## The model
#
# Texts become rows of codes: 0 behind the end, 1 for a letter that the training texts never had. All answers have ten characters, so the decoder needs no end sign. One method encodes, one decodes. Training decodes
# ten steps at once, with the true characters as inputs, shifted by one. `attention=False` gives the decoder a context of zeros, so that both networks have the same layers and weights.

# %% tags=["setup"]
LONGEST_TEXT = 36
HIDDEN, UNKNOWN = 0, 1
LETTER_CODES = {letter: code for code, letter in enumerate(sorted(set("".join(written))), 2)}
ISO_SIGNS = "0123456789-"
ISO_START, ISO_LENGTH = len(ISO_SIGNS), 10


# %% tags=["setup"]
def encode_texts(texts):
    """(n, LONGEST_TEXT) codes of letters; what is longer is cut."""
    rows = np.full((len(texts), LONGEST_TEXT), HIDDEN, "int32")
    for row, text in zip(rows, texts, strict=True):
        codes = [LETTER_CODES.get(letter, UNKNOWN) for letter in text[:LONGEST_TEXT]]
        row[: len(codes)] = codes
    return rows


def encode_iso(iso):
    return np.array([[ISO_SIGNS.index(sign) for sign in day] for day in iso], "int32")


def decode_iso(codes):
    return ["".join(ISO_SIGNS[code] for code in row) for row in np.asarray(codes)]


def shifted(answers):
    """The decoder's inputs with a teacher: the start sign, then the true answer without its last character."""
    return np.insert(answers, 0, ISO_START, axis=1)[:, :-1]


# %%
class Translator(keras.Model):
    """Reads a text with a bidirectional LSTM, and writes an ISO date with another one."""

    def __init__(self, attention=True, width=48):
        super().__init__()
        self.uses_attention = attention
        self.read = keras.layers.Embedding(len(LETTER_CODES) + 2, 32)
        lstm = keras.layers.LSTM(width, return_sequences=True, return_state=True)
        self.encoder = keras.layers.Bidirectional(lstm)
        self.write = keras.layers.Embedding(len(ISO_SIGNS) + 1, 16)
        self.decoder = keras.layers.LSTM(2 * width, return_sequences=True)
        self.attention = keras.layers.Attention()
        self.to_logits = keras.layers.Dense(len(ISO_SIGNS))

    def encode(self, texts):
        """The states of all letters (batch, letters, 2 width), and the bridge: [h, c], (batch, 2 width) each."""
        states = self.encoder(self.read(texts), mask=texts != HIDDEN)
        memory, forward_h, forward_c, backward_h, backward_c = states
        join = keras.layers.concatenate
        return memory, [join([forward_h, backward_h]), join([forward_c, backward_c])]

    def decode(self, signs, memory, visible, state):
        """Logits (batch, steps, signs), with a teacher: all signs of the answer are given."""
        hidden = self.decoder(self.write(signs), initial_state=state)
        return self.answer(hidden, memory, visible)[0]

    def answer(self, hidden, memory, visible):
        """Logits from the decoder's states (batch, steps, 2 width), and the attention (batch, steps, letters)."""
        context, weights = self.attention(
            [hidden, memory], mask=[None, visible], return_attention_scores=True
        )
        if not self.uses_attention:
            context = keras.ops.zeros_like(context)
        return self.to_logits(keras.layers.concatenate([hidden, context])), weights

    def call(self, inputs):
        texts, signs = inputs
        memory, bridge = self.encode(texts)
        return self.decode(signs, memory, texts != HIDDEN, bridge)


# %% [markdown]
# In use there is no teacher. The decoder takes its own most likely character as the next input (**greedy decoding**, free running), one step at a time, and carries its state along.


# %%
def write_alone(model, texts, visible):
    """Codes (batch, 10) that the model writes by itself, and where it looked: (batch, 10, letters)."""
    memory, state = model.encode(texts)
    sign = tf.fill([tf.shape(texts)[0]], ISO_START)
    answers, looks = [], []
    for _ in range(ISO_LENGTH):
        hidden, state = model.decoder.cell(model.write(sign), state)  # one step, the same weights
        logits, weights = model.answer(hidden[:, tf.newaxis], memory, visible)
        sign = tf.argmax(logits[:, 0], axis=-1, output_type="int32")
        answers.append(sign)
        looks.append(weights)
    return tf.stack(answers, axis=1), tf.concat(looks, axis=1)


def translate(model, texts):
    """The ISO dates that the model writes for a list of texts."""
    codes = encode_texts(texts)
    parts = np.array_split(codes, -(-len(codes) // 500))  # 500 at a time: less memory
    return decode_iso(
        np.concatenate([model.write_alone(part, part != HIDDEN)[0] for part in parts])
    )


# %% [markdown]
# Both networks train side by side, each in a thread of its own. After every 3,200 dates each one reads 300 validation dates, alone. Predict: how far is each of them after six such stretches, a little more than one round?
# The one without attention then goes on for half as many again.

# %%
DATE_BATCH, STRETCH, RATE = 64, 3_200, 0.01
LOOKED_AT = 300  # validation dates that are enough for a curve


def train(model, texts, answers, stretches, rate=RATE):
    """Fit with a falling rate. After each STRETCH dates: exact match on LOOKED_AT validation dates, and the weights, also those before."""
    source, target = encode_texts(texts), encode_iso(answers)
    curve, snapshots = [], [model.get_weights()]
    for stretch in range(stretches):
        model.optimizer.learning_rate = rate * min(1, 2 * (1 - stretch / stretches))
        part = np.arange(stretch * STRETCH, (stretch + 1) * STRETCH) % len(source)
        model.fit(
            [source[part], shifted(target[part])],
            target[part],
            batch_size=DATE_BATCH,
            shuffle=False,  # the dates are in random order
            verbose=0,
        )
        answers = translate(model, validation_written[:LOOKED_AT])
        curve.append(exact_match(answers, validation_iso[:LOOKED_AT]))
        snapshots.append(model.get_weights())
    return curve, snapshots


# %%
def new_translator(attention):
    """A network that can be trained, and can write alone: model.write_alone(texts, visible)."""
    model = Translator(attention)
    model([encode_texts(written[:2]), shifted(encode_iso(iso[:2]))])  # makes the weights
    signature = [tf.TensorSpec((None, LONGEST_TEXT), kind) for kind in ("int32", "bool")]
    model.write_alone = tf.function(functools.partial(write_alone, model), signature)
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


# %%
looker, remembering = new_translator(attention=True), new_translator(attention=False)
STRETCHES, EPOCH = 6, TRAINING_DATES // STRETCH
with ThreadPoolExecutor(2) as threads:
    looking = threads.submit(train, looker, written, iso, STRETCHES)
    longer = threads.submit(train, remembering, written, iso, STRETCHES * 3 // 2)
curves, snapshots = zip(looking.result(), longer.result(), strict=True)
print(f"{looker.count_params():,} parameters each")

# %% alt="Exact match on validation dates against thousands of training dates read. With attention the curve rises to 1 within 16 thousand dates; without, it starts late and is still below after 29 thousand. A dotted line marks the rule near 1."
for name, curve, marker in (
    ("with attention", curves[0], "o"),
    ("without attention", curves[1], "s"),
):
    seen_dates = np.arange(1, len(curve) + 1) * STRETCH / 1000
    plt.plot(seen_dates, curve, marker=marker, label=name)
plt.axhline(rule_score, color="0.4", linestyle=":", label="rule")
plt.xlabel("dates read in training (thousands; one epoch is 16)")
plt.ylabel("exact match, free running")
plt.legend(loc="center right", bbox_to_anchor=(1, 0.65))
plt.title(f"{LOOKED_AT} validation dates")
plt.show()

# %% [markdown]
# With attention one pass over the training dates is nearly enough. Without, the same network learns much more slowly, and after nearly two passes it has not arrived. Now the whole of the validation dates, field by field.


# %% tags=["setup"]
def fields_right(answers, iso):
    """Shares of answers with the right year, month and day, and of those that are right as a whole."""
    pairs = list(zip(answers, iso, strict=True))
    places = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10), "all": slice(None)}
    return {name: np.mean([a[part] == b[part] for a, b in pairs]) for name, part in places.items()}


# %%
reports = {
    "with attention": translate(looker, validation_written),
    "without attention": translate(remembering, validation_written),
    "rule": by_rule,
}
for name, answers in reports.items():
    shares = fields_right(answers, validation_iso)
    print(f"{name:18s} " + ", ".join(f"{field} {share:.4f}" for field, share in shares.items()))
after_one_epoch = curves[0][EPOCH - 1], curves[1][EPOCH - 1]
claim(
    "After one epoch the network with attention reads more than nine dates of ten; the one without less than half, and after nearly twice as long it is still far behind",
    bool(after_one_epoch[0] > max(0.9, curves[1][-1] + 0.1) and after_one_epoch[1] < 0.5),
    f"exact match {after_one_epoch[0]:.3f} and {after_one_epoch[1]:.3f}, "
    f"at the end {curves[0][-1]:.3f} and {curves[1][-1]:.3f}",
)

# %% [markdown]
# ## Through the bridge
#
# The textbook says: one vector is a bottleneck, and long texts suffer. Predict: does the network without attention get fewer characters right in long dates than in short ones?

# %%
lengths = np.array([len(text) for text in validation_written])
pairs = zip(reports["without attention"], validation_iso, strict=True)
right = np.array([np.array(list(answer)) == list(day) for answer, day in pairs])  # (dates, 10)
short, long = lengths <= np.quantile(lengths, 0.25), lengths >= np.quantile(lengths, 0.75)
print("characters right without attention:")
print(f"   up to {lengths[short].max()} letters {right[short].mean():.3f}")
print(f"   from {lengths[long].min()} letters on {right[long].mean():.3f}")

# %% [markdown]
# The difference is small. A long date says no more than a short one: always one day, out of about 36,500. For a bridge it should matter more how much must be carried over than how long the text was. So we measure the load.
# The bridge has 192 numbers, $h$ and $c$. We take its **principal components** over training texts, the directions in which it varies most, keep the first $k$ of them for each validation text, and let the decoder write from that.
# With $k = 0$ every text gets the same bridge, the mean. (The decoder has its teacher here. Below you will see why that does not matter for exact match.)

# %%
KEPT = (0, 4, 8, 16, 32, 64, 192)


def through_narrow_bridge(model, count=600):
    """Exact match on `count` validation dates if only k principal components of the bridge are kept, for all k of KEPT."""
    encode = tf.function(model.encode)
    bridges = np.concatenate(encode(tf.constant(encode_texts(written[:count])))[1], axis=1)
    mean = bridges.mean(axis=0)
    components = np.linalg.svd(bridges - mean, full_matrices=False)[2]  # (192, 192), a row each
    texts, answers = encode_texts(validation_written[:count]), encode_iso(validation_iso[:count])
    memory, bridge = encode(tf.constant(texts))
    bridge = np.concatenate(bridge, axis=1)
    scores = []
    for kept in KEPT:
        narrow = mean + (bridge - mean) @ components[:kept].T @ components[:kept]
        state = [tf.constant(half) for half in np.split(narrow.astype("float32"), 2, axis=1)]
        logits = model.decode(shifted(answers), memory, texts != HIDDEN, state)
        scores.append(float(np.mean(np.all(np.argmax(logits, axis=-1) == answers, axis=1))))
    return np.array(scores)


narrow = {
    "with attention": through_narrow_bridge(looker),
    "without attention": through_narrow_bridge(remembering),
}

# %% alt="Exact match, relative to that with the whole bridge, against the number of components that are kept. With attention the line is flat near 1 from zero components on; without attention it is near 0 up to 8 components and climbs to 1 after that."
places = np.arange(len(KEPT))
for (name, scores), marker in zip(narrow.items(), "os", strict=True):
    plt.plot(places, scores / scores[-1], marker=marker, label=name)
plt.xticks(places, KEPT)
plt.xlabel("components of the bridge that are kept, of 192")
plt.ylabel("exact match, of that with all")
plt.legend(loc="center left")
plt.title("How much of the date goes over the bridge?")
plt.show()

# %% [markdown]
# Without attention all goes over the bridge, and eight numbers are far too few. With attention every text can get the same bridge, and the dates are still right: the network does not need it. That may be why it learned so fast: each letter's state is one step from each
# answer.

# %%
claim(
    "With attention the dates are right without the bridge; without attention eight components give less than half of what all of them give",
    bool(
        narrow["with attention"][0] > 0.9
        and narrow["without attention"][KEPT.index(8)] < narrow["without attention"][-1] / 2
    ),
    f"no component: {narrow['with attention'][0]:.3f} and {narrow['without attention'][0]:.3f}, "
    f"8: {narrow['without attention'][KEPT.index(8)]:.3f}, all: {narrow['without attention'][-1]:.3f}",
)
claim(
    "Without attention more than 8 characters of 10 are right in short dates, and at most 8 of 100 fewer in long ones",
    bool(right[short].mean() > 0.8 and right[long].mean() > right[short].mean() - 0.08),
    f"characters {right[short].mean():.3f} on the shortest quarter, {right[long].mean():.3f} on the longest",
)

# %% [markdown]
# ## Where does it look?

# %%
MAPS = ("samedi 25 septembre 2027", "2031. május 9., péntek", "oct 17, 1968")
source = encode_texts(MAPS)
answers, looks = looker.write_alone(source, source != HIDDEN)

# %% alt="Three attention maps, for a French, a Hungarian and an English date. Rows are the characters of the ISO answer, columns the letters of the text. Dark cells show that the year's digits look at the year's digits one by one, the month's at the name of the month, the day's at the day."
figure, grid = plt.subplots(3, 1, figsize=(6.8, 8.6))
for axes, text, answer, look in zip(grid, MAPS, decode_iso(answers), looks.numpy(), strict=True):
    axes.imshow(look[:, : len(text)], vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(text)), list(text.replace(" ", "␣")))
    axes.set_yticks(range(ISO_LENGTH), list(answer))
    axes.set_ylabel("answer")
    axes.spines[["top", "right"]].set_visible(True)
grid[0].set_title("Attention: white 0, black 1")
grid[-1].set_xlabel("text")
plt.show()

# %% [markdown]
# Nobody told the network where the year is. Its digits are looked up one by one, wherever they stand in the text; the digits of the month look at some letters of its name; the hyphens look nowhere in particular. We measure it on
# all validation dates: how much of the attention of each answer's field falls on the letters that hold that field?


# %%
def letters_of_fields(text, day):
    """Which letters of a text hold the year, the month and the day: three rows (3, LONGEST_TEXT)."""
    held = np.zeros((3, LONGEST_TEXT), bool)
    numbers = [match for match in re.finditer(r"\d+", text) if match[0] != day[:4]]
    named = [match for match in re.finditer(r"[^\W\d]+", text) if match[0] in month_names]
    year = re.search(day[:4], text)
    for row, match in zip(held, (year, named[0] if named else numbers[1], numbers[0]), strict=True):
        row[match.start() : match.end()] = True
    return held


held_letters = np.array(
    [
        letters_of_fields(text, day)
        for text, day in zip(
            validation_written[:LOOKED_AT], validation_iso[:LOOKED_AT], strict=True
        )
    ]
)


# %%
def attention_of_fields(model):
    """Mean attention that year, month and day of the answer give to their own letters, on LOOKED_AT validation dates."""
    source = encode_texts(validation_written[:LOOKED_AT])
    looks = model.write_alone(source, source != HIDDEN)[1].numpy()
    on_own = np.einsum("ntl,nfl->ntf", looks, held_letters)
    parts = (slice(0, 4), slice(5, 7), slice(8, 10))
    return np.array([on_own[:, part, field].mean() for field, part in enumerate(parts)])


looker.set_weights(snapshots[0][0])  # as before its training
untrained = attention_of_fields(looker)
looker.set_weights(snapshots[0][-1])
own = attention_of_fields(looker)
for field, share, before in zip(("year", "month", "day"), own, untrained, strict=True):
    print(f"{field:5s} attention on its own letters {share:.3f}, untrained {before:.3f}")

# %% [markdown]
# A map shows where the network looks. Does it also say what it *uses*? State $s_i$ knows the whole text, not just its letter, because the encoder reads in both directions; so a look beside the month may still be a look at the month
# (Jain and Wallace, 2019, warn: attention is not explanation). An experiment answers. We hide letters from the attention, as `visible` allows, and from nothing else: the encoder still reads all. Predict what hiding the month's letters does to the year.

# %%
hiding = {}
source = encode_texts(validation_written[:LOOKED_AT])
for name, field in (("nothing", None), ("year", 0), ("month", 1), ("day", 2)):
    visible = source != HIDDEN
    if field is not None:
        visible = visible & ~held_letters[:, field]
    answers = looker.write_alone(source, visible)[0]
    hiding[name] = fields_right(decode_iso(answers), validation_iso[:LOOKED_AT])
    print(f"hidden: {name:8s}" + ", ".join(f"{k} {v:.3f}" for k, v in hiding[name].items()))

# %% [markdown]
# What is hidden suffers, the rest hardly. So the map tells the truth here, at least to this extent: each field of the answer *needs* the letters that it looks at.

# %%
claim(
    "Year, month and day look at their own letters, far more than in an untrained network",
    bool(own.min() > 0.45 and own[0] > 0.9 and np.all(own > untrained + 0.2)),
    f"year, month, day: {own.round(3)}, untrained {untrained.round(3)}",
)
fields = ("year", "month", "day")
lost = {
    (hidden, field): hiding["nothing"][field] - hiding[hidden][field]
    for hidden in fields
    for field in fields
}
claim(
    "Letters hidden from the attention cost their own field more than any other",
    bool(all(lost[h, h] > 0.2 + max(lost[h, f] for f in fields if f != h) for h in fields)),
    ", ".join(f"{h} hidden: {f} loses {lost[h, f]:.2f}" for h in fields for f in fields),
)

# %% [markdown]
# ## With a teacher, and alone
#
# Training gave the decoder the true characters. In use it has its own. In lesson 4.2 waves drifted off because of that. Do dates? We ask the network without attention, which still makes mistakes, and a half-trained one with attention, both ways.

# %%
half_way = 1 + int(np.abs(np.array(curves[0]) - 0.5).argmin())  # exact match nearest to one half


def both_ways(model, count=1000):
    """Which characters of the first validation dates are right with a teacher, and alone: (count, 10) each."""
    source, target = encode_texts(validation_written[:count]), encode_iso(validation_iso[:count])
    guided = tf.argmax(model([source, shifted(target)]), axis=-1).numpy()
    alone = model.write_alone(source, source != HIDDEN)[0].numpy()
    return guided == target, alone == target


looker.set_weights(snapshots[0][half_way])
ways = {"half-trained": both_ways(looker), "without attention": both_ways(remembering)}
looker.set_weights(snapshots[0][-1])
for name, (guided, alone) in ways.items():
    print(f"{name}: characters {guided.mean():.4f} with a teacher, {alone.mean():.4f} alone;")
    print(
        f"   exact match {guided.all(1).mean():.4f} with a teacher, {alone.all(1).mean():.4f} alone"
    )

# %% [markdown]
# The characters suffer when the teacher leaves. The exact match does not change at all! Think about it before you read on.
#
# A date is right as a whole with the teacher if each character is right, given the true ones before it. Then, alone, the first character is right, so the second one has the true input, is right too, and so on: the same date comes out right. And
# the other way round. So for greedy decoding **exact match with a teacher and alone are equal**, for every model, and you may take the cheap one. What differs is what happens *after* the first mistake.

# %% alt="Accuracy of each of the ten characters of the half-trained network, with a teacher and alone. The two lines agree at the first character; alone is lower at later digits, most at those that follow an uncertain digit."
guided, alone = ways["half-trained"]
plt.plot(guided.mean(axis=0), marker="o", label="with a teacher")
plt.plot(alone.mean(axis=0), marker="s", label="alone")
plt.xticks(range(ISO_LENGTH), ["year", "", "", "", "-", "month", "", "-", "day", ""])
plt.xlabel("character of the answer")
plt.ylabel("share right")
plt.ylim(alone.mean(axis=0).min() - 0.05, 1.02)
plt.legend(loc="lower left")
plt.title("Half-trained network")
plt.show()


# %%
def after_first_mistake(guided, alone):
    """Of the characters after the first mistake: the shares that are right, with a teacher and alone."""
    later = np.cumsum(~guided, axis=1) - ~guided > 0  # a mistake came before
    return guided[later].mean(), alone[later].mean()


tails = {name: after_first_mistake(*pair) for name, pair in ways.items()}
same_dates = {name: np.mean(a.all(1) == b.all(1)) for name, (a, b) in ways.items()}
claim(
    "With a teacher and alone the same dates come out right, some and not all of them",
    bool(
        min(same_dates.values()) >= 0.999
        and 0.02 < max(a.all(1).mean() for a, _ in ways.values()) < 1
    ),
    ", ".join(
        f"{name}: the same for {share:.4f}, right {ways[name][0].all(1).mean():.3f}"
        for name, share in same_dates.items()
    ),
)
claim(
    "After its first mistake a network gets fewer characters right alone than with the teacher",
    bool(all(with_teacher > alone + 0.02 for with_teacher, alone in tails.values())),
    ", ".join(f"{name}: {a:.3f} with, {b:.3f} alone" for name, (a, b) in tails.items()),
)

# %% [markdown]
# The damage is small compared with the waves of lesson 4.2, because a date's next digit depends on the text much more than on the digit before. Where an answer leans more on its own past, expect a wider gap.
#
# Character accuracy and exact match also differ in size. Ten characters, each right with probability $q$ and independent of each other, are all right with probability $q^{10}$.

# %%
for name, (_, alone) in ways.items():
    share = alone.mean()
    print(f"{name}: characters {share:.3f}, to the power of ten {share**10:.3f}, ", end="")
    print(f"exact match {alone.all(1).mean():.3f}")

# %% [markdown]
# ## What breaks
#
# All these examinations used languages, formats and years of the training. Outside of them nothing is promised. Take a paper and guess before you run the cells: what happens with Norwegian, with Greek, with the year 1920, with a typing error, with "March 5th", and with a date that is already in ISO form?


# %% tags=["setup"]
def misspell(text, generator):
    """The text with one typing error in a word: a letter left out, doubled, replaced, or swapped with the next."""
    places = [place for place, letter in enumerate(text) if letter.isalpha()]
    if not places:
        return text
    place = places[generator.integers(len(places))]
    before, letter, after = text[:place], text[place], text[place + 1 :]
    other = "abcdefghijklmnopqrstuvwxyz"[generator.integers(26)]
    variants = after, letter * 2 + after, other + after, after[:1] + letter + after[1:]
    return before + variants[generator.integers(len(variants))]


MONTHS = "january february march april may june july august september october november december"


def in_english(pattern, iso):
    """Dates written with a pattern such as "{month} {day}{th}, {year}"."""
    texts = []
    for date in map(datetime.date.fromisoformat, iso):
        month, day = MONTHS.split()[date.month - 1], date.day
        th = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        texts.append(pattern.format(month=month, day=day, th=th, year=date.year))
    return texts


# %%
def probes():
    """Texts that differ from the training texts in one respect: {name: (texts, iso)}, 500 each."""
    found = {}
    for language in ("Slovak", "Norwegian", "Galician", "Welsh", "Lithuanian", "Greek"):
        found[language] = make_dates(500, "validation", (language,), seed=SEED)[:2]
    for first, last in ((1900, 1949), (2050, 2099), (2200, 2249)):
        dates = make_dates(500, "validation", years=(first, last), seed=SEED)
        found[f"{first} to {last}"] = dates[:2]
    generator, days = np.random.default_rng(SEED), validation_iso[:500]
    misspelt = [misspell(text, generator) for text in validation_written[:500]]
    found["one typing error"] = misspelt, days
    found["ISO itself"] = days, days
    found["5 march 2024"] = in_english("{day} {month} {year}", days), days
    found["march 5th, 2024"] = in_english("{month} {day}{th}, {year}", days), days
    found["2024 march 5"] = in_english("{year} {month} {day}", days), days
    found["we meet on march 5, 2024"] = in_english("we meet on {month} {day}, {year}", days), days
    return found


# %%
probed = probes()
broken = {
    name: fields_right(translate(looker, texts), days) for name, (texts, days) in probed.items()
}
ruled = {
    name: fields_right([read_by_rule(text, month_names) for text in texts], days)
    for name, (texts, days) in probed.items()
}
for name, shares in broken.items():
    fields = ", ".join(f"{field} {share:.2f}" for field, share in shares.items())
    print(f"{name:25s} {fields:45s} rule {ruled[name]['all']:.2f}")

# %% alt="Horizontal bars: exact match of the network for each kind of unusual date, with a cross where the rule stands. Slovak, Norwegian, day-first English and a sentence are near 1; Lithuanian, Greek, other years and ISO itself are low; the rest is between."
bar_names = sorted(probed, key=lambda name: -broken[name]["all"])
places = np.arange(len(bar_names))
plt.figure(figsize=(6.6, 5.4))
plt.barh(places, [broken[name]["all"] for name in bar_names], color=COLOURS["sky"], label="network")
plt.plot(
    [ruled[name]["all"] for name in bar_names], places, "X", color=COLOURS["black"], label="rule"
)
plt.yticks(places, bar_names)
plt.gca().invert_yaxis()
plt.xlabel("exact match")
plt.gcf().legend(loc="outside lower center", ncols=2)
plt.title("Outside of the training data")
plt.show()

# %% [markdown]
# Look at what the network made its own, and what it did not.
#
# - **Languages.** Slovak and Norwegian are read almost like Czech and Danish: their months are spelt nearly alike. Where the months have other roots, as in Lithuanian, or other letters, as in Greek (all `UNKNOWN`), the month is guessed. The year and the day
#   of a Greek date are still right.
# - **Order.** A day in front of an English month never occurred in training, and is read. So are most dates in a sentence. The network has learned something about numbers and months, not just fifteen templates. It has met no word behind a day, though: what the harmless *th* of *5th* costs it differs from one training to the next.
# - **Years.** The rule copies four digits. The network has learned *which years there are*: 1950 to 2049. It reads 1920 and writes a year that it knows.
# - **Its own answers.** No training text looks like an ISO date. The network fails at the very form that it writes. (The rule fails too: it takes the first small number for the day. But you can see that in its code, and mend it in a line.)
# - **Typing errors.** One in the name of the month costs the rule the month. The network, which never knew what a word is, forgives many.

# %%
claim(
    "The network reads most Norwegian and Slovak dates, languages it never saw, but few Greek and Lithuanian ones",
    bool(
        min(broken["Slovak"]["all"], broken["Norwegian"]["all"]) > 0.7
        and max(broken["Lithuanian"]["all"], broken["Greek"]["all"]) < 0.4
    ),
    ", ".join(
        f"{n} {broken[n]['all']:.3f}" for n in ("Slovak", "Norwegian", "Greek", "Lithuanian")
    ),
)
claim(
    "In the years 1900 to 1949 the network misreads more than one year of four, and hardly any month",
    bool(broken["1900 to 1949"]["year"] < 0.75 and broken["1900 to 1949"]["month"] > 0.95),
    f"year {broken['1900 to 1949']['year']:.3f}, month {broken['1900 to 1949']['month']:.3f}, "
    f"rule {ruled['1900 to 1949']['all']:.3f}",
)

# %%
claim(
    "Year and day of a Greek date are right, English dates with the day in front too, and most sentences with a date",
    bool(
        min(broken["Greek"]["year"], broken["Greek"]["day"]) > 0.9
        and broken["5 march 2024"]["all"] > 0.9
        and broken["we meet on march 5, 2024"]["all"] > 0.6
    ),
    f"Greek: year {broken['Greek']['year']:.3f}, day {broken['Greek']['day']:.3f}, "
    f"day in front {broken['5 march 2024']['all']:.3f}, "
    f"sentence {broken['we meet on march 5, 2024']['all']:.3f}",
)
claim(
    "The network reads more than nine of ten validation dates, and cannot read the form that it writes",
    bool(broken["ISO itself"]["all"] < 0.3 and curves[0][-1] > 0.9),
    f"exact match {broken['ISO itself']['all']:.3f}, validation dates {curves[0][-1]:.3f}",
)
claim(
    "One typing error costs the rule more than twice what it costs the network",
    bool(1 - ruled["one typing error"]["all"] > 2 * (1 - broken["one typing error"]["all"])),
    f"wrong: rule {1 - ruled['one typing error']['all']:.3f}, "
    f"network {1 - broken['one typing error']['all']:.3f}",
)

# %% [markdown]
# One thing that fails is nobody's fault. CLDR's *short* formats write 3/5/24 in Spanish and in English, and mean two days. Count: how many short texts of the 15 languages have more than one meaning, and how well can *any* reader do that does not know the language?

# %% without_learning="data"
short_texts, short_iso, _, _ = make_dates(40_000, formats=("short",), years=(2024, 2024), seed=SEED)
meanings = defaultdict(Counter)
for text, day in zip(short_texts, short_iso, strict=True):
    meanings[text][day] += 1
ambiguous = np.mean([len(meanings[text]) > 1 for text in short_texts])
best_possible = sum(days.most_common(1)[0][1] for days in meanings.values()) / len(short_texts)
print(f"an example: {next(text for text in meanings if len(meanings[text]) > 1)!r}")
claim(
    "No reader of short dates can be right always: some have two meanings",
    bool(ambiguous > 0.03 and best_possible < 0.99),
    f"{ambiguous:.3f} of the texts have more than one meaning, the best answers are right {best_possible:.3f}",
)

# %% [markdown]
# ## What mends it
#
# More of the same would not help. Data of the kind that is missing does: a little more training, on 9,600 dates of which a third comes from the years 1800 to 2199, and half of the texts have a typing error.

# %%
MENDING = 3 * STRETCH
generator = np.random.default_rng(SEED + 1)
usual = make_dates(2 * MENDING // 3, seed=SEED + 1)[:2]
wider = make_dates(MENDING // 3, years=(1800, 2199), seed=SEED + 2)[:2]
order = generator.permutation(MENDING)
richer_iso = np.array(usual[1] + wider[1])[order]
richer_written = [
    misspell(text, generator) if generator.random() < 0.5 else text
    for text in np.array(usual[0] + wider[0])[order]
]
_ = train(looker, richer_written, richer_iso, 3, rate=RATE / 2)
mended = {
    name: fields_right(translate(looker, texts), days) for name, (texts, days) in probed.items()
}
for name in probed:
    print(f"{name:25s} before {broken[name]['all']:.3f}, after {mended[name]['all']:.3f}")

# %% [markdown]
# The years are mended as far as the data reach, and no further: 2200 to 2249 still breaks. Typing errors are forgiven more often. What nobody showed, ISO itself for example, stays bad, and some of it gets worse:
# compare *2024 march 5* before and after. A network interpolates what it has seen. If you need a guarantee, write the rule.

# %%
claim(
    "Training on the years 1800 to 2199 mends 1900 to 1949 and 2050 to 2099, but neither 2200 to 2249 nor ISO itself",
    bool(
        min(mended["1900 to 1949"]["all"], mended["2050 to 2099"]["all"]) > 0.97
        and max(mended["2200 to 2249"]["all"], mended["ISO itself"]["all"]) < 0.8
    ),
    ", ".join(f"{n} {mended[n]['all']:.3f}" for n in probed if " to " in n or "ISO" in n),
)
claim(
    "Typing errors in training lower the errors on misspelt dates",
    bool(mended["one typing error"]["all"] > broken["one typing error"]["all"]),
    f"{broken['one typing error']['all']:.3f} before, {mended['one typing error']['all']:.3f} after",
)
claim(
    "Mending has a price: dates such as 2024 march 5, English words in Hungarian order, are read worse than before",
    bool(mended["2024 march 5"]["all"] < broken["2024 march 5"]["all"]),
    f"{broken['2024 march 5']['all']:.3f} before, {mended['2024 march 5']['all']:.3f} after",
)

# %% [markdown]
# ## The test, once
#
# Now the days that no choice has seen: written in the languages and formats of the training, read alone.

# %% tags=["headline"]
test_written, test_iso, _, _ = make_dates(EXAM_DATES, "test", seed=SEED)
test_scores = {
    "with attention": exact_match(translate(looker, test_written), test_iso),
    "without attention": exact_match(translate(remembering, test_written), test_iso),
    "rule": exact_match([read_by_rule(text, month_names) for text in test_written], test_iso),
}
claim(
    "An LSTM encoder-decoder with attention reads more than 99 of 100 dates of 15 languages, on days it never saw, writing alone",
    bool(test_scores["with attention"] > 0.99),
    ", ".join(f"{name} {score:.4f}" for name, score in test_scores.items()),
)

# %% [markdown]
# ## Common mistakes
#
# - **Praising novelty.** Noise is new. Report new *and* likely, beside real unseen names and a counting baseline.
# - **Temperature on probabilities.** Dividing probabilities by $T$ and normalising changes nothing. Divide logits, or take powers of probabilities.
# - **The softmax over the wrong axis,** or the mask after it: the weights must sum to 1 over the letters that may be seen.
# - **Input and target not shifted,** or shifted the wrong way. The loss then falls to zero within an epoch, because the network copies its input.
# - **The mean loss over padding.** Half of the positions lie behind the end of a name and are trivial: a perplexity that counts them looks splendid.
# - **Character accuracy as the result.** Ask for exact match, and compare with an answer that never looked.
# - **Splitting pairs instead of days.** The same day in two languages, one in training and one in the test, and the decoder has seen the answer.
# - **Calling an attention map an explanation** without an experiment that hides what it points at.

# %% [markdown]
# ## Exercise 1: how cold?
#
# Two signs have the logits 3 and 1. At which temperature has the first one a probability of 0.9? And which probability has it at half of that temperature? Work on paper with odds, then write numbers or formulas.

# %% tags=["exercise"]
cold_enough = None  # a temperature
twice_as_cold = None  # a probability
### BEGIN SOLUTION
cold_enough = 2 / np.log(9)  # the odds are 9 to 1: exp((3 - 1) / T) = 9
twice_as_cold = 81 / 82  # half the temperature squares the odds
### END SOLUTION

# %% tags=["wrong"] says="a temperature is positive: the odds of 0.9 are 0.9 to 0.1"
cold_enough = 2 / np.log(0.9)  # the probability in place of the odds
twice_as_cold = 81 / 82

# %% tags=["wrong"] says="that is one over the temperature"
cold_enough = np.log(9) / 2  # one over it
twice_as_cold = 81 / 82

# %% tags=["wrong"] says="half of the temperature squares the odds, not the probability"
cold_enough = 2 / np.log(9)
twice_as_cold = 0.9**2  # squares the probability in place of the odds

# %% tags=["check"]
with feedback("How cold?"):
    assert cold_enough > 0, "a temperature is positive: the odds of 0.9 are 0.9 to 0.1"
    assert not np.isclose(cold_enough, np.log(9) / 2, atol=0.005), (
        f"{cold_enough:.3f}: that is one over the temperature, solve exp((3 - 1) / T) = 9 for T"
    )
    first, colder = (heated([3.0, 1.0], cold_enough / power)[0] for power in (1, 2))
    assert np.isclose(first, 0.9, atol=0.003), (
        f"at that temperature its probability is {first:.3f}: solve exp((3 - 1) / T) = 9 for T"
    )
    assert not np.isclose(twice_as_cold, 0.9**2, atol=0.003), (
        "half of the temperature squares the odds, not the probability: what does it make of 9 to 1?"
    )
    assert np.isclose(twice_as_cold, colder, atol=0.003), (
        f"the temperature is right, {twice_as_cold:.3f} is not: half of it squares the odds, and 9 "
        "becomes 81; a probability is odds / (1 + odds)"
    )

# %% [markdown]
# ## Exercise 2: cut the tail
#
# At temperature 1 a name is spoilt by *one* unlikely sign, and many unlikely signs together are drawn often. **Nucleus sampling** (Holtzman and others, 2019) keeps the most likely signs, as few as are needed for a probability of at least `mass`
# together, gives the others zero, and scales up. Write it for one row of probabilities.


# %% tags=["exercise"]
def keep_nucleus(probabilities, mass):
    """Probabilities (signs,) with sum 1, in which only the nucleus is left, in the same places."""
    ### BEGIN SOLUTION
    order = np.argsort(-probabilities)
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros_like(probabilities)
    nucleus = order[before < mass]  # what was there before did not suffice
    kept[nucleus] = probabilities[nucleus]
    return kept / kept.sum()
    ### END SOLUTION


# %% tags=["wrong"] says="the sign that crosses the mass belongs to it"
def keep_nucleus(probabilities, mass):  # leaves out the sign that crosses the mass
    order = np.argsort(-probabilities)
    kept = np.zeros_like(probabilities)
    nucleus = order[np.cumsum(probabilities[order]) < mass]
    kept[nucleus] = probabilities[nucleus]
    return kept / max(kept.sum(), 1e-12)


# %% tags=["wrong"] says="scale up what is left: it must have the sum 1"
def keep_nucleus(probabilities, mass):  # does not scale up
    order = np.argsort(-probabilities)
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros_like(probabilities)
    kept[order[before < mass]] = probabilities[order[before < mass]]
    return kept


# %% tags=["wrong"] says="together they have to reach the mass, not each for itself"
def keep_nucleus(probabilities, mass):  # a threshold for each sign, not for their sum
    kept = np.where(probabilities >= 1 - mass, probabilities, 0)
    return kept / max(kept.sum(), 1e-12)


# %% tags=["wrong"] says="of equally likely signs keep only as many as are needed"
def keep_nucleus(
    probabilities, mass
):  # finds the last probability, and keeps all that are as large
    largest = np.sort(probabilities)[::-1]
    last = largest[np.searchsorted(largest.cumsum(), mass)]
    kept = np.where(probabilities >= last, probabilities, 0)
    return kept / kept.sum()


# %% tags=["check"]
with feedback("Cut the tail"):
    example = np.array([0.1, 0.5, 0.05, 0.3, 0.05])
    got = keep_nucleus(example, 0.75)
    assert np.shape(got) == (5,), f"return five probabilities, yours has the shape {np.shape(got)}"
    assert np.count_nonzero(got) != 1, (
        "0.5 alone is less than 0.75: the sign that crosses the mass belongs to it"
    )
    left = np.flatnonzero(got)
    assert left.tolist() == [1, 3], f"0.5 and 0.3 are enough for 0.75, yours keeps {example[left]}"
    assert not np.allclose(got, [0, 0.5, 0, 0.3, 0]), (
        "scale up what is left: it must have the sum 1"
    )
    assert np.allclose(got, [0, 0.625, 0, 0.375, 0]), (
        f"0.5 and 0.3 become 0.625 and 0.375, in their places; yours says {np.round(got, 3)}"
    )
    alike = np.count_nonzero(np.nan_to_num(keep_nucleus(np.full(8, 0.125), 0.7)))
    assert alike > 0, (
        "of eight signs with 0.125 none is left: together they have to reach the mass, not each for itself"
    )
    assert alike == 6, (
        f"of eight signs with 0.125 six have 0.75, enough for 0.7, yours keeps {alike}: of equally likely signs keep only as many as are needed"
    )
    got = keep_nucleus(np.array([0.25, 0.5, 0.25]), 0.5)
    assert np.allclose(got, [0, 1, 0]), "a sign with 0.5 is enough for 0.5: no other one stays"
    row = np.random.default_rng(3).dirichlet(np.ones(30))
    for mass in (0.02, 0.4, 0.97):
        largest = np.sort(row)[::-1]
        count = 1 + np.argmax(largest.cumsum() >= mass)
        expected = np.where(row >= largest[count - 1], row, 0) / largest[:count].sum()
        assert np.allclose(keep_nucleus(row, mass), expected), (
            f"of 30 signs the {count} most likely are enough for {mass}, scaled up; yours are others"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# This attention has **two** mistakes. On some texts its contexts look reasonable. Mend them; `attend` above is not allowed.
#
# ```python
# def mended_attention(queries, memory, visible):
#     scores = queries @ memory.transpose(0, 2, 1)
#     scores = np.exp(scores - scores.max(axis=1, keepdims=True))
#     weights = scores / scores.sum(axis=1, keepdims=True)
#     weights = np.where(visible[:, np.newaxis], weights, 0)
#     return weights @ memory
# ```


# %% tags=["exercise"]
def mended_attention(queries, memory, visible):
    """Contexts (batch, steps, units). queries: (batch, steps, units), memory: (batch, letters, units), visible: (batch, letters)."""
    ### BEGIN SOLUTION
    scores = queries @ memory.transpose(0, 2, 1)
    scores = np.where(visible[:, np.newaxis], scores, -np.inf)  # before the softmax
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))  # over the letters, not the steps
    weights = scores / scores.sum(axis=2, keepdims=True)
    return weights @ memory
    ### END SOLUTION


# %% tags=["wrong"] says="set the scores of hidden letters before the softmax"
def mended_attention(queries, memory, visible):  # the right axis, the mask still too late
    scores = queries @ memory.transpose(0, 2, 1)
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights = scores / scores.sum(axis=2, keepdims=True)
    return np.where(visible[:, np.newaxis], weights, 0) @ memory


# %% tags=["wrong"] says="over which axis is your softmax?"
def mended_attention(queries, memory, visible):  # the mask in time, the axis still wrong
    scores = queries @ memory.transpose(0, 2, 1)
    scores = np.where(visible[:, np.newaxis], scores, -1e9)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True) @ memory


# %% tags=["wrong"] says="a score of 0 does not hide"
def mended_attention(queries, memory, visible):  # a score of 0 does not hide
    scores = queries @ memory.transpose(0, 2, 1)
    scores = np.where(visible[:, np.newaxis], scores, 0)
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    return scores / scores.sum(axis=2, keepdims=True) @ memory


# %% tags=["check"]
with feedback("Repair this"):
    check_generator = np.random.default_rng(3)
    check_queries = check_generator.normal(size=(2, 4, 3))
    check_memory = check_generator.normal(size=(2, 6, 3))
    every, some = np.ones((2, 6), bool), np.array([[0, 1, 1, 0, 1, 0], [1, 1, 1, 1, 1, 0]], bool)
    got = mended_attention(check_queries, check_memory, some)
    assert np.shape(got) == (2, 4, 3), f"contexts are (2, 4, 3) here, yours are {np.shape(got)}"
    ones = np.ones_like(check_memory)  # every mean of ones is one
    assert np.allclose(mended_attention(check_queries, ones, every), 1), (
        "with no letter hidden your weights do not sum to 1 over the letters: over which axis is your softmax?"
    )
    assert np.allclose(mended_attention(check_queries, ones, some), 1), (
        "hidden letters take weight from the others: set the scores of hidden letters before the softmax"
    )
    disturbed = check_memory + 10 * ~some[..., np.newaxis]
    assert np.allclose(mended_attention(check_queries, disturbed, some), got, atol=1e-4), (
        "a hidden letter changes your contexts: a score of 0 does not hide, minus infinity does"
    )
    for scale in (1, 300):
        got = mended_attention(scale * check_queries, check_memory, some)
        assert np.all(np.isfinite(got)), (
            "large scores: subtract the largest of each step before exp"
        )
        assert np.allclose(got, attend(scale * check_queries, check_memory, some)[0], atol=1e-3), (
            "your weights sum to 1 and hide what they should, but they are not the softmax of the scores"
        )

# %% [markdown]
# ## Exercise 4: wean the decoder
#
# **Scheduled sampling** (Bengio and others, 2015) lies between the teacher and being alone: at each step, independently, the decoder's input is its own last answer with probability `share`, and the true character otherwise. Given the true answers and what the decoder predicted for
# each place, make the inputs. The first one is always the start sign; use `generator.random`.


# %% tags=["exercise"]
def weaned_inputs(answers, predicted, share, generator):
    """Decoder inputs (batch, 10): ISO_START, then answers or predictions of the step before. Both are (batch, 10) codes."""
    ### BEGIN SOLUTION
    own = generator.random(answers.shape) < share
    return shifted(np.where(own, predicted, answers))
    ### END SOLUTION


# %% tags=["wrong"] says="one step before it: shift"
def weaned_inputs(answers, predicted, share, generator):  # the decoder sees what it should write
    own = generator.random(answers.shape) < share
    inputs = np.where(own, predicted, answers)
    inputs[:, 0] = ISO_START
    return inputs


# %% tags=["wrong"] says="throw a coin for every step, not one for a whole date"
def weaned_inputs(answers, predicted, share, generator):  # one coin for a whole date
    own = generator.random((len(answers), 1)) < share
    return shifted(np.where(own, predicted, answers))


# %% tags=["wrong"] says="that is the share of the truth"
def weaned_inputs(answers, predicted, share, generator):  # the share of the truth
    own = generator.random(answers.shape) < share
    return shifted(np.where(own, answers, predicted))


# %% tags=["check"]
with feedback("Wean the decoder"):
    for share, seed in ((0.25, 5), (0.6, 6)):
        check_answers = np.random.default_rng(seed).integers(0, 11, (2000, 10))
        check_predicted = (check_answers + 1) % 11  # never right
        got = weaned_inputs(check_answers, check_predicted, share, np.random.default_rng(seed))
        assert np.shape(got) == (2000, 10), f"inputs are (2000, 10) here, yours are {np.shape(got)}"
        assert np.all(got[:, 0] == ISO_START), "the first input is always the start sign"
        from_truth = got[:, 1:] == check_answers[:, :-1]
        from_self = got[:, 1:] == check_predicted[:, :-1]
        assert np.all(from_truth | from_self), (
            "the input of a step is what was true or predicted one step before it: shift"
        )
        assert abs(from_truth.mean() - share) > 0.02, (
            f"for {share} the decoder's own answers are {from_self.mean():.2f} of the inputs: that is the share of the truth"
        )
        for mean, over in ((from_self.mean(axis=1), "date"), (from_self.mean(axis=0), "batch")):
            both = np.mean((mean > 0) & (mean < 1))
            assert both > 0.8, f"throw a coin for every step, not one for a whole {over}"
        assert abs(from_self.mean() - share) < 0.02, (
            f"for a share of {share} the decoder's own answers are {from_self.mean():.2f} of your inputs"
        )
        again = weaned_inputs(check_answers, check_predicted, share, np.random.default_rng(seed))
        assert np.array_equal(got, again), (
            "draw from the generator that you are given: equal ones, equal inputs"
        )
        other = weaned_inputs(check_answers, check_predicted, share, np.random.default_rng(9))
        assert not np.array_equal(got, other), (
            "draw from the generator that you are given: another one, other inputs"
        )

# %% [markdown]
# ## Exercise 5: beat this baseline (open-ended)
#
# A typing error costs the rule its month. Make it robust without a network. Your reader gets a text and the dictionary `month_names`; it must read more than nine of ten misspelt validation dates (with a month in letters), and still nearly all correct ones. `read_by_rule` is a good start.


# %% tags=["exercise"]
def my_reader(text, months):
    """The ISO date of a text that may have a typing error, "" where there is none."""
    ### BEGIN SOLUTION
    answer = read_by_rule(text, months)
    if answer:
        return answer

    def pairs(word):
        padded = f"^{word}$"
        return {padded[place : place + 2] for place in range(len(padded) - 1)}

    def likeness(word, month):  # shared pairs of letters, of all pairs (Jaccard)
        return len(pairs(word) & pairs(month)) / len(pairs(word) | pairs(month))

    words = re.findall(r"[^\W\d]+", text)
    tries = [(likeness(word, month), word, month) for word in words for month in months]
    if not tries:
        return ""
    _, word, month = max(tries)
    return read_by_rule(text.replace(word, month), months)
    ### END SOLUTION


# %% tags=["wrong"] says="that is no more than the rule reads"
def my_reader(text, months):  # the baseline itself
    return read_by_rule(text, months)


# %% tags=["wrong"] says="the first letters do not tell a month"
def my_reader(text, months):  # only looks at the first three letters
    short = {month[:3]: number for month, number in months.items()}
    return read_by_rule(re.sub(r"([^\W\d]{3})[^\W\d]*", r"\1", text), short)


# %% tags=["check"]
with feedback("Beat this baseline"):
    few = {"marraskuuta": "11", "mars": "03"}
    for text, day, mistake in (
        ("5 marraskuuta 1999", "1999-11-05", "the first letters do not tell a month"),
        ("7 mars 2001", "2001-03-07", "keep what the rule can do"),
        ("05.03.1999", "1999-03-05", "a date in digits needs no name of a month"),
        ("12", "", "there is no date in it"),
    ):
        got = my_reader(text, few)
        assert got == day, f"'{text}' with the months {few} is '{day}', yours '{got}': {mistake}"
    correct = exact_match(
        [my_reader(text, month_names) for text in validation_written[:400]], validation_iso[:400]
    )
    assert correct > 0.97, f"of correct dates it reads {correct:.3f}: keep what the rule can do"
    check_generator = np.random.default_rng(11)
    lettered = [
        (misspell(text, check_generator), day)
        for text, day in zip(validation_written, validation_iso, strict=True)
        if any(month in text for month in month_names)
    ]
    misspelt, check_days = zip(*lettered[:400], strict=True)
    score, base = (
        exact_match([read(text, month_names) for text in misspelt], check_days)
        for read in (my_reader, read_by_rule)
    )
    assert score > base + 0.1, (
        f"of misspelt dates it reads {score:.3f}: that is no more than the rule reads, {base:.3f}"
    )
    assert score > 0.9, (
        f"of misspelt dates it reads {score:.3f}, the rule {base:.3f}: which month is a misspelt word most like?"
    )

# %% [markdown]
# ## Summary
#
# - A language model gives a probability for every next sign. Draw, append, repeat: that is generation. Perplexity says how unsure it is, on names it has not seen.
# - Counting with Witten-Bell smoothing beats a GRU on 6,000 names, and the mean of both beats counting.
# - A temperature takes odds to a power. It moves samples along a line from likely and stale to new and noisy. Novelty alone rewards the monkey.
# - An encoder-decoder translates. Attention gives each answer a direct way to each letter. On dates it makes learning much faster, and then the bridge is not needed at all.
# - A bridge is narrow for the amount that must pass. The length of the text matters less here.
# - An attention map can be tested: hide the letters and see which answer suffers.
# - For greedy decoding, exact match with a teacher and alone are the same. The characters after the first mistake are not.
# - The network reads relatives of its languages and new orders of words, and fails at years, letters and forms that it never met. Data of the missing kind mend it, as far as they reach. A rule fails elsewhere, and you can read in its code where.
#
# Not shown: large vocabularies of words or parts of words, beam search (lesson 6.2), attention without recurrence (chapter 6), and language models that are large enough to leave counting behind (lesson 6.3). Lesson 4.3c reads strips of digits where nobody knows which input belongs to which output, and lesson 4.3d
# does the same with sounds.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Your generator's names are all new. Your colleague's are new in half of all cases. Whose is better?</summary>
#
# Nobody knows yet. Noise is all new. Ask how likely the new ones are for a judge that was not trained with the generator, and compare with real names that neither has seen.
#
# </details>
#
# <details>
# <summary>Why can counting win against a network, and why does their mean win against both?</summary>
#
# The table remembers every history it has seen, word for word; a small network must compress. The network knows more than five letters back, and shares what it learns among similar histories. Where one is surprised the other often is not, and the mean
# of two probabilities is never much smaller than the larger one: at least half of it.
#
# </details>
#
# <details>
# <summary>A model has an exact match of 0.80 with a teacher. What is it alone, with greedy decoding?</summary>
#
# 0.80. An answer that is right at every place, given the true characters before, is what the model writes alone. Character accuracy is another matter.
#
# </details>
#
# <details>
# <summary>With attention the bridge is not needed here. When would it be?</summary>
#
# When the decoder must know something before it has looked anywhere, or something that no single letter's state holds. Here the states hold it all, since the encoder reads in both directions.
#
# </details>
#
# <details>
# <summary>The network reads Norwegian dates that it never saw. Has it learned Norwegian?</summary>
#
# No. It has learned letters that Danish and Swedish months share with the Norwegian ones. Ask it for a language whose months have other roots.
#
# </details>

# %% [markdown]
# ## References
#
# - C. E. Shannon (1951). Prediction and entropy of printed English. Bell System Technical Journal 30, 50-64.
# - I. H. Witten, T. C. Bell (1991). The zero-frequency problem: estimating the probabilities of novel events in adaptive text compression. doi:10.1109/18.87000
# - S. F. Chen, J. Goodman (1999). An empirical study of smoothing techniques for language modeling. doi:10.1006/csla.1999.0128
# - R. J. Williams, D. Zipser (1989). A learning algorithm for continually running fully recurrent neural networks. doi:10.1162/neco.1989.1.2.270
# - A. Graves (2013). Generating sequences with recurrent neural networks. arXiv:1308.0850
# - K. Cho and others (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation. arXiv:1406.1078
# - I. Sutskever, O. Vinyals, Q. V. Le (2014). Sequence to sequence learning with neural networks. arXiv:1409.3215
# - D. Bahdanau, K. Cho, Y. Bengio (2014). Neural machine translation by jointly learning to align and translate. arXiv:1409.0473
# - M.-T. Luong, H. Pham, C. D. Manning (2015). Effective approaches to attention-based neural machine translation. arXiv:1508.04025
# - S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer (2015). Scheduled sampling for sequence prediction with recurrent neural networks. arXiv:1506.03099
# - S. Jain, B. C. Wallace (2019). Attention is not explanation. arXiv:1902.10186
# - A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi (2019). The curious case of neural text degeneration. arXiv:1904.09751
# - Unicode Consortium. Common Locale Data Repository (CLDR). https://cldr.unicode.org
