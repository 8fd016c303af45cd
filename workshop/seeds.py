"""python -m workshop.seeds NUMBER --seeds 5: runs a lesson under several seeds and prints which claims held."""

import argparse
import json
import re
import sys

import nbformat

from workshop.build.assemble import notebook_of
from workshop.build.errors import BuildError
from workshop.build.execute import run
from workshop.build.inline import Kit
from workshop.build.lessons import NOT_MEASURED, Course

MARK = "CLAIM "
# Stands in for the kit's claim: it reports and goes on, so that one run tells of every claim.
REPORTING_CLAIM = f"""
import json

def claim(statement, holds, measured):
    print({MARK!r} + json.dumps([statement, bool(holds), str(measured)]))
"""


def main(arguments=None, course=None):
    """Print a table of claims by seed. Returns 0 where every claim held under every seed, else 1."""
    parser = argparse.ArgumentParser(
        "python -m workshop.seeds",
        description="Runs a lesson under several seeds and prints which claims held.",
    )
    parser.add_argument("number", metavar="NUMBER", help="a lesson like 2.1")
    parser.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="how many seeds: 0 to N - 1"
    )
    options = parser.parse_args(arguments)
    course = course or Course.here()
    try:
        (lesson,) = course.lessons([options.number])
        results = []
        for seed in range(options.seeds):
            results.append(claims_under(course, lesson, seed))
            held = sum(holds for _, holds, _ in results[-1])
            print(f"seed {seed}: {held} of {len(results[-1])} claims held", flush=True)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    statements = list(dict.fromkeys(statement for result in results for statement, _, _ in result))
    all_held = True
    for statement in statements:
        outcomes = [
            next(
                (entry for entry in result if entry[0] == statement),
                (statement, False, "not reached"),
            )
            for result in results
        ]
        held = sum(holds for _, holds, _ in outcomes)
        all_held &= held == len(results)
        print(f"\n{held} of {len(results)}: {statement}")
        for seed, (_, holds, measured) in enumerate(outcomes):
            print(f"    {'✓' if holds else '✗'} seed {seed}: {measured}")
    return 0 if all_held else 1


def claims_under(course, lesson, seed):
    """The claims of a lesson that starts from this seed: (statement, holds, measured) each."""
    notebook = notebook_of(lesson, Kit(course.kit_folder), NOT_MEASURED)
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
    return [
        tuple(json.loads(line.removeprefix(MARK)))
        for line in said.splitlines()
        if line.startswith(MARK)
    ]


if __name__ == "__main__":
    sys.exit(main())
