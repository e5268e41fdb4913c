//! Branches of components, and whether somebody still maintains them.

use serde::Deserialize;

use crate::client::{Method, Pdc, PdcError, Request};

/// A branch of a component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// The component: for modules, the module's name.
    pub global_component: String,
    /// The branch: for modules, the stream.
    pub name: String,
    /// What the component is: `module`, `rpm`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether one of its support levels has not ended yet, by PDC's calendar; false if it has none.
    pub active: bool,
}

/// Returns the request for the branch of a component of a kind; all three match exactly, with case.
pub fn branch_request(kind: &str, component: &str, branch: &str) -> Request {
    let request = Request::new(Method::Get, ["component-branches"]);
    request.query("type", kind).query("global_component", component).query("name", branch)
}

/// Returns the branches that a request asks for: one or none. It is sent as it is, since a page has room for them.
///
/// # Errors
/// Any: nothing is known.
///
/// Source: `_is_eol_in_pdc` of MBS 2.x and 3.x.
pub async fn branches(pdc: &Pdc, request: &Request) -> Result<Vec<Branch>, PdcError> {
    pdc.list_from(request, request).await
}
