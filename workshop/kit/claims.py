def claim(statement, holds, measured):
    """State something this notebook has measured, and stop here if it is false.

    statement: one sentence without its full stop. holds: one true or false value.
    measured: the figures behind it, as text. Raises AssertionError when the statement does not hold.
    """
    if not bool(holds):
        raise AssertionError(f"Not true here: {statement}. Measured: {measured}")
    print(f"✓ {statement}.\n  Measured: {measured}")
