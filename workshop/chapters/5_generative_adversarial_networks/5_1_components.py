# ---
# jupyter:
#   course:
#     prerequisites: ["2.3", "3.1"]
#     equal_programs:
#       "Stop the circle without a penalty":
#         "one side: RATE * theta_slope -> theta_slope": "a longer look ahead stops the circle as well"
#         "one side: RATE * psi_slope -> psi_slope": "a longer look ahead stops the circle as well"
#     core_minutes: 95
# ---

# %% [markdown]
# # 5.1 Components
#
# **After this lesson you can** say what the two networks of a GAN play for, derive what a perfect discriminator answers, write the training
# loop with `GradientTape` and as a `keras.Model`, explain why the game runs in circles and what stops it, and tell with numbers whether a generator is healthy, without trusting its loss curves.
#
# **You build** a generator that learns a ring of eight clusters, three ways to break it, and the measurements that tell which is which.
#
# **Question.** How can a network learn to draw when nobody ever shows it what it should have drawn from its noise?

# %% tags=["setup"]
import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
import sklearn.mixture
import sklearn.neighbors
import tensorflow as tf
from keras import ops

from workshop.kit import COLOURS, claim, feedback, use_course_settings, use_course_style

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## A forger and an examiner
#
# So far every input had its target. Now there is only a heap of real examples, and you want more of their kind. A **generator** $G$ turns
# random numbers, the **noise** $z$, into an example $G(z)$. There is no right answer for a given $z$, so there is no loss to write down. Instead, a second network gives marks. The
# **discriminator** $D$ sees real examples and **fakes**, that is outputs of the generator, and says for each how probable it is that it is real. The examiner learns to tell them apart, the forger learns
# to pass. Together they are a **generative adversarial network** (GAN).

# %% [markdown]
# ![Noise z goes through the generator G and becomes a fake. Real examples x and fakes go into the discriminator D, which puts out a logit a. The discriminator's loss goes back to the discriminator only; the generator's loss goes back through the discriminator to the generator.](../../../images/gan_game.png)

# %% [markdown]
# The discriminator is a classifier with two classes, and you know its loss: binary cross-entropy (lesson 2.3), with label 1 for real, 0 for fake. Let $a(x)$ be its logit and $D = \sigma(a) = 1/(1+e^{-a})$. Then
# $-\log D = \log(1+e^{-a})$ and $-\log(1-D) = \log(1+e^{a})$. The function $\log(1+e^t)$ is called **softplus**, so
#
# $$L_D = \underbrace{\mathrm{mean}\;\mathrm{softplus}(-a_\text{real})}_{-\log D,\ \text{real ones}} + \underbrace{\mathrm{mean}\;\mathrm{softplus}(a_\text{fake})}_{-\log(1-D),\ \text{fakes}}.$$
#
# And the generator? It wants the opposite. There are two ways to say so, and they are not the same:
#
# - **minimax**: it maximises $L_D$. Only the second term depends on it: $L_G = -\,\mathrm{mean}\;\mathrm{softplus}(a_\text{fake})$.
# - **non-saturating**: it wants its fakes to be called real: $L_G = \mathrm{mean}\;\mathrm{softplus}(-a_\text{fake})$, the cross-entropy with the wrong label on purpose.
#
# A game small enough for paper: two real numbers 2 and 3, noise $-1$ and $1$, a generator that changes nothing, $G(z)=z$, and a discriminator $a(x) = x - 1$. The logits are 1, 2 for
# the real ones and $-2$, 0 for the fakes. Which of the four does the examiner get most wrong?


# %% tags=["setup"]
def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy with label 1 for real and 0 for fake: the mean over the real ones plus the mean over the fakes."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def minimax_loss(fake_logits):
    """The generator's loss: minus what the discriminator loses on fakes."""
    return -ops.mean(ops.softplus(fake_logits))


def non_saturating_loss(fake_logits):
    """The generator's loss: how surprised the discriminator would be if the fakes were real."""
    return ops.mean(ops.softplus(-fake_logits))


# %% tags=["nbval-check-output"]
real_numbers, noise = np.array([2.0, 3.0]), np.array([-1.0, 1.0])
real_logits, fake_logits = real_numbers - 1, noise - 1
print("D of the real ones", (1 / (1 + np.exp(-real_logits))).round(3))
print("D of the fakes    ", (1 / (1 + np.exp(-fake_logits))).round(3))
print(f"discriminator {float(discriminator_loss(real_logits, fake_logits)):.3f}")
print(f"generator, minimax {float(minimax_loss(fake_logits)):.3f}")
print(f"generator, non-saturating {float(non_saturating_loss(fake_logits)):.3f}")

# %% [markdown]
# The fake at 1 fools it most: it answers one half. Keras has no loss named after GANs, because it needs none: `BinaryCrossentropy(from_logits=True)` with the labels as above is all three.

# %% without_learning="arithmetic"
crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)
ones, zeros = np.ones(2), np.zeros(2)
from_keras = np.array(
    [
        crossentropy(ones, real_logits) + crossentropy(zeros, fake_logits),
        -crossentropy(zeros, fake_logits),
        crossentropy(ones, fake_logits),
    ]
)
ours = np.array(
    [
        discriminator_loss(real_logits, fake_logits),
        minimax_loss(fake_logits),
        non_saturating_loss(fake_logits),
    ]
)
difference = np.abs(ours - from_keras).max()
claim(
    "The three losses are Keras's binary cross-entropy with the right labels",
    difference < 1e-6 and np.ptp(ours) > 1,
    f"difference {difference:.0e}, losses {ours.round(3)}",
)

# %% [markdown]
# ## What the best discriminator knows
#
# Hold the generator still. Real examples have the density $p(x)$, fakes $q(x)$. With endless data the means become integrals, and the discriminator maximises
#
# $$V = -L_D = \int \big[\, p(x) \log D(x) + q(x) \log(1 - D(x)) \,\big]\, dx .$$
#
# If $D$ may be any function, it can choose its value at each $x$ by itself. So take one $x$ and call its value $d$. The bracket $p \log d + q \log(1-d)$ has the slope $p/d - q/(1-d)$. The
# slope is zero where $p(1-d) = qd$, and it falls everywhere ($-p/d^2 - q/(1-d)^2 < 0$), so that this is the highest point:
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}, \qquad a^*(x) = \log\frac{D^*}{1-D^*} = \log \frac{p(x)}{q(x)} .$$
#
# The perfect examiner's logit is the log of the **density ratio**: how many times more often one finds real ones here than fakes. Nobody told it a density. Does a trained network really find that?
# Take two densities that you know: $p$ has two hills, $q$ is one broad hill between them. Before you run it: at which points will the answer be one half?


