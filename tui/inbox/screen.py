"""Everything that waits for a person, oldest first, answered where it stands."""

from __future__ import annotations

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from ...missions.entities import Decision
from ...missions.ids import short_id
from ...workspace import operations
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines
from . import rows as inbox_rows
from .rows import InboxEntry

FITS = {
    "allow": ("permission",),
    "always": ("permission",),
    "refuse": ("permission",),
    "review": ("review",),
    "approve": ("review",),
    "reject": ("review",),
    "again": ("attention", "conflict"),
    "take": ("rule",),
    "leave": ("rule",),
}
"""Which action answers what."""


class WaitingList(Lines):
    """What waits for a person; the screen handles Enter."""

    BINDINGS = [  # noqa: RUF012
        binding(
            "inbox.answer",
            "enter",
            "screen.answer",
            "answer / open",
            "Answer the question, or open anything else",
            label="⏎",
        )
    ]


class InboxScreen(Sheet[str | None]):
    """Gives the mission that the person goes into, or None."""

    CSS_PATH = "inbox.tcss"
    BINDING_GROUP_TITLE = "Inbox"
    BINDINGS = [  # noqa: RUF012
        binding("inbox.allow", "y", "allow", "allow once", "Let the agent use the tool this time"),
        binding("inbox.always", "Y", "always", "always here", "From now on, let agents of this project do the same"),
        binding("inbox.refuse", "n", "refuse", "refuse", "Deny it, with a reason if you like"),
        binding("inbox.review", "r", "review", "review", "Show what the agent did"),
        binding("inbox.approve", "a", "approve", "approve", "Approve the review under the cursor"),
        binding("inbox.reject", "x", "reject", "reject", "Send it back with feedback"),
        binding("inbox.again", "space", "again", "try again", "Make the mission ready again"),
        binding("inbox.take", "m", "take", "keep as a rule", "Save it in the project memory, in the document rules"),
        binding("inbox.leave", "d", "leave", "not a rule", "Do not offer it again"),
        binding("inbox.close", "escape,q,i", "dismiss", "board", "Back to the board"),
    ]
    app = getters.app(Application)
    lines = getters.query_one(Lines)

    def __init__(self) -> None:
        super().__init__(classes="sheet")
        self.waiting: list[InboxEntry] = []
        self.tab: str | None = None
        """The part of the mission room that the person wants to see."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Waiting for you"
            yield WaitingList(self.app.marks, cursor=True, empty="Nothing is waiting for you.")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Read now and on news."""
        self.lines.least = 3
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.reload()

    @work(exclusive=True, group="inbox")
    async def reload(self) -> None:
        """Read what waits; the cursor stays on what it was on."""
        waiting = await self.app.perform(inbox_rows.read)
        if waiting is None or self.is_gone:
            return
        before = self.under_cursor
        self.waiting = waiting
        self.lines.set_rows([inbox_rows.entry_row(one, self.app.marks, self.app.clock()) for one in waiting])
        keys = [one.key for one in waiting]
        if before is not None and before.key in keys:
            self.lines.cursor = keys.index(before.key)
        self.refresh_bindings()

    @property
    def under_cursor(self) -> InboxEntry | None:
        """What the cursor is on."""
        at = self.lines.cursor or 0
        return self.waiting[at] if at < len(self.waiting) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        one = self.under_cursor if self.waiting else None
        return action not in FITS or (one is not None and one.kind in FITS[action])

    @on(Lines.CursorMoved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(Lines.Chosen)
    def _chosen(self) -> None:
        self.action_answer()

    # -- answers -------------------------------------------------------------------------------------------------

    @work
    async def action_answer(self) -> None:
        """Answer a question, go into anything else."""
        from ..kit.sheets.write import WriteScreen

        one = self.under_cursor
        if one is None:
            return
        if one.kind != "question":
            self.tab = {"review": "review", "permission": "session"}.get(one.kind)
            self.dismiss(one.mission.id)
            return
        sheet = WriteScreen(
            "Answer",
            draft=f"answer {one.mission.id}",
            why=one.text,
            button="Answer",
            needed="Write an answer",
            use=lambda text: self.app.write(operations.review.answer, one.mission.id, text),
        )
        if await self.app.push_screen_wait(sheet):
            self.reload()

    @work(group="answers")
    async def action_allow(self) -> None:
        await self._decide("allow")

    @work(group="answers")
    async def action_always(self) -> None:
        await self._decide("allow", always=True)

    @work(group="answers")
    async def action_refuse(self) -> None:
        await self._decide("deny")

    async def _decide(self, decision: Decision, *, always: bool = False) -> None:
        one = self.under_cursor
        if one is None or one.item is None:
            return
        done = await self.app.write(operations.inbox.answer, one.item.id, decision, always=always)
        if done is not None:
            verb = "may" if decision == "allow" else "must not"
            self.app.tell(f"{short_id(one.mission.number)} {verb} use {one.item.tool}{', always' if always else ''}")
        self.reload()

    def action_review(self) -> None:
        """The review in the mission room."""
        one = self.under_cursor
        if one is not None:
            self.tab = "review"
            self.dismiss(one.mission.id)

    @work
    async def action_approve(self) -> None:
        one = self.under_cursor
        if one is not None and await self.app.write(operations.review.approve, one.mission.id) is not None:
            self.app.tell(f"Approved {short_id(one.mission.number)}")
            self.reload()

    @work
    async def action_reject(self) -> None:
        from ..kit.sheets.write import WriteScreen

        one = self.under_cursor
        if one is None:
            return
        sheet = WriteScreen(
            f"Reject the {one.mission.stage}",
            draft=f"reject {one.mission.id}",
            why=one.mission.title,
            button="Reject",
            needed="Say what to change",
            use=lambda feedback: self.app.write(operations.review.reject, one.mission.id, feedback),
        )
        if await self.app.push_screen_wait(sheet):
            self.reload()

    @work
    async def action_again(self) -> None:
        one = self.under_cursor
        if one is not None and await self.app.write(operations.missions.set_ready, one.mission.id, True) is not None:
            self.reload()

    @work(group="answers")
    async def action_take(self) -> None:
        one = self.under_cursor
        if one is not None and one.event is not None:
            done = await self.app.write(operations.offers.take, one.event)
            if done is not None:
                self.app.tell(f"Kept in the memory: {done.name}")
            self.reload()

    @work(group="answers")
    async def action_leave(self) -> None:
        one = self.under_cursor
        if one is not None and one.event is not None:
            await self.app.write(operations.offers.leave, one.event)
            self.reload()
