-- Files of missions that the hub has; all others are on this machine only.
CREATE TABLE shared_file (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE);
