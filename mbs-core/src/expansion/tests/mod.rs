//! Expansions over modules in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Answers, Questions, Universe};
use crate::context::Contexts;
use crate::ident::Name;
use crate::memory::samples::now_or_panic;
use crate::memory::{ManualClock, MemoryResolver, MemoryStore};
use crate::model::{NewBuild, RebuildStrategy, State};
use crate::policy::Policy;
use crate::resolver::{KnownModule, ModuleResolver};
use crate::store::{Builds as _, Create};

mod bases;
mod closed;
mod cost;
mod golden;
mod properties;

/// Modules in memory: those that are `ready` or retired in a resolver, those that are being built in a store.
struct Known {
    resolver: MemoryResolver,
    store: MemoryStore,
}

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(ManualClock::new()), Timestamp::UNIX_EPOCH, &Policy::default())
}

impl Known {
    fn new(modules: impl IntoIterator<Item = (KnownModule, State)>) -> Self {
        let known = Self { resolver: MemoryResolver::default(), store: store() };
        for (module, state) in modules {
            match state {
                State::Ready | State::Garbage => {
                    let module = KnownModule { is_ready: state == State::Ready, ..module };
                    known.resolver.add(module).unwrap();
                }
                State::Failed => {}
                State::Init | State::Wait | State::Build | State::Done => known.begin(&module),
            }
        }
        known
    }

    fn begin(&self, module: &KnownModule) {
        let new = NewBuild {
            nsvc: module.nsvc.clone(),
            owner: "anna".into(),
            priority: 0,
            scratch: false,
            scmurl: None,
            commit: None,
            strategy: RebuildStrategy::default(),
            reuse_from: None,
            origin: None,
            document: module.document.clone(),
            contexts: Contexts::default(),
            srpms: [].into(),
            given_srpms: Vec::new(),
            base_modules: vec![],
        };
        now_or_panic(self.store.create(Create::from(new))).unwrap();
    }

    fn tell_streams(&self, universe: &mut Universe, names: BTreeSet<Name>) {
        let asked: Vec<Name> = names.iter().cloned().collect();
        let streams = now_or_panic(self.resolver.streams(&asked)).unwrap();
        let questions = Questions { streams: names, ..Questions::default() };
        universe.learn(questions, Answers { streams, ..Answers::default() });
    }
}
