"""TOML of people and repositories is read, or refused with a reason that its readers expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue
from solo_unicorn.config import parsing
from solo_unicorn.mcp_server.install.toml import TomlEditor
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.system import strict_toml
from solo_unicorn.worktrees.repository.recipe import parse_recipe

UNFIT = {
    "nan": "[worktree]\nsetup_timeout = nan\n",
    "too large": "[worktree]\nsetup_timeout = 1e400\n",
    "thousands of digits": f"a = {'9' * 6000}\n",
    "too deep": f"a = {'[' * 20_000}",
    "deep tables": "a = " + "{b = " * 5000,
    "a NUL": 'a = ["\\u0000"]\n',
    "a NUL in a name": '"\\u0000" = 1\n',
    "year 0": "a = 0000-01-01\n",
    "cut off": "a = [",
}


@pytest.mark.parametrize("text", UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_used_is_refused_by_every_reader(text: str, tmp_path: Path) -> None:
    with pytest.raises(strict_toml.Unfit):
        strict_toml.loads(text)
    with pytest.raises(ValueError):
        TomlEditor.read(text)
    (entry := tmp_path / "mine.toml").write_text(text)
    for read in (
        lambda: catalogue.read(entry),
        lambda: parsing.values(parsing.parse(text, entry), text, entry),
        lambda: parse_recipe(text, "recipe"),
    ):
        with pytest.raises(SoloUnicornError) as refused:
            read()
        assert refused.value.why and refused.value.todo


def test_a_text_that_only_looks_like_a_nul_is_kept() -> None:
    assert strict_toml.loads("a = '\\u0000'\nb = 1.5\n") == {"a": "\\u0000", "b": 1.5}
