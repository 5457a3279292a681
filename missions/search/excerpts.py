"""The piece of a passage that shows why it was found, with its words in [brackets]."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from .words import places

WIDTH: Final = 240
"""Characters, without the brackets."""


def excerpt(text: str, found: AbstractSet[str], width: int = WIDTH) -> str:
    """The part of the text with most of the words, on one line."""
    hits = [(start, end, word) for start, end, word in places(text) if word in found]
    first = _best_start(hits, width)
    begin, end = _bounds(text, first, width)
    shown, at = [], begin
    for start, stop in _merged([(start, stop) for start, stop, _ in hits if start >= begin and stop <= end]):
        shown += [text[at:start], "[", text[start:stop], "]"]
        at = stop
    said = " ".join("".join([*shown, text[at:end]]).split())
    return ("… " if begin else "") + said + (" …" if end < len(text) else "")


def _best_start(hits: list[tuple[int, int, str]], width: int) -> int:
    """Where the window with the most different words begins."""
    best, first = 0, hits[0][0] if hits else 0
    for place, (start, _, _) in enumerate(hits):
        inside = len({word for begin, end, word in hits[place : place + 50] if end - start <= width})
        if inside > best:
            best, first = inside, start
    return first


def _bounds(text: str, first: int, width: int) -> tuple[int, int]:
    """A window around the first word, cut between words where that is near."""
    if len(text) <= width:
        return 0, len(text)
    begin = max(0, min(first - width // 6, len(text) - width))
    end = min(len(text), begin + width)
    if begin and (space := text.find(" ", begin, first)) >= 0:
        begin = space + 1
    if end < len(text) and (space := text.rfind(" ", first + 1, end)) > end - 40:
        end = space
    return begin, end


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and touching places as one."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(set(spans)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found
