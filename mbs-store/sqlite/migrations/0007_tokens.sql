-- Tokens with which programs ask in the name of people. Of a token itself only the digest is kept.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
    record TEXT NOT NULL CHECK (json_valid(record))
) STRICT;
