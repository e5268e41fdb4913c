//! Inheritance between tags, walked as the hub walks it: depth first, by priority, each parent once unless a later way to it
//! lets more through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Id, State};
use crate::xmlrpc::{Struct, Value};

/// A link from a tag to one it inherits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Link {
    pub(crate) priority: i64,
    pub(crate) maxdepth: Option<i64>,
    pub(crate) intransitive: bool,
    pub(crate) noconfig: bool,
    pub(crate) pkg_filter: Arc<str>,
}

/// A link as a walk met it.
#[derive(Debug, Clone)]
pub(crate) struct Walked {
    pub(crate) child: Id,
    pub(crate) parent: Id,
    pub(crate) link: Link,
    pub(crate) currdepth: i64,
    pub(crate) nextdepth: Option<i64>,
    pub(crate) filter: Vec<Arc<str>>,
    noconfig: bool,
}

impl Walked {
    /// Says whether a package passes the filters on the way.
    pub(crate) fn lets_through(&self, package: &str) -> bool {
        self.filter.iter().all(|pattern| {
            let anchored = format!("^(?:{pattern})");
            regex_lite::Regex::new(&anchored).is_ok_and(|regex| regex.is_match(package))
        })
    }
}

/// What stays the same, and what changes, on the way down.
#[derive(Clone, Default)]
struct Way {
    above: BTreeSet<Id>,
    depth: i64,
    maxdepth: Option<i64>,
    noconfig: bool,
    filter: Vec<Arc<str>>,
}

impl State {
    /// Returns a tag's own links, most important first.
    pub(crate) fn links(&self, tag: Id, at: Option<Id>) -> Vec<(Id, Link)> {
        let rows = self.inheritance.rows((tag, Id::MIN)..(tag + 1, Id::MIN), at);
        let mut links: Vec<_> = rows.into_iter().map(|row| (row.key.1, row.value.clone())).collect();
        links.sort_by_key(|(_, link)| link.priority);
        links
    }

    /// Returns the links of the tags that inherit a tag, most important first.
    pub(crate) fn links_to(&self, tag: Id, at: Option<Id>) -> Vec<(Id, Link)> {
        let rows = self.inheritance.rows(.., at).into_iter().filter(|row| row.key.1 == tag);
        let mut links: Vec<_> = rows.map(|row| (row.key.0, row.value.clone())).collect();
        links.sort_by_key(|(_, link)| link.priority);
        links
    }

    /// Returns what a tag inherits, directly or not, in the order it counts.
    pub(crate) fn inherited(&self, tag: Id, at: Option<Id>) -> Vec<Walked> {
        let (mut order, mut seen) = (Vec::new(), BTreeMap::new());
        self.walk(tag, at, &Way::default(), &mut (&mut order, &mut seen));
        order
    }

    /// Returns the tags that inherit a tag, directly or not.
    pub(crate) fn inheriting(&self, tag: Id, at: Option<Id>) -> Vec<Walked> {
        let (mut order, mut seen) = (Vec::new(), BTreeSet::from([tag]));
        self.walk_up((tag, 1), at, &mut order, &mut seen);
        order
    }

    fn walk(
        &self,
        tag: Id,
        at: Option<Id>,
        way: &Way,
        found: &mut (&mut Vec<Walked>, &mut BTreeMap<Id, Vec<Walked>>),
    ) {
        if way.maxdepth.is_some_and(|depth| depth < 1) {
            return;
        }
        let mut way = way.clone();
        way.depth += 1;
        way.above.insert(tag);
        for (parent, link) in self.links(tag, at) {
            let is_cut = link.intransitive && way.above.len() > 1;
            if way.above.contains(&parent) || is_cut || link.priority < 0 {
                continue;
            }
            way.noconfig |= link.noconfig;
            let walked = way.step(tag, parent, link);
            let before = found.1.entry(parent).or_default();
            if before.iter().any(|earlier| earlier.suffices_for(&walked)) {
                continue;
            }
            before.push(walked.clone());
            found.0.push(walked.clone());
            let below = Way { maxdepth: walked.nextdepth, filter: walked.filter, ..way.clone() };
            self.walk(parent, at, &below, found);
        }
    }

    fn walk_up(
        &self,
        (tag, depth): (Id, i64),
        at: Option<Id>,
        order: &mut Vec<Walked>,
        seen: &mut BTreeSet<Id>,
    ) {
        for (child, link) in self.links_to(tag, at) {
            if link.maxdepth.is_some_and(|most| most < depth - 1) || !seen.insert(child) {
                continue;
            }
            let goes_on = !link.intransitive;
            let noconfig = link.noconfig;
            let filter = Vec::new();
            order.push(Walked {
                child,
                parent: tag,
                link,
                currdepth: depth,
                nextdepth: None,
                filter,
                noconfig,
            });
            if goes_on {
                self.walk_up((child, depth + 1), at, order, seen);
            }
        }
    }
}

impl Way {
    fn step(&self, child: Id, parent: Id, link: Link) -> Walked {
        let nextdepth = match (link.maxdepth, self.maxdepth) {
            (None, above) => above.map(|depth| depth - 1),
            (Some(own), None) => Some(own),
            (Some(own), Some(above)) => Some(own.min(above) - 1),
        };
        let mut filter = self.filter.clone();
        if !link.pkg_filter.is_empty() {
            filter.push(Arc::clone(&link.pkg_filter));
        }
        Walked { child, parent, link, currdepth: self.depth, nextdepth, filter, noconfig: self.noconfig }
    }
}

impl Walked {
    fn suffices_for(&self, later: &Walked) -> bool {
        let reaches = match (later.nextdepth, self.nextdepth) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(wanted), Some(had)) => had >= wanted,
        };
        let configures = !self.noconfig || later.noconfig;
        reaches && configures && self.filter.is_empty()
    }
}

impl Link {
    /// Returns what `getInheritanceData` says of it.
    pub(crate) fn row(&self, child: Id, (parent, parent_name): (Id, &str)) -> Struct {
        Struct::from([
            ("child_id", Value::from(child)),
            ("parent_id", Value::from(parent)),
            ("name", Value::from(parent_name)),
            ("priority", self.priority.into()),
            ("maxdepth", self.maxdepth.into()),
            ("intransitive", self.intransitive.into()),
            ("noconfig", self.noconfig.into()),
            ("pkg_filter", Value::from(&*self.pkg_filter)),
        ])
    }
}
