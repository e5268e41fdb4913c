-- What a program of schema 5 adds: that the record changed, and that the build succeeded.
UPDATE module_builds SET progressed_at = '2024-01-02T04:04:05Z' WHERE id = 1;
INSERT INTO endings (how, spread, count) VALUES ('succeeded', 1, 1) ON CONFLICT DO NOTHING;
