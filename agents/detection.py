"""Which code agents this machine has, and in what state: every one asked at the same time, all within one deadline.

States: ready; missing; too_old; signed_out; broken (it hangs, or answers with rubbish). Each but ready comes with a
sentence that says what to do. An agent's own check runs the program itself, with nothing on its standard input.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..config import paths
from ..config.settings import AgentSettings, Settings
from ..missions.entities import CodeAgent
from ..missions.errors import SoloUnicornError
from ..system import programs
from ..system.environment import person
from .catalogue import CatalogueEntry, SignInCheck, base_command, door, load
from .guard import NOBODY, not_taken
from .sandbox.choosing import unable

DEADLINE = 5.0
OUTPUT_CAP = 64 << 10


def scan(
    settings: Settings,
    deadline: float = DEADLINE,
    *,
    entries: dict[str, CatalogueEntry] | None = None,
    seen: Mapping[str, str | None] | None = None,
) -> list[CodeAgent]:
    """Every agent of the catalogue and of the settings with its state, in the catalogue's order.

    `seen` are the programs that an earlier scan found, by agent: one in a terminal sees more than a service does, and
    what it found is used while it is there. Takes at most `deadline` seconds, and a moment. Blocks: call it in a thread
    where that matters.
    """
    known = load(own=paths.home() / "agents") if entries is None else entries
    until = time.monotonic() + deadline
    names = [*known, *(name for name in settings.agents if name not in known)]
    found: dict[str, CodeAgent] = {}

    def look(name: str) -> None:
        found[name] = check(name, known, settings, until, (seen or {}).get(name))

    threads = [threading.Thread(target=look, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()) + 0.5)
    return [found.get(name) or _unanswered(name, settings) for name in names]


PLAIN = "runs in its plain mode: it asks for no permissions, and gets your messages only after its turn"
UNASKED = "does everything without asking (skip_permissions)"


def check(
    name: str, known: dict[str, CatalogueEntry], settings: Settings, until: float, seen: str | None = None
) -> CodeAgent:
    """The state of one agent; `until` is on the monotonic clock. Never raises."""
    wanted = settings.agent(name)
    type_ = wanted.type or name
    agent = CodeAgent(type_, name, name, wanted.enabled, wanted.slots, checked_at=datetime.now(UTC))
    agent = replace(agent, sandbox="none" if wanted.sandbox != "off" and unable() else wanted.sandbox)
    entry = known.get(type_)
    if entry is None:
        return replace(
            agent,
            state="broken",
            detail=f"There is no agent type {type_!r}: set agents.{name}.type to one of {', '.join(sorted(known))}.",
        )
    agent = replace(agent, title=entry.title if name == type_ else f"{entry.title} ({name})")
    binary = find(entry, wanted.command)
    if binary is None and seen and not wanted.command and os.access(seen, os.X_OK) and Path(seen).is_file():
        binary = seen
    if binary is None:
        where = f"The program {wanted.command} does not exist" if wanted.command else f"{entry.title} is not installed"
        how = entry.install.partition(": ")[2] or entry.install
        todo = f"correct agents.{name}.command" if wanted.command else how
        return replace(agent, state="missing", detail=f"{where}: {todo}." if todo else f"{where}.")
    try:
        found = _asked(replace(agent, binary=binary), entry, until)
        if found.state != "ready":
            return found
        entry = door(entry, found.agent_version, plain=wanted.plain_mode)
        return replace(found, detail="; ".join(_told(entry, wanted, name)))
    except (OSError, SoloUnicornError, ValueError) as error:
        return replace(agent, binary=binary, state="broken", detail=f"{binary} cannot be started: {error}.")


def _told(entry: CatalogueEntry, wanted: AgentSettings, own: str) -> Iterator[str]:
    """What a person should know of an agent that is ready."""
    environment = person()
    if wanted.skip_permissions and entry.turn.skip_permissions:
        yield UNASKED
    elif entry.turn.guard == "none":
        yield NOBODY
    elif entry.turn.guard == "sandbox":
        yield "cannot be made to follow a project's rules; only its own sandbox limits it"
    if entry.is_plain:
        yield PLAIN
    for setting in not_taken(entry, wanted):
        yield f"does not support agents.{own}.{setting}"
    for name in entry.sign_in_check.key_variables:
        if environment.get(name):
            yield (
                f"uses the API key in {name}, which is billed, instead of a "
                "subscription; unset it to use the subscription"
            )


def only_a_run_tells(check_: SignInCheck) -> bool:
    """Whether no look can find it signed out: it cannot be asked, or has a key or a provider of its own."""
    if not check_.arguments or any(person().get(name) for name in check_.unless_variables):
        return True
    for name in check_.unless_files:
        path = Path(os.path.expandvars(name)).expanduser()
        with suppress(OSError, UnicodeDecodeError):
            if path.is_absolute() and re.search(check_.unless_pattern, path.read_text(encoding="utf-8")):
                return True
    return False


def find(entry: CatalogueEntry, command: str = "") -> str | None:
    """The agent's program: the one a person named, else the first on the PATH, else where people have theirs."""
    if entry.command:
        return command or sys.executable
    for name in (command,) if command else (*entry.binaries, *entry.places):
        path = programs.find(name)
        if path is not None:
            return path
    return None


