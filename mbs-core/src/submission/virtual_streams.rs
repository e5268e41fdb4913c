//! Virtual streams of base modules in the buildrequires become the streams that provide them. Source: behaviour, section 3, step 4.

use std::collections::{BTreeMap, BTreeSet};

use super::Refused;
use crate::expansion::{Questions, Universe};
use crate::ident::{Name, NameStream, Stream};
use crate::modulemd::ModuleStream;
use crate::policy::Policy;
use crate::resolver::{Against, KnownModule};

/// Replaces each base stream that is buildrequired and does not exist, but is provided by base modules, by the stream of the
/// newest of these: the highest stream version, then the highest version. Negated streams and `requires` are left alone.
///
/// Returns what must be known first; while that is not empty the document is unchanged.
///
/// # Errors
/// A stream is unusable.
pub(crate) fn replace_virtual_streams(
    document: &mut ModuleStream,
    known: &Universe,
    policy: &Policy,
) -> Result<Questions, Refused> {
    let mut questions = Questions::default();
    let mut replaced: BTreeMap<NameStream, Stream> = BTreeMap::new();
    for name in &policy.base_module_names {
        for stream in buildrequired(document, name) {
            let base = NameStream { name: name.clone(), stream: Stream::new(stream)? };
            match known.latest(&base, &Against::Anything).map(<[_]>::is_empty) {
                None => {
                    questions.latest.entry(Against::Anything).or_default().insert(base);
                }
                Some(false) => {}
                Some(true) => match known.providers(&base) {
                    None => {
                        questions.providers.insert(base);
                    }
                    Some(providers) => {
                        let newest = newest(providers, policy);
                        replaced.extend(newest.map(|module| (base, module.nsvc.stream.clone())));
                    }
                },
            }
        }
    }
    if questions.is_empty() && !replaced.is_empty() {
        replace(document, &replaced);
    }
    Ok(questions)
}

/// Returns the positive streams of a module in the buildrequires of all pairs.
fn buildrequired(document: &ModuleStream, name: &Name) -> BTreeSet<String> {
    let of_pairs = document.dependencies.iter().filter_map(|pair| pair.buildrequires.get(name.as_str()));
    of_pairs.flatten().filter(|stream| !stream.starts_with('-')).cloned().collect()
}

fn newest<'m>(providers: &'m [KnownModule], policy: &Policy) -> Option<&'m KnownModule> {
    let number = |module: &KnownModule| policy.stream_number(module.nsvc.stream.as_str());
    providers.iter().max_by(|a, b| {
        number(a).total_cmp(&number(b)).then(a.nsvc.version.cmp(&b.nsvc.version)).then(a.nsvc.cmp(&b.nsvc))
    })
}

fn replace(document: &mut ModuleStream, replaced: &BTreeMap<NameStream, Stream>) {
    for (base, stream) in replaced {
        for pair in &mut document.dependencies {
            if let Some(streams) = pair.buildrequires.get_mut(base.name.as_str())
                && streams.remove(base.stream.as_str())
            {
                streams.insert(stream.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{map, pair};
    use super::*;
    use crate::engine::answer;
    use crate::memory::MemoryResolver;
    use crate::memory::samples::now_or_panic;
    use crate::modulemd::{Dependencies, Xmd};

    fn platform(nsvc: &str, virtual_stream: &str, is_ready: bool) -> KnownModule {
        let provided = map([("virtual_streams", Xmd::Seq(vec![virtual_stream.into()]))]);
        let document = ModuleStream { xmd: map([("mbs", provided)]), ..ModuleStream::default() };
        KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready }
    }

    /// Replaces over some platforms, and counts the rounds of questions.
    fn replaced(written: Dependencies) -> (Vec<Dependencies>, usize) {
        let resolver = MemoryResolver::new([
            platform("platform:el8.4.0:9:c", "el8", true),
            platform("platform:el8.10.0:1:c", "el8", true),
            platform("platform:el8.10.0:2:c", "el8", true),
            platform("platform:el8.11.0:1:c", "el8", false),
            platform("platform:el9:1:c", "el9", true),
        ])
        .unwrap();
        let mut document = ModuleStream { dependencies: vec![written], ..ModuleStream::default() };
        let (mut universe, mut rounds) = (Universe::default(), 0);
        loop {
            let questions = replace_virtual_streams(&mut document, &universe, &Policy::default()).unwrap();
            if questions.is_empty() {
                return (document.dependencies, rounds);
            }
            rounds += 1;
            let answers = now_or_panic(answer(&questions, &resolver, None)).unwrap();
            universe.learn(questions, answers);
        }
    }

    #[test]
    fn a_virtual_stream_becomes_the_newest_stream_that_is_ready_and_provides_it() {
        let (pairs, rounds) =
            replaced(pair(&[("platform", &["el8"]), ("gtk", &["el8"])], &[("platform", &["el8"])]));
        assert_eq!(
            pairs,
            [pair(&[("platform", &["el8.10.0"]), ("gtk", &["el8"])], &[("platform", &["el8"])])]
        );
        assert_eq!(rounds, 2);
    }

    #[test]
    fn streams_that_exist_negated_ones_and_unknown_ones_stay() {
        for streams in [&["el8.4.0"][..], &["el9"], &["-el8"], &["f99"], &[]] {
            let written = pair(&[("platform", streams)], &[]);
            assert_eq!(replaced(written.clone()).0, [written]);
        }
    }
}
