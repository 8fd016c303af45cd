"""Unit tests of the dates in many languages."""

import datetime
import re

import numpy as np
import pytest

from workshop.kit import DATE_FORMATS, LANGUAGES, make_dates, write_date
from workshop.kit.dates import DATE_LOCALES, part_of_day

WRITTEN, ISO, LANGUAGE_LABELS, FORMAT_LABELS = make_dates(3000)


def test_every_text_is_written_from_its_day():
    for number in range(100):
        date = datetime.date.fromisoformat(ISO[number])
        language, style = (
            LANGUAGES[LANGUAGE_LABELS[number]],
            DATE_FORMATS[FORMAT_LABELS[number]],
        )
        assert WRITTEN[number] == write_date(date, language, style)


def test_every_language_format_month_and_decade_is_there():
    assert len(WRITTEN) == len(ISO) == 3000
    assert np.bincount(LANGUAGE_LABELS, minlength=len(LANGUAGES)).min() > 100
    assert np.bincount(FORMAT_LABELS).min() > 800
    assert {text[5:7] for text in ISO} == {f"{month:02d}" for month in range(1, 13)}
    assert {text[:3] for text in ISO} == {str(decade) for decade in range(195, 205)}


@pytest.mark.parametrize(
    ("language", "style", "text"),
    [
        ("German", "full", "dienstag, 5. märz 2024"),
        ("English", "medium", "mar 5, 2024"),
        ("Finnish", "long", "5. maaliskuuta 2024"),
        ("Hungarian", "long", "2024. március 5."),
        ("Norwegian", "full", "tirsdag 5. mars 2024"),
    ],
)
def test_dates_as_people_write_them(language, style, text):
    assert write_date(datetime.date(2024, 3, 5), language, style) == text


def test_texts_are_lower_case_with_plain_spaces():
    for text in make_dates(500, languages=tuple(DATE_LOCALES))[0]:
        assert text == text.lower()
        assert not re.search(r"[^\S ]|  ", text)


def test_no_day_is_in_two_parts_whatever_the_seed():
    parts = [
        {day for seed in range(3) for day in make_dates(4000, part, seed=seed)[1]}
        for part in ("training", "validation", "test")
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_parts_have_their_sizes():
    assert np.allclose(np.bincount(part_of_day(np.arange(700_000, 740_000))) / 40_000, [0.8, 0.1, 0.1], atol=1e-3)  # fmt: skip


def test_a_text_in_the_default_formats_means_one_day():
    texts = {}
    for day in range(366):
        date = datetime.date(2024, 1, 1) + datetime.timedelta(day)
        for language in LANGUAGES:
            for style in DATE_FORMATS:
                texts.setdefault(write_date(date, language, style), set()).add(date)
    assert all(len(days) == 1 for days in texts.values())


def test_a_short_text_can_mean_two_days():
    assert write_date(datetime.date(2024, 5, 3), "Spanish", "short") == "3/5/24"
    assert write_date(datetime.date(2024, 3, 5), "English", "short") == "3/5/24"


def test_the_seed_decides():
    assert make_dates(50, seed=3)[0] == make_dates(50, seed=3)[0]
    assert make_dates(50, seed=3)[0] != make_dates(50, seed=4)[0]


def test_years_are_kept():
    days = make_dates(500, years=(1900, 1901))[1]
    assert {day[:4] for day in days} == {"1900", "1901"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": "train"}, "no part 'train'"),
        ({"languages": ("Klingon",)}, "no Klingon"),
        ({"formats": ("tiny",)}, "no tiny"),
    ],
)
def test_what_it_does_not_have_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_dates(5, **arguments)
