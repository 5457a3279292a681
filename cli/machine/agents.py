"""`agent scan|list|add|set`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from ...agents.sandbox.levels import LEVELS
from ...missions.entities import SYSTEM, CodeAgent, HoldKind
from ...missions.errors import Conflict, InvalidValue, NotFound, UsageError
from ...missions.holds import sentence
from ...missions.naming import choices, nearest
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ..opening import agents_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, nothing
from ..shapes import at
from . import agents_over_acp

HEADER = ("AGENT", "STATE", "SLOTS", "SANDBOX", "VERSION", "DETAIL")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _scan_arguments(parser: Parser) -> None:
    parser.add_argument("names", nargs="*", metavar="AGENT", help="check only these; fail if one is not ready")


def _scan(options: Options) -> int | None:
    from ...agents.detection import scan
    from ...config.loading import load

    output = Output(options)
    settings = load()
    with output.progress("asking each agent for its version and sign-in"):
        found = scan(settings)
    with workspace() as opened:
        opened.write_as(SYSTEM, operations.workstation.set_agents, found)
        found = opened.read(queries.workstation.agents)
    unknown = [name for name in options.names if name not in {agent.name for agent in found}]
    if unknown:
        raise _no_agent(unknown[0], found)
    chosen = [agent for agent in found if not options.names or agent.name in options.names]
    _print(output, chosen)
    if not options.names:
        if not any(agent.state == "ready" and agent.type != "rehearsal" for agent in found):
            output.note(
                "No code agent is ready except the rehearsal agent, which uses no "
                "model; `solo-unicorn demo` shows it at work."
            )
        return None
    not_ready = next((agent for agent in chosen if agent.state != "ready"), None)
    if not_ready is not None:
        raise NotFound(
            f"The agent {not_ready.name} is {not_ready.state.replace('_', ' ')}",
            todo=not_ready.detail or "see `agent list`",
        )
    return None


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = agents_of(opened, output)
    _print(output, found)


def _print(output: Output, agents: list[CodeAgent]) -> None:
    output.table(
        HEADER,
        [
            (one.name, _state(one), str(one.slots), one.sandbox or "-", one.agent_version or "-", _detail(one))
            for one in agents
        ],
        [to_wire(one) for one in agents],
    )


def _state(agent: CodeAgent) -> str:
    if not agent.enabled:
        return "disabled"
    if agent.state == "ready" and agent.hold is not None:
        return _HELD[agent.hold.kind]
    return agent.state.replace("_", " ")


def _detail(agent: CodeAgent) -> str:
    if agent.state == "ready" and agent.hold is not None:
        until = f"until {at(agent.hold.until)}: " if agent.hold.until else ""
        return f"{until}{sentence(agent)}"
    return agent.detail or agent.binary or ""


_HELD: dict[HoldKind, str] = {
    "limit": "limited",
    "requests": "slowed down",
    "service": "unavailable",
    "credit": "no credit",
    "sign_in": "signed out",
}


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="its name here, such as claude-work")
    parser.add_argument("--type", help="its entry in the catalogue; default: its name")
    parser.add_argument("--acp", metavar="COMMAND", help="the command line of any agent that speaks ACP")
    parser.add_argument(
        "--registry", metavar="SOURCE", help="an ACP agent.json or registry.json, its address, or an id to fetch"
    )
    parser.add_argument("--command", metavar="PATH", help="the program to start; default: the one that was found")
    parser.add_argument("--slots", type=int, help="the number of its sessions that may run at once")
    parser.add_argument("--model", help="the model to ask it for")
    parser.add_argument("--effort", help="its reasoning effort, in the agent's own terms")
    parser.add_argument("--fallback-model", help="its model while the first one is overloaded")
    parser.add_argument("--permission-mode", help="its permission mode, in the agent's own terms (plan, default …)")
    parser.add_argument("--budget", type=float, metavar="USD", help="the most that one session may cost")
    parser.add_argument("--arguments", metavar="WORDS", help="more arguments for its program, quoted as for a shell")
    parser.add_argument("--environment", metavar="WORDS", help="more environment variables, as NAME=value")
    _sandbox_arguments(parser)
    parser.add_argument("--replace", action="store_true", help="replace it if it exists")


def _sandbox_arguments(parser: Parser) -> None:
    parser.add_argument("--sandbox", choices=LEVELS, help="what it may reach on this machine (docs/agents.md)")
    parser.add_argument("--sandbox-allow", metavar="WORDS", help="paths that stay open in its sandbox")


def _set_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="AGENT")
    _sandbox_arguments(parser)
    parser.add_argument("--slots", type=int, help="the number of its sessions that may run at once")
    parser.add_argument("--model", help="the model to ask it for")
    parser.add_argument("--enabled", choices=("on", "off"), help="whether missions may be given to it")


def _set(options: Options) -> None:
    from ...agents.catalogue import load as known
    from ...config.loading import load
    from ...config.paths import agents_dir

    if options.name not in {*known(own=agents_dir()), *load().agents}:
        with workspace() as opened:
            raise _no_agent(options.name, opened.read(queries.workstation.agents))
    chosen = {
        "sandbox": options.sandbox,
        "sandbox_allow": options.sandbox_allow,
        "slots": options.slots,
        "model": options.model,
        "enabled": {"on": "true", "off": "false"}.get(options.enabled),
    }
    if all(value is None for value in chosen.values()):
        raise UsageError("Nothing to change", todo="`solo-unicorn agent set --help` lists what can be")
    _keep(options, chosen, "changed")


def _add(options: Options) -> None:
    from ...agents.catalogue import entry
    from ...config.loading import load
    from ...config.paths import agents_dir

    if not NAME.fullmatch(options.name):
        raise InvalidValue(
            "name", f"{options.name!r} cannot be the name of an agent", todo="use lower-case letters, digits, - and _"
        )
    settings = load()
    if options.name in settings.agents and not options.replace:
        raise Conflict(f"The agent {options.name} already exists", todo="add --replace to change it")
    described = bool(options.acp or options.registry)
    if described:
        agents_over_acp.describe(options)
    type_ = options.name if described else options.type or settings.agent(options.name).type or options.name
    entry(type_, own=agents_dir())
    if options.command and not _program(options.command):
        raise NotFound(
            f"There is no program {options.command}",
            why="it is not an executable file",
            todo="give the path of the agent",
        )
    chosen = {
        "type": type_,
        "command": None if options.registry else options.command,
        "slots": options.slots,
        "model": options.model,
        "effort": options.effort,
        "fallback_model": options.fallback_model,
        "permission_mode": options.permission_mode,
        "budget_usd": options.budget,
        "arguments": options.arguments,
        "environment": options.environment,
        "sandbox": options.sandbox,
        "sandbox_allow": options.sandbox_allow,
        "enabled": "true",
    }
    _keep(options, chosen, "added")


def _keep(options: Options, chosen: Mapping[str, object], done: str) -> None:
    """Write settings of an agent, and tell how it is with them."""
    from ...agents.detection import scan
    from ...config import edit
    from ...config.loading import load

    for key, value in chosen.items():
        if value is not None:
            edit.set_value(f"agents.{options.name}.{key}", str(value))
    output = Output(options)
    with output.progress("checking it"):
        found = scan(load())
    with workspace() as opened:
        opened.write_as(SYSTEM, operations.workstation.set_agents, found, asked=False)
        agent = next((one for one in opened.read(queries.workstation.agents) if one.name == options.name), None)
    if agent is None:
        raise _no_agent(options.name, found)
    output.done(f"{agent.name} {done}: {_state(agent)}. {agent.detail}".rstrip(), to_wire(agent), name=agent.name)


def _program(command: str) -> bool:
    return shutil.which(str(Path(command).expanduser())) is not None


def _no_agent(name: str, found: list[CodeAgent]) -> NotFound:
    known = [agent.name for agent in found]
    todo = f"{choices(known)}; `solo-unicorn agent add` adds one"
    return NotFound(f"There is no agent {name!r}", why=nearest(name, known), todo=todo)


COMMANDS = {
    "scan": Command(_scan_arguments, _scan),
    "list": Command(nothing, _list),
    "add": Command(_add_arguments, _add),
    "set": Command(_set_arguments, _set),
}
