//! How long reading and writing a whole repository of module documents takes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mbs_core::modulemd::{Limits, read_documents};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/modulemd/documents/f29.yaml");

fn repository(criterion: &mut Criterion) {
    #[expect(clippy::disallowed_methods, reason = "the benchmark reads its input, the core does not")]
    let read = std::fs::read_to_string(REPOSITORY);
    let Ok(text) = read else { return };
    let limits = Limits::default();
    criterion.bench_function("read f29.yaml", |bench| {
        bench.iter(|| read_documents(black_box(&text), None, &limits));
    });
    let documents = read_documents(&text, None, &limits).documents;
    criterion.bench_function("write f29.yaml", |bench| {
        bench.iter(|| documents.iter().map(|one| one.document.to_yaml().len()).sum::<usize>());
    });
}

criterion_group!(benches, repository);
criterion_main!(benches);
