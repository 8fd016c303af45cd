import keras
import tensorflow as tf

OLDEST_KERAS = (3, 13)


def use_course_settings(threads=None):
    """Let Keras and TensorFlow compute the same on every machine, whatever a reader's own settings say.

    Numbers are float32 and images channels-last, whatever keras.json says; products of matrices and convolutions
    keep all their digits on GPUs that would round them to TF32; a GPU gives memory as it is needed, so that a second
    notebook finds some. threads: on how many one operation may be shared out, or None for TensorFlow's own choice.
    Prints a line for what cannot be set any more because TensorFlow has started.
    Raises RuntimeError, with the command that mends it, where Keras is too old or does not run on TensorFlow.
    """
    if tuple(int(part) for part in keras.__version__.split(".")[:2]) < OLDEST_KERAS:
        raise RuntimeError(
            f"This lesson needs Keras 3.13 or newer and found {keras.__version__}. "
            'Run: pip install --upgrade "keras>=3.13" "tensorflow>=2.20", then restart the kernel.'
        )
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"This lesson runs Keras on TensorFlow and found the backend {keras.backend.backend()!r}. "
            'Run: import os; os.environ["KERAS_BACKEND"] = "tensorflow" in the first cell, then restart the kernel.'
        )
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    tf.config.experimental.enable_tensor_float_32_execution(False)
    too_late = []  # TensorFlow fixes both when it first computes
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            too_late.append(f"the memory of {gpu.name}")
    if threads not in (None, tf.config.threading.get_intra_op_parallelism_threads()):
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError:
            too_late.append("the number of threads")
    if too_late:
        print(
            f"! TensorFlow has started already and keeps {' and '.join(too_late)} as it was: "
            "restart the kernel and run this cell before others."
        )
