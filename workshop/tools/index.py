"""lessons/README.md: what the learner finds, and every claim with its figures, read from the executed notebooks."""

import re

from workshop.build.errors import BuildError
from workshop.build.parse import order

CLAIM = re.compile(r"^✓ (?P<statement>.+)\.\n  Measured: (?P<measured>.+)$", re.MULTILINE)


def claims_of(notebook):
    """All claims of an executed notebook in order: (statement, measured, is it the headline)."""
    return [
        (match["statement"], match["measured"], "headline" in cell.metadata.get("tags", []))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
        for match in CLAIM.finditer(output.text)
    ]


def index_of(notebooks):
    """The text of lessons/README.md. notebooks: {path below the folder of notebooks: executed notebook}."""
    notebooks = dict(
        sorted(notebooks.items(), key=lambda item: order(item[1].metadata.course.lesson))
    )
    rows, tables = [], []
    for path, notebook in notebooks.items():
        course = notebook.metadata.course
        title = f"{course.lesson} {course.title}"
        built = re.search(r"\*\*You build\*\* (.+?\.)(?=\s|$)", notebook.cells[0].source, re.DOTALL)
        claims = claims_of(notebook)
        headline = next(
            (
                f"{statement} ({measured})"
                for statement, measured, is_headline in claims
                if is_headline
            ),
            None,
        )
        if not built or not headline:
            raise BuildError(
                "its first cell says `**You build** …`, and a cell tagged headline makes a claim",
                path,
            )
        cells = (
            f"[{title}]({path})",
            one_line(built[1]),
            headline,
            f"{course.seconds} s, {course.gigabytes} GB",
        )
        rows.append(f"| {' | '.join(map(escaped, cells))} |")
        tables += [f"\n### {title}\n\n| claim | measured |\n|---|---|"]
        tables += [
            f"| {escaped(statement)} | {escaped(measured)} |" for statement, measured, _ in claims
        ]
    return (
        "# Lessons\n\n"
        "This page is made by `python -m workshop.build`; nobody edits it.\n\n"
        "| lesson | you build | measured result | runs in |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\n## What is claimed and measured\n\n"
        "Each line is asserted by a cell of its notebook whenever that notebook runs.\n"
        + "\n".join(tables)
        + "\n"
    )


def one_line(text):
    text = " ".join(text.split())
    return text[0].upper() + text[1:]


def escaped(text):
    return text.replace("|", "\\|")
