"""A description of what a program may read and write, the same for every back-end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Access = Literal["hidden", "read", "write", "fresh"]
"""Not there; to be read; to be written too; an empty directory of the run's own, gone with it."""


SCRATCH = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))


@dataclass(frozen=True, slots=True)
class SandboxView:
    """Places of a machine with their access, outer ones first: the innermost that covers a path decides."""

    base: Access
    """Of everything that no place covers."""
    places: Mapping[Path, Access]

    def access(self, path: Path) -> Access:
        """Of one path, which need not exist; links are not followed."""
        found = next((self.places[one] for one in (path, *path.parents) if one in self.places), None)
        return self.base if found is None else found

    def without_fresh(self, homes: Iterable[Path]) -> SandboxView:
        """For a back-end that can make no empty directory: homes are hidden, what is shared for scratch is shared.

        Places with less access within those are passed over, unless a home is among them: one such place, and nothing
        new could be made there.
        """
        kept: dict[Path, Access] = {}
        for path, access in self.places.items():
            shared = next((one for one in SCRATCH if path.is_relative_to(one)), None)
            if access == "fresh":
                kept[path] = "hidden" if path in homes else "write"
            elif access == "write" or shared is None or any(home.is_relative_to(shared) for home in homes):
                kept[path] = access
        return SandboxView(self.base, kept)

    def to_json(self) -> dict[str, object]:
        """For the programs that enforce it."""
        return {"base": self.base, "places": {str(path): access for path, access in self.places.items()}}


def view(base: Access, places: Iterable[tuple[Path, Access]]) -> SandboxView:
    """Of the places that exist, with links followed; of two for one path, the later one counts."""
    found: dict[Path, Access] = {}
    for path, access in places:
        real = Path(os.path.realpath(path))
        if os.path.lexists(real):
            found.pop(real, None)
            found[real] = access
    needed: dict[Path, Access] = {}
    for path in sorted(found, key=lambda path: len(path.parts)):
        outer = SandboxView(base, needed).access(path)
        if found[path] != "hidden" or outer != "hidden":  # there is nothing to hide
            needed[path] = found[path]
    return SandboxView(base, needed)
