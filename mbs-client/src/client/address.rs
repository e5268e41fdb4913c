//! Where a request goes: the service, the version, the parts of its path, its query. Nothing leads to another place.

use reqwest::Url;

use super::{ClientError, Request};
use crate::server::{ApiVersion, Server};

/// What every address of a service has in its path.
const SERVICE: &str = "/module-build-service";

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// The address up to the service's own path, which stands at the end of it without a slash.
    pub(super) url: Url,
    /// The version that the address names.
    pub(super) version: Option<ApiVersion>,
}

impl Root {
    /// Reads the address of a service.
    ///
    /// # Errors
    /// `Configuration`: it is none of HTTP, or holds what belongs elsewhere.
    pub(super) fn of(server: &Server) -> Result<Self, ClientError> {
        let refused =
            |why: &str| ClientError::unusable(format!("the address of the module build service {why}"));
        let mut url = Url::parse(&server.url).map_err(|_| refused("is none: it begins with https://"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(refused("is none of http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("holds a user's name or password, which do not belong there"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has something behind its path"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let (before, behind) = path.rsplit_once(SERVICE).unwrap_or((&path, ""));
        let version = match behind {
            "" => None,
            "/1" | "/1/module-builds" => Some(ApiVersion::One),
            "/2" | "/2/module-builds" => Some(ApiVersion::Two),
            _ => return Err(refused("names no version of the interface that is known here: 1 or 2")),
        };
        url.set_path(&format!("{before}{SERVICE}"));
        Ok(Self { url, version })
    }

    /// Returns the address of a request, which is below the service's.
    ///
    /// # Errors
    /// `Configuration`: a part of its path cannot stand in one.
    pub(super) fn address(&self, request: &Request, version: ApiVersion) -> Result<Url, ClientError> {
        let mut path = format!("{}/{}", self.url.path(), version.number());
        let last = request.path.len().saturating_sub(1);
        for (at, part) in request.path.iter().enumerate() {
            if matches!(part.as_str(), "." | "..") || (part.is_empty() && at < last) {
                return Err(ClientError::unusable(format!("`{part}` cannot be a part of an address")));
            }
            path.push('/');
            part.bytes().for_each(|byte| spell(&mut path, byte));
        }
        let mut url = self.url.clone();
        url.set_path(&path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

/// Adds a byte of a part of a path. What the library would drop or give a meaning to is escaped before it sees it.
fn spell(path: &mut String, byte: u8) {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(char::from(byte)),
        _ => path.push_str(&format!("%{byte:02X}")),
    }
}

/// Returns where a redirect leads if that is the same host: the same connection, with another path and query.
pub(super) fn redirected(from: &Url, location: &str) -> Option<Url> {
    let to = from.join(location).ok()?;
    if to.host_str() != from.host_str() || !matches!(to.scheme(), "http" | "https") {
        return None;
    }
    // Behind a proxy a service may take its own scheme and port for other ones. Never away from https.
    let mut url = from.clone();
    url.set_path(to.path());
    url.set_query(to.query());
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::super::Method;
    use super::*;

    fn root(url: &str) -> Result<Root, ClientError> {
        Root::of(&Server::new(url))
    }

    fn address(url: &str, path: &[&str]) -> String {
        let request = Request::new(Method::Get, path.iter().copied());
        root(url).unwrap().address(&request, ApiVersion::One).unwrap().to_string()
    }

    #[test]
    fn a_service_is_named_with_or_without_its_path_and_version() {
        for (given, version) in [
            ("https://mbs", None),
            ("https://mbs/", None),
            ("https://mbs/module-build-service", None),
            ("https://mbs/module-build-service/1/", Some(ApiVersion::One)),
            ("https://mbs/module-build-service/2", Some(ApiVersion::Two)),
            ("https://mbs/module-build-service/1/module-builds/", Some(ApiVersion::One)),
        ] {
            assert_eq!(root(given).unwrap().version, version, "{given}");
            assert_eq!(address(given, &["about", ""]), "https://mbs/module-build-service/1/about/");
        }
        assert_eq!(
            address("http://h:8080/below/", &["module-builds", "7"]),
            "http://h:8080/below/module-build-service/1/module-builds/7"
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why_and_keeps_its_password() {
        for (given, why) in [
            ("mbs", "is none: it begins with https://"),
            ("ftp://mbs/", "is none of http or https"),
            ("https://me:geheim@mbs/", "holds a user's name or password"),
            ("https://mbs/?page=1", "has something behind its path"),
            ("https://mbs/module-build-service/3/", "1 or 2"),
        ] {
            let told = root(given).unwrap_err().to_string();
            assert!(told.contains(why) && !told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn parts_of_a_path_lead_nowhere_else() {
        let root = root("https://mbs").unwrap();
        for part in [".", ".."] {
            let request = Request::new(Method::Get, ["module-builds", part]);
            assert!(root.address(&request, ApiVersion::Two).is_err(), "{part}");
        }
        let odd = address("https://mbs", &["module-builds", "../7?a#b\n%2e"]);
        assert_eq!(odd, "https://mbs/module-build-service/1/module-builds/..%2F7%3Fa%23b%0A%252e");
    }

    #[test]
    fn redirects_stay_on_the_host_and_on_its_connection() {
        let from = Url::parse("https://mbs/module-build-service/1/about").unwrap();
        for (location, to) in [
            (
                "http://mbs/module-build-service/1/about/?a=b",
                Some("https://mbs/module-build-service/1/about/?a=b"),
            ),
            ("/x", Some("https://mbs/x")),
            ("http://mbs:8080/x", Some("https://mbs/x")),
            ("https://elsewhere/x", None),
            ("//elsewhere/x", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(redirected(&from, location).as_ref().map(Url::as_str), to, "{location}");
        }
    }
}
