//! Which resource an address names, and which methods that takes: pure, from path and method alone.
//!
//! Doubled slashes at the very beginning are served as if single; others, and a missing one at the end, are answered with the
//! address as it should be. Numbers are decimal digits, leading zeros allowed. Source: rest-api, section 1.

use axum::http::Method;

/// Where the interface begins.
pub(crate) const ROOT: &str = "/module-build-service";

/// The versions that are served.
const VERSIONS: [u64; 2] = [1, 2];

/// What an address names. Ids too large for any store are `None`: they are merely not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Versions and login method.
    About,
    /// The list of module builds; submissions go there.
    Builds,
    /// One module build.
    Build(Option<i64>),
    /// Its log messages.
    BuildMessages(Option<i64>),
    /// Why it is not further.
    Explain(Option<i64>),
    /// Its log as a file.
    Log(Option<i64>),
    /// The list of component builds.
    Components,
    /// One component build.
    Component(Option<i64>),
    /// Its log messages.
    ComponentMessages(Option<i64>),
    /// What may be built again.
    Strategies,
    /// The finished documents of a module build.
    FinalDocuments(Option<i64>),
    /// Where modules that were built elsewhere are taken in.
    Import,
    /// What would become of a submission.
    Plan,
    /// Changes of state as they happen.
    Events,
    /// Figures.
    Metrics,
    /// The description of the interface for programs.
    Description,
    /// The same for people.
    Page,
    /// Whether the process lives.
    Health,
    /// Whether it can serve.
    Readiness,
}

/// An address that is served, and the version of the interface in it; 0 where it has none or does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) version: u64,
    pub(crate) resource: Resource,
}

/// An address or method that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Astray {
    /// It should be this path.
    Moved(String),
    /// There is no such address.
    Unknown,
    /// There is no such version of the interface.
    Version,
    /// The address takes other methods, these.
    Method(&'static str),
    /// Its methods were asked for: these.
    Options(&'static str),
}

/// Whether an address ends with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It must.
    Slash,
    /// It must not.
    Plain,
    /// It may.
    Either,
}

impl Route {
    /// Finds what a request is for.
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, Astray> {
        let tidy = format!("/{}", path.trim_start_matches('/'));
        let (named, end) = named(&single(&tidy)).ok_or(Astray::Unknown)?;
        let allow = named.resource.methods();
        let takes = |method: &Method| allow.split(", ").any(|one| one == method.as_str());
        let should_be = match (end, tidy.ends_with('/')) {
            (End::Slash, false) => format!("{}/", single(&tidy)),
            (End::Plain, true) => return Err(Astray::Unknown),
            (End::Slash | End::Either, true) | (End::Plain | End::Either, false) => single(&tidy),
        };
        if !takes(method) {
            return Err(Astray::Method(allow));
        }
        if should_be != tidy {
            return Err(Astray::Moved(should_be));
        }
        if method == Method::OPTIONS {
            return Err(Astray::Options(allow));
        }
        if named.resource.has_version() && !VERSIONS.contains(&named.version) {
            return Err(Astray::Version);
        }
        Ok(named)
    }
}

impl Resource {
    /// Returns the methods it takes, as `Allow` names them.
    fn methods(self) -> &'static str {
        match self {
            Resource::Builds => "GET, HEAD, OPTIONS, POST",
            Resource::Build(_) => "GET, HEAD, OPTIONS, PATCH",
            Resource::Import | Resource::Plan => "OPTIONS, POST",
            Resource::About
            | Resource::BuildMessages(_)
            | Resource::Explain(_)
            | Resource::Log(_)
            | Resource::Components
            | Resource::Component(_)
            | Resource::ComponentMessages(_)
            | Resource::Strategies
            | Resource::FinalDocuments(_)
            | Resource::Events
            | Resource::Metrics
            | Resource::Description
            | Resource::Page
            | Resource::Health
            | Resource::Readiness => "GET, HEAD, OPTIONS",
        }
    }

    fn has_version(self) -> bool {
        !matches!(self, Resource::Metrics | Resource::Page | Resource::Health | Resource::Readiness)
    }
}

