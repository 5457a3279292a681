"""The pages are true: what they tell a reader to type is typed, in their order, on a machine that has nothing else.

A block of the language `sh` or `console` is run, line by line, in the shell of one reader for each page. What a page
cannot say to a reader stands in comments above a block (`where`, `not run`) and in the tables below.
"""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import browser
from .pages import PAGES, ROOT, SHELL, SHOWN, Block, blocks, unfenced
from .reader import HUB_PORT, Broken, Reader, port_of_the_hub, programs

PASSWORD = "correct horse battery staple"

HOSTS = {"https://hub.example.com": f"http://127.0.0.1:{HUB_PORT}"}
"""The one thing that is not typed as it stands: a host of an example is the hub of this machine."""

SERVERS = {
    r"solo-unicorn hub( --.*)?$": r"listens at http://",
    r"solo-unicorn web( --.*)?$": r"The board: http://127\.0\.0\.1:\d+/",
    r"solo-unicorn sync --watch$": r"\w",
}
"""Commands that stay: they get a terminal of their own, and are ready when they print this."""

CTRL_Q, ENTER = "\x11", "\r"
SCREENS = {
    "make run": (("This repository\\?", CTRL_Q),),
    "solo-unicorn": (
        (r"1 of 4  This repository\?", ENTER),
        (r"2 of 4  Agents found(.|\n)*rehearsal", ENTER),
        ("3 of 4  Start with", ENTER),
        ("4 of 4  A hub", ENTER),
        (r"Nothing planned(.|\n)*n new", CTRL_Q),
    ),
}
"""Commands that take the whole screen: what is to be seen there, and the key that is pressed then."""

KEYS = {
    r"New password, 10 characters or more: ": PASSWORD + ENTER,
    r"Once more: ": PASSWORD + ENTER,
    r"\[y/N\]": "y" + ENTER,
}
"""Questions at the terminal, and what the reader answers."""

LINKS = r"open this address in a browser:\s+(http\S+)\s"
"""Addresses that the reader opens in a browser elsewhere."""

PLACES = ("in this checkout", "in a git repository", "on another machine", "with the hub stopped")
MARKS_AT_MOST = 12


class Run:
    """One page, typed from its top to its end."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.programs = programs(folder / "programs")
        self.held = ExitStack()
        self.readers = [self._reader("first")]

    @property
    def reader(self) -> Reader:
        return self.readers[-1]

    def _reader(self, name: str) -> Reader:
        opens = self.folder / f"browser-{name}"
        opens.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{browser.__file__}" "$1"\n')
        opens.chmod(0o755)
        return Reader(
            self.folder / name,
            self.programs,
            {"BROWSER": str(opens), browser.EMAIL: "you@example.com", browser.PASSWORD: PASSWORD},
        )

    def go(self, where: str) -> None:
        """To the place that the page names above a block."""
        assert where in PLACES, f"nobody knows where {where!r} is"
        if where == "on another machine":
            self.readers.append(self._reader("another"))
        elif where == "with the hub stopped":
            while self.reader.servers:
                self.reader.servers.pop().end()
        elif where == "in this checkout":
            self.reader.run(f"cd '{ROOT}'", {})
        else:
            repository = self.reader.home / "payments"
            if not repository.exists():
                repository.mkdir()
                (repository / "README").write_text("Payments\n")
                git = ["git", "-c", "user.name=You", "-c", "user.email=you@example.com", "-C", str(repository)]
                for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "First"]):
                    subprocess.run([*git, *words], check=True, capture_output=True)
            self.reader.run(f"cd '{repository}'", {})

    def type(self, command: str, shown: str | None) -> None:
        """Type one command; what it must print is compared when the page shows it."""
        for host, stand_in in HOSTS.items():
            command = command.replace(host, stand_in)
        bare = re.sub(r"\s+#.*", "", command).strip()
        for pattern, ready in SERVERS.items():
            if re.match(pattern, bare):
                if bare == "solo-unicorn hub":
                    self.held.enter_context(port_of_the_hub())
                self.reader.serve(bare, ready)
                return
        if bare in SCREENS:
            self.reader.look_at(bare, SCREENS[bare])
            return
        printed = self.reader.run(command, KEYS, LINKS)
        if shown is not None:
            like = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if not doctest.OutputChecker().check_output(shown.replace("…", "...") + "\n", printed, like):
                raise Broken(f"the page shows\n{shown}\nand it printed\n{printed}")

    def end(self) -> None:
        """All servers and services are ended; each must end well."""
        with self.held as stack:
            for reader in self.readers:
                stack.callback(reader.leave)


def typed(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in SHELL and not block.not_run]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)], ids=name_of)
def test_a_reader_can_type_what_the_page_says(page: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="su-"))  # short: the path of a socket has 103 bytes at most
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        run = Run(page, folder)
        stack.callback(run.end)
        for block in typed(page):
            if block.where:
                run.go(block.where)
            for line, command, shown in block.commands:
                try:
                    run.type(command, shown)
                except Broken as broken:
                    pytest.fail(f"{name_of(page)}:{line}\n$ {command}\n{broken}", pytrace=False)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert not unfenced(page), "blocks without a fence or a language"
    assert {block.language for block in blocks(page)} <= {*SHELL, *SHOWN}


def test_what_is_not_run_is_little_and_says_why() -> None:
    marks = {
        f"{name_of(page)}:{block.line}": block.not_run for page in PAGES for block in blocks(page) if block.not_run
    }
    print("\n".join(f"{place}  {why}" for place, why in marks.items()))
    assert len(marks) <= MARKS_AT_MOST
    assert all(len(why.split()) >= 4 for why in marks.values())


def test_every_remark_belongs_to_a_block() -> None:
    for page in PAGES:
        written = len(re.findall(r"^<!-- (?:not run|where): ", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert written == sum(bool(block.where) + bool(block.not_run) for block in blocks(page)), name_of(page)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true\nfalse\n", "exit code 1"),
        ("echo a\n", None),
        ("echo $nothing_of_that_name\n", "unbound variable"),
        ("solo-unicorn mission show M-99\n", "exit code"),
    ],
)
def test_a_block_that_fails_is_found(source: str, expected: str | None, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```sh\n{source}```\n")
    _check(page, expected)


@pytest.mark.parametrize(("shown", "expected"), [("a …\nb", None), ("a b", "the page shows")])
def test_an_output_that_differs_is_found(shown: str, expected: str | None, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```console\n$ printf 'a b\\nb\\n'\n{shown}\n```\n")
    _check(page, expected)


def _check(page: Path, expected: str | None) -> None:
    folder = Path(tempfile.mkdtemp(prefix="su-"))
    run = Run(page, folder)
    told: list[str] = []
    try:
        for block in typed(page):
            for _, command, shown in block.commands:
                run.type(command, shown)
    except Broken as broken:
        told.append(str(broken))
    finally:
        run.end()
        shutil.rmtree(folder, ignore_errors=True)
    assert bool(told) == bool(expected) and (expected or "") in "".join(told)
