"""`workshop mutants`: small mistakes made in each solution by program. Does the check notice them?

After R. DeMillo, R. Lipton, F. Sayward (1978), Hints on test data selection, doi:10.1109/C-M.1978.218136.
"""

import argparse
import ast
import copy
import dataclasses
import fnmatch
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from workshop.tools.course import Course
from workshop.tools.exercises import BEGIN, END, Exercise, exercises_of, solved
from workshop.tools.progress import show_progress
from workshop.tools.source import Lesson
from workshop.tools.trials import Verdict, stamp, try_answers
from workshop.tools.verdicts import remember, verdict

PATIENCE = 8  # a mutant that takes so many times longer than the solution is stopped, and counts as noticed
LONGEST_PART = 50  # letters of code in a mutant's name
OTHER_OPERATOR: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
OTHER_COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OTHER_FUNCTION = {
    "mean": "sum",
    "sum": "mean",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "argmin": "argmax",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "floor": "ceil",
    "ceil": "floor",
    "log": "log2",
    "log2": "log",
    "sin": "cos",
    "cos": "sin",
    "std": "var",
    "var": "std",
    "median": "mean",
    "all": "any",
    "any": "all",
    "cumsum": "cumprod",
    "multiply": "add",
    "sigmoid": "tanh",
    "tanh": "sigmoid",
    "union": "intersection",
    "hstack": "vstack",
    "vstack": "hstack",
}
# Calls that are often forgotten: `sqrt(x)` becomes `x`.
FORGOTTEN = {
    "sqrt",
    "abs",
    "exp",
    "log",
    "square",
    "clip",
    "sorted",
    "reversed",
    "set",
    "flip",
    "transpose",
    "round",
    "softmax",
}
# Behind a solution: what a learner's function does wrong as a whole.
WHOLE = {
    "typed in": """
def _typed_in(function):
    first = []
    def wrapped(*arguments, **options):
        if not first:
            first.append(function(*arguments, **options))
        return first[0]
    return wrapped
{name} = _typed_in({name})
""",
    "argument ignored": """
def _ignoring(function, place):
    first = []
    def wrapped(*arguments, **options):
        import inspect
        bound = inspect.signature(function).bind(*arguments, **options)
        bound.apply_defaults()
        name = list(bound.arguments)[place]
        first.append(bound.arguments[name])
        bound.arguments[name] = first[0]
        return function(*bound.args, **bound.kwargs)
    return wrapped
{name} = _ignoring({name}, {place})
""",
    "argument changed": """
mutant_acted = False
def _changing(function, place):
    def wrapped(*arguments, **options):
        import numpy
        global mutant_acted
        result = function(*arguments, **options)
        value = arguments[place] if place < len(arguments) else None
        if isinstance(value, numpy.ndarray) and value.size and value.flags.writeable:
            if not (isinstance(result, numpy.ndarray) and numpy.shares_memory(value, result)):
                value.flat[0] = not value.flat[0] if value.dtype == bool else value.flat[0] + 1
                mutant_acted = True
        elif isinstance(value, list) and value and value is not result:
            value.append(value[0])
            mutant_acted = True
        return result
    return wrapped
{name} = _changing({name}, {place})
""",
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A solution with one small mistake."""

    name: str  # what was changed, as the header's equal_programs names it
    source: str


def add_mutants(verbs: argparse._SubParsersAction) -> None:
    parser = verbs.add_parser(
        "mutants",
        help="make small mistakes in the solutions: do the checks notice them",
        description="Makes small mistakes in each exercise's solution by program and tries them with its check. A "
        "mutant that is accepted and right all the same is named in the lesson's header, under equal_programs, with "
        "the reason.",
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NUMBER", help="lessons like 2.1; without any, all"
    )
    parser.add_argument(
        "--exercise", metavar="TITLE", help="only exercises whose title holds this text"
    )
    parser.set_defaults(
        run=lambda course, options: mutants(course, options.numbers, options.exercise)
    )


def mutants(course: Course, numbers: Iterable[str] = (), only: str | None = None) -> int:
    """Try all mutants and print the ones that a check accepts. Returns 0 where none is, else 1."""
    made = noticed = equal = 0
    for lesson in course.lessons(numbers):
        counts = {"made": 0, "noticed": 0, "equal": 0}
        survivors: list[str] = []
        print(f"\n{lesson.name}", flush=True)
        for exercise, found in verdicts_of(course, lesson, only):
            said = [name for name, verdict in found if verdict.accepts]
            known = lesson.header.equal_programs.get(exercise.title, {})
            bad = [
                name
                for name in said
                if not any(fnmatch.fnmatchcase(name, escaped(pattern)) for pattern in known)
            ]
            counts["made"] += len(found)
            counts["noticed"] += len(found) - len(said)
            counts["equal"] += len(said) - len(bad)
            survivors += [f"{exercise.title} | {name}" for name in bad]
            line = f"  {exercise.title}: {len(found) - len(said)} of {len(found)} noticed"
            show_progress(f"{line}, {len(said) - len(bad)} right all the same", last=True)
            for name in bad:
                print(f"    accepted: {name}", flush=True)
        if only is None:
            digest = stamp(lesson, course.kit, course.lock)
            remember(course.verdicts, lesson, "mutants", digest, **counts, survivors=survivors)
        made, noticed, equal = (
            made + counts["made"],
            noticed + counts["noticed"],
            equal + counts["equal"],
        )
    accepted = made - noticed - equal
    share = f" ({noticed / (made - equal):.1%} of those that are mistakes)" if made > equal else ""
    print(
        f"\n{made} mutants: {noticed} noticed{share}, {equal} right all the same, {accepted} accepted"
    )
    return 1 if accepted else 0


def escaped(pattern: str) -> str:
    """A pattern in which only * stands for anything: code holds brackets."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def verdicts_of(
    course: Course, lesson: Lesson, only: str | None
) -> Iterator[tuple[Exercise, list[tuple[str, Verdict]]]]:
    """Each exercise with the verdict on each of its mutants. The solution is tried before them, for the time it takes."""
    chosen = [
        (exercise, list(mutants_of(exercise)))
        for exercise in exercises_of(lesson)
        if only is None or only in exercise.title
    ]
    answers = []
    for exercise, made in chosen:
        answers.append((exercise, solved(exercise.answer.source)))
        answers += [(exercise, mutant.source) for mutant in made]
    verdicts = try_answers(lesson, course.kit, answers, patience=PATIENCE)
    for exercise, made in chosen:
        solution = next(verdicts)
        if not solution.accepts:
            print(f"    the check rejects the solution: {solution.said}", file=sys.stderr)
        found = []
        for place, mutant in enumerate(made, 1):
            verdict = next(verdicts)
            if verdict.acted:
                found.append((mutant.name, verdict))
            show_progress(f"  {exercise.title}: {place} of {len(made)}")
        yield exercise, found


