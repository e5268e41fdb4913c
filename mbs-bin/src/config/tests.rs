//! Tests of the whole of it: what is read, and what is told of what cannot be.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::read("mbs.toml", text, &[], Some(Path::new("/home/me")))
}

fn told(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Config::read("mbs.toml", "", &owned.collect::<Vec<_>>(), None)
}

#[test]
fn nothing_said_is_the_defaults() {
    assert_eq!(Config::read("mbs.toml", "", &[], None).unwrap(), Config::default());
}

#[test]
fn each_field_has_exactly_one_key_in_exactly_one_table() {
    let listed: Vec<&str> = keys::TABLES.iter().flat_map(keys::Table::keys).collect();
    let mut fields: Vec<String> = parts().iter().flat_map(|part| part.keys().to_vec()).collect();
    fields.sort();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, fields);
    let unique: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(unique.len(), listed.len());
    for gone in keys::OLD.iter().chain(&keys::RENAMED).map(|(old, _)| old) {
        assert!(!unique.contains(gone), "{gone}");
    }
    for known in keys::PATHS.iter().chain(&keys::SECRETS).chain(keys::RENAMED.iter().map(|(_, new)| new)) {
        assert!(unique.contains(known), "{known}");
    }
}

#[test]
fn an_unknown_key_is_told_with_what_may_be_meant() {
    assert_eq!(
        told("[koji]\n\nkoji_tag_prefix = ['module']"),
        "mbs.toml, line 3: unknown key `koji_tag_prefix` in [koji]; did you mean `koji_tag_prefixes` in [koji]?"
    );
    assert_eq!(
        told("[koji]\nscmurls = []"),
        "mbs.toml, line 2: unknown key `scmurls` in [koji]; did you mean `scmurls` in [submission]?"
    );
    assert_eq!(
        told("arches = ['s390x']"),
        "mbs.toml, line 1: `arches` stands outside of all tables; it belongs into [building]"
    );
    assert_eq!(told("[buildin]"), "mbs.toml, line 1: unknown table [buildin]; did you mean [building]?");
    assert!(told("[zzz]").ends_with(
        "unknown table [zzz]; there are service, access, modules, submission, \
        building, koji, git, messaging, local, engine"
    ));
    assert_eq!(
        told("[service]\nsqlalchemy_database_uri = 'x'"),
        "mbs.toml, line 2: unknown key `sqlalchemy_database_uri` in [service]; did you mean `database` in [service]?"
    );
    assert_eq!(told("[service]\nqqqqqqqq = 1"), "mbs.toml, line 2: unknown key `qqqqqqqq` in [service]");
}

#[test]
fn a_wrong_value_is_told_with_key_value_and_what_was_expected() {
    let begin = "mbs.toml, line 2: ";
    for (text, wanted) in [
        (
            "[koji]\nkoji_build_priority = 'ten'",
            "`koji_build_priority` in [koji] cannot be 'ten': expected is a whole number",
        ),
        (
            "[service]\nport = 70000",
            "`port` in [service] cannot be 70000: expected is a whole number from 0 on, and not that large",
        ),
        (
            "[modules]\ndefault_branch = 1.10",
            "`default_branch` in [modules] cannot be 1.10: expected is a text, in quotes",
        ),
        ("[access]\nno_auth = 'yes'", "`no_auth` in [access] cannot be 'yes': expected is true or false"),
        (
            "[building]\narches = 'x86_64'",
            "`arches` in [building] cannot be 'x86_64': expected is a list, in brackets",
        ),
        (
            "[engine]\nlease = -1",
            "`lease` in [engine] cannot be -1: a duration must be a number of seconds from 0 on",
        ),
        (
            "[access]\nauth_method = 'ldap'",
            "`auth_method` in [access] cannot be 'ldap': unknown variant `ldap`, expected `oidc` or `kerberos`",
        ),
        (
            "[building]\nresolver = ['db', 'ldap']",
            "`resolver` in [building] cannot be ['db', 'ldap']: `ldap` is no place where modules are: files, db, pdc, koji or mbs",
        ),
        (
            "[access]\ntrusted_proxies = ['10.0.0.0/33']",
            "`trusted_proxies` in [access] cannot be ['10.0.0.0/33']: `10.0.0.0/33` is no address, no network like 10.0.0.0/8, and not the word unix",
        ),
    ] {
        assert_eq!(told(text), format!("{begin}{wanted}"));
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = told("[koji]\nx = 1\nkoji_profile = 3\n[modules]\nstream_suffixes = { 'a(' = 1 }");
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.contains("line 5") && told.contains("\"a(\""), "{told}");
}

