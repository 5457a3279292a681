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


NAMES = r"(?:`\w+`(?:, | and | or )?)+"


@pytest.mark.parametrize("guide", GUIDES)
def test_every_name_that_a_guide_looks_for_in_a_file_is_there(guide: str) -> None:
    """`NAME` of (or in) `file`, and `file` (`NAME`)."""
    text = " ".join((ROOT / guide).read_text(encoding="utf-8").split())
    told = [*re.findall(rf"({NAMES}) (?:of|in) `([\w./]+\.\w+)`", text)]
    told += [(names, file) for file, names in re.findall(rf"`([\w./]+\.\w+)` \(({NAMES})\)", text)]
    missing = [
        f"{name} in {file}"
        for names, file in told
        for name in re.findall(r"\w+(?=`)", names)
        if not re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
    assert guide != "AGENTS.md" or len(told) >= 40, "it looks"


def test_the_map_of_agents_md_has_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    text = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
    assert {name for name in rooms if f"`{name}/`" not in text} == set()
