//! How a record carries its document when it is stored: as YAML text.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::modulemd::{Document, Limits, ModuleStream, read_documents};

pub(super) fn serialize<S: Serializer>(document: &Arc<ModuleStream>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&document.to_yaml())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<ModuleStream>, D::Error> {
    let text = String::deserialize(from)?;
    let read = read_documents(&text, None, &Limits::default());
    let first = read.documents.into_iter().next().map(|located| located.document);
    match first {
        Some(Document::Stream(stream)) => Ok(Arc::new(*stream)),
        Some(_) | None => Err(de::Error::custom("the stored document cannot be read")),
    }
}
