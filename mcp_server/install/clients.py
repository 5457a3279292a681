"""The MCP clients we know: where each keeps its servers, how it writes an entry, and its own command for it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...missions.entities import Json, JsonObject

Scope = Literal["user", "project"]
SCOPES: tuple[Scope, ...] = ("user", "project")
NAME = "solo-unicorn"
"""What the server is called in every client."""
HANDED_ON = ("SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")
"""Clients start servers with few variables: where ours is set, the entry says so."""


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """How a client is to start us."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownClient:
    """One client. `add` and `remove` are its own command's arguments, None where it has none for that scope."""

    name: str
    title: str
    program: str
    file: Callable[[Scope, Path], Path]
    """Of a scope, for the project at that path."""
    path: tuple[str, ...]
    """Where entries stand in the file."""
    write: Callable[[ClientEntry], JsonObject]
    read: Callable[[JsonObject], ClientEntry | None]
    add: Callable[[Scope, ClientEntry], list[str] | None] = lambda _scope, _entry: None
    remove: Callable[[Scope], list[str] | None] = lambda _scope: None
    env: Mapping[str, str] = field(default_factory=dict)
    """What its own command needs in the environment."""


def entry(scope: Scope) -> ClientEntry:
    """The user's settings name our program by its path; a project's are shared, so they name it is called."""
    if scope == "project":
        return ClientEntry((NAME, "mcp"))
    env = {name: os.environ[name] for name in HANDED_ON if os.environ.get(name)}
    beside = Path(sys.executable).with_name(NAME)
    found = str(beside) if beside.exists() else shutil.which(NAME)
    return ClientEntry((found, "mcp") if found else (sys.executable, "-m", __name__.split(".")[0], "mcp"), env)


def _plain(one: ClientEntry) -> JsonObject:
    written: JsonObject = {"command": one.command[0], "args": list(one.command[1:])}
    return written | ({"env": dict(one.env)} if one.env else {})


def _typed(one: ClientEntry) -> JsonObject:
    return {"type": "stdio"} | _plain(one)


def _opencode(one: ClientEntry) -> JsonObject:
    written: JsonObject = {"type": "local", "command": list(one.command), "enabled": True}
    return written | ({"environment": dict(one.env)} if one.env else {})


def _read_plain(found: JsonObject) -> ClientEntry | None:
    if found.get("type", "stdio") != "stdio" or found.get("disabled") is True or found.get("enabled") is False:
        return None
    return _entry([found.get("command"), *_list(found.get("args"))], found.get("env"))


def _read_opencode(found: JsonObject) -> ClientEntry | None:
    if found.get("type") != "local" or found.get("enabled") is False:
        return None
    return _entry(_list(found.get("command")), found.get("environment"))


def _entry(command: list[Json], env: Json) -> ClientEntry | None:
    if not command or not all(isinstance(word, str) for word in command):
        return None
    given = env if isinstance(env, dict) else {}
    return ClientEntry(tuple(str(word) for word in command), {name: str(value) for name, value in given.items()})


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


def _variables(switch: str, one: ClientEntry) -> list[str]:
    return [word for name, value in one.env.items() for word in (switch, f"{name}={value}")]


def _home(variable: str, *standard: str) -> Path:
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen else Path.home().joinpath(*standard)


def _claude_file(scope: Scope, project: Path) -> Path:
    return project / ".mcp.json" if scope == "project" else _home("CLAUDE_CONFIG_DIR") / ".claude.json"


def _codex_file(scope: Scope, project: Path) -> Path:
    return (project / ".codex" if scope == "project" else _home("CODEX_HOME", ".codex")) / "config.toml"


def _gemini_file(scope: Scope, project: Path) -> Path:
    return (project if scope == "project" else _home("GEMINI_CLI_HOME")) / ".gemini" / "settings.json"


def _opencode_file(scope: Scope, project: Path) -> Path:
    folder = project if scope == "project" else _home("XDG_CONFIG_HOME", ".config") / "opencode"
    names = ("opencode.jsonc", "opencode.json")
    return next((folder / name for name in names if (folder / name).exists()), folder / "opencode.json")


def _cursor_file(scope: Scope, project: Path) -> Path:
    return (project if scope == "project" else Path.home()) / ".cursor" / "mcp.json"


def _vscode_file(scope: Scope, project: Path) -> Path:
    if scope == "project":
        return project / ".vscode" / "mcp.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Code" / "User" / "mcp.json"
    return _home("XDG_CONFIG_HOME", ".config") / "Code" / "User" / "mcp.json"


CLIENTS: dict[str, KnownClient] = {
    client.name: client
    for client in (
        KnownClient(
            "claude",
            "Claude Code",
            "claude",
            _claude_file,
            ("mcpServers",),
            _typed,
            _read_plain,
            # the switch for variables takes all that follows it: the name stands before it
            lambda scope, one: ["mcp", "add", "--scope", scope, NAME, *_variables("-e", one), "--", *one.command],
            lambda scope: ["mcp", "remove", "--scope", scope, NAME],
        ),
        KnownClient(
            "codex",
            "Codex",
            "codex",
            _codex_file,
            ("mcp_servers",),
            _plain,
            _read_plain,
            lambda scope, one: (
                ["mcp", "add", NAME, *_variables("--env", one), "--", *one.command] if scope == "user" else None
            ),
            lambda scope: ["mcp", "remove", NAME] if scope == "user" else None,
        ),
        KnownClient(
            "gemini",
            "Gemini CLI",
            "gemini",
            _gemini_file,
            ("mcpServers",),
            _plain,
            _read_plain,
            lambda scope, one: ["mcp", "add", "--scope", scope, *_variables("-e", one), NAME, *one.command],
            lambda scope: ["mcp", "remove", "--scope", scope, NAME],
            # in a folder that is not trusted its command forgets the servers that were there
            {"GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "true"},
        ),
        KnownClient("opencode", "opencode", "opencode", _opencode_file, ("mcp",), _opencode, _read_opencode),
        KnownClient("cursor", "Cursor", "cursor", _cursor_file, ("mcpServers",), _plain, _read_plain),
        KnownClient("vscode", "VS Code", "code", _vscode_file, ("servers",), _typed, _read_plain),
    )
}
