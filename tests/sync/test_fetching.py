"""Lists of a hub are read to their end, however its pages are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import Json
from solo_unicorn.missions.errors import Offline
from solo_unicorn.sync.client import fetching
from solo_unicorn.sync.client.community import Community
from solo_unicorn.sync.client.transport import FixedBearer, HttpTransport
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request, Response

HUB = "https://hub.example"


class Pages:
    """A server with these answers, one after another."""

    def __init__(self, *bodies: Json | None) -> None:
        self.bodies = list(bodies)
        self.asked: list[dict[str, str]] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append({name: text for name, text in request.query.items() if name != "limit"})
        body = self.bodies.pop(0)
        return NoAnswer("cut") if body is None else Response(200, {}, body)

    async def reset(self) -> None: ...

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({"nextAfter": "p1"}, {"after": "p1"}),
        ({"nextCursor": "p1"}, {"cursor": "p1"}),
        ({"meta": {"nextCursor": "p1"}}, {"cursor": "p1"}),
    ],
)
async def test_every_page_is_read(said: dict[str, Any], asked: dict[str, str]) -> None:
    link = Pages({"items": [{"id": "1"}], **said}, {"items": [{"id": "2"}], "nextAfter": None})
    assert await fetching.projects(link, HUB) == [{"id": "1"}, {"id": "2"}]
    assert link.asked == [{}, asked]


async def test_a_server_that_gives_the_same_page_again_and_again_ends() -> None:
    same: Json = {"items": [{"id": "1"}], "nextCursor": "1"}
    link = Pages(same, same, same)
    assert len(await fetching.projects(link, HUB)) == 2


async def test_half_a_list_is_none() -> None:
    with pytest.raises(Offline, match="cannot be reached"):
        await fetching.projects(Pages({"items": [{"id": "1"}], "nextAfter": "1"}, None), HUB)


@pytest.mark.slow
async def test_more_projects_than_a_page_at_the_real_hub(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
    from ..hub.whole import whole

    async with whole(tmp_path / "hub") as hub:
        for number in range(101):
            body = {"name": f"Tower {number}", "visibility": "public", "publicSlug": f"tower-{number}"}
            (await hub.ask("POST", "/api/v1/projects", json=body)).raise_for_status()
        link = HttpTransport(hub.url, FixedBearer(hub.ann_token))
        try:
            assert len(await fetching.projects(link, hub.url)) == 102
            document, parts = await fetching.project(link, hub.url, "tower 100")
            assert document["name"] == "Tower 100" and parts["flows"]
            shown = await Community(link, hub.url).public()
            assert {str(one["publicSlug"]) for one in shown} == {f"tower-{number}" for number in range(101)}
        finally:
            await link.close()
