//! Does the client keep its promises when the hub, or the way to it, does not?

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_core::clock::Clock;
use mbs_koji::hub::{Hub, HubError, Session, User};
use mbs_koji::profile::{Login, Profile, Secret};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Struct, Value, decode_call, encode_response};

use crate::server::{Server, Skipping, Taken, Turn, bytes};

/// A server with a script, and a client of it.
struct Scene {
    server: Server,
    hub: Hub,
    clock: Arc<Skipping>,
}

impl Scene {
    async fn of(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::with(turns, |_| {}).await
    }

    async fn with(turns: impl IntoIterator<Item = Turn>, change: impl FnOnce(&mut Profile)) -> Self {
        let server = Server::start(turns, None).await;
        let login = Login::Password { user: "mbs".to_owned(), password: Secret::new("hidden") };
        let mut profile = Profile::new("test", format!("{}/kojihub", server.address), login);
        profile.retry.max_retries = 0;
        change(&mut profile);
        let clock = Arc::new(Skipping::default());
        let hub = Hub::new(&profile, clock.clone() as Arc<dyn Clock>).unwrap();
        Self { server, hub, clock }
    }

    /// Returns the methods that came, with the session's number and the call's.
    fn came(&self) -> Vec<(String, Option<i64>, Option<i64>)> {
        let told = |taken: &Taken| {
            let method = match decode_call(&taken.body) {
                Ok(call) => call.method().to_owned(),
                Err(_) => "(file)".to_owned(),
            };
            (method, taken.header("koji-session-id").map(|id| id.parse().unwrap()), taken.callnum())
        };
        self.server.taken().iter().map(told).collect()
    }
}

fn said(value: impl Into<Value>) -> Turn {
    Turn::xml(&encode_response(Ok(&value.into())))
}

fn refused(code: FaultCode) -> Turn {
    Turn::xml(&encode_response(Err(&Fault::new(code, "no"))))
}

/// The answer to a login that begins a session of this number.
fn begun(id: i64) -> Turn {
    let members = [
        ("session-id", Value::Int(id)),
        ("session-key", format!("key-{id}").into()),
        ("header-auth", true.into()),
    ];
    said(Struct::from(members))
}

fn create() -> Call {
    Call::new("createTag").arg("f40")
}

fn login() -> (String, Option<i64>, Option<i64>) {
    ("login".to_owned(), None, None)
}

fn created(session: i64, callnum: i64) -> (String, Option<i64>, Option<i64>) {
    ("createTag".to_owned(), Some(session), Some(callnum))
}

fn unknown_effect(outcome: &Result<Value, HubError>) -> bool {
    matches!(outcome, Err(error @ HubError::Unreachable { .. }) if error.effect() == Effect::Unknown && error.is_transient())
}

#[tokio::test]
async fn writes_share_a_session_and_count_their_calls() {
    let scene = Scene::of([begun(7), said(1), said(2), refused(FaultCode::TagError), said(3)]).await;
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    assert_eq!(scene.hub.write(&create()).await, Ok(2.into()));
    let error = scene.hub.write(&create()).await.unwrap_err();
    assert_eq!(error, HubError::Fault(Fault::new(FaultCode::TagError, "no")));
    assert_eq!(scene.hub.write(&create()).await, Ok(3.into()));
    assert_eq!(scene.came(), [login(), created(7, 0), created(7, 1), created(7, 2), created(7, 3)]);
    let figures = scene.hub.figures();
    assert_eq!((figures.logins, figures.writes, figures.reads, figures.uploads), (1, 4, 0, 0));
    assert_eq!((figures.requests(), figures.faults, figures.failed, figures.repeated), (5, 1, 0, 0));
    assert!(figures.bytes_sent > 500 && figures.bytes_received > 500 && figures.longest <= figures.total);
}

