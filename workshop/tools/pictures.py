"""Puts a lesson's drawn pictures into its notebook as data."""

import base64
import io
import re
from pathlib import Path

import PIL.Image

from workshop.tools.errors import BuildError

WIDEST_PICTURE = 700  # pixels: a Markdown picture shows at its own size, and this is what a notebook's page has room for
PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]*)\)[ ]*$", re.MULTILINE)


def split_pictures(source: str, path: Path, line: int) -> list[str]:
    """A text cell's parts: its prose, and each picture with its data, which becomes a cell of its own."""
    parts, end = [], 0
    for match in PICTURE.finditer(source):
        here = line + source[: match.start()].count("\n") + 1
        parts += [
            source[end : match.start()],
            picture_as_data(path, match["alt"], match["target"], here),
        ]
        end = match.end()
    parts.append(source[end:])
    stray = next(
        (part for part in parts if "](" in part and re.search(r"!\[[^\]]*\]\((?!data:)", part)),
        None,
    )
    if stray or "<img" in source:
        raise BuildError(
            "a picture stands on a line of its own: ![what it shows](path)", path, line
        )
    return [part.strip("\n") for part in parts if part.strip()]


def picture_as_data(source_path: Path, alt: str, target: str, line: int) -> str:
    if not alt.strip():
        raise BuildError(
            f"the picture {target} has no alt text: write what it shows between ![ and ]",
            source_path,
            line,
        )
    picture_path = (source_path.parent / target).resolve()
    if not picture_path.is_file():
        raise BuildError(f"there is no picture {target}", source_path, line)
    data = picture_path.read_bytes()
    try:
        picture = PIL.Image.open(io.BytesIO(data))
    except PIL.UnidentifiedImageError:
        picture = None
    if (
        not picture
        or picture.format != "PNG"
        or picture.mode != "P"
        or picture.width > WIDEST_PICTURE
    ):
        raise BuildError(
            f"{target} is not a palette PNG of at most {WIDEST_PICTURE} pixels: save it with images/drawing.py",
            source_path,
            line,
        )
    return f"![{alt}](data:image/png;base64,{base64.b64encode(data).decode()})"
