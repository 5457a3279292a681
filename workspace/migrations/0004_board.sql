-- What the board groups and filters by: the actor of a mission, and the filters that a project keeps by name.
ALTER TABLE mission ADD COLUMN actor_id TEXT;
UPDATE mission SET actor_id = json_extract(doc, '$.actorId');
CREATE TABLE saved_filter (
    project_id TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) WITHOUT ROWID;
