"""A crash before every SQL statement of every operation, on real files: after it all is as before, or as after it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions import operations as domain
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.store import Store
from solo_unicorn.workspace.workspace import Workspace

from .crash_stories import BRANCHES, STORIES
from .crash_values import ACTOR, ANN, FLOW, HERE, HUB_HAS, PROJECT
from .simulation.store import Crash, Fragile, SilentWorkspace

BY_OTHERS = frozenset(
    {
        "dispatch.refused",
        "dispatch.said",
        "dispatch.take_over",
        "dispatch.hand_back",
        "tutorial.follow",
        "workstation.set_agent_limit",
        "workstation.hold_agent",
        "workstation.agent_answered",
        "review.approve",
        "landing.landed",
        "landing.started",
        "landing.conflicted",
        "landing.failed",
        "landing.retry",
        "pull_requests.opened",
        "pull_requests.seen",
        "identity.make_own",
        "imports.import_project",
        "connecting.connect",
        "connecting.forget_account",
        "repair.repair",
        "sample.create",
        "tutorial.create",
        "sync_steps.recover_unsent",
        "comments.answer",
        "comments.edit",
        "comments.propose_tour",
        "landing.undone",
        "review_marks.looked",
        "review_marks.mark",
        "review_marks.turn_began",
    }
)
"""Without a step of their own: each is one transaction, which is proven below; what that means the steps prove."""
SHARED = ("connecting", "files", "history", "resolving", "sending", "sync_steps")
"""Modules of the replica that hold operations; the others are what those are made of."""
BUILDING_BLOCKS = frozenset(
    {
        "connecting.take_project",
        "files.queue_all",
        "history.queue_history",
        "missions.set_links",
        "parts.create",
        "sessions.claim",
        "sessions.finish",
        "sessions.give_back",
        "sessions.take",
    }
)
"""What operations with steps are made of."""
ONE_BY_ONE = frozenset({"sync_steps.recover_unsent", "tutorial.follow"})
"""A transaction for each journal, which is read until they are there (test_journal.py); one for each step done."""


class FragileStore(Store):
    """The real store over a real file, on a connection that counts statements."""

    def __init__(self, path: Path) -> None:
        self.path, self.read_only = path, None
        self.connection: Fragile = sqlite3.connect(path, isolation_level=None, factory=Fragile)
        self.connection.execute("PRAGMA foreign_keys = ON")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a mirrored mission, a row on its way and one that waits."""
    path = tmp_path_factory.mktemp("matrix") / "prepared.db"
    with SilentWorkspace(Store(path)) as workspace:
        replica.connecting.put_account(workspace, ANN)
        workspace.write(
            replica.connecting.connect, ANN, {"id": PROJECT, "name": "Shared"}, {"flows": [FLOW], "actors": [ACTOR]}
        )
        workspace.write_as(
            SYSTEM,
            replica.sync_steps.take_changes,
            PROJECT,
            {"changes": [HUB_HAS], "cursor": "c1", "seq": 3, "epoch": 1},
        )
        workspace.write(operations.missions.edit, HERE, {"title": "mine"})
        workspace.write_as(
            SYSTEM, replica.sending.freeze, workspace.read(replica.sync_steps.due, "ann@hub")[0].seq, FULL, 1.0
        )
        workspace.write(operations.projects.create_actor, PROJECT, "Mine")
        workspace.write(operations.missions.create, PROJECT, MissionDraft(title="another"))
        workspace.write(operations.missions.edit, HERE, {"description": "mine\nb\nc"})
        workspace.checkpoint()
    return path


def told(workspace: Workspace) -> str:
    """Everything there is, as text."""
    connection = workspace._store.connection
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    tables = sorted(name for (name,) in names.fetchall() if not name.startswith("sqlite_"))
    return repr({one: sorted(map(repr, connection.execute(f"SELECT * FROM {one}").fetchall())) for one in tables})


def opened(path: Path, first: int) -> SilentWorkspace:
    numbers = iter(range(first * 1000 + 1, 10**9))
    return SilentWorkspace(
        FragileStore(path), clock=lambda: datetime(2026, 5, 2, tzinfo=UTC), new_id=lambda: f"01JN{next(numbers):022d}"
    )


