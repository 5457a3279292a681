"""The metrics screen: what it plots, and that nothing of it is imported before it is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from textual_plotext import PlotextPlot

from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.ages import duration
from solo_unicorn.tui.project.metrics import PLOTS, MetricsScreen, lines_for
from solo_unicorn.workspace import operations

from ..conftest import Story, ready, screen_text, until


async def test_plots_and_agents_of_the_project_or_of_all(story: Story) -> None:
    story.workspace.write(operations.projects.create, "Other")
    app = story.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, MetricsScreen) and "3 missions done" in screen_text(app))
        shown = screen_text(app)
        for words in ("acme-shop", "12 weeks", "$0.48", "Missions done per week", "03-02", "claude"):
            assert words in shown
        await pilot.press("w")
        await until(pilot, lambda: "26 weeks" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "all projects" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BoardScreen))


async def test_an_empty_workspace_says_so(story: Story) -> None:
    for card in [story.card(title) for title in story.titles("done")]:
        story.workspace.write(operations.missions.delete, card.id)
    app = story.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, MetricsScreen) and "0 missions done" in screen_text(app))
        assert [plot.id for plot in app.screen.query(PlotextPlot) if plot.border_subtitle] == ["cost"]
        for words in ("No missions were done", "Nothing waited for your"):
            assert words in screen_text(app)


@pytest.mark.parametrize(
    ("name", "most", "said"),
    [
        ("done", 3, ["0", "2", "4"]),
        ("done", 41, ["0", "50", "100"]),
        ("cycle", 0.7, ["0 s", "30 min", "1 h"]),
        ("cycle", 3.4, ["0 s", "2 h", "4 h"]),
        ("review", 70, ["0 s", "2 d", "4 d"]),
        ("cost", 0.48, ["$0.00", "$0.50", "$1.00"]),
    ],
)
def test_the_lines_of_a_plot_are_in_units_that_people_use(name: str, most: float, said: list[str]) -> None:
    figure = PLOTS[name]
    assert [figure.said(value) for value in lines_for(most, figure.steps)] == said


def test_lengths_of_time_are_said_as_people_say_them() -> None:
    assert [duration(hours) for hours in (0, 0.0014, 0.2, 1, 3.34, 50)] == [
        "0 s",
        "5 s",
        "12 min",
        "1 h",
        "3 h 20 min",
        "2 d 2 h",
    ]


def test_the_board_does_not_import_the_plots(home: Path) -> None:
    code = (
        "import sys, solo_unicorn.tui.board.screen\n"
        "print([name for name in sys.modules if name.startswith(('plotext', 'textual_plotext', 'pygments'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
