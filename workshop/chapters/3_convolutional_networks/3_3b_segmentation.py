# ---
# jupyter:
#   course:
#     prerequisites: ["3.1"]
#     equal_programs:
#       "Beat Otsu":
#         "comparison: smooth > *-> smooth >= *": "the same pixels, but for those whose brightness is exactly the threshold"
#         "comparison: sizes[parts] >= 40 -> sizes[parts] > 40": "another least size, which reaches the goal"
#         "constant: 40 -> *": "another least size, which reaches the goal"
#         "constant: 255 -> *": "a threshold that differs by less than one level of brightness"
#         "constant: 0 -> 1*": "a blur in one direction alone reaches the goal too"
#     core_minutes: 100
# ---

# %% [markdown]
# # 3.3b Segmentation: which pixel belongs to what?
#
# **After this lesson you can** score a segmentation with IoU and Dice and say how the two are related, build and train a
# U-Net, choose its loss when the object is small, say what skip connections and up-sampling do, and separate objects
# that touch.
#
# **You build** a U-Net that gives each pixel of a noisy scene one of eleven names, and a head on it that takes touching digits apart.
#
# **Question.** A classifier says *what* is in a picture. How does a network say it for each single pixel, and sharply?

# %% tags=["setup"]
import functools

import cv2
import keras
import matplotlib.colors
import matplotlib.patheffects
import matplotlib.pyplot as plt
import numpy as np
import scipy.ndimage
import sklearn.metrics
import sklearn.svm
import tensorflow as tf

from workshop.kit import (
    COLOURS,
    claim,
    feedback,
    load_digits,
    make_scenes,
    use_course_settings,
    use_course_style,
)

use_course_settings()
use_course_style()

SEED = 0
keras.utils.set_random_seed(SEED)

# %% [markdown]
# ## Scenes, and the truth about their pixels
#
# A scene has up to four handwritten digits on a background with faint scraps of other digits (**clutter**) and noise.
# `make_scenes` also says who owns each pixel: 0 for nobody, k for the scene's k-th digit. From that we make a **label map**: a class for
# each pixel, 0 for background and d + 1 for a digit d. To name the class of every pixel is **semantic segmentation**.
#
# Training scenes are made of training digits only. No digit of a validation or test scene was ever seen in training.

# %% tags=["setup"]
SIDE = 48  # pixels a side of a scene
CLASSES = 11  # background and ten digits
BACKGROUND = 0
SCENE = {"side": SIDE, "most": 4, "sizes": (20, 28), "pieces": 6, "noise": 0.06}


def label_maps(owners, classes):
    """The class of each pixel: (scenes, height, width), 0 for background, d + 1 for a digit d.

    owners: (scenes, height, width), 0 or the number of a digit of the scene. classes: for each scene (digits,).
    """
    names = [np.append(BACKGROUND, digits + 1).astype("uint8") for digits in classes]
    return np.stack([name[owner] for name, owner in zip(names, owners, strict=True)])


training_digits, validation_digits, test_digits = load_digits(seed=SEED)
validation_scenes, _, validation_classes, validation_owners = make_scenes(
    *validation_digits, 300, seed=SEED + 1, **SCENE
)
validation_labels = label_maps(validation_owners, validation_classes)  # (300, 48, 48)

# %% tags=["setup"]
EIGHT_NEIGHBOURS = np.ones((3, 3))
SIX_COLOURS = [COLOURS[name] for name in ("blue", "orange", "green", "red", "purple", "sky")]


