//! Tests of what becomes of files.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::config::{Config, Place};

fn from(text: &str) -> Imported {
    let file = PythonFile::read("/etc/mbs/config.py", text);
    imported(&file, section(&file, None).unwrap())
}

fn config(imported: &Imported) -> Config {
    Config::read("mbs.toml", &imported.toml, &[], None).unwrap()
}

const OLD: &str = r#"
from os import path

# Where this is.
confdir = path.abspath(path.dirname(__file__))
dbdir = path.abspath(path.join(confdir, "..")) if confdir.endswith("conf") else confdir


class BaseConfiguration(object):
    DEBUG = False
    SECRET_KEY = "geheim"
    SQLALCHEMY_DATABASE_URI = "sqlite:///{0}".format(path.join(dbdir, "mbs.db"))
    HOST = "0.0.0.0"
    MESSAGING = "fedmsg"
    MESSAGING_TOPIC_PREFIX = ["org.example.prod"]
    KOJI_PROFILE = "koji"
    ARCHES = ["i686", "x86_64"]
    POLLING_INTERVAL = 10 * 60
    STREAM_SUFFIXES = {r"^el\d+\.z$": 0.1}
    ALLOWED_GROUPS = set(["packager", "admins"])
    KRB_PRINCIPAL = None
    LOG_LEVEL = "INFO"
    RESOLVER = "koji"
    NET_TIMEOUT = 120
    DISTGITS = {
        "https://src.fedoraproject.org": ("fedpkg clone --anonymous {}", "fedpkg sources"),
        "https://git.example.org": ("fetch-it {}", None),
        "file://": ("git clone {repo_path}", None),
    }


class DevConfiguration(BaseConfiguration):
    NO_AUTH = True


class ProdConfiguration(BaseConfiguration):
    SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://mbs:geheim@db.example.org/mbs"
    OIDC_CLIENT_SECRETS = path.join(confdir, "client_secrets.json")
    NO_AUTH = True
    KOJI_TAG_EXTRA_OPTS = {"mock.package_manager": "dnf", "repo_include_all": False}
    NUM_CONCURRENT_BUILDS = "many"
    PRODUCT_PAGES_MODULE_STREAMS = {r"el.*": (".z", "rel-{x}", None)}
    SOMETHING_ELSE = 1
"#;

#[test]
fn a_file_of_the_original_becomes_one_of_ours() {
    let imported = from(OLD);
    let config = config(&imported);
    assert_eq!(config.service.database.reveal(), "postgresql://mbs:geheim@db.example.org/mbs");
    assert_eq!(config.access.oidc.client_secrets, Some("/etc/mbs/client_secrets.json".into()));
    assert_eq!(config.policy.idle_floor.as_secs(), 600);
    assert_eq!(config.policy.stream_suffixes.of("el8.z"), 0.1);
    assert_eq!(config.building.resolver, [Place::Db, Place::Koji]);
    assert_eq!(config.access.allowed_groups.len(), 2);
    assert_eq!(config.local.distgits.keys().collect::<Vec<_>>(), ["https://git.example.org"]);
    assert_eq!(config.local.distgits["https://git.example.org"], ["fetch-it {}"]);
    assert_eq!(config.product_pages.streams.entries().next().unwrap().1.major_release, None);
    assert_eq!(config.koji.koji_tag_extra_opts.len(), 2);
    assert_eq!(config.policy.arches.len(), 2);
    assert!(!config.access.no_auth, "not everybody who reaches it may do everything unasked");
}

