-- What belongs to a connected project beside its missions, both ways: its settings, flows, actors, repositories, memory.
CREATE TABLE part_base (
    id TEXT PRIMARY KEY,          -- of the flow, actor, repository or project; PROJECT/NAME of a memory document
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    part TEXT NOT NULL,           -- project | flow | actor | repository | memory
    version INTEGER NOT NULL,     -- 0 while the hub has not said it
    deleted INTEGER NOT NULL DEFAULT 0,  -- gone at the hub, kept for the edits that were made here
    doc TEXT NOT NULL             -- the hub's own words
);
CREATE INDEX part_base_project ON part_base (project_id, part);
ALTER TABLE conflict ADD COLUMN part TEXT NOT NULL DEFAULT '';  -- as above; empty for a mission
-- Notes and line comments that are known here already, whoever wrote them.
CREATE TABLE shared_note (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE);
CREATE INDEX shared_note_project ON shared_note (project_id);
ALTER TABLE mirror ADD COLUMN history INTEGER;  -- number of the last event of the hub's history that was read
UPDATE mirror SET parts = NULL;                 -- read everything of the project itself once more
