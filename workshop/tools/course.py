"""Builds, checks and tries lessons: what the command line and the tests call."""

import contextlib
import copy
import dataclasses
import functools
import math
import os
import tempfile
from pathlib import Path

import nbformat

from workshop.build.assemble import Assembler, notebook_of
from workshop.build.clean import clean
from workshop.build.errors import BuildError
from workshop.build.execute import cores, run
from workshop.build.exercises import judge, trial_cells
from workshop.build.index import index_of
from workshop.build.inline import Kit
from workshop.build.parse import find_sources, notebook_path, read_lesson

NOT_MEASURED = {"seconds": 0, "gigabytes": 0.0, "cores": 0}
BIGGEST_NOTEBOOK = 600_000  # bytes
MOST_SECONDS, MOST_GIGABYTES = 60, 1.5
# Seconds for the lessons that train several networks at lengths or image sizes where less would not convince.
MORE_SECONDS = {"4.3b": 75, "4.3c": 75, "4.3d": 75, "5.2": 90}
SMALLEST_CHANGE = (
    0.3  # a new time or memory within this share of the stored one does not replace it
)


@dataclasses.dataclass(frozen=True)
class Course:
    """The folders of the course; others in tests."""

    chapters: Path
    notebooks: Path
    kit_folder: Path

    @classmethod
    def here(cls):
        root = Path(__file__).resolve().parents[2]
        return cls(root / "workshop/chapters", root / "lessons", root / "workshop/kit")

    @functools.cached_property
    def kit(self):
        return Kit(self.kit_folder)

    def lessons(self, numbers=()):
        """Read the lessons with these numbers, or all, in order."""
        sources = find_sources(self.chapters)
        unknown = [number for number in numbers if number not in sources]
        if unknown:
            raise BuildError(f"no lesson {', '.join(unknown)}: there are {', '.join(sources)}")
        return [
            read_lesson(path)
            for number, path in sources.items()
            if not numbers or number in numbers
        ]

    def stored(self, path):
        """The committed notebook at a path below the folder of notebooks, or None where there is none to read."""
        try:
            return nbformat.read(self.notebooks / path, 4)
        except (OSError, nbformat.reader.NotJSONError):
            return None

    def unexecuted(self, lesson):
        """The notebook of a lesson as it must be, with the measured figures of the stored one, and the stored one."""
        stored = self.stored(lesson.notebook_path)
        course = stored.metadata.get("course", {}) if stored else {}
        measured = {name: course.get(name, value) for name, value in NOT_MEASURED.items()}
        return notebook_of(lesson, self.kit, measured), stored

    def is_current(self, lesson):
        made, stored = self.unexecuted(lesson)
        return stored is not None and shape(made) == shape(stored)

    def build(self, lesson, on_cell=lambda done, of: None):
        """Execute, try the exercises, clean and store one lesson. A failure raises BuildError and stores nothing."""
        notebook, stored = self.unexecuted(lesson)
        self.try_exercises(lesson)
        seconds, gigabytes = run(notebook, lesson, on_cell)
        most_seconds = MORE_SECONDS.get(lesson.number, MOST_SECONDS)
        if seconds > most_seconds or gigabytes > MOST_GIGABYTES:
            took = f"it took {seconds:.0f} s and {gigabytes:.2f} GB"
            raise BuildError(
                f"{took}; this lesson has {most_seconds} s and {MOST_GIGABYTES} GB", lesson.source
            )
        keep_times(notebook, stored)
        clean(notebook, lesson)
        new = {"seconds": seconds, "gigabytes": gigabytes, "cores": cores()}
        measured = settled(new, notebook.metadata.course)
        notebook.cells[0] = notebook_of(lesson, self.kit, measured).cells[0]
        notebook.cells[0].metadata.pop("source_line")
        notebook.metadata.course.update(measured)
        index_of(
            {lesson.notebook_path: notebook}
        )  # raises where the list of lessons could not name it
        text = nbformat.writes(notebook) + "\n"
        if len(text.encode()) > BIGGEST_NOTEBOOK:
            raise BuildError(
                f"the notebook has {len(text.encode())} bytes of at most {BIGGEST_NOTEBOOK}",
                lesson.source,
            )
        write_whole(self.notebooks / lesson.notebook_path, text)

    def try_exercises(self, lesson):
        """Try each exercise blank, wrong and solved, on the setup cells alone; raise BuildError at the first flaw."""
        cells, checks = trial_cells(lesson, Assembler(lesson, self.kit).code_cell)
        if checks:
            trial = nbformat.v4.new_notebook(cells=cells)
            run(trial, lesson)
            judge(lesson, trial.cells, checks)

    def index(self):
        """The text of lessons/README.md for the notebooks that are there."""
        paths = [notebook_path(source) for source in find_sources(self.chapters).values()]
        stored = {path: self.stored(path) for path in paths}
        return index_of({path: notebook for path, notebook in stored.items() if notebook})

    def problems(self, lessons):
        """What is wrong with the stored notebooks of these lessons, a text each, without executing anything."""
        found = []
        for lesson in lessons:
            stored = self.stored(lesson.notebook_path)
            if stored is None:
                found.append(f"{lesson.notebook_path} is missing or not a notebook")
                continue
            if not self.is_current(lesson):
                found.append(f"{lesson.notebook_path} does not match its source")
            code = [cell for cell in stored.cells if cell.cell_type == "code"]
            if any(not cell.execution_count for cell in code):
                found.append(f"{lesson.notebook_path} has cells that were never executed")
            if any(output.output_type == "error" for cell in code for output in cell.outputs):
                found.append(f"{lesson.notebook_path} contains an error")
        expected = {notebook_path(source) for source in find_sources(self.chapters).values()}
        for path in sorted(self.notebooks.rglob("*.ipynb")):
            name = path.relative_to(self.notebooks).as_posix()
            if name not in expected and ".ipynb_checkpoints" not in path.parts:
                found.append(f"{name} has no source")
        readme = self.notebooks / "README.md"
        if not found and (
            not readme.is_file() or readme.read_text(encoding="utf-8") != self.index()
        ):
            found.append("README.md does not match the notebooks")
        return found


