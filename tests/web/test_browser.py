"""A real Chromium: signs in by the link, sees the board, works by keyboard and mouse, and comes back after a loss."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psutil
import pyte
import pytest

from solo_unicorn.missions.entities import Author, ListName
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Web

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, WebSocket

pytestmark = pytest.mark.slow
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
DEADLINE = 30.0
PICTURES = os.environ.get("SOLO_UNICORN_TEST_PICTURES")
"""A directory for screenshots, for whoever wants to look."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


class Board:
    """The board as the browser shows it: its picture is a canvas, so its text is read from what the socket brought."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.sockets = 0
        self._screen: pyte.Screen | None = None
        page.on("websocket", self._connected)
        page.on("request", lambda request: self.requests.append(request.url))

    def _connected(self, socket: WebSocket) -> None:
        size = parse_qs(urlsplit(socket.url).query)
        screen = self._screen = pyte.Screen(int(size["width"][0]), int(size["height"][0]))
        stream = pyte.ByteStream(screen)
        self.sockets += 1

        def came(payload: str | bytes) -> None:
            if isinstance(payload, bytes):
                stream.feed(re.sub(rb"\x1b\[[<>=?][0-9;]*[$a-zA-Z]+", b"", payload))

        socket.on("framereceived", came)

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display) if self._screen is not None else []

    def until(self, wanted: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE
        while not wanted():
            assert time.monotonic() < end, f"did not happen: {what}\n" + "\n".join(self.lines)
            self.page.wait_for_timeout(50)

    def shows(self, *words: str) -> None:
        self.until(lambda: all(any(word in line for line in self.lines) for word in words), f"{words} on the screen")

    def spot(self, words: str) -> tuple[float, float]:
        """Where words stand, in the page's pixels."""
        assert self._screen is not None
        y, line = next((y, line) for y, line in enumerate(self.lines) if words in line)
        box = self.page.locator(".xterm-screen").bounding_box()
        assert box is not None
        x = line.index(words) + 2
        wide, high = box["width"] / self._screen.columns, box["height"] / self._screen.lines
        return box["x"] + (x + 0.5) * wide, box["y"] + (y + 0.5) * high

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


@pytest.fixture
def board(browser: Browser) -> Iterator[Board]:
    page = browser.new_context(viewport={"width": 1500, "height": 900}).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield Board(page)
    page.context.close()
    assert problems == []


@pytest.fixture
def reviewed(web: Web) -> str:
    """A mission of the open project whose plan waits for review; its id."""
    with Workspace.open() as workspace:
        project = workspace.read(queries.projects.list_all)[0]
        made = workspace.write(
            operations.missions.create, project.id, MissionDraft(title="Look at me", list="doing", priority=5)
        )
        workspace.write_as(
            Author("agent", "claude"), operations.review.request_review, made.id, "Did it.", "Is it right?"
        )
        return made.id


def titles(in_list: ListName) -> list[str]:
    with Workspace.open() as workspace:
        return [
            card.title
            for card in workspace.read(queries.board.cards, workspace.read(queries.projects.list_all)[0].id, in_list)
        ]


def test_sign_in_create_drag_and_review(web: Web, board: Board, reviewed: str) -> None:
    board.page.goto(web.link)
    board.shows("Todo", "Loop", "everything", "Look at me")
    assert "token" not in board.page.url
    board.picture("board")

    board.keys("n")
    board.shows("New mission")
    board.page.keyboard.type("From a browser")
    board.picture("form")
    board.keys("Control+s")
    board.until(lambda: "From a browser" in titles("todo"), "the mission is on the board")
    board.until(lambda: not any("New mission" in line for line in board.lines), "the form is gone")
    board.shows("From a browser", "everything")

    board.page.mouse.move(*board.spot("From a browser"))
    board.page.mouse.down()
    x, y = board.spot("Doing ")
    board.page.mouse.move(x + 20, y + 60, steps=8)
    board.picture("dragging")
    board.page.mouse.move(x + 30, y + 66, steps=3)
    board.page.mouse.up()
    board.until(lambda: "From a browser" in titles("doing"), "the card was dragged to Doing")

    board.page.mouse.dblclick(*board.spot("Look at me"))
    board.shows("waits for your review")
    board.picture("review")
    board.keys("a")

    def approved() -> bool:
        with Workspace.open() as workspace:
            return workspace.read(queries.missions.get, reviewed).review_status != "pending"

    board.until(approved, "the review was approved")
    board.picture("approved")
    assert {urlsplit(url).netloc for url in board.requests if not url.startswith("data:")} == {f"127.0.0.1:{web.port}"}


def test_a_second_use_of_the_link_and_a_foreign_page_see_nothing(web: Web, browser: Browser, board: Board) -> None:
    board.page.goto(web.link)
    board.shows("everything")
    room = board.page.url
    other = browser.new_context().new_page()
    said = other.goto(web.link)
    assert said is not None and said.status == 403
    said = other.goto(room)
    assert said is not None and said.status == 401, "the address without the cookie"
    other.goto("data:text/html,<p>somebody else's page</p>")
    opened = other.evaluate(
        "url => new Promise(done => { const socket = new WebSocket(url);"
        " socket.onopen = () => done('open'); socket.onerror = () => done('refused'); })",
        room.replace("http:", "ws:") + "ws?width=80&height=24",
    )
    assert opened == "refused"
    other.context.close()
    assert board.page.evaluate("document.cookie") == "", "no script reads the cookie"


def test_a_lost_connection_comes_back_and_a_closed_board_opens_again(web: Web, board: Board) -> None:
    board.page.goto(web.link)
    board.shows("everything")
    before = board.sockets
    for child in psutil.Process(web.process.pid).children():
        child.send_signal(signal.SIGKILL)  # the board of this visitor
    board.until(lambda: board.sockets > before, "another connection")
    board.shows("everything")
    board.keys("Control+q")
    board.until(lambda: "closed" in board.page.locator("#said").inner_text(), "it says that it is closed")
    board.picture("closed")
    before = board.sockets
    board.keys("Enter")
    board.until(lambda: board.sockets > before, "another connection")
    board.shows("everything")


def test_there_is_a_limit_on_visitors_and_the_next_one_waits(web: Web, browser: Browser, board: Board) -> None:
    board.page.goto(web.link)
    board.shows("everything")
    second = Board(board.page.context.new_page())
    second.page.goto(board.page.url)
    second.until(lambda: "As many boards" in second.page.locator("#said").inner_text(), "it says why")
    second.picture("full")
    board.page.close()
    second.shows("everything")
    second.page.close()
