//! `activate`, `deactivate`, `retag`: changes of entries that are there. Each looks first, says what will be different, and does
//! nothing where it is so already.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::TagName;
use mbs_pdc::api::{Change, Entries, Entry};
use mbs_pdc::client::PdcError;

use super::arguments::{ChangeArguments, RetagArguments};
use super::site::Site;
use super::{near, outlook};
use crate::exit::Stop;

/// Whether services may require an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Active,
    Inactive,
}

impl Wanted {
    fn is_active(self) -> bool {
        self == Self::Active
    }

    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

/// Lets services require entries, or withdraws them; all that are named, or none.
///
/// # Errors
/// As PDC answers, and if nobody agrees.
pub(super) async fn set_active(
    site: &mut Site<'_>,
    arguments: &ChangeArguments,
    wanted: Wanted,
) -> Result<(), Stop> {
    let entries = site.entries().await?;
    let uids: BTreeSet<&str> = arguments.uids.iter().map(String::as_str).collect();
    let there = all_of(site, &entries, &uids).await?;
    let (so_already, others): (Vec<Entry>, Vec<Entry>) =
        there.into_iter().partition(|entry| entry.active == wanted.is_active());
    for entry in &so_already {
        site.print(&format!("{} is {} already\n", entry.uid, wanted.word()))?;
    }
    if others.is_empty() {
        return Ok(());
    }
    let told = told(site, &entries, &others, wanted).await?;
    site.print(&told)?;
    let uids: Vec<&str> = others.iter().map(|entry| entry.uid.as_str()).collect();
    let change = Change { active: Some(wanted.is_active()), ..Change::default() };
    let question = match wanted {
        Wanted::Active => format!("Activate {}?", uids.join(", ")),
        Wanted::Inactive => format!("Deactivate {}?", uids.join(", ")),
    };
    let Some(changed) = site.change(entries.face(), &uids, &change, &question).await? else {
        return Ok(());
    };
    for entry in changed {
        let state = if entry.active { "active" } else { "inactive" };
        site.print(&format!("{} is {state}\n", entry.uid))?;
    }
    Ok(())
}

/// Ties an entry to another tag.
///
/// # Errors
/// As PDC answers, and if nobody agrees.
pub(super) async fn retag(site: &mut Site<'_>, arguments: &RetagArguments) -> Result<(), Stop> {
    let entries = site.entries().await?;
    let RetagArguments { uid, tag, .. } = arguments;
    let there = all_of(site, &entries, &[uid.as_str()].into()).await?;
    for entry in there {
        retag_one(site, &entries, &entry, tag).await?;
    }
    Ok(())
}

async fn retag_one(site: &mut Site<'_>, entries: &Entries, entry: &Entry, tag: &TagName) -> Result<(), Stop> {
    let uid = &entry.uid;
    if entry.koji_tag == tag.as_str() {
        return site.print(&format!("{uid} has the tag {tag} already\n"));
    }
    site.print(&format!("{uid}: the Koji tag {} becomes {tag}\n", entry.koji_tag))?;
    let change = Change { koji_tag: Some(tag.to_string()), ..Change::default() };
    let changed = site.change(entries.face(), &[uid], &change, &format!("Change the tag of {uid}?")).await?;
    for entry in changed.into_iter().flatten() {
        site.print(&format!("{} has the tag {}\n", entry.uid, entry.koji_tag))?;
    }
    Ok(())
}

/// Returns the entries with these keys.
///
/// # Errors
/// `Failed`: some are not there; each is named, with what may have been meant.
pub(super) async fn all_of(
    site: &Site<'_>,
    entries: &Entries,
    uids: &BTreeSet<&str>,
) -> Result<Vec<Entry>, Stop> {
    let (mut there, mut unknown) = (Vec::new(), Vec::new());
    for uid in uids {
        match entries.entry(uid).await {
            Ok(entry) => there.push(entry),
            Err(PdcError::NotFound { .. }) => {
                unknown.push(near::told(entries, uid).await.map_err(|error| site.stop(&error))?);
            }
            Err(error) => return Err(site.stop(&error)),
        }
    }
    if unknown.is_empty() { Ok(there) } else { Err(Stop::Failed(unknown.join("\n"))) }
}

/// Tells what will be different of each entry, and of what services find.
async fn told(site: &Site<'_>, entries: &Entries, changed: &[Entry], wanted: Wanted) -> Result<String, Stop> {
    let mut told: String = changed
        .iter()
        .map(|entry| {
            let word = if wanted.is_active() { "inactive" } else { "active" };
            format!("{}: {word} becomes {} (Koji tag {})\n", entry.uid, wanted.word(), entry.koji_tag)
        })
        .collect();
    let mut streams: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in changed {
        streams.entry((&entry.name, &entry.stream)).or_default().push(entry);
    }
    for ((name, stream), changed) in streams {
        let all = site.stream(entries, (name, stream)).await?;
        let after: Vec<Entry> = all
            .iter()
            .map(|entry| match changed.iter().any(|changed| changed.uid == entry.uid) {
                true => Entry { active: wanted.is_active(), ..entry.clone() },
                false => entry.clone(),
            })
            .collect();
        told.push_str(&outlook::told(&format!("{name}:{stream}"), &all, &after));
    }
    Ok(told)
}
