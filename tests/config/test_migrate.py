from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from solo_unicorn.config import migrate
from solo_unicorn.config.loading import load
from solo_unicorn.config.schema import SettingsError
from solo_unicorn.config.settings import VERSION

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

OLD = {
    "version": "1",
    "workstation": {"id": "ws_1", "name": "MacBook-Pro", "maxConcurrency": 2},
    "auth": {"email": "user@example.invalid", "personalAccessToken": "pat-very-secret"},
    "server": {"apiUrl": "https://api.example.invalid"},
    "codeAgents": {"claude": {"enabled": False, "permissionMode": "plan"}},
    "worktrees": {"keepDays": "many"},
    "repositories": [{"id": "r1"}],
}


def test_the_old_config_json_is_taken_over_once(home: Path) -> None:
    (home / "config.json").write_text(json.dumps(OLD))
    settings = load()
    assert settings.workstation.name == "MacBook-Pro"
    assert settings.workstation.slots == 2
    assert not settings.agent("claude").enabled and settings.agent("claude").permission_mode == "plan"
    assert settings.worktrees.keep_days == 7
    text = (home / "config.toml").read_text()
    assert '# server.apiUrl = "https://api.example.invalid"' in text
    assert '# worktrees.keepDays = "many"' in text
    assert "pat-very-secret" not in text
    assert json.loads((home / "backups" / "config.json").read_text()) == OLD
    assert (home / "backups" / "config.json").stat().st_mode & 0o777 == 0o600
    assert not (home / "config.json").exists()
    assert load() == settings


def test_a_config_json_beside_a_config_toml_is_left_alone(home: Path) -> None:
    (home / "config.json").write_text(json.dumps(OLD))
    (home / "config.toml").write_text("[workstation]\nslots = 3\n")
    assert load().workstation.slots == 3
    assert (home / "config.json").exists()


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_config_json_is_named_and_kept(home: Path, text: str) -> None:
    (home / "config.json").write_text(text)
    with pytest.raises(SettingsError, match=r"config\.json"):
        load()
    assert (home / "config.json").read_text() == text
    assert not (home / "config.toml").exists()


def _to_two(document: TOMLDocument) -> None:
    document["slots"] = document.pop("places")


def _to_three(document: TOMLDocument) -> None:
    document["slots"] = int(str(document["slots"])) * 10


def test_migrations_run_in_order_keep_comments_and_a_copy(home: Path) -> None:
    path = home / "config.toml"
    path.write_text("# mine\nplaces = 4\n")
    text = migrate.brought_up_to_date(path, {1: _to_two, 2: _to_three}, target=3)
    assert text == path.read_text()
    assert "# mine" in text and "slots = 40" in text and "version = 3" in text
    assert (home / "backups" / "config-format-1.toml").read_text() == "# mine\nplaces = 4\n"


def test_a_second_copy_of_one_format_does_not_replace_the_first(home: Path) -> None:
    path = home / "config.toml"
    for text in ("places = 4\n", "places = 5\n"):
        path.write_text(text)
        migrate.brought_up_to_date(path, {1: _to_two}, target=2)
    assert sorted(file.read_text() for file in (home / "backups").iterdir()) == ["places = 4\n", "places = 5\n"]


def test_every_format_before_the_present_one_has_its_migration() -> None:
    assert set(migrate.MIGRATIONS) == set(range(1, VERSION))
