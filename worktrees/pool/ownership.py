"""Which mission a branch belongs to, kept in the repository itself: `refs/solo-unicorn/owner/<mission>/<branch>`.

A workspace may be lost or started anew and hand out the same numbers again; a new mission must then not go on with
the branch of an old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ..git import Git

OWNER = "refs/solo-unicorn/owner"


def note_owner(git: Git, mission_id: str, branch: str, base: str) -> None:
    """Record that the mission works on the branch, which left its base at `base`."""
    git.run("update-ref", _ref(mission_id, branch), base, tries=6)


def owner_refs(mission_id: str, branch: str) -> tuple[str, ...]:
    """The refs that tell about a mission's branches and about who owns a branch of that name."""
    return f"{OWNER}/{mission_id}/", f"{OWNER}/*/{_quoted(branch)}"


def is_own(refs: Mapping[str, str], mission_id: str, branch: str) -> bool:
    """Whether the mission worked on the branch; `refs` as found for `owner_refs`."""
    return _ref(mission_id, branch) in refs


def owned_by_another(git: Git, mission_id: str, branch: str) -> bool:
    """Whether the branch is recorded for other missions only."""
    owners = git.refs(f"{OWNER}/*/{_quoted(branch)}")
    return bool(owners) and not is_own(owners, mission_id, branch)


def _quoted(branch: str) -> str:
    return quote(branch, safe="", errors="surrogateescape")


def _ref(mission_id: str, branch: str) -> str:
    return f"{OWNER}/{mission_id}/{_quoted(branch)}"
