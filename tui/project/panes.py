"""The parts of the project screen: settings; repositories and actors; flows; memory; permissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from ...missions.entities import Actor, Flow, FlowStage, MemoryDocument, ProjectRepository
from ..kit.ages import ago
from ..kit.document import Document
from ..kit.fields import FieldList
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines, Row, row
from ..kit.marks import Marks
from .data import ProjectData
from .fields import ACTOR, REPOSITORY, SANDBOX, project_fields, values_of

Part = ProjectRepository | Actor | Flow | MemoryDocument


class SettingsPane(Vertical):
    """Every field of the project."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="settings")
        self.marks = marks

    def compose(self) -> ComposeResult:
        yield FieldList(self.marks, id="project-fields")

    async def show(self, data: ProjectData, now: datetime) -> None:
        fields = project_fields(data.flows, data.actors)
        self.query_one(FieldList).offer(fields, values_of(data.project, fields) | {SANDBOX: data.sandbox or "off"})


class PartsPane(Horizontal):
    """A list of parts at the left, what there is of the chosen one at the right."""

    EMPTY = ""

    def __init__(self, marks: Marks, name: str) -> None:
        super().__init__(id=name)
        self.marks = marks
        self.parts: Sequence[Part] = ()
        self.data: ProjectData | None = None

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, cursor=True, id=f"{self.id}-list", empty=self.EMPTY)
        yield self.details()

    def details(self) -> Lines | Document:
        """What stands at the right."""
        return FieldList(self.marks, id=f"{self.id}-details")

    @property
    def list(self) -> Lines:
        """The list at the left."""
        return self.query_one(f"#{self.id}-list", Lines)

    @property
    def chosen(self) -> Part | None:
        """The part under the cursor."""
        at = self.list.cursor or 0
        return self.parts[at] if at < len(self.parts) else None

    async def fill(self, parts: Sequence[Part], rows: Sequence[Row]) -> None:
        """Show these parts; the cursor stays."""
        self.parts = parts
        self.list.set_rows(rows)
        await self.show_details()

    async def show_details(self) -> None:
        """Show what there is of the chosen one."""

    @on(Lines.CursorMoved)
    async def _moved(self, event: Lines.CursorMoved) -> None:
        if event.lines is self.list:
            event.stop()
            await self.show_details()
            self.refresh_bindings()

    @on(Lines.Chosen)
    def _into(self, event: Lines.Chosen) -> None:
        if event.lines is self.list:
            event.stop()
            self.query_one(f"#{self.id}-details").focus()


class Repositories(PartsPane):
    """The repositories of the project."""

    EMPTY = "No repository yet. n links a checkout, or clones an address."

    async def show(self, data: ProjectData, now: datetime) -> None:
        rows = [row((f" {one.name}", "strong"), (f"  {one.default_branch}", "faint")) for one in data.repositories]
        await self.fill(data.repositories, rows)

    async def show_details(self) -> None:
        one = self.chosen
        if isinstance(one, ProjectRepository):
            self.query_one(FieldList).offer(REPOSITORY, values_of(one, REPOSITORY))
        else:
            self.query_one(FieldList).offer((), {})


class Actors(PartsPane):
    """The personas."""

    EMPTY = "No actor yet. n creates one: a reviewer, a tester, a careful architect."

    async def show(self, data: ProjectData, now: datetime) -> None:
        default = data.project.default_actor_id
        rows = [
            row((f" {one.name}", "strong"), ("  default" if one.id == default else "", "faint")) for one in data.actors
        ]
        await self.fill(data.actors, rows)

    async def show_details(self) -> None:
        one = self.chosen
        self.query_one(FieldList).offer(
            ACTOR if isinstance(one, Actor) else (), values_of(one, ACTOR) if isinstance(one, Actor) else {}
        )


class StageEditor(Lines):
    """The stages of a flow."""

    BINDING_GROUP_TITLE = "Stages"
    BINDINGS = [  # noqa: RUF012
        binding("flow.prompt", "enter", "choose", "prompt", "Write the prompt of this stage", label="⏎"),
        binding("flow.review", "space", "screen.stage('review')", "review", "Turn the review after it on or off"),
        binding("flow.rename_stage", "r", "screen.stage('rename')", "rename", "Rename the stage"),
        binding("flow.describe", "t", "screen.stage('describe')", "describe", "Say what the stage is for"),
        binding("flow.model", "m", "screen.stage('model')", "model", "Choose a model for this stage"),
        binding("flow.effort", "e", "screen.stage('effort')", "effort", "Choose a reasoning effort for this stage"),
        binding("flow.stage_up", "K,shift+up", "screen.stage('up')", "up", "Move this stage up"),
        binding("flow.stage_down", "J,shift+down", "screen.stage('down')", "down", "Move this stage down"),
        binding("flow.add_stage", "plus,a", "screen.stage('add')", "add", "Add a stage after this one", label="+"),
        binding("flow.remove_stage", "minus,x", "screen.stage('remove')", "remove", "Remove this stage", label="-"),
    ]


