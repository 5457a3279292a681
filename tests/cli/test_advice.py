"""Commands that our own messages and pages tell people to type: each is there, with those words and options."""

from __future__ import annotations

import re
import shlex
from itertools import product
from pathlib import Path

import pytest

from solo_unicorn.cli.table import COMMANDS
from solo_unicorn.missions.errors import UsageError

from ..typed import parse

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "agents",
    "cli",
    "config",
    "docs",
    "hub",
    "mcp_server",
    "missions",
    "sync",
    "system",
    "workspace",
    "tui",
    "workstation",
    "worktrees",
)
INLINE = re.compile(r"`solo-unicorn ([^`]+)`")
BLOCK = re.compile(r"^(?:    |\$ )?solo-unicorn (\S+(?: {1,2}[^\s#>]+)*)", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{[^{}]*\}|<[^<>]*>|…|\.\.\.")
INCOMPLETE = ("required", "expected", "is not a valid value", "invalid int")
"""A mention may leave words out, or hold a name's place; it may not have words that are not taken."""


def mentions() -> set[str]:
    """Every mention, from every file that people read or that talks to them."""
    files = [ROOT / "README.md", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))]
    found: set[str] = set()
    for path in files:
        if path.suffix in (".py", ".md", ".toml"):
            text = path.read_text(encoding="utf-8")
            found.update(INLINE.findall(text))
            if path.suffix == ".md":
                found.update(BLOCK.findall(text))
    return found


def meant(mention: str) -> list[list[str]]:
    """The commands that a mention stands for: alternatives one by one, without what is optional."""
    text = re.sub(r"\[[^\]]*\]", "", PLACEHOLDER.sub("X", mention)).replace(" | ", "|")
    words = shlex.split(text.partition(" > ")[0])
    return [list(one) for one in product(*(word.split("|") if "://" not in word else [word] for word in words))]


def refusal(words: list[str]) -> str:
    """What is wrong with a command, empty when nothing is."""
    noun, *rest = words
    if noun.isupper() or noun.startswith("-"):
        return ""
    if noun not in COMMANDS:
        return f"there is no noun {noun}"
    verbs = COMMANDS[noun][1]
    if not rest or rest[0] in ("--help", "VERB", "X"):
        return ""
    verb, rest = (rest[0], rest[1:]) if rest[0] in verbs else ("", rest)
    if verb not in verbs:
        return f"{noun} has no verb {rest[0]}"
    if "--help" in rest:
        return ""
    try:
        parse(noun, verb, *rest)
    except UsageError as error:
        return "" if any(word in error.what for word in INCOMPLETE) else error.what
    return ""


def test_there_are_many() -> None:
    assert len(mentions()) > 100


@pytest.mark.parametrize("mention", sorted(mentions()))
def test_what_people_are_told_to_type_is_there(mention: str) -> None:
    wrong = {" ".join(words): why for words in meant(mention) if (why := refusal(words))}
    assert not wrong


@pytest.mark.parametrize(
    "words", ["nonsense", "mission nonsense", "auth login HUB", "mission list --nonsense", "sync --nonsense"]
)
def test_a_command_that_is_not_there_is_found(words: str) -> None:
    assert refusal(words.split())
