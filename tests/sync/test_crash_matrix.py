"""A crash before every SQL statement of every operation, on real files: after it all is as before, or as after it."""

from __future__ import annotations

import ast
import inspect
import shutil
import sqlite3
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.sync.replica.pushing import FULL
from solo_unicorn.workspace.store import Store
from solo_unicorn.workspace.workspace import Workspace

from .crash_stories import ACTOR, ANN, BRANCHES, FLOW, HERE, HUB_HAS, PROJECT, STORIES
from .simulation.store import Crash, Fragile, SilentWorkspace

BY_OTHERS = frozenset(
    {
        "approve",
        "landed",
        "landing_started",
        "landing_conflicted",
        "landing_failed",
        "retry_landing",
        "request_review",
        "pull_request_opened",
        "pull_request_seen",
        "import_project",
        "connect_project",
        "forget_account",
        "file_dropped",
        "file_refused",
        "file_sent",
        "file_tried",
        "file_without_mission",
        "conflict",
        "create_sample_project",
        "create_tutorial",
        "recover_unsent",
    }
)
"""Without a step of their own: each is one transaction, which is proven below; what that means the steps prove."""
OPENERS = frozenset({"_change", "writing", "write_as"})
"""What a method opens its transaction by."""
ONE_BY_ONE = frozenset({"recover_unsent"})
"""A transaction for each journal; the journal is read until they are there (test_journal.py)."""


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
        workspace.put_account(ANN)
        workspace.connect_project(ANN, {"id": PROJECT, "name": "Shared"}, {"flows": [FLOW], "actors": [ACTOR]})
        workspace.take_changes(PROJECT, {"changes": [HUB_HAS], "cursor": "c1", "seq": 3, "epoch": 1})
        workspace.edit_mission(HERE, {"title": "mine"})
        workspace.freeze(workspace.due("ann@hub")[0].seq, FULL, 1.0)
        workspace.create_actor(PROJECT, "Mine")
        workspace.create_mission(PROJECT, MissionDraft(title="another"))
        workspace.edit_mission(HERE, {"description": "mine\nb\nc"})
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
            assert again.mirrors() == [] or again.verify_mirror(PROJECT) == []


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


def writers() -> dict[str, ast.FunctionDef]:
    """Every public operation of the workspace that writes."""
    found = {}
    for name, function in inspect.getmembers(Workspace, inspect.isfunction):
        if name.startswith("_") or name in ("write", "write_as"):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        assert isinstance(tree, ast.FunctionDef)
        if _transactions(tree):
            found[name] = tree
    return found


def _transactions(tree: ast.AST) -> int:
    return sum(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in OPENERS
        for one in ast.walk(tree)
    )


def test_every_operation_that_writes_has_a_step() -> None:
    """A new one without a step fails here."""
    steps = {name.partition(":")[0] for names in (BRANCHES, *STORIES.values()) for name in names}
    known = writers().keys()
    assert known - steps - BY_OTHERS == set(), "operations without a step in crash_stories.py"
    assert (steps | BY_OTHERS) - known == set(), "steps of operations that there are not"
    assert steps & BY_OTHERS == set()


def test_every_operation_writes_in_one_transaction() -> None:
    """Not in a loop, and not twice: what a crash leaves is what was before or what is after."""
    for name, tree in writers().items():
        assert _transactions(tree) == 1, name
        loops = [one for one in ast.walk(tree) if isinstance(one, ast.For | ast.While)]
        assert name in ONE_BY_ONE or not any(_transactions(loop) for loop in loops), name
