//! Small programs that embed the library, in the folder `examples/`, and the module that several of them build.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use mbs_core::context::Contexts;
use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Universe};
use mbs_core::ident::{TagName, Version};
use mbs_core::memory::MemoryResolver;
use mbs_core::model::NewBuild;
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;
use mbs_core::submission::{Computed, Request, Rules, assemble};

const DOCUMENT: &str = r#"
document: modulemd
version: 2
data:
  name: app
  stream: "1.0"
  summary: An example
  description: An example.
  license: { module: [MIT] }
  dependencies: [{ buildrequires: { platform: [f40] }, requires: { platform: [f40] } }]
  components:
    rpms:
      libapp: { rationale: The library., repository: "memory:libapp", ref: main }
      app: { rationale: The program., repository: "memory:app", ref: main, buildorder: 1 }
"#;

/// Returns the base module `platform:f40`, whose RPMs are in a tag.
///
/// # Errors
/// The tag is no valid one.
pub fn base_module(tag: &str) -> Result<KnownModule> {
    let nsvc = "platform:f40:1:00000000".parse()?;
    Ok(KnownModule { nsvc, tag: Some(TagName::new(tag)?), document: Arc::default(), is_ready: true })
}

/// Makes what a store takes of a module of two components, `libapp` and then `app`, whose sources are `memory:libapp` and
/// `memory:app` on branch `main`.
///
/// # Errors
/// The document does not fit the policy.
pub async fn submission(base: &KnownModule, policy: &Policy) -> Result<NewBuild> {
    let (document, _) = read_submission(DOCUMENT, None, &Limits::of_submission())?;
    let [document] = &document.into_streams()[..] else { bail!("the document has one stream") };
    let asked = Expansion {
        document,
        default_streams: &BTreeMap::new(),
        choices: Choices::Open,
        base_fit: BaseFit::Required,
        policy,
    };
    let expansions =
        expand(&asked, &MemoryResolver::new([base.clone()])?, None, &mut Universe::default()).await?;
    let [expanded] = &expansions.expanded[..] else { bail!("the document can be built in one way") };
    let contexts = Contexts::of(&expanded.streams(), &expanded.document.dependencies, policy);
    let computed = Computed { context: contexts.short(), contexts, version: Version(7), earlier_scratch: 0 };
    let request = Request { owner: "anna".into(), ..Request::default() };
    Ok(assemble(expanded.clone(), &request, computed, &Rules::default())?)
}
