"""A refresh token that was used is worth nothing; who brings it again, thief or victim, ends the whole sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ..issuing import Flow, Issued, issuing


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Issued]:
    async with issuing(tmp_path, database_url) as found:
        yield found


async def test_reuse_of_a_rotated_token_ends_every_token_of_the_sign_in(hub: Issued) -> None:
    first = await hub.sign_in()
    second = (await hub.refresh(first["refresh_token"])).json()
    third = (await hub.refresh(second["refresh_token"])).json()
    stolen = await hub.refresh(first["refresh_token"])
    assert stolen.status_code == 400 and stolen.json()["error"] == "invalid_grant"
    for token in (first, second, third):
        assert not await hub.good(token["access_token"])
        assert (await hub.refresh(token["refresh_token"])).status_code == 400


async def test_other_sign_ins_of_the_person_go_on(hub: Issued) -> None:
    laptop, desktop = await hub.sign_in(), await hub.sign_in()
    await hub.refresh(laptop["refresh_token"])
    await hub.refresh(laptop["refresh_token"])
    assert await hub.good(desktop["access_token"])
    assert (await hub.refresh(desktop["refresh_token"])).status_code == 200


async def test_of_many_at_once_with_one_token_at_most_one_is_served(hub: Issued) -> None:
    first = await hub.sign_in()
    answers = await asyncio.gather(*(hub.refresh(first["refresh_token"]) for _ in range(8)))
    served = [answer for answer in answers if answer.status_code == 200]
    assert len(served) == 1
    assert not await hub.good(served[0].json()["access_token"]), "the others looked like theft"


async def test_a_thief_without_the_clients_key_is_noticed(hub: Issued) -> None:
    first = await hub.sign_in()
    kept = (await hub.refresh(first["refresh_token"], "the-clients-own-key-1")).json()
    assert (await hub.refresh(first["refresh_token"], "a-guess-of-the-thief")).status_code == 400
    assert not await hub.good(kept["access_token"])


async def test_a_code_that_is_used_twice_ends_what_it_gave(hub: Issued) -> None:
    flow = Flow()
    code = await hub.code(flow)
    first = (await hub.exchange(flow, code)).json()
    assert (await hub.exchange(flow, code)).json()["error"] == "invalid_grant"
    assert not await hub.good(first["access_token"])
    assert (await hub.refresh(first["refresh_token"])).status_code == 400


async def test_a_token_of_one_client_is_nothing_to_another(hub: Issued) -> None:
    made = await hub.http.post("/oauth/register", json={"redirect_uris": ["http://localhost/done"]})
    first = await hub.sign_in()
    refused = await hub.refresh(first["refresh_token"], client_id=made.json()["client_id"])
    assert refused.status_code == 400
    assert (await hub.refresh(first["refresh_token"])).status_code == 200
