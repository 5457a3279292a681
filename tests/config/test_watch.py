from __future__ import annotations

import asyncio
from pathlib import Path

from solo_unicorn.config import edit, watch
from solo_unicorn.config.loading import load
from solo_unicorn.config.schema import SettingsError
from solo_unicorn.config.settings import Settings

from ..simulated_time import SimulatedLoop, simulated


async def test_every_change_of_the_file_is_read_again(home: Path) -> None:
    stop = asyncio.Event()
    changes = watch.changes(stop, load())
    config = home / "config.toml"
    async with asyncio.timeout(30):
        first = asyncio.ensure_future(anext(changes))
        edit.set_value("workstation.slots", "7")
        found = await first
        assert isinstance(found, Settings) and found.workstation.slots == 7

        config.write_text("slots = = 3")
        broken = await anext(changes)
        assert isinstance(broken, SettingsError) and broken.line == 1

        draft = config.with_suffix(".new")  # as an editor does it
        draft.write_text("[workstation]\nslots = 5\n")
        draft.replace(config)
        found = await anext(changes)
        assert isinstance(found, Settings) and found.workstation.slots == 5
        stop.set()
        assert [item async for item in changes] == []


async def test_a_file_that_went_back_to_what_was_known_says_nothing(home: Path) -> None:
    stop = asyncio.Event()
    known = load()
    changes = watch.changes(stop, known)
    async with asyncio.timeout(30):
        (home / "config.toml").write_text("# only a comment\n")
        waiting = asyncio.ensure_future(anext(changes))
        while not (await asyncio.wait({waiting}, timeout=1.5))[0]:
            (home / "config.toml").write_text("editor = 'vim'\n")
        assert waiting.result() == load() != known
        stop.set()


async def test_a_linked_file_is_followed_to_where_it_is(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "solo-unicorn.toml"
    target.parent.mkdir()
    target.write_text("")
    (home / "config.toml").symlink_to(target)
    stop = asyncio.Event()
    changes = watch.changes(stop, load())
    async with asyncio.timeout(30):
        waiting = asyncio.ensure_future(anext(changes))
        target.write_text("editor = 'vim'\n")
        found = await waiting
        assert isinstance(found, Settings) and found.editor == "vim"
        stop.set()


def test_to_look_for_an_hour_costs_a_stat_each_second_and_nothing_on_other_threads(home: Path) -> None:
    """A thread of a library looked twenty times a second whether it should end."""

    async def main(loop: SimulatedLoop) -> tuple[int, int]:
        stop, known = asyncio.Event(), load()
        looking = asyncio.ensure_future(anext(watch.changes(stop, known), None))
        await asyncio.sleep(3600)
        stop.set()
        assert await looking is None
        return loop.jumps, loop.calls

    jumps, calls = simulated(main)
    assert 3590 <= jumps <= 3610 and calls <= 2