def paint(axes, scene, regions, names):
    """A scene in grey, the pixels of each region in colour, and the region's name on it.

    scene: (height, width, 1). regions: (height, width) integers, 0 is not painted. names: {region: text}.
    """
    picture = np.repeat(1 - 0.7 * scene, 3, axis=-1)
    axes.axis("off")
    for region in np.setdiff1d(regions, [0]):
        colour = np.array(matplotlib.colors.to_rgb(SIX_COLOURS[region % 6]))
        picture[regions == region] = colour if region < 6 else (colour + 1) / 2  # a lighter one
        parts, _ = scipy.ndimage.label(regions == region, EIGHT_NEIGHBOURS)
        for part, (rows, columns) in enumerate(scipy.ndimage.find_objects(parts), 1):
            if np.sum(parts == part) >= 15:  # a name on every stray pixel would hide the picture
                place = (columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2
                text = axes.text(*place, names[region], ha="center", va="center", weight="bold")
                text.set_path_effects(
                    [matplotlib.patheffects.withStroke(linewidth=3, foreground="white")]
                )
    axes.imshow(picture, vmin=0, vmax=1)


# %% alt="Three noisy scenes of handwritten digits over faint scraps in the upper row; in the lower row the same scenes with the pixels of each digit in colour and the digit's name on it."
DIGIT_NAMES = {digit + 1: str(digit) for digit in range(10)}
SHOWN = np.flatnonzero([len(digits) >= 3 for digits in validation_classes])[:4]  # full scenes

figure, grid = plt.subplots(2, 3, figsize=(6.6, 4.6))
for scene, (upper, lower) in zip(SHOWN[:3], grid.T, strict=True):
    upper.imshow(validation_scenes[scene], vmin=0, vmax=1)
    upper.axis("off")
    paint(lower, validation_scenes[scene], validation_labels[scene], DIGIT_NAMES)
grid[0, 1].set_title("scenes")
grid[1, 1].set_title("truth: the class of each pixel")
plt.show()

# %% [markdown]
# The network gets the upper row and is to give the lower one. Most pixels are background. How good is a program that says
# *background* to every pixel?

# %% without_learning="data"
nothing = np.zeros_like(validation_labels)
background_share = np.mean(validation_labels == BACKGROUND)
digit_shares = (
    np.bincount(validation_labels.ravel(), minlength=CLASSES)[1:] / validation_labels.size
)
claim(
    "The constant answer 'background' is right for more than three quarters of all pixels, and finds nothing",
    background_share > 0.75 and not nothing.any(),
    f"background {background_share:.1%} of all pixels, one digit class {digit_shares.mean():.1%} in the mean",
)

# %% [markdown]
# That is **class imbalance**: classes of very different sizes. The share of right pixels is no useful score here. We need
# one that does not count the easy background.

# %% [markdown]
# ## IoU and Dice, by hand
#
# Take one class. Let $A$ be its true pixels and $B$ the pixels that got its name. Two scores compare the sets:
#
# $$J = \frac{|A \cap B|}{|A \cup B|}, \qquad D = \frac{2\,|A \cap B|}{|A| + |B|}$$
#
# $|A|$ is the number of pixels in $A$, $A \cap B$ are the pixels in both sets, $A \cup B$ those in at least one.
# $J$ is the **intersection over union**, short **IoU** (Jaccard, 1912), $D$ the **Dice score** (Dice, 1945). Both are 1 for a perfect answer and 0
# for sets that do not meet. Pixels that are in neither set, the huge background, count in neither score.

# %% [markdown]
# ![A true mask of six pixels and a prediction of six pixels, one column further right. Four pixels are in both, two only in the truth, two only in the prediction: IoU 4/8, Dice 8/12.](../../../images/segmentation_iou.png)

# %% [markdown]
# Count: 4 pixels in both (**true positives**, TP), 2 only in the truth (**false negatives**, FN), 2 only in the prediction (**false positives**, FP). So
#
# $$J = \frac{TP}{TP + FN + FP} = \frac{4}{8} = \frac12, \qquad D = \frac{2\,TP}{2\,TP + FN + FP} = \frac{8}{12} = \frac23.$$
#
# The two always tell the same story. Write $E = FN + FP$ for all errors. From $J = TP / (TP + E)$ follows
# $E = TP\,(1 - J)/J$. Put that into $D$ and cancel $TP$:
#
# $$D = \frac{2}{2 + (1 - J)/J} = \frac{2J}{1 + J}, \qquad\text{and solved for } J: \quad J = \frac{D}{2 - D}.$$
#
# $D$ rises whenever $J$ rises, so on one mask they never disagree about which answer is better. (Means over several masks
# can disagree.) Dice is the larger number, except at 0 and 1: look which one a paper reports before you compare.


# %% tags=["setup"]
def iou(truth, prediction):
    """Intersection over union of two masks of truth values, both of the same shape."""
    return np.sum(truth & prediction) / np.sum(truth | prediction)


def dice(truth, prediction):
    """Dice score of two masks of truth values, both of the same shape."""
    return 2 * np.sum(truth & prediction) / (np.sum(truth) + np.sum(prediction))


# %% tags=["nbval-check-output"]
true_mask, predicted_mask = np.zeros((2, 4, 5), bool)
true_mask[1:3, 0:3] = True
predicted_mask[1:3, 1:4] = True
print(f"IoU {iou(true_mask, predicted_mask):.3f}, Dice {dice(true_mask, predicted_mask):.3f}")

# %% without_learning="arithmetic"
generator = np.random.default_rng(SEED)
differences = []
for share in generator.uniform(0.02, 0.9, 200):
    truth = generator.random((20, 20)) < share
    prediction = truth ^ (generator.random((20, 20)) < generator.uniform(0, 1))
    j, d = iou(truth, prediction), dice(truth, prediction)
    f1 = sklearn.metrics.f1_score(truth.ravel(), prediction.ravel(), zero_division=0)
    jaccard = sklearn.metrics.jaccard_score(truth.ravel(), prediction.ravel(), zero_division=0)
    differences.append([d - 2 * j / (1 + j), d - f1, j - jaccard])
claim(
    "On 200 random masks D = 2J / (1 + J); IoU is scikit-learn's jaccard_score, and Dice is the F1 score under another name",
    np.abs(differences).max() < 1e-12,
    f"largest difference {np.abs(differences).max():.1e}",
)

# %% [markdown]
# With eleven classes there are eleven IoUs, and their mean is the **mean IoU**. All come from one table, the **confusion matrix**: how many
# pixels of each true class (rows) got each name (columns). On its diagonal are the intersections; a row sum is $|A|$, a column sum $|B|$, and
# $|A \cup B| = |A| + |B| - |A \cap B|$.


# %% tags=["setup"]
def iou_per_class(truth, prediction, classes=CLASSES):
    """IoU of each class over all pixels of all scenes: (classes,). Both inputs: integers of the same shape."""
    pairs = truth.astype(int) * classes + prediction  # one number for each pair of classes
    pairs = np.bincount(pairs.ravel(), minlength=classes**2)
    confusion = pairs.reshape(classes, classes)  # (true class, predicted class)
    both = np.diag(confusion)
    return both / (confusion.sum(axis=0) + confusion.sum(axis=1) - both)


# %% without_learning="arithmetic"
some_names = np.where(
    generator.random(validation_labels.shape) < 0.5, validation_labels, nothing
)  # half of the ink is found
keras_metric = keras.metrics.MeanIoU(num_classes=CLASSES)
keras_metric.update_state(validation_labels, some_names)
ours, theirs = iou_per_class(validation_labels, some_names), float(keras_metric.result())
constant_iou = iou_per_class(validation_labels, nothing)
claim(
    "Our mean IoU equals that of keras.metrics.MeanIoU, and 'background everywhere' gets less than a tenth",
    abs(ours.mean() - theirs) < 1e-6 and constant_iou.mean() < 0.1,
    f"{ours.mean():.4f} and {theirs:.4f}; constant answer {constant_iou.mean():.3f}",
)

# %% [markdown]
# Two choices hide in this number. We count pixels over *all* scenes and then divide; dividing scene by scene gives another number, and
# trouble with classes that a scene does not contain. And the mean may include the background, which is easy, or not. We report both.

# %% [markdown]
# ## The classical way: a threshold, and a classifier for what is left
#
# Ink is bright. So choose a threshold and call everything above it ink. Which threshold? Otsu's answer (1979): the one that makes
# both sides as uniform as possible. Let $w_0, w_1$ be the shares of pixels below and above, $\mu_0, \mu_1$ their mean brightness,
# $\sigma_0^2, \sigma_1^2$ their variances and $\mu = w_0 \mu_0 + w_1 \mu_1$. The variance of all pixels splits exactly in two:
#
# $$\sigma^2 = \underbrace{w_0 \sigma_0^2 + w_1 \sigma_1^2}_{\text{within}} + \underbrace{w_0 (\mu_0 - \mu)^2 + w_1 (\mu_1 - \mu)^2}_{\text{between}}.$$
#
# $\sigma^2$ does not depend on the threshold, so the smallest *within* is the largest *between*. As $w_0 + w_1 = 1$, we have $\mu_0 - \mu = w_1 (\mu_0 - \mu_1)$ and
# $\mu_1 - \mu = w_0 (\mu_1 - \mu_0)$, so *between* is $w_0 w_1^2 (\mu_0 - \mu_1)^2 + w_1 w_0^2 (\mu_0 - \mu_1)^2$, which is
#
# $$w_0\, w_1\, (\mu_0 - \mu_1)^2.$$


# %% tags=["setup"]
def otsu_threshold(levels):
    """The brightness t from 0 to 254 for which 'above t' and 'not above t' differ most: Otsu (1979).

    levels: integers from 0 to 255, any shape.
    """
    shares = np.bincount(levels.ravel(), minlength=256) / levels.size  # (256,)
    below = np.cumsum(shares)  # w0 for each t
    sums = np.cumsum(shares * np.arange(256))  # w0 μ0 for each t
    with np.errstate(divide="ignore", invalid="ignore"):  # no pixel on one side
        gap = sums / below - (sums[-1] - sums) / (1 - below)
        between = np.nan_to_num(below * (1 - below) * gap**2, posinf=0)
    return int(between[:-1].argmax())


def to_levels(scenes):
    """Brightness in [0, 1] as 256 integer levels."""
    return np.round(scenes * 255).astype("uint8")


# %% without_learning="arithmetic"
levels = to_levels(validation_scenes[..., 0])
our_thresholds = np.array([otsu_threshold(scene) for scene in levels])
cv2_thresholds = np.array([cv2.threshold(scene, 0, 255, cv2.THRESH_OTSU)[0] for scene in levels])
otsu_ink = levels > our_thresholds[:, np.newaxis, np.newaxis]
validation_ink = validation_labels != BACKGROUND
otsu_iou = iou(validation_ink, otsu_ink)
claim(
    "Our threshold is OpenCV's in every scene",
    np.all(our_thresholds == cv2_thresholds),
    f"{len(levels)} thresholds from {our_thresholds.min()} to {our_thresholds.max()} of 255; IoU of the ink {otsu_iou:.3f}",
)

# %% [markdown]
# A threshold knows ink and not-ink, and no digit. The classical way to names: group neighbouring ink pixels into **connected components**, drop
# the small ones, and show each remaining one to a classifier. Ours is a support vector machine, trained on the training digits. A slight blur before
# the threshold may help against noise; we let the validation scenes choose.


# %%
PATCH = 14  # pixels a side of what the classifier gets
SMALLEST = 40  # a component with fewer pixels is taken for clutter


def cut_out(image, mask):
    """The masked part of an image, cut to its box and resized: (PATCH * PATCH,)."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize((image * mask)[box], (PATCH, PATCH), interpolation=cv2.INTER_AREA).ravel()


# %%
def classical_labels(scenes, blur):
    """Blur, Otsu's threshold, components, classifier: label maps (scenes, height, width)."""
    labels = np.zeros(scenes.shape[:3], int)
    for scene, label in zip(scenes[..., 0], labels, strict=True):
        smooth = cv2.GaussianBlur(scene, (0, 0), blur) if blur else scene
        smooth_levels = to_levels(smooth)
        ink = smooth_levels > otsu_threshold(smooth_levels)
        parts, count = scipy.ndimage.label(ink, EIGHT_NEIGHBOURS)
        large = [part for part in range(1, count + 1) if np.sum(parts == part) >= SMALLEST]
        if large:
            patches = [cut_out(smooth, parts == part) for part in large]
            for part, digit in zip(large, classifier.predict(patches), strict=True):
                label[parts == part] = digit + 1
    return labels


digit_patches = [cut_out(image, image > 0.4) for image in training_digits[0][..., 0]]
classifier = sklearn.svm.SVC(C=10).fit(digit_patches, training_digits[1])

# %%
by_blur = {
    blur: iou_per_class(validation_labels, classical_labels(validation_scenes, blur))
    for blur in (0, 0.7, 1.0)
}
for blur, scores in by_blur.items():
    print(
        f"blur {blur:3.1f}: mean IoU {scores.mean():.3f}, of the digits alone {scores[1:].mean():.3f}"
    )
best_blur = max(by_blur, key=lambda blur: by_blur[blur].mean())
classical_validation = classical_labels(validation_scenes, best_blur)
print(f"chosen for all that follows: blur {best_blur}")

# %% alt="Three scenes in a row; below, what the classical way made of them: some digits are named rightly, some are joined with neighbours or clutter and named wrongly."
figure, grid = plt.subplots(2, 3, figsize=(6.6, 4.6))
for scene, (upper, lower) in zip(SHOWN[:3], grid.T, strict=True):
    paint(upper, validation_scenes[scene], validation_labels[scene], DIGIT_NAMES)
    paint(lower, validation_scenes[scene], classical_validation[scene], DIGIT_NAMES)
grid[0, 1].set_title("truth")
grid[1, 1].set_title("threshold, components, classifier")
plt.show()

# %% [markdown]
# One brightness for the whole scene cannot tell a bright scrap from a faint digit, and a component that swallowed a scrap or a
# neighbour no longer looks like a digit. (A person with patience can improve this chain; exercise 5 begins.) The pixels' brightness is not
# enough: what a pixel *is* depends on what is around it.

# %% [markdown]
# ## A U-Net: down to see far, up to see sharply
#
# A convolutional network that shrinks its maps sees a larger part of the scene with each layer (its **receptive field**, lesson 3.1). Far down it
# can tell a 3 from an 8, but one number there stands for a whole block of pixels. The **U-Net** (Ronneberger and others, 2015) walks the way back: it enlarges
# the maps again, and at each size joins them with the sharp maps from the way down. These shortcuts are its **skip connections**.

# %% [markdown]
# ![A U: on the left maps of 48, 24, 12 and 6 pixels a side, each half as large as the one above; on the right the way back up to 12, 24 and 48. Horizontal arrows, the skip connections, join maps of equal size. From the map of 12 a head leads to the digit of each cell, from the map of 48 a head leads to ink or not.](../../../images/segmentation_unet.png)

# %% [markdown]
# Ours has two outputs, for two questions of different kinds. *Is this pixel ink?* needs sharp borders and is asked at full size. *Which digit is here?* needs
# wide sight and no sharpness, and is asked once for each **cell** of 4 x 4 pixels. The probability of a name is then a product:
#
# $$P(\text{digit } d) = P(\text{ink})\; P(d \mid \text{ink}), \qquad P(\text{background}) = 1 - P(\text{ink}).$$
#
# Take minus the logarithm, and the cross-entropy over eleven classes falls apart into two we know:
#
# $$-\ln P(\text{truth}) = \underbrace{-\ln P(\text{ink or not})}_{\text{binary, every pixel}} \; + \; \underbrace{\big(-\ln P(d \mid \text{ink})\big)}_{\text{ten classes, ink pixels only}}.$$
#
# The second part is asked on ink pixels only, so we can give it more weight, and the many background pixels do not drown it. All pixels of a cell share one answer, so it is
# enough to *count* how many pixels of each digit a cell has.

# %%
CELL = 4  # pixels a side of a cell
CELLS = SIDE // CELL  # cells a side of a scene


def digit_counts(labels):
    """How many pixels of each digit a cell has: (scenes, CELLS, CELLS, 10). labels: (scenes, SIDE, SIDE)."""
    counts = np.empty((len(labels), CELLS, CELLS, 10), "uint8")
    for digit in range(10):
        blocks = (labels == digit + 1).reshape(-1, CELLS, CELL, CELLS, CELL)
        counts[..., digit] = blocks.sum(axis=(2, 4))
    return counts


def digit_loss(counts, logits):
    """Cross-entropy of all ink pixels of each cell: (batch, CELLS, CELLS).

    counts: (batch, CELLS, CELLS, 10) pixels of each digit. logits: of the same shape.
    """
    counts = keras.ops.cast(counts, "float32")
    return -keras.ops.sum(counts * keras.ops.log_softmax(logits), axis=-1)


# %% without_learning="arithmetic"
few_labels = validation_labels[:4]
ink_logits = generator.normal(size=(4, SIDE, SIDE, 1)).astype("float32")
cell_logits = generator.normal(size=(4, CELLS, CELLS, 10)).astype("float32")
pixel_logits = cell_logits.repeat(CELL, axis=1).repeat(CELL, axis=2)  # a cell's pixels share it
ink_probability = 1 / (1 + np.exp(-ink_logits))
digit_probability = np.exp(pixel_logits) / np.exp(pixel_logits).sum(axis=-1, keepdims=True)
eleven = np.concatenate([1 - ink_probability, ink_probability * digit_probability], axis=-1)
whole = float(keras.ops.sum(keras.losses.sparse_categorical_crossentropy(few_labels, eleven)))
few_ink = (few_labels != BACKGROUND).astype("float32")[..., np.newaxis]
halves = [
    float(keras.ops.sum(keras.losses.binary_crossentropy(few_ink, ink_logits, from_logits=True))),
    float(keras.ops.sum(digit_loss(digit_counts(few_labels), cell_logits))),
]
claim(
    "Cross-entropy over eleven classes is the ink part plus the digit part counted in cells",
    np.isclose(whole, sum(halves), rtol=1e-5).item(),
    f"{whole:.2f} = {halves[0]:.2f} + {halves[1]:.2f}",
)

# %% [markdown]
# Now the network. The way down shrinks with strides, and the way up enlarges with **transposed convolutions** (lesson 3.1; more below).


# %%
def convolution(maps, filters, kernel_size=3, strides=1):
    """Convolution, batch normalization, ReLU."""
    maps = keras.layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False
    )(maps)
    maps = keras.layers.BatchNormalization(momentum=0.9)(maps)
    return keras.layers.Activation("relu")(maps)


