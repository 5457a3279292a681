"""The index of the search: passages of missions and memory documents as words, kept beside every write of them.

Words are rows, on both databases: which passages are candidates is a matter of SQL, their order is that of
`missions.search.ranking`, so a hub ranks as a workspace does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from ...missions.ids import new_ulid
from ...missions.search.passages import Kind, Passage
from ...missions.search.ranking import Candidate
from ..storage.tables import passage_words, passages

LAST = "\U0010ffff"
"""Comes after every letter: a range of words with the same beginning ends with it."""
_HITS_READ = 1_000
"""Passages that are read for the words of a question, those with its rarest words first."""


def put(at: Connection, kind: Kind, project_id: str, ref: str, wanted: Sequence[Passage]) -> None:
    """The passages of a mission or document as it is now; only those that changed are written."""
    here = and_(passages.c.project_id == project_id, passages.c.kind == kind, passages.c.ref == ref)
    kept: dict[str, list[tuple[str, int]]] = {}
    for row in at.execute(select(passages.c.digest, passages.c.id, passages.c.place).where(here)):
        kept.setdefault(row.digest, []).append((row.id, row.place))
    made: list[dict[str, object]] = []
    for number, passage in enumerate(wanted):
        digest = passage.digest
        if found := kept.get(digest):
            passage_id, place = found.pop()
            if place != number:
                at.execute(update(passages).where(passages.c.id == passage_id).values(place=number))
            continue
        named = {"id": new_ulid(), "project_id": project_id, "kind": kind, "ref": ref, "place": number}
        texts = {"heading": passage.heading, "head": passage.head, "body": passage.body, "digest": digest}
        made.append({**named, **texts})
    gone = [passage_id for left in kept.values() for passage_id, _ in left]
    if gone:
        at.execute(delete(passage_words).where(passage_words.c.passage.in_(gone)))
        at.execute(delete(passages).where(passages.c.id.in_(gone)))
    if made:
        at.execute(insert(passages), made)
        words = [
            {"project_id": project_id, "kind": kind, "word": word, "passage": one["id"]}
            for one in made
            for word in sorted({*str(one["head"]).split(), *str(one["body"]).split()})
        ]
        if words:
            at.execute(insert(passage_words), words)


def headings(at: Connection, project_id: str) -> list[str]:
    """Every section of the memory, as `DOCUMENT › HEADING`."""
    here = and_(passages.c.project_id == project_id, passages.c.kind == "memory")
    wanted = select(passages.c.ref, passages.c.heading, func.min(passages.c.place).label("first"))
    rows = at.execute(wanted.where(here).group_by(passages.c.ref, passages.c.heading).order_by(passages.c.ref, "first"))
    return [" › ".join(filter(None, (row.ref, row.heading))) for row in rows]


class Passages:
    """The passages of one kind in some projects; fulfils `missions.search.ranking.Index`."""

    def __init__(self, at: Connection, kind: Kind, project_ids: Sequence[str]) -> None:
        self._at = at
        self._here = and_(passages.c.project_id.in_(project_ids), passages.c.kind == kind)
        self._words = and_(passage_words.c.project_id.in_(project_ids), passage_words.c.kind == kind)

    def candidates(self, beginnings: Sequence[str], limit: int) -> list[Candidate]:
        """Passages with a word that begins with one of these; of too many those with the rarest words."""
        begun: list[ColumnElement[bool]] = [
            and_(passage_words.c.word >= one, passage_words.c.word < one + LAST) for one in beginnings
        ]
        counted = select(passage_words.c.word, func.count().label("times")).where(self._words, or_(*begun))
        rare, total = list[str](), 0
        for row in self._at.execute(counted.group_by(passage_words.c.word).order_by("times", passage_words.c.word)):
            if rare and total + row.times > _HITS_READ:
                break
            rare.append(row.word)
            total += row.times
        having = select(passage_words.c.passage).where(self._words, passage_words.c.word.in_(rare)).limit(_HITS_READ)
        columns = (passages.c.ref, passages.c.place, passages.c.heading, passages.c.head, passages.c.body)
        return [Candidate(*row) for row in self._at.execute(select(*columns).where(passages.c.id.in_(having)))]

    def count(self) -> int:
        """How many passages there are."""
        return int(self._at.execute(select(func.count()).select_from(passages).where(self._here)).scalar_one())

    def known(self, words: Collection[str]) -> set[str]:
        """Those of these words that a passage has."""
        wanted = select(passage_words.c.word).distinct().where(self._words, passage_words.c.word.in_(words))
        return set(self._at.execute(wanted).scalars())

    def vocabulary(self) -> set[str]:
        """Every word of them."""
        return set(self._at.execute(select(passage_words.c.word).distinct().where(self._words)).scalars())
