-- Who wrote a section of the memory, when it was written or confirmed last, and why it may no longer hold.
ALTER TABLE passage ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE passage ADD COLUMN written_at TEXT NOT NULL DEFAULT '';
ALTER TABLE passage ADD COLUMN doubt TEXT NOT NULL DEFAULT '';
