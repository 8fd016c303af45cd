"""A lesson is one file: a notebook runs where nothing of the course is, and where nobody may write.

The build runs every notebook in an empty folder; nbval runs them all in lessons/.
"""

import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

LESSON = Path(__file__).parents[1] / "lessons/2_neural_networks/2_1_artificial_neuron.ipynb"
READ_ONLY = Path("/proc/self")


@pytest.mark.skipif(not READ_ONLY.is_dir(), reason="needs a folder that nobody may write to")
def test_a_notebook_runs_alone_in_a_read_only_folder():
    nbclient.NotebookClient(
        nbformat.read(LESSON, 4),
        timeout=1800,
        kernel_name="python3",
        resources={"metadata": {"path": READ_ONLY}},
    ).execute()


def test_the_network_is_really_cut_off():
    code = "import urllib.request; urllib.request.urlopen('https://example.com', timeout=20)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "the network is cut off in tests" in ran.stderr
