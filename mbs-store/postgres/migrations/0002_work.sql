-- Who looks at which build and when, the slots, the settings, and events on their way out.

-- The store's clock, the only one that decides: not the transaction's beginning, for locks may have been waited for.
CREATE FUNCTION store_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

CREATE TABLE work (
    build_id bigint PRIMARY KEY REFERENCES module_builds,
    -- NULL: only when woken. It stays as it is during a look, so that a look that crashed is due again.
    due timestamptz,
    lease_worker text COLLATE "C",
    lease_token bigint,
    lease_until timestamptz,
    -- Whether a wake came during the look.
    woken boolean NOT NULL DEFAULT false,
    -- When the last look ended.
    looked_at timestamptz,
    -- Why it is not further, as its last look said.
    why json,
    CHECK ((lease_token IS NULL) = (lease_until IS NULL) AND (lease_token IS NULL) = (lease_worker IS NULL))
) WITH (fillfactor = 50);

-- Everybody looks once.
INSERT INTO work (build_id, due) SELECT id, store_now() FROM module_builds;

CREATE INDEX work_due ON work (due, build_id) WHERE due IS NOT NULL;
CREATE INDEX work_lease ON work (lease_until) WHERE lease_until IS NOT NULL;

CREATE SEQUENCE lease_tokens;

-- The slots that builds hold, and the line for them: priority (highest first), turn, id.
CREATE TABLE slots (
    build_id bigint PRIMARY KEY REFERENCES module_builds,
    held bigint NOT NULL CHECK (held >= 0),
    priority integer,
    turn timestamptz,
    wants bigint CHECK (wants >= 0),
    CHECK ((priority IS NULL) = (turn IS NULL) AND (priority IS NULL) = (wants IS NULL))
) WITH (fillfactor = 50);

INSERT INTO slots (build_id, held)
SELECT id, (SELECT count(*) FROM components c JOIN attempts a ON a.component_id = c.id WHERE c.build_id = b.id AND a.is_live)
FROM module_builds b;

CREATE INDEX slots_held ON slots (build_id) INCLUDE (held) WHERE held > 0;
CREATE INDEX slots_line ON slots (priority DESC, turn, build_id) WHERE priority IS NOT NULL;

-- One row. Whoever raises the slots in use, sets the limit or moves it holds the lock on it until its commit.
CREATE TABLE settings (
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    record json NOT NULL,
    throttle json NOT NULL
);

INSERT INTO settings (record, throttle)
VALUES ('{"limit": null, "paused": false, "draining": false}', '{}');

-- The slots at this moment: settings, throttle, slots in use, and the line, first come first: all of it if everybody is asked
-- for, else as far as it decides who may take a slot, and at least so much as people like to see.
CREATE FUNCTION slots_now(everybody boolean) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'settings', s.record, 'throttle', s.throttle, 'in_use', u.in_use,
        'line', (
            SELECT coalesce(json_agg(json_build_object(
                'priority', l.priority, 'turn', l.turn, 'build', l.build_id, 'wants', l.wants
            ) ORDER BY l.priority DESC, l.turn, l.build_id), '[]')
            FROM (
                SELECT * FROM slots
                WHERE priority IS NOT NULL
                ORDER BY priority DESC, turn, build_id
                LIMIT CASE WHEN everybody THEN NULL
                      ELSE greatest(16, (s.record ->> 'limit')::bigint - u.in_use) END
            ) l
        )
    )
    FROM settings s, (SELECT coalesce(sum(held), 0)::bigint AS in_use FROM slots WHERE held > 0) u
$$;

CREATE TABLE events (
    -- In the order of insertion, which for one build is that of its changes.
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    build_id bigint NOT NULL REFERENCES module_builds,
    seq bigint NOT NULL CHECK (seq > 0),
    -- In the order of publication; NULL: nobody has asked for it yet.
    number bigint UNIQUE,
    at timestamptz NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (build_id, seq)
);

CREATE INDEX events_unnumbered ON events (id) WHERE number IS NULL;
CREATE INDEX events_at ON events (at);

-- Numbers are given under the lock on this row, one by one. A sink has all events up to "floor".
CREATE TABLE publication (
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    last_number bigint NOT NULL
);

INSERT INTO publication (last_number) VALUES (0);

CREATE TABLE sinks (
    sink text COLLATE "C" PRIMARY KEY,
    floor bigint NOT NULL
);

-- Events beyond its floor that a sink has.
CREATE TABLE acknowledged (
    sink text COLLATE "C" NOT NULL REFERENCES sinks ON DELETE CASCADE,
    number bigint NOT NULL,
    PRIMARY KEY (sink, number)
);