class Flows(PartsPane):
    """The flows; Enter on a stage edits its prompt."""

    EMPTY = "No flows."

    def details(self) -> Lines:
        return StageEditor(self.marks, cursor=True, id=f"{self.id}-details")

    async def show(self, data: ProjectData, now: datetime) -> None:
        default = data.project.default_flow_id
        rows = []
        for flow in data.flows:
            notes = [word for word, on in (("default", flow.id == default), ("system", flow.is_system)) if on]
            used = f"{flow.missions_using_count} missions" if flow.missions_using_count else ""
            rows.append(row((f" {flow.name}", "strong"), (f"  {', '.join([*notes, used]).strip(', ')}", "faint")))
        await self.fill(data.flows, rows)

    async def show_details(self) -> None:
        flow = self.chosen
        if not isinstance(flow, Flow):
            return
        stages = self.query_one(StageEditor)
        rows = [
            row(
                (f" {number}  ", "faint"),
                (f"{stage.stage:<14} ", "strong"),
                (f"{'your' if stage.require_review else 'no  '} review   ", "" if stage.require_review else "faint"),
                ("own prompt   " if stage.prompt else "", "run"),
                (
                    f"{' '.join(filter(None, (stage.model, stage.effort)))}   " if stage.model or stage.effort else "",
                    "run",
                ),
                (stage.description, "faint"),
                key=number - 1,
                indent=4,
            )
            for number, stage in enumerate(flow.stage_sequence, 1)
        ]
        stages.set_rows(rows)
        stages.border_title = flow.name
        stages.border_subtitle = (
            "a system flow: c copies it to your own flows" if flow.is_system else (flow.description or "")
        )

    @property
    def stage(self) -> int:
        """The place of the stage under the cursor."""
        return self.query_one(StageEditor).cursor or 0


def changed_stages(stages: tuple[FlowStage, ...], at: int, what: str) -> tuple[tuple[FlowStage, ...], int]:
    """Stages after `review`, `up`, `down` or `remove` of one, and where the cursor goes."""
    found = list(stages)
    if what == "review":
        found[at] = replace(found[at], require_review=not found[at].require_review)
    elif what == "remove":
        del found[at]
        at = min(at, len(found) - 1)
    else:
        other = max(0, min(at + (-1 if what == "up" else 1), len(found) - 1))
        found[at], found[other] = found[other], found[at]
        at = other
    return tuple(found), at


class MemoryPane(PartsPane):
    """The documents of the project memory."""

    EMPTY = "No documents yet. n creates one; agents read and write them too."

    def details(self) -> Document:
        return Document(id=f"{self.id}-details")

    async def show(self, data: ProjectData, now: datetime) -> None:
        self.data = data
        rows = [
            row(
                (f" {one.name}", "strong"),
                (
                    f"  version {one.version}, {ago(one.updated_at, now)} by "
                    f"{one.updated_by.name or {'user': 'you'}.get(one.updated_by.kind, one.updated_by.kind)}",
                    "faint",
                ),
                indent=3,
            )
            for one in data.memory
        ]
        await self.fill(data.memory, rows)

    async def show_details(self) -> None:
        one = self.chosen
        await self.query_one(Document).show(one.text if isinstance(one, MemoryDocument) else "")


class PermissionsPane(Vertical):
    """What agents may do without asking."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="permissions")
        self.marks = marks

    def compose(self) -> ComposeResult:
        yield Lines(
            self.marks,
            cursor=True,
            id="rules",
            empty="No rules: agents ask you each time. Y in the inbox always allows a request.",
        )

    async def show(self, data: ProjectData, now: datetime) -> None:
        self.query_one(Lines).set_rows(
            [
                row(
                    (f" {one.tool:<12}", "strong"),
                    one.subject or "with anything",
                    (f"   {ago(one.made_at, now)}", "faint"),
                    key=one,
                    indent=13,
                )
                for one in data.rules
            ]
        )
