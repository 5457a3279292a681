"""The OpenAPI document: committed as it is made, true of what is answered, shown by the hub itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

import solo_unicorn
from solo_unicorn.hub.api.openapi import document
from solo_unicorn.hub.app import PREFIX

from .world import World

COMMITTED = Path(solo_unicorn.__file__).resolve().parent / "docs" / "openapi.json"


def test_the_committed_document_is_what_the_endpoints_say() -> None:
    made = json.dumps(document(PREFIX), indent=1, sort_keys=True) + "\n"
    assert COMMITTED.read_text() == made, "write it anew: python -m solo_unicorn.hub.api.openapi > docs/openapi.json"


async def test_the_hub_serves_its_document_and_a_page_that_needs_nothing_from_elsewhere(hub: World) -> None:
    served = (await hub.owner.get("/openapi.json")).json()
    assert served == document(PREFIX)
    async with httpx.AsyncClient(transport=hub.transport, base_url="http://hub.test") as client:
        page, script = await client.get("/docs"), await client.get("/docs.js")
    assert page.status_code == script.status_code == 200
    assert "://" not in page.text + script.text


@pytest.mark.parametrize("status", ["400", "422"])
def test_every_operation_says_how_it_refuses(status: str) -> None:
    paths: Any = document(PREFIX)["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            assert status in operation["responses"], path
