"""`workshop build` and `workshop check`."""

import argparse
import contextlib
import functools
import sys
import time
from collections.abc import Iterable

from workshop.tools.course import Course
from workshop.tools.errors import BuildError
from workshop.tools.exercises import Exercise, Variant
from workshop.tools.progress import show_progress
from workshop.tools.reading import reading_minutes
from workshop.tools.source import Lesson
from workshop.tools.trials import Verdict

CORE_MINUTES = 60  # the promise; a header that allows more is to be brought down


def add_build(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "build",
        help="make the notebooks of lessons that changed",
        description="Builds the notebooks in lessons/ from workshop/chapters/: tries the exercises, executes, stores.",
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NUMBER", help="lessons like 2.1; without any, all"
    )
    parser.add_argument(
        "--force", action="store_true", help="build, try and time also what did not change"
    )
    parser.set_defaults(run=lambda course, options: build(course, options.numbers, options.force))


def add_check(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "check",
        help="say what is stale, unexecuted or against the rules",
        description="Reads all sources and notebooks, runs nothing, and says what is wrong.",
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NUMBER", help="lessons like 2.1; without any, all"
    )
    parser.set_defaults(run=lambda course, options: check(course, options.numbers))


def add_try(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "try",
        help="try the exercises of lessons blank, wrong and solved, and print what each check says",
        description="Tries each exercise on the setup cells of its lesson alone: blank, with each wrong answer, solved.",
    )
    parser.add_argument("numbers", nargs="+", metavar="NUMBER", help="lessons like 2.1")
    parser.set_defaults(run=lambda course, options: try_lessons(course, options.numbers))


def try_lessons(course: Course, numbers: Iterable[str]) -> int:
    """Print what every check says of every variant. Returns 0 where all is right, else 1."""
    tried = flaws = 0

    def tell(exercise: Exercise, variant: Variant, verdict: Verdict, flaw: str | None) -> None:
        nonlocal tried, flaws
        tried, flaws = tried + 1, flaws + bool(flaw)
        print(f"  {exercise.title}, {variant.name} ({verdict.seconds:.1f} s): {verdict.said}")
        if flaw:
            print(f"    FLAW: {flaw}", flush=True)

    for lesson in course.lessons(numbers):
        print(f"{lesson.name}", flush=True)
        with contextlib.suppress(BuildError):  # told above, one by one
            course.try_exercises(lesson, tell)
    print(f"{tried} answers tried, {flaws} flaws")
    return 1 if flaws or not tried else 0


def build(course: Course, numbers: Iterable[str] = (), force: bool = False) -> int:
    """Build lessons one after another; one that fails does not keep the others from being built. Returns 0 or 1."""
    problems = []
    lessons = course.lessons(numbers)
    made = 0
    for lesson in lessons:
        try:
            if course.is_current(lesson) and not force:
                show_progress(f"{lesson.name}: unchanged", last=True)
                continue
            start = time.perf_counter()
            show_progress(f"{lesson.name}: exercises")
            course.build(lesson, functools.partial(show_cell, lesson.name), force)
            show_progress(f"{lesson.name}: built in {time.perf_counter() - start:.0f} s", last=True)
            made += 1
        except BuildError as error:
            show_progress(f"{lesson.name}: failed, its notebook is as it was", last=True)
            problems.append(str(error))
    course.write_lists()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{made} built, {len(lessons) - made - len(problems)} unchanged, {len(problems)} failed")
    return 1 if problems else 0


def show_cell(name: str, done: int, of: int) -> None:
    show_progress(f"{name}: cell {done + 1} of {of}")


def check(course: Course, numbers: Iterable[str] = ()) -> int:
    """Print what is wrong with the stored notebooks. Returns 0 where nothing is, else 1."""
    lessons = course.lessons(numbers)
    problems = course.problems(lessons)
    for problem in problems:
        print(problem, file=sys.stderr)
    for line in long_cores(lessons):
        print(line)
    print(f"{len(lessons)} lessons, {len(problems)} problems")
    if problems:
        print("Build what is stale with: python -m workshop build", file=sys.stderr)
    return 1 if problems else 0


def long_cores(lessons: Iterable[Lesson]) -> list[str]:
    """A line for each lesson whose core takes more than an hour, longest first."""
    cores = {lesson.name: reading_minutes(lesson)[0] for lesson in lessons}
    return [
        f"core of {minutes:.0f} minutes, of {CORE_MINUTES}: {name}"
        for name, minutes in sorted(cores.items(), key=lambda item: -item[1])
        if minutes > CORE_MINUTES
    ]
