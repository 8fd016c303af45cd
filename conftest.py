"""Every test, and every kernel that runs a notebook, sees what a reader without network and without a cache has."""

import os
import runpy
import tempfile
from pathlib import Path

OFFLINE = Path(__file__).parent / "tests" / "offline"
EMPTY_CACHE = tempfile.TemporaryDirectory()

os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")])
)
os.environ["KERAS_HOME"] = EMPTY_CACHE.name
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # keeps TensorFlow's start-up log out of the test report
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # for this process, which has started already
