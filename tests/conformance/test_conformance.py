"""The official conformance suite and the Inspector against our own hosting, in both eras of the protocol."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .programs import environment, program

pytestmark = pytest.mark.slow

HOSTED = str(Path(__file__).with_name("hosted.py"))
REQUIRED = {"2025-11-25": 31, "2026-07-28": 37}
"""How many scenarios each revision requires."""
SUITE_SECONDS = 150


@pytest.fixture
def url(home: Path) -> Iterator[str]:
    """Our server with the fixtures, in a process of its own."""
    errors = (home / "hosted.err").open("wb")
    hosted = subprocess.Popen(
        [sys.executable, HOSTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    assert hosted.stdin is not None and hosted.stdout is not None
    with errors, hosted:
        url = hosted.stdout.readline().strip()
        assert url, (home / "hosted.err").read_text()
        yield url
        hosted.stdin.close()
        assert hosted.wait(30) == 0
    assert (home / "hosted.err").read_text() == ""


@pytest.mark.parametrize("era", list(REQUIRED))
def test_every_required_scenario_passes(era: str, url: str, tmp_path: Path) -> None:
    """Exit code 0 says it; that the scenarios ran, and passed by more than silence, is looked at besides."""
    command = [*program("conformance"), "server", "--url", url, "--requirements", era, "--output-dir", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=SUITE_SECONDS)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    summary = ran.stdout[ran.stdout.index("=== SUMMARY ===") :]
    passed = dict(re.findall(r"^✓ ([\w-]+): (\d+) passed, 0 failed", summary, re.MULTILINE))
    required, _, unscored = summary.partition("Not scored")
    beside = set(re.findall(r"✗ ([\w-]+) \((?:extension|pending|added-after-release)\)", unscored))
    failed = set(re.findall(r"^✗ ([\w-]+):", required, re.MULTILINE))
    assert failed <= beside
    assert len(passed) >= REQUIRED[era]
    assert "untestable" not in ran.stdout


def test_the_inspector_finds_our_tools_portable(url: str) -> None:
    """`--strict` refuses schemas that some client cannot take."""
    command = [*program("mcp-inspector"), "--cli", url, "--transport", "http", "--strict", "--method", "tools/list"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    names = {tool["name"] for tool in json.loads(ran.stdout)["tools"]}
    assert {"get_context", "complete_stage", "memory_replace"} <= names
