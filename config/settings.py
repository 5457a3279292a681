"""Settings: the one table of keys, and the values in force (file, then environment over it).

The dataclasses below are the table: their fields carry default, sentence and limits, and `SCHEMA` lists them. The
same table makes `solo-unicorn config list`, docs/configuration.md and every message about a wrong value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from typing import Final

from ..missions.limits import RETRY_ATTEMPTS, RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS
from ..missions.records import record
from .schema import Setting, setting

VERSION: Final = 1
"""Format of the file that this program writes; a file that names none has this one."""


@record
class WorkstationSettings:
    """This machine."""

    name: str = setting("", "What this machine is called on boards; empty means its host name.")
    slots: int = setting(4, "How many sessions may run at once on this machine, over all agents.", least=1, most=256)
    idle_exit_seconds: float = setting(
        30.0, "How long the background service stays when no screen is open and nothing runs.", least=0
    )
    backups: int = setting(
        7, "How many daily backups of the workspace are kept in the home; 0 means that none is made.", least=0, most=365
    )
    memory_free_mb: int = setting(
        512, "No session starts while less memory than this is available, in MB; 0 means never mind.", least=0
    )
    disk_free_mb: int = setting(
        200, "No session starts while less disk than this is left for the home, in MB; 0 means never mind.", least=0
    )
    load_per_core: float = setting(
        16.0,
        "No session starts while the load of the last minute is above this for each core; 0 means never mind.",
        least=0,
    )


@record
class SessionSettings:
    """Running code agents."""

    stall_minutes: float = setting(
        10.0, "Silence of an agent for this long counts as a stall: it is stopped.", least=0.01
    )
    tool_minutes: float = setting(
        60.0,
        "How long a running tool, or a background task that an agent announced, counts as its life while it is silent.",
        least=0,
    )
    stop_grace_seconds: float = setting(
        10.0, "How long an agent that was asked to stop may take before it is killed.", least=0
    )
    lease_seconds: float = setting(
        120.0, "How long a claim on a mission holds without being renewed; it is renewed every quarter of it.", least=8
    )
    retry_first_seconds: float = setting(
        RETRY_FIRST_SECONDS, "Wait before the first retry of a failed session; it doubles.", least=0
    )
    retry_longest_seconds: float = setting(RETRY_LONGEST_SECONDS, "The longest wait between two retries.", least=0)
    retry_attempts: int = setting(
        RETRY_ATTEMPTS, "Failed attempts in a row after which a mission waits for a person.", least=1
    )
    keep_days: int = setting(
        30, "Transcripts of missions that are done are removed after this many days; 0 means never.", least=0
    )


@record
class AgentSettings:
    """One code agent of this machine; the name after `agents.` is yours, or a type of the catalogue."""

    type: str = setting("", "Entry of the catalogue that this agent is an instance of; empty means its name.")
    enabled: bool = setting(True, "Whether missions may be given to it.")
    slots: int = setting(1, "How many of its sessions may run at once.", least=1, most=64)
    command: str = setting("", "The program to start, as a path or a name; empty means the one that was found.")
    model: str = setting("", "The model it is asked to use; empty means its own choice.")
    permission_mode: str = setting("", "How it asks before it acts, in its own word; empty means the catalogue's.")
    skip_permissions: bool = setting(
        False, "Let it do everything without asking; only for a machine or container that may be lost."
    )


@record
class BudgetSettings:
    """What sessions may cost, as far as their agents report it. No session is broken off over it."""

    mission_usd: float = setting(
        0.0, "No session of a mission starts once its sessions cost this much, in USD; 0 means no limit.", least=0
    )
    day_usd: float = setting(
        0.0, "No session starts once those of the day cost this much, in USD; 0 means no limit.", least=0
    )


@record
class WorktreeSettings:
    """The worktree pool."""

    keep_days: int = setting(7, "Vacant worktrees are removed after this many days; one is kept.", least=0)
    start_from: str = setting(
        "local",
        "Which target branch a mission starts from where yours and the remote's (as last seen) differ.",
        choices=("local", "remote"),
    )


@record
class GitHubSettings:
    """Pull requests on GitHub and GitHub Enterprise."""

    poll_seconds: float = setting(
        60.0, "How often open pull requests are looked at; unchanged ones hardly count for the rate limit.", least=0.05
    )
    hosts: str = setting(
        "", "Your GitHub Enterprise hosts, separated by commas, where their names do not have `github` in them."
    )
    api_url: str = setting(
        "", "REST API of your GitHub Enterprise host where it is not https://HOST/api/v3; empty means there."
    )


@record
class BoardSettings:
    """The board."""

    density: str = setting("normal", "How much a card shows.", choices=("normal", "compact", "detailed"))


@record
class ScreenSettings:
    """All screens."""

    theme: str = setting("", "Colour theme by name, as the palette lists them; empty means the program's own.")
    motion: str = setting("full", "Whether screens slide and fade, or only change.", choices=("full", "reduced"))
    notify: str = setting(
        "all",
        "What happens when something waits for you and the terminal is not in front: a notice of the desktop with the "
        "bell, the bell alone, or nothing.",
        choices=("all", "bell", "off"),
    )
    quiet_hours: str = setting("", "When nothing of that happens, as in 22:00-07:00; empty means never.")


@record
class LogSettings:
    """The log."""

    level: str = setting(
        "info", "The least important records that are kept.", choices=("debug", "info", "warning", "error")
    )


@record
class McpSettings:
    """The MCP server of the background service."""

    port: int = setting(
        0, "Port on the loopback interface; 0 means one chosen once and remembered.", least=0, most=65535
    )


@record
class Settings:
    """Every setting in force."""

    editor: str = setting("", "Program that edits long texts; empty means $VISUAL, then $EDITOR.")
    workstation: WorkstationSettings = WorkstationSettings()
    sessions: SessionSettings = SessionSettings()
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    budget: BudgetSettings = BudgetSettings()
    worktrees: WorktreeSettings = WorktreeSettings()
    github: GitHubSettings = GitHubSettings()
    board: BoardSettings = BoardSettings()
    ui: ScreenSettings = ScreenSettings()
    log: LogSettings = LogSettings()
    mcp: McpSettings = McpSettings()
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding id to keys: {"board.new": "n,insert"}."""

    def agent(self, name: str) -> AgentSettings:
        """What is set for the agent of that name, defaults where nothing is."""
        return self.agents.get(name, _NO_AGENT)


