"""What a sandbox opens and closes: one description, held by every back-end that this machine has."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from solo_unicorn.agents.catalogue import SandboxNeeds
from solo_unicorn.agents.sandbox import choosing, landlock, seatbelt, watching
from solo_unicorn.agents.sandbox.choosing import NoSandbox, enclose
from solo_unicorn.agents.sandbox.describing import Run
from solo_unicorn.agents.sandbox.levels import Level, stricter
from solo_unicorn.agents.sandbox.view import SandboxView, view
from solo_unicorn.config import paths

NEEDS = SandboxNeeds(own=("~/.agent", "~/.agent.json"), fixed=("~/.agent/hooks",), variables={"BY_CLOUD": "~/.aws"})
COMMIT = "git add -A && git commit -qm work"


@dataclass
class Person:
    """A person's home, repository, and the worktree of a run."""

    home: Path
    repository: Path
    worktree: Path
    run_dir: Path

    def run(self, **more: object) -> Run:
        values: dict[str, object] = {
            "program": "/bin/sh",
            "needs": NEEDS,
            "allowed": (),
            "environment": dict(os.environ),
        }
        return Run(self.run_dir, self.worktree, **(values | more))  # type: ignore[arg-type]

    def held(self, level: Level, command: str, **more: object) -> str:
        """What a shell command prints, both streams, as the agent of that run."""
        sandbox = enclose(level, self.run(**more))
        return subprocess.run(
            [*sandbox.prefix, "sh", "-c", command],
            cwd=self.worktree,
            env=dict(os.environ) | dict(sandbox.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        ).stdout


@pytest.fixture
def person(home: Path, tmp_path: Path) -> Person:
    user = Path.home()
    for name, text in (
        (".ssh/id", "PRIVATE KEY"),
        (".aws/credentials", "CLOUD"),
        (".netrc", "PASSWORD"),
        (".bashrc", "# mine\n"),
        (".agent/auth", "SIGN-IN"),
        (".agent/hooks/start", "#!/bin/sh\n"),
        (".agent.json", "{}"),
        ("notes.txt", "NOTES"),
    ):
        (user / name).parent.mkdir(exist_ok=True)
        (user / name).write_text(text)
    repository, worktree = user / "shop", paths.worktrees_dir() / "shop-1"
    repository.mkdir()

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (repository / "a.txt").write_text("a\n")
    git("add", ".")
    git("commit", "-qm", "Begin")
    git("worktree", "add", "-q", "-b", "mission/m-1", str(worktree))
    (paths.run_dir("OTHER") / "mcp.json").write_text("ANOTHER TOKEN")
    (paths.run_dir("THIS") / "mcp.json").write_text("OWN TOKEN")
    (home / "credentials.json").write_text("HUB TOKEN")
    paths.workspace_db().write_text("WORKSPACE")
    return Person(user, repository, worktree, paths.run_dir("THIS"))


@pytest.fixture(params=["bubblewrap", "Landlock"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One back-end, where this machine has it."""
    ends = dict(choosing.BACK_ENDS.get("linux", ()))
    if why := ends[request.param]():
        pytest.skip(why)
    monkeypatch.setattr(choosing, "BACK_ENDS", {"linux": ((request.param, ends[request.param]),)})
    yield request.param


@pytest.mark.parametrize("level", ["guard", "strict"])
def test_an_agent_does_its_work_and_keeps_out_of_the_rest(person: Person, by: str, level: Level) -> None:
    home, repository, ours = person.home, person.repository, paths.home()
    refused = {
        "key": f"cat {home}/.ssh/id",
        "cloud": f"cat {home}/.aws/credentials",
        "password": f"cat {home}/.netrc",
        "hub": f"cat {ours}/credentials.json",
        "other token": f"cat {ours}/runs/OTHER/mcp.json",
        "shell": f"echo evil >> {home}/.bashrc",
        "hook": f"echo evil > {repository}/.git/hooks/pre-commit",
        "settings": f"git -C {repository} config alias.x evil",
        "checkout": f"echo evil > {repository}/a.txt",
        "workspace": f"echo evil > {paths.workspace_db()}",
        "outcome": f"echo evil > {person.run_dir}/outcome.json",
        "another worktree": f"echo evil > {ours}/worktrees/evil",
    }
    tries = "; ".join(f"({command}) && echo 'DONE {name}'" for name, command in refused.items())
    work = f"echo work > new.txt; {COMMIT}; cat {home}/.agent/auth {person.run_dir}/mcp.json"
    said = person.held(level, f"{tries}; {work}")
    hidden = ("PRIVATE KEY", "CLOUD", "PASSWORD", "HUB TOKEN", "ANOTHER TOKEN")
    assert not [word for word in hidden if word in said], said
    if level == "guard" or by == "Landlock":  # else a write may go to a directory that is gone with the run
        reading = ("key", "cloud", "password", "hub", "other token") if by == "bubblewrap" else ()  # of an empty file
        done = [line.removeprefix("DONE ") for line in said.splitlines() if line.startswith("DONE")]
        assert [name for name in done if name not in reading] == [], said
    assert "SIGN-IN" in said and "OWN TOKEN" in said, said
    log = subprocess.run(["git", "-C", str(repository), "log", "-1", "--format=%s", "mission/m-1"], capture_output=True)
    assert log.stdout == b"work\n", said
    assert (home / ".bashrc").read_text() == "# mine\n"
    assert (repository / "a.txt").read_text() == "a\n"
    assert paths.workspace_db().read_text() == "WORKSPACE"
    assert not (repository / ".git" / "hooks" / "pre-commit").exists()
    assert not (ours / "worktrees" / "evil").exists() and not (person.run_dir / "outcome.json").exists()
    assert "alias" not in (repository / ".git" / "config").read_text()


def test_what_is_closed_cannot_be_moved_away_with_the_directory_it_is_in(person: Person, by: str) -> None:
    for folder, name in ((".config/git", "config"), ("code/shop", "Makefile")):
        (person.home / folder).mkdir(parents=True)
        (person.home / folder / name).write_text("mine")
    closed = dict(os.environ) | {"PATH": f"{person.home}/code/shop:{os.environ['PATH']}"}
    moves = "cd; for one in .config code; do mv $one moved; mkdir -p $one/git $one/shop; echo evil > $one/git/config; "
    said = person.held("guard", f"{moves}echo evil > $one/shop/Makefile; done; true", environment=closed)
    assert (person.home / ".config/git/config").read_text() == "mine", said
    assert (person.home / "code/shop/Makefile").read_text() == "mine", said


def test_settings_of_other_agents_and_of_git_are_not_written(person: Person, by: str) -> None:
    settings = person.home / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text("{}")
    own = person.repository / ".git/worktrees/shop-1/config.worktree"
    shutil.rmtree(person.repository / ".git/hooks")
    tries = (settings, own, person.repository / ".git/config.worktree", person.repository / ".git/hooks/pre-commit")
    person.held("guard", "; ".join(f"mkdir -p $(dirname {path}); echo evil > {path}" for path in tries))
    evil = [path.name for path in tries if path.exists() and "evil" in path.read_text()]
    assert evil == ([] if by == "bubblewrap" else ["config.worktree"]), (
        "Landlock closes nothing within what is writable"
    )
    assert str(own) in watching.changed(person.run_dir) or by == "bubblewrap", "but it is told"


@pytest.mark.skipif(landlock.abi() < landlock.SCOPES_SINCE, reason="this kernel cannot close abstract sockets")
def test_sockets_without_a_file_are_out_of_reach(person: Person, by: str) -> None:
    """As those of X11 and of the session bus, which start programs outside."""
    name = f"solo-unicorn-test-{os.getpid()}"
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect(chr(0) + {name!r}); print('CONNECTED')"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        for level in ("guard", "strict"):
            said = person.held(level, f"{sys.executable} -c {shlex.quote(code)}")
            assert "CONNECTED" not in said and "PermissionError" in said, said


def test_strict_opens_neither_the_home_nor_other_branches(person: Person, by: str) -> None:
    said = person.held(
        "strict",
        f"cat {person.home}/notes.txt; echo x > n; {COMMIT}; git update-ref refs/heads/main HEAD && echo MOVED",
    )
    assert "NOTES" not in said and "MOVED" not in said, said
    assert "NOTES" in person.held("guard", f"cat {person.home}/notes.txt")


def test_what_the_person_or_the_sign_in_opens_is_open(person: Person, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cat = f"cat {person.home}/.aws/credentials {person.home}/notes.txt"
    assert "CLOUD" in person.held("strict", cat, allowed=("~/.aws",))
    assert "NOTES" in person.held("strict", cat, allowed=("~/notes.txt",))
    monkeypatch.setenv("BY_CLOUD", "1")
    assert "CLOUD" in person.held("guard", cat, environment=dict(os.environ))


def test_signals_reach_the_agent_and_its_exit_code_comes_back(person: Person, by: str) -> None:
    sandbox = enclose("guard", person.run())
    for command, code in (("exit 41", 41), ("kill -TERM $$", 143 if by == "bubblewrap" else -15)):
        assert subprocess.run([*sandbox.prefix, "sh", "-c", command], cwd=person.worktree).returncode == code


@pytest.mark.skipif(choosing.means() != "bubblewrap", reason="only bubblewrap has capabilities to drop")
def test_capabilities_are_kept_for_agents_alone_that_have_a_sandbox_of_their_own(person: Person) -> None:
    """With them, root takes a hidden place's cover away."""
    assert "--cap-drop" in enclose("guard", person.run()).prefix
    assert "--cap-drop" not in enclose("guard", person.run(needs=replace(NEEDS, nests=True))).prefix
    assert "PRIVATE KEY" not in person.held("guard", f"umount {person.home}/.ssh; cat {person.home}/.ssh/id")


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    why: Callable[[], str] = lambda: "it is not there"  # noqa: E731
    monkeypatch.setattr(choosing, "BACK_ENDS", {"linux": (("x", why),), "darwin": (("x", why),)})


def test_without_any_means_guard_says_so_and_strict_starts_nothing(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch)
    loose = enclose("guard", person.run())
    assert loose.prefix == () and loose.missing == "runs without a sandbox: it is not there"
    with pytest.raises(NoSandbox, match="strict"):
        enclose("strict", person.run())
    assert enclose("off", person.run()).missing == ""


def test_the_stricter_of_agent_and_project_counts() -> None:
    assert [stricter("guard", ""), stricter("off", "strict"), stricter("strict", "off"), stricter("", "")] == [
        "guard",
        "strict",
        "strict",
        "off",
    ]


def test_the_innermost_place_decides_and_links_are_followed(tmp_path: Path) -> None:
    for name in ("a/b/c", "d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("d")
    seen = view(
        "write",
        [
            (tmp_path / "a" / "b" / "c", "write"),
            (tmp_path / "a", "hidden"),
            (tmp_path / "a" / "b", "hidden"),
            (tmp_path / "link", "read"),
            (tmp_path / "gone", "read"),
        ],
    )
    assert list(seen.places) == [tmp_path / "a", tmp_path / "d", tmp_path / "a" / "b" / "c"]
    assert seen.access(tmp_path / "a" / "b" / "x") == "hidden"
    assert seen.access(tmp_path / "a" / "b" / "c" / "x") == "write"
    assert seen.access(tmp_path / "d" / "x") == "read"
    assert seen.access(tmp_path) == "write"


def test_landlock_opens_around_what_is_closed(tmp_path: Path) -> None:
    for name in ("open", "closed/own", "read/only"):
        (tmp_path / name).mkdir(parents=True)
    places = {
        str(tmp_path): "write",
        str(tmp_path / "closed"): "hidden",
        str(tmp_path / "closed" / "own"): "write",
        str(tmp_path / "read"): "read",
    }
    within = {path: access for path, access in landlock.opened("hidden", places) if access != "list"}
    assert within == {
        str(tmp_path / "open"): "write",
        str(tmp_path / "closed" / "own"): "write",
        str(tmp_path / "read"): "read",
    }


def test_the_profile_for_macos_names_outer_places_first() -> None:
    home = Path("/Users/ada")
    seen = SandboxView("read", {home: "fresh", home / 'a "b"': "write", home / 'a "b"' / "c": "read"})
    assert seatbelt.profile(seen, [home]).splitlines() == [
        "(version 1)",
        "(allow default)",
        "(deny appleevent-send)",
        "(deny file-write*)",
        '(allow file-write* (subpath "/dev") (subpath "/private/tmp") (subpath "/private/var/tmp") '
        '(subpath "/private/var/folders"))',
        '(deny file-read* file-write* (subpath "/Users/ada"))',
        '(allow file-read-metadata (subpath "/Users/ada"))',
        '(allow file-read* file-write* (subpath "/Users/ada/a \\"b\\""))',
        '(allow file-read* (subpath "/Users/ada/a \\"b\\"/c"))',
        '(deny file-write* (subpath "/Users/ada/a \\"b\\"/c"))',
    ]


def test_what_would_run_later_and_appears_is_noticed(tmp_path: Path) -> None:
    there, absent, link = tmp_path / "there", tmp_path / ".zshenv", tmp_path / "link"
    there.write_text("as it was")
    link.symlink_to(there)
    watching.note(tmp_path, [there, absent, link], None)
    assert watching.changed(tmp_path) == []
    absent.write_text("evil")
    link.unlink()
    link.symlink_to(absent)
    assert watching.changed(tmp_path) == [str(absent), str(link)]


def test_a_checkout_that_changed_is_noticed_where_nothing_holds_the_run(person: Person) -> None:
    (person.repository / "mine.txt").write_text("of the person, before")
    enclose("off", person.run())
    assert watching.changed(person.run_dir) == []
    (person.repository / "a.txt").write_text("changed")
    (person.home / ".bashrc").write_text("evil")
    assert watching.changed(person.run_dir) == [str(person.home / ".bashrc"), str(person.repository / "a.txt")]
