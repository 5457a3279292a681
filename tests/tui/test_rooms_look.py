"""How every screen beside the board looks: text at three sizes, the same in each theme and without colour; pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from .conftest import Story, TextFile, same_in_every_theme, screen_text
from .rooms import ROOMS, quiet

__all__ = ["quiet"]
pytestmark = pytest.mark.slow

SIZES = [(160, 45), (80, 24), (40, 20)]
PICTURES = ["overview", "session", "changes", "review", "inbox-permission", "workstation", "metrics", "project-stages"]


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
            await same_in_every_theme(pilot, dark)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(story: Story, quiet: None, snap_compare: Callable[..., bool], name: str) -> None:
    async def go(pilot: Pilot[Any]) -> None:
        await ROOMS[name](pilot, story)
        for _ in range(3):
            await pilot.pause()

    assert snap_compare(story.app(), terminal_size=(120, 34), run_before=go)


async def test_a_pull_request_is_a_hyperlink_of_the_terminal(story: Story, quiet: None) -> None:
    app = story.app()
    async with app.run_test(size=SIZES[0]) as pilot:
        await ROOMS["landing"](pilot, story)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        links = {segment.style.link for strip in strips for segment in strip if segment.style is not None}
        assert "https://example.invalid/7" in links
