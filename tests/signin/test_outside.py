"""A hub whose people sign in at an OpenID Connect issuer that is not ours: as typed, and on the hub's own pages."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from solo_unicorn.hub.signin.outside import OutsideIssuer, outside_of
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.sync.client.discovery import _for_this_hub

from ..hub.joined.processes import Program, command, program
from ..hub.outside import free_port
from .conftest import Said, Typed
from .outside_issuer import agree, outside_program, signing_key

pytestmark = pytest.mark.slow
PAGE = re.compile(r"^(http://\S+)$", re.MULTILINE)


@asynccontextmanager
async def both(tmp_path: Path, *, issuer: dict[str, Any] | None = None, **hub: str) -> AsyncIterator[Any]:
    """The issuer and a hub that trusts it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with outside_program(tmp_path / "issuer", address, **(issuer or {})) as outside:
        settings = {"issuer": outside.url, "issuer_web_client_id": "hub"} | hub
        async with program(tmp_path / "hub", port=port, **settings) as served:
            yield outside, served


async def metadata(hub: Program) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        found: dict[str, Any] = (await http.get(f"{hub.url}/.well-known/oauth-protected-resource")).json()
    return found


async def signed_in(hub: Program, person: str, *more: str) -> Said:
    """`auth login`, with a person who opens the printed page."""
    words = ["auth", "login", "--hub", hub.url, "--store-in-file", *more]
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "solo_unicorn", *words, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert started.stderr and started.stdin
    shown = ""
    async with asyncio.timeout(60):
        while not (found := PAGE.search(shown)):
            line = (await started.stderr.readline()).decode()
            if not line:
                break
            shown += line
        if found:
            async with httpx.AsyncClient() as browser:
                await agree(browser, found[1], person)
        out, err = await started.communicate()
    return Said(started.returncode or 0, out.decode(), shown + err.decode())


async def test_a_person_signs_in_with_a_code_works_and_is_renewed(typed: Typed, home: Path, tmp_path: Path) -> None:
    async with both(tmp_path) as (outside, hub):
        about = await metadata(hub)
        assert about["authorization_servers"] == [outside.url] and about["resource"] == hub.url
        done = await signed_in(hub, "ann", "--device")
        assert done.code == 0, done.err
        (who,) = (await typed("auth", "whoami", "--json")).data
        assert (who["email"], who["state"], who["signedInWith"]) == ("ann@example.org", "signed in", "code")
        kept = home / "credentials.json"
        name, tokens = next((n, json.loads(t)) for n, t in json.loads(kept.read_text()).items())
        kept.write_text(json.dumps({name: json.dumps(tokens | {"access": "ended", "expires_at": 1.0})}))
        assert (await typed("auth", "whoami")).code == 0, "renewed at the issuer, for this hub again"
        assert json.loads(json.loads(kept.read_text())[name])["refresh"] != tokens["refresh"]
        assert (await typed("project", "create", "Tower")).code == 0
        published = await typed("project", "publish", "tower")
        assert published.code == 0, published.err
        assert (await typed("sync")).code == 0


async def test_a_person_signs_in_with_a_browser_of_the_machine(typed: Typed, tmp_path: Path) -> None:
    async with both(tmp_path) as (_, hub):
        done = await opened_browser(tmp_path, hub)
        assert done.code == 0, done.err
        (who,) = (await typed("auth", "whoami", "--json")).data
        assert who["email"] == "ann@example.org" and who["signedInWith"] == "browser"


