"""What agents do to a worktree beside their work, and the approval of what a review showed, for the pool's machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import rule

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.landing.proofs import Claimed, check_reviewed, forget, note_reviewed, prove

from .pool_machine import PICK, PoolMachine

ODD = (
    b"two\nlines",
    b"latin-\xe9",
    b"-rf",
    b"\xc3\xbc" * 100,
    b" blank ",
    b"quote\"'`$(x)",
    b"a\tb\\c",
    b".gitignore~",
)
STRATEGIES: tuple[MergeStrategy, ...] = ("merge", "squash", "rebase")


class AgentMachine(PoolMachine):
    """The pool's machine with what agents do; each takes one worktree, if there is one."""

    @rule(pick=PICK)
    def agent_switches(self, pick: int) -> None:
        if path := self.agents(pick, "switches"):
            self.repo.git("switch", "-q", "-c", f"agents-{next(self.numbers)}", cwd=path, check=False)
            self.new_file(path)
            self.committed(path, "On a branch of its own")

    @rule(pick=PICK)
    def agent_renames(self, pick: int) -> None:
        if path := self.agents(pick, "renames its branch"):
            self.repo.git("branch", "-m", f"agents-{next(self.numbers)}", cwd=path, check=False)

    @rule(pick=PICK, finished=st.booleans())
    def agent_rebases(self, pick: int, finished: bool) -> None:
        if path := self.agents(pick, f"rebases, finished {finished}"):
            self.repo.git("rebase", "-q", "main", cwd=path, check=False)
            if finished:
                self.repo.git("rebase", "--abort", cwd=path, check=False)
            self.work &= self.safe()  # what it rewrote is by its own act
            self.commits &= self.safe()

    @rule(pick=PICK)
    def agent_deletes(self, pick: int) -> None:
        """Its commits are on a detached HEAD then, which is the worktree's own."""
        if path := self.agents(pick, "deletes its branch"):
            branch = self.repo.git("symbolic-ref", "-q", "--short", "HEAD", cwd=path, check=False)
            if branch:
                self.repo.git("switch", "-q", "--detach", cwd=path, check=False)
                if not self.repo.git("symbolic-ref", "-q", "HEAD", cwd=path, check=False):
                    self.repo.git("branch", "-q", "-D", branch, cwd=path, check=False)

    @rule(pick=PICK)
    def agent_nests(self, pick: int) -> None:
        if path := self.agents(pick, "nests a repository"):
            inner = path / f"inner-{next(self.numbers)}"
            self.repo.git("init", "-q", str(inner))
            self.new_file(inner)

    @rule(pick=PICK)
    def agent_moves_the_target(self, pick: int) -> None:
        path = self.agents(pick, "moves main")
        if path is None or self.main_is_checked_out():
            return
        if self.repo.git("merge-base", "main", "HEAD", cwd=path, check=False) == self.repo.git("rev-parse", "main"):
            self.repo.git("branch", f"kept-{next(self.numbers)}", "main")
            self.repo.git("update-ref", "refs/heads/main", "HEAD", cwd=path)

    @rule(pick=PICK)
    def agent_leaves_a_lock(self, pick: int) -> None:
        if path := self.agents(pick, "leaves a lock"):
            Path(self.repo.git("rev-parse", "--absolute-git-dir", cwd=path), "index.lock").touch()

    @rule(pick=PICK, name=st.sampled_from(ODD), mode=st.sampled_from([0o644, 0o444, 0o400]))
    def agent_writes_odd_files(self, pick: int, name: bytes, mode: int) -> None:
        if path := self.agents(pick, f"writes {name!r}"):
            folder = path / f"folder-{next(self.numbers)}"
            folder.mkdir()
            self.new_file(folder, name=os.fsdecode(name)).chmod(mode)
            if mode == 0o400:
                folder.chmod(0o555)

    @rule(pick=PICK, strategy=st.sampled_from(STRATEGIES))
    def approve(self, pick: int, strategy: MergeStrategy) -> None:
        """What the review showed is on the target, byte for byte, or a person is asked."""
        held = [row for row in self.slots.worktrees() if row.mission_id is not None and Path(row.path).is_dir()]
        if not held:
            return
        row = held[pick % len(held)]
        path, common = Path(row.path), self.repo.path / ".git"
        with self.ours(f"approve {path.name} by {strategy}"):
            work = Claimed(str(row.mission_id), path, row.branch, row.base_commit, "main", None, "Left over")
            proven = prove(self.repo.path, common, work)
            assert self.repo.git("status", "--porcelain", cwd=path) == "", "the review shows what is committed"
            assert self.repo.git("rev-parse", "HEAD", cwd=path) == proven.commit
            note_reviewed(Git(self.repo.path), work.mission_id, proven.commit)
            check_reviewed(Git(self.repo.path), work.mission_id, proven.branch)
            shown = ("merge-tree", "--write-tree", "--no-messages", "main", proven.commit)
            wanted = self.repo.git(*shown, check=False)
            done = land(
                self.repo.path,
                branch=proven.branch,
                target="main",
                strategy=strategy,
                message="Approved",
                scratch_root=self.pool.root,
            )
            if isinstance(done, Landed):
                # Where a merge would conflict, a rebase that leaves out what landed squashed may not; and what landed
                # before was changed on main since.
                told = "\n" in wanted or done.note == "it had landed before"
                assert told or self.repo.git("rev-parse", "main^{tree}") == wanted, "another tree than was approved"
                forget(Git(self.repo.path), common, work.mission_id)
                self.approved += 1


AGENT_WALK: tuple[tuple[int, str, dict[str, Sequence[object]]], ...] = (
    (3, "agent_switches", {"pick": range(8)}),
    (2, "agent_renames", {"pick": range(8)}),
    (2, "agent_rebases", {"pick": range(8), "finished": (True, False)}),
    (2, "agent_deletes", {"pick": range(8)}),
    (1, "agent_nests", {"pick": range(8)}),
    (2, "agent_moves_the_target", {"pick": range(8)}),
    (2, "agent_leaves_a_lock", {"pick": range(8)}),
    (3, "agent_writes_odd_files", {"pick": range(8), "name": ODD, "mode": (0o644, 0o444, 0o400)}),
    (9, "approve", {"pick": range(8), "strategy": STRATEGIES}),
)
"""How often each is taken in a long walk, and with what."""
