//! Where a request goes: the root of the API, the parts of its path, its query.

use reqwest::Url;

use super::{PdcError, Request};

/// Returns the address of a request. It is below the root, whatever stands in the request.
///
/// # Errors
/// `Rejected`: a part of its path cannot stand in one.
pub(super) fn address(root: &Url, request: &Request) -> Result<Url, PdcError> {
    let mut path = root.path().trim_end_matches('/').to_owned();
    for part in &request.path {
        if matches!(part.as_str(), "" | "." | "..") {
            let reason = format!("`{part}` cannot be a part of an address");
            return Err(PdcError::Rejected { status: 400, reason });
        }
        path.push('/');
        part.bytes().for_each(|byte| spell(&mut path, byte));
    }
    // Without the slash at the end the server sends us elsewhere, and what a write sends is lost on the way.
    path.push('/');
    let mut url = root.clone();
    url.set_path(&path);
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

/// Adds a byte of a part of a path. What the library would drop or give a meaning to is escaped before it sees it.
fn spell(path: &mut String, byte: u8) {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
            path.push(char::from(byte));
        }
        _ => path.push_str(&format!("%{byte:02X}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::super::Method;
    use super::*;

    fn of(root: &str, part: &str) -> Result<Url, PdcError> {
        address(&Url::parse(root).unwrap(), &Request::new(Method::Get, ["modules", part]))
    }

    /// Returns a part of a path as a server reads it.
    fn decoded(part: &str) -> String {
        let (mut read, mut bytes) = (Vec::new(), part.bytes());
        while let Some(byte) = bytes.next() {
            let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap();
            let byte = if byte == b'%' { u8::try_from(digit() * 16 + digit()).unwrap() } else { byte };
            read.push(byte);
        }
        String::from_utf8(read).unwrap()
    }

    #[test]
    fn an_address_reads_as_people_write_it() {
        for root in ["https://pdc.example.org/rest_api/v1", "https://pdc.example.org/rest_api/v1/"] {
            let url = of(root, "httpd:2.4:20180501120000:9c690d0e").unwrap();
            let wanted = "https://pdc.example.org/rest_api/v1/modules/httpd:2.4:20180501120000:9c690d0e/";
            assert_eq!(url.as_str(), wanted);
        }
    }

    #[test]
    fn parts_that_lead_elsewhere_are_refused() {
        for part in ["", ".", ".."] {
            assert!(matches!(of("http://pdc/v1", part), Err(PdcError::Rejected { .. })), "{part:?}");
        }
    }

    #[test]
    fn what_addresses_are_cleaned_of_does_not_lead_elsewhere() {
        assert_eq!(of("http://pdc/v1", ".\n.").unwrap().as_str(), "http://pdc/v1/modules/.%0A./");
        assert_eq!(of("http://pdc/v1", "%2e%2E").unwrap().as_str(), "http://pdc/v1/modules/%252e%252E/");
    }

    proptest! {
        #[test]
        fn whatever_the_uid_its_address_is_below_the_root_and_gives_it_back(
            uid in prop_oneof![
                any::<String>(),
                // What addresses give a meaning to, and what they are cleaned of.
                "[./?#%2eE\\\\:;@ \t\r\n\u{0}a]{0,6}",
            ],
            has_slash in any::<bool>(),
        ) {
            let root = if has_slash { "http://pdc/rest_api/v1/" } else { "http://pdc/rest_api/v1" };
            match of(root, &uid) {
                Err(error) => prop_assert!(matches!(uid.as_str(), "" | "." | ".."), "{}", error),
                Ok(url) => {
                    let rest = url.as_str().strip_prefix("http://pdc/rest_api/v1/modules/");
                    let part = rest.and_then(|rest| rest.strip_suffix('/'));
                    prop_assert!(part.is_some_and(|part| !part.contains(['/', '?', '#'])), "{}", url);
                    prop_assert_eq!(decoded(part.unwrap()), uid);
                }
            }
        }

        #[test]
        fn whatever_is_asked_for_the_query_gives_it_back(
            values in prop::collection::vec(any::<String>(), 0..4),
        ) {
            let mut request = Request::new(Method::Get, ["modules"]);
            for value in &values {
                request = request.query("name", value);
            }
            let url = address(&Url::parse("http://pdc/v1").unwrap(), &request).unwrap();
            let read: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            prop_assert_eq!(read, values);
            prop_assert_eq!(url.path(), "/v1/modules/");
        }
    }
}
