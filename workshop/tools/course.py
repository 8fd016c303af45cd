"""The course: its folders, its lessons and their notebooks, and how one is built."""

import copy
import dataclasses
import functools
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat

from workshop.tools import calibration, rules
from workshop.tools.assemble import notebook_of
from workshop.tools.clean import clean
from workshop.tools.errors import BuildError
from workshop.tools.execute import CORES, Measured, run, usable_cores
from workshop.tools.index import index_of, map_of
from workshop.tools.kit import Kit
from workshop.tools.source import Lesson, find_sources, order, read_lesson
from workshop.tools.trials import OnVerdict, stamp, try_exercises
from workshop.tools.verdicts import remember, verdict
from workshop.tools.write import write_whole

NOT_MEASURED: dict[str, Any] = {"seconds": 0, "gigabytes": 0.0, "cores": 0}
MOST_SECONDS_IN_ALL = 1900  # the course's promise: all notebooks together, on the reference machine
SMALLEST_CHANGE = (
    0.3  # a new time or memory within this share of the stored one does not replace it
)
COMPUTING = ("keras", "numpy", "scikit-learn", "scipy", "statsmodels", "tensorflow")
MAP_BEGINS, MAP_ENDS = "<!-- the map, made by the build -->", "<!-- end of the map -->"


