"""How fast the hub is, beside the same rows served by bare SQL and orjson from one Starlette route in the same run.

    python bench/hub.py [--missions 100000] [--projects 200] [--seconds 5] [--connections 16]
                        [--database-url postgresql+asyncpg://…] [--json]

Throughput: `wrk` (else an asyncio loader of our own) asks for pages of 50 missions, for single ones and for changes, of
the hub and of the bare route in turn; limits are off, all else is as it is served. Changes go one by one to random
projects, each with its own Idempotency-Key. The bare route has no permissions, no versions and no events.
Sockets: memory for each of 2,000 idle clients, and the time from a change's request until each of 500 readers of its
mission has heard of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
from sqlalchemy import Connection, insert, select
from websockets.asyncio.client import ClientConnection, connect

from solo_unicorn.hub.database import open_database
from solo_unicorn.hub.identity import SCOPES
from solo_unicorn.hub.migrate import upgrade
from solo_unicorn.hub.services import people
from solo_unicorn.hub.tables import missions, organization_members, projects
from solo_unicorn.missions.ids import new_ulid

PAGE = 50
BOUNDS = [
    ("list: hub / bare", "list ratio", 0.4, "least"),
    ("get: hub / bare", "get ratio", 0.4, "least"),
    ("patch: hub / bare", "patch ratio", 0.4, "least"),
    ("2,000 idle sockets, MB", "sockets MB", 400, "most"),
    ("a change reaches 500 readers, p99 ms", "fan-out p99 ms", 250, "most"),
]
BARE = """
import asyncio, os, sqlite3, sys, threading
from concurrent.futures import ThreadPoolExecutor
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

URL = sys.argv[1]
if URL.startswith("sqlite"):
    path, own, pool = URL.removeprefix("sqlite:///"), threading.local(), ThreadPoolExecutor(4)
    writing = ThreadPoolExecutor(1)
    def connection():
        if not hasattr(own, "db"):
            own.db = sqlite3.connect(path, isolation_level=None)
            own.db.execute("PRAGMA journal_mode = WAL"); own.db.execute("PRAGMA synchronous = FULL")
            own.db.execute("PRAGMA busy_timeout = 10000"); own.db.execute("PRAGMA cache_size = -32768")
        return own.db
    def read(sql, *given):
        return connection().execute(sql, given).fetchall()
    def change(mission, priority):
        db = connection()
        db.execute("BEGIN IMMEDIATE")
        doc = orjson.loads(db.execute("SELECT doc FROM missions WHERE id = ?", (mission,)).fetchone()[0])
        doc["priority"] = priority
        text = orjson.dumps(doc)
        db.execute("UPDATE missions SET priority = ?, doc = ? WHERE id = ?", (priority, text.decode(), mission))
        db.execute("COMMIT")
        return text
    async def rows(sql, *given):
        return await asyncio.get_running_loop().run_in_executor(pool, read, sql, *given)
    async def changed(*given):
        return await asyncio.get_running_loop().run_in_executor(writing, change, *given)
else:
    import asyncpg
    held = None
    async def opened():
        global held
        held = held or await asyncpg.create_pool(URL.replace("+asyncpg", ""), min_size=10, max_size=20)
        return held
    async def rows(sql, *given):
        for number in range(1, len(given) + 1):
            sql = sql.replace("?", f"${number}", 1)
        return [tuple(row) for row in await (await opened()).fetch(sql, *given)]
    async def changed(mission, priority):
        async with (await opened()).acquire() as db, db.transaction():
            doc = orjson.loads(await db.fetchval("SELECT doc FROM missions WHERE id = $1 FOR UPDATE", mission))
            doc["priority"] = priority
            text = orjson.dumps(doc)
            sql = "UPDATE missions SET priority = $1, doc = $2 WHERE id = $3"
            await db.execute(sql, priority, text.decode(), mission)
        return text

async def serve(request):
    kind = request.path_params["kind"]
    if request.method == "PATCH":
        body = orjson.loads(await request.body())
        return Response(await changed(request.path_params["id"], body["priority"]), media_type="application/json")
    if kind == "projects":
        sql = "SELECT doc FROM missions WHERE project_id = ? AND deleted = false ORDER BY id LIMIT %d"
        found = [orjson.loads(row[0]) for row in await rows(sql % LIMIT, request.path_params["id"])]
        return Response(orjson.dumps({"items": found}), media_type="application/json")
    found = await rows("SELECT doc FROM missions WHERE id = ?", request.path_params["id"])
    return Response(orjson.dumps(orjson.loads(found[0][0])), media_type="application/json")

