"""docs/specification.md names places that exist, and says first what is not there yet."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from solo_unicorn.cli.table import COMMANDS
from solo_unicorn.missions.errors import UsageError

from ..typed import parse
from .pages import ROOT

PAGE = ROOT / "docs" / "specification.md"
TEXT = PAGE.read_text(encoding="utf-8")
MISSING = "**not there yet**"
ROW = re.compile(r"^\| (?!statement|---)(.+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(TEXT)
PLACES = sorted({place for _, here in ROWS for place in re.findall(r"`([^`]+)`", here)})
HUB = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hub").rglob("*.py"))
SETTINGS = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS = 15


def what_is_wrong(place: str) -> str:
    """Empty when the place exists."""
    if place.startswith("solo-unicorn "):
        return _command(shlex.split(place)[1:])
    if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", place):
        method, path = place.split()
        paths = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
        return "" if method.lower() in paths.get(path, {}) else "not in docs/openapi.json"
    if place.startswith("SOLO_UNICORN_HUB_"):
        name = place.removeprefix("SOLO_UNICORN_HUB_")
        pages = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("hub.md", "deploy/README.md"))
        return "" if f"`{name}`" in pages or f"_{name}" in pages else "no setting of a hub"
    if place.startswith("/"):
        return "" if f'"{place}"' in HUB or place == "/rpc" else "the hub has no such path"
    if re.fullmatch(r"(workstation|worktrees|sessions|agents|ui|log|github|budget)\.[\w.<>]+", place):
        return (
            ""
            if f"| `{place}` |" in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
            else "no such setting"
        )
    if "/" in place or re.fullmatch(r"[\w-]+\.(md|toml|json|yaml)|Makefile", place):
        return "" if (ROOT / place).exists() else "no such file"
    return ""


def _command(words: list[str]) -> str:
    noun, *rest = words
    if noun not in COMMANDS:
        return f"no noun {noun}"
    verb, rest = (rest[0], rest[1:]) if rest and rest[0] in COMMANDS[noun][1] else ("", rest)
    if verb not in COMMANDS[noun][1]:
        return f"{noun} has no verb {' '.join(rest)}"
    try:
        parse(noun, verb, *rest)
    except UsageError as error:
        return "" if "required" in error.what else error.what
    return ""


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_named_exists(place: str) -> None:
    assert not what_is_wrong(place)


@pytest.mark.parametrize(
    "place",
    [
        "solo-unicorn nonsense",
        "solo-unicorn auth nonsense",
        "solo-unicorn auth login --nonsense",
        "GET /api/v1/nonsense",
        "POST /api/v1/public/projects",
        "hub/nonsense.py",
        "worktrees.nonsense",
        "SOLO_UNICORN_HUB_NONSENSE",
        "/nonsense",
    ],
)
def test_a_place_that_does_not_exist_is_found(place: str) -> None:
    assert what_is_wrong(place)


def test_every_row_says_something() -> None:
    tables = TEXT.count("| statement | here |")
    assert tables >= SECTIONS and len(ROWS) == sum(line.startswith("| ") for line in TEXT.splitlines()) - 2 * tables
    assert all(len(here) > 3 for _, here in ROWS)


def test_what_is_missing_is_listed_first() -> None:
    listed = TEXT.partition("## Not there yet")[2].partition("\n## ")[0]
    missing = [statement for statement, here in ROWS if MISSING in here]
    assert missing and re.findall(r"^- (.+)$", listed, re.MULTILINE) == missing
