"""A tiny course of one good lesson, for the tests of the tools."""

import re

import PIL.Image
import pytest

from workshop.tools import calibration, rules
from workshop.tools.course import Course
from workshop.tools.errors import BuildError
from workshop.tools.write import write_whole

HEADER = """# ---
# jupyter:
#   course:
#     prerequisites: []
# ---

"""
LESSON = """# %% [markdown]
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
"""
EXERCISE = '''
# %% tags=["exercise"]
def add(a, b):
    """The sum of a and b."""
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION

# %% tags=["wrong"] says="says 1"
def add(a, b):
    return a

# %% tags=["wrong"] says="says 2"
def add(a, b):
    return a * b

# %% tags=["check"]
with feedback("Adding"):
    assert add(*numbers) == 3, f"1 + 2 is 3, yours says {add(*numbers)}"
    assert add(7, -2) == 5, f"7 - 2 is 5, yours says {add(7, -2)}"
'''
END = """
# %% [markdown]
# The end.
"""
PLAIN = HEADER + LESSON + END  # without an exercise, which takes a process of its own
GOOD = HEADER + LESSON + EXERCISE + END


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one good lesson, with the real kit, on a machine as fast as the reference machine."""
    monkeypatch.setattr(calibration, "slowness", lambda: 1.0)
    here = Course(tmp_path, Course.here().kit_folder, rules.BEFORE, rules.AFTER)
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


def one_wrong_answer(source):
    return re.sub(r"# %% tags=\[\"wrong\"\][^\n]*\n[^\n]*\n[^\n]*a \* b\n", "", source)
