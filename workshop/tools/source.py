"""Reads a lesson's source, a Python script with cells (py:percent), and checks its form."""

import dataclasses
import pathlib
import re

import jupytext

from workshop.build.errors import BuildError

TAGS = {
    "setup": "what exercises need: imports, data, helpers",
    "exercise": "an exercise with its solution between ### BEGIN SOLUTION and ### END SOLUTION",
    "wrong": "a typical wrong answer, for the tests only",
    "check": "tells a learner whether the answer is right",
    "headline": "its claim is the lesson's result in lessons/README.md",
    "measures-time": "prints or draws times: its stored output stays until its code changes",
    "nbval-check-output": "the tests compare its output with the stored one",
}
SOURCE_NAME = re.compile(r"(\d+)_(\d+)([a-z]?)_[a-z0-9_]+")


@dataclasses.dataclass(frozen=True)
class Lesson:
    """One source: its number ("3.3a"), title, and cells as nbformat's, each with metadata tags and source_line."""

    source: pathlib.Path
    number: str
    title: str
    cells: list

    @property
    def notebook_path(self):
        """Where the notebook lies, below the folder of notebooks: "chapter/name.ipynb"."""
        return notebook_path(self.source)

    def tagged(self, tag):
        return [cell for cell in self.cells if tag in cell.metadata.tags]


def find_sources(chapters):
    """The sources below the folder `chapters` by lesson number, in the course's order."""
    sources = {}
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


def order(number):
    """A sort key that puts 3.10 behind 3.9, and 3.3b behind 3.3a."""
    chapter, section, part = re.fullmatch(r"(\d+)\.(\d+)([a-z]?)", number).groups()
    return int(chapter), int(section), part


def notebook_path(source):
    return f"{source.parent.name}/{source.stem}.ipynb"


def number_of(path):
    match = SOURCE_NAME.fullmatch(path.stem)
    if not match or not path.parent.name.startswith(f"{match[1]}_"):
        raise BuildError("a source is named like 2_neural_networks/2_1_artificial_neuron.py", path)
    return f"{match[1]}.{match[2]}{match[3]}"


def read_lesson(path):
    """Read and check one source. Raises BuildError with the line where its form is wrong."""
    number = number_of(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [line_number for line_number, line in enumerate(lines, 1) if line.startswith("# %%")]
    cells = jupytext.reads("\n".join(lines) + "\n", fmt="py:percent").cells
    if len(starts) != len(cells) or not lines[0].startswith("# %%"):
        raise BuildError(
            "a source is made of cells that start with `# %%`, from its first line on", path, 1
        )
    for cell, start in zip(cells, starts, strict=True):
        cell.metadata.source_line = start
        cell.metadata.tags = cell.metadata.get("tags", [])
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's own
        for key in cell.metadata.keys() - {"tags", "alt", "source_line"}:
            raise BuildError(f"unknown {key}=: a cell has tags= and alt=", path, start)
        for tag in set(cell.metadata.tags) - TAGS.keys():
            raise BuildError(f"unknown tag {tag!r}: the tags are {', '.join(TAGS)}", path, start)
    heading = re.match(rf"# {re.escape(number)} (.+)", cells[0].source)
    if cells[0].cell_type != "markdown" or not heading:
        raise BuildError(
            f"the first cell is text that starts with `# {number} ` and the title", path, 1
        )
    lesson = Lesson(path, number, heading[1].strip(), cells)
    if not any(
        re.search(r"^SEED = \d+$", cell.source, re.MULTILINE) for cell in lesson.tagged("setup")
    ):
        raise BuildError(
            "a setup cell holds a line like `SEED = 0`, from which all randomness of the lesson starts",
            path,
        )
    return lesson
