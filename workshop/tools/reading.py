"""How long a lesson takes to read: its core, and what stands under headings that begin with `Deeper:`."""

import math
import re

from workshop.tools.source import Lesson

WORDS_A_MINUTE, CODE_LINES_A_MINUTE = 150, 12
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def reading_minutes(lesson: Lesson) -> tuple[float, float]:
    """Minutes for the core, and for the rest. Exercises, their checks and wrong answers do not count."""
    minutes = {False: 0.0, True: 0.0}
    deeper_level = 0  # of the heading under which we are, or 0 in the core
    for cell in lesson.cells:
        if {"wrong", "exercise", "check"} & set(cell.metadata.tags):
            continue
        if cell.cell_type == "code":
            lines = cell.source.count("\n") + 1
            minutes[deeper_level > 0] += lines / CODE_LINES_A_MINUTE
            continue
        end = 0
        for heading in HEADING.finditer(cell.source):
            minutes[deeper_level > 0] += words(cell.source[end : heading.start()])
            level, title = len(heading[1]), heading[2]
            if not deeper_level or level <= deeper_level:
                deeper_level = level if title.startswith("Deeper:") else 0
            end = heading.start()
        minutes[deeper_level > 0] += words(cell.source[end:])
    return minutes[False], minutes[True]


def words(text: str) -> float:
    """Minutes for a text."""
    return len(re.findall(r"\w+", text)) / WORDS_A_MINUTE


def in_fives(minutes: float) -> int:
    return 5 * math.ceil(minutes / 5)