def _asked(agent: CodeAgent, entry: CatalogueEntry, until: float) -> CodeAgent:
    base = base_command(entry, agent.binary or "")
    if not entry.version.arguments:
        return _signed_in(agent, entry, base, until)
    told = ask([*base, *entry.version.arguments], until, entry.turn.unset)
    if told.timed_out:
        return _silent(agent, entry.version.arguments)
    match = re.search(entry.version.pattern, told.output)
    if match is None or told.exit_code != 0:
        words = " ".join(told.output.split())[:80]
        said = f"said {words!r}" if words.isprintable() and words else "printed nothing readable"
        what = f"{agent.binary} is not a working {entry.title}: asked for its version, it {said}"
        todo = entry.install or "install it again"
        return replace(agent, state="broken", detail=f"{what} (exit code {told.exit_code}): {todo}.")
    version = match[1] if match.groups() else match[0]
    agent = replace(agent, agent_version=version)
    if entry.version.minimum and _parts(version) < _parts(entry.version.minimum):
        todo = f"version {entry.version.minimum} or newer is needed, {entry.install or 'update it'}"
        return replace(agent, state="too_old", detail=f"{entry.title} {version} is too old: {todo}.")
    return _signed_in(agent, entry, base, until)


def _signed_in(agent: CodeAgent, entry: CatalogueEntry, base: list[str], until: float) -> CodeAgent:
    check_ = entry.sign_in_check
    if not check_.arguments:
        return replace(agent, state="ready")
    told = ask([*base, *check_.arguments], until, entry.turn.unset)
    if check_.signed_out and re.search(check_.signed_out, told.output):
        return replace(agent, state="ready") if only_a_run_tells(check_) else _signed_out(agent, entry)
    if check_.signed_in and re.search(check_.signed_in, told.output):
        return replace(agent, state="ready")
    if told.timed_out:
        return _silent(agent, check_.arguments)
    if told.exit_code == 0 and not check_.signed_in:
        return replace(agent, state="ready")
    words = " ".join(told.output.strip().rpartition("\n")[2].split())[:80]
    if check_.signed_in and (told.exit_code == 0 or (words and words.isprintable())):
        said = f" ({words})" if words.isprintable() and words else ""
        what = f"{agent.binary} gave no answer to {' '.join(check_.arguments)} that is known{said}"
        return replace(agent, state="broken", detail=f"{what}: {entry.install or 'update it'}.")
    return _signed_out(agent, entry)


def _signed_out(agent: CodeAgent, entry: CatalogueEntry) -> CodeAgent:
    todo = f": {entry.sign_in}." if entry.sign_in else "."
    return replace(agent, state="signed_out", detail=f"{entry.title} is signed out{todo}")


def _silent(agent: CodeAgent, arguments: Sequence[str]) -> CodeAgent:
    what = f"{agent.binary} has not answered {' '.join(arguments)} yet"
    todo = "it is slow or hangs; it will be asked again with more time, or run it in a terminal to see why"
    return replace(agent, state="broken", detail=f"{what}: {todo}.")


def _unanswered(name: str, settings: Settings) -> CodeAgent:
    wanted = settings.agent(name)
    detail = "It could not be checked in time, because the machine is busy: scan again."
    return CodeAgent(wanted.type or name, name, name, wanted.enabled, wanted.slots, state="broken", detail=detail)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """What a program answered."""

    output: str
    exit_code: int | None
    timed_out: bool = False


def ask(command: Sequence[str], until: float, unset: Sequence[str] = ()) -> ProgramAnswer:
    """Run a program for its answer, with bounded time and memory; whatever it started is ended with it."""
    environment = {name: value for name, value in person().items() if name not in unset}
    environment |= {"NO_COLOR": "1", "PATH": programs.path_with(command[0])}
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=Path.home(),
        start_new_session=True,
    )
    assert program.stdout is not None
    output = bytearray()
    descriptor = program.stdout.fileno()
    os.set_blocking(descriptor, False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(program.stdout, selectors.EVENT_READ)
            while True:
                ended = _has_ended(program)  # before its output is read: what it wrote is all there then
                at_end = _read(descriptor, output)
                if ended or len(output) >= OUTPUT_CAP or time.monotonic() >= until:
                    break  # a child of it may hold the output open; that is not waited for
                rest = max(0.0, min(0.05, until - time.monotonic()))
                if at_end:
                    time.sleep(min(rest, 0.01))
                else:
                    selector.select(rest)
        flooded = len(output) >= OUTPUT_CAP
    finally:
        with suppress(OSError):  # it is not reaped yet, so the group's number is still its own
            os.killpg(program.pid, signal.SIGKILL)
        program.stdout.close()
        program.wait()
    words = output[:OUTPUT_CAP].decode("utf-8", "replace")
    return ProgramAnswer(words, program.returncode if ended else None, timed_out=not ended and not flooded)


def _read(descriptor: int, output: bytearray) -> bool:
    """Take in what is there, up to the cap; whether the output is at its end."""
    while len(output) < OUTPUT_CAP:
        try:
            data = os.read(descriptor, OUTPUT_CAP)
        except BlockingIOError:
            return False
        if not data:
            return True
        output += data
    return False


def _has_ended(program: subprocess.Popen[bytes]) -> bool:
    """Whether it ended, leaving it to be reaped later (where the system can tell that without reaping)."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return program.poll() is not None
