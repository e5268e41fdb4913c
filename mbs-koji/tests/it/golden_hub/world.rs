//! A hub in the state a recording begins in, as far as the recording has told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mbs_koji::fake_hub::{FakeHub, RequestsBegin, RowKind, Setup, Tagging, UserSetup};
use mbs_koji::xmlrpc::{Call, Struct, Value, decode_response, encode_call};
use serde_json::Value as Json;

use super::book::{Book, FLOOR, ROOM};
use super::kinds::{self, Kind};
use super::script::{Script, uploads, user_of_key};
use crate::recorded::text;
use crate::send::{Letter, send};

/// The users of the recorded hub: name, password, permissions. Source: the recordings' README.
const USERS: &[(&str, &str, &[&str])] = &[
    ("kojiadmin", "adminpw", &["admin"]),
    ("mbs", "mbspw", &["repo", "tag", "target", "build", "mbs-tag-lock"]),
    ("nobody", "nopw", &[]),
    ("blocked", "blockedpw", &[]),
    ("kojira", "kojirapw", &["repo"]),
    ("buildhost1", "hostpw", &["host"]),
];

/// A hub and what is known of it.
pub(super) struct World {
    pub(super) hub: FakeHub,
    pub(super) book: Book,
    pub(super) script: Script,
    /// What was planted or came out of the recording's own calls, in words.
    pub(super) known: BTreeSet<String>,
    /// Tasks that the recording made, by recorded id: the calls.
    pub(super) tasks: BTreeMap<i64, Call>,
    /// The user of the session that asks.
    pub(super) caller: i64,
    /// What the recording uploads, by path.
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    /// Tagging tasks that have not ended: task, tag, build.
    pub(super) tagging: Vec<(i64, i64, Value)>,
}

impl World {
    pub(super) async fn of(exchanges: &[Json], script: Script) -> Self {
        let hub = FakeHub::start(setup(exchanges)).await.expect("a port is free");
        hub.plant_ids_above(FLOOR);
        let world = Self {
            hub,
            book: Book::default(),
            script,
            known: BTreeSet::new(),
            tasks: BTreeMap::new(),
            tagging: Vec::new(),
            caller: 0,
            uploads: uploads(exchanges),
        };
        world.plant_first_event();
        world.plant_permissions();
        world.plant_users(exchanges);
        world
    }

    /// Returns host and port.
    pub(super) fn host(&self) -> String {
        self.hub.url().trim_start_matches("http://").trim_end_matches("/kojihub").to_owned()
    }

    /// Asks our hub something, anonymously.
    pub(super) fn ask(&self, call: &Call) -> Value {
        let body = encode_call(call).into_bytes();
        let headers = vec![("Content-Length".into(), body.len().to_string())];
        let letter = Letter { verb: "POST".into(), place: "/kojihub".into(), headers, body };
        let reply = send(&self.host(), &letter).expect("our hub answers");
        decode_response(&reply.body).expect("it is XML-RPC").expect("it is no fault")
    }

    /// Notes a fact, and says whether it is new.
    pub(super) fn learn(&mut self, fact: String) -> bool {
        self.known.insert(fact)
    }

    /// Says whether a fact is known.
    pub(super) fn knows(&self, fact: &str) -> bool {
        self.known.contains(fact)
    }

    /// Plants a row as it was recorded, with our ids.
    pub(super) fn plant(&self, kind: RowKind, row: &Struct) {
        self.hub.plant_row(kind, &self.with_our_ids(row));
    }

    fn with_our_ids(&self, row: &Struct) -> Struct {
        let member = |(name, value): (&str, &Value)| {
            let ours = match (kinds::of_member(name, row), value) {
                (Some(kind), Value::Int(id)) => self.book.ours(kind, *id).into(),
                (_, Value::Array(values)) => values.iter().map(|value| self.inner(value)).collect(),
                (_, value) => value.clone(),
            };
            (name.into(), ours)
        };
        row.iter().map(member).collect()
    }

    fn inner(&self, value: &Value) -> Value {
        value.as_struct().map_or_else(|| value.clone(), |row| self.with_our_ids(row).into())
    }

    /// Lets events of our hub come after those that were over before the recording.
    fn plant_first_event(&self) {
        let events = self.script.rows_from(0).flat_map(|row| {
            let members = row.iter().filter(|(name, _)| kinds::of_member(name, row) == Some(Kind::Event));
            members.filter_map(|(_, value)| value.as_int())
        });
        let calls =
            self.script.exchanges.iter().flatten().filter_map(|step| step.call.keywords()?.member("event"));
        let asked = calls.filter_map(Value::as_int).max().unwrap_or(1);
        let first = events.min().map_or(asked, |event| (event - 1).max(1));
        self.hub.plant_row(RowKind::Event, &Struct::from([("id", first * ROOM)]));
    }

    fn plant_permissions(&self) {
        for ((kind, name), id) in &self.script.names {
            if *kind == Kind::Permission {
                self.plant(
                    RowKind::Permission,
                    &Struct::from([("id", Value::from(*id)), ("name", name.into())]),
                );
            }
        }
        for ((kind, _), row) in &self.script.rows {
            if let (Kind::Tag, Some(id), Some(name)) = (kind, row.member("perm_id"), row.member("perm"))
                && id.as_int().is_some()
            {
                let row = Struct::from([("id", id.clone()), ("name", name.clone())]);
                self.plant(RowKind::Permission, &row);
            }
        }
    }