#[test]
fn no_password_is_repeated() {
    for text in [
        "[messaging]\nmessaging = 'stomp://me:geheim@h'",
        "[service]\ndatabase = ['postgresql://me:geheim@h/mbs']",
        "[access]\noidc_client_secret = geheim",
        "[access]\noidc_client_secret = ['geheim']",
    ] {
        let told = told(text);
        assert!(!told.contains("geheim") && told.starts_with("mbs.toml, line 2: "), "{told}");
    }
    let config = read(
        "[service]\ndatabase = 'postgresql://me:geheim@h/mbs'\n[messaging]\nmessaging = 'amqps://me:geheim@h'",
    );
    assert!(!format!("{:?}", config.unwrap()).contains("geheim"));
}

#[test]
fn keys_of_the_original_that_mean_nothing_are_ignored_with_a_notice() {
    let config = read("debug = true\n[building]\nnum_workers = 3\n[koji]\nkrb_ccache = 'x'").unwrap();
    assert_eq!(config.notices.len(), 3);
    assert_eq!(
        config.notices[1],
        "mbs.toml, line 3: `num_workers` is obsolete and of no effect: start more backends instead"
    );
    assert_eq!(Config { notices: Vec::new(), ..config }, read("").unwrap());
}

#[test]
fn variables_count_over_the_file() {
    let variables = [
        ("MBS_DEFAULT_BRANCH", "1.10"),
        ("MBS_RESOLVER", "db, koji"),
        ("MBS_NO_AUTH", "true"),
        ("MBS_PORT", "8080"),
        ("MBS_TAU", "0.5"),
        ("MBS_ALLOWED_GROUPS", ""),
        ("MBS_SCMURLS", "['https://a/,b']"),
        ("MBS_STREAM_SUFFIXES", "{ 'el8' = 0.1 }"),
        ("HOME", "/x"),
        ("MBS_CONFIG_FILE", ""),
    ];
    let config = with(&variables).unwrap();
    assert_eq!(config.policy.default_branch, "1.10");
    assert_eq!(config.building.resolver, [Place::Db, Place::Koji]);
    assert_eq!((config.access.no_auth, config.service.port), (true, 8080));
    assert_eq!(config.policy.tau.as_secs_f64(), 0.5);
    assert_eq!((config.access.allowed_groups.len(), config.notices.len()), (0, 0));
    assert_eq!(config.rules.scmurls, ["https://a/,b"]);
    assert_eq!(config.policy.stream_number("el8"), 80000.1);
    let over = Config::read("mbs.toml", "[service]\nport = 1", &[("MBS_PORT".into(), "2".into())], None);
    assert_eq!(over.unwrap().service.port, 2);
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let error = with(&[("MBS_PORT", "tcp://10.0.0.1:80")]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the variable MBS_PORT: `port` in [service] cannot be tcp://10.0.0.1:80: expected is a whole number from 0 on, and not that large"
    );
    let notices = with(&[("MBS_DATABSE", "x"), ("MBS_NUM_WORKERS", "2")]).unwrap().notices;
    assert_eq!(
        notices[0],
        "the variable MBS_DATABSE is ignored: it is none of ours; did you mean `database` in [service]?"
    );
    assert!(notices[1].contains("is obsolete"), "{notices:?}");
}

#[test]
fn what_only_the_original_read_is_told() {
    let notices = with(&[("MBS_CONFIG_SECTION", "ProdConfiguration")]).unwrap().notices;
    assert_eq!(
        notices,
        ["the variable MBS_CONFIG_SECTION is ignored: a file has no sections of which one counts"]
    );
    let error = Config::read("/etc/mbs/config.py", "class A:", &[], None).unwrap_err().to_string();
    assert!(error.starts_with("/etc/mbs/config.py: is in Python: `mbs-manager config import`"), "{error}");
}

