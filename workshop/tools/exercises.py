"""Makes what a learner gets of an exercise, and tries its check on blank, wrong and right answers."""

import dataclasses
import re

import nbformat

from workshop.build.errors import BuildError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FEWEST_WRONG_ANSWERS = 2


@dataclasses.dataclass(frozen=True)
class Exercise:
    """The cells of one exercise: the answer with its solution, typical wrong answers, the check."""

    answer: nbformat.NotebookNode
    wrong: list
    check: nbformat.NotebookNode

    def variants(self):
        """What a learner may have written, as (name, source, is it right)."""
        wrong = [
            (f"wrong answer {number}", cell.source, False)
            for number, cell in enumerate(self.wrong, 1)
        ]
        return [
            ("the blank exercise", blank(self.answer.source), False),
            *wrong,
            ("the solution", solved(self.answer.source), True),
        ]


def exercises_of(lesson):
    """The exercises of a lesson in order. Raises BuildError where a part is missing or stands alone."""
    found, cells = (
        [],
        [cell for cell in lesson.cells if {"exercise", "wrong", "check"} & set(cell.metadata.tags)],
    )
    for cell in cells:
        line = cell.metadata.source_line
        if "exercise" in cell.metadata.tags:
            if not re.search(rf"{BEGIN}\n(.|\n)*{END}", cell.source):
                raise BuildError(
                    f"an exercise has its solution between {BEGIN} and {END}", lesson.source, line
                )
            found.append(Exercise(cell, [], None))
        elif not found or found[-1].check is not None:
            raise BuildError(
                "a wrong answer or a check belongs behind its exercise", lesson.source, line
            )
        elif "wrong" in cell.metadata.tags:
            found[-1].wrong.append(cell)
        else:
            found[-1] = dataclasses.replace(found[-1], check=cell)
    for exercise in found:
        if exercise.check is None or len(exercise.wrong) < FEWEST_WRONG_ANSWERS:
            message = f"an exercise needs {FEWEST_WRONG_ANSWERS} or more wrong answers and a check"
            raise BuildError(message, lesson.source, exercise.answer.metadata.source_line)
    return found


def blank(source):
    """The exercise without its solution: dots in its place, or at the left edge, where they would print, a comment."""
    solution = rf"{BEGIN}\n(.|\n)*?{END}$"
    source = re.sub(rf"^([ ]+){solution}", r"\1...  # your code", source, flags=re.MULTILINE)
    return re.sub(rf"^{solution}", "# your code", source, flags=re.MULTILINE)


def solved(source):
    return re.sub(rf"^[ ]*({BEGIN}|{END})\n?", "", source, flags=re.MULTILINE).rstrip("\n")


def solution_text(source):
    """The solution as a folded text cell. It needs the empty lines around the code to show everywhere."""
    return f"<details>\n<summary><b>Solution</b> (try first)</summary>\n\n```python\n{solved(source)}\n```\n\n</details>"


KEEP_NAMES = "NAMES_OF_SETUP = {*globals(), 'NAMES_OF_SETUP'}"
FORGET_OTHERS = """
for _name in [name for name in globals() if not name.startswith("_") and name not in NAMES_OF_SETUP]:
    del globals()[_name]
"""


def trial_cells(lesson, code_cell):
    """The cells that try every variant of every exercise, each on what the setup cells define and nothing else.

    code_cell: makes a notebook's cells from one of the lesson's. Returns the cells and, for each check among them,
    (its place, exercise, variant's name, is it right).
    """
    cells = [made for cell in lesson.tagged("setup") for made in code_cell(cell)]
    cells.append(trial_cell(KEEP_NAMES, 1))
    checks = []
    for exercise in exercises_of(lesson):
        answer_line, check_line = (
            exercise.answer.metadata.source_line,
            exercise.check.metadata.source_line,
        )
        for name, source, is_right in exercise.variants():
            cells += [
                trial_cell(FORGET_OTHERS, answer_line),
                trial_cell(source, answer_line),
                trial_cell(exercise.check.source, check_line),
            ]
            checks.append((len(cells) - 1, exercise, name, is_right))
    return cells, checks


def trial_cell(source, source_line):
    return nbformat.v4.new_code_cell(source, metadata={"source_line": source_line})


def judge(lesson, cells, checks):
    """Raise BuildError for the first check, in executed trial cells, with a wrong verdict or a useless message."""
    for place, exercise, name, is_right in checks:
        outputs = [output for output in cells[place].outputs if output.get("name") == "stdout"]
        said = "".join(output.text for output in outputs).strip()
        line = exercise.check.metadata.source_line
        accepts = "✗" not in said and re.match("✓ .+: solved", said)
        if not re.match("[✓✗] ", said):
            message = f"the check says nothing for {name}; it is written `with feedback(...):`"
        elif accepts and not is_right:
            message = f"the check accepts {name}: {said}"
        elif is_right and not accepts:
            message = f"the check rejects the solution: {said}"
        elif name.startswith("wrong") and (said.endswith("not yet.") or "It stops with" in said):
            message = f"the check rejects {name} without naming the mistake: {said}"
        else:
            continue
        raise BuildError(message, lesson.source, line)
