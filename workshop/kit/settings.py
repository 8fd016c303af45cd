import keras


def check_versions():
    """Raise RuntimeError, with the command that mends it, where Keras is too old or does not run on TensorFlow."""
    if tuple(int(part) for part in keras.__version__.split(".")[:2]) < (3, 13):
        raise RuntimeError(
            f"This lesson needs Keras 3.13 or newer and found {keras.__version__}. "
            'Run: pip install --upgrade "keras>=3.13" "tensorflow>=2.20", then restart the kernel.'
        )
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"This lesson runs Keras on TensorFlow and found the backend {keras.backend.backend()!r}. "
            'Run: import os; os.environ["KERAS_BACKEND"] = "tensorflow" in the first cell, then restart the kernel.'
        )
