"""Search in the diff: which rows have the words, and how they show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...kit.lines import Row
from .words import Span, grounded


def text_of(shown: Row) -> str:
    """What a row says."""
    return "".join(text for text, _ in shown.parts)


def spans_in(text: str, words: str) -> list[Span]:
    """Where the words stand, whatever the case of letters."""
    found, at, lower = [], 0, text.lower()
    if len(lower) != len(text):  # a letter that is longer in lower case: places would be wrong
        lower, words = text, words
    else:
        words = words.lower()
    while words and (at := lower.find(words, at)) >= 0:
        found.append((at, at + len(words)))
        at += len(words)
    return found


def with_found(rows: Sequence[Row], words: str) -> list[Row]:
    """The rows, the words that are looked for on a ground of their own."""
    if not words:
        return list(rows)
    shown = []
    for one in rows:
        spans = spans_in(text_of(one), words)
        shown.append(replace(one, parts=tuple(grounded(_bare(one, spans), spans, "found"))) if spans else one)
    return shown


def _bare(one: Row, spans: Sequence[Span]) -> list[tuple[str, str]]:
    """The parts without the grounds of changed words, where something is found in them."""
    bare, at = [], 0
    for text, role in one.parts:
        end = at + len(text)
        within = any(first < end and at < past for first, past in spans)
        bare.append((text, role.partition("@")[0] if within else role))
        at = end
    return bare
