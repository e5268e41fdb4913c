//! Under which address clients see the service: what links and redirects begin with.
//!
//! A proxy in front may say so in headers; nothing but what is generated depends on them. Source: rest-api, section 1.

use axum::http::{HeaderMap, header};

/// The front of generated addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Scheme and host.
    root: String,
    /// What the proxy puts before every path; empty without one.
    prefix: String,
}

impl Origin {
    /// Reads who the client asked; without a `Host` it is this machine.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let host = text("x-forwarded-host").filter(|host| is_host(host));
        let host = host.or(text(header::HOST.as_str()).filter(|host| is_host(host))).unwrap_or("localhost");
        let scheme = text("x-scheme").filter(|scheme| matches!(*scheme, "http" | "https")).unwrap_or("http");
        let prefix = text("x-script-name").filter(|prefix| is_prefix(prefix)).unwrap_or_default();
        Self { root: format!("{scheme}://{host}"), prefix: prefix.trim_end_matches('/').to_owned() }
    }

    /// Takes the proxy's prefix off a path, if it is there.
    pub(crate) fn below<'p>(&self, path: &'p str) -> &'p str {
        match path.strip_prefix(self.prefix.as_str()) {
            Some(rest) if rest.starts_with('/') => rest,
            Some(_) | None => path,
        }
    }

    /// Returns a path as clients must ask for it, without host.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.root, self.prefix)
    }
}

/// What stands in a link must not be able to end it.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

fn is_prefix(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> Origin {
        let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Origin::of(&pairs.collect())
    }

    #[test]
    fn links_begin_as_the_client_asked() {
        assert_eq!(of(&[("host", "mbs.example:8080")]).url("/a"), "http://mbs.example:8080/a");
        assert_eq!(of(&[]).url("/a"), "http://localhost/a");
    }

    #[test]
    fn a_proxy_may_say_otherwise() {
        let origin = of(&[
            ("host", "inner"),
            ("x-forwarded-host", "mbs.example"),
            ("x-scheme", "https"),
            ("x-script-name", "/builds/"),
        ]);
        assert_eq!(origin.url("/a"), "https://mbs.example/builds/a");
        assert_eq!(origin.path("/a"), "/builds/a");
        assert_eq!(
            (origin.below("/builds/a"), origin.below("/a"), origin.below("/buildsa")),
            ("/a", "/a", "/buildsa")
        );
    }

    #[test]
    fn what_could_end_a_link_counts_for_nothing() {
        for (name, value) in [
            ("x-forwarded-host", "evil/?"),
            ("x-forwarded-host", "a b"),
            ("x-scheme", "javascript"),
            ("x-script-name", "//evil"),
            ("x-script-name", "/a?b"),
        ] {
            assert_eq!(of(&[("host", "h"), (name, value)]).url("/a"), "http://h/a", "{name}: {value}");
        }
    }
}
