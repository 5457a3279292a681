"""Where this machine and the hub differ: conflicts with all their sides, and edits that the hub refused."""

from __future__ import annotations

from collections.abc import Callable

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from ...missions.entities import SYSTEM
from ...missions.errors import SoloUnicornError, UsageError
from ...sync import replica
from ...workspace import operations
from ...workspace.change import Change
from ...workspace.sync_state.outbox import OutboxEntry
from ..kit.application import Application
from ..kit.editor import edit_in_editor
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines
from . import conflict_rows
from .conflict_rows import Undecided

OF_CONFLICTS, OF_PARKED = ("mine", "theirs"), ("retry", "discard")


class ConflictsScreen(Sheet[None]):
    """Each is decided where it stands."""

    CSS_PATH = "conflicts.tcss"
    BINDING_GROUP_TITLE = "Conflicts"
    BINDINGS = [  # noqa: RUF012
        binding("conflicts.mine", "m", "mine", "keep mine", "Keep your version, here and at the hub"),
        binding("conflicts.theirs", "t", "theirs", "keep theirs", "Discard your version, and keep the hub's"),
        binding("conflicts.merge", "e", "merge", "merge", "Merge both texts in your editor"),
        binding("conflicts.retry", "r", "retry", "send again", "Send the refused edit again"),
        binding("conflicts.discard", "d", "discard", "discard", "Discard the refused edit"),
        binding("conflicts.sync", "s", "sync", "sync now", "Read and send everything now"),
        binding("conflicts.sign_in", "i", "sign_in", "sign in", "Sign in at a hub, to send what is waiting"),
        binding("conflicts.close", "escape,q", "dismiss", "board", "Back to the board"),
    ]
    app = getters.app(Application)
    state = getters.query_one("#state", Lines)
    lines = getters.query_one("#undecided", Lines)

    def __init__(self, project: str | None) -> None:
        super().__init__(classes="sheet")
        self.project = project
        self.undecided: list[Undecided] = []

    def compose(self) -> ComposeResult:
        """How it stands, and one list."""
        with Vertical(classes="box") as box:
            box.border_title = "This machine and the hub"
            yield Lines(self.app.marks, id="state")
            yield Lines(self.app.marks, cursor=True, empty="No conflicts.", id="undecided")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Read now and on news."""
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.lines.focus()
        self.reload()

    @work(exclusive=True, group="conflicts")
    async def reload(self) -> None:
        """Read what is undecided; the cursor stays on what it was on."""
        read = await self.app.perform(conflict_rows.read, self.project)
        if read is None or self.is_gone:
            return
        before = self.under_cursor
        state, self.undecided = read
        self.state.set_rows([conflict_rows.state_row(state)])
        self.lines.set_rows([conflict_rows.undecided_row(one, self.app.marks) for one in self.undecided])
        self.lines.styles.height = max(3, sum(len(self.lines.lines_of(at)) for at in range(len(self.undecided))))
        keys = [one.key for one in self.undecided]
        if before is not None and before.key in keys:
            self.lines.cursor = keys.index(before.key)
        self.refresh_bindings()

    @property
    def under_cursor(self) -> Undecided | None:
        """What the cursor is on."""
        at = self.lines.cursor or 0
        return self.undecided[at] if at < len(self.undecided) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        one = self.under_cursor if self.undecided else None
        if action in OF_CONFLICTS:
            return one is not None and one.conflict is not None
        if action in OF_PARKED:
            return one is not None and one.parked is not None
        return action != "merge" or (one is not None and one.has_text)

    @on(Lines.CursorMoved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @work(group="decisions")
    async def action_mine(self) -> None:
        """As it was done here."""
        one = self.under_cursor
        if one is not None and one.conflict is not None:
            seen = replica.resolving.mark(one.conflict)
            await self.app.write(replica.resolving.keep_mine, one.conflict.id, seen=seen)
            self.reload()

    @work(group="decisions")
    async def action_theirs(self) -> None:
        """As the hub has it."""
        one = self.under_cursor
        if one is not None and one.conflict is not None:
            await self.app.write(replica.resolving.keep_theirs, one.conflict.id)
            self.reload()

    @work(group="decisions")
    async def action_merge(self) -> None:
        """Both texts in the editor, with marks around what differs."""
        one = self.under_cursor
        if one is None or one.conflict is None or not isinstance(one.conflict.mine, str):
            return
        from ...sync.replica.conflict_marks import MARKS, marked

        theirs = one.conflict.theirs if isinstance(one.conflict.theirs, str) else ""
        text = edit_in_editor(self.app, marked(one.conflict.mine, theirs), self.app.settings)
        if text is None:
            return
        try:
            if any(mark.strip() in text.splitlines() for mark in MARKS):
                raise UsageError("The conflict marks are still in the text", todo="take them out")
            seen = replica.resolving.mark(one.conflict)
            await self.app.workspace.write(replica.resolving.keep_mine, one.conflict.id, text=text, seen=seen)
        except SoloUnicornError as error:
            self.app.copy_to_clipboard(text)
            self.app.complain(error)
            self.app.tell("Nothing was changed; your text is on the clipboard")
        self.reload()

    @work(group="decisions")
    async def action_retry(self) -> None:
        await self._parked(replica.sync_steps.retry_parked)

    @work(group="decisions")
    async def action_discard(self) -> None:
        await self._parked(replica.sync_steps.discard_parked)

    async def _parked(self, what: Callable[[Change, int], OutboxEntry]) -> None:
        one = self.under_cursor
        if one is not None and one.parked is not None:
            await self.app.write_as(SYSTEM, what, one.parked.seq)
            self.reload()

    @work(group="decisions")
    async def action_sign_in(self) -> None:
        """Sign in, then send what waited."""
        from .sign_in import SignInScreen

        if await self.app.push_screen_wait(SignInScreen()):
            await self.app.write(operations.workstation.request, "sync")

    @work(group="decisions")
    async def action_sync(self) -> None:
        await self.app.write(operations.workstation.request, "sync")
        self.app.tell("The service reads and sends everything now")
