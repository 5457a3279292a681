-- A digest of every row as it was written, so that what changed otherwise is found (workspace/proof.py).
CREATE TABLE proof (
    place TEXT NOT NULL,  -- the table
    key NOT NULL,  -- of the row
    digest BLOB NOT NULL,  -- of an event: of the one before, too
    gone INTEGER NOT NULL DEFAULT 0,  -- an event that was removed with its project: the chain goes on over it
    doubtful INTEGER NOT NULL DEFAULT 0,  -- the row was not as it had been written when it was written again
    PRIMARY KEY (place, key)
) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('store.writes', '0');
