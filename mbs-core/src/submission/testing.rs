//! Small documents and records for the tests of this room.

use std::sync::Arc;

use jiff::Timestamp;

use crate::context::Contexts;
use crate::ident::BuildId;
use crate::model::{ModuleBuild, NewBuild, RebuildStrategy};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn map<const N: usize>(entries: [(&str, Xmd); N]) -> Xmd {
    Xmd::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

type Streams<'a> = &'a [(&'a str, &'a [&'a str])];

pub(crate) fn pair(buildrequires: Streams<'_>, requires: Streams<'_>) -> Dependencies {
    let section = |streams: Streams<'_>| {
        let owned = |streams: &[&str]| streams.iter().map(|&stream| stream.to_owned()).collect();
        streams.iter().map(|&(module, streams)| (module.to_owned(), owned(streams))).collect()
    };
    Dependencies { buildrequires: section(buildrequires), requires: section(requires) }
}

pub(crate) fn new_build(nsvc: &str) -> NewBuild {
    NewBuild {
        nsvc: nsvc.parse().unwrap(),
        owner: "anna".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::ChangedAndAfter,
        reuse_from: None,
        origin: None,
        document: Arc::new(ModuleStream::default()),
        contexts: Contexts::default(),
        srpms: [].into(),
        given_srpms: Vec::new(),
        base_modules: vec![],
    }
}

pub(super) fn build(id: i64, nsvc: &str) -> ModuleBuild {
    ModuleBuild::begin(new_build(nsvc), BuildId(id), BuildId(id), at(0))
}
