-- Connected projects. The view (table mission) is fold(base, outbox): what the hub said last, and what was done here since.
CREATE TABLE account (
    id TEXT PRIMARY KEY,          -- user id @ hub: whose edits an outbox row holds
    profile TEXT NOT NULL UNIQUE,
    hub TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    kind TEXT NOT NULL,           -- session | token | organization
    signed_in INTEGER NOT NULL,
    doc TEXT NOT NULL
);

CREATE TABLE mirror (
    project_id TEXT PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    hub TEXT NOT NULL,
    cursor TEXT,                  -- opaque; written in the transaction of the data it stands for
    epoch INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    resync TEXT,                  -- a full resync in progress: survives a crash half-way
    lists TEXT,                   -- JSON list of the lists to mirror, null for all
    days INTEGER,                 -- done missions older than this are left out, null for none
    parts INTEGER,                -- version of the project's parts that was read last
    read_only TEXT,
    synced_at TEXT,
    failing_since TEXT,
    error TEXT,
    skipped INTEGER NOT NULL DEFAULT 0
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
    kind TEXT NOT NULL,           -- create | patch | delete
    patch TEXT NOT NULL,          -- wire field -> value, null clears it
    seen TEXT NOT NULL,           -- wire field -> value in the view when it was changed
    payload_version INTEGER NOT NULL,
    origin TEXT NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL,          -- queued | inflight | parked
    request TEXT,                 -- frozen before the first byte is sent, the same bytes and key at every try
    rebase INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    first_sent_at REAL,           -- the hub's clock
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
    kind TEXT NOT NULL,           -- field | progress | deleted_remotely | deleted_locally | outcome_unknown | id_taken
    field TEXT NOT NULL,          -- wire name; empty when it is about the whole mission
    base TEXT NOT NULL,
    mine TEXT NOT NULL,
    theirs TEXT NOT NULL,
    state TEXT NOT NULL,          -- open | kept_mine | kept_theirs | merged
    at TEXT NOT NULL,
    settled_at TEXT
);
CREATE UNIQUE INDEX conflict_open ON conflict (mission_id, field, kind) WHERE state = 'open';
CREATE INDEX conflict_project ON conflict (project_id) WHERE state = 'open';
