"""A program that registered itself gets what it asked for and the person saw, never settings, members or tokens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from solo_unicorn.hub.signin import clients
from solo_unicorn.hub.signin.clients import register

from ..issuing import Flow
from ..whole import PASSWORD, Whole, whole

pytestmark = pytest.mark.slow

BACK = "http://localhost/done"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as found:
        yield found


async def registered(hub: Whole, name: str = "Some agent", back: str = BACK) -> str:
    made = await hub.nobody.post("/oauth/register", json={"client_name": name, "redirect_uris": [back]})
    return str(made.json()["client_id"])


async def agreed(hub: Whole, flow: Flow) -> tuple[str, httpx.AsyncClient]:
    """The page that Ann sees, and the program with what it is given when she agrees."""
    async with httpx.AsyncClient(base_url=hub.url) as browser:
        path = f"/oauth/authorize?{flow.query()}"
        page = (await browser.get(path)).text
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert csrf, page
        form = {"csrf": csrf[1], "action": "sign-in", "email": "ann@example.org", "password": PASSWORD}
        sent = await browser.post(path, data=form)
        given = {
            "grant_type": "authorization_code",
            "code": httpx.URL(sent.headers["location"]).params["code"],
            "redirect_uri": flow.back,
            "client_id": flow.client,
            "code_verifier": flow.verifier,
        }
        token = (await browser.post("/oauth/token", data=given)).json()["access_token"]
    return page, httpx.AsyncClient(base_url=hub.url + "/api/v1", headers={"Authorization": f"Bearer {token}"})


async def codes(program: httpx.AsyncClient, hub: Whole) -> dict[str, int]:
    """What it tries, and how that is answered."""
    organization = (await hub.ask("GET", "/api/v1/organizations")).json()["items"][0]["id"]
    tries: dict[str, tuple[str, str, dict[str, Any]]] = {
        "read": ("GET", f"/projects/{hub.project}/missions", {}),
        "write": ("PATCH", f"/missions/{hub.mission}", {"title": "Changed"}),
        "run": ("POST", "/workstations", {"name": "laptop"}),
        "token": ("POST", "/tokens", {"name": "for ever", "scopes": ["read"]}),
        "member": ("POST", f"/organizations/{organization}/members", {"email": "eve@example.org", "role": "owner"}),
        "settings": ("PATCH", f"/projects/{hub.project}", {"visibility": "public"}),
    }
    return {
        name: (
            await program.request(method, path, json=body or None, headers={"If-Match": "*"} if body else {})
        ).status_code
        for name, (method, path, body) in tries.items()
    }


NEVER = {"token": 403, "member": 403, "settings": 403}


@pytest.mark.parametrize(
    ("scope", "allowed", "says"),
    [
        ("openid", {"read": 403, "write": 403, "run": 403}, "see nothing of your projects"),
        ("openid read", {"read": 200, "write": 403, "run": 403}, "read projects, missions and memory"),
        ("openid missions", {"read": 200, "write": 200, "run": 403}, "change missions and memory"),
        ("read run", {"read": 200, "write": 403, "run": 201}, "run missions on workstations"),
    ],
)
async def test_it_gets_what_it_asked_for_and_no_more(
    hub: Whole, scope: str, allowed: dict[str, int], says: str
) -> None:
    flow = Flow(client=await registered(hub), back="http://localhost:5123/done", scope=scope)
    page, program = await agreed(hub, flow)
    async with program:
        assert await codes(program, hub) == allowed | NEVER
    assert says in page and "Some agent" in page and "localhost:5123" in page and "Nobody has checked" in page
    if "write" not in scope and "missions" not in scope:
        assert "change missions" not in page


async def test_admin_is_not_there_to_be_asked_for(hub: Whole) -> None:
    flow = Flow(client=await registered(hub), back="http://localhost:5123/done", scope="read admin")
    answer = await hub.nobody.get(f"/oauth/authorize?{flow.query()}")
    assert answer.status_code == 303 and "error=invalid_scope" in answer.headers["location"]


async def test_our_own_command_line_may_do_what_the_person_may(hub: Whole) -> None:
    page, program = await agreed(hub, Flow())
    async with program:
        assert (await program.post("/tokens", json={"name": "build", "scopes": ["read"]})).status_code == 201
    assert "change settings and make access tokens" in page


async def test_other_sites_are_only_told_when_the_operator_has_declared_them(tmp_path: Path) -> None:
    site = "https://agent.example/done"
    for declared, known in (("", False), ("https://agent.example/other", False), (site, True), ("https", True)):
        async with whole(tmp_path / (declared.rpartition("/")[2] or "none"), client_redirects=declared) as hub:
            made = await hub.nobody.post("/oauth/register", json={"redirect_uris": [site]})
            assert (made.status_code == 201) is known, declared
            if not known:
                assert "SOLO_UNICORN_HUB_CLIENT_REDIRECTS" in made.json()["error_description"]


async def test_a_site_that_is_not_declared_any_more_is_refused(hub: Whole) -> None:
    site = "https://agent.example/done"
    made = await hub.hub.database.write(lambda at: register(at, {"redirect_uris": [site]}, [site]))
    flow = Flow(client=str(made["client_id"]), back=site)
    assert (await hub.nobody.get(f"/oauth/authorize?{flow.query()}")).status_code == 400


@pytest.mark.parametrize(
    "back", ["http://127.0.0.1:9/\\evil.com", "http://127.0.0.1:9/ evil", "http://[::1", "http://127.0.0.1:x/"]
)
async def test_an_address_that_is_none_is_refused_in_words(hub: Whole, back: str) -> None:
    for client in ("solo-unicorn-cli", await registered(hub)):
        answer = await hub.nobody.get(f"/oauth/authorize?{Flow(client=client, back=back).query()}")
        assert answer.status_code == 400 and "text/html" in answer.headers["content-type"], answer.text


@pytest.mark.parametrize(
    "value", ['a\\b"c', "\x00", "\n\r", "ü", "\ud83e".encode("utf-8", "surrogatepass").decode("latin-1")]
)
async def test_no_value_of_a_parameter_is_a_fault_of_the_hub(hub: Whole, value: str) -> None:
    asked = dict(httpx.QueryParams(Flow(back="http://127.0.0.1:9/x").query())) | {"resource": "", "nonce": "n"}
    posted = {"grant_type": "authorization_code", "code": "c", "client_id": "solo-unicorn-cli", "redirect_uri": "r"}
    posted |= {"code_verifier": "v" * 43, "scope": "openid", "refresh_token": "r", "device_code": "d", "token": "t"}
    for name in asked:
        answer = await hub.nobody.get("/oauth/authorize", params=asked | {name: value})
        assert answer.status_code < 500, (name, answer.text)
    for name in posted:
        for place in ("token", "revoke", "device_authorization"):
            answer = await hub.nobody.post(f"/oauth/{place}", data=posted | {name: value})
            assert answer.status_code < 500, (place, name, answer.text)


async def test_clients_that_nobody_uses_do_not_use_up_the_places_of_others(
    hub: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = Flow(client=await registered(hub), back="http://localhost:5123/done")
    _, program = await agreed(hub, flow)
    await program.aclose()
    await registered(hub)
    monkeypatch.setattr(clients, "REGISTERED_MAX", 2)
    full = await hub.nobody.post("/oauth/register", json={"redirect_uris": [BACK]})
    assert full.status_code == 400 and "limit" in full.text, "none is older than a day"
    monkeypatch.setattr(clients, "UNUSED_SECONDS", 0)
    assert await registered(hub) != "None"
    assert (await hub.nobody.get(f"/oauth/authorize?{flow.query()}")).status_code == 200, "the used one is still there"
