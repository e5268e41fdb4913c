//! Static contexts: one document becomes one per context that its packager wrote. Source: behaviour, section 2.

use std::collections::{BTreeMap, BTreeSet};

use super::{Refused, Section};
use crate::ident::Context;
use crate::modulemd::{Dependencies, ModuleStream, Xmd};

/// Most contexts of a document; each becomes a build.
pub(super) const MOST_CONTEXTS: usize = 100;

/// Returns one document per entry of `xmd.mbs_options.contexts`, sorted by context: with that context, marked static, and
/// this entry as its only dependency pair; `contexts` is taken out. A document without the key is returned alone, as it is,
/// but marked static if its `xmd.mbs.static_context` says so.
///
/// # Errors
/// The key is no map, empty or too large, is used beside a static context, or an entry lacks a section or names an unusable stream or
/// context; a document that calls its context static has none.
pub fn static_contexts(mut document: ModuleStream) -> Result<Vec<ModuleStream>, Refused> {
    document.static_context |= document.xmd.at(&["mbs", "static_context"]).is_some_and(Xmd::is_true);
    let Some(contexts) = take_contexts(&mut document.xmd) else {
        check_own_context(&document)?;
        return Ok(vec![document]);
    };
    if document.static_context {
        return Err(Refused::Contexts(
            "The document has a static context already: it cannot name \"contexts\" in xmd mbs_options, too"
                .into(),
        ));
    }
    let Xmd::Map(entries) = contexts else {
        return Err(Refused::Contexts(
            "The \"contexts\" in xmd mbs_options must be a map of contexts".into(),
        ));
    };
    if entries.is_empty() {
        return Err(Refused::Contexts("The \"contexts\" in xmd mbs_options must not be empty".into()));
    }
    let most = MOST_CONTEXTS.min(document.most_copies());
    if entries.len() > most {
        let of_its_size = if most < MOST_CONTEXTS { " for a document of its size" } else { "" };
        return Err(Refused::Contexts(format!(
            "The \"contexts\" in xmd mbs_options are {}, at most {most} are allowed{of_its_size}",
            entries.len()
        )));
    }
    let mut documents = entries
        .iter()
        .map(|(context, entry)| for_context(&document, context, entry))
        .collect::<Result<Vec<_>, _>>()?;
    documents.sort_by(|a, b| a.context.cmp(&b.context));
    Ok(documents)
}

/// Takes `contexts` out of `mbs_options`, and that, too, if nothing else is in it.
fn take_contexts(xmd: &mut Xmd) -> Option<Xmd> {
    let mut options = xmd.value("mbs_options")?.clone();
    let contexts = options.remove("contexts")?;
    if options.entries().is_empty() {
        xmd.remove("mbs_options");
    } else {
        xmd.set("mbs_options", options);
    }
    Some(contexts)
}

fn check_own_context(document: &ModuleStream) -> Result<(), Refused> {
    if !document.static_context {
        return Ok(());
    }
    let Some(context) = document.context.as_deref() else {
        return Err(Refused::Contexts("The document has \"static_context\" set, but no context".into()));
    };
    Context::new(context)?;
    Ok(())
}

fn for_context(document: &ModuleStream, context: &str, entry: &Xmd) -> Result<ModuleStream, Refused> {
    Context::new(context)?;
    let section = |section| streams_of_section(context, section, entry);
    let pair = Dependencies {
        buildrequires: section(Section::Buildrequires)?,
        requires: section(Section::Requires)?,
    };
    let mut of_context = document.clone();
    of_context.context = Some(context.to_owned());
    of_context.static_context = true;
    of_context.dependencies = vec![pair];
    Ok(of_context)
}

fn streams_of_section(
    context: &str,
    section: Section,
    entry: &Xmd,
) -> Result<BTreeMap<String, BTreeSet<String>>, Refused> {
    let modules = entry
        .value(section.key())
        .ok_or_else(|| Refused::ContextLacksSection { context: context.to_owned(), section })?;
    let Xmd::Map(modules) = modules else {
        return Err(Refused::Contexts(format!(
            "The '{section}' of the context '{context}' must be a map from module to stream"
        )));
    };
    let stream_of = |(module, stream): &(String, Xmd)| {
        let stream = usable_stream(stream).map_err(|why| Refused::ContextStream {
            module: module.clone(),
            section,
            context: context.to_owned(),
            why,
        })?;
        Ok((module.clone(), BTreeSet::from([stream.to_owned()])))
    };
    modules.iter().map(stream_of).collect()
}

