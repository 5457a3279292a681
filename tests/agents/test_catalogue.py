"""The catalogue: data that people can add to, checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, parsers
from solo_unicorn.missions.errors import InvalidValue, NotFound


def test_every_agent_we_ship_has_a_parser_and_says_what_to_do() -> None:
    entries = catalogue.load()
    assert {"claude", "rehearsal"} <= set(entries)
    for entry in entries.values():
        assert entry.parser in parsers.NAMES, entry.type
        assert entry.command or (entry.binaries and entry.install), entry.type
        assert not entry.sign_in_check.arguments or entry.sign_in, entry.type
        assert not any("{token" in argument.lower() for argument in entry.turn.mcp), "a token is never an argument"


def test_a_persons_own_file_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "claude.toml").write_text('title = "My Claude"\nparser = "claude"\nbinaries = ["my-claude"]\n')
    assert catalogue.load(own=tmp_path)["claude"].title == "My Claude"
    assert catalogue.load()["claude"].title == "Claude Code"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("title = ", ""),
        ('title = "x"', "parser"),
        ('title = "x"\nparser = "raw"\ncolour = "red"', "colour"),
        ('title = 5\nparser = "raw"', "title"),
        ('title = "x"\nparser = "raw"\nbinaries = "one"', "binaries"),
        ('title = "x"\nparser = "raw"\n[turn]\narguments = [1]', "turn.arguments"),
        ('title = "x"\nparser = "raw"\n[turn]\nprompt = "telepathy"', "turn.prompt"),
        ('title = "x"\nparser = "raw"\n[turn]\nlistens = "yes"', "turn.listens"),
        ('title = "x"\nparser = "raw"\n[turn]\nwhatever = 1', "turn.whatever"),
        ('title = "x"\nparser = "raw"\n[version]\npattern = "("', "version.pattern"),
        ('title = "x"\nparser = "raw"\n[turn.environment]\nA = 1', "turn.environment"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InvalidValue, match=r"mine\.toml") as told:
        catalogue.load(own=tmp_path)
    assert told.value.field == key


def test_arguments_without_their_value_are_left_out_whole() -> None:
    assert catalogue.filled(["--model", "{model}"], {"model": ""}) == []
    assert catalogue.filled(["--model", "{model}"], {}) == []
    assert catalogue.filled(["--model={model}", "-v"], {"model": "big one"}) == ["--model=big one", "-v"]
    assert catalogue.filled(["{a}"], {"a": "{b}", "b": "no"}) == ["{b}"], "a value is never filled again"


def test_an_unknown_type_is_told_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="claude"):
        catalogue.entry("clippy")
