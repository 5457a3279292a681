"""Changing the settings file leaves everything else in it as it was."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import pytest

from solo_unicorn.config import edit
from solo_unicorn.config.loading import load
from solo_unicorn.config.schema import SettingsError
from solo_unicorn.missions.errors import NotFound, SoloUnicornError

WRITTEN = """\
# my machine
editor   = 'vim'   # old habit

[workstation] # the laptop
  slots = 4   # four cores

  # tail of the section

[agents.claude]
model = "opus"
"""


@pytest.fixture
def config(home: Path) -> Path:
    path = home / "config.toml"
    path.write_text(WRITTEN)
    return path


def test_setting_a_key_keeps_comments_order_and_style(config: Path) -> None:
    assert edit.set_value("workstation.slots", "2") == 2
    assert config.read_text() == WRITTEN.replace("slots = 4 ", "slots = 2 ")


def test_new_keys_go_where_they_belong(config: Path) -> None:
    edit.set_value("agents.claude.slots", "3")
    edit.set_value("agents.codex.enabled", "no")
    edit.set_value("sessions.stall_minutes", "2.5")
    edit.set_value("keys.board.new", "n,insert")
    settings = load()
    assert settings.agent("claude").slots == 3 and settings.agent("claude").model == "opus"
    assert not settings.agent("codex").enabled
    assert settings.sessions.stall_minutes == 2.5
    assert settings.keys == {"board.new": "n,insert"}
    assert config.read_text().startswith(WRITTEN.rstrip("\n"))


def test_a_first_setting_makes_the_file_with_its_format(home: Path) -> None:
    edit.set_value("editor", 'code --wait "x"')
    edit.set_value("workstation.name", "laptop")
    assert tomllib.loads((home / "config.toml").read_text()) == {
        "version": 1,
        "editor": 'code --wait "x"',
        "workstation": {"name": "laptop"},
    }
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600


def test_a_binding_written_as_nested_tables_is_not_doubled(home: Path) -> None:
    (home / "config.toml").write_text('[keys]\nboard.new = "n"\nboard.edit = "e"\n')
    edit.set_value("keys.board.new", "N")
    assert load().keys == {"board.new": "N", "board.edit": "e"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workstation.slots", "many"),
        ("workstation.slots", "0"),
        ("board.density", "x"),
        ("agents.a.enabled", "maybe"),
        ("sessions.stall_minutes", "nan"),
        ("mcp.port", "65536"),
    ],
)
def test_a_value_the_key_does_not_take_changes_nothing(config: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        edit.set_value(name, value)
    assert name in caught.value.what and caught.value.why.startswith("it takes ")
    assert config.read_text() == WRITTEN


def test_an_unknown_key_names_the_nearest(config: Path) -> None:
    with pytest.raises(NotFound, match="workstation.slots"):
        edit.set_value("workstation.slot", "3")
    with pytest.raises(NotFound):
        edit.reset("no.such.key")
    assert config.read_text() == WRITTEN


def test_reset_takes_a_key_out_and_leaves_the_rest(config: Path) -> None:
    assert edit.reset("agents.claude.model") == ["agents.claude.model"]
    assert "claude" not in config.read_text()
    assert edit.reset("workstation") == ["workstation.slots"]
    assert "# tail of the section" in config.read_text()
    assert edit.reset("workstation.slots") == []
    assert edit.reset() == ["editor"]
    assert "# my machine" in config.read_text()
    load()


def test_reset_mends_a_file_with_an_unknown_key(config: Path) -> None:
    config.write_text(WRITTEN + "\n[nonsense]\nx = 1\n")
    assert edit.reset("nonsense") == ["nonsense"]
    load()


def test_a_file_that_is_not_toml_is_not_touched(config: Path) -> None:
    config.write_text("this is not TOML")
    with pytest.raises(SettingsError, match="line 1"):
        edit.set_value("workstation.slots", "2")
    assert config.read_text() == "this is not TOML"


def test_a_value_where_a_table_belongs_is_named(config: Path) -> None:
    config.write_text("workstation = 3\n")
    with pytest.raises(SettingsError, match="workstation is 3"):
        edit.set_value("workstation.slots", "2")


def test_a_linked_file_stays_a_link(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("# mine\n")
    (home / "config.toml").symlink_to(target)
    edit.set_value("workstation.slots", "2")
    assert (home / "config.toml").is_symlink()
    assert target.read_text().startswith("# mine\n")


def test_two_writers_lose_nothing(home: Path) -> None:
    def put(number: int) -> None:
        edit.set_value(f"agents.a{number}.slots", str(number + 1))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: agent.slots for name, agent in load().agents.items()} == {f"a{n}": n + 1 for n in range(8)}


def test_a_full_disk_keeps_the_old_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SoloUnicornError, match="was not changed.*No space left"):
        edit.set_value("workstation.slots", "2")
    assert config.read_text() == WRITTEN
    assert [path.name for path in config.parent.iterdir() if path.name.startswith(".config.toml.")] == [
        ".config.toml.lock"
    ]
