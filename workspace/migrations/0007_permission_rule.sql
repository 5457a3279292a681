-- What a person allows agents of a project from now on: a tool, and for commands the very command.
CREATE TABLE permission_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    tool TEXT NOT NULL,
    subject TEXT NOT NULL,
    made_at TEXT NOT NULL,
    UNIQUE (project_id, tool, subject)
);
