//! A finished module's repository, read with RPM's own programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use mbs_core::modulemd::{Document, Limits, ModuleStream, read_documents};

/// What is asked of each RPM, in the order of [`Rpm`]'s fields.
const QUESTION: &str = "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{MODULARITYLABEL}\
                        \\t%{LICENSE}\\t[%{REQUIRES} ]\\t[%{PROVIDES} ]\\n";

/// An RPM's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rpm {
    /// The name.
    pub name: String,
    /// The release.
    pub release: String,
    /// The architecture; `src` of a source RPM.
    pub arch: String,
    /// Name, epoch (always), version, release and architecture.
    pub nevra: String,
    /// The module it says it belongs to.
    pub label: String,
    /// The licence.
    pub licence: String,
    /// What it needs.
    pub requires: BTreeSet<String>,
    /// What it offers.
    pub provides: BTreeSet<String>,
    /// The file.
    pub path: PathBuf,
}

/// A repository on disk.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Takes the repository that a run printed in its line `NSVC is ready: FOLDER`.
    ///
    /// # Errors
    /// There is no such line, or no repository where it points.
    pub fn printed(out: &str) -> Result<Self> {
        let line = out.lines().find_map(|line| line.split_once(" is ready: "));
        Self::at(PathBuf::from(line.with_context(|| format!("no repository in:\n{out}"))?.1))
    }

    /// Takes the repository of a module build `name:stream:version:context` from the results folder.
    ///
    /// # Errors
    /// There is none.
    pub fn of_build(results: &Path, nsvc: &str) -> Result<Self> {
        let parts: Vec<&str> = nsvc.split(':').take(3).collect();
        Self::at(results.join(format!("module-{}", parts.join("-"))).join("results"))
    }

    fn at(folder: PathBuf) -> Result<Self> {
        ensure!(folder.join("repodata/repomd.xml").is_file(), "no repository in {}", folder.display());
        Ok(Self { folder })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads the headers of all RPMs, sorted by NEVRA.
    ///
    /// # Errors
    /// `rpm` cannot read one.
    pub fn rpms(&self) -> Result<Vec<Rpm>> {
        let mut rpms = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rpm") {
                rpms.push(header(&path)?);
            }
        }
        rpms.sort_by(|one, other| one.nevra.cmp(&other.nevra));
        Ok(rpms)
    }

    /// Returns the NEVRAs of all RPMs, from their headers.
    ///
    /// # Errors
    /// As [`Repository::rpms`].
    pub fn nevras(&self) -> Result<BTreeSet<String>> {
        Ok(self.rpms()?.into_iter().map(|rpm| rpm.nevra).collect())
    }

    /// Returns the NEVRAs that createrepo's metadata list, source RPMs with `src`.
    ///
    /// # Errors
    /// The metadata cannot be read.
    pub fn listed(&self) -> Result<BTreeSet<String>> {
        let primary = self.metadata("primary.xml")?;
        let value = |text: &str, key: &str| {
            text.split_once(&format!("{key}=\""))
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(v, _)| v.to_owned())
        };
        let element = |text: &str, name: &str| {
            text.split_once(&format!("<{name}>"))
                .and_then(|(_, rest)| rest.split_once('<'))
                .map(|(v, _)| v.to_owned())
        };
        let mut listed = BTreeSet::new();
        for package in primary.split("<package ").skip(1) {
            let (_, version) = package.split_once("<version ").context("a package has a version")?;
            let parts = [
                element(package, "name"),
                value(version, "epoch"),
                value(version, "ver"),
                value(version, "rel"),
                element(package, "arch"),
            ];
            let [Some(name), Some(epoch), Some(version), Some(release), Some(arch)] = parts else {
                bail!("a package lacks something: {package}")
            };
            listed.insert(format!("{name}-{epoch}:{version}-{release}.{arch}"));
        }
        Ok(listed)
    }

    /// Returns the text of `modules.yaml`.
    ///
    /// # Errors
    /// The metadata hold none, or it cannot be unpacked.
    pub fn modules_yaml(&self) -> Result<String> {
        self.metadata("modules.yaml")
    }

    /// Returns the only document of `modules.yaml`.
    ///
    /// # Errors
    /// There is another number of documents, or another kind.
    pub fn document(&self) -> Result<ModuleStream> {
        let read = read_documents(&self.modules_yaml()?, None, &Limits::default());
        ensure!(read.is_fine() && read.documents.len() == 1, "modules.yaml holds {read:?}");
        let only = read.documents.into_iter().next().map(|located| located.document);
        match only {
            Some(Document::Stream(stream)) => Ok(*stream),
            other => bail!("modules.yaml holds {other:?}"),
        }
    }

    /// Unpacks an RPM and returns its files as text, by path without the first dot.
    ///
    /// # Errors
    /// It cannot be unpacked, or holds something that is no text.
    pub fn texts_in(rpm: &Rpm) -> Result<BTreeMap<String, String>> {
        let folder = tempfile::tempdir()?;
        let mut unpack = Command::new("rpm2cpio").arg(&rpm.path).stdout(Stdio::piped()).spawn()?;
        let archive = unpack.stdout.take().context("its output is ours")?;
        let mut copy = Command::new("cpio");
        copy.args(["--extract", "--make-directories", "--quiet"]).current_dir(folder.path()).stdin(archive);
        ensure!(copy.status()?.success() && unpack.wait()?.success(), "{} cannot be unpacked", rpm.nevra);
        let (mut texts, mut open) = (BTreeMap::new(), vec![folder.path().to_owned()]);
        while let Some(path) = open.pop() {
            if path.is_dir() {
                for entry in fs::read_dir(&path)? {
                    open.push(entry?.path());
                }
            } else {
                let inside = path.strip_prefix(folder.path())?.display().to_string();
                texts.insert(format!("/{inside}"), fs::read_to_string(&path)?);
            }
        }
        Ok(texts)
    }

    fn metadata(&self, kind: &str) -> Result<String> {
        for entry in fs::read_dir(self.folder.join("repodata"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some((_, packing)) = name.split_once(&format!("-{kind}")) {
                return unpacked(&path, packing);
            }
        }
        bail!("the metadata hold no {kind}")
    }
}