# %% tags=["setup"]
def normal_density(x, mean, spread):
    return np.exp(-(((x - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))


def two_hills(x):
    return (normal_density(x, -1.5, 0.5) + normal_density(x, 1.5, 0.5)) / 2


# %%
COUNT = 20_000
rng = np.random.default_rng(SEED)
real = rng.choice([-1.5, 1.5], COUNT) + 0.5 * rng.normal(size=COUNT)
fake = rng.normal(size=COUNT)
examples = np.concatenate([real, fake])[:, np.newaxis].astype("float32")
labels = np.repeat([1.0, 0.0], COUNT)[:, np.newaxis]

examiner = keras.Sequential(
    [
        keras.Input((1,)),
        keras.layers.Dense(32, activation="tanh"),
        keras.layers.Dense(32, activation="tanh"),
        keras.layers.Dense(1),
    ]
)

# %%
EPOCHS, BATCH = 15, 500
grid = np.linspace(-4, 4, 801)
p, q = two_hills(grid), normal_density(grid, 0, 1)
formula = p / (p + q)


def answers_on_grid():
    """The examiner's probability of *real* at each point of the grid: (801,)."""
    return ops.sigmoid(examiner(grid[:, np.newaxis].astype("float32"))).numpy()[:, 0]


def distance(answers):
    """The mean distance from the formula, where each point counts as often as it occurs in the data."""
    return np.average(np.abs(answers - formula), weights=p + q)


untrained = distance(answers_on_grid())
falling_rate = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * len(examples) // BATCH)
examiner.compile(keras.optimizers.Adam(falling_rate), crossentropy)
history = examiner.fit(examples, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)

# %% alt="Above, two densities: p with two hills at minus and plus 1.5, q with one broad hill at 0. Below, the trained discriminator's answer lies on the curve p divided by p plus q, high over the two hills and low at 0; far outside it leaves the curve."
figure, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(6.6, 5.0))
upper.plot(grid, p, label="p, real")
upper.plot(grid, q, label="q, fake")
upper.set_ylabel("density")
upper.legend()
lower.plot(grid, formula, color="0.6", linewidth=6, linestyle="-", label="p / (p + q)")
lower.plot(grid, answers_on_grid(), color=COLOURS["black"], label="trained D")
lower.set_ylabel("probability of real")
lower.set_xlabel("x")
lower.legend(loc="upper center")
plt.show()

# %% [markdown]
# Where there are data, it lies on the formula, and crosses one half where the two densities cross. Far outside it has seen next to nothing, and what it says there is a guess.

# %%
trained = distance(answers_on_grid())
claim(
    "A discriminator trained on two known densities answers p / (p + q), within 0.03 on average",
    trained < 0.03 and untrained > 0.1,
    f"mean distance {trained:.4f}, before training {untrained:.3f}",
)

# %% [markdown]
# The density ratio is worth something by itself. Give each fake the weight $p/q = e^{a}$ and the fakes behave like real ones. The mean square of the real ones is $1.5^2 + 0.5^2 = 2.5$, that of the fakes is 1. Can you
# get at the first with nothing but fakes and the examiner's opinion of them?

# %%
fresh_fake = rng.normal(size=COUNT)
weights = np.exp(examiner(fresh_fake[:, np.newaxis].astype("float32")).numpy()[:, 0])
unweighted, weighted = np.mean(fresh_fake**2), np.average(fresh_fake**2, weights=weights)
claim(
    "Fakes weighted by the density ratio have the mean square of the real ones, within 0.25",
    abs(weighted - 2.5) < 0.25 and unweighted < 1.2,
    f"weighted {weighted:.3f}, unweighted {unweighted:.3f}, real {np.mean(real**2):.3f}",
)

# %% [markdown]
# ## What the generator then minimises
#
# Put $D^*$ back into $V$. Write $m = (p+q)/2$ for the average of the two densities, so that $D^* = p/(2m)$ and $1 - D^* = q/(2m)$:
#
# $$V^* = \int p \log\frac{p}{2m} + \int q \log\frac{q}{2m} = -2\log 2 + \underbrace{\int p\log\frac pm + \int q \log\frac qm}_{=\,2\,\mathrm{JS}(p,\,q)} .$$
#
# The two integrals are Kullback-Leibler divergences. Half their sum is the **Jensen-Shannon divergence** (JS): never negative, zero only if $p = q$, and $\log 2$ if the two never meet. So against a perfect examiner the
# minimax generator minimises a measure of how far $q$ is from $p$, and the only thing that wins is $q = p$. For the discriminator's loss this means
#
# $$L_D^* = 2 \log 2 - 2\,\mathrm{JS} .$$
#
# At the end of a game that the generator has won, $L_D = \log 4$, and every answer is one half. (Keras's mean over a mixed batch is half of that, $\log 2$.)

# %% without_learning="arithmetic"
wide = np.linspace(-9, 9, 3601)  # beyond, both densities are next to nothing
step_width = wide[1] - wide[0]
p, q = two_hills(wide), normal_density(wide, 0, 1)
m = (p + q) / 2
best_answer = p / (p + q)
best_loss = -np.sum(p * np.log(best_answer) + q * np.log(1 - best_answer)) * step_width
jensen_shannon = np.sum(p * np.log(p / m) + q * np.log(q / m)) * step_width / 2
gap = abs(best_loss - (2 * np.log(2) - 2 * jensen_shannon))
claim(
    "The best discriminator's loss is log 4 minus twice the Jensen-Shannon divergence",
    gap < 1e-9 and jensen_shannon > 0.1,
    f"loss {best_loss:.6f}, JS {jensen_shannon:.6f}, gap {gap:.0e}",
)

# %%
fresh_real = rng.choice([-1.5, 1.5], COUNT) + 0.5 * rng.normal(size=COUNT)
logits = [examiner(x[:, np.newaxis].astype("float32"))[:, 0] for x in (fresh_real, fresh_fake)]
network_loss = float(discriminator_loss(*logits))
claim(
    "The trained network's loss on fresh data is within 0.03 of that bound",
    abs(network_loss - best_loss) < 0.03,
    f"network {network_loss:.4f}, bound {best_loss:.4f}, log 4 = {np.log(4):.4f}",
)

# %% [markdown]
# ## Two losses, two gradients
#
# The generator learns through the logit of its fakes. The slope of $\log(1+e^a)$ is $e^a/(1+e^a) = \sigma(a)$, so the slopes of the two losses are
#
# $$\frac{d}{da}\big[-\mathrm{softplus}(a)\big] = -\sigma(a), \qquad \frac{d}{da}\,\mathrm{softplus}(-a) = -\sigma(-a) = -(1 - \sigma(a)) .$$
#
# Both are negative: both losses push the logit up. Their ratio is $e^{a}$. At the start the examiner is sure that a fake is a fake, and $a$ is far below zero. Which one still pushes?

# %% without_learning="arithmetic"
logit_line = tf.linspace(-8.0, 8.0, 161)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(logit_line)
    losses = {
        "minimax": -ops.softplus(logit_line),
        "non-saturating": ops.softplus(-logit_line),
    }
slopes = {name: tape.gradient(loss, logit_line).numpy() for name, loss in losses.items()}
sigmoid = 1 / (1 + np.exp(-logit_line.numpy()))
difference = max(
    np.abs(slopes["minimax"] + sigmoid).max(), np.abs(slopes["non-saturating"] + 1 - sigmoid).max()
)
claim(
    "GradientTape finds the slopes −σ(a) and −(1 − σ(a))",
    difference < 1e-6,
    f"largest difference {difference:.0e}",
)

# %% alt="Strength of the push against the logit of a fake. The minimax curve is zero at minus 8 and rises to 1 at plus 8; the non-saturating curve does the opposite; they cross at logit 0 at one half."
for name, slope in slopes.items():
    plt.plot(logit_line, -slope, label=name)
plt.annotate("the examiner is sure:\nfake", (-7.8, 0.45))
plt.annotate("fooled", (5.5, 0.45))
plt.xlabel("logit a of a fake")
plt.ylabel("push on the logit")
plt.ylim(-0.05, 1.35)
plt.legend(loc="upper center")
plt.title("How hard the generator is told to improve")
plt.show()

# %% [markdown]
# Minimax is silent where a generator needs to hear most: its gradient **saturates**. The non-saturating loss pushes with nearly full strength there, and grows quiet on fakes that already pass. Where the examiner
# cannot tell, at $a = 0$, both are one half. That is why the non-saturating one is the usual choice. What it minimises is no longer exactly JS; the point where both players rest, $q = p$, is the same.

# %% [markdown]
# ## The training loop, written out
#
# One **step** of the game: draw real examples and noise; move the discriminator once; then move the generator once. Each player has its own optimizer and moves its **own** weights only, although the generator's
# gradient passes through the discriminator.
#
# The smallest generator that can learn something: $G(z) = wz + b$, a dense layer with one unit. Noise is standard normal, so fakes are normal with mean $b$ and spread $|w|$. The real numbers have mean 3 and
# spread one half. So you know the right answer: $b = 3$, $|w| = 0.5$. The generator will never see a real number.


# %% tags=["setup"]
def make_players():
    """An affine generator that starts as G(z) = z, and a discriminator that puts out a logit."""
    generator = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(32, activation="leaky_relu"),
            keras.layers.Dense(32, activation="leaky_relu"),
            keras.layers.Dense(1),
        ]
    )
    return generator, discriminator


def make_optimizers(rate=0.005):
    """One Adam for each player. A small beta_1 forgets old gradients soon: the opponent has changed since."""
    return [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)]


# %% tags=["setup"]
def examiner_step(generator, discriminator, optimizer, real, noise):
    """One move of the discriminator. Returns its loss before the move."""
    own = discriminator.trainable_variables
    with tf.GradientTape() as tape:
        fake = generator(noise)
        loss = discriminator_loss(discriminator(real), discriminator(fake))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


def forger_step(generator, discriminator, optimizer, noise, generator_loss=non_saturating_loss):
    """One move of the generator, through the discriminator. Returns its loss before the move."""
    own = generator.trainable_variables
    with tf.GradientTape() as tape:
        loss = generator_loss(discriminator(generator(noise)))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


# %%
def game_step(generator, discriminator, optimizers, real, noise):
    """One move of each player, the discriminator first. Returns their losses."""
    d_loss = examiner_step(generator, discriminator, optimizers[0], real, noise)
    g_loss = forger_step(generator, discriminator, optimizers[1], noise)
    return d_loss, g_loss


# %% [markdown]
# Three things to notice. Real ones and fakes go through the discriminator **as separate batches**, so that batch normalization, if there is any, does not mix their statistics. The first
# tape records the generator too, but only the discriminator's variables are asked for. And the generator's step is taken against the examiner that has just learnt.
#
# In Keras's own form the same step is a `train_step` of a model, and `fit` does the rest: batches, epochs, metrics, callbacks.


# %%
class GAN(keras.Model):
    def __init__(self, generator, discriminator, seed):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.d_mean = keras.metrics.Mean(name="d_loss")
        self.g_mean = keras.metrics.Mean(name="g_loss")

    def compile(self, optimizers):
        super().compile()
        self.players_optimizers = optimizers

    @property
    def metrics(self):  # what fit resets at the start of an epoch
        return [self.d_mean, self.g_mean]

    def train_step(self, real):
        noise = keras.random.normal(ops.shape(real), seed=self.seed_generator)
        losses = game_step(self.generator, self.discriminator, self.players_optimizers, real, noise)
        for metric, loss in zip(self.metrics, losses, strict=True):
            metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


# %% [markdown]
# Do both ways give the same weights? We start two pairs of players equal, give them the same real numbers and the same noise, and compare after five steps.

# %%
GAME_BATCH, GAME_STEPS = 256, 1500
real_numbers = (3 + 0.5 * rng.normal(size=(GAME_BATCH * GAME_STEPS, 1))).astype("float32")

players, copies = make_players(), make_players()
for player, copy in zip(players, copies, strict=True):
    copy.set_weights(player.get_weights())
start = copies[1].get_weights()

optimizers, noise_source = make_optimizers(), keras.random.SeedGenerator(SEED)
for batch in real_numbers[: 5 * GAME_BATCH].reshape(5, GAME_BATCH, 1):
    game_step(*players, optimizers, batch, keras.random.normal(batch.shape, seed=noise_source))

gan = GAN(*copies, seed=SEED)
gan.compile(make_optimizers())
gan.fit(real_numbers[: 5 * GAME_BATCH], batch_size=GAME_BATCH, shuffle=False, verbose=0)


# %%
def apart(weights, others):
    return max(np.abs(one - other).max() for one, other in zip(weights, others, strict=True))


difference = max(
    apart(player.get_weights(), copy.get_weights())
    for player, copy in zip(players, copies, strict=True)
)
moved = apart(copies[1].get_weights(), start)
claim(
    "Loop and train_step reach the same weights in the first five steps",
    difference < 1e-5 and moved > 1e-3,
    f"largest difference {difference:.0e}; they moved by up to {moved:.3f}",
)

# %% [markdown]
# Now the whole game, compiled with `tf.function`. Predict: what will the two losses look like when the generator has won?

