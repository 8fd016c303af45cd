"""What every lesson keeps to: small functions that say what is wrong. The build, `check` and one test run them all.

A rule takes a lesson and its notebook and yields a text for each problem. Those of BEFORE need no outputs, so that the
build refuses a lesson before it runs; those of AFTER read the outputs. A rule of FULL asks for what a whole lesson has.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import nbformat

from workshop.tools.claims import claims_of
from workshop.tools.exercises import exercises_of
from workshop.tools.reading import reading_minutes
from workshop.tools.source import Lesson

Rule = Callable[[Lesson, nbformat.NotebookNode], Iterable[str]]
ROOT = Path(__file__).parents[2]
FEWEST_CLAIMS, FEWEST_EXERCISES, FEWEST_QUESTIONS = 6, 3, 3
MOST_GIGABYTES = 1.5
BIGGEST_NOTEBOOK = 600_000  # bytes
FEWEST_ALT_LETTERS = 20
PARTS = (
    "**After this lesson you can**",
    "**You build**",
    "**Question.**",
    "## Common mistakes",
    "## Summary",
    "## Questions",
    "## References",
)
PACKAGE_OF = {
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "IPython": "ipykernel",
}
# A share or a score in prose that no cell prints: numbers belong to code.
TYPED_RESULT = re.compile(r"(?<![\w.$-])\d+(?:\.\d+)? ?%|\b\d+(?:\.\d+)? percent\b")
MARKDOWN_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)]*)\)")
NAMED_COLOUR = re.compile(r"""color=["'](?!0?\.\d|black|white|none|(?:light)?gr[ae]y)""")
# What only a Markdown processor of another tool understands; JupyterLab would show it literally.
FOREIGN_MARKDOWN = re.compile(r"^:::|^> \[!|\[\^\w+\]|^```\{", re.MULTILINE)
HELPERS = "# @title Helpers"


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def first_line(cell: nbformat.NotebookNode) -> str:
    return next((line for line in cell.source.splitlines() if line.strip()), "")


def outputs_of(notebook: nbformat.NotebookNode) -> Iterator[tuple]:
    """Each code cell with each of its outputs."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield cell, output


def imported(source: str) -> set[str]:
    """The packages that a piece of Python imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def bound(source: str) -> set[str]:
    """The names that a cell binds at its top level, loops and `with` included."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(ast.parse(source).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            continue  # what is bound inside is its own
        if isinstance(
            node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        waiting += ast.iter_child_nodes(node)
    return names


def stands_alone(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """A notebook runs and shows its pictures in an empty folder."""
    for text in texts(notebook):
        for picture in MARKDOWN_PICTURE.finditer(text):
            if not picture["target"].startswith("data:image/png;base64,"):
                yield f"the picture {picture['target']} is not in the notebook"
    for cell in code_cells(notebook):
        for name in sorted(imported(cell.source) & {"workshop", "images", "tests"}):
            yield f"a cell imports {name}, which a reader does not have: {first_line(cell)}"
        if "../" in cell.source:
            yield f"a cell names a file of the course: {first_line(cell)}"


def numbers_come_from_code(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for text in texts(notebook):
        for number in TYPED_RESULT.findall(text):
            yield f"a number that only code may print: {number}"


def a_claim_can_fail(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in lesson.code():
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
                if len(node.args) != 3:
                    yield f"a claim has a statement, a condition and figures: {ast.unparse(node)}"
                elif isinstance(node.args[1], ast.Constant):
                    yield f"a claim that cannot fail: {ast.unparse(node.args[0])}"


def colours_are_the_courses(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in code_cells(notebook):
        for match in NAMED_COLOUR.finditer(cell.source):
            yield f"take a colour from COLOURS, a grey, black or white: {match[0]}…"


def helpers_keep_their_names(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """A cell that binds a helper's name changes what other helpers do."""
    helpers: set[str] = set()
    for cell in code_cells(notebook):
        if cell.source.startswith(HELPERS):
            helpers |= bound(cell.source)
        else:
            for name in sorted(bound(cell.source) & helpers):
                yield f"a cell binds {name}, which is a helper: choose another name"


