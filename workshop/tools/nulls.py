"""`workshop nulls`: a lesson in which nothing is learned. Which claims hold all the same?"""

import argparse
from collections.abc import Iterable

from workshop.tools.assemble import digest, notebook_of
from workshop.tools.claims import Claim, claims_of
from workshop.tools.course import NOT_MEASURED, Course
from workshop.tools.observe import observed
from workshop.tools.rules import code_cells
from workshop.tools.source import Lesson
from workshop.tools.verdicts import remember, verdict

# Every optimizer of Keras counts its steps and moves nothing.
IDLE_OPTIMIZERS = """
import keras as _keras

def _apply(self, grads, trainable_variables=None):
    if trainable_variables is not None and not self.built:
        self.build(trainable_variables)
    self.iterations.assign_add(1)

_keras.optimizers.Optimizer.apply = _apply
"""
# Every data set has its answers in another order, training, validation and test data alike.
SHUFFLE_ANSWERS = """
import numpy as _np
import sklearn.datasets as _datasets

def _mixed(answers):
    order = _np.random.default_rng(12345).permutation(len(answers))
    return [answers[place] for place in order] if isinstance(answers, list) else answers[order]

def _bunch(load):
    def loaded(*arguments, **options):
        data = load(*arguments, **options)
        if isinstance(data, tuple):
            return data[0], _mixed(data[1])
        if "target" in data:
            data["target"] = _mixed(data["target"])
        return data
    return loaded

for _name in ("load_digits", "load_breast_cancer", "load_iris", "load_wine", "load_diabetes"):
    if not hasattr(getattr(_datasets, _name), "is_mixed"):
        _load = _bunch(getattr(_datasets, _name))
        _load.is_mixed = True
        setattr(_datasets, _name, _load)
"""
# Behind the helpers: the kit's own loaders of texts, sounds and scenes.
SHUFFLE_KIT = """
def _second(load):
    def loaded(*arguments, **options):
        inputs, answers, *rest = load(*arguments, **options)
        return (inputs, _mixed(answers), *rest)
    loaded.is_mixed = True
    return loaded

for _name in ("load_names", "make_dates", "load_spoken_digits", "make_scenes"):
    if _name in globals() and not hasattr(globals()[_name], "is_mixed"):
        globals()[_name] = _second(globals()[_name])
"""


def add_nulls(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "nulls",
        help="run a lesson in which nothing is learned: which claims hold all the same",
        description="Runs a lesson with optimizers that move no weight, and with shuffled answers, and lists the "
        "claims that hold all the same. With idle optimizers each of them must say why, in the source, at its cell: "
        '`without_learning="arithmetic"`, "data", "untrained" or "own loop".',
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NUMBER", help="lessons like 2.1; without any, all"
    )
    parser.add_argument(
        "--idle-only", action="store_true", help="leave the run with shuffled answers out"
    )
    parser.set_defaults(
        run=lambda course, options: nulls(course, options.numbers, options.idle_only)
    )


def nulls(course: Course, numbers: Iterable[str] = (), idle_only: bool = False) -> int:
    """Print the claims that hold with nothing learned. Returns 0 where each says why, else 1."""
    made = held = suspects = 0
    for lesson in course.lessons(numbers):
        claims, errors = observed(course, lesson, first=IDLE_OPTIMIZERS)
        total = count_of_claims(course, lesson)
        holding = [claim for claim in claims if claim.holds]
        unexplained = [claim for claim in holding if not reason(lesson, claim)]
        print(
            f"\n{lesson.name}: with idle optimizers {len(holding)} of {total} claims hold, "
            f"{len(unexplained)} without a reason; {len(errors)} cells stop"
        )
        for claim in unexplained:
            print(f"    ? {claim.statement}. Measured: {claim.measured}")
        for claim in claims:
            if not claim.holds and reason(lesson, claim):
                print(f"    ! needs learning, though its cell says otherwise: {claim.statement}")
        if not idle_only:
            mixed, _ = observed(course, lesson, first=SHUFFLE_ANSWERS, behind_helpers=SHUFFLE_KIT)
            still = [claim for claim in mixed if claim.holds and not reason(lesson, claim)]
            print(f"  with shuffled answers {len(still)} claims about learning hold:")
            for claim in still:
                print(f"    · {claim.statement}. Measured: {claim.measured}")
        remember(
            course.verdicts,
            lesson,
            "nulls",
            code_digest(course, lesson),
            claims=total,
            hold=len(holding),
            unexplained=sorted(claim.statement for claim in unexplained),
        )
        made, held, suspects = made + total, held + len(holding), suspects + len(unexplained)
    print(
        f"\n{held} of {made} claims hold with idle optimizers; {suspects} of them without a reason"
    )
    return 1 if suspects else 0


def reason(lesson: Lesson, claim: Claim) -> str:
    """What the source says at the claim's cell: why it holds without learning; or an empty text."""
    for cell in lesson.code():
        if claim.cell.metadata.source_line == cell.metadata.source_line:
            return cell.metadata.get("without_learning", "")
    return ""


def count_of_claims(course: Course, lesson: Lesson) -> int:
    """How many claims the stored notebook makes."""
    stored = course.stored(lesson.notebook_path)
    return len(claims_of(stored)) if stored else 0


def code_digest(course: Course, lesson: Lesson) -> str:
    """A digest of all that a run of the lesson depends on."""
    cells = code_cells(notebook_of(lesson, course.kit, NOT_MEASURED))
    reasons = [cell.metadata.get("without_learning", "") for cell in lesson.code()]
    return digest("\n".join([*(cell.source for cell in cells), *reasons, course.lock]))


def nulls_remembered(course: Course, lesson: Lesson) -> dict | None:
    """What the last run found of the lesson as it is now, or None."""
    return verdict(course.verdicts, lesson, "nulls", code_digest(course, lesson))
