"""The one way to run git: a controlled environment, a time limit, and errors that name path, command and remedy.

GitPython's runner is not used here: it inherits `GIT_DIR` and friends from our own environment, and it silently runs
in another directory when the one asked for is gone; both could touch the wrong repository. Its progress parser serves
in `cloning.py`.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..missions.errors import SoloUnicornError, TryAgain
from ..system.environment import clean, person
from .locks import held_handles
from .settings import OVERRIDDEN

DEFAULT_TIMEOUT = 120.0
"""Seconds a git command may take unless its caller knows better."""

_LOCKED = re.compile(
    r"(Unable to create '[^']*\.lock': File exists|cannot lock ref|could not lock config file|"
    r"Unable to write new index file|another git process seems to be running|is locked by another)",
    re.IGNORECASE,
)
_SETTINGS = tuple(f"{name}={value}" for name, value in OVERRIDDEN.items())
_REFS = "--format=%(objectname) %(refname)"
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


LOOKING: Final = frozenset({"status", "diff", "diff-index", "diff-files"})
IGNORING: Final = "--ignore-submodules"
UNSIGNED: Final = ("commit.gpgSign=false", "tag.gpgSign=false")
"""Settings of git where the person's keys are out of reach."""
_held: ContextVar[tuple[str, ...]] = ContextVar("what hooks are held by", default=())


@contextmanager
def hooks_held(by: Sequence[str]) -> Iterator[None]:
    """Within, git commands that run hooks begin with these words: hooks may be an agent's, and are held as it was."""
    token = _held.set(tuple(by))
    try:
        yield
    finally:
        _held.reset(token)


@dataclass(frozen=True, slots=True)
class Completed:
    """A git command that ended: its exit status, its output as bytes, its complaints as text."""

    status: int
    out: bytes
    err: str


class GitError(SoloUnicornError):
    """A git command failed; `path` and `command` say which, `stderr` what git said."""

    code = "git_failed"

    def __init__(self, path: Path, command: Sequence[str], status: int, stderr: str, *, todo: str = "") -> None:
        self.path = path
        self.command = tuple(hide_secrets(part) for part in command)
        self.status = status
        self.stderr = hide_secrets(stderr.strip())
        said = self.stderr or f"git ended with status {status}"
        super().__init__(
            f"`{' '.join(self.command)}` failed in {path}", why=said, todo=todo or _remedy(self.stderr, path)
        )


class GitTimeout(GitError):
    """A git command did not end in time and was stopped."""

    code = "git_timeout"


class GitLocked(GitError, TryAgain):
    """Another git process holds a lock of this repository; nothing was changed."""

    exit_code = TryAgain.exit_code
    code = "git_locked"


OLDEST_GIT: Final = (2, 38)
"""The first with `git merge-tree --write-tree`."""


class GitMissing(SoloUnicornError):
    """There is no git on this machine."""

    code = "git_missing"

    def __init__(self) -> None:
        super().__init__(
            "git was not found",
            why="no program of that name is on PATH",
            todo=f"install git {'.'.join(map(str, OLDEST_GIT))} or newer",
        )