def shape(notebook):
    """What makes two notebooks the same, outputs aside."""
    cells = [
        (
            cell.cell_type,
            cell.source,
            cell.id,
            {**cell.metadata, "source_line": None, "tags": cell.metadata.get("tags", [])},
        )
        for cell in notebook.cells
    ]
    return cells, notebook.metadata.get("course", {}).get("wrong_answers")


def settled(measured, stored):
    """The figures as a reader needs them: rounded, and the stored ones where little changed, so a rebuild is quiet."""
    rounded = {
        "seconds": 5 * math.ceil(measured["seconds"] / 5),
        "gigabytes": round(measured["gigabytes"], 1),
        "cores": measured["cores"],
    }
    for name, step in {"seconds": 5, "gigabytes": 0.1}.items():
        little = max(step, SMALLEST_CHANGE * stored[name])
        if (
            stored.cores == measured["cores"]
            and stored[name] > 0
            and abs(stored[name] - measured[name]) <= little
        ):
            rounded[name] = stored[name]
    return rounded


def keep_times(notebook, stored):
    """Give cells that measure time their stored outputs again while their code is the same."""
    old = {cell.id: cell for cell in stored.cells} if stored else {}
    for cell in notebook.cells:
        if (
            "measures-time" in cell.metadata.get("tags", [])
            and cell.id in old
            and old[cell.id].outputs
        ):
            cell.outputs = copy.deepcopy(old[cell.id].outputs)


def write_whole(path, text):
    """Write a file in one step: a reader, or a failure on the way, never meets half of it. Raises BuildError."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, delete=False
        ) as file:
            part = file.name
            file.write(text)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        if part:
            with contextlib.suppress(OSError):
                os.unlink(part)
        raise BuildError(
            f"cannot be written ({error.strerror}): make its folder writable", path
        ) from error
