"""How fast the hub is, beside the same rows served by bare SQL and orjson from one Starlette route in the same run.

    python bench/hub.py [--missions 100000] [--projects 200] [--seconds 5] [--rounds 3] [--connections 16]
                        [--database-url postgresql+asyncpg://…] [--only throughput|sockets] [--json]

Throughput: `wrk` (else an asyncio loader of our own) asks for pages of 50 missions, for single ones and for changes, of
the hub and of the bare route in turn, on the same database; limits are off, all else is as it is served. Changes go one
by one to random missions of all projects, each with its own Idempotency-Key. The bare route (hub_bare.py) commits each
change as durably, and has no sign-in, permissions, versions, events or keys. The ratio is the middle one of the rounds;
`CPU` is that of the hub's process for a request, beside the bare route's, which other load disturbs less.
Sockets: resident memory with 2,000 idle clients, and the time from a change's request until each of 500 readers of its
mission has heard of it.
Exit code 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from solo_unicorn.bench.hub_load import KINDS, PAGE, Load
from solo_unicorn.bench.hub_processes import bare_process, hub_process
from solo_unicorn.bench.hub_rows import seed
from solo_unicorn.bench.hub_sockets import fan_out, idle

BOUNDS = [
    ("list: hub / bare", "list ratio", 0.4, "least"),
    ("get: hub / bare", "get ratio", 0.4, "least"),
    ("patch: hub / bare", "patch ratio", 0.4, "least"),
    ("idle sockets, MB of the hub", "sockets MB", 400.0, "most"),
    ("a change reaches its readers, p99 ms", "fan-out p99 ms", 250.0, "most"),
]


def main() -> int:
    """Measure and tell."""
    options = _options()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    with tempfile.TemporaryDirectory(prefix="su-bench-") as name:
        found = asyncio.run(measure(options, Path(name)))
    print(json.dumps(found, indent=2) if options.json else "\n".join(report(found)))
    return int(any(not good for *_, good in _judged(found)))


async def measure(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """All figures by name."""
    url = options.database_url or f"sqlite:///{directory / 'hub.sqlite3'}"
    found: dict[str, Any] = {"load average": os.getloadavg()[0]}
    began = time.monotonic()
    token, projects, missions = await seed(url, options.missions, options.projects)
    found["seconds to fill"] = time.monotonic() - began
    say(f"{options.missions:,} missions in {options.projects} projects made in {found['seconds to fill']:.0f} s")
    if options.only != "sockets":
        ids = {"list": directory / "projects", "mission": directory / "missions"}
        ids["list"].write_text("\n".join(projects) + "\n")
        ids["mission"].write_text("\n".join(missions) + "\n")
        async with hub_process(url) as hub, bare_process(url, PAGE) as bare:
            for kind in KINDS:
                load = Load(kind, ids.get(kind, ids["mission"]), token, options.seconds, options.connections)
                found |= await compare(load, hub, bare, options.rounds)
    if options.only != "throughput":
        found |= await idle(url, token, projects[0], options.sockets)
        found |= await fan_out(url, token, missions[0], options.readers, options.changes)
    return found


async def compare(load: Load, hub: tuple[str, int], bare: tuple[str, int], rounds: int) -> dict[str, Any]:
    """One kind of request, of the hub and the bare route in turn."""
    ratios, costs = list[float](), list[float]()
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        rates, spent = dict[str, float](), dict[str, float]()
        for name, (base, pid) in (("hub", hub), ("bare", bare)):
            before = _cpu(pid)
            run = await load.run(base)
            rates[name], spent[name] = run["per second"], (_cpu(pid) - before) / max(run["requests"], 1)
            best[name] = max(best.get(name, run), run, key=lambda one: one["per second"])
        ratios.append(rates["hub"] / rates["bare"])
        costs.append(spent["hub"] / spent["bare"])
    for name, one in best.items():
        times = f"p50 {one['p50']:6.1f} ms   p99 {one['p99']:6.1f} ms   errors {one['errors']:.0f}"
        say(f"{load.kind:5} {name:4} {one['per second']:8.0f}/s   {times}")
    say(f"      ratios {' '.join(f'{ratio:.2f}' for ratio in ratios)}   CPU {' '.join(f'{c:.2f}' for c in costs)}")
    return {
        f"{load.kind} ratio": statistics.median(ratios),
        f"{load.kind} CPU": statistics.median(costs),
        f"{load.kind} ratios": ratios,
        **{f"{load.kind} {name}": one for name, one in best.items()},
    }


def report(found: dict[str, Any]) -> Iterator[str]:
    """A line for each bound."""
    for told, value, bound, which, good in _judged(found):
        yield f"{told:42} {value:8.2f}   {which} {bound:<6g}  {'ok' if good else 'MISSED'}"
    yield f"(filled in {found['seconds to fill']:.0f} s; load average at the start {found['load average']:.1f})"


def say(text: str) -> None:
    """On the way."""
    print(text, file=sys.stderr, flush=True)


def _judged(found: dict[str, Any]) -> Iterator[tuple[str, float, float, str, bool]]:
    for told, name, bound, which in BOUNDS:
        if name in found:
            value = float(found[name])
            yield told, value, bound, which, value >= bound if which == "least" else value <= bound


def _cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missions", type=int, default=100_000)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="of hub and bare in turn; the middle ratio counts")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--readers", type=int, default=500)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--only", choices=["throughput", "sockets"], default="")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
