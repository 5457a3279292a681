"""macOS: a profile for sandbox-exec, in which the last rule that matches decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .view import Access, SandboxView

PROGRAM: Final = "/usr/bin/sandbox-exec"
WRITES: Final = ("/dev", "/private/tmp", "/private/var/tmp", "/private/var/folders")
"""Where every program writes."""


def unable() -> str:
    """Why it cannot be used on this machine; empty when it can."""
    return "" if Path(PROGRAM).exists() else f"there is no {PROGRAM}"


def command(view: SandboxView, homes: list[Path]) -> list[str]:
    """What comes before the command of a program that is to see the machine so."""
    return [PROGRAM, "-p", profile(view, homes)]


def profile(view: SandboxView, homes: list[Path]) -> str:
    """The rules, outer places first. An empty directory of one's own is not to be had: a home is hidden instead."""
    lines = ["(version 1)", "(allow default)", "(deny appleevent-send)"]
    if view.base == "read":
        lines += ["(deny file-write*)", f"(allow file-write* {_places(*WRITES)})"]
    for path, access in view.places.items():
        lines += _rules(path, "hidden" if access == "fresh" and path in homes else access)
    return "\n".join(lines)


def _rules(path: Path, access: Access) -> Iterator[str]:
    place = _places(str(path))
    match access:
        case "hidden":
            yield f"(deny file-read* file-write* {place})"
            yield f"(allow file-read-metadata {place})"  # or a path through it could not be followed
        case "read":
            yield f"(allow file-read* {place})"
            yield f"(deny file-write* {place})"
        case "write" | "fresh":
            yield f"(allow file-read* file-write* {place})"


def _places(*paths: str) -> str:
    """Each with all that is below it; a string is quoted as in C."""
    return " ".join(f"(subpath {json.dumps(path, ensure_ascii=False)})" for path in paths)