LIMIT = int(sys.argv[3])
app = Starlette(routes=[Route("/api/v1/{kind}/{id}", serve, methods=["GET", "PATCH"]),
                        Route("/api/v1/{kind}/{id}/missions", serve)])
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
"""
WRK = """
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
local failed = 0
done = function(summary, latency, requests)
  io.write(string.format('{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- rows --------------------------------------------------------------------------------------------------------


async def seed(url: str, count: int, boards: int) -> tuple[str, list[str], list[str]]:
    """A hub's database with so many missions in so many projects of one person: token, project ids, mission ids."""
    database = open_database(url)
    await upgrade(database)

    def person(at: Connection) -> tuple[str, str, str]:
        user = people.user_for(at, "bench@example.org", time.time(), name="Bench", verified=True)
        people.add_organization(at, name="Bench", owner_id=user, now=time.time())
        organization = at.execute(select(organization_members.c.organization_id)).scalars().first()
        token, _ = people.add_token(
            at,
            kind="personal",
            name="bench",
            now=time.time(),
            scopes=list(SCOPES),
            days=1,
            user_id=user,
        )
        return token, user, str(organization)

    token, _, organization = await database.write(person)
    await database.close()
    async with hub_process(url) as base, httpx.AsyncClient(base_url=base, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        text = "The lamp is lit at dusk and put out at dawn. " * 12
        body = {"title": "A mission of ordinary length", "description": text, "solution": text}
        made = []
        for number in range(boards):
            board = {"name": f"Board {number}", "organizationId": organization}
            project = (await http.post("/api/v1/projects", json=board)).json()
            made.append((await http.post(f"/api/v1/projects/{project['id']}/missions", json=body)).json())
    database = open_database(url)
    mission_ids = []

    def copy(at: Connection) -> None:
        """The other missions of each project, like its first."""
        each = count // boards
        for first in made:
            row = dict(at.execute(select(missions).where(missions.c.id == first["id"])).one()._mapping)
            doc, rows = orjson.loads(row["doc"]), []
            for place in range(1, each):
                identifier, seq = new_ulid(), row["seq"] + place
                text = orjson.dumps({**doc, "id": identifier, "version": seq, "listOrder": float(place)}).decode()
                more = {"id": identifier, "seq": seq, "number": place + 1, "list_order": float(place), "doc": text}
                rows.append({**row, **more})
                mission_ids.append(identifier)
            at.execute(insert(missions), rows)
            behind = {"seq": row["seq"] + each, "mission_number": each + 1}
            at.execute(projects.update().where(projects.c.id == first["projectId"]).values(behind))

    await database.write(copy)
    await database.close()
    return token, [first["projectId"] for first in made], mission_ids


# ---- processes ---------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def hub_process(url: str, log: list[int] | None = None):  # type: ignore[no-untyped-def]
    """A hub of its own on a free port; its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="su-bench-hub-") as home:
        environment = {**os.environ, "SOLO_UNICORN_HUB_RATE_LIMITS": "off", "SOLO_UNICORN_HUB_LOG_LEVEL": "warning"}
        command = [
            sys.executable,
            "-m",
            "solo_unicorn",
            "hub",
            "--port",
            str(port),
            "--data-dir",
            home,
            "--database-url",
            url,
        ]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)  # noqa: ASYNC220
        if log is not None:
            log.append(process.pid)
        try:
            await until_open(f"http://127.0.0.1:{port}/readyz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextlib.asynccontextmanager
async def bare_process(url: str):  # type: ignore[no-untyped-def]
    """The bare route; its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, url, str(port), str(PAGE)])  # noqa: ASYNC220
    try:
        await until_open(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def until_open(address: str, process: subprocess.Popen[bytes]) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(60):
        while True:
            assert process.poll() is None, "the server has ended"
            with contextlib.suppress(httpx.TransportError):
                if (await http.get(address)).status_code != 503:
                    return
            await asyncio.sleep(0.05)


# ---- load --------------------------------------------------------------------------------------------------------


async def load(base: str, kind: str, ids: Path, token: str, seconds: float, connections: int) -> dict[str, float]:
    """Requests a second and percentiles in milliseconds."""
    if shutil.which("wrk"):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(WRK % (ids, kind, random.randrange(10**6), PAGE, random.randrange(10**9), token))
            script.flush()
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, base]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return found | {"per second": found["requests"] / found["seconds"]}
    return await _own_load(base, kind, ids.read_text().split(), token, seconds, connections)  # noqa: ASYNC240


async def _own_load(
    base: str, kind: str, ids: list[str], token: str, seconds: float, connections: int
) -> dict[str, float]:
    times: list[float] = []
    errors, ends = 0, time.perf_counter() + seconds

    async def one(http: httpx.AsyncClient) -> None:
        nonlocal errors
        while time.perf_counter() < ends:
            identifier, began = random.choice(ids), time.perf_counter()
            if kind == "list":
                answer = await http.get(f"/api/v1/projects/{identifier}/missions?limit={PAGE}")
            elif kind == "get":
                answer = await http.get(f"/api/v1/missions/{identifier}")
            else:
                headers = {"If-Match": "*", "Idempotency-Key": new_ulid()}
                body = {"priority": random.randint(1, 5)}
                answer = await http.patch(f"/api/v1/missions/{identifier}", json=body, headers=headers)
            errors += answer.status_code >= 400
            times.append((time.perf_counter() - began) * 1000)

    async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        await asyncio.gather(*(one(http) for _ in range(connections)))
    cut = statistics.quantiles(times, n=100)
    return {"per second": len(times) / seconds, "p50": cut[49], "p99": cut[98], "errors": float(errors)}


# ---- sockets -----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def crowd(base: str, token: str, count: int, channel: str):  # type: ignore[no-untyped-def]
    """So many clients in a channel."""
    address, headers = base.replace("http", "ws") + "/ws/v1", {"Authorization": f"Bearer {token}"}
    joining = orjson.dumps({"type": "join", "payload": {"channel": channel}}).decode()
    gate = asyncio.Semaphore(50)

    async def one() -> ClientConnection:
        async with gate:
            opened = await connect(address, additional_headers=headers, ping_interval=None, max_queue=64)
            await opened.send(joining)
            while "joined" not in str(await opened.recv()):
                pass
            return opened

    clients = await asyncio.gather(*(one() for _ in range(count)))
    try:
        yield clients
    finally:
        await asyncio.gather(*(client.close() for client in clients))


async def idle(url: str, token: str, project: str, count: int) -> dict[str, float]:
    """Resident memory of the hub with so many idle sockets, and without."""
    pids: list[int] = []
    async with hub_process(url, pids) as base:
        before = psutil.Process(pids[0]).memory_info().rss / 1e6
        async with crowd(base, token, count, f"project:{project}"):
            after = psutil.Process(pids[0]).memory_info().rss / 1e6
    return {"sockets MB": after, "without MB": before}


async def fan_out(url: str, token: str, mission: str, count: int, changes: int) -> dict[str, float]:
    """From the request of a change until each of the readers has heard of it, in milliseconds."""
    took: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with hub_process(url) as base, crowd(base, token, count, f"mission:{mission}") as clients:  # noqa: SIM117
        async with httpx.AsyncClient(base_url=base, headers=headers) as http:
            for number in range(changes):
                began = time.perf_counter()

                async def hear(client: ClientConnection, began: float = began) -> float:
                    while "mission.update" not in str(await client.recv()):
                        pass
                    return (time.perf_counter() - began) * 1000

                hearing = [asyncio.create_task(hear(client)) for client in clients]
                answer = await http.patch(
                    f"/api/v1/missions/{mission}", json={"title": f"Change {number}"}, headers={"If-Match": "*"}
                )
                assert answer.status_code == 200, answer.text
                took += await asyncio.gather(*hearing)
                await asyncio.sleep(0.1)
    cut = statistics.quantiles(took, n=100)
    return {"fan-out p50 ms": cut[49], "fan-out p99 ms": cut[98]}


# ---- all of it ---------------------------------------------------------------------------------------------------


async def measure(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    url = options.database_url or f"sqlite:///{directory / 'hub.sqlite3'}"
    say(f"making {options.missions:,} missions in {options.projects} projects …")
    token, project_ids, mission_ids = await seed(url, options.missions, options.projects)
    files = {"list": directory / "projects", "get": directory / "missions", "patch": directory / "missions"}
    files["list"].write_text("\n".join(project_ids) + "\n")
    files["get"].write_text("\n".join(mission_ids) + "\n")
    found: dict[str, Any] = {"load average": os.getloadavg()[0]}
    async with hub_process(url) as hub, bare_process(url) as bare:
        for kind in ("list", "get", "patch"):
            rates: dict[str, list[dict[str, float]]] = {"hub": [], "bare": []}
            for _ in range(options.rounds):
                for name, base in (("hub", hub), ("bare", bare)):
                    rates[name].append(await load(base, kind, files[kind], token, options.seconds, options.connections))
            for name, each in rates.items():
                best = max(each, key=lambda one: one["per second"])
                found[f"{kind} {name}"] = best
                times = f"p50 {best['p50']:6.1f} ms   p99 {best['p99']:6.1f} ms   errors {best['errors']:.0f}"
                say(f"{kind:5} {name:4} {best['per second']:8.0f}/s   {times}")
            found[f"{kind} ratio"] = found[f"{kind} hub"]["per second"] / found[f"{kind} bare"]["per second"]
    found |= await idle(url, token, project_ids[0], options.sockets)
    found |= await fan_out(url, token, mission_ids[0], options.readers, options.changes)
    return found


def say(text: str) -> None:
    print(re.sub(r"\s+$", "", text), file=sys.stderr, flush=True)


def report(found: dict[str, Any]) -> Iterator[str]:
    for told, name, bound, which in BOUNDS:
        value = found[name]
        good = value >= bound if which == "least" else value <= bound
        yield f"{told:42} {value:8.2f}   {which} {bound:<6}  {'ok' if good else 'MISSED'}"
    yield f"(load average at the start: {found['load average']:.1f}; without sockets {found['without MB']:.0f} MB)"


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast the hub is beside bare SQL.")
    parser.add_argument("--missions", type=int, default=100_000)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2, help="of hub and bare in turn; the better one counts")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--readers", type=int, default=500)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    with tempfile.TemporaryDirectory(prefix="su-bench-") as name:
        found = asyncio.run(measure(options, Path(name)))
    print(json.dumps(found, indent=2) if options.json else "\n".join(report(found)))


if __name__ == "__main__":
    main()
