# ---
# jupyter:
#   course:
#     prerequisites: ["5.1"]
#     most_seconds: 135
#     equal_programs:
#       "Repair this":
#         "constant: 1e-12 -> 2e-12": "any constant so small will do"
#       "How much does a layer stretch":
#         "operator: start / tf.norm(start) -> start * tf.norm(start)": "the length of the start does not matter, each step divides by the length"
#         "one side: start / tf.norm(start) -> start": "the length of the start does not matter, each step divides by the length"
#         "line dropped: y /= tf.norm(y) -> nothing": "the length of y does not matter, x is divided by its own"
#       "Beat this baseline":
#         "constant: 0.3 -> 0.6": "other shares of the two digits pass as well"
#         "function: ((own - first) ** 2).sum(axis=1) -> ((own - first) ** 2).mean(axis=1)": "the mean puts the relatives in the same order"
#         "constant: 1 -> 2 (2)": "NumPy takes any negative size for the one to be found"
#         "constant: 1 -> 2 (4)": "NumPy takes any negative size for the one to be found"
#         "constant: 1 -> 2 (3)": "another choice among the nearest relatives"
#         "constant: 6 -> *": "another choice among the nearest relatives"
#     core_minutes: 120
# ---

# %% [markdown]
# # 5.2 Architectures
#
# **After this lesson you can** judge a generator with numbers and say what each number does not see, build a DCGAN, a conditional GAN with a projection discriminator and a WGAN-GP, write the gradient
# penalty and spectral normalization yourself, and explain in a few lines of code what pix2pix, CycleGAN and StyleGAN add.
#
# **You build** three GANs that draw handwritten digits at the same budget, and a table that says which is better, at what, and whether they beat a sampler without any network.
#
# **Question.** There are hundreds of GANs, and each paper shows its best pictures. How do you find out which one is better?

# %% tags=["setup"]
import time
import types
from concurrent.futures import ThreadPoolExecutor

import keras
import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import scipy.spatial
import scipy.special
import scipy.stats
import sklearn.decomposition
import sklearn.ensemble
import sklearn.metrics
import sklearn.model_selection
import tensorflow as tf
from keras import ops

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    show_images,
    use_course_settings,
    use_course_style,
)

use_course_settings(threads=1)  # for matrices this small, sharing costs more
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)
rng = np.random.default_rng(SEED)

training, validation, test = load_digits(seed=SEED)
training_images, training_labels = training
COUNT = len(validation[0])  # how many images every number of this lesson is computed from

# %% [markdown]
# Lesson 5.1 judged its generators by eye and by known clusters: the data lay on a ring. For images nobody knows the density. So this lesson builds its judges first, and
# tries them on samplers of which you know what is wrong with them. Only then come the players.
#
# The rules: GANs and judges learn from the training digits. Whatever we look at on the way is compared with the validation digits. The test digits meet generated ones only in the last table.
#
# ## Judge 1: a classifier and its features
#
# Two images of a 3 can differ in every pixel. So do not compare pixels; compare what a classifier makes of them. We train a small one. It sees each digit slightly
# moved and with noise, so that it looks at shapes rather than at single pixels. From the layer before the last we take 32 **features** of each image, and from the last its answer.


