"""What a mirror relies on: idempotency, preconditions, the change feed, epochs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import text

from solo_unicorn.hub import epoch

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
        cursor(1, 10**12): "cursor_from_future",
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


async def test_a_restored_backup_is_noticed_and_stamped_anew(tmp_path: Path, database_url: str) -> None:
    directory = tmp_path / "hub"
    async with world(directory, database_url) as hub:
        project = await hub.project()
        mission = await hub.mission(project)
        page = (await hub.owner.get(f"/projects/{project['id']}/missions")).json()
    epoch.write_high_water(directory, 1, 10**9)  # what the hub had come to before the backup was put back
    from solo_unicorn.hub.app import create_app
    from solo_unicorn.hub.settings import HubSettings

    app = create_app(HubSettings(directory, database_url=database_url))
    async with app.router.lifespan_context(app):
        again = app.state.hub
        assert again.epoch == 2
        stamped = await again.database.read(
            lambda at: at.execute(text("SELECT seq, doc FROM missions WHERE id = :id"), {"id": mission["id"]}).one()
        )
    assert stamped.seq > 2**41
    assert f'"version":{stamped.seq}' in stamped.doc
    assert page["epoch"] == 1
    assert epoch.read_high_water(directory)[0] == 2
