//! Does the resolver keep its promises over HTTP, and with how many requests?

use std::sync::Arc;

use async_trait::async_trait;
use mbs_client::client::Client;
use mbs_client::fake_server::{Answer, FakeServer};
use mbs_client::login::Login;
use mbs_client::resolver::MbsResolver;
use mbs_client::server::Server;
use mbs_core::contract::{self, ModuleResolverGround};
use mbs_core::ident::{NameStream, Nsvc};
use mbs_core::modulemd::{ModuleStream, Xmd};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired};

use crate::recorded::cases;
use crate::universe::{MOST, Universe};

#[async_trait]
impl ModuleResolverGround for Universe {
    fn resolver(&self) -> &dyn ModuleResolver {
        &self.resolver
    }

    async fn add(&self, module: KnownModule) {
        Universe::add(self, module);
    }

    async fn retire(&self, nsvc: &Nsvc) {
        Universe::retire(self, nsvc);
    }
}

#[tokio::test]
async fn the_resolver_keeps_its_contract() {
    let kept = contract::module_resolver(Universe::empty).await.unwrap_or_else(|broken| panic!("{broken}"));
    println!("{kept}");
    // Which tags inherit which only Koji knows, and when streams end their life nobody here.
    assert_eq!(kept.left_out.len(), 2, "{kept}");
}

