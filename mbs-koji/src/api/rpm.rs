//! RPMs of builds and tags.

use std::collections::BTreeMap;

use mbs_core::ident::{Arch, Nevra, Nvr, TagName};

use super::build::nvr;
use super::{Odd, Row, array};
use crate::xmlrpc::{Call, Value};

/// An RPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rpm {
    /// Koji's id of it.
    pub id: i64,
    /// Its name, epoch, version, release and architecture.
    pub nevra: Nevra,
    /// Whether it has an epoch; `nevra` has 0 otherwise.
    pub has_epoch: bool,
    /// Koji's id of the build it belongs to.
    pub build: i64,
    /// The checksum of its header and payload.
    pub sigmd5: String,
}

/// What the header of an RPM says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Its licence.
    pub license: String,
    /// `ExclusiveArch`; empty: none.
    pub exclusive_arch: Vec<String>,
    /// `ExcludeArch`; empty: none.
    pub exclude_arch: Vec<String>,
}

/// Asks for the RPMs of a build; none or a fault if the build is unknown.
pub fn of_build(build: &Nvr) -> Call {
    Call::new("listBuildRPMs").arg(build.to_string())
}

/// Asks for the latest RPMs of a tag, with their builds.
pub fn of_tag(tag: &TagName) -> Call {
    Call::new("listTaggedRPMS").arg(tag.as_str()).keyword("latest", true)
}

/// Asks for the latest RPMs of a tag, inherited ones too, for some architectures.
pub fn reached_by_tag<'a>(tag: &TagName, arches: impl IntoIterator<Item = &'a Arch>) -> Call {
    let arches = arches.into_iter().map(Arch::as_str);
    of_tag(tag).keyword("inherit", true).keyword("arch", arches.collect::<Value>())
}

/// Asks what the header of an RPM says.
pub fn headers(id: i64) -> Call {
    let wanted = Value::from(["license", "exclusivearch", "excludearch"]);
    Call::new("getRPMHeaders").keyword("rpmID", id).keyword("headers", wanted)
}

/// Asks for an RPM by its file name; nil if it is unknown.
pub fn rpm(file_name: &str) -> Call {
    Call::new("getRPM").arg(file_name)
}

impl Rpm {
    fn read(row: &Row) -> Result<Self, Odd> {
        let epoch = row.maybe_int("epoch")?;
        let nevra = Nevra {
            name: row.text("name")?.to_owned(),
            epoch: u64::try_from(epoch.unwrap_or(0)).map_err(|_| Odd::new("getRPM", "a negative epoch"))?,
            version: row.text("version")?.to_owned(),
            release: row.text("release")?.to_owned(),
            arch: row.ident("arch")?,
        };
        Ok(Self {
            id: row.int("id")?,
            nevra,
            has_epoch: epoch.is_some(),
            build: row.int("build_id")?,
            sigmd5: row.maybe_text("payloadhash")?.unwrap_or_default().to_owned(),
        })
    }
}

/// Reads which build an RPM belongs to; `None` if it is unknown.
///
/// # Errors
/// It is none.
pub fn read_build(value: &Value) -> Result<Option<i64>, Odd> {
    Row::maybe("getRPM", value)?.map(|row| row.int("build_id")).transpose()
}

/// Reads a list of RPMs.
///
/// # Errors
/// It is none.
pub fn read_list(value: &Value) -> Result<Vec<Rpm>, Odd> {
    Row::all("listBuildRPMs", value)?.iter().map(Rpm::read).collect()
}

/// Reads the RPMs of a tag, and the NVRs of their builds by Koji's ids.
///
/// # Errors
/// It is no such answer.
pub fn read_tagged(value: &Value) -> Result<(Vec<Rpm>, BTreeMap<i64, Nvr>), Odd> {
    let method = "listTaggedRPMS";
    let [rpms, builds] = array(method, value)? else {
        return Err(Odd::new(method, "something else than RPMs and builds"));
    };
    let mut by_id = BTreeMap::new();
    for row in Row::all(method, builds)? {
        by_id.insert(row.int("build_id")?, nvr(&row)?);
    }
    Ok((read_list(rpms)?, by_id))
}

/// Reads what a header says.
///
/// # Errors
/// It is none.
pub fn read_headers(value: &Value) -> Result<Header, Odd> {
    let row = Row::of("getRPMHeaders", value)?;
    Ok(Header {
        license: row.maybe_text("license")?.unwrap_or_default().to_owned(),
        exclusive_arch: texts(row.member("exclusivearch")),
        exclude_arch: texts(row.member("excludearch")),
    })
}

/// Reads a list of texts; a single text is a list of one.
fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Some(Value::Array(values)) => values.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}
