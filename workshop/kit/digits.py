import keras
import numpy as np
import sklearn.datasets
import sklearn.model_selection
from PIL import Image

from workshop.kit.splits import split_three_ways


def load_digits(size="small", seed=0):
    """Handwritten digits in MNIST's shape, as training, validation and test data.

    size: "small" for scikit-learn's 1,797 digits, which need no network, enlarged from 8x8 to 28x28;
    "full" for the 70,000 of MNIST, which Keras downloads once (11 MB) and keeps.
    seed: which digits fall into which part. (Of MNIST the test images are always the original 10,000.)
    Returns (images, labels) three times: images (n, 28, 28, 1) float32 in [0, 1], labels (n,) integers 0 to 9.
    Raises ValueError for another size, RuntimeError where the download fails.
    Sources: E. Alpaydin, C. Kaynak (1998), doi:10.24432/C50P49; Y. LeCun et al. (1998), doi:10.1109/5.726791.
    """
    if size == "small":
        digits = sklearn.datasets.load_digits()
        return split_three_ways(enlarge(digits.images / 16), digits.target, seed)
    if size != "full":
        raise ValueError(f'load_digits knows the sizes "small" and "full", got {size!r}')
    try:
        (images, labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception where the network fails
        raise RuntimeError(
            f"MNIST is not in Keras's cache and could not be downloaded ({error}). "
            'Connect to the network and run this cell again, or go on with load_digits(size="small").'
        ) from error
    training_images, validation_images, training_labels, validation_labels = (
        sklearn.model_selection.train_test_split(
            images, labels, test_size=10_000, stratify=labels, random_state=seed
        )
    )
    parts = (
        (training_images, training_labels),
        (validation_images, validation_labels),
        (test_images, test_labels),
    )
    return tuple(
        (part[..., np.newaxis].astype("float32") / 255, answers.astype("int64"))
        for part, answers in parts
    )


def enlarge(small_images):
    """8x8 images, (n, 8, 8) in [0, 1], smoothly enlarged to 24x24 with a border of 2: (n, 28, 28, 1) float32 in [0, 1]."""
    enlarged = [
        Image.fromarray(image.astype("float32")).resize((24, 24), Image.Resampling.BICUBIC)
        for image in small_images
    ]
    bordered = np.pad(np.clip(enlarged, 0, 1), ((0, 0), (2, 2), (2, 2)))
    return bordered[..., np.newaxis].astype("float32")
