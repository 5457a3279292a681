-- A field may have several open conflicts: a value of this side that nobody had in view is not replaced by a later one.
DROP INDEX conflict_open;
CREATE INDEX conflict_open ON conflict (mission_id, field, kind) WHERE state = 'open';
