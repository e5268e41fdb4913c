//! Bodies of requests: JSON whatever they call themselves, or a form. Source: rest-api, sections 1 and 6.
//!
//! A body is read with a bound, and its members come out as they came in: what they mean is decided elsewhere.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::problem::Problem;

pub(crate) mod submission;

const INVALID: &str = "Invalid JSON submitted";

/// Most parts of a form.
const MOST_PARTS: usize = 100;

/// Members of a body by name; of doubled ones the last counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members {
    /// In the order they came, each once.
    pub(crate) all: Vec<(String, Value)>,
    /// A document that came as a file: its name and text.
    pub(crate) file: Option<(Option<String>, String)>,
}

impl Members {
    /// Reads the body of a request.
    pub(crate) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Self, Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
            return Self::of_form(headers, body, most).await;
        }
        let bytes = whole(body, most).await?;
        Self::of_json(&bytes)
    }

    pub(crate) fn of_json(bytes: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(InOrder(all)) => Ok(Self { all, file: None }),
            Err(error) if error.is_data() && is_json(bytes) => {
                Err(Problem::bad(format!("{INVALID}: an object is expected")))
            }
            Err(_) => Err(Problem::bad(INVALID)),
        }
    }

    async fn of_form(headers: &HeaderMap, body: Body, most: usize) -> Result<Self, Problem> {
        let mut request = Request::new(Body::new(http_body_util::Limited::new(body, most)));
        *request.headers_mut() = headers.clone();
        let unreadable = |told: String| Problem::bad(format!("The form cannot be read: {told}"));
        let mut form =
            Multipart::from_request(request, &()).await.map_err(|no| unreadable(no.body_text()))?;
        let mut members = Self::default();
        let mut parts = 0;
        while let Some(field) = form.next_field().await.map_err(|error| of_field(&error))? {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(unreadable(format!("it has more than {MOST_PARTS} parts")));
            }
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.map_err(|error| of_field(&error))?;
            let text = String::from_utf8(bytes.to_vec())
                .map_err(|_| unreadable(format!("the part {} is no UTF-8", name.escape_debug())))?;
            match file_name {
                Some(file_name) if name == "yaml" => {
                    members.file = Some((Some(file_name).filter(|name| !name.is_empty()), text));
                }
                Some(_) => {}
                // Of doubled fields of a form the first counts.
                None if members.value(&name).is_some() => {}
                None => members.all.push((name, Value::String(text))),
            }
        }
        Ok(members)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.all.iter().find(|(one, _)| one == name).map(|(_, value)| value)
    }

    /// Returns a text; null is as if absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(not_text(name)),
        }
    }

    /// Says whether a member is there and says more than nothing: null, false, 0 and what is empty say nothing.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| !is_nothing(value))
    }
}

/// The members of an object in the order they came.
struct InOrder(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ReadInOrder)
    }
}

struct ReadInOrder;

impl<'de> Visitor<'de> for ReadInOrder {
    type Value = InOrder;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<InOrder, A::Error> {
        let mut all: Vec<(String, Value)> = Vec::new();
        let mut places: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            match places.get(&name) {
                Some(place) => all[*place].1 = value,
                None => {
                    places.insert(name.clone(), all.len());
                    all.push((name, value));
                }
            }
        }
        Ok(InOrder(all))
    }
}

/// Says that a member must be a text.
pub(crate) fn not_text(name: &str) -> Problem {
    Problem::bad(format!("The \"{name}\" parameter must be a string"))
}

/// Says whether a value says nothing.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Says whether a body was not read to its end because it is too long.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.is::<http_body_util::LengthLimitError>())
}

/// Reads a body to its end.
async fn whole(body: Body, most: usize) -> Result<axum::body::Bytes, Problem> {
    axum::body::to_bytes(body, most).await.map_err(|error| match is_too_long(&error) {
        true => too_long(most),
        false => Problem::bad("The body of the request ended early"),
    })
}

