"""What a mirror relies on: idempotency, preconditions, the change feed, epochs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from solo_unicorn.hub.housekeeping import Housekeeping
from solo_unicorn.hub.storage import epoch
from solo_unicorn.hub.storage.tables import metadata

from .world import World, world


async def test_a_request_sent_twice_acts_once(hub: World) -> None:
    project = await hub.project()
    path, key = f"/projects/{project['id']}/missions", {"Idempotency-Key": "one.0"}
    first = await hub.owner.post(path, json={"title": "Once"}, headers=key)
    second = await hub.owner.post(path, json={"title": "Once"}, headers=key)
    assert second.json() == first.json()
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await hub.owner.get(path)).json()["items"]) == 1
    other = await hub.owner.post(path, json={"title": "Another"}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    elsewhere = await hub.as_("maintainer").post(path, json={"title": "Once"}, headers=key)
    assert elsewhere.status_code == 201, "a key is its caller's own"


async def test_a_key_is_looked_up_before_the_precondition(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    headers = {"If-Match": f'"{mission["version"]}"', "Idempotency-Key": "edit.0"}
    path = f"/missions/{mission['id']}"
    first = await hub.owner.patch(path, json={"priority": 5}, headers=headers)
    await hub.patch(first.json(), title="Changed since")
    replayed = await hub.owner.patch(path, json={"priority": 5}, headers=headers)
    assert (replayed.status_code, replayed.json()) == (200, first.json())


async def test_a_refusal_is_not_remembered(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    path, key = f"/missions/{mission['id']}", {"Idempotency-Key": "edit.1"}
    refused = await hub.owner.patch(path, json={"priority": 4}, headers={**key, "If-Match": '"1"'})
    assert (refused.status_code, refused.json()["error"]["details"]["current"]) == (412, mission)
    assert (await hub.owner.patch(path, json={"priority": 4}, headers=key)).status_code == 428
    done = await hub.owner.patch(path, json={"priority": 4}, headers={**key, "If-Match": f'"{mission["version"]}"'})
    assert done.status_code == 200


async def test_the_same_key_at_once_acts_once(hub: World) -> None:
    project = await hub.project()
    path, key = f"/projects/{project['id']}/missions", {"Idempotency-Key": "race.0"}
    answers = await asyncio.gather(*(hub.owner.post(path, json={"title": "Race"}, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} <= {
        "idempotency_in_progress"
    }
    assert len((await hub.owner.get(path)).json()["items"]) == 1


async def test_a_snapshot_and_its_feed_miss_nothing(hub: World) -> None:
    project = await hub.project()
    kept, gone = await hub.mission(project, "Kept"), await hub.mission(project, "Gone")
    missions, feed = f"/projects/{project['id']}/missions", f"/projects/{project['id']}/changes"
    page = (await hub.owner.get(missions, params={"limit": 1})).json()
    cursor = page["snapshotCursor"]
    assert (await hub.owner.get(feed, params={"cursor": cursor})).json()["changes"] == []
    changed = (await hub.patch(kept, priority=1)).json()
    await hub.patch(changed, priority=2)
    await hub.owner.delete(f"/missions/{gone['id']}", headers={"If-Match": f'"{gone["version"]}"'})
    told = (await hub.owner.get(feed, params={"cursor": cursor})).json()
    assert [(one["id"], one.get("deleted", False)) for one in told["changes"]] == [
        (kept["id"], False),
        (gone["id"], True),
    ]
    assert told["changes"][0]["priority"] == 2, "each mission once, in its last state"
    assert (await hub.owner.get(feed, params={"cursor": told["cursor"]})).json()["changes"] == []
    assert (told["epoch"], told["seq"]) == (1, told["changes"][1]["version"])


async def test_the_feed_comes_in_pages_without_gaps(hub: World) -> None:
    project = await hub.project()
    made = [(await hub.mission(project, f"Mission {n}"))["id"] for n in range(7)]
    seen: list[str] = []
    cursor, more = None, True
    while more:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await hub.owner.get(f"/projects/{project['id']}/changes", params=params)).json()
        seen += [one["id"] for one in page["changes"]]
        cursor, more = page["cursor"], page["hasMore"]
    assert seen == made


async def test_cursors_of_another_time_are_told_so(hub: World) -> None:
    from solo_unicorn.hub.services.mission_reads import cursor

    project = await hub.project()
    feed = f"/projects/{project['id']}/changes"
    for text_, code in {
        cursor(1, 2**53): "cursor_from_future",
        cursor(2, 1): "epoch_changed",
        "??": "cursor_expired",
    }.items():
        answer = await hub.owner.get(feed, params={"cursor": text_})
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, code)


async def test_concurrent_writers_never_share_a_number(hub: World) -> None:
    project = await hub.project()
    path = f"/projects/{project['id']}/missions"
    answers = await asyncio.gather(*(hub.owner.post(path, json={"title": f"{n}"}) for n in range(24)))
    versions = [answer.json()["version"] for answer in answers]
    assert len(set(versions)) == 24


async def test_changing_the_project_grows_its_version_in_the_feed(hub: World) -> None:
    project = await hub.project()
    feed = f"/projects/{project['id']}/changes"
    before = (await hub.owner.get(feed)).json()["projectVersion"]
    made = await hub.owner.post(
        f"/projects/{project['id']}/flows",
        json={"name": "Own", "stageSequence": [{"stage": "do", "requireReview": True}]},
    )
    assert made.status_code == 201, made.text
    after = (await hub.owner.get(feed)).json()["projectVersion"]
    assert after > before


async def test_a_cursor_of_another_history_is_refused(tmp_path: Path, database_url: str) -> None:
    """The database goes back to a backup by itself, under a hub that serves, and goes on beyond what it had."""
    async with world(tmp_path, database_url) as hub:
        project = await hub.project()
        feed = f"/projects/{project['id']}/changes"
        kept = (await hub.owner.get(feed)).json()["cursor"]
        async with put_back(hub):
            lost = (await hub.mission(project, "Lost"))["version"]
            ahead = (await hub.owner.get(feed)).json()["cursor"]
        for number in range(3):
            await hub.mission(project, f"Made after the restore {number}")
        for params in ({"cursor": ahead}, {"cursor": kept, "known": lost}):
            answer = await hub.owner.get(feed, params=params)
            assert (answer.status_code, answer.json()["error"]["code"]) == (410, "epoch_changed"), params
        told = (await hub.owner.get(feed, params={"cursor": kept})).json()
        assert [one["title"] for one in told["changes"]] == [f"Made after the restore {number}" for number in range(3)]


async def test_an_operator_begins_another_epoch_under_a_hub_that_serves(tmp_path: Path, database_url: str) -> None:
    async with world(tmp_path, database_url) as hub:
        project = await hub.project()
        feed = f"/projects/{project['id']}/changes"
        cursor = (await hub.owner.get(feed)).json()["cursor"]
        await hub.hub.database.write(epoch.begin)
        await Housekeeping(hub.hub).one_pass()
        assert (await hub.owner.get(feed, params={"cursor": cursor})).status_code == 410
        assert (await hub.owner.get(feed)).json()["epoch"] > 1


@asynccontextmanager
async def put_back(hub: World) -> AsyncIterator[None]:
    """What happens meanwhile is not in the database afterwards."""
    tables = [table for table in metadata.sorted_tables if table.name not in ("users", "tokens")]
    before = await hub.hub.database.read(
        lambda at: [[dict(row._mapping) for row in at.execute(select(table))] for table in tables]
    )
    yield

    def work(at: Connection) -> None:
        for table, rows in zip(tables, before, strict=True):
            at.execute(delete(table))
            if rows:
                at.execute(insert(table), rows)

    await hub.hub.database.write(work)
