-- A build as it was before there were leases, slots and events.

INSERT INTO module_builds (id, revision, dist_index, name, stream, version, context, build_context, build_context_no_bases, runtime_context, state, state_reason, koji_tag, cg_tag, scmurl, scratch, srpms, owner, submitted_at, modified_at, completed_at, repo_task, strategy, reuse_from, batch, stream_version, under_way, last_seq, record)
VALUES (1, 1, 1, 'perl', '5.30', '00000000000020200101', 'a1b2c3d4', NULL, NULL, NULL, 1, NULL, 'module-0', NULL, 'https://src.example.com/modules/perl?#abc', 0, '[]', 'anna', 1704164645000000, 1704164645000000, NULL, NULL, 'changed-and-after', NULL, 0, NULL, 1, 2, '{"id":1,"new":{"nsvc":"perl:5.30:20200101:a1b2c3d4","owner":"anna","priority":0,"scratch":false,"scmurl":"https://src.example.com/modules/perl?#abc","commit":null,"strategy":"changed-and-after","reuse_from":null,"contexts":{"build":"","build_without_base":"","runtime":""},"srpms":{},"base_modules":["platform:f39:1:00000000"]},"dist_index":1,"life":{"state":"wait","reason":null,"failure":null,"settled":true,"failed_in":null,"changed_at":"2024-01-02T03:04:05Z","completed_at":null},"submitted_at":"2024-01-02T03:04:05Z","koji_tag":"module-0","cg_tag":null,"arches":[],"surroundings":{"inherits":[],"build_group":[],"srpm_build_group":[],"dist_marking":null,"reuse_contexts":[],"reuse_tag":null},"ordering":"batches","batch":0,"components":[],"buildroot":null,"repo":{"asked_at":"2024-01-02T03:04:05Z","task":100,"shows":5},"repo_before":null,"repo_task":null,"trouble":null,"line":null,"kept_turn":null,"is_imported":false,"is_target_removed":false}');
INSERT INTO repo_tasks (build_id, task)
VALUES (1, 100);
INSERT INTO documents (build_id, digest, text, buildrequires)
VALUES (1, '12c517e0bbf887608d1755f42bd7bc3dda3ceabe', '---
document: modulemd
version: 2
data:
  name: "perl"
  stream: "5.30"
  version: 20200101
  context: "a1b2c3d4"
  summary: "A module"
  description: "A module of the tests."
  license:
    module:
    - "MIT"
...
', '{}');
INSERT INTO base_modules (build_id, name, stream, version, context, stream_version)
VALUES (1, 'platform', 'f39', '00000000000000000001', '00000000', 390000.0);
INSERT INTO components (id, build_id, position, package, scmurl, task, "commit", state, state_reason, nvr, tagged, tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record)
VALUES (1, 1, 0, 'liba', 'https://src.example.com/rpms/liba', 10, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, NULL, NULL, 0, 0, 0, 0, 2, NULL, 1.5, '{"id":1,"package":"liba","source":{"git":{"url":"https://src.example.com/rpms/liba","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},"batch":2,"after":[],"arches":[],"weight":1.5,"buildonly":false,"build_time_only":false,"buildroot":false,"srpm_buildroot":false,"state":"BUILDING","reason":null,"nvr":null,"task":10,"verdict":null,"attempts":[],"discarded":null,"tagged":false,"tagged_in_final":false,"retry_at":null,"tag_asked_at":null,"is_filtered":false}');
INSERT INTO components (id, build_id, position, package, scmurl, task, "commit", state, state_reason, nvr, tagged, tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record)
VALUES (2, 1, 1, 'libb', 'https://src.example.com/rpms/libb', NULL, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL, NULL, NULL, 0, 0, 0, 0, 2, NULL, 1.5, '{"id":2,"package":"libb","source":{"git":{"url":"https://src.example.com/rpms/libb","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},"batch":2,"after":[],"arches":[],"weight":1.5,"buildonly":false,"build_time_only":false,"buildroot":false,"srpm_buildroot":false,"state":null,"reason":null,"nvr":null,"task":null,"verdict":null,"attempts":[],"discarded":null,"tagged":false,"tagged_in_final":false,"retry_at":null,"tag_asked_at":null,"is_filtered":false}');
INSERT INTO attempts (component_id, position, task, is_live, record)
VALUES (1, 0, 10, 1, '{"number":1,"intended_at":"2024-01-02T03:04:05Z","not_after":"2024-01-02T03:04:05Z","task":10,"end":null}');
INSERT INTO traces (build_id, seq, at, state, record)
VALUES (1, 1, 1704164645000000, 0, '{"from":null,"to":"init","at":"2024-01-02T03:04:05Z","reason":null}');
INSERT INTO traces (build_id, seq, at, state, record)
VALUES (1, 2, 1704164645000000, 1, '{"from":"init","to":"wait","at":"2024-01-02T03:04:05Z","reason":null}');
INSERT INTO log_lines (id, build_id, at, record)
VALUES (1, 1, 1704164645000000, '{"at":"2024-01-02T03:04:05Z","text":"went on"}');
INSERT INTO idempotency_keys (key, content, builds, at)
VALUES ('key-0', 'c0ffee', '[1]', 1704164645000000);
UPDATE counters SET last = 1 WHERE name = 'build';
UPDATE counters SET last = 2 WHERE name = 'component';
