"""Into an organization by one's own word alone: offered, seen by both sides, answered by command or on a page."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.hub.api.endpoint import ENDPOINTS

from ..whole import PASSWORD, Whole, whole


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as found:
        yield found


async def organization(client: httpx.AsyncClient) -> str:
    return str((await client.get("/api/v1/organizations")).json()["items"][0]["id"])


async def invited(hub: Whole, email: str = "ben@example.org", role: str = "member") -> dict[str, Any]:
    path = f"/api/v1/organizations/{await organization(hub.ann)}/members"
    answer = await hub.ann.post(path, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def slugs(client: httpx.AsyncClient) -> list[str]:
    return [one["slug"] for one in (await client.get("/api/v1/auth/whoami")).json()["organizations"]]


async def test_an_invitation_changes_nothing_and_draws_in_no_project(hub: Whole) -> None:
    before = await slugs(hub.ben)
    await invited(hub, role="owner")
    await invited(hub, "nobody.yet@example.org")
    assert await slugs(hub.ben) == before
    made = (await hub.ben.post("/api/v1/projects", json={"name": "Ben's own"})).json()
    assert made["organizationId"] == await organization(hub.ben)
    people = (await hub.ann.get(f"/api/v1/organizations/{await organization(hub.ann)}/members")).json()["items"]
    assert [one["email"] for one in people] == ["ann@example.org"]
    assert (await hub.ann.get(f"/api/v1/projects/{made['id']}")).status_code == 404


async def test_both_sides_see_it_and_its_end(hub: Whole) -> None:
    offered = await invited(hub)
    [seen] = (await hub.ben.get("/api/v1/invitations")).json()["items"]
    assert (seen["organization"], seen["invitedBy"], seen["role"]) == ("Ann's", "ann@example.org", "member")
    assert "link" not in seen
    answer = await hub.ben.post(f"/api/v1/invitations/{offered['id']}/accept")
    assert answer.json()["state"] == "accepted"
    path = f"/api/v1/organizations/{await organization(hub.ann)}/invitations"
    assert [one["state"] for one in (await hub.ann.get(path)).json()["items"]] == ["accepted"]
    assert set(await slugs(hub.ben)) == {"ann-s", "ben-s"}
    again = await hub.ben.post(f"/api/v1/invitations/{offered['id']}/accept")
    assert again.status_code == 409
    audit = (await hub.ann.get(f"/api/v1/organizations/{await organization(hub.ann)}/audit")).json()["items"]
    assert "organization.members.invite" in {one["action"] for one in audit}


async def test_who_is_in_several_organizations_says_into_which_a_project_goes(hub: Whole) -> None:
    offered = await invited(hub)
    await hub.ben.post(f"/api/v1/invitations/{offered['id']}/accept")
    refused = await hub.ben.post("/api/v1/projects", json={"name": "Whose?"})
    assert refused.status_code == 422 and "ann-s" in refused.text and "ben-s" in refused.text
    mine = {one["slug"]: one["id"] for one in (await hub.ben.get("/api/v1/organizations")).json()["items"]}
    made = await hub.ben.post("/api/v1/projects", json={"name": "Mine", "organizationId": mine["ben-s"]})
    assert made.json()["organizationId"] == mine["ben-s"]


async def test_declined_and_withdrawn_open_nothing(hub: Whole) -> None:
    offered = await invited(hub)
    assert (await hub.ben.post(f"/api/v1/invitations/{offered['id']}/decline")).json()["state"] == "declined"
    second = await invited(hub)
    third = await invited(hub)
    assert (await hub.nobody.get(httpx.URL(second["link"]).path)).status_code == 404, "a newer one took its place"
    path = f"/api/v1/organizations/{await organization(hub.ann)}/invitations/{third['id']}"
    assert (await hub.ann.delete(path)).status_code == 204
    assert (await hub.nobody.get(httpx.URL(third["link"]).path)).status_code == 404
    assert (await hub.ben.post(f"/api/v1/invitations/{third['id']}/accept")).status_code == 409
    assert (await hub.ben.get("/api/v1/invitations")).json()["items"] == []


async def test_somebody_elses_invitation_is_not_there(hub: Whole) -> None:
    offered = await invited(hub, "nobody.yet@example.org")
    for verb in ("accept", "decline"):
        assert (await hub.ben.post(f"/api/v1/invitations/{offered['id']}/{verb}")).status_code == 404


async def test_the_link_leads_to_a_page_with_two_buttons(hub: Whole) -> None:
    offered = await invited(hub, role="admin")
    path = httpx.URL(offered["link"]).path
    async with httpx.AsyncClient(base_url=hub.url) as browser:
        page = await browser.get(path)
        assert "ann@example.org" in page.text and "/sign-in" in page.text and "Join as" not in page.text
        csrf = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/sign-in")).text)
        assert csrf
        form = {"csrf": csrf[1], "action": "sign-in", "email": "ben@example.org", "password": PASSWORD}
        await browser.post("/sign-in", data=form)
        page = await browser.get(path)
        assert "Join as ben@example.org" in page.text
        assert (await browser.post(path, data={"action": "accept"})).status_code == 403
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf
        done = await browser.post(path, data={"csrf": csrf[1], "action": "accept"})
        assert "You have joined Ann&#39;s" in done.text
        assert (await browser.get(path)).status_code == 404
    assert "ann-s" in await slugs(hub.ben)


async def test_by_command(hub: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    async def typed(who: str, *words: str, code: int = 0) -> str:
        monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / who))
        capsys.readouterr()
        assert await asyncio.to_thread(main, list(words)) == code, capsys.readouterr()
        return str(capsys.readouterr().out)

    for who, token in (("ann", hub.ann_token), ("ben", hub.ben_token)):
        monkeypatch.setattr("sys.stdin", io.StringIO(token))
        await typed(who, "auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file")
    assert "/invitations/" in await typed("ann", "organization", "invite", "ben@example.org")
    assert "invitation open" in await typed("ann", "organization", "members")
    assert "Ann's" in await typed("ben", "invitation", "list")
    await typed("ben", "project", "create", "Shop")
    await typed("ben", "invitation", "accept")
    assert "ben@example.org" in await typed("ann", "organization", "members")
    await typed("ben", "project", "publish", "Shop", code=2)
    assert "Ben's" in await typed("ben", "project", "publish", "Shop", "--organization", "ben-s")
    await typed("ann", "organization", "remove", "ben@example.org")
    assert "ann-s" not in await typed("ben", "organization", "list")


def test_no_endpoint_makes_somebody_else_a_member_of_an_organization() -> None:
    names = {row.name for row in ENDPOINTS if row.path.startswith("/organizations/{id}/members") and row.writes}
    assert names == {"organization.members.invite", "organization.members.role", "organization.members.remove"}
