//! The documents beside streams as plain data: defaults, obsoletes, translations.

use std::collections::{BTreeMap, BTreeSet};

/// Profiles to install, by stream; an empty set means none.
pub type DefaultProfiles = BTreeMap<String, BTreeSet<String>>;

/// Which stream and profiles of a module to take if nobody chose. Source: `modulemd_defaults_v1.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// The module's name; empty if the document names none, and then it has no effect.
    pub module: String,
    /// When it was changed, as a number that grows; the newest document of a module counts.
    pub modified: Option<u64>,
    /// The default stream; `None`: the module has none.
    pub stream: Option<String>,
    /// Default profiles.
    pub profiles: DefaultProfiles,
    /// What systems with an intent take instead, by the intent's name.
    pub intents: BTreeMap<String, Intent>,
}

/// What systems with an intent take instead of a module's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// The default stream.
    pub stream: Option<String>,
    /// Default profiles.
    pub profiles: DefaultProfiles,
}

/// That a stream is at its end, or replaced by another. Source: `modulemd_obsoletes_v1.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Obsoletes {
    /// When it was changed, UTC, `YYYY-MM-DDTHH:MMZ`; the newest document of a stream counts.
    pub modified: String,
    /// Whether it only takes back what earlier documents said.
    pub reset: bool,
    /// The module's name.
    pub module: String,
    /// Its stream.
    pub stream: String,
    /// Its context; `None`: all of them.
    pub context: Option<String>,
    /// From when on, UTC, `YYYY-MM-DDTHH:MMZ`; `None`: at once.
    pub eol_date: Option<String>,
    /// Why, for people.
    pub message: String,
    /// What to use instead; `None`: nothing.
    pub obsoleted_by: Option<ObsoletedBy>,
}

/// The stream that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObsoletedBy {
    /// The module's name.
    pub module: String,
    /// Its stream.
    pub stream: String,
}

/// A stream's texts in other languages. Source: `modulemd_translations_v1.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translations {
    /// The module's name.
    pub module: String,
    /// Its stream.
    pub stream: String,
    /// When it was changed, as a number that grows; never zero.
    pub modified: u64,
    /// Texts by locale.
    pub translations: BTreeMap<String, Translation>,
}

/// A stream's texts in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translation {
    /// The summary.
    pub summary: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Descriptions of profiles, by profile.
    pub profiles: BTreeMap<String, String>,
}
