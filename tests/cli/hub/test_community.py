"""Public projects, templates and the people of a project, as a person types it, at a real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ...hub.whole import whole
from ..conftest import Run


async def test_two_people_find_each_other_at_a_hub(run: Run, home: Path, tmp_path: Path, monkeypatch: Any) -> None:
    async with whole(tmp_path / "hub") as hub:

        async def typed(*words: str, stdin: str = "") -> Any:
            return await asyncio.to_thread(run, *words, stdin=stdin)

        shown = {"visibility": "public", "publicSlug": "lighthouse", "description": "A lamp"}
        (await hub.ask("PATCH", f"/api/v1/projects/{hub.project}", json=shown)).raise_for_status()
        found = await typed("projects", "browse", "--hub", hub.url, "--json")
        assert [one["publicSlug"] for one in found.data] == ["lighthouse"]
        assert (await typed("projects", "search", "lamp", "--hub", hub.url, "-q")).out == "lighthouse\n"
        assert (await typed("projects", "search", "harbour", "--hub", hub.url, "-q")).out == ""
        nobody = await typed("projects", "star", "lighthouse", "--hub", hub.url)
        assert nobody.code == 5 and "auth login" in nobody.err
        which = await typed("projects", "browse")
        assert which.code == 2 and "Which hub?" in which.err and "add --hub URL" in which.err

        signed = ["auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file", "--profile"]
        assert (await typed(*signed, "ben", stdin=hub.ben_token)).code == 0
        starred = await typed("projects", "star", "lighthouse")
        assert starred.out == "Lighthouse: starred, 1 in all\n"
        assert (await typed("projects", "star", "lighthouse", "--off", "--json")).data["starCount"] == 0
        asked = await typed("projects", "request-access", "lighthouse", "--role", "maintainer", "-m", "I can help")
        assert asked.out == "Asked the owners of Lighthouse for the role maintainer\n"
        assert (await typed("projects", "star", "nowhere")).code != 0

        assert (await typed("auth", "logout", "ben")).code == 0
        assert (await typed(*signed, "ann", stdin=hub.ann_token)).code == 0
        assert (await typed("project", "connect", hub.project)).code == 0
        people = (await typed("member", "list", "-p", "lighthouse", "--json")).data
        assert [(one["email"], one["role"]) for one in people][-1] == ("ben@example.org", "maintainer")
        request = people[-1]["id"]
        assert "is maintainer of Lighthouse" in (await typed("member", "approve", request, "-p", "lighthouse")).out
        assert (await typed("member", "approve", request, "-p", "lighthouse")).code != 0
        listed = await typed("member", "list", "-p", "lighthouse")
        assert "ben@example.org" in listed.out and "asks" not in listed.out
        changed = await typed("member", "add", "ben@example.org", "--role", "collaborator", "-p", "lighthouse")
        assert changed.out == "ben@example.org is collaborator of Lighthouse\n"
        assert (await typed("member", "remove", "BEN@example.org", "-p", "lighthouse")).code == 0
        gone = await typed("member", "remove", "ben@example.org", "-p", "lighthouse")
        assert gone.code != 0 and "has no role" in gone.err

        (await hub.ask("POST", f"/api/v1/projects/{hub.project}/template", json={"name": "Towers"})).raise_for_status()
        (template,) = (await typed("projects", "templates", "--json")).data
        made = await typed("projects", "create-from-template", template["id"], "--name", "Second tower")
        assert made.out == "Second tower is on the hub\n" and "project connect" in made.err
        monkeypatch.setenv("SOLO_UNICORN_API_KEY", "pat_wrong")
        assert (await typed("projects", "templates", "--hub", hub.url)).code == 5


def test_a_local_project_has_nobody_else(run: Run, project: str) -> None:
    alone = run("member", "list")
    assert alone.code == 2 and "project publish" in alone.err
