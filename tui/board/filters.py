"""The filters that a project keeps by name."""

from __future__ import annotations

from collections.abc import Mapping

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from ...workspace import operations
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines, row


class FiltersScreen(Sheet[str | None]):
    """Gives the query to filter by: `@name`."""

    CSS_PATH = "../kit/sheets/small_sheet.tcss"
    BINDING_GROUP_TITLE = "Saved filters"
    BINDINGS = [  # noqa: RUF012
        binding("filters.close", "escape,q", "dismiss", "board", "Back to the board"),
        binding("filters.delete", "D,delete", "forget", "forget", "Delete the filter"),
    ]
    app = getters.app(Application)
    lines = getters.query_one(Lines)

    def __init__(self, project_id: str, saved: Mapping[str, str]) -> None:
        super().__init__(classes="sheet small")
        self.project_id, self.saved = project_id, dict(saved)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Saved filters"
            yield Lines(self.app.marks, cursor=True, empty="No saved filters. ctrl+s in the filter line saves one.")
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        self._show()
        self.lines.focus()

    def _show(self) -> None:
        wide = max((len(name) for name in self.saved), default=0) + 1
        self.lines.styles.height = max(3, len(self.saved))
        self.lines.set_rows(
            [
                row((f" {'@' + name:<{wide}}  ", "strong"), query, key=name, indent=wide + 3)
                for name, query in self.saved.items()
            ]
        )

    @on(Lines.Chosen)
    def _chosen(self, event: Lines.Chosen) -> None:
        self.dismiss(f"@{event.row.key}")

    @work
    async def action_forget(self) -> None:
        """Forget the one under the cursor."""
        rows, at = self.lines.rows, self.lines.cursor or 0
        if at < len(rows):
            name = str(rows[at].key)
            await self.app.write(operations.filters.delete, self.project_id, name)
            self.saved.pop(name, None)
            self._show()
