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
CORES = 2  # what a lesson is measured on
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run(notebook, lesson, on_cell=lambda done, of: None):
    """Execute a notebook in place. Returns (seconds, gigabytes at the peak).

    on_cell: called before each cell with (cells done, cells in all). Raises BuildError where a cell fails.
    """
    started = []

    def at_cell(cell, cell_index):
        started.append(cell)
        on_cell(cell_index, len(notebook.cells))

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as empty_folder, few_cores(), PeakMemory() as memory:
        client = nbclient.NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": empty_folder}},
            record_timing=False,
            coalesce_streams=True,
            on_cell_start=at_cell,
        )
        start = time.perf_counter()
        try:
            # What goes to stderr here is TensorFlow's C++ log; a cell's own stderr is in its outputs.
            client.execute(stderr=subprocess.DEVNULL, env=kernel_environment())
        except nbclient.exceptions.CellExecutionError as error:
            raise explained(notebook, lesson, started[-1]) from error
        except nbclient.exceptions.CellTimeoutError as error:
            message = f"a cell takes more than {CELL_TIMEOUT} s"
            raise BuildError(message, lesson.source, started[-1].metadata.source_line) from error
        except nbclient.exceptions.DeadKernelError as error:
            message = "the kernel died in this cell; was there enough memory?"
            raise BuildError(message, lesson.source, started[-1].metadata.source_line) from error
        seconds = time.perf_counter() - start
    return seconds, memory.peak / 1e9


def kernel_environment():
    """This process's environment, less Matplotlib's backend: with that of a terminal a notebook would get no pictures."""
    return {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}


def explained(notebook, lesson, failed):
    """The error of the cell that failed, with its line in the source."""
    output = next(output for output in failed.outputs if output.output_type == "error")
    traceback = ANSI_COLOUR.sub("", "\n".join(output.traceback))
    place = re.search(r"Cell In\[\d+\], line (\d+)", traceback)
    line = failed.metadata.source_line
    if place:
        # The notebook's cell may lack lines of the source's: find the line by its text, the same time it occurs.
        lines = failed.source.splitlines()
        text, times = (
            lines[int(place[1]) - 1],
            lines[: int(place[1])].count(lines[int(place[1]) - 1]),
        )
        source_lines = lesson.source.read_text(encoding="utf-8").splitlines()
        places = [
            number
            for number, other in enumerate(source_lines, 1)
            if other == text and number > line
        ]
        line = places[times - 1] if len(places) >= times else line
    return BuildError(
        f"lesson {lesson.number}, cell {notebook.cells.index(failed) + 1} stops with "
        f"{output.ename}: {output.evalue}\n{traceback}",
        lesson.source,
        line,
    )


@contextlib.contextmanager
def few_cores():
    """Keep the kernels that start in the `with` block to the cores that a lesson is measured on, where a system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def cores():
    """How many CPU cores a kernel may use here."""
    return (
        min(CORES, len(os.sched_getaffinity(0)))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )


class PeakMemory:
    """The most memory that the processes below this one take together while the `with` block runs, in bytes.

    The largest counts with all it holds, the others with what is theirs alone: libraries that they share count once.
    """

    def __enter__(self):
        self.peak, self.over = 0, threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()
        return self

    def sample(self):
        while not self.over.wait(0.1):
            sizes = []
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    sizes.append((process.memory_info().rss, process))
            largest, *others = sorted(sizes, key=lambda size: size[0], reverse=True) or [(0, None)]
            total = largest[0]
            for _, process in others:
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().uss
            self.peak = max(self.peak, total)

    def __exit__(self, *_):
        self.over.set()
        self.sampler.join()
