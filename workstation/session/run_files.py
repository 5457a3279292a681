"""What a session leaves on disk beside its host's files: where it runs, its work when it is lost, its token."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ...agents.sandbox import watching
from ...config.log import logger
from ...missions.entities import Session
from ...missions.errors import SoloUnicornError
from ...system import files, strict_json
from ...worktrees.pool.snapshots import WIP, snapshot_work
from .preparing import Prepared

SHOWN = 5
"""Paths that are named."""
PLACEMENT = "placement.json"


def write_placement(run_dir: Path, prepared: Prepared) -> None:
    """Written before the host is started: should the service die before its row says so, the next one reads it here."""
    files.replace(run_dir / PLACEMENT, strict_json.dumps(asdict(prepared)).encode())


def placement(run_dir: Path) -> Prepared:
    """What was written before the host was started."""
    return Prepared(**strict_json.loads((run_dir / PLACEMENT).read_bytes()))


def kept_work(session: Session) -> str:
    """Keep the uncommitted work of a lost session under a ref; what to tell of it, empty when there is none."""
    where, ref = session.worktree_path, f"{WIP}/{session.id}"
    if where is None or not Path(where).is_dir():
        return ""
    try:
        kept = snapshot_work(where, ref, message=f"Work of the lost session {session.id}")
    except SoloUnicornError as error:
        logger("workstation").warning(
            "no snapshot", extra={"session": session.id, "mission": session.mission_id, "why": str(error)}
        )
        return ""
    return f"; what it left uncommitted is also kept in {ref}" if kept else ""


def changes_elsewhere(run_dir: Path) -> str:
    """What to tell of changes outside of the worktree while the agent worked; empty: there were none that matter."""
    changed = watching.changed(run_dir)
    if not changed:
        return ""
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    named = f"{', '.join(changed[:SHOWN])}{more}"
    return f"Changed outside the worktree while the agent worked: {named}. Check them if that was not you."


def forget_token(run_dir: Path) -> None:
    """The token of an ended session opens nothing any more; its file goes all the same."""
    (run_dir / "mcp.json").unlink(missing_ok=True)