# %%
generator, discriminator = make_players()
optimizers = make_optimizers()
optimizers[0].build(discriminator.trainable_variables)
optimizers[1].build(generator.trainable_variables)
compiled_step = tf.function(game_step)

seen = []
for batch in real_numbers.reshape(GAME_STEPS, GAME_BATCH, 1):
    noise = keras.random.normal(batch.shape, seed=noise_source)
    both = compiled_step(generator, discriminator, optimizers, tf.constant(batch), noise)
    w, b = generator.get_weights()
    seen.append([w.item(), b.item(), *map(float, both)])
seen = np.array(seen)  # (steps, 4): w, b, the discriminator's loss, the generator's loss

# %% alt="Left: the density of the fakes after 0, 100, 300 and 1500 steps moves from 0 to the right until it covers the real density around 3. Right: both losses against the step; after some hundred steps they stay at the two dashed lines log 4 and log 2."
figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.6))
line = np.linspace(-3, 6, 401)
left.fill_between(line, normal_density(line, 3, 0.5), color="0.85")
left.annotate("real", (3.6, 0.7))
for step in (1, 100, 300, GAME_STEPS):
    w, b = seen[step - 1, :2]
    left.plot(line, normal_density(line, b, abs(w)), label=f"step {step}")
left.set_xlabel("x")
left.set_ylabel("density")
left.legend()
for losses, name in zip(seen[:, 2:].T, ("discriminator", "generator"), strict=True):
    right.plot(losses, linewidth=1, label=name)
for level, name in ((4, "log 4"), (2, "log 2")):
    right.axhline(np.log(level), color="black", linewidth=1, linestyle="--")
    right.annotate(name, (1.02, np.log(level)), xycoords=("axes fraction", "data"), va="center")
right.set_xlabel("step")
right.set_ylabel("loss")
right.legend()
plt.show()

# %% [markdown]
# The fakes walk to the real numbers and take on their spread. At the end the losses are **not low**. They are $\log 4$ and $\log 2$: the examiner guesses. A training curve that goes nowhere is what success looks like here.

# %%
last = seen[-300:].mean(axis=0)
claim(
    "The affine generator finds the mean 3 within 0.2 and the spread 0.5 within 0.2",
    abs(last[1] - 3) < 0.2 and abs(abs(last[0]) - 0.5) < 0.2,
    f"mean {last[1]:.3f}, spread {abs(last[0]):.3f} (last 300 steps; at the start 0 and 1)",
)

# %%
claim(
    "At the end the losses lie within 0.1 of log 4 and log 2",
    abs(last[2] - np.log(4)) < 0.1 and abs(last[3] - np.log(2)) < 0.1,
    f"{last[2]:.3f} and {last[3]:.3f}; log 4 = {np.log(4):.3f}, log 2 = {np.log(2):.3f}",
)

# %% [markdown]
# ## What saturation costs
#
# Now let the examiner win first. The real numbers lie around 6, the generator starts around 0 and has to wait for 300 steps in which only the examiner learns. Then both play 400 steps. Minimax or non-saturating, and for the
# generator plain SGD or Adam: which of the four arrives? Think of what Adam does with small gradients (lesson 2.3).


# %%
HEAD_START, FAR_STEPS = 300, 400
far_numbers = tf.constant(6 + 0.5 * rng.normal(size=(HEAD_START + FAR_STEPS, 128, 1)), tf.float32)
far_noise = tf.constant(rng.normal(size=far_numbers.shape), tf.float32)


def far_game(generator_loss, forger_optimizer):
    """The fakes' mean after each step of the game, from a generator that waits for its turn first: (FAR_STEPS,)."""
    generator, discriminator = make_players()
    examiner_optimizer = make_optimizers()[0]
    examiner_optimizer.build(discriminator.trainable_variables)
    forger_optimizer.build(generator.trainable_variables)
    learn, forge = tf.function(examiner_step), tf.function(forger_step)
    means = []
    for step, (real, noise) in enumerate(zip(far_numbers, far_noise, strict=True)):
        learn(generator, discriminator, examiner_optimizer, real, noise)
        if step >= HEAD_START:
            forge(generator, discriminator, forger_optimizer, noise, generator_loss)
            means.append(generator.get_weights()[1].item())
    return np.array(means)


# %% alt="The fakes' mean against the step, for four games. Non-saturating with SGD jumps to the dashed line at 6, both with Adam climb steadily towards it, minimax with SGD stays near 0."
far_means = {}
for loss_name, loss in (("minimax", minimax_loss), ("non-saturating", non_saturating_loss)):
    for optimizer in (keras.optimizers.SGD(0.05), keras.optimizers.Adam(0.01)):
        far_means[f"{loss_name}, {type(optimizer).__name__}"] = far_game(loss, optimizer)
for name, means in far_means.items():
    plt.plot(means, label=name)
plt.axhline(6, color="black", linewidth=1, linestyle="--")
plt.xlabel("step of the generator")
plt.ylabel("mean of the fakes")
plt.ylim(-0.5, 9.5)
plt.legend(loc="upper center", ncols=2)
plt.show()

# %% [markdown]
# With SGD, the textbook is right: the minimax generator hears next to nothing and stays where it is. With Adam it moves all the same. Adam divides each gradient by its usual size, and so turns a whisper into a
# step of normal length. Saturation is a trouble of the gradient's *size*. If your generator uses Adam and does not learn, look for another cause first.

# %%
ends = {name: means[-1] for name, means in far_means.items()}
claim(
    "With SGD only the non-saturating loss gets the generator off the ground; with Adam both losses do",
    ends["minimax, SGD"] < 1
    and ends["non-saturating, SGD"] > 4.5
    and ends["minimax, Adam"] > 2
    and ends["non-saturating, Adam"] > 2,
    ", ".join(f"{name} {end:.2f}" for name, end in ends.items()),
)

# %% [markdown]
# ## Why the game runs in circles
#
# In ordinary training all weights go downhill on one loss. Here each player's hill moves when the other one moves. The smallest game that shows what follows is the **Dirac-GAN**: all real
# examples are the number 0, the generator always puts out one number $\theta$, and the discriminator has one weight, $a(x) = \psi x$. At $\theta = \psi = 0$ both may rest. With the minimax losses,
#
# $$L_D = \log 2 + \mathrm{softplus}(\psi\theta), \qquad \frac{\partial L_D}{\partial \psi} = \theta\, s, \qquad L_G = -\mathrm{softplus}(\psi\theta), \qquad \frac{\partial L_G}{\partial \theta} = -\psi\, s,$$
#
# with $s = \sigma(\psi\theta)$. Let both step at once, with learning rate $\eta$: $\psi' = \psi - \eta s\theta$ and $\theta' = \theta + \eta s \psi$. Now square and add. The mixed terms $\mp 2\eta s\,\theta\psi$ cancel:
#
# $$\theta'^2 + \psi'^2 = (1 + \eta^2 s^2)\,(\theta^2 + \psi^2) .$$
#
# The step stands at right angles to the way to the goal, so **every** step leads away from it. Start on paper at $(\theta, \psi) = (1, 0)$ with $\eta = 0.2$: $s = 0.5$, the next point is $(1, -0.1)$, further out than before.
#
# What if they take turns, as in our loop: first $\psi$, then $\theta$ with the new $\psi$? Near the goal, where $s = 1/2$, write $h = \eta/2$. The two moves together are a matrix,
#
# $$\begin{pmatrix} \theta' \\ \psi' \end{pmatrix} = \begin{pmatrix} 1 - h^2 & h \\ -h & 1 \end{pmatrix} \begin{pmatrix} \theta \\ \psi \end{pmatrix}, \qquad \det = 1 - h^2 + h^2 = 1 .$$
#
# Its eigenvalues are complex (for $h < 2$) and their product is 1: it turns, and neither grows nor shrinks. Near the goal the players go round for ever.
#
# What could stop it? Something that makes the discriminator **flat where the data are**, for once the fakes are right there is nothing left to push. The **R1 penalty** adds
# $\frac{\gamma}{2}\,\mathbb{E}_\text{real} \lVert \nabla_x a(x) \rVert^2$ to the discriminator's loss. Here $\nabla_x a = \psi$, so it adds $\frac\gamma2 \psi^2$, with slope $\gamma\psi$. Now $\psi' = (1 - \eta\gamma)\,\psi - h\,\theta$, and the determinant is
# $(1-h^2)(1-\eta\gamma) + h^2(1-\eta\gamma) = 1 - \eta\gamma$. As long as the path turns (complex eigenvalues), each step multiplies the distance by $\sqrt{1 - \eta\gamma}$ on average.


# %% tags=["setup"]
RATE, GAMMA, TURNS = 0.2, 0.3, 500


def sigmoid_of(a):
    return 1 / (1 + np.exp(-a))


def dirac_path(alternating, gamma=0.0, saturating=True, turns=TURNS):
    """The points (θ, ψ) of the Dirac-GAN, from (1, 0) on: (turns + 1, 2)."""
    theta, psi = 1.0, 0.0
    path = [(theta, psi)]
    for _ in range(turns):
        new_psi = psi - RATE * (theta * sigmoid_of(psi * theta) + gamma * psi)
        seen_psi = new_psi if alternating else psi  # which opponent does the generator see?
        sign = 1 if saturating else -1
        theta = theta + RATE * seen_psi * sigmoid_of(sign * seen_psi * theta)
        psi = new_psi
        path.append((theta, psi))
    return np.array(path)


# %% alt="Three paths in the plane of theta and psi, from the point 1, 0. At once: a spiral that winds outwards. In turns: a closed ring. In turns with R1: a spiral into the centre."
paths = {
    "at once": dirac_path(alternating=False),
    "in turns": dirac_path(alternating=True),
    "in turns, with R1": dirac_path(alternating=True, gamma=GAMMA),
}
figure, grid_of_axes = plt.subplots(1, 3, sharex=True, sharey=True, figsize=(7.0, 2.8))
for axes, (name, path) in zip(grid_of_axes, paths.items(), strict=True):
    axes.plot(*path.T, color=COLOURS["blue"], linewidth=0.8)
    axes.plot(*path[0], "o", color=COLOURS["red"])
    axes.plot(0, 0, "+", color="black", markersize=12)
    axes.set_title(name)
    axes.set_xlabel("θ, the fake")
