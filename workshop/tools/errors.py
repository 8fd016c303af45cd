from pathlib import Path


class BuildError(Exception):
    """What is wrong with a lesson, with the place in its source. Shown to the author without a Python traceback."""

    def __init__(self, message: str, path: Path | str | None = None, line: int | None = None):
        self.place = f"{path}:{line}: " if line else f"{path}: " if path else ""
        super().__init__(f"{self.place}{message}")
