"""Texts as the words that the search compares: folded, stemmed, identifiers split, scripts without spaces in pairs.

A workspace and a hub keep these words in their index. Whoever changes what `words` returns adds a migration that
empties the index of both, which is filled again then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, Protocol

_PAIRED = (  # written without spaces between words, or with many endings: Thai to Khmer, kana, Han, Hangul
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_MARKS = (  # signs that belong to the letter before them, and whole blocks of scripts that have such signs
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0dff"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_RUN: Final = f"[{_PAIRED}]+|(?:(?![{_PAIRED}])[^\\W_]|[{_MARKS}])+"
_IN_PAIRS: Final = f"[{_PAIRED}]"
_UPPER, _LOWER = "A-Z\u00c0-\u00de", "a-z\u00df-\u00ff"
_PIECE: Final = f"[{_UPPER}]+(?=[{_UPPER}][{_LOWER}])|[{_UPPER}]?[{_LOWER}]+|[{_UPPER}]+|\\d+|[^\\d{_UPPER}{_LOWER}]+"
_pattern = cache(re.compile)
"""Compiled when it is first used: every start would pay milliseconds for what few commands need."""
_LANGUAGES: Final = (
    ("\u0370", "english"),
    ("\u0400", "greek"),
    ("\u0530", "russian"),
    ("\u0590", "armenian"),
    ("\u0600", ""),
    ("\u0700", "arabic"),
    ("\u0900", ""),
    ("\u0980", "hindi"),
)
"""The language whose endings are taken off, by the script: a word's first letter is before the one named."""
LONGEST: Final = 60
"""Letters of a word that are kept: longer ones are hashes and encoded bytes."""
_PART: Final = 3
"""Letters of the shorter half of a word that may also be written as two."""
STOP: Final = """
a about all also am an and any are as at be been being but by can could did do does doing for from get had has have
having he her here him his how i if in into is it its just let may me might must my need no nor not of on or our
ours shall she should so some than that the their them then there these they this those to too up us use used
using very was we were what when where whether which while who whom whose why will with would you your
"""
"""English words that a question has and an answer need not have."""
INTERROGATIVE: Final = "how what when where who whom whose why"
"""A text with one of them is a whole question."""
ASKING: Final = "ask find go happen know live look tell want work"
"""What a whole question does with its subject: "where do the keys live" is about the keys."""


def words(text: str) -> list[str]:
    """Every word of a text in order: an identifier as a whole and in its parts, Han and the like in pairs."""
    return [word for run in _pattern(_RUN).finditer(text) for word in _words_of(run[0])]


def places(text: str) -> Iterator[tuple[int, int, str]]:
    """(first character, character after the last, word): where each word stands in the text."""
    for run in _pattern(_RUN).finditer(text):
        start = run.start()
        if _pattern(_IN_PAIRS).match(run[0]):
            for place, word in enumerate(_pairs(run[0])):
                yield start + place, start + place + len(word), word
        else:
            for word in _words_of(run[0]):
                yield start, run.end(), word


def asked(text: str) -> list[str]:
    """The words of a question, each once, without those that every question has; all of them when nothing is left."""
    found = list(dict.fromkeys(words(text)))
    telling = [word for word in found if word not in _stopped()]
    hints = hinting(text)
    return [word for word in telling if word not in hints] or telling or found


def hinting(text: str) -> list[str]:
    """The words of a whole question that say nothing of its subject, but that a heading may have: "Who decides"."""
    found = list(dict.fromkeys(words(text)))
    if _stems(INTERROGATIVE).isdisjoint(found):
        return []
    return [word for word in found if word in _stems(INTERROGATIVE) or word in _stems(ASKING)]


def compounds(text: str) -> list[tuple[str, str, str]]:
    """(joined, first, second): what the words of a question may be called when joined, or when written as two words."""
    runs = [run[0].casefold() for run in _pattern(_RUN).finditer(text)]
    pairs = [(one, other) for one, other in pairwise(runs) if one.isalpha() and other.isalpha()]
    for run in runs:
        if run.isalpha() and run.isascii() and len(run) <= LONGEST // 2:
            pairs += [(run[:place], run[place:]) for place in range(_PART, len(run) - _PART + 1)]
    found = [(stemmed(one + other), stemmed(one), stemmed(other)) for one, other in pairs]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=65536)
def _words_of(run: str) -> tuple[str, ...]:
    if _pattern(_IN_PAIRS).match(run):
        return tuple(_pairs(run))
    pieces = [run] if run.isalpha() and run.islower() else _pattern(_PIECE).findall(run)
    if len(pieces) < 2:
        return (stemmed(run),)
    parts = [stemmed(piece) for piece in pieces if len(piece) > 1 or piece.isdigit()]
    return tuple(dict.fromkeys((stemmed(run), *parts)))


def _pairs(run: str) -> list[str]:
    run = run.casefold()
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def stemmed(word: str) -> str:
    """A word without letter case, accents of the Latin and Greek scripts, and its ending."""
    word = word.casefold()
    if not word.isascii() and word[0] < "\u0400":
        word = "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign))
    word = word[:LONGEST]
    if len(word) < 3 or not word.isalpha():
        return word
    language = next((name for first, name in _LANGUAGES if word[0] < first), "")
    return _stemmer(language).stemWord(word) if language else word


@cache
def _stopped() -> frozenset[str]:
    return _stems(STOP) | frozenset("abcdefghijklmnopqrstuvwxyz")


@cache
def _stems(those: str) -> frozenset[str]:
    return frozenset(map(stemmed, those.split()))


class _Stemmer(Protocol):
    def stemWord(self, word: str, /) -> str: ...


@cache
def _stemmer(language: str) -> _Stemmer:
    from Stemmer import Stemmer

    made: _Stemmer = Stemmer(language)
    return made
