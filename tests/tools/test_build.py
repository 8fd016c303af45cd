"""The build, on tiny lessons good and bad."""

import base64
import io
import os
import re

import nbformat
import PIL.Image
import pytest

from workshop import seeds
from workshop.build import __main__ as command
from workshop.build import clean, execute, lessons, parse
from workshop.build.errors import BuildError
from workshop.build.inline import Kit
from workshop.build.lessons import Course, settled, write_whole

GOOD = '''# %% [markdown]
# # 1.1 Adding
#
# **You build** an adder.
#
# ![A plus sign.](plus.png)
#
# Text below the picture.

# %% tags=["setup"]
from workshop.kit import claim, feedback

SEED = 0
numbers = [1, 2]

# %% tags=["headline"]
claim("Two is more than one", numbers[1] > numbers[0], f"{numbers[1]} > {numbers[0]}")

# %% tags=["exercise"]
def add(a, b):
    """The sum of a and b."""
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION

# %% tags=["wrong"]
def add(a, b):
    return a

# %% tags=["wrong"]
def add(a, b):
    return a * b

# %% tags=["check"]
with feedback("Adding"):
    assert add(*numbers) == 3, f"1 + 2 is 3, yours says {add(*numbers)}"

# %% [markdown]
# The end.
'''


@pytest.fixture
def course(tmp_path):
    """A course of one good lesson, with the real kit."""
    here = Course(tmp_path / "chapters", tmp_path / "lessons", Course.here().kit_folder)
    write(here, GOOD)
    PIL.Image.new("P", (8, 8)).save(here.chapters / "1_first/plus.png")
    return here


def write(course, source, name="1_first/1_1_adding.py"):
    path = course.chapters / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


def built(course):
    (lesson,) = course.lessons()
    course.build(lesson)
    return course.stored(lesson.notebook_path)


def refusal(course, source):
    """What the build says of a bad source. The notebook of the good one must be as it was."""
    (lesson,) = course.lessons()
    path = course.notebooks / lesson.notebook_path
    write_whole(path, "as it was")
    write(course, source)
    with pytest.raises(BuildError) as caught:
        built(course)
    assert path.read_text(encoding="utf-8") == "as it was"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return str(caught.value)


def test_a_lesson_becomes_a_notebook_that_stands_alone(course):
    notebook = built(course)
    nbformat.validate(notebook)
    head, picture, rest, helpers, setup, headline, answer, check, solution, end = notebook.cells
    assert re.search(
        r"# 1\.1 Adding\n\n\*Reading: about 5 minutes, exercises about 10\. Running: about \d+ seconds",
        head.source,
    )
    assert picture.source.startswith("![A plus sign.](data:image/png;base64,")
    assert rest.source == "Text below the picture."
    assert helpers.source.startswith("# @title Helpers: claim, feedback\nimport contextlib\n")
    assert helpers.metadata.jupyter.source_hidden
    assert helpers.metadata.tags == ["hide-input", "setup"]
    assert setup.source == "SEED = 0\nnumbers = [1, 2]"
    assert headline.outputs[0].text == "✓ Two is more than one.\n  Measured: 2 > 1\n"
    assert answer.source == 'def add(a, b):\n    """The sum of a and b."""\n    ...  # your code'
    assert check.outputs[0].text == "✗ Adding: not yet. 1 + 2 is 3, yours says None\n"
    assert "<details>" in solution.source
    assert "    return a + b\n```\n\n</details>" in solution.source
    assert "return a * b" not in nbformat.writes(notebook)
    assert end.source == "The end."


def test_a_second_build_gives_the_same_file(course):
    (lesson,) = course.lessons()
    path = course.notebooks / lesson.notebook_path
    course.build(lesson)
    first = path.read_bytes()
    course.build(lesson)
    assert path.read_bytes() == first


