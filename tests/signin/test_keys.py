"""Signing in with keys at a real hub, as typed, on a machine without a keychain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ..hub.joined.processes import Program, command, program
from .conftest import Typed

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[tuple[Program, str]]:
    """A hub with Ann, owner of Acme, and a token of hers."""
    async with program(tmp_path / "hub") as found:
        command(tmp_path / "hub", "user", "add", "ann@example.org", "--organization", "Acme")
        yield found, command(tmp_path / "hub", "token", "create", "ann@example.org")


async def test_an_organization_key_signs_the_organization_in(hub: tuple[Program, str], typed: Typed) -> None:
    served, token = hub
    async with httpx.AsyncClient(base_url=served.url, headers={"authorization": f"Bearer {token}"}) as ann:
        (organization,) = (await ann.get("/api/v1/organizations")).json()["items"]
        made = {"name": "build machine", "scopes": ["read", "write", "admin"]}
        key = (await ann.post(f"/api/v1/organizations/{organization['id']}/keys", json=made)).json()["token"]
    done = await typed("auth", "login", "--hub", served.url, "--org-key", "-", "--store-in-file", stdin=key)
    assert done.code == 0, done.err
    assert f"Signed in at {served.url} as Acme" in done.out and key not in done.out + done.err
    (who,) = (await typed("auth", "whoami", "--json")).data
    assert who["kind"] == "organization" and who["userId"] == organization["id"]
    assert [one["name"] for one in who["organizations"]] == ["Acme"]
    assert who["scopes"] == ["admin", "read", "write"] and who["expiresAt"]
    async with httpx.AsyncClient(base_url=served.url, headers={"authorization": f"Bearer {token}"}) as ann:
        assert (await ann.post("/api/v1/projects", json={"name": "Lighthouse"})).status_code == 201
    connected = await typed("project", "connect", "lighthouse")
    assert connected.code == 0, connected.err
    assert (await typed("sync")).code == 0


async def test_a_machine_without_a_keychain_is_told_how_to_go_on(hub: tuple[Program, str], typed: Typed) -> None:
    served, token = hub
    refused = await typed("auth", "login", "--hub", served.url, "--api-key", "-", stdin=token)
    assert refused.code == 1
    assert "There is no keychain" in refused.err and "--store-in-file" in refused.err
    assert "a file that only you can read" in refused.err
    assert (await typed("auth", "whoami")).code == 5, "nothing was kept without being asked"
    done = await typed("auth", "login", "--hub", served.url, "--api-key", "-", "--store-in-file", stdin=token)
    assert done.code == 0 and "credentials.json" in done.err


async def test_whoami_says_who_where_how_and_until_when(hub: tuple[Program, str], typed: Typed) -> None:
    served, token = hub
    await typed("auth", "login", "--hub", served.url, "--api-key", "-", "--store-in-file", stdin=token)
    shown = await typed("auth", "whoami")
    for part in ("ann@example.org", "Acme (owner)", served.url, "access token", "signed in"):
        assert part in shown.out
    (who,) = (await typed("auth", "whoami", "--json")).data
    assert who["signedInWith"] == "access token" and who["expiresAt"] > "2026"


async def test_ones_own_tokens_are_made_listed_and_revoked(hub: tuple[Program, str], typed: Typed) -> None:
    served, token = hub
    await typed("auth", "login", "--hub", served.url, "--api-key", "-", "--store-in-file", stdin=token)
    made = await typed("auth", "token", "create", "laptop", "--scope", "read", "--days", "7")
    assert made.code == 0 and made.out.startswith("pat_") and len(made.out.splitlines()) == 1
    assert "once" in made.err
    async with httpx.AsyncClient(
        base_url=served.url, headers={"authorization": f"Bearer {made.out.strip()}"}
    ) as laptop:
        assert (await laptop.get("/api/v1/auth/whoami")).json()["scopes"] == ["read"]
        listed = await typed("auth", "token", "list")
        assert "laptop" in listed.out and made.out.strip() not in listed.out
        assert (await typed("auth", "token", "revoke", "nothing")).code == 3
        assert (await typed("auth", "token", "revoke", "laptop")).code == 0
        assert (await laptop.get("/api/v1/auth/whoami")).status_code == 401
    assert "laptop" not in (await typed("auth", "token", "list")).out
    assert "laptop" in (await typed("auth", "token", "list", "--all")).out