#[test]
fn what_has_no_equivalent_or_changed_its_form_is_told_by_line_without_values() {
    let told = from(OLD).told;
    let wanted = [
        "line 10: DEBUG is left out: it was the web framework's",
        "line 11: SECRET_KEY is left out: it was the web framework's",
        "line 14: MESSAGING is left out: `messaging` is the URL of a broker: amqps://…, with amqp_ca, amqp_cert and amqp_key",
        "line 18: POLLING_INTERVAL is `polling_interval` now: builds are looked at when something happens, and at least so often",
        "line 23: RESOLVER is `resolver` now: it lists places, one after another",
        "line 24: NET_TIMEOUT is left out: `patience` in [engine] says how long trouble is borne",
        "line 25: DISTGITS is `distgits` now: git and look-aside are built in, a command is needed only for what they do not reach",
        "line 37: SQLALCHEMY_DATABASE_URI is `database` now: one URL names the store",
        "line 41: NUM_CONCURRENT_BUILDS cannot be taken over: expected is a whole number from 0 on, and not that large",
        "line 43: SOMETHING_ELSE is no option that is known here",
        "`no_auth` in [access] is for services that only this machine reaches; if everybody who reaches the `host` may do everything, say `no_auth_anywhere = true`",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_is_not_taken_over_is_kept_in_remarks() {
    let imported = from("class A:\n  X = 1\n  ARCHES = [x\n    for x in y]\n  if True:\n    HOST = 'h'\n");
    assert_eq!(
        imported.toml,
        "\n# Not taken over:\n#\n# line 2\n#     X = 1\n#\n# line 3\n#     ARCHES = [x\n#         for x in y]\n#\n# line 5\n\
         #     if True:\n#       HOST = 'h'\n"
    );
    assert_eq!(imported.told[1], "line 3: ARCHES cannot be read: what `x` is, is not known here");
    config(&imported);
}

#[test]
fn the_class_that_counts_is_named_or_the_usual() {
    let file = |text: &str| PythonFile::read("config.py", text);
    let of = |text: &str, named: Option<&str>| section(&file(text), named).map(str::to_owned);
    let three = "class A:\n  X = 1\nclass ProdConfiguration(A):\n  X = 1\nclass B(A):\n  X = 1\n";
    assert_eq!(of(three, None), Ok("ProdConfiguration".to_owned()));
    assert_eq!(of(three, Some("B")), Ok("B".to_owned()));
    assert_eq!(
        of(three, Some("C")),
        Err("there is no class C; there are A, ProdConfiguration, B: say which with --section".to_owned())
    );
    assert_eq!(of("class A:\n  X = 1\n", None), Ok("A".to_owned()));
    assert!(of("class A:\n  X = 1\nclass B:\n  X = 1\n", None).is_err() && of("X = 1", None).is_err());
}

#[test]
fn stores_have_one_url() {
    let database = |url: &str| {
        let imported = from(&format!("class A:\n  SQLALCHEMY_DATABASE_URI = '{url}'\n"));
        config(&imported).service.database.reveal().to_owned()
    };
    assert_eq!(database("sqlite:////var/mbs.db"), "sqlite:/var/mbs.db");
    assert_eq!(database("sqlite:///mbs2.db"), "sqlite:mbs2.db");
    assert_eq!(database("postgresql://h/mbs"), "postgresql://h/mbs");
    for none in ["mysql://h/mbs", "sqlite://", "sqlite:///"] {
        assert_eq!(database(none), Config::default().service.database.reveal(), "{none}");
    }
}

/// A value as it is written in Python.
fn literal() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        Just("None".to_owned()),
        Just("True".to_owned()),
        "-?[0-9]{1,4}",
        "[0-9]{1,3}\\.[0-9]{1,3}",
        "'[a-z:/.~@-]{0,12}'",
        "r'\\^[a-z(]{0,4}'",
        "[a-z]{1,4}\\([0-9]?\\)",
    ];
    plain.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(", "))),
            vec(inner.clone(), 0..3).prop_map(|values| format!("({},)", values.join(", "))),
            vec(("'[a-z0-9.:]{1,8}'", inner), 0..3).prop_map(|entries| {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_without_error(
        said in vec((prop::sample::select(crate::config::key_names()), literal()), 0..12),
        foreign in "[A-Z_]{1,12}",
    ) {
        let mut text = "class A(object):\n    pass\n".to_owned();
        for (name, value) in said {
            writeln!(text, "    {} = {value}", name.to_uppercase()).unwrap();
        }
        writeln!(text, "    {foreign} = 1").unwrap();
        let imported = from(&text);
        let read = Config::read("mbs.toml", &imported.toml, &[], None);
        prop_assert!(read.is_ok(), "{read:?}\n{}", imported.toml);
        prop_assert!(read.unwrap().notices.is_empty());
    }
}