def test_the_command_builds_what_changed_and_checks(course, capsys):
    assert command.main([], course) == 0
    assert "1.1 Adding: built in" in capsys.readouterr().out
    assert (
        "An adder. | Two is more than one (2 > 1)" in (course.notebooks / "README.md").read_text()
    )
    assert command.main([], course) == 0
    assert capsys.readouterr().out == "1.1 Adding: unchanged\n"
    assert command.main(["--check"], course) == 0
    assert command.main(["--force", "1.1"], course) == 0
    assert "built in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda course, path: write(course, GOOD.replace("The end.", "The very end.")),
            "1_1_adding.ipynb does not match its source",
        ),
        (lambda course, path: path.unlink(), "1_1_adding.ipynb is missing or not a notebook"),
        (
            lambda course, path: path.rename(path.with_name("1_2_gone.ipynb")),
            "1_2_gone.ipynb has no source",
        ),
        (
            lambda course, path: path.write_text(
                re.sub(
                    '"execution_count": \\d+',
                    '"execution_count": null',
                    path.read_text(encoding="utf-8"),
                )
            ),
            "never executed",
        ),
        (
            lambda course, path: path.write_text(
                path.read_text(encoding="utf-8").replace("yours says {", "you say {")
            ),
            "does not match its source",
        ),
        (
            lambda course, path: (course.notebooks / "README.md").write_text("stale"),
            "README.md does not match the notebooks",
        ),
    ],
)
def test_check_finds_a_notebook_that_does_not_match(course, capsys, spoil, said):
    assert command.main([], course) == 0
    (lesson,) = course.lessons()
    spoil(course, course.notebooks / lesson.notebook_path)
    assert command.main(["--check"], course) == 1
    assert said in capsys.readouterr().err


def test_check_finds_a_stored_error(course):
    (lesson,) = course.lessons()
    notebook = built(course)
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])
    next(cell for cell in notebook.cells if cell.cell_type == "code").outputs.append(error)
    nbformat.write(notebook, course.notebooks / lesson.notebook_path)
    assert course.problems([lesson]) == ["1_first/1_1_adding.ipynb contains an error"]


def test_an_unknown_lesson_is_named(course, capsys):
    assert command.main(["7.7"], course) == 1
    assert capsys.readouterr().err == "no lesson 7.7: there are 1.1\n"


def test_one_bad_lesson_does_not_keep_the_others_from_being_built(course, capsys):
    write(
        course,
        GOOD.replace("# # 1.1", "# # 1.2").replace("numbers[1] > ", "numbers[1] < "),
        "1_first/1_2_adding_more.py",
    )
    PIL.Image.new("P", (8, 8)).save(course.chapters / "1_first/plus.png")
    write(course, GOOD.replace("# # 1.1", "# # 1.3"), "1_first/1_3_adding_most.py")
    assert command.main([], course) == 1
    said = capsys.readouterr()
    assert "1.2 Adding: failed, its notebook is as it was" in said.out
    assert "1.3 Adding: built in" in said.out
    assert "Not true here: Two is more than one" in said.err