_NO_AGENT: Final = AgentSettings()


def _rows(prefix: str, section: type) -> list[Setting]:
    return [Setting.of(prefix + entry.name, entry) for entry in fields(section) if "about" in entry.metadata]


def _schema() -> tuple[Setting, ...]:
    rows = _rows("", Settings)
    for entry in fields(Settings):
        if entry.name == "agents":
            rows += _rows("agents.<name>.", AgentSettings)
        elif entry.name == "keys":
            rows.append(Setting("keys.<binding>", "", "Keys of a command on screen, separated by commas."))
        elif is_dataclass(entry.default):
            rows += _rows(f"{entry.name}.", type(entry.default))
    return tuple(rows)


SCHEMA: Final[tuple[Setting, ...]] = _schema()
"""Every key, in the order of the documentation."""

_BY_NAME: Final = {row.name: row for row in SCHEMA}


def find(name: str) -> Setting | None:
    """The row of SCHEMA that describes the key `name`: `workstation.slots`, `agents.claude.slots`, `keys.board.new`."""
    match name.split("."):
        case ["agents", agent, last] if agent:
            return _BY_NAME.get(f"agents.<name>.{last}")
        case ["keys", first, *_] if first:
            return _BY_NAME["keys.<binding>"]
        case _:
            return _BY_NAME.get(name) if "<" not in name else None