grid_of_axes[0].set_ylabel("ψ, the discriminator")
plt.show()

# %% [markdown]
# All start at the dot and should reach the cross. At once, they spiral away from it. In turns, they circle. With R1 they arrive.

# %% without_learning="own loop"
radii = {name: np.linalg.norm(path, axis=1) for name, path in paths.items()}
at_once, in_turns, with_r1 = radii.values()
theta, psi = paths["at once"][:-1].T
growth = at_once[1:] ** 2 / at_once[:-1] ** 2
formula_gap = np.abs(growth - 1 - (RATE * sigmoid_of(theta * psi)) ** 2).max()
claim(
    "Moving at once leads away from the goal in every step, by the factor that was derived",
    growth.min() > 1 and formula_gap < 1e-12 and at_once[-1] > 2,
    f"distance 1 at the start, {at_once[-1]:.2f} at the end; gap to the formula {formula_gap:.0e}",
)

# %% without_learning="own loop"
per_step = (with_r1[400] / with_r1[200]) ** (1 / 200)
predicted = np.sqrt(1 - RATE * GAMMA)
claim(
    "Taking turns circles, and R1 shrinks the circle at the predicted rate",
    in_turns.min() > 0.9 and in_turns.max() < 1.1 and abs(per_step - predicted) < 0.005,
    f"in turns {in_turns.min():.3f} to {in_turns.max():.3f}; "
    f"R1: {per_step:.4f} a step, predicted {predicted:.4f}, at the end {with_r1[-1]:.1e}",
)

# %% without_learning="own loop"
unsaturated = np.linalg.norm(dirac_path(alternating=True, saturating=False), axis=1)
claim(
    "The non-saturating loss in turns creeps inwards here, far slower than with R1",
    with_r1[-1] < 1e-3 < 0.1 < unsaturated[-1] < 0.9,
    f"distance after {TURNS} steps: non-saturating {unsaturated[-1]:.3f}, R1 {with_r1[-1]:.1e}",
)

# %% [markdown]
# ## The R1 penalty on a network
#
# In a network $\nabla_x a$ comes from a tape over the **inputs**. The penalty is then differentiated once more, with respect to the weights: a tape in a tape. A case for paper: $a(x) = v_1 x_1^2 + v_2 x_2^2$ with
# $v = (1, -1)$ and the single real example $x = (1, 2)$. Then $\nabla_x a = (2 v_1 x_1,\ 2 v_2 x_2) = (2, -4)$, its squared length is 20, and with $\gamma = 1$ the penalty is 10. Its slope with respect to $v_k$ is
# $\frac12 \cdot 2 \cdot (2 v_k x_k) \cdot 2 x_k = 4 v_k x_k^2$, so $(4, -16)$.


# %% tags=["setup"]
def r1_penalty(discriminator, real, gamma):
    """Half of gamma times the mean squared length of the logit's gradient at the real examples, (batch, features)."""
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = discriminator(real)
    slopes = tape.gradient(logits, real)  # each logit depends on its own example only
    return gamma / 2 * ops.mean(ops.sum(slopes**2, axis=-1))


# %% without_learning="arithmetic"
v = tf.constant([1.0, -1.0])
with tf.GradientTape() as tape:
    tape.watch(v)
    penalty = r1_penalty(lambda x: ops.sum(v * x**2, axis=-1), tf.constant([[1.0, 2.0]]), 1.0)
slope_of_v = tape.gradient(penalty, v).numpy()
claim(
    "A tape in a tape gives the penalty and the slope that paper gives",
    bool(np.isclose(penalty, 10) and np.allclose(slope_of_v, [4, -16])),
    f"penalty {float(penalty):.4f}, slope {slope_of_v}",
)

# %% [markdown]
# ## A ring of eight clusters
#
# One hill is no test. The classic exam for a GAN has eight: normal clusters around a circle, in two dimensions, each as frequent as the others. Now two things can be counted.
#
# - **Good samples**: the share of fakes within three spreads of some cluster's centre.
# - **Modes covered**: a cluster (a **mode** of the density, a place where it is highest) counts as covered if it gets at least a quarter of its fair share in good samples, so one of 32 fakes.
#
# A generator that always draws the same good point has a perfect first score and one mode. That failure has a name, **mode collapse**, and no loss shows it.


# %%
MODES, RADIUS, SPREAD = 8, 2.0, 0.1
turn = 2 * np.pi * np.arange(MODES) / MODES
CENTRES = RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def ring(count, rng):
    """Points of the ring, (count, 2)."""
    return CENTRES[rng.integers(MODES, size=count)] + SPREAD * rng.normal(size=(count, 2))


def quality(samples):
    """Modes covered and share of good samples of points (count, 2)."""
    distances = np.linalg.norm(samples[:, np.newaxis] - CENTRES, axis=-1)
    good = distances.min(axis=1) < 3 * SPREAD
    shares = np.bincount(distances.argmin(axis=1)[good], minlength=MODES) / len(samples)
    return int(np.sum(shares >= 0.25 / MODES)), float(good.mean())


train_points, validation_points = ring(4096, rng), ring(2048, rng)
for name, points in {
    "the real thing": ring(4000, rng),
    "one point, repeated": np.tile(CENTRES[:1], (4000, 1)),
}.items():
    modes, good = quality(points)
    print(f"{name:20s} modes {modes}, good {good:.3f}")

# %% [markdown]
# First, who must be beaten? Two classical density models learn from the same points: a **kernel density estimate**, which puts a small hill on every training point, and a **Gaussian mixture** fitted by
# maximum likelihood. How wide, and how many: the likelihood of the validation points decides.


# %%
def best_on_validation(models):
    fitted = [model.fit(train_points) for model in models]
    return max(fitted, key=lambda model: model.score(validation_points))


kernel_density = best_on_validation(
    [sklearn.neighbors.KernelDensity(bandwidth=width) for width in (0.02, 0.05, 0.1, 0.2, 0.4)]
)
mixture = best_on_validation(
    [
        sklearn.mixture.GaussianMixture(count, n_init=3, random_state=SEED)
        for count in (2, 4, 6, 8, 10)
    ]
)
baselines = {
    f"kernel density, width {kernel_density.bandwidth}": quality(
        kernel_density.sample(4000, random_state=SEED)
    ),
    f"mixture of {mixture.n_components}": quality(mixture.sample(4000)[0]),
}
for name, (modes, good) in baselines.items():
    print(f"{name:28s} modes {modes}, good {good:.3f}")

# %% [markdown]
# ## Many GANs at once
#
# One run of a GAN tells nothing: the next seed may fail. So we train many, side by side: every weight gets an axis of models in front, and `x @ kernel` multiplies them all. Noise, minibatches
# and learning rates differ from model to model, weights never meet. Adam works number by number, so it is written in four lines (lesson 2.3). All steps between two looks run in one compiled loop.


# %%
def network(x, weights):
    """A dense network for each model. x: (models, batch, inputs); weights: kernel, bias, kernel, bias ..."""
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = tf.nn.leaky_relu(x @ kernel + bias)
    return x @ weights[-2] + weights[-1]


# %%
def start_weights(sizes, models, rng):
    """Keras's start: Glorot-uniform kernels (models, inputs, units), zero biases (models, 1, units)."""
    weights = []
    for inputs, units in itertools.pairwise(sizes):
        limit = np.sqrt(6 / (inputs + units))
        kernel = rng.uniform(-limit, limit, (models, inputs, units))
        weights += [tf.constant(kernel, tf.float32), tf.zeros((models, 1, units))]
    return weights


def start_state(models, noise_size, rng, width=64):
    """Generator's and discriminator's weights, each with Adam's two means: {"G": [weights, means, squares], ...}."""
    start = {
        "G": start_weights([noise_size, width, width, 2], models, rng),
        "D": start_weights([2, width, width, 1], models, rng),
    }
    return {
        name: [weights, [tf.zeros_like(w) for w in weights], [tf.zeros_like(w) for w in weights]]
        for name, weights in start.items()
    }


# %%
BETA_1, BETA_2 = 0.5, 0.999


def adam(player, gradients, rate, number):
    """One step of Adam. rate: (models, 1, 1). Returns the new [weights, means, squares]."""
    weights, means, squares = player
    rate = rate * tf.sqrt(1 - BETA_2**number) / (1 - BETA_1**number)
    means = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(means, gradients, strict=True)]
    squares = [BETA_2 * s + (1 - BETA_2) * g**2 for s, g in zip(squares, gradients, strict=True)]
    moves = [rate * m / (tf.sqrt(s) + 1e-7) for m, s in zip(means, squares, strict=True)]
    return [[w - move for w, move in zip(weights, moves, strict=True)], means, squares]


def mean_each(values):
    """The mean over batch and features: one number a model."""
    return tf.reduce_mean(values, axis=(1, 2))


# %%
def step_of_all(state, real, noise, number, settings):
    """One step of every model's game. real, noise: (models, batch, size). Returns the new state and (models, 2) losses."""
    d_weights, g_weights = state["D"][0], state["G"][0]
    fake = network(noise, g_weights)
    with tf.GradientTape() as tape:
        tape.watch(d_weights)
        with tf.GradientTape() as inner:
            inner.watch(real)
            real_logits = network(real, d_weights)
        slopes = inner.gradient(real_logits, real)
        penalty = settings["gamma"][:, 0, 0] / 2 * tf.reduce_mean(tf.reduce_sum(slopes**2, -1), 1)
        wrong = tf.nn.softplus(-real_logits), tf.nn.softplus(network(fake, d_weights))
        d_losses = mean_each(wrong[0]) + mean_each(wrong[1])
        total = tf.reduce_sum(d_losses + penalty)  # a sum: no model feels another one's loss
    examiner = adam(state["D"], tape.gradient(total, d_weights), settings["d_rate"], number)

    with tf.GradientTape() as tape:
        tape.watch(g_weights)
        g_losses = mean_each(tf.nn.softplus(-network(network(noise, g_weights), examiner[0])))
        total = tf.reduce_sum(g_losses)
    forger = adam(state["G"], tape.gradient(total, g_weights), settings["g_rate"], number)
    return {"D": examiner, "G": forger}, tf.stack([d_losses, g_losses], axis=1)


