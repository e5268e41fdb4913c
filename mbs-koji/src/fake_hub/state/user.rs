//! Users and what they may do.

use std::sync::Arc;

use super::{Answer, Id, State, refuse};
use crate::fake_hub::python;
use crate::xmlrpc::{Struct, Value};

/// A user.
#[derive(Clone, Default)]
pub(crate) struct User {
    pub(crate) name: Arc<str>,
    pub(crate) password: Option<Arc<str>>,
    pub(crate) principals: Vec<Arc<str>>,
    pub(crate) is_blocked: bool,
    /// 0 for people, 1 for builders.
    pub(crate) kind: i64,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl State {
    /// Returns a user's name.
    pub(crate) fn user_name(&self, user: Id) -> Arc<str> {
        self.users.get(&user).map(|user| Arc::clone(&user.name)).unwrap_or_default()
    }

    /// Returns the user of a name or principal.
    pub(crate) fn user_named(&self, name: &str) -> Option<Id> {
        let mut users = self.users.iter();
        let is_meant =
            |user: &User| *user.name == *name || user.principals.iter().any(|known| **known == *name);
        users.find(|(_, user)| is_meant(user)).map(|(id, _)| *id)
    }

    /// Returns the user a value names.
    pub(crate) fn find_user(&self, user: &Value) -> Answer<Option<Id>> {
        match user {
            Value::Int(id) => Ok(self.users.contains_key(id).then_some(*id)),
            Value::String(name) => Ok(self.user_named(name)),
            Value::Struct(_) => {
                match (user.member("id"), user.member("name"), user.member("krb_principal")) {
                    (Some(by), _, _) | (None, Some(by), _) | (None, None, Some(by)) => self.find_user(by),
                    (None, None, None) => {
                        Err(refuse(format!("Invalid type for userInfo: {}", python::type_of(user))))
                    }
                }
            }
            other => Err(refuse(format!("Invalid type for userInfo: {}", python::type_of(other)))),
        }
    }

    /// Returns the user a value names.
    pub(crate) fn user(&self, user: &Value) -> Answer<Id> {
        let no_user = || refuse(format!("No such user: {}", python::repr(user)));
        self.find_user(user)?.ok_or_else(no_user)
    }

    /// Adds a user.
    pub(crate) fn add_user(&mut self, user: User) -> Id {
        self.touch();
        let id = self.next_id(&self.users);
        Arc::make_mut(&mut self.users).insert(id, user);
        id
    }

    /// Returns the names of a user's permissions, oldest first.
    pub(crate) fn permissions_of(&self, user: Id) -> Vec<Arc<str>> {
        let rows = self.user_permissions.rows((user, Id::MIN)..(user + 1, Id::MIN), None).into_iter();
        rows.filter_map(|row| self.permissions.name(row.key.1).cloned()).collect()
    }

    /// Says whether a user has been given just this permission.
    pub(crate) fn has_own_permission(&self, user: Id, permission: &str) -> bool {
        let id = self.permissions.id(permission);
        id.is_some_and(|id| self.user_permissions.row(&(user, id), None).is_some())
    }

    /// Returns what `getUser` says.
    pub(crate) fn user_row(&self, id: Id) -> Option<Struct> {
        let user = self.users.get(&id)?;
        Some(Struct::from([
            ("id", Value::from(id)),
            ("name", Value::from(&*user.name)),
            ("status", i64::from(user.is_blocked).into()),
            ("usertype", user.kind.into()),
            ("krb_principals", user.principals.iter().map(|name| &**name).collect()),
        ]))
    }
}