    fn plant_users(&self, exchanges: &[Json]) {
        let made = |name: &str| {
            exchanges.iter().any(|exchange| {
                let is_created = exchange["method"] == "createUser" && exchange["params"][0] == name;
                is_created || text(exchange, "client_cert_subject") == Some(name)
            })
        };
        let mut users: BTreeMap<i64, String> = BTreeMap::new();
        for ((kind, name), id) in &self.script.names {
            // A certificate of an unknown user makes one.
            if *kind == Kind::User && (USERS.iter().any(|user| user.0 == name) || !made(name)) {
                users.insert(*id, name.clone());
            }
        }
        for (id, name) in named_by_faults(exchanges) {
            users.entry(id).or_insert(name);
        }
        for (at, (name, ..)) in (1..).zip(USERS) {
            if !users.values().any(|known| known == name) {
                let free = (at..).chain(1..).find(|id| !users.contains_key(id)).unwrap_or(at);
                users.insert(free, (*name).to_owned());
            }
        }
        for (id, name) in &users {
            self.plant_user(*id, name, exchanges);
        }
    }

    fn plant_user(&self, id: i64, name: &str, exchanges: &[Json]) {
        let known = USERS.iter().find(|user| user.0 == name);
        let password = password_of(name, exchanges).or(known.map(|user| user.1.to_owned()));
        let listed = listed_permissions(id, exchanges);
        let usual = known.map(|user| user.2.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>());
        let permissions = listed.or(usual).unwrap_or_default();
        let row = self.script.rows.get(&(Kind::User, id));
        let principals = row.and_then(|row| row.member("krb_principals")).cloned();
        let is_blocked = i64::from(name == "blocked");
        let row = Struct::from([
            ("id", Value::from(id)),
            ("name", name.into()),
            ("password", password.into()),
            ("krb_principals", principals.unwrap_or_else(|| [format!("{name}@TEST")].into())),
            ("status", row.and_then(|row| row.member("status")).cloned().unwrap_or(is_blocked.into())),
            ("usertype", i64::from(name == "buildhost1").into()),
            ("permissions", permissions.into_iter().collect()),
        ]);
        self.hub.plant_row(RowKind::User, &row);
    }
}

fn setup(exchanges: &[Json]) -> Setup {
    let version =
        exchanges.iter().find_map(|exchange| exchange["http_response_headers"]["Koji-Version"].as_str());
    let proxies = exchanges.iter().filter(|exchange| {
        exchange["method"] == "sslLogin"
            && exchange.get("result").is_some()
            && exchange["params"][0]["proxyuser"].is_string()
    });
    let suffix = subject_suffix(exchanges);
    let subject = |exchange: &Json| Some(format!("CN={}{suffix}", text(exchange, "client_cert_subject")?));
    Setup {
        users: Vec::<UserSetup>::new(),
        version: version.unwrap_or("1.34.0").to_owned(),
        session_lifetime: Duration::from_hours(24 * 365),
        proxy_subjects: proxies.filter_map(subject).collect(),
        asks_for_negotiate: exchanges.iter().any(|exchange| exchange["http_status"] == 401),
        requests_begin: RequestsBegin::ByHand,
        tagging: Tagging::ByHand,
        ..Setup::default()
    }
}

/// Returns what certificate subjects have behind the name, as faults quote it.
pub(super) fn subject_suffix(exchanges: &[Json]) -> String {
    let faults = exchanges.iter().filter_map(|exchange| exchange["fault"]["faultString"].as_str());
    let subject = faults.filter_map(|fault| fault.strip_suffix(" is not authorized to login other users"));
    let suffix = subject.filter_map(|subject| subject.find(',').map(|at| subject[at..].to_owned()));
    suffix.into_iter().next().unwrap_or_default()
}

/// Returns the users whose names faults tell, with the ids that begin the keys of their sessions.
fn named_by_faults(exchanges: &[Json]) -> BTreeMap<i64, String> {
    let named = |exchange: &Json| {
        let key = exchange["http_request_headers"]["Koji-Session-Key"].as_str()?;
        let answer = exchange["response_xml"].as_str()?;
        let (_, name) = answer.split_once("(logged in as ")?;
        Some((user_of_key(key)?, name.split(')').next()?.to_owned()))
    };
    exchanges.iter().filter_map(named).collect()
}

fn password_of(name: &str, exchanges: &[Json]) -> Option<String> {
    let logins =
        exchanges.iter().filter(|exchange| exchange["method"] == "login" && exchange.get("result").is_some());
    let own = logins.filter(|exchange| exchange["params"][0] == name);
    own.filter_map(|exchange| exchange["params"][1].as_str().map(str::to_owned)).next()
}

fn listed_permissions(user: i64, exchanges: &[Json]) -> Option<Vec<String>> {
    let own = exchanges.iter().filter(|exchange| {
        let key = exchange["http_request_headers"]["Koji-Session-Key"].as_str();
        exchange["method"] == "getPerms" && key.and_then(user_of_key) == Some(user)
    });
    own.filter_map(|exchange| serde_json::from_value(exchange["result"].clone()).ok()).next()
}
