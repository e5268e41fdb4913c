//! `details`.

use super::bench::{Bench, finish};
use super::catalogue::create_all;
use super::listing::providing;
use crate::context::Contexts;
use crate::contract::promise::{Verdict, equal, there};
use crate::contract::samples::{id, new_build};
use crate::ident::BuildId;
use crate::model::{NewBuild, State};
use crate::store::BaseBuild;

fn contexts() -> Contexts {
    Contexts { build: "b".repeat(40), build_without_base: String::new(), runtime: "r".repeat(40) }
}

/// [`BuildDetails`](crate::store::BuildDetails): what the record says, its trace and document; of the relation those that exist.
pub(super) async fn details_are_those_of_the_record_its_trace_and_its_base_modules(
    bench: &Bench<'_>,
) -> Verdict {
    let [first, second] = create_all(bench, ["platform:f30:1:a", "platform:rawhide:1:a"]).await?;
    bench.look(second, |build| finish(build, 1)).await?;
    let base_modules = vec![id("platform:rawhide:1:a"), id("platform:f99:1:a"), id("platform:f30:1:a")];
    let new =
        NewBuild { base_modules, contexts: contexts(), reuse_from: Some(first), ..new_build("app:1:1:a") };
    let build = bench.create_as(new.into()).await?;
    bench.put_to_sleep(build).await?;
    bench.look(build, |build| build.arches = vec![id("aarch64"), id("x86_64")]).await?;
    let base = bench.create_as(providing().into()).await?;
    let unknown = BuildId(base.0 + 1000);
    let mut details = bench.store.details(&[base, unknown, build]).await?;
    equal("the number of known builds", details.len(), 2)?;
    let of_base = there("detail of the base module", details.remove(&base))?;
    equal("its virtual streams", of_base.virtual_streams, ["f", "g"])?;
    equal("its stream version", of_base.stream_version, Some(310_000.0))?;
    let of = there("detail of the build", details.remove(&build))?;
    let loaded = bench.load(build).await?.build;
    equal("the document", of.document, loaded.document().to_yaml())?;
    equal("the architectures", of.arches, loaded.arches)?;
    equal("the contexts", of.contexts, contexts())?;
    equal("the source of reuse", of.reuse_from, Some(first))?;
    equal("the trace", of.trace, bench.store.trace(build).await?)?;
    equal("what is of base modules alone", (of.stream_version, of.virtual_streams), (None, Vec::new()))?;
    let bases = [
        ("platform:f30:1:a", first, State::Init, Some(300_000.0)),
        ("platform:rawhide:1:a", second, State::Ready, None),
    ];
    let bases = bases.map(|(nsvc, id_of, state, stream_version)| BaseBuild {
        id: id_of,
        nsvc: id(nsvc),
        state,
        stream_version,
    });
    equal("the base modules", of.bases, bases)?;
    equal("of nothing", bench.store.details(&[]).await?, [].into())
}
