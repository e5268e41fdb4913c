-- Indexes for lists: each column with the id, so that one column filters or sorts in either direction. Long texts are found by
-- their beginning.

CREATE INDEX module_builds_list_name ON module_builds (name, id) INCLUDE (state);
CREATE INDEX module_builds_list_stream ON module_builds (stream, id);
CREATE INDEX module_builds_list_version ON module_builds (version, id);
CREATE INDEX module_builds_list_context ON module_builds (context, id);
CREATE INDEX module_builds_list_build_context ON module_builds (build_context, id);
CREATE INDEX module_builds_list_no_bases ON module_builds (build_context_no_bases, id);
CREATE INDEX module_builds_list_runtime ON module_builds (runtime_context, id);
CREATE INDEX module_builds_list_state ON module_builds (state, id) INCLUDE (submitted_at, modified_at, completed_at);
CREATE INDEX module_builds_list_reason ON module_builds (left(state_reason, 200), id);
CREATE INDEX module_builds_list_koji_tag ON module_builds (koji_tag, id);
CREATE INDEX module_builds_list_cg_tag ON module_builds (cg_tag, id);
CREATE INDEX module_builds_list_scmurl ON module_builds (left(scmurl, 200), id);
CREATE INDEX module_builds_list_scratch ON module_builds (scratch, id);
CREATE INDEX module_builds_list_srpms ON module_builds (left(srpms, 200), id);
CREATE INDEX module_builds_list_owner ON module_builds (left(owner, 200), id);
CREATE INDEX module_builds_list_submitted ON module_builds (submitted_at, id);
CREATE INDEX module_builds_list_modified ON module_builds (modified_at, id);
CREATE INDEX module_builds_list_completed ON module_builds (completed_at, id);
CREATE INDEX module_builds_list_repo_task ON module_builds (repo_task, id);
CREATE INDEX module_builds_list_strategy ON module_builds (strategy, id);
CREATE INDEX module_builds_list_reuse_from ON module_builds (reuse_from, id);
CREATE INDEX module_builds_list_batch ON module_builds (batch, id);
CREATE INDEX module_builds_list_stream_version ON module_builds (stream_version, id);

-- Ranges of times, in stretches of 2,000 ids: which stretch has a build of that time at all. The id is no key: as one it would
-- let the planner take these for other columns, too.
CREATE INDEX module_builds_stretch_submitted ON module_builds ((id / 2000), submitted_at) INCLUDE (id);
CREATE INDEX module_builds_stretch_modified ON module_builds ((id / 2000), modified_at) INCLUDE (id);
CREATE INDEX module_builds_stretch_completed ON module_builds ((id / 2000), completed_at) INCLUDE (id);

CREATE INDEX module_builds_siblings ON module_builds (dist_index, id);
CREATE INDEX module_builds_under_way ON module_builds (id) WHERE under_way;
CREATE INDEX module_builds_repo_tasks ON module_builds USING gin (repo_tasks) WHERE under_way;

CREATE INDEX documents_digest ON documents (digest, build_id);
CREATE INDEX documents_beginning ON documents (left(text, 200), build_id);
CREATE INDEX virtual_streams_stream ON virtual_streams (stream, build_id);
CREATE INDEX base_modules_name ON base_modules (name, build_id);
CREATE INDEX base_modules_nsvc ON base_modules (name, stream, version, context, build_id);
CREATE INDEX base_modules_stream ON base_modules (stream, build_id);
CREATE INDEX base_modules_version ON base_modules (version, build_id);
CREATE INDEX base_modules_context ON base_modules (context, build_id);
CREATE INDEX base_modules_stream_version ON base_modules (stream_version, build_id);
-- The same in stretches of 2,000 ids.
CREATE INDEX base_modules_stretch ON base_modules ((build_id / 2000), stream_version) INCLUDE (build_id);

CREATE INDEX components_build ON components (build_id, position);
CREATE INDEX components_list_package ON components (package, id) INCLUDE (state);
CREATE INDEX components_list_scmurl ON components (left(scmurl, 200), id);
CREATE INDEX components_list_task ON components (task, id);
CREATE INDEX components_list_commit ON components (commit, id);
CREATE INDEX components_list_state ON components (state, id);
CREATE INDEX components_list_reason ON components (left(state_reason, 200), id);
CREATE INDEX components_list_nvr ON components (left(nvr, 200), id);
CREATE INDEX components_list_tagged ON components (tagged, id);
CREATE INDEX components_list_tagged_in_final ON components (tagged_in_final, id);
CREATE INDEX components_list_build_time_only ON components (build_time_only, id);
CREATE INDEX components_list_buildonly ON components (buildonly, id);
CREATE INDEX components_list_batch ON components (batch, id);
CREATE INDEX components_list_reused_from ON components (reused_from, id);
CREATE INDEX components_list_weight ON components (weight, id);
-- The builds that components belong to, in stretches of 5,000 ids.
CREATE INDEX components_stretch_build ON components ((id / 5000), build_id) INCLUDE (id);
