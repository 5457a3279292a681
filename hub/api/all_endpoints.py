"""Every file with endpoints, so that importing this one makes the list whole."""

from __future__ import annotations

from . import meta, missions, parts, projects

FILES = (meta, projects, missions, parts)