class Git:
    """Runs git in one directory. `environment` is added to the controlled one (an index file, an identity)."""

    def __init__(self, path: Path | str, environment: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        self.environment = dict(environment or {})

    def having(self, **environment: str) -> Git:
        """The same directory with more environment variables."""
        return Git(self.path, {**self.environment, **environment})

    def run(
        self,
        *arguments: str,
        ok: Iterable[int] = (0,),
        stdin: bytes | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        settings: Iterable[str] = (),
        tries: int = 1,
        hooks: bool = False,
    ) -> Completed:
        """Run `git -C <path> arguments`; exit codes outside `ok` raise GitError.

        `settings` are extra `-c name=value`; with `tries` above 1 a command that met one of git's own locks is tried
        again with a growing, jittered pause (such a command changed nothing). `hooks`: it runs the person's hooks, in
        their environment, and held by what `hooks_held` says.
        """
        held = _held.get() if hooks else ()
        settings = [*settings, *(UNSIGNED if held else ()), *(_hooks_of_checkout(self) if hooks else ())]
        command = [*held, "git", "-C", str(self.path)]
        for setting in (*_SETTINGS, *settings):
            command += ["-c", setting]
        shown = ("git", *arguments)
        arguments = _not_into_nested(arguments)
        for attempt in range(1, max(tries, 1) + 1):
            variables = environment(self.environment, hooks=hooks)
            status, out, err = _spawn([*command, *arguments], variables, stdin, timeout, self.path, shown)
            if status in ok:
                return Completed(status, out, err)
            if not _LOCKED.search(err):
                raise GitError(self.path, shown, status, err)
            if attempt < tries:
                time.sleep(min(0.05 * 2**attempt, 1.0) * random.uniform(0.5, 1.5))
        raise GitLocked(self.path, shown, status, err)

    def out(self, *arguments: str, stdin: bytes | None = None, timeout: float = DEFAULT_TIMEOUT) -> bytes:
        """The standard output of a command that must succeed."""
        return self.run(*arguments, stdin=stdin, timeout=timeout).out

    def line(self, *arguments: str) -> str:
        """The one line a command prints, without its newline; bytes that are not UTF-8 survive as surrogates."""
        return decode(self.run(*arguments).out).rstrip("\n")

    def maybe(self, *arguments: str, no: tuple[int, ...] = (1,)) -> str | None:
        """Like `line`, but None when git says no by one of these exit statuses; any other is a failure, and raises."""
        done = self.run(*arguments, ok=(0, *no))
        return decode(done.out).rstrip("\n") if done.status == 0 else None

    def blob(self, commit: str, path: str) -> bytes | None:
        """The content of a file in a commit; None when the commit has no such file."""
        out = self.out("cat-file", "--batch", stdin=os.fsencode(f"{commit}:{path}\n"))
        header, _, content = out.partition(b"\n")
        kind = header.rsplit(b" ", 2)
        return content[: int(kind[2])] if len(kind) == 3 and kind[1] == b"blob" else None

    def test(self, *arguments: str) -> bool:
        """For commands that answer by their exit code: 0 is True, 1 is False, everything else raises."""
        return self.run(*arguments, ok=(0, 1)).status == 0

    def list(self, *arguments: str, stdin: bytes | None = None) -> list[str]:
        """The entries of a `-z` output."""
        return [decode(part) for part in self.run(*arguments, stdin=stdin).out.split(b"\0") if part]

    def commit(self, revision: str) -> str | None:
        """The full id of the commit a revision names, or None when it names none."""
        if not revision or revision.startswith("-"):
            return None
        return self.maybe("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")

    def refs(self, *patterns: str) -> dict[str, str]:
        """Full names of the refs that match (whole names, or beginnings that end in /) and what they point at."""
        found = (line.partition(" ") for line in decode(self.out("for-each-ref", _REFS, *patterns)).splitlines())
        return {name: commit for commit, _, name in found}

    def ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is contained in `newer`."""
        return self.test("merge-base", "--is-ancestor", older, newer)


def _not_into_nested(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Looking at files does not look into repositories within: git would run what their own settings name.

    Whoever wants to know what is in those reads them sealed (repository/sealed.py).
    """
    found = next((place for place, word in enumerate(arguments) if not word.startswith("-")), None)
    if found is None or arguments[found] not in LOOKING or any(one.startswith(IGNORING) for one in arguments):
        return arguments
    return (*arguments[: found + 1], f"{IGNORING}=dirty", *arguments[found + 1 :])


def hooks_directory(git: Git) -> Path:
    """Where the hooks are that run in a worktree.

    A relative `core.hooksPath` is looked for in each worktree. What an installer made for it in the checkout alone
    (Husky) is in no commit, and counts where the worktree has no such directory.
    """
    named = git.path / git.line("rev-parse", "--git-path", "hooks")
    return _installed(git, named) or named


def has_hooks(git: Git, *names: str) -> bool:
    """Whether one of these hooks would run in a worktree."""
    directory = hooks_directory(git)
    return any(os.access(directory / name, os.X_OK) and (directory / name).is_file() for name in names)


def _hooks_of_checkout(git: Git) -> tuple[str, ...]:
    """The setting with which a worktree has its hooks from the checkout."""
    git = Git(git.path)  # without what is meant for the command itself, such as a trace
    named = git.maybe("rev-parse", "--git-path", "hooks", no=tuple(range(1, 256)))
    found = _installed(git, git.path / named) if named else None
    return (f"core.hooksPath={found}",) if found else ()


def _installed(git: Git, named: Path) -> Path | None:
    if named.is_dir() or not named.is_relative_to(git.path):
        return None
    common = git.path / git.line("rev-parse", "--git-common-dir")
    installed = common.resolve().parent / named.relative_to(git.path)
    return installed if common.name == ".git" and installed.is_dir() else None


def decode(data: bytes) -> str:
    """Bytes of a path or a message as text, losslessly (`os.fsencode` brings them back)."""
    return data.decode("utf-8", "surrogateescape")


def hide_secrets(text: str) -> str:
    """The text without user names and passwords inside URLs."""
    return _SECRET.sub("", text)


def environment(extra: Mapping[str, str] | None = None, *, hooks: bool = False) -> dict[str, str]:
    """For git: it never asks, and knows nothing of a repository we were started in. It speaks English in the C locale,
    because what it says is read; where hooks run in it, they have the person's environment and character set."""
    kept = person() if hooks else clean(os.environ)
    kept.update(
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="",
        SSH_ASKPASS_REQUIRE="never",
        GCM_INTERACTIVE="never",
        GIT_EDITOR=":",
        GIT_SEQUENCE_EDITOR=":",
        GIT_MERGE_AUTOEDIT="no",
        GIT_PAGER="cat",
        GIT_OPTIONAL_LOCKS="0",
    )
    kept.update({"LANGUAGE": "en"} if hooks else {"LC_ALL": "C", "LANGUAGE": "C"})
    kept.update(extra or {})
    return kept


def identity(git: Git) -> dict[str, str]:
    """Variables that name an author where the person configured none; empty when they did."""
    if git.run("var", "GIT_COMMITTER_IDENT", ok=range(256), settings=("user.useConfigOnly=true",)).status == 0 and (
        git.run("var", "GIT_AUTHOR_IDENT", ok=range(256), settings=("user.useConfigOnly=true",)).status == 0
    ):
        return {}
    name, email = "Solo Unicorn", "solo-unicorn@localhost"
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def _spawn(
    command: Sequence[str],
    variables: Mapping[str, str],
    stdin: bytes | None,
    timeout: float,
    path: Path,
    shown: Sequence[str],
) -> tuple[int, bytes, str]:
    """Run to the end in a process group of its own, which ends with a SIGTERM (git then drops its locks)."""
    try:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # Not to commands that talk to a remote: a credential helper they start may live on for long.
            pass_fds=() if shown[1:2] in (("fetch",), ("push",)) else held_handles(),
        )
    except FileNotFoundError as error:
        raise GitMissing() from error
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
        raise GitTimeout(
            path,
            shown,
            -1,
            f"it did not finish within {timeout:g} s",
            todo="try again; look for a slow hook or a prompt",
        ) from None
    except BaseException:
        end_group(process)
        raise
    return process.returncode, out, decode(err)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to stop, then insist; the group is ours alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()


