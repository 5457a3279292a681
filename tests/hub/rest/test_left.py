"""Clients that leave in the middle of a request."""

from __future__ import annotations

from pathlib import Path

from starlette.types import Message, Scope

from solo_unicorn.hub.app import create_app
from solo_unicorn.hub.settings import HubSettings

from .serving import KEY

WITH_A_BODY = (
    "/oauth/register",
    "/oauth/token",
    "/oauth/device_authorization",
    "/sign-in",
    "/api/v1/webhooks/github/01J",
)


async def test_who_leaves_before_the_body_came_is_not_a_fault_of_the_hub(tmp_path: Path) -> None:
    app = create_app(HubSettings(tmp_path, options={"rate_limits": "off", "key": KEY}))
    async with app.router.lifespan_context(app):
        for path in WITH_A_BODY:
            told: list[Message] = []

            async def gone() -> Message:
                return {"type": "http.disconnect"}

            async def send(message: Message, told: list[Message] = told) -> None:
                told.append(message)

            scope: Scope = {
                "type": "http",
                "method": "POST",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [(b"host", b"hub.test"), (b"content-type", b"application/x-www-form-urlencoded")],
                "client": ("127.0.0.1", 1),
                "server": ("hub.test", 80),
                "scheme": "http",
                "http_version": "1.1",
                "root_path": "",
            }
            await app(scope, gone, send)
            assert [one["status"] for one in told if one["type"] == "http.response.start"] == [408], path