/// Returns the text of a metadata file; how it is packed is for the distribution's createrepo to choose.
fn unpacked(path: &Path, packing: &str) -> Result<String> {
    let program = match packing {
        ".gz" => "gzip",
        ".zst" => "zstd",
        other => bail!("nobody knows how to unpack {other:?} of {}", path.display()),
    };
    let done = Command::new(program).arg("-dc").stdin(File::open(path)?).output();
    let done = done.with_context(|| format!("{program}, for {}", path.display()))?;
    ensure!(done.status.success(), "{program} cannot unpack {}", path.display());
    Ok(String::from_utf8(done.stdout)?)
}

fn header(path: &Path) -> Result<Rpm> {
    let asked = Command::new("rpm").args(["-qp", "--nosignature", "--qf", QUESTION]).arg(path).output()?;
    ensure!(asked.status.success(), "rpm cannot read {}", path.display());
    let text = String::from_utf8(asked.stdout)?;
    let fields: Vec<&str> = text.trim_end_matches('\n').split('\t').collect();
    let &[name, epoch, version, release, arch, source, label, licence, requires, provides] = &fields[..]
    else {
        bail!("rpm answered {text:?}")
    };
    let arch = if source == "(none)" { "src" } else { arch };
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Ok(Rpm {
        nevra: format!("{name}-{epoch}:{version}-{release}.{arch}"),
        name: name.to_owned(),
        release: release.to_owned(),
        arch: arch.to_owned(),
        label: label.to_owned(),
        licence: licence.to_owned(),
        requires: words(requires),
        provides: words(provides),
        path: path.to_owned(),
    })
}
