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