# %% [markdown]
# Is this the same game as before? Three steps against Keras: two Keras networks with the same start, Keras's Adam, the same points and noise, and the R1 function above.

# %%
trial = start_state(1, 2, rng)
keras_players = [
    keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(64, activation=tf.nn.leaky_relu),
            keras.layers.Dense(64, activation=tf.nn.leaky_relu),
            keras.layers.Dense(units),
        ]
    )
    for units in (2, 1)
]
for player, name in zip(keras_players, "GD", strict=True):
    shapes = [weight.shape for weight in player.get_weights()]
    start = [
        weight.numpy().reshape(shape) for weight, shape in zip(trial[name][0], shapes, strict=True)
    ]
    player.set_weights(start)
keras_forger, keras_examiner = keras_players
one_model = {name: tf.fill((1, 1, 1), 0.001) for name in ("d_rate", "g_rate")}
one_model["gamma"] = tf.fill((1, 1, 1), 0.1)

# %%
optimizers = make_optimizers(0.001)
for number in range(1, 4):
    real, noise = (rng.normal(size=(128, 2)).astype("float32") for _ in range(2))
    real = tf.constant(real)
    trial, _ = step_of_all(trial, real[tf.newaxis], noise[np.newaxis], float(number), one_model)

    own = keras_examiner.trainable_variables
    with tf.GradientTape() as tape:
        loss = discriminator_loss(keras_examiner(real), keras_examiner(keras_forger(noise)))
        loss += r1_penalty(keras_examiner, real, 0.1)
    optimizers[0].apply(tape.gradient(loss, own), own)
    own = keras_forger.trainable_variables
    with tf.GradientTape() as tape:
        loss = non_saturating_loss(keras_examiner(keras_forger(noise)))
    optimizers[1].apply(tape.gradient(loss, own), own)

# %%
difference = max(
    np.abs(ours.numpy().reshape(theirs.shape) - theirs).max()
    for player, name in zip(keras_players, "GD", strict=True)
    for ours, theirs in zip(trial[name][0], player.get_weights(), strict=True)
)
claim(
    "Three steps of the side-by-side game equal three steps of Keras networks with Keras's Adam",
    difference < 1e-5,
    f"largest difference of a weight {difference:.0e}, after steps of 0.001",
)


# %% [markdown]
# ## A healthy game, and three broken ones
#
# Eight recipes, five seeds each: forty GANs. All have two hidden layers of 64 units, batches of 128, the non-saturating loss and 3,000 steps. `gamma` is the strength of R1, `head_start` the number of steps in which only the examiner
# learns, `noise` the number of noise dimensions. Before you run it, predict for each line how many of the eight modes it will cover.

# %%
SEEDS, NOISE, BATCH, STEPS, LOOK_EVERY, SAMPLES = 5, 2, 128, 3000, 500, 2000
HEALTHY = {"d_rate": 0.001, "g_rate": 0.001, "gamma": 0.1, "noise": NOISE, "head_start": 0}
STRONG = HEALTHY | {"d_rate": 0.01, "head_start": 500}
RECIPES = {
    "healthy": HEALTHY,
    "no R1": HEALTHY | {"gamma": 0.0},
    "strong examiner": STRONG | {"gamma": 0.0},
    "strong, R1": STRONG,
    "no noise": HEALTHY | {"noise": 0},
    "noise of 1 dimension": HEALTHY | {"noise": 1},
    "hasty forger": HEALTHY | {"g_rate": 0.01, "gamma": 0.0},
    "hasty, R1": HEALTHY | {"g_rate": 0.01},
}

# %%
GANS = len(RECIPES) * SEEDS
rows = {name: slice(k * SEEDS, (k + 1) * SEEDS) for k, name in enumerate(RECIPES)}


def for_each_gan(setting):
    """A setting of all recipes, once for each seed: (GANS, 1, 1)."""
    values = np.repeat([recipe[setting] for recipe in RECIPES.values()], SEEDS)
    return tf.constant(values[:, np.newaxis, np.newaxis], tf.float32)


settings = {name: for_each_gan(name) for name in HEALTHY}


def allowed(noise):
    """Noise (GANS, count, NOISE) without the dimensions that a recipe does not have: they are zero."""
    return noise * tf.cast(tf.range(float(NOISE)) < settings["noise"], tf.float32)


# %%
all_points = tf.constant(train_points, tf.float32)


def one_step(step, state):
    """Minibatches and noise for step number `step`, and the step. Returns the state and losses (GANS, 2)."""
    size = (GANS, BATCH)
    chosen = tf.random.stateless_uniform(size, (SEED, step), 0, len(all_points), tf.int32)
    noise = tf.random.stateless_normal((*size, NOISE), (SEED + 1000, step))
    plays = tf.cast(tf.cast(step, tf.float32) >= settings["head_start"], tf.float32)
    now = settings | {"g_rate": settings["g_rate"] * plays}
    number = tf.cast(step + 1, tf.float32)
    return step_of_all(state, tf.gather(all_points, chosen), allowed(noise), number, now)


@tf.function(jit_compile=True)
def play(state, first):
    """The steps from `first` to the next look. Returns the state and the losses, (LOOK_EVERY, GANS, 2)."""

    def one_more(k, state, losses):
        state, both = one_step(first + k, state)
        return k + 1, state, tf.tensor_scatter_nd_update(losses, [[k]], both[tf.newaxis])

    start = (tf.constant(0), state, tf.zeros((LOOK_EVERY, GANS, 2)))
    return tf.while_loop(lambda k, *_: k < LOOK_EVERY, one_more, start)[1:]


# %%
def draw(state):
    """Fakes of every GAN: (GANS, SAMPLES, 2)."""
    noise = tf.constant(rng.normal(size=(GANS, SAMPLES, NOISE)), tf.float32)
    return network(allowed(noise), state["G"][0]).numpy()


state = start_state(GANS, NOISE, rng)
looks, losses = [draw(state)], []
for first in range(0, STEPS, LOOK_EVERY):
    state, some_losses = play(state, tf.constant(first))
    looks.append(draw(state))
    losses.append(some_losses.numpy())
looks, losses = np.array(looks), np.concatenate(losses)
marks = np.array([[quality(samples) for samples in look] for look in looks])  # (looks, GANS, 2)
modes, good = marks[..., 0].astype(int), marks[..., 1]

# %%
print(f"{'':21s} modes, seed by seed   good samples, mean and worst")
for name, row in rows.items():
    print(
        f"{name:21s} {modes[-1, row]}            {good[-1, row].mean():.2f}  {good[-1, row].min():.2f}"
    )
for name, (baseline_modes, baseline_good) in baselines.items():
    print(f"{name:27s} {baseline_modes}                {baseline_good:.2f}")

# %% alt="A film strip: five rows of scatter plots over the steps 0, 500, 1000, 2000 and 3000. Healthy: a blob becomes a ring and then eight clusters. Strong examiner: some clusters stay empty. No noise: one single point. Noise of one dimension: a thin curve that runs through the clusters. Hasty forger: all points in one spot that jumps about."
shown = ["healthy", "strong examiner", "no noise", "noise of 1 dimension", "hasty forger"]
times = [0, 1, 2, 4, 6]
figure, strip = plt.subplots(len(shown), len(times), figsize=(7.0, 7.4), sharex=True, sharey=True)
for row_of_axes, name in zip(strip, shown, strict=True):
    one = rows[name].start  # the first of its five seeds
    for axes, time in zip(row_of_axes, times, strict=True):
        axes.scatter(*CENTRES.T, s=90, facecolor="none", edgecolor="0.6", linewidth=1)
        axes.scatter(*looks[time, one, :400].T, s=2, color=COLOURS["blue"])
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        axes.annotate(f"{modes[time, one]}", (-2.8, 2.2), fontsize=10)
        if axes.get_subplotspec().is_first_row():
            axes.set_title(f"step {time * LOOK_EVERY}", fontsize=10)
    row_of_axes[0].set_ylabel(name.replace(" of ", "\nof ").replace(" e", "\ne"), fontsize=10)
plt.show()

# %% [markdown]
# The circles are the clusters, three spreads wide, the dots 400 fakes of the first seed, and the number in the corner is the count of modes covered. Look at the rows one by one.
#
# **Healthy.** A blob, a ring, then eight clusters with thin bridges. The generator is a continuous function, so it cannot jump from one cluster to the next: a few fakes always fall between.

# %% tags=["headline"] without_learning="own loop"
healthy, plain = rows["healthy"], rows["no R1"]
claim(
    "A healthy GAN covers 8 of 8 modes of the ring, for each of five seeds, with more than two thirds good samples",
    bool(np.all(modes[-1, healthy] == MODES) and good[-1, healthy].min() > 2 / 3),
    f"modes {modes[-1, healthy]}, good samples {good[-1, healthy].min():.2f} to "
    f"{good[-1, healthy].max():.2f}; at the start {good[0, healthy].mean():.2f}",
)

# %% [markdown]
# Was R1 needed for that? Look at the line *no R1* of the table: with equal rates and Adam's $\beta_1$ of one half, the plain game does well too. A remedy shows its worth on a patient.
#
# **Strong examiner.** It learns ten times as fast and starts 500 steps earlier. Its logit has steep cliffs around the clusters. Wherever a fake is, it is pushed hard to the cluster that is nearest, and nothing ever
# tells it to spread: clusters that got no fake stay empty. The share of good samples does not show it, the count of modes does. R1 forbids the cliffs, where the data are. With it, the same strong examiner teaches nearly all of them.

