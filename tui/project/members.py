"""Who takes part in a project: its members, and who asks to become one, as the hub tells it."""

from __future__ import annotations

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from ...missions.entities import JsonObject, Project
from ...missions.errors import SoloUnicornError
from ..hub import commands as hub_data
from ..kit.application import Application
from ..kit.keyboard.keys import binding
from ..kit.leaving import is_gone
from ..kit.lines import Lines, Row, row, trouble
from ..kit.marks import Marks
from .data import ProjectData

ASKS = "message"
"""A request has it, a member has not."""


class Members(Vertical):
    """A local project has nobody else; of a connected one the hub is asked once, and after each change."""

    BINDING_GROUP_TITLE = "Members"
    BINDINGS = [  # noqa: RUF012
        binding("members.approve", "a", "decide('approve')", "grant", "Grant the requested role"),
        binding("members.reject", "x", "decide('reject')", "refuse", "Refuse the requested role"),
        binding("members.invite", "i", "invite", "invite", "Invite a person into the organization of this project"),
        binding("members.look", "R", "look", "reload", "Reload from the hub"),
        binding(
            "members.publish", "p", "publish", "publish", "Publish this project on a hub, to work on it with others"
        ),
    ]

    app = getters.app(Application)

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="members")
        self.marks = marks
        self.project: Project | None = None
        self.people: list[JsonObject] | None = None

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, cursor=True, id="people")

    async def show(self, data: ProjectData, now: object) -> None:
        before, self.project = self.project, data.project
        if data.project.hub is None:
            self._rows(local_rows(data.project))
        elif self.people is None or before is None or before.hub is None:
            self.action_look()

    @property
    def chosen(self) -> JsonObject | None:
        """The member or the request under the cursor."""
        at = self.query_one(Lines).cursor or 0
        return self.people[at] if self.people and at < len(self.people) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        if action == "decide":
            return self.chosen is not None and ASKS in self.chosen
        if action in ("look", "invite", "publish") and self.project is not None:
            return (self.project.hub is None) == (action == "publish")
        return action not in ("look", "invite")

    @on(Lines.CursorMoved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @work(exclusive=True, group="members")
    async def action_look(self) -> None:
        project = self.project
        if project is None:
            return
        if self.people is None:
            self._rows([row((f" Asking {project.hub} …", "faint"))])
        try:
            found = await self.app.commands.ask("member", "list", "-p", project.id)
        except SoloUnicornError as error:
            self.people = None
            self._rows(trouble(error))
            return
        self.people = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        self._rows([person_row(one, self.marks) for one in self.people] or [row((" Nobody has a role here.", "faint"))])

    @work(group="edits")
    async def action_decide(self, verb: str) -> None:
        """Answer the request under the cursor."""
        one = self.chosen
        if one is not None:
            await self.change(verb, str(one["id"]))

    @work(group="edits")
    async def action_invite(self) -> None:
        """Who accepts can be given a role; the link is shown once."""
        from ..kit.sheets.line import LineScreen

        project = self.project
        if project is None:
            return
        email = await self.app.push_screen_wait(LineScreen("Invite a person", about="their e-mail"))
        if not email:
            return
        try:
            into = ("--organization", project.organization_id) if project.organization_id != "local" else ()
            made = await self.app.commands.ask("organization", "invite", email, *into)
        except SoloUnicornError as error:
            self.app.complain(error)
            return
        if isinstance(made, dict):
            self._rows(invited_rows(made))

    @work(group="edits")
    async def action_publish(self) -> None:
        """To a hub, with a sign-in first when there is none."""
        from ..hub.sign_in import SignInScreen
        from ..kit.sheets.confirm import ConfirmScreen

        project = self.project
        if project is None:
            return
        known = await self.app.perform(hub_data.signed_in)
        hub = known or await self.app.push_screen_wait(SignInScreen())
        if not hub or not await self.app.push_screen_wait(
            ConfirmScreen(f"Publish {project.name} on {hub}? It stays here too, and both are kept in sync.", "Publish")
        ):
            return
        self._rows([row((f" Publishing {project.name} on {hub} …", "faint"))])
        try:
            await hub_data.publish(self.app.commands, project)
        except SoloUnicornError as error:
            self._rows(trouble(error))

    async def change(self, *words: str) -> None:
        """`member …` at the hub, then ask it again."""
        if self.project is None:
            return
        try:
            await self.app.commands.ask("member", *words, "-p", self.project.id)
        except SoloUnicornError as error:
            self.app.complain(error)
        self.action_look()

    def _rows(self, rows: list[Row]) -> None:
        if not is_gone(self):
            self.query_one(Lines).set_rows(rows)
            self.refresh_bindings()


def person_row(one: JsonObject, marks: Marks) -> Row:
    """A member, or a request for a role."""
    who = str(one.get("email") or one.get("userId"))
    if ASKS in one:
        said = f"   {one[ASKS]}" if one[ASKS] else ""
        return row(
            (f" {marks.waits} ", "wait"), (who, "strong"), f"  asks to be {one['role']}", (said, "faint"), indent=3
        )
    return row(f"   {who:<32}  ", (f"{one['role']:<13}", "strong"), (str(one.get("name") or ""), "faint"), indent=3)


def invited_rows(made: JsonObject) -> list[Row]:
    """The link of an invitation, and what happens with it."""
    return [
        row((f" {made['email']}", "strong"), f" is invited into {made['organization']}. Send them this link:"),
        row(""),
        row((f"   {made['link']}", "key"), indent=3),
        row(""),
        row((" It is valid for two weeks and shown once. They also find it in their gallery (v), and by", "faint")),
        row((" `solo-unicorn invitation list`. Once they have accepted, n gives them a role here.", "faint")),
        row((" R reloads.", "faint")),
    ]


def local_rows(project: Project) -> list[Row]:
    """Nobody else, and how that changes."""
    return [
        row(" This project is on this machine only: you are its owner and its only member."),
        row(""),
        row((" p publishes it on a hub, to work on it with others. As commands:", "faint"), indent=1),
        row(("   solo-unicorn auth login --hub URL", "key")),
        row((f"   solo-unicorn project publish {project.slug}", "key")),
    ]
