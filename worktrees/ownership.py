"""Which mission a branch belongs to, kept in the repository itself: `refs/solo-unicorn/owner/<mission>/<branch>`.

A workspace may be lost or started anew and hand out the same numbers again; a new mission must then not go on with
the branch of an old one.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from .git import Git

OWNER = "refs/solo-unicorn/owner"


def note_owner(git: Git, mission_id: str, branch: str, base: str) -> None:
    """Record that the mission works on the branch, which left its base at `base`."""
    git.run("update-ref", _ref(mission_id, branch), base, tries=6)


def owned_branches(git: Git, mission_id: str) -> list[str]:
    """Branches the mission worked on."""
    names = git.line("for-each-ref", "--format=%(refname:lstrip=4)", f"{OWNER}/{mission_id}/").splitlines()
    return [unquote(name, errors="surrogateescape") for name in names]


def owned_by_another(git: Git, mission_id: str, branch: str) -> bool:
    """Whether the branch is recorded for other missions only."""
    name = quote(branch, safe="", errors="surrogateescape")
    owners = git.line("for-each-ref", "--format=%(refname:lstrip=3)", f"{OWNER}/*/{name}").splitlines()
    missions = {owner.partition("/")[0] for owner in owners}
    return bool(missions) and mission_id not in missions


def _ref(mission_id: str, branch: str) -> str:
    return f"{OWNER}/{mission_id}/{quote(branch, safe='', errors='surrogateescape')}"
