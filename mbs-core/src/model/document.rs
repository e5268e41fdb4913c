//! How a record carries its document when it is stored: as YAML text.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::modulemd::ModuleStream;

pub(super) fn serialize<S: Serializer>(document: &Arc<ModuleStream>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&document.to_yaml())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<ModuleStream>, D::Error> {
    let text = String::deserialize(from)?;
    ModuleStream::from_stored(&text).map(Arc::new).map_err(de::Error::custom)
}
