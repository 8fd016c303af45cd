import os

import numpy as np
from IPython import get_ipython
from IPython.display import display


def claim(statement, holds, measured):
    """State something this notebook has measured, with a mark that says whether it holds here.

    statement: one sentence without its full stop. holds: True or False, the result of a comparison.
    measured: the figures behind it, as text. A claim that does not hold says so and lets the notebook go on; where the
    variable COURSE_STRICT is set, as in the course's own tests, it raises AssertionError. Raises TypeError when `holds`
    is anything but one truth value, so that a claim cannot hold by accident.
    """
    if not isinstance(holds, bool | np.bool_):
        raise TypeError(
            f"claim needs True or False, got {holds!r}: compare, and reduce arrays with np.all"
        )
    measured = " ".join(str(measured).split())
    if not holds and os.environ.get("COURSE_STRICT"):
        raise AssertionError(f"Not true here: {statement}. Measured: {measured}")
    if holds:
        text = f"✓ {statement}.\n  Measured: {measured}"
    else:
        text = f"✗ Not so on this machine, this time: {statement}. Measured: {measured}"
    if get_ipython() is None:
        print(text)
    else:  # beside the text, for programs, the same as data
        data = {"statement": statement, "holds": bool(holds), "measured": measured}
        display({"text/plain": text}, metadata={"claim": data}, raw=True)
