"""Changing a mission in one's own editor, while others change it too."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..conftest import Run

EDITOR = """
import subprocess, sys, pathlib
file = pathlib.Path(sys.argv[1])
file.write_text({text!r})
for words in {meanwhile!r}:
    subprocess.run([sys.executable, "-m", "solo_unicorn", *words], check=True)
"""


@pytest.fixture
def by_hand(run: Run, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Edit M-1 to a text, while other commands run; the answer."""
    from solo_unicorn.cli.mission import writing as mission_writing

    monkeypatch.setattr(mission_writing, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    script = tmp_path / "editor.py"
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)
    assert run("mission", "create", "Count the beans", "-d", "Both jars").code == 0

    def edit(text: str, *meanwhile: tuple[str, ...]) -> object:
        script.write_text(EDITOR.format(text=text, meanwhile=meanwhile))
        return run("mission", "edit", "M-1", "--json")

    return edit  # type: ignore[return-value]


def test_what_differs_is_changed(run: Run, by_hand: Run) -> None:
    done = by_hand("Count the oats\n\nBoth jars\n")
    assert (done.data["title"], done.data["description"]) == ("Count the oats", "Both jars")
    assert run("mission", "history", "M-1", "--json").data[-1]["changes"].keys() == {"title"}
    assert by_hand("Count the oats\n\nBoth jars\n").data["version"] == done.data["version"]


def test_what_others_changed_in_other_fields_stays_theirs(run: Run, by_hand: Run) -> None:
    done = by_hand("Count the oats\n\nBoth jars\n", ("mission", "edit", "M-1", "-d", "Three jars", "--priority", "5"))
    assert (done.data["title"], done.data["description"], done.data["priority"]) == ("Count the oats", "Three jars", 5)


def test_a_field_that_others_changed_too_is_left_and_the_text_is_kept(run: Run, by_hand: Run) -> None:
    refused = by_hand("Count the beans\n\nFour jars\n", ("mission", "edit", "M-1", "-d", "Three jars"))
    assert refused.code == 4 and "description of M-1 changed while you wrote" in refused.error["what"]
    kept = Path(refused.error["todo"].split("your text is in ")[1])
    assert kept.read_text() == "Count the beans\n\nFour jars\n"
    kept.unlink()
    assert run("mission", "show", "M-1", "--json").data["description"] == "Three jars"


def test_a_text_that_the_rules_refuse_is_kept_too(by_hand: Run) -> None:
    refused = by_hand("x" * 501 + "\n\nBoth jars\n")
    assert refused.code == 2
    kept = Path(refused.error["todo"].split("your text is in ")[1])
    assert kept.read_text().startswith("x" * 501)
    kept.unlink()
