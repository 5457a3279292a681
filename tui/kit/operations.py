"""`Workspace` for the modules that the first paint needs: its own import waits until one of its methods is used.

The names of its operations stand in many places of the board, all that is behind them is needed by none before a
person presses a key; WorkspaceThread imports it on its own thread once the board is painted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...workspace.workspace import Workspace as Workspace
else:

    class _Later:
        def __getattr__(self, name: str) -> Any:
            from ...workspace.workspace import Workspace

            return getattr(Workspace, name)

    Workspace = _Later()
