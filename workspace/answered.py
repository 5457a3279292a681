"""When each account's hub answered last: a small file beside the workspace.

It is written at every poll, so it is not in the workspace, whose every change wakes all that listen. Only the process
that synchronises writes it, and always as a whole; a file that cannot be read counts as one that is not there.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ..system import files


def path_of(workspace: Path) -> Path:
    """The file that belongs to a workspace file."""
    return workspace.with_name(f"{workspace.stem}.answered.json")


def read(path: Path) -> dict[str, datetime]:
    """Account ids -> when its hub answered last, in UTC."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    moments: dict[str, datetime] = {}
    for account, at in said.items() if isinstance(said, dict) else ():
        with suppress(ValueError, TypeError):
            moments[account] = datetime.fromisoformat(at)
    return moments


def write(path: Path, account: str, at: datetime) -> None:
    """Keep one more answer. Raises OSError."""
    moments = {**read(path), account: at}
    told = {name: moment.isoformat() for name, moment in moments.items()}
    files.replace(path, json.dumps(told).encode(), durable=False)
