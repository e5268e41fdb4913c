//! The suite of [`ModuleResolver`].

use std::sync::Arc;

use async_trait::async_trait;

use super::promise::{Promise, promises, run};
use super::samples::{id, new_build};
use super::{Broken, Kept, Unable};
use crate::ident::{NameStream, Nsvc, TagName};
use crate::modulemd::Xmd;
use crate::resolver::{KnownModule, ModuleResolver};

/// A resolver that knows no module, and somebody who tells it some.
///
/// Methods that answer [`Unable`] unless written are optional; promises that need them are then left out.
#[async_trait]
pub trait ModuleResolverGround: Send + Sync + 'static {
    /// The resolver under test, the same each time.
    fn resolver(&self) -> &dyn ModuleResolver;

    /// Makes a build known, `ready`. What it was built against and its virtual streams are in `xmd.mbs` of its document.
    async fn add(&self, module: KnownModule);

    /// Retires a build.
    async fn retire(&self, nsvc: &Nsvc);

    /// Puts a build into one more tag than its own, as inheritance does.
    async fn tag(&self, tag: &TagName, nsvc: &Nsvc) -> Result<(), Unable> {
        let _ = (tag, nsvc);
        Err(Unable("tag modules"))
    }

    /// Has a stream reach its end of life.
    async fn end_life(&self, module: &NameStream) -> Result<(), Unable> {
        let _ = module;
        Err(Unable("end the life of a stream"))
    }
}

/// Tries every promise of [`ModuleResolver`], each on what `make` gives: a ground whose resolver knows nothing.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn module_resolver<G: ModuleResolverGround, F: Future<Output = G>>(
    make: impl Fn() -> F,
) -> Result<Kept, Broken> {
    run("ModuleResolver", PROMISES, make, |ground: &G| ground as &dyn ModuleResolverGround).await
}

const PROMISES: &[Promise<dyn ModuleResolverGround>] = promises![Bench:
    keeping::streams_are_those_with_a_build_that_is_ready,
    keeping::the_latest_builds_are_those_of_the_highest_version_compared_as_number,
    keeping::with_bases_only_what_was_built_against_exactly_these_builds_counts,
    keeping::of_a_list_of_bases_the_first_with_builds_counts,
    keeping::a_build_is_found_by_its_identity_even_if_retired,
    keeping::compatible_bases_share_a_virtual_stream_and_come_newest_first,
    keeping::a_retired_version_of_a_stream_stands_beside_the_ready_one,
    keeping::a_base_without_virtual_streams_is_compatible_with_itself_only,
    keeping::the_highest_version_of_each_stream_provides_a_virtual_stream,
    keeping::builds_are_found_in_their_own_tag_and_in_those_that_inherit_it,
    keeping::the_end_of_life_of_an_unknown_stream_is_an_error,
];

struct Bench<'a> {
    ground: &'a dyn ModuleResolverGround,
    resolver: &'a dyn ModuleResolver,
}

impl<'a> Bench<'a> {
    fn on(ground: &'a dyn ModuleResolverGround) -> Self {
        Self { ground, resolver: ground.resolver() }
    }

    async fn add_all<const N: usize>(&self, nsvcs: [&str; N]) {
        for nsvc in nsvcs {
            self.ground.add(known(nsvc, &[])).await;
        }
    }
}

