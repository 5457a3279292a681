"""Pictures of a program on a real pseudo-terminal: what it writes is shown by a terminal emulator and drawn as SVG.

The colours are those that the program asked for, in the depth that its environment tells it. An animated picture keeps
every line of every frame once and moves from frame to frame by CSS, so that it runs wherever a browser shows an image.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyte
from pyte.screens import Char

CELL, LINE, FONT = 8.4, 16, 14
DEADLINE, QUIET = 60.0, 0.4
ANSI = dict(
    zip(
        ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white"),
        ("000000", "cd3131", "0dbc79", "b5a000", "2472c8", "bc3fbc", "11a8cd", "cccccc"),
        strict=True,
    )
) | {
    f"bright{name}": colour
    for name, colour in zip(
        ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white"),
        ("666666", "f14c4c", "23d18b", "f5f543", "3b8eea", "d670d6", "29b8db", "ffffff"),
        strict=True,
    )
}
EIGHTHS = {chr(0x2580 + n): (0.0, 1 - n / 8, 1.0, n / 8) for n in range(1, 9)} | {
    chr(0x2588 + n): (0.0, 0.0, 1 - n / 8, 1.0) for n in range(1, 8)
}
BLOCKS = EIGHTHS | {
    "▀": (0.0, 0.0, 1.0, 0.5),
    "▐": (0.5, 0.0, 0.5, 1.0),
    "▔": (0, 0, 1, 0.125),
    "▕": (0.875, 0, 0.125, 1),
}
"""Glyphs that have to fill their cell whatever the font: left, top, width and height, in cells."""

Row = tuple[Char, ...]


class Frame(NamedTuple):
    """What the terminal shows, and for how many seconds an animation shows it."""

    rows: tuple[Row, ...]
    seconds: float = 0.0


class Emulator(pyte.Screen):
    """pyte's screen, with faint text, which it does not know: it stands in `blink`."""

    def select_graphic_rendition(self, *attrs: int, private: bool = False) -> None:
        """Set the look of what is written next."""
        if private:
            return
        told, rest = [], list(attrs)
        while rest:
            code = rest.pop(0)
            if code in (38, 48):
                length = 2 if rest[:1] == [5] else 4
                told += [code, *rest[:length]]
                del rest[:length]
            else:
                told += {2: [5], 22: [22, 25]}.get(code, [code])
        super().select_graphic_rendition(*told)


