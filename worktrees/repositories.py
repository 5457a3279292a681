"""What a path given by a person is: a repository missions can work in, or a clear reason why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..missions.errors import InvalidValue, NotFound, SoloUnicornError
from .git import Git, GitError, decode, hide_secrets, identity

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
        command = f"`solo-unicorn repo add {root} --first-commit` makes an empty one, and your files stay as they are"
        super().__init__(
            f"{root} has no commits on its current branch yet",
            why="a worktree starts from a commit",
            todo=f"commit something, and it is linked to {project} by itself; or {command}" if project else command,
        )
        self.root = root


def make_first_commit(root: Path) -> None:
    """Begin the current branch with a commit of no files; the files, the index and the hooks are left alone."""
    git = Git(root)
    tree = git.line("hash-object", "-t", "tree", "-w", "--stdin")
    commit = git.having(**identity(git)).line("commit-tree", tree, "-m", "Start")
    git.run("update-ref", "-m", "first commit", "HEAD", commit, "")


def inspect(path: Path | str, *, look_at_files: bool = True) -> RepositoryFacts:
    """Look at a path. Raises NotFound (no such directory), UnusableRepository (not git, bare, shallow, no commits).

    Without `look_at_files` (a second saved in a large repository) `dirty` is False.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise NotFound(
            f"there is no directory {path}", why="a repository is a directory", todo="give the path of a git checkout"
        )
    root, common, own_dir, head, current = _heads(path)
    git = Git(root)
    settings = _settings(git)
    remote, url = _remote(git, settings)
    host, owner, name = parse_github(url or "") or ("", "", "")
    main = common.parent if common.name == ".git" else common
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
        sparse=settings.get("core.sparsecheckout", "false").lower() not in ("false", "no", "off", "0", ""),
    )


def _heads(path: Path) -> tuple[Path, Path, Path, str, str | None]:
    """Top, common directory, own git directory, commit and branch (None: detached) of the checkout around `path`."""
    asked = Git(path).run(
        "rev-parse",
        "--is-bare-repository",
        "--is-inside-work-tree",
        "--is-shallow-repository",
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
        case ["false", "true", "false", root, common, own, head, name] if asked.status == 0:
            branch = name.removeprefix("refs/heads/") if name != "HEAD" else None
            return Path(root), Path(common), Path(own), head, branch
    return _heads_one_by_one(path)


def _heads_one_by_one(path: Path) -> tuple[Path, Path, Path, str, str | None]:
    """The same with a reason for what is wrong, and for paths with a line break in them."""
    git = Git(path)
    root = _root(git, path)
    git = Git(root)
    if git.line("rev-parse", "--is-shallow-repository") == "true":
        raise UnusableRepository(
            f"{root} is a shallow clone",
            why="its history is cut off, so merges and merge bases would be wrong",
            todo=f"run `git -C {root} fetch --unshallow`, then try again",
        )
    head = git.commit("HEAD")
    if head is None:
        raise NoCommits(root)
    common = Path(git.line("rev-parse", "--path-format=absolute", "--git-common-dir"))
    own = Path(git.line("rev-parse", "--absolute-git-dir"))
    return root, common, own, head, git.maybe("symbolic-ref", "--quiet", "--short", "HEAD")


_SETTINGS = r"^(remote\..*\.url|url\..*\.insteadof|init\.defaultbranch|core\.sparsecheckout)$"


def _settings(git: Git) -> dict[str, str]:
    """The settings looked at here, by their names as git prints them (the first of several values)."""
    found: dict[str, str] = {}
    for entry in decode(git.run("config", "-z", "--get-regexp", _SETTINGS, ok=(0, 1)).out).split("\0"):
        name, _, value = entry.partition("\n")
        last = name in ("init.defaultbranch", "core.sparsecheckout")
        found[name] = value if last else found.get(name, value)
    return found


def access_problem(facts: RepositoryFacts) -> str | None:
    """Why the remote cannot be used, in a sentence; None when it answers, or when there is none."""
    if facts.remote is None:
        return None
    try:
        Git(facts.root).run("ls-remote", "--quiet", "--heads", facts.remote, timeout=ACCESS_SECONDS)
    except GitError as error:
        said = error.stderr.splitlines()[-1] if error.stderr else error.what
        return f"{facts.remote} cannot be used now ({said}): work that lands stays local until it can; {error.todo}"
    return None


def default_branch(git: Git, remote: str | None, current: str | None, configured: str) -> str:
    """The remote's own HEAD, else `init.defaultBranch`, main or master where they exist, else the current branch."""
    if remote:
        head = git.maybe("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
        if head:
            return head.removeprefix(f"{remote}/")
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


_GITHUB = re.compile(
    r"^(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]*github[\w.-]*)(?::\d+)?[:/]+"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$"
)


def parse_github(url: str) -> tuple[str, str, str] | None:
    """Host, owner and name of a GitHub (or GitHub Enterprise) URL; None for any other."""
    found = _GITHUB.match(url.strip())
    return (found["host"], found["owner"], found["name"]) if found else None


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
    if bare or not inside:
        raise UnusableRepository(
            f"{path} is a bare repository" if bare else f"{path} is inside a .git directory",
            why="it has no checkout to take files and settings from",
            todo="give the path of a checkout, or clone it: `git clone <path> <folder>`",
        )
    return Path(git.line("rev-parse", "--path-format=absolute", "--show-toplevel"))


def _remote(git: Git, settings: dict[str, str]) -> tuple[str | None, str | None]:
    """The remote of the default branch: `origin`, else the only one, else the first by name."""
    names = [name[7:-4] for name in settings if name.startswith("remote.") and name.endswith(".url")]
    if not names:
        return None, None
    name = "origin" if "origin" in names else sorted(names)[0]
    if any(one.startswith("url.") for one in settings):  # git knows how it is rewritten
        return name, git.maybe("remote", "get-url", name, no=(2, 128))
    return name, settings[f"remote.{name}.url"]


def _mentions_lfs(root: Path) -> bool:
    """Whether the root's attributes send files through git-lfs."""
    try:
        return "filter=lfs" in (root / ".gitattributes").read_text(errors="replace")
    except OSError:
        return False
