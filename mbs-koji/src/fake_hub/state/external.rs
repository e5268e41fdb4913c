//! External repositories of tags.

use std::sync::Arc;

use super::{Id, State};
use crate::xmlrpc::{Struct, Value};

/// How an external repository hangs on a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalRepo {
    pub(crate) priority: i64,
    pub(crate) merge_mode: Arc<str>,
    pub(crate) arches: Option<Arc<str>>,
}

impl State {
    /// Returns the external repositories of one tag, by priority, as `getTagExternalRepos` says them.
    pub(crate) fn external_rows(&self, tag: Id, at: Option<Id>) -> Vec<Struct> {
        let mut rows = self.tag_externals.rows((tag, Id::MIN)..(tag + 1, Id::MIN), at);
        rows.sort_by_key(|row| row.value.priority);
        rows.into_iter().map(|row| self.external_row(tag, row.key.1, &row.value)).collect()
    }

    fn external_row(&self, tag: Id, repo: Id, settings: &ExternalRepo) -> Struct {
        Struct::from([
            ("external_repo_id", Value::from(repo)),
            ("external_repo_name", Value::from(self.externals.name(repo).map(|name| &**name))),
            ("url", self.external_urls.value(&repo, None).map(|url| &**url).into()),
            ("tag_id", tag.into()),
            ("tag_name", Value::from(&*self.tag_name(tag))),
            ("priority", settings.priority.into()),
            ("merge_mode", Value::from(&*settings.merge_mode)),
            ("arches", settings.arches.as_deref().into()),
        ])
    }
}
