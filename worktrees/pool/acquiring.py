"""How a mission gets its worktree: resume its own, reuse a vacant one, or create one (under the repository's lock)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import Mission, ProjectRepository, Worktree
from ..bases import Base, base_refs, resolve_base
from ..git import Git, GitError
from ..repository.registry import Listed, add_worktree, find, listed_worktrees
from ..repository.repositories import RepositoryFacts, check_branch_name, has_branch
from ..repository.submodules import fill
from .includes import AT_ONCE, copy_included
from .naming import free_path, numbered, worktree_name
from .ownership import is_own, owned_by_another, owner_refs
from .records import SPARE, BranchTaken, PoolFull, WorktreeLease
from .snapshots import keep_reachable, landed_ref
from .status import WorktreeStatus

if TYPE_CHECKING:
    from .records import PoolRecords


@dataclass(slots=True)
class Claim:
    """One claim of one mission; lives as long as the call."""

    pool: PoolRecords
    repository: ProjectRepository
    mission: Mission
    facts: RepositoryFacts
    branch: str
    wanted_base: str | None
    leave_large: bool = False
    warnings: list[str] = field(default_factory=list)
    wanted_branch: str = ""
    listed: list[Listed] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    """What the wanted branch, the base and the owners' notes pointed at when the claim began."""

    def look(self) -> None:
        """What git lists now, and where the branches of this claim point; raises InvalidValue for a bad branch name."""
        lands_on = {self._target(), self.repository.default_branch, self.facts.default_branch}
        if check_branch_name(self.branch) in lands_on and self.chosen:
            raise BranchTaken(self.branch, "missions land on it")
        self.branch = self._unblocked(self.branch)
        self.wanted_branch = self.branch
        self.listed = listed_worktrees(self.git)
        self.refs = self.git.refs(
            f"refs/heads/{self.branch}",
            f"refs/remotes/{self.facts.remote}/{self.branch}",
            *base_refs(self.base_name(), self.facts.remote),
            *owner_refs(self.mission.id, self.branch),
            landed_ref(self.branch),
        )

    def furnish(self, lease: WorktreeLease) -> WorktreeLease:
        """Bring in what git does not: ignored files a build needs, and submodules. It may take long, so no lock is
        held: the worktree is the mission's by now."""
        at_once = AT_ONCE if self.leave_large else None
        copied = copy_included(self.facts.root, lease.path, replace_old=lease.how == "reused", at_once=at_once)
        unfilled = fill(lease.path, self.facts.common_dir, only_empty=lease.how == "resumed")
        return replace(lease, warnings=(*lease.warnings, *copied.warnings, *unfilled), pending=copied.pending)

    @property
    def git(self) -> Git:
        """Git in the person's checkout; nothing here changes that checkout."""
        return Git(self.facts.root)

    @property
    def chosen(self) -> bool:
        """A person chose the branch: no other is used in its place."""
        return self.mission.work_branch == self.branch

    def reuse_or_create(self) -> WorktreeLease:
        """Same branch first, then any vacant worktree, then a new one."""
        base = resolve_base(self.git, self.base_name(), self.facts.remote, self.refs)
        self.warnings += base.warnings
        if self._has_landed(base):
            self._begin_anew()
        if self.chosen and self._exists(self.branch) and not is_own(self.refs, self.mission.id, self.branch):
            if owned_by_another(self.git, self.mission.id, self.branch):
                raise BranchTaken(self.branch, "it belongs to another mission")
            self.warnings.append(f"branch {self.branch} already existed; the mission continues on it")
        same = self._vacant_on_branch()
        if same:
            return same
        self.branch = self._free_branch()
        for vacant in reversed([one for one in self.pool.records(self.repository) if one.mission_id is None]):
            seen = self.pool.vacancy(vacant, self.facts.common_dir, self.listed)
            if not isinstance(seen, str):
                lease = self._switch(vacant, seen, base)
                if lease:
                    return lease
        return self._create(base)

    def _has_landed(self, base: Base) -> bool:
        """Whether the wanted branch is the mission's own and all of its work is on the target: a loop mission's last
        run, or a mission that was opened again. The next run starts from the base, not from where the last one did."""
        tip = self.refs.get(f"refs/heads/{self.branch}")
        if tip is None or tip == base.commit or not is_own(self.refs, self.mission.id, self.branch):
            return False
        return self.refs.get(landed_ref(self.branch)) == tip or self.git.ancestor(tip, base.commit)

    def _begin_anew(self) -> None:
        """Take the landed branch away, so that it is made again from the base; its commits stay on the target."""
        ref = f"refs/heads/{self.branch}"
        for place, entry in enumerate(self.listed):
            if entry.branch == self.branch:
                records = self.pool.records(self.repository)
                vacant = [one for one in records if Path(one.path) == entry.path and one.mission_id is None]
                if not vacant or isinstance(self.pool.vacancy(vacant[0], self.facts.common_dir, self.listed), str):
                    return  # somebody looks at it, or works on it: it goes on from where it is
                Git(entry.path).run("switch", "--quiet", "--detach", tries=6)
                self.listed[place] = replace(entry, branch=None)
        self.git.run("update-ref", "-m", "solo-unicorn: landed", "-d", ref, self.refs.pop(ref), tries=6)

    def base_name(self) -> str:
        """What the mission starts from, by name."""
        return self.wanted_base or self._target()

    def _target(self) -> str:
        """The branch the mission goes back to."""
        return self.mission.target_branch or self.repository.default_branch or self.facts.default_branch

    def _vacant_on_branch(self) -> WorktreeLease | None:
        """A vacant worktree that already has the wanted branch checked out."""
        for vacant in self.pool.records(self.repository):
            entry = find(self.listed, Path(vacant.path))
            if vacant.mission_id is None and entry and entry.branch == self.branch:
                why_not = self.pool.vacancy(vacant, self.facts.common_dir, self.listed)
                if not isinstance(why_not, str):
                    base = self._merge_base(vacant.base_commit)
                    kept = replace(vacant, branch=self.branch, mission_id=self.mission.id, base_commit=base)
                    return self.leased(kept, "reused", base)
                self.warnings.append(f"{vacant.path} could not be reused: {why_not}")
        return None

    def _free_branch(self) -> str:
        """The wanted branch, or a numbered one where it is checked out elsewhere or is another mission's."""
        taken = {entry.branch: entry.path for entry in self.listed if entry.branch}

        def free(name: str) -> bool:
            if name in taken:
                return False
            return (
                is_own(self.refs, self.mission.id, name)
                or not self._exists(name)
                or not owned_by_another(self.git, self.mission.id, name)
            )

        chosen = numbered(self.branch, free)
        if chosen != self.branch:
            where = f"is checked out in {taken[self.branch]}" if self.branch in taken else "is another mission's"
            if self.chosen:
                raise BranchTaken(self.branch, f"it {where}")
            self.warnings.append(f"branch {self.branch} {where}; using {chosen}")
        return chosen

    def _unblocked(self, branch: str) -> str:
        """The name, or one without folders where a branch here or on the remote stands for one of its folders."""
        folders = ["/".join(branch.split("/")[:depth]) for depth in range(1, branch.count("/") + 1)]
        places = ["refs/heads/", f"refs/remotes/{self.facts.remote}/"]
        names = [f"{place}{folder}" for place in places for folder in folders]
        if not names or self.git.refs(*names).keys().isdisjoint(names):
            return branch
        if self.chosen:
            raise BranchTaken(branch, "another branch has the name of one of its folders")
        other = branch.replace("/", "-")
        self.warnings.append(
            f"{branch} cannot exist next to a branch with the name of one of its folders; using {other}"
        )
        return other

    def _exists(self, branch: str) -> bool:
        """Whether there is a local branch of that name."""
        asked = branch == self.wanted_branch
        return f"refs/heads/{branch}" in self.refs if asked else has_branch(self.git, branch)

    def _start(self, base: Base) -> tuple[str, bool]:
        """The commit the branch starts from, and whether the branch is there already."""
        if self._exists(self.branch):
            return self._merge_base(base.commit), True
        remote = f"refs/remotes/{self.facts.remote}/{self.branch}"
        pushed = self.git.refs(remote).get(remote) if self.branch != self.wanted_branch else self.refs.get(remote)
        if pushed:
            self.warnings.append(f"branch {self.branch} continues from {self.facts.remote}/{self.branch}")
        return pushed or base.commit, False

    def _merge_base(self, fallback: str | None) -> str:
        """Where the wanted branch left its target."""
        target = self.git.commit(self._target())
        found = self.git.maybe("merge-base", target, f"refs/heads/{self.branch}") if target else None
        return found or fallback or self.facts.head_commit

    def _switch(self, vacant: Worktree, seen: WorktreeStatus, base: Base) -> WorktreeLease | None:
        """Point a verified vacant worktree at the branch; None (and everything as before) when it cannot hold it."""
        path, (start, exists) = Path(vacant.path), self._start(base)
        git = Git(path)
        if seen.branch is None:
            keep_reachable(path)
        before = seen.branch or seen.commit or ""
        goal = self.refs.get(f"refs/heads/{self.branch}", f"refs/heads/{self.branch}") if exists else start
        same = seen.commit == goal
        ignored_alike = same or git.test("diff", "--quiet", "HEAD", goal, "--", ":(glob)**/.gitignore")
        arguments = ["switch", "--quiet", "--no-guess"]
        # Without files to change there are none to overwrite, and git is spared the look at all of them.
        arguments += [] if same else ["--no-overwrite-ignore"]
        arguments += [self.branch] if exists else ["--no-track", "-c", self.branch, start]
        try:
            git.run(*arguments, tries=6, timeout=600, hooks=True)
        except GitError as error:
            if git.maybe("symbolic-ref", "--short", "HEAD") == self.branch:
                return self._switched(vacant, git, before, exists, ignored_alike, start)  # a hook failed afterwards
            if seen.branch and git.maybe("symbolic-ref", "--short", "HEAD") != before:
                raise
            said = error.stderr.splitlines()[0] if error.stderr else error.what
            self.warnings.append(f"{path} could not be reused: {said}")
            return None
        return self._switched(vacant, git, before, exists, ignored_alike, start)

    def _switched(
        self, vacant: Worktree, git: Git, before: str, exists: bool, ignored_alike: bool, start: str
    ) -> WorktreeLease | None:
        """The worktree as the mission's, once it stands on the branch and nothing of the last mission shows there."""
        path = Path(vacant.path)
        if not ignored_alike and git.out("status", "--porcelain", "-z"):
            self._switch_back(git, before, exists)
            self.warnings.append(f"{path} could not be reused: files ignored on {before} are not on {self.branch}")
            return None
        path = self._renamed(path)
        kept = replace(vacant, path=str(path), branch=self.branch, mission_id=self.mission.id, base_commit=start)
        return self.leased(kept, "reused", start)

    def _switch_back(self, git: Git, before: str, existed: bool) -> None:
        """Undo a switch: the former branch (or commit) again, and no branch left that we just made."""
        detached = [] if has_branch(git, before) else ["--detach"]
        git.run("switch", "--quiet", "--no-guess", *detached, before, tries=6)
        if not existed:
            git.run("update-ref", "-d", f"refs/heads/{self.branch}", tries=6)

    def _renamed(self, path: Path) -> Path:
        """Give a reused directory the name of its new branch; it keeps the old one where git cannot move it."""
        wanted = worktree_name(self.facts.name, self.branch)
        if path.name == wanted or path.parent.resolve() != self.pool.root.resolve():
            return path
        new = free_path(self.pool.root, wanted)
        moved = self.git.run("worktree", "move", str(path), str(new), ok=range(256)).status == 0
        return new if moved else path

    def _create(self, base: Base) -> WorktreeLease:
        """A new worktree; its slot is recorded first, so that one half made is found again."""
        self._check_limit()
        path = free_path(self.pool.root, worktree_name(self.facts.name, self.branch))
        start, exists = self._start(base)
        record = self.record(path, self.branch, start)
        self.pool.slots.put_worktree(record)
        arguments = [str(path), self.branch] if exists else ["--no-track", "-b", self.branch, str(path), start]
        try:
            add_worktree(self.git, path, *arguments)
        except GitError:
            if not path.exists():
                self.pool.slots.remove_worktree(record.id)
            raise
        return self.leased(record, "created", start)

    def _check_limit(self) -> None:
        """At most `max_concurrent_missions + 3` per repository; no limit where missions have none."""
        if self.repository.max_concurrent_missions == 0:
            return
        limit = self.repository.max_concurrent_missions + SPARE
        root = self.pool.root.resolve()
        there = {Path(one.path).resolve() for one in self.pool.records(self.repository)}
        there |= {one.path.resolve() for one in self.listed if not one.main and one.path.resolve().parent == root}
        if len(there) >= limit:
            held = ", ".join(sorted(path.name for path in there))
            raise PoolFull(
                f"{self.facts.name} already has {len(there)} of {limit} worktrees",
                why=f"each belongs to a mission or holds work: {held}",
                todo="finish or review a mission, or run `solo-unicorn worktree clean`",
            )

    def record(self, path: Path, branch: str, base: str) -> Worktree:
        """A slot of this mission, which nobody has been told of yet."""
        now = self.pool.clock()
        return Worktree(
            id=self.pool.new_id(),
            repository_id=self.repository.id,
            path=str(path),
            branch=branch,
            created_at=now,
            last_used_at=now,
            mission_id=self.mission.id,
            base_commit=base,
        )

    def leased(self, record: Worktree, how: str, base: str) -> WorktreeLease:
        """The slot as the mission's from now on, and what its session is given."""
        record = replace(record, last_used_at=self.pool.clock(), base_commit=base)
        self.pool.slots.put_worktree(record)
        return WorktreeLease(record, how, base, tuple(self.warnings))  # type: ignore[arg-type]
