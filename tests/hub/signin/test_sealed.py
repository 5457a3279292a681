"""Secrets at rest: what stands in the database opens nothing without the hub's key, and the key can be changed."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, select, update

from solo_unicorn.cli.main import main
from solo_unicorn.hub import operator
from solo_unicorn.hub.app import create_app
from solo_unicorn.hub.settings import HubSettings
from solo_unicorn.hub.signin.tables import secrets_kept, signing_keys
from solo_unicorn.hub.signin.vault import SEALED, Unopened, Vault, keys_of, new_key
from solo_unicorn.hub.storage.tables import hub_meta

from ..whole import whole


def bytes_of(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir() if file.name.startswith("hub.sqlite3"))


def left_open(directory: Path) -> None:
    directory.chmod(0o755)
    (directory / "hub.sqlite3").touch(0o644)


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.glob("hub.*") if file.is_file()}


async def test_files_are_for_the_owner_alone_in_a_directory_that_others_may_read(tmp_path: Path) -> None:
    left_open(tmp_path)
    async with whole(tmp_path) as hub:
        await hub.hub.database.write(lambda at: at.execute(update(hub_meta).values(value="1")))
        found = modes(tmp_path)
    assert set(found.values()) == {0o600} and {"hub.sqlite3", "hub.sqlite3-wal", "hub.key"} <= found.keys()


async def test_nothing_in_the_database_opens_anything(tmp_path: Path) -> None:
    async with whole(tmp_path) as hub:
        made = await hub.ann.post(
            "/api/v1/tokens", json={"name": "n", "scopes": ["read"]}, headers={"Idempotency-Key": "once-and-again"}
        )
        again = await hub.ann.post(
            "/api/v1/tokens", json={"name": "n", "scopes": ["read"]}, headers={"Idempotency-Key": "once-and-again"}
        )
        assert again.json() == made.json() and made.json()["token"].startswith("pat_")
        secret = await hub.hub.database.read(lambda at: hub.hub.keys.secret(at, "csrf"))
        found = bytes_of(tmp_path)
        for clear in (made.json()["token"].encode(), secret, b'"d":"', hub.ann_token.encode()):
            assert clear not in found


async def test_secrets_of_before_are_sealed_at_the_start(tmp_path: Path) -> None:
    async with whole(tmp_path) as hub:
        await hub.hub.database.write(
            lambda at: at.execute(update(secrets_kept).where(secrets_kept.c.name == "csrf").values(value="in clear"))
        )
        await hub.hub.database.write(hub.hub.keys.begin)
        kept = await hub.hub.database.read(_kept)
        assert all(one.startswith(SEALED) for one in kept)
        assert await hub.hub.database.read(lambda at: hub.hub.keys.secret(at, "csrf")) == b"in clear"


async def test_the_key_is_changed_while_the_hub_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HUB_DATA_DIR", str(tmp_path))
    async with whole(tmp_path) as hub:
        address = (await hub.ann.post("/api/v1/projects", json={"name": "Second"})).json()["id"]
        before = (keys_of(hub.hub.settings), await hub.hub.database.read(_kept))
        assert await asyncio.to_thread(operator.rotate_keys, {}) >= 4
        after = (keys_of(hub.hub.settings), await hub.hub.database.read(_kept))
        assert len(after[0]) == 1 and after[0] != before[0] and not set(after[1]) & set(before[1])
        assert (await hub.ann.get(f"/api/v1/projects/{address}")).status_code == 200
        page = await hub.nobody.get("/sign-in")
        assert page.status_code == 200 and 'name="csrf"' in page.text
        jwks = httpx.Response(200, content=(await hub.nobody.get("/oauth/jwks")).content).json()
        assert jwks["keys"]


async def test_another_key_is_refused_at_the_start_and_renewed_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with whole(tmp_path):
        pass
    (tmp_path / "hub.key").write_text(new_key())
    app = create_app(HubSettings(tmp_path))
    with pytest.raises(Unopened, match="hub keys renew"):
        async with app.router.lifespan_context(app):
            pass
    assert await asyncio.to_thread(main, ["hub", "keys", "renew", "--data-dir", str(tmp_path)]) == 0
    assert "created again" in capsys.readouterr().out
    app = create_app(HubSettings(tmp_path))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as nobody:
        assert (await nobody.get("http://hub.test/oauth/jwks")).status_code == 200


def test_a_vault_opens_with_every_key_and_seals_with_the_first() -> None:
    old, new = new_key(), new_key()
    held = [old]
    vault = Vault(lambda: held)
    kept = vault.seal("secret")
    held[:] = [new, old]
    assert vault.open(kept) == "secret"
    fresh = vault.seal("secret")
    held[:] = [new]
    assert Vault(lambda: held).open(fresh) == "secret"
    with pytest.raises(Unopened):
        Vault(lambda: held).open(kept)


def _kept(at: Connection) -> list[str]:
    return [*at.execute(select(secrets_kept.c.value)).scalars(), *at.execute(select(signing_keys.c.jwk)).scalars()]
