//! What is known without looking anything up, and whether the service can serve at all.

use axum::http::StatusCode;
use mbs_core::model::RebuildStrategy;
use serde::Serialize;

use super::Frontend;
use super::answer::{Answer, body, found};
use super::problem::Problem;

/// What the interface is.
#[derive(Debug, Serialize)]
struct About {
    api_version: u8,
    auth_method: &'static str,
    version: &'static str,
}

/// A rebuild strategy.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Strategy {
    allowed: bool,
    default: bool,
    description: &'static str,
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Strategies {
    items: Vec<Strategy>,
}

/// Answers with text.
pub(super) fn text(text: impl Into<axum::body::Body>) -> Answer {
    body(StatusCode::OK, "text/plain; charset=utf-8", text)
}

impl Frontend {
    pub(super) fn about(&self) -> Answer {
        found(&About {
            api_version: 2,
            auth_method: self.gate.access.auth_method.as_str(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    pub(super) fn strategies(&self) -> Answer {
        use RebuildStrategy::{All, ChangedAndAfter, OnlyChanged};
        let rules = &self.desk.rules;
        let strategy = |strategy: RebuildStrategy| {
            let is_default = strategy == rules.rebuild_strategy;
            let may_be_chosen =
                rules.rebuild_strategy_allow_override && rules.rebuild_strategies_allowed.contains(&strategy);
            Strategy {
                allowed: is_default || may_be_chosen,
                default: is_default,
                description: description(strategy),
                name: strategy.name(),
            }
        };
        found(&Strategies { items: [All, ChangedAndAfter, OnlyChanged].map(strategy).into() })
    }

    /// Says whether records can be read.
    pub(super) async fn readiness(&self) -> Result<Answer, Problem> {
        self.store.now().await?;
        Ok(text("ready\n"))
    }
}

fn description(strategy: RebuildStrategy) -> &'static str {
    match strategy {
        RebuildStrategy::All => "All components will be rebuilt",
        RebuildStrategy::ChangedAndAfter => {
            "All components that have changed and those in subsequent batches will be rebuilt"
        }
        RebuildStrategy::OnlyChanged => "All changed components will be rebuilt",
    }
}
