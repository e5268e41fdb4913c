-- A build as it is since components have traces and log lines of their own.

INSERT INTO module_builds (id, revision, dist_index, name, stream, version, context, build_context, build_context_no_bases, runtime_context, state, state_reason, koji_tag, cg_tag, scmurl, scratch, srpms, owner, submitted_at, modified_at, completed_at, repo_task, strategy, reuse_from, batch, stream_version, under_way, last_seq, record)
VALUES (4, 1, 4, 'platform', 'f41', '00000000000000000001', '00000000', NULL, NULL, NULL, 1, NULL, 'module-3', NULL, 'https://src.example.com/modules/platform?#abc', 0, '[]', 'anna', 1704164645000000, 1704164645000000, NULL, NULL, 'changed-and-after', NULL, 0, 410000.0, 1, 2, '{"id":4,"new":{"nsvc":"platform:f41:1:00000000","owner":"anna","priority":0,"scratch":false,"scmurl":"https://src.example.com/modules/platform?#abc","commit":null,"strategy":"changed-and-after","reuse_from":null,"contexts":{"build":"","build_without_base":"","runtime":""},"srpms":{},"base_modules":["platform:f39:1:00000000"]},"dist_index":4,"life":{"state":"wait","reason":null,"failure":null,"settled":true,"failed_in":null,"changed_at":"2024-01-02T03:04:05Z","completed_at":null},"submitted_at":"2024-01-02T03:04:05Z","koji_tag":"module-3","cg_tag":null,"arches":[],"surroundings":{"inherits":[],"build_group":[],"srpm_build_group":[],"dist_marking":null,"reuse_contexts":[],"reuse_tag":null},"ordering":"batches","batch":0,"components":[],"buildroot":null,"repo":{"asked_at":"2024-01-02T03:04:05Z","task":103,"shows":5},"repo_before":null,"repo_task":null,"trouble":null,"line":null,"kept_turn":null,"is_imported":false,"is_target_removed":false}');
INSERT INTO repo_tasks (build_id, task)
VALUES (4, 103);
INSERT INTO documents (build_id, digest, text, buildrequires)
VALUES (4, 'f68aad96074125718455134e86bd0837d6fc45da', '---
document: modulemd
version: 2
data:
  name: "platform"
  stream: "f41"
  version: 1
  context: "00000000"
  summary: "A module"
  description: "A module of the tests."
  license:
    module:
    - "MIT"
...
', '{}');
INSERT INTO base_modules (build_id, name, stream, version, context, stream_version)
VALUES (4, 'platform', 'f39', '00000000000000000001', '00000000', 390000.0);
INSERT INTO components (id, build_id, position, package, scmurl, task, "commit", state, state_reason, nvr, tagged, tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record)
VALUES (7, 4, 0, 'liba', 'https://src.example.com/rpms/liba', 13, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, NULL, NULL, 0, 0, 0, 0, 2, NULL, 1.5, '{"id":7,"package":"liba","source":{"git":{"url":"https://src.example.com/rpms/liba","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},"batch":2,"after":[],"arches":[],"weight":1.5,"buildonly":false,"build_time_only":false,"buildroot":false,"srpm_buildroot":false,"state":"BUILDING","reason":null,"nvr":null,"task":13,"verdict":null,"attempts":[],"discarded":null,"tagged":false,"tagged_in_final":false,"retry_at":null,"tag_asked_at":null,"is_filtered":false}');
INSERT INTO components (id, build_id, position, package, scmurl, task, "commit", state, state_reason, nvr, tagged, tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record)
VALUES (8, 4, 1, 'libb', 'https://src.example.com/rpms/libb', NULL, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL, NULL, NULL, 0, 0, 0, 0, 2, NULL, 1.5, '{"id":8,"package":"libb","source":{"git":{"url":"https://src.example.com/rpms/libb","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},"batch":2,"after":[],"arches":[],"weight":1.5,"buildonly":false,"build_time_only":false,"buildroot":false,"srpm_buildroot":false,"state":null,"reason":null,"nvr":null,"task":null,"verdict":null,"attempts":[],"discarded":null,"tagged":false,"tagged_in_final":false,"retry_at":null,"tag_asked_at":null,"is_filtered":false}');
INSERT INTO attempts (component_id, position, task, is_live, record)
VALUES (7, 0, 13, 1, '{"number":1,"intended_at":"2024-01-02T03:04:05Z","not_after":"2024-01-02T03:04:05Z","task":13,"end":null}');
INSERT INTO traces (build_id, seq, at, state, record)
VALUES (4, 1, 1704164645000000, 0, '{"from":null,"to":"init","at":"2024-01-02T03:04:05Z","reason":null}');
INSERT INTO traces (build_id, seq, at, state, record)
VALUES (4, 2, 1704164645000000, 1, '{"from":"init","to":"wait","at":"2024-01-02T03:04:05Z","reason":null}');
INSERT INTO log_lines (id, build_id, component_id, at, record)
VALUES (4, 4, 7, 1704164645000000, '{"at":"2024-01-02T03:04:05Z","text":"liba: went on"}');
INSERT INTO component_traces (id, component_id, record)
VALUES (1, 7, '{"at":"2024-01-02T03:04:05Z","state":null,"reason":null,"task":null}');
INSERT INTO component_traces (id, component_id, record)
VALUES (2, 7, '{"at":"2024-01-02T03:04:05Z","state":"BUILDING","reason":null,"task":13}');
INSERT INTO component_traces (id, component_id, record)
VALUES (3, 8, '{"at":"2024-01-02T03:04:05Z","state":null,"reason":null,"task":null}');
INSERT INTO idempotency_keys (key, content, builds, at)
VALUES ('key-3', 'c0ffee', '[4]', 1704164645000000);
INSERT INTO work (build_id, due, lease_worker, lease_token, lease_until, woken, looked_at, why)
VALUES (4, 1704164645000000, 'w', 8, 1704164705000000, 0, 1704164645000000, '{"kind":"going-on"}');
INSERT INTO slots (build_id, held, priority, turn, wants)
VALUES (4, 1, NULL, NULL, NULL);
INSERT INTO events (id, build_id, seq, number, at, record)
VALUES (7, 4, 1, 7, 1704164645000000, '{"build":4,"seq":1,"summary":{"nsvc":"platform:f41:1:00000000","state":"init","reason":null,"owner":"anna","scratch":false,"scmurl":"https://src.example.com/modules/platform?#abc","strategy":"changed-and-after","koji_tag":null,"batch":0,"submitted_at":"2024-01-02T03:04:05Z","modified_at":"2024-01-02T03:04:05Z","completed_at":null,"repo_task":null,"srpms":[],"buildrequires":{},"components":[]},"transition":{"from":null,"to":"init","at":"2024-01-02T03:04:05Z","reason":null}}');
INSERT INTO events (id, build_id, seq, number, at, record)
VALUES (8, 4, 2, 8, 1704164645000000, '{"build":4,"seq":2,"summary":{"nsvc":"platform:f41:1:00000000","state":"wait","reason":null,"owner":"anna","scratch":false,"scmurl":"https://src.example.com/modules/platform?#abc","strategy":"changed-and-after","koji_tag":"module-3","batch":0,"submitted_at":"2024-01-02T03:04:05Z","modified_at":"2024-01-02T03:04:05Z","completed_at":null,"repo_task":null,"srpms":[],"buildrequires":{},"components":[{"id":7,"package":"liba","state":"BUILDING","reason":null,"task":13,"nvr":null},{"id":8,"package":"libb","state":null,"reason":null,"task":null,"nvr":null}]},"transition":{"from":"init","to":"wait","at":"2024-01-02T03:04:05Z","reason":null}}');
UPDATE counters SET last = 4 WHERE name = 'line';
UPDATE publication SET last_number = 8;
UPDATE counters SET last = 4 WHERE name = 'build';
UPDATE counters SET last = 8 WHERE name = 'component';
UPDATE counters SET last = 11 WHERE name = 'lease';
-- It failed once.
INSERT INTO traces (build_id, seq, at, state, record)
VALUES (4, 9, 1704164645000000, 4, '{"from":"init","to":"failed","at":"2024-01-02T03:04:05Z","reason":"no space"}');
