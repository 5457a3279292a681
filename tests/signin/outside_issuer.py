"""The issuer from npm as a program, hubs that trust it, and a person who signs in there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from joserfc.jwk import RSAKey

from ..conformance.programs import installed, node
from ..hub.outside import free_port

HERE = Path(__file__).parent / "issuer"


@dataclass
class OutsideProgram:
    """The running issuer."""

    url: str
    settings: Path
    process: asyncio.subprocess.Process


def signing_key(name: str) -> dict[str, Any]:
    """A private key as the issuer takes it."""
    made = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": name}, private=True)
    return dict(made.as_dict(private=True))


@asynccontextmanager
async def outside_program(directory: Path, hub: str, **more: Any) -> AsyncIterator[OutsideProgram]:
    """An issuer for a hub's public address: `verified`, `claims` (in access tokens), `secret` of the hub's client."""
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    folder = await asyncio.to_thread(installed, HERE)
    (folder / "issuer.mjs").write_text((HERE / "issuer.mjs").read_text())
    port = more.pop("port", None) or free_port()
    said = {"port": port, "audience": hub, "redirect": f"{hub}/sign-in/callback", "verified": True, "claims": True}
    said |= {"secret": "", "keys": [signing_key("first")]} | more
    settings = directory / "issuer.json"
    settings.write_text(json.dumps(said))
    binary = await asyncio.to_thread(node)
    process = await asyncio.create_subprocess_exec(
        binary,
        str(folder / "issuer.mjs"),
        str(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    printed = ""
    try:
        async with asyncio.timeout(60):
            while "ready\n" not in printed:
                line = (await process.stdout.readline()).decode()
                assert line, printed
                printed += line
        yield OutsideProgram(f"http://127.0.0.1:{port}", settings, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def agree(browser: httpx.AsyncClient, address: str, person: str) -> httpx.Response:
    """Follow an address through the issuer's forms (sign in as `person`, agree) to where it ends."""
    page = await browser.get(address, follow_redirects=True)
    for _ in range(6):
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        if form is None or ("/interaction/" not in form[1] and "/device" not in form[1]):
            return page
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        if 'name="login"' in page.text:
            hidden |= {"login": person, "password": "anything"}
        target = urljoin(str(page.url), unescape(form[1]))
        page = await browser.post(target, data=hidden, follow_redirects=True)
    return page
