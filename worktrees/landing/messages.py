"""The message of a landing: a project's template, a mission's own, or one in the manner of its commits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CONVENTIONAL = re.compile(r"(?P<type>[a-z]+)(\([^()\n]+\))?!?: \S")
"""Conventional Commits 1.0.0, the first line."""


@dataclass(frozen=True, slots=True)
class LandingMessage:
    """What a message is made of."""

    title: str
    mission: str
    branch: str = ""
    own: str = ""
    """The whole message, where a person wrote one."""

    def text(self, template: str, subjects: Sequence[str]) -> str:
        """The message. `subjects` are the first lines of the branch's commits, newest first.

        A template may name {title}, {mission}, {branch} and {type}. Without one, where every commit of the branch is
        conventional, the message is as well.
        """
        if self.own.strip():
            return self.own
        words = {"title": self.title, "mission": self.mission, "branch": self.branch, "type": _type(subjects) or "feat"}
        if template:
            return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), template)
        title = self.title
        if _type(subjects) and not _CONVENTIONAL.match(title):
            title = f"{words['type']}: {title[:1].lower() if title[1:2].islower() else title[:1]}{title[1:]}"
        return f"{title}\n\nMission: {self.mission}"


def _type(subjects: Sequence[str]) -> str:
    """The type of the work, by its commits: a feature above a fix above the first; empty where not all have one."""
    found = [match["type"] for match in map(_CONVENTIONAL.match, subjects) if match]
    if not subjects or len(found) < len(subjects):
        return ""
    return next((wanted for wanted in ("feat", "fix") if wanted in found), found[-1])