# %% without_learning="own loop"
strong, mended = rows["strong examiner"], rows["strong, R1"]
claim(
    "A discriminator that learns ten times as fast, with a head start, loses modes; R1 brings nearly all back",
    modes[-1, strong].mean() < 6 and modes[-1, mended].mean() >= 7.5,
    f"modes {modes[-1, strong]}, with R1 {modes[-1, mended]}; "
    f"good samples {good[-1, strong].mean():.2f} and {good[-1, mended].mean():.2f}",
)

# %% without_learning="own loop"
points = tf.repeat(all_points[tf.newaxis, :500], GANS, axis=0)
with tf.GradientTape() as tape:
    tape.watch(points)
    logits = network(points, state["D"][0])
steepness = np.linalg.norm(tape.gradient(logits, points).numpy(), axis=-1).mean(axis=1)  # (GANS,)
claim(
    "At the data, the strong examiner's logit is more than three times as steep as with R1",
    steepness[strong].mean() > 3 * steepness[mended].mean(),
    f"mean slope {steepness[strong].mean():.2f}, with R1 {steepness[mended].mean():.2f}",
)

# %% [markdown]
# **No noise.** The generator is a function. The same input gives the same output, so it has one point to place, and the examiner chases that point from place to place. With *one* noise dimension it can
# bend a thread through the clusters, but the thread has to get from each to the next, and what lies on the way is a bad fake. Two dimensions of data ask for two of noise.

# %% without_learning="own loop"
silent, thread = rows["no noise"], rows["noise of 1 dimension"]
claim(
    "Without noise at most one mode is covered; one dimension of noise draws a thread with many bad samples",
    modes[:, silent].max() <= 1 and good[-1, thread].max() < good[-1, healthy].min() - 0.1,
    f"no noise: modes {modes[-1, silent]}; thread: modes {modes[-1, thread]}, "
    f"good {good[-1, thread].mean():.2f} against {good[-1, healthy].mean():.2f}",
)

# %% [markdown]
# **Hasty forger.** The generator's rate is ten times the discriminator's. Before the examiner has learnt to refuse one spot, all fakes have moved there; when it has, they move on together. That is mode collapse as
# it is usually met. R1 is no reliable cure, because the examiner is not too steep, it is too late. What mends it is the second line of the table, the same game with equal rates.

# %% without_learning="own loop"
hasty, hasty_r1 = rows["hasty forger"], rows["hasty, R1"]
claim(
    "A generator that learns ten times as fast as the discriminator collapses; R1 leaves collapsed seeds, equal rates do not",
    modes[-1, hasty].mean() < 5
    and modes[-1, hasty_r1].min() <= 4
    and modes[-1, plain].min() == MODES,
    f"modes {modes[-1, hasty]}, with R1 {modes[-1, hasty_r1]}, at equal rates {modes[-1, plain]}",
)

# %% without_learning="own loop"
middles = looks[2:].mean(axis=2)  # (looks from step 1000 on, GANS, 2)
travel = np.linalg.norm(np.diff(middles, axis=0), axis=-1).mean(axis=0)
claim(
    "The fakes of a hasty forger move as one: from look to look their middle jumps, at equal rates it stays",
    travel[hasty].mean() > 0.5 and travel[plain].mean() < 0.25,
    f"mean jump {travel[hasty].mean():.2f}, at equal rates {travel[plain].mean():.2f}; the ring's radius is {RADIUS}",
)

# %% [markdown]
# ## What the loss curves tell
#
# Here are the losses of three games that you have just seen: one healthy, one without R1, one collapsed. Smoothed over 50 steps. Predict: how far apart are they?

# %% alt="The discriminator's loss over the steps for one GAN each of the recipes healthy, no R1 and hasty forger. All three run close to the dashed line log 4; the hasty forger's curve is the most restless."
window = np.ones(50) / 50
for name in ("healthy", "no R1", "hasty forger"):
    one = rows[name].start
    curve = np.convolve(losses[:, one, 0], window, mode="valid")
    plt.plot(curve, linewidth=1.5, label=f"{name}: {modes[-1, one]} modes")
plt.axhline(np.log(4), color="black", linewidth=1, linestyle="--")
plt.annotate("log 4", (1.01, np.log(4)), xycoords=("axes fraction", "data"), va="center")
plt.ylim(0.9, 1.6)
plt.xlabel("step")
plt.ylabel("discriminator's loss")
plt.legend(loc="lower right")
plt.show()

# %% [markdown]
# They hang around the same line. If anything gives it away, it is that its curve is restless, not where it lies. An examiner that has lost track of a jumping spot is as unsure as one that faces perfect fakes. A loss of $\log 4$ says that *this* examiner sees no difference *now*.
# It says nothing of what a better examiner would see, nor of the clusters that nobody draws.

# %% without_learning="own loop"
final = losses[-LOOK_EVERY:, :, 0].mean(axis=0)
restless = losses[-LOOK_EVERY:, :, 0].std(axis=0)
plain_loss, hasty_loss = final[plain].mean(), final[hasty].mean()
claim(
    "Collapsed and healthy games differ by less than 0.15 in the discriminator's loss; the collapsed ones are more restless",
    abs(plain_loss - hasty_loss) < 0.15
    and restless[hasty].mean() > 1.5 * restless[plain].mean()
    and modes[-1, plain].mean() - modes[-1, hasty].mean() > 3,
    f"loss {plain_loss:.3f} with {modes[-1, plain].mean():.1f} modes, "
    f"{hasty_loss:.3f} with {modes[-1, hasty].mean():.1f}; log 4 = {np.log(4):.3f}; "
    f"from step to step it varies by {restless[plain].mean():.3f} and {restless[hasty].mean():.3f}",
)

# %% [markdown]
# A loss well *below* $\log 4$ does tell something. No examiner loses less than the best one, so any examiner's loss on fresh data proves that $\mathrm{JS} \ge \log 2 - L_D / 2$: there is a difference, for somebody has seen it.

# %% without_learning="own loop"
strong_loss, mended_loss = final[strong].mean(), final[mended].mean()
claim(
    "The strong examiner's loss stays below 1.2 while modes are missing, and rises towards log 4 with R1",
    strong_loss < 1.2 < 1.25 < mended_loss,
    f"{strong_loss:.3f}, with R1 {mended_loss:.3f}, log 4 = {np.log(4):.3f}",
)

# %% [markdown]
# So measure what you want: good samples and coverage. Here the clusters are known. For images, lesson 5.2 replaces them by a classifier's features.
#
# And the baselines? On this ring the mixture wins over every game that covers the modes, with nearly every sample good, in a fraction of the time, and it can say how probable a point is, which a GAN cannot.

# %% without_learning="own loop"
mixture_modes, mixture_good = list(baselines.values())[1]
claim(
    "A Gaussian mixture fitted by maximum likelihood beats every GAN that covers all modes",
    mixture_modes == MODES and mixture_good > good[-1, modes[-1] == MODES].max(),
    f"mixture {mixture_good:.3f}, best of those GANs {good[-1, modes[-1] == MODES].max():.3f}",
)

# %% [markdown]
# That is no shame: the ring *is* a mixture of normal clusters, in two dimensions, where a formula fits. A GAN asks for no formula and no density, only for a generator that can be differentiated. It pays off where no
# formula is in sight and few dimensions grow to thousands, as in images.

# %% [markdown]
# ## Common mistakes
#
# - **Reading the losses as a score.** They say how the two players stand against each other. Draw samples, and count.
# - **A sigmoid at the end and `from_logits=True`.** The examiner is then never sure, and its loss can not fall below a floor. Put out logits.
# - **One mixed batch of real ones and fakes** with batch normalization: the statistics of the batch couple the two. Give them separately.
# - **The gradient goes to the wrong player.** The forger's step goes *through* the examiner, but moves only the forger's variables. Name the variables in `tape.gradient`.
# - **The same noise at every step.** The forger then learns a few points by heart. Draw fresh noise.
# - **Softening both labels.** Exercise 2 shows what that does where only fakes are. If you smooth, smooth the real label only.
# - **One seed.** Recipes for GANs that were tried once are anecdotes.
# - **Blaming saturation, or curing with R1, without looking.** Each remedy has its own illness: R1 mends an examiner that is too steep, not one that is too slow.

# %% [markdown]
# ## Exercise 1: read the examiner's mind
#
# Real numbers are normal with mean 1, fakes normal with mean $-1$, both with spread 1. A discriminator with one weight, $a(x) = wx + b$, is trained to perfection. Which $w$ and $b$? And which value has its loss $L_D$ if
# instead the fakes are exactly like the real ones? On paper.

# %% tags=["exercise"]
best_w = None
best_b = None
loss_when_equal = None
### BEGIN SOLUTION
best_w = 2.0  # log p/q = -(x - 1)² / 2 + (x + 1)² / 2 = 2x
best_b = 0.0
loss_when_equal = np.log(4)  # minus log of one half, once for the real ones and once for the fakes
### END SOLUTION

# %% tags=["wrong"] says="both squares have a mixed term"
best_w, best_b, loss_when_equal = 1.0, 0.0, np.log(4)  # forgets a half of the mixed terms

# %% tags=["wrong"] says="b is the logit at 0"
best_w, best_b, loss_when_equal = (
    2.0,
    -2.0,
    np.log(4),
)  # sets the border at 1, where the real ones are

# %% tags=["wrong"] says="add the two means"
best_w, best_b, loss_when_equal = 2.0, 0.0, np.log(2)  # the mean over a mixed batch

# %% tags=["wrong"] says="tells all apart"
best_w, best_b, loss_when_equal = 2.0, 0.0, 0.0  # the loss of an examiner who is never wrong

