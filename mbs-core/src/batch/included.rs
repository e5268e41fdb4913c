//! Which documents of included modules are needed, and the tree that they make. They are fetched in rounds: what an included
//! document includes is known only when it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ident::{InvalidIdent, Name};
use crate::modulemd::{ModuleComponent, ModuleStream, given};
use crate::policy::Policy;
use crate::source_control::Place;

/// More included modules than this are refused, so that documents that include each other twice do not grow without end.
const MOST_INCLUDED: usize = 200;

/// Included modules by their key in the including document.
pub type Inclusions = BTreeMap<String, Included>;

/// An included module with its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Included {
    /// Its document.
    pub document: Arc<ModuleStream>,
    /// What it includes itself.
    pub inner: Inclusions,
}

/// How far the included documents are known.
#[derive(Debug, Clone, PartialEq)]
pub enum Gathered {
    /// These are to be fetched; then gather again.
    Missing(BTreeSet<Place>),
    /// All are there.
    Whole(Inclusions),
}

/// Why a module cannot be included. The packager mends a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncludeError {
    /// Its name is not valid.
    #[error(transparent)]
    Name(#[from] InvalidIdent),
    /// Modules include each other.
    #[error("modules include each other: {}", .0.join(", which includes "))]
    Circle(Vec<String>),
    /// Repositories of one's own are not allowed here.
    #[error("the included module {module} names its own repository {repository}, which is not allowed here")]
    OwnRepository {
        /// The included module.
        module: String,
        /// The repository.
        repository: String,
    },
    /// Too many are included.
    #[error("more than {MOST_INCLUDED} modules are included")]
    TooMany,
}

/// Builds the tree of included modules from the documents known so far, or says which are missing.
///
/// `branch` is the branch the module was submitted from; included modules without a ref are taken from it, without one from
/// the configured default branch. Documents that cannot be fetched or read are the caller's to report.
///
/// # Errors
/// See [`IncludeError`].
pub fn gather(
    document: &ModuleStream,
    branch: Option<&str>,
    policy: &Policy,
    known: &BTreeMap<Place, Arc<ModuleStream>>,
) -> Result<Gathered, IncludeError> {
    let branch = branch.unwrap_or(&policy.default_branch);
    let mut gathering = Gathering { branch, policy, known, missing: BTreeSet::new(), count: 0 };
    let way: Vec<String> = document.name.iter().cloned().collect();
    let inclusions = gathering.descend(document, &way)?;
    Ok(if gathering.missing.is_empty() {
        Gathered::Whole(inclusions)
    } else {
        Gathered::Missing(gathering.missing)
    })
}

struct Gathering<'a> {
    branch: &'a str,
    policy: &'a Policy,
    known: &'a BTreeMap<Place, Arc<ModuleStream>>,
    missing: BTreeSet<Place>,
    count: usize,
}

impl Gathering<'_> {
    /// Gathers what a document includes; `way` names the modules that led to it, itself last.
    fn descend(&mut self, document: &ModuleStream, way: &[String]) -> Result<Inclusions, IncludeError> {
        let mut inclusions = Inclusions::new();
        for (key, component) in &document.modules {
            self.count += 1;
            if self.count > MOST_INCLUDED {
                return Err(IncludeError::TooMany);
            }
            let name = Name::new(given(component.name.as_ref()).unwrap_or(key))?;
            let inner_way = extended(way, name.as_str())?;
            let place = self.place(&name, component)?;
            let Some(document) = self.known.get(&place) else {
                self.missing.insert(place);
                continue;
            };
            let inner = self.descend(document, &inner_way)?;
            inclusions.insert(key.clone(), Included { document: Arc::clone(document), inner });
        }
        Ok(inclusions)
    }

    /// Says where an included module's document is.
    fn place(&self, name: &Name, component: &ModuleComponent) -> Result<Place, IncludeError> {
        let repository = match given(component.repository.as_ref()) {
            None => format!("{}/{name}", self.policy.modules_default_repository.trim_end_matches('/')),
            Some(own) if self.policy.modules_allow_repository => own.to_owned(),
            Some(own) => {
                return Err(IncludeError::OwnRepository {
                    module: name.to_string(),
                    repository: own.to_owned(),
                });
            }
        };
        let folder = repository.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let path = format!("{}.yaml", folder.strip_suffix(".git").unwrap_or(folder));
        let revision = given(component.git_ref.as_ref()).unwrap_or(self.branch).to_owned();
        Ok(Place { repository, revision, branch: None, path })
    }
}

