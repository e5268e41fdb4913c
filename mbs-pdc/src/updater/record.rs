//! What PDC is to know of a build, and what has to be done so that it does: pure.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::{Nevra, Nsvc, Nvr};
use mbs_core::modulemd::{ModuleStream, Xmd};
use mbs_core::store::Summary;

use crate::api::{Change, Dependency, Entry, Face, NO_CONTEXT, NewEntry, NewPackage};
use crate::resolver::identity;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: PDC knows it all.
    Nothing,
    /// Make an entry.
    Create(Box<NewEntry>),
    /// Change the entry with this key.
    Change(String, Box<Change>),
}

/// The packages of a module's tag, by build.
pub type Rpms = BTreeMap<Nvr, Vec<Nevra>>;

/// Describes a build that is ready: active, with its dependencies and, unless nobody knows them, its packages. For
/// `unreleasedvariants`, which is all that servers without contexts have, it has none, and a key without it.
pub fn ready(face: Face, summary: &Summary, document: &ModuleStream, rpms: Option<&Rpms>) -> NewEntry {
    let nsvc = &summary.nsvc;
    let (uid, context) = match face {
        Face::Variants => (format!("{}:{}:{}", nsvc.name, nsvc.stream, nsvc.version), None),
        Face::Modules => (nsvc.to_string(), Some(nsvc.context.to_string())),
    };
    let runtime = dependencies(document, |pair| &pair.requires);
    let build = dependencies(document, |pair| &pair.buildrequires);
    NewEntry {
        uid,
        name: nsvc.name.to_string(),
        stream: nsvc.stream.to_string(),
        version: nsvc.version.to_string(),
        context,
        koji_tag: summary.koji_tag.as_ref().map_or("NA", |tag| tag.as_str()).to_owned(),
        modulemd: document.to_yaml(),
        active: Some(true),
        runtime_deps: Some(runtime),
        build_deps: Some(build),
        rpms: rpms.map(|rpms| packages(document, rpms)),
    }
}

/// Returns which of the entries of a name, stream and version is a build's, whatever its key and the case in which it was found.
/// Where entries have no context, the one without is: two contexts of a version share it.
pub fn entry_of(face: Face, nsvc: &Nsvc, found: Vec<Entry>) -> Option<Entry> {
    let is_own = |entry: &Entry| identity(entry).is_ok_and(|found| found == *nsvc);
    let is_shared = |entry: &Entry| {
        let shared = |found: Nsvc| (found.name_stream(), found.version) == (nsvc.name_stream(), nsvc.version);
        face == Face::Variants && entry.context == NO_CONTEXT && identity(entry).is_ok_and(shared)
    };
    let own = found.iter().position(is_own).or_else(|| found.iter().position(is_shared));
    own.and_then(|place| found.into_iter().nth(place))
}

/// Returns the modules that a document depends on, one for each name and stream of all alternatives. Excluded streams are no
/// dependency, and a name with all its streams cannot be said.
pub fn dependencies(
    document: &ModuleStream,
    side: impl Fn(&mbs_core::modulemd::Dependencies) -> &BTreeMap<String, BTreeSet<String>>,
) -> Vec<Dependency> {
    let flat = document.dependencies.iter().flat_map(side);
    let flat = flat.flat_map(|(name, streams)| streams.iter().map(move |stream| (name, stream)));
    let flat = flat.filter(|(_, stream)| !stream.starts_with('-'));
    let all: BTreeSet<Dependency> =
        flat.map(|(name, stream)| Dependency { dependency: name.clone(), stream: stream.clone() }).collect();
    all.into_iter().collect()
}

/// Returns the packages as they are written, sorted.
fn packages(document: &ModuleStream, rpms: &Rpms) -> Vec<NewPackage> {
    let mut all: Vec<NewPackage> = rpms
        .iter()
        .flat_map(|(nvr, rpms)| rpms.iter().map(|rpm| package(document, nvr, rpms, rpm)))
        .collect();
    all.sort();
    all
}

