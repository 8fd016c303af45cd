"""Each exercise, tried blank, wrong and solved on the setup cells of its lesson alone.

The build remembers with what code a lesson's exercises were tried. What has changed since is tried here; of the others a
third each day, and all of them with --everything.
"""

import datetime

import pytest

from workshop.tools.course import Course
from workshop.tools.mutants import mutants_remembered

COURSE = Course.here()
LESSONS = COURSE.lessons()
PARTS = 3  # days after which all were tried
FEWEST_NOTICED = 0.97  # of the small mistakes that `workshop mutants` makes


@pytest.mark.parametrize(
    ("place", "lesson"), enumerate(LESSONS), ids=[lesson.number for lesson in LESSONS]
)
def test_checks_tell_right_from_wrong(place, lesson, request):
    its_turn = (place + datetime.date.today().toordinal()) % PARTS == 0
    if its_turn or request.config.getoption("everything") or not COURSE.exercises_are_tried(lesson):
        COURSE.try_exercises(lesson)


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.number for lesson in LESSONS])
def test_checks_notice_small_mistakes(lesson):
    """What `workshop mutants` found of the exercises as they are is good enough."""
    found = mutants_remembered(COURSE, lesson)
    if not found:
        pytest.skip(f"not run since the last change: python -m workshop mutants {lesson.number}")
    assert found["noticed"] / (found["made"] - found["equal"]) >= FEWEST_NOTICED
