"""Where the checkout of a URL comes from: one that is here already, else a clone with a progress bar."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.errors import SoloUnicornError
from ...workspace import queries
from ...workspace.workspace import Workspace
from ..output import Output
from ..progress import bar

if TYPE_CHECKING:
    from ...worktrees.repository.repositories import RepositoryFacts

LARGE_KB = 500_000
"""Kilobytes of a repository on GitHub from which a clone without contents is offered."""


def checkout_of(
    output: Output, opened: Workspace, url: str, path: str | None, blobless: bool
) -> tuple[RepositoryFacts, bool]:
    """The checkout for a URL, and whether it is a clone of ours (which may be removed with the repository)."""
    from ...config.paths import clones_dir
    from ...worktrees.pool.naming import free_path
    from ...worktrees.repository.cloning import check_url, clone, clone_name

    check_url(url)
    here = None if path else _here_already(opened, url)
    if here is not None:
        facts, managed = here
        output.note(f"A checkout of it already exists, and is linked instead: {facts.root}")
        return facts, managed
    blobless = blobless or _wants_blobless(output, url)
    target = Path(path).expanduser().absolute() if path else free_path(clones_dir(), clone_name(url))
    with bar(output, f"cloning into {target}") as progress:
        return clone(url, target, progress=progress, blobless=blobless), path is None


def _here_already(opened: Workspace, url: str) -> tuple[RepositoryFacts, bool] | None:
    """A checkout with that remote: one that another project has linked, or a clone of ours that was kept."""
    from ...config.paths import clones_dir
    from ...worktrees.repository.linking import alike
    from ...worktrees.repository.repositories import inspect

    linked = {
        Path(one.local_path): one.is_managed_clone
        for one in opened.read(queries.projects.repositories)
        if one.local_path
    }
    kept = [one for one in sorted(clones_dir().iterdir()) if not one.name.startswith(".")]
    for path in (*linked, *kept):
        try:
            facts = inspect(path, look_at_files=False)
        except SoloUnicornError:
            continue
        if facts.remote_url and alike(facts.remote_url) == alike(url):
            return facts, linked.get(path, True)
    return None


def _wants_blobless(output: Output, url: str) -> bool:
    """For a large repository on GitHub: asked on a terminal, else said."""
    size = _size_kb(url)
    if size < LARGE_KB:
        return False
    said = f"It is large ({size / 1e6:.1f} GB)"
    if output.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        output.note(f"{said}; --blobless clones it without the contents of old commits.")
        return False
    print(
        f"{said}. Clone it without the contents of old commits, which git fetches when needed? [Y/n]  ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def _size_kb(url: str) -> int:
    """What GitHub says of its size; 0 when it is not there or cannot be asked now."""
    from ...config.loading import load
    from ...worktrees.github import access
    from ...worktrees.github.hosts import RepositoryName, enterprise_name
    from ...worktrees.repository.addresses import parse_github

    settings = load().github
    found = parse_github(url)
    name = RepositoryName(*found) if found else enterprise_name(url, settings.hosts)
    if name is None:
        return 0
    try:
        return access.ask(name, settings.api_url).size_kb
    except SoloUnicornError:
        return 0
