"""What a person changes about a project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual import on, work

from ...missions.entities import USER, Actor, Flow, FlowStage, MemoryDocument, ProjectRepository
from ...missions.errors import InvalidValue, SoloUnicornError
from ...missions.memory import is_name
from ...missions.rules.permissions import PermissionRule
from ...workspace import operations, queries
from ..kit.fields import FieldList
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines
from ..kit.sheets.confirm import ConfirmScreen
from ..kit.sheets.editing import UNCHANGED, new_value
from ..kit.sheets.line import LineScreen
from ..kit.sheets.write import WriteScreen
from .fields import SANDBOX, change_of
from .live import LiveProject
from .members import ASKS, Members
from .panes import Flows, PartsPane, StageEditor, changed_stages

PARTS = ("repositories", "flows", "actors", "memory")


class ProjectScreen(LiveProject):
    """Every change is made at once; what is refused is said, and nothing is lost."""

    BINDINGS = [  # noqa: RUF012
        binding("project.new", "n", "new", "new", "Another repository, flow, actor or document"),
        binding("project.edit", "e", "edit", "edit", "Edit the document; rename the flow"),
        binding("project.delete", "d,delete", "delete", "delete", "Remove what is under the cursor"),
        binding("project.rename", "r", "rename", "rename", "Rename the document"),
        binding("project.move", "m", "move", "move section", "Move a section of the document to another one"),
        binding("project.copy", "c", "copy", "copy", "Copy the flow to your own flows"),
        binding("project.default", "D", "default", "make default", "Use this flow or actor for new missions"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits the tab."""
        if action == "new":
            return self.tab in PARTS or self._on_a_hub
        if action == "edit":
            return self.tab in ("memory", "flows")
        if action == "delete":
            return self.tab in (*PARTS, "permissions") or self._on_a_hub
        if action == "copy":
            return self.tab == "flows"
        if action in ("rename", "move"):
            return self.tab == "memory"
        return self.tab in ("flows", "actors") if action == "default" else True

    @property
    def _on_a_hub(self) -> bool:
        """Whether the members of a connected project are shown."""
        return self.tab == "members" and self.data is not None and self.data.project.hub is not None

    @property
    def chosen(self) -> object:
        """The part under the cursor of the open tab."""
        if self.tab == "permissions":
            lines = self.query_one("#rules", Lines)
            return lines.rows[lines.cursor or 0].key if lines.rows else None
        pane = next(iter(self.query(f"#{self.tab}")), None)
        return pane.chosen if isinstance(pane, PartsPane) else None

    # -- fields --------------------------------------------------------------------------------------------------

    @on(FieldList.Wanted)
    @work(group="edits")
    async def _change(self, event: FieldList.Wanted) -> None:
        of = getattr(self.chosen, "id", self.ref) if self.tab != "settings" else self.ref
        value = await new_value(self, event.field, event.value, of=of)  # type: ignore[arg-type]
        if value is UNCHANGED or self.data is None:
            return
        match self.tab, self.chosen:
            case "settings", _ if event.field.name == SANDBOX:
                await self.app.write(operations.projects.set_sandbox, self.ref, str(value))
            case "settings", _:
                changes = change_of(self.data.project, event.field, value)
                await self.app.write(operations.projects.edit, self.ref, changes)
            case "repositories", ProjectRepository() as one if event.field.name == "folder":
                await self._ask("repo", "edit", one.id, f"--folder={value}")
            case "repositories", ProjectRepository() as one:
                await self.app.write(operations.parts.edit, ProjectRepository, one.id, {event.field.name: value})
            case "actors", Actor() as actor:
                await self.app.write(operations.parts.edit, Actor, actor.id, {event.field.name: value})
        self.reload()

    # -- parts ---------------------------------------------------------------------------------------------------

    @work(group="edits")
    async def action_new(self) -> None:
        asked = {
            "repositories": ("New repository", "the path of a checkout, or an address to clone"),
            "flows": ("New flow", "its name; it starts as a copy of the one under the cursor"),
            "actors": ("New actor", "its name"),
            "memory": ("New document", "its name: lower-case letters, digits and -"),
            "members": ("Give a person a role", "their e-mail, and contributor, collaborator, maintainer or owner"),
        }[self.tab]
        line = await self.app.push_screen_wait(LineScreen(asked[0], about=asked[1]))
        while line and self.tab == "memory" and not is_name(line):  # said before the document is written
            self.app.complain(
                InvalidValue("name", f"“{line}” is not a valid name", todo="lower-case letters, digits and -")
            )
            line = await self.app.push_screen_wait(LineScreen(asked[0], about=asked[1], text=line))
        if not line:
            return
        match self.tab:
            case "repositories":
                await self._add_repository(line)
            case "flows":
                await self._copy_flow(line)
            case "actors":
                await self.app.write(operations.projects.create_actor, self.ref, line)
            case "memory":
                await self._write(MemoryDocument(self.ref, line, "", 0, self.app.clock(), USER))
            case "members":
                email, _, role = line.partition(" ")
                await self.query_one(Members).change("add", email, "--role", role.strip() or "contributor")
        self.reload()

    async def _add_repository(self, line: str) -> None:
        self.app.tell("Adding the repository …")
        await self._ask("repo", "add", line, "--project", self.ref, seconds=600)

    async def _ask(self, *words: str, seconds: float = 60) -> None:
        """By the command line, which looks into the checkout."""
        try:
            await self.app.commands.ask(*words, seconds=seconds)
        except SoloUnicornError as error:
            self.app.complain(error)

    @work(group="edits")
    async def action_copy(self) -> None:
        """A flow of one's own."""
        flow = self.chosen
        if isinstance(flow, Flow):
            line = await self.app.push_screen_wait(LineScreen("Copy of the flow", text=f"My {flow.name}"))
            if line:
                await self._copy_flow(line)
                self.reload()

    async def _copy_flow(self, name: str) -> None:
        flow = self.chosen
        stages = flow.stage_sequence if isinstance(flow, Flow) else (FlowStage("code", True),)
        await self.app.write(operations.projects.create_flow, self.ref, name, stages)

    @work(group="edits")
    async def action_edit(self) -> None:
        """The document, or the flow's name."""
        match self.chosen:
            case MemoryDocument() as one:
                await self._write(one)
            case Flow() as flow:
                line = await self.app.push_screen_wait(LineScreen("Name of the flow", text=flow.name))
                if line:
                    await self.app.write(operations.projects.describe_flow, flow.id, name=line)
        self.reload()

    async def _write(self, one: MemoryDocument) -> None:
        """Edit a document; when it changed meanwhile, what stands there now is shown below what was written."""
        version = one.version

        async def keep(written: str) -> object:
            nonlocal version
            if written == one.text.strip():
                return one
            done = await self.app.write(operations.memory.replace, self.ref, one.name, written + "\n", version)
            if done is not None:
                self.app.tell(f"{done.name} is at version {done.version}")
                return done
            now = next((other for other in await self._documents() if other.name == one.name), None)
            if (now.version if now else 0) != version:
                theirs = f"\n\n<!-- what stands there now, version {now.version}: -->\n\n{now.text}" if now else ""
                sheet.area.text, version = written + theirs, now.version if now else 0
            return None

        sheet = WriteScreen(
            f"Memory: {one.name}",
            draft=f"memory {self.ref} {one.name}",
            why=f"on version {version}" if version else "",
            text=one.text,
            button="Keep",
            use=keep,
        )
        await self.app.push_screen_wait(sheet)

    @work(group="edits")
    async def action_rename(self) -> None:
        one = self.chosen
        if isinstance(one, MemoryDocument):
            line = await self.app.push_screen_wait(LineScreen("Name of the document", text=one.name))
            if line and line != one.name:
                await self.app.write(operations.memory.rename, self.ref, one.name, line)
                self.reload()

    @work(group="edits")
    async def action_move(self) -> None:
        """A section to another document."""
        one = self.chosen
        if not isinstance(one, MemoryDocument):
            return
        about = "its heading, then > and the document it goes to"
        line = await self.app.push_screen_wait(LineScreen(f"Move a section of {one.name}", about=about))
        heading, _, to = (line or "").rpartition(">")
        if line and not heading.strip():
            self.app.tell("Write the heading, then > and the document: Rounding > money")
        elif line:
            await self.app.write(operations.memory.move, self.ref, one.name, heading.strip(), to.strip())
            self.reload()

    async def _documents(self) -> list[MemoryDocument]:
        return await self.app.read(queries.memory.list_all, self.ref) or []

    @work(group="edits")
    async def action_default(self) -> None:
        """New missions get it."""
        match self.chosen:
            case Flow() as flow:
                await self.app.write(operations.projects.edit, self.ref, {"default_flow_id": flow.id})
            case Actor() as actor:
                await self.app.write(operations.projects.edit, self.ref, {"default_actor_id": actor.id})
        self.reload()

    @work(group="edits")
    async def action_delete(self) -> None:
        """Remove it, after a question."""
        one = self.chosen
        if self.tab == "members":
            await self._part_from(self.query_one(Members))
            return
        match one:
            case ProjectRepository():
                question = f"Unlink {one.name}? Its files stay where they are."
            case Flow() | Actor():
                question = f"Delete {one.name}?"
            case PermissionRule():
                question = f"Ask again before {one.tool} {one.subject}?"
            case MemoryDocument():
                question = f"Delete {one.name}? Its versions stay: `solo-unicorn memory history {one.name}`."
            case _:
                return
        if not await self.app.push_screen_wait(ConfirmScreen(question, "Yes")):
            return
        match one:
            case ProjectRepository():
                await self.app.write(operations.parts.remove, ProjectRepository, one.id)
            case Flow():
                await self.app.write(operations.parts.remove, Flow, one.id)
            case Actor():
                await self.app.write(operations.parts.remove, Actor, one.id)
            case PermissionRule():
                await self.app.write(operations.inbox.forget_rule, one.id)
            case MemoryDocument():
                await self.app.write(operations.memory.delete, self.ref, one.name, None, one.version)
        self.reload()

    async def _part_from(self, pane: Members) -> None:
        """Take a member's role away, after a question."""
        one = pane.chosen
        if one is None or ASKS in one:
            return
        who = str(one.get("email") or one["userId"])
        if await self.app.push_screen_wait(ConfirmScreen(f"Remove the role of {who}?", "Yes")):
            await pane.change("remove", str(one["userId"]))

    # -- stages --------------------------------------------------------------------------------------------------

    @on(Lines.Chosen, "#flows-details")
    @work(group="edits")
    async def _prompt(self, event: Lines.Chosen) -> None:
        flow, at = self.chosen, event.index
        if not isinstance(flow, Flow):
            return
        stage = flow.stage_sequence[at]
        about = "{title}, {description}, {tasks} and the like are filled in; empty: the built-in prompt"
        sheet = WriteScreen(
            f"Prompt of {stage.stage}",
            draft=f"prompt {flow.id} {stage.stage}",
            why=about,
            text=stage.prompt or "",
            button="Keep",
            blank=True,
            use=lambda text: self._keep(flow, _with(flow, at, replace(stage, prompt=text or None)), at),
        )
        await self.app.push_screen_wait(sheet)

    @work(group="edits")
    async def action_stage(self, what: str) -> None:
        """Change the stages of the flow."""
        flow, pane = self.chosen, self.query_one("#flows", Flows)
        if not isinstance(flow, Flow):
            return
        at = pane.stage
        stage = flow.stage_sequence[at]
        if what in ("review", "up", "down", "remove"):
            stages, at = changed_stages(flow.stage_sequence, at, what)
            await self._keep(flow, stages, at)
            return
        heading, text = {
            "add": ("New stage", ""),
            "rename": ("Name of the stage", stage.stage),
            "describe": ("What the stage is for", stage.description),
            "model": ("Model to ask agents for at this stage", stage.model),
            "effort": ("Reasoning effort at this stage, in the agent's own terms", stage.effort),
        }[what]
        line = await self.app.push_screen_wait(LineScreen(heading, text=text))
        if line is None:
            return
        if what == "add":
            stages = (*flow.stage_sequence[: at + 1], FlowStage(line, True), *flow.stage_sequence[at + 1 :])
            await self._keep(flow, stages, at + 1)
        else:
            field = {"rename": "stage", "describe": "description"}.get(what, what)
            words: dict[str, Any] = {field: line}
            changed: FlowStage = replace(stage, **words)
            await self._keep(flow, _with(flow, at, changed), at)

    async def _keep(self, flow: Flow, stages: tuple[FlowStage, ...], at: int) -> Flow | None:
        kept = await self.app.write(operations.projects.set_stages, flow.id, stages)
        if kept is not None:
            self.query_one(StageEditor).cursor = at
        self.reload()
        return kept


def _with(flow: Flow, at: int, stage: FlowStage) -> tuple[FlowStage, ...]:
    return (*flow.stage_sequence[:at], stage, *flow.stage_sequence[at + 1 :])