# %% tags=["setup"]
def build_classifier():
    """A small network from images (28, 28, 1) in [0, 1] to 10 logits; and the same with its 32 features as well."""
    image = keras.Input((28, 28, 1))
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant")(image)
    x = keras.layers.GaussianNoise(0.2)(x)
    x = keras.layers.Conv2D(16, 5, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
    features = keras.layers.Dense(32)(x)
    logits = keras.layers.Dense(10)(keras.layers.Dropout(0.2)(features))
    return keras.Model(image, logits), keras.Model(image, [features, logits])


classifier, reader = build_classifier()  # two models with the same layers
classifier.compile(
    keras.optimizers.Adam(0.002), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
history = classifier.fit(training_images, training_labels, batch_size=64, epochs=15, verbose=0)


def look(images):
    """The judge's features (n, 32) and answers (n,) for images (n, 28, 28, 1) in [0, 1]."""
    features, logits = reader(ops.convert_to_tensor(images, "float32"), training=False)
    return ops.convert_to_numpy(features).astype("float64"), np.argmax(logits, axis=-1)


# %%
validation_features, validation_answers = look(validation[0])
share_right = np.mean(validation_answers == validation[1])
claim(
    "The judge reads at least 94 of 100 validation digits",
    share_right >= 0.94,
    f"{share_right:.3f} of {COUNT}",
)

# %% [markdown]
# ## The Fréchet distance
#
# How far apart are two heaps of feature vectors? Describe each by its mean and its covariance, that is, pretend both are normal distributions. Then ask what it costs to carry one into the other.
#
# Start with one feature. $X$ has mean $m_1$ and spread $s_1$, $Y$ has $m_2$ and $s_2$. Pair each $x$ with a $y$, as cleverly as you can, and pay the squared distance:
#
# $$\mathbb E (X-Y)^2 = (m_1-m_2)^2 + s_1^2 + s_2^2 - 2\,\mathrm{cov}(X, Y) .$$
#
# Only the last term depends on the pairing, and a covariance is at most $s_1 s_2$, reached when $Y$ is $X$ moved and stretched. So the cheapest way costs
#
# $$d^2 = (m_1-m_2)^2 + (s_1-s_2)^2 .$$
#
# On paper: $m = 0$ and $2$, $s = 1$ and $3$ give $4 + 4 = 8$. With many features the spreads become covariance matrices $\Sigma_1, \Sigma_2$, and the largest total covariance of a pairing is the trace of
# $(\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}$:
#
# $$d^2 = \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\,\Sigma_1 + \mathrm{tr}\,\Sigma_2 - 2\,\mathrm{tr}\,(\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2} .$$
#
# This is the **Fréchet distance** (in features of the network Inception it is called FID). The root of a symmetric matrix has the same eigenvectors and the roots of the eigenvalues. So the last trace is
# a sum of roots, and no matrix root of a product is needed.


# %% tags=["setup"]
def frechet_distance(first, second):
    """Squared Fréchet distance of two sets of features, (n, features) and (m, features), taken as normal."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    first_covariance = np.cov(first, rowvar=False)
    second_covariance = np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(first_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ second_covariance @ root)
    spread = np.trace(first_covariance) + np.trace(second_covariance)
    return gap @ gap + spread - 2 * np.sqrt(np.maximum(shared, 0)).sum()


# %% without_learning="arithmetic"
base = rng.normal(size=(100_000, 3))
means, spreads = np.array([2.0, 0.0, -1.0]), np.array([3.0, 1.0, 0.5])
by_formula = (means**2).sum() + ((spreads - 1) ** 2).sum()
found = frechet_distance(base, means + spreads * rng.normal(size=(100_000, 3)))
claim(
    "For normal samples whose distance is known, the Fréchet distance is found within 3 in 100",
    abs(found - by_formula) < 0.03 * by_formula,
    f"by formula {by_formula:.3f}, from samples {found:.3f}",
)

# %% [markdown]
# That case had no covariances between features. Against a second way for the general one: SciPy's `sqrtm` of the product $\Sigma_1\Sigma_2$, which has the same trace.

# %% without_learning="arithmetic"
training_features, training_answers = look(training_images[:COUNT])
covariances = [np.cov(f, rowvar=False) for f in (training_features, validation_features)]
gap = training_features.mean(axis=0) - validation_features.mean(axis=0)
product_root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
by_scipy = gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * product_root.real)
ours = frechet_distance(training_features, validation_features)
claim(
    "Our Fréchet distance is the one with SciPy's matrix root",
    abs(ours - by_scipy) < 1e-3 * by_scipy,
    f"ours {ours:.6f}, SciPy's {by_scipy:.6f}",
)

# %% [markdown]
# A number without a scale says nothing. The **floor** is the distance between two halves of real digits that nobody was trained on: no generator can be expected to do better. The **ceiling** is the distance to noise. Predict:
# if you take 40 digits a half instead of some 300, will the floor be lower, the same, or higher?

# %%
held_out_images = np.concatenate([validation[0], test[0]])
held_out_labels = np.concatenate([validation[1], test[1]])
held_out_features = look(held_out_images)[0]


def two_halves(size, seed):
    """Features of two sets of held-out digits, `size` each, no digit in both, every class in proportion."""
    return sklearn.model_selection.train_test_split(
        held_out_features,
        train_size=size,
        test_size=size,
        stratify=held_out_labels,
        random_state=seed,
    )


def floor_at(size, repeats=20):
    """Mean Fréchet distance between two halves of real digits."""
    return np.mean([frechet_distance(*two_halves(size, SEED + k)) for k in range(repeats)])


# %% without_learning="data"
floors = {size: floor_at(size) for size in (40, 75, 150, COUNT)}
floor = floors[COUNT]
noise_images = rng.uniform(size=(COUNT, 28, 28, 1))
ceiling = frechet_distance(look(noise_images)[0], validation_features)
print("floor", {size: round(float(value), 1) for size, value in floors.items()})
print(f"ceiling {ceiling:.0f}")
claim(
    "The Fréchet distance depends on the number of images: at 40 the floor is at least twice as high as at 299",
    floors[40] > 2 * floor and ceiling > 20 * floor,
    f"at 40 images {floors[40]:.1f}, at {COUNT} {floor:.1f}, noise {ceiling:.0f}",
)

# %% [markdown]
# Higher. A covariance from few images is noisy, and noise always adds distance. So a Fréchet distance without its number of images and its floor is not a measurement. From now on every one is computed from 299 images.
#
# ## Precision and coverage
#
# One number cannot say *what* is wrong. Are the images bad, or are they good but all alike? Give each real image a ball that reaches to its 5th nearest real neighbour, in feature space. The union of the balls is where real images live. Then
#
# - **precision** is the share of generated images that lie in some ball: are they realistic?
# - **coverage** is the share of balls that hold some generated image: is everything there that should be? (Naeem and others, 2020)
#
# On paper, with numbers instead of images and the 1st neighbour: real ones at 0, 1 and 3 have the radii 1, 1 and 2. Four generated ones sit at 0.5, 0.6, 0.7 and 9. What are precision and coverage?


# %% tags=["setup"]
def precision_and_coverage(real, fake, neighbours=5):
    """Share of fakes (m, features) within a ball around a real one (n, features); share of balls with a fake."""
    among_real = np.sort(scipy.spatial.distance.cdist(real, real), axis=1)
    radii = among_real[:, neighbours]  # place 0 is the distance to itself
    inside = scipy.spatial.distance.cdist(real, fake) < radii[:, np.newaxis]
    return inside.any(axis=0).mean(), inside.any(axis=1).mean()


# %% without_learning="data"
few_real, few_fake = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [0.6], [0.7], [9.0]])
by_hand = precision_and_coverage(few_real, few_fake, neighbours=1)
one_class = validation_features[validation[1] == 0]
collapsed = precision_and_coverage(validation_features, np.resize(one_class, (COUNT, 32)))
claim(
    "By hand: precision 3/4, coverage 2/3; and digits that are all zeros are precise, but cover at most 1/4",
    np.allclose(by_hand, (3 / 4, 2 / 3)) and collapsed[0] > 0.95 and collapsed[1] < 0.25,
    f"by hand {by_hand[0]:.3f}, {by_hand[1]:.3f}; all zeros {collapsed[0]:.2f}, {collapsed[1]:.2f}",
)

# %% [markdown]
# ## Judge 2: a detector
#
# The features of a classifier show what matters for reading digits, and not much else. The second judge looks for anything: take a new network, train it to tell generated digits from training digits, and ask it about new generated
# digits and validation digits. Its area under the ROC curve (AUC, lesson 3.3c) is one half if it can only guess, and one if it is never wrong. This is a **classifier two-sample test**. It is the discriminator's
# job, done by somebody the generator never played against, so its loss is the discriminator's (lesson 5.1): with logits $a$,
#
# $$L_D = \mathrm{mean}\,\mathrm{softplus}(-a_\text{real}) + \mathrm{mean}\,\mathrm{softplus}(a_\text{fake}), \qquad L_G = \mathrm{mean}\,\mathrm{softplus}(-a_\text{fake})\ \text{(non-saturating)}.$$


# %% tags=["setup"]
def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy with label 1 for real and 0 for fake."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """Non-saturating: cross-entropy of the fakes with the label of real ones."""
    return ops.mean(ops.softplus(-fake_logits))


def build_detector():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 5, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )


# %%
detector, detector_optimizer = build_detector(), keras.optimizers.Adam(0.001)
detector_optimizer.build(detector.trainable_variables)
everything = detector.variables + detector_optimizer.variables
at_start = [ops.convert_to_numpy(variable) for variable in everything]


@tf.function
def train_detector(real, fakes, steps, batch=48):
    """`steps` batches, half real, half fake. real, fakes: (n, 28, 28, 1)."""
    for _ in tf.range(steps):
        picks = tf.random.uniform((2, batch), 0, 2 * COUNT, tf.int32)
        with tf.GradientTape() as tape:
            both = tf.concat([tf.gather(real, picks[0]), tf.gather(fakes, picks[1])], axis=0)
            loss = discriminator_loss(*tf.split(detector(both, training=True), 2))
        detector_optimizer.apply(tape.gradient(loss, detector.trainable_variables))


# %%
def detector_score(fakes, prepare=lambda images: images):
    """AUC of a detector that learns on two thirds of the fakes and is asked about the rest and validation digits.

    prepare: what is done to all images before the detector sees them.
    """
    for variable, value in zip(everything, at_start, strict=True):
        variable.assign(value)
    fakes, validation_images = prepare(fakes), prepare(validation[0])
    real = prepare(training_images[rng.permutation(len(training_images))[: 2 * COUNT]])
    train_detector(
        tf.constant(real, "float32"), tf.constant(fakes[: 2 * COUNT], "float32"), tf.constant(150)
    )
    unseen = np.concatenate([validation_images, fakes[2 * COUNT :]])
    logits = ops.convert_to_numpy(detector(unseen.astype("float32"), training=False))
    is_real = np.arange(len(unseen)) < COUNT
    return sklearn.metrics.roc_auc_score(is_real, logits[:, 0])


# %% [markdown]
# ## The opponents: samplers without a network
#
# A GAN must be better than something simple. Five samplers, each of which gives images and the labels that were asked for:
#
# - **noise**: every pixel at random.
# - **copies**: training digits, as they are. And **copies with noise**: the same, with faint noise on every pixel.
# - **one Gaussian**: the mean of all digits, plus random amounts of the 20 directions in which digits vary most (principal components), each with the spread that it has in the data.
# - **Gaussians**: the same for each class by itself.
#
# Which of them passes which judge? Write down your guess before you run the table.


# %% tags=["setup"]
def nearest_training_distance(images):
    """Distance in pixels from each image (n, 28, 28, 1) to the nearest training digit: (n,)."""
    images = np.reshape(images, (len(images), -1)).astype("float64")
    training = training_images.reshape(len(training_images), -1).astype("float64")
    # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b: one matrix product instead of a subtraction for each pair
    squares = (images**2).sum(axis=1)[:, np.newaxis] + (training**2).sum(axis=1)
    return np.sqrt(np.maximum(squares - 2 * images @ training.T, 0).min(axis=1))


def gaussian_sampler(labels, rng, components=20, by_class=True):
    """An image for each label: the mean plus the largest principal components, as a normal distribution, of its class.

    by_class: if not, one distribution for all digits, whatever the label.
    """
    groups = labels if by_class else np.zeros_like(labels)
    own_groups = training_labels if by_class else np.zeros_like(training_labels)
    images = np.zeros((len(labels), 28 * 28))
    for group in np.unique(groups):
        own = training_images[own_groups == group].reshape(-1, 28 * 28)
        place = groups == group
        found = sklearn.decomposition.PCA(components, random_state=0).fit(own)
        amounts = rng.normal(size=(place.sum(), components)) * np.sqrt(found.explained_variance_)
        images[place] = found.mean_ + amounts @ found.components_
    return np.clip(images, 0, 1).reshape(-1, 28, 28, 1)


# %% tags=["setup"]
def copies(labels, rng, noise=0.0):
    """A training digit for each label, none twice, with normal noise of this spread on every pixel."""
    picks = np.zeros(len(labels), int)
    for digit in np.unique(labels):
        place = labels == digit
        picks[place] = rng.permutation(np.flatnonzero(training_labels == digit))[: place.sum()]
    chosen = training_images[picks]
    return np.clip(chosen + noise * rng.normal(size=chosen.shape), 0, 1)


# %%
def shuffled_labels(count):
    """`count` labels, every class as often as it can be, in random order."""
    return rng.permutation(np.resize(np.arange(10), count)).astype("int32")


def scores(images, labels, real_features):
    """The classifier's judgement of COUNT images: Fréchet distance, precision, coverage, share read as asked."""
    features, answers = look(images)
    found = precision_and_coverage(real_features, features)
    return np.array([frechet_distance(features, real_features), *found, np.mean(answers == labels)])


HEAD = f"{'':20s}" + "".join(
    f"{title:>12s}"
    for title in ("Fréchet", "precision", "coverage", "as asked", "detector", "to training")
)


def print_row(name, values):
    """One line of the table; what was not measured (nan) shows as a dash."""
    shown = ("–" if np.isnan(value) else f"{value:.2f}" for value in values)
    print(f"{name:20s}" + "".join(f"{value:>12s}" for value in shown))


# %%
samplers = {
    "noise": lambda labels: rng.uniform(size=(len(labels), 28, 28, 1)),
    "copies": lambda labels: copies(labels, rng),
    "copies with noise": lambda labels: copies(labels, rng, 0.05),
    "one Gaussian": lambda labels: gaussian_sampler(labels, rng, by_class=False),
    "Gaussians": lambda labels: gaussian_sampler(labels, rng),
}
baselines, distances = {}, {}
real_distance = np.median(nearest_training_distance(validation[0]))
print(HEAD)
for name, sampler in samplers.items():
    batches = [shuffled_labels(COUNT) for _ in range(3)]
    images = [sampler(labels) for labels in batches]
    found = [scores(*pair, validation_features) for pair in zip(images, batches, strict=True)]
    images = np.concatenate(images)
    baselines[name] = *np.mean(found, axis=0), detector_score(images)
    distances[name] = np.median(nearest_training_distance(images[:COUNT]))
    print_row(name, (*baselines[name], distances[name]))
other_features = look(test[0][:COUNT])[0]
real_shares = precision_and_coverage(validation_features, other_features)
real_row = (floor, *real_shares, share_right, np.nan, real_distance)
print_row("other real digits", real_row)

# %% alt="Three rows of ten images, the digits 0 to 9: real training digits; the Gaussian sampler's, readable but with grey haze around the strokes; copies with noise, sharp with a faint grain."
digits = np.arange(10)
rows = [copies(digits, rng), gaussian_sampler(digits, rng), copies(digits, rng, 0.05)]
show_images(np.concatenate(rows), title="Training digits, Gaussians, copies with noise")

# %% [markdown]
# Read the table by columns, from the left.
#
# - One Gaussian for all digits fails at the first judge: between the classes there is nothing, but a single hill puts something there.
# - The Gaussians, one for each class, nearly pass it: they come within a few times the floor, precision and coverage are high, and the classifier reads their digits. That is no accident. The Fréchet distance compares means and covariances, and a
#   class of these small digits is well described by a mean and a covariance.
# - Look at their images: there is grey haze around the strokes, where a real digit has none. The classifier learnt to overlook such things, the detector finds them. It finds the grain of the noisy copies too.
# - Copies pass everything. Only the last column, the median distance to the nearest training digit, shows that they are worth nothing. Real digits that were not trained on are *that* far away.
#
# - Noise may get some precision too. The classifier never saw noise, so all of it lands in one place, and that place may lie in some digit's ball. Coverage exposes it.
#
# So no single number will do, and each needs its row of cheats beside it.

# %%
copied, single, gaussian = (baselines[name] for name in ("copies", "one Gaussian", "Gaussians"))
claim(
    "Copies of training digits pass every judge but one: no distance to the training digits",
    copied[0] < 2 * floor
    and min(copied[1:4]) > 0.85
    and copied[4] < 0.65
    and distances["copies"] < 0.01,
    f"Fréchet {copied[0]:.1f} (floor {floor:.1f}), detector {copied[4]:.2f}, distance {distances['copies']:.2f} (real {real_distance:.2f})",
)
claim(
    "A Gaussian for each class stays within 6 times the floor, is read as asked, and fails at the detector; one for all digits fails at both",
    gaussian[0] < 6 * floor < single[0]
    and gaussian[3] > 0.9
    and min(gaussian[4], single[4]) > 0.65,
    f"Fréchet {gaussian[0]:.1f} and {single[0]:.1f}, as asked {gaussian[3]:.3f}, detector {gaussian[4]:.2f} and {single[4]:.2f}",
)

# %% [markdown]
# ## The players
#
# Three GANs with the same generator (the second one is told a label too). They differ in what their discriminators see and are asked:

# %% [markdown]
# ![Three discriminators. DCGAN: the image goes through convolutions with batch normalization to a logit, is it real. Conditional GAN: beside it the label gives a vector v, whose dot product with the features h is added to the logit. WGAN-GP: the image gives a score, and a mix of a real and a fake image gives the length of the gradient, which should be 1.](../../../images/three_discriminators.png)

# %% [markdown]
# ### Player 1: DCGAN
#
# The **deep convolutional GAN** (Radford and others, 2015) was the first set of rules with which convolutional GANs trained reliably:
#
# - no pooling: the discriminator shrinks with strides, the generator grows with transposed convolutions (lesson 3.1), here from 7x7 to 14x14 to 28x28;
# - batch normalization in both networks, except at the discriminator's input and the generator's output;
# - ReLU in the generator, leaky ReLU in the discriminator, and tanh at the end, so images are scaled to $[-1, 1]$;
# - Adam with a small $\beta_1$. Each step meets a new opponent, so old gradients are bad advice.
#
# Our kernels are 4 wide at stride 2. Why not 3? A transposed convolution stamps its kernel onto the output once for each input pixel. Count the stamps on each output pixel, with a kernel of ones. Predict: which width is fair to all pixels?

# %% without_learning="arithmetic"
stamps = {}
for size in (3, 4):
    layer = keras.layers.Conv2DTranspose(1, size, 2, kernel_initializer="ones", use_bias=False)
    on_ones = ops.convert_to_numpy(layer(np.ones((1, 6, 6, 1), "float32")))[0, :, :, 0]
    stamps[size] = on_ones[4:8, 4:8]  # far from the edges
    print(f"width {size}:", stamps[size].astype(int).tolist())
claim(
    "At stride 2, a kernel of width 4 stamps every pixel equally often, one of width 3 does not",
    np.ptp(stamps[4]) == 0 and np.ptp(stamps[3]) > 0,
    f"width 4: {np.unique(stamps[4])}, width 3: {np.unique(stamps[3])}",
)

# %% [markdown]
# With width 3 some pixels get four stamps and others one, and that shows as a checkerboard. A width that is a multiple of the stride avoids it. Now the two networks.


# %% tags=["setup"]
NOISE = 32  # numbers of noise for each image


def build_generator(conditional):
    """Noise (n, 32), and labels (n,) if conditional, to images (n, 28, 28, 1) in [-1, 1]."""
    noise, label = keras.Input((NOISE,)), keras.Input((), dtype="int32")
    x = noise
    if conditional:
        x = keras.layers.Concatenate()([noise, keras.layers.Embedding(10, NOISE)(label)])
    x = keras.layers.Dense(7 * 7 * 32, use_bias=False)(x)
    x = keras.layers.Reshape((7, 7, 32))(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Conv2DTranspose(16, 4, strides=2, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model([noise, label] if conditional else [noise], x)


# %% tags=["setup"]
def build_discriminator(conditional, batch_normalization):
    """Images (n, 28, 28, 1) in [-1, 1], and labels (n,) if conditional, to one logit each: (n, 1)."""
    image, label = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
    x = keras.layers.Conv2D(16, 5, strides=2, padding="same")(image)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Conv2D(32, 4, strides=2, padding="same")(x)
    if batch_normalization:
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
    h = keras.layers.Flatten()(keras.layers.LeakyReLU(0.2)(x))
    logit = keras.layers.Dense(1)(h)
    if conditional:
        vector = keras.layers.Embedding(10, h.shape[-1], "glorot_uniform")(label)
        logit = keras.layers.Add()([logit, keras.layers.Dot(axes=1)([h, vector])])
    return keras.Model([image, label] if conditional else [image], logit)


# %%
for conditional in (False, True):
    networks = build_generator(conditional), build_discriminator(conditional, not conditional)
    name = "conditional" if conditional else "DCGAN"
    print(name, "parameters of G and D:", *(f"{network.count_params():,}" for network in networks))

# %% [markdown]
# ### Player 2: a conditional GAN
#
# A DCGAN draws *some* digit. To order one, both networks must be told the label $y$: this is a **conditional GAN**. The generator gets it as a vector of trainable numbers (`Embedding`), joined to the noise. And the discriminator? It could be joined there too. There is a better
# way, and it can be derived.
#
# The best logit is the log of the density ratio (lesson 5.1), now of image *and* label:
#
# $$a^*(x, y) = \log\frac{p(x, y)}{q(x, y)} = \log\frac{p(y \mid x)}{q(y \mid x)} + \log\frac{p(x)}{q(x)} .$$
#
# Suppose that real and generated labels each follow a softmax over the same features $h(x)$: $\log p(y \mid x) = v^p_y \cdot h - \log Z^p$, where $Z^p$ is the sum over all classes, and the same with $q$. The first term is then
# $(v^p_y - v^q_y)\cdot h$ minus $\log Z^p - \log Z^q$. That last part does not depend on $y$, so it can go to the second term:
#
# $$a(x, y) = v_y \cdot h(x) + \psi(h(x)) .$$
#
# A vector $v_y$ for each class, a dot product, and one more output $\psi$ for whether it is real at all: the **projection discriminator** (Miyato and Koyama, 2018). It is the `Embedding`, the `Dot` and the `Dense(1)` above. Check the derivation with random softmax models:

# %% without_learning="arithmetic"
features = rng.normal(size=(5, 4))
real_vectors, fake_vectors = rng.normal(size=(2, 10, 4))
log_ratio = scipy.special.log_softmax(features @ real_vectors.T, axis=1)
log_ratio -= scipy.special.log_softmax(features @ fake_vectors.T, axis=1)
left_over = log_ratio - features @ (real_vectors - fake_vectors).T  # (5 images, 10 classes)
claim(
    "Without the dot product, what is left of the log ratio is the same for every class",
    np.ptp(left_over, axis=1).max() < 1e-12 and np.ptp(left_over, axis=0).min() > 0.1,
    f"spread over classes {np.ptp(left_over, axis=1).max():.0e}, over images at least {np.ptp(left_over, axis=0).min():.2f}",
)

# %% [markdown]
# Two additions. Real images with a **wrong** label count as fakes too, with a small weight, so that the discriminator cannot pass by looking at the image alone (Reed and others, 2016, did this with captions). And every fourth step brings the R1 penalty of lesson 5.1, half the mean squared length of
# the gradient at real images, four times as strong: nearly the same effect for a quarter of the price (**lazy regularization**).
#
# ### Player 3: WGAN-GP
#
# Lesson 5.1: against a perfect discriminator the minimax generator minimises the Jensen-Shannon divergence (JS). Let all real examples lie at 0 and all fakes at $\theta$: two point masses. What is JS at $\theta = 0$, $0.1$, $2$? Guess how the curve looks before you run the cell.
#
# Beside it is the **Wasserstein distance** $W$: the least work, amount times distance, that carries one heap of mass onto the other. (With the *square* of the distance you met it already: for normal distributions it is the Fréchet distance.)

# %%
places = np.linspace(-3, 3, 61)


def jensen_shannon(p, q):
    """JS divergence of two rows of probabilities."""
    mean = (p + q) / 2
    return (scipy.stats.entropy(p, mean) + scipy.stats.entropy(q, mean)) / 2


point_masses = np.eye(len(places))  # row i: all mass at places[i]
real_mass = point_masses[len(places) // 2]
divergence = np.array([jensen_shannon(real_mass, fake_mass) for fake_mass in point_masses])
work = np.array([scipy.stats.wasserstein_distance([0.0], [place]) for place in places])

# %% alt="Two curves against the place theta of the fakes. The Jensen-Shannon divergence is flat at log 2 everywhere but at theta 0, where it drops to 0. The Wasserstein distance is a V with its tip at 0."
plt.plot(places, work, label="Wasserstein distance")
plt.plot(places, divergence, marker=".", label="Jensen-Shannon divergence")
plt.xlabel("place θ of all fakes (real ones are at 0)")
plt.ylabel("distance from the real ones")
plt.legend()
plt.show()

# %% [markdown]
# JS knows two values: the same, or not the same. It is flat at $\log 2$, so its gradient tells the fakes nothing, however close they are. $W$ falls steadily on the way to 0, with slope 1. (Real distributions overlap a little, and discriminators are not perfect; that is why GANs with the first kind of loss train at all.)

# %% without_learning="arithmetic"
away = np.abs(places) > 0.05
slopes = np.diff(work[places > 0.05]) / np.diff(places[places > 0.05])
claim(
    "Away from 0 the Jensen-Shannon divergence is log 2 everywhere, and the Wasserstein distance has slope 1",
    np.ptp(divergence[away]) < 1e-12
    and abs(divergence[0] - np.log(2)) < 1e-12
    and np.allclose(slopes, 1),
    f"JS from {divergence[away].min():.6f} to {divergence[away].max():.6f}, slope of W {slopes.mean():.6f}",
)

# %% [markdown]
# ### The critic
#
# How does one compute $W$ for images? By a theorem (Kantorovich and Rubinstein),
#
# $$W = \max_{f} \big[\, \mathrm{mean}\, f(\text{real}) - \mathrm{mean}\, f(\text{fake}) \,\big] \quad\text{over all functions with slope at most 1 everywhere (\textbf{1-Lipschitz})} .$$
#
# One direction is easy to see: if a unit of mass moves from $x$ to $x'$, then $f(x) - f(x') \le \lVert x - x' \rVert$, so no such $f$ can gain more than the work. The theorem says that the best one gains all of it. A network in the place of $f$ is called a **critic**: it gives
# scores, not probabilities. Its loss and the generator's are simply means:
#
# $$L_C = \mathrm{mean}\, f(\text{fake}) - \mathrm{mean}\, f(\text{real}), \qquad L_G = -\,\mathrm{mean}\, f(\text{fake}) .$$
#
# The slope is held near 1 by a **gradient penalty** (Gulrajani and others, 2017). Take a random point on the line between a real and a fake image, one for each pair, and add $\lambda\,(\lVert \nabla f \rVert - 1)^2$ there. A WGAN with this penalty is a **WGAN-GP**. The R1 penalty of lesson 5.1 pulls the slope at
# real images to *zero*; this one pulls the slope *between* real and fake to *one*.


# %% tags=["setup"]
def critic_loss(real_scores, fake_scores):
    """Minus the critic's estimate of the Wasserstein distance."""
    return ops.mean(fake_scores) - ops.mean(real_scores)


def input_gradients(network, inputs):
    """Gradient of each score with respect to its own image. inputs: [images, ...]. Shape of the images."""
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        # One image does not act on another's score, so the gradient of the sum holds every single one.
        total = tf.reduce_sum(network(inputs, training=True))
    return tape.gradient(total, inputs[0])


def gradient_norms(network, inputs):
    """Length of the gradient at each image: (n,)."""
    squares = tf.reduce_sum(input_gradients(network, inputs) ** 2, axis=(1, 2, 3))
    return tf.sqrt(squares + 1e-12)  # the root has no slope at 0


def gradient_penalty(network, real, fake, mix):
    """Mean of (length of the gradient - 1) squared, at mix * real + (1 - mix) * fake. mix: (n, 1, 1, 1)."""
    return tf.reduce_mean((gradient_norms(network, [mix * real + (1 - mix) * fake]) - 1) ** 2)


def r1_penalty(network, inputs):
    """Half the mean squared length of the gradient at real images."""
    return tf.reduce_mean(gradient_norms(network, inputs) ** 2) / 2


# %% [markdown]
# The case for paper: the critic $f(x) = wx$, real ones at 0, fakes at $\theta$. Its slope is $w$ everywhere, so its whole loss is $w\theta + \lambda(|w|-1)^2$. For $\theta > 0$ the best $w$ is negative, and with $|w| = -w$ the slope of the
# loss, $\theta + 2\lambda(w + 1)$, is zero at
#
# $$w = -1 - \frac{\theta}{2\lambda} .$$
#
# The generator's loss is $-w\theta$, so it is pushed towards 0 with a force of a little more than 1, from any distance. We let our penalty and gradient descent find $w$; the "image" has one pixel.

# %% without_learning="own loop"
LAMBDA = 10.0
found, expected = [], []
for theta in (0.5, 2.0, 8.0):
    pixel = keras.Input((1, 1, 1))
    score = keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(pixel))
    critic = keras.Model([pixel], score)
    kernel = critic.trainable_variables[0]
    kernel.assign([[-0.5]])
    real, fake = tf.zeros((4, 1, 1, 1)), tf.fill((4, 1, 1, 1), theta)
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss = critic_loss(critic([real]), critic([fake]))
            loss += LAMBDA * gradient_penalty(critic, real, fake, tf.random.uniform((4, 1, 1, 1)))
        kernel.assign_sub(0.02 * tape.gradient(loss, kernel.value))
    found.append(float(kernel.value[0, 0]))
    expected.append(-1 - theta / (2 * LAMBDA))
claim(
    "Gradient descent with our penalty finds the critic that the formula promises, at any distance",
    np.allclose(found, expected, atol=1e-3),
    f"found {np.round(found, 4)}, formula {np.round(expected, 4)}",
)

# %% [markdown]
# In training, the penalty's own gradient is needed: a gradient of a gradient. `GradientTape` does that if one tape runs inside the other. Against finite differences, on the real critic and real digits:

# %%
critic = build_discriminator(conditional=False, batch_normalization=False)
real = tf.constant(training_images[:8] * 2 - 1)
fake = tf.constant(rng.uniform(-1, 1, real.shape), "float32")
mix = tf.constant(rng.uniform(size=(8, 1, 1, 1)), "float32")
last_kernel = critic.trainable_variables[-2]
with tf.GradientTape() as tape:
    penalty = gradient_penalty(critic, real, fake, mix)
by_tape = tape.gradient(penalty, last_kernel.value)
direction = by_tape / tf.norm(by_tape)

# %% without_learning="arithmetic"
NUDGE, start, around = 0.01, tf.identity(last_kernel.value), []
for sign in (-1, 1):
    last_kernel.assign(start + sign * NUDGE * direction)
    around.append(float(gradient_penalty(critic, real, fake, mix)))
by_trying = (around[1] - around[0]) / (2 * NUDGE)
claim(
    "The gradient of the penalty, through two tapes, is the slope that one finds by trying",
    abs(by_trying / float(tf.norm(by_tape)) - 1) < 0.02,
    f"by tape {float(tf.norm(by_tape)):.5f}, by trying {by_trying:.5f}",
)

# %% [markdown]
# ## A bound without a penalty: spectral normalization
#
# A layer $x \mapsto xW$ can stretch a vector at most by the largest singular value $\sigma$ of $W$ (lesson 4.2). Divide $W$ by $\sigma$, and the layer is 1-Lipschitz. Leaky ReLU has slopes of at most 1, so a whole network of such layers is. That is
# **spectral normalization** (Miyato and others, 2018). How does one find $\sigma$ without an expensive decomposition at every step? Multiply a vector by $W^\top$ and by $W$ again and again: its part along the largest singular vector grows fastest, so it wins
# (**power iteration**). Weights change little from step to step, so one iteration a step suffices, if the vector is kept.


# %% tags=["setup"]
def power_iteration(matrix, vector, steps):
    """An estimate of the largest singular value of a matrix (rows, columns), from a vector (1, columns); and the vector."""
    for _ in range(steps):
        other = vector @ matrix.T
        other /= np.linalg.norm(other)
        vector = other @ matrix
        vector /= np.linalg.norm(vector)
    return float((other @ matrix @ vector.T)[0, 0]), vector


# %% without_learning="arithmetic"
matrix = rng.normal(size=(40, 24)) / np.sqrt(40)
exact = np.linalg.svd(matrix, compute_uv=False)[0]
start = rng.normal(size=(1, 24))
estimates = {steps: power_iteration(matrix, start, steps)[0] for steps in (1, 10, 300)}
claim(
    "Power iteration comes from below and arrives at the largest singular value",
    estimates[1] < estimates[10] <= exact + 1e-9 and abs(estimates[300] - exact) < 1e-3 * exact,
    f"{ {steps: round(value, 4) for steps, value in estimates.items()} }, exact {exact:.4f}",
)

# %% [markdown]
# `keras.layers.SpectralNormalization` wraps a layer and does one iteration (or more) whenever the layer is called in training. After many calls the kernel that it has put into the layer must have a largest singular value of 1.

# %% without_learning="arithmetic"
dense = keras.layers.Dense(24, kernel_initializer="glorot_normal")
wrapped = keras.layers.SpectralNormalization(dense, power_iterations=300)
wrapped.build((None, 40))
dense.kernel.assign(matrix)
outputs = wrapped(np.ones((1, 40), "float32"), training=True)
normalized = ops.convert_to_numpy(dense.kernel)
ours = matrix / power_iteration(matrix, start, 300)[0]
claim(
    "Keras's spectral normalization gives our kernel, and its largest singular value is 1",
    np.abs(normalized - ours).max() < 1e-3
    and abs(np.linalg.svd(normalized, compute_uv=False)[0] - 1) < 1e-3
    and abs(exact - 1) > 0.1,
    f"difference {np.abs(normalized - ours).max():.0e}, before {exact:.3f}, after {np.linalg.svd(normalized, compute_uv=False)[0]:.4f}",
)

# %% [markdown]
# Mind the convolution. Its kernel (height, width, channels, filters) is reshaped to a matrix with one column for each filter, and that matrix is normalized. But the layer multiplies the whole image, where windows overlap and each pixel is used several times. The layer's matrix can be written down by sending in one
# pixel at a time. Predict: is its largest singular value 1 too?

# %% without_learning="arithmetic"
convolution = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)
wrapped = keras.layers.SpectralNormalization(convolution, power_iterations=100)
wrapped.build((None, 8, 8, 4))
outputs = wrapped(np.zeros((1, 8, 8, 4), "float32"), training=True)
one_pixel_each = np.eye(8 * 8 * 4, dtype="float32").reshape(-1, 8, 8, 4)
layer_matrix = ops.convert_to_numpy(convolution(one_pixel_each)).reshape(8 * 8 * 4, -1)
kernel_matrix = ops.convert_to_numpy(convolution.kernel).reshape(-1, 8)
kernel_stretch, layer_stretch = (
    np.linalg.svd(values, compute_uv=False)[0] for values in (kernel_matrix, layer_matrix)
)
claim(
    "A spectrally normalized 3x3 convolution can still stretch by more than 1.3, and by at most 3",
    abs(kernel_stretch - 1) < 0.01 and 1.3 < layer_stretch <= 3,
    f"kernel as a matrix {kernel_stretch:.3f}, the whole layer {layer_stretch:.3f}",
)

# %% [markdown]
# It is not. Each pixel lies in 9 windows, so the squared length can grow ninefold: the layer stretches by at most $\sqrt 9 = 3$ times what the kernel does. Spectral normalization bounds the slope of a convolutional network, but not by 1.
#
# ## The game, for all three
#
# One training step for all players: the discriminator or critic learns from a real batch and a fake one, then the generator. Only the loss differs. A WGAN's critic should be near its best before the generator asks it, so it gets two turns for each of the generator's.


# %%
BATCH = 32
WRONG_LABELS = 0.1  # weight of real images with a wrong label
R1 = 2.0  # strength of the R1 penalty
LAZY = 4  # every how many steps it is due


def dcgan_loss(discriminator, batch, dice, step):
    real, fake, _, _ = batch
    return discriminator_loss(*(discriminator([x], training=True) for x in (real, fake)))


def wgan_loss(critic, batch, dice, step):
    real, fake, _, _ = batch
    estimate = critic_loss(*(critic([x], training=True) for x in (real, fake)))
    mix = dice.uniform((BATCH, 1, 1, 1))
    return estimate + LAMBDA * gradient_penalty(critic, real, fake, mix)


def conditional_loss(discriminator, batch, dice, step):
    real, fake, labels, fake_labels = batch
    wrong_labels = (labels + dice.uniform((BATCH,), 1, 10, tf.int32)) % 10
    real_logits, wrong_logits, fake_logits = (
        discriminator(list(pair), training=True)
        for pair in ((real, labels), (real, wrong_labels), (fake, fake_labels))
    )
    loss = discriminator_loss(real_logits, fake_logits)
    loss += WRONG_LABELS * ops.mean(ops.softplus(wrong_logits))
    r1 = lambda: LAZY * R1 * r1_penalty(discriminator, [real, labels])
    return loss + tf.cond(step % LAZY == 0, r1, lambda: 0.0)


# %% [markdown]
# Around it, two tools that cost little:
#
# - All steps run in one `tf.function`, with the digits in memory as a tensor, so that Python is not asked at every step.
# - A second copy of the generator follows the first: after each step $\bar w \leftarrow 0.98\,\bar w + 0.02\,w$, an **exponential moving average** (EMA). The game circles around its goal (lesson 5.1), and the mean of a circle is nearer to its centre than any of its points.


# %%
def follow(averaged, network, decay=0.98):
    """Move the averaged network's variables towards the other's, those of batch normalization too."""
    for slow, fast in zip(averaged.variables, network.variables, strict=True):
        if slow.dtype == "float32":
            slow.assign(decay * slow + (1 - decay) * fast)


# %% [markdown]
# Keras's optimizers can do it too: `use_ema=True`. (They average trainable weights only, so not the statistics of batch normalization, which is why we do it ourselves.) On a layer with nothing else, both must agree:

# %%
layer, shadow = keras.layers.Dense(1), keras.layers.Dense(1)
layer.build((None, 3))
shadow.build((None, 3))
optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.98)
for step in range(20):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((layer(tf.eye(3)) - 5) ** 2)
    optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
    if step == 0:
        shadow.set_weights(layer.get_weights())  # Keras's average starts here
    else:
        follow(shadow, layer)
last_kernel = ops.convert_to_numpy(layer.kernel)
optimizer.finalize_variable_values(layer.trainable_variables)  # puts the average into the layer
keras_kernel, our_kernel = (ops.convert_to_numpy(one.kernel) for one in (layer, shadow))
claim(
    "Our moving average is the one of Keras's optimizers",
    np.abs(keras_kernel - our_kernel).max() < 1e-5 and np.abs(last_kernel - our_kernel).max() > 0.1,
    f"difference {np.abs(keras_kernel - our_kernel).max():.0e}, from the last weights {np.abs(last_kernel - our_kernel).max():.2f}",
)

# %% [markdown]
# **What is a fair budget?** Equal numbers of generator steps favour the WGAN-GP, whose critic gets two turns and a double tape, and the conditional GAN, whose discriminator sees three batches. Equal time favours whoever is cheap: in the time of one step of the WGAN-GP the DCGAN takes
# about two. So we show both. Each player gets the same number of steps at a constant learning rate, so a run of half the length is simply the first half of a run: we keep the weights halfway, too. The conditional GAN then goes on for as many steps again. That is
# extra, so it stays out of the comparison and gets a section of its own.

# %%
STEPS, REPEATS = 400, 3
HALF, LONG = STEPS // 2, 2 * STEPS

RECIPES = {
    "conditional": {
        "losses": (conditional_loss, generator_loss),
        "turns": 1,  # of the discriminator, for each of the generator
        "batch_normalization": False,  # in the discriminator
        "rates": (0.003, 0.003),  # of the discriminator and the generator
        "beta_1": 0.0,
        "stops": (HALF, STEPS, LONG),  # where we keep the weights
    },
    "WGAN-GP": {
        "losses": (wgan_loss, lambda scores: -ops.mean(scores)),
        "turns": 2,
        "batch_normalization": False,
        "rates": (0.002, 0.002),
        "beta_1": 0.0,
        "stops": (HALF, STEPS),
    },
    "DCGAN": {
        "losses": (dcgan_loss, generator_loss),
        "turns": 1,
        "batch_normalization": True,
        "rates": (0.0005, 0.002),
        "beta_1": 0.5,
        "stops": (HALF, STEPS),
    },
}


# %% [markdown]
# Each player is trained three times. To build a graph takes seconds, so its three trainings use the same one: before each, the networks get new random weights, and the optimizers forget everything.


# %%
def make_networks(kind):
    """A generator and a discriminator with new random weights."""
    conditional = kind == "conditional"
    discriminator = build_discriminator(conditional, RECIPES[kind]["batch_normalization"])
    return build_generator(conditional), discriminator


def make_game(kind, seeds):
    """The two networks, the generator's average, an optimizer for each player, dice, and weights to begin from."""
    game = types.SimpleNamespace(**RECIPES[kind], beginnings=[])
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        networks = make_networks(kind)
        game.beginnings.append((seed, *(network.get_weights() for network in networks)))
    game.generator, game.discriminator = networks
    game.averaged = make_networks(kind)[0]
    game.optimizers = [keras.optimizers.Adam(rate, game.beta_1, 0.99) for rate in game.rates]
    for network, optimizer in zip(networks[::-1], game.optimizers, strict=True):
        optimizer.build(network.trainable_variables)
    game.dice = tf.random.Generator.from_seed(0)
    return game


# %%
def restart(game, seed, generator_weights, discriminator_weights):
    """Put the game back to one of its beginnings."""
    game.generator.set_weights(generator_weights)
    game.averaged.set_weights(generator_weights)
    game.discriminator.set_weights(discriminator_weights)
    for optimizer in game.optimizers:
        for variable in optimizer.variables:
            if variable is not optimizer.learning_rate:
                variable.assign(ops.zeros_like(variable))
    game.dice.reset_from_seed(seed)


# %%
all_images = tf.constant(training_images * 2 - 1)
all_labels = tf.constant(training_labels, tf.int32)


def draw(game):
    """A batch of fakes and the labels that were asked for."""
    labels = game.dice.uniform((BATCH,), 0, 10, tf.int32)
    inputs = [game.dice.normal((BATCH, NOISE)), labels][: len(game.generator.inputs)]
    return game.generator(inputs, training=True), labels


def update(optimizer, network, tape, loss):
    weights = network.trainable_variables
    optimizer.apply(tape.gradient(loss, weights), weights)


def discriminator_turn(game, step):
    picks = game.dice.uniform((BATCH,), 0, len(all_images), tf.int32)
    fake, fake_labels = draw(game)
    batch = tf.gather(all_images, picks), fake, tf.gather(all_labels, picks), fake_labels
    with tf.GradientTape() as tape:
        loss = game.losses[0](game.discriminator, batch, game.dice, step)
    update(game.optimizers[0], game.discriminator, tape, loss)


def generator_turn(game):
    with tf.GradientTape() as tape:
        fakes = list(draw(game))[: len(game.discriminator.inputs)]
        loss = game.losses[1](game.discriminator(fakes, training=True))
    update(game.optimizers[1], game.generator, tape, loss)


# %%
def one_step(game, step):
    """The discriminator's turns, the generator's turn, and the average's."""
    for _ in range(game.turns):
        discriminator_turn(game, step)
    generator_turn(game)
    follow(game.averaged, game.generator)


# %%
def play(game):
    """Train from each beginning. Returns for each, by stop: the last weights, their average, and the seconds."""

    @tf.function
    def train(first, last):
        for step in tf.range(first, last):
            one_step(game, step)

    train(tf.constant(0), tf.constant(0))  # builds the graph, so that the clock does not count it
    runs = []
    for beginning in game.beginnings:
        restart(game, *beginning)
        kept, start = {}, time.perf_counter()
        for first, last in zip((0, *game.stops), game.stops, strict=False):
            train(tf.constant(first), tf.constant(last))
            weights = game.generator.get_weights(), game.averaged.get_weights()
            seconds = time.perf_counter() - start
            kept[last] = dict(zip(("last", "average", "seconds"), (*weights, seconds), strict=True))
        runs.append(kept)
    return runs


# %%
seeds = [100 * SEED + repeat for repeat in range(REPEATS)]
games = [make_game(kind, seeds) for kind in RECIPES]
with ThreadPoolExecutor(2) as workers:  # two players share the processor
    trained = dict(zip(RECIPES, workers.map(play, games), strict=True))

# %% tags=["measures-time"]
for kind, runs in trained.items():
    for steps in RECIPES[kind]["stops"]:
        seconds = np.mean([run[steps]["seconds"] for run in runs])
        print(f"{kind:12s} {steps} steps of the generator: {seconds:5.1f} s, two kinds at a time")


# %% [markdown]
# ## Look first
#
# One column for each class that was asked for; the two others draw what they like.


# %%
def draw_digits(weights, labels, rng, stretch=1.0):
    """An image in [0, 1] for each label; a generator that takes no labels draws what it likes. weights: its weights."""
    generator = empty_generators[len(weights)]
    generator.set_weights(weights)
    noise = (stretch * rng.normal(size=(len(labels), NOISE))).astype("float32")
    inputs = [noise, labels.astype("int32")][: len(generator.inputs)]
    return ops.convert_to_numpy(generator(inputs, training=False)) / 2 + 0.5


both = build_generator(False), build_generator(True)
empty_generators = {len(generator.weights): generator for generator in both}
best = {kind: runs[0][STEPS]["average"] for kind, runs in trained.items()}

# %% alt="Two rows of ten handwritten digits drawn by the conditional GAN. Each column holds the digit that was asked for, 0 to 9, in different handwriting."
columns = np.tile(np.arange(10), 3)
show_images(draw_digits(best["conditional"], columns, rng)[:20], title="Conditional GAN")

# %% alt="Two rows of ten images drawn by the DCGAN and two rows drawn by the WGAN-GP: clear digits of several kinds, and about as many shapes between two digits that nobody could read."
rows = [draw_digits(best[name], columns[:20], rng) for name in ("DCGAN", "WGAN-GP")]
show_images(np.concatenate(rows), title="DCGAN (two rows), WGAN-GP (two rows)")

# %% [markdown]
# The conditional digits can be read, and they differ in their handwriting. Among the others many are shapes between two digits. Noise is continuous, and classes are not: on the way through the noise from a 4 to a 9 an unconditional generator has to pass through things that are neither. The label saves the conditional
# one the trip.
#
# ## The moving average, measured
#
# For all nine runs: the last weights, and their moving average. Compared with validation digits. Will the average gain?


# %%
def averaged_scores(weights, references):
    """The mean scores of several batches of COUNT generated digits, one for each set of real features."""
    found = []
    for real_features in references:
        labels = shuffled_labels(COUNT)
        found.append(scores(draw_digits(weights, labels, rng), labels, real_features))
    return np.mean(found, axis=0)


distance_of = {
    which: np.array(
        [
            [averaged_scores(run[STEPS][which], [validation_features] * 2)[0] for run in runs]
            for runs in trained.values()
        ]
    )
    for which in ("last", "average")
}
for place, kind in enumerate(trained):
    last, average = (distance_of[which][place] for which in ("last", "average"))
    print(f"{kind:12s} last weights {last.round(1)}, averages {average.round(1)}")

# %%
last, average = (distance_of[which][list(trained).index("conditional")] for which in distance_of)
gain = 1 - distance_of["average"] / distance_of["last"]
claim(
    "Averaging lowers the Fréchet distance in every conditional run, and their mean by at least a fifth",
    np.all(average < last) and average.mean() < 0.8 * last.mean(),
    f"conditional: last {last.round(2)}, average {average.round(2)}; of all nine runs {np.sum(gain > 0)} gain",
)

# %% [markdown]
# For the conditional GAN, which is near its goal and circles around it, averaging pays. Where a generator still improves quickly, the average lags behind: it remembers worse days. (A learning rate that falls to zero also ends the circling. It needs a plan of how long training will last; an average can be read off at any moment.) From now on all samples come from averages.
#
# ## The table
#
# Now the test digits join in, for the first time. Generated digits are compared with random halves of all held-out digits, just like those that gave the floor. For each player: three trainings, each judged on three batches of 299 digits against three such halves; below each mean its standard deviation over the trainings. *Half* is half the steps, for the two whose steps cost more than the DCGAN's. The samplers without a network once more, on the same halves.

# %%
halves = [two_halves(COUNT, SEED + repeat)[0] for repeat in range(3)]
table = {
    "DCGAN": ("DCGAN", STEPS),
    "WGAN-GP": ("WGAN-GP", STEPS),
    "WGAN-GP, half": ("WGAN-GP", HALF),
    "conditional": ("conditional", STEPS),
    "conditional, half": ("conditional", HALF),
}


def judge(kind, steps):
    """A row of six judgements for each training of this kind: (REPEATS, 6)."""
    rows = np.full((REPEATS, 6), np.nan)
    for row, run in zip(rows, trained[kind], strict=True):
        weights = run[steps]["average"]
        images = draw_digits(weights, shuffled_labels(3 * COUNT), rng)
        row[:4] = averaged_scores(weights, halves)
        if steps != HALF:
            row[4] = detector_score(images)
        row[5] = np.median(nearest_training_distance(images[:COUNT]))
    if kind != "conditional":
        rows[:, 3] = np.nan  # nobody asked it for a digit
    return rows


results = {name: judge(*which) for name, which in table.items()}

# %%
print(HEAD)
simple = {}
for name, sampler in samplers.items():
    found = []
    for real_features in halves:
        labels = shuffled_labels(COUNT)
        found.append(scores(sampler(labels), labels, real_features))
    simple[name] = np.mean(found, axis=0)
    print_row(name, (*simple[name], baselines[name][-1], distances[name]))
for name, rows in results.items():
    print_row(name, rows.mean(axis=0))
    print_row("   spread", rows.std(axis=0, ddof=1))
print_row("other real digits", real_row)

# %% alt="Three panels with a dot for each training: Fréchet distance, precision and coverage of the DCGAN, of the WGAN-GP and the conditional GAN after all steps and after half of them, with grey lines for real digits. The conditional GAN is best in all three."
figure, panels = plt.subplots(1, 3, figsize=(6.8, 3.2), sharey=True)
order = ["WGAN-GP, half", "WGAN-GP", "DCGAN", "conditional, half", "conditional"]
quality = ("Fréchet distance", floor), ("precision", real_shares[0]), ("coverage", real_shares[1])
for place, (axes, (title, real_value)) in enumerate(zip(panels, quality, strict=True)):
    axes.axvline(real_value, color="0.6", linestyle="-")
    for height, name in enumerate(order):
        values = results[name][:, place]
        axes.plot(values, np.full(len(values), height), "o", color=COLOURS["blue"], alpha=0.7)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel(title)
    axes.set_xlim(0, 1.1 if place else None)
    axes.set_ylim(-0.5, len(order) - 0.5)
figure.suptitle("One dot for each training; the grey lines are real digits")
plt.show()

# %% [markdown]
# The conditional GAN is ahead of the others in Fréchet distance, precision and coverage by more than the spread: each of its trainings beats each of theirs. The label is worth more than the choice of the loss.

# %%
conditional_rows = results["conditional"]
half_rows = results["conditional, half"]
others = np.concatenate([results[name] for name in ("DCGAN", "WGAN-GP", "WGAN-GP, half")])
claim(
    "Each training of the conditional GAN is better than each of the others in Fréchet distance, precision and coverage, and after half the steps already in Fréchet distance",
    max(conditional_rows[:, 0].max(), half_rows[:, 0].max()) < others[:, 0].min()
    and np.all(conditional_rows[:, 1:3].min(axis=0) > others[:, 1:3].max(axis=0)),
    f"worst conditional {conditional_rows[:, 0].max():.2f} (half {half_rows[:, 0].max():.2f}), {conditional_rows[:, 1].min():.2f}, {conditional_rows[:, 2].min():.2f}; "
    f"best of the others {others[:, 0].min():.2f}, {others[:, 1].max():.2f}, {others[:, 2].max():.2f}",
)
claim(
    "Without labels, the WGAN-GP beats the one Gaussian in Fréchet distance in every training, and the DCGAN on average",
    max(results["WGAN-GP"][:, 0].max(), results["DCGAN"][:, 0].mean()) < simple["one Gaussian"][0],
    f"DCGAN {results['DCGAN'][:, 0].round(1)}, WGAN-GP {results['WGAN-GP'][:, 0].round(1)}, one Gaussian {simple['one Gaussian'][0]:.1f}",
)
claim(
    "With labels, the conditional GAN's mean Fréchet distance is below that of the Gaussians",
    conditional_rows[:, 0].mean() < simple["Gaussians"][0],
    f"conditional {conditional_rows[:, 0].mean():.2f}, Gaussians {simple['Gaussians'][0]:.2f}",
)

# %% [markdown]
# Is the WGAN-GP better than the DCGAN? With the same number of generator steps, its mean Fréchet distance is lower. But in about the time that the DCGAN needs for all its steps it has taken half of them: compare the row *WGAN-GP, half* with the DCGAN's. Whoever has a favourite can choose the budget that suits it. Say which one you mean.

# %%
means = {name: rows[:, 0].mean() for name, rows in results.items()}
claim(
    "At the same steps the WGAN-GP has a lower mean Fréchet distance than the DCGAN, and after half of them a higher one than at the end",
    means["WGAN-GP"] < means["DCGAN"] and means["WGAN-GP, half"] > means["WGAN-GP"],
    f"{ {name: round(float(value), 2) for name, value in means.items()} }",
)

# %% [markdown]
# ## How near to the floor?
#
# The budget was short for everybody. Now for the extra steps: how near does the conditional GAN come if it may train for twice as long? And guess: which are better, the last weights after all these steps, or the average after half of them?

# %%
long_rows = judge("conditional", LONG)
print(HEAD)
print_row("conditional", conditional_rows.mean(axis=0))
print_row("conditional, long", long_rows.mean(axis=0))
print_row("   spread", long_rows.std(axis=0, ddof=1))
print_row("other real digits", real_row)

# %% tags=["headline"]
claim(
    "After twice the steps, the conditional GAN's mean Fréchet distance is within twice the floor, and the classifier reads at least 97 of 100 of its digits as asked",
    long_rows[:, 0].mean() <= 2 * floor and long_rows[:, 3].mean() >= 0.97,
    f"Fréchet {long_rows[:, 0].mean():.2f} ± {long_rows[:, 0].std(ddof=1):.2f}, best {long_rows[:, 0].min():.2f} (floor {floor:.2f}, noise {ceiling:.0f}), as asked {long_rows[:, 3].mean():.3f}",
)

# %%
end_of_last = np.array(
    [averaged_scores(run[LONG]["last"], halves)[0] for run in trained["conditional"]]
)
claim(
    "The mean Fréchet distance of the last weights after twice the steps is more than a tenth above that of the averages after half of them",
    end_of_last.mean() > 1.1 * conditional_rows[:, 0].mean(),
    f"last weights {end_of_last.mean():.2f}; averages {conditional_rows[:, 0].mean():.2f} after half of the steps, {long_rows[:, 0].mean():.2f} after all",
)

# %% [markdown]
# Look at them again:

# %% alt="Three rows of ten handwritten digits drawn by the conditional GAN after twice the steps. Each column holds the digit that was asked for, 0 to 9, in different handwriting."
best["conditional"] = trained["conditional"][0][LONG]["average"]
show_images(draw_digits(best["conditional"], columns, rng), title="After twice the steps")

# %% [markdown]
# Twice the floor is near: two halves of real digits differ by the floor itself. What the extra steps bring depends on the start: compare the first two rows with the spread. Averaging was worth more than doubling the training. From here on *the conditional GAN* is this longer trained one.
#
# ## What does the detector see?
#
# The detector column tells another story. It catches the DCGAN nearly always, and the WGAN-GP, whose digits are no easier to read, less often. It does not read: it looks for traces. One kind you can find yourself. Real digits have an empty margin, exactly 0. A tanh never arrives at its end,
# so generated margins are *nearly* empty. Set everything below a tenth to zero, in real and generated images alike, and ask again. Predict: does the detector still work?


# %%
def without_faint(images):
    return np.where(images < 0.1, 0, images)


def share_faint(images):
    return np.mean((images > 0) & (images < 0.1))


# %%
found = {name: rows[:, 4].mean() for name, rows in results.items()}
labels = shuffled_labels(3 * COUNT)
drawn = [draw_digits(run[STEPS]["average"], labels, rng) for run in trained["DCGAN"]]
cleaned = np.mean([detector_score(images, without_faint) for images in drawn])
print(f"faint pixels: real {share_faint(validation[0]):.2f}, DCGAN {share_faint(drawn[0]):.2f}")
claim(
    "The detector finds the DCGAN's images more easily than those of the two others; without nearly empty pixels it finds them clearly less often",
    found["DCGAN"] > max(found["WGAN-GP"], found["conditional"])
    and cleaned < found["DCGAN"] - 0.08,
    f"DCGAN {found['DCGAN']:.2f}, without such pixels {cleaned:.2f}; WGAN-GP {found['WGAN-GP']:.2f}, conditional {found['conditional']:.2f}",
)

# %% [markdown]
# Much of what the detector saw was in pixels that nobody looks at. One line of post-processing, which a generator could do for itself, hides it. A detector that works because of one trace is only as good as the other side's ignorance of it. Lesson 5.3 comes back to that.

# %% [markdown]
# ## Did it learn by heart?
#
# The last judge. If a generator memorised the training digits, its images would lie nearer to them than new real digits do.

# %% alt="Two histograms of the distance to the nearest training digit: held-out real digits, and digits of the conditional GAN. Both spread over the same range; a vertical line at zero marks copies."
labels = shuffled_labels(len(held_out_images))
generated = draw_digits(best["conditional"], labels, rng)
to_training = {
    "held-out real digits": nearest_training_distance(held_out_images),
    "conditional GAN": nearest_training_distance(generated),
}
for style, (name, found) in zip(("stepfilled", "step"), to_training.items(), strict=True):
    colour = "0.75" if style == "stepfilled" else COLOURS["blue"]
    plt.hist(
        found, bins=np.arange(0, 9, 0.4), histtype=style, color=colour, label=name, linewidth=2
    )
plt.axvline(0, color=COLOURS["red"])
plt.xlabel("distance to the nearest training digit (copies: 0)")
plt.ylabel("digits")
plt.legend()
plt.show()

# %%
near = np.quantile(to_training["held-out real digits"], 0.05)
share_near = np.mean(to_training["conditional GAN"] < near)
halfway = np.median(to_training["conditional GAN"]) / real_distance
claim(
    "The conditional GAN does not copy: its median distance to the training digits lies between 3/4 and 4/3 of that of new real digits",
    3 / 4 < halfway < 4 / 3,
    f"{halfway:.2f} of it; nearer than 19 of 20 real ones: {share_near:.3f}",
)

# %% [markdown]
# ## A knob: less noise
#
# A trained generator has one more setting. Multiply the noise by a number below 1, and it stays near the middle of what it learnt: fewer odd digits, and less variety. This is the **truncation trick** in its plainest form. Which of precision and coverage will fall?

# %%
knob = (0.3, 0.5, 0.7, 1.0)
by_stretch = []
for stretch in knob:
    labels = shuffled_labels(COUNT)
    images = draw_digits(best["conditional"], labels, rng, stretch)
    by_stretch.append(scores(images, labels, validation_features))
    print(
        f"noise x {stretch}",
        "precision {1:.3f}, coverage {2:.3f}, Fréchet {0:.1f}".format(*by_stretch[-1]),
    )
by_stretch = np.array(by_stretch)
claim(
    "With a third of the noise coverage falls by at least a tenth, and precision does not fall: it stays above 0.9",
    by_stretch[0, 2] < 0.9 * by_stretch[-1, 2]
    and by_stretch[0, 1] >= by_stretch[-1, 1] - 0.01
    and by_stretch[0, 1] > 0.9,
    f"coverage {by_stretch[0, 2]:.2f} against {by_stretch[-1, 2]:.2f}, precision {by_stretch[0, 1]:.2f} against {by_stretch[-1, 1]:.2f}",
)

# %% [markdown]
# Whoever shows you only samples can choose where on this line to stand. Ask for both numbers.
#
# ## pix2pix: from image to image, with pairs
#
# Three famous architectures, each reduced to what it adds. **pix2pix** (Isola and others, 2017) turns an image $x$ into another, $y$: a sketch into a photograph, a map into a view from above. The generator is a U-Net (lesson 3.3b), and there are pairs $(x, y)$ to learn from. So why not simply use a regression loss?
#
# Suppose that a thin line belongs at column 2, 3 or 4, equally often, and $x$ does not say where. What does the best answer look like under squared and under absolute error?

# %% without_learning="arithmetic"
possible = np.eye(7)[[2, 3, 4]]  # three equally good answers, 7 pixels each
best_squared = possible.mean(axis=0)
best_absolute = np.median(possible, axis=0)
print("squared error ", best_squared.round(2))
print("absolute error", best_absolute)
guesses = rng.uniform(size=(20_000, 7))
squared = ((guesses[:, np.newaxis] - possible) ** 2).mean(axis=(1, 2))
absolute = np.abs(guesses[:, np.newaxis] - possible).mean(axis=(1, 2))
claim(
    "The squared error's best answer is a grey blur, the absolute error's is an empty image, and neither draws a line",
    squared.min() >= ((best_squared - possible) ** 2).mean()
    and absolute.min() >= np.abs(best_absolute - possible).mean()
    and best_squared.max() < 0.5
    and best_absolute.max() == 0,
    f"best of 20,000 random guesses: squared {squared.min():.3f} (blur {((best_squared - possible) ** 2).mean():.3f}), "
    f"absolute {absolute.min():.3f} (empty {np.abs(best_absolute - possible).mean():.3f})",
)

# %% [markdown]
# Each pixel is averaged by itself. A discriminator looks at the pixels together: a blur, or nothing, is never real. So pix2pix adds the two, and its discriminator sees the pair, because the answer must fit the question:


# %% tags=["setup"]
def pix2pix_generator_loss(discriminator, x, y, generated, weight=100.0):
    """Fool the discriminator with the pair (x, generated), and stay near the right answer y."""
    logits = discriminator(ops.concatenate([x, generated], axis=-1))
    return generator_loss(logits) + weight * ops.mean(ops.abs(y - generated))


# %% [markdown]
# That discriminator is a **PatchGAN**: it stops at a map of logits, and each logit judges only the patch that it can see, its receptive field. For our two layers (5 wide at stride 2, then 4 wide at stride 2) that is $5 + 3 \cdot 2 = 11$ pixels. A gradient shows which pixels a logit sees:

# %% without_learning="untrained"
patches = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(16, 5, strides=2, padding="same", activation="leaky_relu"),
        keras.layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu"),
        keras.layers.Conv2D(1, 1),
    ]
)
image = tf.constant(training_images[:1])
with tf.GradientTape() as tape:
    tape.watch(image)
    logit_map = patches(image)
    one_logit = logit_map[0, 3, 3, 0]
