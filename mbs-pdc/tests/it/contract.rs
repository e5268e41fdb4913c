//! Does the resolver keep its promises over HTTP, asking either endpoint?

use async_trait::async_trait;
use mbs_core::contract::{self, Kept, ModuleResolverGround, Unable};
use mbs_core::ident::{NameStream, Nsvc};
use mbs_core::resolver::{KnownModule, ModuleResolver};
use mbs_pdc::api::Face;

use crate::universe::{Universe, row};

#[async_trait]
impl ModuleResolverGround for Universe {
    fn resolver(&self) -> &dyn ModuleResolver {
        &self.resolver
    }

    async fn add(&self, module: KnownModule) {
        let of = module.nsvc.name_stream();
        self.pdc.plant_branch(of.name.as_str(), of.stream.as_str(), "module", &[("bug_fixes", "2999-12-31")]);
        Universe::add(self, &module);
    }

    async fn retire(&self, nsvc: &Nsvc) {
        self.pdc.set_active(&nsvc.to_string(), false);
    }

    async fn end_life(&self, module: &NameStream) -> Result<(), Unable> {
        let (name, stream) = (module.name.as_str(), module.stream.as_str());
        self.pdc.plant_branch(name, stream, "module", &[("bug_fixes", "2018-05-01")]);
        Ok(())
    }
}

async fn kept(face: Face) -> Kept {
    contract::module_resolver(|| Universe::empty(face)).await.unwrap_or_else(|broken| panic!("{broken}"))
}

#[tokio::test]
async fn the_resolver_keeps_its_contract_on_both_endpoints() {
    for face in [Face::Variants, Face::Modules] {
        let kept = kept(face).await;
        println!("{kept}");
        // Only Koji knows which tags inherit which.
        assert_eq!(kept.left_out.len(), 1, "{kept}");
    }
}

#[test]
fn an_entry_of_the_tests_is_one_of_a_server() {
    let nsvc: Nsvc = "perl:5.30:1:a".parse().unwrap();
    let document = std::sync::Arc::default();
    let row = row(&KnownModule { nsvc, tag: None, document, is_ready: true });
    assert_eq!((row.uid.as_str(), row.koji_tag.as_str(), row.active), ("perl:5.30:1:a", "NA", true));
}
