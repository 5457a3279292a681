-- What is searched: passages of missions and of memory documents, as the words of missions/search/words.py.
DROP TRIGGER mission_text_insert;
DROP TRIGGER mission_text_delete;
DROP TRIGGER mission_text_update;
DROP TABLE mission_text;
DROP TRIGGER memory_text_insert;
DROP TRIGGER memory_text_delete;
DROP TRIGGER memory_text_update;
DROP TABLE memory_text;

CREATE TABLE passage (
    rid INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,  -- mission | memory
    ref TEXT NOT NULL,  -- id of the mission, name of the document
    place INTEGER NOT NULL,  -- which of its passages, from 0
    heading TEXT NOT NULL,
    head TEXT NOT NULL,  -- words of name and heading
    body TEXT NOT NULL,  -- words of the text
    digest TEXT NOT NULL
);
CREATE INDEX passage_of ON passage (ref, kind, project_id);
CREATE INDEX passage_kind ON passage (kind, project_id);
CREATE VIRTUAL TABLE passage_word USING fts5 (
    head, body, content = 'passage', content_rowid = 'rid',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
);
CREATE TRIGGER passage_insert AFTER INSERT ON passage BEGIN
    INSERT INTO passage_word (rowid, head, body) VALUES (new.rid, new.head, new.body);
END;
CREATE TRIGGER passage_delete AFTER DELETE ON passage BEGIN
    INSERT INTO passage_word (passage_word, rowid, head, body) VALUES ('delete', old.rid, old.head, old.body);
END;
CREATE TRIGGER passage_of_mission AFTER DELETE ON mission BEGIN
    DELETE FROM passage WHERE ref = old.id AND kind = 'mission';
END;
CREATE TRIGGER passage_of_memory AFTER DELETE ON memory BEGIN
    DELETE FROM passage WHERE ref = old.name AND kind = 'memory' AND project_id = old.project_id;
END;