#[test]
fn the_home_directory_stands_in_the_place_of_a_tilde() {
    let config = read(
        "[koji]\nkrb_keytab = '~/k'\n[local]\nmock_config_file = ['~/m', '/n~/m']\n[access]\noidc_jwks = '~/j'\n\
         oidc_issuer = 'i'\noidc_audience = 'a'",
    )
    .unwrap();
    assert_eq!(config.koji.krb_keytab, Some("/home/me/k".into()));
    assert_eq!(config.local.mock_config_file, [Path::new("/home/me/m"), Path::new("/n~/m")]);
    assert_eq!(config.local.mock_resultsdir, Path::new("/home/me/modulebuild/builds"));
    assert_eq!(config.access.oidc.jwks.unwrap().keys, KeysAt::File("/home/me/j".into()));
}

#[test]
fn an_empty_text_stands_for_nothing() {
    let text = "[koji]\nkoji_config = ''\nkrb_principal = ''\nkoji_build_macros_target = ''\n[modules]\nrawhide_stream = ''\n\
                [messaging]\nmessaging = ''\namqp_ca = ''";
    let config = read(text).unwrap();
    assert_eq!((config.koji.koji_config, config.koji.krb_principal), (None, None));
    assert_eq!((config.policy.rawhide_stream, config.messaging), (None, Messaging::default()));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for (text, wanted) in [
        ("[access]\nno_auth = true\n[service]\nhost = '0.0.0.0'", "`no_auth` in [access] is for services"),
        ("[building]\nresolver = []", "`resolver` in [building] names no place that has documents"),
        ("[building]\nresolver = ['koji']", "`resolver` in [building] names no place that has documents"),
        ("[building]\nresolver = ['files']", "`resolver` in [building] names `files`"),
        ("[messaging]\namqp_cert = '/c'", "`amqp_cert` in [messaging] needs `amqp_key`"),
        ("[access]\noidc_jwks = 'https://i/keys'", "`oidc_jwks` in [access] needs `oidc_issuer`, too"),
        ("[local]\ndistgits = { 'https://x' = [] }", "`distgits` in [local] has one or two commands"),
        ("[service]\nmost_per_page = 999", "`most_per_page` in [service] must be 1000 or more"),
        ("[access]\nremote_user_header = 'X: y'", "`remote_user_header` in [access] is no name of a header"),
        ("[engine]\nlease = 0.0", "`lease` in [engine] must be above 0"),
        ("[engine]\nbackoff_first = 601", "`backoff_first` in [engine] must not be longer"),
    ] {
        let told = told(text);
        assert!(told.contains(wanted), "{told}");
    }
    for host in ["127.0.0.1", "localhost", "::1", "[::1]", "unix:/run/mbs.sock"] {
        assert!(read(&format!("[access]\nno_auth = true\n[service]\nhost = '{host}'")).is_ok(), "{host}");
    }
    assert!(read("[access]\nno_auth = true\nno_auth_anywhere = true\n[service]\nhost = '::'").is_ok());
}

#[test]
fn no_limit_is_written_as_zero() {
    let limit = |text: &str| read(text).unwrap().building.limit();
    assert_eq!((limit(""), limit("[building]\nnum_concurrent_builds = 0")), (Some(5), None));
}

#[test]
fn a_socket_or_a_port_is_listened_on() {
    let listen = |host: &str| read(&format!("[service]\nhost = '{host}'")).unwrap().service.listen();
    assert_eq!(listen("[::1]"), Listen::Tcp("::1".into(), 5000));
    assert_eq!(listen("unix:/run/mbs.sock"), Listen::Unix("/run/mbs.sock".into()));
}

#[test]
fn the_login_to_koji_is_that_of_the_profile_unless_something_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("koji.conf");
    std::fs::write(
        &path,
        "[koji]\nserver = https://h/kojihub\nauthtype = kerberos\nprincipal = a@R\nkeytab = /a\n",
    )
    .unwrap();
    let koji =
        |text: &str| read(&format!("[koji]\nkoji_config = '{}'\n{text}", path.display())).unwrap().koji;
    let profile = koji("krb_principal = 'b@R'").profile().unwrap();
    let login =
        mbs_koji::profile::Login::Kerberos { principal: Some("b@R".into()), keytab: Some("/a".into()) };
    assert_eq!((profile.login, profile.retry.max_retries), (login, 0));
}

