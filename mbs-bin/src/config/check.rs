//! What several values must be together, and lists that must not be empty.

use super::given::Given;
use super::{Config, Place, keys};

impl Config {
    /// Complains of what does not fit together.
    pub(super) fn check(&self, given: &mut Given) {
        for (key, what) in self.bounds().into_iter().chain(self.times()).chain(self.together()) {
            let table = keys::table_of(key).unwrap_or_default();
            given.complain(given.place(key), Some(key), format!("`{key}` in [{table}] {what}"));
        }
    }

    fn bounds(&self) -> Vec<(&'static str, String)> {
        let empty = |key, is_empty: bool| is_empty.then(|| (key, "must not be empty".to_owned()));
        let least =
            |key, least: u64, is: u64| (is < least).then(|| (key, format!("must be {least} or more")));
        let found = [
            empty("base_module_names", self.policy.base_module_names.is_empty()),
            empty("arches", self.policy.arches.is_empty()),
            empty("koji_tag_prefixes", self.policy.koji_tag_prefixes.iter().all(String::is_empty)),
            empty("rebuild_strategies_allowed", self.rules.rebuild_strategies_allowed.is_empty()),
            empty("messaging_topic_prefix", self.messaging.messaging_topic_prefix.is_empty()),
            empty("git_protocols", self.git.git_protocols.is_empty()),
            least("git_parallel", 1, self.git.git_parallel.into()),
            least("most_per_page", 1000, self.service.most_per_page.into()),
            least("most_body_bytes", 1, self.service.most_body_bytes),
            least("looks_at_once", 1, self.service.looks_at_once.into()),
            least("steps_per_look", 1, self.policy.steps_per_look as u64),
            least("most_contexts", 1, self.policy.most_contexts as u64),
        ];
        found.into_iter().flatten().collect()
    }

    /// Without these nothing would ever be waited for, or asked again without end.
    fn times(&self) -> impl Iterator<Item = (&'static str, String)> {
        let policy = &self.policy;
        let times = [
            ("polling_interval", policy.idle_floor),
            ("adapt_every", policy.adapt_every),
            ("poll_floor", policy.poll_floor),
            ("claim_floor", policy.claim_floor),
            ("publish_floor", policy.publish_floor),
            ("lease", policy.lease),
            ("submit_within", policy.submit_within),
            ("call_within", policy.call_within),
            ("backoff_first", policy.backoff_first),
        ];
        let zero = times.into_iter().filter(|(_, time)| time.is_zero());
        zero.map(|(key, _)| (key, "must be above 0".to_owned()))
    }

    fn together(&self) -> Vec<(&'static str, String)> {
        let access = &self.access;
        let mut found = Vec::new();
        if access.no_auth && !access.no_auth_anywhere && !self.service.listen().is_here() {
            let what = "is for services that only this machine reaches; if everybody who reaches the `host` may do \
everything, say `no_auth_anywhere = true`";
            found.push(("no_auth", what.to_owned()));
        }
        if self.building.resolver.contains(&Place::Files) && self.building.module_files.is_empty() {
            found.push(("resolver", "names `files`, but `module_files` names none".to_owned()));
        }
        let places = &self.building.resolver;
        if places.iter().all(|place| *place == Place::Koji) {
            let what = "names no place that has documents of modules, such as `db`";
            found.push(("resolver", what.to_owned()));
        }
        if !is_header(&access.remote_user_header) {
            found.push(("remote_user_header", "is no name of a header".to_owned()));
        }
        match (&self.messaging.amqp_cert, &self.messaging.amqp_key) {
            (Some(_), None) => found.push(("amqp_cert", "needs `amqp_key`, too".to_owned())),
            (None, Some(_)) => found.push(("amqp_key", "needs `amqp_cert`, too".to_owned())),
            (Some(_), Some(_)) | (None, None) => {}
        }
        if self.local.distgits.values().any(|commands| !(1..=2).contains(&commands.len())) {
            let what = "has one or two commands each: for the component, and for its sources";
            found.push(("distgits", what.to_owned()));
        }
        if self.policy.backoff_first > self.policy.backoff_longest {
            found.push(("backoff_first", "must not be longer than `backoff_longest`".to_owned()));
        }
        found
    }
}

/// Says whether a text can be the name of a header.
fn is_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
