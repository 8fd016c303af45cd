"""How much sooner than Keras's usual example does the small network of lesson 3.1 read MNIST?

    python tests/benchmarks/mnist_time_to_accuracy.py --seeds 3

For each seed, both networks of the lesson train on the 60,000 training images until each first reads 99.0 % of the
10,000 test images, which are asked after every epoch. A time counts everything from the first step on: compiling the
graph, training, testing. Printed: times, epochs, parameters, and as last line `ratio R`, the example's time over ours,
summed over the seeds. The test images only say when to stop: this measures speed, not how good a model is.

The example is trained as on https://keras.io/examples/vision/mnist_convnet/ (F. Chollet, 2015): Adam, batches of 128.
MNIST (11 MB) comes from Keras's cache, which the environment variable KERAS_HOME names, or is downloaded once.
"""

import argparse
import ast
import itertools
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "workshop/chapters/3_convolutional_networks/3_1_convolutional_layers.py"
GOAL = 0.99
MOST_EPOCHS = 30
OUR_EPOCHS, OUR_BATCH, OUR_PEAK = 2, 256, 0.03


def definitions(*names):
    """Functions and classes of the lesson, by name. Raises KeyError where the lesson has none of that name."""
    wanted = [
        node
        for node in ast.parse(LESSON.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names
    ]
    space = {"keras": keras, "np": np, "tf": tf}
    exec(compile(ast.Module(wanted, []), LESSON, "exec"), space)
    return [space[name] for name in names]


def mnist():
    """MNIST as the networks take it: two pairs of images (n, 28, 28, 1) float32 in [0, 1] and labels (n,)."""
    return [
        (images[..., np.newaxis].astype("float32") / 255, labels.astype("int32"))
        for images, labels in keras.datasets.mnist.load_data()
    ]


def train(network, optimizer, batch_size, data, steps_per_execution=1):
    """Train until the goal or MOST_EPOCHS. Returns (seconds, accuracies on the test images after each epoch)."""
    (images, labels), test_data = data
    network.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    accuracies = []
    start = time.perf_counter()
    while len(accuracies) < MOST_EPOCHS and max(accuracies, default=0) < GOAL:
        network.fit(images, labels, batch_size=batch_size, verbose=0)
        accuracies.append(network.evaluate(*test_data, batch_size=1000, verbose=0)[1])
    return time.perf_counter() - start, accuracies


def race(seed, data):
    """One seed: ((example's seconds, accuracies), (ours)), printed as they come."""
    keras_example, fast_network, one_cycle = definitions(
        "keras_example", "fast_network", "OneCycle"
    )
    results = []
    for name in ("example", "ours"):
        keras.utils.set_random_seed(seed)
        if name == "example":
            network = keras_example()
            result = train(network, keras.optimizers.Adam(), 128, data)
        else:
            network = fast_network()
            steps = OUR_EPOCHS * -(-len(data[0][0]) // OUR_BATCH)
            optimizer = keras.optimizers.Adam(one_cycle(OUR_PEAK, steps))
            result = train(network, optimizer, OUR_BATCH, data, steps_per_execution=47)
        seconds, accuracies = result
        reached = "reached" if accuracies[-1] >= GOAL else "NOT reached"
        print(
            f"seed {seed}: {name:7s} {seconds:6.1f} s, {len(accuracies):2d} epochs, "
            f"{network.count_params():,} parameters, {accuracies[-1]:.2%}, goal {reached}",
            flush=True,
        )
        results.append(result)
    return results


def main(arguments=None):
    """Run the race. Returns 0, or 1 where a network never reached the goal or MNIST could not be had."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="how many: 0 to N - 1")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds needs 1 or more")
    try:
        data = mnist()
    except Exception as error:  # Keras raises a bare Exception where the network fails
        print(
            f"MNIST is not in Keras's cache and could not be downloaded ({error}). "
            "Connect to the network, or set KERAS_HOME to a filled cache.",
            file=sys.stderr,
        )
        return 1
    races = [race(seed, data) for seed in range(options.seeds)]
    example, ours = (np.array([result[side][0] for result in races]) for side in (0, 1))
    print(
        f"example {example.mean():.1f} s ± {example.std():.1f}, ours {ours.mean():.1f} s ± {ours.std():.1f}"
    )
    print(f"ratio {example.sum() / ours.sum():.1f}")
    runs = itertools.chain.from_iterable(races)
    return 0 if all(accuracies[-1] >= GOAL for _, accuracies in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
