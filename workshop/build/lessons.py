"""Builds, checks and tries lessons: what the command line and the tests call."""

import contextlib
import copy
import dataclasses
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
from workshop.build.parse import find_sources, read_lesson

NOT_MEASURED = {"seconds": 0, "gigabytes": 0.0, "cores": 0}
BIGGEST_NOTEBOOK = 600_000  # bytes
MOST_SECONDS, MOST_GIGABYTES = 60, 1.5
LONGER_BUDGET = {
    "4.3b": 75,
    "4.3c": 75,
    "5.2": 90,
}  # seconds, for lessons that train generators or sequence readers
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

    def stored(self, lesson):
        """The committed notebook of a lesson, or None where there is none that can be read."""
        try:
            return nbformat.read(self.notebooks / lesson.notebook_name, 4)
        except (OSError, nbformat.reader.NotJSONError):
            return None

    def unexecuted(self, lesson):
        """The notebook of a lesson as it must be, with the measured figures of the stored one, and the stored one."""
        stored = self.stored(lesson)
        course = stored.metadata.get("course", {}) if stored else {}
        measured = {name: course.get(name, value) for name, value in NOT_MEASURED.items()}
        return notebook_of(lesson, Kit(self.kit_folder), measured), stored

    def is_current(self, lesson):
        made, stored = self.unexecuted(lesson)
        return stored is not None and [shape(cell) for cell in made.cells] == [
            shape(cell) for cell in stored.cells
        ]

    def build(self, lesson, on_cell=lambda done, of: None):
        """Execute, try the exercises, clean and store one lesson. A failure raises BuildError and stores nothing."""
        notebook, stored = self.unexecuted(lesson)
        self.try_exercises(lesson)
        seconds, gigabytes = run(notebook, lesson, on_cell)
        keep_times(notebook, stored)
        clean(notebook, lesson)
        measured = settled(
            {"seconds": seconds, "gigabytes": gigabytes, "cores": cores()}, notebook.metadata.course
        )
        notebook.cells[0] = notebook_of(lesson, Kit(self.kit_folder), measured).cells[0]
        notebook.cells[0].metadata.pop("source_line")
        notebook.metadata.course.update(measured)
        self.check_size(lesson, measured, text := nbformat.writes(notebook) + "\n")
        write_whole(self.notebooks / lesson.notebook_name, text)

    def try_exercises(self, lesson):
        """Try each exercise blank, wrong and solved, on the setup cells alone; raise BuildError at the first flaw."""
        cells, checks = trial_cells(lesson, Assembler(lesson, Kit(self.kit_folder)).code_cell)
        if checks:
            line = checks[0][1].answer.metadata.source_line
            for cell in cells:
                cell.metadata.setdefault("source_line", line)
            trial = nbformat.v4.new_notebook(cells=cells)
            run(trial, lesson)
            judge(lesson, trial.cells, checks)

    def check_size(self, lesson, measured, text):
        if len(text.encode()) > BIGGEST_NOTEBOOK:
            raise BuildError(
                f"the notebook has {len(text.encode())} bytes of at most {BIGGEST_NOTEBOOK}",
                lesson.source,
            )
        if measured["seconds"] > MOST_SECONDS or measured["gigabytes"] > MOST_GIGABYTES:
            took = f"{measured['seconds']} s and {measured['gigabytes']} GB"
            raise BuildError(
                f"it took {took}; a lesson has {MOST_SECONDS} s and {MOST_GIGABYTES} GB",
                lesson.source,
            )

    def index(self):
        paths = [self.notebooks / lesson.notebook_name for lesson in self.lessons()]
        return index_of(
            {
                path.relative_to(self.notebooks): nbformat.read(path, 4)
                for path in paths
                if path.is_file()
            }
        )

    def problems(self, lessons):
        """What is wrong with the stored notebooks of these lessons, a text each, without executing anything."""
        found = []
        for lesson in lessons:
            stored = self.stored(lesson)
            if stored is None:
                found.append(
                    f"{lesson.number}: {lesson.notebook_name} is missing or not a notebook"
                )
                continue
            if not self.is_current(lesson):
                found.append(f"{lesson.number}: {lesson.notebook_name} is older than its source")
            code = [cell for cell in stored.cells if cell.cell_type == "code"]
            if any(not cell.execution_count for cell in code):
                found.append(
                    f"{lesson.number}: {lesson.notebook_name} has cells that were never executed"
                )
            if any(output.output_type == "error" for cell in code for output in cell.outputs):
                found.append(f"{lesson.number}: {lesson.notebook_name} contains an error")
        expected = {self.notebooks / lesson.notebook_name for lesson in self.lessons()}
        for path in sorted(self.notebooks.rglob("*.ipynb")):
            if path not in expected and ".ipynb_checkpoints" not in path.parts:
                found.append(f"{path.relative_to(self.notebooks)} has no source")
        if not found:
            readme = self.notebooks / "README.md"
            if not readme.is_file() or readme.read_text(encoding="utf-8") != self.index():
                found.append("lessons/README.md is older than the notebooks")
        return found


def shape(cell):
    """What makes two cells the same, outputs aside."""
    metadata = {
        key: value for key, value in cell.metadata.items() if key != "source_line" and value != []
    }
    return cell.cell_type, cell.source, cell.id, metadata


def settled(measured, stored):
    """The figures as a reader needs them: rounded, and the stored ones where little changed, so a rebuild is quiet."""
    rounded = {
        "seconds": 5 * math.ceil(measured["seconds"] / 5),
        "gigabytes": round(measured["gigabytes"], 1),
        "cores": measured["cores"],
    }
    for name, step in {"seconds": 5, "gigabytes": 0.1}.items():
        small = max(step, SMALLEST_CHANGE * measured[name])
        if (
            stored.cores == measured["cores"]
            and stored[name] > 0
            and abs(stored[name] - measured[name]) <= small
        ):
            rounded[name] = stored[name]
    return rounded


def keep_times(notebook, stored):
    """Give cells that measure time their stored outputs again while their code is the same."""
    old = {cell.id: cell for cell in stored.cells} if stored else {}
    for cell in notebook.cells:
        if "measures-time" in cell.metadata.get("tags", []) and cell.id in old:
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
