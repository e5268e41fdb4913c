//! Addresses of modules that lead elsewhere than to a repository: they are refused, and nobody is connected to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use mbs_tests::served::Served;
use serde_json::json;

use super::{Hostile, harmless, sent};

/// Any address may be submitted that git takes over HTTP.
const CONFIG: &str = "request_within = 30\n[access]\nno_auth = true\n[building]\nsystem = \"mock\"\n[submission]\n\
    allow_custom_scmurls = true\n[git]\ngit_protocols = [\"https\", \"http\"]\n";

/// Addresses that are refused as they stand; `TRAP` is where somebody listens.
const ADDRESSES: [&str; 25] = [
    "http://TRAP/a?#--upload-pack=x",
    "http://TRAP/a?#-x",
    "http://TRAP/a?#a\nb",
    "http://TRAP/a?#a\0b",
    "http://TRAP/a b?#x",
    "http://TRAP/../a?#x",
    "http://TRAP/a/./b?#x",
    "http://TRAP/a/%2e%2e/b?#x",
    "http://TRAP//a?#x",
    "http://user:secret@TRAP/a?#x",
    "http://token@TRAP/a?#x",
    "http://-oProxyCommand=x@TRAP/a?#x",
    "http://TRAP\\@other.example/a?#x",
    "git://TRAP/a?#x",
    "git+rsync://TRAP/a?#x",
    "ssh://TRAP/a?#x",
    "ext::sh -c touch% x?#x",
    "ext::http://TRAP/a?#x",
    "file:///etc/passwd?#x",
    "file://TRAP/a?#x",
    "http://169.254.169.254/latest/meta-data?#x",
    "http://2852039166/latest/meta-data?#x",
    "http://0xa9fea9fe/latest/meta-data?#x",
    "http://[fe80::1]/a?#x",
    "http://[::ffff:169.254.169.254]/a?#x",
];

/// Branches that are refused as they stand.
const BRANCHES: [&str; 6] = ["--upload-pack=x", "-x", "a\nb", "a\r\nHost: x", "a\0b", "a b"];

/// Submits an address, and returns the status of the answer.
fn submitted(to: SocketAddr, scmurl: &str, branch: &str) -> Option<u16> {
    let body = json!({"scmurl": scmurl, "branch": branch}).to_string();
    let head = format!(
        "POST /module-build-service/2/module-builds/ HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    sent(to, &Hostile::new("address", format!("{head}{body}")))
}

/// Listens, but takes no connection: whoever tries is found by [`is_untouched`].
fn trap() -> TcpListener {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    trap.set_nonblocking(true).expect("sockets can be made so");
    trap
}

fn is_untouched(trap: &TcpListener) -> bool {
    trap.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Redirects all requests to an address, and counts them.
fn redirecting(to: SocketAddr) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let (address, count) = (listener.local_addr().expect("it is bound"), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            drop(stream.read(&mut request));
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: http://{to}/a/info/refs\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (address, count)
}

#[test]
fn addresses_that_lead_elsewhere_are_refused_before_anybody_is_connected_to() {
    let served = Served::frontend(CONFIG, None).unwrap();
    let trap = trap();
    let place = trap.local_addr().unwrap().to_string();
    let cases = ADDRESSES.iter().map(|address| (address.replace("TRAP", &place), "main"));
    let plain = format!("http://{place}/a?#x");
    let cases = cases.chain(BRANCHES.iter().map(|branch| (plain.clone(), *branch)));
    for (address, branch) in cases {
        let status = submitted(served.address, &address, branch).expect("it is answered");
        assert!((400..500).contains(&status), "{address:?} {branch:?}: {status}");
        assert!(is_untouched(&trap), "{address:?} {branch:?} was connected to");
    }
    let (from, count) = redirecting(trap.local_addr().unwrap());
    let status = submitted(served.address, &format!("http://{from}/a?#x"), "main").expect("it is answered");
    assert!((400..500).contains(&status), "{status}");
    assert!(count.load(Ordering::SeqCst) > 0, "nobody came to be redirected");
    assert!(is_untouched(&trap), "a redirect was followed");
    harmless(served.address);
}
