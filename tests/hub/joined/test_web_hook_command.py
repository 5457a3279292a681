"""`repo webhook`: the secret of a link is made and shown, or given to GitHub, and then GitHub is heard."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.cli.main import main

from ..whole import Whole, whole


class GitHub:
    """Takes the making of a web hook, as its REST API does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                github.asked.append((self.path, body))
                answer = json.dumps({"id": 4711}).encode()
                self.send_response(201)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    found = GitHub()
    monkeypatch.setenv("SOLO_UNICORN_GITHUB_API_URL", found.url)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "ghp_of_ann")
    yield found
    found.server.shutdown()
    found.server.server_close()


async def test_its_secret_is_shown_or_given_to_github(
    tmp_path: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "home"))
    (tmp_path / "key").touch()

    async def typed(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        found = await asyncio.to_thread(main, [*words, "--json"])
        said = capsys.readouterr()
        assert found == code, said
        return json.loads(said.out)["data"] if code == 0 else said.err

    async with whole(tmp_path / "hub") as hub:
        linked = await hub.ask(
            "POST",
            f"/api/v1/projects/{hub.project}/repositories",
            json={
                "name": "lamp",
                "githubOwner": "acme",
                "githubName": "lamp",
                "githubUrl": "https://github.acme.example/acme/lamp",
            },
        )
        with (tmp_path / "key").open("w") as file:
            file.write(hub.ann_token)
        with (tmp_path / "key").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            await typed("auth", "login", "--hub", hub.url, "--api-key", "-", "--store-in-file")
        await typed("project", "connect", "Lighthouse")
        shown = await typed("repo", "webhook")
        assert shown["url"] == f"{hub.url}/api/v1/webhooks/github/{linked.json()['id']}"
        assert await heard(hub, shown["url"], shown["secret"]) == 200
        assert "secret" not in await typed("repo", "webhook", "--show")
        made = await typed("repo", "webhook", "--create")
        [(path, body)] = github.asked
        assert made["id"] == 4711 and path == "/repos/acme/lamp/hooks"
        assert body["config"]["url"] == shown["url"] and body["events"] == ["pull_request", "pull_request_review"]
        assert await heard(hub, shown["url"], body["config"]["secret"]) == 200
        assert await heard(hub, shown["url"], shown["secret"]) == 401, "a new secret ends the former one"
        await typed("repo", "webhook", "--remove")
        assert await heard(hub, shown["url"], body["config"]["secret"]) == 401


async def heard(hub: Whole, url: str, secret: str) -> int:
    body = b'{"zen": "x"}'
    signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signed, "X-GitHub-Event": "ping"}
    return (await hub.nobody.post(url, content=body, headers=headers)).status_code
