//! What a submission asks for, read off its body, and in which order it is refused. Source: rest-api, section 6.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::BuildId;
use mbs_core::model::RebuildStrategy;
use mbs_core::submission::{Asked, GivenBuild, GivenDocument, Overrides, Rules};
use serde_json::Value;

use super::super::problem::Problem;
use super::super::query::is_true;
use super::{Members, is_nothing, not_text};

/// The members that a submission may have.
const KNOWN: [&str; 15] = [
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
];

const OWNER_WITH_LOGIN: &str = "The request contains 'owner' parameter, however NO_AUTH is not allowed";

/// Whether requests may say who they are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// There is no login: they may.
    Named,
    /// Who is logged in is who it is.
    LoggedIn,
}

/// Reads what is asked for as far as it can be refused before it matters who asks.
pub(crate) fn asked(members: &Members, rules: &Rules) -> Result<Asked, Problem> {
    let scratch = match members.value("scratch") {
        Some(Value::Bool(is)) => *is,
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        Some(Value::String(text)) => is_true(text),
        Some(_) | None => false,
    };
    let has_srpms = members.says("srpms");
    let given = Asked {
        scratch,
        srpms: if has_srpms { vec![String::new()] } else { Vec::new() },
        document: document(members)?,
        ..Asked::default()
    };
    // What is wrong with the list is said after whether there may be one, and before documents.
    let srpms = if scratch || !has_srpms { srpms(members) } else { Ok(Vec::new()) };
    if scratch && rules.modules_allow_scratch {
        srpms.clone()?;
    }
    given.check_switches(rules)?;
    Ok(Asked { srpms: srpms?, ..given })
}

/// Reads the rest, in the order in which clients are refused; the person has been found to be allowed to submit.
pub(crate) fn finish(asked: Asked, members: &Members, rules: &Rules, owner: Owner) -> Result<Asked, Problem> {
    let text = |name: &str| members.text(name).map(|text| text.map(str::to_owned));
    if asked.document.is_none() && matches!(members.value("scmurl"), Some(Value::Null)) {
        return Err(not_text("scmurl"));
    }
    let mut asked = Asked {
        scmurl: text("scmurl")?,
        branch: text("branch")?.or(null_branch(members)),
        module_name: text("module_name")?,
        module_stream: text("module_stream")?,
        ..asked
    };
    asked.check_place(rules)?;
    check_names(members, owner)?;
    asked.rebuild_strategy = strategy(members)?;
    let strategy = asked.check_strategy(rules)?.unwrap_or(rules.rebuild_strategy);
    asked.overrides = Overrides {
        buildrequires: streams(members, "buildrequire_overrides")?,
        requires: streams(members, "require_overrides")?,
    };
    asked.component_refs = refs(members)?;
    asked.reuse_components_from = reuse_from(members, strategy)?;
    asked.side_tag = text("side_tag")?;
    Ok(asked)
}

/// Returns who the request says it is from.
pub(crate) fn owner(members: &Members, owner: Owner) -> Result<Option<&str>, Problem> {
    match (owner, members.value("owner")) {
        (_, None) => Ok(None),
        (Owner::LoggedIn, Some(_)) => Err(Problem::bad(OWNER_WITH_LOGIN)),
        (Owner::Named, Some(_)) => members.text("owner"),
    }
}

/// A branch that is null counts as given: the default one.
fn null_branch(members: &Members) -> Option<String> {
    matches!(members.value("branch"), Some(Value::Null)).then(String::new)
}

/// The document itself; a field beats a file.
fn document(members: &Members) -> Result<Option<GivenDocument>, Problem> {
    match (members.value("modulemd"), &members.file) {
        (Some(Value::String(text)), _) => {
            let file_name = members.file.as_ref().and_then(|(name, _)| name.clone());
            Ok(Some(GivenDocument { text: text.clone(), file_name }))
        }
        (Some(_), _) => Err(not_text("modulemd")),
        (None, Some((file_name, text))) => {
            Ok(Some(GivenDocument { text: text.clone(), file_name: file_name.clone() }))
        }
        (None, None) => Ok(None),
    }
}

