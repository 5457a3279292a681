"""Files of other programs: copied before they are changed, and replaced in one step."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path


def backup(file: Path, folder: Path, name: str) -> Path | None:
    """A copy of the file as it is, readable for its owner only; None when there is no file yet."""
    if not file.exists():
        return None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    copy = folder / f"{moment}-{name}"
    copy.touch(mode=0o600)
    copy.write_bytes(file.read_bytes())
    return copy


def write(file: Path, text: str) -> None:
    """Replace the file in one step; where it is a link (to a folder of dotfiles), what it links to."""
    real = Path(os.path.realpath(file))
    real.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        Path(draft).chmod(real.stat().st_mode & 0o777 if real.exists() else 0o644)
        Path(draft).replace(real)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(draft).unlink()
        raise
