//! What a submitted document may not say. Source: behaviour, section 2; rest-api, section 6.

use super::{Refused, Section};
use crate::ident::{Name, Package, Stream};
use crate::modulemd::{ModuleStream, Xmd, given};
use crate::policy::Policy;

/// Keys of `xmd.mbs` that a privileged module may set itself.
const PRIVILEGED_KEYS: [&str; 3] = ["disttag_marking", "koji_tag_arches", "static_context"];

/// Checks a document whose name is filled in, for itself or for one of its static contexts. Returns warnings, a line each.
///
/// # Errors
/// In this order: an included module has a repository of its own without leave; `xmd.mbs` is used, unless a privileged
/// module says what it may; the module is named like a base module; an option of `xmd.mbs_options` has another form; a
/// component or a required module has an unusable name.
pub fn check_document(document: &ModuleStream, policy: &Policy) -> Result<Vec<String>, Refused> {
    if !policy.modules_allow_repository {
        check_included(document)?;
    }
    let name = document.name.as_deref().unwrap_or_default();
    check_reserved(document, name, policy)?;
    if policy.base_module_names.iter().any(|base| base.as_str() == name) {
        return Err(Refused::BaseModule(name.to_owned()));
    }
    let warnings = check_options(document)?;
    check_components(document)?;
    check_dependencies(document)?;
    Ok(warnings)
}

/// Checks what users may ask for in `xmd.mbs_options`.
fn check_options(document: &ModuleStream) -> Result<Vec<String>, Refused> {
    let Some(options) = document.xmd.value("mbs_options") else { return Ok(Vec::new()) };
    let Xmd::Map(options) = options else { return Err(invalid("data.xmd.mbs_options", &"must be a map")) };
    let mut warnings = Vec::new();
    for (key, value) in options {
        let path = format!("data.xmd.mbs_options.{}", key.escape_debug());
        match key.as_str() {
            "contexts" => {}
            "blocked_packages" => check_packages(&path, value)?,
            "repo_include_all" | "dynamic_buildrequires" if value.boolean().is_none() => {
                return Err(invalid(&path, &"must be true or false"));
            }
            "repo_include_all" | "dynamic_buildrequires" => {}
            _ => warnings.push(format!("{path}: unknown option; it has no effect")),
        }
    }
    Ok(warnings)
}

fn check_packages(path: &str, value: &Xmd) -> Result<(), Refused> {
    let Xmd::Seq(items) = value else { return Err(invalid(path, &"must be a list of package names")) };
    for (place, item) in items.iter().enumerate() {
        let path = format!("{path}[{place}]");
        let name = item.text().ok_or_else(|| invalid(&path, &"must be a package name"))?;
        Package::new(name).map_err(|why| invalid(&path, &why))?;
    }
    Ok(())
}

/// The key names the repository even where the component has another name.
fn check_components(document: &ModuleStream) -> Result<(), Refused> {
    let path = |kind: &str, key: &str| format!("data.components.{kind}.{}", key.escape_debug());
    for (key, component) in &document.rpms {
        Package::new(key).map_err(|why| invalid(&path("rpms", key), &why))?;
        if let Some(name) = given(component.name.as_ref()) {
            Package::new(name).map_err(|why| invalid(&format!("{}.name", path("rpms", key)), &why))?;
        }
    }
    for (key, module) in &document.modules {
        let name = given(module.name.as_ref());
        let at = if name.is_some() { path("modules", key) + ".name" } else { path("modules", key) };
        Name::new(name.unwrap_or(key)).map_err(|why| invalid(&at, &why))?;
    }
    Ok(())
}

/// Checks the names and streams of all dependency pairs, those of the user among them.
pub(super) fn check_dependencies(document: &ModuleStream) -> Result<(), Refused> {
    for (place, pair) in document.dependencies.iter().enumerate() {
        for section in [Section::Buildrequires, Section::Requires] {
            let modules = match section {
                Section::Buildrequires => &pair.buildrequires,
                Section::Requires => &pair.requires,
            };
            for (module, streams) in modules {
                let path = format!("data.dependencies[{place}].{section}.{}", module.escape_debug());
                Name::new(module).map_err(|why| invalid(&path, &why))?;
                for stream in streams {
                    let stream = stream.strip_prefix('-').unwrap_or(stream);
                    Stream::new(stream).map_err(|why| invalid(&path, &why))?;
                }
            }
        }
    }
    Ok(())
}

fn invalid(path: &str, why: &dyn std::fmt::Display) -> Refused {
    Refused::InvalidDocument { file: String::new(), what: format!("{path}: {why}") }
}

fn check_included(document: &ModuleStream) -> Result<(), Refused> {
    let own =
        document.modules.iter().find_map(|(key, module)| Some((key, given(module.repository.as_ref())?)));
    match own {
        Some((key, url)) => Err(Refused::OwnRepository { module: key.clone(), repository: url.to_owned() }),
        None => Ok(()),
    }
}

