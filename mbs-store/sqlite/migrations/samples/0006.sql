-- What a program of schema 6 adds: that it publishes.
INSERT INTO seats (sink, worker, held_until) VALUES ('bus', 'one', 1704168305000000);
