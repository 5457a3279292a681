"""Everything that waits for a person, oldest first: questions, reviews, failures."""

from __future__ import annotations

from datetime import datetime

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from ...missions.board import Waiting
from ...missions.ids import short_id
from ...sync.workspace import Workspace
from ..ages import span
from ..app import SoloUnicornApp
from ..keyline import KeyLine
from ..keys import binding
from ..lines import Lines, Row, row
from ..marks import Marks


class InboxScreen(ModalScreen[str | None]):
    """Gives the mission that the person goes into, or None; reviews and questions can be answered where they stand."""

    CSS_PATH = "inbox.tcss"
    BINDING_GROUP_TITLE = "Inbox"
    BINDINGS = [  # noqa: RUF012
        binding("inbox.close", "escape,q,i", "dismiss", "board", "Back to the board"),
        binding("inbox.approve", "a", "approve", "approve", "Approve the review under the cursor"),
        binding("inbox.reject", "x", "reject", "reject", "Send it back with feedback"),
        binding("inbox.answer", "r", "answer", "answer", "Answer the question under the cursor"),
        binding("inbox.again", "space", "again", "try again", "Make the mission ready again"),
    ]
    app = getters.app(SoloUnicornApp)
    lines = getters.query_one(Lines)

    def __init__(self) -> None:
        super().__init__(classes="sheet")
        self.waiting: list[Waiting] = []

    def compose(self) -> ComposeResult:
        """One list."""
        with Vertical(classes="box") as box:
            box.border_title = "Waits for you"
            yield Lines(self.app.marks, cursor=True, empty="Nothing waits for you.")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Read now and on news."""
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.reload()

    @work(exclusive=True, group="inbox")
    async def reload(self) -> None:
        """Read what waits."""
        waiting = await self.app.perform(Workspace.waiting)
        if waiting is not None and self.is_mounted:
            self.waiting = waiting
            self.lines.set_rows([_row(one, self.app.marks, self.app.clock()) for one in waiting])
            self.lines.styles.height = max(3, sum(len(self.lines.lines_of(place)) for place in range(len(waiting))))
            self.refresh_bindings()

    @property
    def under_cursor(self) -> Waiting | None:
        """What the cursor is on."""
        at = self.lines.cursor or 0
        return self.waiting[at] if at < len(self.waiting) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        one = self.under_cursor if self.is_mounted else None
        kinds = {"approve": "review", "reject": "review", "answer": "question", "again": "attention"}
        return True if action not in kinds else one is not None and one.kind == kinds[action]

    @on(Lines.CursorMoved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(Lines.Chosen)
    def _open(self, event: Lines.Chosen) -> None:
        if isinstance(event.row.key, str):
            self.dismiss(event.row.key)

    @work
    async def action_approve(self) -> None:
        """Approve."""
        one = self.under_cursor
        if one is not None and await self.app.perform(Workspace.approve, one.mission.id) is not None:
            self.app.tell(f"Approved {short_id(one.mission.number)}")
            self.reload()

    @work
    async def action_reject(self) -> None:
        """Send back."""
        from .write import WriteScreen

        one = self.under_cursor
        if one is None:
            return
        sheet = WriteScreen(
            f"Reject the {one.mission.stage}", why=one.mission.title, button="Reject", needed="Say what to change"
        )
        feedback = await self.app.push_screen_wait(sheet)
        if feedback and await self.app.perform(Workspace.reject, one.mission.id, feedback) is not None:
            self.reload()

    @work
    async def action_answer(self) -> None:
        """Answer."""
        from .write import WriteScreen

        one = self.under_cursor
        if one is None:
            return
        sheet = WriteScreen("Answer", why=one.text, button="Answer", needed="Write an answer")
        text = await self.app.push_screen_wait(sheet)
        if text and await self.app.perform(Workspace.answer, one.mission.id, text) is not None:
            self.reload()

    @work
    async def action_again(self) -> None:
        """Ready again."""
        one = self.under_cursor
        if one is not None and await self.app.perform(Workspace.set_ready, one.mission.id, True) is not None:
            self.reload()


def _row(one: Waiting, marks: Marks, now: datetime) -> Row:
    mark, role, word = {
        "review": (marks.waits, "wait", "review"),
        "question": (marks.waits, "wait", "question"),
        "attention": (marks.attention, "bad", "attention"),
    }[one.kind]
    since = span((now - one.since).total_seconds())
    return row(
        (f" {mark} ", role),
        (f"{word:<10}", role),
        (f"{short_id(one.mission.number):<6}", "strong"),
        f"{one.mission.title}  ",
        (f"{since}\n", "faint"),
        (one.text, "faint"),
        key=one.mission.id,
        indent=13,
    )
