//! Why nothing goes together: the fewest requirements that exclude each other, in words.
//!
//! Each requirement gets a switch; those that the solver needs for its "no" are tried one by one without, and what is left
//! clashes as a whole: without any of it the rest could be met. There may be other clashes beside the one that is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::pool::{Place, Requirement};
use super::sat::{GivenUp, Lit, Sat};
use super::solve::Problem;
use crate::ident::{NameStream, Nsvc};

/// So many requirements are spelled out.
const WANTS_SHOWN: usize = 6;

/// Requirements that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Two builds of one module that are wanted and exclude each other, or who wants something and what is not there.
    pub between: (String, String),
    /// The requirements, those of the document last; without any one of them the others could be met.
    pub wants: Vec<Want>,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// Who requires; `None`: the submitted document.
    pub by: Option<NameStream>,
    /// The base modules that the builds of `by` which require it so were built for, sorted.
    pub built_for: Vec<NameStream>,
    /// What is required, each as `name:stream`, or as a name alone where any stream would do; several: one way or another.
    pub what: Vec<String>,
    /// What there is of it.
    pub there: There,
}

/// What there is that would meet a requirement, taken by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum There {
    /// Something.
    Something,
    /// No build of it.
    Nothing,
    /// It would have to take part for another reason, for no stream is named; nothing does.
    NothingNamed,
    /// Base modules that provide the stream, but none as new as the one that the build was made for.
    OnlyOlder,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.between.0, self.between.1)?;
        for (number, want) in self.wants.iter().take(WANTS_SHOWN).enumerate() {
            let joint = match number {
                0 => ": ",
                _ if want.by.is_none() && self.wants[number - 1].by.is_some() => ", but ",
                _ => ", and ",
            };
            write!(f, "{joint}{want}")?;
        }
        match self.wants.len().saturating_sub(WANTS_SHOWN) {
            0 => Ok(()),
            more => write!(f, ", and {more} more requirements"),
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            None => write!(f, "the module buildrequires {}", self.what.join(" or "))?,
            Some(by) => {
                write!(f, "{by} ")?;
                if !self.built_for.is_empty() {
                    let bases: Vec<String> = self.built_for.iter().map(ToString::to_string).collect();
                    write!(f, "(built for {}) ", bases.join(", "))?;
                }
                write!(f, "requires {}", self.what.join(" or "))?;
            }
        }
        f.write_str(match self.there {
            There::Something => "",
            There::Nothing => ", of which no build is available",
            There::NothingNamed => " in whatever stream, which nothing names",
            There::OnlyOlder => ", and what provides that is older than what it was built for",
        })
    }
}

/// A requirement that can be switched off.
struct Switch<'r> {
    sign: Lit,
    by: Option<Place>,
    /// Per dependency pair what it is about; one with a single requirement, unless a build has several pairs.
    pairs: Vec<Vec<&'r Requirement>>,
}

/// Finds out what clashes in a problem that has no answer.
///
/// # Errors
/// The search was given up.
pub(super) fn clash(problem: &Problem<'_>) -> Result<Clash, GivenUp> {
    let mut sat = Sat::new();
    let switches = write(problem, &mut sat);
    let fewest = fewest(&mut sat, &switches)?;
    let clashing: Vec<&Switch<'_>> = switches.iter().filter(|switch| fewest.contains(&switch.sign)).collect();
    Ok(Clash { between: between(problem, &clashing), wants: wants(problem, &clashing) })
}

fn write<'r>(problem: &'r Problem<'_>, sat: &mut Sat) -> Vec<Switch<'r>> {
    let signs = problem.signs(sat);
    let mut switches = Vec::new();
    for (by, pairs) in &problem.requires {
        let build = signs.build[by];
        if let [only] = pairs.as_slice() {
            for one in only {
                let sign = sat.sign();
                sat.any_of(std::iter::once(!sign).chain(signs.implied(build, &one.options)));
                switches.push(Switch { sign, by: Some(*by), pairs: vec![vec![one]] });
            }
        } else if !pairs.is_empty() {
            let sign = sat.sign();
            let mut any = vec![!sign, !build];
            for pair in pairs {
                let holds = sat.sign();
                any.push(holds);
                pair.iter().for_each(|one| sat.any_of(signs.implied(holds, &one.options)));
            }
            sat.any_of(any);
            let pairs = pairs.iter().map(|pair| pair.iter().map(|one| &**one).collect()).collect();
            switches.push(Switch { sign, by: Some(*by), pairs });
        }
    }
    for one in &problem.direct {
        let sign = sat.sign();
        sat.any_of(signs.implied(sign, &one.options));
        switches.push(Switch { sign, by: None, pairs: vec![vec![one]] });
    }
    switches
}

