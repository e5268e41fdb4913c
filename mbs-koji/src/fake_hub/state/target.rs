//! Build targets.

use super::{Id, State};
use crate::xmlrpc::{Struct, Value};

/// What a build is built from and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) build_tag: Id,
    pub(crate) destination: Id,
}

impl State {
    /// Returns a target by name, if it exists.
    pub(crate) fn target(&self, name: &str) -> Option<Target> {
        self.target_settings.value(&self.targets.id(name)?, None).copied()
    }

    /// Returns what `getBuildTarget` says.
    pub(crate) fn target_row(&self, id: Id, target: Target) -> Struct {
        Struct::from([
            ("id", Value::from(id)),
            ("name", Value::from(self.targets.name(id).map(|name| &**name))),
            ("build_tag", target.build_tag.into()),
            ("build_tag_name", Value::from(&*self.tag_name(target.build_tag))),
            ("dest_tag", target.destination.into()),
            ("dest_tag_name", Value::from(&*self.tag_name(target.destination))),
        ])
    }
}
