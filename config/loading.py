"""The settings in force: the file, the environment over it; an old file is brought up to date first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from .paths import config_file, old_config_file
from .settings import (
    SCHEMA,
    VERSION,
    AgentSettings,
    BoardSettings,
    BudgetSettings,
    GitHubSettings,
    LogSettings,
    McpSettings,
    ScreenSettings,
    SessionSettings,
    Settings,
    WorkstationSettings,
    WorktreeSettings,
    find,
)


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a missing file means the defaults. Standard library only, so that it is quick.

    Raises SettingsError (InvalidValue) that names file, line and key; TryAgain for a file of a newer version. An old
    file is migrated first, with a copy kept.
    """
    file = path or config_file()
    environment = os.environ if environ is None else environ
    if not file.exists():
        if not (old_config_file() if path is None else file.with_suffix(".json")).exists():
            return build({}, environment)
        from .migrate import take_over  # most start with neither an old file nor an old format

        take_over(file.with_suffix(".json"), file)
    from . import parsing  # most machines have no file

    text = parsing.text_of(file)
    document = parsing.parse(text, file)
    if parsing.version_of(document, file) < VERSION:
        from .migrate import migrate

        text = migrate(file)
        document = parsing.parse(text, file)
    return build(parsing.values(document, text, file), environment)


def build(values: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Settings from checked values by key, with the environment laid over them; SettingsError names the variable."""
    merged = {**values, **from_environment(values, environ)}
    agents: dict[str, dict[str, Any]] = {}
    keys: dict[str, str] = {}
    sections: dict[str, dict[str, Any]] = {}
    for name, value in merged.items():
        match name.split("."):
            case ["agents", agent, last]:
                agents.setdefault(agent, {})[last] = value
            case ["keys", *binding]:
                keys[".".join(binding)] = str(value)
            case [section, last]:
                sections.setdefault(section, {})[last] = value
            case _:
                sections.setdefault("", {})[name] = value
    return Settings(
        **sections.get("", {}),
        workstation=WorkstationSettings(**sections.get("workstation", {})),
        sessions=SessionSettings(**sections.get("sessions", {})),
        agents={agent: AgentSettings(**entries) for agent, entries in agents.items()},
        budget=BudgetSettings(**sections.get("budget", {})),
        worktrees=WorktreeSettings(**sections.get("worktrees", {})),
        github=GitHubSettings(**sections.get("github", {})),
        board=BoardSettings(**sections.get("board", {})),
        ui=ScreenSettings(**sections.get("ui", {})),
        log=LogSettings(**sections.get("log", {})),
        mcp=McpSettings(**sections.get("mcp", {})),
        keys=keys,
    )


def from_environment(values: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, object]:
    """The keys that an environment variable overrides; an agent that no file names may be set there too."""
    found: dict[str, object] = {}
    agents = {name.split(".")[1] for name in values if name.startswith("agents.")}
    for variable, text in environ.items():
        if not variable.startswith("SOLO_UNICORN_"):
            continue
        if variable.startswith("SOLO_UNICORN_AGENTS_"):
            name = _agent_key(variable.removeprefix("SOLO_UNICORN_AGENTS_"), agents)
        else:
            name = _BY_VARIABLE.get(variable)
        if name is not None and (row := find(name)) is not None:
            found[name] = row.from_variable(variable, text)
    return found


_BY_VARIABLE: Final = {row.variable: row.name for row in SCHEMA if row.variable}


def _agent_key(rest: str, known: set[str]) -> str | None:
    """CLAUDE_SLOTS -> agents.claude.slots; a known name may have a dash where the variable has an underscore."""
    for entry in fields(AgentSettings):
        ending = f"_{entry.name.upper()}"
        if rest.endswith(ending):
            spoken = rest.removesuffix(ending).lower()
            agent = next((name for name in known if name.lower().replace("-", "_") == spoken), spoken.replace("_", "-"))
            return f"agents.{agent}.{entry.name}" if spoken else None
    return None
