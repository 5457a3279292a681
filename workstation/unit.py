"""The service as something the system starts with the person's session: a systemd user unit or a launchd agent.

The unit has this machine's paths in it: the Python that runs us, the PATH on which agents are found, and the home when
it is not the usual one. It holds no secret. Agents and their hosts are left alone when the service is stopped or
restarted by the system (KillMode=process, AbandonProcessGroup), as by everybody else; the next service adopts them.
Nor does the service end because one of them was killed when memory ran out (OOMPolicy=continue). At the end of the
person's login all of it ends, unless the person lingers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..config import paths
from ..missions.errors import NotFound, SoloUnicornError
from . import client

COMMAND_SECONDS: Final = 60.0
TAKEN: Final = 75
"""Exit code of a service that found another one: started again it would find it again."""
_SYSTEMD: Final = """\
[Unit]
Description=Solo Unicorn workstation service ({home})

[Service]
Type=notify
ExecStart={command}
{environment}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={taken}
KillMode=process
OOMPolicy=continue
TimeoutStopSec=60
OOMScoreAdjust=100

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is written for this system, and the commands that make the system know it."""

    name: str
    path: Path
    content: bytes
    probe: tuple[str, ...]
    """Succeeds when there is a manager to talk to."""
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...] = ()
    """Once the file is gone."""


def unit(system: str = sys.platform) -> Unit:
    """The unit for this home; `system` is sys.platform's word. NotFound where neither manager exists."""
    if system == "darwin":
        return _launchd()
    if system.startswith("linux"):
        return _systemd()
    raise NotFound(f"There is no unit for {system}", todo="start it by `solo-unicorn workstation start --background`")


def install() -> list[str]:
    """Write the unit and start it now and at every login; sentences of what was done.

    Nothing is written where no manager answers (a container, a machine without a user session).
    """
    wanted = unit()
    _probe(wanted)
    done = []
    if client.stop():
        done.append("Stopped the running service; its sessions continue.")
    known = wanted.path.read_bytes() if wanted.path.exists() else None
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    wanted.path.write_bytes(wanted.content)
    done.append(f"{'Wrote' if known is None else 'Renewed'} {wanted.path}")
    for number, command in enumerate(wanted.start):
        # launchd refuses to load what it has: the first command lets go of it, and fails when there is nothing
        _ran(command, needed=not (wanted.path.suffix == ".plist" and number == 0))
        done.append(f"Ran {' '.join(command)}")
    if wanted.path.suffix == ".service" and not _lingers():
        done.append("It runs while you are logged in; `loginctl enable-linger` keeps it running after you log out.")
    return done


def uninstall() -> list[str]:
    """Stop the service, take the unit away; sentences of what was done. Sessions go on. NotFound without a unit."""
    wanted = unit()
    if not wanted.path.exists():
        raise NotFound("The workstation service is not installed", why=f"there is no {wanted.path}")
    done = []
    for command in wanted.stop:
        told = _ran(command, needed=False)
        done.append(f"Ran {' '.join(command)}" + (f" ({told})" if told else ""))
    wanted.path.unlink()
    done.append(f"Removed {wanted.path}")
    for command in wanted.after:
        _ran(command, needed=False)
    return done


def tell_manager(state: str) -> None:
    """Tell systemd how we are (`READY=1`), where it started us; its address is not for the agents we start."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect("\0" + address[1:] if address.startswith("@") else address)
            connection.send(state.encode())


def _systemd() -> Unit:
    name = f"solo-unicorn{_suffix()}.service"
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    content = _SYSTEMD.format(
        home=str(paths.home()).replace("%", "%%"),
        command=" ".join(_quoted(word).replace("$", "$$") for word in _command()),
        environment="\n".join(f"Environment={_quoted(f'{key}={value}')}" for key, value in _environment().items()),
        taken=TAKEN,
    )
    user = ("systemctl", "--user")
    return Unit(
        name,
        base / "systemd" / "user" / name,
        content.encode(),
        (*user, "show-environment"),
        start=((*user, "daemon-reload"), (*user, "enable", name), (*user, "restart", name)),
        stop=((*user, "disable", "--now", name),),
        after=((*user, "daemon-reload"),),
    )


def _launchd() -> Unit:
    import plistlib

    label = f"solo-unicorn.workstation{_suffix()}"
    path = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
    content = plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": list(_command()),
            "EnvironmentVariables": _environment(),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 30,
            "AbandonProcessGroup": True,
        }
    )
    domain = f"gui/{os.getuid()}"
    leave = ("launchctl", "bootout", f"{domain}/{label}")
    return Unit(
        label,
        path,
        content,
        ("launchctl", "print", domain),
        start=(leave, ("launchctl", "bootstrap", domain, str(path))),
        stop=(leave,),
    )


def _command() -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "solo_unicorn", "workstation", "run", "--stay")


def _environment() -> dict[str, str]:
    found = {"PATH": os.environ.get("PATH", os.defpath)}
    if paths.HOME_VARIABLE in os.environ:
        found[paths.HOME_VARIABLE] = str(paths.home())
    return found


def _suffix() -> str:
    """Another home is another workspace, with a service of its own."""
    if paths.HOME_VARIABLE not in os.environ:
        return ""
    return f"-{hashlib.sha256(str(paths.home()).encode()).hexdigest()[:8]}"


def _quoted(word: str) -> str:
    """As a unit file reads it: `%` stands for specifiers."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n") + '"'


def _probe(wanted: Unit) -> None:
    program = wanted.probe[0]
    if shutil.which(program) is None:
        why = f"there is no {program} on this machine"
    elif not (why := _ran(wanted.probe, needed=False)):
        return
    raise SoloUnicornError(
        "The service cannot be installed: this machine has no supported service manager",
        why=why,
        todo="`solo-unicorn workstation install --print` prints the unit, "
        "`solo-unicorn workstation start --background` starts the service until the machine stops",
    )


def _ran(command: Sequence[str], *, needed: bool) -> str:
    """Run it; empty when it went well, else what it said. Raises when it was needed."""
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    else:
        said = " ".join((ran.stderr or ran.stdout).split())[:300]
        why = "" if ran.returncode == 0 else said or f"exit code {ran.returncode}"
    if why and needed:
        raise SoloUnicornError(f"`{' '.join(command)}` failed", why=why, todo="fix that, then install again")
    return why


def _lingers() -> bool:
    return Path("/var/lib/systemd/linger", os.environ.get("USER", "")).is_file()