def up_and_join(maps, sharp_maps, filters):
    """Maps of twice the size, joined with the sharp maps of the way down, then mixed."""
    larger = keras.layers.Conv2DTranspose(filters, 2, strides=2)(maps)
    joined = keras.layers.Concatenate()([larger, sharp_maps])  # the skip connection
    return convolution(joined, filters)


# %%
def make_unet():
    """Scenes (batch, 48, 48, 1) to logits of the ink (batch, 48, 48, 1) and of the digit (batch, 12, 12, 10)."""
    scene = keras.Input((SIDE, SIDE, 1))
    at_48 = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(scene)
    at_24 = convolution(scene, 16, kernel_size=5, strides=2)
    at_12 = convolution(convolution(at_24, 32, strides=2), 32)
    bottom = convolution(convolution(at_12, 64, strides=2), 64)  # (batch, 6, 6, 64)
    up_12 = up_and_join(bottom, at_12, 32)
    digit = keras.layers.Conv2D(10, 1, name="digit")(up_12)
    up_24 = up_and_join(up_12, at_24, 16)
    up_48 = keras.layers.Conv2DTranspose(8, 2, strides=2)(up_24)
    both = keras.layers.Concatenate()([up_48, at_48])
    ink = keras.layers.Conv2D(1, 3, padding="same", name="ink")(both)
    return keras.Model(scene, {"ink": ink, "digit": digit})


# %% [markdown]
# The largest maps get few filters: at 48 x 48 pixels each filter costs sixteen times as much as at 12 x 12.

# %%
TRAINING_SCENES = 5000
training_scenes, _, training_classes, training_owners = make_scenes(
    *training_digits, TRAINING_SCENES, seed=SEED + 2, **SCENE
)
training_labels = label_maps(training_owners, training_classes)
training_answers = {
    "ink": (training_labels != BACKGROUND)[..., np.newaxis],
    "digit": digit_counts(training_labels),
}

# %% [markdown]
# We will train 17 networks below, so we write the loop of lesson 2.3 once more, as one graph that makes all steps in a row. (`fit` does the same and takes longer between the
# steps.)


# %%
def make_training(model, loss_of, optimizer):
    """A function of inputs, answers and order that trains the model.

    loss_of: takes the answers and the outputs of a batch, gives one number.
    order: (steps, batch), the numbers of the examples that each step sees.
    """
    optimizer.build(model.trainable_variables)

    @tf.function
    def training(inputs, answers, order):
        for step in tf.range(len(order)):
            pick = functools.partial(tf.gather, indices=order[step])
            batch = tf.nest.map_structure(pick, answers)
            with tf.GradientTape() as tape:
                outputs = model(pick(inputs), training=True)
                loss = loss_of(batch, outputs)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)

    return training


# %%
def random_order(examples, epochs, batch=32):
    """The examples in a new random order for each epoch: (steps, batch)."""
    steps = examples // batch
    orders = [np.random.permutation(examples)[: steps * batch] for _ in range(epochs)]
    return np.concatenate(orders).reshape(-1, batch)


# %%
DIGIT_WEIGHT = 8  # the digit part covers only the ink, a small share of the pixels


def unet_loss(answers, outputs):
    ink = keras.losses.binary_crossentropy(answers["ink"], outputs["ink"], from_logits=True)
    digit = digit_loss(answers["digit"], outputs["digit"])
    digit_of_pixels = keras.ops.mean(digit) / CELL**2  # so that both parts are means over pixels
    return keras.ops.mean(ink) + DIGIT_WEIGHT * digit_of_pixels


def one_cycle(steps, highest=0.015):
    """A learning rate that climbs for a fifth of the steps and then falls to nearly zero."""
    return keras.optimizers.schedules.CosineDecay(
        highest / 10,
        decay_steps=steps - steps // 5,
        alpha=0.01,
        warmup_target=highest,
        warmup_steps=steps // 5,
    )


# %%
keras.utils.set_random_seed(SEED)
unet = make_unet()
order = random_order(TRAINING_SCENES, epochs=2)
train_unet = make_training(unet, unet_loss, keras.optimizers.Adam(one_cycle(len(order))))
train_unet(training_scenes, training_answers, order)
print(f"{unet.count_params():,} parameters, {len(order)} steps")

# %% [markdown]
# To read the answer, enlarge the digit logits smoothly to full size, take the largest, and keep it where there is ink.


# %%
def unet_labels(scenes):
    """Label maps of the U-Net: (scenes, SIDE, SIDE)."""
    answers = unet.predict(scenes, batch_size=100, verbose=0)
    logits = keras.ops.image.resize(answers["digit"], (SIDE, SIDE), interpolation="bilinear")
    digit = keras.ops.convert_to_numpy(logits).argmax(axis=-1)
    return np.where(answers["ink"][..., 0] > 0, digit + 1, BACKGROUND)


unet_validation = unet_labels(validation_scenes)

# %%
MISSED, EXTRA, WRONG_NAME = 1, 2, 3
ERROR_COLOURS = {MISSED: "black", EXTRA: COLOURS["orange"], WRONG_NAME: COLOURS["blue"]}


def errors_of(truth, prediction):
    """What is wrong with each pixel: 0 for nothing, MISSED ink, EXTRA ink or a WRONG_NAME."""
    errors = np.where(truth == prediction, 0, WRONG_NAME)
    errors[(truth != BACKGROUND) & (prediction == BACKGROUND)] = MISSED
    errors[(truth == BACKGROUND) & (prediction != BACKGROUND)] = EXTRA
    return errors


def paint_errors(axes, truth, prediction):
    """The true digits in light grey, missed ink black, extra ink orange, wrongly named ink blue."""
    picture = np.where(truth == BACKGROUND, 1.0, 0.85)[..., np.newaxis].repeat(3, axis=-1)
    errors = errors_of(truth, prediction)
    for kind, colour in ERROR_COLOURS.items():
        picture[errors == kind] = matplotlib.colors.to_rgb(colour)
    axes.imshow(picture, vmin=0, vmax=1)
    axes.axis("off")


# %% alt="Four rows, each with a scene, the truth, the U-Net's answer and its errors. Truth and answer look alike; the errors are thin lines along the borders of the digits."
figure, grid = plt.subplots(4, 4, figsize=(6.9, 7.2))
for scene, row in zip(SHOWN, grid, strict=True):
    row[0].imshow(validation_scenes[scene], vmin=0, vmax=1)
    row[0].axis("off")
    paint(row[1], validation_scenes[scene], validation_labels[scene], DIGIT_NAMES)
    paint(row[2], validation_scenes[scene], unet_validation[scene], DIGIT_NAMES)
    paint_errors(row[3], validation_labels[scene], unet_validation[scene])
for axes, title in zip(grid[0], ("scene", "truth", "U-Net", "errors"), strict=True):
    axes.set_title(title)
figure.supxlabel("errors: black = missed ink, orange = extra ink, blue = wrong digit", fontsize=11)
plt.show()

# %% [markdown]
# Truth and answer look alike. Most errors are thin lines: the network knows what is there and is unsure where exactly it ends. A blue
# area is another kind of error, a digit or a part of one with a wrong name.

# %%
errors = errors_of(validation_labels, unet_validation)
square = np.ones((3, 3), "uint8")
ink_maps = validation_ink.astype("uint8")
border = np.stack([cv2.dilate(ink, square) - cv2.erode(ink, square) for ink in ink_maps]) == 1
where_or_not = (errors == MISSED) | (errors == EXTRA)
border_share_of_errors = np.mean(border[where_or_not])
claim(
    "More than five in six pixels that are wrongly ink or wrongly background touch a border, and borders are less than a third of the scene",
    border_share_of_errors > 0.85 and border.mean() < 0.3,
    f"{border_share_of_errors:.1%} of these errors in {border.mean():.1%} of the pixels",
)

# %% alt="Eleven bars from left to right, the IoU of the background and of each digit, for the U-Net as filled bars and for the classical way as shorter hatched bars beside them."
unet_scores = iou_per_class(validation_labels, unet_validation)
classical_scores = by_blur[best_blur]
places = np.arange(CLASSES)
plt.figure(figsize=(6.8, 3.6))
plt.bar(places - 0.2, unet_scores, 0.4, color=COLOURS["blue"], label="U-Net")
plt.bar(
    places + 0.2,
    classical_scores,
    0.4,
    color="white",
    edgecolor=COLOURS["red"],
    hatch="///",
    label="threshold, components, classifier",
)
plt.xticks(places, ["back-\nground", *DIGIT_NAMES.values()])
plt.ylim(0, 1.22)
plt.yticks(np.linspace(0, 1, 6))
plt.ylabel("IoU")
plt.xlabel("class")
plt.legend(loc="upper right", ncols=2, frameon=False)
plt.show()

# %% [markdown]
# The background is the tallest bar for both, and says least. Among the digits the U-Net is far ahead in every class.

# %%
claim(
    "On validation scenes the U-Net beats the classical way in every class",
    bool(np.all(unet_scores > classical_scores)),
    f"mean IoU {unet_scores.mean():.3f} against {classical_scores.mean():.3f}; worst digit of the U-Net {unet_scores[1:].min():.3f}",
)

# %% [markdown]
# How much of the rest is *where*, how much is *what*? Ask for the ink alone, and for the names on the ink both agree on.

# %%
found = validation_ink & (unet_validation != BACKGROUND)
ink_iou = iou(validation_ink, unet_validation != BACKGROUND)
name_accuracy = np.mean(unet_validation[found] == validation_labels[found])
claim(
    "The U-Net's ink is closer to the truth than Otsu's, and more than nine in ten of the pixels it finds get the right digit",
    ink_iou > otsu_iou + 0.05 and name_accuracy > 0.9,
    f"IoU of the ink {ink_iou:.3f} against {otsu_iou:.3f}; right digit on {name_accuracy:.1%} of the common ink",
)

