-- What a program of schema 4 adds: a line of a component, and its trace.
INSERT INTO log_lines (build_id, component_id, at, record)
VALUES (1, 1, '2024-01-02T03:05:05Z', '{"at":"2024-01-02T03:05:05Z","text":"liba: will be built, since its commit changed"}');
INSERT INTO component_traces (component_id, record) VALUES
    (1, '{"at":"2024-01-02T03:04:05Z","state":null,"reason":null,"task":null}'),
    (1, '{"at":"2024-01-02T03:05:05Z","state":"COMPLETE","reason":null,"task":7}');
-- It failed once before it became ready.
INSERT INTO traces (build_id, seq, at, state, record) VALUES
    (1, 2, '2024-01-02T03:14:05Z', 4, '{"from":"init","to":"failed","at":"2024-01-02T03:14:05Z","reason":"no space"}'),
    (1, 5, '2024-01-02T04:04:05Z', 5, '{"from":"done","to":"ready","at":"2024-01-02T04:04:05Z","reason":null}');
