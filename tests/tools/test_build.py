"""The build, on tiny lessons good and bad."""

import base64
import io
import os
import re

import nbformat
import PIL.Image
import pytest

from tests.tools.conftest import (
    EXERCISE,
    GOOD,
    PLAIN,
    built,
    one_wrong_answer,
    refusal,
    write,
)
from workshop.__main__ import main
from workshop.tools import calibration, clean, execute
from workshop.tools.claims import claims_of
from workshop.tools.course import Course, settled
from workshop.tools.errors import BuildError
from workshop.tools.execute import Measured
from workshop.tools.write import write_whole


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
    assert helpers.source.startswith("# @title Helpers: claim, feedback, ")
    assert helpers.metadata.jupyter.source_hidden
    assert helpers.metadata.tags == ["hide-input", "setup"]
    assert setup.source == "SEED = 0\nnumbers = [1, 2]"
    assert headline.outputs[0].data["text/plain"] == "✓ Two is more than one.\n  Measured: 2 > 1"
    (claim,) = claims_of(notebook)
    assert (claim.statement, claim.holds, claim.measured, claim.is_headline) == (
        "Two is more than one",
        True,
        "2 > 1",
        True,
    )
    assert answer.source == 'def add(a, b):\n    """The sum of a and b."""\n    ...  # your code'
    assert check.outputs[0].text.startswith("✗ Adding: not started. Write your code for add,")
    assert "<details>" in solution.source
    assert "    return a + b\n```\n\n</details>" in solution.source
    assert "return a * b" not in nbformat.writes(notebook)
    assert end.source == "The end."


def test_keras_is_told_its_backend_before_it_is_imported(course):
    write(course, PLAIN.replace("import claim, feedback", "import claim, use_course_settings"))
    (lesson,) = course.lessons()
    helpers = course.unexecuted(lesson)[0].cells[3].source
    assert helpers.index('os.environ["KERAS_BACKEND"] = "tensorflow"') < helpers.index(
        "import keras\n"
    )


def test_a_second_build_gives_the_same_file(course):
    write(course, PLAIN)
    (lesson,) = course.lessons()
    path = course.notebooks / lesson.notebook_path
    course.build(lesson)
    first = path.read_bytes()
    course.build(lesson)
    assert path.read_bytes() == first


def test_the_command_builds_what_changed_and_checks(course, capsys):
    assert main(["build"], course) == 0
    assert "1.1 Adding: built in" in capsys.readouterr().out
    lists = (course.notebooks / "README.md").read_text(encoding="utf-8")
    assert "An adder. | Two is more than one (2 > 1) | – |" in lists
    assert main(["build"], course) == 0
    assert capsys.readouterr().out == "1.1 Adding: unchanged\n0 built, 1 unchanged, 0 failed\n"
    assert main(["check"], course) == 0
    assert capsys.readouterr().out == "1 lessons, 0 problems\n"
    assert main(["build", "--force", "1.1"], course) == 0
    assert "built in" in capsys.readouterr().out


def test_the_map_in_the_readme_is_written_and_checked(course, capsys):
    write(course, PLAIN)
    readme = course.root / "README.md"
    readme.write_text(
        "# Course\n<!-- the map, made by the build -->\n<!-- end of the map -->\nEnd.\n"
    )
    assert main(["build"], course) == 0
    text = readme.read_text(encoding="utf-8")
    assert "[1.1 Adding](lessons/1_first/1_1_adding.ipynb) | – | 5 min |" in text
    assert text.endswith("<!-- end of the map -->\nEnd.\n")
    readme.write_text(text.replace("5 min", "9 min"), encoding="utf-8")
    assert main(["check"], course) == 1
    assert "README.md does not match the notebooks" in capsys.readouterr().err


