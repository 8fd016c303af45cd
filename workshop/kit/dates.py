import datetime
import unicodedata

import babel.dates
import numpy as np

from workshop.kit.names import LANGUAGE_CODES, LANGUAGES

DATE_LOCALES = {
    **LANGUAGE_CODES,  # the default; the others wait to be asked for
    "Catalan": "ca",
    "Galician": "gl",
    "Greek": "el",
    "Icelandic": "is",
    "Lithuanian": "lt",
    "Norwegian": "nb",
    "Romanian": "ro",
    "Russian": "ru",
    "Slovak": "sk",
    "Welsh": "cy",
}
DATE_FORMATS = ("full", "long", "medium")
DAY_PARTS = ("training", "validation", "test")
GOLDEN_RATIO = (1 + 5**0.5) / 2


def make_dates(
    count,
    part="training",
    languages=LANGUAGES,
    formats=DATE_FORMATS,
    years=(1950, 2049),
    seed=0,
):
    """Random dates, written as people write them in many languages, and in ISO 8601: which day is it?

    part: every day of the calendar belongs to one of DAY_PARTS (in 8, 1 and 1 of 10 cases), whatever the seed, so
    that no day of the test data is in the training data. languages: names out of DATE_LOCALES. formats: out of
    "full", "long", "medium" and "short"; a text in a short format may have several meanings. years: first and last.
    Returns written, a list of count lower-case texts; iso, a list of count texts like "2024-03-05"; and the labels
    of language and format, (count,) integers each, the places in `languages` and `formats`.
    Raises ValueError for an unknown part, language or format.
    Source: the patterns of Unicode CLDR, as it comes with Babel.
    """
    if part not in DAY_PARTS:
        raise ValueError(f"make_dates has no part {part!r}: it has {DAY_PARTS}")
    unknown = set(languages) - set(DATE_LOCALES) | set(formats) - {*DATE_FORMATS, "short"}
    if unknown:
        raise ValueError(
            f"make_dates has no {', '.join(sorted(unknown))}: it has {tuple(DATE_LOCALES)} and full, long, medium, short"
        )
    first = datetime.date(years[0], 1, 1).toordinal()
    days = np.arange(first, datetime.date(years[1], 12, 31).toordinal() + 1)
    days = days[part_of_day(days) == DAY_PARTS.index(part)]
    generator = np.random.default_rng(seed)
    dates = [datetime.date.fromordinal(day) for day in generator.choice(days, count)]
    language_labels = generator.integers(0, len(languages), count)
    format_labels = generator.integers(0, len(formats), count)
    written = [
        write_date(date, languages[language], formats[style])
        for date, language, style in zip(dates, language_labels, format_labels, strict=True)
    ]
    return written, [date.isoformat() for date in dates], language_labels, format_labels


def part_of_day(days):
    """The part of DAY_PARTS that each day belongs to: 0, 1 or 2. days: (n,) integers, as `date.toordinal` counts."""
    places = days * GOLDEN_RATIO % 1  # multiples of the golden ratio spread evenly over [0, 1)
    return np.searchsorted([0.8, 0.9], places, side="right")


def write_date(date, language, style):
    """One date as the people of a language write it, in lower case, with plain spaces."""
    text = babel.dates.format_date(date, style, locale=DATE_LOCALES[language])
    return " ".join(unicodedata.normalize("NFC", text).lower().split())
