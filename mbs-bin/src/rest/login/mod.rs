//! Who asks, and whether they may. It fails closed: what cannot be found out is a refusal.
//!
//! | configured | who it is says | and their groups |
//! | --- | --- | --- |
//! | `no_auth` | nobody: `anonymous`, or the `owner` of the request | `packager` |
//! | `oidc` | the identity provider, of a bearer token; with its keys (`oidc_jwks`) the token itself | the token, if it says; the provider |
//! | `kerberos` | the web server in front, in a header that counts from its addresses only | LDAP |
//! | any of these | our store, of a bearer token that begins with `mbs_` | the token; with `kerberos` LDAP, if it names none |
//!
//! Source: rest-api, section 5.

use std::collections::BTreeSet;
use std::sync::Arc;

use mbs_core::store::{Scope, Store};

use super::problem::Problem;
use super::request::Seen;
use crate::config::{Access, AuthMethod};

mod jwt;
mod ldap;
mod oidc;
mod own;
mod proxy;
#[cfg(test)]
mod tests;

use jwt::Keys;
pub(crate) use oidc::Provider;
use own::Pass;

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// Empty also for those who need none.
    pub(crate) groups: BTreeSet<String>,
    /// What the token of ours is good for that they ask with; `None`: they logged in, and may do all that they may.
    pub(crate) pass: Option<Pass>,
}

impl Person {
    /// Returns who it is for the audit: with the token that was used, if one was.
    pub(crate) fn signature(&self) -> String {
        match &self.pass {
            Some(Pass { id, .. }) => format!("{} (token {id})", self.name),
            None => self.name.clone(),
        }
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Submit.
    Submit,
    /// Cancel.
    Cancel,
    /// Take in a module that was built elsewhere.
    Import,
}

/// Finds out who asks, and says who may.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    store: Arc<dyn Store>,
    provider: Option<Provider>,
    /// The provider's keys, if tokens are checked here.
    keys: Option<Keys>,
}

impl Gate {
    /// Makes a gate; the store knows the tokens that we gave out.
    ///
    /// # Errors
    /// An address of the identity provider is none, or TLS cannot be set up.
    pub(crate) fn new(access: Access, store: Arc<dyn Store>) -> Result<Self, String> {
        let oidc = &access.oidc;
        let by_token = !access.no_auth && access.auth_method == AuthMethod::Oidc;
        let provider = if by_token && oidc.is_complete() { Some(Provider::new(oidc)?) } else { None };
        let keys = oidc.jwks.clone().filter(|_| by_token).map(Keys::new).transpose()?;
        Ok(Self { access, store, provider, keys })
    }

    /// Finds out who asks.
    pub(crate) async fn person(&self, seen: &Seen) -> Result<Person, Problem> {
        if let Some(token) = own::presented(seen) {
            return self.by_own_token(token).await;
        }
        if self.access.no_auth {
            let groups = ["packager".to_owned()].into();
            return Ok(Person { name: "anonymous".to_owned(), groups, pass: None });
        }
        match self.access.auth_method {
            AuthMethod::Oidc => self.by_token(seen).await,
            AuthMethod::Kerberos => self.by_ticket(seen).await,
        }
    }

    async fn by_own_token(&self, token: &str) -> Result<Person, Problem> {
        let token = own::known(&*self.store, token).await?;
        tracing::info!("{} asks with token {}", token.user, token.id);
        let (name, pass) = (token.user.clone(), Some(Pass::of(&token)));
        let asks_ldap = !self.access.no_auth && self.access.auth_method == AuthMethod::Kerberos;
        let groups = match token.groups.is_empty() && asks_ldap && self.needs_group(&name) {
            true => ldap::groups(&self.access, &name).await?,
            false => token.groups,
        };
        Ok(Person { name, groups, pass })
    }

    async fn by_token(&self, seen: &Seen) -> Result<Person, Problem> {
        if let Some(keys) = &self.keys {
            return self.by_signed_token(keys, oidc::bearer(seen)?).await;
        }
        let Some(provider) = &self.provider else {
            return Err(Problem::forbidden("OIDC_CLIENT_SECRETS must be set in server config."));
        };
        let token = oidc::bearer(seen)?;
        let name = provider.owner(token, &self.access.oidc.required_scope).await?;
        let groups = match self.needs_group(&name) {
            true => provider.groups(token).await?,
            false => BTreeSet::new(),
        };
        Ok(Person { name, groups, pass: None })
    }

    async fn by_signed_token(&self, keys: &Keys, token: &str) -> Result<Person, Problem> {
        let claims = keys.claims(token).await?;
        oidc::check_scopes(&claims.scopes(), &self.access.oidc.required_scope)?;
        let name = claims.name().ok_or_else(|| Problem::unauthorized(oidc::EXPIRED))?.to_owned();
        let groups = match (self.needs_group(&name), claims.groups(), &self.provider) {
            (false, _, _) => BTreeSet::new(),
            (true, Some(groups), _) => groups.iter().cloned().collect(),
            (true, None, Some(provider)) => provider.groups(token).await?,
            (true, None, None) => {
                return Err(Problem::unauthorized("The token does not say which groups its owner is in."));
            }
        };
        Ok(Person { name, groups, pass: None })
    }

    async fn by_ticket(&self, seen: &Seen) -> Result<Person, Problem> {
        let name = proxy::user(seen, &self.access)?;
        let groups = match self.needs_group(&name) {
            true => ldap::groups(&self.access, &name).await?,
            false => BTreeSet::new(),
        };
        Ok(Person { name, groups, pass: None })
    }

    fn needs_group(&self, name: &str) -> bool {
        !self.access.allowed_users.contains(name)
    }

    /// Refuses somebody who may not do what they want.
    pub(crate) fn allow(&self, person: &Person, wish: Wish) -> Result<(), Problem> {
        if let Some(pass) = &person.pass {
            pass.allow(wish)?;
        }
        let allowed = match wish {
            Wish::Submit | Wish::Cancel => &self.access.allowed_groups,
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
        let is_good = person.pass.as_ref().is_none_or(|pass| pass.scopes.contains(&Scope::Admin));
        is_good && !self.access.admin_groups.is_disjoint(&person.groups)
    }
}

/// Writes names as clients know sets of them.
fn set(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{}'", name.escape_debug())).collect();
    if names.is_empty() { "set()".to_owned() } else { format!("{{{}}}", names.join(", ")) }
}
