"""What `solo-unicorn mcp` does, with the tests' own service, whose pid is in a file: `python bridged.py [opening]`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from solo_unicorn.config import paths
from solo_unicorn.mcp_server.bridge import run
from solo_unicorn.mcp_server.opening import Opening


def ensure_running() -> None:
    """Start the service; the bridge waits for its socket."""
    home = Path(os.environ["SOLO_UNICORN_HOME"])
    with (home / "service.err").open("ab") as errors:
        service = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("service.py"))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    (home / "service.pid").write_text(str(service.pid))


if __name__ == "__main__":
    answers = Opening("1.2.3") if "opening" in sys.argv else None
    token = os.environ.get("SOLO_UNICORN_TOKEN")
    raise SystemExit(run(ensure_running, paths.mcp_socket(), token=token, opening=answers))
