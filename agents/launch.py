"""Starting a session and getting hold of one that runs: the run directory and its session host.

`prepare` writes the run directory, `start` starts the host in it, `attach` gives a handle to whatever became of it,
by this process or by one before it. The host outlives the process that started it.

    RUN_DIR (0700)   launch.json    what to start; the prompt                                     (prepare, 0600)
                     rules.json     the project's rules, where one asks or denies                  (prepare, 0600)
                     fresh.txt      the prompt to use if the conversation to resume is lost              (prepare, 0600)
                     mcp.json       our MCP server's address and this run's token                 (prepare, 0600)
                     host.lock      held by the host for its life                                 (host)
                     host.json      process ids with start times, the path of its socket          (host)
                     transcript*    see transcript.py                                             (host)
                     outcome.json   how the process ended; whole or absent                        (host, or `seal`)
                     host.err       what went wrong with the host itself                          (host)
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import which

from ..config import paths
from ..config.redaction import is_secret_name
from ..config.settings import Settings
from ..missions.entities import CodeAgent, Json, JsonObject
from ..missions.errors import Conflict, InvalidValue, SoloUnicornError
from ..missions.rules.permissions import PermissionRule
from ..missions.wire import to_wire
from ..system import files, programs
from ..system.environment import person
from ..system.locks import Lock
from . import catalogue, mcp_files
from .guard import unheld
from .handle import SESSION_VARIABLE, HostHandle
from .quoting import git_roots, toml_string, toml_strings
from .sandbox.choosing import enclose
from .sandbox.describing import Run
from .sandbox.levels import stricter
from .speech import message

HOST = Path(__file__).parent / "host.py"
HANDSHAKE_SECONDS = 30.0
AFTER_RESULT_SECONDS = 20.0
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
IMAGE_BYTES = 3_500_000
"""What models take of one image, before it is written as base64; a larger one is a file like any other."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a run that was prepared may go."""

    unheld: str = ""
    """What the agent is not held to, as a sentence without its subject."""
    sandbox: str = ""
    """Its level, and what enforces it."""


@dataclass(frozen=True, slots=True)
class McpEntry:
    """Our MCP server for this run alone."""

    url: str
    token: str


