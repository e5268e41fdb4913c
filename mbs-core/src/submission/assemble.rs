//! From the expanded document to the record: identity, notes, dashes. Source: behaviour, sections 2 and 3.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Refused, Rules};
use crate::context::Contexts;
use crate::expansion::Expanded;
use crate::ident::{BuildId, CommitId, Context, Name, Nsvc, Package, Stream, Version};
use crate::model::{NewBuild, RebuildStrategy};
use crate::modulemd::{ModuleStream, Proofs, Xmd, is_static_context};

/// What was asked for, the same for all builds of a submission.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// Who submits.
    pub owner: String,
    /// Place among builds that wait.
    pub priority: i32,
    /// Whether it is a try only.
    pub scratch: bool,
    /// Where the document is from; `None` if it was given directly.
    pub scmurl: Option<String>,
    /// The full commit that this was; `None` if the document was given directly.
    pub commit: Option<CommitId>,
    /// What is built again.
    pub strategy: RebuildStrategy,
    /// The build to reuse from that the user named.
    pub reuse_from: Option<BuildId>,
    /// Source RPMs that the user gave, by package.
    pub srpms: BTreeMap<Package, String>,
    /// The same as they were given.
    pub given_srpms: Vec<String>,
    /// Whether documents are of static contexts that their own does not call so: then only `xmd.mbs` says it.
    pub notes_static_contexts_only: bool,
}

/// What was computed for one expanded document. Source: [`crate::context`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The hashes of its dependencies.
    pub contexts: Contexts,
    /// The context of these hashes; a static one beats it.
    pub context: Context,
    /// The version with its prefix.
    pub version: Version,
    /// For scratch builds: how many earlier ones have this name, stream, version and a context that begins with ours.
    pub earlier_scratch: u32,
}

/// Makes the build that the store records. The document gets version and context; a static context is noted in
/// `xmd.mbs`, and beside it only if it is one by the rules of documents; a scratch build's context gets its number.
///
/// # Errors
/// A part of the identity is missing, unusable, or has a dash without leave; or the document would not be read again.
pub fn assemble(
    expanded: Expanded,
    request: &Request,
    computed: Computed,
    rules: &Rules,
) -> Result<NewBuild, Refused> {
    assemble_one_of_many(expanded, request, computed, rules, &mut Proofs::default())
}

/// Does as [`assemble`], for one of many documents that are alike.
///
/// # Errors
/// As [`assemble`].
pub(super) fn assemble_one_of_many(
    expanded: Expanded,
    request: &Request,
    computed: Computed,
    rules: &Rules,
    proofs: &mut Proofs,
) -> Result<NewBuild, Refused> {
    let nsvc = identity(&expanded.document, &computed, request.scratch)?;
    check_dashes(&nsvc, rules)?;
    let Expanded { mut document, base_modules, .. } = expanded;
    if document.static_context {
        document.set_in_mbs([("static_context", Xmd::Bool(true))]);
    }
    document.version = Some(nsvc.version.0);
    document.context = Some(nsvc.context.to_string());
    document.static_context &=
        !request.notes_static_contexts_only && is_static_context(nsvc.context.as_str());
    let document = Arc::new(document);
    proofs
        .check(&document)
        .map_err(|why| Refused::InvalidDocument { file: String::new(), what: why.to_string() })?;
    Ok(NewBuild {
        nsvc,
        owner: request.owner.clone(),
        priority: request.priority,
        scratch: request.scratch,
        scmurl: request.scmurl.clone(),
        commit: request.commit.clone(),
        strategy: request.strategy,
        reuse_from: request.reuse_from,
        origin: None,
        document,
        contexts: computed.contexts,
        srpms: request.srpms.clone(),
        given_srpms: request.given_srpms.clone(),
        base_modules,
    })
}

/// Returns the identity of a build of a document.
///
/// # Errors
/// A part is missing or unusable.
pub(super) fn identity(document: &ModuleStream, computed: &Computed, scratch: bool) -> Result<Nsvc, Refused> {
    let context = if document.static_context {
        Context::new(document.context.as_deref().unwrap_or_default())?
    } else {
        computed.context.clone()
    };
    Ok(Nsvc {
        name: Name::new(document.name.as_deref().unwrap_or_default())?,
        stream: Stream::new(document.stream.as_deref().unwrap_or_default())?,
        version: computed.version,
        context: if scratch { scratch_context(&context, computed.earlier_scratch)? } else { context },
    })
}

/// Returns the context of a scratch build, by the number of earlier ones whose context begins with this one.
///
/// # Errors
/// It becomes too long.
pub(crate) fn scratch_context(context: &Context, earlier: u32) -> Result<Context, Refused> {
    Ok(Context::new(format!("{context}_{}", u64::from(earlier) + 1))?)
}

