"""Runs a lesson so that every claim is heard, whether it holds or not: what `seeds` and `nulls` have in common."""

import re

import nbformat

from workshop.tools.assemble import new_cell, notebook_of
from workshop.tools.claims import Claim, claims_of
from workshop.tools.course import NOT_MEASURED, Course
from workshop.tools.environment import learner_environment
from workshop.tools.execute import run
from workshop.tools.source import Lesson


def observed(
    course: Course,
    lesson: Lesson,
    seed: int | None = None,
    first: str = "",
    behind_helpers: str = "",
) -> tuple[list[Claim], list[str]]:
    """The claims of a run of a lesson that stops nowhere, and the errors that cells ended with.

    seed: in place of the lesson's own. first: code that runs before the lesson. behind_helpers: code that runs behind
    each cell of helpers.
    """
    notebook = notebook_of(lesson, course.kit, NOT_MEASURED)
    cells: list[nbformat.NotebookNode] = [new_cell("code", first, 1)] if first else []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code" and seed is not None:
            cell.source = re.sub(r"^SEED = \d+$", f"SEED = {seed}", cell.source, flags=re.MULTILINE)
        if (
            behind_helpers
            and cell.cell_type == "code"
            and cell.source.startswith("# @title Helpers")
        ):
            cells.append(new_cell("code", behind_helpers, cell.metadata.source_line))
    notebook.cells = cells
    run(notebook, lesson, environment=learner_environment(strict=False), go_on=True)
    errors = [
        f"{lesson.source.name}:{cell.metadata.source_line}: {output.ename}: {output.evalue}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    ]
    return claims_of(notebook), errors
