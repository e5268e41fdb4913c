use std::sync::Mutex;

use super::*;
use crate::memory::samples::{id, now_or_panic};
use crate::memory::{EndOfLife, MemoryResolver};
use crate::modulemd::{ModuleStream, Xmd};

/// What a source is like and what it was asked.
#[derive(Debug, Default)]
struct Source {
    modules: MemoryResolver,
    /// Whether it knows tags and ends of life.
    is_plain: bool,
    asked: Mutex<Vec<String>>,
}

impl Source {
    fn of(nsvcs: &[&str]) -> Arc<Self> {
        let modules = MemoryResolver::new(nsvcs.iter().map(|nsvc| known(nsvc, &[]))).unwrap();
        Arc::new(Self { modules, ..Self::default() })
    }

    fn plain() -> Arc<Self> {
        Arc::new(Self { is_plain: true, ..Self::default() })
    }

    fn with_bases(self: Arc<Self>, bases: &[(&str, &str)]) -> Arc<Self> {
        for (nsvc, virtual_stream) in bases {
            self.modules.add(known(nsvc, &[virtual_stream])).unwrap();
        }
        self
    }

    fn note(&self, what: &str, of: &[impl ToString]) {
        let of: Vec<String> = of.iter().map(ToString::to_string).collect();
        self.asked.lock().unwrap().push(format!("{what} {}", of.join(" ")));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn check_ability(&self) -> Result<(), ResolverError> {
        if self.is_plain { Err(ResolverError::Unsupported { what: "this" }) } else { Ok(()) }
    }
}

#[async_trait]
impl ModuleResolver for Source {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        self.note("streams", names);
        self.modules.streams(names).await
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.note("latest", modules);
        self.modules.latest(modules, against).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        self.note("builds", nsvcs);
        self.modules.builds(nsvcs).await
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        self.note("compatible", bases);
        self.modules.compatible_bases(bases, retired).await
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.note("providers", virtual_streams);
        self.modules.providers(virtual_streams).await
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        self.check_ability()?;
        self.modules.in_tag(tag).await
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        self.check_ability()?;
        self.modules.is_end_of_life(module).await
    }
}

fn known(nsvc: &str, virtual_streams: &[&str]) -> KnownModule {
    let mut mbs = Xmd::default();
    mbs.set("virtual_streams", Xmd::Seq(virtual_streams.iter().map(|stream| (*stream).into()).collect()));
    let mut document = ModuleStream::default();
    document.xmd.set("mbs", mbs);
    KnownModule { nsvc: id(nsvc), tag: None, document: Arc::new(document), is_ready: true }
}

fn chain(sources: &[&Arc<Source>]) -> Chain {
    let named = |(index, source): (usize, &&Arc<Source>)| {
        (["store", "pdc", "files"][index].to_owned(), Arc::clone(source) as Arc<dyn ModuleResolver>)
    };
    Chain::new(sources.iter().enumerate().map(named).collect())
}

fn nsvcs<'m>(modules: impl IntoIterator<Item = &'m KnownModule>) -> Vec<String> {
    modules.into_iter().map(|module| module.nsvc.to_string()).collect()
}

fn latest(chain: &Chain, modules: &[&str]) -> Vec<String> {
    let asked: Vec<NameStream> = modules.iter().map(|module| id(module)).collect();
    nsvcs(now_or_panic(chain.latest(&asked, &Against::Anything)).unwrap().values().flatten())
}

#[test]
fn an_older_build_of_an_earlier_source_beats_a_newer_one_behind_it() {
    let (store, pdc) = (Source::of(&["perl:5:1:a"]), Source::of(&["perl:5:2:a", "php:7:3:a"]));
    assert_eq!(latest(&chain(&[&store, &pdc]), &["perl:5", "php:7"]), ["perl:5:1:a", "php:7:3:a"]);
    assert_eq!(latest(&chain(&[&pdc, &store]), &["perl:5"]), ["perl:5:2:a"]);
}

#[test]
fn a_source_is_asked_only_for_what_those_before_it_do_not_have() {
    let (store, pdc, files) = (Source::of(&["perl:5:1:a"]), Source::of(&["php:7:3:a"]), Source::of(&[]));
    let chain = chain(&[&store, &pdc, &files]);
    latest(&chain, &["perl:5", "php:7"]);
    assert_eq!(
        (store.asked(), pdc.asked()),
        (vec!["latest perl:5 php:7".into(), "builds php:7:3:a".into()], vec!["latest php:7".into()])
    );
    assert!(files.asked().is_empty());
    let found = now_or_panic(chain.builds(&[id("perl:5:1:a"), id("php:7:3:a")])).unwrap();
    assert_eq!(nsvcs(found.values()), ["perl:5:1:a", "php:7:3:a"]);
    assert_eq!((pdc.asked(), files.asked()), (vec!["builds php:7:3:a".into()], vec![]));
}