BAD_SOURCES = {
    "no such picture": (GOOD.replace("plus.png", "minus.png"), r"1_1_adding\.py:6: there is no picture minus\.png"),
    "no alt text": (GOOD.replace("A plus sign.", " "), r"1_1_adding\.py:6: the picture plus\.png has no alt text"),
    "a picture inside a line": (GOOD.replace("# ![", "# See ![A.](plus.png) and ![B.](plus.png)\n# !["), "a line of its own"),
    "a check that accepts the blank": (GOOD.replace("assert add(*numbers) == 3,", "assert True,"), "the check accepts the blank exercise"),
    "a wrong answer that passes": (GOOD.replace("return a * b", "return b + a"), "the check accepts wrong answer 2"),
    "a solution that fails": (GOOD.replace("return a + b", "return a - b"), "the check rejects the solution.*yours says -1"),
    "a check without message": (GOOD.replace(', f"1 + 2 is 3, yours says {add(*numbers)}"', ""), "without naming the mistake"),
    "a wrong answer that only crashes": (GOOD.replace("return a * b", "return a * None"), "wrong answer 2 without naming the mistake"),
    "a check without feedback": (re.sub(r"with feedback.*\n    assert.*", "add(*numbers)", GOOD), "the check says nothing"),
    "one wrong answer": (re.sub(r"# %% tags=\[\"wrong\"\]\n.*\n.*a \* b\n", "", GOOD), "needs 2 or more wrong answers and a check"),
    "no solution": (GOOD.replace("### BEGIN", "### STAR"), "has its solution between"),
    "a check alone": (GOOD + '\n# %% tags=["check"]\nprint("alone")\n', "belongs behind its exercise"),
    "an error in a cell": (GOOD.replace("claim(", "numbers[7]\nclaim("), r"(?s)1_1_adding\.py:17: lesson 1\.1, cell 6 stops with IndexError.*numbers\[7\]"),
    "an error in Python": (GOOD.replace("[1, 2]", "[1, 2"), r"1_1_adding\.py:14: not Python"),
    "a false claim": (GOOD.replace("numbers[1] > ", "numbers[1] < "), "Not true here: Two is more than one. Measured: 2 > 1"),
    "a warning": (GOOD.replace("SEED = 0", "SEED = 0\nimport warnings\nwarnings.warn('old')"), "(?s)a cell warns.*UserWarning: old"),
    "a picture drawn without alt text": (GOOD.replace("# %% [markdown]\n# The end.", "# %%\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"), "draws a picture without alt text"),
    "alt text without a picture": (GOOD.replace("# %% [markdown]\n# The end.", '# %% alt="A rising line."\nprint(1)'), "its output holds no picture"),
    "an unknown kit function": (GOOD.replace("import claim, feedback", "import claim, feedback, magic"), "the kit has no magic"),
    "the whole kit": (GOOD.replace("import claim, feedback", "import *"), "import from the kit as"),
    "a part of the kit": (GOOD.replace("workshop.kit import", "workshop.kit.claims import"), "import from the kit as"),
    "an unknown tag": (GOOD.replace('"headline"', '"headlin"'), "unknown tag 'headlin'"),
    "a misspelt key": (GOOD.replace('tags=["exercise"]', 'tag=["exercise"]'), "unknown tag="),
    "a solution left open": (GOOD.replace("### END SOLUTION", "### END SOLUTION\n    ### BEGIN SOLUTION"), "BEGIN SOLUTION"),
    "an exercise on another's answer": (GOOD.replace("return a + b", "return plus(a, b)"), "name 'plus' is not defined"),
    "no headline": (GOOD.replace('# %% tags=["headline"]', "# %%"), "a cell tagged headline makes a claim"),
    "no product": (GOOD.replace("**You build**", "You get"), "You build"),
    "an HTML picture": (GOOD.replace("# Text below", '# <img src="plus.png"> Text below'), "a line of its own"),
    "a JPEG": (GOOD.replace("SEED = 0", "SEED = 0\nfrom IPython.display import Image, display\ndisplay(Image(data=b'0', format='jpeg'))"), "shows a JPEG"),
    "a kernel that dies": (GOOD.replace("SEED = 0", "SEED = 0\nimport os\nos._exit(1)"), r"1_1_adding\.py:10: the kernel died"),
    "no seed": (GOOD.replace("SEED = 0", "seed = 0"), "a line like `SEED = 0`"),
    "no title": (GOOD.replace("# # 1.1 Adding", "# Adding"), "starts with `# 1.1 ` and the title"),
    "text before the first cell": ("import os\n" + GOOD, "made of cells that start with"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_SOURCES)
def test_a_bad_source_is_refused_with_its_place(course, kind):
    source, said = BAD_SOURCES[kind]
    assert re.search(said, refusal(course, source))


def test_a_picture_that_is_not_a_small_palette_png_is_refused(course):
    PIL.Image.new("RGB", (8, 8)).save(course.chapters / "1_first/plus.png")
    assert "not a palette PNG" in refusal(course, GOOD)


def test_a_notebook_too_big_to_clone_is_refused(course):
    assert "bytes of at most" in refusal(
        course, GOOD.replace("SEED = 0", "SEED = 0\nprint('many\\n' * 200_000)")
    )


def test_a_lesson_that_takes_too_long_is_refused(course, monkeypatch):
    monkeypatch.setattr(lessons, "MOST_SECONDS", 0)
    assert "this lesson has 0 s and 1.5 GB" in refusal(course, GOOD)


def test_a_broken_picture_is_refused(course):
    (course.chapters / "1_first/plus.png").write_text("not a picture", encoding="utf-8")
    assert "not a palette PNG" in refusal(course, GOOD)


def test_an_error_is_found_at_its_own_line_where_lines_repeat(course):
    code = "\n# %%\nfor number in [1]:\n    1 / number\nfor number in [0]:\n    1 / number\n"
    assert f"1_1_adding.py:{GOOD.count(chr(10)) + 6}: lesson 1.1" in refusal(course, GOOD + code)


def test_a_changed_wrong_answer_makes_a_lesson_stale(course):
    (lesson,) = course.lessons()
    course.build(lesson)
    assert course.is_current(lesson)
    write(course, GOOD.replace("return a * b", "return b"))
    (lesson,) = course.lessons()
    assert not course.is_current(lesson)


def test_a_merge_conflict_in_one_notebook_does_not_stop_the_others(course):
    write(course, GOOD.replace("# # 1.1", "# # 1.2"), "1_first/1_2_more.py")
    (course.notebooks / "1_first").mkdir(parents=True)
    (course.notebooks / "1_first/1_2_more.ipynb").write_text("<<<<<<< HEAD", encoding="utf-8")
    assert command.main(["1.1"], course) == 0
    assert course.problems(course.lessons(["1.2"])) == [
        "1_first/1_2_more.ipynb is missing or not a notebook"
    ]


def test_outputs_are_stored_small_and_quiet(course, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")  # as in a terminal without a screen
    code = (
        '\n# %% alt="A rising line."\nimport sys\nimport matplotlib.pyplot as plt\n'
        "print('1/2\\r2/2', object())\nprint('I0000 00:00:17.5 1 a.cc:1] log', file=sys.stderr)\nplt.plot([1, 2])\nplt.show()\n"
    )
    write(course, GOOD + code)
    notebook = built(course)
    said, drawn = notebook.cells[-1].outputs
    assert said.text == "2/2 <object object at 0x…>\n"
    with PIL.Image.open(io.BytesIO(base64.b64decode(drawn.data["image/png"]))) as picture:
        assert picture.mode == "P"
        assert not picture.text
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_lesson_number_used_twice_is_refused(course):
    write(course, GOOD, "1_first/1_1_more.py")
    with pytest.raises(
        BuildError, match=r"1_1_more\.py: lesson number 1\.1 is taken by 1_1_adding\.py"
    ):
        course.lessons()


@pytest.mark.parametrize(
    "name", ["1_first/adding.py", "first/1_1_adding.py", "2_second/1_1_adding.py"]
)
def test_a_source_without_its_number_is_refused(course, name):
    write(course, GOOD, name)
    with pytest.raises(BuildError, match="a source is named like"):
        course.lessons()


def test_lessons_come_in_the_order_of_the_course():
    numbers = ["3.10", "3.3b", "10.1", "3.3a", "3.9"]
    assert sorted(numbers, key=parse.order) == ["3.3a", "3.3b", "3.9", "3.10", "10.1"]


def test_a_folder_that_cannot_be_written_is_named(course):
    (lesson,) = course.lessons()
    unwritable = Course(
        course.chapters, course.chapters / "1_first/1_1_adding.py", course.kit_folder
    )
    with pytest.raises(BuildError, match="cannot be written"):
        unwritable.build(lesson)


def test_a_failed_write_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch):
    path = tmp_path / "notebook.ipynb"
    path.write_text("as it was")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(BuildError, match="No space left on device"):
        write_whole(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == ["notebook.ipynb"]
    assert path.read_text(encoding="utf-8") == "as it was"


def kit_of(tmp_path, **modules):
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source)
    return Kit(tmp_path)


def test_a_kit_function_brings_what_it_calls_each_once(tmp_path):
    kit = kit_of(
        tmp_path,
        __init__="from workshop.kit.one import outer\nfrom workshop.kit.two import helper",
        one="import math\nfrom workshop.kit.two import helper\n\n\ndef outer(x):\n    return helper(x) + FACTOR\n\n\n# twice pi\nFACTOR = 2 * math.pi",
        two="import functools\nimport os\n\n\n@functools.cache\ndef helper(x):\n    return helper(x - 1) if x else 0",
    )
    source, defined = kit.source_of(["outer", "helper"])
    assert defined == {"outer", "helper", "FACTOR"}
    assert source.startswith("import functools\nimport math\n\n")
    assert "# twice pi\nFACTOR" in source
    assert "import os" not in source
    assert source.count("def helper") == source.count("@functools.cache") == 1
    space = {}
    exec(source, space)
    assert round(space["outer"](3), 3) == 6.283
    assert kit.source_of(["helper"], already=defined) == ("", set())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("if True:\n    def f(): ...", "holds only imports, functions, classes and named values"),
        ("from .other import f", "no relative imports"),
        ("from workshop.kit.other import g as f", "imports from itself as"),
        ("def f():\n    return __file__", "which a notebook does not have"),
    ],
)
def test_a_kit_function_that_cannot_stand_in_a_notebook_is_refused(tmp_path, source, said):
    with pytest.raises(BuildError, match=said):
        kit_of(tmp_path, __init__="from workshop.kit.one import f", one=source).source_of(["f"])


