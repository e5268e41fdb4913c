//! One document per answer: the solved dependency pair with the chosen streams, the builds it is built with in `xmd.mbs`, and
//! for people why each of them is there. Source: behaviour, section 4, step 5.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::gather::Gathered;
use super::pool::Pool;
use super::solve::{Outcome, Problem, Solution};
use super::streams::Pair;
use super::{Expansion, Lacking, Unresolved};
use crate::ident::{Name, Nsvc, Stream};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::resolver::KnownModule;

/// A document with its dependencies resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Expanded {
    /// The document, with one stream per buildrequired module and `xmd.mbs.buildrequires` filled in.
    pub document: ModuleStream,
    /// The modules it is built with, transitive ones included, sorted by name.
    pub buildrequires: Vec<KnownModule>,
    /// Those of them that are base modules, in configuration order.
    pub base_modules: Vec<Nsvc>,
    /// Why each of them is there, in the order of `buildrequires`.
    pub chosen: Vec<Chosen>,
}

impl Expanded {
    /// Returns the stream of each module it is built with: what the build contexts are computed from.
    pub fn streams(&self) -> BTreeMap<Name, Stream> {
        let of = |module: &KnownModule| (module.nsvc.name.clone(), module.nsvc.stream.clone());
        self.buildrequires.iter().map(of).collect()
    }
}

/// A build that was chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The build.
    pub nsvc: Nsvc,
    /// Why it.
    pub why: WhyChosen,
}

/// Why a build was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyChosen {
    /// The document buildrequires this stream and no other.
    Written,
    /// Of the streams that the document allows it is the only one that is there, or a default names it.
    OnlyOne,
    /// The document allows several streams, and each that goes together with the others makes a build of its own.
    OneOf(Vec<String>),
    /// A build that was chosen requires it at run time.
    RequiredBy {
        /// The build that requires it.
        by: Nsvc,
        /// The streams as written there; empty: any.
        written: Vec<String>,
    },
}

impl fmt::Display for WhyChosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyChosen::Written => f.write_str("buildrequired in this stream"),
            WhyChosen::OnlyOne => f.write_str("the only stream that is left of those buildrequired"),
            WhyChosen::OneOf(streams) => {
                write!(f, "buildrequired in {}; one build for each that fits", streams.join(", "))
            }
            WhyChosen::RequiredBy { by, written } if written.is_empty() => {
                write!(f, "{by} requires it at run time, in any stream")
            }
            WhyChosen::RequiredBy { by, written } => {
                write!(f, "{by} requires it at run time, in {}", written.join(" or "))
            }
        }
    }
}

/// Returns all the ways in which a document can be built, and the pairs that give none.
///
/// # Errors
/// What a pair requires excludes each other, or there are more ways than are allowed.
pub(super) fn all(
    asked: &Expansion<'_>,
    pairs: &[Pair],
    gathered: &Gathered,
) -> Result<(Vec<Expanded>, Vec<Lacking>), Unresolved> {
    let pool = Pool::new(gathered.modules.iter().cloned(), asked.base_fit, asked.policy);
    let (allowed, copies) = (asked.policy.most_contexts, asked.document.most_copies());
    let most = allowed.min(copies);
    let (mut expanded, mut lacking) = (Vec::new(), Vec::new());
    for pair in pairs {
        let problem = Problem::new(&pool, &pair.buildrequires);
        match problem.solve(most - expanded.len()).map_err(|_| Unresolved::GivenUp)? {
            Outcome::Solutions(solutions) => {
                expanded.extend(solutions.iter().map(|solution| one(asked, pair, &pool, solution)));
            }
            Outcome::Lacking(modules) => lacking.push(Lacking { pair: pair.index, modules }),
            Outcome::Clash(clash) => return Err(Unresolved::Clash(Box::new(clash))),
            Outcome::TooMany if most < allowed => return Err(Unresolved::TooManyForItsSize { most }),
            Outcome::TooMany => return Err(Unresolved::TooManyContexts { most }),
        }
    }
    Ok((expanded, lacking))
}

