"""A sheet to write a text on: feedback, an answer, a description. `$EDITOR` opens it in the person's own editor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static, TextArea

from ..application import Application
from ..drafts import DraftedSheet
from ..editor import edit_in_editor
from ..keyboard.keyline import KeyLine
from ..keyboard.keys import binding


class WriteScreen(DraftedSheet[str | None]):
    """Gives the text, or None when the person went away (it is back when the same is written about again).

    `use` does something with the text, and gives None when that was refused: the sheet stays, with every word.
    """

    CSS_PATH = "write.tcss"
    BINDING_GROUP_TITLE = "Text"
    BINDINGS = [  # noqa: RUF012
        binding("write.send", "ctrl+s", "send", "send", "Done writing", priority=True),
        binding("write.editor", "ctrl+e", "editor", "editor", "Write it in your own editor", priority=True),
        binding("write.cancel", "escape", "dismiss", "cancel", "Cancel", priority=True),
    ]
    app = getters.app(Application)
    area = getters.query_one(TextArea)

    def __init__(
        self,
        heading: str,
        *,
        draft: str,
        use: Callable[[str], Awaitable[object]] | None = None,
        why: str = "",
        text: str = "",
        button: str = "Send",
        needed: str = "Write something",
        blank: bool = False,
    ) -> None:
        super().__init__(draft)
        self.heading, self.why, self.text, self.button, self.needed = heading, why, text, button, needed
        self.blank, self.use = blank, use
        self._sending = False

    def compose(self) -> ComposeResult:
        """Heading, what it is about, the text, the way out."""
        with Vertical(classes="box") as box:
            box.border_title = self.heading
            if self.why:
                yield Static(self.why, id="why", markup=False)
            yield TextArea(self.text, soft_wrap=True, tab_behavior="focus")
            with Horizontal():
                yield Button(f"{self.button}  (ctrl+s)", variant="primary", id="send", compact=True)
                yield Button("Cancel  (esc)", id="cancel", compact=True)
                yield Button("Editor  (ctrl+e)", id="editor", compact=True)
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """What was written about the same before comes back."""
        self.begin_draft()

    @work
    async def action_send(self) -> None:
        """Hand it over; a blank text is not one, unless nothing is an answer too."""
        text = self.area.text.strip()
        if self._sending or self.is_gone:
            return
        if not (self.blank or text):
            self.notify(f"{self.needed} first, or press escape to leave.", severity="warning", timeout=3)
            return
        self._sending = True
        try:
            taken = self.use is None or await self.use(text) is not None
        finally:
            self._sending = False
        if taken:
            self.forget_draft()
            self.dismiss(text)

    def action_editor(self) -> None:
        """The person's own editor."""
        text = edit_in_editor(self.app, self.area.text, getattr(self.app, "settings", None))
        if text is not None:
            self.area.text = text

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.run_action({"send": "send", "editor": "editor"}.get(event.button.id or "", "dismiss"))
