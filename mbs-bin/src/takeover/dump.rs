//! The tables of an original service as JSON: table → rows → columns. Only what records need is read; other tables and
//! columns may be there.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de};

/// The tables. Those that are missing are empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Dump {
    /// Module builds.
    pub module_builds: Vec<BuildRow>,
    /// Their changes of state.
    pub module_builds_trace: Vec<TraceRow>,
    /// Component builds.
    pub component_builds: Vec<ComponentRow>,
    /// Their changes of state.
    pub component_builds_trace: Vec<ComponentTraceRow>,
    /// Lines of logs.
    pub log_messages: Vec<LogRow>,
    /// Names of architectures.
    pub module_arches: Vec<NameRow>,
    /// Which builds have which.
    pub module_builds_to_arches: Vec<ArchRelation>,
    /// Which base module builds a build is built against.
    pub module_builds_to_module_buildrequires: Vec<BaseRelation>,
}

/// A module build.
#[derive(Debug, Clone, Deserialize)]
pub struct BuildRow {
    pub id: i64,
    pub name: String,
    pub stream: String,
    pub version: String,
    pub context: String,
    pub state: u8,
    #[serde(default)]
    pub state_reason: Option<String>,
    pub modulemd: String,
    #[serde(default)]
    pub koji_tag: Option<String>,
    #[serde(default)]
    pub cg_build_koji_tag: Option<String>,
    #[serde(default)]
    pub scmurl: Option<String>,
    #[serde(default)]
    pub scratch: Option<bool>,
    #[serde(default)]
    pub srpms: Option<String>,
    pub owner: String,
    #[serde(deserialize_with = "moment")]
    pub time_submitted: Timestamp,
    #[serde(deserialize_with = "moment")]
    pub time_modified: Timestamp,
    #[serde(default, deserialize_with = "moment_if_any")]
    pub time_completed: Option<Timestamp>,
    #[serde(default)]
    pub new_repo_task_id: Option<i64>,
    pub rebuild_strategy: String,
    #[serde(default)]
    pub reused_module_id: Option<i64>,
    #[serde(default)]
    pub batch: Option<u32>,
    #[serde(default)]
    pub build_context: Option<String>,
    #[serde(default)]
    pub build_context_no_bms: Option<String>,
    #[serde(default)]
    pub runtime_context: Option<String>,
}

/// A change of a module build's state.
#[derive(Debug, Clone, Deserialize)]
pub struct TraceRow {
    pub id: i64,
    pub module_id: i64,
    #[serde(deserialize_with = "moment")]
    pub state_time: Timestamp,
    pub state: u8,
    #[serde(default)]
    pub state_reason: Option<String>,
}

/// A component build.
#[derive(Debug, Clone, Deserialize)]
pub struct ComponentRow {
    pub id: i64,
    pub package: String,
    #[serde(default)]
    pub scmurl: Option<String>,
    #[serde(default)]
    pub task_id: Option<i64>,
    #[serde(default, rename = "ref")]
    pub commit: Option<String>,
    #[serde(default)]
    pub state: Option<u8>,
    #[serde(default)]
    pub state_reason: Option<String>,
    #[serde(default)]
    pub nvr: Option<String>,
    #[serde(default)]
    pub tagged: bool,
    #[serde(default)]
    pub tagged_in_final: bool,
    #[serde(default)]
    pub build_time_only: bool,
    #[serde(default)]
    pub buildonly: bool,
    #[serde(default)]
    pub batch: Option<u32>,
    pub module_id: i64,
    #[serde(default)]
    pub reused_component_id: Option<i64>,
    #[serde(default)]
    pub weight: Option<f64>,
}

/// A change of a component build's state.
#[derive(Debug, Clone, Deserialize)]
pub struct ComponentTraceRow {
    pub id: i64,
    pub component_id: i64,
    #[serde(deserialize_with = "moment")]
    pub state_time: Timestamp,
    #[serde(default)]
    pub state: Option<u8>,
    #[serde(default)]
    pub state_reason: Option<String>,
    #[serde(default)]
    pub task_id: Option<i64>,
}

/// A line of a log.
#[derive(Debug, Clone, Deserialize)]
pub struct LogRow {
    pub id: i64,
    #[serde(default)]
    pub component_build_id: Option<i64>,
    #[serde(default)]
    pub module_build_id: Option<i64>,
    pub message: String,
    #[serde(deserialize_with = "moment")]
    pub time_created: Timestamp,
}

/// Something with a name.
#[derive(Debug, Clone, Deserialize)]
pub struct NameRow {
    pub id: i64,
    pub name: String,
}

/// A build and one of its architectures.
#[derive(Debug, Clone, Deserialize)]
pub struct ArchRelation {
    #[serde(alias = "module_id")]
    pub module_build_id: i64,
    pub module_arch_id: i64,
}

/// A build and a base module build that it is built against.
#[derive(Debug, Clone, Deserialize)]
pub struct BaseRelation {
    pub module_id: i64,
    pub module_buildrequire_id: i64,
}

/// Reads a moment: UTC without saying so, with a `T` or a blank in the middle, or with a zone.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    read(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is no moment such as 2023-03-01T00:07:31")))
}

fn moment_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    read(&text)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("{text:?} is no moment such as 2023-03-01T00:07:31")))
}

fn read(text: &str) -> Option<Timestamp> {
    if let Ok(with_zone) = text.parse() {
        return Some(with_zone);
    }
    let plain: DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_ambiguous_zoned(plain).compatible().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_unless_they_say_otherwise() {
        let wanted: Timestamp = "2023-03-01T00:07:31Z".parse().unwrap();
        for text in ["2023-03-01T00:07:31", "2023-03-01 00:07:31", "2023-03-01T01:07:31+01:00"] {
            assert_eq!(read(text), Some(wanted), "{text}");
        }
        assert_eq!(read("yesterday"), None);
    }
}
