"""Programs below what looks like a session host: for what is decided by ancestors alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from solo_unicorn.config import paths

HOST = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', sys.argv[2]]).returncode)"


def started_below_host(folder: Path, session_id: str, program: str) -> subprocess.Popen[str]:
    """A Python program as the agent of a session would start it."""
    host = folder / "agents" / "host.py"
    host.parent.mkdir(exist_ok=True)
    host.write_text(HOST)
    command = [sys.executable, str(host), str(paths.run_dir(session_id)), program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
