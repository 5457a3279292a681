"""`solo-unicorn metrics`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace


def test_weeks_agents_and_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, "Shop").id
        workspace.write(
            operations.missions.move,
            workspace.write(operations.missions.create, project, MissionDraft(title="One")).id,
            "done",
        )
    assert main(["metrics", "--weeks", "2", "-p", "shop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[-1].split()[1] == "1"
    assert main(["metrics", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert len(data["weeks"]) == 12 and data["weeks"][-1]["done"] == 1 and data["agents"] == []
    assert main(["metrics", "--agents"]) == 0
    assert main(["metrics", "--weeks", "0"]) == 2
