"""Whether and how a person who looks elsewhere is told that something waits."""

from __future__ import annotations

from datetime import datetime

import pytest

from solo_unicorn.config.settings import ScreenSettings, Settings, find
from solo_unicorn.tui.kit.notices import is_quiet, say_what_waits

from ..conftest import Story, ready


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ("22:00-07:00", "23:10", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:00", "12:30", True),
        ("12:00 - 13:00", "13:00", False),
        ("", "23:10", False),
        ("at night", "23:10", False),
        ("25:00-26:00", "23:10", False),
    ],
)
def test_quiet_hours(hours: str, at: str, quiet: bool) -> None:
    now = datetime.fromisoformat(f"2026-03-12T{at}:00").astimezone()
    assert is_quiet(ScreenSettings(quiet_hours=hours), now) is quiet


TOLD: list[tuple[ScreenSettings, list[str]]] = [
    (ScreenSettings(), ["\x1b]9;M-14 asks: Consent before analytics (2 wait for you)\x07"]),
    (ScreenSettings(notify="bell"), ["\x07"]),
    (ScreenSettings(notify="off"), []),
    (ScreenSettings(quiet_hours="00:00-23:59"), []),
]


def test_every_way_to_be_told_is_tried() -> None:
    notify = find("ui.notify")
    assert notify is not None and {settings.notify for settings, _ in TOLD} == set(notify.choices)


@pytest.mark.parametrize(("settings", "said"), TOLD)
async def test_what_the_terminal_is_told(
    story: Story, monkeypatch: pytest.MonkeyPatch, settings: ScreenSettings, said: list[str]
) -> None:
    app = story.app(settings=Settings(ui=settings))
    written: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        monkeypatch.setattr(app.terminal, "_write", written.append)
        await say_what_waits(app, 2)
    assert len(written) == len(said)
    assert all(one.startswith(wanted) for one, wanted in zip(written, said, strict=True)), written
