"""A hub whose disk is full: it says so, loses nothing, goes on being read, and goes on by itself once there is room."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..small_disk import SmallDisk, hub_on_a_small_disk, signed_in

pytestmark = pytest.mark.slow
MISSIONS = "/api/v1/projects/{}/missions"


@pytest.fixture
def disk(home: Path) -> Iterator[SmallDisk]:
    with hub_on_a_small_disk(home / "disk") as made:
        yield made


def until_refused(client: httpx.Client, project: str) -> tuple[int, httpx.Response]:
    """How many missions were taken, and the answer that was not a success."""
    for taken in range(2_000):
        answer = client.post(MISSIONS.format(project), json={"title": f"Mission {taken}", "description": "x" * 20_000})
        if answer.status_code != 201:
            return taken, answer
    raise AssertionError("the disk is never full")


def check_that_it_goes_on(client: httpx.Client, project: str, taken: int, refused: httpx.Response) -> None:
    """After a write was refused: the words, the reads, `/readyz`."""
    assert refused.status_code == 507, refused.text
    assert refused.json()["error"]["code"] == "disk_full" and "operator" in refused.json()["error"]["message"]
    assert client.post(MISSIONS.format(project), json={"title": "y", "description": "y" * 20_000}).status_code == 507
    read = client.get(MISSIONS.format(project), params={"limit": "200"})
    assert read.status_code == 200 and len(read.json()["items"]) == min(taken, 200)
    ready = client.get("/readyz")
    assert ready.status_code == 503 and "hub.sqlite3" in ready.json()["checks"]["database"], ready.text
    assert client.get("/healthz").status_code == 200


def until_ready(client: httpx.Client) -> None:
    """What `/readyz` found is remembered for a second."""
    deadline = time.monotonic() + 30
    while (ready := client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, ready.text
    assert set(ready.json()["checks"].values()) == {"ok"}


def check_that_it_is_well(client: httpx.Client, project: str, taken: int) -> None:
    assert client.post(MISSIONS.format(project), json={"title": "Fits"}).status_code == 201
    until_ready(client)
    found = client.get(MISSIONS.format(project), params={"limit": "200"}).json()["items"]
    assert len(found) == min(taken + 1, 200)


def test_a_full_disk_refuses_writes_serves_reads_and_heals_by_itself(disk: SmallDisk) -> None:
    with signed_in(disk) as client:
        project = client.post("/api/v1/projects", json={"name": "P"}).json()["id"]
        assert client.post(MISSIONS.format(project), json={"title": "Before"}).status_code == 201
        disk.fill()
        taken, refused = until_refused(client, project)
        check_that_it_goes_on(client, project, taken + 1, refused)
        disk.empty()
        check_that_it_is_well(client, project, taken + 1)


def test_readiness_comes_back_without_a_write_of_somebody(disk: SmallDisk) -> None:
    with signed_in(disk) as client:
        project = client.post("/api/v1/projects", json={"name": "P"}).json()["id"]
        disk.fill()
        until_refused(client, project)
        assert client.get("/readyz").status_code == 503
        disk.empty()
        until_ready(client)


def test_a_limit_on_the_size_of_files_is_no_fault_of_the_hub_either(disk: SmallDisk) -> None:
    with signed_in(disk) as client:
        project = client.post("/api/v1/projects", json={"name": "P"}).json()["id"]
        before = resource.prlimit(disk.process.pid, resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
        taken, refused = until_refused(client, project)
        check_that_it_goes_on(client, project, taken, refused)
        resource.prlimit(disk.process.pid, resource.RLIMIT_FSIZE, before)
        check_that_it_is_well(client, project, taken)


def test_a_file_that_finds_no_room_is_refused_and_goes_on_where_it_stood(disk: SmallDisk) -> None:
    import hashlib

    content = bytes(range(256)) * 2_000
    with signed_in(disk) as client:
        project = client.post("/api/v1/projects", json={"name": "P"}).json()["id"]
        mission = client.post(MISSIONS.format(project), json={"title": "With a file"}).json()["id"]
        about = {"missionId": mission, "name": "a.bin", "mime": "application/octet-stream", "size": len(content)}
        about["sha256"] = hashlib.sha256(content).hexdigest()
        place = client.post(f"/api/v1/projects/{project}/attachments", json=about).json()
        disk.fill()
        refused = client.put(place["uploadUrl"], content=content)
        assert refused.status_code == 507 and refused.json()["error"]["code"] == "disk_full", refused.text
        disk.empty()
        assert client.put(place["uploadUrl"], content=content).status_code == 204
        identifier = place["attachment"]["id"]
        assert client.post(f"/api/v1/attachments/{identifier}/complete").json()["state"] == "complete"
