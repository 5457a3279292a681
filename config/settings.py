"""Settings: the one table of keys, and the values in force (file, then environment over it).

The dataclasses below are the table: their fields carry default, sentence and limits, and `SCHEMA` lists them. The
same table makes `solo-unicorn config list`, docs/configuration.md and every message about a wrong value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Final

from ..missions.limits import RETRY_ATTEMPTS, RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS
from ..missions.records import field, record
from .schema import Setting, setting

VERSION: Final = 1
"""Format of the file that this program writes; a file that names none has this one."""


@record
class WorkstationSettings:
    """This machine."""

    name: str = setting("", "Name of this machine on boards; empty means its host name.")
    slots: int = setting(
        4, "Number of sessions that may run at once on this machine, across all agents.", least=1, most=256
    )
    idle_exit_seconds: float = setting(
        30.0,
        "Seconds for which the background service keeps running with no open screen and no session; twenty times as "
        "long once an MCP client was connected.",
        least=0,
    )
    backups: int = setting(
        7, "Number of daily backups of the workspace to keep in the home; 0 disables them.", least=0, most=365
    )
    memory_free_mb: int = setting(
        512, "Minimum free memory (MB) before a session may start; 0 disables the check.", least=0
    )
    disk_free_mb: int = setting(
        200, "Minimum free disk space (MB) for the home before a session may start; 0 disables the check.", least=0
    )
    load_per_core: float = setting(
        16.0, "Highest load average per core (last minute) at which a session may start; 0 disables the check.", least=0
    )


@record
class SessionSettings:
    """Running code agents."""

    stall_minutes: float = setting(
        10.0, "Minutes without output after which an agent counts as stalled and is stopped.", least=0.01
    )
    tool_minutes: float = setting(
        60.0,
        "Minutes for which a running tool or background task keeps a silent agent from counting as stalled.",
        least=0,
    )
    stop_grace_seconds: float = setting(
        10.0, "Seconds that an agent has to stop by itself before it is killed.", least=0
    )
    lease_seconds: float = setting(
        120.0,
        "Seconds for which a claim on a mission is valid without renewal; it is renewed four times in that time.",
        least=8,
    )
    retry_first_seconds: float = setting(
        RETRY_FIRST_SECONDS,
        "Seconds before the first retry of a failed session; each further wait is twice as long.",
        least=0,
    )
    retry_longest_seconds: float = setting(
        RETRY_LONGEST_SECONDS, "Longest wait between two retries, in seconds.", least=0
    )
    retry_attempts: int = setting(
        RETRY_ATTEMPTS, "Consecutive failed attempts after which a mission waits for you.", least=1
    )
    keep_days: int = setting(
        30, "Days after which the transcripts of finished missions are removed; 0 keeps them.", least=0
    )


@record
class AgentSettings:
    """One code agent of this machine; the name after `agents.` is yours, or a type of the catalogue."""

    type: str = setting("", "Catalogue entry of this agent; empty means the entry with its own name.")
    enabled: bool = setting(True, "Whether missions may be given to it.")
    slots: int = setting(2, "How many of its sessions may run at the same time.", least=1, most=64)
    command: str = setting("", "The program to start, as a path or a name; empty means the one that was found.")
    model: str = setting("", "The model it is asked to use; empty means its own choice.")
    permission_mode: str = setting(
        "", "Permission mode, in the agent's own terms; empty means the catalogue's default."
    )
    effort: str = setting("", "Reasoning effort, in the agent's own terms; empty means its own choice.")
    fallback_model: str = setting("", "The model it uses while the first is overloaded, if it supports that.")
    budget_usd: float = setting(
        0.0, "Most that one session may cost, in USD, if the agent supports it; 0 means no limit.", least=0
    )
    arguments: str = setting("", "Additional arguments for its program, quoted as for a shell.")
    environment: str = setting("", "Additional environment variables, such as NAME=value OTHER='two words'.")
    own_tools: bool = setting(True, "Also give it the MCP servers of your own settings, if it supports that.")
    plain_mode: bool = setting(
        False, "Start it in its plain mode, without approvals and messages from you, if it also has another."
    )
    sandbox: str = setting(
        "guard",
        "What it may access on this machine: `off` everything, `guard` no secrets and nothing that later runs as you, "
        "`strict` only its worktree; a project may require more.",
        choices=("off", "guard", "strict"),
    )
    sandbox_allow: str = setting("", "Paths that stay open in its sandbox, quoted as for a shell: ~/.kube /srv/data.")
    skip_permissions: bool = setting(
        False, "Run it without permission prompts; only for a machine or container you can afford to lose."
    )


@record
class BudgetSettings:
    """What sessions may cost, as far as it is known. No session is broken off over it."""

    mission_usd: float = setting(
        0.0,
        "Total cost of a mission's sessions (USD) above which no further session of it starts; 0 means no limit.",
        least=0,
    )
    day_usd: float = setting(
        0.0, "Total cost of a day's sessions (USD) above which no further session starts; 0 means no limit.", least=0
    )
    prices: str = setting(
        "",
        "Prices of models that go before the ones shipped, for agents that tell no cost: in USD for a million tokens "
        "of input, cached input and output, as in `gpt-5.5*=5/0.5/30 mine=0/0/0`.",
        pattern=r"\s*(?:[^\s=]+=\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?){2}(?:\s+|$))*",
    )


@record
class WorktreeSettings:
    """The worktree pool."""

    keep_days: int = setting(7, "Days after which unused worktrees are removed; one per repository is kept.", least=0)
    start_from: str = setting(
        "local",
        "Where a mission starts when the local target branch and its remote-tracking branch differ.",
        choices=("local", "remote"),
    )


@record
class GitHubSettings:
    """Pull requests on GitHub and GitHub Enterprise."""

    poll_seconds: float = setting(
        60.0,
        "Seconds between two checks of open pull requests; unchanged ones hardly count towards the rate limit.",
        least=0.05,
    )
    hosts: str = setting("", "GitHub Enterprise hosts whose names do not contain `github`, separated by commas.")
    api_url: str = setting("", "Override the GitHub Enterprise API URL (default: `https://HOST/api/v3`).")


@record
class BoardSettings:
    """The board."""

    density: str = setting("normal", "How much a card shows.", choices=("normal", "compact", "detailed"))


@record
class ScreenSettings:
    """All screens."""

    theme: str = setting("", "Colour theme, by its name in the palette; empty means the built-in one.")
    motion: str = setting(
        "full", "`full` animates transitions between screens, `reduced` does not.", choices=("full", "reduced")
    )
    notify: str = setting(
        "all",
        "What happens when something waits for you while the terminal is in the background: a desktop notification "
        "with the bell, the bell alone, or nothing.",
        choices=("all", "bell", "off"),
    )
    quiet_hours: str = setting("", "Hours without notifications, such as 22:00-07:00; empty disables them.")


@record
class LogSettings:
    """The log."""

    level: str = setting("info", "The lowest level that is logged.", choices=("debug", "info", "warning", "error"))


@record
class McpSettings:
    """The MCP server of the background service."""

    port: int = setting(
        0, "Port on the loopback interface; 0 means a free one, chosen once and kept.", least=0, most=65535
    )


@record
class Settings:
    """Every setting in force."""

    editor: str = setting("", "Editor for long texts; empty means $VISUAL, then $EDITOR.")
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
