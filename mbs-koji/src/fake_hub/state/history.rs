//! The hub's tables with all that was revoked, for `queryHistory`.

use super::{Entry, Id, State, Table};
use crate::xmlrpc::{Struct, Value};

/// Which rows are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct HistoryQuery {
    pub(crate) tag: Option<Id>,
    pub(crate) build: Option<Id>,
    pub(crate) package: Option<Id>,
    pub(crate) user: Option<Id>,
    pub(crate) is_active: Option<bool>,
    pub(crate) after_event: Option<Id>,
    pub(crate) before_event: Option<Id>,
}

/// The tables there are.
pub(crate) const TABLES: [&str; 9] = [
    "build_target_config",
    "group_config",
    "group_package_listing",
    "tag_config",
    "tag_extra",
    "tag_inheritance",
    "tag_listing",
    "tag_package_owners",
    "tag_packages",
];

impl State {
    /// Returns the rows of one table, newest first; `None` if there is no such table.
    pub(crate) fn history(&self, table: &str, query: &HistoryQuery) -> Option<Vec<Struct>> {
        let rows = match table {
            "tag_config" => self.past(&self.tag_settings, query, |row, key, value| {
                self.name_tag(row, "tag", *key);
                row.insert("arches", Value::from(&*value.arches));
                row.insert("perm_id", value.permission.into());
                row.insert("locked", value.is_locked.into());
            }),
            "tag_extra" => self.past(&self.tag_extra, query, |row, key, value| {
                self.name_tag(row, "tag", key.0);
                row.insert("key", Value::from(&*key.1));
                row.insert("value", value.clone());
            }),
            "tag_inheritance" => self.past(&self.inheritance, query, |row, key, value| {
                self.name_tag(row, "tag", key.0);
                self.name_tag(row, "parent", key.1);
                row.insert("priority", value.priority.into());
            }),
            "tag_packages" => self.past(&self.listed, query, |row, key, value| {
                self.name_tag(row, "tag", key.0);
                self.name_package(row, key.1);
                row.insert("blocked", value.is_blocked.into());
            }),
            "tag_package_owners" => self.past(&self.owners, query, |row, key, owner| {
                self.name_tag(row, "tag", key.0);
                self.name_package(row, key.1);
                row.insert("owner", (*owner).into());
            }),
            "tag_listing" => self.past(&self.tagged, query, |row, key, ()| {
                self.name_tag(row, "tag", key.0);
                self.name_build(row, key.1);
            }),
            "group_config" => self.past(&self.group_settings, query, |row, key, value| {
                self.name_tag(row, "tag", key.0);
                row.insert("group_id", key.1.into());
                row.insert("group.name", self.groups.name(key.1).map(|name| &**name).into());
                row.insert("blocked", value.is_blocked.into());
            }),
            "group_package_listing" => self.past(&self.group_packages, query, |row, key, value| {
                self.name_tag(row, "tag", key.0);
                row.insert("group_id", key.1.into());
                row.insert("package", Value::from(&*key.2));
                row.insert("blocked", value.0.into());
            }),
            "build_target_config" => self.past(&self.target_settings, query, |row, key, value| {
                row.insert("build_target_id", (*key).into());
                self.name_tag(row, "build_tag", value.build_tag);
                self.name_tag(row, "dest_tag", value.destination);
            }),
            _ => return None,
        };
        Some(rows)
    }

    fn past<K: Ord + Clone, V: Clone + PartialEq>(
        &self,
        table: &Table<K, V>,
        query: &HistoryQuery,
        fill: impl Fn(&mut Struct, &K, &V),
    ) -> Vec<Struct> {
        let rows = table.history().map(|entry| {
            let mut row = self.stamps(entry);
            fill(&mut row, &entry.key, &entry.value);
            row
        });
        let mut rows: Vec<Struct> = rows.filter(|row| query.takes(row)).collect();
        rows.reverse();
        rows
    }

    fn stamps<K, V>(&self, entry: &Entry<K, V>) -> Struct {
        let time = |event: Id| self.event_time(event).map(super::Moment::seconds);
        let revoked = entry.revoked;
        Struct::from([
            ("create_event", Value::from(entry.made.event)),
            ("create_ts", time(entry.made.event).into()),
            ("creator_id", entry.made.user.into()),
            ("creator_name", Value::from(&*self.user_name(entry.made.user))),
            ("revoke_event", revoked.map(|revoked| revoked.event).into()),
            ("revoke_ts", revoked.and_then(|revoked| time(revoked.event)).into()),
            ("revoker_id", revoked.map(|revoked| revoked.user).into()),
            ("revoker_name", revoked.map(|revoked| self.user_name(revoked.user).to_string()).into()),
            ("active", revoked.map_or(Value::from(true), |_| Value::Nil)),
        ])
    }

    fn name_tag(&self, row: &mut Struct, column: &str, tag: Id) {
        let id = if column == "parent" { "parent_id".to_owned() } else { format!("{column}_id") };
        row.insert(id, tag.into());
        row.insert(format!("{column}.name"), Value::from(&*self.tag_name(tag)));
    }

    fn name_package(&self, row: &mut Struct, package: Id) {
        row.insert("package_id", package.into());
        row.insert("package.name", Value::from(&*self.package_name(package)));
    }

    fn name_build(&self, row: &mut Struct, build: Id) {
        row.insert("build_id", build.into());
        if let Some(build) = self.builds.get(&build) {
            row.insert("name", Value::from(&*build.name));
            row.insert("version", Value::from(&*build.version));
            row.insert("release", Value::from(&*build.release));
            row.insert("build.state", build.state.into());
            row.insert("epoch", build.epoch.into());
            row.insert("package_id", build.package.into());
        }
    }
}

impl HistoryQuery {
    fn takes(&self, row: &Struct) -> bool {
        let number = |name| row.member(name).and_then(Value::as_int);
        let is = |name, wanted: Option<Id>| wanted.is_none_or(|wanted| number(name) == Some(wanted));
        let is_active = row.member("active") == Some(&Value::Bool(true));
        let made = number("create_event").unwrap_or_default();
        let last = number("revoke_event").unwrap_or(made);
        is("tag_id", self.tag)
            && is("build_id", self.build)
            && is("package_id", self.package)
            && is("creator_id", self.user)
            && self.is_active.is_none_or(|wanted| wanted == is_active)
            && self.after_event.is_none_or(|event| last > event)
            && self.before_event.is_none_or(|event| made < event)
    }
}
