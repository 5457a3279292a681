"""What is printed, on a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.cli.output import Output, _cut, _width
from solo_unicorn.missions.entities import Json


def on_a_terminal(*arguments: str, columns: int = 60, more: Mapping[str, str] | None = None) -> str:
    """What the program prints on a terminal of that width."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **(more or {})},
        close_fds=True,
    )
    os.close(follower)
    said = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        said += chunk
    process.wait(60)
    os.close(leader)
    return said.decode().replace("\r\n", "\n")


def test_a_terminal_gets_aligned_columns_under_a_header_cut_to_its_width(home: Path) -> None:
    main(["project", "create", "Acme"])
    main(["mission", "create", "A title that is much too long for the narrow terminal it is shown on, by far"])
    main(["mission", "create", "日本語のタイトル"])
    shown = on_a_terminal("mission", "list", more={"NO_COLOR": "1"}).splitlines()
    assert shown[0].split() == ["REF", "LIST", "P", "STAGE", "STATE", "TASKS", "TITLE"]
    assert [line.index("M-") for line in shown[1:]] == [0, 0]
    assert all(_width(line) <= 60 for line in shown) and shown[1].endswith("…")
    assert shown[2].endswith("日本語のタイトル")
    assert "\x1b" not in "".join(shown)


def test_a_terminal_too_narrow_for_columns_gets_whole_words_below_each_other(home: Path) -> None:
    main(["project", "create", "Acme"])
    main(["mission", "create", "A title that is much too long for the narrow terminal it is shown on, by far"])
    shown = on_a_terminal("mission", "list", columns=44, more={"NO_COLOR": "1"}).splitlines()
    assert [line.split()[0] for line in shown] == ["REF", "LIST", "M-1", "todo"]
    assert all(_width(line) <= 44 for line in shown)


def test_colour_is_only_for_terminals_and_never_with_no_color(home: Path) -> None:
    main(["project", "create", "Acme"])
    assert "\x1b[2m" in on_a_terminal("project", "list", more={"NO_COLOR": ""})
    assert "\x1b" not in on_a_terminal("project", "list", more={"TERM": "dumb", "NO_COLOR": ""})


def test_a_question_is_asked_on_a_terminal_and_no_is_the_default(home: Path) -> None:
    main(["project", "create", "Acme"])
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "project", "delete", "acme"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(leader, b"\n")
    _, asked = process.communicate(timeout=60)
    os.close(leader)
    os.close(follower)
    assert process.returncode == 1 and "and its memory? [y/N]" in asked


def test_escape_sequences_in_texts_do_not_reach_a_terminal(home: Path) -> None:
    main(["project", "create", "Acme"])
    main(["memory", "append", "notes", "red \x1b[31malert\x07"])
    shown = on_a_terminal("memory", "read", "notes")
    assert "\x1b" not in shown and "\x07" not in shown and "alert" in shown


def test_json_on_a_terminal_has_no_letter_that_it_acts_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: Json = {"text": "日本 \x9b2J \u202eodd"}
    for terminal, shown in ((True, r"日本 \u009b2J \u202eodd"), (False, "日本 \x9b2J \u202eodd")):
        monkeypatch.setattr(sys.stdout, "isatty", lambda terminal=terminal: terminal, raising=False)
        Output(Namespace(json=True, quiet=False)).done("", said)
        out = capsys.readouterr().out
        assert shown in out and json.loads(out)["data"] == said


def test_wide_and_combining_characters_are_counted_as_cells() -> None:
    assert _width("日本") == 4 and _width("e\u0301") == 1
    assert _cut("日本語", 4) == "日…" and _cut("short", 10) == "short"


def test_painted_lines_keep_their_colour_and_nothing_else_that_a_terminal_acts_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    lines = [("\x1b[32m", "+ added \x1b[2J"), ("", "plain")]
    Output(Namespace(json=False, quiet=False)).painted(lines)
    assert capsys.readouterr().out == "\x1b[32m+ added �[2J\x1b[0m\nplain\n"
    monkeypatch.setenv("NO_COLOR", "1")
    Output(Namespace(json=False, quiet=False)).painted(lines)
    assert capsys.readouterr().out == "+ added �[2J\nplain\n"


@pytest.mark.parametrize("words", [("--version",), ("config", "list"), ("config", "get", "ui.theme", "--json")])
def test_a_full_disk_behind_the_output_is_said_and_is_exit_1(home: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "solo_unicorn", *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    assert "The output could not be written" in done.stderr and "nothing else was changed" not in done.stderr
