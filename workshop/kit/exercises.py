import contextlib


@contextlib.contextmanager
def feedback(exercise):
    """Run the checks of an exercise and say in one line how it went, without stopping the notebook.

    exercise: its title. A failed `assert` shows its message; any other error shows what stopped the answer.
    """
    try:
        yield
    except AssertionError as mistake:
        print(f"✗ {exercise}: not yet. {mistake}")
    except Exception as error:
        print(
            f"✗ {exercise}: not yet. It stops with {type(error).__name__}: {error}. Is there code in place of the dots?"
        )
    else:
        print(f"✓ {exercise}: solved.")