def test_check_finds_each_way_in_which_a_notebook_does_not_match(course, capsys):
    write(course, PLAIN)
    assert main(["build"], course) == 0
    (lesson,) = course.lessons()
    path = course.notebooks / lesson.notebook_path
    good = path.read_text(encoding="utf-8")

    def said_after(text):
        path.write_text(text, encoding="utf-8")
        assert main(["check"], course) == 1
        return capsys.readouterr().err

    assert "never executed" in said_after(
        re.sub('"execution_count": \\d+', '"execution_count": null', good)
    )
    assert "does not match its source" in said_after(good.replace("numbers = [1", "numbers = [0"))
    for broken in ("{}", "[]", "<<<<<<< HEAD", good.replace('"course"', '"curse"')):
        assert "1_1_adding.ipynb is missing or not a notebook" in said_after(broken)
    path.write_bytes('{"ö": 1}'.encode("latin-1"))
    assert main(["check"], course) == 1
    path.write_text(good, encoding="utf-8")
    assert main(["check"], course) == 0
    (course.notebooks / "README.md").write_text("stale")
    assert main(["check"], course) == 1
    assert "lessons/README.md does not match the notebooks" in capsys.readouterr().err
    write(course, PLAIN.replace("The end.", "The very end."))
    assert main(["check"], course) == 1
    assert "does not match its source" in capsys.readouterr().err
    path.rename(path.with_name("1_2_gone.ipynb"))
    assert main(["check"], course) == 1
    assert "1_2_gone.ipynb has no source" in capsys.readouterr().err


def test_check_finds_a_stored_error(course):
    write(course, PLAIN)
    (lesson,) = course.lessons()
    notebook = built(course)
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])
    next(cell for cell in notebook.cells if cell.cell_type == "code").outputs.append(error)
    nbformat.write(notebook, course.notebooks / lesson.notebook_path)
    assert course.problems([lesson]) == [
        "1_first/1_1_adding.ipynb: it contains an error: ValueError"
    ]


def test_an_unknown_lesson_is_named(course, capsys):
    assert main(["build", "7.7"], course) == 1
    assert capsys.readouterr().err == "no lesson 7.7: there are 1.1\n"


def test_one_bad_lesson_does_not_keep_the_others_from_being_built(course, capsys):
    write(course, PLAIN)
    write(
        course,
        PLAIN.replace("# # 1.1", "# # 1.2").replace("numbers[1] > ", "numbers[1] < "),
        "1_first/1_2_adding_more.py",
    )
    write(course, PLAIN.replace("# # 1.1", "# # 1.3"), "1_first/1_3_adding_most.py")
    assert main(["build"], course) == 1
    said = capsys.readouterr()
    assert "1.2 Adding: failed, its notebook is as it was" in said.out
    assert "1.3 Adding: built in" in said.out
    assert "2 built, 0 unchanged, 1 failed" in said.out
    assert "Not true here: Two is more than one" in said.err


