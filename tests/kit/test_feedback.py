"""What a check says: solved, not started, not yet and why. Cells run as in a notebook, in a module named __main__."""

import linecache
import sys
import types

import pytest

from workshop import kit

STUB = "def double(x):\n    ...  # your code"
CHECK = 'with feedback("Double"):\n    result = double(numbers)\n    assert list(result) == [2, 4], f"2 and 4, yours says {result}"'


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs cells one after another and returns what they print."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    module.feedback = kit.feedback

    def run(*cells):
        for number, source in enumerate(cells):
            name = f"<cell {number}>"
            linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
            exec(compile(source, name, "exec"), vars(module))
        return capsys.readouterr().out

    return run


def test_a_right_answer_is_solved(run):
    said = run("numbers = [1, 2]", "def double(x):\n    return [2 * part for part in x]", CHECK)
    assert said == "✓ Double: solved.\n"


def test_a_wrong_answer_hears_its_mistake(run):
    said = run("numbers = [1, 2]", "def double(x):\n    return x", CHECK)
    assert said == "✗ Double: not yet. 2 and 4, yours says [1, 2]\n"


def test_an_answer_that_stops_is_told_why(run):
    said = run("numbers = [1, 2]", "def double(x):\n    return x / 2", CHECK)
    assert said.startswith("✗ Double: not yet. It stops with TypeError: unsupported operand")


@pytest.mark.parametrize(
    ("answer", "check", "names"),
    [
        (STUB, CHECK, "double"),
        (STUB, CHECK.replace("double(numbers)", "[double(number) for number in numbers]"), "double"),
        ("", CHECK, "double"),
        ("double = None", CHECK, "double"),
        (f"class Layer:\n    {STUB.replace(chr(10), chr(10) + '    ')}", CHECK.replace("double(numbers)", "Layer().double()"), "Layer"),
        ("first, second = None, 3", 'with feedback("Two"):\n    assert first + second == 4, "4"', "first"),
        ("both = {'a': None, 'b': 2}", 'with feedback("Two"):\n    assert both == {"a": 1, "b": 2}, "1 and 2"', "both"),
        ("", 'with feedback("Two"):\n    assert first + second == 4, "4"', "first"),
    ],
    ids=["dots", "dots in a comprehension", "nothing run", "None", "a method's dots", "one of two", "a value of a table", "no names"],
)  # fmt: skip
def test_an_answer_that_is_not_begun_is_told_so_and_no_more(run, answer, check, names):
    said = run("numbers = [1, 2]", answer, check)
    title = "Double" if "Double" in check else "Two"
    assert (
        said
        == f"✗ {title}: not started. Write your code for {names}, run that cell, and then this one.\n"
    )


def test_a_stub_of_another_exercise_is_not_named(run):
    said = run(
        "numbers = [1, 2]", STUB.replace("double", "triple"), "def double(x):\n    return x", CHECK
    )
    assert "not started" not in said


@pytest.mark.parametrize(
    "change",
    [
        "x *= 2\n    return x",
        "x[0] = 7\n    return numpy.array([4, 2])",
        "x.sort()\n    return 2 * x",
    ],
)
def test_an_answer_that_changes_what_it_was_given_is_noticed(run, change):
    said = run(
        "import numpy\nnumbers = numpy.array([2, 1])", f"def double(x):\n    {change}",
        CHECK.replace("[2, 4]", "[4, 2]"),
    )  # fmt: skip
    assert "double changes its argument 1" in said


def test_the_function_is_its_own_again_afterwards(run):
    answer = "def double(x):\n    return [2 * part for part in x]\nkept = double"
    assert run("numbers = [1, 2]", answer, CHECK, "print(double is kept)").endswith("True\n")


def test_feedback_does_not_swallow_a_learner_who_stops_the_kernel(run):
    with pytest.raises(KeyboardInterrupt):
        run('with feedback("Sum"):\n    raise KeyboardInterrupt')