/// Finds what a path with single slashes names; its slash at the end does not matter here.
fn named(path: &str) -> Option<(Route, End)> {
    let unversioned = |resource| Some((Route { version: 0, resource }, End::Plain));
    match path {
        "/healthz" => return unversioned(Resource::Health),
        "/readyz" => return unversioned(Resource::Readiness),
        _ => {}
    }
    let below = path.strip_prefix(ROOT)?;
    if matches!(below, "" | "/") {
        return Some((Route { version: 0, resource: Resource::Page }, End::Slash));
    }
    let below = below.strip_prefix('/')?;
    let parts: Vec<&str> = below.trim_end_matches('/').split('/').collect();
    let (version, parts) = parts.split_first()?;
    let version = digits(version)?.unwrap_or(i64::MAX).unsigned_abs();
    let (resource, end) = match parts {
        ["about"] => (Resource::About, End::Slash),
        ["module-builds"] => (Resource::Builds, End::Slash),
        ["module-builds", id] => (Resource::Build(digits(id)?), End::Plain),
        ["module-builds", id, "messages"] => (Resource::BuildMessages(digits(id)?), End::Plain),
        ["module-builds", id, "explain"] => (Resource::Explain(digits(id)?), End::Plain),
        ["module-builds", id, "log"] => (Resource::Log(digits(id)?), End::Plain),
        ["component-builds"] => (Resource::Components, End::Slash),
        ["component-builds", id] => (Resource::Component(digits(id)?), End::Plain),
        ["component-builds", id, "messages"] => (Resource::ComponentMessages(digits(id)?), End::Plain),
        ["rebuild-strategies"] => (Resource::Strategies, End::Slash),
        ["final-modulemd", id] => (Resource::FinalDocuments(digits(id)?), End::Plain),
        ["import-module"] => (Resource::Import, End::Slash),
        ["monitor", "metrics"] => (Resource::Metrics, End::Plain),
        ["openapi.json"] => (Resource::Description, End::Plain),
        ["plan"] => (Resource::Plan, End::Either),
        ["events"] => (Resource::Events, End::Either),
        _ => return None,
    };
    Some((Route { version, resource }, end))
}

/// Reads a number of decimal digits: `Some(None)` if it is too large, `None` if it is no number.
fn digits(text: &str) -> Option<Option<i64>> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())
}

/// Makes runs of slashes single.
fn single(path: &str) -> String {
    let mut tidy = String::with_capacity(path.len());
    for c in path.chars() {
        if !(c == '/' && tidy.ends_with('/')) {
            tidy.push(c);
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, below: &str) -> Result<Route, Astray> {
        Route::of(&method.parse().unwrap(), &format!("{ROOT}{below}"))
    }

    fn served(below: &str) -> Resource {
        of("GET", below).unwrap().resource
    }

    fn moved(method: &str, below: &str) -> String {
        match of(method, below).unwrap_err() {
            Astray::Moved(to) => to.strip_prefix(ROOT).unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn addresses_name_resources() {
        assert_eq!(served("/1/about/"), Resource::About);
        assert_eq!(served("/2/module-builds/"), Resource::Builds);
        assert_eq!(served("/1/module-builds/007"), Resource::Build(Some(7)));
        assert_eq!(served("/1/component-builds/7/messages"), Resource::ComponentMessages(Some(7)));
        assert_eq!(served("/1/module-builds/99999999999999999999"), Resource::Build(None));
        assert_eq!(served("/9/monitor/metrics"), Resource::Metrics);
        assert_eq!(served("/1/openapi.json"), Resource::Description);
        assert_eq!(of("GET", "/01/about/").unwrap().version, 1);
        assert_eq!(Route::of(&Method::GET, "/healthz").unwrap().resource, Resource::Health);
    }

    #[test]
    fn a_slash_that_lacks_or_is_doubled_is_told() {
        assert_eq!(moved("GET", "/2/about"), "/2/about/");
        assert_eq!(moved("POST", "/1/module-builds"), "/1/module-builds/");
        assert_eq!(moved("PATCH", "/1/module-builds//7"), "/1/module-builds/7");
        assert_eq!(moved("GET", "/1//module-builds"), "/1/module-builds/");
        assert_eq!((moved("GET", ""), served("/")), ("/".to_owned(), Resource::Page));
        let doubled = Route::of(&Method::GET, "//module-build-service/1/about/");
        assert_eq!(doubled.unwrap().resource, Resource::About);
    }

    #[test]
    fn what_is_not_served_is_told_apart() {
        for below in
            ["/x/about/", "/-1/about/", "/1/nope/", "/1/module-builds/abc", "/1/module-builds/7/", "/1"]
        {
            assert_eq!(of("GET", below), Err(Astray::Unknown), "{below}");
        }
        assert_eq!(Route::of(&Method::GET, "/"), Err(Astray::Unknown));
        assert_eq!(of("GET", "/0/about/"), Err(Astray::Version));
        assert_eq!(of("GET", "/99999999999999999999/about/"), Err(Astray::Version));
        assert_eq!(of("POST", "/3/module-builds/"), Err(Astray::Version));
        assert_eq!(of("POST", "/1/about"), Err(Astray::Method("GET, HEAD, OPTIONS")));
        assert_eq!(of("GET", "/1/import-module/"), Err(Astray::Method("OPTIONS, POST")));
        assert_eq!(of("OPTIONS", "/9/module-builds/7"), Err(Astray::Options("GET, HEAD, OPTIONS, PATCH")));
    }
}