fn srpms(members: &Members) -> Result<Vec<String>, Problem> {
    let no_list = || Problem::bad("srpms must be specified as a list");
    match members.value("srpms") {
        Some(value) if is_nothing(value) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(no_list);
            list.iter().map(text).collect()
        }
        Some(_) => Err(no_list()),
        None => Ok(Vec::new()),
    }
}

fn check_names(members: &Members, owner: Owner) -> Result<(), Problem> {
    let unknown = members.all.iter().map(|(name, _)| name.as_str()).filter(|name| !KNOWN.contains(name));
    let unknown: Vec<String> = unknown.map(|name| name.escape_debug().to_string()).collect();
    if !unknown.is_empty() {
        return Err(Problem::bad(format!("The request contains invalid parameters: {}", unknown.join(", "))));
    }
    self::owner(members, owner).map(drop)
}

fn strategy(members: &Members) -> Result<Option<String>, Problem> {
    match members.value("rebuild_strategy") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // What is no text is the name of no strategy.
        Some(other) => Ok(Some(other.to_string())),
    }
}

/// Reads module → streams.
fn streams(members: &Members, name: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let wrong = || {
        Problem::bad(format!(
            "The \"{name}\" parameter must be an object with the keys as module names and the values as arrays of streams"
        ))
    };
    let modules = match members.value(name) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(modules)) => modules,
        Some(_) => return Err(wrong()),
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    let module = |(module, streams): (&String, &Value)| {
        let streams = streams.as_array().ok_or_else(wrong)?;
        Ok((module.clone(), streams.iter().map(text).collect::<Result<_, _>>()?))
    };
    modules.iter().map(module).collect()
}

