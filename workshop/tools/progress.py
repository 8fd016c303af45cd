"""What the commands say while they work."""

import sys


def show_progress(text: str, last: bool = False) -> None:
    """On a terminal one line that changes; elsewhere only the last word on each piece of work."""
    if sys.stdout.isatty():
        print(
            f"\r{text[:79]:<79}" if not last else f"\r{text:<79}",
            end="\n" if last else "",
            flush=True,
        )
    elif last:
        print(text, flush=True)
