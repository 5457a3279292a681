"""Entering the server in clients' settings: nothing else changes, twice is once, and there is always a way back."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.mcp_server.install import clients, installing
from solo_unicorn.mcp_server.install.clients import CLIENTS, SCOPES, Scope
from solo_unicorn.mcp_server.install.installing import install, status, uninstall
from solo_unicorn.mcp_server.install.jsonc import JsonEditor, NotJson
from solo_unicorn.missions.errors import NotFound, SoloUnicornError

BOTH = pytest.mark.parametrize("scope", SCOPES)
EACH = pytest.mark.parametrize("client", list(CLIENTS))


@pytest.fixture
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, on a machine where no client's program is."""
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    return checkout


def data(file: Path) -> Any:
    """What a settings file says."""
    text = file.read_text()
    return tomllib.loads(text) if file.suffix == ".toml" else JsonEditor.read(text)


@BOTH
@EACH
def test_install_twice_is_once_and_uninstall_takes_it_out(project: Path, client: str, scope: Scope) -> None:
    first = install(client, scope, project)
    assert first.outcome == "installed"
    written = first.file.read_text()
    assert status(client, scope, project).state == "ready"
    again = install(client, scope, project)
    assert (again.outcome, again.backup) == ("already", None)
    assert first.file.read_text() == written
    assert uninstall(client, scope, project).outcome == "removed"
    assert not first.file.exists(), "what was made for the entry alone goes with it"
    assert status(client, scope, project).state == "absent"
    assert uninstall(client, scope, project).outcome == "absent"


@BOTH
@EACH
def test_what_stands_there_stays(project: Path, client: str, scope: Scope) -> None:
    known = CLIENTS[client]
    file = known.file(scope, project)
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".toml":
        before = '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "y" # why\n'
    else:
        inside = f'\t"{known.path[0]}": {{\n\t\t"other": {{"command": "y"}} // why\n\t}}\n'
        before = f'{{\n\t// mine\n\t"theme": "dark",\n{inside}}}\n'
    file.write_text(before)
    done = install(client, scope, project)
    assert done.backup is not None
    assert done.backup.read_text() == before
    assert done.backup.stat().st_mode & 0o077 == 0
    now = file.read_text()
    assert all(line.strip().rstrip(",") in now.replace(",", "") for line in before.replace(",", "").splitlines())
    assert data(file)[known.path[0]]["other"] == {"command": "y"}
    uninstall(client, scope, project)
    assert data(file) == (tomllib.loads(before) if file.suffix == ".toml" else JsonEditor.read(before))
    assert "why" in file.read_text()


@BOTH
@EACH
def test_a_dry_run_changes_nothing(project: Path, client: str, scope: Scope) -> None:
    done = install(client, scope, project, dry=True)
    assert (done.outcome, done.dry) == ("installed", True)
    assert not done.file.exists()
    assert not list(project.glob("*.json"))


@EACH
def test_a_file_that_cannot_be_read_is_left_alone(project: Path, client: str) -> None:
    file = CLIENTS[client].file("project", project)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"a": ')
    for change in (install, uninstall):
        with pytest.raises(SoloUnicornError, match="cannot be read"):
            change(client, "project", project)
    assert file.read_text() == '{"a": '
    assert status(client, "project", project).state == "unreadable"


def test_an_entry_that_starts_something_else_is_replaced(project: Path) -> None:
    file = CLIENTS["cursor"].file("user", project)
    file.parent.mkdir(parents=True)
    file.write_text('{"mcpServers": {"solo-unicorn": {"command": "/old/solo-unicorn", "args": ["mcp"]}}}')
    assert status("cursor", "user", project).command == ("/old/solo-unicorn", "mcp")
    assert status("cursor", "user", project).state == "other"
    assert install("cursor", "user", project).outcome == "replaced"
    assert status("cursor", "user", project).state == "ready"


def test_the_users_entry_names_the_program_and_our_variables_a_projects_does_not(project: Path, home: Path) -> None:
    install("cursor", "user", project)
    install("cursor", "project", project)
    own = data(CLIENTS["cursor"].file("user", project))["mcpServers"]["solo-unicorn"]
    assert Path(own["command"]).is_absolute()
    assert own["env"]["SOLO_UNICORN_HOME"] == str(home)
    shared = data(project / ".cursor" / "mcp.json")["mcpServers"]["solo-unicorn"]
    assert shared == {"command": "solo-unicorn", "args": ["mcp"]}


def test_a_linked_file_stays_a_link_and_keeps_its_mode(project: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o600)
    file = CLIENTS["cursor"].file("user", project)
    file.parent.mkdir(parents=True)
    file.symlink_to(real)
    install("cursor", "user", project)
    assert file.is_symlink()
    assert "solo-unicorn" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o600


def test_a_client_whose_command_fails_is_reported_with_its_words(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'no room' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(SoloUnicornError, match="No room"):
        install("claude", "project", project)


def test_an_unknown_client_is_named(project: Path) -> None:
    with pytest.raises(NotFound, match="emacs"):
        install("emacs", "user", project)


def test_the_root_of_a_checkout_is_found_from_within(project: Path) -> None:
    inner = project / "src" / "deep"
    inner.mkdir(parents=True)
    assert installing.project_root(inner) == project
    assert installing.project_root(project.parent) == project.parent


NAMES = st.text(alphabet='ab"\\/é{}:,', min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='a"\\/\n*', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(
    before=st.dictionaries(NAMES, VALUES, max_size=4),
    path=st.lists(NAMES, min_size=1, max_size=3),
    value=VALUES,
    indent=st.sampled_from([None, 2, "\t"]),
)
def test_the_editor_changes_one_value_and_no_other(
    before: dict[str, Any], path: list[str], value: Any, indent: Any
) -> None:
    text = json.dumps(before, indent=indent, ensure_ascii=False)
    expected: Any = json.loads(text)
    here = expected
    for name in path[:-1]:
        if not isinstance(here, dict):
            break
        here = here.setdefault(name, {})
    if not isinstance(here, dict):
        with pytest.raises(NotJson):
            JsonEditor.with_value(text, path, value)
        return
    here[path[-1]] = value
    changed = JsonEditor.with_value(text, path, value)
    assert json.loads(changed) == expected
    del here[path[-1]]
    assert json.loads(JsonEditor.without(changed, path)) == expected


@pytest.mark.parametrize("text", ["[1]", '{"a" 1}', '{"a": 1 "b": 2}', "{'a': 1}", '{"a": nope}', "{} {}", "{" * 500])
def test_what_is_no_json_object_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(NotJson):
        JsonEditor.with_value(text, ["a"], 1)


def test_the_names_of_clients_are_those_of_the_command_line() -> None:
    assert list(clients.CLIENTS) == ["claude", "codex", "gemini", "opencode", "cursor", "vscode"]