# %% [markdown]
# ## A loss for small objects
#
# Why not train for the score itself? Counting pixels has no slope. But a sum of probabilities has one: put $\sum p_i y_i$ for $|A \cap B|$ and
# $\sum p_i + \sum y_i$ for $|A| + |B|$, with $y_i$ = 1 on ink, and you get the **Dice loss** (Milletari and others, 2016, who square $p_i$ and $y_i$ in the second
# sum). With a 1 added above and below, so that a scene without ink does not divide by zero:
#
# $$L_D = 1 - \frac{2I + 1}{S + 1}, \qquad I = \sum_i p_i y_i, \quad S = \sum_i p_i + \sum_i y_i .$$
#
# Its gradient, by the quotient rule, with $\partial I / \partial p_i = y_i$ and $\partial S / \partial p_i = 1$; then one more factor, the slope of the sigmoid $p_i = \sigma(z_i)$:
#
# $$\frac{\partial L_D}{\partial p_i} = -\frac{2 y_i (S + 1) - (2I + 1)}{(S + 1)^2}, \qquad
#   \frac{\partial L_D}{\partial z_i} = \frac{\partial L_D}{\partial p_i}\; p_i (1 - p_i).$$
#
# Beside it the mean cross-entropy, whose gradient you know from lesson 2.1: $\partial L_C / \partial z_i = (p_i - y_i)/n$.


# %%
def dice_loss(y, z):
    """Dice loss of a whole batch. y: 0 or 1, z: logits, of the same shape."""
    p = keras.ops.sigmoid(z)
    return 1 - (2 * keras.ops.sum(p * y) + 1) / (keras.ops.sum(p) + keras.ops.sum(y) + 1)


def dice_gradient(y, z):
    """The gradient of dice_loss for each logit, in NumPy."""
    p = 1 / (1 + np.exp(-z))
    intersection, total = np.sum(p * y), np.sum(p) + np.sum(y)
    slope = -(2 * y * (total + 1) - (2 * intersection + 1)) / (total + 1) ** 2
    return slope * p * (1 - p)


def cross_entropy_gradient(y, z):
    """The gradient of the mean binary cross-entropy for each logit, in NumPy."""
    return (1 / (1 + np.exp(-z)) - y) / z.size


# %% without_learning="arithmetic"
y = (generator.random((6, 6)) < 0.2).astype(float)
z = tf.constant(generator.normal(size=(6, 6)))
with tf.GradientTape(persistent=True) as tape:
    tape.watch(z)
    dice_value = dice_loss(y, z)
    cross_entropy = keras.ops.mean(keras.losses.binary_crossentropy(y, z, from_logits=True))
worst_difference = max(
    np.abs(tape.gradient(dice_value, z) - dice_gradient(y, z.numpy())).max(),
    np.abs(tape.gradient(cross_entropy, z) - cross_entropy_gradient(y, z.numpy())).max(),
)
claim(
    "Both gradients by hand are GradientTape's",
    bool(worst_difference < 1e-9),
    f"largest difference {worst_difference:.1e}",
)

# %% [markdown]
# What do the two losses *want*? We need a hard case: scenes with one small, thin digit. Then ink is rare.

# %% without_learning="data"
THIN = {"side": 32, "most": 1, "sizes": (10, 14), "pieces": 4, "noise": 0.08}
thin_scenes, _, _, thin_owners = make_scenes(*training_digits, 3000, seed=SEED + 3, **THIN)
thin_ink = (thin_owners > 0).astype("float32")[..., np.newaxis]  # (3000, 32, 32, 1)
new_thin_scenes, _, _, new_thin_owners = make_scenes(*validation_digits, 300, seed=SEED + 4, **THIN)
new_thin_ink = new_thin_owners > 0  # (300, 32, 32)
ink_share = thin_ink.mean()
claim(
    "In the thin scenes less than one pixel in twenty is ink",
    bool(ink_share < 0.05),
    f"{ink_share:.1%}",
)

# %% [markdown]
# Take two states of a network: *undecided*, all logits 0, as at the start; and *sure of nothing but background*, all logits −6. In each, add up how hard a
# loss pulls at ink pixels and at background pixels (the sizes of the gradients).

# %% without_learning="arithmetic"
one_thin = thin_ink[0, ..., 0].astype(float)
pulls = {}
for state, logit in {"undecided": 0.0, "all background": -6.0}.items():
    for name, gradient in {"cross-entropy": cross_entropy_gradient, "Dice": dice_gradient}.items():
        size = np.abs(gradient(one_thin, np.full(one_thin.shape, logit)))
        pulls[state, name] = size.sum(), size[one_thin == 1].sum() / size.sum()
        print(
            f"{state:15s} {name:14s} pull {size.sum():.4f}, of which at ink {pulls[state, name][1]:.0%}"
        )

claim(
    "Undecided, cross-entropy spends on ink only its share of the pixels, Dice about half",
    np.isclose(pulls["undecided", "cross-entropy"][1], one_thin.mean()).item()
    and 0.4 < pulls["undecided", "Dice"][1] < 0.6,
    f"share of ink {one_thin.mean():.1%}; of the pull {pulls['undecided', 'cross-entropy'][1]:.1%} and {pulls['undecided', 'Dice'][1]:.1%}",
)
growth = {}  # of the pull at ink, from undecided to sure of background
for name in ("cross-entropy", "Dice"):
    before, after = (np.prod(pulls[state, name]) for state in ("undecided", "all background"))
    growth[name] = after / before
claim(
    "In a network that is sure of background everywhere, the pull of cross-entropy at ink is more than 1.5 times that in the undecided one, and that of Dice less than a fifth",
    bool(growth["cross-entropy"] > 1.5 and growth["Dice"] < 0.2),
    ", ".join(f"{name} {times:.2f} times" for name, times in growth.items()),
)

# %% [markdown]
# Why half? At $p = \frac12$ a background pixel gets a pull proportional to $2I + 1$, an ink pixel one proportional to $2S + 2 - (2I + 1)$. With $m$ ink pixels of $n$ that is
# $m + 1$ against $n + m + 1$. There are $n - m$ of the first and $m$ of the second, so the two sums are
# $(n - m)(m + 1)$ and $m\,(n + m + 1)$: nearly equal when $m$ is much smaller than $n$, and much larger than 1. Dice balances the classes by itself.
#
# The second claim is its weak side. Where the network is sure, $p(1 - p)$ is nearly zero, and Dice pulls little even if the network is wrong; cross-entropy pulls with $p - y$,
# harder the more wrong it is. (Adam rescales small gradients, so a weak pull slows it less than plain descent.) Many people train with the **sum** of the two. Who wins?
# Predict, then look.

# %% [markdown]
# ### Measured: three losses, and skips cut
#
# A small U-Net for the ink of the thin scenes, with switches. Two weigh the losses; two can cut a skip connection by multiplying its maps with 0. So one
# network, compiled once, serves for all comparisons, and each comparison begins with the same weights.


# %%
class Switch(keras.layers.Layer):
    """Passes maps on, or zeros where it is off: a skip connection that can be cut."""

    def __init__(self):
        super().__init__()
        self.on = self.add_weight(shape=(), initializer="ones", trainable=False)

    def call(self, maps):
        return maps * self.on


def make_small_unet():
    """Ink logits (batch, 32, 32, 1) for thin scenes (batch, 32, 32, 1), and the two switches, sharpest first."""
    switches = [Switch(), Switch()]
    scene = keras.Input((THIN["side"], THIN["side"], 1))
    at_32 = convolution(scene, 4)
    at_16 = convolution(at_32, 8, strides=2)
    bottom = convolution(convolution(at_16, 16, strides=2), 16)  # (batch, 8, 8, 16)
    up_16 = up_and_join(bottom, switches[1](at_16), 8)
    up_32 = up_and_join(up_16, switches[0](at_32), 4)
    return keras.Model(scene, keras.layers.Conv2D(1, 1)(up_32)), switches


# %%
loss_shares = [keras.Variable(1.0, trainable=False) for _ in range(2)]  # cross-entropy, Dice


def mixed_loss(y, z):
    cross_entropy = keras.losses.binary_crossentropy(y, z, from_logits=True)
    return loss_shares[0] * keras.ops.mean(cross_entropy) + loss_shares[1] * dice_loss(y, z)


THIN_STEPS, THIN_RUNS = 90, 3
small_unet, switches = make_small_unet()
optimizer = keras.optimizers.Adam(one_cycle(THIN_STEPS, highest=0.01))
train_small_unet = make_training(small_unet, mixed_loss, optimizer)

# %%
RECIPES = {  # shares of cross-entropy and of Dice; sharpest skip, other skip
    "cross-entropy": (1, 0, 1, 1),
    "Dice": (0, 1, 1, 1),
    "sum": (1, 1, 1, 1),
    "sum, sharpest skip cut": (1, 1, 0, 1),
    "sum, both skips cut": (1, 1, 0, 0),
}


def thin_ink_found(recipe, start, order):
    """Train the small U-Net afresh by a recipe, and find the ink of new thin scenes: (300, 32, 32)."""
    small_unet.set_weights(start)
    for variable in optimizer.variables:  # the number of steps and Adam's two memories
        variable.assign(keras.ops.zeros_like(variable))
    to_set = [*loss_shares, *(switch.on for switch in switches)]
    for variable, value in zip(to_set, RECIPES[recipe], strict=True):
        variable.assign(value)
    train_small_unet(thin_data, thin_answers, order)
    return keras.ops.convert_to_numpy(small_unet(new_thin_scenes))[..., 0] > 0


# %%
thin_data, thin_answers = tf.constant(thin_scenes), tf.constant(thin_ink)
found_thin = {recipe: [] for recipe in RECIPES}
for run in range(THIN_RUNS):
    keras.utils.set_random_seed(100 * SEED + run)
    start = make_small_unet()[0].get_weights()  # the same start and order for each recipe
    order = tf.constant(random_order(len(thin_scenes), epochs=1)[:THIN_STEPS])
    for recipe, found in found_thin.items():
        found.append(thin_ink_found(recipe, start, order))

# %%
thin_borders = np.stack(
    [cv2.dilate(ink, square) - cv2.erode(ink, square) for ink in new_thin_ink.astype("uint8")]
)
thin_scores = {}  # recipe: IoU and share of wrong border pixels of each run
print("                          IoU of the ink       wrong border pixels")
for recipe, found in found_thin.items():
    ious = np.array([iou(new_thin_ink, ink) for ink in found])
    wrongs = np.array([np.mean((ink != new_thin_ink)[thin_borders == 1]) for ink in found])
    thin_scores[recipe] = ious, wrongs
    print(
        f"{recipe:24s} {ious.round(2)}   {wrongs.round(2)}   means {ious.mean():.3f}, {wrongs.mean():.3f}"
    )

