"""`metrics`: how the work goes, by week and by agent; the figures that the Metrics screen plots."""

from __future__ import annotations

from ...missions.figures.metrics import AgentFigures, WeekFigures
from ...missions.wire import to_wire
from ...tui.kit.ages import duration
from ...workspace.queries import metrics
from ...workspace.workspace import utc_now
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, may_take_project


def _arguments(parser: Parser) -> None:
    may_take_project(parser)
    parser.add_argument("--weeks", type=int, default=12, metavar="N", help="the last N weeks (default 12)")
    parser.add_argument("--agents", action="store_true", help="compare agents instead of weeks")


def _metrics(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(metrics.metrics, options.project, weeks=options.weeks, now=utc_now())
    if output.as_json:
        output.text("", to_wire(found))
    elif options.agents:
        output.table(
            ("AGENT", "SESSIONS", "COMPLETED", "FAILED", "MISSIONS", "MEDIAN", "TOKENS", "COST"),
            [_agent(one) for one in found.agents],
            (),
            empty="No agents worked in these weeks.",
        )
    else:
        output.table(
            ("WEEK OF", "DONE", "CYCLE", "REVIEWS", "REVIEW", "REJECTED", "SESSIONS", "TOKENS", "COST"),
            [_week(one) for one in found.weeks],
            (),
        )


def _week(one: WeekFigures) -> tuple[str, ...]:
    return (
        one.start,
        str(one.done),
        _length(one.cycle_hours),
        str(one.reviews),
        _length(one.review_hours),
        str(one.rejected),
        str(one.sessions),
        str(one.tokens),
        f"${one.cost_usd:.2f}",
    )


def _agent(one: AgentFigures) -> tuple[str, ...]:
    cost = "-" if one.cost_usd is None else f"${one.cost_usd:.2f}"
    counts = (one.sessions, one.completed, one.failed, one.missions)
    return (one.name, *map(str, counts), duration(one.minutes / 60), str(one.tokens), cost)


def _length(hours: float | None) -> str:
    return "-" if hours is None else duration(hours)


COMMANDS = {"metrics": Command(_arguments, _metrics)}