# %% tags=["check"]
with feedback("Read the examiner's mind"):
    assert None not in (best_w, best_b, loss_when_equal), "fill in all three numbers"
    at_0, at_1 = (np.log(normal_density(x, 1, 1) / normal_density(x, -1, 1)) for x in (0.0, 1.0))
    assert np.isclose(best_w, at_1 - at_0, atol=0.01), (
        f"from x = 0 to x = 1 the log of the density ratio grows by {at_1 - at_0:.2f}, your w is {best_w:.2f}: "
        "write out log p - log q; both squares have a mixed term"
    )
    assert np.isclose(best_b, at_0, atol=0.01), (
        f"b is the logit at 0; there both densities are equal, and the log of their ratio is {at_0:.0f}"
    )
    right = "w and b are right; "
    assert loss_when_equal > -0.01, (
        right + "no cross-entropy is negative: mind the sign of the loss"
    )
    assert loss_when_equal > 0.01, right + "a loss of 0 has an examiner who tells all apart"
    assert not np.isclose(loss_when_equal, np.log(2), atol=0.01), (
        right + "log 2 is the mean over a mixed batch: L_D adds, so add the two means"
    )
    nothing = np.zeros(4, "float32")  # the logits of an examiner who cannot tell
    expected = float(discriminator_loss(nothing, nothing))
    assert np.isclose(loss_when_equal, expected, atol=0.005), (
        f"{right}the loss is not {loss_when_equal:.3f}: if nothing can be told, D is one half everywhere, "
        "so put the logit 0 into both softplus terms (natural logarithm) and add them"
    )

# %% [markdown]
# ## Exercise 2: softened labels
#
# Some people train the discriminator with labels `real_label` (say 0.9) and `fake_label` (say 0.1) instead of 1 and 0. Maximise $p\,[r \log d + (1-r)\log(1-d)] + q\,[f \log d + (1-f) \log(1-d)]$ over $d$ as in the lesson.
# What does the best discriminator answer? (Then look at a place where $p = 0$ and ask what the generator hears there.)


# %% tags=["exercise"]
def best_with_labels(p, q, real_label, fake_label):
    """The best discriminator's answer where real ones have density p and fakes q."""
    ### BEGIN SOLUTION
    return (real_label * p + fake_label * q) / (p + q)
    ### END SOLUTION


# %% tags=["wrong"] says="no label stands below the line"
def best_with_labels(p, q, real_label, fake_label):  # labels in the denominator too
    return real_label * p / (real_label * p + fake_label * q)


# %% tags=["wrong"] says="the fakes too have a label"
def best_with_labels(p, q, real_label, fake_label):  # forgets that fakes have a label too
    return real_label * p / (p + q)


# %% tags=["wrong"] says="the real ones' label multiplies p"
def best_with_labels(p, q, real_label, fake_label):  # softens the lesson's answer afterwards
    return (1 - fake_label) * p / (p + q) + fake_label


# %% tags=["check"]
with feedback("Softened labels"):
    d = np.linspace(0.0005, 0.9995, 1999)
    for (p_here, q_here, of_real, of_fake), hint in {
        (
            0.3,
            0.1,
            1.0,
            0.0,
        ): "it is p / (p + q) as in the lesson, and no label stands below the line",
        (0.3, 0.2, 0.8, 0.0): "the real ones' label multiplies p, above the line",
        (0.5, 0.3, 0.9, 0.2): "the fakes too have a label: before log d stands r p + f q",
        (0.0, 0.4, 0.9, 0.1): "where only fakes are, it is their label",
    }.items():
        towards_real = p_here * of_real + q_here * of_fake
        towards_fake = p_here * (1 - of_real) + q_here * (1 - of_fake)
        highest = d[np.argmax(towards_real * np.log(d) + towards_fake * np.log(1 - d))]
        got = best_with_labels(p_here, q_here, of_real, of_fake)
        assert got is not None, "best_with_labels returns nothing yet"
        assert abs(got - highest) < 0.001, (
            f"with p = {p_here}, q = {q_here} and labels {of_real}, {of_fake} the highest point is at "
            f"{highest:.3f}, yours is {got:.3f}: {hint}"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# This forger never learns to pass. It has **two** mistakes. Mend them.
#
# ```python
# def my_forger_step(generator, discriminator, optimizer, noise):
#     own = discriminator.trainable_variables
#     with tf.GradientTape() as tape:
#         loss = ops.mean(ops.softplus(discriminator(generator(noise))))
#     optimizer.apply(tape.gradient(loss, own), own)
#     return loss
# ```


# %% tags=["exercise"]
def my_forger_step(generator, discriminator, optimizer, noise):
    """One move of the generator with the non-saturating loss. Returns that loss before the move."""
    ### BEGIN SOLUTION
    own = generator.trainable_variables  # each player moves its own weights
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.softplus(-discriminator(generator(noise))))  # up with the logit
    optimizer.apply(tape.gradient(loss, own), own)
    return loss
    ### END SOLUTION


# %% tags=["wrong"] says="the examiner moved"
def my_forger_step(generator, discriminator, optimizer, noise):  # moves the examiner
    own = discriminator.trainable_variables
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.softplus(-discriminator(generator(noise))))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


# %% tags=["wrong"] says="works for the examiner"
def my_forger_step(generator, discriminator, optimizer, noise):  # works for the examiner
    own = generator.trainable_variables
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.softplus(discriminator(generator(noise))))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


# %% tags=["wrong"] says="is the minimax loss"
def my_forger_step(generator, discriminator, optimizer, noise):  # minimax
    own = generator.trainable_variables
    with tf.GradientTape() as tape:
        loss = -ops.mean(ops.softplus(discriminator(generator(noise))))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


# %% tags=["wrong"] says="leave the examiner trainable"
def my_forger_step(generator, discriminator, optimizer, noise):  # freezes the examiner for good
    discriminator.trainable = False
    own = generator.trainable_variables
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.softplus(-discriminator(generator(noise))))
    optimizer.apply(tape.gradient(loss, own), own)
    return loss


# %% tags=["check"]
with feedback("Repair this"):
    for rate, numbers in ((0.1, [-1.0, 1.0, 0.5]), (0.2, [3.0, -2.0])):
        forger, judge = [keras.Sequential([keras.layers.Dense(1)]) for _ in "GD"]
        for network, weights in (
            (forger, (1.0, 0.0)),
            (judge, (2.0, -2.0)),
        ):  # large ones look real
            network.build((None, 1))
            network.set_weights([np.array([[weights[0]]]), np.array([weights[1]])])
        z = np.array(numbers, "float32")[:, np.newaxis]
        got = my_forger_step(forger, judge, keras.optimizers.SGD(rate), z)
        assert got is not None, "my_forger_step returns nothing yet"
        moved = [float(weight.item() - 2) for weight in judge.get_weights()]
        assert np.allclose(moved, (0, -4)), "the examiner moved: it is the forger's turn"
        assert judge.trainable_variables, "leave the examiner trainable: its next turn comes"
        w, b = (weight.item() for weight in forger.get_weights())
        assert b >= 0, f"the mean of the fakes fell to {b:.3f}: your loss works for the examiner"
        logits = 2 * z - 2
        assert not np.isclose(b, rate * np.mean(2 * sigmoid_of(logits)), atol=1e-5), (
            "minus the mean of softplus(a) is the minimax loss: take softplus(-a)"
        )
        push = rate * 2 * sigmoid_of(-logits)  # rate times the slope at each fake
        assert np.allclose((w, b), (1 + np.mean(push * z), np.mean(push)), atol=1e-5), (
            f"one step takes w, b to {1 + np.mean(push * z):.4f}, {np.mean(push):.4f}, yours to {w:.4f}, {b:.4f}: "
            "move all of the generator's weights, by this optimizer, with the mean over the noise"
        )
        loss = np.log1p(np.exp(-logits)).mean()
        assert np.isclose(float(got), loss, atol=1e-4), (
            f"the step is right; the loss to return is the one before it, {loss:.3f}, yours {float(got):.3f}"
        )

# %% [markdown]
# ## Exercise 4: the penalty without a tape
#
# For a discriminator with one hidden layer, $a(x) = v \cdot \tanh(W^\top x + c)$, the gradient with respect to the input is a formula. Derive it by the chain rule, and compute R1 in NumPy.


# %% tags=["exercise"]
def r1_by_hand(real, W, c, v, gamma):
    """R1 for real (batch, inputs), W (inputs, units), c (units,), v (units,)."""
    ### BEGIN SOLUTION
    hidden = np.tanh(real @ W + c)
    slopes = ((1 - hidden**2) * v) @ W.T  # (batch, inputs): back through v, tanh and W
    return gamma / 2 * np.mean(np.sum(slopes**2, axis=1))
    ### END SOLUTION


# %% tags=["wrong"] says="take the sum over the features"
def r1_by_hand(real, W, c, v, gamma):  # the mean over features too
    slopes = ((1 - np.tanh(real @ W + c) ** 2) * v) @ W.T
    return gamma / 2 * np.mean(slopes**2)


# %% tags=["wrong"] says="square before you take the mean"
def r1_by_hand(real, W, c, v, gamma):  # the square of the mean slope: ups and downs cancel
    slopes = ((1 - np.tanh(real @ W + c) ** 2) * v) @ W.T
    return gamma / 2 * np.sum(np.mean(slopes, axis=0) ** 2)


# %% tags=["wrong"] says="the slope of tanh"
def r1_by_hand(real, W, c, v, gamma):  # forgets tanh on the way back
    return gamma / 2 * np.sum((W @ v) ** 2)


