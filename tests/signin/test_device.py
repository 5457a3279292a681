"""Signing in with a code: as typed on a machine without a browser, and what the issuer refuses."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from solo_unicorn.hub.signin.device import DEVICE_GRANT
from solo_unicorn.hub.signin.tables import devices

from ..hub.issuing import CLIENT, URL, Issued, issuing
from ..hub.people import ANN, PASSWORD
from ..hub.whole import whole
from .conftest import Typed

ADDRESS = re.compile(r"http://\S+user_code=\S+")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Issued]:
    async with issuing(tmp_path) as found:
        yield found


async def asked(hub: Issued, **more: str) -> dict[str, Any]:
    """What a machine is given to show."""
    given = {"client_id": CLIENT, "scope": "openid email offline_access", "device_name": "build-7"}
    answer = await hub.http.post("/oauth/device_authorization", data=given | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def polled(hub: Issued, given: dict[str, Any]) -> httpx.Response:
    form = {"grant_type": DEVICE_GRANT, "device_code": given["device_code"], "client_id": CLIENT}
    return await hub.http.post("/oauth/token", data=form)


async def answered(http: httpx.AsyncClient, given: dict[str, Any], action: str) -> httpx.Response:
    """What a person does in a browser that may be signed in already."""
    page = await http.get(given["verification_uri_complete"])
    if "Password" in page.text:
        form = {"action": "sign-in", "email": ANN.email, "password": PASSWORD, "csrf": seal(page)}
        sent = await http.post(given["verification_uri_complete"], data=form)
        assert sent.status_code == 303, sent.text
        page = await http.get(given["verification_uri_complete"])
    assert given["user_code"] in page.text, page.text
    return await http.post(given["verification_uri_complete"], data={"action": action, "csrf": seal(page)})


def seal(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def test_a_person_agrees_and_the_machine_gets_tokens_once(hub: Issued) -> None:
    metadata = (await hub.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["device_authorization_endpoint"] == f"{URL}/oauth/device_authorization"
    given = await asked(hub)
    assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", given["user_code"]) and given["expires_in"] == 600
    assert (await polled(hub, given)).json()["error"] == "authorization_pending"
    done = await answered(hub.http, given, "allow")
    assert "build-7 is signed in" in done.text
    token = (await polled(hub, given)).json()
    assert await hub.good(token["access_token"])
    assert (await hub.refresh(token["refresh_token"])).status_code == 200
    assert (await polled(hub, given)).json()["error"] == "expired_token"
    gone = await hub.http.get(given["verification_uri_complete"])
    assert gone.status_code == 400 and "This code is not valid" in gone.text


async def test_who_asks_is_shown_as_text_with_its_address_and_its_rights(hub: Issued) -> None:
    given = await asked(hub, device_name="<b>evil</b>")
    await answered(hub.http, await asked(hub), "refuse")
    page = (await hub.http.get(given["verification_uri_complete"])).text
    assert "&lt;b&gt;evil&lt;/b&gt;" in page and "<b>127.0.0.1</b>" in page and "make access tokens" in page


async def test_a_refusal_reaches_the_machine(hub: Issued) -> None:
    given = await asked(hub)
    assert "was refused" in (await answered(hub.http, given, "refuse")).text
    assert (await polled(hub, given)).json()["error"] == "access_denied"


async def test_a_machine_that_asks_too_often_is_slowed_down(hub: Issued) -> None:
    given = await asked(hub)
    said = [(await polled(hub, given)).json()["error"] for _ in range(3)]
    assert said == ["authorization_pending", "slow_down", "slow_down"]


async def test_a_code_ends(hub: Issued) -> None:
    given = await asked(hub)
    await hub.database.write(lambda at: at.execute(update(devices).values(expires_at=1.0)))
    assert (await polled(hub, given)).json()["error"] == "expired_token"
    await answered(hub.http, await asked(hub), "refuse")
    assert (await hub.http.get(given["verification_uri_complete"])).status_code == 400


async def test_codes_cannot_be_guessed_or_allowed_from_another_page(hub: Issued) -> None:
    given = await asked(hub)
    await answered(hub.http, await asked(hub), "refuse")
    forged = await hub.http.post(given["verification_uri_complete"], data={"action": "allow", "csrf": "guessed"})
    assert forged.status_code == 403
    pages = [await hub.http.get("/oauth/device?user_code=AAAA-AAAA") for _ in range(12)]
    assert "Too many attempts" in pages[-1].text
    assert (await polled(hub, given)).json()["error"] == "authorization_pending"
    other = await hub.http.post("/oauth/device_authorization", data={"client_id": "nobody"})
    assert other.status_code in (400, 401) and "error" in other.json()


@pytest.mark.slow
async def test_no_browser_shows_a_code_that_is_allowed_elsewhere(typed: Typed, home: Path, tmp_path: Path) -> None:
    async with whole(tmp_path / "hub") as served:
        words = ["auth", "login", "--hub", served.url, "--no-browser", "--store-in-file"]
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "solo_unicorn", *words, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert program.stderr and program.stdout
        shown = ""
        async with asyncio.timeout(60):
            while not (found := ADDRESS.search(shown)) or "Waiting" not in shown:
                line = (await program.stderr.readline()).decode()
                assert line, shown
                shown += line
        code = found[0].partition("user_code=")[2]
        assert f"for 10 minutes: {code}" in shown
        async with httpx.AsyncClient() as browser:
            done = await answered(browser, {"verification_uri_complete": found[0], "user_code": code}, "allow")
            assert "is signed in" in done.text
        said, _ = await program.communicate()
        assert program.returncode == 0 and b"ann@example.org" in said
        (who,) = (await typed("auth", "whoami", "--json")).data
        assert who["signedInWith"] == "code" and who["state"] == "signed in" and who["expiresAt"]