fn check_reserved(document: &ModuleStream, name: &str, policy: &Policy) -> Result<(), Refused> {
    let Some(reserved) = document.xmd.value("mbs") else { return Ok(()) };
    let is_privileged = policy.allowed_privileged_module_names.iter().any(|allowed| allowed.as_str() == name);
    let keys = reserved.entries();
    if is_privileged && keys.iter().all(|(key, _)| PRIVILEGED_KEYS.contains(&key.as_str())) {
        Ok(())
    } else {
        Err(Refused::ReservedXmd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::{Dependencies, ModuleComponent, RpmComponent};
    use crate::submission::RefusedAs;
    use crate::submission::testing::{map, pair};

    fn named(name: &str) -> ModuleStream {
        ModuleStream { name: Some(name.into()), ..Default::default() }
    }

    fn with_mbs(name: &str, key: &str) -> ModuleStream {
        let mut mbs = Xmd::default();
        mbs.set(key, "x".into());
        let mut document = named(name);
        document.xmd.set("mbs", mbs);
        document
    }

    fn policy() -> Policy {
        Policy { allowed_privileged_module_names: vec![Name::new("layered").unwrap()], ..Policy::default() }
    }

    #[test]
    fn a_plain_document_passes() {
        assert_eq!(check_document(&named("app"), &policy()), Ok(vec![]));
    }

    #[test]
    fn xmd_mbs_is_reserved_for_the_service() {
        assert_eq!(check_document(&with_mbs("app", "disttag_marking"), &policy()), Err(Refused::ReservedXmd));
        let mut empty = named("app");
        empty.xmd.set("mbs", Xmd::default());
        assert_eq!(check_document(&empty, &policy()), Err(Refused::ReservedXmd));
    }

    #[test]
    fn a_privileged_module_may_set_three_keys_of_xmd_mbs_and_no_other() {
        for key in PRIVILEGED_KEYS {
            assert_eq!(check_document(&with_mbs("layered", key), &policy()), Ok(vec![]));
        }
        assert_eq!(check_document(&with_mbs("layered", "koji_tag"), &policy()), Err(Refused::ReservedXmd));
    }

    #[test]
    fn a_base_module_cannot_be_built() {
        let refused = check_document(&named("platform"), &policy()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "You cannot build a module named \"platform\" since it is a base module"
        );
    }

    fn refused(document: &ModuleStream) -> String {
        let refused = check_document(document, &policy()).unwrap_err();
        assert!(matches!(refused, Refused::InvalidDocument { .. }), "{refused:?}");
        refused.to_string().lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn options_of_the_user_have_their_form() {
        let with = |key: &str, value: Xmd| {
            let mut document = named("app");
            document.xmd.set("mbs_options", map([(key, value)]));
            document
        };
        let texts = |text: &str| Xmd::Seq(vec!["ok".into(), text.into()]);
        assert_eq!(check_document(&with("repo_include_all", "False".into()), &policy()), Ok(vec![]));
        assert_eq!(check_document(&with("blocked_packages", texts("gcc-c++")), &policy()), Ok(vec![]));
        assert_eq!(
            refused(&with("dynamic_buildrequires", "on".into())),
            "'data.xmd.mbs_options.dynamic_buildrequires: must be true or false'"
        );
        assert_eq!(
            refused(&with("blocked_packages", "gcc".into())),
            "'data.xmd.mbs_options.blocked_packages: must be a list of package names'"
        );
        assert!(
            refused(&with("blocked_packages", texts("a b")))
                .starts_with("'data.xmd.mbs_options.blocked_packages[1]: ")
        );
        let mut no_map = named("app");
        no_map.xmd.set("mbs_options", "x".into());
        assert_eq!(refused(&no_map), "'data.xmd.mbs_options: must be a map'");
        assert_eq!(
            check_document(&with("blocked\npackages", "x".into()), &policy()).unwrap(),
            ["data.xmd.mbs_options.blocked\\npackages: unknown option; it has no effect"]
        );
    }

    #[test]
    fn unusable_names_are_refused_where_they_stand() {
        let mut key = named("app");
        key.rpms.insert("a b".into(), RpmComponent::default());
        assert!(refused(&key).starts_with("'data.components.rpms.a b: "), "{}", refused(&key));
        let mut name = named("app");
        name.rpms.insert("a".into(), RpmComponent { name: Some("../a".into()), ..Default::default() });
        assert!(refused(&name).starts_with("'data.components.rpms.a.name: "));
        let mut module = named("app");
        module.modules.insert("a:b".into(), ModuleComponent::default());
        assert!(refused(&module).starts_with("'data.components.modules.a:b: "));
        let with = |section: Dependencies| ModuleStream { dependencies: vec![section], ..named("app") };
        let requires = refused(&with(pair(&[], &[("a:b", &["1"])])));
        assert!(requires.starts_with("'data.dependencies[0].requires.a:b: "), "{requires}");
        let stream = refused(&with(pair(&[("a", &["-1:2"])], &[])));
        assert!(stream.starts_with("'data.dependencies[0].buildrequires.a: "), "{stream}");
        assert_eq!(check_document(&with(pair(&[("a", &["-1", "2"])], &[("b", &[])])), &policy()), Ok(vec![]));
    }

    #[test]
    fn an_included_module_from_elsewhere_needs_leave() {
        let mut document = named("app");
        let included = ModuleComponent { repository: Some("URL".into()), ..Default::default() };
        document.modules.insert("included".into(), included);
        let refused = check_document(&document, &policy()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Custom module repositories aren't allowed.  'included' bears repository 'URL'"
        );
        assert_eq!(refused.answered_as(), RefusedAs::Forbidden);
        let lenient = Policy { modules_allow_repository: true, ..policy() };
        assert_eq!(check_document(&document, &lenient), Ok(vec![]));
    }
}