# %% tags=["check"]
with feedback("The penalty without a tape"):
    check_rng = np.random.default_rng(5)
    for batch, inputs, units, gamma in ((6, 2, 3, 0.5), (6, 2, 3, 3.0), (7, 5, 4, 1.0)):
        shapes = (batch, inputs), (inputs, units), (units,), (units,)
        given, W, c, v = (check_rng.normal(size=shape) for shape in shapes)
        got = r1_by_hand(given, W, c, v, gamma)
        assert got is not None, "r1_by_hand returns nothing yet"
        assert np.shape(got) == (), f"R1 is one number, yours has the shape {np.shape(got)}"
        x = tf.constant(given)
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = ops.sum(ops.tanh(ops.matmul(x, W) + c) * v, axis=-1)
        slopes = tape.gradient(logits, x).numpy()
        half, mean_square = gamma / 2, np.mean(np.sum(slopes**2, axis=1))
        for mistake, value in {
            "the slope of tanh, 1 - tanh², is missing": half * np.sum((W @ v) ** 2),
            "take the sum over the features, not their mean": half * np.mean(slopes**2),
            "take the mean over the examples, not their sum": half * np.sum(slopes**2),
            "square before you take the mean": half * np.sum(np.mean(slopes, axis=0) ** 2),
            "R1 has half of gamma": gamma * mean_square,
        }.items():
            assert not np.isclose(got, value), mistake
        assert np.isclose(got, half * mean_square), (
            f"with gamma = {gamma} the tape says {half * mean_square:.4f}, yours {got:.4f}: "
            "back through v, then the slope of tanh at W'x + c, then W; then square, sum, mean"
        )

# %% [markdown]
# ## Exercise 5: stop the circle without a penalty (open-ended)
#
# R1 is not the only way. Write a rule for the Dirac-GAN that brings $(\theta, \psi)$ to less than 0.1 from the goal within 500 turns, without a term that pulls $\psi$ or $\theta$ to a place that you know beforehand. So the goal is hidden:
# $a(x) = \psi x$ becomes $(\psi - \psi_0)(x - x_0)$, the players may rest at $(x_0, \psi_0)$, and you get nothing but the start and a function for the two gradients. Ask it where you like, at most four times a turn. Ideas:
# look ahead before you step, let old gradients count, average where you have been.


# %% tags=["setup"]
def hidden_game(goal):
    """A function of (θ, ψ) that returns dL_D/dψ and dL_G/dθ of the minimax Dirac-GAN that rests at `goal`."""

    def gradients(theta, psi):
        asked.append((theta, psi))
        away, tilt = theta - goal[0], psi - goal[1]
        return away * sigmoid_of(tilt * away), -tilt * sigmoid_of(tilt * away)

    asked = gradients.asked = []  # where it was asked
    return gradients


# %% tags=["exercise"]
def my_path_end(gradients, theta, psi, turns=TURNS):
    """Play `turns` turns from (theta, psi); gradients(θ, ψ) returns dL_D/dψ, dL_G/dθ. Returns the last (θ, ψ)."""
    ### BEGIN SOLUTION
    for _ in range(turns):  # extragradient: look one step ahead, use the gradients of that place
        psi_slope, theta_slope = gradients(theta, psi)
        ahead = theta - RATE * theta_slope, psi - RATE * psi_slope
        psi_slope, theta_slope = gradients(*ahead)
        theta, psi = theta - RATE * theta_slope, psi - RATE * psi_slope
    return theta, psi
    ### END SOLUTION


# %% tags=["wrong"] says="farther than you began"
def my_path_end(gradients, theta, psi, turns=TURNS):  # at once
    for _ in range(turns):
        psi_slope, theta_slope = gradients(theta, psi)
        theta, psi = theta - RATE * theta_slope, psi - RATE * psi_slope
    return theta, psi


# %% tags=["wrong"] says="you are still on the way round"
def my_path_end(gradients, theta, psi, turns=TURNS):  # a smaller rate circles more slowly
    for _ in range(turns):
        psi = psi - 0.01 * gradients(theta, psi)[0]
        theta = theta - 0.01 * gradients(theta, psi)[1]
    return theta, psi


# %% tags=["wrong"] says="without one question"
def my_path_end(gradients, theta, psi, turns=TURNS):  # knows where the goal was in the lesson
    return 0.0, 0.0


# %% tags=["wrong"] says="you rest, but at the wrong place"
def my_path_end(gradients, theta, psi, turns=TURNS):  # R1
    for _ in range(turns):
        psi = psi - RATE * (gradients(theta, psi)[0] + GAMMA * psi)
        theta = theta - RATE * gradients(theta, psi)[1]
    return theta, psi


# %% tags=["check"]
with feedback("Stop the circle without a penalty"):
    for goal, start, turns in (
        ((0.0, 0.0), (1.0, 0.0), TURNS),
        ((2.0, 0.5), (2.9, 0.1), TURNS),
        ((-3.0, -0.7), (-3.6, 0.1), TURNS + 50),
        ((4.0, 5.0), (3.0, 6.0), 1),  # where one turn ends
    ):
        game = hidden_game(goal)
        end = my_path_end(game, *start, turns)
        assert end is not None, "my_path_end returns nothing yet"
        assert game.asked, "without one question to `gradients` nobody can know where the goal is"
        assert len(game.asked) <= 4 * turns, (
            f"you asked {len(game.asked)} times in {turns} turns: at most four times a turn"
        )
        assert np.isfinite(end).all(), f"your numbers end as ({end[0]}, {end[1]})"
        assert turns > 1 or np.hypot(*np.subtract(end, start)) < 2, (
            f"begin at the start that you are given: a turn from {start} ends at ({end[0]:.1f}, {end[1]:.1f})"
        )
        left, before = np.hypot(*np.subtract(end, goal)), np.hypot(*np.subtract(start, goal))
        last_round = np.ptp(game.asked[-len(game.asked) // 5 :], axis=0).max()
        if left >= 0.1 and turns > 1:
            where = f"after {turns} turns you are {left:.2f} from the goal {goal}, at first {before:.2f}"
            assert np.ptp(game.asked, axis=0).any(), f"{where}: you never leave the start"
            assert last_round > 0.05, (
                f"{where}: you rest, but at the wrong place: what pulls there?"
            )
            assert left < 1.02 * before, f"{where}, farther than you began: each step leads away"
            raise AssertionError(f"{where}: you are still on the way round: what is a step ahead?")

# %% [markdown]
# ## Summary
#
# - A GAN replaces the missing target by an examiner that learns too. The examiner's loss is binary cross-entropy, the forger's is the same with the sign or the label turned.
# - The perfect examiner answers $p/(p+q)$. Its logit is the log of the density ratio, its loss is $\log 4 - 2\,\mathrm{JS}$. A trained network gets there.
# - The minimax loss is silent where the forger is worst. With SGD that stops the game; Adam hides it.
# - Loop and `train_step` are the same game. The players take turns, each moves its own weights.
# - The game does not go downhill, it turns. At once it spirals out, in turns it circles, R1 makes it arrive.
# - A healthy game covers all eight modes on every seed. A strong examiner loses modes, and R1 brings nearly all back; without noise there is one point; a hasty forger collapses, and what helps is equal rates.
# - The discriminator's loss of a collapsed game looks like that of a healthy one. Count what you care about.
# - On data that fit a formula, a classical density model wins.
#
# Not shown: other losses and architectures, images, conditions, and measures for them, which are lesson 5.2's; averaging the generator's weights over the steps, which smooths the circling; spectral
# normalization. Five seeds on one toy show that these failures exist and what mended them here, not how often they strike elsewhere.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Why may the generator never see a real example, and still learn their distribution?</summary>
#
# The gradient of the logit at a fake says in which direction the density ratio grows. The examiner has seen real ones, and that slope is what it passes on.
#
# </details>
#
# <details>
# <summary>Your discriminator's loss goes to zero within a hundred steps. Good news?</summary>
#
# It tells real from fake perfectly: the two densities hardly meet, JS is near its largest value. With a saturating loss and SGD the generator hears nothing. Even with the other loss its answers are cliffs. Flatten it (R1), slow it down, or make fakes and
# real ones overlap, for example with noise on both.
#
# </details>
#
# <details>
# <summary>The loss stays at log 4. Has the generator won?</summary>
#
# Perhaps. Or the examiner is too weak or too slow to see the difference. Train a fresh examiner against the frozen generator: if its loss falls well below log 4, the fakes are not there yet.
#
# </details>
#
# <details>
# <summary>Why does R1 penalise the slope at the real examples and not everywhere?</summary>
#
# Where the fakes still are wrong, a slope is what should push them. Where the data are, a slope pushes fakes away that have arrived, and that is what keeps the game turning.
#
# </details>
#
# <details>
# <summary>A healthy GAN covers all modes, and still some of its samples are bad. Where are they, and would more steps remove them?</summary>
#
# On the bridges between clusters. The generator is continuous and noise is connected, so its fakes are too. More steps and larger networks make the bridges thinner; they cannot cut them.
#
# </details>

# %% [markdown]
# ## References
#
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio (2014). Generative adversarial nets. arXiv:1406.2661
# - I. Goodfellow (2016). NIPS 2016 tutorial: generative adversarial networks. arXiv:1701.00160
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen (2016). Improved techniques for training GANs. arXiv:1606.03498
# - L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein (2017). Unrolled generative adversarial networks. arXiv:1611.02163
# - L. Mescheder, S. Nowozin, A. Geiger (2017). The numerics of GANs. arXiv:1705.10461
# - M. Arjovsky, L. Bottou (2017). Towards principled methods for training generative adversarial networks. arXiv:1701.04862
# - W. Fedus, M. Rosca, B. Lakshminarayanan, A. M. Dai, S. Mohamed, I. Goodfellow (2018). Many paths to equilibrium: GANs do not need to decrease a divergence at every step. arXiv:1710.08446
# - G. Gidel, H. Berard, G. Vignoud, P. Vincent, S. Lacoste-Julien (2019). A variational inequality perspective on generative adversarial networks. arXiv:1802.10551
# - L. Mescheder, A. Geiger, S. Nowozin (2018). Which training methods for GANs do actually converge? arXiv:1801.04406