@dataclasses.dataclass(frozen=True)
class Course:
    """The folders of the course and its rules; others in tests."""

    root: Path
    kit_folder: Path
    before: tuple[rules.Rule, ...] = (*rules.BEFORE, *rules.FULL_BEFORE)
    after: tuple[rules.Rule, ...] = (*rules.AFTER, *rules.FULL_AFTER)
    most_seconds: int = MOST_SECONDS_IN_ALL

    @classmethod
    def here(cls) -> "Course":
        root = Path(__file__).resolve().parents[2]
        return cls(root, root / "workshop/kit")

    @property
    def chapters(self) -> Path:
        return self.root / "workshop/chapters"

    @property
    def notebooks(self) -> Path:
        return self.root / "lessons"

    @property
    def verdicts(self) -> Path:
        return self.root / "workshop/verdicts"

    @functools.cached_property
    def kit(self) -> Kit:
        return Kit(self.kit_folder)

    @functools.cached_property
    def lock(self) -> str:
        """The exact versions of the packages that compute."""
        try:
            text = (self.root / "requirements.txt").read_text(encoding="utf-8")
        except OSError:
            return ""
        return "\n".join(re.findall(rf"^(?:{'|'.join(COMPUTING)})==[^ ]+", text, re.MULTILINE))

    def lessons(self, numbers: Iterable[str] = ()) -> list[Lesson]:
        """Read the lessons with these numbers, or all, in order."""
        sources = find_sources(self.chapters)
        wanted = list(numbers)
        unknown = [number for number in wanted if number not in sources]
        if unknown:
            raise BuildError(f"no lesson {', '.join(unknown)}: there are {', '.join(sources)}")
        return [
            read_lesson(path) for number, path in sources.items() if not wanted or number in wanted
        ]

    def stored(self, path: str) -> nbformat.NotebookNode | None:
        """The committed notebook at a path below the folder of notebooks, or None where there is none to read."""
        try:
            notebook = nbformat.read(self.notebooks / path, 4)
            nbformat.validate(notebook)
            return notebook if "course" in notebook.metadata else None
        except (OSError, ValueError, LookupError, AttributeError, TypeError):
            return None  # not there, not JSON, or not one of ours
        except nbformat.ValidationError:
            return None

    def unexecuted(
        self, lesson: Lesson
    ) -> tuple[nbformat.NotebookNode, nbformat.NotebookNode | None]:
        """The notebook of a lesson as it must be, with the measured figures of the stored one, and the stored one."""
        stored = self.stored(lesson.notebook_path)
        course = stored.metadata.get("course", {}) if stored else {}
        measured = {name: course.get(name, value) for name, value in NOT_MEASURED.items()}
        return notebook_of(lesson, self.kit, measured), stored

    def is_current(self, lesson: Lesson) -> bool:
        """Whether the stored notebook has the cells it must have, and its exercises were tried as they are."""
        made, stored = self.unexecuted(lesson)
        return (
            stored is not None and shape(made) == shape(stored) and self.exercises_are_tried(lesson)
        )

    def exercises_are_tried(self, lesson: Lesson) -> bool:
        tried = stamp(lesson, self.kit, self.lock)
        return verdict(self.verdicts, lesson, "exercises", tried) is not None

    def build(
        self,
        lesson: Lesson,
        on_cell: Callable[[int, int], None] = lambda done, of: None,
        force: bool = False,
    ) -> None:
        """Try the exercises, execute, clean and store one lesson. A failure raises BuildError and stores no notebook.

        force: try and measure also what was tried and measured before.
        """
        notebook, stored = self.unexecuted(lesson)
        refuse(lesson, notebook, self.before)
        if force or not self.exercises_are_tried(lesson):
            self.try_exercises(lesson)
        slowness = calibration.slowness()
        took = run(notebook, lesson, on_cell)
        slowness = (slowness + calibration.slowness()) / 2
        clean(notebook)
        if stored and not force:
            keep_times(
                notebook, stored
            )  # behind clean, which would encode a kept picture once more
        measured = settled(took, slowness, notebook.metadata.course)
        notebook.cells[0] = notebook_of(lesson, self.kit, measured).cells[0]
        notebook.cells[0].metadata.pop("source_line")
        notebook.metadata.course.update(measured)
        refuse(lesson, notebook, self.after)
        write_whole(self.notebooks / lesson.notebook_path, nbformat.writes(notebook) + "\n")

    def try_exercises(self, lesson: Lesson, on_verdict: OnVerdict = lambda *_: None) -> None:
        """Try each exercise blank, wrong and solved, and remember that its check knew. Raises BuildError."""
        try_exercises(lesson, self.kit, on_verdict)
        remember(self.verdicts, lesson, "exercises", stamp(lesson, self.kit, self.lock))

    def write_lists(self) -> None:
        """Write lessons/README.md, and the map in the README, from the stored notebooks."""
        for path, text in self.lists(self.stored_lessons()).items():
            write_whole(path, text)

    def lists(self, lessons: list[tuple[Lesson, nbformat.NotebookNode]]) -> dict[Path, str]:
        """The texts that are made from all lessons: lessons/README.md, and the README where there is one."""
        texts = {self.notebooks / "README.md": index_of(lessons, self.most_seconds)}
        readme = self.root / "README.md"
        if readme.is_file():
            text = readme.read_text(encoding="utf-8")
            head, begins, rest = text.partition(MAP_BEGINS)
            _, ends, tail = rest.partition(MAP_ENDS)
            if not begins or not ends:
                raise BuildError(f"it lacks {MAP_BEGINS} or {MAP_ENDS}", readme)
            texts[readme] = f"{head}{MAP_BEGINS}\n\n{map_of(lessons)}\n{MAP_ENDS}{tail}"
        return texts

    def stored_lessons(self) -> list[tuple[Lesson, nbformat.NotebookNode]]:
        """Each lesson that has a notebook, with it."""
        pairs = [(lesson, self.stored(lesson.notebook_path)) for lesson in self.lessons()]
        return [(lesson, notebook) for lesson, notebook in pairs if notebook is not None]

    def problems(self, lessons: Iterable[Lesson]) -> list[str]:
        """What is wrong with the stored notebooks of these lessons, a text each, without executing anything."""
        found = []
        for lesson in lessons:
            found += self.problems_of(lesson)
        expected = {
            f"{path.parent.name}/{path.stem}.ipynb" for path in find_sources(self.chapters).values()
        }
        for path in sorted(self.notebooks.rglob("*.ipynb")):
            name = path.relative_to(self.notebooks).as_posix()
            if name not in expected and ".ipynb_checkpoints" not in path.parts:
                found.append(f"{name} has no source")
        return found or self.problems_in_all()

    def problems_of(self, lesson: Lesson) -> list[str]:
        made, stored = self.unexecuted(lesson)
        where = lesson.notebook_path
        if stored is None:
            return [f"{where} is missing or not a notebook"]
        found = []
        if shape(made) != shape(stored):
            found.append(f"{where} does not match its source")
        if not self.exercises_are_tried(lesson):
            found.append(f"{where}: its exercises were not tried as they are")
        for number in lesson.header.prerequisites:
            if number not in find_sources(self.chapters) or order(number) >= order(lesson.number):
                found.append(f"{where}: its prerequisite {number} is no lesson before it")
        # The source against the rules, and the outputs as they are stored.
        for rule in self.before:
            found += [f"{where}: {problem}" for problem in rule(lesson, made)]
        for rule in self.after:
            found += [f"{where}: {problem}" for problem in rule(lesson, stored)]
        return found

    def problems_in_all(self) -> list[str]:
        """What is wrong with the course as a whole, where each lesson is right."""
        found = []
        lessons = self.stored_lessons()
        seconds = sum(notebook.metadata.course.seconds for _, notebook in lessons)
        if seconds > self.most_seconds:
            found.append(
                f"the lessons take {seconds} s together, of {self.most_seconds}: find lighter recipes"
            )
        for path, text in self.lists(lessons).items():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                found.append(
                    f"{path.relative_to(self.root).as_posix()} does not match the notebooks"
                )
        return found


