"""Every file with endpoints, so that importing this one makes the list whole."""

from __future__ import annotations

from . import (
    attachments,
    community,
    hooks,
    invitations,
    memory,
    meta,
    missions,
    organizations,
    parts,
    projects,
    public,
    workstations,
)

FILES = (
    meta,
    organizations,
    invitations,
    projects,
    missions,
    parts,
    attachments,
    memory,
    workstations,
    public,
    community,
    hooks,
)