BAD_SOURCES = {  # refused before anything runs, and what the build says
    "no such picture": (PLAIN.replace("plus.png", "minus.png"), r"1_1_adding\.py:12: there is no picture minus\.png"),
    "no alt text": (PLAIN.replace("A plus sign.", " "), r"1_1_adding\.py:12: the picture plus\.png has no alt text"),
    "a picture inside a line": (PLAIN.replace("# ![", "# See ![A.](plus.png) and ![B.](plus.png)\n# !["), "a line of its own"),
    "an HTML picture": (PLAIN.replace("# Text below", '# <img src="plus.png"> Text below'), "a line of its own"),
    "one wrong answer": (one_wrong_answer(GOOD), "needs 2 or more wrong answers and a check"),
    "no solution": (GOOD.replace("### BEGIN", "### STAR"), "has its solution between"),
    "a check alone": (PLAIN + '\n# %% tags=["check"]\nprint("alone")\n', "belongs behind its exercise"),
    "an error in Python": (PLAIN.replace("[1, 2]", "[1, 2"), r"1_1_adding\.py:\d+: not Python"),
    "an unknown kit function": (PLAIN.replace("import claim, feedback", "import claim, feedback, magic"), "the kit has no magic"),
    "a kit's inner function": (PLAIN.replace("import claim, feedback", "import claim, is_plain"), "the kit has no is_plain"),
    "the whole kit": (PLAIN.replace("import claim, feedback", "import *"), "import from the kit as"),
    "a part of the kit": (PLAIN.replace("workshop.kit import", "workshop.kit.claims import"), "import from the kit as"),
    "a statement behind an import": (PLAIN.replace("claim, feedback", "claim, feedback; extra = 1"), "alone on its line"),
    "an unknown tag": (PLAIN.replace('"headline"', '"headlin"'), "unknown tag 'headlin'"),
    "a misspelt key": (GOOD.replace('tags=["exercise"]', 'tag=["exercise"]'), "unknown tag="),
    "an unknown reason": (PLAIN.replace('tags=["headline"]', 'tags=["headline"] without_learning="luck"'), "unknown without_learning='luck'"),
    "a solution left open": (GOOD.replace("### END SOLUTION", "### END SOLUTION\n    ### BEGIN SOLUTION"), "BEGIN SOLUTION"),
    "no headline": (PLAIN.replace('# %% tags=["headline"]', "# %%"), "one cell is tagged headline"),
    "a headline that is kept": (PLAIN.replace('tags=["headline"]', 'tags=["headline", "measures-time"]'), "a headline is measured at each build"),
    "no product": (PLAIN.replace("**You build**", "You get"), "You build"),
    "no seed": (PLAIN.replace("SEED = 0", "seed = 0"), "a line like `SEED = 0`"),
    "no title": (PLAIN.replace("# # 1.1 Adding", "# Adding"), "starts with `# 1.1 ` and the title"),
    "no header": (PLAIN.replace("# ---", "#"), "a source starts with a header"),
    "a header of something else": (PLAIN.replace("course:", "curse:"), "the header is YAML"),
    "a broken header": (PLAIN.replace("prerequisites: []", "prerequisites: ["), "the header is YAML"),
    "an unknown field": (PLAIN.replace("prerequisites: []", "minutes: 5"), "unknown minutes in the header"),
    "a field of another type": (PLAIN.replace("prerequisites: []", "prerequisites: 2.1"), "a list of texts in quotes, not 2.1"),
    "a number for a text": (PLAIN.replace("prerequisites: []", "prerequisites: [2.1]"), "a list of texts in quotes"),
    "text before the first cell": (PLAIN.replace("# %% [markdown]\n# # 1.1", "import os\n\n# %% [markdown]\n# # 1.1"), "a header and cells"),
    "a typed result": (PLAIN.replace("Text below", "It reads 97.5 % of them. Text below"), "a number that only code may print: 97.5 %"),
    "a claim that cannot fail": (PLAIN.replace("numbers[1] > numbers[0]", "True"), "a claim that cannot fail"),
    "a claim without figures": (PLAIN.replace(', f"{numbers[1]} > {numbers[0]}"', ""), "a claim has a statement"),
    "a helper's name": (PLAIN.replace("numbers = [1, 2]", "numbers = [1, 2]\nfeedback = 3"), "a cell binds feedback, which is a helper"),
    "a package that nobody asked for": (PLAIN.replace("numbers = [1, 2]", "import pandas\nnumbers = [1, 2]"), "imports pandas"),
    "a file of the course": (PLAIN.replace("numbers = [1, 2]", 'numbers = [1, 2]\nplace = "../data"'), "a cell names a file of the course"),
    "an own colour": (PLAIN.replace("numbers = [1, 2]", 'numbers = [1, 2]\nlook = dict(color="red")'), "take a colour from COLOURS"),
    "another tool's Markdown": (PLAIN.replace("# The end.", "# :::note\n# The end."), "JupyterLab shows this literally"),
    "an endless core": (PLAIN.replace("# The end.", "# The end." + " word" * 9100), "its core takes 61 minutes to read, of 60"),
    "a short alt text": (PLAIN + '\n# %% alt="A line."\nprint(1)\n', "an alt text says too little"),
    "a plot without a word": (PLAIN + '\n# %% alt="A line that rises from left to right."\nprint(1)\n', "no text says what to see"),
}  # fmt: skip
FAULTS_AT_WORK = {  # found when it runs
    "an error in a cell": (PLAIN.replace("claim(", "numbers[7]\nclaim(", 1).replace("import numbers[7]\nclaim(", "import claim"), r"(?s)1_1_adding\.py:23: lesson 1\.1, cell 6 stops with IndexError.*numbers\[7\]"),
    "a false claim": (PLAIN.replace("numbers[1] > ", "numbers[1] < "), "Not true here: Two is more than one. Measured: 2 > 1"),
    "a warning": (PLAIN.replace("SEED = 0", "SEED = 0\nimport warnings\nwarnings.warn('old')"), "(?s)a cell warns.*UserWarning: old"),
    "a picture drawn without alt text": (PLAIN.replace("# %% [markdown]\n# The end.", "# %%\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"), "draws a picture without alt text"),
    "alt text without a picture": (PLAIN.replace("# %% [markdown]\n# The end.", '# %% alt="A line that rises to the right."\nprint(1)\n\n# %% [markdown]\n# The end.'), "its output holds no picture"),
    "a JPEG": (PLAIN.replace("SEED = 0", "SEED = 0\nfrom IPython.display import Image, display\ndisplay(Image(data=b'0', format='jpeg'))"), "shows a JPEG"),
    "a kernel that dies": (PLAIN.replace("SEED = 0", "SEED = 0\nimport os\nos._exit(1)"), r"1_1_adding\.py:16: the kernel died"),
    "a claim made twice": (PLAIN.replace("\n# %% [markdown]\n# The end.", '\n# %%\nclaim("Two is more than one", numbers[1] > 1, "2")'), "claimed twice"),
    "too big a notebook": (PLAIN.replace("SEED = 0", "SEED = 0\nprint('many\\n' * 200_000)"), "bytes of at most"),
}  # fmt: skip
BAD_CHECKS = {
    "a check that accepts a wrong answer": (GOOD.replace("return a * b", "return b + a"), "the check accepts wrong answer 2"),
    "a solution that fails": (GOOD.replace("return a + b", "return a - b"), "the check rejects the solution.*yours says -1"),
    "words that the check does not say": (GOOD.replace('says="says 1"', 'says="the sum"'), "without naming the mistake, 'the sum'"),
    "a wrong answer that only crashes": (GOOD.replace("return a * b", "return a * None").replace('says="says 2"', 'says="It stops"'), "wrong answer 2 because it stops"),
    "a wrong answer without words": (GOOD.replace(' says="says 2"', ""), "say which of the words name the mistake of wrong answer 2"),
    "a check without feedback": (re.sub(r"with feedback.*\n(    assert.*\n)+", "add(*numbers)\n", GOOD), "the check says nothing"),
    "an exercise on another's answer": (GOOD.replace("return a + b", "return plus(a, b)"), "name 'plus' is not defined"),
    "an answer that changes what setup made": (GOOD.replace("    return a + b", "    numbers.append(a)\n    return a + b"), "the solution changes numbers, which setup made"),
    "a setup cell that stops": (GOOD.replace("numbers = [1, 2]", "numbers = [1, 2]\n1 / 0"), "(?s)a setup cell stops.*ZeroDivisionError"),
    "a check that takes the blank": (GOOD.replace("    assert add(*numbers) == 3", "    assert add(*numbers) in (None, 3)").replace("    assert add(7", "    assert True or add(7"), "the check accepts"),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*BAD_SOURCES, *FAULTS_AT_WORK, *BAD_CHECKS])
