-- Projects that were connected before: what is shown now is what the hub said, until it is read once more. So an edit
-- that is made before that (on a train, after an update) is queued and not taken for this machine's own.
INSERT OR IGNORE INTO part_base (id, project_id, part, version, doc)
SELECT p.id, p.project_id, p.part, 0, p.doc
FROM (
    SELECT id, project_id, 'flow' AS part, doc FROM flow
    UNION ALL SELECT id, project_id, 'actor', doc FROM actor
    UNION ALL SELECT id, project_id, 'repository', doc FROM repository
    UNION ALL SELECT id, id, 'project', doc FROM project
) p
JOIN mirror m ON m.project_id = p.project_id
JOIN meta c ON c.key = 'hub.capabilities ' || m.hub AND c.value LIKE '%"changes":true%'
WHERE p.id NOT IN (SELECT entity_id FROM outbox WHERE kind = 'part');
