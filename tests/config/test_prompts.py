from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.config import prompts
from solo_unicorn.missions.errors import InvalidValue, SoloUnicornError


def put(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)


def test_the_repository_wins_over_the_person_and_both_over_the_built_in(home: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    built_in = prompts.template("plan", repository)
    assert built_in
    put(home / "prompts", "plan", "mine")
    assert prompts.template("plan", repository) == "mine"
    put(repository / ".solo-unicorn" / "prompts", "plan", "theirs")
    assert prompts.template("plan", repository) == "theirs"
    assert prompts.template("plan") == "mine"


def test_a_stage_of_ones_own_gets_the_default_template(home: Path) -> None:
    assert prompts.template("deploy") == prompts.template("default")
    put(home / "prompts", "default", "my default")
    assert prompts.template("deploy") == "my default"


@pytest.mark.parametrize("stage", ["../secret", "a/b", ".hidden", "..\\x", "a\0b"])
def test_a_stage_that_is_no_file_name_reads_no_file(home: Path, stage: str) -> None:
    with pytest.raises(InvalidValue, match="stage"):
        prompts.template(stage)


def test_a_template_that_is_not_text_is_named(home: Path) -> None:
    (home / "prompts").mkdir()
    (home / "prompts" / "plan.md").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SoloUnicornError, match=r"plan\.md"):
        prompts.template("plan")
