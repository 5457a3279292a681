"""The form of a mission: flow first, then what is to be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Checkbox, Input, Select, Static, TextArea

from ...missions.entities import ListName, LoopSchedule, Mission
from ...missions.ids import short_id
from ...missions.rules.creating import MissionDraft
from ..kit.application import Application
from ..kit.check import Check
from ..kit.drafts import DraftedSheet
from ..kit.editor import edit_in_editor
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines
from . import form_data
from .form_data import FormData, Overtaken, references
from .picker import MissionPicker
from .stages import FlowList, StageList


class MissionForm(DraftedSheet[str | None]):
    """Gives the id of the mission that was made or changed, None when the person went away."""

    CSS_PATH = "form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Form"
    BINDINGS = [  # noqa: RUF012
        binding("form.save", "ctrl+s", "save", "save", "Save the mission", priority=True),
        binding("form.editor", "ctrl+e", "editor", "editor", "Write the description in your own editor", priority=True),
        binding("form.cancel", "escape", "leave", "cancel", "Close without saving"),
    ]
    AUTO_FOCUS = "#title"
    app = getters.app(Application)

    def __init__(self, project_id: str, *, mission_id: str | None = None, in_list: ListName = "todo") -> None:
        super().__init__(f"mission {mission_id}" if mission_id else f"new mission {project_id} {in_list}")
        self.project_id, self.mission_id, self.in_list = project_id, mission_id, in_list
        self.data: FormData | None = None
        self._saving = False
        self._as_opened: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Labels at the left, fields at the right."""
        marks = self.app.marks
        with Vertical(classes="box") as box:
            box.border_title = "Change the mission" if self.mission_id else "New mission"
            with VerticalScroll(can_focus=False):
                yield _row("flow", FlowList(marks))
                yield _row("stages", StageList(marks))
                yield _row(
                    "title", Input(id="title", max_length=500, classes="wide", placeholder="what to do, in one line")
                )
                yield _row("description", TextArea(id="description", tab_behavior="focus", soft_wrap=True))
                yield _row(
                    "priority",
                    Input("3", id="priority", type="integer", max_length=1, restrict="[1-5]?"),
                    Static(" 1 to 5, 5 first  ", classes="hint"),
                    Check("ready", id="ready", compact=True),
                    Check("loop", id="is_loop", value=self.in_list == "loop", compact=True),
                    Input(id="per-day", type="integer", placeholder="runs/day", max_length=4, valid_empty=True),
                )
                yield _row("repository", Select[str]([], id="repository", prompt="none"))
                yield _row("agent", Select[str]([], id="agent", prompt="any"))
                yield _row(
                    "model",
                    Input(id="model", placeholder="the stage's, or the agent's own"),
                    Input(id="effort", placeholder="effort"),
                    Input(id="budget", type="number", placeholder="budget $", valid_empty=True),
                )
                yield _row("actor", Select[str]([], id="actor", prompt="none"))
                yield _row(
                    "lands on", Input(id="target", classes="wide", placeholder="the repository's default branch")
                )
                yield _row(
                    "its branch", Input(id="branch", classes="wide", placeholder="named by the repository's template")
                )
                yield _row("starts from", Input(id="start-from", classes="wide", placeholder="the branch it lands on"))
                yield _row("blocked by", MissionPicker(marks, id="blockers"))
                with Horizontal(id="buttons"):
                    yield Static("", classes="name")
                    yield Button("Save  (ctrl+s)", variant="primary", id="save", compact=True)
                    yield Button("Cancel  (esc)", id="cancel", compact=True)
        yield KeyLine(marks)

    @work
    async def on_mount(self) -> None:
        """Read the choices and fill the form."""
        data = await self.app.perform(form_data.read, self.project_id, self.mission_id)
        if data is None or self.is_gone:
            self.dismiss(None)
            return
        self.data = data
        mission = data.mission
        self.query_one(FlowList).offer(data.flows, data.default_flow)
        self._offer_stages()
        self._choices("#repository", [(one.name, one.id) for one in data.repositories])
        self._choices("#agent", [(one.title or one.name, one.name) for one in data.agents])
        self._choices("#actor", [(one.name, one.id) for one in data.actors])
        self.query_one(MissionPicker).offer(data.others)
        if mission is None:
            if len(data.repositories) == 1:
                self.query_one("#repository", Select).value = data.repositories[0].id
        else:
            self._fill(mission)
        self._as_opened = self._values()
        self.begin_draft()

    def _choices(self, selector: str, options: list[tuple[str, str]]) -> None:
        select = self.query_one(selector, Select)
        select.set_options(options)
        if select.parent is not None and not options:
            select.parent.display = False

    def _fill(self, mission: Mission) -> None:
        assert self.data is not None
        self.query_one("#title", Input).value = mission.title
        self.query_one("#description", TextArea).text = mission.description or ""
        self.query_one("#priority", Input).value = str(mission.priority)
        self.query_one("#ready", Checkbox).value = mission.ready
        self.query_one("#is_loop", Checkbox).value = mission.is_loop
        self.query_one("#target", Input).value = mission.target_branch
        self.query_one("#branch", Input).value = mission.work_branch
        self.query_one("#start-from", Input).value = mission.start_from
        self.query_one("#blockers", Input).value = self.data.blockers
        self.query_one("#model", Input).value = mission.agent_model
        self.query_one("#effort", Input).value = mission.agent_effort
        self.query_one("#budget", Input).value = f"{mission.agent_budget:g}" if mission.agent_budget else ""
        if mission.loop_schedule and mission.loop_schedule.max_per_day:
            self.query_one("#per-day", Input).value = str(mission.loop_schedule.max_per_day)
        agent = mission.code_agent_name or mission.code_agent_type
        for selector, value in (
            ("#repository", mission.project_repository_id),
            ("#actor", mission.actor_id),
            ("#agent", agent),
        ):
            select = self.query_one(selector, Select)
            if value in {option for _, option in select._options}:
                select.value = value

    @on(Lines.CursorMoved, "#flows")
    def _offer_stages(self) -> None:
        flows = self.query_one(FlowList)
        if self.data is None or not flows.flows:
            return
        mission = self.data.mission
        same = mission is not None and flows.flow.id == (mission.flow_id or self.data.default_flow)
        config, stage = (mission.flow_config, mission.stage) if mission and same else (None, None)
        self.query_one(StageList).offer(flows.flow, config, stage)

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()

    @on(Lines.Chosen, "#flows")
    def _to_title(self) -> None:
        self.query_one("#title").focus()

    # -- saving --------------------------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        """What the form says, by field of the mission."""
        stages = self.query_one(StageList)
        loop = self.query_one("#is_loop", Checkbox).value
        per_day = self.query_one("#per-day", Input).value
        agent = self._selected("#agent")
        kind = next((one.type for one in (self.data.agents if self.data else ()) if one.name == agent), None)
        return {
            "title": self.query_one("#title", Input).value.strip(),
            "description": self.query_one("#description", TextArea).text.strip() or None,
            "priority": int(self.query_one("#priority", Input).value or 3),
            "flow_id": self.query_one(FlowList).flow.id,
            "flow_config": stages.config,
            "stage": stages.begin,
            "project_repository_id": self._selected("#repository"),
            "target_branch": self.query_one("#target", Input).value.strip() or None,
            "work_branch": self.query_one("#branch", Input).value.strip() or None,
            "start_from": self.query_one("#start-from", Input).value.strip() or None,
            "code_agent_type": kind,
            "code_agent_name": agent,
            "agent_model": self.query_one("#model", Input).value.strip() or None,
            "agent_effort": self.query_one("#effort", Input).value.strip() or None,
            "agent_budget": float(self.query_one("#budget", Input).value or 0) or None,
            "actor_id": self._selected("#actor"),
            "ready": self.query_one("#ready", Checkbox).value,
            "is_loop": loop,
            "loop_schedule": LoopSchedule(max_per_day=int(per_day)) if loop and per_day else None,
        }

    def _selected(self, selector: str) -> str | None:
        value = self.query_one(selector, Select).value
        return value if isinstance(value, str) else None

    @work
    async def action_save(self) -> None:
        """Save; what is refused is said, and nothing that was written is lost."""
        if self.data is None or self._saving or self.is_gone:
            return
        self._saving = True
        try:
            saved = await self._save(self.data)
        finally:
            self._saving = False
        if saved is not None:
            self.forget_draft()
            self.dismiss(saved.id)

    async def _save(self, data: FormData) -> Mission | None:
        values = self._values()
        blockers = references(self.query_one("#blockers", Input).value)
        if data.mission is None:
            if self.in_list not in ("todo", "loop"):
                values["list"] = self.in_list
            return await self.app.perform(form_data.create, self.project_id, MissionDraft(**values), blockers)
        changes = {name: value for name, value in values.items() if value != self._as_opened[name]}
        if changes.get("stage", "") is None:
            del changes["stage"]
        saved = await self.app.perform(form_data.change, data.mission, changes, references(data.blockers), blockers)
        if isinstance(saved, Overtaken):
            self._say_overtaken(saved)
            return None
        return saved

    def _say_overtaken(self, by: Overtaken) -> None:
        """Others were quicker: say what stands there; saving once more is then done knowingly."""
        assert self.data is not None
        self.data = replace(self.data, mission=by.mission)
        now = "; ".join(f"{name.replace('_', ' ')}: {str(getattr(by.mission, name))[:200]}" for name in by.fields)
        title = f"{short_id(by.mission.number)} changed since you opened it"
        why = f"It says now: {now}. Save again to overwrite it."
        self.notify(why, title=title, severity="warning", timeout=12, markup=False)

    @work
    async def action_leave(self) -> None:
        """Away; what was written is not thrown away without a word."""
        from ..kit.sheets.confirm import ConfirmScreen

        if self.is_gone:
            return
        written = bool(self._as_opened) and self._values() != self._as_opened
        question = ConfirmScreen("Discard your text?", "Leave")
        if written and not await self.app.push_screen_wait(question):
            return
        self.forget_draft()
        self.dismiss(None)

    def action_editor(self) -> None:
        """The description in the person's own editor."""
        area = self.query_one("#description", TextArea)
        text = edit_in_editor(self.app, area.text, self.app.settings)
        if text is not None:
            area.text = text

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_leave()


def _row(name: str, *fields: Any) -> Horizontal:
    return Horizontal(Static(name, classes="name"), *fields, classes="row")
