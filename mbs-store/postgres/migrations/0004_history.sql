-- What is kept of components: their traces, and which lines of a build's log speak of them.

-- A component may go; its lines stay.
ALTER TABLE log_lines ADD COLUMN component_id bigint;

CREATE INDEX log_lines_component ON log_lines (component_id, id) WHERE component_id IS NOT NULL;

-- In the order of the changes. Programs of the schema before write none: what they change is missing here.
CREATE TABLE component_traces (
    component_id bigint NOT NULL REFERENCES components ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    record json NOT NULL,
    PRIMARY KEY (component_id, id)
);
