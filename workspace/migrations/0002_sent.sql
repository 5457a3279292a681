-- Notes, line comments and files that went from here to a hub, which may lose them when it is restored.
CREATE TABLE sent (
    id TEXT PRIMARY KEY,  -- of the note or file
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    mission_id TEXT NOT NULL,
    kind TEXT NOT NULL,  -- of its row of the outbox: note | file
    patch TEXT NOT NULL,  -- of its row of the outbox
    is_there INTEGER NOT NULL  -- 0 until the hub's history tells of it again
);
CREATE INDEX sent_missing ON sent (project_id) WHERE NOT is_there;
