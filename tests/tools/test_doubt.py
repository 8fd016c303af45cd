"""The tools that doubt: seeds, nulls, mutants."""

import pytest
from nbformat import NotebookNode

from tests.tools.conftest import EXERCISE, GOOD, PLAIN, write
from workshop.__main__ import main
from workshop.tools.exercises import Exercise, exercises_of
from workshop.tools.mutants import mutants_of, mutants_remembered
from workshop.tools.nulls import nulls_remembered
from workshop.tools.seeds import spreads


def test_seeds_tells_which_claims_held_and_how_near_they_were(course, capsys):
    write(course, PLAIN.replace("numbers = [1, 2]", "numbers = [1, 3 - SEED]\nassert SEED < 3"))
    assert main(["seeds", "1.1", "--count", "4"], course) == 1
    said = capsys.readouterr()
    assert "seed 0: 1 of 1 claims held" in said.out
    assert "2 of 4: Two is more than one" in said.out
    assert "✗ seed 2: 1 > 1" in said.out
    assert "seed 3: " in said.err
    assert "AssertionError" in said.err
    assert said.out.endswith("1.1 Adding: 0 of 1 claims held under all 4 seeds; 1 cells stopped\n")


def test_seeds_can_start_where_nobody_has_looked(course, capsys):
    write(course, PLAIN.replace("numbers = [1, 2]", "numbers = [1, SEED]"))
    assert main(["seeds", "1.1", "--first", "5", "--count", "2"], course) == 0
    said = capsys.readouterr().out
    assert "seed 5: 1 of 1" in said
    assert "seed 6: 1 of 1" in said
    assert "mean ± standard deviation: 5.5 ± 0.71" in said


def test_seeds_needs_a_seed(course, capsys):
    assert main(["seeds", "1.1", "--count", "0"], course) == 2
    assert "needs 1 or more" in capsys.readouterr().err


def test_the_spread_is_that_of_each_number():
    assert spreads(["0.91 of 1,000, 3e-2", "0.93 of 1,000, 1e-2"]) == "0.92 ± 0.014, 0.02 ± 0.014"
    assert spreads(["one", "1 2"]) == ""
    assert spreads(["−2", "-4"]) == "-3 ± 1.4"


LEARNING = PLAIN.replace(
    "numbers = [1, 2]",
    """numbers = [1, 2]
import keras
network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
network.compile("sgd", "mse")
inputs = keras.ops.ones((8, 1))
_ = network.fit(inputs, inputs, epochs=3, verbose=0)
weight = float(network.get_weights()[0][0, 0])""",
).replace(
    "\n# %% [markdown]\n# The end.",
    '\n# %%\nclaim("The weight grows", weight > 0, f"{weight}")\n\n'
    '# %%\nclaim("The weight is small", abs(weight) < 1, f"{weight}")\n\n# %% [markdown]\n# The end.',
)


def test_nulls_lists_what_holds_though_nothing_is_learned(course, capsys):
    write(
        course,
        LEARNING.replace('tags=["headline"]', 'tags=["headline"] without_learning="arithmetic"'),
    )
    assert main(["build"], course) == 0
    capsys.readouterr()
    assert main(["nulls", "1.1", "--idle-only"], course) == 1
    said = capsys.readouterr().out
    assert "with idle optimizers 2 of 3 claims hold, 1 without a reason; 0 cells stop" in said
    assert "? The weight is small. Measured: 0.0" in said
    assert "2 of 3 claims hold with idle optimizers; 1 of them without a reason" in said
    (lesson,) = course.lessons()
    assert nulls_remembered(course, lesson)["unexplained"] == ["The weight is small"]
    write(course, LEARNING)
    assert nulls_remembered(course, *course.lessons()) is None


def changed_by(solution):
    source = f"def f(a, b):\n    ### BEGIN SOLUTION\n{solution}\n    ### END SOLUTION"
    return {mutant.name: mutant.source for mutant in mutants_of(only_exercise(source))}


def only_exercise(source):
    """An exercise of which only the answer counts."""
    return Exercise(NotebookNode(source=source), [], NotebookNode(source=""))


@pytest.mark.parametrize(
    ("solution", "name", "line"),
    [
        ("    return a + b", "operator: a + b -> a - b", "return a - b"),
        ("    return a * b", "one side: a * b -> a", "return a"),
        ("    return a < 3", "comparison: a < 3 -> a <= 3", "return a <= 3"),
        ("    return a < 3", "constant: 3 -> 4", "return a < 4"),
        ("    return a.mean(axis=0)", "function: a.mean(axis=0) -> a.sum(axis=0)", "return a.sum(axis=0)"),
        ("    return a.mean(axis=0)", "axis: a.mean(axis=0) -> a.mean(axis=1)", "return a.mean(axis=1)"),
        ("    return a.mean(axis=0)", "keyword dropped: a.mean(axis=0) -> a.mean()", "return a.mean()"),
        ("    return np.sqrt(a)", "call forgotten: np.sqrt(a) -> a", "return a"),
        ("    a = b\n    return a", "line dropped: a = b -> nothing", "return a"),
        ("    return -a", "sign: -a -> a", "return a"),
        ("    a += b\n    return a", "assignment: a += b -> a = b", "a = b"),
    ],
)  # fmt: skip
def test_a_solution_gets_small_mistakes(solution, name, line):
    found = changed_by(solution)
    assert line in found[name]


def test_mutants_change_what_a_learner_writes_and_nothing_else():
    source = "def f(a):\n    scale = 2\n    ### BEGIN SOLUTION\n    return a * scale\n    ### END SOLUTION"
    names = {mutant.name for mutant in mutants_of(only_exercise(source))}
    assert "operator: a * scale -> a / scale" in names
    assert not any("constant" in name for name in names)


def test_mutants_tells_which_mistakes_a_check_accepts(course, capsys):
    write(course, GOOD)
    assert main(["mutants", "1.1"], course) == 0
    assert "0 accepted" in capsys.readouterr().out
    weak = EXERCISE.replace(
        '    assert add(7, -2) == 5, f"7 - 2 is 5, yours says {add(7, -2)}"\n', ""
    )
    write(course, GOOD.replace(EXERCISE, weak))
    assert main(["mutants", "1.1"], course) == 1
    said = capsys.readouterr().out
    for name in ("typed in: add", "argument ignored: add(a)", "argument ignored: add(b)"):
        assert f"accepted: {name}" in said
    (lesson,) = course.lessons()
    found = mutants_remembered(course, lesson)
    assert found["survivors"] == [
        "Adding | typed in: add",
        "Adding | argument ignored: add(a)",
        "Adding | argument ignored: add(b)",
    ]
    equal = 'prerequisites: []\n#     equal_programs:\n#       "Adding":\n#         "argument ignored: *": "for the test"'
    write(course, GOOD.replace(EXERCISE, weak).replace("prerequisites: []", equal))
    assert main(["mutants", "1.1"], course) == 1
    assert "2 right all the same, 1 accepted" in capsys.readouterr().out


def test_a_mutant_that_never_ends_or_kills_the_process_is_noticed(course, capsys):
    endless = "    while b > 0:\n        a, b = a + 1, b - 1\n    while b < 0:\n        a, b = a - 1, b + 1\n    return a"
    write(course, GOOD.replace("    return a + b", endless))
    main(["mutants", "1.1"], course)
    assert "mutants:" in capsys.readouterr().out
    (lesson,) = course.lessons()
    assert len(exercises_of(lesson)) == 1
