"""Runs a notebook from top to bottom in an empty folder, and measures its time and memory."""

import contextlib
import dataclasses
import os
import random
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbclient
import nbformat
import psutil

from workshop.tools.environment import learner_environment
from workshop.tools.errors import BuildError
from workshop.tools.source import Lesson

CELL_TIMEOUT = 1800  # seconds: only a cell that hangs meets it, on a slow machine too
CORES = 2  # what a lesson is measured on
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a run took: seconds by this machine's clock, and gigabytes at the peak."""

    seconds: float
    gigabytes: float


def run(
    notebook: nbformat.NotebookNode,
    lesson: Lesson,
    on_cell: Callable[[int, int], None] = lambda done, of: None,
    environment: dict[str, str] | None = None,
    go_on: bool = False,
) -> Measured:
    """Execute a notebook in place.

    on_cell: called before each cell with (cells done, cells in all). environment: the kernel's variables, or None for
    those of a learner. go_on: whether the cells behind one that fails run too; else a failure raises BuildError.
    """
    started = []

    def at_cell(cell: nbformat.NotebookNode, cell_index: int) -> None:
        started.append(cell)
        on_cell(cell_index, len(notebook.cells))

    def place() -> tuple[Path, int]:
        return lesson.source, started[-1].metadata.source_line if started else 1

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
            allow_errors=go_on,
        )
        start = time.perf_counter()
        try:
            # What goes to stderr here is TensorFlow's C++ log; a cell's own stderr is in its outputs.
            client.execute(stderr=subprocess.DEVNULL, env=environment or learner_environment())
        except nbclient.exceptions.CellExecutionError as error:
            raise explained(notebook, lesson, started[-1]) from error
        except nbclient.exceptions.CellTimeoutError as error:
            raise BuildError(f"a cell takes more than {CELL_TIMEOUT} s", *place()) from error
        except nbclient.exceptions.DeadKernelError as error:
            message = "the kernel died in this cell; was there enough memory?"
            raise BuildError(message, *place()) from error
        except RuntimeError as error:  # jupyter_client's, where a kernel does not answer
            raise BuildError(f"the kernel does not start ({error})", *place()) from error
        seconds = time.perf_counter() - start
    return Measured(seconds, memory.peak / 1e9)


def explained(
    notebook: nbformat.NotebookNode, lesson: Lesson, failed: nbformat.NotebookNode
) -> BuildError:
    """The error of the cell that failed, with its line in the source."""
    output = next(output for output in failed.outputs if output.output_type == "error")
    traceback = ANSI_COLOUR.sub("", "\n".join(output.traceback))
    place = re.search(r"Cell In\[\d+\], line (\d+)", traceback)
    line = failed.metadata.source_line
    if place:
        # The notebook's cell may lack lines of the source's: find the line by its text, the same time it occurs.
        lines = failed.source.splitlines()
        text = lines[int(place[1]) - 1]
        times = lines[: int(place[1])].count(text)
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
def few_cores() -> Iterator[None]:
    """Keep what starts in the `with` block to as many cores as a lesson is measured on, where a system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    all_cores = os.sched_getaffinity(0)
    chosen = random.sample(sorted(all_cores), min(CORES, len(all_cores)))
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def usable_cores() -> int:
    """How many cores this process may use: of the machine, of its affinity, of its container."""
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        count = min(count, max(1, int(quota) // int(period)))
    return count


class PeakMemory:
    """The most memory that the processes below this one take together while the `with` block runs, in bytes.

    The largest counts with all it holds, the others with what is theirs alone: libraries that they share count once.
    """

    def __enter__(self) -> "PeakMemory":
        self.peak = 0
        self.over = threading.Event()
        self.failure: Exception | None = None
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()
        return self

    def sample(self) -> None:
        try:
            while not self.over.wait(0.1):
                self.peak = max(self.peak, memory_of_children())
        except Exception as error:  # told where the block ends: a peak of half a run is none
            self.failure = error

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.over.set()
        self.sampler.join()
        if self.failure and kind is None:
            raise RuntimeError("the memory could not be measured") from self.failure


def memory_of_children() -> int:
    """Bytes that the processes below this one hold."""
    sizes = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            sizes.append((process.memory_info().rss, process))
    if not sizes:
        return 0
    (total, _), *others = sorted(sizes, key=lambda size: size[0], reverse=True)
    for _, process in others:
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().uss
    return total