def imports_are_asked_for(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    requirements = (ROOT / "requirements.in").read_text(encoding="utf-8")
    asked = {*re.findall(r"^[\w-]+", requirements, re.MULTILINE), *lesson.header.optional}
    for cell in code_cells(notebook):
        for name in sorted(imported(cell.source) - set(sys.stdlib_module_names)):
            if PACKAGE_OF.get(name, name) not in asked:
                yield f"imports {name}, which neither requirements.in nor its header asks for"


def pictures_are_described(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for text in texts(notebook):
        if not all(picture["alt"].strip() for picture in MARKDOWN_PICTURE.finditer(text)):
            yield "a picture has no alt text"
    for place, cell in enumerate(notebook.cells):
        if "alt" not in cell.metadata:
            continue
        if len(cell.metadata.alt) <= FEWEST_ALT_LETTERS:
            yield f"an alt text says too little: {cell.metadata.alt}"
        following = notebook.cells[place + 1 : place + 4]
        if not any(other.cell_type == "markdown" for other in following):
            yield f"no text says what to see in the plot: {cell.metadata.alt}"


def markdown_is_understood(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for text in texts(notebook):
        for found in FOREIGN_MARKDOWN.findall(text):
            yield f"JupyterLab shows this literally: {found}"


def times_stand_alone(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """The stored output of a cell that measures time stays: no result of the lesson may wait there."""
    for cell in lesson.tagged("measures-time"):
        if "headline" in cell.metadata.tags:
            yield f"a headline is measured at each build, not kept: {first_line(cell)}"


def core_is_an_hour(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    core, _ = reading_minutes(lesson)
    if core > lesson.header.core_minutes:
        yield (
            f"its core takes {core:.0f} minutes to read, of {lesson.header.core_minutes}: "
            "move what goes beyond under headings that begin with `Deeper:`"
        )


def has_all_parts(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    text = "\n".join(texts(notebook))
    for part in PARTS:
        if part not in text:
            yield f"it lacks {part}"
    if text.count("<summary>") - len(exercises_of(lesson)) < FEWEST_QUESTIONS:
        yield f"it has fewer than {FEWEST_QUESTIONS} questions with answers"
    if len(exercises_of(lesson)) < FEWEST_EXERCISES:
        yield f"it has fewer than {FEWEST_EXERCISES} exercises"


def has_its_row(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """What the list of lessons says of it."""
    if not re.search(r"\*\*You build\*\* .+?\.(?=\s|$)", notebook.cells[0].source, re.DOTALL):
        yield "its first cell does not say `**You build** …`"
    if len(lesson.tagged("headline")) != 1:
        yield "one cell is tagged headline, and makes the lesson's main claim"


def was_executed(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    if any(cell.source.strip() and not cell.execution_count for cell in code_cells(notebook)):
        yield "it has cells that were never executed"
    for _, output in outputs_of(notebook):
        if output.output_type == "error":
            yield f"it contains an error: {output.ename}"


def is_quiet(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell, output in outputs_of(notebook):
        if output.get("name") == "stderr":
            yield f"a cell warns: mend the cause, or silence it with a reason: {first_line(cell)}\n{output.text}"


def plots_are_described(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in code_cells(notebook):
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        described = bool(cell.metadata.get("alt", "").strip())
        if kinds & {"image/jpeg", "image/svg+xml"}:
            yield "a cell shows a JPEG or an SVG: draw it with Matplotlib"
        if "image/png" in kinds and not described:
            yield 'a cell draws a picture without alt text: write `# %% alt="what it shows"`'
        if described and "image/png" not in kinds:
            yield "a cell has alt text, but its output holds no picture: does it call plt.show()?"


def claims_hold(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    claims = claims_of(notebook)
    for claim in claims:
        if not claim.holds:
            yield f"not true here: {claim.statement}. Measured: {claim.measured}"
    statements = [claim.statement for claim in claims]
    for statement in sorted({text for text in statements if statements.count(text) > 1}):
        yield f"claimed twice: {statement}"
    if not any(claim.is_headline for claim in claims):
        yield "the cell tagged headline makes no claim"


def claims_enough(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    if len(claims_of(notebook)) < FEWEST_CLAIMS:
        yield f"it makes fewer than {FEWEST_CLAIMS} claims"


def fits_a_laptop(lesson: Lesson, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Its seconds are those of the reference machine (calibration.py)."""
    course = notebook.metadata.course
    most = lesson.header.most_seconds
    if course.seconds > most or course.gigabytes > MOST_GIGABYTES:
        took = f"it took {course.seconds} s and {course.gigabytes} GB"
        yield f"{took}; this lesson has {most} s and {MOST_GIGABYTES} GB"
    size = len(nbformat.writes(notebook).encode())
    if size > BIGGEST_NOTEBOOK:
        yield f"the notebook has {size} bytes of at most {BIGGEST_NOTEBOOK}"


BEFORE: tuple[Rule, ...] = (
    stands_alone,
    numbers_come_from_code,
    a_claim_can_fail,
    colours_are_the_courses,
    helpers_keep_their_names,
    imports_are_asked_for,
    pictures_are_described,
    markdown_is_understood,
    times_stand_alone,
    core_is_an_hour,
    has_its_row,
)
AFTER: tuple[Rule, ...] = (was_executed, is_quiet, plots_are_described, claims_hold, fits_a_laptop)
FULL_BEFORE: tuple[Rule, ...] = (has_all_parts,)
FULL_AFTER: tuple[Rule, ...] = (claims_enough,)
