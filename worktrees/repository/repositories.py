"""What a path given by a person is: a repository missions can work in, or a clear reason why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from ...missions.errors import InvalidValue, NotFound, SoloUnicornError
from ..git import Git, GitError, decode, hide_secrets, identity
from .addresses import parse_github, remote_of

ACCESS_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A usable repository. Facts that a person should know about are fields, not errors."""

    root: Path
    """Top of the checkout the path is in."""
    common_dir: Path
    """The directory all its worktrees share (`.git` of the main checkout)."""
    name: str
    """Folder name of the main checkout: the `{repo}` of worktree names."""
    default_branch: str
    head_commit: str
    current_branch: str | None
    """None: detached HEAD, a base has to be named explicitly or the default branch is used."""
    dirty: bool
    """The checkout has uncommitted or untracked files. They stay where they are and are not in any worktree."""
    linked: bool
    """The path is itself a linked worktree of another checkout."""
    remote: str | None
    """Name of the remote landings push to."""
    remote_url: str | None
    """Its URL without any password."""
    github_host: str = ""
    github_owner: str = ""
    github_name: str = ""
    submodules: bool = False
    lfs: bool = False
    sparse: bool = False
    shallow: bool = False
    """Its history is cut off somewhere."""
    misdirected: bool = False
    """Every linked worktree would have this checkout for its files: see `check_worktrees`."""

    @property
    def detached(self) -> bool:
        """HEAD stands on a commit, not on a branch."""
        return self.current_branch is None

    @property
    def github_full_name(self) -> str:
        """`owner/name`, empty when the remote is not on GitHub."""
        return f"{self.github_owner}/{self.github_name}" if self.github_owner else ""


class UnusableRepository(SoloUnicornError):
    """The path is not a repository that missions can work in."""

    exit_code = 2
    code = "unusable_repository"


class NoCommits(UnusableRepository):
    """The repository at `root` has no commit yet; `make_first_commit` mends that.

    `project`: the name of the one that it is linked to by itself once it has a commit.
    """

    code = "no_commits"

    def __init__(self, root: Path, project: str = "") -> None:
        typed = f"`solo-unicorn repo add {quote(str(root))} --first-commit`"
        command = f"{typed} makes an empty one, and your files stay as they are"
        super().__init__(
            f"{root} has no commits on its current branch yet",
            why="a worktree starts from a commit",
            todo=f"commit something, and it will be linked to {project} by itself; or {command}"
            if project
            else command,
        )
        self.root = root


def make_first_commit(root: Path) -> None:
    """Begin the current branch with a commit of no files; the files, the index and the hooks are left alone."""
    git = Git(root)
    tree = git.line("hash-object", "-t", "tree", "-w", "--stdin")
    commit = git.having(**identity(git)).line("commit-tree", tree, "-m", "Start")
    git.run("update-ref", "-m", "first commit", "HEAD", commit, "")