def prepare(
    run_dir: Path,
    agent: CodeAgent,
    *,
    prompt: str,
    fresh: str = "",
    worktree: Path | str,
    folder: str = "",
    mcp: McpEntry | None,
    resume: str | None,
    began: datetime | None = None,
    settings: Settings,
    correlation: str,
    mission: str = "",
    extra: Mapping[str, str] | None = None,
    rules: Sequence[PermissionRule] = (),
    attached: Sequence[Path] = (),
    budget: float = 0.0,
    level: str = "",
    model: str = "",
    effort: str = "",
) -> Bounds:
    """Write what the host needs to start the agent on a prompt; starts nothing.

    `mission` is shown to the agent's tools as SOLO_UNICORN_MISSION (M-42), `extra` is more of its environment (ports).
    It starts in the `folder` of the worktree, and may change the rest as well.
    `attached` are the mission's files, where the agent may read them; images are shown to it by its own way.
    `budget` is what the mission has left, in US dollars; 0: no limit. `model` and `effort` are the mission's, or its
    stage's, and go before the agent's own settings.
    `fresh` is the prompt instead where the conversation to `resume` turns out to be lost, for an agent that tells.
    `began` is the latest time at which the conversation to `resume` may have been opened.
    `level` is the least sandbox that the project asks for (agents/sandbox).
    `rules` are the project's: where one asks or denies, the agent is to ask before every change, where it can, and what
    stands between us and an agent that speaks ACP holds its requests against them.
    The token goes into mcp.json alone: it is in no argument and in no environment variable. Raises NotFound for an
    unknown type of agent, InvalidValue when the agent has no program or the worktree is not a directory,
    NoSandbox when the run must not go without a sandbox and this machine has none.
    """
    entry = catalogue.entry(agent.type, own=paths.home() / "agents")
    wanted = settings.agent(agent.name)
    entry = catalogue.door(entry, agent.agent_version, plain=wanted.plain_mode)
    binary = wanted.command or agent.binary or (sys.executable if entry.command else "")
    if not binary:
        what = f"The agent {agent.name} has no program to start"
        raise InvalidValue("binary", what, why=agent.detail, todo=entry.install)
    start = Path(worktree, folder)
    if not start.is_dir():
        raise InvalidValue("worktree", f"There is no directory {start}", todo="prepare the worktree again")
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    turn = entry.turn
    mcp_file = run_dir / "mcp.json"
    if mcp is not None:
        files.replace(mcp_file, json.dumps(mcp_files.write(turn.mcp_format, mcp.url, mcp.token), indent=1).encode())
    cautious = any(rule.effect != "allow" for rule in rules)
    rules_file = run_dir / "rules.json"
    if cautious:
        files.replace(rules_file, json.dumps([to_wire(rule) for rule in rules], indent=1).encode())
    over_acp = entry.transport == "acp"
    fresh_file = run_dir / "fresh.txt"
    if over_acp and resume and fresh:
        files.replace(fresh_file, fresh.encode())
    values = {
        "conversation": resume or "",
        "model": model or wanted.model,
        "effort": effort or wanted.effort,
        "fallback_model": wanted.fallback_model,
        "budget": f"{most:.2f}" if (most := min(filter(None, (budget, wanted.budget_usd)), default=0.0)) else "",
        "permission_mode": wanted.permission_mode
        or (cautious and turn.cautious_permission_mode)
        or turn.default_permission_mode,
        "mcp_file": str(mcp_file) if mcp is not None else "",
        "rules_file": str(rules_file) if cautious else "",
        "fresh_file": str(fresh_file) if over_acp and resume and fresh else "",
        "not_before": str(_next_minute(began)) if resume and began and turn.loses_within_minute else "",
        "run_dir": str(run_dir),
        "worktree": str(worktree),
        "start": str(start),
        "around": str(worktree) if folder else "",
        "python": sys.executable,
        "git_roots": toml_strings(
            str(root) for root in [*([Path(worktree)] if folder else []), *git_roots(Path(worktree))]
        ),
        "files_dir": str(attached[0].parent) if attached else "",
    }
    values |= {f"{name}_quoted": toml_string(value) for name, value in values.items() if value}
    adapter = catalogue.ADAPTERS.get(entry.transport)
    own = [*catalogue.base_command(entry, binary), *turn.arguments]
    arguments = own
    if adapter:
        for part in (turn.files, turn.around):
            own = [*own, *catalogue.filled(part, values)]
        own += _words("arguments", wanted.arguments)
        arguments = [sys.executable, *catalogue.filled(adapter, values)]
    if over_acp:
        arguments += catalogue.filled(catalogue.ADAPTER_FILES, values)
        arguments += catalogue.filled(catalogue.ADAPTER_FRESH, values)
        arguments += catalogue.filled(catalogue.ADAPTER_LATER, values)
        for variable, way in turn.sign_in.items():
            arguments += ["--sign-in", f"{variable}={way}"]
    careful = (cautious and turn.cautious_permissions) or turn.permission_mode
    permissions = turn.skip_permissions if wanted.skip_permissions else careful
    # resume last: to some it is a command of its own
    images = [path for path in attached if path.suffix.lower() in IMAGES and path.stat().st_size <= IMAGE_BYTES]
    chosen = (turn.model, turn.effort, turn.fallback_model, turn.budget)
    alone = () if wanted.own_tools else turn.only_ours
    for part in (turn.rules, permissions, *chosen, turn.mcp, alone, *(() if adapter else (turn.files, turn.around))):
        arguments += catalogue.filled(part, values)
    arguments += _words("arguments", wanted.arguments) if not adapter else []
    for path in images:
        arguments += catalogue.filled(turn.image, {"image": str(path)})
    arguments += catalogue.filled(turn.resume, values)
    arguments += ["--", *own] if adapter else []
    named = {**turn.environment, **(turn.mcp_environment if mcp is not None else {})}
    environment: dict[str, str] = {name: "".join(catalogue.filled([value], values)) for name, value in named.items()}
    environment |= {} if entry.command else {"PATH": programs.path_with(binary)}
    environment |= dict(word.partition("=")[::2] for word in _words("environment", wanted.environment))
    environment |= extra or {}
    environment |= _past_the_proxy()
    environment |= {
        "SOLO_UNICORN_MISSION": mission,
        "SOLO_UNICORN_CORRELATION": correlation,
        SESSION_VARIABLE: run_dir.name,
    }
    run = Run(
        run_dir,
        Path(worktree),
        binary,
        entry.sandbox,
        tuple(_words("sandbox_allow", wanted.sandbox_allow)),
        person() | environment,
        start,
    )
    held = enclose(stricter(wanted.sandbox, level), run)
    environment |= held.environment
    ours = [name for name in os.environ if name.startswith("SOLO_UNICORN_") and is_secret_name(name)]
    launch: JsonObject = {
        "argv": list[Json](arguments),
        "sandbox": list[Json](held.prefix),
        "cwd": str(start),
        "environment": dict[str, Json](environment),
        "unset": list[Json]([*turn.unset, *ours, *held.unset]),
        "stdin": message(turn.prompt, prompt, images if turn.images_in_prompt else ()),
        "stdin_stays_open": turn.listens,
        "message_format": turn.prompt,
        "interrupt": turn.interrupt,
        "parser": entry.parser,
        "result_types": list[Json](turn.result_types),
        "exit_codes": dict[str, Json](turn.exit_codes),
        "after_result_seconds": AFTER_RESULT_SECONDS if turn.result_types else None,
        "stall_seconds": settings.sessions.stall_minutes * 60,
        "tool_seconds": settings.sessions.tool_minutes * 60,
        "stop_grace_seconds": settings.sessions.stop_grace_seconds,
        "socket": str(paths.runtime_dir() / f"{run_dir.name}.sock"),
    }
    files.replace(run_dir / "launch.json", json.dumps(launch, indent=1).encode())
    unhindered = (held.missing, unheld(entry, wanted, rules=cautious))
    return Bounds(unheld="; ".join(filter(None, unhindered)), sandbox=held.said)