seen = np.abs(tape.gradient(one_logit, image).numpy()[0, :, :, 0]) > 0
side = int(seen.any(axis=0).sum()), int(seen.any(axis=1).sum())
claim(
    "Each of the 7x7 logits judges a patch of 11x11 pixels",
    side == (11, 11),
    f"map {logit_map.shape[1:3]}, patch {side}",
)

# %% [markdown]
# ## CycleGAN: from image to image, without pairs
#
# There are no pairs of a horse and the same horse as a zebra. **CycleGAN** (Zhu and others, 2017) has a heap of $A$ and a heap of $B$, two generators $F: A \to B$ and $G: B \to A$, and a discriminator for each side. The discriminators only see that the outputs *as a heap* look right. Then what keeps $F$ from turning each
# horse into any zebra? A **cycle loss**: there and back again must lead home.


# %% tags=["setup"]
def cycle_loss(there, back, a, b):
    """Mean absolute error after a trip from A to B to A, plus the same from B. there, back: functions of arrays."""
    return ops.mean(ops.abs(back(there(a)) - a)) + ops.mean(ops.abs(there(back(b)) - b))


# %% [markdown]
# A toy: $A$ is 1,000 numbers, as many at $-a$ as at $a$; $B$ is the same numbers plus 10. Three ways to go over: *move* ($+10$, and $-10$ back); *mirror* ($10 - a$, and $10 - b$ back); *scramble* (any other number of $B$, at random, and back likewise). All three produce $B$'s distribution. Which of them does the cycle loss refuse?

