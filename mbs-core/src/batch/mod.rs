//! In which order the components of a module are built: batches from `buildorder`, a graph from `buildafter`.
//!
//! Batch 1 is module-build-macros, components begin with 2. Components of included modules are flattened into those of the
//! module. If any document among them says `buildafter`, all are ordered as one graph, and `batch` is the depth there.
//! Nothing is fetched here; [`gather`] says what is missing. Source: behaviour, section 5, "Batches".

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{Batch, InvalidIdent, Package};
use crate::model::{MACROS_PACKAGE, Ordering};
use crate::modulemd::{ModuleStream, RpmComponent, given};

mod barriers;
mod graph;
mod included;

pub use graph::remaining_path;
pub use included::{Gathered, IncludeError, Included, Inclusions, gather};

/// The most components of a module, those of included modules among them.
const MOST_COMPONENTS: usize = 2_000;

/// The most pairs of components one of which waits for the other.
const MOST_EDGES: usize = 100_000;

/// The batch of the components that are built first.
pub const FIRST_BATCH: Batch = Batch(2);

/// The components of a module in the order they are built.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildOrder {
    /// What orders them.
    pub ordering: Ordering,
    /// By batch; inside a batch the module's own by key, then those of included modules.
    pub entries: Vec<Entry>,
}

/// A component and its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The source package that is built.
    pub package: Package,
    /// Its key in the document.
    pub key: String,
    /// Keys of the included modules that it comes from, outermost first; empty: the module itself.
    pub via: Vec<String>,
    /// What its document says.
    pub component: RpmComponent,
    /// The run it belongs to; on graphs its depth + 2.
    pub batch: Batch,
    /// On graphs: the packages it must follow, sorted, as far as they do not follow from each other; empty otherwise.
    pub after: Vec<Package>,
}

/// Why components cannot be ordered. The packager mends a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// A package name is not valid.
    #[error(transparent)]
    Name(#[from] InvalidIdent),
    /// Packages stand in several places.
    #[error("these packages would be built more than once: {}", list_doubles(.0))]
    Doubles(BTreeMap<Package, Vec<String>>),
    /// Components of several documents have the same key; the stored document can hold each only once.
    #[error("these components have the same key in several documents: {}", list_doubles(.0))]
    DoubleKeys(BTreeMap<String, Vec<String>>),
    /// There are too many components, or too many that wait for each other.
    #[error("the module is too large: it has {count} {what}, at most {most} are allowed")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is, at least.
        count: usize,
        /// How much may be.
        most: usize,
    },
    /// The name belongs to the service's own package.
    #[error("{0} cannot be a component of a module, the service makes a package of that name")]
    Reserved(Package),
    /// A document orders in two ways.
    #[error("{document} uses both buildorder and buildafter; it must use one of them")]
    BothOrders {
        /// Which document.
        document: String,
    },
    /// A component names one that is not there.
    #[error("{component} of {document} is to be built after {}, which is not in that document", .missing.escape_debug())]
    UnknownPredecessor {
        /// Which document.
        document: String,
        /// The component's key.
        component: String,
        /// The key that is missing.
        missing: String,
    },
    /// Components wait for each other.
    #[error("components of {document} wait for each other: {}", keys.join(", which is built after "))]
    Circle {
        /// Which document.
        document: String,
        /// Keys of components, each built after the next; the first again at the end.
        keys: Vec<String>,
    },
    /// An included module's document was not given.
    #[error("the document of the included module {0} is not there")]
    NotIncluded(String),
}

fn list_doubles<T: std::fmt::Display>(doubles: &BTreeMap<T, Vec<String>>) -> String {
    let places: Vec<String> =
        doubles.iter().map(|(double, places)| format!("{double} ({})", places.join(", "))).collect();
    places.join(", ")
}

/// Orders the components of a module and of those it includes.
///
/// # Errors
/// See [`OrderError`]; all doubles are named at once.
pub fn order(document: &ModuleStream, included: &Inclusions) -> Result<BuildOrder, OrderError> {
    let root = Folder::open(document, included, &[])?;
    check_packages(&root)?;
    let ordering = if root.has_buildafter() { Ordering::Graph } else { Ordering::Batches };
    let mut entries = match ordering {
        Ordering::Batches => barriers::entries(&root),
        Ordering::Graph => graph::entries(&root)?,
    };
    entries.sort_by(|a, b| (a.batch, &a.via, &a.key).cmp(&(b.batch, &b.via, &b.key)));
    Ok(BuildOrder { ordering, entries })
}

