"""A reader's own settings of Keras, TensorFlow and Matplotlib change nothing in a lesson."""

import json
import subprocess
import sys

import keras
import matplotlib.pyplot as plt
import pytest
import tensorflow as tf

from workshop import kit
from workshop.tools.environment import learner_environment

ROOT = kit.__path__[0] + "/../.."
HOSTILE_KERAS = {"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1}


@pytest.fixture
def settings_kept():
    yield
    kit.use_course_settings()


def test_numbers_images_and_rounding_are_the_courses(settings_kept):
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_image_data_format("channels_first")
    tf.config.experimental.enable_tensor_float_32_execution(True)
    kit.use_course_settings()
    layer = keras.layers.Conv2D(2, 3)
    assert layer.compute_dtype == layer.variable_dtype == keras.config.floatx() == "float32"
    assert layer.data_format == "channels_last"
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_too_old_a_keras_is_refused_with_the_command_that_mends_it(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "2.15.0")
    with pytest.raises(
        RuntimeError, match=r'found 2\.15\.0\. Run: pip install --upgrade "keras>=3\.13"'
    ):
        kit.use_course_settings()


def test_another_backend_is_refused_with_the_line_that_mends_it(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r'"KERAS_BACKEND"\] = "tensorflow"'):
        kit.use_course_settings()


def run(code, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**learner_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_threads_are_set_once_and_a_second_run_of_the_cell_is_quiet():
    said = run(
        "from workshop.kit import use_course_settings\nimport tensorflow as tf\n"
        "use_course_settings(threads=1)\ntf.ones(3) + 1\nuse_course_settings(threads=1)\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    assert said == "1\n"


def test_what_cannot_be_set_any_more_is_said():
    said = run(
        "from workshop.kit import use_course_settings\nimport tensorflow as tf\n"
        "tf.ones(3) + 1\nuse_course_settings(threads=1)"
    )
    assert said.startswith("! TensorFlow has started already and keeps the number of threads")
    assert "restart the kernel" in said


def test_the_settings_file_of_keras_is_overruled(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps(HOSTILE_KERAS))
    said = run(
        "import keras\nfrom workshop.kit import use_course_settings\nprint(keras.config.floatx())\n"
        "use_course_settings()\nprint(keras.layers.Dense(1).compute_dtype, keras.config.image_data_format(), keras.config.epsilon())",
        KERAS_HOME=str(tmp_path),
    )
    assert said.split() == ["float16", "float32", "channels_last", "1e-07"]


def test_tf32_is_imitated_for_the_notebooks_and_the_courses_settings_switch_it_off():
    said = run(
        "import keras, numpy\nfrom workshop.kit import use_course_settings\n"
        "x = numpy.random.default_rng(0).normal(size=(64, 64)).astype('float32')\n"
        "kernel = keras.ops.reshape(x[:9, :9], (3, 3, 3, 3))\nimage = keras.ops.reshape(x[:48], (1, 32, 32, 3))\n"
        "exact = x.astype('float64') @ x\nfirst = keras.ops.conv(image, kernel)\n"
        "print(abs(keras.ops.matmul(x, x).numpy() - exact).max() > 1e-3)\nuse_course_settings()\n"
        "print(abs(keras.ops.matmul(x, x).numpy() - exact).max() < 1e-4)\n"
        "print(float(keras.ops.max(abs(keras.ops.conv(image, kernel) - first))) > 1e-3)",
        PYTHONPATH=f"{ROOT}/tests/hostile",
    )
    assert said.split() == ["True", "True", "True"]


def test_a_readers_matplotlibrc_is_overruled():
    with plt.rc_context({"image.origin": "lower", "axes.grid": True, "lines.linewidth": 9}):
        kit.use_course_style()
        assert plt.rcParams["image.origin"] == "upper"
        assert not plt.rcParams["axes.grid"]


def test_a_name_of_the_kit_brings_only_what_it_needs():
    said = run(
        "import sys\nfrom workshop.kit import COLOURS\nprint('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    assert said == "False False\n"


def test_a_name_that_the_kit_lacks_is_an_error():
    with pytest.raises(AttributeError, match="the kit has no magic"):
        kit.magic  # noqa: B018