def _next_minute(then: datetime) -> int:
    return (int(then.timestamp()) // 60 + 1) * 60


def _words(key: str, value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        what = f"agents.*.{key} is not valid: {value!r}"
        raise InvalidValue(key, what, why=str(error), todo="quote it as for a shell") from error


def start(run_dir: Path, *, scope: bool = False) -> int:
    """Start the host of a prepared run directory; returns its process id once it holds its lock and listens.

    The host is nobody's child, in a session of its own, so it survives us and leaves no zombie. With `scope` it gets
    a systemd scope of its own where there is a user manager. A run directory is started once: the second call raises.

    The lock is taken here and handed over, so it is never free between this call and the end of the host: who finds it
    free knows that no host runs and that none is on its way.
    """
    lock = Lock(run_dir / "host.lock")
    try:
        if not lock.take():
            raise Conflict(f"The session {run_dir.name} already has a host", todo="attach to it")
        return _started(run_dir, lock.fileno(), scope=scope)
    finally:
        lock.release()


def _started(run_dir: Path, lock: int, *, scope: bool) -> int:
    command = [sys.executable, "-I", "-S", str(HOST), str(run_dir), str(lock)]
    if scope and (runner := _scope_runner()):
        command = [*runner, f"--unit=solo-unicorn-{run_dir.name}", "--", *command]
    try:
        starter = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HANDSHAKE_SECONDS,
            cwd="/",
            env=person(),
            start_new_session=True,
            check=False,
            pass_fds=(lock,),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SoloUnicornError("The session host could not be started", why=str(error), todo="try again") from error
    words = starter.stdout.split()
    if starter.returncode != 0 or len(words) != 1:
        why = _why_not(run_dir, starter.stderr)
        raise SoloUnicornError(f"The session host of {run_dir.name} did not start", why=why)
    return int(words[0])


def attach(run_dir: Path) -> HostHandle:
    """A handle to the session of that run directory, whatever state it is in; never raises."""
    return HostHandle(run_dir)


def seal(run_dir: Path) -> bool:
    """Make sure that no agent is ever started from this run directory again.

    True: no host holds it, and an outcome (its own, or `sealed`) is there now. False: a host holds it, so it runs.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(run_dir / "host.lock")
    try:
        if not lock.take():
            return False
        if not (run_dir / "outcome.json").exists():
            files.replace(run_dir / "outcome.json", b'{"sealed": true}')
        return True
    finally:
        lock.release()


def _past_the_proxy() -> dict[str, str]:
    """Where a proxy is set, agents would ask it for our server on loopback, too."""
    if not any(os.environ.get(name) or os.environ.get(name.lower()) for name in PROXIES):
        return {}
    known = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    hosts = [*(host for host in known.split(",") if host), *LOOPBACK]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(dict.fromkeys(hosts)))


def _why_not(run_dir: Path, told: bytes) -> str:
    """The last line of what the host said before it was in the background, or after."""
    if not told.strip():
        try:
            told = (run_dir / "host.err").read_bytes()
        except OSError:
            return ""
    return told.decode("utf-8", "replace").strip().rpartition("\n")[2]


def _scope_runner() -> list[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime or not Path(runtime, "systemd").is_dir() or not (found := which("systemd-run")):
        return []
    return [found, "--user", "--scope", "--quiet", "--collect"]
