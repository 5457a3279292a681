"""A hub that answers badly: refuses, limits, fails, drips or says it all twice."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import tokens, transport
from solo_unicorn.sync.client.tokens import AccountBearer, Tokens
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica.messages import LONGEST_WAIT, NoAnswer, Request, Response
from solo_unicorn.workspace import operations, queries

from ..simulation.hub_state import EPOCH
from ..simulation.served import ServedHub
from .machines import PROJECT, Machine, Time

FAILS = Response(500, {}, {"error": {"code": "internal", "message": "something broke"}})


async def test_a_hub_that_fails_for_ten_minutes_is_asked_now_and_then_and_all_drains_after(
    ann: Machine, served: ServedHub, time: Time
) -> None:
    await ann.settle()
    made = [await ann.make(f"mission {number}") for number in range(5)]
    served.before = lambda request: FAILS
    began, tries = time.now, 0
    while time.now < began + 600:
        assert await ann.link.cycle()
        tries += 1
        time.now += max(0.01, ann.link.pace.wait(time.now))
        await ann.edit(made[0], title=f"edited at {time.now:.0f}")
    assert ann.link.pace.open and tries < 60
    state = await ann.thread.run(queries.connection.sync_state)
    assert state.offline_since is not None and state.waiting
    served.before = lambda request: None
    served.requests.clear()
    time.now += 60
    await ann.settle()
    assert served.hub.state.missions.keys() == set(made) and not ann.link.pace.open


async def test_an_edit_on_which_alone_the_hub_fails_is_set_aside_and_tried_again_hourly(
    ann: Machine, served: ServedHub, time: Time
) -> None:
    await ann.settle()
    poison = await ann.make("poison")

    def fails(request: Request) -> Response | None:
        wrong = isinstance(request.body, dict) and request.body.get("title") == "poison"
        return FAILS if request.method == "POST" and wrong else None

    served.before = fails
    for number in range(12):
        await ann.make(f"fine {number}")
        await ann.engine.once()
        time.now += 120
    (parked,) = await ann.thread.read(replica.sync_steps.queued, parked=True)
    assert (parked.entity_id, parked.error_code) == (poison, "suspect")
    assert (await ann.thread.run(queries.connection.sync_state)).parked == 1
    assert len(served.hub.state.missions) == 12
    served.before = lambda request: None
    time.now += 3600
    await ann.engine.once()
    await ann.settle()
    assert poison in served.hub.state.missions
    assert await ann.thread.read(replica.sync_steps.queued, parked=True) == []


@pytest.mark.parametrize(
    ("asked", "waits"),
    [("30", 30.0), (formatdate(EPOCH + 45, usegmt=True), 45.0), (str(10**9), LONGEST_WAIT)],
    ids=["seconds", "a date of the hub's clock", "for ever"],
)
async def test_a_hub_that_limits_is_left_alone_for_as_long_as_it_asks_but_not_for_ever(
    ann: Machine, served: ServedHub, time: Time, asked: str, waits: float
) -> None:
    await ann.settle()
    mission_id = await ann.make("later")
    served.before = lambda request: Response(
        429, {"retry-after": asked, "date": formatdate(EPOCH, usegmt=True)}, {"error": {"code": "rate_limited"}}
    )
    (trouble,) = await ann.link.cycle()
    assert trouble.kind == "busy"
    assert ann.link.pace.wait(time.now) == pytest.approx(waits, abs=2)
    assert (await ann.thread.run(queries.connection.sync_state)).waiting == 1
    served.before = lambda request: None
    await ann.settle()
    assert mission_id in served.hub.state.missions


async def test_an_answer_that_is_no_gzip_though_it_says_so_changes_nothing(ann: Machine, served: ServedHub) -> None:
    await ann.settle()
    before = await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])
    mission_id = await ann.make("careful")
    served.before = lambda request: Response(200, {"content-encoding": "gzip"}, {"changes": []})
    (trouble,) = await ann.engine.once()
    assert trouble.kind == "unreadable"
    assert (await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])).cursor == before.cursor
    served.before = lambda request: None
    await ann.settle()
    assert mission_id in served.hub.state.missions


@pytest.mark.parametrize(
    "body", [None, {"please": "sign in to this network"}, ["ok"]], ids=["nothing", "an object", "a list"]
)
async def test_a_success_that_is_not_the_hubs_proves_nothing(ann: Machine, served: ServedHub, body: Any) -> None:
    kept, gone = await ann.make("kept"), await ann.make("gone")
    await ann.settle()
    effects = len(served.hub.effects)
    await ann.edit(kept, title="changed")
    await ann.thread.write(operations.missions.delete, gone)
    made = await ann.make("made")
    served.before = lambda request: Response(200, {}, body) if request.method != "GET" else None
    (trouble,) = await ann.engine.once()
    assert trouble.kind == "unreadable"
    assert (await ann.thread.run(queries.connection.sync_state)).waiting == 3
    served.before = lambda request: None
    await ann.engine.close()
    await ann.settle()
    assert {one: mission["title"] for one, mission in served.hub.state.missions.items()} == {
        kept: "changed",
        made: "made",
    }
    assert len(served.hub.effects) == effects + 3


async def test_a_hub_that_drips_is_given_up_and_edits_go_on_meanwhile(
    ann: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 0.4)
    asked = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    wire = HttpTransport(address)
    try:
        async with asyncio.timeout(20):
            asking = asyncio.create_task(wire.send(Request("GET", "/api/v1/x", {}, {})))
            await asked.wait()
            await ann.make("typed meanwhile")
            answer = await asking
    finally:
        await wire.close()
        server.close()
    assert isinstance(answer, NoAnswer) and answer.reason == "no answer in time"


async def test_four_requests_that_are_refused_at_once_renew_the_sign_in_once(home: Path, served: ServedHub) -> None:
    grant = served.grant("ann")
    old = Tokens(grant["access_token"], grant["refresh_token"], None, f"{served.url}/token", "", "x")
    tokens.write("ann@hub", old, in_file=True)
    del served.users[old.access]
    wires = [HttpTransport(served.url, AccountBearer("ann@hub")) for _ in range(4)]
    answers = await asyncio.gather(*(wire.send(Request("GET", "/api/v1/auth/whoami", {}, {})) for wire in wires))
    for wire in wires:
        await wire.close()
    assert [answer.status for answer in answers if isinstance(answer, Response)] == [200] * 4
    assert served.refreshes == 1


async def test_edits_that_never_get_through_although_the_hub_answers_are_told_of_within_two_minutes(
    ann: Machine, served: ServedHub, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ann.settle()
    resets = []
    reset = ann.link.transport.reset

    async def counted() -> None:
        resets.append(time.now)
        await reset()

    monkeypatch.setattr(ann.link.transport, "reset", counted)
    mission_id = await ann.make("swallowed")
    served.before = lambda request: b"<html>blocked</html>" if request.method == "POST" else None
    began = time.now
    while not resets:
        await ann.link.cycle()
        time.now += 10
        assert time.now < began + 180, "nobody was told"
    state = await ann.thread.run(queries.connection.sync_state)
    error = (await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])).error
    assert state.waiting == 1 and "do not get through" in str(error)
    served.before = lambda request: None
    time.now += 60
    await ann.settle()
    assert mission_id in served.hub.state.missions


async def test_an_expired_cursor_reads_everything_anew_and_fifty_queued_edits_still_go_out(
    ann: Machine, served: ServedHub
) -> None:
    first = await ann.make("first")
    await ann.settle()
    made = [await ann.make(f"offline {number}") for number in range(50)]
    expired = Response(410, {}, {"error": {"code": "cursor_expired", "message": "too old"}})
    told: list[int] = []

    def once(request: Request) -> Response | None:
        if request.path.endswith("/changes") and not told:
            told.append(1)
            return expired
        return None

    served.before = once
    generation = (await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])).generation
    await ann.settle()
    assert told and (await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])).generation == generation + 1
    assert served.hub.state.missions.keys() == {first, *made}
    assert len(served.hub.effects) == 51, "each once"


async def test_many_nudges_are_read_as_few_and_a_missing_one_costs_time_only(ann: Machine, served: ServedHub) -> None:
    mission_id = await ann.make("nudged")
    await ann.settle()
    changed = asyncio.Event()
    running = asyncio.create_task(ann.engine.keep_links())
    stop = ann.thread.on_change(changed.set)
    served.requests.clear()
    try:
        async with asyncio.timeout(20):
            with served.lock:
                path = f"/api/v1/missions/{mission_id}"
                version = served.hub.state.missions[mission_id]["version"]
                served.hub.handle(
                    Request("PATCH", path, {}, {"if-match": f'"{version}"'}, {"title": "told a thousand times"})
                )
            for _ in range(1000):
                ann.engine.nudge(ann.account.id)
            while (await ann.board())[0].title != "told a thousand times":
                await changed.wait()
                changed.clear()
    finally:
        stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sum(one.endswith("/changes") for one in served.requests) < 10


async def test_pages_that_come_twice_or_in_the_wrong_order_take_nothing_back(ann: Machine, served: ServedHub) -> None:
    mission_id = await ann.make("one")
    await ann.settle()

    def page(version: int, title: str) -> dict[str, object]:
        mission = {**served.hub.state.missions[mission_id], "version": version, "title": title}
        return {"changes": [mission], "cursor": f"c{version}", "seq": version, "epoch": 1}

    for version, title in ((12, "twelve"), (12, "twelve"), (11, "eleven"), (5, "five")):
        await ann.thread.write_as(SYSTEM, replica.sync_steps.take_changes, PROJECT["id"], page(version, title))  # type: ignore[arg-type]
        assert (await ann.board())[0].title == "twelve"
    assert await ann.thread.read(replica.sync_steps.verify_mirror, PROJECT["id"]) == []


NOT_KNOWN = Response(404, {}, {"error": {"code": "not_found", "message": "no such thing"}})


async def test_whatever_answers_after_a_sign_in_ended_it_stays_ended_until_the_hub_is_read(
    ann: Machine, served: ServedHub, time: Time
) -> None:
    await ann.settle()
    served.before = lambda request: Response(401, {"www-authenticate": "Bearer"}, {"error": {"code": "x"}})
    await ann.engine.once()
    for answer in (NOT_KNOWN, FAILS, b"<html>hello</html>", Response(503, {}, {"error": {"code": "unavailable"}})):
        served.before = lambda request: answer  # noqa: B023 - asked before the next turn
        await ann.engine.once()
        state = await ann.thread.run(queries.connection.sync_state)
        error = state.failure()
        assert state.kind == "signed_out" and error is not None and error.exit_code == 5, answer
    served.before = lambda request: None
    await ann.settle()
    assert (await ann.thread.run(queries.connection.sync_state)).kind != "signed_out"


async def test_a_page_instead_of_what_a_hub_can_do_does_not_make_it_a_plain_one(
    ann: Machine, served: ServedHub, time: Time
) -> None:
    """Edits would go out without the check that nobody else made one."""
    await ann.settle()
    time.now += 2 * 3600
    served.before = lambda request: NOT_KNOWN if request.path.endswith("/sync/capabilities") else None
    (trouble,) = await ann.engine.once()
    assert trouble.kind == "unreadable"
    known = await ann.thread.read(replica.sync_steps.capabilities, served.url)
    assert known is not None and known.changes and known.if_match
