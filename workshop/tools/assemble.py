"""From a lesson's cells to the cells of its notebook, not yet executed."""

import hashlib
import math
import re

import nbformat

from workshop.build.errors import BuildError
from workshop.build.exercises import BEGIN, END, blank, exercises_of, solution_text
from workshop.build.inline import kit_imports, split_pictures

WORDS_A_MINUTE, CODE_LINES_A_MINUTE, MINUTES_AN_EXERCISE = 150, 12, 10


class Assembler:
    """Makes a notebook's cells from a lesson's, in order; remembers which kit functions the notebook already has."""

    def __init__(self, lesson, kit):
        self.lesson, self.kit, self.defined = lesson, kit, set()

    def code_cell(self, cell):
        """The notebook's cells for one code cell: the helpers that it is the first to need, and itself."""
        line = cell.metadata.source_line
        names, source = kit_imports(cell.source, self.lesson.source, line)
        try:
            helpers, defined = self.kit.source_of(names, self.defined)
        except BuildError as error:
            raise BuildError(str(error), self.lesson.source, line) from error
        made = []
        if helpers:
            helper_cell = new_cell(
                "code",
                f"# @title Helpers: {', '.join(sorted(defined - self.defined))}\n{helpers}",
                line,
            )
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

    def text_cells(self, cell):
        parts = split_pictures(cell.source, self.lesson.source, cell.metadata.source_line)
        return [new_cell("markdown", part, cell.metadata.source_line) for part in parts]

    def cells(self):
        """All cells of the notebook, with deterministic ids and, in metadata, the line of the source they come from."""
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
                made.append(
                    new_cell(
                        "markdown", solution_text(solutions[id(cell)]), cell.metadata.source_line
                    )
                )
        for cell in made:
            if BEGIN in cell.source or END in cell.source:
                message = f"a line with {BEGIN} or {END} alone, or with something behind it: the notebook would show it"
                raise BuildError(message, self.lesson.source, cell.metadata.source_line)
        return made


def new_cell(kind, source, source_line):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata={"source_line": source_line})


def notebook_of(lesson, kit, measured):
    """The notebook of a lesson without outputs. measured: {"seconds", "gigabytes", "cores"}, as its head shows it."""
    cells = Assembler(lesson, kit).cells()
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{time_needed(lesson, measured)}\n{rest}"
    seen = {}
    for cell in cells:
        content = digest(f"{cell.cell_type}\n{cell.source}")
        seen[content] = seen.get(content, 0) + 1
        cell.id = content if seen[content] == 1 else f"{content}-{seen[content]}"
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "course": {
                "lesson": lesson.number,
                "title": lesson.title,
                # Wrong answers do not reach the notebook; their hash tells that they changed.
                "wrong_answers": digest("\n".join(cell.source for cell in lesson.tagged("wrong"))),
                **measured,
            },
        },
    )


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def time_needed(lesson, measured):
    words = sum(
        len(re.findall(r"\w+", cell.source))
        for cell in lesson.cells
        if cell.cell_type == "markdown"
    )
    kept = [
        cell
        for cell in lesson.cells
        if cell.cell_type == "code" and not {"wrong", "exercise", "check"} & set(cell.metadata.tags)
    ]
    lines = sum(cell.source.count("\n") + 1 for cell in kept)
    reading = 5 * math.ceil((words / WORDS_A_MINUTE + lines / CODE_LINES_A_MINUTE) / 5)
    exercises = MINUTES_AN_EXERCISE * len(exercises_of(lesson))
    return (
        f"*Reading: about {reading} minutes, exercises about {exercises}. Running: about {measured['seconds']} seconds "
        f"and {measured['gigabytes']} GB of memory, measured on {measured['cores']} CPU cores.*"
    )
