-- What is kept of components: their traces, and which lines of a build's log speak of them.

-- A component may go; its lines stay.
ALTER TABLE log_lines ADD COLUMN component_id INTEGER;

-- Numbers of lines grow and are never given twice, trimmed ones included.
INSERT INTO counters (name, last) SELECT 'line', coalesce(max(id), 0) FROM log_lines;

CREATE INDEX log_lines_component ON log_lines (component_id, id) WHERE component_id IS NOT NULL;

-- In the order of the changes. Programs of the schema before write none: what they change is missing here.
CREATE TABLE component_traces (
    id INTEGER PRIMARY KEY,
    component_id INTEGER NOT NULL REFERENCES components ON DELETE CASCADE,
    record TEXT NOT NULL
) STRICT;

CREATE INDEX component_traces_component ON component_traces (component_id, id);