fn usable_stream(stream: &Xmd) -> Result<&str, &'static str> {
    match stream.spelling() {
        None => Err("must be one stream, as text"),
        Some("") => Err("is empty"),
        Some(text) if text.starts_with('-') => Err("must not begin with '-'"),
        Some(text) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{map, pair};
    use super::*;

    fn entry(buildrequires: Xmd, requires: Xmd) -> Xmd {
        map([("buildrequires", buildrequires), ("requires", requires)])
    }

    fn with_contexts(contexts: Xmd) -> ModuleStream {
        ModuleStream {
            name: Some("app".into()),
            dependencies: vec![pair(&[("old", &["1"])], &[])],
            xmd: map([("mbs_options", map([("contexts", contexts)]))]),
            ..Default::default()
        }
    }

    fn platform(stream: &str) -> Xmd {
        map([("platform", stream.into())])
    }

    fn refused(contexts: Xmd) -> String {
        static_contexts(with_contexts(contexts)).unwrap_err().to_string()
    }

    #[test]
    fn a_document_without_contexts_stays_one_and_as_it_is() {
        let plain = ModuleStream { dependencies: vec![pair(&[("a", &["1"])], &[])], ..Default::default() };
        assert_eq!(static_contexts(plain.clone()).unwrap(), [plain]);
    }

    #[test]
    fn each_context_becomes_a_document_with_this_pair_alone() {
        let contexts = map([
            ("two", entry(map([("platform", "f29".into()), ("gtk", "2".into())]), platform("f29"))),
            ("one", entry(platform("f28"), map([]))),
        ]);
        let documents = static_contexts(with_contexts(contexts)).unwrap();
        let seen: Vec<_> = documents
            .iter()
            .map(|d| (d.context.as_deref().unwrap(), d.static_context, d.dependencies.clone()))
            .collect();
        assert_eq!(
            seen,
            [
                ("one", true, vec![pair(&[("platform", &["f28"])], &[])]),
                (
                    "two",
                    true,
                    vec![pair(&[("platform", &["f29"]), ("gtk", &["2"])], &[("platform", &["f29"])])]
                ),
            ]
        );
        assert!(documents.iter().all(|d| d.xmd == Xmd::default()));
    }

    #[test]
    fn other_options_of_the_user_stay() {
        let mut document = with_contexts(map([("c", entry(platform("f28"), map([])))]));
        let mut options = document.xmd.remove("mbs_options").unwrap();
        options.set("repo_include_all", Xmd::Bool(false));
        document.xmd.set("mbs_options", options);
        let documents = static_contexts(document).unwrap();
        assert_eq!(documents[0].xmd, map([("mbs_options", map([("repo_include_all", Xmd::Bool(false))]))]));
    }

    #[test]
    fn contexts_that_are_empty_or_no_map_are_refused() {
        assert!(refused(map([])).contains("must not be empty"));
        assert!(refused("x".into()).contains("must be a map"));
        assert!(refused(Xmd::Seq(vec![])).contains("must be a map"));
    }

    #[test]
    fn too_many_contexts_are_refused() {
        let one = |number: usize| (format!("c{number}"), entry(map([]), map([])));
        let documents = |count| static_contexts(with_contexts(Xmd::Map((0..count).map(one).collect())));
        assert_eq!(documents(100).unwrap().len(), 100);
        assert!(documents(101).unwrap_err().to_string().ends_with("are 101, at most 100 are allowed"));
    }

    #[test]
    fn a_missing_section_is_refused_in_the_words_that_clients_know() {
        assert_eq!(
            refused(map([("ctxone", map([("buildrequires", map([]))]))])),
            "The context 'ctxone' is missing the 'requires' key!"
        );
        assert_eq!(
            refused(map([("ctxone", map([("requires", map([]))]))])),
            "The  context 'ctxone' is missing the 'buildrequires' key!"
        );
    }

    #[test]
    fn a_stream_that_is_no_text_or_empty_or_negative_is_refused_naming_all() {
        let with = |stream| refused(map([("ctx", entry(platform("f28"), map([("gtk", stream)])))]));
        for (stream, why) in [
            (Xmd::Seq(vec!["1".into()]), "must be one stream, as text"),
            ("".into(), "is empty"),
            ("-1".into(), "must not begin with '-'"),
        ] {
            let text = with(stream);
            assert_eq!(text, format!("The stream of 'gtk' in 'requires' of the context 'ctx' {why}"));
        }
    }

    #[test]
    fn a_context_unfit_for_a_tag_is_refused() {
        assert!(refused(map([("a/b", entry(map([]), map([])))])).contains("no valid context"));
    }

    #[test]
    fn a_rebuild_says_in_xmd_that_its_context_is_static() {
        let document = ModuleStream {
            context: Some("written".into()),
            xmd: map([("mbs", map([("static_context", Xmd::Bool(true))]))]),
            ..Default::default()
        };
        assert!(static_contexts(document.clone()).unwrap()[0].static_context);
        let nameless = ModuleStream { context: None, ..document };
        assert!(static_contexts(nameless).is_err());
    }

    #[test]
    fn contexts_beside_a_static_context_are_refused() {
        let mut document = with_contexts(map([("c", entry(platform("f28"), map([])))]));
        document.static_context = true;
        document.context = Some("own".into());
        assert!(static_contexts(document).unwrap_err().to_string().contains("already"));
    }
}
