//! Which component an uploaded source RPM stands for. Source: behaviour, section 3, on YAML submissions.

use std::collections::BTreeMap;

use crate::ident::{Nvr, Package};
use crate::modulemd::{ModuleStream, given};

/// What uploaded source RPMs stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MatchedSrpms {
    /// Package → path, as given.
    pub by_package: BTreeMap<Package, String>,
    /// Lines for the submitter: paths that are not used.
    pub warnings: Vec<String>,
}

/// Finds the component of each uploaded path by the file's name: `<package>.src.rpm`, or the name of an NVR. The first of
/// two for one component wins. What is not used is warned about.
pub fn match_srpms(document: &ModuleStream, paths: &[String]) -> MatchedSrpms {
    let mut matched = MatchedSrpms::default();
    for path in paths {
        match component_of(document, path) {
            None => matched.warnings.push(format!("{path} fits no component of the module and is not used")),
            Some(package) if matched.by_package.contains_key(&package) => {
                matched.warnings.push(format!("{path} is not used: {package} has a source RPM already"));
            }
            Some(package) => {
                matched.by_package.insert(package, path.clone());
            }
        }
    }
    matched
}

fn component_of(document: &ModuleStream, path: &str) -> Option<Package> {
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".src.rpm")?;
    let is_component = |name: &&str| {
        document.rpms.iter().any(|(key, component)| given(component.name.as_ref()).unwrap_or(key) == *name)
    };
    let nvr: Option<Nvr> = stem.parse().ok();
    let candidates = [Some(stem), nvr.as_ref().map(Nvr::name)];
    let name = candidates.into_iter().flatten().find(is_component)?;
    Package::new(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::RpmComponent;

    fn document() -> ModuleStream {
        let renamed = RpmComponent { name: Some("real".into()), ..Default::default() };
        ModuleStream {
            rpms: [("liba".to_owned(), RpmComponent::default()), ("key".to_owned(), renamed)].into(),
            ..Default::default()
        }
    }

    fn matched(paths: &[&str]) -> (Vec<(String, String)>, usize) {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let matched = match_srpms(&document(), &paths);
        let pairs = matched.by_package.into_iter().map(|(package, path)| (package.to_string(), path));
        (pairs.collect(), matched.warnings.len())
    }

    #[test]
    fn the_files_name_decides_which_component_it_stands_for() {
        let bare = "cli-build/1/liba.src.rpm";
        assert_eq!(matched(&[bare]), (vec![("liba".into(), bare.into())], 0));
        let full = "cli-build/1/liba-1.0-2.fc28.src.rpm";
        assert_eq!(matched(&[full]), (vec![("liba".into(), full.into())], 0));
    }

    #[test]
    fn a_renamed_component_goes_by_the_package_it_builds() {
        assert_eq!(matched(&["real.src.rpm"]).0, [("real".into(), "real.src.rpm".into())]);
        assert_eq!(matched(&["key.src.rpm"]), (vec![], 1));
    }

    #[test]
    fn the_first_of_two_wins_and_the_other_is_warned_about() {
        let (pairs, warnings) = matched(&["a/liba.src.rpm", "b/liba.src.rpm"]);
        assert_eq!((pairs[0].1.as_str(), warnings), ("a/liba.src.rpm", 1));
    }

    #[test]
    fn what_fits_no_component_is_warned_about() {
        assert_eq!(matched(&["other.src.rpm", "liba.rpm", ""]), (vec![], 3));
    }
}
