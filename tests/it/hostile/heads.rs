//! Heads that mean harm: paths, methods, headers, parameters, lengths.

use super::{Hostile, Random};

/// What is read.
const READ: [&str; 8] = [
    "/module-build-service/2/module-builds/",
    "/module-build-service/1/module-builds/",
    "/module-build-service/2/component-builds/",
    "/module-build-service/1/module-builds/1",
    "/module-build-service/2/module-builds/1/messages",
    "/module-build-service/2/component-builds/1",
    "/module-build-service/2/rebuild-strategies/",
    "/module-build-service/1/about/",
];

/// Parameters that lists have.
const PARAMETERS: [&str; 19] = [
    "page",
    "per_page",
    "order_by",
    "order_desc_by",
    "verbose",
    "name",
    "state",
    "nsvc",
    "virtual_stream",
    "submitted_before",
    "stream_version_lte",
    "base_module_br",
    "base_module_br_stream",
    "base_module_br_stream_version_gte",
    "version",
    "modulemd",
    "package",
    "weight",
    "zzz",
];

/// Values of parameters, encoded.
const VALUES: [&str; 22] = [
    "",
    "%00",
    "%01%7f%1b[31m",
    "%ff%fe",
    "%c0%ae",
    "%",
    "%zz",
    "%F0%9F%98%80",
    "-1",
    "99999999999999999999",
    "1e999",
    "NaN",
    "id",
    "version",
    "ready",
    "'%20OR%201=1;--",
    "a:b:c:d:e:f",
    "::::",
    "2024-02-30T00:00:00Z",
    "%0d%0aX-Injected:%201",
    "../../etc/passwd",
    "\u{e9}",
];

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
}

pub(super) fn path(random: &mut Random) -> Hostile {
    let pieces = [
        "..",
        ".",
        "%2e%2e",
        "%2f",
        "//",
        "\\",
        ";",
        "%00",
        "module-builds",
        "2",
        "-1",
        "0x1",
        "1e3",
        "%E2%82%AC",
        "etc/passwd",
        "~root",
        "about",
        "a b",
        "#x",
        "?",
        "module-build-service",
        "99999999999999999999999",
        "\u{2460}",
        "*",
        "@",
        "http://x",
    ];
    let mut path = match random.below(4) {
        0 => String::new(),
        1 => "/".to_owned(),
        _ => "/module-build-service/".to_owned(),
    };
    for _ in 0..1 + random.below(6) {
        path.push_str(random.pick::<&str>(&pieces));
        if random.below(2) == 0 {
            path.push('/');
        }
    }
    if random.below(20) == 0 {
        path.push_str(&"/a".repeat(random.below(40_000)));
    }
    // Slashes too many lead to the address without them.
    Hostile::new("path", get(&path, "")).that_may_pass()
}

pub(super) fn flood(random: &mut Random) -> Hostile {
    let headers = match random.below(4) {
        0 => "X-A: b\r\n".repeat(101 + random.below(3_000)),
        1 => format!("X-A: {}\r\n", "b".repeat(70_000 + random.below(200_000))),
        2 => format!("{}: b\r\n", "X".repeat(70_000)),
        _ => "Cookie: a=b\r\n".repeat(101 + random.below(5_000)),
    };
    let path = *random.pick(&READ);
    Hostile::new("header flood", get(path, &headers))
}

pub(super) fn half(random: &mut Random) -> Hostile {
    let body = "{\"scmurl\": \"https://other.example/modules/a.git?#b\", \"branch\": \"c\"}";
    let whole = match random.below(2) {
        0 => get(random.pick::<&str>(&READ), "X-Y: z\r\n"),
        _ => format!(
            "POST /module-build-service/2/module-builds/ HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    let cut = random.below(whole.len());
    Hostile::new("half", &whole.as_bytes()[..cut]).that_leaves()
}

pub(super) fn method(random: &mut Random) -> Hostile {
    let methods = [
        "DELETE", "PUT", "TRACE", "CONNECT", "get", "G\u{e9}T", "GET\t", "G\0T", "PROPFIND", "X", "PRI",
        "POST", "\r\nGET", "-",
    ];
    let method = match random.below(8) {
        0 => "M".repeat(1 + random.below(70_000)),
        _ => (*random.pick(&methods)).to_owned(),
    };
    // What takes a submission wants more than its method.
    let path = *random.pick(&READ[2..]);
    let hostile =
        Hostile::new("method", format!("{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
    // Empty lines before a request are none of it.
    if method.starts_with('\r') { hostile.that_may_pass() } else { hostile }
}

pub(super) fn control(random: &mut Random) -> Hostile {
    let (path, name, value) = (*random.pick(&READ), *random.pick(&PARAMETERS), *random.pick(&VALUES));
    let byte = (random.below(32) as u8) as char;
    let bytes = match random.below(4) {
        0 => get(&format!("{path}{byte}"), ""),
        1 => get(path, &format!("X-Y: a{byte}b\r\n")),
        2 => get(
            path,
            &format!("X-Forwarded-Host: a{byte}b\r\nX-Script-Name: //{byte}\r\nX-Scheme: javascript\r\n"),
        ),
        _ => get(&format!("{path}?{name}={value}&{name}={value}"), ""),
    };
    // A tab is no harm in a header, and odd parameters are read as clients know it.
    Hostile::new("control characters", bytes).that_may_pass()
}

pub(super) fn long_query(random: &mut Random) -> Hostile {
    let (path, name) = (*random.pick(&READ), *random.pick(&PARAMETERS));
    let length = random.below(80_000);
    let value = match random.below(3) {
        0 => "9".repeat(length),
        1 => "%00".repeat(length / 3),
        _ => "a:".repeat(length / 2),
    };
    Hostile::new("long query", get(&format!("{path}?{name}={value}"), "")).that_may_pass()
}

pub(super) fn many_parameters(random: &mut Random) -> Hostile {
    let path = *random.pick(&READ);
    let (name, value) = (*random.pick(&PARAMETERS), *random.pick(&VALUES));
    let pair = match random.below(4) {
        0 => "a&".to_owned(),
        1 => "order_by=id&order_by=name&".to_owned(),
        2 => format!("state={}&", random.below(9)),
        _ => format!("{name}={value}&"),
    };
    let query = pair.repeat(random.below(60_000 / pair.len()));
    Hostile::new("many parameters", get(&format!("{path}?{query}"), "")).that_may_pass()
}

/// Lengths and versions that contradict each other.
pub(super) fn framing(random: &mut Random) -> Hostile {
    let headers = [
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{\"a\"}",
        "Content-Length: 99999999999999999999999\r\n\r\n",
        "Content-Length: x\r\n\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
        "Expect: 200-maybe\r\nContent-Length: 0\r\n\r\n",
        " folded: x\r\n\r\n",
        "no colon\r\n\r\n",
        ": no name\r\n\r\n",
    ];
    let versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/9.9", "HTTP/2", "", "ICAP/1.0"];
    let (version, headers) = (*random.pick(&versions), *random.pick(&headers));
    let bytes = format!("POST /module-build-service/2/module-builds/ {version}\r\nHost: h\r\n{headers}");
    Hostile::new("framing", bytes).that_leaves()
}
