"""Fills Keras's cache with all that the lessons can download, so that a class can work without network.

The cache is ~/.keras, or the folder that the environment variable KERAS_HOME names. Copy it to other machines as it is.
"""

import functools
import os
import sys

import keras

load_mobilenet = functools.partial(
    keras.applications.MobileNetV2,
    alpha=0.35,
    include_top=False,
    pooling="avg",
    input_shape=(224, 224, 3),
    weights="imagenet",
)

load_spoken_digits = functools.partial(
    keras.utils.get_file,
    "free_spoken_digits.zip",
    origin="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
)

# What to load, its size, and the lessons that can use it.
DOWNLOADS = {
    "MNIST": (keras.datasets.mnist.load_data, "11 MB", "all lessons with handwritten digits"),
    "MobileNetV2's ImageNet weights": (load_mobilenet, "2 MB", "lesson 3.2"),
    "spoken digits": (load_spoken_digits, "16 MB", "lesson 4.3c"),
}


def main():
    """Download what is not yet there. Returns 0, or 1 where something could not be had."""
    missing = []
    for name, (load, size, lessons) in DOWNLOADS.items():
        print(f"{name} ({size}), for {lessons}")
        try:
            load()
        except Exception as error:  # Keras raises a bare Exception where the network fails
            missing.append(name)
            print(f"  not loaded: {error}", file=sys.stderr)
    if missing:
        print(
            f"Missing: {', '.join(missing)}. Connect to the network and run this again.",
            file=sys.stderr,
        )
        return 1
    print(f"All in {os.environ.get('KERAS_HOME', os.path.join('~', '.keras'))}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
