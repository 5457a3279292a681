"""The name of a folder of a repository (domain.md, Worktrees)."""

from __future__ import annotations

from pathlib import PurePosixPath

from ..errors import InvalidValue
from ..texts.printing import is_printable

FOLDER_MAX = 400


def checked_folder(value: str) -> str:
    """The path relative to the top of the repository, in its plain form: "packages/app"; empty: all of it.

    Raises InvalidValue for a path that leads out of the repository, or into what git keeps for itself.
    """
    text = value.strip()
    parts = PurePosixPath(text).parts
    plain = "/".join(part for part in parts if part != ".")
    outside = text.startswith(("/", "~")) or ".." in parts or any(part.lower() == ".git" for part in parts)
    if outside or len(plain) > FOLDER_MAX or not is_printable(plain):
        raise InvalidValue(
            "folder",
            f"{text[:FOLDER_MAX]!r} is not a folder of a repository",
            why="it leads out of the repository"
            if outside
            else f"a path has at most {FOLDER_MAX} printable characters",
            todo="give it relative to the root of the repository: packages/app",
        )
    return plain
