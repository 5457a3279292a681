"""The guides for contributors name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("AGENTS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/design.md")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
MADE = {".cache", ".venv"}


@pytest.mark.parametrize("guide", GUIDES)
def test_every_file_that_a_guide_names_is_there(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    paths = {name for name in named if name.split("/")[0] in FOLDERS - MADE and "/" in name}
    missing = sorted(
        name for name in paths if not (ROOT / name).exists() and not (ROOT / guide).parent.joinpath(name).exists()
    )
    assert missing == []


def test_the_map_of_agents_md_has_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    text = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
    assert {name for name in rooms if f"`{name}/`" not in text} == set()
