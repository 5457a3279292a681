"""What the proofs of a workspace (docs/faults.md) cost a write, and its opening: the same writes with and without them.

    python bench/proof.py [--writes 400]

Two workspaces on the same disk take turns, write by write, so that the rest of the machine touches both alike.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.integrity.proof import Position, Proofs
from solo_unicorn.workspace.store import Store
from solo_unicorn.workspace.workspace import Workspace

BOUND = 1.05
TEXT = "The gateway answers 502 now and then; ask it again, a few times, with growing pauses. " * 10


class WithoutProofs(Proofs):
    """Keeps none."""

    def watch(self) -> None:
        """Nothing is watched."""

    def count(self) -> Position:
        """Nothing is counted."""
        return Position(0, 0, "")


class Writer:
    """One workspace, and how long its writes took."""

    def __init__(self, folder: Path, *, proved: bool) -> None:
        store = Store(folder / f"{'proved' if proved else 'bare'}.db")
        if not proved:
            store._proofs = WithoutProofs(store.connection)
            store._whole = False
        self._workspace = Workspace(store)
        store.on_commit = None
        self._project = self._workspace.write(operations.projects.create, "Shop").id
        self.took: dict[str, list[float]] = {"create": [], "edit": []}

    def round(self, number: int) -> None:
        """Create a mission, and edit it."""
        begun = time.perf_counter()
        draft = MissionDraft(title=f"Retry payments {number}", description=TEXT)
        made = self._workspace.write(operations.missions.create, self._project, draft)
        self.took["create"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        self._workspace.write(operations.missions.edit, made.id, {"title": f"Retry payments again {number}"})
        self.took["edit"].append(time.perf_counter() - begun)


def main() -> int:
    """Measure, print, and fail beyond the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--writes", type=int, default=400, help="of each kind")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        proved, bare = (Writer(Path(folder), proved=which) for which in (True, False))
        for number in range(wanted.writes):
            for one in (proved, bare) if number % 2 else (bare, proved):
                one.round(number)
    failed = False
    for kind in proved.took:
        pairs = [with_ / without for with_, without in zip(proved.took[kind], bare.took[kind], strict=True)]
        ratio = median(pairs)
        failed |= ratio > BOUND
        print(f"{kind}: {ratio:.3f} times the write without proofs, at most {BOUND} ({len(pairs)} pairs)")
        print(f"  {median(proved.took[kind]) * 1e3:.2f} ms against {median(bare.took[kind]) * 1e3:.2f} ms")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
