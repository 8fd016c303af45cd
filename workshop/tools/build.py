"""python -m workshop.build [NUMBER ...] [--check] [--force]"""

import argparse
import sys
import time

from workshop.build.errors import BuildError
from workshop.build.lessons import Course, write_whole


def main(arguments=None, course=None):
    """Build or check lessons. Returns 0, or 1 with what is wrong on stderr."""
    parser = argparse.ArgumentParser(
        "python -m workshop.build",
        description="Builds the notebooks in lessons/ from workshop/chapters/.",
    )
    parser.add_argument(
        "numbers",
        nargs="*",
        metavar="NUMBER",
        help="lessons like 2.1; without any, all that changed",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="build nothing; say which notebooks are stale, unexecuted, orphaned or broken",
    )
    parser.add_argument("--force", action="store_true", help="build also what did not change")
    options = parser.parse_args(arguments)
    course = course or Course.here()
    try:
        lessons = course.lessons(options.numbers)
        problems = (
            course.problems(lessons) if options.check else build(course, lessons, options.force)
        )
    except BuildError as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if options.check and problems:
        print("Build them with: python -m workshop.build", file=sys.stderr)
    return 1 if problems else 0


def build(course, lessons, force):
    """Build lessons one after another; one that fails does not keep the others from being built."""
    problems = []
    for lesson in lessons:
        name = f"{lesson.number} {lesson.title}"
        try:
            if course.is_current(lesson) and not force:
                print(f"{name}: unchanged")
                continue
            start = time.perf_counter()
            course.build(
                lesson,
                lambda done, of, name=name: show_progress(f"{name}: cell {done + 1} of {of}"),
            )
            show_progress(f"{name}: built in {time.perf_counter() - start:.0f} s", last=True)
        except BuildError as error:
            show_progress(f"{name}: failed, its notebook is as it was", last=True)
            problems.append(str(error))
    if not problems:
        write_whole(course.notebooks / "README.md", course.index())
    return problems


def show_progress(text, last=False):
    """On a terminal one line that changes; elsewhere only the last word on each lesson."""
    if sys.stdout.isatty():
        print(f"\r{text:<79}", end="\n" if last else "", flush=True)
    elif last:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
