"""A copied workspace becomes one of its own."""

from __future__ import annotations

from pathlib import Path

from ...missions.operations import sessions
from .. import lookup
from ..change import Change
from ..integrity.identity import INSTANCE, take_place
from ..workspace import Workspace
from . import workstation


def make_own(workspace: Workspace) -> str:
    """Give a copied workspace an identity of its own, and return it.

    What runs, and what is checked out, belongs to the workspace it was copied from: here the sessions are over and no
    mission has a worktree.
    """
    own = workspace.write(_make_own, workspace.path)
    workspace.identify()
    return own


def _make_own(change: Change, path: Path) -> str:
    connection = change.connection
    for (session_id,) in connection.execute("SELECT id FROM session WHERE phase <> 'ended'").fetchall():
        sessions.end(change, str(session_id), "cancelled", "it ran in the home that this one is a copy of")
    for (mission_id,) in connection.execute("SELECT mission_id FROM worktree WHERE mission_id IS NOT NULL").fetchall():
        mission = lookup.mission(connection, str(mission_id), deleted=True)
        if mission.worktree_path is not None and mission.deleted_at is None:
            workstation.set_mission_worktree(change, mission.id, None, None)
    connection.execute("DELETE FROM worktree")
    connection.execute("DELETE FROM request")
    workstation.forget(change)
    own = change.new_id()
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (own, INSTANCE))
    take_place(connection, path)
    return own
