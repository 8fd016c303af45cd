"""How sources are found, ordered and read."""

import pytest

from tests.tools.conftest import HEADER, PLAIN, write
from workshop.tools.errors import BuildError
from workshop.tools.reading import reading_minutes
from workshop.tools.source import order, read_lesson


def test_a_lesson_number_used_twice_is_refused(course):
    write(course, PLAIN, "1_first/1_1_more.py")
    with pytest.raises(
        BuildError, match=r"1_1_more\.py: lesson number 1\.1 is taken by 1_1_adding\.py"
    ):
        course.lessons()


@pytest.mark.parametrize(
    "name", ["1_first/adding.py", "first/1_1_adding.py", "2_second/1_1_adding.py"]
)
def test_a_source_without_its_number_is_refused(course, name):
    write(course, PLAIN, name)
    with pytest.raises(BuildError, match="a source is named like"):
        course.lessons()


def test_lessons_come_in_the_order_of_the_course():
    numbers = ["3.10", "3.3b", "10.1", "3.3a", "3.9"]
    assert sorted(numbers, key=order) == ["3.3a", "3.3b", "3.9", "3.10", "10.1"]
    with pytest.raises(ValueError, match="not a lesson's number"):
        order("three")


def test_a_header_says_what_the_rest_follows_from(course):
    header = (
        'prerequisites: ["2.1", "2.3"]\n#     most_seconds: 75\n#     core_minutes: 80\n'
        '#     optional: ["torch"]\n#     downloads: ["MNIST"]\n'
        '#     equal_programs:\n#       "Adding":\n#         "constant: 1 -> 2": "why"'
    )
    lesson = read_lesson(write(course, PLAIN.replace("prerequisites: []", header)))
    assert lesson.header.prerequisites == ("2.1", "2.3")
    assert (lesson.header.most_seconds, lesson.header.core_minutes) == (75, 80)
    assert (lesson.header.optional, lesson.header.downloads) == (("torch",), ("MNIST",))
    assert lesson.header.equal_programs == {"Adding": {"constant: 1 -> 2": "why"}}


def test_reading_time_is_told_apart_for_core_and_deeper(course):
    words = "word " * 150
    text = (
        f"# # 1.1 Adding\n#\n# {words}\n#\n# ## Deeper: more\n#\n# {words}\n#\n# ### Still deeper\n#\n# {words}\n#\n"
        f"# ## Core again\n#\n# {words}\n"
    )
    code = '\n# %% tags=["setup"]\nSEED = 0\n' + "SEED = SEED\n" * 11
    lesson = read_lesson(write(course, f"{HEADER}# %% [markdown]\n{text}{code}"))
    core, deeper = reading_minutes(lesson)
    assert core == pytest.approx(3, abs=0.1)  # 2 of text, 1 of code
    assert deeper == pytest.approx(2, abs=0.1)
