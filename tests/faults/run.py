"""Faults put into the real programs, one after the other, and what was acknowledged compared at the end.

    python -m solo_unicorn.tests.faults.run [--minutes 10] [--rounds N] [--seed 1] [--only MOVE]

A service with its agents, a person's board and a person's program work in one home; the seed draws what goes wrong
(moves.py). At the end every write that was acknowledged is there, nothing is there twice, `doctor --deep` finds
nothing, no mission has landed twice, and every error that a person saw was one of ours.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from .moves import MOVES, ROUND_SECONDS, Move
from .world import World, built

WRITES_A_ROUND = 5


def run(
    folder: Path,
    shim: Path,
    *,
    seed: int,
    rounds: int | None = None,
    minutes: float = 1.0,
    moves: tuple[Move, ...] = MOVES,
) -> World:
    """So many rounds, or as many as begin within the minutes; each kind of fault at least once in as many rounds."""
    world, drawn, until = World(folder, shim, seed), random.Random(seed), time.monotonic() + minutes * 60
    kinds: list[Move] = []
    number = 0
    try:
        while number < rounds if rounds is not None else time.monotonic() < until:
            if not kinds:
                kinds = drawn.sample(moves, len(moves))
            move = kinds.pop()
            print(f"{number}: {move.__name__}, {len(world.ledger.saved)} saved so far", flush=True)
            _round(world, move)
            number += 1
    finally:
        world.close()
    return world


def _round(world: World, move: Move) -> None:
    """All work, something goes wrong, it passes, and all work again."""
    world.write()
    world.serve()
    world.watch()
    world.ledger.wait(WRITES_A_ROUND)
    move(world)
    time.sleep(ROUND_SECONDS)
    world.well()
    world.write()
    world.ledger.wait(WRITES_A_ROUND)


def main() -> int:
    """Run, and print what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[one.__name__ for one in MOVES], action="append")
    wanted = parser.parse_args()
    moves = tuple(one for one in MOVES if wanted.only is None or one.__name__ in wanted.only)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    shim = built(folder)
    if shim is None:
        print("Faults are put in by a small library for Linux: install a C compiler (`cc`)", file=sys.stderr)
        return 2
    world = run(folder, shim, seed=wanted.seed, rounds=wanted.rounds, minutes=wanted.minutes, moves=moves)
    wrong = world.wrong()
    print(f"{len(world.ledger.saved)} writes acknowledged, {world.ledger.refused} refused, {len(wrong)} wrong")
    print("\n".join(wrong[:40]))
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