fn one(asked: &Expansion<'_>, pair: &Pair, pool: &Pool<'_>, solution: &Solution) -> Expanded {
    let buildrequires: Vec<KnownModule> =
        solution.builds.values().map(|place| pool.module(*place).clone()).collect();
    let nsvc_of = |name: &Name| solution.builds.get(name).map(|place| pool.module(*place).nsvc.clone());
    let base_modules = asked.policy.base_module_names.iter().filter_map(nsvc_of).collect();
    let chosen = solution.builds.iter().map(|(name, place)| Chosen {
        nsvc: pool.module(*place).nsvc.clone(),
        why: why(asked, pair, pool, solution, name),
    });
    let chosen = chosen.collect();
    let document = document(asked.document, pair, &buildrequires);
    Expanded { document, buildrequires, base_modules, chosen }
}

fn why(asked: &Expansion<'_>, pair: &Pair, pool: &Pool<'_>, solution: &Solution, name: &Name) -> WhyChosen {
    let Some(by) = solution.brought_by.get(name) else {
        let meant = pair.buildrequires.get(name.as_str());
        let written = asked.document.dependencies[pair.index].buildrequires.get(name.as_str());
        return match meant {
            Some(meant) if meant.len() > 1 => WhyChosen::OneOf(meant.iter().cloned().collect()),
            Some(meant) if Some(meant) != written => WhyChosen::OnlyOne,
            Some(_) | None => WhyChosen::Written,
        };
    };
    let by = pool.module(*by);
    let written = by.document.dependencies.iter().filter_map(|pair| pair.requires.get(name.as_str()));
    let written: BTreeSet<&String> = written.flatten().collect();
    WhyChosen::RequiredBy { by: by.nsvc.clone(), written: written.into_iter().cloned().collect() }
}

/// The solved pair, be it written twice, gets the chosen streams and moves to the end; the others stay as written.
fn document(written: &ModuleStream, pair: &Pair, solution: &[KnownModule]) -> ModuleStream {
    let mut document = written.clone();
    let solved = document.dependencies.remove(pair.index);
    document.dependencies.retain(|other| *other != solved);
    document.dependencies.push(chosen_pair(&solved, solution));
    let entries = solution.iter().map(|module| (module.nsvc.name.to_string(), entry(module)));
    let buildrequires = Xmd::Map(entries.collect());
    document.set_in_mbs([("buildrequires", buildrequires), ("mse", Xmd::Bool(true))]);
    document
}

/// A module that both sections name with the same streams is required at run time in the stream it is built with.
fn chosen_pair(written: &Dependencies, solution: &[KnownModule]) -> Dependencies {
    let stream = |module: &String| {
        let chosen = solution.iter().find(|known| known.nsvc.name.as_str() == module);
        chosen.map(|known| BTreeSet::from([known.nsvc.stream.to_string()]))
    };
    let buildrequires: BTreeMap<_, _> = written
        .buildrequires
        .iter()
        .map(|(module, streams)| (module.clone(), stream(module).unwrap_or_else(|| streams.clone())))
        .collect();
    let require = |(module, streams): (&String, &BTreeSet<String>)| {
        let is_same = written.buildrequires.get(module) == Some(streams);
        let chosen = buildrequires.get(module).filter(|_| is_same);
        (module.clone(), chosen.unwrap_or(streams).clone())
    };
    let requires = written.requires.iter().map(require).collect();
    Dependencies { buildrequires, requires }
}

/// A build without commit or tag has no `ref` or `koji_tag` here, where REST shows null: `xmd` knows no null.
fn entry(module: &KnownModule) -> Xmd {
    let commit = module.document.xmd.at(&["mbs", "commit"]).and_then(Xmd::text);
    let entries = [
        ("stream", Some(module.nsvc.stream.to_string())),
        ("version", Some(module.nsvc.version.to_string())),
        ("context", Some(module.nsvc.context.to_string())),
        ("ref", commit.filter(|commit| !commit.is_empty()).map(str::to_owned)),
        ("koji_tag", module.tag.as_ref().map(ToString::to_string)),
    ];
    let known =
        entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Xmd::from(value?.as_str()))));
    Xmd::Map(known.collect())
}
