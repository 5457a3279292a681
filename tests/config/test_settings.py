"""The settings file: what it may hold, and what a person is told when it holds something else."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.config.loading import build, load
from solo_unicorn.config.parsing import line_of, problems
from solo_unicorn.config.schema import Setting, SettingsError
from solo_unicorn.config.settings import SCHEMA, Settings, find
from solo_unicorn.missions.errors import InvalidValue, TryAgain


def write(home: Path, text: str) -> Path:
    path = home / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_defaults(home: Path) -> None:
    settings = load()
    assert settings == Settings()
    assert (settings.workstation.slots, settings.sessions.stall_minutes, settings.worktrees.keep_days) == (4, 10, 7)
    assert settings.agent("claude").enabled and settings.agent("claude").slots == 2


def test_every_row_has_a_sentence_a_checked_default_and_is_found_by_name() -> None:
    assert len({row.name for row in SCHEMA}) == len(SCHEMA)
    for row in SCHEMA:
        assert row.about.endswith("."), row.name
        assert row.check(row.default) == row.default
        assert find(row.name.replace("<name>", "claude").replace("<binding>", "board.new")) == row
    for name in ("", "nothing", "workstation", "agents", "agents.claude", "agents..slots", "keys", "agents.<name>"):
        assert find(name) is None, name


def test_the_file_is_read_into_typed_values(home: Path) -> None:
    write(
        home,
        """
        editor = "vim"  # mine
        version = 1
        workstation.slots = 2
        [sessions]
        stall_minutes = 3          # a whole number does for a number
        [agents.claude]
        model = "opus"
        slots = 2
        [agents.claude-work]
        type = "claude"
        enabled = false
        [keys]
        "board.new" = "n,insert"
        board.edit = "e"
        """,
    )
    settings = load()
    assert settings.editor == "vim"
    assert settings.workstation.slots == 2
    assert settings.sessions.stall_minutes == 3.0
    assert settings.agent("claude").model == "opus" and settings.agent("claude").slots == 2
    assert settings.agent("claude-work").type == "claude" and not settings.agent("claude-work").enabled
    assert settings.keys == {"board.new": "n,insert", "board.edit": "e"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[workstation]\nslots = 3\nslotz = 4\n", 3, "workstation.slots"),
        ('\n# x\n[board]\ndensity = "huge"\n', 4, "normal, compact or detailed"),
        ("[workstation]\nslots = 0\n", 2, "from 1 to 256"),
        ("[workstation]\nslots = true\n", 2, "a whole number"),
        ("[workstation]\nslots = 2.5\n", 2, "a whole number"),
        ('editor = """\nvim\n"""\nnonsense = 1\n', 4, "no setting has that name"),
        ("[agents.claude]\nmodell = 'x'\n", 2, "agents.claude.model"),
        ("workstation = 4\n", 1, "below [workstation]"),
        ("[log]\nlevel = [\n  'info',\n]\n", 2, "debug, info, warning or error"),
        ("[sessions]\nstall_minutes = nan\n", 2, "0.01 or more"),
        ("[sessions]\nretry_longest_seconds = inf\n", 2, "0 or more"),
        ("[nonsense]\n", 1, "no setting has that name"),
        ("agents = 1\n", 1, "below [agents]"),
    ],
)
def test_an_unknown_key_or_a_bad_value_is_named_with_its_line(home: Path, text: str, line: int, says: str) -> None:
    path = write(home, text)
    with pytest.raises(SettingsError) as caught:
        load()
    error = caught.value
    assert isinstance(error, InvalidValue) and error.exit_code == 2
    assert error.line == line and f"line {line}" in error.what and str(path) in error.what
    assert says in error.why
    assert "solo-unicorn config" in error.todo


def test_the_first_wrong_line_is_reported_and_the_others_counted(home: Path) -> None:
    text = "[workstation]\nslots = 'x'\nnope = 1\n[mcp]\nport = -1\n"
    path = write(home, text)
    with pytest.raises(SettingsError, match="2 more of its lines are wrong") as caught:
        load()
    assert caught.value.line == 2
    assert [problem.line for problem in problems(text, path)] == [2, 3, 5]


def test_a_file_that_is_not_toml_names_the_line(home: Path) -> None:
    path = write(home, "[workstation]\nslots = = 4\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.line == 2 and str(path) in caught.value.what and "not TOML" in caught.value.what


def test_a_file_that_is_not_text_says_so(home: Path) -> None:
    (home / "config.toml").write_bytes(b"editor = '\xff\xfe'\n")
    with pytest.raises(SettingsError, match="not a text file"):
        load()


def test_a_file_of_a_newer_version_is_left_alone(home: Path) -> None:
    path = write(home, "version = 99\n[future]\nx = 1\n")
    with pytest.raises(TryAgain, match="newer version"):
        load()
    assert path.read_text() == "version = 99\n[future]\nx = 1\n"


def test_environment_variables_override_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "[workstation]\nslots = 2\n[agents.my-claude]\nslots = 2\n")
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_SLOTS", "7")
    monkeypatch.setenv("SOLO_UNICORN_AGENTS_MY_CLAUDE_SLOTS", "3")
    monkeypatch.setenv("SOLO_UNICORN_AGENTS_CODEX_ENABLED", "off")
    monkeypatch.setenv("SOLO_UNICORN_AGENTS_CLAUDE_PERMISSION_MODE", "plan")
    settings = load()
    assert settings.workstation.slots == 7
    assert settings.agent("my-claude").slots == 3
    assert not settings.agent("codex").enabled
    assert settings.agent("claude").permission_mode == "plan"


def test_a_bad_environment_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_SLOTS", "many")
    with pytest.raises(SettingsError, match="SOLO_UNICORN_WORKSTATION_SLOTS is 'many'"):
        load()


@given(st.sampled_from([row for row in SCHEMA if row.variable and "<" not in row.name]), st.data())
def test_every_setting_takes_what_the_environment_says(row: Setting, data: st.DataObject) -> None:
    value = data.draw(_value(row))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    settings = build({}, {row.variable: text})
    assert _at(settings, row.name) == value


def _value(row: Setting) -> st.SearchStrategy[object]:
    if row.choices:
        return st.sampled_from(row.choices)
    if row.pattern:
        return st.from_regex(row.pattern, fullmatch=True).filter(lambda text: len(text) < 50)
    match row.default:
        case bool():
            return st.booleans()
        case int():
            return st.integers(
                row.least if row.least is None else int(row.least), 60000 if row.most is None else int(row.most)
            )
        case float():
            return st.floats(row.least, 1e6, allow_nan=False)
        case _:
            return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def _at(settings: object, name: str) -> object:
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


@given(
    st.lists(
        st.sampled_from(["# note\n", "\n", 'a = """\nx = 1\n"""\n', "[t]\ny = [\n1,\n]\n"]), max_size=3, unique=True
    )
)
def test_the_line_of_a_key_is_where_it_is_written(before: list[str]) -> None:
    text = "".join(sorted(before, key=lambda part: part.startswith("[t]"))) + "[sought]\nfirst = 1\nkey = 2\n"
    assert text.splitlines()[line_of(text, ("sought", "key")) - 1] == "key = 2"
    assert text.splitlines()[line_of(text, ("sought",)) - 1] == "[sought]"


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().editor = "x"  # type: ignore[misc]


def test_every_setting_is_read_by_some_part_of_the_program() -> None:
    root = Path(__file__).parents[2]
    parts = ("agents", "cli", "mcp_server", "sync", "tui", "workstation", "worktrees")
    sources = "\n".join(
        path.read_text() for part in parts for path in (root / part).rglob("*.py") if path.name not in ("config.py",)
    )
    for row in SCHEMA:
        name = "keys" if row.name.startswith("keys.") else row.name.rsplit(".", 1)[-1]
        reads = rf"(?:settings|wanted|chosen|load\()\)?(?:\.\w+)?\.{name}\b"
        assert re.search(reads, sources), f"nothing reads {row.name}"