fn too_long(most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body of the request is longer than {most} bytes"),
    )
}

fn of_field(error: &axum::extract::multipart::MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE || is_too_long(error) {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long");
    }
    Problem::bad(format!("The form cannot be read: {}", error.body_text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Members, String> {
        Members::of_json(text.as_bytes()).map_err(|problem| problem.message)
    }

    #[tokio::test]
    async fn json_is_read_whatever_it_is_called() {
        let members =
            Members::read(&HeaderMap::new(), Body::from("{\"a\": 1, \"a\": \"x\"}"), 100).await.unwrap();
        assert_eq!(members.text("a"), Ok(Some("x")));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "\"x\"", "null", "3"] {
            assert_eq!(json(text).unwrap_err(), "Invalid JSON submitted: an object is expected");
        }
        for text in ["", "{", "\u{feff}{}", "{\"a\": NaN}"] {
            assert_eq!(json(text).unwrap_err(), "Invalid JSON submitted", "{text}");
        }
        assert_eq!(Members::of_json(b"{\"a\": \"\xff\"}").unwrap_err().message, INVALID);
        assert_eq!(json(&"[".repeat(10_000)).unwrap_err(), INVALID);
    }

    #[tokio::test]
    async fn a_body_has_a_bound() {
        let read = Members::read(&HeaderMap::new(), Body::from(vec![b' '; 101]), 100).await;
        assert_eq!(read.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    fn form(body: &str) -> (HeaderMap, Body) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
        (headers, Body::from(body.replace('\n', "\r\n")))
    }

    #[tokio::test]
    async fn a_form_may_bring_a_file() {
        let (headers, body) = form(
            "--x\nContent-Disposition: form-data; name=\"owner\"\n\nanna\n--x\nContent-Disposition: form-data; \
             name=\"yaml\"; filename=\"a.yaml\"\n\ndata: {}\n--x--\n",
        );
        let members = Members::read(&headers, body, 1_000).await.unwrap();
        assert_eq!(members.text("owner"), Ok(Some("anna")));
        assert_eq!(members.file, Some((Some("a.yaml".into()), "data: {}".into())));
    }

    #[tokio::test]
    async fn a_form_has_so_many_parts_and_no_more() {
        let part = |number: usize| format!("--x\nContent-Disposition: form-data; name=\"{number}\"\n\n\n");
        let read = async |parts: usize| {
            let parts: String = (0..parts).map(part).collect();
            let (headers, body) = form(&format!("{parts}--x--\n"));
            Members::read(&headers, body, 1 << 20).await.map(|members| members.all.len())
        };
        assert_eq!(read(MOST_PARTS).await, Ok(MOST_PARTS));
        let told = read(MOST_PARTS + 1).await.unwrap_err();
        assert_eq!(told.message, "The form cannot be read: it has more than 100 parts");
    }

    #[tokio::test]
    async fn a_form_has_a_bound_and_must_be_one() {
        let long =
            format!("--x\nContent-Disposition: form-data; name=\"a\"\n\n{}\n--x--\n", "y".repeat(1_000));
        let (headers, body) = form(&long);
        assert_eq!(
            Members::read(&headers, body, 500).await.unwrap_err().status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        let (headers, body) = form("nonsense");
        assert_eq!(Members::read(&headers, body, 500).await.unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn what_says_nothing_says_nothing() {
        let members =
            json(r#"{"a": [], "b": {}, "c": 0, "d": "", "e": false, "f": null, "g": "x"}"#).unwrap();
        let names = members.all.iter().map(|(name, _)| name);
        let saying: Vec<&String> = names.filter(|name| members.says(name)).collect();
        assert_eq!(saying, ["g"]);
        assert_eq!(members.text("f"), Ok(None));
        assert_eq!(members.text("a").unwrap_err().message, "The \"a\" parameter must be a string");
    }
}
