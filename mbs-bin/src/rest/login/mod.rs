//! Who asks, and whether they may. It fails closed: what cannot be found out is a refusal.
//!
//! | configured | who it is says | and their groups |
//! | --- | --- | --- |
//! | `no_auth` | nobody: `anonymous`, or the `owner` of the request | `packager` |
//! | `oidc` | the identity provider, of a bearer token | the provider |
//! | `kerberos` | the web server in front, in a header that counts from its addresses only | LDAP |
//!
//! Source: rest-api, section 5.

use std::collections::BTreeSet;

use super::problem::Problem;
use super::request::Seen;
use crate::config::{Access, AuthMethod};

mod ldap;
mod oidc;
mod proxy;

pub(crate) use oidc::Provider;

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// Empty also for those who need none.
    pub(crate) groups: BTreeSet<String>,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Submit, or cancel.
    Submit,
    /// Take in a module that was built elsewhere.
    Import,
}

/// Finds out who asks, and says who may.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    provider: Option<Provider>,
}

impl Gate {
    /// Makes a gate.
    ///
    /// # Errors
    /// An address of the identity provider is none, or TLS cannot be set up.
    pub(crate) fn new(access: Access) -> Result<Self, String> {
        let asks = !access.no_auth && access.auth_method == AuthMethod::Oidc && access.oidc.is_complete();
        let provider = if asks { Some(Provider::new(&access.oidc)?) } else { None };
        Ok(Self { access, provider })
    }

    /// Finds out who asks.
    pub(crate) async fn person(&self, seen: &Seen) -> Result<Person, Problem> {
        if self.access.no_auth {
            let groups = ["packager".to_owned()].into();
            return Ok(Person { name: "anonymous".to_owned(), groups });
        }
        match self.access.auth_method {
            AuthMethod::Oidc => self.by_token(seen).await,
            AuthMethod::Kerberos => self.by_ticket(seen).await,
        }
    }

    async fn by_token(&self, seen: &Seen) -> Result<Person, Problem> {
        let Some(provider) = &self.provider else {
            return Err(Problem::forbidden("OIDC_CLIENT_SECRETS must be set in server config."));
        };
        let token = oidc::bearer(seen)?;
        let name = provider.owner(token, &self.access.oidc.required_scope).await?;
        let groups = match self.needs_group(&name) {
            true => provider.groups(token).await?,
            false => BTreeSet::new(),
        };
        Ok(Person { name, groups })
    }

    async fn by_ticket(&self, seen: &Seen) -> Result<Person, Problem> {
        let name = proxy::user(seen, &self.access)?;
        let groups = match self.needs_group(&name) {
            true => ldap::groups(&self.access, &name).await?,
            false => BTreeSet::new(),
        };
        Ok(Person { name, groups })
    }

    fn needs_group(&self, name: &str) -> bool {
        !self.access.allowed_users.contains(name)
    }

    /// Refuses somebody who may not do what they want.
    pub(crate) fn allow(&self, person: &Person, wish: Wish) -> Result<(), Problem> {
        let allowed = match wish {
            Wish::Submit => &self.access.allowed_groups,
            Wish::Import => &self.access.allowed_groups_to_import_module,
        };
        let may =
            allowed.is_empty() || !self.needs_group(&person.name) || !allowed.is_disjoint(&person.groups);
        if may {
            return Ok(());
        }
        let (allowed, groups) = (set(allowed), set(&person.groups));
        Err(Problem::forbidden(format!("{} is not in any of {allowed}, only {groups}", person.name)))
    }

    /// Says whether somebody may cancel what others own.
    pub(crate) fn is_admin(&self, person: &Person) -> bool {
        !self.access.admin_groups.is_disjoint(&person.groups)
    }
}

/// Writes names as clients know sets of them.
fn set(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{}'", name.escape_debug())).collect();
    if names.is_empty() { "set()".to_owned() } else { format!("{{{}}}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, groups: &[&str]) -> Person {
        Person { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    fn gate() -> Gate {
        let access = Access {
            allowed_users: ["bot".to_owned()].into(),
            admin_groups: ["admins".to_owned()].into(),
            allowed_groups_to_import_module: ["importers".to_owned()].into(),
            ..Access::default()
        };
        Gate::new(access).unwrap()
    }

    #[test]
    fn a_group_or_a_name_lets_people_in() {
        let may = |who: &Person, wish| gate().allow(who, wish).is_ok();
        assert!(may(&person("anna", &["packager", "x"]), Wish::Submit));
        assert!(may(&person("bot", &[]), Wish::Submit) && may(&person("bot", &[]), Wish::Import));
        assert!(!may(&person("anna", &["packager"]), Wish::Import));
        assert!(may(&person("anna", &["importers"]), Wish::Import));
    }

    #[test]
    fn who_is_kept_out_reads_why() {
        let told =
            |groups: &[&str]| gate().allow(&person("mallory", groups), Wish::Submit).unwrap_err().message;
        assert_eq!(told(&[]), "mallory is not in any of {'packager'}, only set()");
        assert_eq!(told(&["b", "a"]), "mallory is not in any of {'packager'}, only {'a', 'b'}");
    }

    #[test]
    fn where_no_group_is_named_everybody_who_is_logged_in_may_submit() {
        let access = Access { allowed_groups: BTreeSet::new(), ..Access::default() };
        let gate = Gate::new(access).unwrap();
        assert_eq!(gate.allow(&person("anna", &[]), Wish::Submit), Ok(()));
    }

    #[test]
    fn administrators_are_in_a_group() {
        assert!(gate().is_admin(&person("anna", &["admins"])));
        assert!(!gate().is_admin(&person("bot", &[])));
        assert!(!Gate::new(Access::default()).unwrap().is_admin(&person("anna", &["admins"])));
    }
}
