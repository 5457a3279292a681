"""`mission tour`: the order in which the agent proposes to read its change, with a reason for each stop."""

from __future__ import annotations

from ...missions.wire import to_wire
from ...workspace import queries
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import ref
from .comment import placed


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")


def _tour(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        stops = sorted((one for one in placed(opened, mission) if one.stop is not None), key=lambda one: one.stop or 0)
    output.table(
        ("STOP", "WHERE", "REASON"),
        [(str(one.stop), one.where, one.text) for one in stops],
        [to_wire(one) for one in stops],
        empty=f"The agent has not proposed a tour of {ref(mission)}.",
    )


COMMANDS = {"tour": Command(_arguments, _tour)}