fn package(document: &ModuleStream, nvr: &Nvr, of_build: &[Nevra], rpm: &Nevra) -> NewPackage {
    let source = of_build.iter().find(|rpm| rpm.is_source());
    let (commit, branch) = if rpm.is_source() { origin(document, nvr) } else { (None, None) };
    let of = |name: &str, epoch: u64| format!("{name}-{epoch}:{}-{}.src", nvr.version(), nvr.release());
    let nevra = source.map_or_else(|| of(nvr.name(), 0), |source| of(&source.name, source.epoch));
    NewPackage {
        name: rpm.name.clone(),
        epoch: rpm.epoch,
        version: rpm.version.clone(),
        release: rpm.release.clone(),
        // PDC knows one architecture of source packages.
        arch: if rpm.is_source() { "src".to_owned() } else { rpm.arch.to_string() },
        srpm_name: nvr.name().to_owned(),
        srpm_nevra: (!rpm.is_source()).then_some(nevra),
        srpm_commit_hash: commit,
        srpm_commit_branch: branch,
        filename: None,
    }
}

/// Returns the commit that a source package was made from, and its branch where the document names one.
fn origin(document: &ModuleStream, nvr: &Nvr) -> (Option<String>, Option<String>) {
    let commit = document.xmd.at(&["mbs", "rpms", nvr.name(), "ref"]).and_then(Xmd::spelling);
    let component =
        document.rpms.iter().find(|(key, component)| component.name.as_deref().unwrap_or(key) == nvr.name());
    let written = component.and_then(|(_, component)| component.git_ref.as_deref());
    let branch = written.filter(|written| commit.is_some() && Some(*written) != commit);
    (commit.map(str::to_owned), branch.map(str::to_owned))
}

/// Decides what is to be done so that PDC knows a build that is ready. What it knows of dependencies cannot be changed.
pub fn step(known: Option<&Entry>, wanted: NewEntry) -> Step {
    let Some(entry) = known else { return Step::Create(Box::new(wanted)) };
    let differs = |ours: &str, theirs: &str| (ours.trim() != theirs.trim()).then(|| ours.to_owned());
    let known: BTreeSet<String> = entry.rpms.iter().cloned().collect();
    let differ =
        |rpms: &Vec<NewPackage>| rpms.iter().map(NewPackage::file_name).collect::<BTreeSet<_>>() != known;
    let change = Change {
        active: (!entry.active).then_some(true),
        koji_tag: differs(&wanted.koji_tag, &entry.koji_tag),
        modulemd: differs(&wanted.modulemd, &entry.modulemd),
        rpms: wanted.rpms.filter(differ),
    };
    changed(entry, change)
}

/// Decides what is to be done so that a build that is retired is not chosen any more.
pub fn retire(known: Option<&Entry>) -> Step {
    let Some(entry) = known else { return Step::Nothing };
    changed(entry, Change { active: entry.active.then_some(false), ..Change::default() })
}

