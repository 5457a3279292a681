-- What stands between a connected project and its hub, as one of the kinds in missions/connected.py; null when nothing does.
ALTER TABLE mirror ADD COLUMN trouble TEXT;
