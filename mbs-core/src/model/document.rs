//! How a record carries its document when it is stored: as YAML text, or not at all where the document is kept apart.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::modulemd::ModuleStream;

/// Returns the document of a record whose document is kept apart.
pub(super) fn left_out() -> Arc<ModuleStream> {
    Arc::default()
}

/// Says whether a document is kept apart. No document that was submitted is empty.
pub(super) fn is_left_out(document: &Arc<ModuleStream>) -> bool {
    **document == ModuleStream::default()
}

pub(super) fn serialize<S: Serializer>(document: &Arc<ModuleStream>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&document.to_yaml())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<ModuleStream>, D::Error> {
    let text = String::deserialize(from)?;
    ModuleStream::from_stored(&text).map(Arc::new).map_err(de::Error::custom)
}