fn known(nsvc: &str, mbs: &[(&str, Xmd)]) -> KnownModule {
    let entries = mbs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let new = new_build(nsvc);
    let mut document = Arc::unwrap_or_clone(new.document);
    document.xmd.set("mbs", Xmd::Map(entries));
    KnownModule { nsvc: new.nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

fn base(nsvc: &str, virtual_stream: &str) -> KnownModule {
    known(nsvc, &[("virtual_streams", Xmd::Seq(vec![virtual_stream.into()]))])
}

/// A module built against a base module build.
fn built(nsvc: &str, base: &str) -> KnownModule {
    let base: Nsvc = id(base);
    let mut entry = Xmd::default();
    entry.set("stream", base.stream.as_str().into());
    entry.set("version", base.version.to_string().as_str().into());
    entry.set("context", base.context.as_str().into());
    let mut buildrequires = Xmd::default();
    buildrequires.set(base.name.as_str(), entry);
    known(nsvc, &[("buildrequires", buildrequires)])
}

fn nsvcs<'a>(modules: impl IntoIterator<Item = &'a KnownModule>) -> Vec<String> {
    modules.into_iter().map(|module| module.nsvc.to_string()).collect()
}

mod keeping {
    use std::collections::BTreeMap;

    use super::{Bench, base, built, known, nsvcs};
    use crate::contract::Unable;
    use crate::contract::promise::{Verdict, equal, refused, there};
    use crate::contract::samples::id;
    use crate::ident::{NameStream, Nsvc};
    use crate::resolver::{Against, KnownModule, ResolverError, Retired};

    const NONE: [&str; 0] = [];

    /// `streams`: per name, sorted by text; unknown names are missing.
    pub(super) async fn streams_are_those_with_a_build_that_is_ready(bench: &Bench<'_>) -> Verdict {
        bench.add_all(["perl:5.30:1:a", "perl:5.30:2:a", "perl:5.28:1:a", "php:7:1:a", "go:1:1:a"]).await;
        bench.ground.retire(&id("php:7:1:a")).await;
        let streams = bench.resolver.streams(&[id("perl"), id("php"), id("ruby")]).await?;
        equal("the streams", streams, BTreeMap::from([(id("perl"), vec![id("5.28"), id("5.30")])]))
    }

    /// `latest`: the builds of the highest version, in all contexts, sorted by context; what has none is missing.
    pub(super) async fn the_latest_builds_are_those_of_the_highest_version_compared_as_number(
        bench: &Bench<'_>,
    ) -> Verdict {
        bench.add_all(["perl:5:9:a", "perl:5:10:b", "perl:5:10:a", "perl:6:99:a"]).await;
        let asked: [NameStream; 2] = [id("perl:5"), id("perl:7")];
        let latest = bench.resolver.latest(&asked, &Against::Anything).await?;
        equal("what is known", latest.keys().cloned().collect::<Vec<_>>(), &asked[..1])?;
        equal("the latest", nsvcs(&latest[&asked[0]]), ["perl:5:10:a", "perl:5:10:b"])?;
        let found = &latest[&asked[0]][0];
        let wanted = known("perl:5:10:a", &[]);
        equal("its document", (&found.document.name, found.is_ready), (&wanted.document.name, true))?;
        for retired in ["perl:5:10:a", "perl:5:10:b"] {
            bench.ground.retire(&id(retired)).await;
        }
        let latest = bench.resolver.latest(&asked, &Against::Anything).await?;
        equal("the latest that is ready", nsvcs(latest.values().flatten()), ["perl:5:9:a"])
    }

    /// `latest`: only those built against exactly these base module builds.
    pub(super) async fn with_bases_only_what_was_built_against_exactly_these_builds_counts(
        bench: &Bench<'_>,
    ) -> Verdict {
        for (nsvc, base) in [
            ("perl:5:1:a", "platform:f29:3:00000000"),
            ("perl:5:2:a", "platform:f29:4:00000000"),
            ("perl:5:3:a", "platform:f30:3:00000000"),
        ] {
            bench.ground.add(built(nsvc, base)).await;
        }
        let (old, new) = ("platform:f29:3:00000000", "platform:f29:4:00000000");
        equal("against the older", latest(bench, &[&[old]]).await?, ["perl:5:1:a"])?;
        equal("against each", latest(bench, &[&[old], &[new]]).await?, ["perl:5:2:a", "perl:5:1:a"])?;
        equal("against another", latest(bench, &[&["platform:f29:5:00000000"]]).await?, NONE)?;
        equal("against none", latest(bench, &[]).await?, NONE)
    }

    /// `latest`: of each list the first base module build against which the module has builds, the highest version made
    /// against it.
    pub(super) async fn of_a_list_of_bases_the_first_with_builds_counts(bench: &Bench<'_>) -> Verdict {
        for (nsvc, base) in [
            ("perl:5:9:a", "platform:el8.1.0:1:c"),
            ("perl:5:10:b", "platform:el8.1.0:1:c"),
            ("perl:5:10:a", "platform:el8.1.0:1:c"),
            ("perl:5:20:a", "platform:el8.0.0:1:c"),
            ("perl:5:11:a", "platform:el9.0.0:1:c"),
        ] {
            bench.ground.add(built(nsvc, base)).await;
        }
        let el8 = ["platform:el8.2.0:1:c", "platform:el8.1.0:1:c", "platform:el8.0.0:1:c"];
        let el9 = ["platform:el9.0.0:1:c"];
        let wanted = ["perl:5:10:a", "perl:5:10:b"];
        equal("the first with builds", latest(bench, &[&el8]).await?, wanted)?;
        let wanted = ["perl:5:11:a", "perl:5:10:a", "perl:5:10:b"];
        equal("of each list", latest(bench, &[&el8, &el9]).await?, wanted)
    }

    /// The latest builds of `perl:5` against the first of each list.
    async fn latest(bench: &Bench<'_>, lists: &[&[&str]]) -> Verdict<Vec<String>> {
        let list = |bases: &&[&str]| bases.iter().map(|base| id(base)).collect();
        let against = Against::FirstOf(lists.iter().map(list).collect());
        let latest = bench.resolver.latest(&[id("perl:5")], &against).await?;
        Ok(nsvcs(latest.values().flatten()))
    }

    /// `builds`: exactly these, retired ones too; unknown ones are missing.
    pub(super) async fn a_build_is_found_by_its_identity_even_if_retired(bench: &Bench<'_>) -> Verdict {
        bench.add_all(["perl:5:1:a", "perl:5:2:a"]).await;
        bench.ground.retire(&id("perl:5:1:a")).await;
        let found = bench.resolver.builds(&[id("perl:5:1:a"), id("perl:5:2:a"), id("perl:5:1:b")]).await?;
        let found: Vec<_> = found.values().map(|m| (m.nsvc.to_string(), m.is_ready)).collect();
        equal("the builds", found, [("perl:5:1:a".to_owned(), false), ("perl:5:2:a".to_owned(), true)])
    }

    /// `compatible_bases`: the highest version of each stream, newest stream first, `base` itself included.
    pub(super) async fn compatible_bases_share_a_virtual_stream_and_come_newest_first(
        bench: &Bench<'_>,
    ) -> Verdict {
        for (nsvc, virtual_stream) in [
            ("platform:el8.1.0:1:c", "el8"),
            ("platform:el8.2.0:1:c", "el8"),
            ("platform:el8.2.0:2:c", "el8"),
            ("platform:el8.10.0:1:c", "el8"),
            ("platform:el9.0.0:1:c", "el9"),
        ] {
            bench.ground.add(base(nsvc, virtual_stream)).await;
        }
        let of = async |nsvc: &str, retired| -> Verdict<Vec<String>> {
            let base: Nsvc = id(nsvc);
            let bases = bench.resolver.compatible_bases(std::slice::from_ref(&base), retired).await?;
            Ok(bases.get(&base).map(nsvcs).unwrap_or_default())
        };
        let all = ["platform:el8.10.0:1:c", "platform:el8.2.0:2:c", "platform:el8.1.0:1:c"];
        let oldest = "platform:el8.1.0:1:c";
        equal("of el8", of(oldest, Retired::Excluded).await?, all)?;
        equal("of el9", of("platform:el9.0.0:1:c", Retired::Included).await?, ["platform:el9.0.0:1:c"])?;
        equal("of an unknown one", of("platform:el8.1.0:9:c", Retired::Included).await?, NONE)?;
        bench.ground.retire(&id("platform:el8.10.0:1:c")).await;
        equal("without the retired", of(oldest, Retired::Excluded).await?, &all[1..])?;
        equal("with the retired", of(oldest, Retired::Included).await?, all)
    }

    /// `compatible_bases`: of each stream the highest version that is ready and, if asked, the highest that is retired.
    pub(super) async fn a_retired_version_of_a_stream_stands_beside_the_ready_one(
        bench: &Bench<'_>,
    ) -> Verdict {
        let all = ["el8.1.0:1", "el8.2.0:1", "el8.2.0:2", "el8.2.0:3", "el8.2.0:4"];
        for base_of_el8 in all {
            bench.ground.add(base(&format!("platform:{base_of_el8}:c"), "el8")).await;
        }
        for retired in ["platform:el8.2.0:3:c", "platform:el8.2.0:4:c"] {
            bench.ground.retire(&id(retired)).await;
        }
        let asked: Nsvc = id("platform:el8.1.0:1:c");
        let of = async |retired| -> Verdict<Vec<String>> {
            let bases = bench.resolver.compatible_bases(std::slice::from_ref(&asked), retired).await?;
            Ok(bases.get(&asked).map(nsvcs).unwrap_or_default())
        };
        let (ready, retired, own) = ("platform:el8.2.0:2:c", "platform:el8.2.0:4:c", "platform:el8.1.0:1:c");
        equal("ready ones", of(Retired::Excluded).await?, [ready, own])?;
        equal("and retired ones", of(Retired::Included).await?, [retired, ready, own])
    }

    /// `compatible_bases`: `base` itself included.
    pub(super) async fn a_base_without_virtual_streams_is_compatible_with_itself_only(
        bench: &Bench<'_>,
    ) -> Verdict {
        bench.add_all(["platform:f29:1:c", "platform:f30:1:c"]).await;
        let bases = bench.resolver.compatible_bases(&[id("platform:f29:1:c")], Retired::Excluded).await?;
        equal("the bases", nsvcs(bases.values().flatten()), ["platform:f29:1:c"])
    }

    /// `providers`: the highest version of each stream, by stream; what nobody provides is missing.
    pub(super) async fn the_highest_version_of_each_stream_provides_a_virtual_stream(
        bench: &Bench<'_>,
    ) -> Verdict {
        for nsvc in [
            "platform:el8.9.0:7:c",
            "platform:el8.10.0:1:c",
            "platform:el8.10.0:2:c",
            "platform:el8.11.0:1:c",
        ] {
            bench.ground.add(base(nsvc, "el8")).await;
        }
        bench.ground.retire(&id("platform:el8.11.0:1:c")).await;
        let asked: [NameStream; 2] = [id("platform:el8"), id("platform:el9")];
        let providers = bench.resolver.providers(&asked).await?;
        equal("what is provided", providers.keys().cloned().collect::<Vec<_>>(), &asked[..1])?;
        equal("by whom", nsvcs(&providers[&asked[0]]), ["platform:el8.10.0:2:c", "platform:el8.9.0:7:c"])
    }

    /// `in_tag`: empty if there are none. `Unsupported` where modules have no tags.
    pub(super) async fn builds_are_found_in_their_own_tag_and_in_those_that_inherit_it(
        bench: &Bench<'_>,
    ) -> Verdict {
        let tagged = KnownModule { tag: Some(id("module-perl")), ..known("perl:5:1:a", &[]) };
        bench.ground.add(tagged).await;
        bench.add_all(["php:7:1:a"]).await;
        let of = async |tag: &str| match bench.resolver.in_tag(&id(tag)).await {
            Err(ResolverError::Unsupported { .. }) => {
                Err(Unable("ask for modules in a tag: it is unsupported").into())
            }
            outcome => Verdict::Ok(nsvcs(&outcome?)),
        };
        equal("in its own", of("module-perl").await?, ["perl:5:1:a"])?;
        equal("in another", of("module-php").await?, NONE)?;
        bench.ground.tag(&id("f29-modular"), &id("perl:5:1:a")).await?;
        equal("in one that inherits it", of("f29-modular").await?, ["perl:5:1:a"])
    }

    /// `is_end_of_life`: `NotFound` if it is unknown.
    pub(super) async fn the_end_of_life_of_an_unknown_stream_is_an_error(bench: &Bench<'_>) -> Verdict {
        bench.add_all(["perl:5:1:a"]).await;
        let known = id("perl:5");
        let lives = match bench.resolver.is_end_of_life(&known).await {
            Err(ResolverError::Unsupported { .. }) => {
                return Err(Unable("ask for the end of life: it is unsupported").into());
            }
            outcome => outcome?,
        };
        equal("before", lives, false)?;
        let unknown = bench.resolver.is_end_of_life(&id("perl:6")).await;
        refused("an unknown stream", unknown, |error| matches!(error, ResolverError::NotFound { .. }))?;
        bench.ground.end_life(&known).await?;
        equal("after", bench.resolver.is_end_of_life(&known).await?, true)?;
        there(
            "answer about the builds",
            bench.resolver.builds(&[id("perl:5:1:a")]).await?.into_values().next(),
        )
        .map(drop)
    }
}