#[test]
fn what_an_earlier_source_has_retired_is_not_ready_behind_it() {
    let (store, pdc) = (Source::of(&["perl:5:1:a"]), Source::of(&["perl:5:1:a", "perl:5:1:b", "php:7:1:a"]));
    store.modules.retire(&id("perl:5:1:a")).unwrap();
    assert_eq!(latest(&chain(&[&store, &pdc]), &["perl:5", "php:7"]), ["perl:5:1:b", "php:7:1:a"]);
    assert_eq!(store.asked(), ["latest perl:5 php:7", "builds perl:5:1:a perl:5:1:b php:7:1:a"]);
}

#[test]
fn what_does_not_count_in_an_earlier_source_leaves_the_question_to_the_next() {
    let (store, pdc) = (Source::of(&["perl:5:2:a"]), Source::of(&["perl:5:1:a"]));
    store.modules.retire(&id("perl:5:2:a")).unwrap();
    assert_eq!(latest(&chain(&[&store, &pdc]), &["perl:5"]), ["perl:5:1:a"]);
}

#[test]
fn the_first_source_that_knows_a_build_describes_it() {
    let (store, pdc) = (Source::of(&["perl:5:1:a"]), Source::of(&["perl:5:1:a"]));
    store.modules.retire(&id("perl:5:1:a")).unwrap();
    let found = now_or_panic(chain(&[&store, &pdc]).builds(&[id("perl:5:1:a")])).unwrap();
    assert!(!found[&id("perl:5:1:a")].is_ready);
}

#[test]
fn streams_are_those_of_all_sources() {
    let (store, pdc) =
        (Source::of(&["perl:5.26:1:a"]), Source::of(&["perl:5.24:1:a", "perl:5.26:2:a", "php:7:1:a"]));
    let asked: [Name; 2] = [id("perl"), id("python")];
    let streams = now_or_panic(chain(&[&store, &pdc]).streams(&asked)).unwrap();
    assert_eq!(streams, BTreeMap::from([(id("perl"), vec![id("5.24"), id("5.26")])]));
}

#[test]
fn base_modules_of_all_sources_are_compatible_and_the_earlier_source_describes_them() {
    let first =
        Source::of(&[]).with_bases(&[("platform:el8.1.0:1:c", "el8"), ("platform:el8.2.0:2:c", "el8")]);
    let bases =
        [("platform:el8.2.0:1:c", "el8"), ("platform:el8.10.0:1:c", "el8"), ("platform:el9.0.0:1:c", "el9")];
    let second = Source::of(&[]).with_bases(&bases);
    second.modules.add(known("platform:el8.1.0:1:c", &["el8", "el9"])).unwrap();
    let chain = chain(&[&first, &second]);
    let base: Nsvc = id("platform:el8.1.0:1:c");
    let found = now_or_panic(chain.compatible_bases(std::slice::from_ref(&base), Retired::Excluded)).unwrap();
    let bases = &found[&base];
    let wanted = ["platform:el8.10.0:1:c", "platform:el8.2.0:2:c", "platform:el8.1.0:1:c"];
    assert_eq!(nsvcs(bases), wanted, "the first source does not say el9");
    assert_eq!(bases[2].virtual_streams(), ["el8"]);
    let el8: NameStream = id("platform:el8");
    let providers = now_or_panic(chain.providers(std::slice::from_ref(&el8))).unwrap();
    let wanted = ["platform:el8.1.0:1:c", "platform:el8.10.0:1:c", "platform:el8.2.0:2:c"];
    assert_eq!(nsvcs(&providers[&el8]), wanted);
}

