-- Rules may refuse and ask, too, and may be patterns.
ALTER TABLE permission_rule ADD COLUMN effect TEXT NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'ask', 'deny'));
ALTER TABLE permission_rule ADD COLUMN pattern INTEGER NOT NULL DEFAULT 0;