fn check_packages(root: &Folder) -> Result<(), OrderError> {
    let (mut packages, mut keys) = (BTreeMap::new(), BTreeMap::new());
    root.list_packages(&mut |package, key, place| {
        packages.entry(package.clone()).or_insert_with(Vec::new).push(place.clone());
        keys.entry(key.to_owned()).or_insert_with(Vec::new).push(place);
    });
    let count = packages.values().map(Vec::len).sum();
    if count > MOST_COMPONENTS {
        return Err(OrderError::TooLarge { what: "components", count, most: MOST_COMPONENTS });
    }
    if let Some((package, _)) = packages.iter().find(|(package, _)| package.as_str() == MACROS_PACKAGE) {
        return Err(OrderError::Reserved(package.clone()));
    }
    packages.retain(|_, places| places.len() > 1);
    if !packages.is_empty() {
        return Err(OrderError::Doubles(packages));
    }
    keys.retain(|_, places| places.len() > 1);
    if keys.is_empty() { Ok(()) } else { Err(OrderError::DoubleKeys(keys)) }
}

/// A document with what it includes, ready to be walked.
struct Folder<'a> {
    /// Keys of the included modules that lead here.
    via: Vec<String>,
    /// Components by key, then included modules by key.
    items: Vec<Item<'a>>,
}

/// A component or an included module.
struct Item<'a> {
    key: &'a str,
    buildorder: i64,
    buildafter: &'a BTreeSet<String>,
    content: Content<'a>,
}

enum Content<'a> {
    Component { package: Package, component: &'a RpmComponent },
    Module(Folder<'a>),
}

impl<'a> Folder<'a> {
    fn open(
        document: &'a ModuleStream,
        included: &'a Inclusions,
        via: &[String],
    ) -> Result<Self, OrderError> {
        let mut items = Vec::with_capacity(document.rpms.len() + document.modules.len());
        for (key, component) in &document.rpms {
            // The key becomes part of repository addresses even where the package has another name.
            let key_as_name = Package::new(key)?;
            let package = given(component.name.as_ref()).map_or(Ok(key_as_name), Package::new)?;
            let content = Content::Component { package, component };
            items.push(Item {
                key,
                buildorder: component.buildorder,
                buildafter: &component.buildafter,
                content,
            });
        }
        for (key, module) in &document.modules {
            let Included { document, inner } =
                included.get(key).ok_or_else(|| OrderError::NotIncluded(key.clone()))?;
            let inner_via = [via, std::slice::from_ref(key)].concat();
            let content = Content::Module(Folder::open(document, inner, &inner_via)?);
            items.push(Item { key, buildorder: module.buildorder, buildafter: &module.buildafter, content });
        }
        let folder = Self { via: via.to_vec(), items };
        let has_both = folder.says_buildafter() && folder.items.iter().any(|item| item.buildorder != 0);
        if has_both { Err(OrderError::BothOrders { document: folder.title() }) } else { Ok(folder) }
    }

    /// Names the document for people.
    fn title(&self) -> String {
        match self.via.as_slice() {
            [] => "the document".into(),
            via => format!("the included module {}", via.join("/")),
        }
    }

    /// Says whether this very document orders by `buildafter`.
    fn says_buildafter(&self) -> bool {
        self.items.iter().any(|item| !item.buildafter.is_empty())
    }

    /// Says whether this document or one that it includes orders by `buildafter`.
    fn has_buildafter(&self) -> bool {
        let inside = |item: &Item| matches!(&item.content, Content::Module(inner) if inner.has_buildafter());
        self.says_buildafter() || self.items.iter().any(inside)
    }

    /// Shows each package with its key and where it stands: the keys that lead to it.
    fn list_packages(&self, show: &mut dyn FnMut(&Package, &str, String)) {
        for item in &self.items {
            match &item.content {
                Content::Component { package, .. } => {
                    let place = [self.via.as_slice(), &[item.key.to_owned()]].concat().join("/");
                    show(package, item.key, place);
                }
                Content::Module(inner) => inner.list_packages(show),
            }
        }
    }
}

#[cfg(test)]
mod tests;
