//! Log lines on standard error: `LEVEL: text`, apart from a live display that may be on the same terminal.
//!
//! Text is what a log call says; a field that tells why (`error`, `reason`) follows it after a colon, all others only when
//! debugging. Colours are used on a terminal that is not told otherwise by `NO_COLOR`.

use std::fmt;
use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors; progress is not shown either.
    Errors,
    /// Warnings, too.
    Warnings,
    /// Also what is being done.
    Info,
    /// Everything, with all values.
    Debug,
}

impl Verbosity {
    fn filter(self) -> LevelFilter {
        match self {
            Verbosity::Errors => LevelFilter::ERROR,
            Verbosity::Warnings => LevelFilter::WARN,
            Verbosity::Info => LevelFilter::INFO,
            Verbosity::Debug => LevelFilter::DEBUG,
        }
    }
}

/// Standard error, shared by log lines and a live display.
#[derive(Debug, Clone)]
pub struct Screen {
    bars: MultiProgress,
}

impl Screen {
    /// Makes a screen of its own, apart from that of log lines.
    pub(crate) fn new() -> Self {
        Self { bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()) }
    }

    /// Returns what draws live displays; it is hidden where standard error is no terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Says whether a live display would be seen.
    pub fn is_live(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// Returns what draws how far a command is; `None` where that is not to be shown.
    pub fn for_progress(&self, verbosity: Verbosity) -> Option<&MultiProgress> {
        (verbosity > Verbosity::Errors).then_some(&self.bars)
    }

    /// Writes a line that is no log line, above the live display.
    pub fn line(&self, text: &str) {
        // Nobody can be told that standard error is gone.
        self.bars.suspend(|| drop(writeln!(anstream::stderr(), "{text}")));
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = ScreenWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        ScreenWriter { screen: self }
    }
}

/// Writes above the live display.
#[derive(Debug)]
pub struct ScreenWriter<'a> {
    screen: &'a Screen,
}

impl Write for ScreenWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.screen.bars.suspend(|| anstream::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts logging to standard error and returns it. Where logging was started before, that stays.
pub fn start(verbosity: Verbosity) -> Screen {
    let screen = Screen::new();
    let ours = Targets::new()
        .with_target("mbs", verbosity.filter())
        .with_default(verbosity.filter().min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines { shows_all: verbosity == Verbosity::Debug })
        .with_writer(screen.clone());
    // An embedding program may have its own subscriber already.
    drop(tracing_subscriber::registry().with(ours).with(lines).try_init());
    screen
}

/// Formats events as `LEVEL: text`.
struct Lines {
    shows_all: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        let (name, colour) = if said.is_critical { CRITICAL } else { named(*event.metadata().level()) };
        let text = if self.shows_all { said.text_with_others() } else { said.text() };
        writeln!(writer, "{colour}{name}{colour:#}: {}", without_controls(&text))
    }
}

const RED: Style = AnsiColor::Red.on_default().bold();
/// What an error with the field `critical` is called.
const CRITICAL: (&str, Style) = ("CRITICAL", RED);

fn named(level: Level) -> (&'static str, Style) {
    match level {
        Level::ERROR => ("ERROR", RED),
        Level::WARN => ("WARNING", AnsiColor::Yellow.on_default().bold()),
        Level::INFO => ("INFO", AnsiColor::Green.on_default()),
        Level::DEBUG => ("DEBUG", AnsiColor::Blue.on_default()),
        Level::TRACE => ("TRACE", AnsiColor::Blue.on_default()),
    }
}

/// What an event says.
#[derive(Debug, Default)]
struct Said {
    message: String,
    is_critical: bool,
    why: Vec<String>,
    others: Vec<String>,
}

impl Said {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            "error" | "reason" | "impossible" if value.is_empty() => {}
            "error" | "reason" | "impossible" => self.why.push(value),
            name => self.others.push(format!("{name}={value}")),
        }
    }

    fn text(&self) -> String {
        let mut text = self.message.clone();
        for why in &self.why {
            text = format!("{text}: {why}");
        }
        text
    }

    fn text_with_others(&self) -> String {
        let text = self.text();
        if self.others.is_empty() { text } else { format!("{text} [{}]", self.others.join(" ")) }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "critical" => self.is_critical = value,
            _ => self.add(field, value.to_string()),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}

/// Returns a text as it may go to a terminal: what would move the cursor or change colours is spelled out.
pub fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => clean.push(character),
            _ if character.is_control() => clean.extend(character.escape_default()),
            _ => clean.push(character),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(why: &[&str]) -> Said {
        let why = why.iter().map(|&why| why.to_owned()).collect();
        Said { message: "it stopped".into(), is_critical: false, why, others: vec!["module.id=3".into()] }
    }

    #[test]
    fn the_reason_follows_the_message() {
        assert_eq!(said(&["no space"]).text(), "it stopped: no space");
        assert_eq!(said(&[]).text(), "it stopped");
    }

    #[test]
    fn other_values_are_for_debugging() {
        assert_eq!(said(&["no space"]).text_with_others(), "it stopped: no space [module.id=3]");
    }

    #[test]
    fn text_from_outside_cannot_draw_on_the_terminal() {
        assert_eq!(without_controls("a\u{1b}[2Jb\tc\nd\r"), "a\\u{1b}[2Jb\tc\nd\\r");
    }
}
