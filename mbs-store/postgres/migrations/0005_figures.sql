-- What those who run the service want to know of all builds.

-- When the record changed last; NULL: not since this column is there, and "modified_at" tells. It has no index, which every
-- save would have to touch: only builds under way are asked for it, and those have one.
ALTER TABLE module_builds ADD COLUMN progressed_at timestamptz;

-- How many builds ended in each way. Each way has several rows, so that builds that end at the same time seldom wait for each
-- other. Programs of the schema before do not count.
CREATE TABLE endings (
    how text COLLATE "C" NOT NULL CHECK (how IN ('succeeded', 'user', 'infra', 'unspec')),
    spread smallint NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (how, spread)
) WITH (fillfactor = 50);

-- Of earlier failures it is known for the last ones only who has to act. The record is searched as text: it may hold what no
-- operator on JSON takes.
INSERT INTO endings (how, spread, count)
SELECT how, 0, count(*) FROM (
    SELECT CASE
        WHEN t.state <> 4 THEN 'succeeded'
        WHEN b.state = 4 AND t.seq = b.last_seq
            THEN coalesce(substring(b.record::text FROM '"failure":"(user|infra|unspec)"'), 'unspec')
        ELSE 'unspec'
    END AS how
    FROM traces t JOIN module_builds b ON b.id = t.build_id
    WHERE t.state IN (4, 5) OR (t.state = 3 AND b.scratch)
) ended
GROUP BY how;