def inspect(path: Path | str, *, look_at_files: bool = True) -> RepositoryFacts:
    """Look at a path. Raises NotFound (no such directory), UnusableRepository (not git, bare, no commits).

    Without `look_at_files` (a second saved in a large repository) `dirty` is False.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise NotFound(
            f"There is no directory {path}",
            why="a repository is a directory",
            todo="give the path of a git checkout; `solo-unicorn repo relocate` for a moved one",
        )
    root, common, own_dir, head, current = _heads(path)
    git = Git(root)
    settings = _settings(git)
    remote, url = remote_of(git, settings)
    host, owner, name = parse_github(url or "") or ("", "", "")
    main = common.parent if common.name in _INSIDE else common
    return RepositoryFacts(
        root=root,
        common_dir=common,
        name=main.name.removesuffix(".git") or "repository",
        default_branch=default_branch(git, remote, current, settings.get("init.defaultbranch", "")),
        head_commit=head,
        current_branch=current,
        dirty=look_at_files and bool(git.out("status", "--porcelain", "-z")),
        linked=own_dir != common,
        remote=remote,
        remote_url=hide_secrets(url) if url else None,
        github_host=host,
        github_owner=owner,
        github_name=name,
        submodules=(root / ".gitmodules").is_file(),
        lfs=_mentions_lfs(root),
        shallow=(common / "shallow").is_file(),
        misdirected=_misdirected(git, common, settings),
        sparse=settings.get("core.sparsecheckout", "false").lower() not in ("false", "no", "off", "0", ""),
    )


def _heads(path: Path) -> tuple[Path, Path, Path, str, str | None]:
    """Top, common directory, own git directory, commit and branch (None: detached) of the checkout around `path`."""
    asked = Git(path).run(
        "rev-parse",
        "--is-bare-repository",
        "--is-inside-work-tree",
        "--path-format=absolute",
        "--show-toplevel",
        "--git-common-dir",
        "--absolute-git-dir",
        "HEAD^{commit}",
        "--symbolic-full-name",
        "HEAD",
        ok=range(256),
    )
    match decode(asked.out).splitlines():
        case ["false", "true", root, common, own, head, name] if asked.status == 0:
            branch = name.removeprefix("refs/heads/") if name != "HEAD" else None
            return Path(root), Path(common), Path(own), head, branch
    return _heads_one_by_one(path)


def _heads_one_by_one(path: Path) -> tuple[Path, Path, Path, str, str | None]:
    """The same with a reason for what is wrong, and for paths with a line break in them."""
    git = Git(path)
    root = _root(git, path)
    git = Git(root)
    head = git.commit("HEAD")
    if head is None:
        raise NoCommits(root)
    common = Path(git.line("rev-parse", "--path-format=absolute", "--git-common-dir"))
    own = Path(git.line("rev-parse", "--absolute-git-dir"))
    return root, common, own, head, git.maybe("symbolic-ref", "--quiet", "--short", "HEAD")


_INSIDE = (".git", ".bare", "bare", "bare.git", "git", "repo.git")
"""Names of a repository inside the folder that has its project's name."""
_SETTINGS = (
    r"^(remote\..*\.url|url\..*\.insteadof|init\.defaultbranch|core\.sparsecheckout|core\.worktree"
    r"|extensions\.worktreeconfig)$"
)


def _settings(git: Git) -> dict[str, str]:
    """The settings looked at here, by their names as git prints them (the first of several values)."""
    found: dict[str, str] = {}
    for entry in decode(git.run("config", "-z", "--get-regexp", _SETTINGS, ok=(0, 1)).out).split("\0"):
        name, _, value = entry.partition("\n")
        last = name in ("init.defaultbranch", "core.sparsecheckout")
        found[name] = value if last else found.get(name, value)
    return found


def _misdirected(git: Git, common: Path, settings: dict[str, str]) -> bool:
    """With extensions.worktreeConfig, core.worktree in the shared settings counts for all worktrees (git-worktree)."""
    if settings.get("extensions.worktreeconfig", "").lower() not in ("true", "yes", "on", "1"):
        return False
    shared = ("config", "--file", str(common / "config"), "--get", "core.worktree")
    return "core.worktree" in settings and git.maybe(*shared) is not None


def check_worktrees(facts: RepositoryFacts) -> None:
    """Raise UnusableRepository where a worktree would not have a directory of its own; nothing was written."""
    if facts.misdirected:
        own = f"git -C {facts.root} config --worktree core.worktree {facts.root}"
        shared = f"git config --file {facts.common_dir / 'config'} --unset core.worktree"
        raise UnusableRepository(
            f"The worktrees of {facts.root} would all use its own files",
            why="extensions.worktreeConfig is on, and core.worktree is in the settings that all its worktrees share",
            todo=f"run `{own}`, then `{shared}`",
        )


