"""Load for the hub's bench: `wrk`, or an asyncio loader where it is not installed."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import httpx

from solo_unicorn.missions.ids import new_ulid

Kind = Literal["list", "get", "patch"]
KINDS: Final[tuple[Kind, ...]] = ("list", "get", "patch")
PAGE: Final = 50
SCRIPT: Final = """
local ids = {}
for id in io.lines("%s") do ids[#ids + 1] = id end
local kind, counter = "%s", 0
math.randomseed(%d)
request = function()
  local id = ids[math.random(#ids)]
  counter = counter + 1
  if kind == "list" then return wrk.format("GET", "/api/v1/projects/" .. id .. "/missions?limit=%d") end
  if kind == "get" then return wrk.format("GET", "/api/v1/missions/" .. id) end
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["If-Match"] = "*"
  wrk.headers["Idempotency-Key"] = string.format("%%d-%%d-%%d", %d, math.random(1e9), counter)
  return wrk.format("PATCH", "/api/v1/missions/" .. id, nil, string.format('{"priority": %%d}', math.random(1, 5)))
end
wrk.headers["Authorization"] = "Bearer %s"
done = function(summary, latency, requests)
  io.write(string.format('{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Who asks for what, for how long, over how many connections."""

    kind: Kind
    ids: Path
    """A file with an id in each line: of projects to list, else of missions."""
    token: str
    seconds: float
    connections: int

    async def run(self, base: str) -> dict[str, float]:
        """`requests`, `per second`, `p50` and `p99` in milliseconds, `errors`."""
        return await (self._wrk(base) if shutil.which("wrk") else self._own(base))

    async def _wrk(self, base: str) -> dict[str, float]:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            seeds = random.randrange(10**6), PAGE, random.randrange(10**9)
            script.write(SCRIPT % (self.ids, self.kind, *seeds, self.token))
            script.flush()
            command = ["wrk", "-t1", f"-c{self.connections}", f"-d{self.seconds}s", "-s", script.name, base]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return found | {"per second": found["requests"] / found["seconds"]}

    async def _own(self, base: str) -> dict[str, float]:
        times: list[float] = []
        errors, ends = 0, time.perf_counter() + self.seconds
        ids = (await asyncio.to_thread(self.ids.read_text)).split()

        async def one(http: httpx.AsyncClient) -> None:
            nonlocal errors
            while time.perf_counter() < ends:
                began = time.perf_counter()
                answer = await self._ask(http, random.choice(ids))
                errors += answer.status_code >= 400
                times.append((time.perf_counter() - began) * 1000)

        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as http:
            await asyncio.gather(*(one(http) for _ in range(self.connections)))
        cut = statistics.quantiles(times, n=100)
        rate = {"requests": float(len(times)), "per second": len(times) / self.seconds}
        return {**rate, "p50": cut[49], "p99": cut[98], "errors": float(errors)}

    async def _ask(self, http: httpx.AsyncClient, identifier: str) -> httpx.Response:
        match self.kind:
            case "list":
                return await http.get(f"/api/v1/projects/{identifier}/missions?limit={PAGE}")
            case "get":
                return await http.get(f"/api/v1/missions/{identifier}")
            case "patch":
                headers = {"If-Match": "*", "Idempotency-Key": new_ulid()}
                body = {"priority": random.randint(1, 5)}
                return await http.patch(f"/api/v1/missions/{identifier}", json=body, headers=headers)
