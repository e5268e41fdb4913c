//! `mbs-build resume`: submits again what a module build was made of. What then goes on, and what begins anew, the service decides.

use std::collections::BTreeMap;

use mbs_client::api::{Form, ModuleBuild, Source, Submission};
use mbs_core::ident::Version;
use mbs_core::modulemd::{ModuleStream, Xmd};
use mbs_core::stream_version::prefixed_version;

use super::site::{Site, build_id, stop};
use super::submit::{announce, send};
use crate::cli::{ResumeArguments, ServiceArguments};
use crate::exit::{Exit, Stop};

pub(super) async fn run(
    site: &Site,
    service: &ServiceArguments,
    arguments: &ResumeArguments,
) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    let build = site.client.module_build(id, Form::Extended).await.map_err(stop)?;
    let submission = submission(&build, usual_strategy(site).await.as_deref())?;
    let builds = send(&site.logged_in(service).await?, &submission).await?;
    announce(site, &builds, arguments.watch, arguments.reader()).await
}

/// Returns the strategy that counts where none is asked for; `None`: the service does not say.
async fn usual_strategy(site: &Site) -> Option<String> {
    let strategies = site.client.rebuild_strategies().await.ok()?;
    strategies.into_iter().find(|strategy| strategy.default).map(|strategy| strategy.name)
}

/// Returns what a build was submitted with. Which streams somebody may have overridden is not kept.
///
/// # Errors
/// `Failed`: the service does not show it.
fn submission(build: &ModuleBuild, usual_strategy: Option<&str>) -> Result<Submission, Stop> {
    let document = document(build)?;
    let noted = |key| document.xmd.at(&["mbs", key]).and_then(Xmd::spelling).filter(|text| !text.is_empty());
    // Of a document that was given directly the service notes no commit.
    let was_given = document.xmd.at(&["mbs", "commit"]).and_then(Xmd::spelling) == Some("");
    let scmurl = build.scmurl.as_deref().filter(|url| !url.is_empty() && !was_given);
    let source = match scmurl {
        Some(scmurl) => {
            let branch = noted("branch").ok_or_else(|| unknown(build, "on which branch its commit was"))?;
            Source::Git { scmurl: scmurl.to_owned(), branch: branch.to_owned() }
        }
        None => Source::Document {
            text: as_submitted(document.clone(), build).to_yaml(),
            name: None,
            stream: None,
        },
    };
    // One that is asked for has to be allowed, even the usual one.
    let strategy = build.rebuild_strategy.as_deref().zip(usual_strategy).filter(|(own, usual)| own != usual);
    let refs = document.xmd.at(&["mbs", "rpm_component_ref_overrides"]).map(Xmd::entries).unwrap_or_default();
    let refs =
        refs.iter().filter_map(|(package, git_ref)| Some((package.clone(), git_ref.spelling()?.to_owned())));
    Ok(Submission {
        source,
        scratch: build.scratch == Some(true),
        srpms: build.srpms.clone(),
        rebuild_strategy: strategy.map(|(own, _)| own.to_owned()),
        rpm_component_ref_overrides: refs.collect::<BTreeMap<_, _>>(),
        reuse_components_from: build.reused_module_id.map(|id| id.to_string()),
        side_tag: noted("side_tag").map(str::to_owned),
        ..Submission::default()
    })
}

fn document(build: &ModuleBuild) -> Result<ModuleStream, Stop> {
    let text = build.modulemd.as_deref().ok_or_else(|| unknown(build, "its document"))?;
    ModuleStream::from_stored(text).map_err(|error| Stop::Failed(format!("build {}: {error}", build.id)))
}

fn unknown(build: &ModuleBuild, what: &str) -> Stop {
    Stop::Failed(format!("build {} cannot be resumed: the service does not say {what}", build.id))
}

/// Takes out of a stored document what the service put there, so that the same comes of it again.
fn as_submitted(mut document: ModuleStream, build: &ModuleBuild) -> ModuleStream {
    document.xmd.remove("mbs");
    document.version = document.version.map(|version| without_prefix(Version(version), build).0);
    if !document.static_context {
        document.context = None;
    } else if build.scratch == Some(true) {
        let context = document.context.take();
        document.context = context.map(|context| without_number(&context).to_owned());
    }
    document
}

/// Returns the version that becomes this one behind the number of the build's base module.
fn without_prefix(version: Version, build: &ModuleBuild) -> Version {
    let base = build.base_module_buildrequires.first().and_then(|base| base.stream.parse().ok());
    let text = version.to_string();
    let endings = (1..text.len()).filter_map(|cut| text[cut..].parse::<Version>().ok());
    let found = base.and_then(|base| {
        endings.into_iter().find(|ending| {
            let prefixed = prefixed_version(*ending, &base);
            !prefixed.overflowed && prefixed.version == version && ending.to_string() != text
        })
    });
    found.unwrap_or(version)
}

