//! Names of built packages: NVR and NEVRA, and their many spellings. Source: behaviour, section 1, "NVR texts".

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Arch, InvalidIdent, refuse};

/// `name-version-release` of a built package; the epoch is no part of it. Ordered by name, then version, then release, each
/// as text. Copies share their text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nvr {
    text: Arc<str>,
    /// Where the dash behind the name is.
    behind_name: usize,
    /// Where the dash behind the version is.
    behind_version: usize,
}

impl Nvr {
    /// Puts the name of a built package together. No part is checked; a version or release with a dash in it would be read
    /// back otherwise.
    pub fn of(name: &str, version: &str, release: &str) -> Self {
        let behind_name = name.len();
        Self {
            text: format!("{name}-{version}-{release}").into(),
            behind_name,
            behind_version: behind_name + 1 + version.len(),
        }
    }

    /// Returns the source package's name.
    pub fn name(&self) -> &str {
        &self.text[..self.behind_name]
    }

    /// Returns its version.
    pub fn version(&self) -> &str {
        &self.text[self.behind_name + 1..self.behind_version]
    }

    /// Returns its release.
    pub fn release(&self) -> &str {
        &self.text[self.behind_version + 1..]
    }
}

impl Ord for Nvr {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_name = self.name().cmp(other.name());
        by_name.then_with(|| (self.version(), self.release()).cmp(&(other.version(), other.release())))
    }
}

impl PartialOrd for Nvr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Nvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Nvr").field(&self.text).finish()
    }
}

/// An RPM's epoch; `None` where a text had none.
pub type Epoch = Option<u64>;

/// What an NVR text said: the epoch may stand in front of the name, of the version, or behind the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedNvr {
    /// Name, version and release.
    pub nvr: Nvr,
    /// The epoch, if the text had one.
    pub epoch: Epoch,
}

impl fmt::Display for Nvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Nvr {
    type Err = InvalidIdent;
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        ParsedNvr::from_str(text).map(|parsed| parsed.nvr)
    }
}

impl FromStr for ParsedNvr {
    type Err = InvalidIdent;
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let wrong = |why| refuse("name-version-release", text, why);
        let mut rest = text.rsplit('/').next().unwrap_or_default();
        let mut epoch = None;
        if let Some((front, behind)) = rest.rsplit_once(':') {
            // `a-1-1:2` has two dashes in front of the colon, `1:a-1-1` and `a-1:1-1` do not.
            let epoch_is_last = !behind.contains('-');
            let text_of_epoch =
                if epoch_is_last { behind } else { front.rsplit('-').next().unwrap_or_default() };
            epoch = Some(parse_epoch(text_of_epoch).ok_or_else(|| wrong("its epoch is no whole number"))?);
            if epoch_is_last {
                rest = front;
            }
        }
        let mut parts = rest.rsplitn(3, '-');
        let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it must be three parts with '-' between"));
        };
        let parts = [name, version, release].map(|part| part.rsplit(':').next().unwrap_or_default());
        if parts.iter().any(|part| part.is_empty()) {
            return Err(wrong("a part of it is empty"));
        }
        let [name, version, release] = parts;
        Ok(Self { nvr: Nvr::of(name, version, release), epoch })
    }
}

fn parse_epoch(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

/// `name-epoch:version-release.arch` of one RPM; the epoch is always written, 0 if the RPM has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nevra {
    /// The RPM's name.
    pub name: String,
    /// Its epoch, 0 if none.
    pub epoch: u64,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture; `src` for source RPMs.
    pub arch: Arch,
}

impl Nevra {
    /// Says whether it is a source RPM, with or without its sources.
    pub fn is_source(&self) -> bool {
        matches!(self.arch.as_str(), "src" | "nosrc")
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}:{}-{}.{}", self.name, self.epoch, self.version, self.release, self.arch)
    }
}

impl FromStr for Nevra {
    type Err = InvalidIdent;
    /// Reads an NEVRA or a file name; a folder in front and `.rpm` behind are dropped.
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let wrong = |why| refuse("name-version-release.arch", text, why);
        let file = text.rsplit('/').next().unwrap_or_default();
        let stem = file.strip_suffix(".rpm").unwrap_or(file);
        let (front, arch) = stem.rsplit_once('.').ok_or_else(|| wrong("it names no architecture"))?;
        if arch.contains('-') {
            return Err(wrong("it names no architecture"));
        }
        let ParsedNvr { nvr, epoch } = front.parse()?;
        Ok(Self {
            name: nvr.name().to_owned(),
            epoch: epoch.unwrap_or(0),
            version: nvr.version().to_owned(),
            release: nvr.release().to_owned(),
            arch: arch.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Nsvc;
    use crate::tests::reference::{golden, text};

    #[test]
    fn builds_are_ordered_by_name_before_version() {
        let mut sorted =
            ["lib-extra-1-1", "lib-1-2", "lib-1-1", "lib+-1-1"].map(|nvr| nvr.parse::<Nvr>().unwrap());
        sorted.sort();
        assert_eq!(sorted.map(|nvr| nvr.to_string()), ["lib-1-1", "lib-1-2", "lib+-1-1", "lib-extra-1-1"]);
    }

    #[test]
    fn every_golden_module_has_its_nvr() {
        for line in &golden("module_nvr.jsonl").unwrap_or_default() {
            let input = &line["input"];
            let part = |key: &str| input[key].as_str().unwrap();
            let nsvc = format!("{}:{}:{}:{}", part("name"), part("stream"), part("version"), part("context"));
            assert_eq!(nsvc, line["output"]["nsvc"]);
            let nvr = nsvc.parse::<Nsvc>().unwrap().nvr();
            assert_eq!(nvr.to_string(), line["output"]["nvr_string"]);
            let parts = serde_json::json!({
                "name": nvr.name(), "version": nvr.version(), "release": nvr.release()
            });
            assert_eq!(parts, line["output"]["nvr"]);
        }
    }

    #[test]
    fn every_golden_nvr_is_read_the_same() {
        for line in &golden("parse_nvr.jsonl").unwrap_or_default() {
            let read = text(line, "/input/text").parse::<ParsedNvr>();
            if line["output"]["error"].is_string() {
                assert!(read.is_err(), "{}: {read:?}", line["name"]);
                continue;
            }
            let ParsedNvr { nvr, epoch } = read.unwrap();
            let epoch = epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
            let parts = serde_json::json!({
                "name": nvr.name(), "version": nvr.version(), "release": nvr.release(), "epoch": epoch
            });
            assert_eq!(parts, line["output"], "{}", line["name"]);
        }
    }

    #[test]
    fn every_golden_nvra_is_read_the_same() {
        for line in &golden("parse_nvra.jsonl").unwrap_or_default() {
            let read = text(line, "/input/text").parse::<Nevra>();
            let output = &line["output"];
            if output["error"].is_string() {
                assert!(read.is_err(), "{}: {read:?}", line["name"]);
                continue;
            }
            let rpm = read.unwrap();
            let epoch = text(output, "/epoch").parse().unwrap_or(0);
            assert_eq!((rpm.name.as_str(), rpm.epoch), (text(output, "/name"), epoch), "{}", line["name"]);
            let rest = (rpm.version.as_str(), rpm.release.as_str(), rpm.arch.as_str());
            let recorded = (text(output, "/version"), text(output, "/release"), text(output, "/arch"));
            assert_eq!(rest, recorded, "{}", line["name"]);
            assert_eq!(rpm.arch.as_str() == "src", output["src"]);
        }
    }
}
