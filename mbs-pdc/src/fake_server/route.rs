//! Which path is what, and what may be done with it.

use super::asked::ROOT;
use super::setup::Flavour;

/// What a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    List(Resource),
    Detail(Resource, String),
    Obtain,
    Refresh,
    CurrentUser,
}

/// What there are many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Variants,
    Modules,
    Branches,
    Slas,
    SlaTypes,
    Components,
    Changesets,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    To(Place),
    /// To a place, once a slash is added.
    Slash,
    Nowhere,
}

/// Finds out where a path leads.
pub(super) fn find(path: &str, flavour: Flavour) -> Route {
    let Some(below) = path.strip_prefix(ROOT) else { return Route::Nowhere };
    match below.strip_suffix('/') {
        Some(named) => place(named, flavour).map_or(Route::Nowhere, Route::To),
        None if place(below, flavour).is_some() => Route::Slash,
        None => Route::Nowhere,
    }
}

fn place(named: &str, flavour: Flavour) -> Option<Place> {
    match named {
        "auth/token/obtain" => return Some(Place::Obtain),
        "auth/token/refresh" => return Some(Place::Refresh),
        "auth/current-user" => return Some(Place::CurrentUser),
        _ => {}
    }
    let (name, id) = named.split_once('/').map_or((named, None), |(name, id)| (name, Some(id)));
    let resource = match name {
        "unreleasedvariants" => Resource::Variants,
        "modules" if flavour.has_contexts() => Resource::Modules,
        "component-branches" => Resource::Branches,
        "component-branch-slas" => Resource::Slas,
        "component-sla-types" => Resource::SlaTypes,
        "global-components" => Resource::Components,
        "changesets" => Resource::Changesets,
        _ => return None,
    };
    match id {
        None => Some(Place::List(resource)),
        Some(id) if id.is_empty() || id.contains('/') => None,
        Some(id) => Some(Place::Detail(resource, decoded(id))),
    }
}

/// Returns a part of a path as it is meant.
fn decoded(part: &str) -> String {
    // What forms give a meaning has none in a path.
    let part = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(part.as_bytes()).next().map_or_else(String::new, |(text, _)| text.into_owned())
}

impl Place {
    /// Returns the methods that are offered, but for `HEAD` and `OPTIONS`, which always are.
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::CurrentUser | Self::List(Resource::Changesets) | Self::Detail(Resource::Changesets, _) => {
                &["GET"]
            }
            Self::List(_) => &["GET", "POST", "PUT", "PATCH", "DELETE"],
            Self::Detail(..) => &["GET", "PUT", "PATCH", "DELETE"],
            Self::Obtain => &["GET", "POST"],
            Self::Refresh => &["GET", "PUT"],
        }
    }

    /// Says whether a method is offered.
    pub(super) fn offers(&self, method: &str) -> bool {
        matches!(method, "HEAD" | "OPTIONS") || self.methods().contains(&method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_its_slash_leads_nowhere_if_it_would_not_with_it() {
        let find = |path: &str| find(&format!("{ROOT}{path}"), Flavour::Current);
        assert_eq!(find("modules"), Route::Slash);
        assert_eq!(find("auth/token/obtain"), Route::Slash);
        assert_eq!(find("auth/obtain-token"), Route::Nowhere);
        assert_eq!(find("modules/a/b/"), Route::Nowhere);
    }

    #[test]
    fn a_key_is_decoded() {
        let found = find(&format!("{ROOT}modules/a%3Ab:c+d=e&f/"), Flavour::Current);
        assert_eq!(found, Route::To(Place::Detail(Resource::Modules, "a:b:c+d=e&f".into())));
    }
}
