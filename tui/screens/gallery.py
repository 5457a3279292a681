"""What a hub shows to everybody: public projects to star, to join and to mirror, templates to begin from."""

from __future__ import annotations

from typing import Final

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError
from ..app import SoloUnicornApp
from ..child import ask
from ..keyline import KeyLine
from ..keys import binding
from ..leaving import Sheet
from ..lines import Lines, Row, row, trouble
from ..marks import Marks
from .line import LineScreen

OF_PROJECTS: Final = ("star", "ask", "search")
ROLES: Final = "contributor, collaborator or maintainer; words to its owners may follow"


class GalleryScreen(Sheet[str | None]):
    """Gives the id of a project that is mirrored here from now on."""

    CSS_PATH = "gallery.tcss"
    BINDING_GROUP_TITLE = "Gallery"
    BINDINGS = [  # noqa: RUF012
        binding("gallery.search", "slash", "search", "search", "Find by words"),
        binding("gallery.star", "s", "star", "star", "Star the project; S takes the star back"),
        binding("gallery.unstar", "S", "star(False)", "take star back", "Take your star back", show=False),
        binding("gallery.ask", "r", "ask", "ask to join", "Ask its owners for a role"),
        binding("gallery.templates", "t", "templates", "projects/templates", "Show templates, or projects again"),
        binding("gallery.close", "escape", "close", "projects", "Out of the search, then back"),
    ]
    app = getters.app(SoloUnicornApp)
    lines = getters.query_one(Lines)

    def __init__(self) -> None:
        super().__init__(classes="sheet")
        self.found: list[JsonObject] = []
        self.templates = False
        self.words = ""

    def compose(self) -> ComposeResult:
        """A list and a line for words."""
        with Vertical(classes="box") as box:
            box.border_title = "Public projects"
            yield Lines(self.app.marks, cursor=True)
            yield Input(placeholder="words, then enter", id="words", max_length=200)
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        """Ask the hub."""
        self.query_one("#words").display = False
        self.lines.focus()
        self.look()

    @work(exclusive=True, group="gallery")
    async def look(self) -> None:
        """Read what there is."""
        box = self.query_one(".box")
        projects = f"Public projects with {self.words}" if self.words else "Public projects"
        box.border_title = "Templates" if self.templates else projects
        takes = "makes a project from it" if self.templates else "mirrors it here"
        box.border_subtitle = f"{self.app.marks.enter} {takes}"
        if not self.found:
            self._show([], [row((" Asking the hub …", "faint"))])
        words = ("templates",) if self.templates else ("search", "--", self.words) if self.words else ("browse",)
        try:
            answer = await ask("projects", *words)
        except SoloUnicornError as error:
            self._show([], trouble(error))
            return
        found = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        nothing = row((" No template yet." if self.templates else " No public project is found.", "faint"))
        make = template_row if self.templates else project_row
        self._show(found, [make(one, self.app.marks) for one in found] or [nothing])

    def _show(self, found: list[JsonObject], rows: list[Row]) -> None:
        if self.is_gone:
            return
        self.found = found
        self.lines.set_rows(rows)
        self.refresh_bindings()

    @property
    def chosen(self) -> JsonObject | None:
        """What the cursor is on."""
        at = (self.lines.cursor or 0) if self.found else 0
        return self.found[at] if at < len(self.found) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Templates have no stars."""
        if action in OF_PROJECTS:
            return not self.templates and (action == "search" or self.chosen is not None)
        return True

    # -- actions -------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Type words."""
        entry = self.query_one("#words", Input)
        entry.display = True
        entry.focus()

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        self.words = event.value.strip()
        event.input.display = False
        self.lines.focus()
        self.look()

    def action_templates(self) -> None:
        """The other list."""
        self.templates, self.found = not self.templates, []
        self.look()

    def action_close(self) -> None:
        """Out of the words first, then out."""
        entry = self.query_one("#words", Input)
        if entry.display:
            entry.display = False
            self.lines.focus()
        else:
            self.dismiss(None)

    @work(group="gallery-edits")
    async def action_star(self, wanted: bool = True) -> None:
        """Star it, or take the star back."""
        one = self.chosen
        if (
            one is not None
            and await self._do("star", str(one["publicSlug"]), *(() if wanted else ("--off",))) is not None
        ):
            self.look()

    @work(group="gallery-edits")
    async def action_ask(self) -> None:
        """Ask for a role."""
        one = self.chosen
        if one is None:
            return
        line = await self.app.push_screen_wait(
            LineScreen(f"Ask to join {one['name']}", text="contributor", about=ROLES)
        )
        role, _, message = (line or "").partition(" ")
        if (
            role
            and await self._do("request-access", str(one["publicSlug"]), "--role", role, f"--message={message}")
            is not None
        ):
            self.app.tell(f"Its owners were asked whether you may be {role}")

    @on(Lines.Chosen)
    @work(group="gallery-edits")
    async def _take(self) -> None:
        """Mirror the project here, or make one from the template and mirror that."""
        one = self.chosen
        if one is None:
            return
        made: object = one["id"]
        if self.templates:
            name = await self.app.push_screen_wait(LineScreen("A project from the template", text=str(one["name"])))
            answer = await self._do("create-from-template", str(one["id"]), f"--name={name}") if name else None
            if not isinstance(answer, dict):
                return
            made = answer["id"]
        try:
            await ask("project", "connect", str(made))
        except SoloUnicornError as error:
            self.app.complain(error)
            return
        self.dismiss(str(made))

    async def _do(self, *words: str) -> object:
        """`projects …`; what it answered, or None once a refusal was told."""
        try:
            return await ask("projects", *words)
        except SoloUnicornError as error:
            self.app.complain(error)
            return None


def project_row(one: JsonObject, marks: Marks) -> Row:
    """A public project."""
    about = f"\n{one['description']}" if one.get("description") else ""
    category = f"  {one['category']}" if one.get("category") else ""
    stars = f"   {one.get('starCount') or 0} {'star' if one.get('starCount') == 1 else 'stars'}"
    return row((f" {one['name']}", "strong"), (f"{stars}{category}", "faint"), about, indent=3)


def template_row(one: JsonObject, marks: Marks) -> Row:
    """A template."""
    about = f"\n{one['description']}" if one.get("description") else ""
    return row((f" {one['name']}", "strong"), about, indent=3)
