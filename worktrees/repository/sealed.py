"""A repository that an agent may have written, read without its settings: they may name programs, and git runs those.

Filters, file system monitors, hooks and the program that fetches a missing object are all in a repository's `config`.
Of a repository in a worktree that file is the agent's; so it is looked at through a git directory of ours, which has
its objects, refs and index, and no settings but those that say how files are stored.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..git import Git, decode

SHARED: Final = ("index", "info", "logs", "packed-refs", "refs", "shallow")
KEYS: Final = (
    r"^(core\.(filemode|symlinks|ignorecase|autocrlf|eol|precomposeunicode|sparsecheckout(cone)?)"
    r"|extensions\.objectformat)$"
)
"""Settings that are taken over: how files are stored."""
PLAIN: Final = re.compile(r"(core|extensions)\.([a-z]+)\n([a-z0-9]+)", re.IGNORECASE)
NO_PROTOCOL: Final = "none"
"""Not a protocol: nothing is fetched on the way."""


@contextmanager
def sealed(there: Path, place: Path) -> Iterator[Git]:
    """git for looking at the repository in `there`; nothing is to be changed with it. OSError where there is none.

    `place` is a directory that no agent can write to.
    """
    own = _git_directory(there)
    with tempfile.TemporaryDirectory(dir=place, prefix="look-") as scratch:
        ours = Path(scratch)
        (ours / "HEAD").write_bytes((own / "HEAD").read_bytes())
        (ours / "config").write_text(_settings(own / "config"))
        for name in SHARED:
            if (own / name).exists():
                (ours / name).symlink_to(own / name)
        yield Git(there).having(
            GIT_DIR=scratch,
            GIT_WORK_TREE=str(there),
            GIT_OBJECT_DIRECTORY=str(own / "objects"),
            GIT_OPTIONAL_LOCKS="0",
            GIT_ALLOW_PROTOCOL=NO_PROTOCOL,
        )


def _settings(file: Path) -> str:
    listed = decode(Git(file.anchor).run("config", "-z", "--file", str(file), "--get-regexp", KEYS, ok=(0, 1)).out)
    kept = [found for entry in listed.split("\0") if (found := PLAIN.fullmatch(entry))]
    lines = "".join(f"[{one[1]}]\n\t{one[2]} = {one[3]}\n" for one in kept)
    return f"[core]\n\trepositoryformatversion = 1\n{lines}"


def _git_directory(there: Path) -> Path:
    marker = there / ".git"
    if marker.is_dir():
        return marker
    return there / marker.read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
