//! Modules on a fake server, and who looks them up there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::clock::Clock;
use mbs_core::modulemd::ModuleStream;
use mbs_core::resolver::KnownModule;
use mbs_pdc::api::{Entries, Face};
use mbs_pdc::client::Pdc;
use mbs_pdc::fake_server::{FakePdc, NewRow, Setup};
use mbs_pdc::resolver::PdcResolver;
use mbs_pdc::server::{Login, Server};

/// A clock that stands still: nobody waits for the next attempt.
#[derive(Debug)]
pub(crate) struct NoWaiting;

#[async_trait]
impl Clock for NoWaiting {
    fn reading(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep_until(&self, _: Duration) {}
}

/// A server, and a resolver that asks it.
#[derive(Debug)]
pub(crate) struct Universe {
    pub(crate) pdc: FakePdc,
    pub(crate) resolver: PdcResolver,
}

impl Universe {
    /// Starts a server without modules.
    pub(crate) async fn empty(face: Face) -> Self {
        let pdc = FakePdc::start(Setup::default()).await.unwrap();
        let server = Server::new(pdc.url(), Login::Anonymous);
        let client = Pdc::new(&server, Arc::new(NoWaiting)).unwrap();
        Self { pdc, resolver: PdcResolver::new(Entries::new(client, face)) }
    }

    pub(crate) fn add(&self, module: &KnownModule) {
        self.pdc.plant(row(module));
    }
}

/// Describes a module as PDC keeps it.
pub(crate) fn row(module: &KnownModule) -> NewRow {
    let nsvc = &module.nsvc;
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise } else { text }.to_owned();
    let mut document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        summary: or(&module.document.summary, "A module"),
        description: or(&module.document.description, "For tests."),
        ..ModuleStream::clone(&module.document)
    };
    document.module_licenses.insert("MIT".to_owned());
    let row = NewRow::new(nsvc.name.as_str(), nsvc.stream.as_str(), &nsvc.version.to_string());
    let row = row.in_context(nsvc.context.as_str());
    NewRow {
        active: module.is_ready,
        koji_tag: module.tag.as_ref().map_or("NA", |tag| tag.as_str()).to_owned(),
        modulemd: document.to_yaml(),
        ..row
    }
}
