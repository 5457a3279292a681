-- The workspace. Rows carry what queries need as columns, and the whole entity (wire form) in `doc`.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE project (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    doc TEXT NOT NULL
);

CREATE TABLE repository (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE flow (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE actor (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE mission (
    rid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    number INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    list TEXT NOT NULL,
    list_order REAL NOT NULL,
    priority INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    stage TEXT NOT NULL,
    stage_position INTEGER NOT NULL,
    stage_count INTEGER NOT NULL,
    requires_review INTEGER NOT NULL,
    is_loop INTEGER NOT NULL,
    repository_id TEXT,
    session_status TEXT NOT NULL,
    session_status_at TEXT NOT NULL,
    session_id TEXT,
    agent TEXT NOT NULL,
    tasks_done INTEGER NOT NULL,
    tasks_total INTEGER NOT NULL,
    blockers INTEGER NOT NULL,
    review_status TEXT,
    review_requested_at TEXT,
    attention TEXT,
    question TEXT,
    retry_at TEXT,
    attempts INTEGER NOT NULL,
    landing_status TEXT,
    pr_number INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX mission_board ON mission (project_id, list, list_order, id) WHERE deleted = 0;
CREATE INDEX mission_counts ON mission (project_id, list, ready, session_status) WHERE deleted = 0;
CREATE INDEX mission_queue ON mission (ready) WHERE ready = 1 AND deleted = 0;
CREATE INDEX mission_busy ON mission (session_status) WHERE session_status <> 'INACTIVE';
CREATE INDEX mission_waiting ON mission (project_id)
    WHERE deleted = 0 AND (attention IS NOT NULL OR question IS NOT NULL OR review_status = 'pending');
CREATE INDEX mission_landing ON mission (landing_status) WHERE landing_status IS NOT NULL;

CREATE VIRTUAL TABLE mission_text USING fts5 (title, description, content = 'mission', content_rowid = 'rid');
CREATE TRIGGER mission_text_insert AFTER INSERT ON mission BEGIN
    INSERT INTO mission_text (rowid, title, description) VALUES (new.rid, new.title, new.description);
END;
CREATE TRIGGER mission_text_delete AFTER DELETE ON mission BEGIN
    INSERT INTO mission_text (mission_text, rowid, title, description)
    VALUES ('delete', old.rid, old.title, old.description);
END;
CREATE TRIGGER mission_text_update AFTER UPDATE OF title, description ON mission
WHEN old.title IS NOT new.title OR old.description IS NOT new.description BEGIN
    INSERT INTO mission_text (mission_text, rowid, title, description)
    VALUES ('delete', old.rid, old.title, old.description);
    INSERT INTO mission_text (rowid, title, description) VALUES (new.rid, new.title, new.description);
END;

CREATE TABLE dependency (
    mission_id TEXT NOT NULL,
    other_id TEXT NOT NULL,
    relation TEXT NOT NULL,
    PRIMARY KEY (mission_id, other_id, relation)
) WITHOUT ROWID;
CREATE INDEX dependency_other ON dependency (other_id, relation);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL,
    mission_id TEXT,
    kind TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    author_name TEXT NOT NULL,
    session_id TEXT,
    at TEXT NOT NULL,
    changes TEXT NOT NULL,
    note TEXT NOT NULL,
    correlation_id TEXT NOT NULL
);
CREATE INDEX event_mission ON event (mission_id, seq);
CREATE INDEX event_project ON event (project_id, seq);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    mission_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    started_at TEXT NOT NULL,
    activity TEXT NOT NULL,
    token_hash TEXT UNIQUE,
    doc TEXT NOT NULL
);
CREATE INDEX session_mission ON session (mission_id, started_at);
CREATE INDEX session_live ON session (phase) WHERE phase <> 'ended';

CREATE TABLE code_agent (name TEXT PRIMARY KEY, doc TEXT NOT NULL);

CREATE TABLE worktree (
    id TEXT PRIMARY KEY,
    repository_id TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    mission_id TEXT,
    doc TEXT NOT NULL
);
CREATE INDEX worktree_repository ON worktree (repository_id);

CREATE TABLE memory (
    rid INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    author_name TEXT NOT NULL,
    session_id TEXT,
    text TEXT NOT NULL,
    UNIQUE (project_id, name)
);
CREATE TABLE memory_version (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    author_kind TEXT NOT NULL,
    author_name TEXT NOT NULL,
    session_id TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (project_id, name, version)
);
CREATE VIRTUAL TABLE memory_text USING fts5 (name, text, content = 'memory', content_rowid = 'rid');
CREATE TRIGGER memory_text_insert AFTER INSERT ON memory BEGIN
    INSERT INTO memory_text (rowid, name, text) VALUES (new.rid, new.name, new.text);
END;
CREATE TRIGGER memory_text_delete AFTER DELETE ON memory BEGIN
    INSERT INTO memory_text (memory_text, rowid, name, text) VALUES ('delete', old.rid, old.name, old.text);
END;
CREATE TRIGGER memory_text_update AFTER UPDATE OF name, text ON memory BEGIN
    INSERT INTO memory_text (memory_text, rowid, name, text) VALUES ('delete', old.rid, old.name, old.text);
    INSERT INTO memory_text (rowid, name, text) VALUES (new.rid, new.name, new.text);
END;

CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    mission_id TEXT,
    session_id TEXT,
    payload TEXT NOT NULL,
    at TEXT NOT NULL,
    correlation_id TEXT NOT NULL
);