async def opened_browser(tmp_path: Path, hub: Program) -> Said:
    """`auth login` that opens a browser: a program that leaves the address for the person of the test."""
    seen = tmp_path / "address"
    opener = tmp_path / "browser"
    opener.write_text(f'#!/bin/sh\necho "$1" > {seen}.part\nmv {seen}.part {seen}\n')
    opener.chmod(0o755)
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "solo_unicorn", "auth", "login", "--hub", hub.url, "--store-in-file"),
        env=os.environ | {"BROWSER": f"{opener} %s"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        while not seen.exists():
            assert started.returncode is None, (await started.communicate())[1]
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient() as browser:
            end = await agree(browser, seen.read_text().strip(), "ann")
        assert "You are signed in" in end.text, end.text
        out, err = await started.communicate()
    return Said(started.returncode or 0, out.decode(), err.decode())


@pytest.mark.parametrize("secret", ["", "the hub's own secret"])
async def test_the_hubs_pages_sign_in_through_the_issuer(tmp_path: Path, secret: str) -> None:
    more = {"issuer_web_client_secret": secret} if secret else {}
    settings = {"secret": secret, "claims": False}
    async with (
        both(tmp_path, issuer=settings, **more) as (outside, hub),
        httpx.AsyncClient(base_url=hub.url) as browser,
    ):
        assert f"Sign in at {outside.url.partition('//')[2]}" in (await browser.get("/sign-in")).text
        sent = await begun(browser)
        assert sent.headers["location"].startswith(f"{outside.url}/auth?")
        forged = await browser.get("/sign-in/callback?code=evil&state=guessed")
        assert forged.status_code == 403 and "not started in this browser" in forged.text
        end = await agree(browser, (await begun(browser)).headers["location"], "ann")
        assert "You are signed in as <b>ann@example.org</b>" in end.text, end.text
        who = (await browser.get("/api/v1/auth/whoami")).json()
        assert who["user"]["email"] == "ann@example.org" and "monsterAuth" not in who["user"]
        assert (await browser.post("/api/v1/projects", json={"name": "Forged"})).status_code == 403


async def begun(browser: httpx.AsyncClient) -> httpx.Response:
    """The button of the hub's page was pressed."""
    page = await browser.get("/sign-in")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf, page.text
    sent = await browser.post("/sign-in", data={"csrf": csrf[1]})
    assert sent.status_code == 303, sent.text
    return sent


async def test_an_address_links_nobody_unless_the_operator_says_so(tmp_path: Path, home: Path) -> None:
    async with both(tmp_path) as (outside, hub):
        command(tmp_path / "hub", "user", "add", "ann@example.org", "--organization", "Acme")
        refused = await signed_in(hub, "ann", "--device")
        assert refused.code == 5 and "is not linked to your sign-in" in refused.err
        assert "hub link" in refused.err and outside.url in refused.err
        words = ("link", "ann@example.org", "ann")
        command(tmp_path / "hub", *words, SOLO_UNICORN_HUB_ISSUER=outside.url)
        done = await signed_in(hub, "ann", "--device")
        assert done.code == 0, done.err


@pytest.mark.parametrize(("verified", "linked"), [(True, True), (False, False)])
async def test_a_verified_address_links_where_the_operator_allows_it(
    tmp_path: Path, home: Path, typed: Typed, verified: bool, linked: bool
) -> None:
    async with both(tmp_path, issuer={"verified": verified}, issuer_link_email="on") as (_, hub):
        command(tmp_path / "hub", "user", "add", "ann@example.org", "--organization", "Acme")
        done = await signed_in(hub, "ann", "--device")
        assert done.code == 0, done.err
        (who,) = (await typed("auth", "whoami", "--json")).data
        assert (who["email"] == "ann@example.org") is linked
        belongs = [one["name"] for one in who["organizations"]]
        assert belongs == (["Acme"] if linked else ["ann's team"]), "an unverified address opens nobody's account"


async def test_nobody_new_comes_where_the_operator_says_so(tmp_path: Path, home: Path) -> None:
    async with both(tmp_path, issuer_sign_up="off") as (_, hub):
        done = await signed_in(hub, "ben", "--device")
        assert done.code == 5 and "You have no account on this hub" in done.err


async def test_tokens_for_another_hub_are_refused(tmp_path: Path, home: Path) -> None:
    async with both(tmp_path) as (outside, hub):
        assert (await signed_in(hub, "ann", "--device")).code == 0
        kept = json.loads((home / "credentials.json").read_text())
        token = json.loads(next(iter(kept.values())))["access"]
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http:
            assert (await http.get(f"{hub.url}/api/v1/auth/whoami")).status_code == 200
            async with program(tmp_path / "other", issuer=outside.url) as other:
                assert (await http.get(f"{other.url}/api/v1/auth/whoami")).status_code == 401


async def test_a_hub_whose_tokens_are_for_another_hub_is_refused(typed: Typed, tmp_path: Path) -> None:
    async with program(tmp_path / "hub", issuer="http://127.0.0.1:9", audience="https://hub.example.org") as hub:
        with pytest.raises(SoloUnicornError, match=r"asks for a token for https://hub.example.org"):
            _for_this_hub(hub.url, {"resource": "https://hub.example.org"})
        said = (await metadata(hub))["solo_unicorn"]
        assert said["parameters"] == {"resource": "https://hub.example.org"}


async def test_keys_that_the_issuer_changed_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solo_unicorn.hub.signin.outside.JWKS_AGAIN_SECONDS", 0.0)
    address, hub = "https://issuer.example.org", "https://hub.example.org"
    keys = [signing_key("first"), signing_key("second")]
    published = keys[:1]

    async def fetch(asked: str, token: str = "") -> dict[str, Any]:
        return {"keys": published} if asked.endswith("/jwks") else {"issuer": address, "jwks_uri": f"{address}/jwks"}

    def token(key: dict[str, Any], **other: object) -> str:
        claims = {"iss": address, "aud": hub, "sub": "ann", "exp": int(time.time()) + 60} | other
        return jwt.encode({"alg": "RS256", "kid": key["kid"]}, claims, RSAKey.import_key(key), algorithms=["RS256"])

    settings = outside_of({"issuer": address}, hub)
    assert settings
    issuer = OutsideIssuer(settings, fetch)
    assert await issuer.claims(token(keys[0]), hub)
    assert await issuer.claims(token(keys[1]), hub) is None
    published = keys[1:]
    assert await issuer.claims(token(keys[1]), hub)
    assert await issuer.claims(token(keys[0]), hub) is None, "a key that is withdrawn signs nothing any more"
    for wrong in ({"iss": "https://other.example.org"}, {"aud": "https://other.example.org"}, {"exp": 1}):
        assert await issuer.claims(token(keys[1], **wrong), hub) is None


async def test_a_second_hub_is_the_issuer(typed: Typed, tmp_path: Path) -> None:
    port = free_port()
    second = f"http://127.0.0.1:{port}"
    async with program(tmp_path / "first", audiences=second) as first:
        command(tmp_path / "first", "user", "add", "ann@example.org", "--organization", "Acme")
        command(tmp_path / "first", "user", "password", "ann@example.org", said="correct horse battery\n")
        async with program(tmp_path / "second", port=port, issuer=first.url) as hub:
            words = ("auth", "login", "--hub", hub.url, "--no-browser", "--store-in-file")
            pipe = asyncio.subprocess.PIPE
            started = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "solo_unicorn", *words, stdout=pipe, stderr=pipe
            )
            assert started.stderr
            shown = ""
            async with asyncio.timeout(60):
                while not (found := PAGE.search(shown)):
                    line = (await started.stderr.readline()).decode()
                    assert line, shown
                    shown += line
                async with httpx.AsyncClient() as browser:
                    await allowed(browser, found[1])
                _, err = await started.communicate()
            assert started.returncode == 0, err
            (who,) = (await typed("auth", "whoami", "--json")).data
            assert who["email"] == "ann@example.org" and who["hub"] == hub.url


async def allowed(browser: httpx.AsyncClient, address: str) -> None:
    """A person signs in at the first hub, and allows the machine."""
    for fields in (
        {"action": "sign-in", "email": "ann@example.org", "password": "correct horse battery"},
        {"action": "allow"},
    ):
        page = await browser.get(address)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf, page.text
        sent = await browser.post(address, data=fields | {"csrf": csrf[1]})
        assert sent.status_code in (200, 303), sent.text
