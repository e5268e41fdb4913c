//! Does the system's Kerberos library log us in? Against a real KDC of our own, on the loopback.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libgssapi::context::ServerCtx;
use libgssapi::credential::{Cred, CredUsage};
use mbs_koji::hub::{Hub, HubError, Session};
use mbs_koji::profile::{Login, Profile};
use mbs_koji::xmlrpc::{Struct, Value, encode_response};

use crate::certificates::Certificates;
use crate::server::{Server, Skipping, Taken, Turn, bytes};

/// A realm in a folder, with its KDC; it ends when dropped.
struct Realm {
    folder: tempfile::TempDir,
    kdc: Option<Child>,
}

impl Realm {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = folder.path().display();
        let krb5 = format!(
            "[libdefaults]\ndefault_realm = TEST\ndns_lookup_kdc = false\ndns_lookup_realm = false\nrdns = false\n\
             dns_canonicalize_hostname = false\n[realms]\nTEST = {{\n kdc = 127.0.0.1:{port}\n}}\n\
             [domain_realm]\n127.0.0.1 = TEST\n"
        );
        let kdc = format!(
            "[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n[realms]\nTEST = {{\n\
             database_name = {place}/principal\nkey_stash_file = {place}/stash\nacl_file = {place}/acl\n}}\n"
        );
        std::fs::write(folder.path().join("krb5.conf"), krb5).unwrap();
        std::fs::write(folder.path().join("kdc.conf"), kdc).unwrap();
        let mut realm = Self { folder, kdc: None };
        realm.run("kdb5_util", &["create", "-s", "-r", "TEST", "-P", "secret"]);
        for (principal, keytab) in [("mbs", "client.keytab"), ("HTTP/127.0.0.1", "server.keytab")] {
            let keytab = realm.path(keytab);
            realm.run("kadmin.local", &["-q", &format!("addprinc -randkey {principal}")]);
            realm.run("kadmin.local", &["-q", &format!("ktadd -k {keytab} {principal}")]);
        }
        let mut kdc = realm.command("krb5kdc");
        realm.kdc = Some(kdc.args(["-n", "-P", &realm.path("pid")]).spawn().unwrap());
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let kdc = realm.kdc.as_mut().unwrap();
            assert!(kdc.try_wait().unwrap().is_none(), "the KDC ended");
            std::thread::yield_now();
        }
        realm
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.env("KRB5_CONFIG", self.path("krb5.conf")).env("KRB5_KDC_PROFILE", self.path("kdc.conf"));
        command.env("KRB5_CLIENT_KTNAME", self.path("client.keytab"));
        command.env("KRB5_KTNAME", self.path("server.keytab")).env("KRB5CCNAME", self.path("cache"));
        command.stdout(Stdio::null()).stdin(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(mut kdc) = self.kdc.take() {
            drop(kdc.kill());
            drop(kdc.wait());
        }
    }
}

/// Is set in the environment of the process that runs within the realm.
const INSIDE: &str = "MBS_TEST_INSIDE_REALM";

/// The library reads the environment, and that of a process is best not changed while it runs: so the test runs itself once
/// more, in a process that has been within the realm from its beginning.
#[test]
fn a_ticket_of_a_real_kdc_logs_in() {
    if std::env::var_os(INSIDE).is_some() {
        return tokio::runtime::Runtime::new().unwrap().block_on(logs_in_by_ticket());
    }
    if !["/usr/sbin", "/usr/bin"].iter().any(|folder| Path::new(folder).join("krb5kdc").exists()) {
        assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "there is no krb5kdc");
        println!("not checked: there is no krb5kdc");
        return;
    }
    let realm = Realm::begin();
    let mut inside = realm.command(std::env::current_exe().unwrap());
    inside
        .args(["--exact", "hub_gssapi::a_ticket_of_a_real_kdc_logs_in"])
        .env(INSIDE, "1")
        .stdout(Stdio::piped());
    let outcome = inside.output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success() && said.contains("1 passed"), "{said}");
}

async fn logs_in_by_ticket() {
    let certificates = Certificates::new();
    let server = Server::start([], Some(certificates.acceptor())).await;
    let login = |principal: &str, keytab: Option<&str>| Login::Kerberos {
        principal: Some(principal.to_owned()),
        keytab: keytab.map(Into::into),
    };
    let mut profile = Profile::new("test", format!("{}/kojihub", server.address), login("mbs@TEST", None));
    profile.serverca = Some(certificates.authority());
    let hub = |profile: &Profile| Hub::new(profile, Arc::new(Skipping::default())).unwrap();

    server.then([challenge(), Turn::Made(accepted)]);
    let session = Session::log_in(&hub(&profile)).await.unwrap();
    assert_eq!((session.pass().id(), server.taken().len()), (7, 2));

    // Whose proof is none of the service's is not the hub.
    server.then([challenge(), Turn::Made(|_| begun("oQ=="))]);
    let error = Session::log_in(&hub(&profile)).await.unwrap_err();
    assert!(matches!(error, HubError::Login { .. }), "{error:?}");

    let keytab = std::env::var("KRB5_CLIENT_KTNAME").unwrap();
    profile.login = login("mbs@TEST", Some(&keytab));
    server.then([challenge(), Turn::Made(accepted)]);
    Session::log_in(&hub(&profile)).await.unwrap();

    for (login, wanted) in [
        (login("nobody@TEST", None), ""),
        (
            login("mbs@TEST", Some("/elsewhere")),
            "KRB5_CLIENT_KTNAME has to name the profile's keytab, /elsewhere",
        ),
    ] {
        profile.login = login;
        server.then([challenge()]);
        let error = Session::log_in(&hub(&profile)).await.unwrap_err();
        assert!(matches!(&error, HubError::Login { reason, .. } if reason.contains(wanted)), "{error:?}");
    }
}

fn challenge() -> Turn {
    Turn::of(401, &[("WWW-Authenticate", "Negotiate")], b"<html>who?</html>")
}

/// Accepts a ticket as a web server does.
fn accepted(taken: &Taken) -> Vec<u8> {
    let token = taken.header("authorization").unwrap().strip_prefix("Negotiate ").unwrap();
    let credentials = Cred::acquire(None, None, CredUsage::Accept, None).unwrap();
    let mut context = ServerCtx::new(Some(credentials));
    let proof = context.step(&STANDARD.decode(token).unwrap(), None).unwrap().unwrap();
    begun(&STANDARD.encode(&*proof))
}

fn begun(proof: &str) -> Vec<u8> {
    let members = [("session-id", Value::Int(7)), ("session-key", "k".into()), ("header-auth", true.into())];
    let answer = encode_response(Ok(&Value::from(Struct::from(members))));
    let proof = format!("Negotiate {proof}");
    bytes(200, &[("Content-Type", "text/xml"), ("WWW-Authenticate", &proof)], answer.as_bytes())
}