def test_a_bad_source_is_refused_with_its_place(course, kind):
    source, said = {**BAD_SOURCES, **FAULTS_AT_WORK, **BAD_CHECKS}[kind]
    assert re.search(said, refusal(course, source))


def test_a_picture_that_is_not_a_small_palette_png_is_refused(course):
    PIL.Image.new("RGB", (8, 8)).save(course.chapters / "1_first/plus.png")
    assert "not a palette PNG" in refusal(course, PLAIN)
    (course.chapters / "1_first/plus.png").write_text("not a picture", encoding="utf-8")
    assert "not a palette PNG" in refusal(course, PLAIN)


def test_a_lesson_that_takes_too_long_is_refused_by_the_reference_machine(course, monkeypatch):
    slow = PLAIN.replace("prerequisites: []", "most_seconds: 5").replace(
        "SEED = 0", "SEED = 0\nimport time\ntime.sleep(5.5)"
    )
    assert "it took 10 s and" in refusal(course, slow)
    monkeypatch.setattr(calibration, "slowness", lambda: 3.0)
    assert built(course).metadata.course.seconds == 5


def test_an_error_is_found_at_its_own_line_where_lines_repeat(course):
    code = "\n# %%\nfor number in [1]:\n    1 / number\nfor number in [0]:\n    1 / number\n"
    assert f"1_1_adding.py:{PLAIN.count(chr(10)) + 6}: lesson 1.1" in refusal(course, PLAIN + code)


