"""The exercises of a lesson: what a learner gets, and what a learner may answer."""

import dataclasses
import re
from typing import Any

import nbformat

from workshop.tools.errors import BuildError
from workshop.tools.source import Lesson

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FEWEST_WRONG_ANSWERS = 2


@dataclasses.dataclass(frozen=True)
class Variant:
    """One answer that a learner may write."""

    name: str  # "the blank exercise", "wrong answer 2", "the solution"
    source: str
    is_right: bool
    says: str = ""  # words that the check says of it


@dataclasses.dataclass(frozen=True)
class Exercise:
    """The cells of one exercise: the answer with its solution, typical wrong answers, the check."""

    answer: nbformat.NotebookNode
    wrong: list
    check: nbformat.NotebookNode

    @property
    def title(self) -> str:
        """What its check calls it."""
        match = re.search(r"""with feedback\(\s*f?(["'])(.+?)\1\s*\)""", self.check.source)
        return match[2] if match else f"line {self.answer.metadata.source_line}"

    def variants(self) -> list[Variant]:
        """What a learner may have written: nothing, the typical wrong answers, the solution."""
        wrong = [
            Variant(f"wrong answer {number}", cell.source, False, cell.metadata.get("says", ""))
            for number, cell in enumerate(self.wrong, 1)
        ]
        return [
            Variant("the blank exercise", blank(self.answer.source), False, "not started."),
            *wrong,
            Variant("the solution", solved(self.answer.source), True),
        ]


def exercises_of(lesson: Lesson) -> list[Exercise]:
    """The exercises of a lesson in order. Raises BuildError where a part is missing or stands alone."""
    found: list[Exercise] = []
    answer: Any = None  # of the exercise whose check has not come yet
    wrong: list = []
    for cell in lesson.code():
        line = cell.metadata.source_line
        tags = {"exercise", "wrong", "check"} & set(cell.metadata.tags)
        if answer is None and tags & {"wrong", "check"}:
            message = "a wrong answer or a check belongs behind its exercise"
            raise BuildError(message, lesson.source, line)
        if "exercise" in tags:
            if not re.search(rf"{BEGIN}\n(.|\n)*{END}", cell.source):
                message = f"an exercise has its solution between {BEGIN} and {END}"
                raise BuildError(message, lesson.source, line)
            refuse_unfinished(answer, lesson)
            answer, wrong = cell, []
        elif "wrong" in tags:
            wrong.append(cell)
        elif "check" in tags:
            if len(wrong) < FEWEST_WRONG_ANSWERS:
                refuse_unfinished(answer, lesson)
            found.append(Exercise(answer, wrong, cell))
            answer = None
    refuse_unfinished(answer, lesson)
    return found


def refuse_unfinished(answer: nbformat.NotebookNode | None, lesson: Lesson) -> None:
    """Raise BuildError where an exercise has no check, or too few wrong answers before it."""
    if answer is not None:
        message = f"an exercise needs {FEWEST_WRONG_ANSWERS} or more wrong answers and a check"
        raise BuildError(message, lesson.source, answer.metadata.source_line)


def blank(source: str) -> str:
    """The exercise without its solution: dots in its place, or at the left edge, where they would print, a comment."""
    solution = rf"{BEGIN}\n(.|\n)*?{END}$"
    source = re.sub(rf"^([ ]+){solution}", r"\1...  # your code", source, flags=re.MULTILINE)
    return re.sub(rf"^{solution}", "# your code", source, flags=re.MULTILINE)


def solved(source: str) -> str:
    return re.sub(rf"^[ ]*({BEGIN}|{END})\n?", "", source, flags=re.MULTILINE).rstrip("\n")


def solution_text(source: str) -> str:
    """The solution as a folded text cell. It needs the empty lines around the code to show everywhere."""
    return f"<details>\n<summary><b>Solution</b> (try first)</summary>\n\n```python\n{solved(source)}\n```\n\n</details>"
