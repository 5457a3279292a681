"""Make docs/pictures: the application on a real pseudo-terminal, over the workspace of story.py, drawn as SVG.

    make pictures [ARGS="board-dark film"]

Each picture presses the keys of its list and waits until the screen shows what they lead to. The film is the installed
program in a repository of its own, with the workstation service and the rehearsal agent, while nobody helps.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import story  # noqa: E402
from painting import Frame, Terminal, film, still  # noqa: E402

PICTURES = HERE / "pictures"
DARK, LIGHT = "unicorn-dark", "unicorn-light"
DEPTHS = {
    "true": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color"},
    "none": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}
WIDE, MIDDLE, NARROW = (160, 45), (120, 34), (40, 20)
ENTER, CTRL_S = "\r", "\x13"

Steps = Sequence[tuple[str, str]]
TO_REVIEW: Steps = (("/", "filter"), ("gift cards\r", "1 shown"), (ENTER, "Overview"))
TO_DIFF: Steps = (*TO_REVIEW[:2], (ENTER, "To check"), ("H", "giftCard"))


@dataclass(frozen=True)
class Picture:
    """What to press (keys, and what the screen shows then), on which kind of terminal."""

    name: str
    title: str
    steps: Steps = ()
    size: tuple[int, int] = MIDDLE
    theme: str = DARK
    depth: str = "true"
    fresh: bool = False
    """Whether nothing was told yet: a first start."""

    @property
    def light(self) -> bool:
        """Whether the terminal has dark text on a light ground."""
        return self.theme == LIGHT


ALL: Sequence[Picture] = (
    Picture("board-dark", "The board", size=WIDE),
    Picture("board-light", "The board on a light terminal", size=WIDE, theme=LIGHT),
    Picture("board-256", "The board in 256 colours", depth="256"),
    Picture("board-none", "The board without colours", depth="none"),
    Picture("board-narrow", "The board on 40 columns", size=NARROW),
    Picture("jump", "Jump: a letter on everything", ((";", " l  Rate-limit"),)),
    Picture("help", "Every key, with a search", (("?", "Keys"),)),
    Picture("form", "A new mission", (("n", "New mission"), ("Export invoices", "Export invoices"))),
    Picture("form-256", "A new mission in 256 colours", (("n", "New mission"),), depth="256"),
    Picture("form-none", "A new mission without colours", (("n", "New mission"),), depth="none"),
    Picture("inbox", "Everything that is waiting for you", (("i", "Waiting for you"),)),
    Picture("inbox-light", "The inbox on a light terminal", (("i", "Waiting for you"),), theme=LIGHT),
    Picture("review", "A review", TO_DIFF[:3]),
    Picture("diff", "The changes in one column", TO_DIFF),
    Picture("diff-beside", "Before and after beside each other", (*TO_DIFF, ("s", "1 + import")), size=WIDE),
    Picture("diff-light", "The changes on a light terminal", TO_DIFF, theme=LIGHT),
    Picture("diff-256", "The changes in 256 colours", TO_DIFF, depth="256"),
    Picture("diff-none", "The changes without colours", TO_DIFF, depth="none"),
    Picture("tour", "The order that the agent proposes", (*TO_DIFF, ("T", "1 of 2"))),
    Picture("console", "The agent at work", (("/", "filter"), ("retry pay\r", "1 shown"), (ENTER, "npm test"))),
    Picture("workstation", "Why a mission does not run", (("w", "Why not running"),)),
    Picture("wizard", "The first start", (("\r", "Agents found"), ("", "rehearsal")), fresh=True),
    Picture("metrics", "How the work goes", (("M", "Missions done per week"),)),
)


def environment(home: Path, depth: str) -> dict[str, str]:
    """Of a person with nothing but git, on a terminal of some depth."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    own = {"HOME": str(home), "SOLO_UNICORN_HOME": str(home / ".solo-unicorn"), "TZ": "UTC", "SHELL": "/bin/sh"}
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME")
    mails = ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    return (
        {"LANG": "C.UTF-8"}
        | kept
        | own
        | dict.fromkeys(names, "You")
        | dict.fromkeys(mails, "you@example.com")
        | DEPTHS[depth]
    )


def take(picture: Picture, home: Path) -> str:
    """Press its keys; the picture as SVG."""
    script = f"import sys; sys.path.insert(0, {str(HERE)!r}); import story; story.show({picture.theme!r})"
    terminal = Terminal(["-P", "-c", script], picture.size, environment(home, picture.depth), home / "web")
    try:
        terminal.until("This repository" if picture.fresh else "Rate-limit")
        for keys, shown in picture.steps:
            terminal.type(keys)
            terminal.until(shown)
        return still(terminal.frame(), title=f"Solo Unicorn: {picture.title}", light=picture.light)
    finally:
        terminal.close()