def test_exercises_are_tried_again_when_anything_they_depend_on_changes(course, monkeypatch):
    (lesson,) = course.lessons()
    course.build(lesson)
    assert course.is_current(lesson)
    for change in (
        ("return a * b", "return b"),
        ("7, -2) == 5", "7, -1) == 6"),
        ("numbers = [1, 2]", "numbers = [1, 2, 3]"),
        ('says="says 1"', 'says="says"'),
    ):
        write(course, GOOD.replace(*change))
        assert not course.exercises_are_tried(*course.lessons())
    write(course, GOOD)
    assert course.exercises_are_tried(*course.lessons())
    (course.root / "requirements.txt").write_text("numpy==9.9 \\\n")
    another = Course(course.root, course.kit_folder, course.before, course.after)
    assert not another.exercises_are_tried(*another.lessons())


def test_outputs_are_stored_small_and_quiet_whatever_the_author_has_set(
    course, monkeypatch, tmp_path
):
    monkeypatch.setenv("MPLBACKEND", "agg")  # as in a terminal without a screen
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    (tmp_path / "matplotlibrc").write_text("figure.figsize: 30, 30\n")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
    code = (
        '\n# %% alt="A line that rises from left to right."\nimport os\nimport sys\nimport matplotlib.pyplot as plt\n'
        "print('1/2\\r2/2', object())\nprint('I0000 00:00:17.5 1 a.cc:1] log', file=sys.stderr)\nplt.plot([1, 2])\nplt.show()\n"
        "print('mine' in os.environ['KERAS_HOME'], os.environ['CUDA_VISIBLE_DEVICES'])\n\n# %% [markdown]\n# It rises.\n"
    )
    write(course, PLAIN + code)
    notebook = built(course)
    said, drawn = notebook.cells[-2].outputs
    assert said.text == "2/2 <object object at 0x…>\nFalse -1\n"
    with PIL.Image.open(io.BytesIO(base64.b64decode(drawn.data["image/png"]))) as picture:
        assert picture.mode == "P"
        assert not picture.text
        assert picture.width < 1000
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_folder_that_cannot_be_written_is_named(course):
    write(course, PLAIN)
    (lesson,) = course.lessons()
    course.notebooks.write_text("in the way")
    with pytest.raises(BuildError, match="cannot be written"):
        course.build(lesson)


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


def test_outputs_lose_logs_addresses_and_progress():
    log = (
        "I0000 00:00:1.2 3 a.cc:1] hello\n2026-01-01 00:00:00.1: W tensorflow/a.cc:2] slow\nkept\n"
    )
    assert clean.LOG_LINE.sub("", log) == "kept\n"
    assert clean.folded("1/3\r2/3\r3/3\r\ndone\n") == "3/3\ndone\n"
    assert clean.folded("1/2 [=>..]\x08\x08\x08\x082/2 [====]\n") == "2/2 [====]\n"
    assert clean.ADDRESS.sub("0x…", "<object at 0x7f00deadbeef>") == "<object at 0x…>"


