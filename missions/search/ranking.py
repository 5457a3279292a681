"""Which passages answer a question, best first: BM25 over the words, with the name and heading counting more.

A word that no passage has stands for those that begin with it, else for those that are a slip of the keyboard away. A
word that may be written as two ("timeout", "time out") stands for both, either way.
The index is the store's; it only has to find candidates, so every store ranks alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from typing import Final, Protocol

from ..records import record
from .synonyms import synonyms
from .words import asked, compounds, hinting

CANDIDATES: Final = 300
"""Passages that are ranked; a store gives the most promising ones of more."""
ASKED: Final = 60
"""Words of a question that are looked for; a whole mission may be asked with."""
_SATURATION, _LENGTH, _HEAD = 1.2, 0.5, 2.5
_SPELLING, _BEGINNING, _SYNONYM, _SLIP, _HINT = 0.9, 0.7, 0.45, 0.6, 0.3
_SPELLED = 12
"""Words of a question up to which other spellings of them are looked for: a whole mission is long enough without."""
_SHORTEST_BEGINNING, _SHORTEST_SLIP = 3, 4


@record
class Candidate:
    """A passage as the index keeps it."""

    ref: str
    """The mission's id, or the document's name."""
    place: int
    """Which of its passages."""
    heading: str
    head: str
    body: str


@record
class Match:
    """A passage that answers, and the words of it that do."""

    ref: str
    place: int
    heading: str
    score: float
    words: frozenset[str]


class Index(Protocol):
    """The passages of one kind in one project, or in all."""

    def candidates(self, beginnings: Sequence[str], limit: int) -> Sequence[Candidate]:
        """Passages with a word that begins with one of these; of too many the most promising."""

    def count(self) -> int:
        """How many passages there are."""

    def known(self, words: Collection[str]) -> Collection[str]:
        """Those of these words that a passage has."""

    def vocabulary(self) -> Collection[str]:
        """Every word of them."""


def search(index: Index, question: str, limit: int, *, one_each: bool = False) -> list[Match]:
    """The passages that answer a question, best first; `one_each` takes the best of each mission or document."""
    wanted = asked(question)[:ASKED]
    if not wanted:
        return []
    alike = {word: dict.fromkeys(synonyms().get(word, ()), _SYNONYM) for word in wanted}
    if len(wanted) <= _SPELLED:
        for word, spelling in _spellings(index, question, wanted):
            alike[word][spelling] = _SPELLING
    others = (part for found in alike.values() for other in found for part in other.split())
    candidates = index.candidates(list(dict.fromkeys([*wanted, *others])), CANDIDATES)
    known = {word for one in candidates for word in _split(one)}
    meanings = {word: _meanings(word, alike[word], known) for word in wanted}
    unknown = [word for word, found in meanings.items() if not found]
    if unknown:
        vocabulary = index.vocabulary()
        slips = {word: _slips(word, vocabulary) for word in unknown}
        meanings |= slips
        if any(slips.values()):
            every = dict.fromkeys(word for found in meanings.values() for word in found)
            candidates = index.candidates(list(every), CANDIDATES)
    hints = [word for word in hinting(question) if word not in meanings]
    ranked = _ranked(candidates, meanings, hints, index.count())
    if one_each:
        best: dict[str, Match] = {}
        for match in ranked:
            best.setdefault(match.ref, match)
        ranked = list(best.values())
    else:
        sections: dict[tuple[str, str], Match] = {}
        for match in ranked:
            sections.setdefault((match.ref, match.heading), match)
        ranked = list(sections.values())
    return ranked[:limit]


def _spellings(index: Index, question: str, wanted: Collection[str]) -> list[tuple[str, str]]:
    """(word, what else it is written as): joined for one of two words, two words with a space for a joined one."""
    found = compounds(question)
    known = frozenset(index.known({word for one in found for word in one}))
    joined = [(part, one) for one, *parts in found if one in known for part in parts if part in wanted]
    apart = [(one, f"{a} {b}") for one, a, b in found if one in wanted and a in known and b in known]
    return joined + apart


def _ranked(
    candidates: Iterable[Candidate], meanings: Mapping[str, Mapping[str, float]], hints: Sequence[str], total: int
) -> list[Match]:
    phrases = [meant for found in meanings.values() for meant in found if " " in meant]
    counted = [(one, _counted(one.head, phrases), _counted(one.body, phrases)) for one in candidates]
    if not counted:
        return []
    lengths = [body.total() + head.total() for _, head, body in counted]
    average = sum(lengths) / len(lengths) or 1.0
    rarity = {}
    for word, found in meanings.items():
        having = sum(1 for _, head, body in counted if any(one in head or one in body for one in found))
        rarity[word] = _rarity(having, total)
    hinted = {word: _HINT * _rarity(sum(1 for _, head, _ in counted if word in head), total) for word in hints}
    everything = sum(rarity.values()) or 1.0
    matches = []
    for (one, head, body), length in zip(counted, lengths, strict=True):
        score, covered, hits = 0.0, 0.0, set[str]()
        for word, found in meanings.items():
            best = 0.0
            for meant, worth in found.items():
                times = body[meant] + _HEAD * head[meant]
                if times:
                    hits.update(meant.split())
                    norm = _SATURATION * (1 - _LENGTH + _LENGTH * length / average)
                    best = max(best, worth * times / (times + norm))
            score += rarity[word] * best
            covered += rarity[word] if best else 0.0
        if score:
            score += sum(more for word, more in hinted.items() if word in head)
            worth = score * (0.4 + 0.6 * covered / everything)
            matches.append(Match(one.ref, one.place, one.heading, worth, frozenset(hits)))
    return sorted(matches, key=lambda match: (-match.score, match.ref, match.place))


def _rarity(having: int, total: int) -> float:
    return log(1 + (max(total, having) - having + 0.5) / (having + 0.5))


def _counted(words: str, phrases: Iterable[str]) -> Counter[str]:
    """How often each word is there, and each of these phrases."""
    found = Counter(words.split())
    found.update({one: times for one in phrases if (times := f" {words} ".count(f" {one} "))})
    return found


def _meanings(word: str, alike: Mapping[str, float], known: Collection[str]) -> dict[str, float]:
    """The words of the passages that a word stands for, with their worth."""
    found = {other: worth for other, worth in alike.items() if all(part in known for part in other.split())}
    if word in known:
        found[word] = 1.0
    elif len(word) >= _SHORTEST_BEGINNING or not word.isascii():
        found |= {other: _BEGINNING for other in known if other.startswith(word)}
    return found


def _slips(word: str, vocabulary: Collection[str]) -> dict[str, float]:
    """Words that somebody may have meant: a beginning of this one, or the fewest slips away."""
    if len(word) < _SHORTEST_SLIP or not word.isalpha():
        return {}
    allowed = 1 if len(word) < 6 else 2
    signs, by_distance = _trigrams(word), dict[int, list[str]]()
    for other in vocabulary:
        if abs(len(other) - len(word)) > 4 or len(other) < _SHORTEST_BEGINNING or not other.isalpha():
            continue
        if word.startswith(other) and len(other) >= _SHORTEST_SLIP:
            by_distance.setdefault(1, []).append(other)
        elif abs(len(other) - len(word)) <= allowed and len(signs & _trigrams(other)) >= 2:
            distance = _distance(word, other)
            if distance <= allowed:
                by_distance.setdefault(distance, []).append(other)
    return dict.fromkeys(by_distance[min(by_distance)], _SLIP) if by_distance else {}


def _trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


def _distance(one: str, other: str) -> int:
    """Letters put in, left out, exchanged or in the wrong order between two words (optimal string alignment)."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(question: str, names: Sequence[str], limit: int = 8) -> list[str]:
    """The names that look most like a question, the first ones where none does: what to show instead of nothing."""
    from .words import words

    signs = {sign for word in asked(question) for sign in _trigrams(word)}
    unlike = [-len(signs & {sign for word in words(name) for sign in _trigrams(word)}) for name in names]
    order = sorted(range(len(names)), key=lambda place: (unlike[place], place))
    return [names[place] for place in order[:limit]]


def _split(one: Candidate) -> list[str]:
    return one.head.split() + one.body.split()
