"""The theme that is chosen with F2 is there at the next start, and a wrong name is said."""

from __future__ import annotations

from textual.widgets import OptionList

from solo_unicorn.config import loading, paths
from solo_unicorn.config.settings import ScreenSettings, Settings

from .conftest import Story, ready, text, until


async def test_the_theme_chosen_with_f2_is_kept(story: Story) -> None:
    app = story.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(pilot)
        await pilot.press("f2", *"gruvbox")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.theme == "gruvbox")
        await until(pilot, lambda: loading.load(paths.config_file()).ui.theme == "gruvbox")
    async with story.app(settings=loading.load(paths.config_file())).run_test() as again:
        assert again.app.theme == "gruvbox"


async def test_a_theme_that_is_not_there_is_said(story: Story) -> None:
    wrong = Settings(ui=ScreenSettings(theme="dracla"))
    async with story.app(settings=wrong).run_test(size=(120, 30), notifications=True) as pilot:
        await ready(pilot)
        await until(pilot, lambda: "dracla is not the name of a theme" in text(pilot))