# %% without_learning="arithmetic"
a = rng.normal(size=500)
a = np.concatenate([a, -a])  # symmetric about 0, so that a mirror has something to do
b = a + 10
ways = {
    "move": (lambda x: x + 10, lambda x: x - 10),
    "mirror": (lambda x: 10 - x, lambda x: 10 - x),
    "scramble": (lambda x: rng.permutation(b), lambda x: rng.permutation(a)),
}
cycles = {name: float(cycle_loss(*way, a, b)) for name, way in ways.items()}
unlike = {name: scipy.stats.wasserstein_distance(way[0](a), b) for name, way in ways.items()}
claim(
    "All three look like B as a heap; the cycle loss refuses the scramble and cannot refuse the mirror",
    max(unlike.values()) < 1e-6
    and cycles["scramble"] > 1
    and max(cycles["move"], cycles["mirror"]) < 1e-6,
    f"Wasserstein distance from B { {name: round(float(value), 3) for name, value in unlike.items()} }, cycle loss { {name: round(value, 3) for name, value in cycles.items()} }",
)

# %% [markdown]
# The mirror can be undone, so it passes: a cycle loss asks that nothing gets lost, not that a horse becomes *its* zebra. In practice the networks' preference for small changes helps, and an **identity loss** ($F$ must leave images of $B$ alone: mean $|F(b) - b|$). Lesson 5.3 trains one and measures what it keeps.
#
# ## StyleGAN: the noise as a style
#
# A DCGAN's noise enters at the bottom, once. **StyleGAN** (Karras and others, 2019) starts from a constant and lets the noise control *every* layer. First a small dense **mapping network** turns the noise $z$ into a vector $w$. Each layer draws from $w$ a scale $s$ for each of its channels.
# In its second version (Karras and others, 2020) the scales multiply the kernel (**modulation**), and then each filter is divided by its length (**demodulation**), so that the scales change which channels matter, and not how loud the output is.