def test_two_kit_functions_of_one_name_are_refused(tmp_path):
    first = "from workshop.kit.two import g\n\n\ndef helper(): ...\n\n\ndef f():\n    return g() + helper()"
    second = "def helper(): ...\n\n\ndef g():\n    return helper()"
    with pytest.raises(BuildError, match="helper is defined in"):
        kit_of(
            tmp_path, __init__="from workshop.kit.one import f", one=first, two=second
        ).source_of(["f"])


def test_outputs_lose_logs_addresses_and_progress():
    log = (
        "I0000 00:00:1.2 3 a.cc:1] hello\n2026-01-01 00:00:00.1: W tensorflow/a.cc:2] slow\nkept\n"
    )
    assert clean.LOG_LINE.sub("", log) == "kept\n"
    assert clean.folded("1/3\r2/3\r3/3\r\ndone\n") == "3/3\ndone\n"
    assert clean.folded("1/2 [=>..]\x08\x08\x08\x082/2 [====]\n") == "2/2 [====]\n"
    assert clean.ADDRESS.sub("0x…", "<object at 0x7f00deadbeef>") == "<object at 0x…>"


@pytest.mark.parametrize(
    ("seconds", "gigabytes", "cores", "settles_to"),
    [
        (16.0, 0.75, 2, (20, 0.8)),  # close to the stored figures
        (31.0, 1.24, 2, (35, 1.2)),  # far from them
        (16.0, 0.62, 8, (20, 0.6)),  # another machine
    ],
)
def test_measured_figures_settle_so_that_a_rebuild_is_quiet(seconds, gigabytes, cores, settles_to):
    stored = nbformat.NotebookNode(seconds=20, gigabytes=0.8, cores=2)
    new = settled({"seconds": seconds, "gigabytes": gigabytes, "cores": cores}, stored)
    assert (new["seconds"], new["gigabytes"]) == settles_to


