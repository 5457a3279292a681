-- The tables of a hub, in words that SQLite and PostgreSQL share. Never edited: what changes is a further revision.

CREATE TABLE access_requests (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    role VARCHAR(16) NOT NULL,
    message TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    at FLOAT NOT NULL,
    decided_at FLOAT,
    decided_by VARCHAR(64),
    PRIMARY KEY (id)
);
CREATE INDEX access_requests_project ON access_requests (project_id, status);
CREATE TABLE actors (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX actors_name ON actors (project_id, name);
CREATE TABLE assignments (
    id VARCHAR(64) NOT NULL,
    mission_id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    workstation_id VARCHAR(64) NOT NULL,
    agent VARCHAR(100) NOT NULL,
    state VARCHAR(16) NOT NULL,
    offered_at FLOAT NOT NULL,
    expires_at FLOAT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX assignments_mission ON assignments (mission_id);
CREATE INDEX assignments_open ON assignments (state, expires_at);
CREATE INDEX assignments_workstation ON assignments (workstation_id, state);
CREATE TABLE attachments (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    mission_id VARCHAR(64) NOT NULL,
    size BIGINT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    mime VARCHAR(200) NOT NULL,
    state VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    at FLOAT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX attachments_mission ON attachments (mission_id);
CREATE INDEX attachments_state ON attachments (state, at);
CREATE TABLE audit (
    id VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    organization_id VARCHAR(64),
    project_id VARCHAR(64),
    caller VARCHAR(80) NOT NULL,
    action VARCHAR(64) NOT NULL,
    target VARCHAR(300) NOT NULL,
    outcome VARCHAR(64) NOT NULL,
    place VARCHAR(64) NOT NULL,
    agent VARCHAR(300) NOT NULL,
    correlation VARCHAR(64) NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_organization ON audit (organization_id, id);
CREATE TABLE dependencies (
    mission_id VARCHAR(64) NOT NULL,
    other_id VARCHAR(64) NOT NULL,
    relation VARCHAR(16) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (mission_id, other_id, relation)
);
CREATE INDEX dependencies_other ON dependencies (other_id);
CREATE INDEX dependencies_project ON dependencies (project_id);
CREATE TABLE events (
    project_id VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    mission_id VARCHAR(64),
    kind VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (project_id, seq)
);
CREATE INDEX events_mission ON events (mission_id, seq);
CREATE TABLE flows (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX flows_name ON flows (project_id, name);
CREATE TABLE hub_meta (
    "key" VARCHAR(64) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE hub_secrets (
    name VARCHAR(64) NOT NULL,
    value TEXT NOT NULL,
    made_at FLOAT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE idempotency (
    owner VARCHAR(80) NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (owner, "key")
);
CREATE INDEX idempotency_at ON idempotency (at);
CREATE TABLE memory_documents (
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
);
CREATE TABLE memory_versions (
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (project_id, name, version)
);
CREATE TABLE missions (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    number INTEGER NOT NULL,
    deleted BOOLEAN NOT NULL,
    list VARCHAR(8) NOT NULL,
    list_order FLOAT NOT NULL,
    priority INTEGER NOT NULL,
    ready BOOLEAN NOT NULL,
    session_status VARCHAR(8) NOT NULL,
    stage VARCHAR(100) NOT NULL,
    title TEXT NOT NULL,
    flow_id VARCHAR(64),
    repository_id VARCHAR(64),
    created_by VARCHAR(200),
    workstation_id VARCHAR(64),
    lease_session VARCHAR(64),
    lease_until FLOAT,
    fence BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX missions_board ON missions (project_id, deleted, list, list_order, id);
CREATE UNIQUE INDEX missions_feed ON missions (project_id, seq);
CREATE INDEX missions_ready ON missions (ready, session_status);
CREATE INDEX missions_snapshot ON missions (project_id, deleted, id);
CREATE TABLE oauth_clients (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    redirect_uris TEXT NOT NULL,
    made_at FLOAT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE oauth_codes (
    digest VARCHAR(64) NOT NULL,
    client_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(26) NOT NULL,
    family VARCHAR(32) NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope VARCHAR(500) NOT NULL,
    challenge VARCHAR(128) NOT NULL,
    nonce VARCHAR(500),
    auth_time BIGINT NOT NULL,
    expires_at FLOAT NOT NULL,
    used_at FLOAT,
    PRIMARY KEY (digest)
);
CREATE TABLE oauth_devices (
    digest VARCHAR(64) NOT NULL,
    user_code VARCHAR(64) NOT NULL,
    client_id VARCHAR(64) NOT NULL,
    scope VARCHAR(500) NOT NULL,
    resource TEXT,
    name VARCHAR(100) NOT NULL,
    place VARCHAR(64) NOT NULL,
    interval FLOAT NOT NULL,
    made_at FLOAT NOT NULL,
    expires_at FLOAT NOT NULL,
    polled_at FLOAT,
    user_id VARCHAR(26),
    approved BOOLEAN,
    decided_at FLOAT,
    used_at FLOAT,
    PRIMARY KEY (digest),
    UNIQUE (user_code)
);
CREATE TABLE oauth_families (
    id VARCHAR(32) NOT NULL,
    user_id VARCHAR(26) NOT NULL,
    client_id VARCHAR(64) NOT NULL,
    made_at FLOAT NOT NULL,
    revoked_at FLOAT,
    reason VARCHAR(64),
    resource TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX oauth_families_user ON oauth_families (user_id);
CREATE TABLE oauth_refresh_tokens (
    digest VARCHAR(64) NOT NULL,
    family VARCHAR(32) NOT NULL,
    client_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(26) NOT NULL,
    scope VARCHAR(500) NOT NULL,
    made_at FLOAT NOT NULL,
    expires_at FLOAT NOT NULL,
    rotated_at FLOAT,
    rotated_for VARCHAR(64),
    PRIMARY KEY (digest)
);
CREATE INDEX oauth_refresh_tokens_family ON oauth_refresh_tokens (family);
CREATE TABLE organization_members (
    organization_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    role VARCHAR(16) NOT NULL,
    added_at FLOAT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_user ON organization_members (user_id);
CREATE TABLE organizations (
    id VARCHAR(64) NOT NULL,
    slug VARCHAR(120) NOT NULL,
    auto_invite BOOLEAN NOT NULL,
    deleted BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slug)
);
CREATE TABLE passwords (
    user_id VARCHAR(26) NOT NULL,
    hash TEXT NOT NULL,
    changed_at FLOAT NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE project_members (
    project_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    role VARCHAR(16) NOT NULL,
    added_at FLOAT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_user ON project_members (user_id);
CREATE TABLE projects (
    id VARCHAR(64) NOT NULL,
    organization_id VARCHAR(64) NOT NULL,
    slug VARCHAR(120) NOT NULL,
    public_slug VARCHAR(120),
    visibility VARCHAR(16) NOT NULL,
    category VARCHAR(100),
    featured BOOLEAN NOT NULL,
    status VARCHAR(16) NOT NULL,
    star_count INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    version BIGINT NOT NULL,
    mission_number INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (public_slug)
);
CREATE INDEX projects_public ON projects (visibility, star_count, id);
CREATE UNIQUE INDEX projects_slug ON projects (organization_id, slug);
CREATE TABLE pull_request_times (
    mission_id VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (mission_id)
);
CREATE TABLE repositories (
    id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX repositories_name ON repositories (project_id, name);
CREATE TABLE signing_keys (
    kid VARCHAR(64) NOT NULL,
    jwk TEXT NOT NULL,
    made_at FLOAT NOT NULL,
    PRIMARY KEY (kid)
);
CREATE TABLE stars (
    project_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE TABLE templates (
    id VARCHAR(64) NOT NULL,
    organization_id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    public BOOLEAN NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX templates_organization ON templates (organization_id);
CREATE TABLE tokens (
    id VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    user_id VARCHAR(64),
    organization_id VARCHAR(64),
    name VARCHAR(200) NOT NULL,
    scopes VARCHAR(200) NOT NULL,
    created_at FLOAT NOT NULL,
    expires_at FLOAT,
    revoked_at FLOAT,
    last_used_at FLOAT,
    PRIMARY KEY (id),
    UNIQUE (digest)
);
CREATE TABLE users (
    id VARCHAR(64) NOT NULL,
    email VARCHAR(320) NOT NULL,
    status VARCHAR(16) NOT NULL,
    doc TEXT NOT NULL,
    provider VARCHAR(500),
    subject VARCHAR(255),
    PRIMARY KEY (id),
    UNIQUE (email)
);
CREATE UNIQUE INDEX users_identity ON users (provider, subject);
CREATE TABLE web_sessions (
    digest VARCHAR(64) NOT NULL,
    user_id VARCHAR(26) NOT NULL,
    agent VARCHAR(64) NOT NULL,
    made_at FLOAT NOT NULL,
    used_at FLOAT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);
CREATE TABLE webhook_deliveries (
    digest VARCHAR(64) NOT NULL,
    delivery VARCHAR(100) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX webhook_deliveries_at ON webhook_deliveries (at);
CREATE TABLE workstations (
    id VARCHAR(64) NOT NULL,
    organization_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64),
    machine_id VARCHAR(200),
    generation BIGINT NOT NULL,
    heartbeat_at FLOAT,
    presence TEXT,
    version BIGINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX workstations_organization ON workstations (organization_id);
