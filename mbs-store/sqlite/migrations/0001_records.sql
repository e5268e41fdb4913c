-- Module builds and everything kept beside them.
--
-- The record is the truth: "record" holds it as JSON, exactly as it was written. The columns beside it are read off it whenever
-- it is written, for queries alone. Texts compare by code points; a version is twenty digits, so that it sorts as a number.
-- Times are microseconds since 1970. Whatever is changed often is in a table of its own.

-- The last id that was given: ids grow and are never given twice.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, last) VALUES ('build', 0), ('component', 0);

CREATE TABLE module_builds (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL CHECK (revision >= 0),
    dist_index INTEGER NOT NULL,
    name TEXT NOT NULL,
    stream TEXT NOT NULL,
    version TEXT NOT NULL CHECK (length(version) = 20 AND version NOT GLOB '*[^0-9]*'),
    context TEXT NOT NULL,
    build_context TEXT,
    build_context_no_bases TEXT,
    runtime_context TEXT,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
    state_reason TEXT,
    koji_tag TEXT,
    cg_tag TEXT,
    scmurl TEXT,
    scratch INTEGER NOT NULL CHECK (scratch IN (0, 1)),
    srpms TEXT NOT NULL,
    owner TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    completed_at INTEGER,
    repo_task INTEGER,
    strategy TEXT NOT NULL CHECK (strategy IN ('all', 'changed-and-after', 'only-changed')),
    reuse_from INTEGER,
    batch INTEGER NOT NULL CHECK (batch >= 0),
    stream_version REAL,
    -- Whether something outside may matter to it.
    under_way INTEGER NOT NULL CHECK (under_way IN (0, 1)),
    -- The number of its last event.
    last_seq INTEGER NOT NULL CHECK (last_seq > 0),
    record TEXT NOT NULL,
    UNIQUE (name, stream, version, context)
) STRICT;

-- The repositories that were asked for and are not there yet.
CREATE TABLE repo_tasks (
    build_id INTEGER NOT NULL REFERENCES module_builds,
    task INTEGER NOT NULL,
    PRIMARY KEY (build_id, task)
) STRICT, WITHOUT ROWID;

CREATE INDEX repo_tasks_task ON repo_tasks (task);

CREATE TABLE documents (
    build_id INTEGER PRIMARY KEY REFERENCES module_builds,
    -- SHA-1 of the text, in hexadecimal digits.
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    -- What it says of the modules it is built with, for lists: JSON.
    buildrequires TEXT NOT NULL
) STRICT;

CREATE TABLE virtual_streams (
    build_id INTEGER NOT NULL REFERENCES module_builds,
    stream TEXT NOT NULL,
    PRIMARY KEY (build_id, stream)
) STRICT, WITHOUT ROWID;

-- The base module builds that a build buildrequires.
CREATE TABLE base_modules (
    build_id INTEGER NOT NULL REFERENCES module_builds,
    name TEXT NOT NULL,
    stream TEXT NOT NULL,
    version TEXT NOT NULL,
    context TEXT NOT NULL,
    stream_version REAL,
    PRIMARY KEY (build_id, name, stream, version, context)
) STRICT, WITHOUT ROWID;

-- That no build has a package twice is checked before each save: while one row goes and another comes it may not be so.
CREATE TABLE components (
    id INTEGER PRIMARY KEY,
    build_id INTEGER NOT NULL REFERENCES module_builds,
    position INTEGER NOT NULL CHECK (position >= 0),
    package TEXT NOT NULL,
    scmurl TEXT,
    task INTEGER,
    "commit" TEXT,
    state INTEGER CHECK (state BETWEEN 0 AND 4),
    state_reason TEXT,
    nvr TEXT,
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    tagged_in_final INTEGER NOT NULL CHECK (tagged_in_final IN (0, 1)),
    build_time_only INTEGER NOT NULL CHECK (build_time_only IN (0, 1)),
    buildonly INTEGER NOT NULL CHECK (buildonly IN (0, 1)),
    batch INTEGER NOT NULL CHECK (batch >= 0),
    reused_from INTEGER,
    weight REAL NOT NULL,
    -- Without its attempts.
    record TEXT NOT NULL
) STRICT;

CREATE INDEX components_build ON components (build_id, position);

CREATE TABLE attempts (
    component_id INTEGER NOT NULL REFERENCES components ON DELETE CASCADE,
    position INTEGER NOT NULL CHECK (position >= 0),
    task INTEGER,
    is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
    record TEXT NOT NULL,
    PRIMARY KEY (component_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_task ON attempts (task) WHERE task IS NOT NULL;

CREATE TABLE traces (
    build_id INTEGER NOT NULL REFERENCES module_builds,
    seq INTEGER NOT NULL CHECK (seq > 0),
    at INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
    record TEXT NOT NULL,
    PRIMARY KEY (build_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_lines (
    id INTEGER PRIMARY KEY,
    build_id INTEGER NOT NULL REFERENCES module_builds,
    at INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;

CREATE INDEX log_lines_build ON log_lines (build_id, id);
CREATE INDEX log_lines_at ON log_lines (at);

-- What people did: to a build, or to the settings where there is none.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    build_id INTEGER REFERENCES module_builds,
    at INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;

CREATE INDEX audit_build ON audit (build_id, id);
CREATE INDEX audit_at ON audit (at);

CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    -- A list of ids: JSON.
    builds TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_at ON idempotency_keys (at);
