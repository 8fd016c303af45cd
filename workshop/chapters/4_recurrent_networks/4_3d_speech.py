# ---
# jupyter:
#   course:
#     prerequisites: ["4.3c"]
#     most_seconds: 75
#     downloads: ["spoken digits"]
#     equal_programs:
#       "Predict the spectrogram":
#         "constant: 128 -> *": "the whole division gives 60 too"
#         "constant: 8000 -> 8001 (2)": "the whole division gives 60 too"
#         "constant: 8000 -> 7999 (2)": "the whole division gives 60 too"
#         "constant: 256 -> 257 (2)": "the whole division gives 60 too"
#         "constant: 256 -> 255 (2)": "the whole division gives 60 too"
#       "What a mouth's size leaves":
#         "function: np.log(formants[..., 1] / formants[..., 0]) -> np.log2(formants[..., 1] / formants[..., 0])": "a logarithm to another base is free of the size too"
#         "call forgotten: np.log(formants[..., 1] / formants[..., 0]) -> formants[..., 1] / formants[..., 0]": "the ratio itself is free of the size too"
#         "operator: numbers[pair[0]] - numbers[pair[1]] -> numbers[pair[0]] + numbers[pair[1]]": "it finds the same pair: the two nearest numbers are also the two smallest"
#       "Beat this baseline":
#         "function: mel.mean(axis=1) -> mel.sum(axis=1)": "all words have as many frames, and the discriminant does not depend on a scale"
# ---

# %% [markdown]
# # 4.3d Speech
#
# **After this lesson you can** make a vowel from pulses and two resonators, compute a spectrogram and a log-mel spectrogram, name the vowel in every
# frame, spell whole words from spellings alone with the CTC loss, and test a listener on voices it has never heard.
#
# **You build** a voice, a spectrogram equal to Keras's, and listeners that differ in how far they hear: a single frame, a near and a far convolution, a bidirectional GRU.
#
# **Question.** The same sound can be one vowel from a large mouth and another from a small one. How does a listener know?

# %% tags=["setup"]
import base64
import io
import itertools
import wave

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import scipy.signal
import sklearn.discriminant_analysis

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_spoken_digits,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)
generator = np.random.default_rng(SEED)

# %% [markdown]
# ## A voice: a source and a filter
#
# We take the simplest speech there is, vowels, and make them ourselves, so that the right answer is known. The **source** is a train of
# pulses, the opening and closing of the vocal folds; its rate is the **pitch**. The **filter** is the mouth and throat, which ring at a few frequencies, the **formants**. Moving the tongue moves the formants, and that is what makes
# one vowel different from another. Two formants are enough to tell these six apart (means of 33 men, Peterson and Barney, 1952):

# %% tags=["setup"]
RATE = 8000  # samples a second
FRAME, HOP = 256, 128  # samples of a frame, and from one frame to the next
STEP = 16  # samples between two settings of the formants
# The two lowest formants in hertz, of the vowels in: heed, head, had, hod, hawed, who'd.
VOWELS = {
    "i": (270, 2290),
    "ɛ": (530, 1840),
    "æ": (660, 1720),
    "ɑ": (730, 1090),
    "ɔ": (570, 840),
    "u": (300, 870),
}
BANDWIDTHS = (60, 90)  # hertz: how sharply each formant rings
VOWEL_NAMES = "".join(VOWELS)

# %% [markdown]
# A formant at $F$ hertz with bandwidth $B$ is a **resonator**, $y_n = a\,x_n + b\,y_{n-1} + c\,y_{n-2}$: a recurrent cell with two weights. Left alone it rings like $r^n \cos(\theta n)$ with
# $\theta = 2\pi F/f_s$ and $r = e^{-\pi B/f_s}$, where $f_s$ is the number of samples a second. Such a sound obeys $y_n = 2r\cos\theta\,y_{n-1} - r^2 y_{n-2}$ (put it in: it is the rule for $\cos(\alpha+\beta) + \cos(\alpha-\beta)$), so $b = 2r\cos\theta$ and $c = -r^2$.
# With $a = 1 - b - c$ a constant passes unchanged. The code lets $F$ change on the way, and lets many words ring side by side.