class Terminal:
    """A Python program on a terminal of `size` (columns, rows)."""

    def __init__(
        self,
        program: Sequence[str],
        size: tuple[int, int],
        environment: Mapping[str, str],
        directory: Path | None = None,
    ) -> None:
        self.screen = Emulator(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(self.master, (size[1], size[0]))
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(slave)
            os.chdir(directory or "/")
            os.execve(sys.executable, [sys.executable, *program], dict(environment))
        os.close(slave)

    def _listen(self, seconds: float) -> bool:
        """Whether something came within so many seconds; it is on the screen then."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            self._stream.feed(os.read(self.master, 1 << 16))
        except OSError:  # it has ended
            return False
        return True

    def until(self, wanted: str | Callable[[str], object], each: Callable[[], None] = lambda: None) -> None:
        """Until the screen shows a text, and then is quiet. TimeoutError says what it shows instead."""
        end = time.monotonic() + DEADLINE
        while not (wanted in self.text if isinstance(wanted, str) else wanted(self.text)):
            if time.monotonic() > end:
                raise TimeoutError(f"{wanted!r} did not come; the screen:\n{self.text}")
            if self._listen(0.05):
                while self._listen(0.02):  # half a frame is not a frame
                    pass
                each()
        self.settle()

    def settle(self, seconds: float = QUIET) -> None:
        """Until nothing has been written for a while; a clock that ticks does not hold it up for ever."""
        end = time.monotonic() + 5 * seconds
        while time.monotonic() < end and self._listen(seconds):
            pass

    def type(self, keys: str) -> None:
        """As a person does."""
        os.write(self.master, keys.encode())

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.screen.display)

    def frame(self, seconds: float = 0.0) -> Frame:
        """What is shown now."""
        lines, columns = self.screen.lines, self.screen.columns
        return Frame(tuple(tuple(self.screen.buffer[y][x] for x in range(columns)) for y in range(lines)), seconds)

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


class Drawing:
    """Rows of cells as SVG; `light` says what the terminal's own two colours are."""

    def __init__(self, *, light: bool = False) -> None:
        self.paper, self.ink = ("ffffff", "1f2328") if light else ("0c0c0c", "cccccc")
        self.classes: dict[str, str] = {}

    def colour(self, name: str, default: str) -> str:
        """Six hexadecimal digits."""
        return default if name == "default" else ANSI.get(name, name)

    def colours(self, char: Char) -> tuple[str, str]:
        """Of the text and of what is below it."""
        text, below = self.colour(char.fg, self.ink), self.colour(char.bg, self.paper)
        return (below, text) if char.reverse else (text, below)

    def named(self, rule: str) -> str:
        """The class that has a rule."""
        return self.classes.setdefault(rule, f"c{len(self.classes)}")

    def look(self, char: Char) -> str:
        """The class of a cell's text."""
        text, below = self.colours(char)
        if char.blink:
            text = "".join(f"{(int(text[i : i + 2], 16) + int(below[i : i + 2], 16)) // 2:02x}" for i in (0, 2, 4))
        lines = [name for name, on in (("underline", char.underscore), ("line-through", char.strikethrough)) if on]
        return self.named(
            f"fill:#{text}"
            + ";font-weight:bold" * char.bold
            + ";font-style:italic" * char.italics
            + (f";text-decoration:{' '.join(lines)}" if lines else "")
        )

    def row(self, row: Row) -> str:
        """A line of the terminal, at the top of the picture."""
        parts = []
        for below, cells in groupby(enumerate(row), lambda cell: self.colours(cell[1])[1]):
            if below != self.paper:
                at = [x for x, _ in cells]
                parts.append(self.box((at[0], 0.0, len(at), 1.0), self.named(f"fill:#{below}")))
        solid = [(x, char) for x, char in enumerate(row) if char.data in BLOCKS]
        for x, char in solid:
            left, top, width, height = BLOCKS[char.data]
            parts.append(self.box((x + left, top, width, height), self.named(f"fill:#{self.colours(char)[0]}")))
        drawn = {x for x, _ in solid}
        for look, cells in groupby(
            ((x, char) for x, char in enumerate(row) if char.data and x not in drawn),
            lambda cell: None if cell[1].data == " " and not cell[1].underscore else self.look(cell[1]),
        ):
            run = list(cells)
            if look is not None:
                parts += self.words(run, look)
        return "".join(parts)

    def words(self, run: list[tuple[int, Char]], look: str) -> list[str]:
        """Text that hangs together, as wide as its cells."""
        parts, begin = [], 0
        for at in range(1, len(run) + 1):
            if at == len(run) or run[at][0] != run[at - 1][0] + 1:  # a wide character has an empty cell behind it
                piece = run[begin:at]
                x, text = piece[0][0] * CELL, "".join(char.data for _, char in piece)
                wide = f' textLength="{len(piece) * CELL:.1f}"' if len(piece) > 1 else ""
                parts.append(f'<text x="{x:.1f}" y="12.5" class="{look}"{wide}>{escape(text)}</text>')
                begin = at
        return parts

    def box(self, place: tuple[float, float, float, float], look: str) -> str:
        """A rectangle, in cells."""
        x, y, width, height = place
        return (
            f'<rect x="{x * CELL:.1f}" y="{y * LINE:g}" width="{width * CELL:.1f}" '
            f'height="{height * LINE:g}" class="{look}"/>'
        )


def still(frame: Frame, *, title: str, light: bool = False) -> str:
    """One picture."""
    drawing = Drawing(light=light)
    rows = [f'<g transform="translate(0 {y * LINE})">{drawing.row(row)}</g>' for y, row in enumerate(frame.rows)]
    return _picture(drawing, frame, "\n".join(rows), title)


def film(frames: Sequence[Frame], *, title: str, light: bool = False) -> str:
    """An animated picture that begins again at its end."""
    drawing = Drawing(light=light)
    names: dict[Row, str] = {}
    for frame in frames:
        for row in frame.rows:
            names.setdefault(row, f"r{len(names)}")
    rows = [f'<g id="{name}">{drawing.row(row)}</g>' for row, name in names.items()]
    height, total, begins = len(frames[0].rows) * LINE, sum(frame.seconds for frame in frames), 0.0
    shown, keys = [], []
    for number, frame in enumerate(frames):
        uses = (f'<use href="#{names[row]}" y="{y * LINE}"/>' for y, row in enumerate(frame.rows))
        shown.append(f'<g transform="translate(0 {number * height})">{"".join(uses)}</g>')
        keys.append(f"{begins / total:.4%}{{transform:translateY({-number * height}px)}}")
        begins += frame.seconds
    moving = f"#film{{animation:film {total:.2f}s step-end infinite}}@keyframes film{{{''.join(keys)}}}"
    body = f'<defs>{"".join(rows)}</defs>\n<g id="film">{"".join(shown)}</g>'
    return _picture(drawing, frames[0], body, title, moving)


def _picture(drawing: Drawing, frame: Frame, body: str, title: str, more: str = "") -> str:
    width, height = len(frame.rows[0]) * CELL, len(frame.rows) * LINE
    ground = drawing.colours(frame.rows[-1][-1])[1]
    rules = "".join(f".{name}{{{rule}}}" for rule, name in drawing.classes.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 {width + 16:g} {height + 16}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>text{{font:{FONT}px 'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace;white-space:pre}}"
        f"{rules}{more}</style>\n"
        f'<rect x="-8" y="-8" width="{width + 16:g}" height="{height + 16}" rx="8" fill="#{ground}"/>\n'
        f'<svg width="{width:g}" height="{height}">\n{body}\n</svg>\n</svg>\n'
    )
