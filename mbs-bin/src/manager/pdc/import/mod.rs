//! `import`: enters modules that nothing builds. All documents are checked and PDC is looked at first; then one request enters
//! all that lack, or none.
//!
//! The endpoint: `modules` makes keys itself and wants a context, so it serves where every document has one and nobody asks for
//! a key; else all go through `unreleasedvariants`, which also takes contexts, under the key that `modules` would make.

mod compare;
mod document;

use std::collections::BTreeMap;

use mbs_pdc::api::{Entries, Entry, Face, Filter, NO_CONTEXT, NewEntry};
use mbs_pdc::client::{Method, PdcError, Request};
use serde_json::Value;
use tracing::warn;

use super::arguments::ImportArguments;
use super::outlook;
use super::show::dependencies;
use super::site::Site;
use crate::exit::Stop;
use compare::{Verdict, verdict};
use document::{Given, Terms};

/// A module that is to be there, and the file that says so.
struct Wanted {
    file: String,
    entry: NewEntry,
}

/// Enters modules.
///
/// # Errors
/// `Usage`: a document is no good one. `Failed`: another entry is in the place of one, or nobody agrees. And as PDC answers.
pub(super) async fn run(site: &mut Site<'_>, arguments: &ImportArguments) -> Result<(), Stop> {
    let terms = terms(arguments)?;
    let given = read_all(arguments)?;
    let entries = entries(site, &given, &terms).await?;
    let wanted = given.iter().map(|given| {
        let entry = given.entry(&terms, entries.face())?;
        Ok(Wanted { file: given.file.clone(), entry })
    });
    let wanted: Vec<Wanted> = wanted.collect::<Result<_, Stop>>()?;
    let lacking = lacking(site, &entries, wanted, terms.uid.is_some()).await?;
    if lacking.is_empty() {
        return Ok(());
    }
    for wanted in &lacking {
        site.print(&announced(wanted))?;
    }
    if arguments.active {
        let told = outlook_with(site, &entries, &lacking).await?;
        site.print(&told)?;
    }
    let question = match &lacking[..] {
        [_] => format!("Enter it into {}?", site.pdc.server().name),
        all => format!("Enter these {} into {}?", all.len(), site.pdc.server().name),
    };
    let request = request(entries.face(), &lacking);
    let Some(answer) = site.write(request, &question).await? else { return Ok(()) };
    let made = match answer {
        Value::Array(all) => all,
        one => vec![one],
    };
    for made in made {
        let made = site.understood(entries.face(), made)?;
        site.print(&done(&made))?;
    }
    Ok(())
}

fn terms(arguments: &ImportArguments) -> Result<Terms, Stop> {
    let several = arguments.files.len() > 1;
    let unfit = |option| Err(Stop::Usage(format!("{option} is for one document, and several are given")));
    match arguments {
        ImportArguments { koji_tag: Some(_), .. } if several => unfit("--koji-tag"),
        ImportArguments { uid: Some(_), .. } if several => unfit("--uid"),
        ImportArguments { koji_tag, uid, active, .. } => {
            Ok(Terms { koji_tag: koji_tag.clone(), uid: uid.clone(), is_active: *active })
        }
    }
}

/// Reads all documents, and says all that is wrong with any.
fn read_all(arguments: &ImportArguments) -> Result<Vec<Given>, Stop> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        match document::read(file) {
            Ok((given, warnings)) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                all.push(given);
            }
            Err(stop) => wrong.push(stop.to_string()),
        }
    }
    let mut files = BTreeMap::new();
    for given in &all {
        if let Some(first) = files.insert(&given.nsvc, &given.file) {
            wrong.push(format!("{first} and {} are both {}", given.file, given.nsvc));
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(Stop::Usage(wrong.join("\n"))) }
}

/// Chooses the endpoint.
async fn entries(site: &Site<'_>, given: &[Given], terms: &Terms) -> Result<Entries, Stop> {
    let without_context = given.iter().find(|given| !given.has_context());
    match (site.face, &terms.uid, without_context) {
        (Some(Face::Modules), Some(_), _) => {
            let told = "--uid needs --face variants: `modules` makes keys itself";
            Err(Stop::Usage(told.to_owned()))
        }
        (Some(Face::Modules), None, Some(given)) => Err(Stop::Usage(format!(
            "{}: data.context is missing, and `modules` takes no entry without one: leave out --face modules, or give the \
             document a context, {NO_CONTEXT} for instance",
            given.file
        ))),
        (Some(face), _, _) => Ok(Entries::new(site.pdc.clone(), face)),
        (None, uid, without_context) if uid.is_some() || without_context.is_some() => {
            Ok(Entries::new(site.pdc.clone(), Face::Variants))
        }
        (None, _, _) => {
            let entries = site.entries().await?;
            if entries.face() == Face::Modules {
                return Ok(entries);
            }
            let files: Vec<&str> = given.iter().map(|given| given.file.as_str()).collect();
            Err(Stop::Failed(format!(
                "{}: this PDC is too old to keep contexts (it has no `modules`), and the document names one",
                files.join(", ")
            )))
        }
    }
}

