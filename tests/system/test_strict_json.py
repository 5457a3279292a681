"""What comes into the workspace as JSON can be read by everybody, and nothing else reads or writes JSON on that way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import solo_unicorn
from solo_unicorn.system import strict_json
from solo_unicorn.system.strict_json import DEPTH_MAX, Unfit, dumps, heard, loads

PACKAGE = Path(solo_unicorn.__file__).parent
WAYS_IN = ("workspace", "sync", "workstation", "agents/parsers", "mcp_server/tools")
WAYS_IN_FILES = (
    "agents/handle.py",
    "cli/project/transfer.py",
    "mcp_server/answers.py",
    "worktrees/repository/linking.py",
)
DEEP = "[" * 20_000 + "]" * 20_000

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=6)
    | st.sampled_from(["\ud83d", "😀", "\0", "\\ud83d", "\\u0000"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(anything, st.booleans())
def test_what_is_written_comes_back_and_the_rest_is_refused(value: Any, ascii_only: bool) -> None:
    try:
        text = dumps(value, ascii_only=ascii_only)
    except Unfit:
        return
    assert loads(text) == loads(text.encode()) == value


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 10**30, "\ud83d", [{"\udc00": 1}]], ids=repr)
def test_what_could_not_be_read_again_is_not_written(value: Any) -> None:
    with pytest.raises(Unfit):
        dumps(value)


@given(anything)
def test_whatever_a_program_prints_can_be_kept(value: Any) -> None:
    dumps(heard(json.dumps(value)))


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "1e400", "1" * 30, "1" * 5000, r'"\ud83d"', r'{"\udc00": 1}', "[1,]", DEEP, ""]
)
def test_what_not_everybody_can_read_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        loads(text)


def test_halves_of_characters_do_not_come_in_as_bytes() -> None:
    with pytest.raises(Unfit):
        loads(b'"\xed\xa0\xbd"')


def test_what_is_heard_is_mended() -> None:
    line = r'{"cost": NaN, "more": [1e400, -Infinity, 2], "tokens": 1%s, "text": "\ud83d, NUL \u0000, \ud83d\ude00"}'
    assert heard(line % ("0" * 23)) == {
        "cost": None,
        "more": [None, None, 2],
        "tokens": None,
        "text": "\ufffd, NUL \ufffd, 😀",
    }


def test_depth_has_a_bound_that_is_the_same_both_ways() -> None:
    value: Any = 1
    for _ in range(DEPTH_MAX):
        value = [value]
    assert loads(dumps(value)) == value
    with pytest.raises(Unfit, match="nested"):
        dumps([[value]])
    with pytest.raises(Unfit, match="nested"):
        loads(json.dumps([[value]]))


READ_OTHERWISE = {
    "agents/acp/wire.py": "keeps unknown numbers of messages as null, and catches a RecursionError",
    "agents/prices.py": "ships with the program",
    "agents/registry.py": "catches a RecursionError",
    "agents/rehearsal/briefing.py": "answers of our own server",
    "agents/rehearsal/rehearsal.py": "answers of our own server",
    "agents/rehearsal/stages.py": "answers of our own server",
    "agents/adapter.py": "a file of the service",
    "agents/sandbox/landlock.py": "a file of the service",
    "agents/session_host/plan.py": "a file of the service",
    "hub/operating/backup.py": "checked against its hashes",
    "hub/signin/clients.py": "a column of the hub",
    "hub/signin/keys.py": "a column of the hub",
    "mcp_server/bridge.py": "catches a RecursionError",
    "mcp_server/opening.py": "ships with the program",
    "mcp_server/repairing.py": "catches a RecursionError",
    "system/strict_toml.py": "reads TOML for the others",
    "tui/kit/looks.py": "ships with the program, or is written by it",
}


def test_what_others_wrote_is_read_by_these_alone() -> None:
    """Python's own readers raise RecursionError for a thousand brackets, which nobody expects, and take NaN."""
    read = re.compile(r"(?<![\w.])(?:json|tomllib)\.loads?\(")
    folders = [one for one in PACKAGE.iterdir() if (one / "__init__.py").exists() and one.name != "tests"]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    found = {str(path.relative_to(PACKAGE)) for path in files if read.search(path.read_text("utf-8"))}
    assert found == READ_OTHERWISE.keys()


def test_nothing_else_reads_or_writes_json_on_the_ways_into_the_workspace() -> None:
    files = [path for folder in WAYS_IN for path in (PACKAGE / folder).rglob("*.py")]
    files += [PACKAGE / name for name in WAYS_IN_FILES]
    assert len(files) > 80
    others = [path for path in files if re.search(r"^\s*(import|from) (json|orjson)\b", path.read_text("utf-8"), re.M)]
    assert others == []
    assert strict_json.loads is loads
