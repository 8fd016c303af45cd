"""A claim stops the course's own runs where it is false, and tells a reader."""

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from workshop import kit


@pytest.fixture
def not_strict(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT")


def test_a_true_claim_prints_its_figures(capsys):
    kit.claim("Two is more than one", np.bool_(True), "2 > 1")
    assert capsys.readouterr().out == "✓ Two is more than one.\n  Measured: 2 > 1\n"


@pytest.mark.parametrize("false", [False, np.bool_(False)])
def test_a_false_claim_stops_the_courses_own_runs(false):
    with pytest.raises(AssertionError, match=r"Two is less than one.*2 > 1"):
        kit.claim("Two is less than one", false, "2 > 1")


def test_a_false_claim_tells_a_reader_in_one_line_and_goes_on(not_strict, capsys):
    kit.claim("Two is less than one", False, "2 > 1")
    assert capsys.readouterr().out == (
        "✗ Not so on this machine, this time: Two is less than one. Measured: 2 > 1\n"
    )


@pytest.mark.parametrize("thing", [None, 1, "yes", float("nan"), np.array([True, False])])
def test_a_claim_about_anything_but_true_or_false_is_refused(thing, not_strict):
    with pytest.raises(TypeError, match="needs True or False"):
        kit.claim("All are true", thing, "")


def test_the_figures_of_a_claim_are_one_line(capsys):
    kit.claim("It holds", True, "one\ntwo")
    assert capsys.readouterr().out == "✓ It holds.\n  Measured: one two\n"


@pytest.mark.parametrize("holds", [True, False])
def test_a_notebook_keeps_a_claim_as_data_beside_its_text(not_strict, holds):
    shell = InteractiveShell.instance()
    try:
        with capture_output() as said:
            shell.run_cell(
                f"from workshop import kit\nkit.claim('It holds', {holds}, '1')", silent=False
            )
    finally:
        InteractiveShell.clear_instance()
    (output,) = said.outputs
    assert output.metadata["claim"] == {"statement": "It holds", "holds": holds, "measured": "1"}
    assert output.data["text/plain"].startswith("✓" if holds else "✗")
