"""The project memory as files: `.solo-unicorn/memory/<name>.md` in a checkout, both ways.

What both sides had in common last is remembered as (version, digest) per document. A side that changed since is copied
to the other; where both did, the workspace's text stays under the name and the file's is kept beside it as
`<name>.conflict-<time>.md`. A repository is not trusted: links are not followed, names and sizes are checked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ...missions.entities import Author
from ...missions.errors import SoloUnicornError, VersionConflict
from ...missions.limits import DOCUMENT_MAX
from ...missions.memory import is_name
from ...system import files, strict_json
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ...worktrees.git import Git

FOLDER = Path(".solo-unicorn") / "memory"
FILE = "a file"
"""The author of what a file brings that git knows nothing of; whoever wrote it, nobody signed it."""
Common = tuple[int, str]
"""Version in the workspace and digest of the text that both sides had."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds: texts by document name, and files that were left alone with the reason."""

    texts: dict[str, str]
    strange: dict[str, str] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    """Of files that stand as they were committed, who committed them last."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What follows for the folder after the workspace took in what was new there."""

    write: dict[str, str]
    """Document name to text."""
    keep: dict[str, str]
    """File name of a conflict to the file's own text."""
    common: dict[str, Common]
    taken: tuple[str, ...]
    """Documents that got the file's text."""


def mirror(workspace: Workspace, project_id: str, checkout: Path, now: datetime | None = None) -> Merged:
    """Bring folder and workspace together, once. For callers that may block; the service does the steps apart."""
    found = read(checkout)
    merged = merge(workspace, project_id, key(checkout), found, now or datetime.now(UTC))
    written = write(checkout, merged, found)
    remember(workspace, key(checkout), merged, written)
    return merged


def key(checkout: Path) -> str:
    """Where the workspace remembers what this folder and it had in common."""
    return f"memory.mirror.{hashlib.sha256(os.fsencode(checkout)).hexdigest()[:16]}"


def read(checkout: Path) -> Found:
    """Every document of the folder."""
    texts: dict[str, str] = {}
    strange: dict[str, str] = {}
    folder = checkout / FOLDER
    if _linked(checkout):
        return Found({}, {str(FOLDER): "it is a link"})
    with suppress(FileNotFoundError, NotADirectoryError):
        for file in sorted(folder.iterdir()):
            if file.suffix != ".md" or not is_name(file.stem):
                continue
            try:
                texts[file.stem] = _text(file)
            except (OSError, ValueError) as problem:
                strange[file.name] = str(problem)
    return Found(texts, strange, _authors(checkout, texts))


def merge(workspace: Workspace, project_id: str, where: str, found: Found, now: datetime) -> Merged:
    """Take in what changed in the folder; what is to be written there comes back."""
    before = recall(workspace, where)
    documents = {one.name: one for one in workspace.read(queries.memory.list_with_deleted, project_id)}
    merged = Merged({}, {}, {}, ())
    taken: list[str] = []
    for name in sorted({*documents, *found.texts}):
        if f"{name}.md" in found.strange:
            if name in before:
                merged.common[name] = before[name]
            continue
        text, document = found.texts.get(name), documents.get(name)
        common = before.get(name)
        if document is not None and (text or "") == document.text:
            merged.common[name] = (document.version, digest(document.text))
        elif text is not None and _only_file_changed(common, document.version if document else 0, text):
            try:
                by = Author("system", found.authors.get(name, FILE))
                document = workspace.write_as(
                    by, operations.memory.replace, project_id, name, text, document.version if document else 0
                )
                merged.common[name] = (document.version, digest(text))
                taken.append(name)
            except VersionConflict:  # changed this moment: the next look meets a conflict
                continue
        elif document is not None:
            if text is not None and (common is None or digest(text) != common[1]):
                merged.keep[f"{name}.conflict-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.md"] = text
            merged.write[name] = document.text
            merged.common[name] = (document.version, digest(document.text))
    return Merged(merged.write, merged.keep, merged.common, tuple(taken))


def write(checkout: Path, merged: Merged, found: Found) -> set[str]:
    """Write what is due; returns the names that stand there now. A file that changed since it was read is left."""
    if not merged.write and not merged.keep:
        return set(merged.common)
    folder = checkout / FOLDER
    if _linked(checkout):
        return set()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in merged.keep.items():
        put(folder / name, text)
    late = set()
    for name, text in merged.write.items():
        if _now(folder / f"{name}.md") == found.texts.get(name):
            if text:
                put(folder / f"{name}.md", text)
            else:  # the document was deleted
                (folder / f"{name}.md").unlink(missing_ok=True)
        else:
            late.add(name)
    return set(merged.common) - late


def remember(workspace: Workspace, where: str, merged: Merged, written: set[str]) -> None:
    """Keep what both sides have in common now."""
    before = recall(workspace, where)
    after = {name: common for name, common in merged.common.items() if name in written}
    after = {name: before[name] for name in merged.common if name in before} | after
    if after != before:
        workspace.set_meta(where, strict_json.dumps(after))


def recall(workspace: Workspace, where: str) -> dict[str, Common]:
    """What both sides had in common last."""
    stored: Mapping[str, list[object]] = strict_json.loads(workspace.meta(where) or "{}")
    return {name: (int(str(one[0])), str(one[1])) for name, one in stored.items()}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def put(file: Path, text: str) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    files.replace(file, text.encode(), mode=0o644, durable=False)


def _only_file_changed(common: Common | None, version: int, text: str) -> bool:
    if common is None:
        return version == 0
    return version == common[0] and digest(text) != common[1]


def _now(file: Path) -> str | None:
    try:
        return _text(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return ""


def _text(file: Path) -> str:
    """A document's text; ValueError says why it is none."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        data = opened.read(4 * DOCUMENT_MAX + 1)
    text = data.decode("utf-8").replace("\r\n", "\n")
    if len(text) > DOCUMENT_MAX:
        raise ValueError(f"it has more than {DOCUMENT_MAX} characters")
    if not text.strip():
        raise ValueError("it is empty")
    if any(ord(char) < 32 and char not in "\n\t" for char in text):
        raise ValueError("it has control characters")
    return text


def _authors(checkout: Path, names: Iterable[str]) -> dict[str, str]:
    """Who committed each document last, where the file is as it was committed; none outside of a repository."""
    wanted = {f"{FOLDER.as_posix()}/{name}.md": name for name in names}
    if not wanted or not (checkout / ".git").exists():
        return {}
    git = Git(checkout)
    try:
        status = git.list("status", "--porcelain", "-z", "--untracked-files=all", "--", str(FOLDER))
        said = git.list("log", "--format=%x01%an <%ae>", "--name-only", "-z", "--", str(FOLDER))
    except SoloUnicornError:  # of a repository without a commit, or that git cannot read: nobody is known
        return {}
    changed = {one[3:] for one in status}
    found: dict[str, str] = {}
    author = ""
    for one in said:
        if one.startswith("\x01"):
            author = one[1:].strip()
        elif (name := wanted.get(one.strip())) and one.strip() not in changed:
            found.setdefault(name, f"git, committed by {author}")
    return found


def _linked(checkout: Path) -> bool:
    return any((checkout / part).is_symlink() for part in (FOLDER, FOLDER.parent))
