//! Module builds and component builds as clients read them. Source: rest-api, section 4.
//!
//! An object has up to three forms: short, standard, extended; each adds to the one before. Times are whole seconds, UTC.

use jiff::Timestamp;
use serde::Serialize;

mod build;
mod component;
mod extended;

pub(crate) use build::{BuildShort, BuildStandard};
pub(crate) use component::{ComponentExtended, ComponentStandard};
pub(crate) use extended::BuildExtended;

/// Which form of an object is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Short,
    Standard,
    Extended,
}

impl Form {
    pub(crate) fn of(query: &super::query::Query) -> Self {
        match (query.is_true("verbose"), query.is_true("short")) {
            (true, _) => Form::Extended,
            (false, true) => Form::Short,
            (false, false) => Form::Standard,
        }
    }
}

/// An entry of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(crate) reason: Option<String>,
    pub(crate) state: Option<u8>,
    pub(crate) state_name: Option<&'static str>,
    pub(crate) time: String,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) message: String,
    pub(crate) time_created: String,
}

/// Writes a moment.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::query::Query;
    use super::*;

    #[test]
    fn the_longest_form_that_is_asked_for_counts() {
        let of = |text: &str| Form::of(&Query::read(text));
        assert_eq!(
            [of(""), of("short=1"), of("verbose=True&short=1")],
            [Form::Standard, Form::Short, Form::Extended]
        );
        assert_eq!(of("verbose=yes"), Form::Standard);
    }

    #[test]
    fn fractions_of_seconds_are_not_shown() {
        assert_eq!(time("2023-03-01T04:00:07.999Z".parse().unwrap()), "2023-03-01T04:00:07Z");
    }
}
