"""Channels: who may join, one order for all, replay after a reconnect, presence, and the end of a hub."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from .server import BOARD, MISSION, OTHER, PROJECT, WORKSTATION, running

CHANNEL = f"mission:{MISSION}"


async def test_signed_out_sockets_are_closed_with_a_reason_before_they_hear_anything() -> None:
    async with running() as hub, hub.client("") as client:
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 4401


async def test_a_channel_that_may_not_be_joined_does_not_exist() -> None:
    async with running() as hub, hub.client() as client:
        await client.say("join", f"mission:{OTHER}", ref=7)
        refused = await client.until("error")
        assert (refused["payload"]["code"], refused["ref"]) == ("not_found", 7)
        hub.gateway.rooms.post(f"mission:{OTHER}", "mission.update", {"secret": True})
        await client.say("ping")
        assert (await client.hear())["type"] == "pong"


async def test_messages_of_a_channel_have_consecutive_numbers_in_the_order_they_were_posted() -> None:
    async with running() as hub, hub.client() as one, hub.client() as two:
        start = (await one.join(CHANNEL))["payload"]["seq"]
        await two.join(CHANNEL)
        for number in range(200):
            hub.gateway.rooms.post(CHANNEL, "mission.update", {"n": number})
        for client in (one, two):
            heard = [await client.hear() for _ in range(200)]
            assert [message["payload"]["n"] for message in heard] == list(range(200))
            assert [message["seq"] for message in heard] == list(range(start + 1, start + 201))
        assert one.frames < 20, "what gathers leaves in few frames"


async def test_who_comes_back_hears_what_it_missed_once_and_in_order() -> None:
    async with running() as hub:
        async with hub.client() as client:
            seen = (await client.join(CHANNEL))["payload"]["seq"]
        for number in range(50):
            hub.gateway.rooms.post(CHANNEL, "mission.update", {"n": number})
        await asyncio.sleep(0.05)
        for number in range(50, 60):  # still on their way while the client joins
            hub.gateway.rooms.post(CHANNEL, "mission.update", {"n": number})
        async with hub.client() as client:
            joined = await client.join(CHANNEL, after=seen)
            assert joined["payload"]["gap"] is False
            assert [(await client.hear())["payload"]["n"] for _ in range(60)] == list(range(60))


async def test_a_number_of_an_earlier_start_is_answered_with_a_gap() -> None:
    async with running() as hub:
        hub.gateway.rooms.post(CHANNEL, "mission.update", {})
        async with hub.client() as client:
            assert (await client.join(CHANNEL, after=17))["payload"]["gap"] is True


async def test_nudges_of_a_project_tell_only_the_highest_number() -> None:
    async with running() as hub, hub.client() as client:
        await client.join(f"project:{PROJECT}")
        for seq in range(1, 101):
            hub.gateway.rooms.changed(PROJECT, seq)
        heard = await client.until("changes")
        assert heard["payload"] == {"projectId": PROJECT, "seq": 100} and "seq" not in heard


async def test_presence_is_told_as_deltas_and_kept_for_who_joins_later() -> None:
    async with running() as hub, hub.client() as machine, hub.client() as watcher:
        await watcher.join(BOARD)
        said = {"status": "online", "devServerPort": 3000}
        await machine.say("presence.update", BOARD, workstationId=WORKSTATION, meta=said)
        heard = (await watcher.until("presence.update"))["payload"]
        assert heard == {"memberKey": {"workstationId": WORKSTATION, "userId": "ann"}, "meta": said}
        for port in (3001, 3002, 3003):
            await machine.say(
                "presence.update", BOARD, workstationId=WORKSTATION, meta={"status": "online", "devServerPort": port}
            )
        heard = (await watcher.until("presence.update"))["payload"]
        assert heard["meta"] == {"devServerPort": 3003}, "only what changed, at most once a second"
        async with hub.client() as late, hub.client("guest") as guest:
            kept = (await late.join(BOARD))["payload"]["presence"]
            assert kept[0]["meta"] == {"status": "online", "devServerPort": 3003}
            assert (await guest.join(BOARD))["payload"]["presence"][0]["meta"] == {"status": "online"}


async def test_presence_of_a_machine_that_fell_silent_expires() -> None:
    async with running(expire_seconds=0.6) as hub, hub.client() as watcher:
        await watcher.join(BOARD)
        async with hub.client() as machine:
            await machine.say("presence.update", BOARD, workstationId=WORKSTATION, meta={"status": "online"})
            await watcher.until("presence.update")
        heard = (await watcher.until("presence.update"))["payload"]
        assert heard["left"] is True and heard["reason"] == "expired"


async def test_nobody_speaks_for_the_workstation_of_another() -> None:
    async with running() as hub, hub.client("guest") as guest:
        await guest.say("presence.update", BOARD, workstationId=WORKSTATION, meta={"status": "online"})
        assert (await guest.until("error"))["payload"]["code"] == "not_allowed"


@pytest.mark.parametrize("frame", ["", "[]", "{", '{"type": 3}', '{"type": "join", "payload": []}', '"x"', "null"])
async def test_frames_that_are_no_envelopes_are_answered_not_fatal(frame: str) -> None:
    async with running() as hub, hub.client() as client:
        await client.opened.send(frame)
        assert (await client.until("error"))["payload"]["code"] == "invalid"
        await client.say("ping")
        await client.until("pong")


async def test_a_flood_of_messages_ends_the_socket() -> None:
    async with running() as hub, hub.client() as client:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(2_000):
                await client.say("ping")
            while True:
                await client.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 4429


async def test_rights_taken_away_end_the_membership_and_an_ended_token_the_socket() -> None:
    async with running() as hub, hub.client() as client, hub.client("short") as short:
        await client.join(CHANNEL)
        await short.join(CHANNEL)
        hub.door.closed.add(MISSION)
        await asyncio.sleep(0.1)  # the token's own time
        for session in list(hub.gateway._sessions):
            await session.recheck()
        assert (await client.until("left"))["channel"] == CHANNEL
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await short.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 4401


async def test_who_may_no_longer_speak_for_a_workstation_is_refused_on_the_same_socket() -> None:
    async with running() as hub, hub.client("ann") as client:
        await client.say("presence.update", BOARD, workstationId=WORKSTATION, meta={}, ref=1)
        await client.until("ok")
        hub.door.closed.add(WORKSTATION)
        for session in list(hub.gateway._sessions):
            await session.recheck()
        await client.say("presence.update", BOARD, workstationId=WORKSTATION, meta={}, ref=2)
        assert (await client.until("error"))["payload"]["code"] == "not_allowed"


async def test_a_reader_that_is_too_slow_is_dropped_with_a_reason_and_holds_up_nobody() -> None:
    async with running() as hub, hub.client(max_queue=1, compression=None) as slow, hub.client() as quick:
        await slow.join(CHANNEL)
        await quick.join(CHANNEL)
        text = "x" * 10_000
        for number in range(1_000):  # 10 MB that `slow` does not read
            hub.gateway.rooms.post(CHANNEL, "mission.update", {"n": number, "text": text})
            if number % 50 == 49:
                while (await quick.hear())["payload"]["n"] != number:
                    pass
        async with asyncio.timeout(10):
            while hub.gateway.connections > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with pytest.raises(ConnectionClosed):
            while True:
                await slow.hear()


async def test_a_stopping_hub_says_when_to_come_back() -> None:
    async with running() as hub, hub.client() as one, hub.client() as two:
        for client in (one, two):
            assert (await client.hear())["type"] == "welcome"
        await hub.gateway.stop()
        waits = set()
        for client in (one, two):
            bye = await client.until("bye")
            waits.add(bye["payload"]["retryAfterMs"])
            with pytest.raises(ConnectionClosed) as closed:
                await client.hear()
            assert closed.value.rcvd and closed.value.rcvd.code == 1012
        assert len(waits) == 2, "spread"


async def test_frames_are_compressed_where_the_client_asks_for_it() -> None:
    async with running() as hub, hub.client() as client:
        assert client.opened.response is not None
        assert "permessage-deflate" in client.opened.response.headers["Sec-WebSocket-Extensions"]