def refuse(lesson: Lesson, notebook: nbformat.NotebookNode, kept: tuple[rules.Rule, ...]) -> None:
    """Raise BuildError with all that is wrong by these rules."""
    found = [problem for rule in kept for problem in rule(lesson, notebook)]
    if found:
        raise BuildError("\n  ".join(found), lesson.source)


def shape(notebook: nbformat.NotebookNode) -> tuple:
    """What makes two notebooks the same, outputs and measured figures aside."""
    cells = [
        (
            cell.cell_type,
            cell.source,
            cell.id,
            {**cell.metadata, "source_line": None, "tags": cell.metadata.get("tags", [])},
        )
        for cell in notebook.cells
    ]
    course = {
        name: value for name, value in notebook.metadata.course.items() if name not in NOT_MEASURED
    }
    return cells, course


def settled(took: Measured, slowness: float, stored: nbformat.NotebookNode) -> dict[str, Any]:
    """The figures as a reader needs them: of the reference machine, rounded, and the stored ones where little changed.

    So a rebuild is quiet. slowness: how many times slower than the reference machine this one was.
    """
    new: dict[str, Any] = {
        "seconds": took.seconds / slowness,
        "gigabytes": took.gigabytes,
        "cores": min(CORES, usable_cores()),
    }
    rounded = {
        **new,
        "seconds": 5 * math.ceil(new["seconds"] / 5),
        "gigabytes": round(new["gigabytes"], 1),
    }
    for name, step in {"seconds": 5, "gigabytes": 0.1}.items():
        little = max(step, SMALLEST_CHANGE * stored[name])
        if (
            stored.cores == new["cores"]
            and stored[name] > 0
            and abs(stored[name] - new[name]) <= little
        ):
            rounded[name] = stored[name]
    return rounded


def keep_times(notebook: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> None:
    """Give cells that measure time their stored outputs again while all code up to them is the same."""
    old = {
        (cell.id, cell.metadata.get("code_so_far")): cell
        for cell in stored.cells
        if cell.cell_type == "code"
    }
    for cell in notebook.cells:
        if cell.cell_type == "code" and "measures-time" in cell.metadata.get("tags", []):
            same = old.get((cell.id, cell.metadata.code_so_far))
            if same and same.outputs:
                cell.outputs = copy.deepcopy(same.outputs)
