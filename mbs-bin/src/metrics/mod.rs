//! Figures of the service in the text form that Prometheus reads (0.0.4): what is counted, and how it is called.
//!
//! Names that the original had are kept, with their meaning as far as there is one here. Counting is done where things happen.

use std::fmt::{Display, Write};

use mbs_core::model::Failure;
use mbs_core::store::{EventNumber, Figures};

mod process;

/// The type of what is answered.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How a figure moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Up only.
    Counter,
    /// Up and down.
    Gauge,
}

/// A text of figures.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    /// Adds a figure.
    pub(crate) fn one(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Begins figures of one name.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Adds a figure of the family that was begun, told apart by labels.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        if labels.is_empty() {
            return self.line(format_args!("{name} {value}"));
        }
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Texts take whatever is written to them.
        let _ = writeln!(self.0, "{line}");
    }

    /// Adds what clients expect of a process that neither listens to messages nor sends any.
    pub(crate) fn of_a_process_that_does_not_listen(&mut self) {
        for (name, help) in [
            ("messaging_rx_total", "Total number of messages received"),
            (
                "messaging_rx_processed_ok_total",
                "Number of received messages, which were processed successfully",
            ),
            ("messaging_rx_failed_total", "Number of received messages, which failed during processing"),
            ("messaging_tx_failed_total", "Number of messages, for which the sender failed"),
        ] {
            self.one(name, Kind::Counter, help, 0);
        }
    }

    /// Returns the text.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Writes what the records say, and what this process takes; `last` is the newest event that has a number.
pub(crate) fn of_records(figures: &Figures, last: EventNumber) -> Exposition {
    use Kind::{Counter, Gauge};

    let mut text = Exposition::default();
    builds(&mut text, figures);
    slots(&mut text, figures);
    let lacking = figures.pending.values().copied().max().unwrap_or_default();
    text.one("messaging_tx_to_send_total", Counter, "Total number of messages to send", last.0);
    let sent = last.0.saturating_sub(lacking);
    text.one("messaging_tx_sent_ok_total", Counter, "Number of messages, which were sent successfully", sent);
    text.family("mbs_events_pending", Gauge, "Events that a sink has not got yet");
    for (sink, lacks) in &figures.pending {
        text.sample("mbs_events_pending", &[("sink", &sink.0)], lacks);
    }
    process::write(&mut text);
    text
}

fn builds(text: &mut Exposition, figures: &Figures) {
    use Kind::{Counter, Gauge};

    text.one("builds_success_total", Counter, "Number of successful builds", figures.succeeded);
    text.family("builds_failed_total", Counter, "Number of failed builds");
    for (failure, count) in &figures.failed {
        let reason = match failure {
            Failure::User => "user",
            Failure::Infra => "infra",
            Failure::Unspec => "unspec",
        };
        text.sample("builds_failed_total", &[("reason", reason)], count);
    }
    text.family("mbs_builds", Gauge, "Module builds in a state");
    for (state, count) in &figures.by_state {
        text.sample("mbs_builds", &[("state", state.name())], count);
    }
    text.one("mbs_builds_due", Gauge, "Module builds that wait for a backend", figures.due);
    let waited =
        figures.oldest_unfinished.map_or(0, |(_, since)| figures.at.duration_since(since).as_secs().max(0));
    let help = "Seconds since the unfinished module build that moved least lately moved";
    text.one("mbs_oldest_without_progress_seconds", Gauge, help, waited);
}

fn slots(text: &mut Exposition, figures: &Figures) {
    use Kind::Gauge;

    let limit = |limit: Option<u32>| limit.map_or_else(|| "+Inf".to_owned(), |limit| limit.to_string());
    text.one("mbs_slots_in_use", Gauge, "Components in progress", figures.in_use);
    text.one("mbs_slots_limit", Gauge, "Components that may be in progress now", limit(figures.limit));
    let configured = limit(figures.configured_limit);
    text.one("mbs_slots_limit_configured", Gauge, "Components that may be in progress at most", configured);
    text.one("mbs_builds_in_line", Gauge, "Module builds that wait for a slot", figures.in_line);
    text.one("mbs_paused", Gauge, "Whether no new component is submitted", u8::from(figures.paused));
    text.one(
        "mbs_draining",
        Gauge,
        "Whether no module build leaves init or wait",
        u8::from(figures.draining),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_quoted() {
        let mut text = Exposition::default();
        text.family("a", Kind::Gauge, "Some.");
        text.sample("a", &[("x", "1\"\\\n"), ("y", "z")], 1.5);
        assert_eq!(text.finish(), "# HELP a Some.\n# TYPE a gauge\na{x=\"1\\\"\\\\\\n\",y=\"z\"} 1.5\n");
    }
}
