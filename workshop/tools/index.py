"""What the lists of lessons say: lessons/README.md with every claim, and the map in the README."""

import re

import nbformat

from workshop.tools.claims import claims_of
from workshop.tools.reading import in_fives, reading_minutes
from workshop.tools.source import Lesson

CHAPTERS = {
    "1": "Introduction",
    "2": "Neural networks",
    "3": "Convolutional networks",
    "4": "Recurrent networks",
    "5": "Generative adversarial networks",
    "6": "Transformers",
    "7": "More architectures",
    "8": "Practice",
}
# Lessons that are not written yet, as the map announces them.
COMING = {
    "6": "6.1 Attention · 6.2 Encoder and decoder · 6.3 Language models · 6.4 Vision and more",
    "7": "7.1 Autoencoders · 7.2 Radial basis functions · 7.3 Self-organising maps · 7.4 Boltzmann machines · "
    "7.5 Mixtures of experts · 7.6 Spiking networks · 7.7 Graph networks · 7.8 Capsules",
    "8": "8.1 Data pipelines · 8.2 Hyperparameters · 8.3 Monitoring · 8.4 Scaling · 8.5 Shipping",
}


def map_of(lessons: list[tuple[Lesson, nbformat.NotebookNode]]) -> str:
    """The table of all lessons by chapter, with what each builds on and the minutes of its core."""
    rows = ["| chapter | lesson | builds on | core | runs in |", "|---|---|---|---|---|"]
    for number, title in CHAPTERS.items():
        chapter = f"**{number} {title}**"
        for lesson, notebook in lessons:
            if lesson.number.split(".")[0] != number:
                continue
            link = f"[{lesson.name}](lessons/{lesson.notebook_path})"
            before = ", ".join(lesson.header.prerequisites) or "–"
            core, _ = reading_minutes(lesson)
            seconds = notebook.metadata.course.seconds
            rows.append(f"| {chapter} | {link} | {before} | {in_fives(core)} min | {seconds} s |")
            chapter = ""
        if number in COMING:
            rows.append(f"| {chapter} | {COMING[number]} | | | coming |")
    return "\n".join(rows)


def index_of(lessons: list[tuple[Lesson, nbformat.NotebookNode]], most_seconds: int) -> str:
    """The text of lessons/README.md. lessons: each with its executed notebook, in the course's order."""
    rows, tables = [], []
    for lesson, notebook in lessons:
        course = notebook.metadata.course
        built = re.search(r"\*\*You build\*\* (.+?\.)(?=\s|$)", notebook.cells[0].source, re.DOTALL)
        claims = claims_of(notebook)
        headline = next((claim for claim in claims if claim.is_headline), None)
        cells = (
            f"[{lesson.name}]({lesson.notebook_path})",
            one_line(built[1]) if built else "",
            f"{headline.statement} ({headline.measured})" if headline else "",
            ", ".join(lesson.header.prerequisites) or "–",
            f"{course.seconds} s, {course.gigabytes} GB",
        )
        rows.append(f"| {' | '.join(map(escaped, cells))} |")
        tables += [f"\n### {lesson.name}\n\n| claim | measured |\n|---|---|"]
        tables += [
            f"| {escaped(claim.statement)} | {escaped(claim.measured)} |" for claim in claims
        ]
    seconds = sum(notebook.metadata.course.seconds for _, notebook in lessons)
    return (
        "# Lessons\n\n"
        "This page is made by `python -m workshop build`; nobody edits it.\n\n"
        "| lesson | you build | measured result | builds on | runs in |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\nAll together run for {seconds} s on two fast cores, of {most_seconds} s at most.\n"
        + "\n## What is claimed and measured\n\n"
        "Each line is asserted by a cell of its notebook whenever that notebook runs.\n"
        + "\n".join(tables)
        + "\n"
    )


def one_line(text: str) -> str:
    text = " ".join(text.split())
    return text[0].upper() + text[1:]


def escaped(text: str) -> str:
    return text.replace("|", "\\|")
