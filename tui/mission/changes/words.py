"""Which words of a line changed: a removed line against the added one that took its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from ...kit.drawing import Line

Span = tuple[int, int]
"""From one letter up to another."""
WORD: Final = re.compile(r"\w+|\s+|.")
ALIKE: Final = 0.4
"""Share of the text that two lines must have in common to be one line that was changed."""
LONGEST: Final = 400
"""Words that are compared; between the ends that are the same, all of a longer line counts as changed."""


def changed_words(old: str, new: str) -> tuple[list[Span], list[Span]]:
    """The changed spans of both lines; none where the lines have too little in common to be compared."""
    left, right = WORD.findall(old), WORD.findall(new)
    head = _same(left, right)
    tail = _same(left[head:][::-1], right[head:][::-1])
    inner_left, inner_right = left[head : len(left) - tail], right[head : len(right) - tail]
    blocks = [(0, len(inner_left), 0, len(inner_right))]
    if len(inner_left) + len(inner_right) <= LONGEST:
        matcher = SequenceMatcher(None, inner_left, inner_right, autojunk=False)
        blocks = [(a, b, c, d) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
    before = _spans(left, [(head + a, head + b) for a, b, _, _ in blocks])
    after = _spans(right, [(head + c, head + d) for _, _, c, d in blocks])
    return (before, after) if _alike(old, before) or _alike(new, after) else ([], [])


def only_space(old: str, new: str) -> bool:
    """Whether two lines differ in nothing but white space."""
    return old != new and old.split() == new.split()


def _alike(text: str, changed: Sequence[Span]) -> bool:
    letters = len("".join(text.split()))
    gone = sum(len("".join(text[start:end].split())) for start, end in changed)
    return letters - gone >= ALIKE * letters and letters > 0


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two lines begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _spans(words: Sequence[str], blocks: Sequence[Span]) -> list[Span]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return [(starts[first], starts[past]) for first, past in blocks if first < past]


def grounded(parts: Sequence[tuple[str, str]], spans: Sequence[Span], ground: str) -> Line:
    """Parts, cut at the edges of the spans; those within one on a ground of their own."""
    edges = sorted({edge for span in spans for edge in span})
    found: Line = []
    at = 0
    for text, role in parts:
        end = at + len(text)
        for start, past in pairwise([at, *(edge for edge in edges if at < edge < end), end]):
            within = any(first <= start < last for first, last in spans)
            found.append((text[start - at : past - at], f"{role}@{ground}" if within else role))
        at = end
    return found
