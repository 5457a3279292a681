-- What agents ask a person for while they work. An open item whose session has ended is closed by that.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    mission_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    call_id TEXT,
    tool TEXT NOT NULL,
    input TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    decision TEXT,
    message TEXT NOT NULL,
    answered_at TEXT,
    answered_by TEXT NOT NULL
);
CREATE UNIQUE INDEX inbox_call ON inbox (session_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX inbox_open ON inbox (session_id) WHERE decision IS NULL;
