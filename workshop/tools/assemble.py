"""From a lesson's cells to the cells of its notebook, not yet executed."""

import hashlib
import re
from typing import Any

import nbformat

from workshop.tools.errors import BuildError
from workshop.tools.exercises import BEGIN, END, blank, exercises_of, solution_text
from workshop.tools.kit import Kit, kit_imports
from workshop.tools.pictures import split_pictures
from workshop.tools.reading import in_fives, reading_minutes
from workshop.tools.source import Lesson

MINUTES_AN_EXERCISE = 10
CHOOSE_BACKEND = """
import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever your own settings of Keras say
"""


class Assembler:
    """Makes a notebook's cells from a lesson's, in order; remembers which kit functions the notebook already has."""

    def __init__(self, lesson: Lesson, kit: Kit):
        self.lesson, self.kit = lesson, kit
        self.defined: set[str] = set()
        self.imports_keras = False

    def code_cell(self, cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
        """The notebook's cells for one code cell: the helpers that it is the first to need, and itself."""
        line = cell.metadata.source_line
        names, source = kit_imports(cell.source, self.lesson.source, line)
        try:
            helpers, defined = self.kit.source_of(names, self.defined)
        except BuildError as error:
            raise BuildError(str(error), self.lesson.source, line) from error
        made = []
        if helpers:
            if not self.imports_keras and re.search(r"^import keras$", helpers, re.MULTILINE):
                self.imports_keras = True
                rest = re.sub(r"^import os\n", "", helpers, count=1, flags=re.MULTILINE)
                helpers = f"{CHOOSE_BACKEND.strip()}\n\n{rest}"
            title = ", ".join(sorted(defined - self.defined))
            helper_cell = new_cell("code", f"# @title Helpers: {title}\n{helpers}", line)
            helper_cell.metadata.update(jupyter={"source_hidden": True}, cellView="form")
            helper_cell.metadata.tags = sorted(
                {"hide-input"} | ({"setup"} & set(cell.metadata.tags))
            )
            made.append(helper_cell)
            self.defined |= defined
        if not source:
            return made
        code = new_cell("code", source, line)
        code.metadata.tags = sorted(cell.metadata.tags)
        if "alt" in cell.metadata:
            code.metadata.alt = cell.metadata.alt
        return [*made, code]

    def text_cells(self, cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
        line = cell.metadata.source_line
        return [
            new_cell("markdown", part, line)
            for part in split_pictures(cell.source, self.lesson.source, line)
        ]

    def cells(self) -> list[nbformat.NotebookNode]:
        """All cells of the notebook, with the line of the source that each comes from in its metadata."""
        solutions = {
            id(exercise.check): exercise.answer.source for exercise in exercises_of(self.lesson)
        }
        made = []
        for cell in self.lesson.cells:
            if cell.cell_type == "markdown":
                made += self.text_cells(cell)
            elif "exercise" in cell.metadata.tags:
                made += self.code_cell(
                    nbformat.NotebookNode({**cell, "source": blank(cell.source)})
                )
            elif "wrong" not in cell.metadata.tags:
                made += self.code_cell(cell)
            if id(cell) in solutions:
                text = solution_text(solutions[id(cell)])
                made.append(new_cell("markdown", text, cell.metadata.source_line))
        for cell in made:
            if BEGIN in cell.source or END in cell.source:
                message = f"a line with {BEGIN} or {END} alone, or with something behind it: the notebook would show it"
                raise BuildError(message, self.lesson.source, cell.metadata.source_line)
        return made


def new_cell(kind: str, source: str, source_line: int) -> nbformat.NotebookNode:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata={"source_line": source_line})


def notebook_of(lesson: Lesson, kit: Kit, measured: dict[str, Any]) -> nbformat.NotebookNode:
    """The notebook of a lesson without outputs. measured: {"seconds", "gigabytes", "cores"}, as its head shows it."""
    cells = Assembler(lesson, kit).cells()
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{time_needed(lesson, measured)}\n{rest}"
    seen: dict[str, int] = {}
    code_so_far = ""
    for cell in cells:
        content = digest(f"{cell.cell_type}\n{cell.source}")
        seen[content] = seen.get(content, 0) + 1
        cell.id = content if seen[content] == 1 else f"{content}-{seen[content]}"
        if cell.cell_type == "code":
            code_so_far += f"{cell.source}\n"
            if "measures-time" in cell.metadata.tags:
                cell.metadata.code_so_far = digest(code_so_far)
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "course": {
                "lesson": lesson.number,
                "title": lesson.title,
                "prerequisites": list(lesson.header.prerequisites),
                **measured,
            },
        },
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def time_needed(lesson: Lesson, measured: dict[str, Any]) -> str:
    """The line in the head of a notebook that says how long a reader and a machine need."""
    core, deeper = reading_minutes(lesson)
    more = f" (and {in_fives(deeper)} for what stands under *Deeper*)" if deeper else ""
    exercises = MINUTES_AN_EXERCISE * len(exercises_of(lesson))
    return (
        f"*Reading: about {in_fives(core)} minutes{more}, exercises about {exercises}. "
        f"Running: about {measured['seconds']} seconds and {measured['gigabytes']} GB of memory "
        f"on {measured['cores']} fast CPU cores; slow ones take up to five times as long.*"
    )
