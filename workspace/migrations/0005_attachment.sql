-- Files that belong to missions. The bytes stand once per content in the attachments folder, named by their SHA-256.
CREATE TABLE attachment (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    mission_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (mission_id, name)
);
CREATE INDEX attachment_content ON attachment (sha256);
