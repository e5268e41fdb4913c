//! Tests against servers of this machine.

use std::path::Path;
use std::process::Command;

use mbs_koji::fake_hub::{FakeHub, Setup, UserSetup};
use mbs_pdc::fake_server::{FakePdc, Setup as PdcSetup};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Runs the command over a configuration, and returns what it printed and how it ended.
async fn checked(text: &str) -> (String, Result<(), Stop>) {
    let config = Config::read("mbs.toml", text, &[], None).unwrap();
    let mut out = Vec::new();
    let ended = run(&config, &mut out).await;
    (String::from_utf8(out).unwrap(), ended)
}

/// Serves an identity provider, and answers everything else with 404.
async fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut part = [0; 4096];
            let ends = |request: &[u8]| {
                let text = String::from_utf8_lossy(request);
                text.contains("\r\n\r\n") && (!text.starts_with("POST") || text.contains("client_secret="))
            };
            while !ends(&request) {
                let length = stream.read(&mut part).await.unwrap();
                request.extend_from_slice(&part[..length]);
                if length == 0 {
                    break;
                }
            }
            let answer = answer(&String::from_utf8_lossy(&request));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}")
}

fn answer(request: &str) -> String {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path {
        "/introspect" if request.contains("client_secret=s+%26") => ("200 OK", r#"{"active": false}"#),
        "/introspect" => ("401 Unauthorized", r#"{"error": "invalid_client"}"#),
        "/keys" => ("200 OK", r#"{"keys": [{"kty": "EC"}, {"kty": "RSA"}]}"#),
        "/page" => ("200 OK", "<html>"),
        "/broken/" => ("502 Bad Gateway", "<h1>Bad Gateway</h1>"),
        _ => ("404 Not Found", ""),
    };
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// What is not asked in any test: what would go past this machine.
fn quiet(folder: &Path) -> String {
    let places = ["rpms_default_repository", "rpms_default_cache", "modules_default_repository"];
    let places = places.map(|key| format!("{key} = ''\n")).concat();
    let store = folder.join("mbs.db");
    format!(
        "[service]\ndatabase = 'sqlite:{}'\n[modules]\ndefault_modules_scm_url = ''\n[submission]\nscmurls = []\n{places}",
        store.display()
    )
}

fn lines(out: &str) -> Vec<&str> {
    out.lines().collect()
}

#[tokio::test]
async fn all_that_can_be_reached_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    mbs_store::upgrade(&format!("sqlite:{here}/mbs.db")).await.unwrap();
    let git =
        Command::new("git").args(["init", "-q", "--bare"]).arg(folder.path().join("defaults.git")).status();
    assert!(git.unwrap().success());
    let hub = FakeHub::start(Setup { users: vec![UserSetup::new("mbs", "pw", &[])], ..Setup::default() })
        .await
        .unwrap();
    let profile = format!("[mine]\nserver = {}\nauthtype = password\nuser = mbs\npassword = pw\n", hub.url());
    std::fs::write(folder.path().join("koji.conf"), profile).unwrap();
    let pdc = FakePdc::start(PdcSetup::default()).await.unwrap();
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = broker.local_addr().unwrap();
    let at = provider().await;
    let text = format!(
        "[service]\ndatabase = 'sqlite:{here}/mbs.db'\n\
         [modules]\ndefault_modules_scm_url = 'file://{here}/defaults.git'\n\
         [git]\ngit_protocols = ['file']\n\
         [building]\nresolver = ['db', 'pdc']\nbuild_logs_dir = '{here}/logs'\n\
         [koji]\nkoji_config = '{here}/koji.conf'\nkoji_profile = 'mine'\nkoji_repository_url = '{at}/repos'\n\
         [submission]\nscmurls = ['{at}/modules/', 'file://{here}']\nrpms_default_repository = 'git+{at}/rpms/'\n\
         rpms_default_cache = '{at}/cache/'\nmodules_default_repository = '{at}/modules/'\npdc_url = '{}'\n\
         [messaging]\nmessaging = 'amqp://mbs:geheim@{broker}/%2F'\n\
         [access]\noidc_token_introspection_uri = '{at}/introspect'\noidc_userinfo_uri = '{at}/me'\n\
         oidc_client_id = 'mbs'\noidc_client_secret = 's &'\noidc_required_scope = 'x'\n\
         oidc_jwks = '{at}/keys'\noidc_issuer = 'i'\noidc_audience = 'a'\n",
        pdc.url()
    );
    let (out, ended) = checked(&text).await;
    assert_eq!(ended, Ok(()), "{out}");
    let wanted = [
        "ok the configuration can be meant".to_owned(),
        format!("ok the store sqlite:{here}/mbs.db: its schema is the one that is needed"),
        format!("ok the Koji hub of the profile mine: {}, version 1.35.3, as mbs", hub.url()),
        format!("ok the bus amqp://mbs:***@{broker}/%2F: it takes connections"),
        format!("ok PDC {}", pdc.url()),
        format!("ok the provider's keys, {at}/keys: there are 2"),
        format!("ok the identity provider {at}/introspect: it knows mbs"),
        format!("ok the groups of people, {at}/me"),
        format!("ok the repository of default streams file://{here}/defaults.git: it has no branch master"),
        format!("ok file://{here} (scmurls)"),
        format!(
            "ok {at} (scmurls, rpms_default_repository, rpms_default_cache, modules_default_repository, koji_repository_url)"
        ),
        format!("ok `build_logs_dir` {here}/logs"),
    ];
    assert_eq!(lines(&out), wanted);
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    let at = provider().await;
    std::fs::write(
        folder.path().join("koji.conf"),
        "[koji]\nserver = http://127.0.0.1:1/kojihub\nauthtype = noauth\n",
    )
    .unwrap();
    mbs_store::upgrade(&format!("sqlite:{here}/mbs.db")).await.unwrap();
    let text = format!(
        "{}\nrpms_default_repository = '{at}/broken/'\npdc_url = 'http://127.0.0.1:1/rest_api/v1'\ncheck_for_eol = true\n\
         [koji]\nkoji_config = '{here}/koji.conf'\nkoji_repository_url = ''\n\
         [messaging]\nmessaging = 'amqps://127.0.0.1:1'\n\
         [access]\nauth_method = 'kerberos'\nldap_uri = 'ldap://127.0.0.1:1'\n",
        quiet(folder.path()).replace("rpms_default_repository = ''\n", "")
    );
    let (out, ended) = checked(&text).await;
    assert_eq!(ended.unwrap_err().exit(), crate::exit::Exit::Machine, "{out}");
    for wanted in [
        "note: nobody can log in: no web server in front is believed (`trusted_proxies`)",
        "the Koji hub of the profile koji cannot be reached: ",
        "the bus amqps://127.0.0.1:1 cannot be reached: Connection refused",
        "PDC http://127.0.0.1:1/rest_api/v1 cannot be reached: ",
        "the LDAP server ldap://127.0.0.1:1 cannot be reached: Connection refused",
        &format!("{at} (rpms_default_repository) cannot be reached: HTTP 502 and the words `Bad Gateway`"),
    ] {
        assert!(lines(&out).iter().any(|line| line.starts_with(wanted)), "{wanted}\n{out}");
    }
    assert!(!out.contains("reached: PDC cannot be reached"), "{out}");
}

#[tokio::test]
async fn what_has_to_be_changed_is_another_matter() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    let at = provider().await;
    std::fs::write(folder.path().join("secrets.json"), format!(
        r#"{{"web": {{"client_id": "c", "client_secret": "geheim", "token_introspection_uri": "{at}/introspect", "userinfo_uri": "{at}/me"}}}}"#
    )).unwrap();
    let text = format!(
        "{}\n[koji]\nkoji_config = '{here}/none.conf'\nkoji_profile = 'none'\nkoji_repository_url = 'ftp://h/'\nkrb_keytab = '{here}/k'\n\
         [messaging]\nmessaging = 'log:{here}/no/such'\n\
         [access]\noidc_client_secrets = '{here}/secrets.json'\noidc_jwks = '{at}/page'\noidc_issuer = 'i'\noidc_audience = 'a'\n",
        quiet(folder.path())
    );
    let (out, ended) = checked(&text).await;
    assert_eq!(ended.unwrap_err().exit(), crate::exit::Exit::Usage, "{out}");
    for wanted in [
        "note: nobody can log in: no scope is required of tokens (`oidc_required_scope`)".to_owned(),
        format!("the store sqlite:{here}/mbs.db cannot be reached: {here}/mbs.db holds no store"),
        format!("the Koji hub of the profile none: {here}/none.conf: "),
        format!("the provider's keys, {at}/page: it is no set of keys (JWKS)"),
        format!("the identity provider {at}/introspect: it does not take us as c: HTTP 401 and the words"),
        "ftp://h (koji_repository_url): nothing is known of `ftp`".to_owned(),
        format!("`messaging` {here}/no/such: the folder that it should be in does not exist"),
        format!("`krb_keytab` {here}/k: No such file"),
    ] {
        assert!(lines(&out).iter().any(|line| line.starts_with(&wanted)), "{wanted}\n{out}");
    }
    assert!(!out.contains("geheim"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_without_end() {
    let line = Probe::new("the moon", std::future::pending()).line().await;
    assert_eq!(line.to_string(), "the moon cannot be reached: there is no answer within 10 seconds");
}
