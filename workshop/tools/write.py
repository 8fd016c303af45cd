import contextlib
import os
import tempfile
from pathlib import Path

from workshop.tools.errors import BuildError


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step: a reader, or a failure on the way, never meets half of it. Raises BuildError."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, delete=False
        ) as file:
            part = file.name
            file.write(text)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        if part:
            with contextlib.suppress(OSError):
                os.unlink(part)
        raise BuildError(
            f"cannot be written ({error.strerror}): make its folder writable", path
        ) from error