# %% tags=["setup"]
def modulated_kernel(kernel, scales):
    """StyleGAN2's kernel for one image. kernel: (height, width, channels, filters), scales: (channels,)."""
    kernel = kernel * ops.reshape(scales, (1, 1, -1, 1))
    lengths = ops.sqrt(ops.sum(kernel**2, axis=(0, 1, 2), keepdims=True) + 1e-8)
    return kernel / lengths


# %% [markdown]
# If the input channels are independent and have variance 1, then an output is a sum of independent terms, and its variance is the sum of the squared weights: after demodulation, 1. For any style. Without it the variance follows the scales.

# %% without_learning="arithmetic"
maps = rng.normal(size=(1, 64, 64, 16)).astype("float32")
kernel = rng.normal(size=(3, 3, 16, 8)).astype("float32")
loudness = {}
for name, scales in {"quiet": np.full(16, 0.02), "mixed": np.geomspace(0.05, 20, 16)}.items():
    modulated = modulated_kernel(kernel, scales.astype("float32"))
    plain = kernel * scales.astype("float32")[:, np.newaxis]
    outputs = [ops.conv(maps, weights, padding="valid") for weights in (plain, modulated)]
    loudness[name] = [float(ops.std(output)) for output in outputs]
claim(
    "Demodulated outputs have a standard deviation of 1 for both styles, within 0.1; without it they do not",
    all(abs(after - 1) < 0.1 for _, after in loudness.values())
    and all(abs(before - 1) > 0.5 for before, _ in loudness.values()),
    f"before and after: { {name: np.round(pair, 2).tolist() for name, pair in loudness.items()} }",
)