/// Returns the switches that clash, none of which can be left out.
fn fewest(sat: &mut Sat, switches: &[Switch<'_>]) -> Result<BTreeSet<Lit>, GivenUp> {
    let all: Vec<Lit> = switches.iter().map(|switch| switch.sign).collect();
    let mut open = if sat.can_hold(&all)? { Vec::new() } else { sat.clash(&all) };
    let mut needed: Vec<Lit> = Vec::new();
    while let Some(tried) = open.pop() {
        let without: Vec<Lit> = needed.iter().chain(&open).copied().collect();
        if sat.can_hold(&without)? {
            needed.push(tried);
        } else {
            let left = sat.clash(&without);
            open.retain(|sign| left.contains(sign));
        }
    }
    Ok(needed.into_iter().collect())
}

/// Names two builds of one module that are wanted and exclude each other; else who wants something, and what.
fn between(problem: &Problem<'_>, clashing: &[&Switch<'_>]) -> (String, String) {
    let wanted: Vec<(&Switch<'_>, &Requirement)> = clashing
        .iter()
        .flat_map(|switch| switch.pairs.iter().flatten().map(move |one| (*switch, *one)))
        .collect();
    let nsvc = |place: Place| problem.pool.module(place).nsvc.to_string();
    for (number, (_, one)) in wanted.iter().enumerate() {
        for (_, other) in &wanted[number + 1..] {
            let excludes =
                one.name == other.name && !one.options.iter().any(|place| other.options.contains(place));
            if let (true, Some(a), Some(b)) = (excludes, one.options.first(), other.options.first()) {
                let (first, second) = (*a.min(b), *a.max(b));
                return (nsvc(first), nsvc(second));
            }
        }
    }
    let missing = wanted.iter().find(|(_, one)| one.options.is_empty()).or(wanted.first());
    match missing {
        Some((switch, one)) => {
            let by = switch.by.map_or_else(|| "the module".to_owned(), nsvc);
            let instead = problem.direct.iter().find(|direct| direct.name == one.name);
            let instead = instead.and_then(|direct| direct.options.first()).map(|place| nsvc(*place));
            (by, instead.unwrap_or_else(|| spelled(one)))
        }
        None => ("the module".to_owned(), "its buildrequires".to_owned()),
    }
}

/// Returns the requirements, those that several builds of a stream have as one.
fn wants(problem: &Problem<'_>, clashing: &[&Switch<'_>]) -> Vec<Want> {
    type Key = (bool, Option<NameStream>, Vec<String>, There);
    let mut merged: BTreeMap<Key, BTreeSet<NameStream>> = BTreeMap::new();
    for switch in clashing {
        let spelled_pair = |pair: &Vec<&Requirement>| {
            let parts: Vec<String> = pair.iter().map(|one| spelled(one)).collect();
            parts.join(" with ")
        };
        let what = switch.pairs.iter().map(spelled_pair).collect();
        let by = switch.by.map(|place| &problem.pool.module(place).nsvc);
        let key = (by.is_none(), by.map(Nsvc::name_stream), what, there(problem, switch));
        let bases = switch.by.into_iter().flat_map(|place| built_for(problem, place));
        merged.entry(key).or_default().extend(bases);
    }
    let want = |((_, by, what, there), bases): (Key, BTreeSet<NameStream>)| Want {
        by,
        built_for: bases.into_iter().collect(),
        what,
        there,
    };
    merged.into_iter().map(want).collect()
}

/// Says what there is that would meet a requirement; of several pairs the first counts that lacks something.
fn there(problem: &Problem<'_>, switch: &Switch<'_>) -> There {
    let has_way = |pair: &Vec<&Requirement>| pair.iter().all(|one| !one.options.is_empty());
    if switch.pairs.iter().any(has_way) {
        return There::Something;
    }
    let lacking = switch.pairs.iter().flatten().find(|one| one.options.is_empty());
    match lacking {
        Some(one) if problem.pool.has_older(one) => There::OnlyOlder,
        Some(one) if !one.written.iter().any(|stream| !stream.starts_with('-')) => There::NothingNamed,
        Some(_) | None => There::Nothing,
    }
}

/// Returns the base modules that a build was built for.
fn built_for(problem: &Problem<'_>, place: Place) -> Vec<NameStream> {
    let build = problem.pool.module(place);
    let of_base = |name: &crate::ident::Name| {
        let stream = build.built_with(name)?.parse().ok()?;
        Some(NameStream { name: name.clone(), stream })
    };
    problem.pool.policy().base_module_names.iter().filter_map(of_base).collect()
}

fn spelled(one: &Requirement) -> String {
    let (negated, positive): (Vec<&String>, Vec<&String>) =
        one.written.iter().partition(|stream| stream.starts_with('-'));
    if !positive.is_empty() {
        let streams: Vec<String> = positive.iter().map(|stream| format!("{}:{stream}", one.name)).collect();
        return streams.join(" or ");
    }
    match negated.is_empty() {
        true => one.name.clone(),
        false => {
            let streams: Vec<&str> = negated.iter().map(|stream| &stream[1..]).collect();
            format!("{} other than {}", one.name, streams.join(", "))
        }
    }
}
