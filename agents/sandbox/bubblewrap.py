"""Linux: bubblewrap, with user, mount and process namespaces."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from shutil import which
from typing import Final

from ...system.ancestry import RUN_MARK
from .view import Access, SandboxView

ISOLATED: Final = ("--unshare-user", "--unshare-pid", "--die-with-parent")
BARE: Final = ("--cap-drop", "ALL")
"""Without capabilities, which root would keep: with them it could take a hidden place's cover away."""
DEVICES: Final = ("kvm", "dri", "fuse", "net", "nvidia*", "kfd")
PROBE_SECONDS = 5.0


@cache
def unable() -> str:
    """Why it cannot be used on this machine; empty when it can."""
    program = which("bwrap")
    if program is None:
        return "bubblewrap (bwrap) is not installed"
    command = [program, *ISOLATED, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return f"bubblewrap cannot be started ({error})"
    said = asked.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("bwrap: ")
    return f"bubblewrap may not create its namespaces ({said or asked.returncode})" if asked.returncode else ""


def command(view: SandboxView, run_dir: Path, start: Path, *, nests: bool = False) -> list[str]:
    """What comes before the command of a program that is to see the machine so.

    Hidden files show the empty file `nothing` in the run directory, hidden directories are empty. `nests`: it makes a
    sandbox of its own within, for which root needs its capabilities.
    """
    words = [which("bwrap") or "bwrap", *ISOLATED, *(() if nests else BARE)]
    words += ["--bind" if view.base == "write" else "--ro-bind", "/", "/"]
    words += ["--dev", "/dev", "--proc", "/proc"]
    for device in (str(found) for pattern in DEVICES for found in sorted(Path("/dev").glob(pattern))):
        words += ["--dev-bind-try", device, device]
    sealed: list[str] = []
    for path, access in pinned(view).items():
        match access:
            case "hidden" if path.is_dir():
                words += ["--tmpfs", str(path)]
                sealed += ["--remount-ro", str(path)]
            case "hidden":
                words += ["--ro-bind", str(run_dir / "nothing"), str(path)]
            case "fresh" if path.is_relative_to("/dev"):
                pass  # `--dev` made it
            case "fresh":
                words += ["--tmpfs", str(path)]
            case "read":
                words += ["--ro-bind", str(path), str(path)]
            case "write":
                words += ["--bind", str(path), str(path)]
    return [*words, *sealed, "--setenv", RUN_MARK, str(run_dir), "--chdir", str(start), "--"]


def pinned(view: SandboxView) -> dict[Path, Access]:
    """The places, with each writable directory above a closed one as a place of its own.

    What is mounted cannot be renamed, but what it is in can: `~/.config` would be moved away, and another put there.
    """
    above = {
        directory
        for path, access in view.places.items()
        if access in ("hidden", "read")
        for directory in path.parents
        if directory not in view.places
        and view.access(directory) == "write"
        and directory != Path("/")
        and os.access(directory.parent, os.W_OK)
    }
    every: dict[Path, Access] = {**view.places, **dict.fromkeys(above, "write")}
    return dict(sorted(every.items(), key=lambda place: len(place[0].parts)))
