"""Tries each exercise of a lesson blank, wrong and solved, and any other answers, away from the notebook."""

import contextlib
import dataclasses
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workshop.tools.assemble import Assembler, digest
from workshop.tools.environment import learner_environment
from workshop.tools.errors import BuildError
from workshop.tools.exercises import Exercise, Variant, exercises_of
from workshop.tools.kit import Kit
from workshop.tools.source import Lesson

OnVerdict = Callable[[Exercise, Variant, "Verdict", str | None], None]
SCRIPT = Path(__file__).parent / "trial_process.py"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a check took an answer."""

    said: str  # what the check printed, or "stopped: ..." where the answer or the check did not come to its end
    changed: list[str]  # what the setup cells made and the answer changed
    seconds: float
    acted: bool = True  # False where a mutant found nothing to do in any call

    @property
    def accepts(self) -> bool:
        return "✗" not in self.said and bool(re.match("✓ .+: solved", self.said))


def setup_of(lesson: Lesson, kit: Kit) -> list[str]:
    """The sources of a notebook's setup cells: all that its exercises may use."""
    assembler = Assembler(lesson, kit)
    return [made.source for cell in lesson.tagged("setup") for made in assembler.code_cell(cell)]


def stamp(lesson: Lesson, kit: Kit, lock: str) -> str:
    """A digest of all that the verdicts on a lesson's exercises depend on."""
    parts = [*setup_of(lesson, kit), lock]
    for exercise in exercises_of(lesson):
        parts += [variant.source + variant.says for variant in exercise.variants()]
        parts.append(exercise.check.source)
    return digest("\n".join(parts))


def try_answers(
    lesson: Lesson,
    kit: Kit,
    answers: list[tuple[Exercise, str]],
    patience: float | None = None,
) -> Iterator[Verdict]:
    """Try answers to exercises one after another, each on what the setup cells define and nothing else.

    patience: how many times longer than the first answer to an exercise another may take, or None. An answer that ends the process gets a verdict too; the rest are
    tried in a new one. Raises BuildError where a setup cell stops.
    """
    setup = setup_of(lesson, kit)
    while answers:
        trials = [
            {
                "answer": source,
                "check": exercise.check.source,
                "path": str(exercise.check.metadata.source_line),
            }
            for exercise, source in answers
        ]
        work = json.dumps({"setup": setup, "trials": trials, "patience": patience})
        done = 0
        for result in results_of(work):
            if "error" in result:
                raise BuildError(f"a setup cell stops:\n{result['error']}", lesson.source)
            if "said" in result:
                done += 1
                yield Verdict(**result)
        answers = answers[done:]
        if answers:
            yield Verdict("stopped: the process died", [], 0.0)
            answers = answers[1:]


def results_of(work: str) -> Iterator[dict]:
    """What the process says, line by line; it ends with the process."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT)],  # -P: its folder holds no modules for it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=learner_environment(threads=1),  # so that several can run side by side
            text=True,
            encoding="utf-8",
        )
        assert process.stdin
        assert process.stdout
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(work)
                process.stdin.close()
            ready = False
            for line in process.stdout:
                result = json.loads(line)
                ready = True
                yield result
            process.wait()
            if not ready:
                log.seek(0)
                yield {"error": log.read()[-2000:]}
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def try_exercises(lesson: Lesson, kit: Kit, on_verdict: OnVerdict = lambda *_: None) -> None:
    """Try each exercise blank, wrong and solved. Raises BuildError with all flaws of the checks.

    on_verdict: called with each exercise, variant and verdict, and with what is wrong there, or None.
    """
    tried = [
        (exercise, variant) for exercise in exercises_of(lesson) for variant in exercise.variants()
    ]
    answers = [(exercise, variant.source) for exercise, variant in tried]
    flaws = []
    for (exercise, variant), verdict in zip(tried, try_answers(lesson, kit, answers), strict=True):
        flaw = flaw_of(variant, verdict)
        on_verdict(exercise, variant, verdict, flaw)
        if flaw:
            flaws.append(f"{lesson.source}:{exercise.check.metadata.source_line}: {flaw}")
    if flaws:
        raise BuildError("\n".join(flaws))


def flaw_of(variant: Variant, verdict: Verdict) -> str | None:
    """What is wrong with a check that takes this answer so, or None."""
    name, said = variant.name, verdict.said
    if not re.match("[✓✗] ", said):
        return f"the check says nothing for {name}; it is written `with feedback(...):` ({said})"
    if verdict.accepts and not variant.is_right:
        return f"the check accepts {name}: {said}"
    if variant.is_right and not verdict.accepts:
        return f"the check rejects the solution: {said}"
    if not variant.is_right and not variant.says:
        return f'say which of the words name the mistake of {name}, as says="…" at its cell: {said}'
    if not variant.is_right and variant.says not in said:
        return f"the check rejects {name} without naming the mistake, {variant.says!r}: {said}"
    if name.startswith("wrong") and "It stops with" in said:
        return f"the check rejects {name} because it stops: check for that mistake: {said}"
    if verdict.changed:
        names = ", ".join(verdict.changed)
        return f"{name} changes {names}, which setup made: let the check hand out copies"
    return None