/// Returns those that are not there, and tells of those that are.
///
/// # Errors
/// `Failed`: others are in their place.
async fn lacking(
    site: &mut Site<'_>,
    entries: &Entries,
    wanted: Vec<Wanted>,
    is_uid_asked: bool,
) -> Result<Vec<Wanted>, Stop> {
    let (mut lacking, mut there, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in wanted {
        let found = looked_up(entries, &wanted.entry).await.map_err(|error| site.stop(&error))?;
        match verdict(&wanted.entry, is_uid_asked, found.same.as_ref(), found.holder.as_ref()) {
            Verdict::Make => lacking.push(wanted),
            Verdict::There { uid, is_active } => {
                let state = if is_active { "active" } else { "inactive" };
                there.push(format!("{}: {uid} is there already, {state}\n", wanted.file));
            }
            Verdict::Taken { uid, differences } => taken.push(refusal(&wanted.file, &uid, &differences)),
        }
    }
    if !taken.is_empty() {
        return Err(Stop::Failed(taken.join("\n")));
    }
    for told in there {
        site.print(&told)?;
    }
    Ok(lacking)
}

fn refusal(file: &str, uid: &str, differences: &[String]) -> String {
    let hint = match differences {
        [only] if only.starts_with("active:") => format!("say mbs-manager pdc activate {uid}"),
        _ => "nothing was entered; a new form of a module needs a higher version".to_owned(),
    };
    let mut told = format!("{file}: PDC has another entry, {uid}: {hint}");
    for difference in differences {
        told.push_str(&format!("\n  {difference}"));
    }
    told
}

/// What PDC has in the place of an entry.
struct Found {
    /// The one with its name, stream, version and context.
    same: Option<Entry>,
    /// The one with its key, looked up only where no other is the same.
    holder: Option<Entry>,
}

async fn looked_up(entries: &Entries, wanted: &NewEntry) -> Result<Found, PdcError> {
    let filter = Filter {
        name: Some(wanted.name.clone()),
        stream: Some(wanted.stream.clone()),
        version: Some(wanted.version.clone()),
        ..Filter::default()
    };
    // Filters take no notice of case, and old servers know none for contexts.
    let context = wanted.context.as_deref().unwrap_or(NO_CONTEXT);
    let is_same = |entry: &Entry| {
        (&*entry.name, &*entry.stream, &*entry.version, &*entry.context)
            == (&*wanted.name, &*wanted.stream, &*wanted.version, context)
    };
    let same = entries.find(&filter).await?.into_iter().find(is_same);
    if same.is_some() {
        return Ok(Found { same, holder: None });
    }
    let holder = match entries.entry(&wanted.uid).await {
        Err(PdcError::NotFound { .. }) => None,
        outcome => Some(outcome?),
    };
    Ok(Found { same, holder })
}

fn request(face: Face, lacking: &[Wanted]) -> Request {
    if let [one] = lacking {
        return one.entry.request(face);
    }
    let bodies = lacking.iter().filter_map(|wanted| wanted.entry.request(face).body);
    Request::new(Method::Post, [face.path()]).body(Value::Array(bodies.collect()))
}

/// Tells what will be there.
fn announced(wanted: &Wanted) -> String {
    let entry = &wanted.entry;
    let state = if entry.active == Some(true) { "active" } else { "inactive" };
    let told = |all: &Option<Vec<_>>| dependencies(all.as_deref().unwrap_or_default());
    format!(
        "{}: {} becomes an entry of PDC, {state}\n  name {}, stream {}, version {}, context {}\n  Koji tag {}\n  \
         runs with {}; built with {}\n",
        wanted.file,
        entry.uid,
        entry.name,
        entry.stream,
        entry.version,
        entry.context.as_deref().unwrap_or(NO_CONTEXT),
        entry.koji_tag,
        told(&entry.runtime_deps),
        told(&entry.build_deps),
    )
}

/// Tells what services will find of each stream that gets active entries.
async fn outlook_with(site: &Site<'_>, entries: &Entries, lacking: &[Wanted]) -> Result<String, Stop> {
    let mut streams: BTreeMap<(&str, &str), Vec<Entry>> = BTreeMap::new();
    for Wanted { entry, .. } in lacking {
        streams.entry((&entry.name, &entry.stream)).or_default().push(as_made(entry));
    }
    let mut told = String::new();
    for ((name, stream), made) in streams {
        let before = site.stream(entries, (name, stream)).await?;
        let after: Vec<Entry> = before.iter().cloned().chain(made).collect();
        told.push_str(&outlook::told(&format!("{name}:{stream}"), &before, &after));
    }
    Ok(told)
}

/// Returns an entry as it will be.
fn as_made(entry: &NewEntry) -> Entry {
    let NewEntry { uid, name, stream, version, koji_tag, modulemd, .. } = entry.clone();
    Entry {
        uid,
        name,
        stream,
        version,
        context: entry.context.clone().unwrap_or_else(|| NO_CONTEXT.to_owned()),
        active: entry.active.unwrap_or(false),
        koji_tag,
        modulemd,
        runtime_deps: Vec::new(),
        build_deps: Vec::new(),
        rpms: Vec::new(),
    }
}

fn done(made: &Entry) -> String {
    let uid = &made.uid;
    if made.active {
        return format!("{uid} is there, active: services may require it\n");
    }
    format!("{uid} is there, inactive; services may require it after: mbs-manager pdc activate {uid}\n")
}

#[cfg(test)]
mod tests;
