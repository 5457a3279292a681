"""The protocol under everything that can go wrong, on the real code, for as long as you like.

    python bench/sync_soak.py [--seeds 20000] [--from 0] [--processes 2] [--minutes N] [--defects]

Half of the runs have a feed, a third of them restores from a backup too, the rest a server with the specification's
endpoints only. Exit code 1 when a run breaks an invariant; its seed and kind reproduce it.
`--minutes` ends it after so long and says with which `--from` it goes on; progress comes every ten seconds.
`--defects` puts in each of the seeded defects instead and tells after how many runs it was found; exit code 1 when one
was not.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

KINDS: tuple[dict[str, bool], ...] = ({}, {"restores": True}, {}, {"restores": True}, {}, {"plain": True})
DEFECT_SEEDS = 600
BATCH, PROGRESS_SECONDS = 40, 10.0


def run(seed: int) -> tuple[int, str, dict[str, int]]:
    """One seed: (seed, what broke or nothing, what happened)."""
    from solo_unicorn.tests.sync.simulation.world import Broken, World

    try:
        return seed, "", vars(World(seed, **KINDS[seed % len(KINDS)]).run())
    except Broken as broken:
        return seed, str(broken), {}


def found(name: str) -> tuple[str, int, str]:
    """(defect, runs until it was found or -1, by what)."""
    from solo_unicorn.tests.sync.simulation.defects import DEFECTS
    from solo_unicorn.tests.sync.simulation.world import Broken, World

    with DEFECTS[name]():
        for seed in range(DEFECT_SEEDS):
            try:
                World(seed, restores=seed % 2 == 1).run()
            except Broken as broken:
                return name, seed + 1, str(broken)
    return name, -1, ""


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, help="end after so long")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--defects", action="store_true")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        return _defects(pool) if options.defects else _seeds(pool, options)


def _seeds(pool: ProcessPoolExecutor, options: Any) -> int:
    began = told = time.monotonic()
    ends = began + options.minutes * 60 if options.minutes else float("inf")
    broken, done, total = 0, 0, dict[str, int]()
    while done < options.seeds and time.monotonic() < ends:
        first = options.first + done
        for seed, what, happened in pool.map(run, range(first, min(first + BATCH, options.first + options.seeds))):
            done += 1
            if what:
                broken += 1
                print(f"seed {seed} {KINDS[seed % len(KINDS)] or 'feed'}: {what}", flush=True)
            for name, value in happened.items():
                total[name] = total.get(name, 0) + value
        if time.monotonic() > told + PROGRESS_SECONDS or done == options.seeds:
            told = time.monotonic()
            print(f"{done} of {options.seeds}, {broken} broken, {done / (told - began):.1f} seeds/s", flush=True)
    seconds = time.monotonic() - began
    print(f"{done} seeds in {seconds:.0f} s: " + ", ".join(f"{value} {name}" for name, value in total.items()))
    if done < options.seeds:
        print(f"{options.seeds - done} left: --from {options.first + done} --seeds {options.seeds - done}")
    print(f"{broken} broken")
    return 1 if broken else 0


def _defects(pool: ProcessPoolExecutor) -> int:
    from solo_unicorn.tests.sync.simulation.defects import DEFECTS

    missed = 0
    for name, runs, what in pool.map(found, DEFECTS):
        missed += runs < 0
        print(f"{name:32} " + (f"run {runs:4}  {what[:90]}" if runs > 0 else f"NOT FOUND in {DEFECT_SEEDS}"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
