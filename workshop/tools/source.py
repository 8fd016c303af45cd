"""Reads a lesson's source, a Python script with a header and cells (py:percent), and checks its form."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import jupytext
import yaml

from workshop.tools.errors import BuildError

TAGS = {
    "setup": "what exercises need: imports, data, helpers",
    "exercise": "an exercise with its solution between ### BEGIN SOLUTION and ### END SOLUTION",
    "wrong": "a typical wrong answer, for the tests only",
    "check": "tells a learner whether the answer is right",
    "headline": "its claim is the lesson's result in lessons/README.md",
    "measures-time": "prints or draws times: its stored output stays until code changes up to it",
    "nbval-check-output": "the tests compare its output with the stored one",
}
WITHOUT_LEARNING = {
    "arithmetic": "a formula, a count, or equality with Keras",
    "data": "the data, or a method that does not learn by a network",
    "untrained": "networks with chosen or random weights",
    "own loop": "a training loop written out by hand, without Keras's optimizers",
}
KEYS = {
    "tags": "what the cell is for",
    "alt": "what its picture shows",
    "says": "words that the check says of this wrong answer",
    "without_learning": "why its claims hold though no optimizer moves a weight",
}
SOURCE_NAME = re.compile(r"(\d+)_(\d+)([a-z]?)_[a-z0-9_]+")
HEADER_LINE = "# ---"


@dataclasses.dataclass(frozen=True)
class Header:
    """What is said of a lesson in one place, the head of its source; limits, tables and tests follow from it."""

    prerequisites: tuple[str, ...] = ()  # numbers of the lessons that a reader should know
    core_minutes: int = 60  # the most that reading the core may take
    most_seconds: int = 60  # the most that the lesson may run on the reference machine
    optional: tuple[str, ...] = ()  # packages that the lesson uses where it finds them
    downloads: tuple[
        str, ...
    ] = ()  # data that it uses where they were loaded: names of data/prefetch.py
    # Changed solutions that are right: {exercise: {change, as `mutants` prints it: why it is right}}
    equal_programs: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Lesson:
    """One source: its number ("3.3a"), title, header, and cells as nbformat's, with metadata tags and source_line."""

    source: Path
    number: str
    title: str
    header: Header
    cells: list

    @property
    def notebook_path(self) -> str:
        """Where the notebook lies, below the folder of notebooks: "chapter/name.ipynb"."""
        return notebook_path(self.source)

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}"

    def tagged(self, tag: str) -> list:
        return [cell for cell in self.cells if tag in cell.metadata.tags]

    def code(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]


def find_sources(chapters: Path) -> dict[str, Path]:
    """The sources below the folder `chapters` by lesson number, in the course's order."""
    sources: dict[str, Path] = {}
    for path in sorted(
        chapters.glob("*/*.py"), key=lambda path: (order(number_of(path)), path.name)
    ):
        number = number_of(path)
        if number in sources:
            raise BuildError(
                f"lesson number {number} is taken by {sources[number].name}: give one of them another number",
                path,
            )
        sources[number] = path
    return sources


def order(number: str) -> tuple[int, int, str]:
    """A sort key that puts 3.10 behind 3.9, and 3.3b behind 3.3a. Raises ValueError for what is no lesson's number."""
    match = re.fullmatch(r"(\d+)\.(\d+)([a-z]?)", number)
    if not match:
        raise ValueError(f"{number!r} is not a lesson's number like 3.3b")
    return int(match[1]), int(match[2]), match[3]


def notebook_path(source: Path) -> str:
    return f"{source.parent.name}/{source.stem}.ipynb"


def number_of(path: Path) -> str:
    match = SOURCE_NAME.fullmatch(path.stem)
    if not match or not path.parent.name.startswith(f"{match[1]}_"):
        raise BuildError("a source is named like 2_neural_networks/2_1_artificial_neuron.py", path)
    return f"{match[1]}.{match[2]}{match[3]}"


def read_lesson(path: Path) -> Lesson:
    """Read and check one source. Raises BuildError with the line where its form is wrong."""
    number = number_of(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    header, head = read_header(lines, path)
    while head < len(lines) and not lines[head]:
        head += 1
    body = lines[head:]
    starts = [
        line_number for line_number, line in enumerate(body, head + 1) if line.startswith("# %%")
    ]
    cells = jupytext.reads("\n".join(body) + "\n", fmt="py:percent").cells
    if len(starts) != len(cells) or not starts or starts[0] != head + 1:
        raise BuildError(
            "a source is a header and cells that start with `# %%`, and nothing between them",
            path,
            1,
        )
    for cell, start in zip(cells, starts, strict=True):
        cell.metadata.source_line = start
        cell.metadata.tags = cell.metadata.get("tags", [])
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's own
        for key in cell.metadata.keys() - {*KEYS, "source_line"}:
            raise BuildError(f"unknown {key}=: a cell has {'=, '.join(KEYS)}=", path, start)
        for tag in set(cell.metadata.tags) - TAGS.keys():
            raise BuildError(f"unknown tag {tag!r}: the tags are {', '.join(TAGS)}", path, start)
        reason = cell.metadata.get("without_learning", "data")
        if reason not in WITHOUT_LEARNING:
            kinds = ", ".join(map(repr, WITHOUT_LEARNING))
            raise BuildError(
                f"unknown without_learning={reason!r}: it is one of {kinds}", path, start
            )
    heading = re.match(rf"# {re.escape(number)} (.+)", cells[0].source)
    if cells[0].cell_type != "markdown" or not heading:
        raise BuildError(
            f"the first cell is text that starts with `# {number} ` and the title",
            path,
            starts[0],
        )
    lesson = Lesson(path, number, heading[1].strip(), header, cells)
    if not any(
        re.search(r"^SEED = \d+$", cell.source, re.MULTILINE) for cell in lesson.tagged("setup")
    ):
        raise BuildError(
            "a setup cell holds a line like `SEED = 0`, from which all randomness of the lesson starts",
            path,
        )
    return lesson


def read_header(lines: list[str], path: Path) -> tuple[Header, int]:
    """The header at the top of a source, and how many lines it takes. Raises BuildError where it is not right."""
    if not lines or lines[0] != HEADER_LINE or HEADER_LINE not in lines[1:]:
        raise BuildError("a source starts with a header between two lines `# ---`", path, 1)
    end = lines.index(HEADER_LINE, 1)
    try:
        content: Any = yaml.safe_load("\n".join(line.removeprefix("#") for line in lines[1:end]))
        said = content["jupyter"]["course"] or {}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise BuildError(
            f"the header is YAML that says `jupyter:`, `course:` and what there is to say ({error})",
            path,
            1,
        ) from error
    fields = {field.name: field for field in dataclasses.fields(Header)}
    for name, value in said.items():
        if name not in fields:
            raise BuildError(f"unknown {name} in the header: it knows {', '.join(fields)}", path, 1)
        wanted = {"core_minutes": int, "most_seconds": int, "equal_programs": dict}.get(name, list)
        texts = value if isinstance(value, list) else []
        if not isinstance(value, wanted) or not all(isinstance(text, str) for text in texts):
            kind = "a list of texts in quotes" if wanted is list else f"of type {wanted.__name__}"
            raise BuildError(f"{name} in the header is {kind}, not {value!r}", path, 1)
    said = {
        name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
    }
    return Header(**said), end + 1
