//! Uploaded files, with their bytes.

use std::sync::Arc;

use super::{Answer, State, refuse};
use crate::fake_hub::python::quoted;
use crate::fake_hub::time::Moment;
use crate::xmlrpc::{Fault, FaultCode};

/// Where the hub says that uploads are.
pub(crate) const WORK: &str = "/mnt/koji/work";
/// How large a file may become, holes included.
const LARGEST: usize = 64 << 20;

/// A file.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) changed: Moment,
    /// An import moved the file away and left a link.
    pub(crate) is_link: bool,
}

/// Checks directory and name of an upload and returns the path in the work area.
pub(crate) fn path(directory: &str, name: &str) -> Answer<Arc<str>> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') && matches!(name, "." | "..") {
        return Err(refuse(format!("Invalid upload filename: {name}")));
    }
    if directory.starts_with('/') {
        let text = format!("<class 'ValueError'>: Invalid path segment: {directory}");
        return Err(Fault::new(FaultCode::Exception, text));
    }
    if directory.split('/').any(|part| part == "..") {
        return Err(refuse(format!("Invalid upload directory: {directory}")));
    }
    let directory = directory.trim_end_matches('/');
    Ok(if directory.is_empty() { name.into() } else { format!("{directory}/{name}").into() })
}

impl State {
    /// Writes bytes into a file at an offset; an offset past the end leaves a hole.
    pub(crate) fn write_upload(
        &mut self,
        path: &Arc<str>,
        offset: usize,
        bytes: &[u8],
        overwrites: bool,
    ) -> Answer<()> {
        let former = self.uploads.get(path);
        if former.is_some_and(|file| file.is_link) {
            return Err(refuse(format!("destination is a symlink: {WORK}/{path}")));
        }
        if offset == 0 && former.is_some() && !overwrites {
            return Err(refuse(format!("upload path exists: {WORK}/{path}")));
        }
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= LARGEST);
        let end = end.ok_or_else(|| refuse(format!("upload is too large: {}", quoted(path))))?;
        let mut content = match former {
            Some(file) if offset > 0 => Arc::clone(&file.bytes),
            _ => Arc::default(),
        };
        let written = Arc::make_mut(&mut content);
        written.resize(end.max(written.len()), 0);
        written[offset..end].copy_from_slice(bytes);
        let file = Upload { bytes: content, changed: self.now, is_link: false };
        Arc::make_mut(&mut self.uploads).insert(Arc::clone(path), file);
        Ok(())
    }

    /// Moves a file away, as an import does.
    pub(crate) fn consume_upload(&mut self, path: &str) {
        if let Some(file) = Arc::make_mut(&mut self.uploads).get_mut(path) {
            file.is_link = true;
        }
    }
}
