"""A project that was disconnected is connected again, at a real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ..hub.whole import whole
from .conftest import Run


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
        assert "changed while local" in (await typed("conflicts", "list")).out
