"""How every screen beside the board looks: text at three sizes, the same in each theme and without colour; pictures."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from solo_unicorn.tui.keyline import KeyLine

from .conftest import Story, screen_text
from .rooms import ROOMS, quiet
from .test_looks import Picture, TextFile

__all__ = ["quiet"]
pytestmark = pytest.mark.slow

SIZES = [(160, 45), (80, 24), (40, 20)]
PICTURES = ["overview", "session", "changes", "review", "inbox-permission", "workstation", "metrics", "project-stages"]


def words(text: str) -> set[str]:
    """What is said, without lines and frames."""
    return set(re.findall(r"[\w$%]+", text))


def kept(text: str) -> str:
    """What is compared with an earlier run: the ids of the story are others each time."""
    return re.sub(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "0" * 26, text)


@pytest.mark.parametrize("name", ROOMS)
async def test_text_at_three_sizes_in_every_theme(
    story: Story, quiet: None, snapshot: SnapshotAssertion, name: str
) -> None:
    """Dark is kept; light and the terminal's own colours show the same words, so that no colour carries a meaning."""
    looks = snapshot.use_extension(TextFile)
    app = story.app()
    async with app.run_test(size=SIZES[0]) as pilot:
        await ROOMS[name](pilot, story)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            for _ in range(3):
                await pilot.pause()
            dark = screen_text(app)
            assert kept(dark) == looks(name=f"{name}-{width}x{height}")
            app.theme = "unicorn-light"
            await pilot.pause()
            await pilot.pause()
            assert screen_text(app) == dark
            app.theme = "ansi-dark"  # sheets hide what is below them, and Markdown sets code otherwise
            await pilot.pause()
            await pilot.pause()
            bare = screen_text(app)
            assert words(bare) <= words(dark)
            if app.screen.query(KeyLine):
                assert bare.splitlines()[-1] == dark.splitlines()[-1]
            assert app.screen.is_modal or words(bare) == words(dark)
            app.theme = "unicorn-dark"
            await pilot.pause()


@pytest.mark.parametrize("name", PICTURES)
async def test_pictures(story: Story, quiet: None, snapshot: SnapshotAssertion, name: str) -> None:
    app = story.app()
    async with app.run_test(size=(120, 34)) as pilot:
        await ROOMS[name](pilot, story)
        for _ in range(3):
            await pilot.pause()
        assert app.export_screenshot(title="") == snapshot(name=name, extension_class=Picture)
