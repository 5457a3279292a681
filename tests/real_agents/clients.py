"""Real code agents as clients of our MCP server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solo_unicorn.mcp_server.install.clients import NAME

from .conftest import Machine
from .installing import CLAUDES, CODEX, GEMINI, OPENCODE, Package
from .scripted_model import Answer, Asked, Failure, Hang, ScriptedModel, Text, Use

OTHERS = ("CLAUDE", "ANTHROPIC", "CODEX", "OPENAI", "GEMINI", "GOOGLE", "OPENCODE", "XDG_")
RUN_SECONDS = 120


@dataclass(frozen=True)
class Driver:
    """How one client is asked: its headless run, its own list of servers, and how it takes an HTTP server."""

    package: Package
    environment: Callable[[Path, str], dict[str, str]]
    """From a folder of its own and the model's URL."""
    headless: Callable[[str, str], list[str]]
    """Arguments for a prompt, given the model's URL."""
    listing: list[str]
    connected: str
    """What its own list says of a server that answers; empty where it does not try."""
    over_http: Callable[[str, str], list[str] | None]
    """Arguments of its own command for a URL and a token; None where it has a file only."""
    deferred: str = ""
    """Before the name of a tool, where the client lets its model search for the tools of servers."""


def _codex_flags(url: str) -> list[str]:
    provider = f'{{name="scripted",base_url="{url}/v1",env_key="SCRIPTED_KEY",wire_api="responses"}}'
    settings = {
        "model": '"gpt-5.5-codex"',
        "model_provider": '"scripted"',
        "model_providers.scripted": provider,
        "approval_policy": '"never"',
        f"mcp_servers.{NAME}.required": "true",
        f"mcp_servers.{NAME}.default_tools_approval_mode": '"approve"',  # nobody is there to be asked
    }
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def _opencode_provider(url: str) -> str:
    options = {"baseURL": f"{url}/v1", "apiKey": "scripted"}
    return json.dumps({"provider": {"anthropic": {"options": options}}, "model": "anthropic/claude-sonnet-4-5"})


DRIVERS = {
    "claude": Driver(
        CLAUDES[-1],
        lambda own, url: {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "scripted",
            "CLAUDE_CONFIG_DIR": str(own),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
        lambda prompt, _url: ["-p", prompt, "--allowedTools", f"mcp__{NAME}"],
        ["mcp", "list"],
        "Connected",
        lambda url, token: [
            "mcp",
            "add",
            "--transport",
            "http",
            NAME,
            url,
            "--header",
            f"Authorization: Bearer {token}",
        ],
        f"mcp__{NAME}__",
    ),
    "codex": Driver(
        CODEX,
        lambda own, _url: {"CODEX_HOME": str(own), "SCRIPTED_KEY": "scripted"},
        lambda prompt, url: ["exec", "--skip-git-repo-check", *_codex_flags(url), "--json", prompt],
        ["mcp", "list"],
        "",
        lambda url, _token: ["mcp", "add", NAME, "--url", url, "--bearer-token-env-var", "RUN_TOKEN"],
        f"mcp__{NAME.replace('-', '_')}.",  # Codex knows no hyphen in the names of servers
    ),
    "gemini": Driver(
        GEMINI,
        lambda own, url: {
            "GEMINI_CLI_HOME": str(own),
            "GEMINI_API_KEY": "scripted",
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_CLI_NO_RELAUNCH": "true",
        },
        lambda prompt, _url: ["-p", prompt, "-m", "gemini-2.5-flash", "--approval-mode", "yolo"],
        ["mcp", "list"],
        "Connected",
        lambda url, token: [
            "mcp",
            "add",
            "--scope",
            "user",
            "-t",
            "http",
            "-H",
            f"Authorization: Bearer {token}",
            "--trust",
            NAME,
            url,
        ],
    ),
    "opencode": Driver(
        OPENCODE,
        lambda own, url: {
            "XDG_CONFIG_HOME": str(own),
            "XDG_DATA_HOME": str(own / "data"),
            "XDG_CACHE_HOME": str(own / "cache"),
            "XDG_STATE_HOME": str(own / "state"),
            "OPENCODE_CONFIG_CONTENT": _opencode_provider(url),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        },
        lambda prompt, _url: ["run", "--format", "json", "-m", "anthropic/claude-sonnet-4-5", "--auto", prompt],
        ["mcp", "list"],
        "connected",
        lambda _url, _token: None,
    ),
}


@dataclass(frozen=True)
class Client:
    """One installed client on the test's machine."""

    name: str
    driver: Driver
    program: Path
    own: Path
    machine: Machine
    model: ScriptedModel

    def run(self, *arguments: str, place: Path | None = None) -> str:
        """Its program in the repository, or in another place; what it printed."""
        where = place or self.machine.repository
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=where,
            env=os.environ | {"PWD": str(where)},  # as a shell has it; OpenCode goes by it
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    def lists_us_as_connected(self) -> None:
        """By its own command, where that connects."""
        listed = self.run(*self.driver.listing)
        assert NAME in listed
        line = next(line for line in listed.splitlines() if NAME in line)
        assert self.driver.connected in line, listed

    def calls(self, tool: str, **arguments: Any) -> None:
        """Asked by its model, which must have been offered the tool, and done."""
        assert "version" in self.answer(tool, None, **arguments)

    def answer(self, tool: str, place: Path | None = None, **arguments: Any) -> str:
        """What our tool answers to its model, in the repository or in another place."""
        return self.answers((tool, arguments), place=place)[0]

    def answers(self, *calls: tuple[str, dict[str, Any]], place: Path | None = None) -> list[str]:
        """What our tools answer, called one after the other in one conversation."""
        before = len(self.model.asked)

        def script(asked: Asked) -> Answer | Failure | Hang:
            if len(asked.calls) >= len(calls):
                return [Text("Written down.")]
            tool, arguments = calls[len(asked.calls)]
            offered = [name for name in asked.tools if name.endswith(tool)]
            return [Use(offered[0] if offered else f"{self.driver.deferred}{tool}", dict(arguments))]

        self.model.script = script
        self.run(*self.driver.headless("Note it", self.model.url), place=place)
        conversation = max((asked.calls for asked in self.model.asked[before:]), key=len)
        assert len(conversation) == len(calls), f"{conversation} {self.model.asked[0].tools} {self.model.strange}"
        return [call.result for call in conversation]
