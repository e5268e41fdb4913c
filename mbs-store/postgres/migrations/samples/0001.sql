-- What a program of schema 1 may have left: a finished build with a component, and a base module.
INSERT INTO module_builds (
    id, revision, dist_index, name, stream, version, context, state, scratch, srpms, owner, submitted_at, modified_at,
    completed_at, koji_tag, strategy, batch, under_way, repo_tasks, last_seq, record
) VALUES (
    1, 3, 1, 'app', '1.10', '00000000000000000001', 'a', 5, false, '[]', 'mary', '2024-01-02T03:04:05Z',
    '2024-01-02T04:04:05Z', '2024-01-02T04:04:05Z', 'module-app', 'changed-and-after', 2, false, '{}', 5,
    '{"id":1,"new":{"nsvc":"app:1.10:1:a","owner":"mary","scmurl":null,"strategy":"changed-and-after","contexts":{"build":"","build_without_base":"","runtime":""}},"dist_index":1,"life":{"state":"ready","reason":null,"settled":true,"changed_at":"2024-01-02T04:04:05Z","completed_at":"2024-01-02T04:04:05Z"},"submitted_at":"2024-01-02T03:04:05Z","koji_tag":"module-app","batch":2}'
);
INSERT INTO documents (build_id, digest, text, buildrequires) VALUES (1, 'none', E'---\ndocument: modulemd\nversion: 2\ndata:\n  name: app\n  stream: "1.10"\n  version: 1\n  context: a\n  summary: A module\n  description: >-\n    A module of the tests.\n  license:\n    module:\n    - MIT\n...\n', '{}');
INSERT INTO base_modules (build_id, name, stream, version, context) VALUES (1, 'platform', 'f30', '00000000000000000003', '00000000');
INSERT INTO components (
    id, build_id, position, package, state, nvr, tagged, tagged_in_final, build_time_only, buildonly, batch, weight, record
) VALUES (
    1, 1, 0, 'liba', 1, 'liba-1-1', true, true, false, false, 2, 1.5,
    '{"id":1,"package":"liba","source":{"git":{"url":"https://src.example.com/rpms/liba","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},"batch":2,"arches":["x86_64"],"weight":1.5,"state":"COMPLETE","reason":null,"nvr":"liba-1-1","task":7,"verdict":null,"tagged":true,"tagged_in_final":true}'
);
INSERT INTO attempts (component_id, position, task, is_live, record) VALUES (
    1, 0, 7, false, '{"number":1,"intended_at":"2024-01-02T03:05:05Z","not_after":"2024-01-02T03:05:35Z","task":7,"end":{"complete":"liba-1-1"}}'
);
INSERT INTO traces (build_id, seq, at, state, record) VALUES
    (1, 1, '2024-01-02T03:04:05Z', 0, '{"from":null,"to":"init","at":"2024-01-02T03:04:05Z","reason":null}');
INSERT INTO log_lines (build_id, at, record) VALUES (1, '2024-01-02T03:04:05Z', '{"at":"2024-01-02T03:04:05Z","text":"went on"}');
SELECT setval('module_builds_id_seq', 1), setval('components_id_seq', 1);