# %%
mean_iou = {recipe: ious.mean() for recipe, (ious, _) in thin_scores.items()}
claim(
    "In the mean of three short trainings on rare ink the sum beats cross-entropy alone",
    bool(mean_iou["sum"] > mean_iou["cross-entropy"]),
    ", ".join(f"{recipe} {mean_iou[recipe]:.3f}" for recipe in ("cross-entropy", "Dice", "sum")),
)

# %% [markdown]
# Look at the single runs too: each row scatters. Should you meet a run near 0, with another `SEED`, it has learned the cheap answer, *background*, and not yet left it. Whether Dice *alone* beats cross-entropy alone depends on the
# start, so we claim nothing about it. And these trainings are short, 90 steps: this says who learns *faster* on rare ink, not who is better in the end. Set `THIN_STEPS` to 270 and `epochs` to 3, and look whether the gap stays.
#
# ## What the skip connections do
#
# The last two rows of the table are the same network with its skips cut. Where does it go wrong? Here are the three new digits with the longest outlines.

# %% alt="Three rows with a thin digit each, enlarged: the scene, the truth, the answer with all skip connections, with the sharpest cut, and with both cut. With both cut, holes close and strokes melt into a blot."
outlines = thin_borders.sum(axis=(1, 2))
shown_recipes = ("sum", "sum, sharpest skip cut", "sum, both skips cut")
figure, grid = plt.subplots(3, 5, figsize=(6.9, 4.8))
for scene, row in zip(np.argsort(-outlines)[:3], grid, strict=True):  # the longest outlines
    middle = np.argwhere(new_thin_ink[scene]).mean(axis=0).astype(int)
    top, left = np.clip(middle - 10, 0, THIN["side"] - 20)
    pictures = [new_thin_scenes[scene, ..., 0], new_thin_ink[scene]]
    pictures += [found_thin[recipe][0][scene] for recipe in shown_recipes]
    for axes, picture in zip(row, pictures, strict=True):
        axes.imshow(picture[top : top + 20, left : left + 20], vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="0.7")
titles = ("scene", "truth", "all skips", "sharpest\nskip cut", "both\nskips cut")
for axes, title in zip(grid[0], titles, strict=True):
    axes.set_title(title)
plt.show()

# %% [markdown]
# These trainings were short: even with all skips a stroke may have gaps. Without skips the place is about right and the shape melts into blots: on the 8 x 8 maps a stroke is
# thinner than one number. What the way down threw away, the way up can only guess.

# %%
wrong_borders = {recipe: np.median(wrongs) for recipe, (_, wrongs) in thin_scores.items()}
claim(
    "Without skip connections a quarter more border pixels are wrong, or even more (medians of the runs)",
    bool(wrong_borders["sum, both skips cut"] > 1.25 * wrong_borders["sum"]),
    f"wrong border pixels {wrong_borders['sum']:.1%} with skips, {wrong_borders['sum, both skips cut']:.1%} without",
)

# %% [markdown]
# Cutting only the sharpest one is like shrinking the scene in the first layer, to save time, and never looking at the full size again. That costs something as well:

# %%
claim(
    "Never looking at the full size again costs border pixels too (medians of the runs)",
    bool(wrong_borders["sum, sharpest skip cut"] > wrong_borders["sum"]),
    f"wrong border pixels {wrong_borders['sum']:.1%} with all skips, {wrong_borders['sum, sharpest skip cut']:.1%} without the sharpest",
)

# %% [markdown]
# ## Getting large again: stamps or resizing
#
# The way up needs layers that enlarge. A **transposed convolution** stamps: each number of the small map multiplies the whole kernel, and the products are added up on the
# large map, `strides` pixels apart. The other way is to **resize**, repeating each number, and then to convolve.


# %% without_learning="arithmetic"
def stamp(small, kernel, stride):
    """Transposed convolution of one map (height, width) with one kernel (k, k), without padding."""
    height, width = small.shape
    size = len(kernel)
    large = np.zeros(((height - 1) * stride + size, (width - 1) * stride + size))
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            large[top : top + size, left : left + size] += small[row, column] * kernel
    return large


differences = []
for size, stride in [(2, 2), (3, 2), (4, 2), (3, 1)]:
    layer = keras.layers.Conv2DTranspose(1, size, strides=stride, use_bias=False)
    small = generator.normal(size=(5, 6))
    keras_large = keras.ops.convert_to_numpy(layer(small[np.newaxis, ..., np.newaxis]))[0, ..., 0]
    differences.append(keras_large - stamp(small, layer.get_weights()[0][..., 0, 0], stride))
worst_difference = max(np.abs(difference).max() for difference in differences)
claim(
    "Stamping gives what keras.layers.Conv2DTranspose gives",
    bool(worst_difference < 1e-5),
    f"largest difference {worst_difference:.1e}",
)

# %% [markdown]
# Stamp a perfectly even map of ones with a kernel of ones, two pixels apart. With kernels of 2, of 3 and of 4: on which of the three large maps do you still see even ground?

# %% alt="Three maps with numbers in each cell. Kernel 2: all ones. Kernel 3: a checkerboard of ones, twos and fours. Kernel 4: all fours."
even_map = np.ones((5, 5))
stamped = {size: stamp(even_map, np.ones((size, size)), stride=2) for size in (2, 3, 4)}
figure, row = plt.subplots(1, 3, figsize=(6.8, 2.7))
for axes, (size, large) in zip(row, stamped.items(), strict=True):
    inner = large[2:8, 2:8]  # the edges get fewer stamps
    axes.imshow(inner, vmin=0, vmax=6)
    for (line, column), value in np.ndenumerate(inner):
        shade = "white" if value > 3 else "black"
        axes.text(column, line, f"{value:.0f}", ha="center", va="center", color=shade)
    axes.set_title(f"kernel {size}, stride 2")
    axes.axis("off")
plt.show()

# %% [markdown]
# With a kernel of 3 at stride 2 the stamps overlap unevenly: some pixels get four times as much as others, a **checkerboard** (Odena and others, 2016). Where the
# stride divides the kernel size, each pixel gets equally many stamps. That is why our U-Net uses kernels of 2.

# %% without_learning="arithmetic"
uneven = {size: np.ptp(large[2:8, 2:8]) for size, large in stamped.items()}
claim(
    "With a kernel of ones, stamps two apart are even for sizes 2 and 4 and uneven for size 3",
    bool(uneven[2] == 0 and uneven[4] == 0 and uneven[3] > 0),
    f"largest minus smallest value: {', '.join(f'{gap:.0f} (kernel {size})' for size, gap in uneven.items())}",
)

# %% [markdown]
# But trained weights are not ones. Let them be random:


# %% without_learning="arithmetic"
def unevenness(large):
    """Spread of the values inside a map, in units of their mean size."""
    inner = large[2:-2, 2:-2]
    return np.std(inner) / np.mean(np.abs(inner))


repeated = np.ones((12, 12))  # an even map, resized by repeating
kernels = {size: generator.normal(size=(200, size, size)) for size in (2, 3)}
stamp_unevenness = [unevenness(stamp(even_map, kernel, 2)) for kernel in kernels[2]]
resize_unevenness = [unevenness(stamp(repeated, kernel, 1)) for kernel in kernels[3]]
claim(
    "With random kernels stamps of 2 make a pattern on even ground too; resizing and convolving never does",
    bool(np.median(stamp_unevenness) > 0.3 and np.max(resize_unevenness) < 1e-9),
    f"spread over mean size: stamps {np.median(stamp_unevenness):.2f} (median of 200 kernels), resized at most {np.max(resize_unevenness):.0e}",
)

# %% [markdown]
# So even overlap removes the *built-in* pattern; the rest is a matter of weights, and training can make them agree. Did it in our U-Net? A pattern would show as
# pixels of one of the four positions in each block of 2 x 2 being wrong more often than the others.

# %%
wrong = unet_validation != validation_labels
errors_by_position = wrong.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(0, 1, 3))  # (2, 2)
claim(
    "In the trained U-Net fewer than one pixel in twenty is wrong, and no position in the 2 x 2 blocks half as often again as another",
    bool(wrong.mean() < 0.05 and errors_by_position.max() < 1.5 * errors_by_position.min()),
    f"{wrong.mean():.1%} wrong; share of wrong pixels by position {errors_by_position.ravel().round(4)}",
)

# %% [markdown]
# No pattern of two pixels is left in the errors. (Whether training removed it, or the sharp skip connection covers it, this does not tell.) In pictures that people look at, as those of
# chapter 5, small patterns disturb more.

# %% [markdown]
# ## Touching digits: what a label map cannot say
#
# How many digits are in a scene? Count the connected pieces of each class. But two 3s that touch make *one* piece, even in a perfect answer: a label map says
# *three*, and not *which* three. To tell objects of one class apart is **instance segmentation**. Here are scenes to test it: all digits of a scene are of one class, and
# their boxes may overlap.


# %%
def same_digit_scenes(digits, count, seed):
    """Scenes whose digits are all of one class and may touch, `count` for each class: scenes, labels, owners."""
    images, labels = digits
    settings = SCENE | {"overlap": 0.3}
    parts = []
    for digit in range(10):
        chosen = labels == digit
        scenes, _, classes, owners = make_scenes(
            images[chosen], labels[chosen], count, seed=seed + digit, **settings
        )
        parts.append((scenes, label_maps(owners, classes), owners))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


# %%
SMALLEST_PIECE = 15  # pixels


def pieces(labels):
    """The connected pieces of each class, numbered: (height, width), 0 where there is none."""
    objects = np.zeros(labels.shape, int)
    for name in range(1, CLASSES):
        parts, count = scipy.ndimage.label(labels == name, EIGHT_NEIGHBOURS)
        for part in range(1, count + 1):
            if np.sum(parts == part) >= SMALLEST_PIECE:
                objects[parts == part] = objects.max() + 1
    return objects


# %% without_learning="data"
def objects_in(owners):
    """How many objects each map of owners has: (scenes,)."""
    return np.array([len(np.setdiff1d(owner, [0])) for owner in owners])


touching_scenes, touching_labels, touching_owners = same_digit_scenes(
    validation_digits, 30, seed=100 * SEED + 50
)
true_counts = objects_in(touching_owners)
counts_from_truth = objects_in([pieces(labels) for labels in touching_labels])
right_from_truth = np.mean(counts_from_truth == true_counts)
claim(
    "Even the true label map gives the wrong number of objects in more than a fifth of these scenes",
    bool(right_from_truth < 0.8),
    f"right number in {right_from_truth:.0%} of {len(true_counts)} scenes",
)

