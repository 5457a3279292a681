"""How the work goes: plots by week, and the agents compared. The plotting library comes with the first plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.text import Text
from textual import getters, work
from textual.app import ComposeResult, RenderResult
from textual.color import Color
from textual.containers import Grid
from textual_plotext import PlotextPlot

from ...missions.entities import Project
from ...missions.figures.metrics import Metrics, WeekFigures
from ...missions.records import record
from ...workspace.queries import metrics
from ..kit.ages import count, duration
from ..kit.application import Application
from ..kit.keyboard.key_row import NARROW
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import PlaceScreen
from ..kit.lines import Lines, Row, row

WEEKS: Final = (12, 26, 52)
LEAST_PLOT: Final = (16, 6)
"""Cells below which a plot is not drawn."""
LABEL_ROOM: Final = 9
"""Cells for the name of a week: plotext leaves out some that touch, not the same ones each time."""
TICKS: Final = 3
"""Lines of a plot that are named beside it, the ground among them, at most one more."""


@record
class Figure:
    """What a plot is of: its title, a value as people say it, the steps that its lines may stand apart, and a sentence
    for weeks in which there is nothing.
    """

    title: str
    said: Callable[[float], str]
    steps: Sequence[float]
    nothing: str


def _dollars(value: float) -> str:
    return f"${value:.2f}" if value < 100 else f"${value:.0f}"


COUNTS: Final = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))
HOURS: Final = (*(minutes / 60 for minutes in (1, 5, 10, 20, 30)), 1, 2, 4, 8, 12, 24, 48, 96, 240, 480, 1200, 4800)
PLOTS: Final = {
    "done": Figure(
        "Missions done per week", lambda value: f"{value:.0f}", COUNTS, "No missions were done in these weeks."
    ),
    "cycle": Figure("From start to done, median", duration, HOURS, "No missions were done in these weeks."),
    "review": Figure("Waiting for your review, median", duration, HOURS, "Nothing waited for your review."),
    "cost": Figure("Cost per week", _dollars, tuple(step / 100 for step in COUNTS), "No agent reported a cost."),
}


def lines_for(most: float, steps: Sequence[float]) -> list[float]:
    """Where the named lines of a plot stand: from nothing to at least its highest value, a round step apart."""
    step = next((one for one in steps if most <= one * (TICKS - 1)), most / (TICKS - 1))
    return [step * place for place in range(TICKS)]


class Plot(PlotextPlot):
    """Bars over the Mondays; a week without a value has none.

    Set anew for each painting, since how many weeks can be named depends on the room. Plotext fails where there is
    none for a plot.
    """

    values: tuple[float | None, ...] = ()
    weeks: tuple[WeekFigures, ...] = ()

    def __init__(self, name: str, figure: Figure) -> None:
        super().__init__(id=name)
        self.figure = figure
        self.border_title = figure.title

    def show(self, values: list[float | None], weeks: tuple[WeekFigures, ...]) -> None:
        """Take the figures, one per week."""
        self.values, self.weeks = tuple(values), weeks
        known = [value for value in values if value]
        said = self.figure.said
        self.border_subtitle = f"last {said(known[-1])}, most {said(max(known))}" if known else ""
        self.refresh()

    def render(self) -> RenderResult:
        """The plot, a sentence where there is nothing, or nothing in a corner too small for it."""
        if not self.weeks or self.size.width < LEAST_PLOT[0] or self.size.height < LEAST_PLOT[1]:
            return Text("")
        if not any(self.values):
            return Text(f"\n {self.figure.nothing}", style="dim")
        self._set()
        return super().render()

    def _set(self) -> None:
        plot: Any = self.plt
        plot.clear_data()
        plot.clear_figure()
        bars = [(place, value) for place, value in enumerate(self.values) if value]
        named = lines_for(max(value for _, value in bars), self.figure.steps)
        plot.ylim(0, named[-1])
        plot.yticks(named, [self.figure.said(value) if value else "0" for value in named])
        colour = None if self.app.current_theme.ansi else Color.parse(self.app.current_theme.primary).rgb
        marker = "#" if self.app.has_class("-plain") else "sd"
        plot.bar([place for place, _ in bars], [value for _, value in bars], width=0.6, marker=marker, color=colour)
        step = max(len(self.weeks) // 6, -(-len(self.weeks) * LABEL_ROOM // self.size.width), 1)
        plot.xlim(-0.6, len(self.weeks) - 0.4)
        plot.xticks(list(range(0, len(self.weeks), step)), [week.start[5:] for week in self.weeks[::step]])


class MetricsScreen(PlaceScreen[None]):
    """Four plots and a table; read anew when something changes."""

    CSS_PATH = "metrics.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "Metrics"
    BINDINGS = [  # noqa: RUF012
        binding("metrics.back", "escape,q", "dismiss", "board", "Back to the board"),
        binding("metrics.weeks", "w", "weeks", "weeks", "Show 12, 26 or 52 weeks"),
        binding("metrics.project", "p", "project", "this project/all", "Count this project only, or all projects"),
    ]
    AUTO_FOCUS = "#agents"
    app = getters.app(Application)

    def __init__(self, project: Project | None) -> None:
        super().__init__()
        self.project = project
        self.only = project is not None
        self.weeks = WEEKS[0]
        self.metrics: Metrics | None = None

    def compose(self) -> ComposeResult:
        marks = self.app.marks
        yield Lines(marks, id="head")
        with Grid(id="plots"):
            for name, figure in PLOTS.items():
                yield Plot(name, figure)
        agents = Lines(marks, id="agents", empty="No agents worked in these weeks.")
        agents.border_title = "Agents"
        yield agents
        yield KeyLine(marks)

    def on_mount(self) -> None:
        """Read now and on news."""
        self.query_one("#head", Lines).can_focus = False
        self.app.workspace_changed.subscribe(self, lambda _: self.reload())
        self.reload()

    def on_resize(self) -> None:
        """Say less where there is less room."""
        if self.metrics is not None:
            self._show(self.metrics)

    @work(exclusive=True, group="metrics")
    async def reload(self) -> None:
        project = self.project.id if self.only and self.project else None
        found = await self.app.read(metrics.metrics, project, weeks=self.weeks, now=self.app.clock())
        if found is not None and not self.is_gone:
            self.metrics = found
            self._show(found)

    def _show(self, metrics: Metrics) -> None:
        whose = self.project.name if self.only and self.project else "all projects"
        done = sum(week.done for week in metrics.weeks)
        cost = sum(week.cost_usd for week in metrics.weeks)
        missions = "mission" if done == 1 else "missions"
        said = f"   {self.weeks} weeks   {done} {missions} done   {_dollars(cost)}"
        if self.size.width < NARROW:
            said = f"  {self.weeks} weeks  {done} done"
        self.query_one("#head", Lines).set_rows([row((" Metrics  ", "brand"), (whose, "strong"), (said, "faint"))])
        weeks = metrics.weeks
        self.query_one("#done", Plot).show([float(week.done) for week in weeks], weeks)
        self.query_one("#cycle", Plot).show([week.cycle_hours for week in weeks], weeks)
        self.query_one("#review", Plot).show([week.review_hours for week in weeks], weeks)
        self.query_one("#cost", Plot).show([week.cost_usd for week in weeks], weeks)
        self.query_one("#agents", Lines).set_rows(agent_rows(metrics, self.size.width))

    # -- actions -------------------------------------------------------------------------------------------------

    def action_weeks(self) -> None:
        """A longer time, then the shortest again."""
        self.weeks = WEEKS[(WEEKS.index(self.weeks) + 1) % len(WEEKS)]
        self.reload()

    def action_project(self) -> None:
        """This project, or all."""
        self.only = not self.only and self.project is not None
        self.reload()


def agent_rows(metrics: Metrics, width: int) -> list[Row]:
    """A table: each agent with how its sessions ended, how long they took, and what they cost."""
    wide = width >= 70
    name = 12 if wide else 9
    head = f" {'':<{name}}{'sessions':>9}{'done':>6}{'failed':>7}" + (
        f"{'missions':>10}{'median':>9}{'tokens':>8}{'cost':>9}" if wide else ""
    )
    rows = [row((head, "faint"), wrap=False)]
    for one in metrics.agents:
        share = f"{100 * one.completed / one.sessions:.0f} %" if one.sessions else ""
        cost = "-" if one.cost_usd is None else _dollars(one.cost_usd)
        more = f"{one.missions:>10}{duration(one.minutes / 60):>9}{count(one.tokens):>8}{cost:>9}" if wide else ""
        rows.append(
            row(
                (f" {one.name:<{name}}", "strong"),
                f"{one.sessions:>9}",
                (f"{share:>6}", "good"),
                (f"{one.failed:>7}", "bad" if one.failed else "faint"),
                more,
                wrap=False,
            )
        )
    return rows if metrics.agents else []