def crash_everywhere(before: Path, after: Path, number: int, step: Callable[[Workspace], Any]) -> None:
    """Crash in a step before each of its statements, each time from `before`; `after` is left as the step leaves it."""
    _copy(before, after)
    workspace = opened(after, number)
    allowed = {told(workspace)}
    workspace._store.connection.statements = 0  # type: ignore[attr-defined]
    step(workspace)
    total = workspace._store.connection.statements  # type: ignore[attr-defined]
    allowed.add(told(workspace))
    workspace.checkpoint()
    workspace.close()
    assert total >= 3
    path = after.with_name("crashing.db")
    for left in range(total):
        _copy(before, path)
        workspace = opened(path, number)
        workspace._store.connection.left = left  # type: ignore[attr-defined]
        with pytest.raises(Crash):
            step(workspace)
        workspace._store.connection.left = -1  # type: ignore[attr-defined]
        workspace._store.connection.close()
        with opened(path, number) as again:
            assert told(again) in allowed, f"half done when it crashed before statement {left} of {total}"
            assert (
                again.read(replica.sync_steps.mirrors) == []
                or again.read(replica.sync_steps.verify_mirror, PROJECT) == []
            )


def _copy(source: Path, target: Path) -> None:
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    shutil.copy(source, target)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BRANCHES))
def test_nothing_is_half_done(name: str, prepared: Path, tmp_path: Path, home: Path) -> None:
    crash_everywhere(prepared, tmp_path / "w.db", 0, BRANCHES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", list(STORIES))
def test_nothing_of_a_story_is_half_done(name: str, prepared: Path, tmp_path: Path, home: Path) -> None:
    before = prepared
    for number, (step, operation) in enumerate(STORIES[name].items()):
        after = tmp_path / f"{number}.db"
        try:
            crash_everywhere(before, after, number, operation)
        except Exception as error:
            error.add_note(f"in the step {step!r}")
            raise
        before = after


def writers() -> dict[str, tuple[str, ast.FunctionDef]]:
    """Every public function of a change or of the workspace, with the name of its first parameter and its source."""
    found = {}
    for package in (domain, operations, replica):
        for info in pkgutil.iter_modules(package.__path__):
            if package is replica and info.name not in SHARED:
                continue
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for tree in ast.parse(inspect.getsource(module)).body:
                if not isinstance(tree, ast.FunctionDef) or tree.name.startswith("_"):
                    continue
                parameters = [one.arg for one in (*tree.args.posonlyargs, *tree.args.args)]
                if parameters[:1] in (["change"], ["workspace"]):
                    found[f"{info.name}.{tree.name}"] = (parameters[0], tree)
    return {name: one for name, one in found.items() if name not in BUILDING_BLOCKS}


def _transactions(tree: ast.AST) -> int:
    return sum(
        isinstance(one, ast.Call) and ast.unparse(one.func) in ("workspace.write", "workspace.write_as")
        for one in ast.walk(tree)
    )


def test_every_operation_that_writes_has_a_step() -> None:
    """A new one without a step fails here."""
    steps = {name.partition(":")[0] for names in (BRANCHES, *STORIES.values()) for name in names}
    known = {name for name, (first, tree) in writers().items() if first == "change" or _transactions(tree)}
    known.add("set_meta")  # the one write of Workspace itself
    assert known - steps - BY_OTHERS == set(), "operations without a step in crash_stories.py"
    assert (steps | BY_OTHERS) - known == set(), "steps of operations that there are not"
    assert steps & BY_OTHERS == set()


def test_every_operation_writes_in_one_transaction() -> None:
    """A function of a change cannot open another; one of the workspace opens one, and not in a loop."""
    for name, (first, tree) in writers().items():
        assert _transactions(tree) <= (first == "workspace"), name
        loops = [one for one in ast.walk(tree) if isinstance(one, ast.For | ast.While)]
        assert name in ONE_BY_ONE or not any(_transactions(loop) for loop in loops), name
