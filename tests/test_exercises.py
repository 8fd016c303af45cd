"""Each exercise, tried blank, wrong and solved on the setup cells of its lesson alone."""

import pytest

from workshop.build.lessons import Course

LESSONS = Course.here().lessons()


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.number for lesson in LESSONS])
def test_checks_tell_right_from_wrong(lesson):
    Course.here().try_exercises(lesson)
