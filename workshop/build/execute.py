"""Runs a notebook from top to bottom in an empty folder, and measures its time and memory."""

import contextlib
import os
import re
import subprocess
import tempfile
import threading
import time

import nbclient
import psutil

from workshop.build.errors import BuildError

CELL_TIMEOUT = 300  # seconds: a lesson has 60 in all
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run(notebook, lesson, on_cell=lambda done, of: None, stop_at_error=True):
    """Execute a notebook in place. Returns (seconds, gigabytes at the peak).

    on_cell: called before each cell with (cells done, cells in all). Raises BuildError where a cell fails.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as empty_folder, PeakMemory() as memory:
        client = nbclient.NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": empty_folder}},
            record_timing=False,
            coalesce_streams=True,
            allow_errors=not stop_at_error,
            on_cell_start=lambda cell, cell_index: on_cell(cell_index, len(notebook.cells)),
        )
        start = time.perf_counter()
        try:
            client.execute(
                stderr=subprocess.DEVNULL
            )  # TensorFlow's C++ log; a cell's own stderr is in its outputs
        except nbclient.exceptions.CellExecutionError as error:
            raise explained(notebook, lesson) from error
        except (nbclient.exceptions.CellTimeoutError, nbclient.exceptions.DeadKernelError) as error:
            raise BuildError(
                f"{type(error).__name__} (a cell may take {CELL_TIMEOUT} s)", lesson.source
            ) from error
        seconds = time.perf_counter() - start
    return seconds, memory.peak / 1e9


def explained(notebook, lesson):
    """The error of the cell that failed, with its line in the source."""
    failed, output = next(
        (cell, output)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    )
    traceback = ANSI_COLOUR.sub("", "\n".join(output.traceback))
    place = re.search(r"Cell In\[\d+\], line (\d+)", traceback)
    line = failed.metadata.source_line
    if place:
        failing_text = failed.source.splitlines()[int(place[1]) - 1]
        rest = lesson.source.read_text(encoding="utf-8").splitlines()[line - 1 :]
        line += next((offset for offset, text in enumerate(rest) if text == failing_text), 0)
    count = sum(1 for cell in notebook.cells[: notebook.cells.index(failed) + 1])
    return BuildError(
        f"lesson {lesson.number}, cell {count} stops with {output.ename}: {output.evalue}\n{traceback}",
        lesson.source,
        line,
    )


def cores():
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class PeakMemory:
    """The most memory that the processes below this one take together while the `with` block runs, in bytes."""

    def __enter__(self):
        self.peak, self.over = 0, threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()
        return self

    def sample(self):
        while not self.over.wait(0.1):
            total = 0
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
            self.peak = max(self.peak, total)

    def __exit__(self, *_):
        self.over.set()
        self.sampler.join()
