"""How fast is this machine just now? A fixed piece of work, timed, beside that of a reference machine.

The seconds of lessons, stored and limited, are those of the reference machine: 2 cores of a fast cloud machine of 2026.
Without this, a lesson would be refused on a slow machine whatever it does.
"""

import os
import subprocess
import sys
import time

from workshop.tools.environment import learner_environment
from workshop.tools.execute import few_cores

REFERENCE_SECONDS = 1.0  # what the work takes on the reference machine
LOOP, PRODUCTS, STEPS = 8_000_000, 60, 40


def slowness() -> float:
    """How many times longer than on the reference machine the work takes here and now, on a lesson's cores."""
    with few_cores():
        command = [sys.executable, "-m", "workshop.tools.calibration"]
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        done = subprocess.run(
            command, env=learner_environment(), cwd=root, capture_output=True, text=True, check=True
        )
    return float(done.stdout) / REFERENCE_SECONDS


def work() -> float:
    """Python, NumPy and TensorFlow in about equal parts, as lessons do. Returns seconds."""
    import keras
    import numpy as np

    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    generator = np.random.default_rng(0)
    images = generator.random((64, 28, 28, 1), "float32")
    labels = generator.integers(0, 10, 64)
    matrix = generator.random((600, 600))
    network.train_on_batch(images, labels)  # makes the graph
    start = time.perf_counter()
    total = 0
    for number in range(LOOP):
        total += number
    for _ in range(PRODUCTS):
        _ = matrix @ matrix
    for _ in range(STEPS):
        network.train_on_batch(images, labels)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(work())
