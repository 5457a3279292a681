"""What an agent is started with: the prompt on its input, the token in one private file, nothing in its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import launch
from solo_unicorn.agents.handle import SESSION_VARIABLE
from solo_unicorn.agents.quoting import git_roots, toml_string
from solo_unicorn.config import paths
from solo_unicorn.config.settings import AgentSettings, SessionSettings, Settings
from solo_unicorn.missions.entities import CodeAgent
from solo_unicorn.missions.errors import InvalidValue, NotFound
from solo_unicorn.system import programs

from ..conftest import RunningSession
from .prepared import CLAUDE, RULES, TOKEN, prepared


def test_behind_a_proxy_our_server_is_still_reached_directly(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gemini CLI was seen to send even loopback requests to the proxy of https_proxy."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "intranet,localhost")
    environment = prepared(run_dir, tmp_path)["environment"]
    assert isinstance(environment, dict)
    assert environment["NO_PROXY"] == environment["no_proxy"] == "intranet,localhost,127.0.0.1"


def test_claude_code_is_started_as_its_manual_says(run_dir: Path, tmp_path: Path) -> None:
    found = prepared(run_dir, tmp_path)
    assert found["argv"] == [
        "/opt/claude",
        "-p",
        "--output-format",
        "stream-json",
        "--input-format",
        "stream-json",
        "--verbose",
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "mcp__solo",
        "Bash(git add:*)",
        "Bash(git commit:*)",
        "Bash(git status:*)",
        "Bash(git diff:*)",
        "Bash(git log:*)",
        "Bash(git show:*)",
        "Bash(git mv:*)",
        "Bash(git rm:*)",
        "--mcp-config",
        str(run_dir / "mcp.json"),
        "--permission-prompt-tool",
        "mcp__solo__approve",
    ]
    assert json.loads(str(found["stdin"])) == {
        "type": "user",
        "message": {"role": "user", "content": [{"type": "text", "text": "Work on M-1"}]},
    }
    assert found["cwd"] == str(tmp_path)
    environment = dict(found["environment"])  # type: ignore[call-overload]
    assert environment.pop("PATH") == programs.path_with("/opt/claude")
    assert {name: value for name, value in environment.items() if not name.startswith("GIT_CONFIG_")} == {
        "SOLO_UNICORN_MISSION": "M-1",
        "SOLO_UNICORN_CORRELATION": "c0ffee",
        SESSION_VARIABLE: "01JD",
    }
    assert "CLAUDECODE" in found["unset"]  # type: ignore[operator]


def test_the_token_is_in_one_private_file_and_nowhere_else(run_dir: Path, tmp_path: Path) -> None:
    prepared(run_dir, tmp_path)
    mcp = run_dir / "mcp.json"
    assert json.loads(mcp.read_text()) == {
        "mcpServers": {
            "solo": {
                "type": "http",
                "url": "http://127.0.0.1:4100/mcp",
                "headers": {"Authorization": f"Bearer {TOKEN}"},
                "alwaysLoad": True,
            }
        }
    }
    assert [path.name for path in run_dir.iterdir() if TOKEN in path.read_text()] == ["mcp.json"]
    assert {path.stat().st_mode & 0o777 for path in run_dir.iterdir()} == {0o600}


def test_settings_choose_model_permissions_and_patience(run_dir: Path, tmp_path: Path) -> None:
    settings = Settings(
        sessions=SessionSettings(stall_minutes=2, stop_grace_seconds=3),
        agents={"claude": AgentSettings(model="opus", permission_mode="plan", command="/my/claude")},
    )
    found = prepared(run_dir, tmp_path, settings=settings, resume="conv-1")
    argv = found["argv"]
    assert isinstance(argv, list)
    assert argv[0] == "/my/claude"
    for pair in (["--model", "opus"], ["--permission-mode", "plan"], ["--resume", "conv-1"]):
        assert argv[argv.index(pair[0]) + 1] == pair[1]
    assert (found["stall_seconds"], found["stop_grace_seconds"]) == (120, 3)


def test_where_rules_ask_or_deny_it_asks_before_every_change(run_dir: Path, tmp_path: Path) -> None:
    argv = prepared(run_dir, tmp_path, rules=RULES[1:])["argv"]
    assert isinstance(argv, list)
    assert argv[argv.index("--permission-mode") + 1] == "acceptEdits" and "Bash(git rm:*)" in argv
    argv = prepared(run_dir, tmp_path, rules=RULES)["argv"]
    assert isinstance(argv, list)
    assert argv[argv.index("--permission-mode") + 1] == "default"
    assert "Bash(git add:*)" in argv and not {"Bash(git mv:*)", "Bash(git rm:*)"} & set(argv), "they change files"
    chosen = Settings(agents={"claude": AgentSettings(permission_mode="plan")})
    argv = prepared(run_dir, tmp_path, rules=RULES, settings=chosen)["argv"]
    assert isinstance(argv, list)
    assert argv[argv.index("--permission-mode") + 1] == "plan", "what a person set holds"


def test_permissions_are_skipped_only_when_a_person_said_so(run_dir: Path, tmp_path: Path) -> None:
    careful = prepared(run_dir, tmp_path)
    assert "--dangerously-skip-permissions" not in careful["argv"]  # type: ignore[operator]
    settings = Settings(agents={"claude": AgentSettings(skip_permissions=True)})
    bold = prepared(run_dir, tmp_path, settings=settings)["argv"]
    assert isinstance(bold, list)
    assert "--dangerously-skip-permissions" in bold
    assert "--permission-mode" not in bold
    values = {"prompt": "", "worktree": tmp_path, "mcp": None, "resume": None, "correlation": "c"}
    free = (AgentSettings(sandbox="off"), AgentSettings(sandbox="off", skip_permissions=True))
    chosen = [Settings(agents={"claude": one}) for one in free]
    unheld = [launch.prepare(run_dir, CLAUDE, settings=given, **values).unheld for given in chosen]  # type: ignore[arg-type]
    assert unheld == ["", "asks for no permissions"], "the workspace keeps it with the session"


@pytest.mark.parametrize(
    ("agent", "worktree", "error"),
    [
        (CodeAgent("claude", "claude"), ".", InvalidValue),
        (CLAUDE, "/no/such/worktree", InvalidValue),
        (CodeAgent("clippy", "clippy", binary="/x"), ".", NotFound),
    ],
)
def test_what_cannot_be_started_is_refused_before_anything_is_written(
    run_dir: Path, tmp_path: Path, agent: CodeAgent, worktree: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        prepared(run_dir, tmp_path / worktree, agent)
    assert list(run_dir.iterdir()) == []


def test_the_rehearsal_agent_needs_no_binary(run_dir: Path, tmp_path: Path) -> None:
    argv = prepared(run_dir, tmp_path, CodeAgent("rehearsal", "rehearsal"))["argv"]
    assert isinstance(argv, list)
    assert argv[:4] == [sys.executable, "-P", "-m", "solo_unicorn.agents.rehearsal"]


def test_an_agent_of_the_persons_own_is_started_from_its_file(run_dir: Path, tmp_path: Path) -> None:
    """And the agent's real environment: the person's own, without our tokens, with the names of mission and session."""
    program = tmp_path / "agent.py"
    program.write_text(
        "import json, os, sys\n"
        "print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if 'UNICORN' in k or k == 'MINE'}]))\n"
        "print(sys.stdin.read(), end='')\n"
    )
    (paths.agents_dir() / "mine.toml").write_text(
        'title = "Mine"\nparser = "raw"\nbinaries = ["mine"]\n'
        '[turn]\narguments = ["run"]\nmcp = ["--mcp", "{mcp_file}"]\nresume = ["--go-on", "{conversation}"]\n'
    )
    wrapper = tmp_path / "mine"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["MINE"] = "kept"
    os.environ["SOLO_UNICORN_TOKEN"] = TOKEN
    try:
        prepared(run_dir, tmp_path, CodeAgent("mine", "mine", binary=str(wrapper)))
        launch.start(run_dir)
        one = RunningSession(run_dir)
        assert one.ended().exit_code == 0
    finally:
        del os.environ["MINE"], os.environ["SOLO_UNICORN_TOKEN"]
    first, *rest = one.lines()
    argv, environment = json.loads(first)
    assert argv == ["run", "--mcp", str(run_dir / "mcp.json")]
    assert environment["MINE"] == "kept"
    assert environment["SOLO_UNICORN_MISSION"] == "M-1"
    assert "SOLO_UNICORN_TOKEN" not in environment
    assert TOKEN not in first
    assert rest == ["Work on M-1"]
    assert TOKEN not in (run_dir / "transcript.jsonl").read_text()


def test_a_scope_is_used_only_where_there_is_a_user_manager(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for systemd-run that writes down how it was called and runs the command."""
    prepared(run_dir, tmp_path, CodeAgent("claude", "claude", binary="/bin/true"))
    bin_, runtime, called = tmp_path / "bin", tmp_path / "xdg", tmp_path / "called"
    bin_.mkdir()
    runner = bin_ / "systemd-run"
    runner.write_text(f'#!/bin/sh\necho "$@" > {called}\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    runner.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    launch.start(run_dir, scope=True)
    RunningSession(run_dir).ended()
    assert not called.exists(), "no user manager: no scope"
    (runtime / "systemd").mkdir(parents=True)
    other = paths.run_dir("01JE")
    prepared(other, tmp_path, CodeAgent("claude", "claude", binary="/bin/true"))
    launch.start(other, scope=True)
    RunningSession(other).ended()
    assert called.read_text().startswith("--user --scope --quiet --collect --unit=solo-unicorn-01JE -- ")


def test_a_run_directory_without_a_plan_says_so(run_dir: Path) -> None:
    with pytest.raises(Exception, match=r"launch.json cannot be used"):
        launch.start(run_dir)
    (run_dir / "launch.json").write_text("{}")
    with pytest.raises(Exception, match=r"launch.json cannot be used"):
        launch.start(run_dir)


def test_codex_gets_our_server_by_a_file_and_may_commit_in_its_worktree(run_dir: Path, tmp_path: Path) -> None:
    repository, worktree = tmp_path / 'with "quotes"', tmp_path / "tree"
    for command in (
        ["init", "--quiet", str(repository)],
        ["-C", str(repository), "commit", "--quiet", "--allow-empty", "-m", "Begin"],
        ["-C", str(repository), "worktree", "add", "--quiet", "-b", "mission/m-1", str(worktree)],
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    plain = Settings(agents={"codex": AgentSettings(plain_mode=True)})
    codex = replace(CLAUDE, type="codex", name="codex")
    found = prepared(run_dir, worktree, codex, resume="01a2-thread", settings=plain)
    argv = found["argv"]
    assert isinstance(argv, list) and argv[-3:] == ["resume", "01a2-thread", "-"]
    settings = [argv[place + 1] for place, word in enumerate(argv) if word == "-c"]
    told = tomllib.loads("\n".join(settings))
    server = told["mcp_servers"]["solo"]
    assert server["command"] == sys.executable and server["required"] is True
    assert server["args"][-2:] == ["--token-file", str(run_dir / "mcp.json")]
    records = repository / ".git"
    wanted = [
        str(records / part) for part in ("worktrees/tree", "objects", "refs/heads/mission", "logs/refs/heads/mission")
    ]
    assert told["sandbox_workspace_write"]["writable_roots"] == wanted
    assert TOKEN not in json.dumps(found)
    assert json.loads((run_dir / "mcp.json").read_text())["token"] == TOKEN


def test_an_agent_starts_in_the_folder_and_may_change_the_whole_worktree(run_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "packages" / "app").mkdir(parents=True)
    found = prepared(run_dir, tmp_path, folder="packages/app")
    argv = found["argv"]
    assert found["cwd"] == str(tmp_path / "packages" / "app")
    assert isinstance(argv, list) and argv[-2:] == ["--add-dir", str(tmp_path)]


def test_nothing_beyond_the_worktree_is_opened_where_git_did_not_link_it(tmp_path: Path) -> None:
    """A file .git that an agent wrote itself opens nothing: the other side must name the worktree, too."""
    assert git_roots(tmp_path) == []
    elsewhere = tmp_path / "elsewhere" / "worktrees" / "w"
    elsewhere.mkdir(parents=True)
    (elsewhere / "commondir").write_text("../..\n")
    (elsewhere / "gitdir").write_text(f"{tmp_path}/another/.git\n")
    (tmp_path / ".git").write_text(f"gitdir: {elsewhere}\n")
    assert git_roots(tmp_path) == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_quoted_is_read_as_it_was(text: str) -> None:
    assert tomllib.loads(f"a = {toml_string(text)}")["a"] == text


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        ("claude", ["--add-dir", "{dir}"]),
        ("codex", ["--image", "{dir}/sketch.png"]),
        ("gemini", ["--directory", "--include-directories"]),
        ("opencode", ["--directory"]),
    ],
)
def test_the_missions_files_are_given_as_each_agent_takes_them(
    run_dir: Path, tmp_path: Path, type_: str, arguments: list[str]
) -> None:
    placed = [tmp_path / "sketch.png", tmp_path / "notes.txt"]
    for path in placed:
        path.write_bytes(b"\x89PNG")
    agent = replace(CLAUDE, type=type_, name=type_)
    without = prepared(run_dir, tmp_path, agent)
    found = prepared(run_dir, tmp_path, agent, attached=placed)
    added = [one for one in list(found["argv"]) if one not in list(without["argv"])]  # type: ignore[call-overload]
    assert added == [argument.format(dir=tmp_path) for argument in arguments]
    if type_ == "claude":
        text, image = json.loads(str(found["stdin"]))["message"]["content"]
        assert text == {"type": "text", "text": "Work on M-1"}
        assert image["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
