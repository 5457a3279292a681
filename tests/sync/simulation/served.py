"""The simulated hub on a real loopback port, with a small issuer: what sign-in, transport and engine talk to."""

from __future__ import annotations

import json
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from solo_unicorn.sync.replica.messages import API, Request, Response

from .hub import SimulatedHub

PAT = "pat_0123456789abcdef"


class ServedHub(ThreadingHTTPServer):
    """`with ServedHub(hub) as served:`; every request holds one lock, as one process with one database would."""

    daemon_threads = True

    def __init__(self, hub: SimulatedHub, *, project: dict[str, Any] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self.projects = {} if project is None else {project["id"]: project}
        if project is not None:
            hub.state.project = dict(project)
        self.users = {PAT: "ann"}
        """Token -> user."""
        self.codes: dict[str, tuple[str, str, str]] = {}
        self.refresh: dict[str, str] = {}
        self.refreshes = 0
        self.expires_in = 3600
        self.requests: list[str] = []
        self.before: Callable[[Request], Response | bytes | None] = lambda request: None
        """An answer of the test's own, raw bytes to be sent as the body of a 200."""
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> ServedHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is not news."""

    def grant(self, user: str) -> dict[str, Any]:
        """New tokens of a user."""
        access, refresh = f"at_{secrets.token_hex(8)}", f"rt_{secrets.token_hex(8)}"
        self.users[access], self.refresh[refresh] = user, user
        return {"access_token": access, "refresh_token": refresh, "expires_in": self.expires_in, "token_type": "Bearer"}


class _Handler(BaseHTTPRequestHandler):
    server: ServedHub
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        content = self.rfile.read(length) if length else b""
        address = urlsplit(self.path)
        with self.server.lock:
            self.server.requests.append(f"{self.command} {address.path}")
            if address.path.startswith(API):
                answer: Response | bytes = self._api(address.path, parse_qs(address.query), content)
            else:
                answer = self._issuer(address.path, parse_qs(address.query), parse_qs(content.decode()))
        if isinstance(answer, bytes):
            self._send(200, {"content-type": "text/html"}, answer)
        else:
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self._send(answer.status, {"content-type": "application/json", **answer.headers}, body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _any

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]  # in one packet with the head
        self.flush_headers()

    def _api(self, path: str, query: dict[str, list[str]], content: bytes) -> Response | bytes:
        served = self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command,
            path,
            {name: values[0] for name, values in query.items()},
            headers,
            json.loads(content) if content else None,
        )
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in served.users and path != f"{API}/sync/capabilities":
            return Response(401, {}, {"error": {"code": "unauthenticated", "message": "sign in"}})
        if (own := served.before(request)) is not None:
            return own
        match path.removeprefix(API).strip("/").split("/"):
            case ["auth", "whoami"]:
                user = served.users[token]
                return Response(200, {}, {"user": {"id": user, "email": f"{user}@example.org"}})
            case ["projects"] if self.command == "GET":
                return Response(200, {}, {"items": list(served.projects.values())})
            case ["projects"]:
                document = dict(request.body) if isinstance(request.body, dict) else {}
                served.projects[document["id"]] = document
                served.hub.project_id = str(document["id"])
                served.hub.state.project = document
                return Response(201, {}, document)
        return served.hub.handle(request)

    def _issuer(self, path: str, query: dict[str, list[str]], form: dict[str, list[str]]) -> Response | bytes:
        served, url = self.server, self.server.url
        match path:
            case "/.well-known/oauth-authorization-server":
                return Response(
                    200,
                    {},
                    {
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "revocation_endpoint": f"{url}/revoke",
                    },
                )
            case "/authorize":
                code = secrets.token_hex(8)
                served.codes[code] = (
                    query["code_challenge"][0],
                    query["redirect_uri"][0],
                    query.get("user", ["ann"])[0],
                )
                back = urlencode({"code": code, "state": query["state"][0]})
                return Response(302, {"location": f"{query['redirect_uri'][0]}?{back}"})
            case "/token" if form["grant_type"] == ["authorization_code"]:
                challenge, redirect, user = served.codes.pop(form["code"][0])
                told = urlsafe_b64encode(sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
                if told != challenge or redirect != form["redirect_uri"][0]:
                    return Response(400, {}, {"error": "invalid_grant"})
                return Response(200, {}, served.grant(user))
            case "/token":
                user = served.refresh.pop(form["refresh_token"][0], "")
                if not user:
                    return Response(400, {}, {"error": "invalid_grant"})
                served.refreshes += 1
                return Response(200, {}, served.grant(user))
            case "/revoke":
                served.refresh.pop(form["token"][0], None)
                return Response(200, {}, {})
        return Response(404, {}, {"error": {"code": "not_found"}})

    def log_message(self, *_: object) -> None:
        """Quiet."""
