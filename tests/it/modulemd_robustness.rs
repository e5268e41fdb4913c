//! Does reading documents stay bounded whatever the text?

use std::time::{Duration, Instant};

use mbs_core::modulemd::{Limits, read_bytes, read_documents};

use crate::mutation::{Mutations, PIECES, Random};

const WHOLE: &str = "---
document: modulemd
version: 2
data:
  name: foo
  stream: \"1.10\"
  version: 5
  summary: An example
  description: >-
    Of some
    length.
  license:
    module: [MIT]
  xmd: {mbs: {mse: TRUE, list: [a, {b: c}]}}
  dependencies:
  - buildrequires: {platform: [-f27]}
    requires: {platform: []}
  profiles:
    default: {rpms: [bash]}
  api: {rpms: [bash]}
  buildopts:
    rpms:
      macros: |
        %demomacro 1
    arches: [x86_64]
  components:
    rpms:
      bash: {rationale: r, buildafter: [libc], arches: [x86_64]}
      libc: {rationale: r}
    modules:
      other: {rationale: r, buildorder: -1}
  artifacts:
    rpms: ['bash-0:5-1.x86_64']
...
";

/// Reads texts and returns how long the slowest took.
fn slowest(texts: impl Iterator<Item = String>) -> Duration {
    let limits = Limits { bytes: 1 << 20, nodes: 10_000, ..Limits::default() };
    let mut slowest = Duration::ZERO;
    for text in texts {
        let start = Instant::now();
        let read = read_documents(&text, None, &limits);
        slowest = slowest.max(start.elapsed());
        assert!(read.problems.len() <= 2 * limits.problems);
        for one in &read.documents {
            let again = read_documents(&one.document.to_yaml(), None, &Limits::default());
            assert!(again.is_fine(), "{:?}\n{text}", again.problems);
            assert_eq!(again.documents[0].document, one.document, "{text}");
        }
    }
    slowest
}

#[test]
fn ten_thousand_random_texts_end_in_documents_or_problems() {
    let mut random = Random::new(7);
    let texts = (0..10_000).map(|_| {
        let length = random.below(60);
        (0..length).map(|_| *random.pick(&PIECES)).collect()
    });
    println!("slowest random text: {:?}", slowest(texts));
}

#[test]
fn a_thousand_mutated_documents_end_in_documents_or_problems() {
    let mut mutations = Mutations::new(vec![WHOLE.to_owned()], 11);
    let texts = (0..1_000).map(|_| mutations.next_text());
    println!("slowest mutated document: {:?}", slowest(texts));
}

#[test]
fn random_bytes_end_in_problems() {
    let mut random = Random::new(3);
    for _ in 0..1_000 {
        let bytes: Vec<u8> =
            (0..random.below(200)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        let read = read_bytes(&bytes, None, &Limits::default());
        assert!(read.documents.is_empty());
    }
}

/// Texts that cost careless readers far more than their length.
fn bombs() -> Vec<(&'static str, String)> {
    let laughs: String = (1..30).map(|i| format!("l{i}: &l{i} [*l{p}, *l{p}]\n", p = i - 1)).collect();
    let flat = |open: &str, n: usize| format!("data: {}", open.repeat(n));
    vec![
        ("aliases", format!("l0: &l0 [x]\n{laughs}")),
        ("open brackets", flat("[", 200_000)),
        ("open braces", flat("{", 200_000)),
        ("maps as keys", flat("{? ", 100_000)),
        ("dashes", flat("\n- ", 200_000)),
        ("nested dashes", format!("data:\n{}", "- ".repeat(100_000))),
        ("indentation", (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()),
        ("commas", format!("data: [{}]", "a,".repeat(200_000))),
        ("the same key", "data: {}\n".repeat(50_000)),
        ("unknown keys", (0..50_000).map(|i| format!("k{i}: v\n")).collect()),
        ("documents", "---\na\n".repeat(50_000)),
        ("quotes", "\"".repeat(300_001)),
        ("long text", format!("data: \"{}\"", "a\n".repeat(200_000))),
        ("long key", format!("{}: b", "a".repeat(500_000))),
        ("comments", "# a\n".repeat(100_000)),
        ("blank lines", "\n".repeat(500_000)),
        ("anchors", (0..50_000).map(|i| format!("k{i}: &a{i} v\n")).collect()),
        ("tags", "- !!str a\n".repeat(50_000)),
        ("question marks", "? a\n".repeat(100_000)),
        ("colons", ":".repeat(300_000)),
        ("escapes", format!("data: \"{}\"", "\\u0041".repeat(50_000))),
    ]
}

#[test]
fn bombs_give_no_documents() {
    for (name, bomb) in bombs() {
        let start = Instant::now();
        let read = read_documents(&bomb, None, &Limits::default());
        let took = start.elapsed();
        println!("{name}: {} bytes in {took:?}", bomb.len());
        assert!(read.documents.is_empty(), "{name}");
    }
}

#[test]
fn each_budget_refuses_a_document_that_needs_more() {
    let enough = Limits { bytes: WHOLE.len(), nodes: 100, depth: 6, documents: 1, problems: 5 };
    assert!(
        read_documents(WHOLE, None, &enough).is_fine(),
        "{:?}",
        read_documents(WHOLE, None, &enough).problems
    );
    let scarce = [
        (Limits { bytes: WHOLE.len() - 1, ..enough.clone() }, "bytes"),
        (Limits { nodes: 50, ..enough.clone() }, "values"),
        (Limits { depth: 3, ..enough.clone() }, "deep"),
        (Limits { documents: 0, ..enough }, "documents"),
    ];
    for (limits, word) in scarce {
        let read = read_documents(WHOLE, None, &limits);
        assert!(read.problems[0].message.contains(word), "{word}: {:?}", read.problems);
        assert!(read.documents.is_empty());
    }
}

#[test]
fn problems_are_as_many_as_the_limit_at_most() {
    let text: String = (0..10_000).map(|i| format!("k{i}: v\n")).collect();
    let read = read_documents(&text, None, &Limits { problems: 10, ..Limits::default() });
    assert_eq!(read.problems.iter().filter(|problem| !problem.is_error()).count(), 10);
}
