"""python -m workshop.seeds NUMBER --seeds 5: runs a lesson under several seeds and prints which claims held."""

import argparse
import json
import re
import sys

import nbformat

from workshop.build.assemble import notebook_of
from workshop.build.errors import BuildError
from workshop.build.execute import run
from workshop.build.lessons import NOT_MEASURED, Course

MARK = "CLAIM "
# Stands in for the kit's claim: it reports and goes on, so that one run tells of every claim.
REPORTING_CLAIM = f"""
import json

def claim(statement, holds, measured):
    print({MARK!r} + json.dumps([statement, bool(holds), str(measured)]))
"""


def main(arguments=None, course=None):
    """Print each claim with its figures under every seed. Returns 0 where all held everywhere, else 1."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(
            encoding="utf-8"
        )  # claims hold letters that a Windows console's own code lacks
    description = "Runs a lesson under several seeds and prints which claims held."
    parser = argparse.ArgumentParser("python -m workshop.seeds", description=description)
    parser.add_argument("number", metavar="NUMBER", help="a lesson like 2.1")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="how many: 0 to N - 1")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds needs 1 or more")
    course = course or Course.here()
    results, stopped = [], []
    try:
        (lesson,) = course.lessons([options.number])
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for seed in range(options.seeds):
        try:
            results.append(claims_under(course, lesson, seed))
        except BuildError as error:
            results.append({})
            stopped.append(f"seed {seed}: {error}")
        held = sum(holds for holds, _ in results[-1].values())
        print(f"seed {seed}: {held} of {len(results[-1])} claims held", flush=True)
    all_held = not stopped
    for statement in dict.fromkeys(statement for result in results for statement in result):
        outcomes = [result.get(statement, (False, "not reached")) for result in results]
        held = sum(holds for holds, _ in outcomes)
        all_held &= held == len(results)
        print(f"\n{held} of {len(results)}: {statement}")
        for seed, (holds, measured) in enumerate(outcomes):
            print(f"    {'✓' if holds else '✗'} seed {seed}: {measured}")
    for message in stopped:
        print(message, file=sys.stderr)
    return 0 if all_held and any(results) else 1


def claims_under(course, lesson, seed):
    """The claims of a lesson that starts from this seed: {statement: (holds, measured)}."""
    notebook = notebook_of(lesson, course.kit, NOT_MEASURED)
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and "def claim(" in cell.source:
            notebook.cells.insert(
                place + 1, nbformat.v4.new_code_cell(REPORTING_CLAIM, metadata={"source_line": 1})
            )
            break
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(r"^SEED = \d+$", f"SEED = {seed}", cell.source, flags=re.MULTILINE)
    run(notebook, lesson)
    said = "\n".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    )
    told = [
        json.loads(line.removeprefix(MARK)) for line in said.splitlines() if line.startswith(MARK)
    ]
    return {statement: (holds, measured) for statement, holds, measured in told}


if __name__ == "__main__":
    sys.exit(main())
