"""`workshop seeds`: a lesson under several seeds. Which claims hold, and how near are their bounds?"""

import argparse
import re
import statistics
import sys

from workshop.tools.course import Course
from workshop.tools.observe import observed

NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def add_seeds(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "seeds",
        help="run a lesson under several seeds: which claims hold, and with how much room",
        description="Runs a lesson under several seeds. For each claim it prints how often it held, its figures, and "
        "mean and standard deviation of each number in them: a claim about training should keep three standard "
        "deviations between mean and bound.",
    )
    parser.add_argument("number", metavar="NUMBER", help="a lesson like 2.1")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed (0)")
    parser.add_argument("--count", type=int, default=5, metavar="N", help="how many seeds (5)")
    parser.set_defaults(
        run=lambda course, options: seeds(course, options.number, options.first, options.count)
    )


def seeds(course: Course, number: str, first: int = 0, count: int = 5) -> int:
    """Print each claim with its figures under every seed. Returns 0 where all held everywhere, else 1."""
    if count < 1:
        print("--count needs 1 or more", file=sys.stderr)
        return 2
    (lesson,) = course.lessons([number])
    runs = range(first, first + count)
    results, stopped = {}, []
    for seed in runs:
        claims, errors = observed(course, lesson, seed)
        results[seed] = {claim.statement: (claim.holds, claim.measured) for claim in claims}
        stopped += [f"seed {seed}: {error}" for error in errors]
        held = sum(claim.holds for claim in claims)
        print(f"seed {seed}: {held} of {len(claims)} claims held", flush=True)
    statements = dict.fromkeys(statement for result in results.values() for statement in result)
    held_everywhere = 0
    for statement in statements:
        outcomes = {
            seed: result.get(statement, (False, "not reached")) for seed, result in results.items()
        }
        held = sum(holds for holds, _ in outcomes.values())
        held_everywhere += held == count
        print(f"\n{held} of {count}: {statement}")
        for seed, (holds, measured) in outcomes.items():
            print(f"    {'✓' if holds else '✗'} seed {seed}: {measured}")
        spread = spreads([measured for _, measured in outcomes.values()])
        if spread:
            print(f"    mean ± standard deviation: {spread}")
    for message in stopped:
        print(message, file=sys.stderr)
    print(
        f"\n{lesson.name}: {held_everywhere} of {len(statements)} claims held under all {count} seeds; "
        f"{len(stopped)} cells stopped"
    )
    return 0 if statements and held_everywhere == len(statements) and not stopped else 1


def spreads(measured: list[str]) -> str:
    """Mean and standard deviation of each number in these texts, in order; empty where they do not match.

    Numbers that are the same in all texts are left out.
    """
    rows = [
        [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]
        for text in measured
    ]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1:
        return ""
    return ", ".join(
        f"{statistics.mean(column):.4g} ± {statistics.stdev(column):.2g}"
        for column in zip(*rows, strict=True)
        if len(set(column)) > 1
    )