/// Reads component → ref.
fn refs(members: &Members) -> Result<BTreeMap<String, String>, Problem> {
    const NAME: &str = "rpm_component_ref_overrides";
    let wrong = || {
        Problem::bad(format!(
            "The \"{NAME}\" parameter must be an object with the keys as component names and the values as strings of refs"
        ))
    };
    match members.value(NAME) {
        None => Ok(BTreeMap::new()),
        Some(value) if is_nothing(value) => Ok(BTreeMap::new()),
        Some(Value::Object(refs)) => {
            let one = |(component, value): (&String, &Value)| {
                value.as_str().map(|text| (component.clone(), text.to_owned())).ok_or_else(wrong)
            };
            refs.iter().map(one).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn reuse_from(members: &Members, strategy: RebuildStrategy) -> Result<Option<GivenBuild>, Problem> {
    let Some(value) = members.value("reuse_components_from") else { return Ok(None) };
    if strategy == RebuildStrategy::All {
        return Err(mbs_core::submission::Refused::ReuseWithStrategyAll.into());
    }
    match value {
        Value::String(text) => Ok(Some(GivenBuild::Nsvc(text.clone()))),
        Value::Number(number) if number.is_i64() => Ok(number.as_i64().map(|id| GivenBuild::Id(BuildId(id)))),
        _ => Err(mbs_core::submission::Refused::ReuseFromNothing.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            scmurls: vec!["https://src.example/modules/".into()],
            modules_allow_scratch: true,
            rebuild_strategy_allow_override: true,
            yaml_submit_allowed: true,
            ..Rules::default()
        }
    }

    fn read(body: &str, owner: Owner) -> Result<Asked, String> {
        let members = Members::of_json(body.as_bytes()).unwrap();
        let asked = asked(&members, &rules()).and_then(|asked| finish(asked, &members, &rules(), owner));
        asked.map_err(|problem| problem.message)
    }

    fn from_git(more: &str) -> Result<Asked, String> {
        let scmurl = "https://src.example/modules/perl.git?#abc";
        read(&format!(r#"{{"scmurl": "{scmurl}", "branch": "5.30"{more}}}"#), Owner::Named)
    }

    #[test]
    fn a_submission_is_read() {
        let asked = from_git(
            r#", "scratch": "TRUE", "srpms": ["a.src.rpm"], "rebuild_strategy": "only-changed", "side_tag": "s",
               "buildrequire_overrides": {"platform": ["f39"], "gtk": []}, "rpm_component_ref_overrides": {"a": "main"},
               "reuse_components_from": 7"#,
        )
        .unwrap();
        assert!(asked.scratch);
        assert_eq!(asked.srpms, ["a.src.rpm"]);
        assert_eq!(asked.overrides.buildrequires["platform"], BTreeSet::from(["f39".to_owned()]));
        assert!(asked.overrides.buildrequires["gtk"].is_empty());
        assert_eq!(asked.component_refs["a"], "main");
        assert_eq!(asked.reuse_components_from, Some(GivenBuild::Id(BuildId(7))));
    }

    #[test]
    fn what_scratch_builds_are_is_read_leniently() {
        let scratch = |value: &str| from_git(&format!(", \"scratch\": {value}")).unwrap().scratch;
        assert!(["true", "1", "\"1\"", "\"True\""].into_iter().all(scratch));
        assert!(!["false", "0", "\"yes\"", "null", "[]", "2"].into_iter().any(scratch));
    }

    #[test]
    fn a_document_may_come_with_places_that_are_null() {
        let asked =
            read(r#"{"modulemd": "x", "module_name": "n", "scmurl": null, "branch": null}"#, Owner::Named);
        assert_eq!(asked.unwrap().document.unwrap().text, "x");
    }

    #[test]
    fn unknown_members_are_named_in_their_order_after_the_place() {
        assert_eq!(
            from_git(r#", "zz": 1, "aa": 2"#).unwrap_err(),
            "The request contains invalid parameters: zz, aa"
        );
        assert_eq!(read(r#"{"zz": 1}"#, Owner::Named).unwrap_err(), "Missing scmurl");
    }

    #[test]
    fn who_is_logged_in_is_not_said_otherwise() {
        let body = r#"{"scmurl": "https://src.example/modules/perl?#a", "branch": "b", "owner": "x"}"#;
        assert_eq!(read(body, Owner::LoggedIn).unwrap_err(), OWNER_WITH_LOGIN);
        assert!(read(body, Owner::Named).is_ok());
        assert_eq!(from_git(r#", "owner": 3"#).unwrap_err(), "The \"owner\" parameter must be a string");
    }

    #[test]
    fn what_must_be_text_must_be_text() {
        for name in ["scmurl", "branch", "modulemd", "module_name"] {
            let told = read(
                &format!(r#"{{"scmurl": "https://src.example/modules/p?#a", "branch": "b", "{name}": 3}}"#),
                Owner::Named,
            );
            assert_eq!(told.unwrap_err(), format!("The \"{name}\" parameter must be a string"));
        }
        assert_eq!(
            read(r#"{"scmurl": null}"#, Owner::Named).unwrap_err(),
            "The \"scmurl\" parameter must be a string"
        );
    }

    #[test]
    fn lists_and_objects_must_be_such() {
        let told = |more: &str| from_git(more).unwrap_err();
        assert_eq!(told(r#", "scratch": true, "srpms": "x""#), "srpms must be specified as a list");
        assert_eq!(told(r#", "scratch": true, "srpms": [3]"#), "srpms must be specified as a list");
        assert_eq!(told(r#", "srpms": ["x"]"#), "srpms may only be specified for scratch builds");
        for value in ["[]", "\"\"", "0", "false", "{\"a\": \"b\"}", "{\"a\": [1]}"] {
            assert!(
                told(&format!(", \"require_overrides\": {value}")).contains("as arrays of streams"),
                "{value}"
            );
        }
        assert!(from_git(r#", "require_overrides": null, "rpm_component_ref_overrides": []"#).is_ok());
        assert!(told(r#", "rpm_component_ref_overrides": {"a": 1}"#).contains("as strings of refs"));
    }

    #[test]
    fn the_build_to_reuse_from_is_a_number_or_a_text() {
        for value in ["true", "null", "1.5", "[]"] {
            let told = from_git(&format!(", \"reuse_components_from\": {value}")).unwrap_err();
            assert!(told.ends_with("contains an invalid module identifier"), "{value}: {told}");
        }
        let all = from_git(r#", "rebuild_strategy": "all", "reuse_components_from": true"#).unwrap_err();
        assert!(all.starts_with("You cannot specify the parameter"), "{all}");
    }
}
