"""Projects that are connected again, archived, or published with the wrong key, at a real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ...hub.whole import whole
from ..conftest import Run


async def test_a_disconnected_project_is_connected_again_by_publishing_it(run: Run, home: Path, tmp_path: Path) -> None:
    async with whole(tmp_path / "hub") as hub:

        async def typed(*words: str, stdin: str = "") -> Any:
            return await asyncio.to_thread(run, *words, stdin=stdin)

        login = ("auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file")
        assert (await typed(*login, stdin=hub.ann_token)).code == 0
        await typed("project", "create", "Mine")
        for title in ("the same", "changed", "kept"):
            await typed("mission", "create", title, "-p", "mine")
        published = await typed("project", "publish", "mine")
        assert published.code == 0, published.err
        assert (await typed("sync")).code == 0
        assert (await typed("project", "disconnect", "mine")).code == 0
        await typed("mission", "edit", "M-2", "--title", "changed while local")
        changed = (await typed("mission", "show", "M-2", "--json")).data["id"]
        made = await typed("mission", "create", "new", "-p", "mine", "--json")
        assert made.code == 0, made.err
        new = made.data["id"]
        listed = await typed("project", "connect", "--json")
        assert listed.code == 0, listed.err
        project = next(one["id"] for one in listed.data if one["name"] == "Mine")
        assert "local" in (await typed("project", "connect")).out
        refused = await typed("project", "connect", project)
        assert refused.code == 4 and "`solo-unicorn project publish mine`" in refused.err
        again = await typed("project", "publish", "mine")
        assert again.code == 0, again.err
        await typed("sync")
        assert (await typed("sync", "--status", "--json")).data["waiting"] == 0
        assert (await hub.ask("GET", f"/api/v1/missions/{new}")).json()["title"] == "new"
        (conflict,) = (await typed("conflicts", "list", "--json")).data  # the two that are as they were make none
        assert (conflict["field"], conflict["mine"], conflict["theirs"]) == ("title", "changed while local", "changed")
        assert (await typed("conflicts", "resolve", conflict["id"], "--mine")).code == 0
        assert (await typed("sync")).code == 0
        assert (await hub.ask("GET", f"/api/v1/missions/{changed}")).json()["title"] == "changed while local"
        listed = (await hub.ask("GET", f"/api/v1/projects/{project}/missions")).json()["items"]
        assert sorted(one["title"] for one in listed) == ["changed while local", "kept", "new", "the same"]


async def test_publishing_again_what_was_not_touched_is_silent(run: Run, home: Path, tmp_path: Path) -> None:
    async with whole(tmp_path / "hub") as hub:

        async def typed(*words: str, stdin: str = "") -> Any:
            done = await asyncio.to_thread(run, *words, stdin=stdin)
            assert done.code == 0, (words, done.err)
            return done

        await typed("auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file", stdin=hub.ann_token)
        await typed("project", "create", "Mine")
        await typed("mission", "create", "full", "-d", "words", "--spec", "- [ ] one", "--task", "a step", "--ready")
        await typed("mission", "create", "blocked", "--blocked-by", "M-1", "--priority", "5", "--skip-stage", "plan")
        await typed("mission", "create", "again", "--loop", "--max-per-day", "3")
        await typed("mission", "move", "M-1", "done")
        await typed("memory", "append", "notes", "one fact")
        await typed("actor", "add", "Careful", "--methodology", "slowly")
        await typed("project", "publish")
        await typed("sync")
        before = [(await hub.ask("GET", "/api/v1/projects")).json()["items"]]
        for _ in range(2):
            await typed("project", "disconnect")
            await typed("project", "publish")
            await typed("sync")
            state = (await typed("sync", "--status", "--json")).data
            assert (state["conflicts"], state["parked"], state["waiting"]) == (0, 0, 0), (
                await typed("conflicts", "list"),
                await typed("sync", "--parked"),
            )
        assert len(before[0]) == len((await hub.ask("GET", "/api/v1/projects")).json()["items"])


async def test_a_project_that_its_owner_deleted_is_not_called_synced(run: Run, home: Path, tmp_path: Path) -> None:
    async with whole(tmp_path / "hub") as hub:

        async def typed(*words: str, stdin: str = "") -> Any:
            return await asyncio.to_thread(run, *words, stdin=stdin)

        login = ("auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file")
        assert (await typed(*login, stdin=hub.ann_token)).code == 0
        made = (await typed("project", "create", "Mine", "--json")).data["id"]
        for command in (("project", "publish"), ("sync",)):
            assert (await typed(*command)).code == 0
        (await hub.ask("DELETE", f"/api/v1/projects/{made}")).raise_for_status()
        assert (await typed("sync")).code == 0
        state = (await typed("sync", "--status", "--json")).data
        assert state["kind"] == "archived" and "an owner archived it" in state["sentence"]
        assert (await typed("mission", "create", "Late", "-p", made)).code == 0
        assert (await typed("sync")).code == 0
        late = (await hub.ask("GET", f"/api/v1/projects/{made}/missions")).json()["items"]
        assert [one["title"] for one in late] == ["Late"], "what is edited in an archived project arrives all the same"
        assert (await typed("project", "edit", "Mine", "--activate")).code == 0
        assert (await typed("sync")).code == 0
        assert (await typed("sync", "--status", "--json")).data["kind"] == "synced"
        assert (await hub.ask("GET", f"/api/v1/projects/{made}")).json()["status"] == "active"


async def test_an_organization_key_is_told_before_anything_is_made(run: Run, home: Path, tmp_path: Path) -> None:
    async with whole(tmp_path / "hub") as hub:

        async def typed(*words: str, stdin: str = "") -> Any:
            return await asyncio.to_thread(run, *words, stdin=stdin)

        (organization, *_) = (await hub.ask("GET", "/api/v1/organizations")).json()["items"]
        wanted = {"name": "ci", "scopes": ["read", "write", "run", "admin"]}
        key = (await hub.ask("POST", f"/api/v1/organizations/{organization['id']}/keys", json=wanted)).json()["token"]
        login = ("auth", "login", "--hub", hub.url, "--org-key", "-", "--store-in-file")
        assert (await typed(*login, stdin=key)).code == 0
        made = (await typed("project", "create", "Mine", "--json")).data["id"]
        refused = await typed("project", "publish")
        assert refused.code == 4 and "sign in as a person" in refused.err
        assert (await hub.ask("GET", f"/api/v1/projects/{made}")).status_code == 404
