"""The table of docs/agents.md: generated, each cell proven by a recording or by what the agent is started with."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from solo_unicorn.agents import capabilities, catalogue, launch, parsers
from solo_unicorn.agents.events import LimitReached, UsageUpdate
from solo_unicorn.config import paths
from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import CodeAgent

from .conftest import RECORDINGS

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
ENTRIES = [
    each
    for entry in catalogue.load().values()
    for each in (entry, *([catalogue.door(entry, None, plain=True)] if entry.plain else []))
]


def test_the_page_has_the_table_as_it_is() -> None:
    """`python -m solo_unicorn.agents.capabilities` prints it anew."""
    assert capabilities.markdown() in PAGE.read_text(encoding="utf-8")


RECORDED = sorted({entry.parser for entry in ENTRIES} & {one.name for one in RECORDINGS.iterdir()})


@pytest.mark.parametrize("parser", RECORDED)
def test_what_a_parser_tells_was_recorded(parser: str) -> None:
    told: set[str] = set()
    parse = parsers.parser(parser)
    for recording in (RECORDINGS / parser).glob("*.jsonl"):
        for line in recording.read_text(encoding="utf-8").splitlines():
            for event in parse(line):
                match event:
                    case LimitReached(reset_at=at, reset_clock=clock):
                        told |= {"reset"} if at else {"minute"} if clock else set()
                    case UsageUpdate(usage=usage) if usage.cost_usd is not None:
                        told.add("cost")
    declared: frozenset[str] = getattr(import_module(f"solo_unicorn.agents.parsers.{parser}"), "TELLS", frozenset())
    assert told == declared


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.type}{'-plain' if entry.is_plain else ''}")
def test_an_agent_is_started_as_its_row_says(entry: catalogue.CatalogueEntry, home: Path, tmp_path: Path) -> None:
    cells = capabilities.of(entry)
    image = tmp_path / "sketch.png"
    image.write_bytes(b"\x89PNG")
    settings = Settings(agents={entry.type: replace(Settings().agent(entry.type), plain_mode=entry.is_plain)})
    agent = CodeAgent(entry.type, entry.type, binary="/bin/agent", state="ready")

    def launched(resume: str | None) -> dict[str, object]:
        run_dir = paths.run_dir(f"{entry.type}-{resume}")
        given = {"prompt": "x", "mcp": None, "settings": settings, "correlation": ""}
        launch.prepare(run_dir, agent, worktree=tmp_path, resume=resume, attached=[image], **given)  # type: ignore[arg-type]
        found: dict[str, object] = json.loads((run_dir / "launch.json").read_text())
        return found

    new, resumed = launched(None), launched("conversation-7")
    assert ("conversation-7" in str(resumed["argv"])) == (cells["resume"] == "yes")
    assert new["stdin_stays_open"] == (cells["steer"] == "at once")
    shown = str(image) in str(new["argv"]) or "iVBORw" in str(new["stdin"])
    assert shown == (cells["images"] == "shown")
    assert new["parser"] == entry.parser
