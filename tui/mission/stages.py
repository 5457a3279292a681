"""Choosing a flow, then which of its stages run, which ask for a review, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from ...missions.entities import Flow, FlowConfig, StageConfig
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines, Row, row
from ..kit.marks import UNICODE, Marks


class FlowList(Lines):
    """One flow a line; the cursor's is the chosen one."""

    BINDING_GROUP_TITLE = "Flow"

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__(marks, cursor=True, id="flows")
        self.flows: Sequence[Flow] = ()

    def offer(self, flows: Sequence[Flow], chosen: str | None) -> None:
        """Show the flows with one of them chosen."""
        self.flows = flows
        self.set_reactive(Lines.cursor, next((at for at, flow in enumerate(flows) if flow.id == chosen), 0))
        self.styles.height = len(flows)
        self._show()

    @property
    def flow(self) -> Flow:
        return self.flows[self.cursor or 0]

    def _show(self) -> None:
        rows: list[Row] = []
        for at, flow in enumerate(self.flows):
            on = at == self.cursor
            names = f" {self.marks.more} ".join(stage.stage for stage in flow.stage_sequence)
            mark = (f" {self.marks.ready if on else self.marks.idle} ", "key" if on else "faint")
            rows.append(
                row(mark, (f"{flow.name:<11} ", "strong" if on else ""), (names, "faint"), key=flow.id, wrap=False)
            )
        self.set_rows(rows)

    def watch_cursor(self, before: int | None, after: int | None) -> None:
        self._show()
        super().watch_cursor(before, after)


class StageList(Lines):
    """The stages of the flow with what this mission changes about them."""

    BINDING_GROUP_TITLE = "Stages"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding("stages.skip", "space", "skip", "skip", "Skip this stage for this mission, or include it again"),
        binding("stages.review", "r", "review", "review", "Turn your review after this stage on or off"),
        binding("stages.begin", "b,enter", "begin", "start here", "Start the mission at this stage"),
    ]

    @dataclass
    class Changed(Message):
        """The person changed something."""

    def __init__(self, marks: Marks = UNICODE, *, here: str = "starts here") -> None:
        super().__init__(marks, cursor=True, id="stages")
        self.here = here
        self.flow: Flow | None = None
        self.begin: str | None = None
        self._enabled: dict[str, bool] = {}
        self._review: dict[str, bool] = {}

    def offer(self, flow: Flow, config: FlowConfig | None, begin: str | None) -> None:
        """Show a flow's stages."""
        changed = config.stages if config else {}
        same = self.flow is not None and self.flow.id == flow.id
        self.flow = flow
        self._enabled, self._review = {}, {}
        for stage in flow.stage_sequence:
            one = changed.get(stage.stage, StageConfig())
            self._enabled[stage.stage] = one.enabled is not False
            self._review[stage.stage] = stage.require_review if one.require_review is None else one.require_review
        self.begin = begin if begin in self._enabled else None
        self.set_reactive(Lines.cursor, min(self.cursor or 0, len(flow.stage_sequence) - 1) if same else 0)
        self.styles.height = len(flow.stage_sequence)
        self._show()

    @property
    def config(self) -> FlowConfig | None:
        """What differs from the flow; None when nothing does."""
        if self.flow is None:
            return None
        stages = {
            stage.stage: StageConfig(
                enabled=None if self._enabled[stage.stage] else False,
                require_review=None if (wish := self._review[stage.stage]) == stage.require_review else wish,
            )
            for stage in self.flow.stage_sequence
        }
        stages = {name: one for name, one in stages.items() if one != StageConfig()}
        return FlowConfig(stages) if stages else None

    def _show(self) -> None:
        if self.flow is None:
            return
        first = self.begin or next((name for name, on in self._enabled.items() if on), None)
        rows = []
        for stage in self.flow.stage_sequence:
            name = stage.stage
            on = self._enabled[name]
            review = "your review" if self._review[name] else "no review"
            start = f"  {self.here}" if name == first else ""
            rows.append(
                row(
                    (f" {self.marks.done if on else self.marks.separator} ", "good" if on else "faint"),
                    (f"{name:<11} ", "" if on else "faint"),
                    (review if on else "skipped", "faint"),
                    (start, "brand"),
                    key=name,
                    wrap=False,
                )
            )
        self.set_rows(rows)

    def _stage_under_cursor(self) -> str | None:
        at = self.cursor or 0
        return str(self.rows[at].key) if at < len(self.rows) else None

    def action_skip(self) -> None:
        """Skip or do the stage; one must be left."""
        name = self._stage_under_cursor()
        if name is None:
            return
        if self._enabled[name] and sum(self._enabled.values()) == 1:
            self.notify("At least one stage must remain.", severity="warning", timeout=3)
            return
        self._enabled[name] = not self._enabled[name]
        if self.begin == name:
            self.begin = None
        self._change()

    def action_review(self) -> None:
        name = self._stage_under_cursor()
        if name is not None:
            self._review[name] = not self._review[name]
            self._change()

    def action_begin(self) -> None:
        name = self._stage_under_cursor()
        if name is not None and self._enabled[name]:
            self.begin = name
            self._change()

    def _change(self) -> None:
        self._show()
        self.post_message(self.Changed())
