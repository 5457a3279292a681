from __future__ import annotations

from pathlib import Path

from solo_unicorn.config.reference import markdown
from solo_unicorn.config.settings import SCHEMA

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text() == markdown(), "run: solo-unicorn config list --markdown > docs/configuration.md"


def test_the_page_names_every_setting() -> None:
    assert all(f"| `{row.name}` |" in markdown() and row.about in markdown() for row in SCHEMA)


def test_the_example_on_the_page_is_a_valid_file(home: Path) -> None:
    from solo_unicorn.config.loading import load

    example = markdown().split("```toml\n")[1].split("```")[0]
    (home / "config.toml").write_text(example)
    assert load().agent("claude-work").type == "claude"