# %% tags=["setup"]
def resonate(sounds, frequencies, bandwidth):
    """Let sounds (samples, words) ring, in place, at frequencies (samples / STEP, words) in hertz."""
    c = -np.exp(-2 * np.pi * bandwidth / RATE)
    b = 2 * np.exp(-np.pi * bandwidth / RATE) * np.cos(2 * np.pi * frequencies / RATE)
    last = before = np.zeros(sounds.shape[1])
    for n, sample in enumerate(sounds):
        last, before = (1 - b[n // STEP] - c) * sample + b[n // STEP] * last + c * before, last
        sounds[n] = last


def say_vowel(formants, pitch, seconds=0.4):
    """A steady vowel: pulses at `pitch` hertz through one resonator a formant. (samples,)"""
    turns = np.arange(int(seconds * RATE)) * pitch / RATE
    sound = np.diff(turns // 1, prepend=-1)[:, np.newaxis]
    for frequency, bandwidth in zip(formants, BANDWIDTHS, strict=True):
        resonate(sound, np.full((len(sound) // STEP + 1, 1), float(frequency)), bandwidth)
    return sound[:, 0] / np.abs(sound).max()


# %% without_learning="arithmetic"
pulses = np.zeros(800)
pulses[::80] = 1
rung = pulses[:, np.newaxis].copy()
resonate(rung, np.full((50, 1), 700.0), 60)
radius, angle = np.exp(-np.pi * 60 / RATE), 2 * np.pi * 700 / RATE
denominator = [1, -2 * radius * np.cos(angle), radius**2]
filtered = scipy.signal.lfilter([sum(denominator)], denominator, pulses)
claim(
    "The resonator is the filter that SciPy makes of the same numbers",
    np.allclose(rung[:, 0], filtered) and np.abs(filtered).max() > 0.01,
    f"largest difference {np.abs(rung[:, 0] - filtered).max():.0e}",
)

# %% [markdown]
# ## The spectrogram
#
# A sound of half a second is 4,000 numbers of which no single one means anything. What counts is which frequencies are in it, and how that changes. So cut the sound into overlapping frames of 256 samples
# (32 ms), fade each in and out with a **Hann window**, $w_n = \frac12 - \frac12\cos(2\pi n/256)$, and take its Fourier transform: the **short-time Fourier transform**. The absolute values, one column a frame, are the **spectrogram**.


# %% tags=["setup"]
def spectrogram(sounds):
    """The size of each frequency in each frame. sounds: (..., samples). Returns (..., frames, 129)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(sounds, FRAME, axis=-1)[..., ::HOP, :]
    return np.abs(np.fft.rfft(frames * window.astype("float32")))


# %% without_learning="arithmetic"
sounds = {name: say_vowel(formants, pitch=110) for name, formants in VOWELS.items()}
stacked = np.stack(list(sounds.values())).astype("float32")
real, imaginary = keras.ops.stft(stacked, FRAME, HOP, FRAME, window="hann", center=False)
from_keras = np.hypot(real, imaginary)
claim(
    "Frames, window and Fourier transform give Keras's short-time Fourier transform",
    np.allclose(spectrogram(stacked), from_keras, atol=1e-3),
    f"shape {from_keras.shape}, largest value {from_keras.max():.0f}, "
    f"largest difference {np.abs(spectrogram(stacked) - from_keras).max():.0e}",
)

# %% [markdown]
# Look at two vowels of one voice. The comb of narrow peaks is the pitch: all multiples of 110 hertz are in a train of pulses. Its outline is the vowel. Where would you put the formants?

# %% alt="Spectra of the vowels of heed and hod, in decibels against frequency: combs of narrow peaks 110 hertz apart whose outlines have two humps each; dotted lines mark the two formants put in, at the humps."
figure, grid = plt.subplots(1, 2, figsize=(6.6, 2.8), sharey=True)
frequencies = np.fft.rfftfreq(2048, 1 / RATE)
for axes, name in zip(grid, ("i", "ɑ"), strict=True):
    spectrum = np.abs(np.fft.rfft(sounds[name][800:2848] * np.hanning(2048)))
    axes.plot(frequencies, 20 * np.log10(spectrum / spectrum.max()), linewidth=1)
    for formant in VOWELS[name]:
        axes.axvline(formant, color="0.4", linestyle=":")
    axes.set(title=f"the vowel {name}", xlabel="frequency (hertz)", xlim=(0, 3500), ylim=(-70, 5))
grid[0].set_ylabel("size (decibels)")
plt.show()

# %% without_learning="data"
distances = []
for name, (first, second) in VOWELS.items():
    spectrum = np.abs(np.fft.rfft(sounds[name][800:2848] * np.hanning(2048)))
    upper = frequencies > (first + second) / 2
    distances.append(abs(frequencies[np.argmax(spectrum * ~upper)] - first))
    distances.append(abs(frequencies[np.argmax(spectrum * upper)] - second))
claim(
    "The strongest multiples of the pitch lie at the formants that were put in, to within one pitch",
    max(distances) < 110,
    f"distances in hertz: {np.round(distances).astype(int).tolist()}",
)

# %% [markdown]
# ## Voices
#
# Now words of 3 to 5 vowels, gliding into each other. No two neighbours are equal. Each word has one voice, with its own pitch and its own **size**: a shorter throat and mouth raise *all* formants by one factor, here 0.8 to 1.3,
# and pitch and size are drawn independently. That makes a trap. Take ɔ, at 570 and 840 hertz, in a mouth 1.29 times as small: 735 and 1,084. That *is* the ɑ of the men in the table. A frame alone cannot say
# which of the two it is. Training has 60 voices, validation and test have 30 others each.

# %% tags=["setup"]
MOST_VOWELS, VOICE_SIZES = 5, (0.8, 1.3)
SAMPLES = 7296  # 0.9 seconds, a whole number of hops and one frame
FRAME_TIMES = (np.arange((SAMPLES - FRAME) // HOP + 1) * HOP + FRAME / 2) / RATE  # their middles


def make_voices(count, generator, sizes=VOICE_SIZES):
    """Pitches (count,) and formants (count, vowels, 2) in hertz; each voice has its own size, and is a little off."""
    pitches = np.exp(generator.uniform(*np.log((90, 250)), count))
    size = np.exp(generator.uniform(*np.log(sizes), (count, 1, 1)))
    off = np.exp(generator.normal(0, 0.02, (count, len(VOWELS), 2)))
    return pitches, size * off * list(VOWELS.values())


def plan_words(count, generator):
    """Words (count, 5) of 3 to 5 vowels from 1 on, then 0; and edges (count, 6), the seconds between vowels."""
    turn = generator.integers(1, len(VOWELS), (count, MOST_VOWELS)).cumsum(axis=1)
    length = generator.integers(3, MOST_VOWELS + 1, (count, 1))
    words = np.where(np.arange(MOST_VOWELS) < length, turn % len(VOWELS) + 1, 0)
    seconds = generator.uniform(0.08, 0.16, words.shape) * (words > 0)
    start = generator.uniform(0.03, 0.08, (count, 1))
    return words, np.hstack([start, start + seconds.cumsum(axis=1)])


def places_at(edges, times):
    """How many vowels of each word are over at each time: (words, times)."""
    return (times >= edges[:, 1:, np.newaxis]).sum(axis=1)


def vowels_at(words, edges, times):
    """Which vowel sounds at each time, from 1 on, or 0: (words, times)."""
    with_end = np.pad(words, ((0, 0), (0, 1)))
    return np.take_along_axis(with_end, places_at(edges, times), axis=1) * (times >= edges[:, :1])


# %% tags=["setup"]
def say(words, edges, voices, who, generator):
    """Sounds (words, SAMPLES) of planned words. who: (words, 5), the voice of each vowel."""
    pitches, formants = voices
    times = np.arange(0, SAMPLES, STEP) / RATE
    last = np.count_nonzero(words, axis=1)[:, np.newaxis] - 1
    place = np.minimum(places_at(edges, times), last)
    voice = np.take_along_axis(who, place, axis=1)
    tracks = formants[voice, np.take_along_axis(words, place, axis=1) - 1]  # (words, times, 2)
    glide = np.hanning(22) / np.hanning(22).sum()  # 40 ms from one vowel to the next
    tracks = scipy.ndimage.convolve1d(tracks, glide, axis=1, mode="nearest")
    from_edge = np.abs(times - edges[..., np.newaxis]).min(axis=1)
    loudness = (vowels_at(words, edges, times) > 0) * np.clip(0.5 + from_edge / 0.03, 0, 1)
    pitch = pitches[voice] * (1.1 - 0.2 * times / times[-1])  # a voice falls
    turns = np.repeat(pitch, STEP, axis=1).cumsum(axis=1) / RATE
    source = np.diff(turns // 1, axis=1, prepend=0) + generator.normal(0, 0.03, turns.shape)
    sounds = (np.repeat(loudness, STEP, axis=1) * source).T.copy()
    for formant, bandwidth in enumerate(BANDWIDTHS):
        resonate(sounds, tracks[..., formant].T, bandwidth)
    sounds = sounds.T / np.abs(sounds).max(axis=0)[:, np.newaxis]
    return (sounds + generator.normal(0, 0.005, sounds.shape)).astype("float32")


# %% tags=["setup"]
def make_words(count, voices, generator, mixed=False):
    """Sounds (count, SAMPLES), words (count, 5) and the vowel in each frame (count, frames).

    mixed: each vowel of a word comes from another voice.
    """
    words, edges = plan_words(count, generator)
    who = generator.integers(len(voices[0]), size=words.shape)
    who = who if mixed else np.repeat(who[:, :1], MOST_VOWELS, axis=1)
    sounds = [  # some words at a time, to save memory
        say(words[k : k + 100], edges[k : k + 100], voices, who[k : k + 100], generator)
        for k in range(0, count, 100)
    ]
    sounds = np.concatenate(sounds)
    return sounds, words, vowels_at(words, edges, FRAME_TIMES)


# %%
def as_vowels(word):
    return "".join(VOWEL_NAMES[number - 1] for number in word if number > 0)


training_words = make_words(1300, make_voices(60, generator), generator)
validation_voices = make_voices(30, generator)
validation_words = make_words(300, validation_voices, generator)

# %% [markdown]
# Listen to one. (If you see no player, run the cell: browsers show sound only from code that you trust.)


# %%
class Sound:
    """A sound that a notebook plays. samples: (samples,) between -1 and 1."""

    def __init__(self, samples):
        data = io.BytesIO()
        with wave.open(data, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", None))
            file.writeframes((samples * 32767).clip(-32768, 32767).astype("<i2").tobytes())
        self.data = base64.b64encode(data.getvalue()).decode()

    def _repr_html_(self):
        return f'<audio controls src="data:audio/wav;base64,{self.data}"></audio>'


Sound(0.8 * validation_words[0][0])

# %% alt="Above, the waveform of one word. Below, its spectrogram with two dark bands, the formants, that jump from vowel to vowel; the names of the vowels stand above."
sound, word, in_frames = (part[0] for part in validation_words)
figure, (upper, lower) = plt.subplots(2, 1, figsize=(6.6, 4.4), sharex=True)
upper.plot(np.arange(SAMPLES) / RATE, sound, linewidth=0.4, color=COLOURS["blue"])
upper.set_ylabel("sound pressure")
decibels = 20 * np.log10(spectrogram(sound).T + 1e-2)
extent = (0, SAMPLES / RATE, 0, RATE / 2)
lower.imshow(decibels, origin="lower", aspect="auto", extent=extent, vmin=-25)
lower.set(xlabel="seconds", ylabel="frequency (hertz)", ylim=(0, 3500))
for vowel, group in itertools.groupby(range(len(in_frames)), key=lambda frame: in_frames[frame]):
    if vowel:
        middle = np.mean([FRAME_TIMES[frame] for frame in group])
        lower.text(middle, 3100, VOWEL_NAMES[vowel - 1], ha="center", fontsize=13)
upper.set_title(f"the word {as_vowels(word)}")
plt.show()

# %% [markdown]
# The waveform hardly shows where a vowel ends. The spectrogram does: two dark bands, the formants, that move from vowel to vowel.
#
# Ears, and networks, need finer steps at low frequencies than at high ones. The **mel** scale follows that, $m = 2595 \log_{10}(1 + f/700)$. We sum the squared spectrogram in 32 bands, equally
# wide in mel and shaped as overlapping triangles, and take the logarithm, because loudness is felt in ratios. The result, the **log-mel spectrogram**, is what most speech networks read.


# %% tags=["setup"]
def mel_bands(count=32, lowest=80, highest=RATE / 2):
    """Weights that sum a spectrogram's 129 frequencies into overlapping triangles: (129, count)."""
    ends = 2595 * np.log10(1 + np.array([lowest, highest]) / 700)
    corners = 700 * (10 ** (np.linspace(*ends, count + 2) / 2595) - 1)
    left, top, right = corners[:-2], corners[1:-1], corners[2:]
    f = np.fft.rfftfreq(FRAME, 1 / RATE)[:, np.newaxis]
    return np.clip(np.minimum((f - left) / (top - left), (right - f) / (right - top)), 0, None)


def log_mel(sounds):
    """Log-mel spectrograms of sounds (n, samples), some at a time, to save memory: (n, frames, 32) float32."""
    bands = mel_bands().astype("float32")
    parts = [spectrogram(sounds[k : k + 250]) ** 2 @ bands for k in range(0, len(sounds), 250)]
    return np.log(np.concatenate(parts) + 1e-3)


# %%
training_mel = log_mel(training_words[0])
mean, spread = training_mel.mean(axis=(0, 1)), training_mel.std(axis=(0, 1))


def features(words):
    """The log-mel spectrograms of made words, on the scale of the training words: (n, frames, 32)."""
    return (log_mel(words[0]) - mean) / spread


# %% [markdown]
# ## Near and far
#
# In each frame of a word, which vowel sounds? We *know* it, since we made the words. So this is an ordinary classification, once for every frame, and we compare four listeners on new voices:
#
# - **one frame**: linear discriminant analysis, the classical method (a Gaussian for each vowel, one shared covariance);
# - **near**: two convolutions over 3 frames, which see 2 frames to each side, 32 ms;
# - **far**: four convolutions over 3 frames with dilations 1, 2, 4 and 8 (lesson 3.1), which see 15 frames to each side;
# - **both directions**: a convolution and a bidirectional GRU, which see the whole word.
#
# Predict: which of them can step out of the trap of ɔ and ɑ?


# %%
def make_listener(kind):
    """A network from log-mel spectrograms (batch, frames, 32) to logits (batch, frames, 7)."""
    layers = keras.layers
    x = inputs = keras.Input((None, 32))
    if kind == "both directions":
        x = layers.Conv1D(32, 3, padding="same", activation="relu")(x)
        x = layers.Bidirectional(layers.GRU(48, return_sequences=True))(x)
    else:
        filters, dilations = (80, (1, 1)) if kind == "near" else (48, (1, 2, 4, 8))
        for dilation in dilations:
            x = layers.Conv1D(
                filters, 3, padding="same", dilation_rate=dilation, activation="relu"
            )(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
    return keras.Model(inputs, layers.Dense(len(VOWELS) + 1)(x))


def train(model, inputs, targets, loss, epochs, batch, fastest):
    """Train with Adam and a step length that falls from `fastest` to 0. Returns the loss of each epoch."""
    steps = epochs * len(inputs) // batch
    falling = keras.optimizers.schedules.CosineDecay(fastest, steps)
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), loss=loss)
    history = model.fit(inputs, targets, batch_size=batch, epochs=epochs, verbose=0)
    return history.history["loss"]


# %%
per_class = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
training_features = features(training_words)
listeners = {}
for kind in ("near", "far", "both directions"):
    keras.utils.set_random_seed(SEED)
    listeners[kind] = make_listener(kind)
    losses = train(listeners[kind], training_features, training_words[2], per_class, 4, 32, 6e-3)
    print(f"{kind:15s} {listeners[kind].count_params():,} parameters, last loss {losses[-1]:.3f}")

sounding = training_words[2] > 0
one_frame = sklearn.discriminant_analysis.LinearDiscriminantAnalysis()
one_frame = one_frame.fit(training_features[sounding], training_words[2][sounding])


# %% [markdown]
# A listener names a vowel, or silence, in each frame. Neighbouring frames that say the same become one letter, and silence is dropped: the rule $B$ of lesson 4.3c makes words of frames.


# %% tags=["setup"]
BLANK = 0


def collapse(path):
    """Merge equal neighbours, then drop blanks. path: symbols. Returns a tuple."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return tuple(int(symbol) for symbol in merged if symbol != BLANK)


def share_right(read, words):
    """How many of the words (n, 5), filled up with 0, were read without a single mistake: a share."""
    return np.mean([got == tuple(word[word > 0]) for got, word in zip(read, words, strict=True)])


# %%
def heard(listener, words):
    """What a listener says in each frame: (n, frames). one_frame is asked where a vowel sounds."""
    if listener is one_frame:
        said = np.zeros(words[2].shape, int)
        said[words[2] > 0] = one_frame.predict(features(words)[words[2] > 0])
        return said
    return listener.predict(features(words), batch_size=100, verbose=0).argmax(axis=-1)


def scores(listener, words):
    """The share of sounding frames that are right, and of whole words, merged and without blanks."""
    said, sounding = heard(listener, words), words[2] > 0
    return np.mean((said == words[2])[sounding]), share_right(map(collapse, said), words[1])


all_listeners = {"one frame": one_frame, **listeners}
on_new_voices = {}
for kind, listener in all_listeners.items():
    on_new_voices[kind] = scores(listener, validation_words)
    print(f"{kind:15s} frames {on_new_voices[kind][0]:.3f}, words {on_new_voices[kind][1]:.3f}")

# %%
near_words, far_words, both_words = (on_new_voices[kind][1] for kind in listeners)
claim(
    "On new voices, who hears the whole word gets over a tenth more of the words right than who hears only what is near",
    min(far_words, both_words) > near_words + 0.1,
    f"near {near_words:.3f}, far {far_words:.3f}, both directions {both_words:.3f}",
)
claim(
    "It is the reach that counts, not the recurrence: far convolutions and the recurrent layer are close, and both above what is near",
    abs(far_words - both_words) < 0.08 and min(far_words, both_words) > near_words + 0.1,
    f"far {far_words:.3f}, both directions {both_words:.3f}, near {near_words:.3f}",
)
claim(
    "Each network names more frames right than the classical method does",
    min(on_new_voices[kind][0] for kind in listeners) > on_new_voices["one frame"][0],
    ", ".join(f"{kind} {frames:.3f}" for kind, (frames, _) in on_new_voices.items()),
)

# %%
truth, said = validation_words[2], heard(listeners["near"], validation_words)
wrong = (said != truth) & (truth > 0) & (said > 0)
trap = {VOWEL_NAMES.index("ɑ") + 1, VOWEL_NAMES.index("ɔ") + 1}
in_trap = np.mean([{t, s} == trap for t, s in zip(truth[wrong], said[wrong], strict=True)])
claim(
    "Most confusions of the near listener are those of ɑ and ɔ, though they are one of 15 pairs",
    in_trap > 0.5,
    f"{in_trap:.2f} of {wrong.sum()} wrong frames",
)

# %% [markdown]
# So that is where reach pays. A vowel of the same mouth elsewhere in the word tells the listener the size, and the size tells ɑ from ɔ. People do the same: in a famous experiment, what listeners took a synthetic word for
# depended on the formants of the *sentence in front of it* (Ladefoged and Broadbent, 1957).
#
# If this explanation is true, it can be tested. Say each vowel of a word with *another* voice. Every single vowel is as clear as before; only the help from the others is gone. What will happen to each listener?

# %%
mixed_words = make_words(300, validation_voices, generator, mixed=True)
on_mixed = {kind: scores(listener, mixed_words) for kind, listener in all_listeners.items()}
for kind, (frames, whole) in on_mixed.items():
    print(f"{kind:15s} frames {frames:.3f}, words {whole:.3f}")
lost = {kind: on_new_voices[kind][0] - on_mixed[kind][0] for kind in all_listeners}
claim(
    "Mixing voices within words costs the far listeners more frames than the near one and the single frame",
    min(lost["far"], lost["both directions"]) > max(lost["near"], lost["one frame"]) + 0.01,
    ", ".join(f"{kind} loses {frames:.3f}" for kind, frames in lost.items()),
)

# %% [markdown]
# The listeners with reach trusted the rest of the word, and now it misleads them. What a network has learned to lean on is part of what it knows.
#
# ## The same loss for sound
#
# In real recordings nobody knows which vowel sounds in which frame. So take the labels of the frames away and give the bidirectional GRU only the spelling, with the CTC loss of lesson 4.3c. Silence is the blank, and no two neighbouring vowels of our words are equal.

# %%
keras.utils.set_random_seed(SEED)
speller = make_listener("both directions")
losses = train(speller, training_features, training_words[1], keras.losses.CTC(), 7, 32, 6e-3)
spelled = share_right(map(collapse, heard(speller, validation_words)), validation_words[1])
print(f"loss by epoch: {', '.join(f'{loss:.2f}' for loss in losses)}")
claim(
    "From spellings alone the network learns to spell more than three in four words of new voices",
    spelled > 0.75,
    f"{spelled:.3f} of the words; trained with a label for each frame {both_words:.3f}",
)

# %% [markdown]
# Compare the two figures with care. Here the loss asks for whole words; a listener trained on frames loses a word for a single wrong frame at a glide, and it trained for fewer epochs.
#
# Last, the test: 30 voices that nobody has used. And 30 voices outside of everything the network knows, with mouths 1.4 to 1.6 times as small, smaller than any in training.

# %% tags=["headline"]
tests = {
    "new voices": make_words(300, make_voices(30, generator), generator),
    "small voices": make_words(300, make_voices(30, generator, sizes=(1.4, 1.6)), generator),
}
tested = {
    name: (
        scores(listeners["both directions"], words)[1],
        share_right(map(collapse, heard(speller, words)), words[1]),
    )
    for name, words in tests.items()
}
claim(
    "New voices of the trained sizes are understood, smaller ones mostly not",
    min(tested["new voices"]) > 0.7 and max(tested["small voices"]) < 0.5,
    "; ".join(
        f"{name}: frame labels {labels:.3f}, spellings {spellings:.3f}"
        for name, (labels, spellings) in tested.items()
    ),
)

# %% [markdown]
# This is not a toy's weakness. Speech recognisers make more mistakes for voices that are rare in their training data, and those are the voices of people. A test set with the same voices as the training set cannot show it.

# %% [markdown]
# ## Full size: digits spoken by people
#
# Now real recordings: 3,000 of the words *zero* to *nine* by six people (Free Spoken Digit Dataset). They are a download of 16 MB, once, which Keras keeps in its cache. Where there is neither cache nor network, the next cell says what to do, and
# the lesson goes on.

# %%
try:
    spoken = load_spoken_digits()
except RuntimeError as what_to_do:
    spoken = None
    print(what_to_do)

# %% [markdown]
# The words are short, so the whole recording gets one label and no CTC is needed. Two networks read its log-mel spectrogram: convolutions with a maximum over time at the end, and a bidirectional GRU. The classical method is
# linear discriminant analysis on the mean spectra of the beginning, middle and end. The honest question is about people the network has *not* heard, so we **split by speaker**: three rounds, in each of them four people train and the other two examine. Beside it stands
# a split by recording, in which everyone is on both sides.


# %%
SPOKEN_FRAMES = 64  # one second; longer recordings are cut, shorter ones end in silence
WORD_EPOCHS = 8


def spoken_features(waves):
    """Log-mel spectrograms (n, 64, 32), and mean spectra of each recording's thirds (n, 96)."""
    mel = []
    for samples in waves:
        sound = np.zeros((1, FRAME + (SPOKEN_FRAMES - 1) * HOP), "float32")
        samples = samples[: sound.shape[1]] / np.abs(samples).max()
        sound[0, : len(samples)] = samples
        mel.extend(log_mel(sound))
    lengths = [max(3, min(SPOKEN_FRAMES, len(samples) // HOP)) for samples in waves]
    thirds = [
        [part.mean(axis=0) for part in np.array_split(each[:length], 3)]
        for each, length in zip(mel, lengths, strict=True)
    ]
    return np.array(mel), np.reshape(thirds, (len(waves), -1))


# %%
def make_word_listener(kind):
    """A network from log-mel spectrograms (batch, 64, 32) to logits (batch, 10)."""
    layers = keras.layers
    x = inputs = keras.Input((SPOKEN_FRAMES, 32))
    if kind == "recurrent":
        x = layers.Conv1D(32, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.Bidirectional(layers.GRU(48))(layers.Dropout(0.2)(x))
    else:
        for stride in (1, 2, 2):
            x = layers.Conv1D(64, 3, strides=stride, padding="same", activation="relu")(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.GlobalMaxPooling1D()(layers.Dropout(0.3)(x))
    model = keras.Model(inputs, layers.Dense(10)(x))
    # two thirds of the 3,000 recordings, in batches of 50
    falling = keras.optimizers.schedules.CosineDecay(4e-3, WORD_EPOCHS * 2000 // 50)
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), loss=per_class)
    return model


# %%
def start_again(model, weights):
    """Give a network these weights, and let its optimizer forget all it has seen."""
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))


def examine(mel, thirds, labels, held_out):
    """The share of held-out recordings each method names right, trained on the others."""
    shares = {}
    classical = sklearn.discriminant_analysis.LinearDiscriminantAnalysis()
    classical.fit(thirds[~held_out], labels[~held_out])
    shares["classical"] = classical.score(thirds[held_out], labels[held_out])
    known = mel[~held_out]
    mel = (mel - known.mean(axis=(0, 1))) / known.std(axis=(0, 1))
    for kind, (model, first_weights) in word_listeners.items():
        start_again(model, first_weights)
        model.fit(mel[~held_out], labels[~held_out], 50, epochs=WORD_EPOCHS, verbose=0)
        said = model.predict(mel[held_out], batch_size=100, verbose=0).argmax(axis=-1)
        shares[kind] = np.mean(said == labels[held_out])
    return shares


# %%
if spoken is not None:
    waves, spoken_labels, speakers = spoken
    mel, thirds = spoken_features(waves)
    names = np.unique(speakers)
    generator.shuffle(names)
    keras.utils.set_random_seed(SEED)
    word_listeners = {}  # one of each kind for all rounds: every new network would take new memory
    for kind in ("convolution", "recurrent"):
        model = make_word_listener(kind)
        word_listeners[kind] = model, model.get_weights()
    rounds = [
        examine(mel, thirds, spoken_labels, np.isin(speakers, names[k : k + 2])) for k in (0, 2, 4)
    ]
    by_recording = examine(
        mel, thirds, spoken_labels, generator.permutation(len(speakers)) < len(speakers) // 3
    )
    by_speaker = {kind: [shares[kind] for shares in rounds] for kind in by_recording}
    for kind, shares in by_speaker.items():
        each = ", ".join(f"{share:.2f}" for share in shares)
        print(
            f"{kind:11s} new speakers {np.mean(shares):.3f} ({each}), new recordings {by_recording[kind]:.3f}"
        )

# %%
if spoken is not None:
    drops = {kind: by_recording[kind] - np.mean(shares) for kind, shares in by_speaker.items()}
    claim(
        "A split by recording flatters every method: spoken digits of new speakers cost all of them more than ten points in a hundred",
        min(drops.values()) > 0.1,
        ", ".join(f"{kind} {drop:.2f}" for kind, drop in drops.items()),
    )
    claim(
        "On speakers it has never heard, each method names spoken digits far better than guessing",
        min(np.mean(shares) for shares in by_speaker.values()) > 0.3,
        ", ".join(f"{kind} {np.mean(shares):.2f}" for kind, shares in by_speaker.items())
        + "; guessing 0.10",
    )
    claim(
        "With all speakers known, the networks name more than nine in ten spoken digits",
        min(by_recording["convolution"], by_recording["recurrent"]) > 0.9,
        ", ".join(f"{kind} {share:.3f}" for kind, share in by_recording.items()),
    )

# %% [markdown]
# If the cells above printed nothing but how to get the recordings, they are not on this machine. Where they are, three claims hold: with all speakers known the networks name over nine in ten words; on new
# speakers every method loses more than ten points in a hundred; and what is left is far above guessing. Look at the three rounds: who the two examiners are matters more than which network listens. With six people one cannot say which network is better for a seventh.
#
# ## Common mistakes
#
# - **The same speaker on both sides of a split.** Split by speaker, and by session and microphone where you know them.
# - **Scaling with the test words.** Means and spreads come from training words only.
# - **Frames without a window.** A hard edge smears every tone over all frequencies.
# - **A spectrogram without the logarithm.** Loud vowels then drown quiet ones.
# - **Silence left out of the classes.** A listener has to say when nothing is said.
# - **Giving up at the first CTC losses, or trusting one seed.** Until a network knows something, blank everywhere is its best answer, and it can stay there. A high bias for the blank at the start (lesson 4.3c), another seed or another step length may leave that place at once.
# - **A recurrent layer because it is speech.** Ask first how far a listener has to hear; dilated convolutions may hear as far.

# %% [markdown]
# ## Exercise 1: predict the spectrogram
#
# Before you compute anything: a spectrogram with frames of 256 samples, hops of 128, 8,000 samples a second. How many frames has one second (only whole ones)? In which of the 129 rows, counted from 0, is a tone of 1,000 hertz strongest? And which frequency has the *highest* row?

# %% tags=["exercise"]
frames_a_second = None
row_of_tone = None
highest_frequency = None
### BEGIN SOLUTION
frames_a_second = (8000 - 256) // 128 + 1
row_of_tone = 1000 / (8000 / 256)  # rows are 31.25 hertz apart
highest_frequency = 4000  # half of the sampling rate
### END SOLUTION

# %% tags=["wrong"] says="the first takes 256 samples, each further one 128 more"
# 8000 / 128, as if frames had no length
frames_a_second, row_of_tone, highest_frequency = 62, 32, 4000

# %% tags=["wrong"] says="two samples a period are the least that can show a tone"
frames_a_second, row_of_tone, highest_frequency = 61, 32, 8000  # the sampling rate

# %% tags=["wrong"] says="two neighbouring rows are rate / 256 hertz apart"
frames_a_second, row_of_tone, highest_frequency = 61, 16, 4000  # rows of 62.5 hertz

# %% tags=["check"]
with feedback("Predict the spectrogram"):
    seconds = np.arange(RATE) / RATE
    seen = spectrogram(np.sin(2 * np.pi * 1000 * seconds).astype("float32"))
    assert frames_a_second == len(seen), (
        f"there are {len(seen)} frames: the first takes 256 samples, each further one 128 more"
    )
    assert row_of_tone == seen[0].argmax(), (
        f"not row {row_of_tone}: two neighbouring rows are rate / 256 hertz apart"
    )
    assert highest_frequency == RATE / 2, (
        "two samples a period are the least that can show a tone: which frequency is that?"
    )

# %% [markdown]
# ## Exercise 2: what a mouth's size leaves
#
# A smaller mouth multiplies both formants by one factor. Write a function that makes of two formants **one** number that no such factor can change. Which two of the six vowels lie nearest to each other in your number?
# (That is why the trap has just these two.)


# %% tags=["exercise"]
def size_free(formants):
    """A number for each pair of formants, (..., 2) in hertz, that a mouth's size does not change: (...)."""
    ### BEGIN SOLUTION
    formants = np.asarray(formants, float)
    return np.log(formants[..., 1] / formants[..., 0])
    ### END SOLUTION


nearest_pair = None  # two keys of VOWELS
### BEGIN SOLUTION
numbers = {name: size_free(formants) for name, formants in VOWELS.items()}
nearest_pair = min(
    itertools.combinations(VOWELS, 2), key=lambda pair: abs(numbers[pair[0]] - numbers[pair[1]])
)
### END SOLUTION


# %% tags=["wrong"] says="which way of comparing two numbers loses a common factor?"
def size_free(formants):  # a difference grows with the factor
    formants = np.asarray(formants, float)
    return formants[..., 1] - formants[..., 0]


nearest_pair = "ɑ", "ɔ"


# %% tags=["wrong"] says="your number is the same for all vowels"
def size_free(formants):  # nothing changes this, and it says nothing
    return np.zeros(np.shape(formants)[:-1])


nearest_pair = "ɑ", "ɔ"


# %% tags=["wrong"] says="compute your number for all six and compare all pairs"
def size_free(formants):
    formants = np.asarray(formants, float)
    return formants[..., 1] / formants[..., 0]


nearest_pair = "ɛ", "æ"  # nearest in hertz, for one mouth


# %% tags=["wrong"] says="a vowel's number hangs on its own two formants only"
def size_free(formants):  # one factor for all six cancels, a factor for each does not
    formants = np.asarray(formants, float)
    return formants[..., 0] / formants.mean()


nearest_pair = "ɑ", "ɔ"


# %% tags=["check"]
with feedback("What a mouth's size leaves"):
    men = np.array(list(VOWELS.values()), float)
    got = size_free(men)
    assert np.shape(got) == (6,), (
        f"six vowels give six numbers, yours have the shape {np.shape(got)}"
    )
    assert np.allclose(size_free(1.3 * men), got), (
        "formants 1.3 times as high give other numbers: which way of comparing two numbers loses a common factor?"
    )
    assert np.ptp(got) > 0, (
        "your number is the same for all vowels: it has to depend on the formants"
    )
    sizes = np.array([[1.0], [1.3], [0.8], [1.1], [0.9], [1.2]])
    assert np.allclose(size_free(sizes * men), got) and np.allclose(
        size_free(men[::-1]), got[::-1]
    ), (
        "six mouths of different sizes, or another order: a vowel's number hangs on its own two formants only"
    )
    table = np.shape(size_free(men.reshape(2, 3, 2)))
    assert table == (2, 3), (
        f"formants (2, 3, 2) give numbers (2, 3), yours {table}: count axes from the back"
    )
    assert np.diff(np.sort(got)).min() > 1e-6, (
        f"your numbers are {np.round(got, 3)}: two different vowels have the same one"
    )
    spellings = {"a": "ɑ", "hod": "ɑ", "o": "ɔ", "hawed": "ɔ"}
    assert {spellings.get(name, name) for name in nearest_pair} == {"ɑ", "ɔ"}, (
        f"not {nearest_pair}: compute your number for all six and compare all pairs"
    )

# %% [markdown]
# ## Exercise 3: repair this
#
# This function shall hold out all recordings of some speakers, drawn at random. It has **two** mistakes. Mend it.
#
# ```python
# def split_by_speaker(speakers, count, generator):
#     examiners = generator.choice(speakers, count)
#     held_out = generator.random(len(speakers)) < np.isin(speakers, examiners).mean()
#     return ~held_out, held_out
# ```


# %% tags=["exercise"]
def split_by_speaker(speakers, count, generator):
    """Who trains and who examines: two arrays of truth values, (n,), for `count` speakers held out. speakers: (n,) names."""
    ### BEGIN SOLUTION
    examiners = generator.choice(np.unique(speakers), count, replace=False)
    held_out = np.isin(speakers, examiners)
    return ~held_out, held_out
    ### END SOLUTION


# %% tags=["wrong"] says="who talks most is drawn most often, and can be drawn twice"
def split_by_speaker(speakers, count, generator):  # may draw one speaker twice
    examiners = generator.choice(speakers, count)
    held_out = np.isin(speakers, examiners)
    return ~held_out, held_out


# %% tags=["wrong"] says="hold out all recordings of a speaker, or none"
def split_by_speaker(speakers, count, generator):  # as many recordings, but of everybody
    examiners = generator.choice(np.unique(speakers), count, replace=False)
    held_out = generator.random(len(speakers)) < np.isin(speakers, examiners).mean()
    return ~held_out, held_out


# %% tags=["check"]
with feedback("Repair this"):
    said_by = np.random.default_rng(1).permutation(["ann"] * 30 + ["bo", "cy", "dee"] * 5)
    drawn = []
    for trial in range(150):
        people = said_by if trial % 5 else said_by[said_by != "bo"]
        count = 1 + trial % 2
        trains, held = split_by_speaker(people, count, np.random.default_rng(trial))
        assert np.shape(trains) == np.shape(held) == people.shape, (
            f"two truth values for each of {len(people)} recordings, yours {np.shape(trains)}, {np.shape(held)}"
        )
        in_training, examiners = set(people[np.equal(trains, 1)]), set(people[np.equal(held, 1)])
        assert not in_training & examiners, (
            f"{', '.join(sorted(in_training & examiners))} both trains and examines: hold out all recordings of a speaker, or none"
        )
        assert in_training | examiners == set(people), (
            "who does not examine trains: nobody is left out"
        )
        assert len(examiners) == count, (
            f"asked for {count} to examine, got {len(examiners)}: who talks most is drawn most often, and can be drawn twice"
        )
        drawn += examiners
        again = split_by_speaker(people, count, np.random.default_rng(trial))[1]
        assert np.array_equal(held, again), (
            "draw with the generator that you are given, once a call"
        )
    often = drawn.count("ann") / len(drawn)
    assert 0.15 < often < 0.4, (
        f"ann, one of four, is {often:.2f} of all you draw: each speaker has the same chance, talking much or little"
    )

# %% [markdown]
# ## Exercise 4: beat this baseline (open-ended)
#
# The linear discriminant hears one frame. Give it more, without any network: your function gets the log-mel spectrograms of words and returns features for each frame, as many as you like. On voices it has never heard, the discriminant has
# to name at least 35 in a thousand frames more than with single frames.

# %% tags=["setup"]
few_voices = np.random.default_rng(SEED + 7)
few_words = [make_words(200, make_voices(30, few_voices), few_voices) for _ in range(2)]


def discriminant_score(features_of):
    """Frames named right on new voices by a linear discriminant on features_of(log-mel spectrograms): a share."""
    known, new = ((features_of(log_mel(sounds)), frames) for sounds, _, frames in few_words)
    classical = sklearn.discriminant_analysis.LinearDiscriminantAnalysis()
    classical.fit(known[0][known[1] > 0], known[1][known[1] > 0])
    return classical.score(new[0][new[1] > 0], new[1][new[1] > 0])


# %% tags=["exercise"]
def frame_features(mel):
    """Features for each frame. mel: (n, frames, 32). Returns (n, frames, as many as you like)."""
    ### BEGIN SOLUTION
    # The mean and the loudest moment of each band over a word tell of its voice.
    word = np.concatenate([mel.mean(axis=1), mel.max(axis=1)], axis=-1)
    word = np.repeat(word[:, np.newaxis], mel.shape[1], axis=1)
    return np.concatenate([mel, word], axis=-1)
    ### END SOLUTION


# %% tags=["wrong"] says="that is what the single frame has"
def frame_features(mel):  # no more than the baseline has
    return mel


# %% tags=["wrong"] says="tell each frame the level of its word, do not take it away"
def frame_features(mel):  # takes the word's mean away instead of telling it: not enough
    return mel - mel.mean(axis=1, keepdims=True)


# %% tags=["wrong"] says="a word's features change with the words beside it"
def frame_features(mel):  # the mean over the words: another axis
    everybody = np.broadcast_to(mel.mean(axis=0), mel.shape)
    return np.concatenate([mel, everybody], axis=-1)


# %% tags=["check"]
with feedback("Beat this baseline"):
    three = log_mel(few_words[0][0][:3])
    got = frame_features(three)
    assert got is not None, "frame_features returns nothing yet"
    assert np.ndim(got) == 3 and got.shape[:2] == three.shape[:2], (
        f"expected (words, frames, features), yours is {np.shape(got)}"
    )
    assert not np.array_equal(got, three), "that is what the single frame has: give it more"
    assert np.allclose(frame_features(three[:1]), got[:1], atol=1e-3), (
        "a word's features change with the words beside it: each word is heard alone"
    )
    assert not np.allclose(frame_features(three + 1), got, atol=1e-3), (
        "a louder word has the same features: tell each frame the level of its word, do not take it away"
    )
    single, share = discriminant_score(lambda mel: mel), discriminant_score(frame_features)
    assert share >= single + 0.035, (
        f"single frames {single:.3f}, yours {share:.3f}: let each frame know what the rest of the word is like"
    )

# %% [markdown]
# ## Summary
#
# - A vowel is a source through a filter; the filter's formants are the vowel, and they move with the tongue and with the size of the mouth.
# - A spectrogram is a Fourier transform of windowed frames; in mel bands and on a logarithmic scale it is what speech networks read.
# - One frame cannot tell ɔ from ɑ. Who hears further can, for the rest of the word tells the size of the mouth; mix the voices, and that help becomes a trap.
# - What counts is how far a listener hears. Dilated convolutions did about as well as a bidirectional GRU.
# - With the CTC loss, spellings are enough.
# - Voices outside of the training range were mostly not understood. A split by recording would not have shown it.
#
# Not shown: consonants, noise and rooms, language models, and large speech models trained on thousands of hours. Lesson 6.1 gives every frame a direct view of every other.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why a window of 32 ms? What would 4 ms or 200 ms show?</summary>
#
# A window of 4 ms tells when, not which frequency: its rows are 250 hertz apart. One of 200 ms tells frequencies to 5 hertz and mixes two or three vowels. Their product is fixed: twice as fine in time is half as fine in frequency.
#
# </details>
#
# <details>
# <summary>A recogniser was tested on recordings that were drawn at random from all recordings. What do you ask before you believe its figure?</summary>
#
# Whether its users are among the speakers it was trained on. If they are not, the figure says little about them: ask for a test on other people.
#
# </details>
#
# <details>
# <summary>Why does the pitch not tell the listener the size of the mouth?</summary>
#
# In our words the two were drawn independently. In people they go together, loosely, and a listener may use that. A test would again be to break the link.
#
# </details>
#
# <details>
# <summary>Live subtitles have to appear while somebody speaks. Which of the listeners can be used?</summary>
#
# None as it is, except the single frame: the others wait for what comes, 15 frames at most for the convolutions, the whole word for the bidirectional GRU. Causal convolutions and a GRU from left to right hear the past only; some networks allow themselves a short look ahead.
#
# </details>

# %% [markdown]
# ## References
#
# - G. E. Peterson, H. L. Barney (1952). Control methods used in a study of the vowels. doi:10.1121/1.1906875
# - P. Ladefoged, D. E. Broadbent (1957). Information conveyed by vowels. doi:10.1121/1.1908694
# - D. H. Klatt (1980). Software for a cascade/parallel formant synthesizer. doi:10.1121/1.383940
# - A. Graves, S. Fernández, F. Gomez, J. Schmidhuber (2006). Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks. doi:10.1145/1143844.1143891
# - S. Bai, J. Z. Kolter, V. Koltun (2018). An empirical evaluation of generic convolutional and recurrent networks for sequence modeling. arXiv:1803.01271
# - Z. Jackson and others (2018). Free Spoken Digit Dataset. doi:10.5281/zenodo.1342401
