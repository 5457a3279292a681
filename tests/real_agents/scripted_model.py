"""A model endpoint on loopback whose answers a test decides: real code agents talk to it and know no difference.

A `Script` is a function from what the agent sent to what the model answers, so it may look at tool results and needs no
state of its own: agents in parallel, retries and resumed conversations do not mix. Failures are queued beside it and
are met once each.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import anthropic_wire, chat_wire, gemini_wire, openai_wire


@dataclass(frozen=True)
class Text:
    """Words of the model."""

    text: str


@dataclass(frozen=True)
class Use:
    """The model wants a tool called."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


Answer = list[Text | Use]


@dataclass(frozen=True)
class Failure:
    """The endpoint refuses: an HTTP status with its error, and headers such as those of a usage limit."""

    status: int
    kind: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    details: tuple[dict[str, Any], ...] = ()
    """What Google's services say more, each with its `@type`."""


@dataclass(frozen=True)
class Hang:
    """The endpoint takes the request and never answers."""


@dataclass(frozen=True)
class Call:
    """A tool the agent called since its last prompt, and what came of it."""

    tool: str
    arguments: dict[str, Any]
    result: str
    is_error: bool


@dataclass(frozen=True)
class Asked:
    """One request of an agent, as far as a script cares."""

    prompt: str
    """The latest words of a person."""
    prompts: tuple[str, ...]
    """All of them: what the agent remembers of its conversation."""
    calls: tuple[Call, ...]
    """What was called since the latest prompt."""
    tools: tuple[str, ...]
    model: str


Script = Callable[[Asked], Answer | Failure | Hang]


class ScriptedModel:
    """The endpoint, from `start` to `stop`."""

    def __init__(self) -> None:
        self.script: Script = lambda asked: [Text("Nothing is scripted.")]
        self.asked: list[Asked] = []
        """Every request that offered tools, in order."""
        self.strange: list[str] = []
        """Requests nobody expected; a test that cares asserts that there are none."""
        self._failures: deque[Failure | Hang] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Its base URL, for ANTHROPIC_BASE_URL; OpenAI's clients add /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Listen on loopback."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and let go of who hangs."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail_next(self, *failures: Failure | Hang) -> None:
        """The next requests meet these, each once."""
        with self._lock:
            self._failures.extend(failures)

    def decide(self, asked: Asked) -> Answer | Failure | Hang:
        """What this request gets."""
        if not asked.tools:
            return [Text("ok")]  # titles, summaries and the like, which agents ask for beside their work
        with self._lock:
            self.asked.append(asked)
            if self._failures:
                return self._failures.popleft()
        return self.script(asked)

    def hang(self) -> None:
        """Until the endpoint stops."""
        self._stopping.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model: ScriptedModel) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        match self.path.partition("?")[0]:
            case "/v1/messages":
                self._answer(anthropic_wire.read(body), anthropic_wire, bool(body.get("stream")))
            case "/v1/messages/count_tokens":
                self._send(200, json.dumps({"input_tokens": 10}).encode())
            case "/v1/responses":
                self._answer(openai_wire.read(body), openai_wire, bool(body.get("stream")))
            case "/v1/chat/completions":
                self._answer(chat_wire.read(body), chat_wire, bool(body.get("stream")))
            case path if path.startswith("/v1beta/models/") and path.endswith("enerateContent"):
                named = path.removeprefix("/v1beta/models/").partition(":")[0]
                self._answer(replace(gemini_wire.read(body), model=named), gemini_wire, ":stream" in path)
            case path if path.startswith("/v1beta/models/") and path.endswith(":countTokens"):
                self._send(200, b'{"totalTokens": 10}')
            case _:
                self._unknown()

    def do_HEAD(self) -> None:
        self._send(200, b"")

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/v1/models":
            self._send(200, b'{"object":"list","data":[],"models":[]}')
        else:
            self._unknown()

    def _unknown(self) -> None:
        self.server.model.strange.append(f"{self.command} {self.path}")
        self._send(404, b'{"type":"error","error":{"type":"not_found_error","message":"not scripted"}}')

    def _answer(self, asked: Asked, wire: Any, streamed: bool) -> None:
        match self.server.model.decide(asked):
            case Failure() as failure:
                self._send(failure.status, json.dumps(wire.error(failure)).encode(), headers=failure.headers)
            case Hang():
                self.server.model.hang()
                self.close_connection = True
            case answer if streamed:
                self._send(200, wire.stream(answer, asked.model), "text/event-stream")
            case answer:
                self._send(200, json.dumps(wire.whole(answer, asked.model)).encode())

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the agent was killed: that is what some tests are about

    def log_message(self, *_: Any) -> None:
        pass