# %% [markdown]
# Let each ink pixel say one thing more: *where is the centre of my digit?* Two pixels next to each other, one of each 3, then point apart. This idea is at the heart of
# several methods (Panoptic-DeepLab, Cheng and others, 2020, is one). We need only a third, small head. It reads the maps of size 12 x 12 that the digit head
# reads, and the U-Net stays as it is, **frozen** (lesson 3.2).


# %%
def ways_to_centre(owners):
    """For each ink pixel, how far down and right the centre of its digit's box is: (scenes, height, width, 2)."""
    ways = np.zeros((*owners.shape, 2), "float32")
    for way, owner in zip(ways, owners, strict=True):
        for number, box in enumerate(scipy.ndimage.find_objects(owner), 1):
            if box is not None:
                centre = [(side.start + side.stop - 1) / 2 for side in box]
                way[owner == number] = centre - np.argwhere(owner == number)
    return ways


HEAD_SCENES = 2000
WAY_UNIT = 10  # pixels; keeps the targets near 1
features = keras.Model(unet.input, unet.get_layer("digit").input)  # (batch, 12, 12, 32)
head_features = features.predict(training_scenes[:HEAD_SCENES], batch_size=100, verbose=0)
head_answers = {
    "ways": ways_to_centre(training_owners[:HEAD_SCENES]) / WAY_UNIT,
    "ink": (training_owners[:HEAD_SCENES] > 0).astype("float32"),
}


# %%
def way_loss(answers, ways):
    """Mean squared distance of the ways, asked on ink alone."""
    distances = keras.ops.sum((answers["ways"] - ways) ** 2, axis=-1)
    return keras.ops.sum(answers["ink"] * distances) / keras.ops.sum(answers["ink"])


keras.utils.set_random_seed(SEED)
head = keras.Sequential(
    [
        keras.Input((CELLS, CELLS, 32)),
        keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
        keras.layers.Conv2DTranspose(2, CELL, strides=CELL),  # (batch, 48, 48, 2)
    ]
)
order = random_order(HEAD_SCENES, epochs=5)
head_rate = keras.optimizers.schedules.CosineDecay(0.005, len(order))
train_head = make_training(head, way_loss, keras.optimizers.Adam(head_rate))
train_head(head_features, head_answers, order)

# %% [markdown]
# Now the pixels vote. Each ink pixel adds one vote at the place it points to. The votes are blurred a little, and each peak is an object. A pixel belongs to the peak nearest
# to its vote.

# %%
VOTE_BLUR, PEAK_DISTANCE, FEWEST_VOTES = 2.0, 5, 0.3


def objects_by_votes(ink, ways):
    """Group ink pixels by the centres they vote for: numbered objects (height, width), and the blurred votes.

    ink: (height, width) truth values. ways: (height, width, 2), from each pixel to its centre, in pixels.
    """
    places = np.argwhere(ink)
    votes = places + ways[ink]  # (pixels, 2)
    ballot = np.zeros(ink.shape)
    nearest_pixels = np.clip(np.round(votes).astype(int), 0, np.array(ink.shape) - 1)
    np.add.at(ballot, tuple(nearest_pixels.T), 1)
    ballot = scipy.ndimage.gaussian_filter(ballot, VOTE_BLUR, mode="constant")
    highest_around = scipy.ndimage.maximum_filter(ballot, 2 * PEAK_DISTANCE + 1)
    peaks = np.argwhere((ballot == highest_around) & (ballot > FEWEST_VOTES))
    objects = np.zeros(ink.shape, int)
    if len(peaks):
        distances = np.linalg.norm(votes[:, np.newaxis] - peaks, axis=-1)  # (pixels, peaks)
        objects[ink] = 1 + distances.argmin(axis=1)
    return objects, ballot


# %%
def instance_maps(scenes):
    """The U-Net's label maps, and for each scene the objects and the votes of the third head."""
    labels = unet_labels(scenes)
    ways = WAY_UNIT * head.predict(
        features.predict(scenes, batch_size=100, verbose=0), batch_size=100, verbose=0
    )
    grouped = [objects_by_votes(*pair) for pair in zip(labels != BACKGROUND, ways, strict=True)]
    return labels, *(np.array(part) for part in zip(*grouped, strict=True))


touching_unet, touching_objects, touching_votes = instance_maps(touching_scenes)

# %% alt="Three rows of scenes with digits of one class that touch. In the label map they have one colour. The votes gather in a few dark spots, one for each digit; in the last column each digit has a colour and a number of its own."
pieces_of_unet = np.array([pieces(labels) for labels in touching_unet])
melted = objects_in(pieces_of_unet) < true_counts
by_votes_right = objects_in(touching_objects) == true_counts
examples = np.flatnonzero(melted & by_votes_right)[[0, 12, 30]]
figure, grid = plt.subplots(3, 4, figsize=(6.9, 5.6))
for row, scene in zip(grid, examples, strict=True):
    numbers = {number: f"#{number}" for number in range(1, 30)}
    row[0].imshow(touching_scenes[scene], vmin=0, vmax=1)
    paint(row[1], touching_scenes[scene], touching_unet[scene], DIGIT_NAMES)
    row[2].imshow(touching_votes[scene])
    paint(row[3], touching_scenes[scene], touching_objects[scene], numbers)
    row[0].axis("off")
    row[2].axis("off")
for axes, title in zip(grid[0], ("scene", "label map", "votes", "objects"), strict=True):
    axes.set_title(title)
plt.show()

# %% [markdown]
# In the label map the touching digits melt. The votes of each digit gather at its centre, as far apart as the digits are, and the pixels follow their votes.
#
# How often is it right? First, the number of objects. Second, the harder question: how many true objects have an answer with an IoU above one half?


# %%
def share_matched(answers, owners):
    """Of all true objects, the share that some answered object meets with an IoU above 0.5."""
    hits, total = 0, 0
    for answer, owner in zip(answers, owners, strict=True):
        for number in np.setdiff1d(owner, [0]):
            true_object = owner == number
            met = np.setdiff1d(answer[true_object], [0])
            hits += any(iou(true_object, answer == other) > 0.5 for other in met)
            total += 1
    return hits / total


right_by_pieces = np.mean(objects_in(pieces_of_unet) == true_counts)
matched_by_pieces = share_matched(pieces_of_unet, touching_owners)
matched_by_votes = share_matched(touching_objects, touching_owners)
print(f"right number: pieces {right_by_pieces:.1%}, votes {by_votes_right.mean():.1%}")
print(f"objects met:  pieces {matched_by_pieces:.1%}, votes {matched_by_votes:.1%}")

# %%
claim(
    "In scenes of one class, whose digits may touch, the votes count right far more often than pieces of the label map, even of the true one",
    bool(by_votes_right.mean() > max(right_by_pieces, right_from_truth) + 0.1),
    f"right number of objects: votes {by_votes_right.mean():.1%}, pieces {right_by_pieces:.1%}, pieces of the truth {right_from_truth:.1%}",
)

# %% [markdown]
# ## The test scenes, once
#
# All choices were made on validation scenes. Now 300 new scenes from test digits that nothing has seen.

# %%
test_scenes, _, test_classes, test_owners = make_scenes(*test_digits, 300, seed=SEED + 5, **SCENE)
test_labels = label_maps(test_owners, test_classes)
test_unet, test_objects, _ = instance_maps(test_scenes)
test_scores = {
    "background everywhere": iou_per_class(test_labels, np.zeros_like(test_labels)),
    "threshold, components, classifier": iou_per_class(
        test_labels, classical_labels(test_scenes, best_blur)
    ),
    "U-Net": iou_per_class(test_labels, test_unet),
}
print(f"{'':34s} mean IoU   of the digits alone")
for name, scores in test_scores.items():
    print(f"{name:34s} {scores.mean():8.3f}   {scores[1:].mean():8.3f}")

# %% tags=["headline"]
unet_test, classical_test = test_scores["U-Net"], test_scores["threshold, components, classifier"]
claim(
    "On test scenes the U-Net reaches a mean IoU of at least 0.8 over eleven classes, and the classical way less than 0.6",
    bool(unet_test.mean() >= 0.8 and classical_test.mean() < 0.6),
    f"U-Net {unet_test.mean():.3f} (digits alone {unet_test[1:].mean():.3f}), classical {classical_test.mean():.3f} ({classical_test[1:].mean():.3f})",
)

# %%
test_counts = objects_in(test_owners)
count_right = {
    "pieces": np.mean(objects_in([pieces(labels) for labels in test_unet]) == test_counts),
    "votes": np.mean(objects_in(test_objects) == test_counts),
}
claim(
    "On ordinary test scenes too the votes count right more often than the pieces, in nine of ten scenes or more",
    bool(count_right["votes"] > max(0.9, count_right["pieces"])),
    f"right number of objects: votes {count_right['votes']:.1%}, pieces {count_right['pieces']:.1%}; objects met by votes {share_matched(test_objects, test_owners):.1%}",
)

# %% [markdown]
# The worst scenes teach more than the best. Here are the three test scenes with the most wrong pixels.

# %% alt="Three rows, each with a scene, the truth, the U-Net's answer and its errors: the worst of the test scenes, in which whole digits or large parts of them have a wrong name."
wrong_pixels = np.sum(test_unet != test_labels, axis=(1, 2))
figure, grid = plt.subplots(3, 4, figsize=(6.9, 5.5))
for row, scene in zip(grid, np.argsort(-wrong_pixels)[:3], strict=True):
    row[0].imshow(test_scenes[scene], vmin=0, vmax=1)
    row[0].axis("off")
    paint(row[1], test_scenes[scene], test_labels[scene], DIGIT_NAMES)
    paint(row[2], test_scenes[scene], test_unet[scene], DIGIT_NAMES)
    paint_errors(row[3], test_labels[scene], test_unet[scene])
for axes, title in zip(grid[0], ("scene", "truth", "U-Net", "errors"), strict=True):
    axes.set_title(title)
figure.supxlabel("errors: black = missed ink, orange = extra ink, blue = wrong digit", fontsize=11)
plt.show()

# %% [markdown]
# The shapes are found; the *names* are wrong, for a whole digit or a part of one. Nothing in a label map keeps the pixels of one object together. With objects from the votes you
# could let each object's pixels elect one name.

# %% [markdown]
# ## Where this is used
#
# - **Medicine**: outlines of cells, organs and tumours. The U-Net was made for cells under a microscope, and became the usual start for such pictures.
# - **Driving**: road, lane, pedestrian, for each pixel of the camera.
# - **Satellites**: fields, water, roofs, roads, and what changed since last year.
#
# | network | what it brought |
# |---|---|
# | FCN (Long and others, 2015) | a classifier made convolutional throughout, so that it answers for each pixel |
# | U-Net (Ronneberger and others, 2015) | a full way up with skip connections; learns from few pictures |
# | V-Net (Milletari and others, 2016) | volumes, and the Dice loss |
# | Mask R-CNN (He and others, 2017) | first a box for each object (lesson 3.3a), then a mask inside it: instances |
# | Panoptic-DeepLab (Cheng and others, 2020) | centres and ways to them, as our third head |
# | Segment Anything (Kirillov and others, 2023) | one large network, pre-trained on a billion masks, that answers to a click or a box |
#
# A wrong border has a price: a surgeon, a car, or a map-maker relies on it. Report the IoU of the class that matters, on data from the place where the
# network is to work, and look at the worst pictures, not at the mean.

