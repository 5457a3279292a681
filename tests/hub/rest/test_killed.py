"""A hub killed under load: nothing that was acknowledged is lost, nothing is applied twice.

    SOLO_UNICORN_TEST_KILLS=50 python -m pytest tests/hub/rest/test_killed.py -n 2

takes some minutes; without the variable each hub is killed twice.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import new_database
from .serving import free_port, prepare, process_wait, start

KILLS = int(os.environ.get("SOLO_UNICORN_TEST_KILLS", "2"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + 20 * KILLS)]
WRITERS = 6


class Writer:
    """One client: it sends each request until it is answered, with the same key, and counts what it was promised."""

    def __init__(self, number: int, urls: list[str], token: str, project: str) -> None:
        self.urls, self.project, self.number = urls, project, number
        self.client = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self.created: dict[str, str] = {}
        self.counted = 0
        self.mission = ""
        self.version = 0
        self._choice = random.Random(number)

    async def send(self, method: str, path: str, key: str, body: dict[str, object], **headers: str) -> httpx.Response:
        """The same request until there is an answer; a hub that is away is asked again, or another one."""
        while True:
            url = self._choice.choice(self.urls)
            try:
                answer = await self.client.request(
                    method, f"{url}/api/v1{path}", json=body, headers={"Idempotency-Key": key, **headers}
                )
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            busy = answer.status_code == 409 and answer.json()["error"]["code"] == "idempotency_in_progress"
            if answer.status_code < 500 and not busy:
                return answer
            await asyncio.sleep(0.02)

    async def create(self, title: str) -> None:
        """A new mission."""
        answer = await self.send(
            "POST", f"/projects/{self.project}/missions", f"{self.number}.{title}", {"title": title}
        )
        assert answer.status_code == 201, answer.text
        self.created[answer.json()["id"]] = title
        if not self.mission:
            self.mission, self.version = answer.json()["id"], answer.json()["version"]

    async def count(self) -> None:
        """One more change of the writer's own mission: nobody else changes it, so every If-Match must hold."""
        self.counted += 1
        answer = await self.send(
            "PATCH",
            f"/missions/{self.mission}",
            f"{self.number}.count.{self.counted}",
            {"description": f"change {self.counted}"},
            **{"If-Match": f'"{self.version}"'},
        )
        assert answer.status_code == 200, answer.text
        self.version = answer.json()["version"]

    async def work(self, until: asyncio.Event) -> None:
        """Create and change until it is enough."""
        number = 0
        while not until.is_set():
            await self.create(f"writer {self.number} mission {number}")
            await self.count()
            number += 1


async def _kill_again_and_again(directory: Path, database_url: str, processes: int) -> None:
    token = await asyncio.to_thread(prepare, directory, database_url)
    ports = [free_port() for _ in range(processes)]
    hubs = [await asyncio.to_thread(start, directory, port, database_url) for port in ports]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    enough = asyncio.Event()
    try:
        async with httpx.AsyncClient(
            base_url=urls[0] + "/api/v1", headers={"Authorization": f"Bearer {token}"}
        ) as owner:
            project = (await owner.post("/projects", json={"name": "Shop"})).json()["id"]
            writers = [Writer(number, urls, token, project) for number in range(WRITERS)]
            tasks = [asyncio.create_task(writer.work(enough)) for writer in writers]
            for kill in range(KILLS):
                wanted = sum(writer.counted for writer in writers) + 12
                await _until(lambda wanted=wanted: sum(writer.counted for writer in writers) >= wanted, tasks)  # type: ignore[misc]
                place = kill % processes
                hubs[place].kill()
                hubs[place].wait()
                hubs[place] = await asyncio.to_thread(start, directory, ports[place], database_url)
            enough.set()
            await asyncio.gather(*tasks)
            await _check(owner, project, writers)
            for writer in writers:
                await writer.client.aclose()
    finally:
        for hub in hubs:
            hub.terminate()
        for hub in hubs:
            if not process_wait(hub, 20):
                hub.kill()
                hub.wait()


async def _until(held: Callable[[], bool], tasks: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(60):
        while not held():
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)


async def _check(owner: httpx.AsyncClient, project: str, writers: list[Writer]) -> None:
    found: dict[str, dict[str, object]] = {}
    cursor, more = None, True
    while more:
        params = {"limit": 500, **({"cursor": cursor} if cursor else {})}
        page = (await owner.get(f"/projects/{project}/changes", params=params)).json()
        found |= {mission["id"]: mission for mission in page["changes"]}
        cursor, more = page["cursor"], page["hasMore"]
    promised = {mission: title for writer in writers for mission, title in writer.created.items()}
    assert {mission: str(one["title"]) for mission, one in found.items()} == promised, "none lost, none twice"
    versions = [one["version"] for one in found.values()]
    assert len(set(versions)) == len(versions)
    for writer in writers:
        assert found[writer.mission]["description"] == f"change {writer.counted}"
        assert await _edits(owner, writer.mission) == writer.counted, "each change is in the history, once"


async def _edits(owner: httpx.AsyncClient, mission: str) -> int:
    """How many changes its history tells."""
    after, found = "0", 0
    while after is not None:
        page = (await owner.get(f"/missions/{mission}/events", params={"limit": 500, "after": after})).json()
        found += sum(event["kind"] == "edited" for event in page["items"])
        after = page["nextAfter"]
    return found


async def test_a_hub_on_sqlite_keeps_its_promises_when_it_is_killed(tmp_path: Path) -> None:
    await _kill_again_and_again(tmp_path, "", 1)


async def test_two_hubs_on_postgresql_keep_their_promises_when_they_are_killed(tmp_path: Path, postgres: str) -> None:
    url = await asyncio.to_thread(new_database, postgres)
    await _kill_again_and_again(tmp_path, url, 2)
