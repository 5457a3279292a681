"""What a hub has: public projects to star, to join and to mirror, one's own to mirror, templates to begin from; and the
invitations that wait for an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError
from ...missions.records import record
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines, Row, row, trouble
from ..kit.sheets.line import LineScreen

OF_PROJECTS: Final = ("star", "ask", "search")
ROLES: Final = "contributor, collaborator or maintainer; then a message to its owners, if you like"


class GalleryScreen(Sheet[str | None]):
    """Gives the id of a project that is mirrored here from now on."""

    CSS_PATH = "gallery.tcss"
    BINDING_GROUP_TITLE = "Gallery"
    BINDINGS = [  # noqa: RUF012
        binding("gallery.search", "slash", "search", "search", "Search by words"),
        binding("gallery.star", "s", "star", "star", "Star the project; S removes the star"),
        binding("gallery.unstar", "S", "star(False)", "remove star", "Remove your star", show=False),
        binding("gallery.ask", "r", "ask", "ask to join", "Ask its owners for a role"),
        binding("gallery.mine", "m", "view('mine')", "mine", "Show only your own projects at the hub, or all of them"),
        binding("gallery.templates", "t", "view('templates')", "templates", "Show templates, or projects"),
        binding("gallery.sign_in", "i", "sign_in", "sign in", "Sign in at a hub"),
        binding("gallery.invitations", "v", "view('invitations')", "invitations", "Show your invitations, or projects"),
        binding("gallery.decline", "x", "decline", "decline", "Decline the invitation"),
        binding("gallery.close", "escape,q", "close", "projects", "Leave the search, then the screen"),
    ]
    app = getters.app(Application)
    lines = getters.query_one(Lines)

    def __init__(self) -> None:
        super().__init__(classes="sheet")
        self.found: list[JsonObject] = []
        self.view: ViewName = "public"
        self.words = ""

    def compose(self) -> ComposeResult:
        """A list and a line for words."""
        with Vertical(classes="box") as box:
            box.border_title = "Public projects"
            yield Lines(self.app.marks, cursor=True)
            yield Input(placeholder="type words, then enter", id="words", max_length=200)
        yield KeyLine(self.app.marks)

    def on_mount(self) -> None:
        self.query_one("#words").display = False
        self.lines.focus()
        self.look()

    @work(exclusive=True, group="gallery")
    async def look(self) -> None:
        """Read what there is."""
        if self.is_gone:
            return
        box = self.query_one(".box")
        view = VIEWS[self.view]
        words = self.words if self.view == "public" else ""
        box.border_title = f"{view.title} with {words}" if words else view.title
        box.border_subtitle = f"{self.app.marks.enter} {view.takes}"
        if not self.found:
            self._show([], [row((" Asking the hub …", "faint"))])
        try:
            answer = await self.app.commands.ask(*(("projects", "search", "--", words) if words else view.command))
        except SoloUnicornError as error:
            self._show([], trouble(error))
            return
        found = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        self._show(found, [view.row(one) for one in found] or [row((f" {view.nothing}", "faint"))])

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
        """Only public projects have stars, and others to ask."""
        if action in OF_PROJECTS:
            return self.view == "public" and (action == "search" or self.chosen is not None)
        if action == "decline":
            return self.view == "invitations" and self.chosen is not None
        return True

    # -- actions -------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        entry = self.query_one("#words", Input)
        entry.display = True
        entry.focus()

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        self.words = event.value.strip()
        event.input.display = False
        self.lines.focus()
        self.look()

    def action_view(self, view: ViewName) -> None:
        """Another list, or back to what is public."""
        self.view, self.found = "public" if self.view == view else view, []
        self.look()

    @work(group="gallery-edits")
    async def action_sign_in(self) -> None:
        """Sign in, then ask again."""
        from .sign_in import SignInScreen

        if await self.app.push_screen_wait(SignInScreen()):
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
            self.app.tell(f"Asked its owners to make you {role}")

    @work(group="gallery-edits")
    async def action_decline(self) -> None:
        """The organization sees it."""
        one = self.chosen
        if one is not None:
            await self._answer("decline", one)

    async def _answer(self, verb: str, one: JsonObject) -> None:
        """Accept or decline an invitation, then ask again."""
        try:
            await self.app.commands.ask("invitation", verb, str(one["id"]))
        except SoloUnicornError as error:
            self.app.complain(error)
        else:
            self.app.tell(
                f"You are {one['role']} of {one['organization']}" if verb == "accept" else "You have declined"
            )
        self.found = []
        self.look()

    async def _join(self, one: JsonObject) -> None:
        from ..kit.sheets.confirm import ConfirmScreen

        asked = f"Join {one['organization']} as {one['role']}? {one['invitedBy'] or 'An organization key'} invites you."
        if await self.app.push_screen_wait(ConfirmScreen(asked, "Join")):
            await self._answer("accept", one)

    @on(Lines.Chosen)
    @work(group="gallery-edits")
    async def _take(self) -> None:
        """Mirror the project here, or make one from the template and mirror that; accept an invitation."""
        one = self.chosen
        if one is None:
            return
        if self.view == "invitations":
            await self._join(one)
            return
        made: object = one["id"]
        if self.view == "templates":
            name = await self.app.push_screen_wait(LineScreen("A project from the template", text=str(one["name"])))
            answer = await self._do("create-from-template", str(one["id"]), f"--name={name}") if name else None
            if not isinstance(answer, dict):
                return
            made = answer["id"]
        try:
            await self.app.commands.ask("project", "connect", str(made))
        except SoloUnicornError as error:
            self.app.complain(error)
            return
        self.dismiss(str(made))

    async def _do(self, *words: str) -> object:
        """`projects …`; what it answered, or None once a refusal was told."""
        try:
            return await self.app.commands.ask("projects", *words)
        except SoloUnicornError as error:
            self.app.complain(error)
            return None


def project_row(one: JsonObject) -> Row:
    about = f"\n{one['description']}" if one.get("description") else ""
    category = f"  {one['category']}" if one.get("category") else ""
    stars = f"   {one.get('starCount') or 0} {'star' if one.get('starCount') == 1 else 'stars'}"
    return row((f" {one['name']}", "strong"), (f"{stars}{category}", "faint"), about, indent=3)


def own_row(one: JsonObject) -> Row:
    """A project in which the person has a role, or a template."""
    about = f"\n{one['description']}" if one.get("description") else ""
    return row((f" {one['name']}", "strong"), (f"   {one.get('visibility') or ''}", "faint"), about, indent=3)


def invitation_row(one: JsonObject) -> Row:
    """Into which organization, as what, by whom and until when."""
    by = f"   from {one['invitedBy']}" if one.get("invitedBy") else ""
    until = f", valid until {str(one['expiresAt'])[:10]}"
    return row((f" {one['organization']}", "strong"), f"   as {one['role']}", (f"{by}{until}", "faint"), indent=3)


ViewName = Literal["public", "mine", "templates", "invitations"]


@record
class GalleryList:
    """One of the lists that the gallery shows."""

    title: str
    command: tuple[str, ...]
    takes: str
    nothing: str
    row: Callable[[JsonObject], Row]


MIRRORS: Final = "mirrors it here"
VIEWS: Final[dict[ViewName, GalleryList]] = {
    "public": GalleryList(
        "Public projects", ("projects", "browse"), MIRRORS, "No public project matches. m shows your own.", project_row
    ),
    "mine": GalleryList("Your projects", ("project", "connect"), MIRRORS, "You have no role in any project.", own_row),
    "templates": GalleryList(
        "Templates", ("projects", "templates"), "creates a project from it", "There are no templates yet.", own_row
    ),
    "invitations": GalleryList(
        "Invitations", ("invitation", "list"), "accepts it", "There are no invitations for you.", invitation_row
    ),
}
