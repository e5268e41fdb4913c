-- What a program of schema 6 adds: that it publishes.
INSERT INTO seats (sink, worker, held_until) VALUES ('bus', 'one', '2024-01-02T04:05:05Z');
