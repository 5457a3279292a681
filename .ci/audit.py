"""Ask whether a dependency has a known weakness: `audit.py REQUIREMENTS…`, with pip-audit in an environment of its own.

Exit code 1 when one has. Without a network, or where the service does not answer, it says so and ends with 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TOOL = "pip-audit>=2.9,<3"
SECONDS = 300


def main(requirements: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="audit-") as place:
        python = Path(place) / "bin" / "python"
        venv.create(place, with_pip=True)
        made = run(
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", TOOL
        )
        if made.returncode:
            return skipped("pip-audit cannot be installed", made.stderr)
        found = 0
        for name in requirements:
            asked = ("--requirement", name, "--require-hashes", "--disable-pip", "--no-deps", "--format", "json")
            said = run(str(python), "-m", "pip_audit", *asked, "--progress-spinner", "off")
            try:
                packages = json.loads(said.stdout)["dependencies"]
            except (ValueError, KeyError):
                return skipped(f"{name} cannot be compared with the list of weaknesses", said.stderr)
            for one in packages:
                for weakness in one.get("vulns", ()):
                    found += 1
                    fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
                    print(f"{name}: {one['name']} {one['version']} has {weakness['id']}; mended in: {fixed}")
        print(f"{found} known weaknesses in {', '.join(requirements)}")
        return 1 if found else 0


def run(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"no answer within {SECONDS} s")


def skipped(what: str, why: str) -> int:
    last = why.strip().splitlines()[-1:] or ["no word"]
    print(f"skipped: {what} ({last[0][:200]})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
