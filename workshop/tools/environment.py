"""What a kernel of the course sees: a reader's machine without network, cache, GPU or settings of its own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

OFFLINE = Path(__file__).parent / "offline"
# What changes a lesson's results or outputs: no variable of these families reaches a kernel.
FAMILIES = ("KERAS_", "TF_", "MPL", "MATPLOTLIBRC", "CUDA_", "XLA_", "COURSE_", "IPYTHON", "PYTHON")


def learner_environment(
    keras_home: Path | None = None, strict: bool = True, threads: int | None = None
) -> dict[str, str]:
    """The variables for a kernel or a process that runs lessons: the same for every author.

    keras_home: a filled cache for the parts of lessons that can download; else an empty folder. strict: whether a
    claim that does not hold stops the notebook. threads: how many a process computes with, or None for its own choice.
    """
    here = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FAMILIES) or name == "PYTHONHASHSEED"
    }
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "matplotlibrc").touch()
    (folder / "keras").mkdir()
    here |= {
        "PYTHONPATH": str(OFFLINE),
        "PYTHONUTF8": "1",
        "KERAS_HOME": str(keras_home or folder / "keras"),
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "IPYTHONDIR": str(folder / "ipython"),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",  # its start-up log would fill the author's terminal
    }
    if strict:
        here["COURSE_STRICT"] = "1"
    if threads:
        here |= thread_variables(threads)
    return here


def thread_variables(threads: int) -> dict[str, str]:
    """The variables that keep TensorFlow and the libraries under NumPy to some threads."""
    names = [
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    ]
    return dict.fromkeys(names, str(threads))
