import contextlib
import copy
import dis
import functools
import inspect
import sys
import types


@contextlib.contextmanager
def feedback(exercise):
    """Run the checks of an exercise and say in one line how it went, without stopping the notebook.

    exercise: its title. A failed `assert` shows its message; any other error shows what stopped the answer. Where
    the answer is not begun, the line says so and nothing else. While the checks run, a function of this notebook that
    changes an array or a list that it was given fails too. (A dictionary may be an optimizer's memory.)
    """
    cell = sys._getframe(2)  # 0 is this function, 1 is contextlib's
    own = {name: cell.f_globals.get(name) for name in names_of_answer(cell)}
    guarded = {name: part for name, part in own.items() if isinstance(part, types.FunctionType)}
    try:
        for name, function in guarded.items():
            if function.__module__ == "__main__":
                cell.f_globals[name] = keeping_its_arguments(function)
        yield
    except Exception as error:
        unfinished = [name for name, part in own.items() if is_unfinished(name, part, error)]
        if unfinished:
            said = f"not started. Write your code for {' and '.join(unfinished)}, run that cell, and then this one."
        elif isinstance(error, AssertionError):
            said = f"not yet. {error}"
        else:
            said = f"not yet. It stops with {type(error).__name__}: {error}."
        print(f"✗ {exercise}: {said}")
    else:
        print(f"✓ {exercise}: solved.")
    finally:
        cell.f_globals.update(guarded)


def names_of_answer(cell):
    """The names that a check uses and does not make itself, sorted. cell: the frame of the check's cell."""
    used, made_here, waiting = set(), set(), [cell.f_code]
    while waiting:  # a comprehension or a lambda has code of its own
        code = waiting.pop()
        waiting += [part for part in code.co_consts if isinstance(part, types.CodeType)]
        used |= {*code.co_names}
        steps = dis.get_instructions(code)
        made_here |= {step.argval for step in steps if step.opname.startswith("STORE_")}
    return sorted(used - made_here)


def is_unfinished(name, value, error):
    """Whether an answer is not begun: undefined, None, or code that still holds its dots. error: what stopped the check."""
    if value is None:
        undefined = isinstance(error, NameError) and error.name == name
        return undefined or name in vars(sys.modules["__main__"])
    if isinstance(value, dict):
        return any(part is None for part in value.values())
    parts = vars(value).values() if isinstance(value, type) else [value]
    for part in parts:
        if isinstance(part, types.FunctionType) and part.__module__ == "__main__":
            with contextlib.suppress(OSError):  # nobody kept its source
                if "...  # your code" in inspect.getsource(part):
                    return True
    return False


def keeping_its_arguments(function):
    """A function that does the same and raises AssertionError where an argument is not as it was before the call."""

    @functools.wraps(function)
    def watched(*arguments, **options):
        given = {**dict(enumerate(arguments, 1)), **options}
        before = {
            name: copy.deepcopy(value)
            for name, value in given.items()
            if isinstance(value, list) or type(value).__module__ == "numpy"
        }
        answer = function(*arguments, **options)
        for name, value in before.items():
            if not same_content(given[name], value):
                raise AssertionError(
                    f"{function.__name__} changes its argument {name}: leave it as it is, and work on a copy"
                )
        return answer

    return watched


def same_content(first, second):
    """Whether two values of one type hold the same, arrays inside lists and dictionaries included."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            same_content(first[key], second[key]) for key in first
        )
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same_content, first, second))
    if hasattr(first, "tobytes"):
        return first.shape == second.shape and first.tobytes() == second.tobytes()
    return first is second or type(first).__eq__ is object.__eq__ or bool(first == second)
