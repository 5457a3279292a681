-- All versions of a memory document but the newest are kept as differences from the next one: `text` is what stood
-- between so many characters of its start and of its end. NULL: `text` is the whole version.
ALTER TABLE memory_version ADD COLUMN kept_start INTEGER;
ALTER TABLE memory_version ADD COLUMN kept_end INTEGER;
