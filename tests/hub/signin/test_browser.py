"""The sign-in page in a real browser: seen, filled in, and back to the program that asked."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, async_playwright

from solo_unicorn.hub.signin.device import DEVICE_GRANT

from ..issuing import CLIENT, Flow
from ..whole import PASSWORD, Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield started
        finally:
            await started.close()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as found:
        yield found


async def test_a_person_signs_in_and_the_program_gets_its_tokens(hub: Whole, browser: Browser) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked.put((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nYou may close this page.")
        await writer.drain()
        writer.close()

    program = await asyncio.start_server(answer, "127.0.0.1", 0)
    flow = Flow(back=f"http://127.0.0.1:{program.sockets[0].getsockname()[1]}/callback")
    page = await browser.new_page()
    outside: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    await page.goto(f"{hub.url}/oauth/authorize?{flow.query()}")
    assert await page.title() == "Sign in · Solo Unicorn"
    if pictures := os.environ.get("SOLO_UNICORN_PICTURES"):
        await page.screenshot(path=f"{pictures}/sign-in.png")

    await page.get_by_label("E-mail address").fill("ann@example.org")
    await page.get_by_label("Password").fill("not the right one")
    await page.get_by_role("button", name="Sign in").click()
    assert "do not match" in await page.get_by_role("alert").inner_text()
    assert await page.get_by_label("E-mail address").input_value() == "ann@example.org"

    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Password").press("Enter")
    await page.get_by_text("You may close this page.").wait_for()
    async with asyncio.timeout(5):
        given = parse_qs(urlsplit(await asked.get()).query)
    assert given["state"] == [flow.state]
    tokens = await hub.nobody.post(
        "/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": given["code"][0],
            "redirect_uri": flow.back,
            "client_id": CLIENT,
            "code_verifier": flow.verifier,
        },
    )
    token = tokens.json()["access_token"]
    mine = await hub.nobody.get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"})
    assert [one["name"] for one in mine.json()["items"]] == ["Lighthouse"]

    await page.goto(f"{hub.url}/oauth/authorize?{flow.query()}")
    if pictures:
        await page.screenshot(path=f"{pictures}/continue.png")
    await page.get_by_role("button", name="Continue as ann@example.org").click()
    await page.get_by_text("You may close this page.").wait_for()
    assert outside == [] and wrong == []
    program.close()


async def test_a_person_allows_another_machine_by_its_code(hub: Whole, browser: Browser) -> None:
    asked = {"client_id": CLIENT, "scope": "openid email offline_access", "device_name": "build-7"}
    given = (await hub.nobody.post("/oauth/device_authorization", data=asked)).json()
    page = await browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    await page.goto(given["verification_uri"])
    await page.get_by_label("E-mail address").fill("ann@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Password").press("Enter")
    await page.get_by_label("Code").fill("wrong")
    await page.get_by_role("button", name="Continue").click()
    assert "This code is not valid" in await page.get_by_role("alert").inner_text()
    await page.get_by_label("Code").fill(given["user_code"].lower().replace("-", " "))
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("heading", name="Sign in on build-7?").wait_for()
    if pictures := os.environ.get("SOLO_UNICORN_PICTURES"):
        await page.screenshot(path=f"{pictures}/device.png")
    await page.get_by_role("button", name="Allow").click()
    await page.get_by_role("heading", name="build-7 is signed in").wait_for()
    form = {"grant_type": DEVICE_GRANT, "device_code": given["device_code"], "client_id": CLIENT}
    token = (await hub.nobody.post("/oauth/token", data=form)).json()["access_token"]
    mine = await hub.nobody.get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"})
    assert [one["name"] for one in mine.json()["items"]] == ["Lighthouse"] and wrong == []


async def test_a_signed_in_browser_may_use_the_api_and_other_sites_may_not(hub: Whole, browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{hub.url}/sign-in")
    await page.get_by_label("E-mail address").fill("ann@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out").wait_for()
    assert await page.evaluate("document.cookie") == ""
    read = await context.request.get(
        f"{hub.url}/api/v1/projects", headers={"User-Agent": await page.evaluate("navigator.userAgent")}
    )
    assert read.status == 200
    written = await context.request.post(
        f"{hub.url}/api/v1/projects",
        data={"name": "Forged"},
        headers={"User-Agent": await page.evaluate("navigator.userAgent")},
    )
    assert written.status == 403 and "CSRF" in await written.text()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Password").wait_for()
    assert (await context.request.get(f"{hub.url}/api/v1/projects")).status == 401
