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
    doc TEXT NOT NULL,
    actor_id TEXT
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

-- What reviewers wrote on single lines of a mission's diff.
CREATE TABLE line_comment (
    id TEXT PRIMARY KEY,
    mission_id TEXT NOT NULL REFERENCES mission (id) ON DELETE CASCADE,
    doc TEXT NOT NULL
);
CREATE INDEX line_comment_mission ON line_comment (mission_id);
-- What git last said of a mission's worktree.
CREATE TABLE change_measure (
    mission_id TEXT PRIMARY KEY REFERENCES mission (id) ON DELETE CASCADE,
    doc TEXT NOT NULL
);

-- Filters that a project keeps by name.
CREATE TABLE saved_filter (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) WITHOUT ROWID;

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

-- Connected projects. The view (table mission) is fold(base, outbox): what the hub said last, and what was done here since.
CREATE TABLE account (
    id TEXT PRIMARY KEY,  -- user id @ hub: whose edits an outbox row holds
    profile TEXT NOT NULL UNIQUE,
    hub TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    kind TEXT NOT NULL,  -- session | token | organization
    signed_in INTEGER NOT NULL,
    doc TEXT NOT NULL
);

CREATE TABLE mirror (
    project_id TEXT PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    hub TEXT NOT NULL,
    cursor TEXT,  -- opaque; written in the transaction of the data it stands for
    epoch INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    resync TEXT,  -- a full resync in progress: survives a crash half-way
    lists TEXT,  -- JSON list of the lists to mirror, null for all
    days INTEGER,  -- done missions older than this are left out, null for none
    parts INTEGER,  -- version of the project's parts that was read last
    read_only TEXT,
    synced_at TEXT,
    failing_since TEXT,
    error TEXT,
    skipped INTEGER NOT NULL DEFAULT 0,
    history INTEGER,  -- number of the last event of the hub's history that was read
    trouble TEXT  -- what stands between it and its hub, a kind of missions/connected.py; null when nothing does
);

CREATE TABLE base (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES mirror (project_id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    doc TEXT NOT NULL             -- the hub's own words, fields unknown here included
);
CREATE INDEX base_project ON base (project_id, generation);

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mutation_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,  -- create | patch | delete
    patch TEXT NOT NULL,  -- wire field -> value, null clears it
    seen TEXT NOT NULL,  -- wire field -> value in the view when it was changed
    payload_version INTEGER NOT NULL,
    origin TEXT NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL,  -- queued | inflight | parked
    request TEXT,  -- frozen before the first byte is sent, the same bytes and key at every try
    rebase INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    first_sent_at REAL,  -- the hub's clock
    error_code TEXT,
    error TEXT
);
CREATE INDEX outbox_entity ON outbox (entity_id, seq);
CREATE INDEX outbox_project ON outbox (project_id, state);

CREATE TABLE conflict (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    mission_id TEXT NOT NULL,
    mutation_id TEXT NOT NULL,
    kind TEXT NOT NULL,  -- field | progress | deleted_remotely | deleted_locally | outcome_unknown | id_taken
    field TEXT NOT NULL,  -- wire name; empty when it is about the whole mission
    base TEXT NOT NULL,
    mine TEXT NOT NULL,
    theirs TEXT NOT NULL,
    state TEXT NOT NULL,  -- open | kept_mine | kept_theirs | merged
    at TEXT NOT NULL,
    settled_at TEXT,
    part TEXT NOT NULL DEFAULT ''  -- project | flow | actor | repository | memory; empty for a mission
);
CREATE UNIQUE INDEX conflict_open ON conflict (mission_id, field, kind) WHERE state = 'open';
CREATE INDEX conflict_project ON conflict (project_id) WHERE state = 'open';

-- What a person lets agents of a project do from now on, refuses or wants to be asked about: a tool, and for commands
-- the command itself or a pattern.
CREATE TABLE permission_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    tool TEXT NOT NULL,
    subject TEXT NOT NULL,
    made_at TEXT NOT NULL,
    effect TEXT NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'ask', 'deny')),
    pattern INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, tool, subject)
);

-- What belongs to a connected project beside its missions, both ways: its settings, flows, actors, repositories, memory.
CREATE TABLE part_base (
    id TEXT PRIMARY KEY,  -- of the flow, actor, repository or project; PROJECT/NAME of a memory document
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    part TEXT NOT NULL,  -- project | flow | actor | repository | memory
    version INTEGER NOT NULL,  -- 0 while the hub has not said it
    deleted INTEGER NOT NULL DEFAULT 0,  -- gone at the hub, kept for the edits that were made here
    doc TEXT NOT NULL             -- the hub's own words
);
CREATE INDEX part_base_project ON part_base (project_id, part);
-- Notes and line comments that are known here already, whoever wrote them.
CREATE TABLE shared_note (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE);
CREATE INDEX shared_note_project ON shared_note (project_id);

-- Files of missions that the hub has; all others are on this machine only.
CREATE TABLE shared_file (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE);
