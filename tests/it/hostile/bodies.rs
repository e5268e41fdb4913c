//! Bodies that mean harm: of wrong types, nested, badly encoded, huge, slow, forms that are none.

use super::{Hostile, Random};

/// What takes a body.
const TAKERS: [(&str, &str); 4] = [
    ("POST", "/module-build-service/2/module-builds/"),
    ("POST", "/module-build-service/1/plan"),
    ("POST", "/module-build-service/2/import-module/"),
    ("PATCH", "/module-build-service/1/module-builds/1"),
];

/// Members that a body may have, and some that it may not.
const MEMBERS: [&str; 18] = [
    "scmurl",
    "branch",
    "modulemd",
    "module_name",
    "module_stream",
    "owner",
    "scratch",
    "srpms",
    "rebuild_strategy",
    "buildrequire_overrides",
    "require_overrides",
    "rpm_component_ref_overrides",
    "reuse_components_from",
    "side_tag",
    "yaml",
    "state",
    "__proto__",
    "\\u0000",
];

/// Values of all types.
const VALUES: [&str; 26] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e308",
    "1e999",
    "99999999999999999999999999",
    "-0.0",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"../../etc/passwd\"",
    "\"--upload-pack=touch /tmp/x\"",
    "\"https://src.example.test/modules/a.git?#-x\"",
    "\"https://src.example.test/modules/../a?#x\"",
    "\"file:///etc/passwd?#x\"",
    "\"' OR 1=1; --\"",
    "[]",
    "{}",
    "[[[[[]]]]]",
    "{\"a\": {\"b\": [1, {}]}}",
    "[null, true, \"x\"]",
    "{\"\": \"\"}",
    "{\"platform\": [1]}",
    "NaN",
];

/// Documents that cost more to read than to write, or are none.
const DOCUMENTS: [&str; 12] = [
    "",
    "---\n---\n---\n",
    "document: modulemd\nversion: 2\ndata: &a [*a, *a]\n",
    "document: modulemd\nversion: 99999999999999999999\n",
    "document: modulemd\nversion: 2\ndata:\n  name: ../../x\n  summary: s\n  description: d\n  license: {module: [MIT]}\n",
    "document: modulemd\nversion: 2\ndata:\n  name: a:b\n  stream: \"\\0\"\n",
    "document: modulemd-packager\nversion: 3\ndata: {configurations: []}\n",
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
    "!!python/object/apply:os.system [id]\n",
    "%YAML 9.9\n---\n{}\n",
    "? ? ? ? ? ?\n",
    "data: |\n  x\n \u{85}\u{feff}y\n",
];

/// Writes a request with a body of the right length.
fn with_body(random: &mut Random, kind: &str, body: &[u8]) -> Vec<u8> {
    let (method, path) = random.pick(&TAKERS);
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn with_json(random: &mut Random, body: &str) -> Vec<u8> {
    with_body(random, "application/json", body.as_bytes())
}

pub(super) fn of_wrong_types(random: &mut Random) -> Hostile {
    let member = |random: &mut Random| format!("\"{}\": {}", random.pick(&MEMBERS), random.pick(&VALUES));
    let members: Vec<String> = (0..random.below(6)).map(|_| member(random)).collect();
    let body = match random.below(8) {
        0 => (*random.pick(&VALUES)).to_owned(),
        1 => format!("{{{}", members.join(", ")),
        2 => format!("{{{},}}", members.join(" ")),
        _ => format!("{{{}}}", members.join(", ")),
    };
    Hostile::new("wrong types", with_json(random, &body))
}

pub(super) fn nested(random: &mut Random) -> Hostile {
    let depth = 1 + random.below(40_000);
    let text = |open: &str, close: &str| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let document = |text: &str| format!("{{\"modulemd\": {}}}", serde_json::Value::from(text));
    let body = match random.below(7) {
        0 => text("[", "]"),
        1 => text("{\"a\":", "}"),
        2 => "[".repeat(depth),
        3 => document(&text("[", "]")),
        4 => document(&text("{a: ", "}")),
        5 => document(&"- ".repeat(depth)),
        _ => document(random.pick::<&str>(&DOCUMENTS)),
    };
    Hostile::new("nested", with_json(random, &body))
}

pub(super) fn badly_encoded(random: &mut Random) -> Hostile {
    let bodies: [&[u8]; 7] = [
        b"{\"modulemd\": \"\xff\xfe\"}",
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf{}",
        b"{\"scmurl\": \"\xc0\xae\xc0\xae\"}",
        b"{\"scmurl\": \"\x01\x02\"}",
        b"\0\0\0\0",
        b"\x1f\x8b\x08\0\0\0\0\0",
    ];
    let body = *random.pick(&bodies);
    let kinds =
        ["application/json; charset=utf-16", "text/\u{e9}", "application/x-yaml", "application/json", ";;;="];
    let kind = *random.pick(&kinds);
    Hostile::new("badly encoded", with_body(random, kind, body))
}

pub(super) fn form(random: &mut Random) -> Hostile {
    let part = "--x\r\nContent-Disposition: form-data; name=\"scmurl\"\r\n\r\nx\r\n";
    let bodies = [
        String::new(),
        "--x\r\n".to_owned(),
        "--x--\r\n".to_owned(),
        "--y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--y--\r\n".to_owned(),
        format!("{}--x--\r\n", part.repeat(1 + random.below(2_000))),
        "--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n".to_owned(),
        "--x\r\nContent-Disposition: form-data; name=\"yaml\"; filename=\"../../x\"\r\n\r\n- - -\r\n--x--\r\n".to_owned(),
        format!("--x\r\n{}\r\nx\r\n--x--\r\n", "X-Y: z\r\n".repeat(random.below(5_000))),
        format!("--x\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n\r\n--x--\r\n", "n".repeat(random.below(90_000))),
    ];
    let body = random.pick(&bodies).clone();
    let kinds = [
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=\"",
        "Multipart/Form-Data; boundary=x",
    ];
    let kind = *random.pick(&kinds);
    Hostile::new("form", with_body(random, kind, body.as_bytes()))
}

pub(super) fn huge(random: &mut Random) -> Hostile {
    let size = (2 << 20) + 1 + random.below(1 << 20);
    let body = match random.below(3) {
        0 => " ".repeat(size),
        1 => format!("{{\"modulemd\": \"{}\"}}", "x".repeat(size)),
        _ => format!("{{{}}}", "\"a\": 1,".repeat(size / 7)),
    };
    Hostile::new("huge", with_json(random, &body))
}

/// A body that does not come: the sender waits for the answer, which has to come nevertheless.
pub(super) fn slow(random: &mut Random) -> Hostile {
    let (method, path) = random.pick(&TAKERS[..2]);
    let head = match random.below(2) {
        0 => "Content-Length: 1000\r\n\r\n{\"scm",
        _ => "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"scm\r\n",
    };
    Hostile::new("slow", format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{head}"))
}