# %% [markdown]
# Because each layer has its own style, two images can be mixed: coarse layers take $w$ of one (pose), fine layers that of the other (colours). And $w$ need not follow a normal distribution as $z$ must, so that it can give each property of the image its own direction. StyleGAN's generator also keeps a moving average of its weights, and its
# discriminator is trained with an R1 penalty, which the second version made lazy: you have both.
#
# ## Common mistakes
#
# - A Fréchet distance without its floor and its number of images, or compared with one from another network's features.
# - Only the best pictures, or only one number. Show random samples, precision *and* coverage, and the distance to the training data.
# - No baseline. A sampler without a network can be hard to beat in one of the columns.
# - Batch normalization in a critic with a gradient penalty. The penalty is about *each* image's gradient, and batch normalization ties the scores of a batch together.
# - One norm for the whole batch in the gradient penalty, instead of one for each image (exercise 3).
# - The root of a squared norm without a small constant: at zero its gradient is infinite, and one such image makes all weights `nan`.
# - Judging the last weights where a moving average costs nothing, and averaging the weights but not batch normalization's statistics.
# - Calling a run of two critic turns a step and comparing it with a run of one.

# %% [markdown]
# ## Exercise 1: the distance of a stretched heap
#
# Multiply every feature by a factor $c > 0$. How far is the new heap from the old one? Do not call `frechet_distance`: derive it. (The covariance becomes $c^2 \Sigma$, and $\Sigma^{1/2}\,c^2\Sigma\,\Sigma^{1/2} = (c\,\Sigma)^2$.)


