"""The flow of a mission: which stages it does, which ask for a review, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from ...missions.entities import FlowConfig
from ..kit.lines import Lines, row
from ..kit.marks import Marks
from .data import MissionData
from .stages import StageList


class FlowPane(Vertical):
    """Every change is handed up at once; the mission comes back as the rules left it."""

    BINDING_GROUP_TITLE = "Flow"

    @dataclass
    class Wished(Message):
        """The person wants the flow so; `stage` None leaves the mission where it stands."""

        config: FlowConfig | None
        stage: str | None

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="flow")
        self.marks = marks
        self._stage: str | None = None

    def compose(self) -> ComposeResult:
        """The flow's name, its stages, what each is for."""
        yield Lines(self.marks, id="flow-name")
        yield StageList(self.marks, here="is here")
        yield Lines(self.marks, id="stage-words")

    def on_mount(self) -> None:
        """Only the stages take keys."""
        for lines in self.query(Lines):
            lines.can_focus = isinstance(lines, StageList)

    async def show(self, data: MissionData, now: datetime) -> None:
        flow, mission = data.flow, data.mission
        changed = len(mission.flow_config.stages) if mission.flow_config else 0
        note = f"  {changed} stages differ for this mission" if changed else ""
        self.query_one("#flow-name", Lines).set_rows(
            [row((f" {flow.name}", "strong"), (f"  {flow.description or ''}{note}", "faint"))]
        )
        self._stage = mission.stage
        self.query_one(StageList).offer(flow, mission.flow_config, mission.stage)
        words = [
            row((f" {stage.stage:<12} ", "strong"), (stage.description or "the built-in prompt", "faint"), indent=14)
            for stage in flow.stage_sequence
        ]
        keys = [
            row(""),
            row(
                (" space", "key"),
                (" includes or skips the stage   ", "faint"),
                ("r", "key"),
                (" turns your review on or off   ", "faint"),
                ("b", "key"),
                (" moves the mission to this stage   ", "faint"),
                ("e", "key"),
                (" chooses another flow", "faint"),
                indent=1,
            ),
        ]
        self.query_one("#stage-words", Lines).set_rows([row(""), *words, *keys])

    @on(StageList.Changed)
    def _changed(self, event: StageList.Changed) -> None:
        event.stop()
        stages = self.query_one(StageList)
        begin = stages.begin if stages.begin != self._stage else None
        self.post_message(self.Wished(stages.config, begin))
