"""The benchmarks start and say what they measured; how fast anything is, they say to who runs them."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

PLACE = Path(__file__).parent / "benchmarks/mnist_time_to_accuracy.py"


@pytest.fixture(scope="module")
def race():
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location(PLACE.stem, PLACE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def two_shapes(monkeypatch):
    """Stands in for MNIST: bright in the upper or in the lower half, which any network learns in an epoch or two."""
    labels = np.arange(2048) % 2
    images = np.zeros((2048, 28, 28), "uint8")
    images[labels == 0, :14] = images[labels == 1, 14:] = 255
    pair = images, labels.astype("uint8")
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (pair, pair))


def test_the_networks_are_the_lessons(race):
    keras_example, fast_network, one_cycle = race.definitions(
        "keras_example", "fast_network", "OneCycle"
    )
    assert keras_example().count_params() == 34_826
    assert fast_network().count_params() < 34_826
    rates = [float(one_cycle(0.03, 100)(step)) for step in (0, 25, 100)]
    np.testing.assert_allclose(rates, [0, 0.03, 0], atol=1e-6)


def test_both_reach_the_goal_and_the_last_line_is_the_ratio(race, two_shapes, capsys):
    assert race.main(["--seeds", "1"]) == 0
    *races, mean, ratio = capsys.readouterr().out.splitlines()
    assert len(races) == 2
    assert all("goal reached" in line and "parameters" in line for line in races)
    assert mean.startswith("example ")
    assert float(ratio.removeprefix("ratio ")) > 0


def test_a_network_that_never_gets_there_is_reported(race, two_shapes, monkeypatch, capsys):
    monkeypatch.setattr(race, "GOAL", 1.01)
    monkeypatch.setattr(race, "MOST_EPOCHS", 1)
    assert race.main(["--seeds", "1"]) == 1
    assert "NOT reached" in capsys.readouterr().out


def test_without_mnist_it_says_what_to_do(race, capsys):
    assert race.main([]) == 1
    assert "set KERAS_HOME to a filled cache" in capsys.readouterr().err
