//! Which builds are in a tag.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, Build, Id, State};
use crate::xmlrpc::{Fault, FaultCode, Struct};

/// What of a tag's builds is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaggedQuery {
    pub(crate) at: Option<Id>,
    pub(crate) inherits: bool,
    /// How many of each package, newest tagging first; `None` for all.
    pub(crate) latest: Option<i64>,
    pub(crate) package: Option<Id>,
    pub(crate) owner: Option<Id>,
    pub(crate) kind: Option<Arc<str>>,
    pub(crate) prefix: Option<String>,
}

/// A build in a tag.
#[derive(Debug, Clone)]
pub(crate) struct Tagged {
    pub(crate) tag: Id,
    pub(crate) event: Id,
    pub(crate) build: Arc<Build>,
}

impl State {
    /// Returns a tag's builds, newest tagging first, those of the tag itself before inherited ones; what the package list
    /// does not allow is left out.
    pub(crate) fn tagged_builds(&self, tag: Id, query: &TaggedQuery) -> Vec<Tagged> {
        let at = query.at;
        let entries = self.all_packages(tag, query.package, at);
        let allowed: BTreeMap<Id, bool> =
            entries.iter().map(|entry| (entry.package, !entry.listed.is_blocked)).collect();
        let mut tags = vec![tag];
        if query.inherits {
            tags.extend(self.inherited(tag, at).iter().map(|link| link.parent));
        }
        let mut counts: BTreeMap<Id, i64> = BTreeMap::new();
        let mut found = Vec::new();
        for tag in tags {
            for tagged in self.own_tagged(tag, at) {
                let package = tagged.build.package;
                let is_allowed = allowed.get(&package) == Some(&true) && query.takes(&tagged.build);
                let count = counts.entry(package).or_default();
                if is_allowed && query.latest.is_none_or(|most| *count < most) {
                    *count += 1;
                    found.push(tagged);
                }
            }
        }
        found
    }

    fn own_tagged(&self, tag: Id, at: Option<Id>) -> Vec<Tagged> {
        let rows = self.tagged.rows((tag, Id::MIN)..(tag + 1, Id::MIN), at).into_iter();
        let tagged = rows.filter_map(|row| {
            let build = Arc::clone(self.builds.get(&row.key.1)?);
            Some(Tagged { tag, event: row.made.event, build })
        });
        let mut tagged: Vec<Tagged> = tagged.collect();
        tagged.sort_by_key(|tagged| std::cmp::Reverse((tagged.event, tagged.build.id)));
        tagged
    }

    /// Returns the ids of the tags a build is in, by id.
    pub(crate) fn tags_of_build(&self, build: Id) -> Vec<Id> {
        let rows = self.tagged.rows(.., None).into_iter().filter(|row| row.key.1 == build);
        let mut tags: Vec<Id> = rows.map(|row| row.key.0).collect();
        tags.sort_unstable();
        tags
    }

    /// Puts a build into a tag.
    pub(crate) fn tag_build(&mut self, tag: Id, build: Id) -> Answer<()> {
        if self.tagged.row(&(tag, build), None).is_some() {
            let nvr = self.builds.get(&build).map(|build| build.nvr()).unwrap_or_default();
            let text = format!("build {nvr} already tagged ({})", self.tag_name(tag));
            return Err(Fault::new(FaultCode::TagError, text));
        }
        let stamp = self.stamp();
        self.tagged.put((tag, build), (), stamp);
        self.tell_tagged(tag, build, true);
        Ok(())
    }

    /// Takes a build out of a tag, and says whether it was in it.
    pub(crate) fn untag_build(&mut self, tag: Id, build: Id) -> bool {
        if self.tagged.row(&(tag, build), None).is_none() {
            return false;
        }
        let stamp = self.stamp();
        self.tagged.revoke(&(tag, build), stamp);
        self.tell_tagged(tag, build, false);
        true
    }

    /// Returns what `listTagged` says.
    pub(crate) fn tagged_row(&self, tagged: &Tagged, with_extra: bool) -> Struct {
        let mut row = self.short_build_row(&tagged.build);
        row.insert("tag_id", tagged.tag.into());
        row.insert("tag_name", (&*self.tag_name(tagged.tag)).into());
        row.insert("create_event", tagged.event.into());
        if with_extra {
            row.insert("extra", tagged.build.extra.clone().into());
        }
        row
    }
}

impl TaggedQuery {
    fn takes(&self, build: &Build) -> bool {
        self.owner.is_none_or(|owner| build.owner == owner)
            && self.prefix.as_ref().is_none_or(|prefix| build.name.starts_with(&prefix.to_lowercase()))
            && self.kind.as_ref().is_none_or(|kind| build.types.contains_key(kind))
    }
}
