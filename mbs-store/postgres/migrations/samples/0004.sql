-- What a program of schema 4 adds: a line of a component, and its trace.
INSERT INTO log_lines (build_id, component_id, at, record)
VALUES (1, 1, '2024-01-02T03:05:05Z', '{"at":"2024-01-02T03:05:05Z","text":"liba: will be built, since its commit changed"}');
INSERT INTO component_traces (component_id, record) VALUES
    (1, '{"at":"2024-01-02T03:04:05Z","state":null,"reason":null,"task":null}'),
    (1, '{"at":"2024-01-02T03:05:05Z","state":"COMPLETE","reason":null,"task":7}');
