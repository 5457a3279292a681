"""Signing in at a hub and bringing a project there, as our own commands do it."""

from __future__ import annotations

from collections.abc import Callable

from ...missions.entities import Project
from ...sync import replica
from ...workspace.workspace import Workspace
from ..kit.commands import Commands


def last_hub(workspace: Workspace) -> str:
    """The hub that was signed in at last, empty when there is none."""
    return next((one.hub for one in reversed(workspace.read(replica.connecting.accounts))), "")


def signed_in(workspace: Workspace) -> str:
    """The hub that somebody is signed in at, empty when there is none; several are told apart by the command."""
    return next((one.hub for one in workspace.read(replica.connecting.accounts) if one.signed_in), "")


async def sign_in(commands: Commands, address: str, show: Callable[[str], None], *, in_file: bool) -> None:
    """Sign in; `show` is given the address of the hub's page, where the person goes meanwhile. Raises what went wrong.

    `in_file`: keep the tokens in a file, which the person must have asked for.
    """

    def heard(line: str) -> None:
        if line.startswith(("http://", "https://")):
            show(line)

    how = ("--no-browser", "--store-in-file") if in_file else ("--no-browser",)
    await commands.ask("auth", "login", f"--hub={address}", *how, seconds=310, heard=heard)


async def publish(commands: Commands, project: Project) -> None:
    """Bring a local project to the hub. Raises what went wrong."""
    await commands.ask("project", "publish", project.slug, seconds=300)