@pytest.mark.parametrize(
    ("seconds", "gigabytes", "slowness", "settles_to"),
    [
        (16.0, 0.75, 1.0, (20, 0.8)),  # close to the stored figures
        (31.0, 1.24, 1.0, (35, 1.2)),  # far from them
        (80.0, 0.75, 5.0, (20, 0.8)),  # a machine five times as slow
        (9.0, 0.75, 1.0, (10, 0.8)),
    ],
)
def test_measured_figures_settle_so_that_a_rebuild_is_quiet(
    seconds, gigabytes, slowness, settles_to
):
    cores = min(execute.CORES, execute.usable_cores())
    stored = nbformat.NotebookNode(seconds=20, gigabytes=0.8, cores=cores)
    new = settled(Measured(seconds, gigabytes), slowness, stored)
    assert (new["seconds"], new["gigabytes"]) == settles_to
    other_machine = nbformat.NotebookNode(seconds=20, gigabytes=0.8, cores=cores + 1)
    assert settled(Measured(16.0, 0.62), 1.0, other_machine)["gigabytes"] == 0.6


def test_the_calibration_says_how_slow_this_machine_is():
    assert 0.2 < calibration.slowness() < 50


def test_a_cell_that_measures_time_keeps_its_output_while_all_code_up_to_it_is_the_same(course):
    timing = '\n# %% tags=["measures-time"]\nimport time\nprint(time.time_ns())\n'
    after = "\n# %%\nprint(1)\n"
    write(course, PLAIN + timing + after)

    def printed():
        (cell,) = [
            cell for cell in built(course).cells if "measures-time" in cell.metadata.get("tags", [])
        ]
        return cell.outputs[0].text

    first = printed()
    assert printed() == first
    write(course, PLAIN + timing + after.replace("1", "2"))  # behind it
    assert printed() == first
    course.build(*course.lessons(), force=True)
    second = printed()
    assert second != first
    write(
        course, PLAIN.replace("numbers = [1, 2]", "numbers = [1, 3]") + timing + after
    )  # before it
    assert printed() != second


def test_peak_memory_counts_the_kernel(course):
    block = "SEED = 0\nimport time\nblock = bytearray(300_000_000)\ntime.sleep(0.5)"
    write(course, PLAIN.replace("SEED = 0", block))
    (lesson,) = course.lessons()
    notebook, _ = course.unexecuted(lesson)
    took = execute.run(notebook, lesson)
    assert 0.3 < took.gigabytes < 0.6


def test_a_memory_that_cannot_be_measured_is_told(monkeypatch):
    def broken():
        raise ValueError("no such file")

    monkeypatch.setattr(execute, "memory_of_children", broken)
    with pytest.raises(RuntimeError, match="could not be measured"), execute.PeakMemory() as memory:
        memory.sampler.join()


def test_the_lessons_keep_to_the_sum_of_seconds(course, monkeypatch):
    write(course, PLAIN)
    assert main(["build"], course) == 0
    small = Course(course.root, course.kit_folder, course.before, course.after, most_seconds=0)
    (problem, *_) = small.problems(small.lessons())
    assert re.match(r"the lessons take \d+ s together, of 0", problem)


def test_a_prerequisite_is_a_lesson_before(course):
    write(course, PLAIN.replace("prerequisites: []", 'prerequisites: ["1.2"]'))
    course.build(*course.lessons())
    (problem,) = course.problems(course.lessons())
    assert "its prerequisite 1.2 is no lesson before it" in problem


def test_try_prints_what_each_check_says(course, capsys):
    assert main(["try", "1.1"], course) == 0
    said = capsys.readouterr().out
    assert "Adding, wrong answer 2 (0.0 s): ✗ Adding: not yet. 1 + 2 is 3, yours says 2" in said
    assert said.endswith("4 answers tried, 0 flaws\n")
    write(course, GOOD.replace(EXERCISE, EXERCISE.replace("return a * b", "return b + a")))
    assert main(["try", "1.1"], course) == 1
    assert "FLAW: the check accepts wrong answer 2" in capsys.readouterr().out