# %% tags=["exercise"]
def distance_after_stretching(features, factor):
    """The Fréchet distance between features (n, d) and factor * features, for a factor above 0."""
    ### BEGIN SOLUTION
    mean = features.mean(axis=0)
    total_variance = np.trace(np.cov(features, rowvar=False))
    return (factor - 1) ** 2 * (mean @ mean + total_variance)
    ### END SOLUTION


# %% tags=["wrong"] says="the mean moves as well"
def distance_after_stretching(features, factor):  # forgets that the mean moves too
    return (factor - 1) ** 2 * np.trace(np.cov(features, rowvar=False))


# %% tags=["wrong"] says="their difference is squared"
def distance_after_stretching(features, factor):  # compares variances, not spreads
    mean = features.mean(axis=0)
    return (factor - 1) ** 2 * mean @ mean + abs(factor**2 - 1) * np.trace(
        np.cov(features, rowvar=False)
    )


# %% tags=["wrong"] says="derive it, without frechet_distance"
def distance_after_stretching(features, factor):  # the short cut
    return frechet_distance(features, factor * features)


# %% tags=["check"]
with feedback("The distance of a stretched heap"):
    spreads, means = np.diag([1.0, 2.0, 3.0, 0.5]), np.array([1.0, -2.0, 0.0, 3.0])
    mixed = np.random.default_rng(3).normal(size=(2000, 4)) @ spreads @ scipy.linalg.hadamard(4)
    centred = mixed - mixed.mean(axis=0)
    for factor in (0.5, 2.0, 3.0):
        truth = frechet_distance(centred, factor * centred)
        yours = distance_after_stretching(centred, factor)
        assert yours is not None, "distance_after_stretching returns nothing yet"
        assert np.isclose(yours, truth, rtol=2e-3, atol=1e-6), (  # n or n - 1: both will do
            f"with mean 0 and factor {factor} it is {truth:.2f}, yours is {float(yours):.2f}: "
            "spreads become c times as large, and their difference is squared"
        )
        truth = frechet_distance(centred + means, factor * (centred + means))
        yours = distance_after_stretching(centred + means, factor)
        assert np.isclose(yours, truth, rtol=2e-3, atol=1e-6), (
            f"with means {means} and factor {factor} it is {truth:.2f}, yours is {float(yours):.2f}: "
            "the mean moves as well"
        )
    own = getattr(distance_after_stretching, "__wrapped__", distance_after_stretching)
    assert "frechet_distance" not in own.__code__.co_names, "derive it, without frechet_distance"

# %% [markdown]
# ## Exercise 2: the hinge loss
#
# Many large GANs use a third loss. The discriminator's score should be above $+1$ for real images and below $-1$ for fakes; beyond that it gains nothing: the mean of $\max(0, 1 - f(\text{real}))$ plus the mean of $\max(0, 1 + f(\text{fake}))$.
# The generator's loss is the WGAN's. Write both. The check compares the first with `keras.losses.Hinge`, which wants labels of $+1$ and $-1$.


# %% tags=["exercise"]
def hinge_losses(real_scores, fake_scores):
    """The discriminator's and the generator's loss, from scores (n, 1)."""
    ### BEGIN SOLUTION
    of_real = ops.mean(ops.relu(1 - real_scores))
    of_fake = ops.mean(ops.relu(1 + fake_scores))
    return of_real + of_fake, -ops.mean(fake_scores)
    ### END SOLUTION


# %% tags=["wrong"] says="cut each score at the margin"
def hinge_losses(real_scores, fake_scores):  # the margin around all instead of around each
    of_real = ops.relu(1 - ops.mean(real_scores))
    of_fake = ops.relu(1 + ops.mean(fake_scores))
    return of_real + of_fake, -ops.mean(fake_scores)


# %% tags=["wrong"] says="it has no margin"
def hinge_losses(real_scores, fake_scores):  # a margin for the generator as well
    of_real = ops.mean(ops.relu(1 - real_scores))
    of_fake = ops.mean(ops.relu(1 + fake_scores))
    return of_real + of_fake, ops.mean(ops.relu(1 - fake_scores))


# %% tags=["wrong"] says="the generator wants high scores"
def hinge_losses(real_scores, fake_scores):  # the generator's sign
    of_real = ops.mean(ops.relu(1 - real_scores))
    of_fake = ops.mean(ops.relu(1 + fake_scores))
    return of_real + of_fake, ops.mean(fake_scores)


# %% tags=["check"]
with feedback("The hinge loss"):
    hinge = keras.losses.Hinge()
    for real, fake in (([3.0, -0.5], [-4.0, 2.0, 0.5]), ([0.2, 1.5, -2.0, 1.1], [1.0, -3.0, -0.7])):
        real, fake = (np.reshape(scores, (-1, 1)) for scores in (real, fake))
        got = hinge_losses(real, fake)
        assert got is not None, "hinge_losses returns nothing yet"
        assert [np.shape(loss) for loss in got] == [(), ()], (
            "two numbers are wanted: take the means"
        )
        for_discriminator, for_generator = map(float, got)
        at_margin = max(0, 1 - real.mean()) + max(0, 1 + fake.mean())
        assert not np.isclose(for_discriminator, at_margin), (
            "cut each score at the margin, then take the mean, not the other way round"
        )
        by_keras = float(hinge(np.ones_like(real), real) + hinge(-np.ones_like(fake), fake))
        assert np.isclose(for_discriminator, by_keras, atol=1e-5), (
            f"for real scores {real[:, 0]} and fakes {fake[:, 0]} Keras's hinge gives {by_keras:.3f}, the discriminator's "
            f"loss is {for_discriminator:.3f} with you: add the mean of max(0, 1 - f(real)) and that of max(0, 1 + f(fake))"
        )
        assert not np.isclose(for_generator, fake.mean()), "the generator wants high scores: minus"
        assert np.isclose(for_generator, -fake.mean(), atol=1e-5), (
            f"the generator's loss is minus the mean score of the fakes {fake[:, 0]}, {-fake.mean():.3f}; "
            f"yours is {for_generator:.3f}: it has no margin, and it is a mean"
        )

# %% [markdown]
# ## Exercise 3: repair this
#
# Somebody's WGAN-GP never becomes good. This is the penalty. Three things are wrong with it; find them, and write it as it should be.
#
# ```python
# def repaired_penalty(critic, real, fake, mix):
#     with tf.GradientTape() as tape:
#         tape.watch(real)
#         scores = critic(mix * real + (1 - mix) * fake)
#     gradient = tape.gradient(scores, real)
#     length = tf.sqrt(tf.reduce_sum(gradient ** 2))
#     return (length - 1) ** 2
# ```


# %% tags=["exercise"]
def repaired_penalty(critic, real, fake, mix):
    """Mean over images of (length of the gradient - 1) squared, at the mixed images. All (n, h, w, 1), mix (n, 1, 1, 1)."""
    ### BEGIN SOLUTION
    mixed = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        scores = critic(mixed)
    gradient = tape.gradient(scores, mixed)
    lengths = tf.sqrt(tf.reduce_sum(gradient**2, axis=(1, 2, 3)) + 1e-12)
    return tf.reduce_mean((lengths - 1) ** 2)
    ### END SOLUTION


# %% tags=["wrong"] says="one length for the whole batch"
def repaired_penalty(critic, real, fake, mix):  # one length for the whole batch
    mixed = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        scores = critic(mixed)
    gradient = tape.gradient(scores, mixed)
    return (tf.sqrt(tf.reduce_sum(gradient**2) + 1e-12) - 1) ** 2


# %% tags=["wrong"] says="with respect to the real images"
def repaired_penalty(critic, real, fake, mix):  # with respect to the real images
    with tf.GradientTape() as tape:
        tape.watch(real)
        scores = critic(mix * real + (1 - mix) * fake)
    gradient = tape.gradient(scores, real)
    lengths = tf.sqrt(tf.reduce_sum(gradient**2, axis=(1, 2, 3)) + 1e-12)
    return tf.reduce_mean((lengths - 1) ** 2)


# %% tags=["wrong"] says="a small constant under the root"
def repaired_penalty(critic, real, fake, mix):  # no root at zero
    mixed = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        scores = critic(mixed)
    gradient = tape.gradient(scores, mixed)
    return tf.reduce_mean((tf.sqrt(tf.reduce_sum(gradient**2, axis=(1, 2, 3))) - 1) ** 2)


# %% tags=["wrong"] says="a slope below 1 costs too"
def repaired_penalty(critic, real, fake, mix):  # one side only
    mixed = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        scores = critic(mixed)
    gradient = tape.gradient(scores, mixed)
    lengths = tf.sqrt(tf.reduce_sum(gradient**2, axis=(1, 2, 3)) + 1e-12)
    return tf.reduce_mean(tf.maximum(lengths - 1, 0) ** 2)


# %% tags=["check"]
with feedback("Repair this"):
    numbers = np.random.default_rng(5)
    for count, height, width, steepness in ((3, 4, 5, 0.27), (4, 6, 3, 0.25)):
        size = (count, height, width, 1)
        real, fake = (tf.constant(numbers.normal(size=size), "float32") for _ in range(2))
        mix = tf.constant(np.reshape([0.9, 0.2, 0.5, 0.7][:count], (count, 1, 1, 1)), "float32")
        scale = tf.Variable(steepness)  # times half the square: the gradient is scale * image
        critic = lambda images, scale=scale: scale * tf.reduce_sum(images**2, axis=(1, 2, 3)) / 2
        yours = repaired_penalty(critic, real, fake, mix)
        assert yours is not None, "repaired_penalty returns nothing yet"
        assert np.shape(yours) == (), "one number is wanted: take the mean over the images"
        rows = steepness * (mix * real + (1 - mix) * fake).numpy().reshape(count, -1)
        lengths, shorter = np.linalg.norm(rows, axis=1), np.linalg.norm(rows * mix[:, 0, 0], axis=1)
        truth = np.mean((lengths - 1) ** 2)
        for mistake, value in {
            "one length for the whole batch: sum over each image": (np.linalg.norm(rows) - 1) ** 2,
            "that is the gradient with respect to the real images": np.mean((shorter - 1) ** 2),
            "a slope below 1 costs too": np.mean(np.maximum(lengths - 1, 0) ** 2),
            "take the mean over the images, not their sum": count * truth,
        }.items():
            assert not np.isclose(yours, value, rtol=1e-3), mistake
        assert np.isclose(yours, truth, rtol=1e-3), (
            f"with gradients of the lengths {lengths.round(2)} at the mixed images it is {truth:.4f}, "
            f"yours is {float(yours):.4f}: mix * real + (1 - mix) * fake, length of each, minus 1, squared, mean"
        )
        scale.assign(0)
        with tf.GradientTape() as tape:
            penalty = repaired_penalty(critic, real, fake, mix)
        assert np.isfinite(float(tape.gradient(penalty, scale))), (
            "for a flat critic the penalty's own gradient is not a number: add a small constant under the root"
        )

# %% [markdown]
# ## Exercise 4: how much does a layer stretch?
#
# Power iteration needs no matrix. It needs the layer and its transpose, and the transpose of a linear layer is what a gradient computes: for $g = \mathrm{sum}(A(x) \cdot y)$, the gradient with respect to $x$ is $A^\top y$. Find the largest singular value of a linear layer that way.


# %% tags=["exercise"]
def largest_stretch(layer, start, steps=100):
    """The largest singular value of a linear layer without bias. start: one random input, (1, ...)."""
    ### BEGIN SOLUTION
    x = start / tf.norm(start)
    for _ in range(steps):
        y = layer(x)
        y /= tf.norm(y)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x) * y)
        x = tape.gradient(total, x)
        x /= tf.norm(x)
    return float(tf.norm(layer(x)))
    ### END SOLUTION