fn xmd(entries: &[(&str, Xmd)]) -> Xmd {
    Xmd::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn known(nsvc: &str, mbs: Xmd) -> KnownModule {
    let nsvc: Nsvc = nsvc.parse().unwrap();
    let mut document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        summary: "A module".into(),
        description: "A module of the tests.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..ModuleStream::default()
    };
    document.xmd.set("mbs", mbs);
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

fn on(nsvc: &str, base: &str) -> KnownModule {
    let base: Nsvc = base.parse().unwrap();
    let (stream, version, context) = (base.stream.as_str(), base.version.to_string(), base.context.as_str());
    let entry =
        xmd(&[("stream", stream.into()), ("version", version.as_str().into()), ("context", context.into())]);
    known(nsvc, xmd(&[("buildrequires", xmd(&[(base.name.as_str(), entry)]))]))
}

async fn latest(resolver: &dyn ModuleResolver, against: &Against) -> Vec<String> {
    let asked: NameStream = "perl:5".parse().unwrap();
    let latest = resolver.latest(&[asked], against).await.unwrap();
    latest.values().flatten().map(|build| build.nsvc.to_string()).collect()
}

/// A service with forty versions of a module on one base, and one old version on another.
async fn long_history() -> Universe {
    let universe = Universe::empty().await;
    universe.add(on("perl:5:1:a", "platform:f28:3:00000000"));
    for version in 2..=41 {
        universe.add(on(&format!("perl:5:{version}:a"), "platform:f29:3:00000000"));
    }
    universe
}

#[tokio::test]
async fn of_a_long_history_only_as_much_is_read_as_is_needed() {
    let universe = long_history().await;
    assert_eq!(latest(&universe.resolver, &Against::Anything).await, ["perl:5:41:a"]);
    assert_eq!(universe.server.heard().len(), 1);
    let first_of =
        |bases: &[&str]| Against::FirstOf(vec![bases.iter().map(|base| base.parse().unwrap()).collect()]);
    let bases = ["platform:f30:3:00000000", "platform:f28:3:00000000", "platform:f29:3:00000000"];
    assert_eq!(latest(&universe.resolver, &first_of(&bases)).await, ["perl:5:1:a"]);
    // The first page, which is not all there is, and two bases.
    assert_eq!(universe.server.heard().len(), 1 + 3);
}

#[tokio::test]
async fn a_highest_version_with_many_contexts_is_read_whole() {
    let universe = Universe::empty().await;
    universe.add(known("perl:5:1:old", Xmd::default()));
    for context in 0..25 {
        universe.add(known(&format!("perl:5:2:c{context:02}"), Xmd::default()));
    }
    assert_eq!(latest(&universe.resolver, &Against::Anything).await.len(), 25);
    assert_eq!(universe.server.heard().len(), 3);
}

#[tokio::test]
async fn a_version_that_makes_no_sense_gives_way_to_the_one_before() {
    let universe = Universe::empty().await;
    for version in 1..=15 {
        universe.add(known(&format!("perl:5:{version}:a"), Xmd::default()));
    }
    for version in 16..=17 {
        let mut broken = known(&format!("perl:5:{version}:a"), Xmd::default());
        Arc::make_mut(&mut broken.document).name = Some("php".into());
        universe.add(broken);
    }
    assert_eq!(latest(&universe.resolver, &Against::Anything).await, ["perl:5:15:a"]);
}

#[tokio::test]
async fn a_service_that_does_not_know_a_filter_misleads_nobody() {
    let server = FakeServer::start(|_| {
        let build = serde_json::json!({
            "id": 1, "name": "php", "stream": "7", "version": "1", "context": "a", "state": 5, "state_name": "ready",
            "modulemd": known("php:7:1:a", Xmd::default()).document.to_yaml(), "koji_tag": "module-php",
        });
        let meta = serde_json::json!({"page": 1, "per_page": 10, "pages": 1, "total": 1, "next": null});
        Answer::json(200, &serde_json::json!({"items": [build], "meta": meta}))
    });
    let server = server.await.unwrap();
    let resolver = MbsResolver::new(Client::new(Server::new(server.url()), Login::Anonymous).unwrap());
    assert_eq!(latest(&resolver, &Against::Anything).await, [""; 0]);
    assert_eq!(resolver.in_tag(&"module-perl".parse().unwrap()).await, Ok(Vec::new()));
    assert_eq!(resolver.streams(&["perl".parse().unwrap()]).await, Ok([].into()));
}

#[tokio::test]
async fn within_an_expansion_nothing_is_asked_twice() {
    let universe = Universe::empty().await;
    for stream in ["f28", "f29"] {
        let provided = xmd(&[("virtual_streams", Xmd::Seq(vec!["fedora".into()]))]);
        universe.add(known(&format!("platform:{stream}:3:00000000"), provided));
    }
    universe.add(on("perl:5:1:a", "platform:f29:3:00000000"));
    let resolver = universe.resolver.for_one_expansion().unwrap();
    let base: Nsvc = "platform:f29:3:00000000".parse().unwrap();
    let perl: Nsvc = "perl:5:1:a".parse().unwrap();
    for _ in 0..2 {
        let bases = resolver.compatible_bases(std::slice::from_ref(&base), Retired::Included).await.unwrap();
        assert_eq!(bases[&base].len(), 2);
        assert_eq!(resolver.providers(&["platform:fedora".parse().unwrap()]).await.unwrap().len(), 1);
        assert_eq!(resolver.streams(std::slice::from_ref(&base.name)).await.unwrap()[&base.name].len(), 2);
        assert_eq!(latest(&*resolver, &Against::FirstOf(vec![vec![base.clone()]])).await, ["perl:5:1:a"]);
        assert_eq!(resolver.builds(&[base.clone(), perl.clone()]).await.unwrap().len(), 2);
    }
    assert_eq!(universe.server.heard().len(), 2, "{:#?}", universe.server.lines());
    latest(&universe.resolver, &Against::Anything).await;
    latest(&universe.resolver, &Against::Anything).await;
    assert_eq!(universe.server.heard().len(), 4, "beside one each question is asked anew");
}

#[tokio::test]
async fn more_builds_than_a_page_has_are_all_found() {
    let universe = Universe::empty().await;
    for stream in 0..MOST + 20 {
        universe.add(known(&format!("perl:{stream}:1:a"), Xmd::default()));
    }
    let streams = universe.resolver.streams(&["perl".parse().unwrap()]).await.unwrap();
    assert_eq!(streams.values().flatten().count(), MOST + 20);
    assert_eq!(universe.server.heard().len(), 2);
}

#[tokio::test]
async fn trouble_is_told_apart_by_who_can_mend_it() {
    let ask = async |answer: Answer| {
        let server = FakeServer::start(move |_| answer.clone()).await.unwrap();
        let settings = Server { retries: 0, ..Server::new(server.url()) };
        let resolver = MbsResolver::new(Client::new(settings, Login::Anonymous).unwrap());
        resolver.streams(&["perl".parse().unwrap()]).await.unwrap_err()
    };
    let busy = ask(Answer::refusal(503, "Service Unavailable", "later")).await;
    assert!(matches!(busy, ResolverError::Unavailable { .. }), "{busy}");
    let odd = ask(Answer::of(200, "text/html", "<p>Welcome")).await;
    assert!(matches!(odd, ResolverError::Protocol { .. }), "{odd}");
    let elsewhere = ask(Answer::of(301, "text/html", "").header("Location", "https://other/")).await;
    assert!(matches!(elsewhere, ResolverError::Conflict { .. }), "{elsewhere}");
}

/// What the original answered to lists with documents is understood.
#[test]
fn every_recorded_build_with_a_document_can_be_required() {
    let (mut read, mut all) = (0, std::collections::BTreeSet::new());
    for case in cases().iter().filter(|case| case.method == "GET" && case.status == 200) {
        let items = case.response_body.get("items").and_then(|items| items.as_array());
        for item in items.into_iter().flatten().filter(|item| item.get("modulemd").is_some()) {
            let build = serde_json::from_value(item.clone()).unwrap();
            let module =
                mbs_client::resolver::known(&build).unwrap_or_else(|broken| panic!("{item}: {broken}"));
            all.insert(module.nsvc);
            read += 1;
        }
    }
    println!("{read} builds, {} of them different", all.len());
}