fn extended(way: &[String], name: &str) -> Result<Vec<String>, IncludeError> {
    let mut longer = way.to_vec();
    longer.push(name.to_owned());
    match way.iter().position(|earlier| earlier == name) {
        Some(begin) => Err(IncludeError::Circle(longer.split_off(begin))),
        None => Ok(longer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of a name that includes modules, given as key and component.
    fn document(name: &str, modules: &[(&str, ModuleComponent)]) -> ModuleStream {
        let modules = modules.iter().map(|(key, component)| ((*key).to_owned(), component.clone())).collect();
        ModuleStream { name: Some(name.into()), modules, ..ModuleStream::default() }
    }

    #[test]
    fn what_is_blank_is_not_given() {
        let blank = || Some(String::new());
        let lib = ModuleComponent { name: blank(), repository: blank(), git_ref: blank(), ..plain() };
        let place =
            |lib| gather(&document("app", &[("lib", lib)]), None, &Policy::default(), &BTreeMap::new());
        assert_eq!(place(lib).unwrap(), place(plain()).unwrap());
    }

    fn plain() -> ModuleComponent {
        ModuleComponent::default()
    }

    fn place(name: &str, revision: &str) -> Place {
        Place {
            repository: format!("https://src.fedoraproject.org/modules/{name}"),
            revision: revision.into(),
            branch: None,
            path: format!("{name}.yaml"),
        }
    }

    fn known(documents: &[(Place, ModuleStream)]) -> BTreeMap<Place, Arc<ModuleStream>> {
        documents.iter().map(|(place, document)| (place.clone(), Arc::new(document.clone()))).collect()
    }

    #[test]
    fn documents_are_asked_for_round_by_round() {
        let policy = Policy::default();
        let renamed = ModuleComponent { name: Some("b".into()), git_ref: Some("v2".into()), ..plain() };
        let app = document("app", &[("a", plain()), ("bee", renamed)]);
        let (a, b) =
            ((place("a", "f28"), document("a", &[("c", plain())])), (place("b", "v2"), document("b", &[])));
        let asked = |branch, known: &_| gather(&app, branch, &policy, known).unwrap();

        let first = BTreeSet::from([place("a", "f28"), place("b", "v2")]);
        assert_eq!(asked(Some("f28"), &known(&[])), Gathered::Missing(first));
        let known_two = known(&[a.clone(), b.clone()]);
        assert_eq!(asked(Some("f28"), &known_two), Gathered::Missing(BTreeSet::from([place("c", "f28")])));
        let all = known(&[a, b, (place("c", "f28"), document("c", &[]))]);
        let Gathered::Whole(tree) = asked(Some("f28"), &all) else { panic!("all are known") };
        assert_eq!(tree.keys().collect::<Vec<_>>(), ["a", "bee"]);
        assert_eq!(tree["a"].inner["c"].document.name.as_deref(), Some("c"));
    }

    #[test]
    fn without_branch_and_ref_the_default_branch_is_taken() {
        let app = document("app", &[("a", plain())]);
        let gathered = gather(&app, None, &Policy::default(), &known(&[])).unwrap();
        assert_eq!(gathered, Gathered::Missing(BTreeSet::from([place("a", "master")])));
    }

    #[test]
    fn a_repository_of_its_own_must_be_allowed() {
        let own = ModuleComponent { repository: Some("https://example.org/x/mine.git/".into()), ..plain() };
        let app = document("app", &[("a", own)]);
        let refused = gather(&app, None, &Policy::default(), &known(&[])).unwrap_err();
        assert!(matches!(refused, IncludeError::OwnRepository { .. }));
        let allowing = Policy { modules_allow_repository: true, ..Policy::default() };
        let Gathered::Missing(places) = gather(&app, None, &allowing, &known(&[])).unwrap() else {
            panic!("nothing is known")
        };
        assert_eq!(places.first().map(|place| place.path.as_str()), Some("mine.yaml"));
    }

    #[test]
    fn inclusion_in_a_circle_is_refused_with_its_names() {
        let app = document("app", &[("a", plain())]);
        let a = (place("a", "master"), document("a", &[("b", plain())]));
        let b = (place("b", "master"), document("b", &[("a", plain())]));
        let refused = gather(&app, None, &Policy::default(), &known(&[a, b])).unwrap_err();
        assert_eq!(refused.to_string(), "modules include each other: a, which includes b, which includes a");
        let itself = document("app", &[("app", plain())]);
        assert!(gather(&itself, None, &Policy::default(), &known(&[])).is_err());
    }

    #[test]
    fn documents_that_double_at_each_step_are_refused() {
        let name = |level: usize, side: usize| format!("m{level}-{side}");
        let level = |level: usize| {
            let next = [name(level + 1, 0), name(level + 1, 1)];
            document("any", &next.each_ref().map(|next| (next.as_str(), plain())))
        };
        let all: Vec<_> =
            (0..20).flat_map(|l| [0, 1].map(|side| (place(&name(l, side), "master"), level(l)))).collect();
        let refused = gather(&level(0), None, &Policy::default(), &known(&all));
        assert_eq!(refused, Err(IncludeError::TooMany));
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let app = document("app", &[("../a", plain())]);
        assert!(matches!(gather(&app, None, &Policy::default(), &known(&[])), Err(IncludeError::Name(_))));
    }
}