# %% [markdown]
# ## Common mistakes
#
# - **Pixel accuracy as the score.** The constant answer *background* looks good. Use IoU or Dice, per class.
# - **Comparing Dice with IoU.** Dice is the larger number. Convert: $J = D / (2 - D)$.
# - **Resizing label maps smoothly.** Halfway between class 2 and class 8 is not class 5. Labels are resized by repeating (nearest neighbour); only images and logits are
#   interpolated.
# - **Turning the image and forgetting the mask.** Every geometric augmentation must do the same to both.
# - **The same object on both sides of the split.** Slices of one patient, or scenes with the same digits, are not new data.
# - **Dice of an empty mask.** 0/0. Decide what it means, write it down, and add the 1 in the loss.

# %% [markdown]
# ## Exercise 1: Dice, also of nothing
#
# Write the Dice score from the numbers of true positives, false positives and false negatives of two masks. Where both masks are empty, the answer is perfect: return 1.


# %% tags=["exercise"]
def safe_dice(truth, prediction):
    """Dice score of two boolean masks of the same shape; 1.0 where both are empty."""
    ### BEGIN SOLUTION
    true_positives = np.sum(truth & prediction)
    errors = np.sum(truth != prediction)  # false positives and false negatives
    if true_positives + errors == 0:
        return 1.0
    return 2 * true_positives / (2 * true_positives + errors)
    ### END SOLUTION


# %% tags=["wrong"] says="that is the IoU"
def safe_dice(truth, prediction):  # the IoU
    union = np.sum(truth | prediction)
    return 1.0 if union == 0 else np.sum(truth & prediction) / union


# %% tags=["wrong"] says="nothing to find and nothing found is perfect"
def safe_dice(truth, prediction):  # nothing against nothing is called a failure
    total = np.sum(truth) + np.sum(prediction)
    return 0.0 if total == 0 else 2 * np.sum(truth & prediction) / total


# %% tags=["wrong"] says="right background counts in your score"
def safe_dice(truth, prediction):  # counts the background too
    return np.mean(truth == prediction)


# %% tags=["wrong"] says="nothing to find and something found is 0"
def safe_dice(truth, prediction):  # looks at the truth alone, and forgives every false alarm
    if not truth.any():
        return 1.0
    return 2 * np.sum(truth & prediction) / (np.sum(truth) + np.sum(prediction))


# %% tags=["check"]
with feedback("Dice, also of nothing"):
    pixels = np.arange(24).reshape(4, 6)
    empty, few, one, more = pixels < 0, pixels < 6, pixels < 1, pixels < 12
    got = safe_dice(few, more)
    assert got is not None, "return the score"
    assert not np.isclose(got, 6 / 12), (
        "TP = 6, FP = 6, FN = 0: yours says 0.5, and that is the IoU"
    )
    assert not np.isclose(got, 18 / 24), "right background counts in your score, and must not"
    assert np.isclose(got, 12 / 18), f"TP = 6, FP = 6, FN = 0 give 12 / 18, yours says {got:.3f}"
    got = safe_dice(more, few)
    assert np.isclose(got, 12 / 18), f"TP = 6, FP = 0, FN = 6 give 12 / 18, yours says {got:.3f}"
    got = safe_dice(empty, empty)
    assert np.isclose(got, 1), f"nothing to find and nothing found is perfect: 1, yours says {got}"
    for some in (one, more):
        got = safe_dice(some, empty)
        assert np.isclose(got, 0, atol=1e-3), f"something to find and nothing found is 0, not {got}"
        got = safe_dice(empty, some)
        assert np.isclose(got, 0, atol=1e-3), f"nothing to find and something found is 0, not {got}"
    for seed in range(3):
        truth, found = np.random.default_rng(seed).random((2, 5, 7)) < (seed + 1) / 4
        expected = sklearn.metrics.f1_score(truth.ravel(), found.ravel())
        assert np.isclose(safe_dice(truth, found), expected), (
            f"two random masks: scikit-learn's F1 is {expected:.3f}, yours {safe_dice(truth, found):.3f}"
        )

# %% [markdown]
# ## Exercise 2: predict
#
# A long line, $w$ pixels wide, is found perfectly but one pixel too far to the right. What is the IoU for $w = 1$, $w = 3$ and $w = 9$? Work it out on paper. Then: the
# same network is as good at placing a border in thin and in thick objects. Which scores better? A: thin. B: thick. C: no difference.

# %% tags=["exercise"]
shifted_iou = None  # {1: ..., 3: ..., 9: ...}
better_score = None  # "A", "B" or "C"
### BEGIN SOLUTION
# For each row of the picture w - 1 pixels are in both and w + 1 in one or the other.
shifted_iou = {width: (width - 1) / (width + 1) for width in (1, 3, 9)}
better_score = "B"
### END SOLUTION

# %% tags=["wrong"] says="one only in the truth and one only"
shifted_iou = {width: (width - 1) / width for width in (1, 3, 9)}  # forgets the false positives
better_score = "B"

# %% tags=["wrong"] says="which width loses least by one pixel?"
shifted_iou = {width: (width - 1) / (width + 1) for width in (1, 3, 9)}
better_score = "C"  # the same error in pixels is not the same error in IoU

# %% tags=["check"]
with feedback("Predict"):
    assert isinstance(shifted_iou, dict) and set(shifted_iou) == {1, 3, 9}, (
        "write {1: ..., 3: ..., 9: ...} into shifted_iou"
    )
    for width in (1, 3, 9):
        line, shifted_line = np.zeros((2, 5, 20), bool)
        line[:, 4 : 4 + width] = True
        shifted_line[:, 5 : 5 + width] = True
        assert np.isclose(shifted_iou[width], iou(line, shifted_line)), (
            f"w = {width}: a row has {width - 1} pixels in both masks, one only in the truth and one only "
            f"in the answer; yours says {shifted_iou[width]:.3f}"
        )
    assert better_score in ("A", "B", "C"), 'write "A", "B" or "C" into better_score'
    assert better_score == "B", "look at your three numbers: which width loses least by one pixel?"

# %% [markdown]
# ## Exercise 3: repair this
#
# This mean IoU gives one quarter for a perfect answer in which two of four classes occur. There are **two** mistakes. A class that is neither in the truth nor in the prediction must
# not count at all.
#
# ```python
# def repaired_mean_iou(truth, prediction, classes):
#     scores = []
#     for name in range(classes):
#         both = np.sum((truth == name) & (prediction == name))
#         either = np.sum(truth == name) + np.sum(prediction == name)
#         scores.append(both / max(either, 1))
#     return np.mean(scores)
# ```


# %% tags=["exercise"]
def repaired_mean_iou(truth, prediction, classes):
    """Mean IoU over the classes that occur. truth, prediction: integers from 0 to classes - 1, of the same shape."""
    ### BEGIN SOLUTION
    scores = []
    for name in range(classes):
        both = np.sum((truth == name) & (prediction == name))
        either = np.sum((truth == name) | (prediction == name))  # a pixel in both counts once
        if either > 0:
            scores.append(both / either)
    return np.mean(scores)
    ### END SOLUTION


# %% tags=["wrong"] says="a class that occurs nowhere must not count"
def repaired_mean_iou(truth, prediction, classes):  # the union is mended, absent classes count 0
    scores = []
    for name in range(classes):
        both = np.sum((truth == name) & (prediction == name))
        either = np.sum((truth == name) | (prediction == name))
        scores.append(both / max(either, 1))
    return np.mean(scores)


# %% tags=["wrong"] says="counts twice in your union"
def repaired_mean_iou(
    truth, prediction, classes
):  # absent classes are left out, the union is not mended
    scores = []
    for name in range(classes):
        both = np.sum((truth == name) & (prediction == name))
        either = np.sum(truth == name) + np.sum(prediction == name)
        if either > 0:
            scores.append(both / either)
    return np.mean(scores)


# %% tags=["wrong"] says="An invented class occurs in the prediction, so it counts"
def repaired_mean_iou(truth, prediction, classes):  # leaves out what is missing in the truth alone
    scores = []
    for name in np.unique(truth):
        both = np.sum((truth == name) & (prediction == name))
        scores.append(both / np.sum((truth == name) | (prediction == name)))
    return np.mean(scores)


# %% tags=["check"]
with feedback("Repair this"):
    two_of_two = np.array([[0, 0, 1], [1, 1, 1]])
    got = repaired_mean_iou(two_of_two, two_of_two, 2)
    assert got is not None, "return the mean"
    assert not np.isclose(got, 0.5), (
        "a perfect answer gets 0.5: a pixel in both masks counts twice in your union"
    )
    assert np.isclose(got, 1), f"a perfect answer gets {got:.2f}, not 1"
    two_of_four = np.array([[0, 0, 0, 2], [0, 0, 2, 2]])
    got = repaired_mean_iou(two_of_four, two_of_four, 4)
    assert np.isclose(got, 1), (
        f"a perfect answer with two of four classes gets {got:.2f}: a class that occurs nowhere must not count"
    )
    with_3 = np.array([[0, 0, 0, 2], [3, 0, 2, 2]])
    got = repaired_mean_iou(two_of_four, with_3, 4)
    assert np.isclose(got, (4 / 5 + 1 + 0) / 3), (
        f"one pixel got the invented name 3: IoUs 4/5, 1 and 0, mean 0.6; yours says {got:.2f}. "
        "An invented class occurs in the prediction, so it counts"
    )
    got = repaired_mean_iou(with_3, two_of_four, 4)
    assert np.isclose(got, 0.6), (
        f"the only pixel of class 3 is missed: IoUs 4/5, 1 and 0, mean 0.6; yours says {got:.2f}"
    )
    truth, answer = np.random.default_rng(0).integers(0, 5, (2, 6, 7))
    expected = sklearn.metrics.jaccard_score(truth.ravel(), answer.ravel(), average="macro")
    got = repaired_mean_iou(truth, answer, 7)
    assert np.isclose(got, expected), (
        f"5 of 7 classes at random: scikit-learn says {expected:.3f}, yours {got:.3f}"
    )

