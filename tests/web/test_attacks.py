"""What a page of somebody else, another name of this host, or another program may try on the running server."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from .conftest import UPGRADE, Web

PAGE = Path(__file__).parents[2] / "tui" / "web" / "page"


def test_what_is_refused_and_what_is_not(web: Web) -> None:
    """One server for all of it: starting one takes a second."""
    assert web.get("/").status == 401, "without a token"
    assert web.get("/?token=guess").status == 403, "with a wrong one"
    assert web.get("/" + "?" + web.link.partition("?")[2], Host=f"evil.example:{web.port}").status == 421
    assert web.get("/?" + web.link.partition("?")[2], Origin="https://evil.example").status == 403
    assert web.get("/?" + web.link.partition("?")[2], Sec_Fetch_Site="cross-site").status == 403

    room, cookie = web.sign_in()
    said = web.get("/?" + web.link.partition("?")[2])
    assert said.status == 403 and b"has been used" in said.body, "a second use of the link"
    assert "set-cookie" not in said.headers

    page = web.get(room, Cookie=cookie)
    assert page.status == 200 and b"textual-terminal" in page.body
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert page.headers["referrer-policy"] == "no-referrer" and page.headers["cache-control"] == "no-store"
    for name in ("page.js", "page.css", "textual.js", "xterm.css", "roboto-mono.ttf"):
        assert web.get(f"{room}static/{name}", Cookie=cookie).status == 200
    for name in ("../server.py", "..%2fserver.py", "%2e%2e/server.py", "server.py", ""):
        assert web.get(f"{room}static/{name}", Cookie=cookie).status in (401, 403, 404)

    assert web.get(room).status == 401, "without the cookie"
    assert web.get(room, Cookie="solo_unicorn_web=guess").status == 401
    assert web.get("/another-room/", Cookie=cookie).status == 401
    assert web.get(room, Cookie=cookie, Host="evil.example").status == 421
    assert web.get(room, Cookie=cookie, Origin="null").status == 403
    assert web.get(f"{room}state", Cookie=cookie, Origin="http://127.0.0.1:1").status == 403

    ours = {"Cookie": cookie, "Origin": web.origin}
    assert web.get(f"{room}ws", **UPGRADE, Cookie=cookie).status == 403, "no Origin"
    assert web.get(f"{room}ws", **UPGRADE, Cookie=cookie, Origin="https://evil.example").status == 403
    assert web.get(f"{room}ws", **UPGRADE, Origin=web.origin).status == 401, "no cookie"
    assert web.get(f"{room}ws", **UPGRADE, **ours, Host="evil.example:80").status == 421
    assert web.get(f"{room}ws", **UPGRADE, **ours).status == 101


def test_the_cookie_is_for_this_path_and_no_script(web: Web) -> None:
    said = web.get("/?" + web.link.partition("?")[2])
    words = said.headers["set-cookie"]
    assert "HttpOnly" in words and "SameSite=Strict" in words
    assert f"Path={said.headers['location']}" in words and len(said.headers["location"]) > 20
    assert b"token" not in said.body and "token" not in said.headers["location"]


def test_the_boards_process_knows_no_secret_of_the_gate(web: Web) -> None:
    room, cookie = web.sign_in()
    secrets = [web.link.partition("=")[2], cookie.partition("=")[2], room.strip("/")]
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    connection.request("GET", f"{room}ws", headers={**UPGRADE, "Cookie": cookie, "Origin": web.origin})
    assert connection.getresponse().status == 101
    assert connection.sock.recv(1), "the board began to paint"
    [board] = psutil.Process(web.process.pid).children()
    told = " ".join([*board.cmdline(), *(f"{name}={value}" for name, value in board.environ().items())])
    assert "solo_unicorn.tui.web.served" in told
    assert [secret for secret in secrets if secret in told] == []
    assert board.username() == psutil.Process().username()
    connection.close()


def test_it_listens_on_the_loopback_interface_alone(web: Web) -> None:
    hexadecimal = f"{web.port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{hexadecimal}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{hexadecimal}"]


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    files = list(PAGE.iterdir())
    assert {file.suffix for file in files} >= {".html", ".js"}
    for file in files:
        said = file.read_text(encoding="utf-8").replace("{socket}", "")
        assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.sub(r"^\s*//.*$", "", said, flags=re.M)), file


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "solo_unicorn", "web", *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--port", "70000"), 2, "70000 is not a valid port"),
        (("--visitors", "0"), 2, "No visitor would be allowed"),
        (("--project", "nothing of that name"), 3, "No project"),
    ],
)
def test_bad_wishes_are_told(home: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = command(*arguments)
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr


def test_a_taken_port_is_told(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = command("--port", str(other.getsockname()[1]))
    assert done.returncode == 4 and "cannot be used" in done.stderr


def test_without_the_extra_it_says_what_to_install(home: Path) -> None:
    script = (
        "import importlib.util, sys\nreal = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'textual_serve' else real(name, *rest)\n"
        "from solo_unicorn.cli.main import main\nsys.exit(main(['web']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "the extra `web`" in done.stderr and "Traceback" not in done.stderr
