"""`usage`: what sessions used, by day, agent, mission or session."""

from __future__ import annotations

from ...missions.figures.usage import UsageFigures
from ...missions.wire import to_wire
from ...workspace.queries import usage
from ...workspace.workspace import utc_now
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, may_take_project


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "--by", choices=("day", "agent", "mission", "session"), default="day", help="what to group by (default day)"
    )
    may_take_project(parser)
    parser.add_argument("--days", type=int, default=30, metavar="N", help="the last N days (default 30)")


def _usage(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(usage.usage, options.by, project=options.project, days=options.days, now=utc_now())
    if output.as_json:
        output.text("", [to_wire(one) for one in found])
        return
    named = options.by in ("mission", "session")
    columns = (options.by.upper(), *(("TITLE",) if named else ()), "SESSIONS", "TIME", "TURNS", "IN", "OUT", "COST")
    output.table(columns, [_row(one, named) for one in found], (), empty="No sessions ran in these days.")


def _row(one: UsageFigures, named: bool) -> tuple[str, ...]:
    hours, minutes = divmod(round(one.minutes), 60)
    cost = "-" if one.cost_usd is None else f"${one.cost_usd:.2f}"
    counts = (one.turns, one.input_tokens, one.output_tokens)
    title = (one.title,) if named else ()
    return (one.key, *title, str(one.sessions), f"{hours}:{minutes:02}", *map(str, counts), cost)


COMMANDS = {"usage": Command(_arguments, _usage)}
