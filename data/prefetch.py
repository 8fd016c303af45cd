"""Fills Keras's cache with all that the lessons can download, so that a class can work without network.

Run it from the course's folder: `python data/prefetch.py`. The cache is ~/.keras, or the folder that the environment
variable KERAS_HOME names. Copy it to other machines as it is.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workshop.kit import load_digits, load_mobilenet, load_spoken_digits
from workshop.kit.downloads import keras_cache
from workshop.tools.course import Course

# What to load, and its size. The lessons that use it say so in their headers; MNIST is for whoever wants more digits.
DOWNLOADS = {
    "MNIST": (lambda: load_digits(size="full"), "11 MB"),
    "MobileNetV2's ImageNet weights": (load_mobilenet, "2 MB"),
    "spoken digits": (load_spoken_digits, "16 MB"),
}


def main() -> int:
    """Download what is not yet there. Returns 0, or 1 where something could not be had."""
    missing = []
    for name, (load, size) in DOWNLOADS.items():
        users = [
            lesson.name for lesson in Course.here().lessons() if name in lesson.header.downloads
        ]
        print(f"{name} ({size}), for {', '.join(users) or 'all lessons with handwritten digits'}")
        try:
            load()
        except RuntimeError as error:
            missing.append(name)
            print(f"  not loaded: {error}", file=sys.stderr)
    if missing:
        print(
            f"Missing: {', '.join(missing)}. Connect to the network and run this again.",
            file=sys.stderr,
        )
        return 1
    print(f"All in {keras_cache()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
