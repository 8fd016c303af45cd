"""python -m workshop VERB: build, check and doubt the lessons."""

import argparse
import sys

from workshop.tools.build import add_build, add_check, add_try
from workshop.tools.course import Course
from workshop.tools.errors import BuildError
from workshop.tools.mutants import add_mutants
from workshop.tools.nulls import add_nulls
from workshop.tools.seeds import add_seeds


def main(arguments: list[str] | None = None, course: Course | None = None) -> int:
    """Run one verb. Returns 0, or what the verb returns where something is wrong, with what it is on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")  # a Windows console's own code lacks ✓
    parser = argparse.ArgumentParser("python -m workshop", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (add_build, add_check, add_try, add_seeds, add_mutants, add_nulls):
        add(verbs)
    options = parser.parse_args(arguments)
    try:
        return options.run(course or Course.here(), options)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