def test_a_cell_that_measures_time_keeps_its_output_while_its_code_is_the_same(course):
    timing = '\n# %% tags=["measures-time"]\nimport time\nprint(time.time_ns())\n'
    write(course, GOOD + timing)
    first, second = built(course).cells[-1].outputs, built(course).cells[-1].outputs
    assert first == second
    write(course, GOOD + timing.replace("time_ns()", "time_ns(), 'ns'"))
    assert built(course).cells[-1].outputs != first


def test_peak_memory_counts_the_kernel(course):
    write(
        course,
        GOOD.replace(
            "SEED = 0", "SEED = 0\nimport time\nblock = bytearray(300_000_000)\ntime.sleep(0.5)"
        ),
    )
    (lesson,) = course.lessons()
    notebook, _ = course.unexecuted(lesson)
    _, gigabytes = execute.run(notebook, lesson)
    assert 0.3 < gigabytes < 0.6


def test_seeds_tells_which_claims_held(course, capsys):
    write(course, GOOD.replace("numbers = [1, 2]", "numbers = [1, 3 - SEED]\nassert SEED < 3"))
    assert seeds.main(["1.1", "--seeds", "4"], course) == 1
    said = capsys.readouterr()
    assert "seed 0: 1 of 1 claims held" in said.out
    assert "2 of 4: Two is more than one" in said.out
    assert "✗ seed 2: 1 > 1" in said.out
    assert "✗ seed 3: not reached" in said.out
    assert "seed 3: " in said.err


def test_seeds_needs_a_seed(course):
    with pytest.raises(SystemExit):
        seeds.main(["1.1", "--seeds", "0"], course)