#[tokio::test]
async fn reads_have_no_session() {
    let scene = Scene::of([said(1)]).await;
    assert_eq!(scene.hub.read(&Call::new("getTag").arg("f40")).await, Ok(1.into()));
    assert_eq!(scene.came(), [("getTag".to_owned(), None, None)]);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_once_more_under_the_same_number_over_a_new_connection() {
    let scene = Scene::of([begun(7), Turn::Close, said(1)]).await;
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    let taken = scene.server.taken();
    assert_eq!((taken[1].callnum(), taken[2].callnum()), (Some(0), Some(0)));
    assert_eq!(taken[1].body, taken[2].body);
    assert_ne!(taken[1].connection, taken[2].connection);
    assert_eq!((scene.hub.figures().repeated, scene.hub.figures().failed), (1, 1));
    assert!(scene.clock.pauses().is_empty());
}

#[tokio::test]
async fn the_repeat_does_not_meet_the_next_dead_connection() {
    let scene = Scene::of([said(1), said(1), Turn::Close, said(2)]).await;
    let call = create();
    let (one, other) = tokio::join!(scene.hub.read(&call), scene.hub.read(&call));
    assert_eq!((one, other), (Ok(1.into()), Ok(1.into())));
    // Two connections stand. One is closed now, and the other may be as dead.
    assert_eq!(scene.hub.read(&call).await, Ok(2.into()));
    let connections: Vec<usize> = scene.server.taken().iter().map(|taken| taken.connection).collect();
    assert_eq!((connections.len(), connections[3]), (4, 2), "{connections:?}");
}

#[tokio::test]
async fn half_an_answer_is_a_lost_one() {
    let whole = bytes(200, &[("Content-Type", "text/xml")], encode_response(Ok(&1.into())).as_bytes());
    let half = Turn::Last(whole[..whole.len() - 20].to_vec());
    let scene = Scene::of([half.clone(), said(1), half.clone(), half]).await;
    assert_eq!(scene.hub.read(&create()).await, Ok(1.into()));
    let error = scene.hub.read(&create()).await.unwrap_err();
    assert!(matches!(error, HubError::Unreachable { effect: Effect::None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_done_if_the_hub_says_so() {
    let scene = Scene::of([begun(7), Turn::Close, refused(FaultCode::RetryError), said(2)]).await;
    let error = scene.hub.write(&create()).await.unwrap_err();
    assert_eq!(error, HubError::Done { method: "createTag".to_owned() });
    assert_eq!((error.effect(), error.is_transient()), (Effect::Unknown, false));
    assert_eq!(scene.hub.write(&create()).await, Ok(2.into()));
    assert_eq!(scene.came(), [login(), created(7, 0), created(7, 0), created(7, 1)]);
}

#[tokio::test]
async fn a_session_whose_last_call_is_in_doubt_is_not_used_again() {
    let scene = Scene::of([begun(7), Turn::Close, Turn::Close, begun(8), said(1)]).await;
    assert!(unknown_effect(&scene.hub.write(&create()).await));
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    assert_eq!(scene.came(), [login(), created(7, 0), created(7, 0), login(), created(8, 0)]);
}

#[tokio::test]
async fn a_session_whose_caller_went_away_is_not_used_again() {
    let scene = Scene::of([begun(7), Turn::Hang, begun(8), said(1)]).await;
    let call = create();
    let mut write = Box::pin(scene.hub.write(&call));
    let mut taken = Vec::new();
    while taken.len() < 2 {
        tokio::select! {
            outcome = &mut write => panic!("{outcome:?}"),
            () = tokio::task::yield_now() => taken.extend(scene.came()),
        }
    }
    drop(write);
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    taken.extend(scene.came());
    assert_eq!(taken, [login(), created(7, 0), login(), created(8, 0)]);
}

#[tokio::test]
async fn after_a_lost_answer_an_ended_session_leaves_the_effect_unknown() {
    for code in [FaultCode::AuthExpired, FaultCode::AuthError, FaultCode::ServerOffline] {
        let scene = Scene::of([begun(7), Turn::Close, refused(code)]).await;
        let outcome = scene.hub.write(&create()).await;
        assert!(unknown_effect(&outcome), "{outcome:?}");
        assert_eq!(scene.came().len(), 3);
    }
}

#[tokio::test]
async fn an_expired_session_is_renewed_and_the_call_repeated() {
    let scene = Scene::of([begun(7), said(1), refused(FaultCode::AuthExpired), begun(7), said(2)]).await;
    scene.hub.write(&create()).await.unwrap();
    assert_eq!(scene.hub.write(&create()).await, Ok(2.into()));
    let taken = scene.server.taken();
    let renewal = decode_call(&taken[3].body).unwrap();
    let keyword = |name| renewal.keywords().unwrap().member(name);
    assert_eq!((keyword("renew"), keyword("exclusive")), (Some(&true.into()), Some(&false.into())));
    assert_eq!(
        (taken[3].header("koji-session-id"), taken[3].header("koji-session-key")),
        (Some("7"), Some("key-7"))
    );
    assert_eq!((taken[4].callnum(), taken[4].body == taken[2].body), (Some(0), true));
}

#[tokio::test]
async fn a_closed_session_is_replaced_and_the_call_repeated_once() {
    let closed = || refused(FaultCode::AuthError);
    let scene = Scene::of([begun(7), closed(), begun(8), said(1), closed(), begun(9), closed()]).await;
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    let error = scene.hub.write(&create()).await.unwrap_err();
    assert_eq!(error, HubError::Fault(Fault::new(FaultCode::AuthError, "no")));
    let wanted = [login(), created(7, 0), login(), created(8, 0), created(8, 1), login(), created(9, 0)];
    assert_eq!(scene.came(), wanted);
}

#[tokio::test]
async fn refused_credentials_are_no_fault_of_the_call() {
    let scene = Scene::of([refused(FaultCode::AuthError)]).await;
    let error = scene.hub.write(&create()).await.unwrap_err();
    assert_eq!(error, HubError::Login { reason: "no".to_owned(), is_transient: false });
    assert_eq!(error.effect(), Effect::None);
    assert!(!format!("{:?} {error:?}", scene.hub).contains("hidden"));
}

#[tokio::test]
async fn without_a_login_only_reads_work() {
    let scene = Scene::with([said(1)], |profile| profile.login = Login::Anonymous).await;
    let error = scene.hub.write(&create()).await.unwrap_err();
    assert!(matches!(&error, HubError::Login { reason, .. } if reason.contains("noauth")), "{error}");
    assert_eq!(scene.hub.read(&create()).await, Ok(1.into()));
    assert_eq!(scene.server.taken().len(), 1);
}

#[tokio::test]
async fn servers_in_between_are_waited_for_as_often_as_the_profile_says() {
    let busy = |after| Turn::of(503, &[("Retry-After", after)], b"<html><h1>Busy</h1></html>");
    let scene = Scene::with([busy("3"), busy("60"), busy("90"), said(1)], |profile| {
        profile.retry.max_retries = 2;
    });
    let scene = scene.await;
    let error = scene.hub.read(&create()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    assert_eq!(error.to_string(), "the hub cannot be reached: HTTP 503 and the words `Busy`");
    assert_eq!(scene.clock.pauses(), [20, 60].map(Duration::from_secs));
    assert_eq!(scene.hub.read(&create()).await, Ok(1.into()));
}

#[tokio::test]
async fn a_hub_that_is_offline_is_waited_for_only_if_the_profile_says_so() {
    let off = || refused(FaultCode::ServerOffline);
    let scene = Scene::of([off()]).await;
    let error = scene.hub.read(&create()).await.unwrap_err();
    assert_eq!((&error, error.is_transient()), (&HubError::Offline { reason: "no".to_owned() }, true));

    let turns = [begun(7), off(), off(), said(1)];
    let scene = Scene::with(turns, |profile| profile.retry.offline_retry = true).await;
    assert_eq!(scene.hub.write(&create()).await, Ok(1.into()));
    assert_eq!(scene.came(), [login(), created(7, 0), created(7, 0), created(7, 0)]);
    assert_eq!(scene.clock.pauses(), [Duration::from_secs(20); 2]);
}

#[tokio::test]
async fn a_hub_that_is_not_there_has_done_nothing() {
    let scene = Scene::of([begun(7), said(1)]).await;
    scene.hub.write(&create()).await.unwrap();
    let Scene { server, hub, .. } = scene;
    // The connection that stands is closed, and no other is accepted.
    server.then([Turn::Close]);
    assert!(unknown_effect(&hub.write(&create()).await));
    drop(server);
    tokio::task::yield_now().await;
    let error = hub.write(&create()).await.unwrap_err();
    assert!(matches!(error, HubError::Unreachable { effect: Effect::None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_call_ends_with_its_time() {
    let scene =
        Scene::with([begun(7), Turn::Hang], |profile| profile.timeout = Duration::from_millis(50)).await;
    // A login has a time of its own.
    let mut session = Session::log_in(&scene.hub).await.unwrap();
    let outcome = session.call(&create()).await;
    assert!(unknown_effect(&outcome) && session.is_in_doubt(), "{outcome:?}");
    let said = outcome.unwrap_err().to_string();
    assert_eq!(said, "the hub cannot be reached: createTag was not answered in time");
}

#[tokio::test]
async fn no_session_has_two_calls_at_a_time() {
    let turns = [begun(7), Turn::Hang, begun(8), said(1)];
    let scene = Scene::with(turns, |profile| profile.sessions = 2).await;
    let call = create();
    let mut stuck = Box::pin(scene.hub.write(&call));
    let mut came = Vec::new();
    while came.len() < 2 {
        tokio::select! {
            outcome = &mut stuck => panic!("{outcome:?}"),
            () = tokio::task::yield_now() => came.extend(scene.came()),
        }
    }
    assert_eq!(scene.hub.write(&call).await, Ok(1.into()));
    came.extend(scene.came());
    assert_eq!(came, [login(), created(7, 0), login(), created(8, 0)]);
}

#[tokio::test]
async fn long_answers_are_not_read() {
    let long = "x".repeat(5000);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n{long}\r\n1388\r\n{long}\r\n0\r\n\r\n"
    );
    let turns = [said(long.as_str()), Turn::Answer(chunked.into_bytes()), packed(&"y".repeat(1 << 20))];
    let scene = Scene::with(turns, |profile| profile.max_answer_bytes = 5000).await;
    for _ in 0..3 {
        let error = scene.hub.read(&create()).await.unwrap_err();
        assert_eq!(error.to_string(), "the hub's answer to createTag is longer than 5000 bytes");
        assert_eq!(error.effect(), Effect::None);
    }
}

/// An answer in gzip.
fn packed(text: &str) -> Turn {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(encode_response(Ok(&text.into())).as_bytes()).unwrap();
    let headers = [("Content-Type", "text/xml"), ("Content-Encoding", "gzip"), ("Koji-Version", "1.35.3")];
    Turn::of(200, &headers, &gzip.finish().unwrap())
}

#[tokio::test]
async fn packed_and_large_answers_are_read() {
    let text = "z".repeat(1 << 20);
    let scene = Scene::of([packed(&text)]).await;
    assert_eq!(scene.hub.version(), None);
    assert_eq!(scene.hub.read(&create()).await, Ok(text.into()));
    assert_eq!(scene.hub.version().as_deref(), Some("1.35.3"));
    let accepted = scene.server.taken()[0].header("accept-encoding").map(str::to_owned);
    assert_eq!(accepted.as_deref(), Some("gzip"));
}

#[tokio::test]
async fn what_is_no_answer_is_told_in_few_words() {
    let page = format!(
        "<html><head><title>Welcome   to\u{7} the proxy</title></head>{}</html>",
        "<p>secret".repeat(1000)
    );
    let html: [(&str, &str); 1] = [("Content-Type", "text/html")];
    let cases = [
        (
            Turn::of(200, &html, page.as_bytes()),
            "the hub's answer to createTag cannot be read: HTTP 200 and the words `Welcome to the proxy secret secret secret secret`",
        ),
        (
            Turn::of(200, &html, b""),
            "the hub's answer to createTag cannot be read: HTTP 200 and nothing that can be read",
        ),
        (Turn::xml("<methodResponse>"), "the hub's answer to createTag cannot be read: "),
        (
            Turn::of(403, &html, b"<h1>Forbidden</h1>"),
            "the hub does not let us in: HTTP 403 and the words `Forbidden`",
        ),
        (
            Turn::of(404, &html, b"<h1>Not Found</h1>"),
            " is no hub for us: HTTP 404 and the words `Not Found`",
        ),
    ];
    for (turn, wanted) in cases {
        let scene = Scene::of([turn]).await;
        let said = scene.hub.read(&create()).await.unwrap_err().to_string();
        assert!(said.contains(wanted) && said.len() < 200, "{said}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start([said(1)], None).await;
    for status in [301, 302, 307, 308] {
        let place = format!("{}/kojihub", elsewhere.address);
        let scene = Scene::of([Turn::of(status, &[("Location", &place)], b"")]).await;
        let error = scene.hub.read(&create()).await.unwrap_err();
        assert!(matches!(&error, HubError::Configuration { what, .. } if what.contains(&place)), "{error}");
    }
    assert!(elsewhere.taken().is_empty());
}

#[tokio::test]
async fn many_calls_are_few_requests_and_their_answers_in_order() {
    let row = |number: i64| Value::from([Value::Int(number)]);
    let failed = Struct::from([("faultCode", Value::Int(1000)), ("faultString", "no".into())]);
    let first: Value = (0..499).map(row).chain([failed.into()]).collect();
    let second: Value = (500..503).map(row).collect();
    let calls: Vec<Call> =
        (0..503).map(|number: i64| Call::new("getBuild").arg(number).keyword("strict", true)).collect();

    let scene = Scene::of([said(first.clone()), said(second.clone())]).await;
    let answers = scene.hub.read_all(&calls).await.unwrap();
    assert_eq!((answers.len(), &answers[7], &answers[502]), (503, &Ok(7.into()), &Ok(502.into())));
    assert_eq!(answers[499], Err(Fault::new(FaultCode::GenericError, "no")));
    assert_eq!(scene.came(), [("multiCall".to_owned(), None, None), ("multiCall".to_owned(), None, None)]);

    let scene = Scene::of([begun(7), said(first.clone()), said(second)]).await;
    assert_eq!(scene.hub.write_all(&calls).await, Ok(answers));
    assert_eq!(scene.came()[2], ("multiCall".to_owned(), Some(7), Some(1)));

    // What was done before a refusal stays done.
    let scene = Scene::of([begun(7), said(first), refused(FaultCode::ServerOffline)]).await;
    let error = scene.hub.write_all(&calls).await.unwrap_err();
    assert_eq!((error.effect(), error.is_transient()), (Effect::Unknown, true));
    assert!(error.to_string().contains("after 500 calls were done"), "{error}");
}

#[tokio::test]
async fn nothing_to_ask_is_no_request() {
    let scene = Scene::of([]).await;
    assert_eq!(scene.hub.read_all(&[]).await, Ok(Vec::new()));
    assert_eq!(scene.hub.write_all(&[]).await, Ok(Vec::new()));
    assert_eq!(scene.hub.figures().requests(), 0);
}

#[tokio::test]
async fn answers_that_fit_no_calls_are_refused() {
    let few = Value::from([Value::from([1])]);
    let cases = [
        (few, "1 answers to 2 calls"),
        (1.into(), "an integer in place of a list"),
        (Value::from([1, 2]), "an integer among the answers"),
    ];
    for (answer, wanted) in cases {
        let scene = Scene::of([said(answer.clone()), begun(7), said(answer)]).await;
        let calls = [create(), create()];
        for (outcome, effect) in [
            (scene.hub.read_all(&calls).await, Effect::None),
            (scene.hub.write_all(&calls).await, Effect::Unknown),
        ] {
            let error = outcome.unwrap_err();
            assert!(error.to_string().ends_with(wanted) && error.effect() == effect, "{error:?}");
        }
    }
}

#[tokio::test]
async fn who_we_are_is_asked_once() {
    let user = Struct::from([("id", Value::Int(2)), ("name", "mbs".into())]);
    let scene = Scene::of([begun(7), said(user)]).await;
    let wanted = User { id: 2, name: "mbs".to_owned() };
    assert_eq!((scene.hub.user().await, scene.hub.clone().user().await), (Ok(wanted.clone()), Ok(wanted)));
    assert_eq!(scene.came(), [login(), ("getLoggedInUser".to_owned(), Some(7), Some(0))]);
}

#[tokio::test]
async fn sessions_that_nobody_uses_are_ended() {
    let scene = Scene::of([begun(7), said(1), said(Value::Nil), begun(8), said(2)]).await;
    scene.hub.write(&create()).await.unwrap();
    scene.hub.log_out().await;
    scene.hub.write(&create()).await.unwrap();
    let logout = ("logout".to_owned(), Some(7), Some(1));
    assert_eq!(scene.came(), [login(), created(7, 0), logout, login(), created(8, 0)]);
}

/// The hub's word about a part or a whole.
fn arrived(size: i64, sum: &str) -> Turn {
    said(Struct::from([("size", Value::Int(size)), ("hexdigest", sum.into())]))
}

#[tokio::test]
async fn a_part_that_was_lost_goes_out_again_and_the_whole_is_checked() {
    let turns = [
        begun(7),
        said(Value::Nil),
        arrived(4, "03d8018b"),
        Turn::Close,
        arrived(2, "013200cc"),
        arrived(6, "081e0256"),
    ];
    let scene = Scene::with(turns, |profile| profile.upload_blocksize = 4).await;
    assert_eq!(scene.hub.upload("mbs/1.2", "a b", b"abcdef").await, Ok(()));
    let taken = scene.server.taken();
    let target = |at: usize| taken[at].target.as_str();
    let begin = "/kojihub?filename=a+b&filepath=mbs%2F1.2&fileverify=adler32";
    assert_eq!(target(2), format!("{begin}&offset=0&overwrite=1"));
    assert_eq!((target(3), target(4)), (format!("{begin}&offset=4&overwrite=1").as_str(), target(3)));
    assert_eq!((taken[3].callnum(), taken[4].callnum()), (Some(2), Some(2)));
    assert_eq!((taken[3].body.as_slice(), taken[4].body.as_slice()), (&b"ef"[..], &b"ef"[..]));
    let check = decode_call(&taken[5].body).unwrap();
    assert_eq!(check, Call::new("checkUpload").arg("mbs/1.2").arg("a b").keyword("verify", "adler32"));
}

#[tokio::test]
async fn a_part_that_arrived_wrong_goes_out_once_more() {
    let wrong = || arrived(6, "00000000");
    let turns = [begun(7), said(Value::Nil), wrong(), arrived(6, "081e0256"), arrived(6, "081e0256")];
    let scene = Scene::of(turns).await;
    assert_eq!(scene.hub.upload("mbs/1.2", "a", b"abcdef").await, Ok(()));
    assert_eq!(scene.hub.figures().uploads, 2);

    let scene = Scene::of([begun(7), said(Value::Nil), wrong(), wrong()]).await;
    let error = scene.hub.upload("mbs/1.2", "a", b"abcdef").await.unwrap_err();
    assert!(error.to_string().ends_with("the sum of what arrived differs"), "{error}");

    let scene = Scene::of([begun(7), said(Value::Nil), arrived(6, "081e0256"), arrived(5, "")]).await;
    let error = scene.hub.upload("mbs/1.2", "a", b"abcdef").await.unwrap_err();
    assert!(error.to_string().ends_with("6 bytes were sent, and another number arrived"), "{error}");
}

#[tokio::test]
async fn nothing_is_uploaded_beside_the_work_area() {
    let places = [
        ("", "a"),
        ("/etc", "a"),
        ("a/../b", "a"),
        ("a//b", "a"),
        ("a", ""),
        ("a", ".."),
        ("a", "b/c"),
        ("a\0", "b"),
    ];
    for (directory, name) in places {
        let scene = Scene::of([begun(7)]).await;
        let error = scene.hub.upload(directory, name, b"").await.unwrap_err();
        assert!(matches!(error, HubError::Configuration { .. }), "{directory:?} {name:?}: {error}");
        assert_eq!(scene.hub.figures().uploads + scene.hub.figures().writes, 0);
    }
}

#[test]
fn addresses_that_lead_to_no_hub_are_refused() {
    for server in
        ["", "kojihub", "ftp://h/kojihub", "http://me:pw@h/kojihub", "http://h/kojihub?a=b", "http://h/#a"]
    {
        let profile = Profile::new("test", server, Login::Anonymous);
        let error = Hub::new(&profile, Arc::new(Skipping::default())).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("profile `test`: server ") && !said.contains("pw"), "{said}");
    }
}
