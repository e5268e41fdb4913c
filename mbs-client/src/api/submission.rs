//! What is submitted, and what comes of it.

use std::collections::BTreeMap;

use mbs_core::build_system::Effect;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ModuleBuild;
use crate::client::{Client, ClientError, Method, Request};
use crate::server::ApiVersion;

/// What is to be built. Everything but the source may be left at its default, which asks for nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Submission {
    /// The document, or where it is.
    pub source: Source,
    /// Whether it is thrown away when it is done.
    pub scratch: bool,
    /// Paths of sources that were uploaded to Koji; scratch builds only.
    pub srpms: Vec<String>,
    /// Which components are built again; `None`: as the service does.
    pub rebuild_strategy: Option<String>,
    /// Streams in the place of those that the document buildrequires, by module.
    pub buildrequire_overrides: BTreeMap<String, Vec<String>>,
    /// Streams in the place of those that the document requires, by module.
    pub require_overrides: BTreeMap<String, Vec<String>>,
    /// Refs in the place of those that the document names, by component.
    pub rpm_component_ref_overrides: BTreeMap<String, String>,
    /// The build that components may be taken from: a number, or N:S:V:C.
    pub reuse_components_from: Option<String>,
    /// The tag that a side tag is made of.
    pub side_tag: Option<String>,
    /// Members beside these, as text. Where they have the name of another, they count.
    pub options: Vec<(String, String)>,
}

/// A document, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In git.
    Git {
        /// `https://HOST/PATH?#COMMIT`.
        scmurl: String,
        /// The branch that the commit is on.
        branch: String,
    },
    /// Given directly.
    Document {
        /// The YAML.
        text: String,
        /// The module's name if the document has none.
        name: Option<String>,
        /// The stream, which counts instead of the document's.
        stream: Option<String>,
    },
}

impl Default for Source {
    fn default() -> Self {
        Self::Git { scmurl: String::new(), branch: String::new() }
    }
}

impl Submission {
    /// Returns what is sent.
    pub fn body(&self) -> Value {
        let mut body = self.source.members();
        let texts = [("rebuild_strategy", &self.rebuild_strategy), ("side_tag", &self.side_tag)];
        body.extend(
            texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text.as_ref()?)))),
        );
        if self.scratch {
            body.insert("scratch".to_owned(), json!(true));
        }
        if !self.srpms.is_empty() {
            body.insert("srpms".to_owned(), json!(self.srpms));
        }
        if let Some(build) = &self.reuse_components_from {
            let build = build.parse::<i64>().map_or_else(|_| json!(build), |id| json!(id));
            body.insert("reuse_components_from".to_owned(), build);
        }
        let objects = [
            ("buildrequire_overrides", object(&self.buildrequire_overrides)),
            ("require_overrides", object(&self.require_overrides)),
            ("rpm_component_ref_overrides", object(&self.rpm_component_ref_overrides)),
        ];
        body.extend(objects.into_iter().filter_map(|(key, object)| Some((key.to_owned(), object?))));
        body.extend(self.options.iter().map(|(key, value)| (key.clone(), json!(value))));
        Value::Object(body)
    }
}

impl Source {
    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::Git { scmurl, branch } => [("scmurl", Some(scmurl)), ("branch", Some(branch)), ("", None)],
            Self::Document { text, name, stream } => {
                [("modulemd", Some(text)), ("module_name", name.as_ref()), ("module_stream", stream.as_ref())]
            }
        };
        members.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text?)))).collect()
    }
}

fn object<T: serde::Serialize>(members: &BTreeMap<String, T>) -> Option<Value> {
    (!members.is_empty()).then(|| json!(members))
}

/// What an import brought.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Imported {
    /// What was done, in the service's words.
    pub messages: Vec<String>,
    /// The build.
    pub module: ModuleBuild,
}

impl Client {
    /// Submits, and returns the builds that came of it: with version 1 the first, with version 2 all. There is at least one.
    /// Where no version was chosen, the newest is spoken that the service has.
    ///
    /// # Errors
    /// `Refused`: the service does not take it. Others as for [`write`](Self::write).
    pub async fn submit(&self, submission: &Submission) -> Result<Vec<ModuleBuild>, ClientError> {
        let version = match self.chosen_version() {
            Some(version) => version,
            None => self.newest_version().await?,
        };
        let request = Request::new(Method::Post, ["module-builds", ""]).of(version).body(submission.body());
        let odd = |what: String| ClientError::odd(format!("a submission: {what}"), Effect::Unknown);
        let builds = match self.write::<Value>(&request).await? {
            Value::Array(builds) => builds,
            build => vec![build],
        };
        if builds.is_empty() {
            return Err(odd("it names no build".to_owned()));
        }
        builds
            .into_iter()
            .map(|build| serde_json::from_value(build).map_err(|error| odd(error.to_string())))
            .collect()
    }

    async fn newest_version(&self) -> Result<ApiVersion, ClientError> {
        let newest = self.about().await?.api_version.unwrap_or(1);
        Ok(if newest >= 2 { ApiVersion::Two } else { ApiVersion::One })
    }

    /// Has the service take in a module that was built elsewhere.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit).
    pub async fn import(&self, scmurl: &str) -> Result<Imported, ClientError> {
        self.write(&Request::new(Method::Post, ["import-module", ""]).body(json!({"scmurl": scmurl}))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_sent() {
        let git = Source::Git { scmurl: "https://x/a?#b".into(), branch: "main".into() };
        let plain = Submission { source: git.clone(), ..Submission::default() };
        assert_eq!(plain.body(), json!({"scmurl": "https://x/a?#b", "branch": "main"}));
        let options =
            [("branch", "other"), ("n", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let with_options = Submission { source: git, options: options.into(), ..Submission::default() };
        assert_eq!(with_options.body(), json!({"scmurl": "https://x/a?#b", "branch": "other", "n": "1"}));
    }

    #[test]
    fn all_that_can_be_asked_for_has_the_shape_that_the_service_reads() {
        let all = Submission {
            source: Source::Document { text: "a: b".into(), name: Some("m".into()), stream: None },
            scratch: true,
            srpms: vec!["cli-build/1/a.src.rpm".into()],
            rebuild_strategy: Some("all".into()),
            buildrequire_overrides: [("platform".to_owned(), vec!["f39".to_owned()])].into(),
            require_overrides: [("gtk".to_owned(), vec![])].into(),
            rpm_component_ref_overrides: [("bash".to_owned(), "main".to_owned())].into(),
            reuse_components_from: Some("12".into()),
            side_tag: Some("side".into()),
            options: Vec::new(),
        };
        let body = json!({
            "modulemd": "a: b", "module_name": "m", "scratch": true, "srpms": ["cli-build/1/a.src.rpm"],
            "rebuild_strategy": "all", "buildrequire_overrides": {"platform": ["f39"]},
            "require_overrides": {"gtk": []}, "rpm_component_ref_overrides": {"bash": "main"},
            "reuse_components_from": 12, "side_tag": "side",
        });
        assert_eq!(all.body(), body);
    }
}
