//! Groups of RPM names in tags: what buildroots begin with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Id, State};
use crate::xmlrpc::{Struct, Value};

/// How a group stands in a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupSettings {
    pub(crate) is_blocked: bool,
    pub(crate) display_name: Arc<str>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) is_exported: bool,
    pub(crate) is_visible: bool,
    pub(crate) is_biarch: bool,
}

/// A group as a tag sees it, inherited parts included.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: Id,
    pub(crate) tag: Id,
    pub(crate) settings: GroupSettings,
    /// RPM names in the order they were added: the tag each is from, whether it is blocked there, its type.
    pub(crate) packages: Vec<(Arc<str>, Id, bool, Arc<str>)>,
}

impl GroupSettings {
    /// Returns how a group stands that nothing else is said about.
    pub(crate) fn usual(name: &str) -> Self {
        Self {
            is_blocked: false,
            display_name: name.into(),
            description: None,
            is_exported: true,
            is_visible: true,
            is_biarch: false,
        }
    }
}

impl State {
    /// Returns the groups of a tag, with inheritance or without, by when they were made.
    pub(crate) fn groups_of(&self, tag: Id, at: Option<Id>, inherits: bool) -> Vec<Group> {
        let mut tags = vec![tag];
        if inherits {
            let links = self.inherited(tag, at).into_iter().filter(|link| !link.link.noconfig);
            tags.extend(links.map(|link| link.parent));
        }
        let mut groups: Vec<Group> = Vec::new();
        for tag in &tags {
            for row in self.group_settings.rows((*tag, Id::MIN)..(tag + 1, Id::MIN), at) {
                if groups.iter().all(|group| group.id != row.key.1) {
                    let settings = row.value.clone();
                    groups.push(Group { id: row.key.1, tag: *tag, settings, packages: Vec::new() });
                }
            }
        }
        for group in &mut groups {
            group.packages =
                tags.iter().flat_map(|tag| self.own_group_packages(*tag, group.id, at)).collect();
            let mut seen = BTreeMap::new();
            group.packages.retain(|(name, ..)| seen.insert(Arc::clone(name), ()).is_none());
        }
        groups
    }

    fn own_group_packages(&self, tag: Id, group: Id, at: Option<Id>) -> Vec<(Arc<str>, Id, bool, Arc<str>)> {
        let range = (tag, group, "".into())..(tag, group + 1, "".into());
        let rows = self.group_packages.rows(range, at).into_iter();
        rows.map(|row| (Arc::clone(&row.key.2), tag, row.value.0, Arc::clone(&row.value.1))).collect()
    }

    /// Returns what `getTagGroups` says of a group.
    pub(crate) fn group_row(&self, group: &Group, with_packages: bool) -> Struct {
        let package = |(name, tag, is_blocked, kind): &(Arc<str>, Id, bool, Arc<str>)| {
            Struct::from([
                ("group_id", Value::from(group.id)),
                ("tag_id", (*tag).into()),
                ("package", Value::from(&**name)),
                ("type", Value::from(&**kind)),
                ("blocked", (*is_blocked).into()),
                ("basearchonly", Value::Nil),
                ("requires", Value::Nil),
            ])
        };
        let packages: Value = group.packages.iter().filter(|_| with_packages).map(package).collect();
        Struct::from([
            ("name", Value::from(self.groups.name(group.id).map(|name| &**name))),
            ("group_id", group.id.into()),
            ("tag_id", group.tag.into()),
            ("display_name", Value::from(&*group.settings.display_name)),
            ("description", group.settings.description.as_deref().into()),
            ("blocked", group.settings.is_blocked.into()),
            ("exported", group.settings.is_exported.into()),
            ("uservisible", group.settings.is_visible.into()),
            ("biarchonly", group.settings.is_biarch.into()),
            ("is_default", Value::Nil),
            ("langonly", Value::Nil),
            ("packagelist", packages),
            ("grouplist", Value::Array(Vec::new())),
        ])
    }
}
