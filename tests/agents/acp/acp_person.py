"""A person who answers what an agent asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .acp_turns import TOKEN


def answer_rpc(handler: BaseHTTPRequestHandler, request: dict[str, Any], result: dict[str, Any]) -> None:
    """Answer one message of JSON-RPC; a notification gets an empty body."""
    body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode() if "id" in request else b""
    handler.send_response(200 if body else 202)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class Person(ThreadingHTTPServer):
    """An MCP server whose `approve` answers as a person did, and notes what was asked."""

    daemon_threads = True

    def __init__(self, behavior: str) -> None:
        super().__init__(("127.0.0.1", 0), _PersonHandler)
        self.behavior = behavior
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mcp"


class _PersonHandler(BaseHTTPRequestHandler):
    server: Person
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.headers["authorization"] == f"Bearer {TOKEN}"
        result: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "solo"}}
        if request["method"] == "tools/call":
            self.server.asked.append(request["params"]["arguments"])
            answer = {"behavior": self.server.behavior, "message": "Not here", "updatedInput": {}}
            result = {"content": [{"type": "text", "text": json.dumps(answer)}]}
        answer_rpc(self, request, result)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def person() -> Iterator[Callable[[str], Person]]:
    """Starts one that answers so."""
    made: list[tuple[Person, threading.Thread]] = []

    def start(behavior: str) -> Person:
        server = Person(behavior)
        made.append((server, threading.Thread(target=server.serve_forever)))
        made[-1][1].start()
        return server

    yield start
    for server, thread in made:
        server.shutdown()
        thread.join()
        server.server_close()
