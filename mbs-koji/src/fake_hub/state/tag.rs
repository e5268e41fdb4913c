//! Tags: their settings and extra data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, Id, State, id_of, refuse};
use crate::fake_hub::python;
use crate::xmlrpc::{Struct, Value};

/// How a tag is set up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TagSettings {
    pub(crate) arches: Arc<str>,
    pub(crate) permission: Option<Id>,
    pub(crate) is_locked: bool,
    pub(crate) maven_support: bool,
    pub(crate) maven_include_all: bool,
}

impl State {
    /// Returns the tag a value names, if it exists at that event.
    pub(crate) fn find_tag(&self, tag: &Value, at: Option<Id>) -> Answer<Option<Id>> {
        Ok(id_of(&self.tags, tag)?.filter(|id| self.tag_settings.row(id, at).is_some()))
    }

    /// Returns the tag a value names.
    pub(crate) fn tag(&self, tag: &Value, at: Option<Id>) -> Answer<Id> {
        let no_tag = || refuse(format!("No such tagInfo: {}", python::repr(tag)));
        self.find_tag(tag, at)?.ok_or_else(no_tag)
    }

    /// Returns a tag's name; it may be gone.
    pub(crate) fn tag_name(&self, tag: Id) -> Arc<str> {
        self.tags.name(tag).cloned().unwrap_or_default()
    }

    /// Returns what `getTag` says; `None` if it does not exist at that event.
    pub(crate) fn tag_row(&self, tag: Id, at: Option<Id>) -> Option<Struct> {
        let settings = self.tag_settings.value(&tag, at)?;
        let permission = settings.permission.and_then(|id| self.permissions.name(id));
        Some(Struct::from([
            ("id", Value::from(tag)),
            ("name", Value::from(&*self.tag_name(tag))),
            ("arches", Value::from(&*settings.arches)),
            ("perm", permission.map(|name| &**name).into()),
            ("perm_id", settings.permission.into()),
            ("locked", settings.is_locked.into()),
            ("maven_support", settings.maven_support.into()),
            ("maven_include_all", settings.maven_include_all.into()),
        ]))
    }

    /// Returns a tag's own extra data; what is blocked is nil.
    pub(crate) fn own_extra(&self, tag: Id, at: Option<Id>) -> BTreeMap<Arc<str>, Value> {
        let (first, behind) = ((tag, "".into()), (tag + 1, "".into()));
        let rows = self.tag_extra.rows(first..behind, at);
        rows.into_iter().map(|row| (Arc::clone(&row.key.1), row.value.clone())).collect()
    }

    /// Makes a tag; the name gets the id it had if there was such a tag before.
    pub(crate) fn make_tag(&mut self, name: &str, settings: TagSettings) -> Id {
        let stamp = self.stamp();
        let tag = self.tags.ensure(name);
        self.tag_settings.put(tag, settings, stamp);
        tag
    }

    /// Changes settings; the same again change nothing.
    pub(crate) fn set_tag(&mut self, tag: Id, settings: TagSettings) {
        if self.tag_settings.value(&tag, None) != Some(&settings) {
            let stamp = self.stamp();
            self.tag_settings.put(tag, settings, stamp);
        }
    }

    /// Sets one piece of extra data; the same again changes nothing.
    pub(crate) fn set_extra(&mut self, tag: Id, key: &str, value: Value) {
        let key = (tag, key.into());
        if self.tag_extra.value(&key, None) != Some(&value) {
            let stamp = self.stamp();
            self.tag_extra.put(key, value, stamp);
        }
    }

    /// Removes a tag: all that hangs on it is revoked.
    pub(crate) fn delete_tag(&mut self, tag: Id) {
        let stamp = self.stamp();
        self.tag_settings.revoke(&tag, stamp);
        revoke_all(&mut self.tag_extra, |key| key.0 == tag, stamp);
        revoke_all(&mut self.inheritance, |key| key.0 == tag || key.1 == tag, stamp);
        revoke_all(&mut self.listed, |key| key.0 == tag, stamp);
        revoke_all(&mut self.owners, |key| key.0 == tag, stamp);
        revoke_all(&mut self.group_settings, |key| key.0 == tag, stamp);
        revoke_all(&mut self.group_packages, |key| key.0 == tag, stamp);
        revoke_all(&mut self.tagged, |key| key.0 == tag, stamp);
        revoke_all(&mut self.tag_externals, |key| key.0 == tag, stamp);
        let targets = self.target_settings.rows(.., None).into_iter();
        let gone = targets.filter(|row| row.value.build_tag == tag || row.value.destination == tag);
        for target in gone.map(|row| row.key).collect::<Vec<_>>() {
            self.target_settings.revoke(&target, stamp);
        }
    }

    /// Returns the tag's last change: of itself or of anything in it, what it inherits included.
    pub(crate) fn last_tag_change(&self, tag: Id) -> Option<Id> {
        let mut tags = vec![tag];
        tags.extend(self.inherited(tag, None).iter().map(|link| link.parent));
        let of = |id: &Id| tags.contains(id);
        let changes = [
            self.tag_settings.last_change(of),
            self.tag_extra.last_change(|key| of(&key.0)),
            self.inheritance.last_change(|key| of(&key.0)),
            self.listed.last_change(|key| of(&key.0)),
            self.group_settings.last_change(|key| of(&key.0)),
            self.group_packages.last_change(|key| of(&key.0)),
            self.tagged.last_change(|key| of(&key.0)),
            self.tag_externals.last_change(|key| of(&key.0)),
        ];
        changes.into_iter().flatten().max()
    }

    /// Says whether the caller may put builds into a tag and take them out, or why not.
    pub(crate) fn tag_access(&self, tag: Id, user: Id) -> Result<(), String> {
        let Some(settings) = self.tag_settings.value(&tag, None) else { return Ok(()) };
        if settings.is_locked {
            return Err("tag is locked".into());
        }
        match settings.permission.and_then(|id| self.permissions.name(id)) {
            Some(needed) if !self.has_own_permission(user, needed) => {
                Err(format!("tag requires {needed} permission"))
            }
            _ => Ok(()),
        }
    }
}

fn revoke_all<K: Ord + Clone, V: Clone + PartialEq>(
    table: &mut super::Table<K, V>,
    chosen: impl Fn(&K) -> bool,
    stamp: super::Stamp,
) {
    let keys: Vec<K> = table.rows(.., None).into_iter().map(|row| row.key.clone()).collect();
    for key in keys.iter().filter(|key| chosen(key)) {
        table.revoke(key, stamp);
    }
}
