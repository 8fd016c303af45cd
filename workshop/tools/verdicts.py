"""Remembers, in a small file for each lesson, what the slow tools found and of which code.

Each entry has the digest of all that it depends on: where that differs, the entry says nothing any more.
"""

import json
from pathlib import Path
from typing import Any

from workshop.tools.source import Lesson
from workshop.tools.write import write_whole


def verdict(folder: Path, lesson: Lesson, kind: str, digest: str) -> dict[str, Any] | None:
    """The entry of one kind ("exercises", "mutants", "nulls") of a lesson, or None where there is none of this digest."""
    entry = entries(folder, lesson).get(kind)
    return entry if entry and entry["digest"] == digest else None


def remember(folder: Path, lesson: Lesson, kind: str, digest: str, **found: Any) -> None:
    """Write an entry in place of the one before."""
    content = entries(folder, lesson) | {kind: {"digest": digest, **found}}
    text = json.dumps(dict(sorted(content.items())), indent=1, ensure_ascii=False)
    write_whole(folder / f"{lesson.number}.json", text + "\n")


def entries(folder: Path, lesson: Lesson) -> dict[str, Any]:
    try:
        content = json.loads((folder / f"{lesson.number}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or half of a merge
        return {}
    return content if isinstance(content, dict) else {}