def mutants_of(exercise: Exercise) -> Iterator[Mutant]:
    """All mutants of an exercise's solution, each different from the solution and from the others."""
    source = solved(exercise.answer.source)
    lines = solution_lines(exercise.answer.source)
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    names: dict[str, int] = {}
    for name, changed in [*small_changes(tree, lines), *whole_changes(tree, lines)]:
        if changed in seen:
            continue
        seen.add(changed)
        names[name] = names.get(name, 0) + 1
        yield Mutant(name if names[name] == 1 else f"{name} ({names[name]})", changed)


def solution_lines(source: str) -> set[int]:
    """The numbers of the lines, in the solved exercise, that a learner writes."""
    found, number, inside = set(), 0, False
    for line in source.splitlines():
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
            continue
        number += 1
        if inside:
            found.add(number)
    return found


def small_changes(tree: ast.Module, lines: set[int]) -> Iterator[tuple[str, str]]:
    """The name and the source of each small change in these lines."""
    for place, node in enumerate(ast.walk(tree)):
        if getattr(node, "lineno", None) not in lines or is_docstring(node, tree):
            continue
        for kind, after in changes(node):
            changed = copy.deepcopy(tree)
            replace(changed, place, after)
            ast.fix_missing_locations(changed)
            try:
                text = ast.unparse(changed)
                compile(text, "<mutant>", "exec")
            except (SyntaxError, ValueError):
                continue
            new = "nothing" if after is None else shortened(ast.unparse(after))
            yield f"{kind}: {shortened(ast.unparse(node))} -> {new}", text


def shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_PART else f"{text[: LONGEST_PART - 1]}…"


