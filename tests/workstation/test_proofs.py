"""What was reviewed is what lands, with the real service and an agent that leaves its worktree in unusual ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import Shop
from .scripted import Scripted

pytestmark = pytest.mark.slow


def mission(shop: Shop, flow: str = "Direct"):  # type: ignore[no-untyped-def]
    found = shop.mission("Work", flow=flow, code_agent_type="scripted")
    client.ensure_running()
    return found


def files(shop: Shop, revision: str = "main") -> list[str]:
    return shop.git("ls-tree", "-r", "--name-only", revision).split()


def test_a_branch_of_the_agents_own_is_reviewed_named_and_landed(shop: Shop, tmp_path: Path) -> None:
    Scripted(tmp_path, "git switch -qc feat/own; echo work >work.txt; git add -A; git commit -qm 'feat: work'")
    work = mission(shop, "Quick fix")
    reviewed = shop.review(work, "code")
    assert (
        reviewed.pr_branch_name == "feat/own"
        and shop.workspace.read(queries.workstation.worktrees)[0].branch == "feat/own"
    )
    assert any("feat/own" in event.note for event in shop.workspace.read(queries.missions.history, work.id))
    assert shop.sessions(work)[-1].reviewed_commit == shop.git("rev-parse", "feat/own").strip()
    shop.workspace.write(operations.review.approve, work.id)
    shop.done(work)
    assert "work.txt" in files(shop)
    assert not shop.git("for-each-ref", "refs/solo-unicorn/reviewed")


def test_work_on_the_target_itself_is_told_before_anyone_approves(shop: Shop, tmp_path: Path) -> None:
    shop.git("switch", "-qc", "mine")
    Scripted(tmp_path, "git switch -q main; echo work >work.txt; git add -A; git commit -qm work")
    work = mission(shop, "Quick fix")
    reviewed = shop.review(work, "code")
    assert "on main itself" in (reviewed.attention or "")
    shop.workspace.write(operations.review.approve, work.id)
    asked = shop.until(work, lambda now: now.landing_status == "failed", "it is not called done")
    assert "on main" in (asked.landing_error or ""), "its worktree is"


def test_a_hook_that_refuses_sends_the_work_back_once_and_then_asks_a_person(shop: Shop, tmp_path: Path) -> None:
    hook = shop.repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\ngit diff --cached | grep -q SECRET && echo 'a secret was found' && exit 1; exit 0\n")
    hook.chmod(0o755)
    agent = Scripted(tmp_path, "echo SECRET >config.ini; git add -A; git commit -qm work")
    work = mission(shop)
    asked = shop.until(work, lambda now: now.attention, "a person is asked")
    assert "A secret was found" in (asked.attention or "")
    first, second = shop.sessions(work)
    assert first.reason.startswith("sent back to its agent") and second.outcome == "completed"
    assert "A secret was found" in agent.prompts[1]
    assert files(shop) == ["README.md"]


def test_a_repository_that_takes_no_names_of_ours_is_told_and_the_session_ends(shop: Shop, tmp_path: Path) -> None:
    """Noting what is reviewed failed, over and over, and the session never ended."""
    hook = shop.repository / ".git" / "hooks" / "reference-transaction"
    hook.write_text('#!/bin/sh\n[ "$1" = prepared ] || exit 0\n! grep -q refs/solo-unicorn/reviewed\n')
    hook.chmod(0o755)
    Scripted(tmp_path, "echo work >work.txt; git add -A; git commit -qm work")
    work = mission(shop, "Quick fix")
    asked = shop.until(work, lambda now: now.attention, "a person is asked")
    assert "refs/solo-unicorn/reviewed" in (asked.attention or "") and shop.sessions(work)[-1].phase == "ended"


def test_commits_that_change_nothing_are_not_called_done(shop: Shop, tmp_path: Path) -> None:
    Scripted(tmp_path, "git commit -q --allow-empty -m 'chore: nothing'")
    asked = shop.until(mission(shop), lambda now: now.landing_status == "failed", "a person is asked")
    assert "Its commits change nothing" in (asked.landing_error or "")
    assert shop.git("rev-list", "--count", "main").strip() == "1"


def test_a_direct_mission_whose_agent_did_nothing_is_not_called_done(shop: Shop, tmp_path: Path) -> None:
    Scripted(tmp_path, "git switch -qc aside; echo work >work.txt; git add -A; git commit -qm work; git switch -q -")
    work = mission(shop)
    asked = shop.until(work, lambda now: now.landing_status == "failed", "a person is asked")
    assert "nothing to land" in (asked.landing_error or "") and "aside" in (asked.landing_error or "")


def test_a_review_of_nothing_may_be_approved(shop: Shop, tmp_path: Path) -> None:
    Scripted(tmp_path, "true")
    work = mission(shop, "Quick fix")
    shop.review(work, "code")
    shop.workspace.write(operations.review.approve, work.id)
    assert shop.done(work).landed_commit is None


def test_a_link_that_the_setup_script_makes_stays_out(shop: Shop, tmp_path: Path) -> None:
    (shop.repository / "node_modules").mkdir()
    (shop.repository / ".gitignore").write_text("node_modules/\n")
    setup = "ln -s $SOLO_UNICORN_REPOSITORY/node_modules node_modules"
    (shop.repository / ".solo-unicorn.toml").write_text(f"[worktree]\nsetup = '{setup}'\n")
    shop.git("add", ".")
    shop.git("commit", "-qm", "Recipe")
    Scripted(tmp_path, "echo a >a.txt; git add -A; git commit -qm a; echo b >b.txt")
    first = mission(shop)
    shop.done(first)
    assert sorted(files(shop)) == [".gitignore", ".solo-unicorn.toml", "README.md", "a.txt", "b.txt"]
    assert not list((shop.repository / "node_modules").iterdir())
