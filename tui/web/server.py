"""Pages and socket of the board in a browser, all behind the gate, all from this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import textual_serve
from aiohttp import web
from textual_serve.server import Server

from .gate import COOKIE, Gate
from .visitor import WebVisitor

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HOST: Final = "127.0.0.1"
PAGE: Final = Path(__file__).with_name("page")
STATIC: Final = Path(textual_serve.__file__).with_name("static")
LARGEST_MESSAGE: Final = 1 << 20
FULL, ENDED, LOST = 4001, 4000, 1011
"""Codes with which the socket is closed: too many visitors; the person closed the board; its process died."""
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Inline styles are the terminal's own; scripts come from files of this server alone."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FILES: Final = {
    "page.js": PAGE / "page.js",
    "page.css": PAGE / "page.css",
    "textual.js": STATIC / "js" / "textual.js",
    "xterm.css": STATIC / "css" / "xterm.css",
    "roboto-mono.ttf": STATIC / "fonts" / "RobotoMono-VariableFont_wght.ttf",
}
"""Everything that a page may load; it is all on this machine."""
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf", ".html": "text/html"}


class BoardServer(Server):
    """textual-serve with a gate before every request."""

    def __init__(self, port: int, *, project: str | None = None, most: int = 4) -> None:
        arguments = f"--project={project}" if project else ""
        super().__init__(arguments, host=HOST, port=port, title="Solo Unicorn")
        self.gate = Gate(port, time.monotonic)
        self.most = most
        self.visitors: set[WebVisitor] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def new_link(self) -> str:
        """A link that lets one browser in, once."""
        return f"http://{HOST}:{self.port}/?token={self.gate.link()}"

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_MESSAGE)
        app.add_routes(
            [
                web.get("/{room}/", self._index),
                web.get("/{room}/state", self._state),
                web.get("/{room}/ws", self.handle_websocket),
                web.get("/{room}/static/{name}", self._file),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Host, Origin and cookie, before anything is looked at; headers on whatever is answered."""
        try:
            refused = self._refusal(request)
            response = refused if refused is not None else await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.reason)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.gate.is_us(request.headers.get("Host")):
            return web.Response(status=421, text="This server only answers requests for its own name.\n")
        origin = request.headers.get("Origin")
        if (origin is not None or request.path.endswith("/ws")) and not self.gate.is_ours(origin):
            return web.Response(status=403, text="Requests from pages of another origin are refused.\n")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return web.Response(status=403, text="Requests from pages of another site are refused.\n")
        if request.path == "/" and "token" in request.query:
            return self._sign_in(request.query["token"])
        if not self.gate.knows(request.path.split("/")[1], request.cookies.get(COOKIE)):
            return web.Response(
                status=401,
                text="You are not signed in here. Open the link that `solo-unicorn web` printed; it works once.\n"
                "Press enter in its terminal for another one.\n",
            )
        return None

    def _sign_in(self, token: str) -> web.Response:
        let_in = self.gate.redeem(token)
        if let_in is None:
            return web.Response(
                status=403,
                text="This link has been used or has expired.\n"
                "Press enter in the terminal of `solo-unicorn web` for another one.\n",
            )
        room, cookie = let_in
        response = web.Response(status=303, headers={"Location": f"/{room}/"})
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", path=f"/{room}/")
        return response

    async def _index(self, request: web.Request) -> web.StreamResponse:
        text = (PAGE / "index.html").read_text(encoding="utf-8")
        text = text.replace("{socket}", f"ws://{request.headers['Host']}{request.path}ws")
        return web.Response(text=text, content_type="text/html")

    async def _state(self, request: web.Request) -> web.StreamResponse:
        """What the page asks while it has no board."""
        return web.json_response({"full": len(self.visitors) >= self.most, "most": self.most})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = FILES.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        kind = TYPES[file.suffix]
        charset = "utf-8" if kind.startswith("text/") else None
        return web.Response(body=file.read_bytes(), content_type=kind, charset=charset)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A board for this visitor, until either of them leaves."""
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=LARGEST_MESSAGE)
        await socket.prepare(request)
        if len(self.visitors) >= self.most:
            await socket.close(code=FULL, message=b"too many visitors")
            return socket

        async def ended() -> None:
            await socket.close(code=ENDED, message=b"the board was closed")

        async def lost() -> None:
            await socket.close(code=LOST, message=b"the board is gone")

        visitor = WebVisitor(
            self.command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=ended,
            download_manager=self.download_manager,
        )
        visitor.lost = lost
        self.visitors.add(visitor)
        self._sockets.add(socket)
        try:
            await visitor.start(_size(request, "width", 80), _size(request, "height", 24))
            await self._process_messages(socket, visitor)
        except (ValueError, TypeError, KeyError, IndexError, AssertionError, AttributeError):
            await socket.close(code=1008, message=b"not understood")
        except ConnectionResetError:
            pass  # the visitor left while something was sent
        finally:
            self._sockets.discard(socket)
            await asyncio.shield(self._let_go(visitor))
        return socket

    async def _let_go(self, visitor: WebVisitor) -> None:
        try:
            await visitor.stop()
        finally:
            self.visitors.discard(visitor)

    async def on_shutdown(self, app: web.Application) -> None:
        """The server ends: so do the boards; what they started goes on."""
        for socket in set(self._sockets):
            await socket.close(code=1001, message=b"the server ends")


def _size(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return max(10, min(int(text), 500)) if text.isdecimal() and len(text) < 6 else default