fn check_dashes(nsvc: &Nsvc, rules: &Rules) -> Result<(), Refused> {
    if rules.allow_dashes_in_svc {
        return Ok(());
    }
    let parts = [("stream", nsvc.stream.as_str()), ("context", nsvc.context.as_str())];
    match parts.into_iter().find(|(_, text)| text.contains('-')) {
        Some((part, _)) => Err(Refused::Dash(part)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::map;
    use super::*;

    fn context(text: &str) -> Context {
        Context::new(text).unwrap()
    }

    fn expanded() -> Expanded {
        let document = ModuleStream {
            name: Some("app".into()),
            stream: Some("1".into()),
            version: Some(5),
            module_licenses: ["MIT".to_owned()].into(),
            ..Default::default()
        };
        let base_modules = vec!["platform:f28:1:00000000".parse().unwrap()];
        Expanded { document, buildrequires: vec![], base_modules, chosen: vec![] }
    }

    fn static_one(context: &str) -> Expanded {
        let mut expanded = expanded();
        expanded.document.context = Some(context.into());
        expanded.document.static_context = true;
        expanded
    }

    fn request() -> Request {
        Request {
            owner: "anna".into(),
            priority: 2,
            scratch: false,
            scmurl: Some("https://host/modules/app?#abc".into()),
            commit: None,
            strategy: RebuildStrategy::OnlyChanged,
            reuse_from: Some(BuildId(3)),
            srpms: [].into(),
            given_srpms: Vec::new(),
            notes_static_contexts_only: false,
        }
    }

    fn computed() -> Computed {
        let contexts = Contexts { build: "b".into(), build_without_base: "n".into(), runtime: "r".into() };
        Computed { contexts, context: context("c0ffee00"), version: Version(285), earlier_scratch: 2 }
    }

    fn assembled(expanded: Expanded, request: &Request) -> Result<NewBuild, Refused> {
        assemble(expanded, request, computed(), &Rules::default())
    }

    #[test]
    fn a_build_has_the_computed_context_and_the_prefixed_version() {
        let new = assembled(expanded(), &request()).unwrap();
        assert_eq!(new.nsvc.to_string(), "app:1:285:c0ffee00");
        assert_eq!((new.document.version, new.document.context.as_deref()), (Some(285), Some("c0ffee00")));
        assert_eq!(new.contexts, computed().contexts);
        assert_eq!(new.base_modules, expanded().base_modules);
        assert_eq!(
            (new.owner.as_str(), new.priority, new.strategy, new.reuse_from),
            ("anna", 2, RebuildStrategy::OnlyChanged, Some(BuildId(3)))
        );
        assert!(new.document.xmd.value("mbs").is_none());
    }

    #[test]
    fn a_static_context_is_taken_as_written_and_noted() {
        let new = assembled(static_one("mine"), &request()).unwrap();
        assert_eq!(new.nsvc.context, context("mine"));
        assert_eq!(new.document.xmd, map([("mbs", map([("static_context", Xmd::Bool(true))]))]));
        assert_eq!(new.contexts, computed().contexts);
    }

    #[test]
    fn a_static_context_that_the_document_does_not_call_so_is_noted_in_xmd_only() {
        let request = Request { notes_static_contexts_only: true, ..request() };
        let new = assembled(static_one("mine"), &request).unwrap();
        assert_eq!(new.document.xmd, map([("mbs", map([("static_context", Xmd::Bool(true))]))]));
        assert!(!new.document.static_context);
    }

    #[test]
    fn a_static_context_beyond_the_rules_of_documents_is_noted_in_xmd_only() {
        let seen = |context: &str, request: &Request| {
            let document = assembled(static_one(context), request).unwrap().document;
            assert_eq!(document.xmd, map([("mbs", map([("static_context", Xmd::Bool(true))]))]));
            document.static_context
        };
        let scratch = Request { scratch: true, ..request() };
        assert!(seen("abcdefghijklm", &request()) && seen("abcdefghijk", &scratch));
        assert!(!seen("el8.4", &request()));
        assert!(!seen("abcdefghijklm", &scratch), "its number makes it too long");
    }

    #[test]
    fn a_scratch_builds_context_gets_the_next_number() {
        let scratch = Request { scratch: true, ..request() };
        assert_eq!(assembled(expanded(), &scratch).unwrap().nsvc.context, context("c0ffee00_3"));
        assert_eq!(assembled(static_one("mine"), &scratch).unwrap().nsvc.context, context("mine_3"));
        assert_eq!(scratch_context(&context("c"), 0).unwrap(), context("c_1"));
    }

    #[test]
    fn dashes_in_stream_or_context_are_refused_unless_allowed() {
        let mut dashed = expanded();
        dashed.document.stream = Some("a-b".into());
        let refused = assembled(dashed.clone(), &request()).unwrap_err();
        assert_eq!(refused.to_string(), "Dashes not allowed in stream");
        let refused = assembled(static_one("a-b"), &request()).unwrap_err();
        assert_eq!(refused.to_string(), "Dashes not allowed in context");
        let rules = Rules { allow_dashes_in_svc: true, ..Rules::default() };
        assert!(assemble(dashed, &request(), computed(), &rules).is_ok());
    }

    #[test]
    fn a_document_that_would_not_be_read_again_makes_no_build() {
        let mut unreadable = expanded();
        unreadable.document.module_licenses.clear();
        let refused = assembled(unreadable, &request()).unwrap_err();
        assert!(refused.to_string().contains("at least one licence"), "{refused}");
    }

    #[test]
    fn a_document_without_name_makes_no_build() {
        let mut nameless = expanded();
        nameless.document.name = None;
        assert!(matches!(assembled(nameless, &request()), Err(Refused::Ident(_))));
    }
}
