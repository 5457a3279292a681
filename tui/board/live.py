"""The board as it is now: its cards read from the workspace, filtered, and kept up to date."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import cast

from textual import getters, work
from textual.app import ComposeResult
from textual.screen import Screen

from ...missions.entities import LISTS
from ...missions.errors import SoloUnicornError
from ...missions.filters.query import QueryError, Test, compile_query
from ...workspace import queries
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from . import data
from .board import Board
from .data import BoardModel, Snapshot
from .disk import is_full
from .rows.card import Density
from .topline import TopLine

STAND_TICKS = 5
"""Seconds between two looks at how the project stands with its hub."""
TIMED = re.compile(r"\bin \d")
"""A reason that names a time to wait."""
WHY_SECONDS = 1.0
"""At most once in so long it is asked why ready missions do not run."""
MINUTE = 60
"""Ticks between two looks at a reason that names a time to wait."""


class LiveBoard(Screen[None]):
    """Top line, board, keys."""

    AUTO_FOCUS = "#board"

    app = getters.app(Application)
    board = getters.query_one(Board)
    top = getters.query_one(TopLine)

    def __init__(self, first: Snapshot) -> None:
        super().__init__()
        self.model = BoardModel()
        self.model.take(first)
        self.query_text = ""
        self.new_title = ""
        """What was written in the line for new missions when it was closed."""
        self._test: Test | None = None
        self._stirred = False
        self._service_word = ""
        """What is wrong with the service; empty when all is well."""
        self._disk_full = False
        self._ticks = 0
        self._asks_why = False

    def compose(self) -> ComposeResult:
        yield TopLine(self.app.marks, slots=self.app.settings.workstation.slots)
        yield Board(self.app.marks, density=self.density, view=self.model.view, id="board")
        yield KeyLine(self.app.marks)

    @property
    def density(self) -> Density:
        """How much a card shows: as the person chose on this board, else as the settings say."""
        return self.model.view.density or cast("Density", self.app.settings.board.density)

    # -- showing -------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the model through the filter."""
        if not self.query(TopLine):  # the board ends while its cards are still read
            return
        try:
            self._test = compile_query(self.query_text, self.model.summary.filters)
        except QueryError:  # what is being written is no query yet: what stands before the last word holds
            with suppress(QueryError):
                self._test = compile_query(self.query_text.rpartition(" ")[0], self.model.summary.filters)
        test = self._test
        lists = (
            self.model.lists
            if test is None
            else {name: [card for card in cards if test(card)] for name, cards in self.model.lists.items()}
        )
        around = self.model.summary
        self.board.show(
            lists,
            around.counts,
            filtered=test is not None,
            repositories=None if around.project is None else around.repositories > 1,
        )
        self.top.show(summary=around, query=self.query_text)

    def _tick(self) -> None:
        if self.is_active and self.app.is_seen:
            self.board.tick(self.app.clock())
            full = is_full(self.app.workspace.path)
            if full != self._disk_full:
                self._disk_full = full
                self._show_trouble()
            self._ticks += 1
            if self._ticks % STAND_TICKS == 0 and self.model.summary.sync.connected:
                self._look_at_hub()
            if self._ticks % MINUTE == 0 and any(TIMED.search(why) for why in self.model.held.values()):
                self._ask_why()

    @work(exclusive=True, group="hub")
    async def _look_at_hub(self) -> None:
        """Time alone changes how the project stands with its hub: whoever synchronised may be gone."""
        known = self.model.summary
        state = await self.app.perform(queries.connection.sync_state, known.project.id if known.project else None)
        if state is not None and known is self.model.summary and state.word != known.sync.word:
            self.model.summary = replace(known, sync=state)
            self.top.show(summary=self.model.summary)

    def _show_service(self) -> None:
        match self.app.service:
            case SoloUnicornError() as error:
                self._service_word = "no service"
                self.app.complain(error)
            case None:
                self._service_word = "service stopped"
            case info:
                self._service_word = info.problem
                if info.notice:
                    self.app.notify(info.notice, markup=False)
        self._show_trouble()

    def _show_trouble(self) -> None:
        """Say at the top what this machine lacks."""
        lost = "nothing is saved" if self.app.workspace.lost is not None else ""
        word = lost or ("disk full" if self._disk_full else self._service_word)
        self.top.show(service=(f"{self.app.marks.attention} {word}", "bad") if word else ("", ""))

    # -- reading -------------------------------------------------------------------------------------------------

    async def _load_all(self) -> None:
        """Read the lists to their ends, a list at a time so that nothing else waits long."""
        if self.model.complete or self.model.summary.project is None:
            return
        project = self.model.summary.project.id
        for name in LISTS:
            cards = await self.app.read(queries.board.cards, project, name)
            if cards is None or self.model.summary.project is None or self.model.summary.project.id != project:
                return
            self.model.lists[name] = cards
            self.show()
        self.model.complete = True

    def _ask_why(self) -> None:
        """Look why ready missions do not run, once what is being done has settled."""
        if not self._asks_why and (self.model.has_ready or self.model.held):
            self._asks_why = True
            self.set_timer(WHY_SECONDS, self._look_why) if self.model.held else self._look_why()

    @work(group="why")
    async def _look_why(self) -> None:
        self._asks_why = False
        project = self.model.summary.project
        held = await self.app.perform(data.held_back, project.id) if project is not None else None
        if held is not None and self.model.summary.project == project and self.model.hold(held):
            self.show()

    def stir(self) -> None:
        """Some process changed something: read it, once more when more came meanwhile."""
        if not self._stirred:
            self._stirred = True
            self._read_news()

    @work(group="news")
    async def _read_news(self) -> None:
        self._stirred = False
        await self.refresh_model()

    async def refresh_model(self) -> None:
        """Read what changed and show it."""
        before = self.model.summary
        news = await self.app.perform(data.news, before, self.model.live())
        if news is None:
            return
        if self.model.summary is not before:  # another project, or newer news, came while this was read
            self.stir()
            return
        if news.again:
            await self.open_project(news.summary.project.id if news.summary.project else None)
            return
        self.model.apply(news)
        self.show()
        self._ask_why()
        if self.model.summary.waiting > before.waiting and not self.app.app_focus:
            from ..kit.notices import say_what_waits

            await say_what_waits(self.app, self.model.summary.waiting)

    def looked(self) -> None:
        """The board is looked at in another way."""
        self.board.look(self.model.view, self.density)

    def go_to_a_card(self) -> None:
        """Put the cursor on the first card, where it stands in a list that shows none."""
        found = next((name for name in LISTS if self.board.columns[name].cards), None)
        if self.board.card is None and found is not None:
            self.board.go(found, 0)

    async def open_project(self, project_id: str | None) -> None:
        """Show another project, or the same read anew."""
        read = await self.app.perform(data.snapshot, project_id)
        if read is None:
            return
        other = self.model.summary.project is None or self.model.summary.project.id != project_id
        self.model.take(read)
        if other:
            self.board.marking.clear()
            self.looked()
        self.show()
        await self._load_all()
        if other:
            self.go_to_a_card()
        if project_id is not None and read.summary.read_only is None:
            await self.app.perform(data.remember_project, project_id)