def access_problem(facts: RepositoryFacts) -> str | None:
    """Why the remote cannot be used, in a sentence; None when it answers, or when there is none."""
    if facts.remote is None:
        return None
    try:
        Git(facts.root).run("ls-remote", "--quiet", "--heads", facts.remote, timeout=ACCESS_SECONDS)
    except GitError as error:
        said = error.stderr.splitlines()[-1] if error.stderr else error.what
        return f"{facts.remote} cannot be used now ({said}): landed work stays local until it can; {error.todo}"
    return None


def default_branch(git: Git, remote: str | None, current: str | None, configured: str) -> str:
    """The remote's own HEAD, else `init.defaultBranch`, main or master where they exist, else the current branch."""
    if remote:
        head = git.maybe("symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD")
        if head and head in git.refs(head):  # it stays as it was when the remote renames its branch
            return head.removeprefix(f"refs/remotes/{remote}/")
    wanted = [name for name in (configured, "main", "master") if name]
    there = git.refs(*(f"refs/heads/{name}" for name in wanted))
    for name in wanted:
        if f"refs/heads/{name}" in there:
            return name
    if current:
        return current
    first = git.list("for-each-ref", "--format=%(refname:short)%00", "--sort=-committerdate", "--count=1", "refs/heads")
    return first[0].strip("\n") if first else "main"


def has_branch(git: Git, name: str) -> bool:
    """Whether a local branch of that name exists."""
    return git.test("show-ref", "--verify", "--quiet", f"refs/heads/{name}")


def check_branch_name(name: str) -> str:
    """The name, if git would take it for a branch; InvalidValue otherwise."""
    if not _PLAIN_NAME.fullmatch(name) and (
        name.startswith("-") or Git("/").maybe("check-ref-format", "--branch", name, no=(1, 128)) is None
    ):
        raise InvalidValue(
            "branch", f"{name!r} is not a branch name", why="git refuses it", todo="use letters, digits, - and /"
        )
    return name


_PLAIN_NAME = re.compile(r"(?!HEAD$)[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*", re.ASCII)
"""Names that need no look at git's rules (git-check-ref-format)."""


def _root(git: Git, path: Path) -> Path:
    """The top of the checkout around `path`."""
    try:
        bare = git.line("rev-parse", "--is-bare-repository") == "true"
        inside = git.line("rev-parse", "--is-inside-work-tree") == "true"
    except GitError as error:
        if "not a git repository" not in error.stderr:
            raise
        raise UnusableRepository(
            f"{path} is not a git repository",
            why="missions work in git worktrees",
            todo=f"run `git init` there and commit, or give another path (`git -C {path} init`)",
        ) from error
    if bare and (path / ".git" / "index").is_file():
        raise UnusableRepository(
            f"{path} has a checkout, and its core.bare is set to true",
            why="git treats it as a repository without a checkout; a program that ran there may have set this",
            todo=f"run `git -C {path} config core.bare false`, then try again",
        )
    if bare or not inside:
        raise UnusableRepository(
            f"{path} is a bare repository" if bare else f"{path} is inside a .git directory",
            why="it has no checkout with files and settings",
            todo=_other_checkout(git),
        )
    return Path(git.line("rev-parse", "--path-format=absolute", "--show-toplevel"))


def _mentions_lfs(root: Path) -> bool:
    """Whether the root's attributes send files through git-lfs."""
    try:
        return "filter=lfs" in (root / ".gitattributes").read_text(errors="replace")
    except OSError:
        return False


def _other_checkout(git: Git) -> str:
    """Where a checkout of a bare repository is, or how to make one."""
    listed = [line[9:] for line in git.line("worktree", "list", "--porcelain").splitlines() if line[:9] == "worktree "]
    there = [path for path in listed if (Path(path) / ".git").is_file()]
    if there:
        return f"give the path of one of its checkouts: {', '.join(there)}"
    return "give the path of a checkout, or clone it: `git clone <path> <folder>`"
