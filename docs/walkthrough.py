"""Make docs/walkthrough.md with its pictures: ten tasks, done in the running application, one picture a step.

    python docs/walkthrough.py [--check]

Each step names the key that a person presses next, and the script refuses a step whose key is not on the screen. The
workspace is the throw-away one of story.py. `--check` writes nothing and says whether the walk can be walked.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PICTURES = HERE / "walkthrough"
SIZE = (140, 36)
DEADLINE = 20.0


@dataclass(frozen=True)
class Step:
    """Press `keys` when the screen shows `seen` (what says so); afterwards it shows `then`."""

    keys: tuple[str, ...]
    seen: str
    then: str


@dataclass(frozen=True)
class Task:
    """A thing somebody wants to do."""

    name: str
    title: str
    words: str
    steps: tuple[Step, ...]


def typed(text: str) -> tuple[str, ...]:
    """The keys of a text."""
    return tuple("space" if letter == " " else letter for letter in text)


TASKS: Sequence[Task] = (
    Task(
        "write",
        "Write a mission",
        "The last line of the board says `n new`. The form says `ctrl+s save`.",
        (
            Step(("n",), "n new", "New mission"),
            Step((*typed("Export invoices"), "ctrl+s"), "ctrl+s save", "Export invoices"),
        ),
    ),
    Task(
        "ready",
        "Let an agent take it",
        "The cursor is on the new card. `space ready` makes it ready; the card says why it waits.",
        (Step(("space",), "space ready", "ready"),),
    ),
    Task(
        "open",
        "Go into a mission",
        "`⏎ open`. The room opens where you are needed; here is its overview.",
        (Step(("enter",), "⏎ open", "Overview"), Step(("escape",), "esc board", "Todo")),
    ),
    Task(
        "inbox",
        "See what waits for you",
        "The first line says how much waits, the last one `i inbox`.",
        (Step(("i",), "i inbox", "Waiting for you"),),
    ),
    Task(
        "review",
        "Review and reject with feedback",
        "`r review` on a review leads into the room; `x reject` opens the feedback.",
        (
            Step(("r",), "r review", "To check"),
            Step(("x",), "x reject", "Reject the plan"),
            Step((*typed("Two edits per word"), "ctrl+s"), "(ctrl+s)", "Overview"),
            Step(("escape",), "esc board", "Todo"),
        ),
    ),
    Task(
        "undo",
        "Take a step back",
        "`u undo` takes back what was done last, and says what that was.",
        (Step(("u",), "u undo", "Todo"),),
    ),
    Task(
        "find",
        "Find anything",
        "`ctrl+p everything` finds commands, missions and projects by some of their letters.",
        (
            Step(("ctrl+p",), "ctrl+p everything", "Search"),
            Step(typed("metrics"), "Search", "metrics"),
            Step(("enter",), "metrics", "Missions done per week"),
            Step(("escape",), "esc board", "Todo"),
        ),
    ),
    Task(
        "workstation",
        "See why something does not run",
        "`w workstation` lists each ready mission with its reason.",
        (Step(("w",), "w workstation", "Why not running"), Step(("escape",), "esc board", "Todo")),
    ),
    Task(
        "project",
        "Change the project",
        "`ctrl+p everything` finds the project's settings too, and shows their own key. "
        "`⏎ change` on a line changes it.",
        (
            Step(("ctrl+p",), "ctrl+p everything", "Search"),
            Step(typed("project sett"), "Search", "project settings"),
            Step(("enter",), "project settings", "default flow"),
        ),
    ),
    Task(
        "flow",
        "Make a flow of your own",
        "`tab next` twice leads to the flows, `c copy` makes one of your own.",
        (
            Step(("tab", "tab"), "tab next", "clarify"),
            Step(("c",), "c copy", "Copy of the flow"),
            Step(("enter",), "(enter)", "My Standard"),
        ),
    ),
)


async def walk(path: Path, story: Any, pictures: dict[str, str]) -> None:
    """Do every task; the pictures by name. AssertionError names a key that the screen does not show."""
    from solo_unicorn.config.settings import Settings
    from solo_unicorn.tui.app import SoloUnicornApp
    from solo_unicorn.tui.board.data import opening

    app = SoloUnicornApp(
        lambda: opening(path, None, None), path=path, settings=Settings(), serve=False, clock=lambda: story.NOW
    )
    async with app.run_test(size=SIZE) as pilot:

        def text() -> str:
            strips = app.screen._compositor.render_strips()
            return "\n".join("".join(segment.text for segment in strip) for strip in strips)

        async def until(wanted: str, step: str) -> None:
            end = time.monotonic() + DEADLINE
            while wanted not in text():
                if time.monotonic() > end:
                    raise AssertionError(f"{step}: the screen does not show {wanted!r}\n{text()}")
                await pilot.pause(0.02)

        await until("Todo", "start")
        while not app.connected:
            await pilot.pause(0.02)
        for task in TASKS:
            for number, step in enumerate(task.steps):
                await until(step.seen, f"{task.name}, step {number + 1}")
                for _ in range(3):
                    await pilot.pause(0.05)  # a sheet that has just come takes the focus first
                await pilot.press(*step.keys)
                await until(step.then, f"{task.name}, after step {number + 1}")
                if number == 0 or step.then not in ("Todo",):
                    for _ in range(4):
                        await pilot.pause(0.05)
                    pictures[f"{task.name}-{number + 1}"] = app.export_screenshot(title="Solo Unicorn")
            app.clear_notifications()


def page(pictures: dict[str, str]) -> str:
    """The walk in words."""
    lines = [
        "# A walk through Solo Unicorn",
        "",
        "Ten tasks on a board with a day's work on it. Every key that is pressed stands on the screen before it is "
        "pressed: the last line always says what can be done here. The pictures are made by `docs/walkthrough.py` from "
        "the running application.",
    ]
    for number, task in enumerate(TASKS, 1):
        lines += ["", f"## {number}. {task.title}", "", task.words, ""]
        for at, step in enumerate(task.steps, 1):
            name = f"{task.name}-{at}"
            keys = "".join(step.keys) if all(len(key) == 1 for key in step.keys) else " ".join(step.keys)
            if name in pictures:
                lines += [
                    f"Press `{keys}`:" if len(keys) < 12 else "Type it and keep it:",
                    "",
                    f"![{task.title}](walkthrough/{name}.svg)",
                    "",
                ]
            else:
                lines += [f"`{keys}` leads back.", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Walk, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether every key is where it should be")
    chosen = parser.parse_args()
    spec = importlib.util.spec_from_file_location("story", HERE / "story.py")
    assert spec is not None and spec.loader is not None
    story = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(story)
    pictures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "SOLO_UNICORN_HOME": directory,
            "SOLO_UNICORN_RUNTIME_DIR": directory,
            "TZ": "UTC",
            "COLORTERM": "truecolor",
        }
        path = Path(directory) / "workspace.db"
        story.tell(path)
        asyncio.run(walk(path, story, pictures))
    if not chosen.check:
        PICTURES.mkdir(exist_ok=True)
        for name, svg in pictures.items():
            (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
        (HERE / "walkthrough.md").write_text(page(pictures), encoding="utf-8")
    print(f"{len(TASKS)} tasks, {len(pictures)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
