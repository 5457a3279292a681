-- What a hub said last of everything that it is known to have, in one table.
ALTER TABLE base RENAME TO mission_base;
CREATE TABLE base (
    kind TEXT NOT NULL,  -- mission | project | flow | actor | repository | memory | note | file
    id TEXT NOT NULL,  -- PROJECT/NAME of a memory document
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,  -- of a part: 0 while the hub has not said it
    deleted INTEGER NOT NULL,  -- gone at the hub, kept for the edits that were made here
    generation INTEGER NOT NULL,  -- of a mission: the full resync that met it last
    doc TEXT NOT NULL,  -- the hub's own words, fields unknown here included; {} of notes and files
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
INSERT INTO base SELECT 'mission', id, project_id, version, deleted, generation, doc FROM mission_base;
INSERT INTO base SELECT part, id, project_id, version, deleted, 0, doc FROM part_base;
INSERT INTO base SELECT 'note', id, project_id, 0, 0, 0, '{}' FROM shared_note;
INSERT INTO base SELECT 'file', id, project_id, 0, 0, 0, '{}' FROM shared_file;
DROP TABLE mission_base;
DROP TABLE part_base;
DROP TABLE shared_note;
DROP TABLE shared_file;
CREATE INDEX base_project ON base (project_id, kind, generation);
