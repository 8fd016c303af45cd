import numpy as np


def claim(statement, holds, measured):
    """State something this notebook has measured, and stop here if it is false.

    statement: one sentence without its full stop. holds: True or False, the result of a comparison.
    measured: the figures behind it, as text. Raises AssertionError when the statement does not hold, and
    TypeError when `holds` is anything but one truth value, so that a claim cannot hold by accident.
    """
    if not isinstance(holds, bool | np.bool_):
        raise TypeError(
            f"claim needs True or False, got {holds!r}: compare, and reduce arrays with np.all"
        )
    if not holds:
        raise AssertionError(f"Not true here: {statement}. Measured: {measured}")
    print(f"✓ {statement}.\n  Measured: {' '.join(str(measured).split())}")
