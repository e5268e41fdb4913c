//! Why a build is not further; services of ours tell.

use mbs_core::ident::BuildId;
use mbs_core::plan::Why;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{Client, ClientError, Method, Request};
use crate::server::ApiVersion;

/// Why a build is not further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The build.
    pub id: BuildId,
    /// Its state's name.
    pub state_name: String,
    /// The reason in words, which hold times, not durations; `None`: nobody has looked at the build yet.
    pub text: Option<String>,
    /// The reason as data, in the form of [`Why`]; newer services may know more kinds than are known here.
    pub why: Option<Value>,
    /// What else the service tells.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Explanation {
    /// Returns the reason as data; `None`: there is none, or one of a kind that is not known here.
    pub fn why(&self) -> Option<Why> {
        Why::deserialize(self.why.as_ref()?).ok()
    }
}

impl Client {
    /// Asks why a build is not further.
    ///
    /// # Errors
    /// `Refused` with status 404: there is no such build, or the service is none of ours. Others as for [`read`](Self::read).
    pub async fn explain(&self, id: BuildId) -> Result<Explanation, ClientError> {
        let path = ["module-builds".to_owned(), id.to_string(), "explain".to_owned()];
        self.read(&Request::new(Method::Get, path).of(ApiVersion::Two)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_words_and_as_data_and_an_unknown_kind_as_words() {
        let read = |text: &str| serde_json::from_str::<Explanation>(text).unwrap();
        let known = read(
            r#"{"id": 7, "state_name": "build", "text": "finished", "why": {"kind": "finished"}, "x": 1}"#,
        );
        assert_eq!((known.why(), known.text.as_deref()), (Some(Why::Finished), Some("finished")));
        let unknown = read(r#"{"id": 7, "state_name": "build", "text": "so", "why": {"kind": "so"}}"#);
        assert_eq!((unknown.why(), unknown.text.as_deref()), (None, Some("so")));
        assert_eq!(read(r#"{"id": 7, "state_name": "init", "why": null}"#).why(), None);
    }
}
