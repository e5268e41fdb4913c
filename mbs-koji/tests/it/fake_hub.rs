//! Does the fake hub do what no recording shows: break on purpose, keep its own time, end tasks, and refuse in order?

use std::sync::Arc;
use std::time::Duration;

use mbs_core::build_system::TaskFailure;
use mbs_core::bus::Hint;
use mbs_core::ident::{Nvr, TagName, TaskId};
use mbs_core::memory::ManualClock;
use mbs_koji::fake_hub::{Builder, FakeHub, Rule, Setup, Stage, TagPlan, Trouble};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Value, decode_response, encode_call};

use crate::send::{Letter, Reply, send};

/// A client with a session of its own.
struct Client<'h> {
    hub: &'h FakeHub,
    id: String,
    key: String,
    callnum: i64,
}

fn post(hub: &FakeHub, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
    let mut all = vec![("Content-Length".to_owned(), body.len().to_string())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let letter = Letter { verb: "POST".into(), place: "/kojihub".into(), headers: all, body: body.to_vec() };
    send(hub.url().trim_start_matches("http://").trim_end_matches("/kojihub"), &letter)
}

impl<'h> Client<'h> {
    fn login(hub: &'h FakeHub, user: &str, password: &str) -> Self {
        let body = encode_call(&Call::new("login").arg(user).arg(password));
        let reply = post(hub, &[], body.as_bytes()).expect("it answers");
        let session = decode_response(&reply.body).expect("it is XML-RPC").expect("the password is right");
        let id = session.member("session-id").and_then(Value::as_int).expect("it has an id").to_string();
        let key = session.member("session-key").and_then(Value::as_str).expect("it has a key").to_owned();
        Self { hub, id, key, callnum: 0 }
    }

    fn mbs(hub: &'h FakeHub) -> Self {
        Self::login(hub, "mbs", "mbspw")
    }

    /// Sends a call under a number; `None` if there is no answer.
    fn send(&self, callnum: i64, call: &Call) -> Option<Result<Value, Fault>> {
        let callnum = callnum.to_string();
        let headers = [
            ("Koji-Session-Id", &*self.id),
            ("Koji-Session-Key", &self.key),
            ("Koji-Session-Callnum", &callnum),
        ];
        let reply = post(self.hub, &headers, encode_call(call).as_bytes())?;
        Some(decode_response(&reply.body).expect("it is XML-RPC"))
    }

    fn call(&mut self, call: &Call) -> Result<Value, Fault> {
        self.callnum += 1;
        self.send(self.callnum, call).expect("the hub answers")
    }

    fn get(&mut self, call: &Call) -> Value {
        self.call(call).unwrap_or_else(|fault| panic!("{call:?}: {fault}"))
    }

    fn refused(&mut self, call: &Call) -> (i64, String) {
        let fault = self.call(call).expect_err("it is refused");
        (fault.code.number(), fault.text)
    }
}

/// Starts a hub with a module's tags and target, by a clock that stands still.
async fn hub() -> (FakeHub, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let hub = FakeHub::start(Setup { clock: Some(Arc::clone(&clock) as _), ..Setup::default() }).await;
    let hub = hub.expect("a port is free");
    let arches = vec!["x86_64".to_owned()];
    hub.plant_tag_as("f40", &TagPlan { arches: arches.clone(), ..TagPlan::default() });
    hub.plant_tag_as(
        "m",
        &TagPlan { arches: arches.clone(), packages: vec!["perl".into()], ..TagPlan::default() },
    );
    let packages = vec!["perl".into(), "module-build-macros".into()];
    let plan = TagPlan { arches, packages, inherits: vec!["f40".into()], ..TagPlan::default() };
    hub.plant_tag_as("m-build", &plan);
    hub.plant_target("m", "m-build", "m");
    hub.plant_build("module-build-macros", "0.1", "1.module_f40+1", &["noarch"]);
    hub.plant_tagged("m-build", "module-build-macros-0.1-1.module_f40+1");
    (hub, clock)
}

fn build_perl() -> Call {
    let options = mbs_koji::xmlrpc::Struct::from([("skip_tag", true)]);
    Call::new("build").arg("git+https://src.example/rpms/perl?#abc").arg("m").arg(options)
}

fn task(value: &Value) -> TaskId {
    TaskId(value.as_int().expect("it is a task"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_ends_by_hand_and_its_release_has_the_dist_tag_of_the_macros() {
    let (hub, _) = hub().await;
    let mut mbs = Client::mbs(&hub);
    let id = task(&mbs.get(&build_perl()));
    hub.advance(id, Stage::Arches).expect("it lives");
    let rows = mbs.get(&Call::new("listBuilds").keyword("taskID", id.0));
    let row = &rows.as_array().expect("rows")[0];
    assert_eq!(row.member("nvr"), Some(&"perl-1.0-1.module_f40+1".into()));
    assert_eq!(row.member("state"), Some(&0.into()));
    hub.finish(id).expect("it lives");
    assert!(hub.live_tasks().is_empty());
    assert_eq!(hub.builds_of(&"perl".parse().expect("a name")), [Nvr::of("perl", "1.0", "1.module_f40+1")]);
    assert!(hub.take_hints().contains(&Hint::Task(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_build_of_one_nvr_can_only_fail_but_a_failed_one_is_taken_over() {
    let (hub, _) = hub().await;
    let mut mbs = Client::mbs(&hub);
    let first = task(&mbs.get(&build_perl()));
    hub.advance(first, Stage::Arches).expect("it lives");
    hub.fail(first, TaskFailure { reason: "it broke".into(), is_package_fault: true }).expect("it lives");
    assert_eq!(mbs.refused(&Call::new("getTaskResult").arg(first.0)), (1005, "it broke".into()));
    let second = task(&mbs.get(&build_perl()));
    hub.finish(second).expect("the row is taken over");
    let third = task(&mbs.get(&build_perl()));
    let error = hub.finish(third).expect_err("it exists");
    assert!(error.to_string().starts_with("Build already exists"), "{error}");
    assert_eq!(hub.live_tasks().len(), 1);
    let rows = mbs.get(&Call::new("listBuilds").keyword("packageID", "perl"));
    assert_eq!(rows.as_array().map(<[Value]>::len), Some(1));
    hub.delete_build(&Nvr::of("perl", "1.0", "1.module_f40+1"));
    hub.finish(third).expect("what was deleted can be built again");
}

#[tokio::test(flavor = "multi_thread")]
async fn tagging_is_refused_in_the_hubs_words() {
    let (hub, _) = hub().await;
    hub.plant_build("bash", "1", "1", &["x86_64"]);
    hub.plant_build("perl", "1", "1", &["x86_64"]);
    hub.plant_tag_as("locked", &TagPlan { is_locked: true, ..TagPlan::default() });
    hub.plant_tag_as("guarded", &TagPlan { permission: Some("sign".into()), ..TagPlan::default() });
    let mut mbs = Client::mbs(&hub);
    let tag = |tag: &str, nvr: &str| Call::new("tagBuild").arg(tag).arg(nvr);
    assert_eq!(mbs.refused(&tag("m", "bash-1-1")), (1003, "Package bash not in list for m".into()));
    assert_eq!(mbs.refused(&tag("locked", "perl-1-1")), (1004, "tag is locked".into()));
    assert_eq!(mbs.refused(&tag("guarded", "perl-1-1")), (1004, "tag requires sign permission".into()));
    assert_eq!(mbs.refused(&tag("no", "perl-1-1")), (1000, "No such tagInfo: 'no'".into()));
    assert_eq!(mbs.refused(&tag("m", "perl-9-9")), (1000, "No such build: 'perl-9-9'".into()));
    mbs.get(&tag("m", "perl-1-1"));
    let again = mbs.get(&tag("m", "perl-1-1"));
    let result = mbs.refused(&Call::new("getTaskResult").arg(again));
    assert_eq!(result, (1003, "build perl-1-1 already tagged (m)".into()));
    let name: TagName = "m".parse().expect("a name");
    assert_eq!(hub.builds_in(&name).len(), 1);
    mbs.get(&Call::new("untagBuild").arg("m").arg("perl-1-1"));
    let fault = mbs.refused(&Call::new("untagBuild").arg("m").arg("perl-1-1"));
    assert_eq!(fault, (1003, "build perl-1-1 not in tag m".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leaves_the_change_and_its_call_number() {
    let (hub, _) = hub().await;
    let mut mbs = Client::mbs(&hub);
    hub.faults().add(Rule::always(Trouble::ResetAfter).of(&["createTag"]).times(1));
    assert_eq!(mbs.send(1, &Call::new("createTag").arg("new")), None);
    let repeated = mbs.send(1, &Call::new("createTag").arg("new")).expect("it answers");
    assert_eq!(repeated.expect_err("it was done").code, FaultCode::RetryError);
    mbs.callnum = 1;
    assert!(!mbs.get(&Call::new("getTag").arg("new")).is_nil());
    hub.faults().add(Rule::always(Trouble::ResetBefore).of(&["createTag"]).times(1));
    assert_eq!(mbs.send(5, &Call::new("createTag").arg("newer")), None);
    assert!(mbs.send(5, &Call::new("createTag").arg("newer")).expect("it answers").is_ok());
    assert_eq!(hub.counters().calls_of("createTag"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_down_answers_nothing_until_it_is_back() {
    let (hub, _) = hub().await;
    let mbs = Client::mbs(&hub);
    hub.faults().set_down(true);
    assert_eq!(mbs.send(1, &Call::new("getAPIVersion")), None);
    hub.faults().set_down(false);
    assert_eq!(mbs.send(1, &Call::new("getAPIVersion")), Some(Ok(1.into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_expires_and_is_renewed_under_its_id_with_another_key() {
    let (hub, clock) = hub().await;
    let mut mbs = Client::mbs(&hub);
    clock.advance(Duration::from_hours(25));
    let text = format!("session \"{}\" has expired", mbs.id);
    assert_eq!(mbs.refused(&Call::new("getAPIVersion")), (1007, text));
    let login = Call::new("login").arg("mbs").arg("mbspw").keyword("renew", true).keyword("exclusive", false);
    let session = mbs.get(&login);
    assert_eq!(
        session.member("session-id").and_then(Value::as_int).map(|id| id.to_string()),
        Some(mbs.id.clone())
    );
    let key = session.member("session-key").and_then(Value::as_str).expect("a key").to_owned();
    assert_ne!(std::mem::replace(&mut mbs.key, key), mbs.key);
    mbs.callnum = 0;
    mbs.get(&Call::new("createTag").arg("after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_automatic_builder_ends_tasks_by_the_hubs_clock() {
    let (hub, clock) = hub().await;
    let minute = Duration::from_mins(1);
    let failures = [("tcl".to_owned(), "no".to_owned())].into();
    hub.auto(Builder { build: minute, repo: minute, failures, ..Builder::default() });
    let mut mbs = Client::mbs(&hub);
    let good = mbs.get(&build_perl());
    let bad = mbs.get(&Call::new("build").arg("git+https://src.example/rpms/tcl?#a").arg("m"));
    let repo = mbs.get(&Call::new("newRepo").arg("m-build"));
    clock.advance(minute / 2);
    assert_eq!(hub.live_tasks().len(), 3);
    clock.advance(minute);
    assert!(hub.live_tasks().is_empty());
    assert!(mbs.get(&Call::new("getTaskResult").arg(good)).is_nil());
    assert_eq!(mbs.refused(&Call::new("getTaskResult").arg(bad)).0, 1005);
    let result = mbs.get(&Call::new("getTaskResult").arg(repo));
    let shown = mbs.get(&Call::new("getRepo").arg("m-build"));
    assert_eq!(shown.member("id"), result.as_array().and_then(<[Value]>::first));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_walked_depth_first_and_refused_with_one_priority_twice() {
    let (hub, _) = hub().await;
    let mut mbs = Client::mbs(&hub);
    let f40 = mbs.get(&Call::new("getTagID").arg("f40"));
    let m = mbs.get(&Call::new("getTagID").arg("m"));
    let row = |parent: &Value, priority: i64| {
        mbs_koji::xmlrpc::Struct::from([
            ("parent_id", parent.clone()),
            ("priority", priority.into()),
            ("maxdepth", Value::Nil),
            ("intransitive", false.into()),
            ("noconfig", false.into()),
            ("pkg_filter", "".into()),
        ])
    };
    let rows: Value = [row(&m, 0)].into();
    let fault = mbs.refused(&Call::new("setInheritanceData").arg("m-build").arg(rows));
    assert_eq!(fault.0, 1000);
    assert!(fault.1.starts_with("Inheritance priorities must be unique (pri 0:"), "{}", fault.1);
    let rows: Value = [row(&m, 10)].into();
    mbs.get(&Call::new("setInheritanceData").arg("m-build").arg(rows));
    let rows: Value = [row(&f40, 0)].into();
    mbs.get(&Call::new("setInheritanceData").arg("m").arg(rows));
    let shown = mbs.get(&Call::new("getFullInheritance").arg("m-build"));
    let names: Vec<_> =
        shown.as_array().expect("rows").iter().map(|row| row.member("name").cloned()).collect();
    assert_eq!(names, [Some("f40".into()), Some("m".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_post_or_no_xml_never_reaches_the_hub() {
    let (hub, _) = hub().await;
    let host = hub.url().trim_start_matches("http://").trim_end_matches("/kojihub").to_owned();
    let get = Letter { verb: "GET".into(), place: "/kojihub".into(), ..Letter::default() };
    let reply = send(&host, &get).expect("it answers");
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "POST"));
    let chunked = [("Transfer-Encoding".to_owned(), "chunked".to_owned())].into();
    let body = b"0\r\n\r\n".to_vec();
    let letter = Letter { verb: "POST".into(), place: "/kojihub".into(), headers: chunked, body };
    assert_eq!(send(&host, &letter).expect("it answers").status, 411);
    for nonsense in [&b""[..], b"<methodCall>", b"<?xml version='1.0'?><!DOCTYPE a []><methodCall/>"] {
        assert_eq!(post(&hub, &[], nonsense).expect("it answers").status, 400);
    }
    let long = vec![b' '; (4 << 20) + 1];
    assert_eq!(post(&hub, &[], &long).expect("it answers").status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_hub_knows_no_repository_requests() {
    let hub =
        FakeHub::start(Setup { version: "1.34.1".into(), ..Setup::default() }).await.expect("a port is free");
    hub.plant_tag("f40", &["x86_64"]);
    let mut mbs = Client::mbs(&hub);
    let fault = mbs.refused(&Call::new("repo.request").arg("f40"));
    assert_eq!(fault, (1000, "Invalid method: repo.request".into()));
    let reply = post(&hub, &[], encode_call(&Call::new("getAPIVersion")).as_bytes()).expect("it answers");
    assert_eq!(reply.headers.get("koji-version"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_shows_its_tag_as_it_was_when_it_was_asked_for() {
    let (hub, _) = hub().await;
    hub.plant_build("perl", "1", "1", &["x86_64"]);
    let mut mbs = Client::mbs(&hub);
    let repo = task(&mbs.get(&Call::new("newRepo").arg("m-build")));
    mbs.get(&Call::new("tagBuild").arg("m-build").arg("perl-1-1"));
    hub.finish(repo).expect("it lives");
    let seen = hub.newest_repo(&"m-build".parse().expect("a name")).expect("there is one");
    let latest = |event: i64| {
        Call::new("getLatestBuilds").arg("m-build").keyword("event", event).keyword("package", "perl")
    };
    assert_eq!(mbs.get(&latest(seen.event.0)), Value::Array(Vec::new()));
    let now = mbs.get(&Call::new("getLatestBuilds").arg("m-build").keyword("package", "perl"));
    assert_eq!(now.as_array().map(<[Value]>::len), Some(1));
}
