-- What a person has read of the changes of missions.
CREATE TABLE reviewed_run (
    mission_id TEXT NOT NULL REFERENCES mission (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,  -- of a run of changed lines, see missions/reading.py
    PRIMARY KEY (mission_id, digest)
) WITHOUT ROWID;
CREATE TABLE seen_state (
    mission_id TEXT NOT NULL REFERENCES mission (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,  -- look: what a person saw last | before: and before that | turn: what an agent began with
    commit_id TEXT NOT NULL,
    words INTEGER NOT NULL,  -- how many verdicts and answers of people there were by then
    PRIMARY KEY (mission_id, kind)
) WITHOUT ROWID;
