-- Who publishes to which sink: one at a time, so that no older event of a build comes after a newer one. Programs of the schema
-- before ask nobody.
CREATE TABLE seats (
    sink text COLLATE "C" PRIMARY KEY,
    worker text COLLATE "C" NOT NULL,
    held_until timestamptz NOT NULL
);
