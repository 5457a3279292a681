"""The pool's slots as the workspace keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ...missions.entities import SYSTEM, Worktree
from ...workspace import operations, queries
from ...workspace.workspace import Workspace

T = TypeVar("T")


class Ask(Protocol):
    """Runs a function of the workspace wherever that is open, and waits for what it returns."""

    def __call__(self, function: Callable[[Workspace], T], /) -> T: ...


class WorkspaceSlots:
    """Implements `pool.Slots`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @classmethod
    def of(cls, workspace: Workspace) -> WorkspaceSlots:
        """For who has the workspace open in the same thread."""
        return cls(lambda function: function(workspace))

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        """The recorded worktrees of one repository, or of all."""
        return self._ask(lambda workspace: workspace.read(queries.workstation.worktrees, repository))

    def put_worktree(self, worktree: Worktree) -> None:
        """Record one, new or changed."""
        self._ask(lambda workspace: workspace.write_as(SYSTEM, operations.workstation.put_worktree, worktree))

    def remove_worktree(self, worktree_id: str) -> None:
        self._ask(lambda workspace: workspace.write_as(SYSTEM, operations.workstation.remove_worktree, worktree_id))