#[test]
fn only_trusted_peers_say_who_somebody_is() {
    let config = read("[access]\ntrusted_proxies = ['10.1.2.3/8', '::1', 'unix']").unwrap().access;
    let trusts = |address: &str| config.trusts(Some(address.parse().unwrap()));
    assert!(trusts("10.200.0.1") && trusts("::1") && trusts("::ffff:10.0.0.1") && config.trusts(None));
    assert!(!trusts("11.0.0.1") && !trusts("127.0.0.1"));
    assert!(!Access::default().trusts(None));
}

#[test]
fn tables_keep_their_order_where_the_first_that_fits_counts() {
    let config = read(
        "[modules]\nstream_suffixes = { 'el8' = 0.2, 'e' = 0.1 }\n[submission.product_pages_module_streams]\n\
         'z.*' = ['.z', 'rel {x}', '']\n'a.*' = ['.a', 'rel', 'major']",
    )
    .unwrap();
    assert_eq!(config.policy.stream_suffixes.of("el8"), 0.2);
    let streams: Vec<&str> = config.product_pages.streams.entries().map(|(stream, _)| stream).collect();
    assert_eq!(streams, ["z.*", "a.*"]);
    assert!(
        told("[submission]\nproduct_pages_module_streams = { 'a' = ['b', 'c'] }")
            .contains("array of length 3")
    );
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mbs.toml");
    let error = Config::load(Some(path.as_os_str())).unwrap_err();
    assert!(error.to_string().contains("mbs.toml cannot be read: "), "{error}");
    std::fs::write(&path, "[koji]\nkoji_profile = 'stg'").unwrap();
    assert_eq!(Config::load(Some(path.as_os_str())).unwrap().koji.koji_profile, "stg");
    assert_eq!(Config::load(Some(OsStr::new(""))).unwrap().koji.koji_profile, "koji");
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(
        Config::load(Some(path.as_os_str())).unwrap_err().to_string().ends_with("too long for configuration")
    );
}

/// The example, read where the tests are built.
const EXAMPLE: &str = include_str!("../../../mbs.example.toml");

/// Returns the example with every key said.
fn example_with_all_said() -> String {
    let is_key = |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase());
    let line = |line: &str| line.strip_prefix('#').filter(|rest| is_key(rest)).unwrap_or(line).to_owned();
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_says_every_key_with_its_default_and_changes_nothing() {
    assert_eq!(Config::read("example", EXAMPLE, &[], None).unwrap(), Config::default());
    let said = example_with_all_said();
    assert_eq!(Config::read("example", &said, &[], None).unwrap(), Config::default());
    let keys = said
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
        .filter(|key| !key.contains(['#', ' ']));
    let mut keys: Vec<&str> = keys.collect();
    let mut wanted: Vec<&str> = keys::TABLES.iter().flat_map(keys::Table::keys).collect();
    keys.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
}

#[test]
fn the_runbook_tells_what_became_of_each_option_that_is_gone() {
    let runbook = include_str!("../../../docs/OPERATIONS.md");
    for (old, _) in keys::OLD.iter().chain(&keys::RENAMED) {
        assert!(runbook.contains(&format!("`{old}`")), "{old}");
    }
}

#[test]
fn what_is_shown_reads_back_and_what_changed_can_be_shown_alone() {
    let whole = Config::default().to_toml();
    assert_eq!(read_plain(&whole), Config::default());
    assert_eq!(Config::default().changes_from(&Config::default()), "");
    let config = read_plain(
        "[koji]\nkoji_profile = 'stg'\n[service]\ndatabase = 'postgresql://m:geheim@h/m'\nport = 1",
    );
    assert_eq!(
        config.changes_from(&Config::default()),
        "[service]\ndatabase = \"postgresql://m:***@h/m\"\nport = 1\n\n[koji]\nkoji_profile = \"stg\"\n"
    );
}

fn read_plain(text: &str) -> Config {
    Config::read("mbs.toml", text, &[], None).unwrap()
}
