//! Which keys there are, in which table each stands, and what became of those there are no more.
//!
//! What a key is read as, its struct says; here it only has its place.

/// A table of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// Its keys, blanks between.
    keys: &'static str,
}

impl Table {
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.split_ascii_whitespace()
    }
}

/// All tables, in the order they are shown in.
pub(super) const TABLES: [Table; 10] = [
    Table {
        name: "service",
        keys: "database host port log_level most_body_bytes most_per_page request_within looks_at_once",
    },
    Table {
        name: "access",
        keys: "no_auth no_auth_anywhere auth_method oidc_client_secrets oidc_token_introspection_uri oidc_userinfo_uri
            oidc_client_id oidc_client_secret oidc_required_scope oidc_jwks oidc_issuer oidc_audience oidc_algorithms
            remote_user_header trusted_proxies ldap_uri ldap_groups_dn allowed_groups allowed_users admin_groups
            allowed_groups_to_import_module",
    },
    Table {
        name: "modules",
        keys: "base_module_names base_module_arches base_module_stream_exclusions allow_only_compatible_base_modules
            allowed_privileged_module_names stream_suffixes default_dist_tag_prefix allow_dashes_in_svc default_branch
            br_stream_override_module br_stream_override_regexes default_modules_scm_url uses_rawhide rawhide_stream
            rawhide_branch",
    },
    Table {
        name: "submission",
        keys: "scmurls allow_custom_scmurls allow_name_override_from_scm allow_stream_override_from_scm
            yaml_submit_allowed modules_allow_scratch scratch_build_only_branches rpms_default_repository
            rpms_default_cache rpms_allow_repository rpms_allow_cache modules_default_repository
            modules_allow_repository rebuild_strategy rebuild_strategy_allow_override rebuild_strategies_allowed
            check_for_eol pdc_url pdc_face pdc_records pdc_token_file product_pages_url product_pages_module_streams
            product_pages_schedule_task_names product_pages_schedule_task_name most_contexts",
    },
    Table {
        name: "building",
        keys: "system resolver module_files mbs_url arches allow_arch_override num_concurrent_builds polling_interval
            cleanup_failed_builds_time cleanup_stuck_builds_time cleanup_stuck_builds_states build_logs_dir
            build_logs_name_format cache_dir dnf_minrate dnf_timeout check_collisions reuse",
    },
    Table {
        name: "koji",
        keys: "koji_config koji_profile krb_principal krb_keytab koji_repository_url koji_external_repo_url_prefix
            koji_build_priority koji_build_macros_target koji_tag_prefixes koji_tag_permission koji_tag_extra_opts
            koji_target_delete_time koji_enable_content_generator koji_cg_devel_module koji_cg_tag_build
            koji_cg_build_tag_template koji_cg_default_build_tag",
    },
    Table { name: "git", keys: "git_protocols git_within git_parallel" },
    Table {
        name: "messaging",
        keys: "messaging messaging_topic_prefix amqp_ca amqp_cert amqp_key amqp_queue amqp_exchange datagrepper_url",
    },
    Table {
        name: "local",
        keys: "mock_resultsdir mock_config_file yum_config_file mock_purge_useless_logs arch_autodetect arch_fallback
            distgits base_module_repofiles default_buildroot_packages default_srpm_buildroot_packages",
    },
    Table {
        name: "engine",
        keys: "tau adapt_every slow_after min_gap poll_floor claim_floor publish_floor lease submit_within call_within
            margin ask_again backoff_first backoff_longest retries_aborted retries_vanished patience gather_hints
            steps_per_look",
    },
];

/// Keys whose values are paths: `~` in front is the home directory.
pub(super) const PATHS: [&str; 14] = [
    "oidc_client_secrets",
    "oidc_jwks",
    "module_files",
    "build_logs_dir",
    "cache_dir",
    "pdc_token_file",
    "koji_config",
    "krb_keytab",
    "amqp_ca",
    "amqp_cert",
    "amqp_key",
    "mock_resultsdir",
    "mock_config_file",
    "yum_config_file",
];

/// Keys whose values may hold a password: they are not repeated in messages.
pub(super) const SECRETS: [&str; 3] = ["database", "oidc_client_secret", "messaging"];

/// Keys of the original that are accepted and of no effect, and why.
pub(super) const OLD: [(&str, &str); 22] = [
    ("num_threads_for_build_submissions", "submissions are sent together"),
    ("num_workers", "start more backends instead"),
    ("strict_module_state_transitions", "it is always so"),
    ("mock_config", "it was never read"),
    ("mock_build_srpm_cmd", "it was never read"),
    ("db", "it was never read"),
    ("server_name", "it was the web framework's"),
    ("secret_key", "it was the web framework's"),
    ("debug", "it was the web framework's"),
    ("log_backend", "log lines go to standard error"),
    ("log_file", "log lines go to standard error"),
    ("krb_ccache", "the variable KRB5CCNAME names the ticket cache"),
    ("celery_broker_url", "there is no work queue beside the database"),
    ("celery_imports", "there is no work queue beside the database"),
    ("celery_task_always_eager", "there is no work queue beside the database"),
    ("celery_task_routes", "there is no work queue beside the database"),
    ("celery_worker_prefetch_multiplier", "there is no work queue beside the database"),
    ("net_timeout", "`patience` in [engine] says how long trouble is borne"),
    (
        "net_retry_interval",
        "`backoff_first` and `backoff_longest` in [engine] say when something is tried again",
    ),
    ("scm_net_timeout", "`git_within` in [git] and `patience` in [engine] say it"),
    (
        "scm_net_retry_interval",
        "`backoff_first` and `backoff_longest` in [engine] say when something is tried again",
    ),
    ("sqlalchemy_track_modifications", "it was the web framework's"),
];

/// Keys of the original that have another name.
pub(super) const RENAMED: [(&str, &str); 1] = [("sqlalchemy_database_uri", "database")];

/// Returns the table of a key; `None` if there is no such key.
pub(super) fn table_of(key: &str) -> Option<&'static str> {
    TABLES.iter().find(|table| table.keys().any(|known| known == key)).map(|table| table.name)
}

/// Returns the word nearest to a misspelt one, if one is near enough to be meant.
pub(super) fn nearest(word: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let distances = words.map(|known| (strsim::damerau_levenshtein(word, known), known));
    let (distance, known) = distances.min()?;
    (distance <= word.chars().count().max(known.len()) / 3).then_some(known)
}
