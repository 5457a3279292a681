"""Nothing that a client says about a file becomes a path, and a signed address opens one file for one purpose."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.hub.uploads.store import FileStore
from solo_unicorn.missions.errors import InvalidValue

from ..whole import Whole, whole

CONTENT = b"lamp"


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path / "data", database_url=database_url) as found:
        yield found


async def announce(hub: Whole, **other: Any) -> Any:
    said = {
        "missionId": hub.mission,
        "name": "lamp.txt",
        "mime": "text/plain",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    return await hub.ask("POST", f"/api/v1/projects/{hub.project}/attachments", json=said | other)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "a/b", "a\\b", "a\0b", "a\nb: c", "", " ", "x" * 256, "..\\x"]
)
async def test_names_with_folders_or_control_characters_are_refused(hub: Whole, name: str) -> None:
    assert (await announce(hub, name=name)).status_code == 422


@pytest.mark.slow
async def test_ids_that_are_paths_are_refused_everywhere(hub: Whole) -> None:
    for wrong in ("../../../x", "..%2f..%2fx", "%2e%2e/x", "....//", "a" * 26, "../" + "0" * 23):
        assert (await announce(hub, id=wrong)).status_code == 422
        for path in (f"/uploads/{wrong}", f"/api/v1/attachments/{wrong}", f"/api/v1/attachments/{wrong}/content"):
            assert (await hub.ask("GET", path)).status_code in (307, 403, 404, 405, 422)


@pytest.mark.slow
async def test_a_signed_address_is_good_for_its_file_its_purpose_and_its_time_alone(hub: Whole) -> None:
    one, two = (await announce(hub)).json(), (await announce(hub)).json()
    address = one["uploadUrl"]
    other = address.replace(one["attachment"]["id"], two["attachment"]["id"])
    later = address.replace("expires=", "expires=9")
    for wrong in (other, later, address.replace("for=put", "for=get"), address[:-4] + "0000", address.split("?")[0]):
        assert (await hub.nobody.put(wrong, content=CONTENT)).status_code == 403
    assert (await hub.nobody.get(address)).status_code == 403
    assert (await hub.nobody.put(address, content=CONTENT)).status_code == 204


@pytest.mark.slow
async def test_what_is_stored_is_never_served_as_a_page_of_the_hub(hub: Whole) -> None:
    page = b"<script>alert(1)</script>"
    said = {"name": "page.html", "mime": "text/html", "size": len(page), "sha256": hashlib.sha256(page).hexdigest()}
    made = (await announce(hub, **said)).json()
    await hub.nobody.put(made["uploadUrl"], content=page)
    identifier = made["attachment"]["id"]
    await hub.ask("POST", f"/api/v1/attachments/{identifier}/complete")
    place = (await hub.ask("GET", f"/api/v1/attachments/{identifier}/content")).headers["location"]
    sent = await hub.nobody.get(place)
    assert sent.headers["content-type"] == "application/octet-stream"
    assert sent.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in sent.headers["content-security-policy"]


async def test_the_store_itself_takes_ids_only(tmp_path: Path) -> None:
    files = FileStore("", tmp_path / "files")
    for wrong in ("../x", "/x", "", "x/../../y", "01J0000000000000000000000A/.."):
        with pytest.raises(InvalidValue):
            await files.offset(wrong)
        with pytest.raises(InvalidValue):
            await files.remove(wrong)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # noqa: ASYNC240
