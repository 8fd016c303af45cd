"""A lesson is one file: a notebook copied alone to another folder runs there, without the course around it.

All notebooks run offline in lessons/ (nbval); here one of each kind of need runs alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
KINDS_OF_NEED = {
    "tables and pictures": "2_neural_networks/2_1_artificial_neuron.ipynb",
    "weights that may not be there": "3_convolutional_networks/3_2_transfer_learning.ipynb",
}


def run(path, folder):
    """Execute a notebook with `folder` as its place; raises where a cell fails."""
    notebook = nbformat.read(path, 4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()


@pytest.mark.parametrize("need", KINDS_OF_NEED)
def test_a_notebook_runs_alone_without_network_on_colab(need, tmp_path, monkeypatch):
    copied = shutil.copy(ROOT / "lessons" / KINDS_OF_NEED[need], tmp_path)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(ROOT / "tests/colab"), os.environ["PYTHONPATH"]])
    )
    notebook = nbformat.read(copied, 4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import google.colab"))
    nbformat.write(notebook, copied)
    run(copied, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [Path(copied).name]


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs a folder that nobody may write to"
)
def test_a_notebook_runs_in_a_read_only_folder():
    run(ROOT / "lessons" / KINDS_OF_NEED["tables and pictures"], Path("/proc/self"))


def test_the_network_is_really_cut_off():
    code = "import urllib.request; urllib.request.urlopen('https://example.com', timeout=20)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "the network is cut off in tests" in ran.stderr
