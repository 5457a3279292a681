"""What was last heard of each account's hub: a small file beside the workspace.

It is written at every look at a hub, so it is not in the workspace, whose every change wakes all that listen. Only the
process that synchronises writes it, and always as a whole; a file that cannot be read counts as one that is not there.
"""

from __future__ import annotations

from pathlib import Path

from ...missions.connected import Heard
from ...missions.errors import InvalidValue
from ...missions.wire import from_wire, to_wire
from ...system import files, strict_json
from ...system.locks import is_held


def file_of(workspace: Path) -> Path:
    """The file that belongs to a workspace file."""
    return workspace.with_name(f"{workspace.stem}.heard.json")


def lock_of(workspace: Path) -> Path:
    """The lock that the process holds which synchronises a workspace."""
    return workspace.with_name("sync.lock")


def synchronising(workspace: Path) -> bool:
    """Whether some process synchronises a workspace now."""
    return is_held(lock_of(workspace))


def read(workspace: Path) -> dict[str, Heard]:
    """Account ids -> what was heard of its hub."""
    try:
        said = strict_json.loads(file_of(workspace).read_bytes())
        return {str(account): from_wire(Heard, one) for account, one in said.items()}
    except (OSError, ValueError, AttributeError, InvalidValue):
        return {}


def write(workspace: Path, account: str, heard: Heard) -> None:
    """Keep what was heard of one account's hub. Raises OSError."""
    kept = {name: to_wire(one) for name, one in (read(workspace) | {account: heard}).items()}
    files.replace(file_of(workspace), strict_json.dumps(kept).encode(), durable=False)