@contextmanager
def told_home(picture: Picture) -> Iterator[Path]:
    """A home with the story of a picture in it, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="story-") as directory:
        home = Path(directory) / "you"
        home.mkdir()
        os.environ |= environment(home, "true")
        (home / ".solo-unicorn").mkdir(mode=0o700)
        (home / ".solo-unicorn/config.toml").write_text('[workstation]\nname = "laptop"\n', encoding="utf-8")
        path = home / ".solo-unicorn" / "workspace.db"
        if picture.fresh:
            story.repository(home)
        else:
            project = story.tell(path)
            story.tell_of_code(path, project)
            if picture.name == "metrics":
                story.tell_of_weeks(path, project)
        yield home


class Recording:
    """The frames of a film. Waiting is shortened, typing is as fast as a person types."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.frames: list[Frame] = []

    def shoot(self, seconds: float) -> None:
        """Show what is there for a while; the same as before is shown longer."""
        frame = self.terminal.frame(seconds)
        if self.frames and self.frames[-1].rows == frame.rows:
            self.frames[-1] = Frame(frame.rows, self.frames[-1].seconds + seconds)
        else:
            self.frames.append(frame)

    def type(self, keys: str, seconds: float = 0.07) -> None:
        """Key by key."""
        for key in keys:
            self.terminal.type(key)
            self.terminal.settle(0.15)
            self.shoot(seconds)

    def until(self, wanted: str, seconds: float = 1.0) -> None:
        """Until the screen shows something, then rest there."""
        self.terminal.until(wanted, lambda: self.shoot(0.12))
        self.shoot(seconds)


def record(home: Path) -> str:
    """One mission from the idea to the landing, as SVG."""
    here = environment(home, "true")
    root = story.repository(home)

    def command(*words: str) -> None:
        story.subprocess.run([sys.executable, "-P", "-m", "solo_unicorn", *words], cwd=root, env=here, check=True)

    command("project", "create", "--quiet", "shop", "--repo", str(root))
    command("project", "edit", "--quiet", "shop", "--default-flow", "Quick fix")
    for priority, title in ((3, "Dark mode for invoices"), (2, "Drop the last jQuery plug-in")):
        command("mission", "create", "--quiet", title, "--priority", str(priority))
    terminal = Terminal(["-P", "-m", "solo_unicorn"], (110, 30), here, root)
    scene = Recording(terminal)
    try:
        scene.until("Drop the last", 1.5)
        scene.type("n")
        scene.until("New mission", 0.6)
        scene.type("Retry payments")
        scene.type(CTRL_S, 0.3)
        scene.until("Todo 3", 1.2)
        scene.type(" ", 0.3)
        scene.until("Review 1", 1)
        scene.type("ll", 0.4)
        scene.type(ENTER, 0.3)
        scene.until("What it did", 2.5)
        scene.type("H")
        scene.until("Written by", 3)
        scene.type("a", 0.3)
        scene.until("Approved", 1)
        scene.type("q")
        scene.until("Done 1", 3)
        return film(scene.frames, title="Solo Unicorn: a mission from the idea to the landing")
    finally:
        terminal.close()
        command("workstation", "stop", "--force")


def page() -> str:
    """All pictures on one page."""
    shown = "".join(f"\n## {one.title}\n\n![{one.title}]({one.name}.svg)\n" for one in ALL)
    about = "The running application on a pseudo-terminal, made by `make pictures`."
    return f"# Pictures\n\n{about}\n\n![A mission from the idea to the landing](film.svg)\n{shown}"


def main() -> int:
    """Make the pictures that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which; by default all")
    parser.add_argument("--into", type=Path, default=PICTURES)
    chosen = parser.parse_args()
    known = [picture.name for picture in ALL] + ["film"]
    if unknown := set(chosen.names) - set(known):
        parser.error(f"not a picture: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    wanted = chosen.names or known
    chosen.into.mkdir(exist_ok=True)
    for picture in ALL:
        if picture.name in wanted:
            with told_home(picture) as home:
                (chosen.into / f"{picture.name}.svg").write_text(take(picture, home), encoding="utf-8")
            print(picture.name, flush=True)
    if not chosen.names:
        (chosen.into / "README.md").write_text(page(), encoding="utf-8")
    if "film" in wanted:
        with tempfile.TemporaryDirectory(prefix="story-") as directory:
            (chosen.into / "film.svg").write_text(record(Path(directory)), encoding="utf-8")
        print("film", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
