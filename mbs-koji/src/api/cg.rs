//! Imports by content generators.

use crate::xmlrpc::{Call, Value};

/// The only text of a fault that is matched: what is to be imported is there already.
pub const EXISTS: &str = "Build already exists";

/// Tells the hub to import what was uploaded into a directory; answers with the build.
pub fn import(metadata: Value, directory: &str) -> Call {
    Call::new("CGImport").arg(metadata).arg(directory)
}
