"""The index of the search, filled with what is there."""

from __future__ import annotations

import orjson
from alembic import op

from solo_unicorn.hub.records import passages
from solo_unicorn.hub.records.missions import mission_of
from solo_unicorn.missions.entities import MemoryDocument
from solo_unicorn.missions.search.passages import of_document, of_mission
from solo_unicorn.missions.wire import from_wire

revision = "0002"
down_revision = "0001"
PASSAGES = """CREATE TABLE passages (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    ref VARCHAR(200) NOT NULL,
    place INTEGER NOT NULL,
    heading TEXT NOT NULL,
    head TEXT NOT NULL,
    body TEXT NOT NULL,
    digest VARCHAR(24) NOT NULL,
    PRIMARY KEY (id)
)"""
WORDS = """CREATE TABLE passage_words (
    project_id VARCHAR(64) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    word VARCHAR(64){collation} NOT NULL,
    passage VARCHAR(64) NOT NULL,
    PRIMARY KEY (project_id, kind, word, passage)
)"""


def upgrade() -> None:
    """Make it and fill it."""
    at = op.get_bind()
    op.execute(PASSAGES)
    op.execute("CREATE INDEX passages_of ON passages (project_id, kind, ref)")
    op.execute(WORDS.format(collation=' COLLATE "C"' if at.dialect.name == "postgresql" else ""))
    op.execute("CREATE INDEX passage_words_passage ON passage_words (passage)")
    for doc, number in at.exec_driver_sql("SELECT doc, number FROM missions WHERE NOT deleted").fetchall():
        mission = mission_of(doc, number)[0]
        passages.put(at, "mission", mission.project_id, mission.id, of_mission(mission))
    for (doc,) in at.exec_driver_sql("SELECT doc FROM memory_documents").fetchall():
        document = from_wire(MemoryDocument, orjson.loads(doc))
        passages.put(at, "memory", document.project_id, document.name, of_document(document.name, document.text))