fn changed(entry: &Entry, change: Change) -> Step {
    if change.is_empty() { Step::Nothing } else { Step::Change(entry.uid.clone(), Box::new(change)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "dddddddddddddddddddddddddddddddddddddddd";

    fn document() -> ModuleStream {
        let text = format!(
            "document: modulemd
version: 2
data:
  name: httpd
  stream: '2.4'
  version: 20180501120000
  context: 9c690d0e
  summary: A web server
  description: A web server.
  license: {{module: [MIT]}}
  dependencies:
  - {{buildrequires: {{platform: [f28], perl: ['5.24', '5.26']}}, requires: {{platform: [f28]}}}}
  - {{buildrequires: {{platform: [f29], perl: [-5.22]}}, requires: {{platform: [f29], apr: []}}}}
  components:
    rpms: {{httpd: {{rationale: r, ref: '2.4'}}}}
  xmd: {{mbs: {{rpms: {{httpd: {{ref: {COMMIT}}}}}}}}}
"
        );
        ModuleStream::from_stored(&text).unwrap()
    }

    fn rpms() -> Rpms {
        let nevras = ["httpd-0:2.4.33-1.src", "httpd-0:2.4.33-1.x86_64", "mod_ldap-1:2.4.33-1.x86_64"];
        let nevras = nevras.map(|nevra| nevra.parse().unwrap());
        [("httpd-2.4.33-1".parse().unwrap(), nevras.to_vec())].into()
    }

    fn of(name: &str, stream: &str) -> Dependency {
        Dependency { dependency: name.into(), stream: stream.into() }
    }

    fn wanted() -> NewEntry {
        NewEntry {
            name: "httpd".into(),
            koji_tag: "module-httpd".into(),
            modulemd: "document: modulemd\n".into(),
            active: Some(true),
            rpms: Some(packages(&document(), &rpms())),
            ..NewEntry::default()
        }
    }

    fn known() -> Entry {
        Entry {
            uid: "httpd-2.4-1".into(),
            name: "httpd".into(),
            stream: String::new(),
            version: String::new(),
            context: String::new(),
            active: true,
            koji_tag: "module-httpd".into(),
            modulemd: "document: modulemd".into(),
            runtime_deps: vec![],
            build_deps: vec![],
            rpms: packages(&document(), &rpms()).iter().map(NewPackage::file_name).rev().collect(),
        }
    }

    #[test]
    fn dependencies_are_one_pair_for_each_name_and_stream_of_all_alternatives() {
        let build = dependencies(&document(), |pair| &pair.buildrequires);
        let wanted = [of("perl", "5.24"), of("perl", "5.26"), of("platform", "f28"), of("platform", "f29")];
        assert_eq!(build, wanted);
        let runtime = dependencies(&document(), |pair| &pair.requires);
        assert_eq!(runtime, [of("platform", "f28"), of("platform", "f29")]);
    }

    #[test]
    fn a_package_names_its_source_and_a_source_its_commit_and_branch() {
        let packages = packages(&document(), &rpms());
        let shown: Vec<_> = packages.iter().map(|one| (one.file_name(), one.srpm_nevra.as_deref())).collect();
        let source = Some("httpd-0:2.4.33-1.src");
        assert_eq!(
            shown,
            [
                ("httpd-0:2.4.33-1.src.rpm".to_owned(), None),
                ("httpd-0:2.4.33-1.x86_64.rpm".to_owned(), source),
                ("mod_ldap-1:2.4.33-1.x86_64.rpm".to_owned(), source),
            ]
        );
        let origin = (packages[0].srpm_commit_hash.as_deref(), packages[0].srpm_commit_branch.as_deref());
        assert_eq!(origin, (Some(COMMIT), Some("2.4")));
        assert_eq!((&packages[1].srpm_commit_hash, &packages[1].srpm_name), (&None, &"httpd".to_owned()));
    }

    #[test]
    fn the_entry_of_a_build_is_its_own_or_where_there_are_no_contexts_the_shared_one() {
        let entry = |uid: &str, name: &str, context: &str| Entry {
            uid: uid.into(),
            name: name.into(),
            stream: "2.4".into(),
            version: "1".into(),
            context: context.into(),
            ..known()
        };
        let all = || {
            let own = entry("own", "httpd", "c0ffee00");
            vec![entry("shared", "httpd", NO_CONTEXT), entry("case", "HTTPD", "c0ffee00"), own]
        };
        let found =
            |face, nsvc: &str, all| entry_of(face, &nsvc.parse().unwrap(), all).map(|entry| entry.uid);
        for face in [Face::Variants, Face::Modules] {
            assert_eq!(found(face, "httpd:2.4:1:c0ffee00", all()).as_deref(), Some("own"));
        }
        assert_eq!(found(Face::Variants, "httpd:2.4:1:deadbeef", all()).as_deref(), Some("shared"));
        assert_eq!(found(Face::Modules, "httpd:2.4:1:deadbeef", all()), None);
    }

    #[test]
    fn what_pdc_knows_is_not_written_again() {
        assert_eq!(step(Some(&known()), wanted()), Step::Nothing);
        assert_eq!(step(None, wanted()), Step::Create(Box::new(wanted())));
        let unknown = NewEntry { rpms: None, ..wanted() };
        assert_eq!(step(Some(&known()), unknown), Step::Nothing, "packages that nobody knows stay");
        let inactive = Entry { active: false, koji_tag: "NA".into(), rpms: vec![], ..known() };
        let change = Change {
            active: Some(true),
            koji_tag: Some("module-httpd".into()),
            rpms: wanted().rpms,
            ..Change::default()
        };
        let uid = || "httpd-2.4-1".to_owned();
        assert_eq!(step(Some(&inactive), wanted()), Step::Change(uid(), Box::new(change)));
        assert_eq!((retire(None), retire(Some(&inactive))), (Step::Nothing, Step::Nothing));
        let change = Change { active: Some(false), ..Change::default() };
        assert_eq!(retire(Some(&known())), Step::Change(uid(), Box::new(change)));
    }
}