# %% [markdown]
# ## Exercise 4: a loss that hates one error more
#
# A missed tumour is worse than a false alarm. The **Tversky index** (Salehi and others, 2017, made it a loss) weighs the two errors:
#
# $$T = \frac{TP}{TP + \alpha\, FP + \beta\, FN}.$$
#
# Write it for probabilities $p$ and a mask $y$ of 0 and 1: $TP = \sum p\,y$; put the sums for $FP$ and $FN$ yourself. Then choose $\alpha$ and $\beta$ so that $T$ is the Dice score.


# %% tags=["exercise"]
def tversky(y, p, alpha, beta):
    """The Tversky index of probabilities p and a mask y of 0 and 1, arrays of the same shape."""
    ### BEGIN SOLUTION
    true_positives = np.sum(p * y)
    false_positives = np.sum(p * (1 - y))
    false_negatives = np.sum((1 - p) * y)
    return true_positives / (true_positives + alpha * false_positives + beta * false_negatives)
    ### END SOLUTION


alpha_for_dice, beta_for_dice = None, None
### BEGIN SOLUTION
alpha_for_dice, beta_for_dice = 0.5, 0.5
### END SOLUTION


# %% tags=["wrong"] says="α weighs the two false positives, β the one false negative"
def tversky(y, p, alpha, beta):  # alpha and beta exchanged
    both = np.sum(p * y)
    return both / (both + beta * np.sum(p * (1 - y)) + alpha * np.sum((1 - p) * y))


alpha_for_dice, beta_for_dice = 0.5, 0.5


# %% tags=["wrong"] says="errors weigh as in the IoU"
def tversky(y, p, alpha, beta):
    both = np.sum(p * y)
    return both / (both + alpha * np.sum(p * (1 - y)) + beta * np.sum((1 - p) * y))


alpha_for_dice, beta_for_dice = 1, 1  # that is the IoU


# %% tags=["wrong"] says="Dice does not change when truth and answer change places"
def tversky(y, p, alpha, beta):
    both = np.sum(p * y)
    return both / (both + alpha * np.sum(p * (1 - y)) + beta * np.sum((1 - p) * y))


alpha_for_dice, beta_for_dice = 0.25, 1  # right for one example alone


# %% tags=["wrong"] says="FP is p where y is 0, FN is 1 - p where y is 1"
def tversky(y, p, alpha, beta):  # the errors are whole masks, not what is wrong in them
    both = np.sum(p * y)
    return both / (both + alpha * np.sum(p) + beta * np.sum(y))


alpha_for_dice, beta_for_dice = 0.5, 0.5


# %% tags=["check"]
with feedback("A loss that hates one error more"):
    y, p = np.array([1.0, 1, 0, 0, 0]), np.array([1.0, 0, 1, 1, 0])  # TP 1, FP 2, FN 1
    assert tversky(y, p, 1, 1) is not None, "tversky returns nothing yet"
    assert np.isclose(tversky(y, p, 1, 1), 1 / 4), (
        f"with α = β = 1 it is the IoU, here 1/4, yours says {tversky(y, p, 1, 1):.3f}: "
        "FP is p where y is 0, FN is 1 - p where y is 1"
    )
    assert np.isclose(tversky(y, p, 0.1, 0.9), 1 / 2.1), (
        f"α weighs the two false positives, β the one false negative: 1 / (1 + 0.2 + 0.9), "
        f"yours says {tversky(y, p, 0.1, 0.9):.3f}"
    )
    soft = np.array([0.9, 0.2, 0.4, 0.0, 0.1])  # TP 1.1, FP 0.5, FN 0.9
    for alpha, beta in [(1, 1), (0.4, 0.7), (2.0, 0.0)]:
        got, expected = tversky(y, soft, alpha, beta), 1.1 / (1.1 + alpha * 0.5 + beta * 0.9)
        assert np.isclose(got, expected), (
            f"it must work for probabilities too: TP = 1.1, FP = 0.5, FN = 0.9 with α = {alpha}, "
            f"β = {beta} give {expected:.3f}, yours says {got:.3f}"
        )
    maps = np.array([[y, y], [soft, soft]])  # two maps of shape (2, 5)
    assert np.isclose(tversky(*maps, 1, 1), 1.1 / 2.5), "add up over all pixels, whatever the shape"
    assert alpha_for_dice is not None, (
        "tversky is right; now choose alpha_for_dice and beta_for_dice"
    )
    weights = alpha_for_dice, beta_for_dice
    assert weights != (1, 1), "with α = β = 1 errors weigh as in the IoU; in Dice TP counts twice"
    assert np.isclose(tversky(y, p, *weights), dice(y == 1, p == 1)), (
        "with your α and β it is not the Dice score 2 TP / (2 TP + FP + FN): divide that fraction by 2"
    )
    assert np.isclose(tversky(p, y, *weights), dice(y == 1, p == 1)), (
        "Dice does not change when truth and answer change places; with your α and β this does"
    )

# %% [markdown]
# ## Exercise 5: beat Otsu without a network (open-ended)
#
# Find the ink of a scene with no training at all. Otsu's threshold is your baseline. The check takes 100 scenes and asks for an IoU that is at least 0.05 higher than Otsu's. Ideas: is Otsu's threshold too high or too
# low? What does a blur do, what does dropping small pieces? `scipy.ndimage` and `cv2` are there.


# %% tags=["exercise"]
def find_ink(scene):
    """Truth values (height, width): where a scene (height, width), brightness from 0 to 1, has ink of digits."""
    ### BEGIN SOLUTION
    smooth = cv2.GaussianBlur(scene, (0, 0), 0.6)
    bright = smooth > otsu_threshold(to_levels(smooth)) / 255 + 0.03  # clutter is faint
    parts, _ = scipy.ndimage.label(bright, EIGHT_NEIGHBOURS)
    sizes = np.bincount(parts.ravel())
    return bright & (sizes[parts] >= 40)
    ### END SOLUTION


# %% tags=["wrong"] says="look at what is extra, as clutter"
def find_ink(scene):  # the baseline itself
    return to_levels(scene) > otsu_threshold(to_levels(scene))


# %% tags=["wrong"] says="of the ink"
def find_ink(scene):  # a threshold chosen without a look
    return scene > 0.7


# %% tags=["check"]
with feedback("Beat Otsu"):
    truth = validation_labels[:100] != BACKGROUND
    plain, answers = [], []
    for scene in validation_scenes[:100, ..., 0]:
        plain.append(to_levels(scene) > otsu_threshold(to_levels(scene)))
        answer = find_ink(scene.copy())
        assert answer is not None, "find_ink returns nothing yet"
        answers.append(np.asarray(answer))
    answers = np.array(answers)
    assert answers.shape == truth.shape and answers.dtype == bool, (
        "return truth values of the scene's shape"
    )
    baseline, yours = iou(truth, np.array(plain)), iou(truth, answers)
    recall = np.mean(answers[truth])
    assert recall > 0.8, (
        f"IoU {yours:.3f}, Otsu {baseline:.3f}: you miss {1 - recall:.0%} of the ink"
    )
    assert yours >= baseline + 0.05, (
        f"IoU {yours:.3f}, Otsu {baseline:.3f}: look at what is extra, as clutter, and what is missed"
    )

# %% [markdown]
# ## Summary
#
# - Segmentation names each pixel. Because most pixels are background, score it with IoU or Dice, class by class; one is a function of the other.
# - A threshold sees brightness, a U-Net sees what is around. On scenes of new digits it is far ahead of threshold, components and classifier.
# - *Where* and *what* are two questions: a sharp map for the ink, a coarse map for the digit, and the cross-entropy splits in the same way.
# - Dice loss balances a rare class by itself but goes quiet where the network is sure; the sum with cross-entropy has both pulls.
# - Skip connections bring the sharp maps to the way up, and borders show it.
# - Pieces of a label map cannot count objects of one class that touch. Votes for centres mostly can.
#
# Not shown: the classical cut of touching shapes at their narrow places (watershed); real photographs and pre-trained backbones (lesson 3.2 shows how to begin), volumes, objects that cover each other, labels that are wrong or missing.
# Lesson 3.3a finds boxes instead of pixels; lesson 3.3c asks whether two pictures show the same thing.

# %% [markdown]
# ## Questions
#
# <details>
# <summary>Two papers report 0.85 on the same data, one as Dice, one as IoU. Who is better?</summary>
#
# The one with the IoU. A Dice score of 0.85 is an IoU of 0.85 / (2 − 0.85) = 0.74.
#
# </details>
#
# <details>
# <summary>A network without skip connections gets the right digits and blurred borders. Why not the other way round?</summary>
#
# What the digit is survives in the small maps, for it needs wide sight. Where exactly the ink ends was lost when the maps were shrunk, and the way up can only guess it.
#
# </details>
#
# <details>
# <summary>Why does the lesson drop Otsu's small components but keep small pieces of the U-Net's answer in the IoU?</summary>
#
# Dropping is a part of the classical method, chosen to help it: clutter is small. The IoU counts every pixel of every answer; nothing is hidden from the score.
#
# </details>
#
# <details>
# <summary>Your training loss is Dice alone, and after an hour the network still says background everywhere. What happened, and what do you try?</summary>
#
# It has become sure of background, p(1 − p) is nearly zero and the Dice loss hardly pulls. Add cross-entropy, lower the learning rate, or start the output's bias at the logit of the ink's share.
#
# </details>

# %% [markdown]
# ## References
#
# - P. Jaccard (1912). The distribution of the flora in the alpine zone. doi:10.1111/j.1469-8137.1912.tb05611.x
# - L. R. Dice (1945). Measures of the amount of ecologic association between species. doi:10.2307/1932409
# - N. Otsu (1979). A threshold selection method from gray-level histograms. doi:10.1109/TSMC.1979.4310076
# - J. Long, E. Shelhamer, T. Darrell (2015). Fully convolutional networks for semantic segmentation. arXiv:1411.4038
# - O. Ronneberger, P. Fischer, T. Brox (2015). U-Net: convolutional networks for biomedical image segmentation. arXiv:1505.04597
# - F. Milletari, N. Navab, S.-A. Ahmadi (2016). V-Net: fully convolutional neural networks for volumetric medical image segmentation. arXiv:1606.04797
# - A. Odena, V. Dumoulin, C. Olah (2016). Deconvolution and checkerboard artifacts. Distill. doi:10.23915/distill.00003
# - K. He, G. Gkioxari, P. Dollár, R. Girshick (2017). Mask R-CNN. arXiv:1703.06870
# - S. S. M. Salehi, D. Erdogmus, A. Gholipour (2017). Tversky loss function for image segmentation using 3D fully convolutional deep networks. arXiv:1706.05721
# - B. Cheng and others (2020). Panoptic-DeepLab: a simple, strong, and fast baseline for bottom-up panoptic segmentation. arXiv:1911.10194
# - A. Kirillov and others (2023). Segment anything. arXiv:2304.02643
