"""`agent add --acp` and `--registry`: any agent that speaks ACP, described in a file of the home's catalogue."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...missions.errors import Conflict, InvalidValue, NotFound
from ..output import Output
from ..parsing import Options

ACP_SECONDS = 70.0
"""How long an ACP agent may take to say who it is; an adapter may have to be fetched first."""


def describe(options: Options) -> None:
    """Ask the program who it is, by the protocol, and write its entry of the catalogue."""
    from ...agents.catalogue import load

    if options.name in load() and not options.replace:
        raise Conflict(f"{options.name} is already in the catalogue", todo="give yours another name, or add --replace")
    if options.registry:
        _from_the_registry(options)
    else:
        _by_its_command(options)


def _by_its_command(options: Options) -> None:
    if options.type or options.command:
        raise InvalidValue("acp", "--acp contains the whole command line", todo="leave out --type and --command")
    try:
        words = shlex.split(options.acp)
    except ValueError as error:
        raise InvalidValue("acp", f"{options.acp!r} is not a valid command line", why=str(error)) from error
    if not words or (program := shutil.which(Path(words[0]).expanduser())) is None:
        raise NotFound(f"There is no program {words[0] if words else ''}", todo="give the command line of the agent")
    program = str(Path(program).absolute())
    said = _who_it_is(Output(options), options.acp, program, words[1:])
    _write(options.name, options.name, program, words[1:], {}, f"`--acp`; it said that it is {said}")


def _from_the_registry(options: Options) -> None:
    from ...agents import registry

    if options.type or options.acp:
        raise InvalidValue("registry", "--registry describes the whole agent", todo="leave --type and --acp out")
    program = str(Path(options.command).expanduser().absolute()) if options.command else ""
    with Output(options).progress("reading the registry"):
        found = registry.offer(registry.read(options.registry, options.name), program=program)
    said = _who_it_is(Output(options), found.title, found.program, found.arguments, found.environment)
    about = f"`--registry`: {found.title} {found.version}; it said that it is {said}"
    _write(options.name, found.title, found.program, found.arguments, found.environment, about)


def _who_it_is(
    output: Output, named: str, program: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> str:
    from ...agents import detection

    command = [sys.executable, "-P", "-m", "solo_unicorn.agents.acp", "--check"]
    for name, value in (environment or {}).items():
        command += ["--environment", f"{name}={value}"]
    with output.progress("asking the agent for its name"):
        until = time.monotonic() + ACP_SECONDS
        asked = detection.ask([*command, "--", program, *arguments], until)  # ends whatever the adapter leaves behind
    said = asked.output.strip().rpartition("\n")[2]
    if asked.exit_code != 0:
        why = said or "it did not answer"
        raise InvalidValue("acp", f"{named} does not speak ACP", why=why, todo="see its manual for the right option")
    return " ".join(said.split())


def _write(
    name: str, title: str, program: str, arguments: Sequence[str], environment: Mapping[str, str], about: str
) -> None:
    from ...agents.quoting import toml_string
    from ...config.paths import agents_dir

    words = ", ".join(toml_string(word) for word in arguments)
    lines = [
        f"# Added by `solo-unicorn agent add {name}` with {' '.join(about.split())}.",
        f"title = {toml_string(title)}",
        'transport = "acp"',
        f"binaries = [{toml_string(program)}]",
        "[version]",
        "arguments = []",
        "[turn]",
        f"arguments = [{words}]",
        *(["[turn.environment]"] if environment else []),
        *(f"{toml_string(key)} = {toml_string(value)}" for key, value in environment.items()),
    ]
    (agents_dir() / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