def _remedy(stderr: str, path: Path) -> str:
    """What a person can do about the failures that are theirs to mend."""
    remedies = (
        (r"dubious ownership", f"run `git config --global --add safe.directory {path}` if you trust this repository"),
        (
            r"does not appear to be a git|[Rr]epository .*(not found|does not exist)|Could not read from remote",
            "check the address of the remote and your access to it",
        ),
        (r"not a git repository", "give the path of a git repository"),
        (r"cannot change to", "recreate the directory, or remove the repository from the project"),
        (r"git-lfs|filter-process", "install git-lfs and run `git lfs install`, then try again"),
        (r"No space left", "free some space on the disk; nothing was lost"),
        (
            r"Permission denied|could not read Username|Authentication failed|terminal prompts disabled",
            "check your access with `git fetch` in a shell, then try again",
        ),
        (
            r"Could not resolve host|unable to access|Connection (refused|timed out)",
            "check the network, then try again",
        ),
        (
            r"\.lock': File exists|cannot lock ref",
            "wait for the other git process; if none runs, delete the lock file git names",
        ),
        (
            r"failed to sign|signing failed|gpg: |Couldn't load public key",
            "sign a commit by hand once, which unlocks the key, or set commit.gpgSign to false for this repository",
        ),
        (
            r"does not have a GPG signature|untrusted, allegedly",
            "sign the commits of the branch, or set merge.verifySignatures to false for this repository",
        ),
        (r"hook", "run the hook by hand in that directory, and fix what it reports"),
    )
    for pattern, remedy in remedies:
        if re.search(pattern, stderr):
            return remedy
    return f"run the command by hand in {path} for details"