#[test]
fn a_source_that_does_not_know_a_base_still_brings_those_compatible_with_it() {
    let first = Source::of(&[]).with_bases(&[("platform:el8.1.0:1:c", "el8")]);
    let bases =
        [("platform:el8.2.0:1:c", "el8"), ("platform:el8.3.0:1:c", "el8"), ("platform:el9.0.0:1:c", "el9")];
    let second = Source::of(&[]).with_bases(&bases);
    second.modules.retire(&id("platform:el8.3.0:1:c")).unwrap();
    let chain = chain(&[&first, &second]);
    let base: Nsvc = id("platform:el8.1.0:1:c");
    let of = |retired| {
        let found = now_or_panic(chain.compatible_bases(std::slice::from_ref(&base), retired)).unwrap();
        nsvcs(&found[&base])
    };
    let all = ["platform:el8.3.0:1:c", "platform:el8.2.0:1:c", "platform:el8.1.0:1:c"];
    assert_eq!(of(Retired::Excluded), all[1..]);
    assert_eq!(of(Retired::Included), all);
    let unknown = now_or_panic(chain.compatible_bases(&[id("platform:f29:1:c")], Retired::Excluded)).unwrap();
    assert!(unknown.is_empty());
}

#[test]
fn an_older_version_of_a_base_is_compatible_with_itself() {
    let first = Source::of(&["platform:f29:1:c"]);
    let second = Source::of(&[]).with_bases(&[("platform:f29:2:c", "fedora")]);
    let base: Nsvc = id("platform:f29:1:c");
    let chain = chain(&[&first, &second]);
    let found = now_or_panic(chain.compatible_bases(std::slice::from_ref(&base), Retired::Excluded)).unwrap();
    assert_eq!(nsvcs(&found[&base]), ["platform:f29:1:c"]);
    assert_eq!(second.asked(), ["compatible platform:f29:1:c"], "no virtual streams, nothing more to ask");
}

#[test]
fn an_outage_of_a_source_is_an_error_that_names_it() {
    let (store, pdc) = (Source::of(&["perl:5:1:a"]), Source::of(&[]));
    let chain = chain(&[&store, &pdc]);
    pdc.modules.set_outage(Some(ResolverError::Unavailable { reason: "no route".into() }));
    let error = now_or_panic(chain.streams(&[id("perl")])).unwrap_err();
    assert_eq!(error.to_string(), "modules cannot be looked up: pdc: no route");
    assert!(error.is_transient());
    assert_eq!(latest(&chain, &["perl:5"]), ["perl:5:1:a"], "who need not be asked does not matter");
    let error = now_or_panic(chain.latest(&[id("php:7")], &Against::Anything)).unwrap_err();
    assert!(error.to_string().contains("pdc: no route"), "{error}");
    pdc.modules.set_outage(Some(ResolverError::NotFound { what: "everything".into() }));
    assert_eq!(now_or_panic(chain.streams(&[id("perl")])).unwrap().len(), 1);
}

#[test]
fn the_first_source_with_tags_says_what_is_in_one() {
    let (plain, store) = (Source::plain(), Source::of(&["perl:5:1:a"]));
    store.modules.tag(&id("f29"), &id("perl:5:1:a")).unwrap();
    let of = |chain: &Chain| now_or_panic(chain.in_tag(&id("f29")));
    assert_eq!(nsvcs(&of(&chain(&[&plain, &store])).unwrap()), ["perl:5:1:a"]);
    assert_eq!(of(&chain(&[&Source::of(&[]), &store])), Ok(vec![]));
    assert!(matches!(of(&chain(&[&plain, &plain])), Err(ResolverError::Unsupported { .. })));
}

#[test]
fn the_end_of_life_is_what_the_first_says_that_knows_the_stream() {
    let (plain, store, pdc) = (Source::plain(), Source::of(&["php:7:1:a"]), Source::of(&["perl:5:1:a"]));
    pdc.modules.set_end_of_life(id("perl:5"), EndOfLife::Past);
    let of = |chain: &Chain, module: &str| now_or_panic(chain.is_end_of_life(&id(module)));
    let all = chain(&[&plain, &store, &pdc]);
    assert_eq!((of(&all, "perl:5"), of(&all, "php:7")), (Ok(true), Ok(false)));
    assert!(matches!(of(&all, "perl:6"), Err(ResolverError::NotFound { .. })));
    assert!(matches!(of(&chain(&[&plain]), "perl:5"), Err(ResolverError::Unsupported { .. })));
    store.modules.set_outage(Some(ResolverError::Unavailable { reason: "no route".into() }));
    assert!(matches!(of(&all, "perl:5"), Err(ResolverError::Unavailable { .. })));
}

#[test]
#[should_panic(expected = "at least one source")]
fn a_chain_of_nothing_is_refused() {
    Chain::new(Vec::new());
}
