"""The session: what the agent does, live from its transcript, and the line to talk to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from ...agents.transcript_view import DisplayEntry, TranscriptView
from ...config import paths
from ...missions.entities import Session
from ..kit.keyboard.keys import binding
from ..kit.leaving import is_gone
from ..kit.lines import Lines, row
from ..kit.marks import Marks
from .data import MissionData
from .rows import session_line
from .transcript import foldable, rows_of

LOOK_SECONDS = 0.15
LAST_PAGE = 512 << 10
"""Bytes of a transcript that are read when it is opened; `home` reads it from its beginning."""


class SessionPane(Vertical):
    """One session of the mission; older ones by `[` and `]`."""

    BINDING_GROUP_TITLE = "Session"
    BINDINGS = [  # noqa: RUF012
        binding("session.follow", "f", "follow", "follow", "Follow the end while the agent works"),
        binding("session.older", "left_square_bracket", "session(-1)", "older", "The previous session", show=False),
        binding("session.newer", "right_square_bracket", "session(1)", "newer", "The next session", show=False),
        binding("session.search", "slash", "search", "search", "Find words in the transcript", label="/"),
        binding("session.found", "n", "found(1)", "next match", "The next match", show=False),
        binding("session.found_before", "N", "found(-1)", "before", "The previous match", show=False),
        binding("session.error", "E", "next_error", "errors", "Go to the next failure"),
        binding("session.unfold", "z", "unfold_all", "unfold", "Unfold or fold all details"),
        binding("session.whole", "B", "whole", "beginning", "Read the transcript from its beginning", show=False),
    ]

    @dataclass
    class Said(Message):
        """The person said something to the agent."""

        session: Session
        text: str

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="session")
        self.marks = marks
        self.session: Session | None = None
        self._sessions: tuple[Session, ...] = ()
        self._view: TranscriptView | None = None
        self._offset = 0
        self._unfolded: set[int] = set()
        self._chosen: str | None = None
        self._reading = False
        self._words = ""

    def compose(self) -> ComposeResult:
        """Which session, its transcript, what to find, and what to say."""
        yield Lines(self.marks, id="which")
        yield Lines(
            self.marks,
            cursor=True,
            follow=True,
            empty="No session yet. Space makes the mission ready.",
            id="transcript",
        )
        find = Input(placeholder="type words to find, then enter; n and N repeat the search", id="find")
        find.display = False
        yield find
        yield Input(placeholder="write to the agent …", id="say")

    @property
    def transcript(self) -> Lines:
        return self.query_one("#transcript", Lines)

    def on_mount(self) -> None:
        """Look at the file several times a second; nothing is read when it did not grow."""
        self.set_interval(LOOK_SECONDS, self._look)

    async def show(self, data: MissionData, now: datetime) -> None:
        """Show the newest session, or the one that was chosen."""
        self._sessions = data.sessions
        wanted = next(
            (one for one in data.sessions if one.id == self._chosen), data.sessions[-1] if data.sessions else None
        )
        self.query_one("#say").display = wanted is not None and wanted.phase != "ended"
        if wanted is None:
            return
        if self.session is None or self.session.id != wanted.id:
            self._begin(wanted)
        self.session = wanted
        self.transcript.empty = "There is nothing in it yet." if wanted.phase != "ended" else "Its transcript is gone."
        place = data.sessions.index(wanted) + 1
        said = f" {place} of {len(data.sessions)}  {wanted.stage}  {session_line(wanted, now, self.marks)}"
        ended = (
            f"  {wanted.outcome}: {wanted.reason}"
            if wanted.reason
            else f"  {wanted.outcome or wanted.activity or wanted.phase}"
        )
        role = "run" if wanted.phase != "ended" else "good" if wanted.outcome == "completed" else "bad"
        self.query_one("#which", Lines).set_rows([row((said, "faint"), (ended, role), wrap=False)])
        self._look()

    def _begin(self, session: Session) -> None:
        self._view, self._offset, self._unfolded = None, -1, set()
        self.session = session
        self.transcript.set_rows([])
        self.transcript.follow(True)

    def _look(self) -> None:
        if self.session is not None and not self._reading and self.is_on_screen:
            self._read(self.session)

    @property
    def is_on_screen(self) -> bool:
        """Whether somebody can see it."""
        return self.display and self.screen.is_active

    @work(exclusive=False, group="transcript")
    async def _read(self, session: Session) -> None:
        self._reading = True
        try:
            first = await asyncio.to_thread(self._take_in, session)
        finally:
            self._reading = False
        if first is not None and self.session is not None and self.session.id == session.id and not is_gone(self):
            self._draw()

    def _take_in(self, session: Session) -> int | None:
        """Runs in a thread: feed what was written since; the index of the first changed entry, None for no news."""
        from ...agents import launch, parsers, transcript

        run_dir = paths.runs_dir() / session.id
        if self._offset < 0:
            self._offset = transcript.before(run_dir, transcript.end(run_dir), LAST_PAGE)
        if self._view is None:
            if not run_dir.is_dir():
                return None
            parser = parsers.parser(launch.attach(run_dir).parser)
            self._view = TranscriptView(parser, worktree=session.worktree_path or "")
        entries, offset = transcript.read(run_dir, self._offset)
        if not entries:
            return None
        self._offset = offset
        return self._view.feed(entries)

    def _draw(self) -> None:
        self.transcript.set_rows(rows_of(self.entries, self._unfolded, self.marks))

    @property
    def entries(self) -> list[DisplayEntry]:
        """What happened so far."""
        return self._view.entries if self._view is not None else []

    # -- actions -------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Stay at the end, or stay here."""
        lines = self.transcript
        lines.follow(not lines.following)
        self.notify("following the agent" if lines.following else "not following", timeout=2)

    def action_session(self, step: int) -> None:
        """An older or newer session."""
        if self.session is None:
            return
        places = [one.id for one in self._sessions]
        at = places.index(self.session.id) + step if self.session.id in places else -1
        if 0 <= at < len(places):
            self._chosen = places[at] if at < len(places) - 1 else None
            self._begin(self._sessions[at])
            self.post_message(self.Switched())

    @dataclass
    class Switched(Message):
        """Another session is shown."""

    def action_unfold_all(self) -> None:
        """All details, or none."""
        places = {place for place, entry in enumerate(self.entries) if foldable(entry)}
        self._unfolded = set() if self._unfolded else places
        self._draw()

    def action_next_error(self) -> None:
        """To the next thing that failed, from the top again after the last."""
        failed = [
            place
            for place, shown in enumerate(self.transcript.rows)
            if isinstance(shown.key, int)
            and (self.entries[shown.key].ok is False or self.entries[shown.key].kind == "error")
        ]
        if failed:
            here = self.transcript.cursor or 0
            self.transcript.following = False
            self.transcript.cursor = next((place for place in failed if place > here), failed[0])
        else:
            self.notify("no failures here", timeout=2)

    def action_search(self) -> None:
        entry = self.query_one("#find", Input)
        entry.display = True
        entry.focus()

    @on(Input.Submitted, "#find")
    def _find(self, event: Input.Submitted) -> None:
        event.stop()
        self._words = event.value.strip().casefold()
        self.leave_search()
        if self._words:
            self.action_found(1)

    def leave_search(self) -> None:
        """Back to the transcript."""
        self.query_one("#find").display = False
        self.transcript.focus()

    def action_found(self, step: int) -> None:
        """To another place with the words, round at the ends; a folded one is unfolded."""
        if not self._words:
            return
        places = [place for place, entry in enumerate(self.entries) if self._words in _whole_text(entry)]
        if not places:
            self.notify(f"{self._words!r} was not found here", timeout=2, markup=False)
            return
        lines = self.transcript
        key = lines.rows[lines.cursor or 0].key if lines.rows else 0
        here = key if isinstance(key, int) else 0
        further = [place for place in places if (place > here if step > 0 else place < here)]
        place = (further[0] if step > 0 else further[-1]) if further else places[0 if step > 0 else -1]
        if self._words not in self.entries[place].text.casefold():
            self._unfolded.add(place)
        lines.following = False
        self._draw()
        lines.cursor = next(at for at, shown in enumerate(lines.rows) if shown.key == place)
        self.notify(f"{places.index(place) + 1} of {len(places)}", timeout=2)

    def action_whole(self) -> None:
        if self.session is not None:
            self._begin(self.session)
            self._offset = 0
            self.transcript.follow(False)
            self._look()

    @on(Lines.Chosen, "#transcript")
    def _fold(self, event: Lines.Chosen) -> None:
        event.stop()
        place = event.row.key
        if isinstance(place, int) and place < len(self.entries) and foldable(self.entries[place]):
            self._unfolded ^= {place}
            self._draw()

    @on(Input.Submitted, "#say")
    def _say(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text and self.session is not None and self.session.phase != "ended":
            self.post_message(self.Said(self.session, text))
            event.input.clear()
            self.transcript.focus()


def _whole_text(entry: DisplayEntry) -> str:
    """Everything that an entry says, folded or not."""
    return "\n".join((entry.text, entry.detail, *entry.members, *(one.diff for one in entry.files))).casefold()
