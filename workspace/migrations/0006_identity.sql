-- What tells this workspace from every other; where it stands is noted when it is opened (workspace/identity.py).
INSERT INTO meta (key, value) VALUES ('store.instance', lower(hex(randomblob(16))));
