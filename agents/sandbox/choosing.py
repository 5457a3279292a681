"""What this machine can do, and the command that an agent is started with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...missions.errors import SoloUnicornError
from ...system import files
from . import bubblewrap, landlock, seatbelt, watching
from .describing import Run, checkout, describe, watched
from .levels import Level
from .places import SOCKET_VARIABLES, homes

ENTER = Path(__file__).parent / "enter.py"
GIT: Mapping[Level, Mapping[str, str]] = {
    "guard": {"commit.gpgSign": "false", "tag.gpgSign": "false"},
    "strict": {"commit.gpgSign": "false", "tag.gpgSign": "false", "gc.auto": "0", "maintenance.auto": "false"},
}
"""Settings of git in a sandbox: the person's keys are out of reach, and so is what tidying up writes to."""


class NoSandbox(SoloUnicornError):
    """The run is to be in a sandbox that this machine cannot make."""

    code = "no_sandbox"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How a run is held."""

    prefix: tuple[str, ...] = ()
    """What comes before the agent's command."""
    said: str = "off"
    """The level, and what enforces it, for people."""
    unset: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    """Why there is none though one was wanted; as a sentence without its subject."""


BACK_ENDS: Mapping[str, Sequence[tuple[str, Callable[[], str]]]] = {
    "linux": (("bubblewrap", bubblewrap.unable), ("Landlock", landlock.unable)),
    "darwin": (("sandbox-exec", seatbelt.unable),),
}
"""By system, the best first: its name, and why it cannot be used."""


def means() -> str:
    """What holds runs on this machine; empty when nothing does."""
    return next((name for name, why_not in BACK_ENDS.get(sys.platform, ()) if not why_not()), "")


def unable() -> str:
    """Why this machine can hold no run; empty when it can."""
    if means():
        return ""
    whys = [why_not() for _, why_not in BACK_ENDS.get(sys.platform, ())]
    return ", and ".join(whys) or f"there is none for {sys.platform}"


def lesser() -> str:
    """Why runs are held by less than the best of this system; empty when they are not."""
    first, *_ = BACK_ENDS.get(sys.platform, (("", str),))
    return first[1]() if means() not in ("", first[0]) else ""


def enclose(level: Level, run: Run) -> Sandbox:
    """Put a run into the sandbox of its level.

    Where the machine cannot: NoSandbox for `strict`; a run of `guard` goes on without one, and `missing` says so.
    """
    why = unable()
    held = level != "off" and not why
    watching.note(run.run_dir, watched(run, held=held), None if held else checkout(run))
    if level == "off":
        return Sandbox()
    if why:
        if level == "strict":
            todo = (
                "`solo-unicorn doctor` shows what this machine supports; or choose "
                "another level for the agent or project"
            )
            raise NoSandbox("The agent may only run in a strict sandbox, and there is none", why=why, todo=todo)
        return Sandbox(missing=f"runs without a sandbox: {why}")
    return Sandbox(
        prefix=tuple(_prefix(level, run)),
        said=f"{level} ({means()})",
        unset=SOCKET_VARIABLES,
        environment=_git(level, run),
    )


def _prefix(level: Level, run: Run) -> list[str]:
    enter = [sys.executable, "-I", "-S", str(ENTER)]
    match means():
        case "bubblewrap":
            files.replace(run.run_dir / "nothing", b"")
            view, nests = describe(level, run), run.needs.nests
            return [
                *bubblewrap.command(view, run.run_dir, run.start or run.worktree, nests=nests),
                *enter,
                "--sockets",
                "--",
            ]
        case "Landlock":
            policy = run.run_dir / "sandbox.json"
            view = describe(level, run, within=False).without_fresh(homes())
            files.replace(policy, json.dumps(view.to_json()).encode())
            return [*enter, str(policy), "--"]
    return [*seatbelt.command(describe(level, run), homes()), *enter, "--"]


def _git(level: Level, run: Run) -> dict[str, str]:
    """Settings of git, after those that the environment has already."""
    if any(one in ("~/.gnupg", "~/.ssh") for one in run.allowed):
        return {}
    count = int(run.environment.get("GIT_CONFIG_COUNT", "0") or "0")
    found = {"GIT_CONFIG_COUNT": str(count + len(GIT[level]))}
    for place, (name, value) in enumerate(GIT[level].items(), count):
        found |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
    return found
