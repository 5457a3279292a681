"""Making a worktree ready to work in: its ports and the setup script; and the teardown script afterwards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ...missions.entities import ProjectRepository, Worktree
from ...system import strict_json
from ..repository.folders import shown_start, start_in
from ..repository.recipe import Recipe, recipe_at
from ..repository.registry import git_dir
from .includes import Pending
from .ports import BLOCK, port_block
from .scripts import ScriptResult, run_script
from .setup_files import excluding, forget_links, noting

_MARKER = "solo-unicorn-setup.json"


@dataclass(frozen=True, slots=True)
class Preparation:
    """What an agent's environment gets, and how the setup script went (None: there is none, or it passed before)."""

    environment: dict[str, str]
    setup: ScriptResult | None
    recipe: Recipe

    @property
    def ready(self) -> bool:
        """Nothing failed."""
        return self.setup is None or self.setup.passed


def prepare(
    root: Path, worktree: Worktree, repository: ProjectRepository, pending: Pending | None = None
) -> Preparation:
    """Give the worktree its ports and run the setup script once per branch and script, once all files are there."""
    path, checkout = Path(worktree.path), Path(repository.local_path)
    recipe = recipe_at(checkout, worktree.base_commit or "HEAD", repository.folder)
    start, variables = start_in(path, repository.folder), variables_of(root, worktree, repository)
    marker = git_dir(path) / _MARKER
    wanted = {
        "branch": worktree.branch,
        "mission": worktree.mission_id,
        "script": hashlib.sha256(recipe.setup.encode()).hexdigest(),
    }
    if not recipe.setup or _read(marker) == wanted:
        return Preparation(variables | excluding(path), None, recipe)
    if pending is not None:
        pending.finish()
    forget_links(path)
    with noting(path):
        result = run_script(
            "setup",
            recipe.setup,
            start,
            log=marker.with_name("solo-unicorn-setup.log"),
            timeout=recipe.setup_timeout,
            extra=variables,
        )
    if result.passed:
        marker.write_text(json.dumps(wanted))
    return Preparation(variables | excluding(path), result, recipe)


def teardown(root: Path, worktree: Worktree, repository: ProjectRepository) -> ScriptResult | None:
    """Run the teardown script, if there is one and the worktree is there."""
    path, checkout = Path(worktree.path), Path(repository.local_path)
    if not path.is_dir():
        return None
    recipe = recipe_at(checkout, worktree.base_commit or "HEAD", repository.folder)
    if not recipe.teardown:
        return None
    directory = git_dir(path)
    (directory / _MARKER).unlink(missing_ok=True)
    return run_script(
        "teardown",
        recipe.teardown,
        Path(shown_start(worktree.path, repository.folder)),
        log=directory / "solo-unicorn-teardown.log",
        timeout=recipe.teardown_timeout,
        extra=variables_of(root, worktree, repository),
    )


def variables_of(root: Path, worktree: Worktree, repository: ProjectRepository) -> dict[str, str]:
    """What scripts and agents are told about their worktree."""
    return {
        "SOLO_UNICORN_PORT": str(port_block(root, worktree.id)),
        "SOLO_UNICORN_PORT_COUNT": str(BLOCK),
        "SOLO_UNICORN_WORKTREE": worktree.path,
        "SOLO_UNICORN_BRANCH": worktree.branch,
        "SOLO_UNICORN_REPOSITORY": repository.local_path,
        **({"SOLO_UNICORN_FOLDER": repository.folder} if repository.folder else {}),
    }


def _read(marker: Path) -> object:
    try:
        return strict_json.loads(marker.read_text())
    except (OSError, ValueError):
        return None
