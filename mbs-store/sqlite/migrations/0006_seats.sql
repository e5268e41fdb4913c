-- Who publishes to which sink: one at a time, so that no older event of a build comes after a newer one. Programs of the schema
-- before ask nobody.
CREATE TABLE seats (
    sink TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
