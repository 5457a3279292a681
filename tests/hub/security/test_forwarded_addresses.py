"""The address that tries are counted by and the audit log names is that of the connection, or of a named proxy."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from solo_unicorn.hub import audit
from solo_unicorn.hub.operating.server import configuration
from solo_unicorn.missions.errors import UsageError

from ..whole import Whole, whole

pytestmark = pytest.mark.slow


async def tried(hub: Whole, count: int) -> list[str]:
    """Wrong passwords, each said to come from another address; what the page answers."""
    said = []
    async with httpx.AsyncClient(base_url=hub.url) as browser:
        for number in range(count):
            page = (await browser.get("/sign-in")).text
            csrf = re.search(r'name="csrf" value="([^"]+)"', page)
            assert csrf
            form = {"csrf": csrf[1], "action": "sign-in", "email": "ann@example.org", "password": "wrong password"}
            forged = {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https"}
            said.append((await browser.post("/sign-in", data=form, headers=forged)).text)
    return said


async def places(hub: Whole) -> set[str]:
    rows = await hub.hub.database.read(lambda at: audit.read(at, limit=50, action="sign-in"))
    return {row.place for row in rows}


async def test_nobody_says_where_they_come_from(tmp_path: Path) -> None:
    async with whole(tmp_path) as hub:
        said = await tried(hub, 7)
        assert ["Too many attempts" in one for one in said] == [False] * 5 + [True] * 2
        assert await places(hub) == {"127.0.0.1"}


async def test_a_named_proxy_says_where_they_come_from(tmp_path: Path) -> None:
    async with whole(tmp_path, proxies="127.0.0.0/8, 10.0.0.2") as hub:
        assert not any("Too many attempts" in one for one in await tried(hub, 7))
        assert await places(hub) == {f"203.0.113.{number}" for number in range(7)}


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
async def test_behind_a_proxy_strangers_do_not_count_as_this_machine(tmp_path: Path, proxies: str) -> None:
    async with whole(tmp_path, proxies=proxies) as hub:
        assert (await hub.nobody.get("/metrics")).status_code == 200
        for said in ({"X-Forwarded-For": "8.8.8.8"}, {"X-Forwarded-For": "8.8.8.8, 127.0.0.1"}):
            assert (await hub.nobody.get("/metrics", headers=said)).status_code == 404


@pytest.mark.parametrize("wrong", ["*", "proxy.example", "10.0.0.2,*", "10.0.0.1/8"])
def test_what_is_not_an_address_is_not_a_proxy(wrong: str) -> None:
    with pytest.raises(UsageError, match="SOLO_UNICORN_HUB_PROXIES"):
        configuration(lambda *_: None, wrong)  # type: ignore[arg-type]
