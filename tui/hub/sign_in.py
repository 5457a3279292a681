"""Signing in at a hub: its address, then the browser; the page's address is shown for who has to open it elsewhere."""

from __future__ import annotations

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from ...missions.errors import SoloUnicornError
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines, Row, row, trouble
from ..kit.sheets.confirm import ConfirmScreen
from . import commands as hub_data


class SignInScreen(Sheet[str | None]):
    """Gives the address of the hub that the person is signed in at now, None when they went away."""

    CSS_PATH = "sign_in.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Sign in"
    BINDINGS = [  # noqa: RUF012
        binding("signin.begin", "ctrl+s", "begin", "sign in", "Go to the hub's page; so does enter", priority=True),
        binding("signin.copy", "ctrl+y", "copy", "copy", "Copy the address of the hub's page", priority=True),
        binding("signin.leave", "escape", "dismiss", "cancel", "Cancel; nothing is changed", priority=True),
    ]
    app = getters.app(Application)

    def __init__(self) -> None:
        super().__init__(classes="sheet")
        self.page = ""
        """The address of the hub's page, once it is known."""

    def compose(self) -> ComposeResult:
        """The hub, what happens, the way out."""
        said = Lines(self.app.marks, id="said")
        said.can_focus, said.least = False, 1
        copy = Button("Copy  (ctrl+y)", id="copy", compact=True)
        copy.display = False
        with Vertical(classes="box") as box:
            box.border_title = "Sign in at a hub"
            yield Static("Its address; your password goes to the hub's own page only.", classes="hint")
            yield Input(placeholder="https://hub.example.org", max_length=2000)
            yield said
            with Horizontal():
                yield Button("Sign in  (enter)", variant="primary", id="sign-in", compact=True)
                yield copy
                yield Button("Cancel  (esc)", id="cancel", compact=True)
        yield KeyLine(self.app.marks)

    @work
    async def on_mount(self) -> None:
        """Begin with the hub that was signed in at last."""
        known = await self.app.perform(hub_data.last_hub)
        if known and not self.is_gone and not self.query_one(Input).value:
            self.query_one(Input).value = known

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to copy before the hub said where its page is."""
        return bool(self.page) if action == "copy" else True

    @work(exclusive=True, group="sign-in")
    async def action_begin(self) -> None:
        """Ask the hub for its page, open it, and wait for the person to come back from it."""
        address = self.query_one(Input).value.strip()
        if not address:
            self.notify("Enter the hub's address, or press escape to cancel.", severity="warning", timeout=3)
            return
        self._say([row((f" Asking {address} …", "faint"), indent=1)])
        if await self._signed_in(address, in_file=False) and not self.is_gone:
            self.app.tell(f"Signed in at {address}")
            self.dismiss(address)

    async def _signed_in(self, address: str, *, in_file: bool) -> bool:
        try:
            await hub_data.sign_in(self.app.commands, address, self._go_to, in_file=in_file)
        except SoloUnicornError as error:
            self._say(trouble(error))
            if error.code != "no_keychain" or in_file:
                return False
            question = ConfirmScreen(
                "There is no keychain here. Keep the sign-in in a file that only you can read?", "Keep it there"
            )
            return await self.app.push_screen_wait(question) and await self._signed_in(address, in_file=True)
        return True

    def _go_to(self, page: str) -> None:
        """The hub said where its page is."""
        self.page = page
        self._say(
            [
                row((" Continue in your browser. If none opens, open this address:", "faint"), indent=1),
                row((f" {page}", f"link {page}"), indent=1),
            ]
        )
        self._open(page)

    @work(group="browser")
    async def _open(self, page: str) -> None:
        if self.app.is_web:
            self.app.open_url(page)
            return
        try:
            await self.app.commands.open_outside(page)
        except SoloUnicornError as error:
            self.log.warning(str(error))  # the address stands there

    def action_copy(self) -> None:
        """To the clipboard of the terminal."""
        self.app.copy_to_clipboard(self.page)
        self.app.tell("The address is on the clipboard")

    def _say(self, rows: list[Row]) -> None:
        if not self.is_gone:
            self.query_one(Lines).set_rows(rows)
            self.query_one("#copy").display = bool(self.page)
            self.refresh_bindings()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_begin()

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.run_action({"sign-in": "begin", "copy": "copy"}.get(event.button.id or "", "dismiss"))
