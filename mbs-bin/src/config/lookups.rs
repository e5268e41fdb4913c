//! Who is asked about life cycles: PDC, and Product Pages for support streams.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::forms;

/// A PDC (Product Definition Center).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pdc {
    /// Its name in PDC's configuration files, or the root of its API.
    pub pdc_url: String,
    /// Which endpoint is asked for modules.
    pub pdc_face: PdcFace,
    /// Whether backends record there what is ready, and what is retired.
    pub pdc_records: bool,
    /// A file with the token to record with; `None`: as PDC's own configuration says.
    #[serde(with = "forms::path_if_any")]
    pub pdc_token_file: Option<PathBuf>,
}

/// An endpoint of PDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PdcFace {
    /// What every PDC has: unreleasedvariants
    Variants,
    /// What newer ones have: modules
    Modules,
}

/// The schedules of products, for support streams. They are asked only if both address and streams are configured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductPages {
    /// Where they are; `None`: nobody is asked.
    #[serde(rename = "product_pages_url", with = "forms::if_any")]
    pub url: Option<String>,
    /// Which base streams have a support stream, and whose release begins it.
    #[serde(rename = "product_pages_module_streams")]
    pub streams: SupportStreams,
    /// Schedule tasks whose end counts in place of the general release; the first that a release has.
    #[serde(rename = "product_pages_schedule_task_names")]
    pub task_names: Vec<String>,
    /// The older form of it; it counts if there are no others.
    #[serde(rename = "product_pages_schedule_task_name", with = "forms::if_any")]
    pub task_name: Option<String>,
}

impl ProductPages {
    /// Returns the schedule tasks whose end counts, the better first.
    pub fn tasks(&self) -> &[String] {
        if self.task_names.is_empty() { self.task_name.as_slice() } else { &self.task_names }
    }
}

/// Regular expressions of base streams, in the order written, with what their support streams are called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SupportStreams(Vec<(String, SupportStream)>);

/// A support stream. Templates hold `{x}`, `{y}`, `{z}`: the parts of the stream's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportStream {
    /// What is added to the stream.
    pub suffix: String,
    /// The name of the release that begins it.
    pub release: String,
    /// The name of the release for x.0.0, if that is another.
    pub major_release: Option<String>,
}

impl SupportStreams {
    /// Returns the regular expressions with their streams, in the order written.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &SupportStream)> {
        self.0.iter().map(|(stream, support)| (stream.as_str(), support))
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for SupportStreams {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.entries().map(|(stream, support)| {
            let major = support.major_release.as_deref().unwrap_or_default();
            (stream, [support.suffix.as_str(), &support.release, major])
        }))
    }
}

impl<'de> Deserialize<'de> for SupportStreams {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(InOrder)
    }
}

/// Reads a map without sorting it.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = SupportStreams;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of regular expressions to lists of three texts: suffix, release, major release or nothing")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SupportStreams, A::Error> {
        let mut streams = Vec::new();
        while let Some((stream, [suffix, release, major])) = map.next_entry::<String, [String; 3]>()? {
            mbs_core::submission::Patterns::new([stream.as_str()]).map_err(de::Error::custom)?;
            let major_release = Some(major).filter(|major| !major.is_empty());
            streams.push((stream, SupportStream { suffix, release, major_release }));
        }
        Ok(SupportStreams(streams))
    }
}

impl Default for Pdc {
    fn default() -> Self {
        Self {
            pdc_url: "https://pdc.fedoraproject.org/rest_api/v1".to_owned(),
            pdc_face: PdcFace::Variants,
            pdc_records: false,
            pdc_token_file: None,
        }
    }
}
