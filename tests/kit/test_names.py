"""Unit tests of the names in many languages."""

import numpy as np
import pytest

from workshop.kit import LANGUAGES, load_names

NAMES, LABELS = load_names()


def test_every_name_is_there_once_and_every_language_has_many():
    assert len(NAMES) == len(set(NAMES)) == len(LABELS)
    assert sorted(NAMES) == NAMES
    assert len(np.bincount(LABELS)) == len(LANGUAGES) == 15
    assert np.bincount(LABELS).min() > 300


def test_names_are_plain_text():
    assert {len(name) for name in NAMES} == set(range(3, 25))
    assert all(name == name.lower() for name in NAMES)
    assert not set("".join(NAMES)) & set("0123456789()’[]/")


@pytest.mark.parametrize(
    ("name", "language"), [("deutschland", "German"), ("étonien", None), ("estonien", "French")]
)
def test_a_name_has_the_label_of_its_language(name, language):
    found = {name: LANGUAGES[label] for name, label in zip(NAMES, LABELS, strict=True)}
    assert found.get(name) == language


def test_shared_names_are_left_out():
    assert "angola" not in NAMES
    assert "angola" in load_names(["English"])[0]


def test_labels_follow_the_order_of_the_languages_asked_for():
    names, labels = load_names(["Spanish", "French"])
    assert labels[names.index("estonien")] == 1


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="no Klingon"):
        load_names(["French", "Klingon"])
