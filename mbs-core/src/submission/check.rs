//! What a submitted document may not say. Source: behaviour, section 2; rest-api, section 6.

use super::Refused;
use crate::modulemd::{ModuleStream, given};
use crate::policy::Policy;

/// Keys of `xmd.mbs` that a privileged module may set itself.
const PRIVILEGED_KEYS: [&str; 3] = ["disttag_marking", "koji_tag_arches", "static_context"];

/// Checks a document whose name is filled in, for itself or for one of its static contexts.
///
/// # Errors
/// In this order: an included module has a repository of its own without leave; `xmd.mbs` is used, unless a privileged
/// module says what it may; the module is named like a base module.
pub fn check_document(document: &ModuleStream, policy: &Policy) -> Result<(), Refused> {
    if !policy.modules_allow_repository {
        check_included(document)?;
    }
    let name = document.name.as_deref().unwrap_or_default();
    check_reserved(document, name, policy)?;
    if policy.base_module_names.iter().any(|base| base.as_str() == name) {
        return Err(Refused::BaseModule(name.to_owned()));
    }
    Ok(())
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
    use crate::ident::Name;
    use crate::modulemd::{ModuleComponent, Xmd};
    use crate::submission::RefusedAs;

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
        assert_eq!(check_document(&named("app"), &policy()), Ok(()));
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
            assert_eq!(check_document(&with_mbs("layered", key), &policy()), Ok(()));
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
        assert_eq!(check_document(&document, &lenient), Ok(()));
    }
}
