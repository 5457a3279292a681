"""Output in an encoding that lacks letters of a title: escaped, and JSON stays JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from .conftest import Run

TITLE = "Über 日本 🦄"


def test_what_an_encoding_lacks_is_escaped(run: Run, project: str) -> None:
    assert run("mission", "create", TITLE).code == 0
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}

    def listed(*words: str) -> str:
        command = [sys.executable, "-m", "solo_unicorn", "mission", "list", *words]
        return subprocess.run(command, env=ascii_only, capture_output=True, check=True).stdout.decode("ascii")

    assert "\\u00dcber" in listed()
    assert json.loads(listed("--json"))["data"][0]["title"] == TITLE
