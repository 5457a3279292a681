"""Smoke tests of an installed `solo-unicorn`: python .ci/smoke.py PATH. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main(program: str) -> int:
    """Run a few commands in a home of their own, away from the repository; 0 when all of them do what they should."""
    with tempfile.TemporaryDirectory(prefix="su-") as place:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SOLO_UNICORN_"))
        }
        environment |= {
            "HOME": place,
            "SOLO_UNICORN_HOME": f"{place}/home",
            "PATH": f"{Path(program).parent}:{os.environ['PATH']}",
        }

        def run(*arguments: str, code: int = 0) -> str:
            print("$ solo-unicorn", *arguments, flush=True)
            done = subprocess.run(
                [program, *arguments],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if done.returncode != code:
                raise SystemExit(f"exit code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
            return done.stdout

        try:
            assert run("--version").startswith("solo-unicorn ")
            assert "mission" in run("--help")
            run("nonsense", code=2)
            run("project", "create", "Smoke")
            assert json.loads(run("mission", "create", "A mission", "--json"))["data"]["ref"] == "M-1"
            assert "A mission" in run("mission", "list")
            assert len(run("completion", "bash")) > 100
            assert "workstation.slots" in run("config", "list")
            run("mission", "show", "M-99", code=3)
            assert "ready" in run("agent", "scan", "rehearsal")
            run("workstation", "start", "--background")
            assert json.loads(run("workstation", "status", "--json"))["data"]["running"]
            run("workstation", "stop")
            doctor = run("doctor")
            assert "workspace" in doctor and "fail" not in doctor, doctor
            if shutil.which("git"):
                run("demo")
        finally:
            subprocess.run(
                [program, "workstation", "stop", "--force"], env=environment, capture_output=True, check=False
            )
    print("the wheel works")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
