"""Where everything lives: one home directory, and one short directory for sockets.

Nothing is remembered between calls, so that a test (or a person) may point `SOLO_UNICORN_HOME` elsewhere. Functions
that return a directory make it, for its owner alone (0700); functions that return a file make nothing.
"""

from __future__ import annotations

import os
import stat
from errno import ENOTDIR
from pathlib import Path

from ..missions.errors import SoloUnicornError

HOME_VARIABLE = "SOLO_UNICORN_HOME"
RUNTIME_VARIABLE = "SOLO_UNICORN_RUNTIME_DIR"

LONGEST_SOCKET_PATH = 103
"""macOS allows 104 bytes with the closing zero, Linux 108."""
LONGEST_SOCKET_NAME = 38
"""`bell/` and a process id, or a session's ULID, each with its ending."""


def home() -> Path:
    """The directory that holds everything: SOLO_UNICORN_HOME, or ~/.solo-unicorn. Not made here."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(os.path.abspath(os.path.expanduser(chosen or "~/.solo-unicorn")))  # noqa: PTH100, PTH111


def made_home() -> Path:
    """The home, made when absent; SoloUnicornError when that cannot be."""
    return _made(home())


def workspace_db() -> Path:
    """The workspace: one SQLite file."""
    return home() / "workspace.db"


def config_file() -> Path:
    """The settings."""
    return home() / "config.toml"


def old_config_file() -> Path:
    """The settings of the first specification, taken over once (see migrate.py)."""
    return home() / "config.json"


def service_lock() -> Path:
    """Held by the one workstation service for its life."""
    return made_home() / "service.lock"


def logs_dir() -> Path:
    """The rotating log."""
    return _made(home() / "logs")


def runs_dir() -> Path:
    """One directory per session: launch, transcript, outcome."""
    return _made(home() / "runs")


def run_dir(session_id: str) -> Path:
    """The directory of one session."""
    return _made(runs_dir() / session_id)


def tools_reached(session_id: str) -> Path:
    """A file that is there once a request with the session's token has come to our MCP server."""
    return runs_dir() / session_id / "tools-reached"


def drafts_dir() -> Path:
    """What people typed and did not save yet."""
    return _made(home() / "drafts")


def worktrees_dir() -> Path:
    """The worktree pool."""
    return _made(home() / "worktrees")


def clones_dir() -> Path:
    """Repositories that we cloned."""
    return _made(home() / "clones")


def backups_dir() -> Path:
    """Copies made before a migration."""
    return _made(home() / "backups")


def attachments_dir() -> Path:
    """The files that were attached to missions, each by the SHA-256 of its content."""
    return _made(home() / "attachments")


def agents_dir() -> Path:
    """The user's own catalogue entries."""
    return _made(home() / "agents")


def runtime_dir() -> Path:
    """A directory for sockets whose path is short enough for one, the same for every process of this home.

    It depends on the home alone, not on XDG_RUNTIME_DIR or TMPDIR: a command typed over ssh or run by cron has others
    than the board, and must still find the service. A home with a long path gets a directory under /tmp; a home on a
    file system without sockets is helped by SOLO_UNICORN_RUNTIME_DIR.
    """
    chosen = os.environ.get(RUNTIME_VARIABLE)
    if chosen:
        return _made(Path(chosen))
    directory = home() / "run"
    if len(os.fsencode(directory)) + 1 + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return _made(directory)
    from hashlib import blake2b

    digest = blake2b(os.fsencode(os.path.realpath(home())), digest_size=8).hexdigest()
    return _made(_owned(Path(f"/tmp/solo-unicorn-{os.getuid()}")) / digest)


def bell_dir() -> Path:
    """Where listeners for changes of the workspace have their sockets."""
    return _made(runtime_dir() / "bell")


def service_socket() -> Path:
    """The workstation service's control socket."""
    return runtime_dir() / "service.sock"


def mcp_socket() -> Path:
    """The workstation service's MCP socket."""
    return runtime_dir() / "mcp.sock"


def for_people(path: str) -> str:
    """A path as people write it: `~` for their home directory."""
    home = f"{Path.home()}/"
    return f"~/{path.removeprefix(home)}" if path.startswith(home) else path


def _made(directory: Path) -> Path:
    try:
        for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
            missing.mkdir(exist_ok=True, mode=0o700)
        if not directory.is_dir():
            raise NotADirectoryError(ENOTDIR, "it is not a directory")
    except OSError as error:
        raise SoloUnicornError(
            f"The directory {directory} cannot be created",
            why=error.strerror or str(error),
            todo=f"make it writable for you, or set {HOME_VARIABLE} to a directory that is",
        ) from error
    return directory


def _owned(directory: Path) -> Path:
    """The directory, ours alone: somebody else may have put one of that name into a shared /tmp."""
    _made(directory)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise SoloUnicornError(
            f"The directory {directory} belongs to another user",
            why="its owner could read sockets in it",
            todo=f"set {RUNTIME_VARIABLE} to a short directory of your own",
        )
    if found.st_mode & 0o077:
        directory.chmod(0o700)
    return directory