/// Returns a context without the number that scratch builds add.
fn without_number(context: &str) -> &str {
    match context.rsplit_once('_') {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            before
        }
        _ => context,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::show::tests::build;
    use super::*;

    const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: desktop
  stream: \"f26\"
  version: 2620170601141014
  context: c0ffee42
  summary: A desktop
  description: A desktop.
  license:
    module: [MIT]
  xmd:
    mbs: {mse: TRUE, branch: 1.10, buildrequires: {}, side_tag: SIDE, rpm_component_ref_overrides: {bash: 1e3}}
    own: [kept]
  dependencies:
  - buildrequires: {platform: [f26]}
    requires: {platform: [f26]}
";

    fn shown(changes: &Value) -> ModuleBuild {
        let mut shown = serde_json::to_value(build(&json!({}))).unwrap();
        let members = shown.as_object_mut().unwrap();
        members.insert("modulemd".to_owned(), json!(DOCUMENT));
        members.insert("rebuild_strategy".to_owned(), json!("all"));
        members.extend(changes.as_object().unwrap().clone());
        serde_json::from_value(shown).unwrap()
    }

    fn base(stream: &str) -> Value {
        json!([{"id": 1, "name": "platform", "stream": stream, "version": "3", "state": 5, "state_name": "ready"}])
    }

    #[test]
    fn what_came_from_git_is_submitted_from_there() {
        let from_git = shown(&json!({"scmurl": "https://x/desktop?#abc", "reused_module_id": 12}));
        let body = submission(&from_git, Some("changed-and-after")).unwrap().body();
        let wanted = json!({
            "scmurl": "https://x/desktop?#abc", "branch": "1.10", "rebuild_strategy": "all", "side_tag": "SIDE",
            "rpm_component_ref_overrides": {"bash": "1e3"}, "reuse_components_from": 12,
        });
        assert_eq!(body, wanted);
        for usual in [Some("all"), None] {
            let body = submission(&from_git, usual).unwrap().body();
            assert_eq!(body.get("rebuild_strategy"), None, "{usual:?}");
        }
    }

    #[test]
    fn a_document_is_submitted_as_it_was_before_the_service_had_it() {
        let given = shown(
            &json!({"base_module_buildrequires": base("f26"), "scratch": true, "srpms": ["cli-build/a.src.rpm"]}),
        );
        let Submission { source: Source::Document { text, name, stream }, scratch, srpms, .. } =
            submission(&given, None).unwrap()
        else {
            panic!("it came from nowhere else")
        };
        assert_eq!((name, stream, scratch, srpms.len()), (None, None, true, 1));
        let document = ModuleStream::from_stored(&text).unwrap();
        assert_eq!((document.version, document.context.as_deref()), (Some(20170601141014), None));
        assert_eq!(document.xmd.at(&["mbs"]), None);
        assert_eq!(document.xmd.at(&["own"]).unwrap().texts(), ["kept"]);
    }

    #[test]
    fn an_address_that_is_only_noted_beside_a_document_does_not_count() {
        let text = DOCUMENT.replace("mse: TRUE", "mse: TRUE, commit: \"\"");
        let given = shown(&json!({"scmurl": "https://x/desktop?#abc", "modulemd": text}));
        assert!(matches!(submission(&given, None).unwrap().source, Source::Document { .. }));
    }

    #[test]
    fn a_static_context_stays_without_the_number_of_a_scratch_build() {
        let text = DOCUMENT.replace("context: c0ffee42", "context: mine_2\n  static_context: true");
        let of = |scratch: bool| {
            let given = shown(&json!({"modulemd": text, "scratch": scratch}));
            as_submitted(document(&given).unwrap(), &given).context
        };
        assert_eq!((of(false).as_deref(), of(true).as_deref()), (Some("mine_2"), Some("mine")));
    }

    #[test]
    fn a_version_loses_the_number_of_its_base_module_and_nothing_else() {
        for (version, stream, wanted) in [
            (2620170601141014, "f26", 20170601141014),
            (8010020200101000000, "el8.1.0", 20200101000000),
            (20170601141014, "f26", 20170601141014),
            (20170601141014, "eln", 20170601141014),
            (20170601141014, "f20", 170601141014),
        ] {
            let of =
                without_prefix(Version(version), &shown(&json!({"base_module_buildrequires": base(stream)})));
            assert_eq!(of, Version(wanted), "{version} {stream}");
        }
        assert_eq!(without_prefix(Version(26), &shown(&json!({}))), Version(26));
    }

    #[test]
    fn what_the_service_does_not_show_is_told() {
        let told = |changes: Value| submission(&shown(&changes), None).unwrap_err().to_string();
        assert!(told(json!({"modulemd": null})).ends_with("the service does not say its document"));
        let text = DOCUMENT.replace("branch: 1.10, ", "");
        let told = told(json!({"modulemd": text, "scmurl": "https://x/a?#b"}));
        assert_eq!(
            told,
            "build 1204 cannot be resumed: the service does not say on which branch its commit was"
        );
    }
}
