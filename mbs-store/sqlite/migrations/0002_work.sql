-- Who looks at which build and when, the slots, the settings, and events on their way out.

CREATE TABLE work (
    build_id INTEGER PRIMARY KEY REFERENCES module_builds,
    -- NULL: only when woken. It stays as it is during a look, so that a look that crashed is due again.
    due INTEGER,
    lease_worker TEXT,
    lease_token INTEGER,
    lease_until INTEGER,
    -- Whether a wake came during the look.
    woken INTEGER NOT NULL DEFAULT 0 CHECK (woken IN (0, 1)),
    -- When the last look ended.
    looked_at INTEGER,
    -- Why it is not further, as its last look said: JSON.
    why TEXT,
    CHECK ((lease_token IS NULL) = (lease_until IS NULL) AND (lease_token IS NULL) = (lease_worker IS NULL))
) STRICT;

CREATE INDEX work_due ON work (due, build_id) WHERE due IS NOT NULL;
CREATE INDEX work_lease ON work (lease_until) WHERE lease_until IS NOT NULL;

INSERT INTO work (build_id, due) SELECT id, modified_at FROM module_builds;
INSERT INTO counters (name, last) VALUES ('lease', 0);

-- The slots that builds hold, and the line for them: priority (highest first), turn, id.
CREATE TABLE slots (
    build_id INTEGER PRIMARY KEY REFERENCES module_builds,
    held INTEGER NOT NULL CHECK (held >= 0),
    priority INTEGER,
    turn INTEGER,
    wants INTEGER CHECK (wants >= 0),
    CHECK ((priority IS NULL) = (turn IS NULL) AND (priority IS NULL) = (wants IS NULL))
) STRICT;

CREATE INDEX slots_held ON slots (held) WHERE held > 0;
CREATE INDEX slots_line ON slots (priority DESC, turn, build_id, wants) WHERE priority IS NOT NULL;

INSERT INTO slots (build_id, held)
SELECT id, (
    SELECT count(DISTINCT component_id) FROM attempts JOIN components ON components.id = component_id
    WHERE components.build_id = module_builds.id AND is_live
)
FROM module_builds;

-- One row.
CREATE TABLE settings (
    id INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    record TEXT NOT NULL,
    throttle TEXT NOT NULL
) STRICT;

INSERT INTO settings (record, throttle)
VALUES ('{"limit": null, "paused": false, "draining": false}', '{}');

-- In the order of their commits.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    build_id INTEGER NOT NULL REFERENCES module_builds,
    seq INTEGER NOT NULL CHECK (seq > 0),
    -- In the order of publication; NULL: nobody has asked for it yet.
    number INTEGER UNIQUE,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (build_id, seq)
) STRICT;

CREATE INDEX events_unnumbered ON events (id) WHERE number IS NULL;
CREATE INDEX events_at ON events (at);

-- One row: the last number that was given. A sink has all events up to its "floor".
CREATE TABLE publication (
    id INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    last_number INTEGER NOT NULL
) STRICT;

INSERT INTO publication (last_number) VALUES (0);

CREATE TABLE sinks (
    sink TEXT PRIMARY KEY,
    floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events beyond its floor that a sink has.
CREATE TABLE acknowledged (
    sink TEXT NOT NULL REFERENCES sinks ON DELETE CASCADE,
    number INTEGER NOT NULL,
    PRIMARY KEY (sink, number)
) STRICT, WITHOUT ROWID;