def is_docstring(node: ast.AST, tree: ast.Module) -> bool:
    if not isinstance(node, ast.Expr | ast.Constant):
        return False
    value = node.value
    return isinstance(value, str) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def replace(tree: ast.AST, place: int, after: ast.AST | None) -> None:
    """Put another node, or nothing, in the place of the node that ast.walk meets at this number."""
    target = next(node for number, node in enumerate(ast.walk(tree)) if number == place)
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, field, after)
            elif isinstance(value, list) and any(part is target for part in value):
                kept = []
                for part in value:
                    if part is not target:
                        kept.append(part)
                    elif after is not None:
                        kept.append(after)
                if not kept and field == "body":
                    kept = [ast.Pass()]
                setattr(parent, field, kept)


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """What a learner may write, or forget, in place of a node: (kind of mistake, other node or None)."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in OTHER_OPERATOR:
            yield "operator", ast.BinOp(node.left, OTHER_OPERATOR[type(node.op)](), node.right)
        if isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
            yield "one side", node.left
            if not isinstance(node.op, ast.Div):
                yield "one side", node.right
        if isinstance(node.op, ast.Pow):
            yield "one side", node.left
    elif isinstance(node, ast.BoolOp):
        yield "operator", ast.BoolOp(OTHER_OPERATOR[type(node.op)](), node.values)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield "sign", node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in OTHER_COMPARISONS.get(type(node.ops[0]), ()):
            yield "comparison", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.Constant):
        value: Any = node.value
        if isinstance(value, bool):
            yield "constant", ast.Constant(not value)
        elif isinstance(value, int):
            yield "constant", ast.Constant(value + 1)
            if value > 0:
                yield "constant", ast.Constant(value - 1)
        elif isinstance(value, float):
            yield "constant", ast.Constant(2 * value if value else 1.0)
    elif isinstance(node, ast.Call):
        yield from changed_calls(node)
    elif isinstance(node, ast.AugAssign):
        yield "assignment", ast.Assign([node.target], node.value, lineno=node.lineno)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.If | ast.With):
        yield "line dropped", None
    if isinstance(node, ast.If) and node.orelse:
        yield "branch", ast.If(ast.Constant(True), node.body, [])


def changed_calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in OTHER_FUNCTION:
        other: ast.expr = (
            ast.Attribute(function.value, OTHER_FUNCTION[name], ast.Load())
            if isinstance(function, ast.Attribute)
            else ast.Name(OTHER_FUNCTION[name], ast.Load())
        )
        yield "function", ast.Call(other, node.args, node.keywords)
    if name in FORGOTTEN and node.args:
        yield "call forgotten", node.args[0]
    for place, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        rest = node.keywords[:place] + node.keywords[place + 1 :]
        yield "keyword dropped", ast.Call(function, node.args, rest)
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant | ast.UnaryOp):
            now = ast.literal_eval(keyword.value)
            if isinstance(now, int):
                axis = ast.keyword("axis", ast.Constant(1 if now == 0 else 0))
                yield "axis", ast.Call(function, node.args, [*rest, axis])
    if len(node.args) == 2 and name not in OTHER_FUNCTION:
        yield "arguments swapped", ast.Call(function, node.args[::-1], node.keywords)


def whole_changes(tree: ast.Module, lines: set[int]) -> Iterator[tuple[str, str]]:
    """What is wrong with a function as a whole: its answer typed in, an argument ignored or changed."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            continue
        if not lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
            continue
        if not any(isinstance(part, ast.Return) and part.value for part in ast.walk(node)):
            continue
        source, arguments = ast.unparse(tree), [argument.arg for argument in node.args.args]
        if arguments:
            yield f"typed in: {node.name}", source + WHOLE["typed in"].format(name=node.name)
        for kind in ("argument ignored", "argument changed"):
            for place, argument in enumerate(arguments):
                if kind == "argument ignored" and len(arguments) == 1:
                    continue  # the same as typed in
                code = WHOLE[kind].format(name=node.name, place=place)
                yield f"{kind}: {node.name}({argument})", source + code


def mutants_remembered(course: Course, lesson: Lesson) -> dict[str, Any] | None:
    """What the last run found of the exercises as they are now, or None."""
    return verdict(course.verdicts, lesson, "mutants", stamp(lesson, course.kit, course.lock))