# %% tags=["wrong"] says="so much the start is stretched"
def largest_stretch(layer, start, steps=100):  # stretches the start only
    x = start / tf.norm(start)
    return float(tf.norm(layer(x)))


# %% tags=["wrong"] says="the square of the singular value"
def largest_stretch(layer, start, steps=100):  # returns the square
    x = start / tf.norm(start)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x) ** 2) / 2
        x = tape.gradient(total, x)
        length = tf.norm(x)
        x /= length
    return float(length)


# %% tags=["wrong"] says="steps does not act"
def largest_stretch(layer, start, steps=100):  # the expensive decomposition after all
    size = int(np.prod(start.shape))
    one_each = np.eye(size, dtype="float32").reshape(size, *start.shape[1:])
    matrix = ops.convert_to_numpy(layer(one_each)).reshape(size, -1)
    return np.linalg.svd(matrix, compute_uv=False)[0]


# %% tags=["check"]
with feedback("How much does a layer stretch"):
    numbers = np.random.default_rng(6)
    layers = keras.layers.Dense(6, use_bias=False), keras.layers.Conv2D(3, 3, use_bias=False)
    for layer, shape in zip(layers, ((1, 9), (1, 4, 5, 2)), strict=True):
        layer.build(shape)
        layer.kernel.assign(numbers.normal(size=layer.kernel.shape))
        size = np.prod(shape)
        one_each = np.eye(size, dtype="float32").reshape(size, *shape[1:])
        matrix = ops.convert_to_numpy(layer(one_each)).reshape(size, -1)
        truth = np.linalg.svd(matrix, compute_uv=False)[0]
        start = tf.constant(3 * numbers.normal(size=shape), "float32")
        yours, after_1 = largest_stretch(layer, start), largest_stretch(layer, start, 1)
        assert yours is not None, "largest_stretch returns nothing yet"
        assert np.isfinite(yours), "it grows beyond all numbers: keep the length at 1"
        at_start = np.linalg.norm(start.numpy().ravel() @ matrix) / np.linalg.norm(start)
        assert not np.isclose(yours, at_start, rtol=0.01), (
            "so much the start is stretched; turn it towards the largest stretch first"
        )
        assert not np.isclose(yours, truth**2, rtol=0.01), (
            "that is the square of the singular value: return the length of A(x) for an x of length 1"
        )
        assert np.isclose(yours, truth, rtol=0.01), (
            f"the largest singular value of a {layer.name} is {truth:.3f}, yours is {float(yours):.3f}: "
            "alternate the layer and its transpose, and keep the length at 1"
        )
        assert after_1 < 0.99 * truth, "steps does not act: after one it is not exact yet"

# %% [markdown]
# ## Exercise 5: beat this baseline (open-ended)
#
# Write a sampler without a network that passes both judges *and* does not copy. The check asks for four things:
#
# - a Fréchet distance from the validation digits below half of that of the baseline (each pixel of a class drawn by itself, from its mean and spread);
# - at least 90 of 100 digits read as asked;
# - nine of ten images at least a quarter as far from every training digit as the median of new real digits is (for copies the distance is 0);
# - an area under the ROC curve of at most 0.85 for a detector that works fast, a forest of random decision trees on the pixels.
#
# The Gaussians of this lesson fail at the last one, and so do copies under a veil of noise. How near to the floor can you come, and how far from the training digits?


# %% tags=["setup"]
def pixel_by_pixel(labels, rng):
    """The baseline: each pixel of a class by itself, normal with its mean and spread."""
    own = {digit: training_images[training_labels == digit] for digit in range(10)}
    drawn = [rng.normal(own[d].mean(axis=0), own[d].std(axis=0)) for d in labels]
    return np.clip(drawn, 0, 1)


def detector_of_trees(images):
    """AUC with which a forest of 60 random trees tells images (n, 28, 28, 1) from held-out digits it has not seen."""
    held_out = np.concatenate([validation[0], test[0]])
    pixels = np.concatenate([held_out, images]).reshape(len(held_out) + len(images), -1)
    is_real = np.arange(len(pixels)) < len(held_out)
    forest = sklearn.ensemble.ExtraTreesClassifier(60, min_samples_leaf=3, random_state=0)
    believed = sklearn.model_selection.cross_val_predict(
        forest, pixels, is_real, cv=3, method="predict_proba"
    )
    return sklearn.metrics.roc_auc_score(is_real, believed[:, 1])


# %% tags=["exercise"]
def my_sampler(labels, rng):
    """An image (28, 28, 1) in [0, 1] for each label: (n, 28, 28, 1). Use training_images and training_labels."""
    ### BEGIN SOLUTION
    images = []
    for digit in labels:
        own = training_images[training_labels == digit].reshape(-1, 28 * 28)
        first = own[rng.integers(len(own))]
        # A blend with one of its nearest relatives stays a digit, and is nobody's copy.
        relatives = np.argsort(((own - first) ** 2).sum(axis=1))[1:6]
        share = rng.uniform(0.3, 0.7)
        images.append(share * first + (1 - share) * own[rng.choice(relatives)])
    return np.reshape(images, (-1, 28, 28, 1))
    ### END SOLUTION


# %% tags=["wrong"] says="these are copies"
def my_sampler(labels, rng):  # copies
    return copies(labels, rng)


# %% tags=["wrong"] says="pixels of a digit belong together"
def my_sampler(labels, rng):  # the baseline itself
    return pixel_by_pixel(labels, rng)


# %% tags=["wrong"] says="the detector knows your images"
def my_sampler(labels, rng):  # copies with noise
    return copies(labels, rng, 0.05)


# %% tags=["wrong"] says="the detector knows your images"
def my_sampler(labels, rng):  # the lesson's own
    return gaussian_sampler(labels, rng)


# %% tags=["wrong"] says="are read as the digit that was asked for"
def my_sampler(labels, rng):  # gives what it likes
    others = rng.permutation(labels)
    images = []
    for digit in others:
        own = training_images[training_labels == digit]
        first = own[rng.integers(len(own))]
        near = np.argsort(((own - first) ** 2).sum(axis=(1, 2, 3)))[1:6]
        images.append((first + own[rng.choice(near)]) / 2)
    return np.array(images)


# %% tags=["check"]
with feedback("Beat this baseline"):
    labels, real_features = np.resize(np.arange(10), COUNT), look(validation[0])[0]
    simple = pixel_by_pixel(labels, np.random.default_rng(7))
    baseline = frechet_distance(look(simple)[0], real_features)
    mixed = labels[::-1].copy()
    first = my_sampler(labels, np.random.default_rng(7))
    again = my_sampler(labels, np.random.default_rng(7))
    images = my_sampler(mixed, np.random.default_rng(8))
    assert images is not None, "my_sampler returns nothing yet"
    images = np.asarray(images)
    assert images.shape == (COUNT, 28, 28, 1), f"one image for each label, got {images.shape}"
    assert images.min() >= 0 and images.max() <= 1, (
        f"numbers in [0, 1] are wanted, yours go from {images.min():.2f} to {images.max():.2f}"
    )
    assert np.array_equal(first, again), "the same labels and seed give other images: use only rng"
    features, answers = look(images)
    yours, as_asked = frechet_distance(features, real_features), np.mean(answers == mixed)
    away = np.quantile(nearest_training_distance(images), 0.1)
    least = np.median(nearest_training_distance(validation[0])) / 4
    assert as_asked >= 0.9, f"only {as_asked:.0%} are read as the digit that was asked for"
    assert yours < baseline / 2, (
        f"the baseline's Fréchet distance is {baseline:.1f}, yours {yours:.1f}: pixels of a digit belong together, do not draw them one by one"
    )
    assert away >= least, (
        f"one of ten is nearer than {away:.2f} to a training digit, {least:.2f} is wanted: these are copies"
    )
    seen = detector_of_trees(images)
    assert seen <= 0.85, (
        f"the detector knows your images, AUC {seen:.2f}: what is in them that no real digit has?"
    )

# %% [markdown]
# ## Summary
#
# - Judge before you play: a Fréchet distance with floor and ceiling, precision and coverage, a detector, the distance to the training data. Each has a cheat that it does not see, so each needs the others.
# - DCGAN: strides, batch normalization, leaky ReLU, tanh. Conditional GAN: a label for both networks, and a projection discriminator that follows from the log density ratio. WGAN-GP: a critic of slope one, a loss that does not go flat.
# - At the same number of steps, and at about the same time, the conditional GAN was ahead of DCGAN and WGAN-GP. After twice the steps it was within twice the floor. A Gaussian for each class, without any network, came second: on data this simple that is the opponent to beat.
# - The gradient penalty is a gradient of a gradient; spectral normalization is power iteration, and for convolutions it bounds less than it seems to.
# - A moving average of the weights is nearly free, and here it was worth more than twice the steps. Less noise buys precision with coverage.
#
# **Not shown:** large images, where self-attention, progressive growth and weeks on many machines come in, and where no Gaussian keeps up; a search for each player's best settings (ours come from a few trials on validation digits, so the order of DCGAN and WGAN-GP is no law); a ranking on other data.
#
# **Next:** [5.3 Applications](5_3_applications.ipynb) uses generators: walks, augmentation, anomalies, style, and how to find fakes. Chapter 7 comes back to generation with autoencoders.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Two papers report Fréchet distances of 12 and 20 on the same data. What must you know before you say which generator is better?</summary>
#
# From which features, from how many images on each side, against which real images, the floor at that number, the spread over trainings, and where each stands on the line between precision and coverage.
#
# </details>
#
# <details>
# <summary>Precision 0.98, coverage 0.15. What does the generator do, and what would precision 0.5, coverage 0.9 mean?</summary>
#
# The first draws real-looking images of a few kinds only: mode collapse, or noise scaled down too far. The second has everything, and half of what it draws lies where no real images are.
#
# </details>
#
# <details>
# <summary>Why does the critic of a WGAN-GP give scores and not probabilities, and why may it be trained longer than the generator?</summary>
#
# The Wasserstein distance is a difference of mean scores; only differences and slopes of scores matter. A sigmoid would flatten the slope where the critic is sure. A better critic is a better estimate of a distance that is not flat, so the generator's gradient gets better, not smaller.
#
# </details>
#
# <details>
# <summary>In the projection discriminator, what would happen without the term ψ?</summary>
#
# The logit would be a dot product with the label's vector alone. Whether an image is real at all would have to be said through the same vectors, one class at a time.
#
# </details>
#
# <details>
# <summary>Your generator's images are nearer to the training data than held-out images are. Is it memorising?</summary>
#
# Perhaps, but blurry or average images are near to many training images as well, without being copies. Look at the pairs, compare with a sampler that cannot memorise, and look for distances near zero.
#
# </details>

# %% [markdown]
# ## References
#
# - A. Radford, L. Metz, S. Chintala (2015). Unsupervised representation learning with deep convolutional generative adversarial networks. arXiv:1511.06434
# - M. Mirza, S. Osindero (2014). Conditional generative adversarial nets. arXiv:1411.1784
# - S. Reed, Z. Akata, X. Yan, L. Logeswaran, B. Schiele, H. Lee (2016). Generative adversarial text to image synthesis. arXiv:1605.05396
# - T. Miyato, M. Koyama (2018). cGANs with projection discriminator. arXiv:1802.05637
# - M. Arjovsky, S. Chintala, L. Bottou (2017). Wasserstein GAN. arXiv:1701.07875
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville (2017). Improved training of Wasserstein GANs. arXiv:1704.00028
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida (2018). Spectral normalization for generative adversarial networks. arXiv:1802.05957
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium. arXiv:1706.08500
# - M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo (2020). Reliable fidelity and diversity metrics for generative models. arXiv:2002.09797
# - D. Lopez-Paz, M. Oquab (2017). Revisiting classifier two-sample tests. arXiv:1610.06545
# - P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros (2017). Image-to-image translation with conditional adversarial networks. arXiv:1611.07004
# - J.-Y. Zhu, T. Park, P. Isola, A. A. Efros (2017). Unpaired image-to-image translation using cycle-consistent adversarial networks. arXiv:1703.10593
# - T. Karras, S. Laine, T. Aila (2019). A style-based generator architecture for generative adversarial networks. arXiv:1812.04948
# - T. Karras, S. Laine, M. Aittala, J. Hellsten, J. Lehtinen, T. Aila (2020). Analyzing and improving the image quality of StyleGAN. arXiv:1912.04958
