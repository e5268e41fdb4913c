//! Content generators and the archives of what they import.

use std::sync::Arc;

use super::{Archive, Id, State};
use crate::xmlrpc::{Struct, Value};

impl State {
    /// Says whether a user may import for a content generator.
    pub(crate) fn may_generate(&self, user: Id, generator: Id) -> bool {
        self.generator_users.row(&(generator, user), None).is_some()
    }

    /// Adds a file to a build.
    pub(crate) fn add_archive(&mut self, archive: Archive) -> Id {
        self.touch();
        let id = self.next_id(&self.archives);
        Arc::make_mut(&mut self.archives).insert(id, archive);
        id
    }

    /// Returns what `listArchives` says.
    pub(crate) fn archive_row(&self, id: Id, archive: &Archive) -> Struct {
        let extension = archive.filename.rsplit('.').next().unwrap_or_default();
        let (type_id, description, extensions) = archive_type(extension);
        Struct::from([
            ("id", Value::from(id)),
            ("build_id", archive.build.into()),
            ("filename", Value::from(&*archive.filename)),
            ("size", archive.size.into()),
            ("checksum", Value::from(&*archive.checksum)),
            ("checksum_type", 0.into()),
            ("buildroot_id", archive.buildroot.into()),
            ("extra", archive.extra.clone()),
            ("metadata_only", false.into()),
            ("compression_type", Value::Nil),
            ("btype", Value::from(&*archive.kind)),
            ("btype_id", self.build_types.id(&archive.kind).into()),
            ("type_id", type_id.into()),
            ("type_name", extension.into()),
            ("type_description", description.into()),
            ("type_extensions", extensions.into()),
        ])
    }
}

/// Returns id, description and extensions of the hub's archive types that occur here.
fn archive_type(extension: &str) -> (i64, &'static str, &'static str) {
    match extension {
        "txt" => (40, "Text file", "txt"),
        "log" => (5, "Log file", "log"),
        "yaml" | "yml" => (50, "YAML Ain't Markup Language", "yaml yml"),
        _ => (4, "Zip file", "zip"),
    }
}
