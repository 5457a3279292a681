"""`doctor`: everything that has to be right on this machine, each with what to do when it is not."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...config import paths
from ...missions.connected import SAYS, WELL
from ...missions.errors import SoloUnicornError
from ...sync import replica
from ...workspace import queries
from ...workspace.store import SQLITE_VERSION
from ...workspace.workspace import Workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_yes
from .findings import Finding, State, found
from .workspace_file import proved, workspace

LEAST_FREE_BYTES = 500 * 1024 * 1024


def _arguments(parser: Parser) -> None:
    parser.add_argument("--repair", action="store_true", help="show damaged records, and repair them if you agree")
    parser.add_argument(
        "--deep", action="store_true", help="read the whole workspace, and compare it with what was written"
    )
    takes_yes(parser)


def _run(options: Options) -> int:
    output = Output(options)
    if options.repair:
        from .repairing import repair

        return repair(options, output)
    with output.progress("checking everything"):
        findings = [one for look in ((*LOOKS, proved) if options.deep else LOOKS) for one in found(look)]
    output.table(
        ("STATE", "WHAT", "DETAIL"),
        [(one.state, one.what, one.detail + (f" → {one.todo}" if one.todo else "")) for one in findings],
        [{"what": one.what, "state": one.state, "detail": one.detail, "todo": one.todo} for one in findings],
        whole=True,
    )
    if not output.as_json:
        output.note(verdict(findings))
    return 1 if any(one.state == "error" for one in findings) else 0


def verdict(findings: Sequence[Finding]) -> str:
    """The result of all findings, in one sentence."""
    counted = Counter(one.state for one in findings)
    bad = [f"{counted[state]} {state}{'s' * (counted[state] > 1)}" for state in ("error", "warning") if counted[state]]
    said = f"{' and '.join(bad)}: the text after → says what to do." if bad else "All is well."
    missing = counted["missing"]
    return said + (f" {missing} not installed (optional)." if missing else "")


def _python() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{sys.version.split()[0]}, SQLite {SQLITE_VERSION}, {sys.executable}")


def _git() -> Iterator[Finding]:
    from ...worktrees.git import OLDEST_GIT, Git

    said = Git(Path("/")).line("--version")
    numbers = [int(part) for part in said.split()[2].split(".")[:2] if part.isdigit()]
    if tuple(numbers) < OLDEST_GIT:
        yield Finding("git", "error", said, f"update git to {'.'.join(map(str, OLDEST_GIT))} or newer")
    else:
        yield Finding("git", "ok", said)


def _home() -> Iterator[Finding]:
    home = paths.home()
    if not home.exists():
        above = next(place for place in home.parents if place.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            yield Finding("home", "ok", f"{home} (made at the first use)")
        else:
            yield Finding(
                "home",
                "error",
                f"{home} cannot be made in {above}",
                "make that writable for you, or set SOLO_UNICORN_HOME to a directory that is",
            )
        return
    paths.logs_dir()
    if home.stat().st_mode & 0o077:
        yield Finding("home", "warning", f"{home} can be read by others", f"chmod 700 {home}")
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        yield Finding("disk", "warning", f"{free // 2**20} MB free for {home}", "free some space before agents work")
    yield Finding("home", "ok", str(home))


def _sockets() -> Iterator[Finding]:
    directory = paths.runtime_dir()
    probe = directory / f"doctor-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.bind(str(probe))
        except OSError as error:
            yield Finding(
                "sockets",
                "error",
                f"{directory} does not support sockets: {error.strerror}",
                f"set {paths.RUNTIME_VARIABLE} to a short directory on a local file system",
            )
            return
        finally:
            probe.unlink(missing_ok=True)
    yield Finding("sockets", "ok", str(directory))


def _settings() -> Iterator[Finding]:
    from ...config import loading, parsing

    file = paths.config_file()
    wrong = parsing.problems(parsing.text_of(file), file) if file.exists() else []
    for problem in wrong:
        yield Finding("settings", "error", f"{problem.what}: {problem.why}", problem.todo)
    if not wrong:
        loading.load()
        yield Finding("settings", "ok", str(file) if file.exists() else "the defaults")


def _service() -> Iterator[Finding]:
    from ... import __version__
    from ...workstation import client
    from ...workstation.problems import problems_of

    try:
        said = client.status()
    except client.NotRunning:
        yield Finding("service", "ok", "not running; the board starts it")
        return
    version = str(said.get("version"))
    if version != __version__:
        yield Finding(
            "service", "warning", f"runs version {version}, this is {__version__}", "`solo-unicorn workstation restart`"
        )
    else:
        yield Finding("service", "ok", f"runs, pid {said.get('pid')}")
    for problem in problems_of(said):
        yield Finding(
            f"service, {problem.name}",
            "error" if problem.lasting else "warning",
            problem.sentence,
            f"see {paths.logs_dir()}; `solo-unicorn workstation restart` restarts it",
        )


def _agents() -> Iterator[Finding]:
    from ...agents.detection import scan
    from ...config import loading

    for agent in scan(loading.load()):
        if not agent.enabled:
            continue
        state = _AGENT_STATES.get(agent.state, "warning")
        detail = agent.detail or f"ready: {agent.agent_version or ''} {agent.binary or ''}".rstrip(": ")
        what, _, todo = detail.partition(": ") if state == "missing" else (detail, "", "")
        yield Finding(f"agent {agent.name}", state, what, todo.rstrip("."))


_AGENT_STATES: dict[str, State] = {"ready": "ok", "missing": "missing"}


def _sandbox() -> Iterator[Finding]:
    from ...agents.sandbox.choosing import lesser, means, unable
    from ...config import loading

    settings = loading.load()
    if why := unable():
        todo = (
            "install bubblewrap and allow user namespaces; until then `guard` "
            "protects nothing, and `strict` runs nothing"
        )
        yield Finding("sandbox", "warning", f"agents run without one: {why}", todo)
    else:
        less = f" ({why})" if (why := lesser()) else ""
        yield Finding("sandbox", "ok", f"guard and strict, by {means()}{less}; the network stays open in both")
    if unheld := sorted(name for name in settings.agents if settings.agent(name).sandbox == "off"):
        todo = "`solo-unicorn agent set AGENT --sandbox guard`"
        yield Finding("sandbox", "warning", f"{', '.join(unheld)}: no sandbox", todo)


def _keychain() -> Iterator[Finding]:
    from ...config import credentials

    try:
        credentials.get("doctor")
    except credentials.NoKeychain as error:
        yield Finding("keychain", "warning", f"{error.what} (needed for a hub only)", error.todo)
    else:
        yield Finding("keychain", "ok", "opens")


def _repositories() -> Iterator[Finding]:
    if not paths.workspace_db().exists():
        return
    from ...worktrees.repository.repositories import inspect

    with Workspace.open() as opened:
        repositories = opened.read(queries.projects.repositories)
    for one in repositories:
        if not one.local_path:
            yield Finding(
                f"repository {one.name}",
                "warning",
                "it has no checkout on this machine",
                f"`solo-unicorn repo add PATH --name {one.name}`, if missions should run here",
            )
            continue
        try:
            facts = inspect(one.local_path)
        except SoloUnicornError as error:
            yield Finding(f"repository {one.name}", "error", f"{error.what}: {error.why}", error.todo)
        else:
            yield Finding(f"repository {one.name}", "ok", f"{facts.root}, {one.default_branch}")


def _hubs() -> Iterator[Finding]:
    """Connected projects: whether all is sent, whether the mirror is sound, and what the server cannot do."""
    from ...workspace.journal import kept, unsent

    if not paths.workspace_db().exists():
        return
    with Workspace.open() as workspace:
        mirrors = workspace.read(replica.sync_steps.mirrors)
        for hub in sorted({mirror.hub for mirror in mirrors}):
            can = workspace.read(replica.sync_steps.capabilities, hub)
            if can is None:
                yield Finding("hub", "warning", f"{hub} was never reached", "`solo-unicorn sync`")
                continue
            weaker = [
                text
                for text, has in (
                    ("no change feed: everything is read each time", can.changes),
                    ("no ETags: an edit made between a read and a write can be lost", can.if_match),
                    ("no idempotency keys: an unanswered edit is checked again", can.idempotency),
                    ("no history: memory, notes and files stay on this machine", can.history),
                )
                if not has
            ]
            yield Finding(
                "hub", "warning" if weaker else "ok", f"{hub}: {'; '.join(weaker) or 'all features available'}"
            )
        for account in workspace.read(replica.connecting.accounts):
            if why := workspace.meta(f"workstation.fenced {account.id}"):
                yield Finding("workstation", "error", f"superseded at {account.hub}", why)
        if lost := sum(len(unsent(path)) for path in kept(paths.workspace_db())[:-1]):
            yield Finding(
                "outbox",
                "warning",
                f"{lost} edit(s) of an earlier workspace file were not sent",
                "`solo-unicorn sync --recover`, once their projects are connected",
            )
        for mirror in mirrors:
            name, state = (
                workspace.read(queries.projects.get, mirror.project_id).name,
                queries.connection.sync_state(workspace, mirror.project_id),
            )
            wrong = workspace.read(replica.sync_steps.verify_mirror, mirror.project_id)
            if wrong:
                yield Finding(
                    "mirror",
                    "error",
                    f"{name}: {len(wrong)} mission(s) differ from their records",
                    "keep the file and report this; `solo-unicorn export` saves the shown state",
                )
            if mirror.skipped:
                yield Finding(
                    "mirror",
                    "warning",
                    f"{name}: {mirror.skipped} mission(s) of the hub could not be read",
                    "update solo-unicorn",
                )
            good = state.word in {"read-only", *(SAYS[kind].short for kind in WELL)}
            yield Finding(
                "mirror",
                "ok" if good else "warning",
                f"{name}: {state.word}",
                "" if good else state.todo or "`solo-unicorn sync`",
            )


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _git,
    _home,
    _sockets,
    _settings,
    workspace,
    _service,
    _agents,
    _sandbox,
    _keychain,
    _repositories,
    _hubs,
)

COMMANDS = {"doctor": Command(_arguments, _run)}
