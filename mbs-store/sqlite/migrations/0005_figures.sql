-- What those who run the service want to know of all builds.

-- When the record changed last; NULL: not since this column is there, and "modified_at" tells. It has no index, which every
-- save would have to touch: only builds under way are asked for it, and those have one.
ALTER TABLE module_builds ADD COLUMN progressed_at INTEGER;

-- How many builds ended in each way. Programs of the schema before do not count.
CREATE TABLE endings (
    how TEXT PRIMARY KEY CHECK (how IN ('succeeded', 'user', 'infra', 'unspec')),
    count INTEGER NOT NULL CHECK (count > 0)
) STRICT, WITHOUT ROWID;

-- Of earlier failures it is known for the last ones only who has to act.
INSERT INTO endings (how, count)
SELECT CASE
    WHEN t.state <> 4 THEN 'succeeded'
    WHEN b.state = 4 AND t.seq = b.last_seq THEN coalesce(b.record ->> '$.life.failure', 'unspec')
    ELSE 'unspec'
END, count(*)
FROM traces t JOIN module_builds b ON b.id = t.build_id
WHERE t.state IN (4, 5) OR (t.state = 3 AND b.scratch)
GROUP BY 1;
