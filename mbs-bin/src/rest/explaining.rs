//! What the service itself knows of a build: why it is not further, its log, and what would become of a submission.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::future::try_join;
use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::plan::Why;
use mbs_core::submission::{DecidedBuild, Disposition};
use serde::Serialize;

use super::Frontend;
use super::answer::{Answer, found, json};
use super::objects::time;
use super::plain;
use super::problem::Problem;
use super::request::Seen;

/// Why a build is not further.
#[derive(Debug, Serialize)]
struct Explained {
    at: String,
    id: i64,
    /// One sentence; null before the first look.
    sentence: Option<String>,
    state: u8,
    state_name: &'static str,
    /// The same for programs.
    why: Option<Why>,
}

/// What would become of a submission.
#[derive(Debug, Serialize)]
struct Planned {
    builds: Vec<PlannedBuild>,
    warnings: Vec<String>,
}

/// A build that would be recorded, go on, or stay as it is.
#[derive(Debug, Serialize)]
struct PlannedBuild {
    /// The streams it would be built with.
    buildrequires: BTreeMap<String, String>,
    context: String,
    /// `new`, `resume` or `exists`.
    disposition: &'static str,
    /// The build that goes on, or is there.
    id: Option<i64>,
    name: String,
    stream: String,
    version: String,
}

impl Frontend {
    pub(super) async fn explain(&self, id: Option<i64>) -> Result<Answer, Problem> {
        let missing = || Problem::missing("No such module found.");
        let id = BuildId(id.ok_or_else(missing)?);
        let (why, now) = try_join(self.store.explain(id), self.store.now()).await?;
        let listed = self.one(Some(id.0)).await?.ok_or_else(missing)?;
        let state = listed.summary.state;
        Ok(found(&Explained {
            at: time(now),
            id: id.0,
            sentence: why.as_ref().map(Why::to_string),
            state: state.number(),
            state_name: state.name(),
            why,
        }))
    }

    /// Returns the whole log of a build as text.
    pub(super) async fn log(&self, id: Option<i64>) -> Result<Answer, Problem> {
        let listed = self.one(id).await?.ok_or_else(|| Problem::missing("No such module found."))?;
        let lines = self.store.log(listed.id).await?;
        let line = |at: Timestamp, text: &str| format!("{} {text}\n", time(at));
        let text: String = lines.iter().map(|one| line(one.at, &one.text)).collect();
        Ok(plain::text(text))
    }

    /// Says what would become of a submission, and records nothing. Who may not submit may not ask either: it costs as much.
    pub(super) async fn plan(&self, seen: &Seen, body: Body) -> Result<Answer, Problem> {
        let members = self.members(seen, body).await?;
        let asked = self.asked(seen, &members).await?;
        let decided = self.desk.preview(&asked).await?;
        let builds = decided.builds.iter().map(PlannedBuild::of).collect();
        Ok(json(StatusCode::OK, &Planned { builds, warnings: decided.warnings }))
    }
}

impl PlannedBuild {
    fn of(build: &DecidedBuild) -> Self {
        let (disposition, id) = match build.disposition {
            Disposition::New => ("new", None),
            Disposition::Resume(id) => ("resume", Some(id.0)),
            Disposition::Exists(id, _) => ("exists", Some(id.0)),
        };
        let nsvc = &build.nsvc;
        let chosen =
            build.chosen.iter().map(|module| (module.nsvc.name.to_string(), module.nsvc.stream.to_string()));
        Self {
            buildrequires: chosen.collect(),
            context: nsvc.context.to_string(),
            disposition,
            id,
            name: nsvc.name.to_string(),
            stream: nsvc.stream.to_string(),
            version: nsvc.version.to_string(),
        }
    }
}
