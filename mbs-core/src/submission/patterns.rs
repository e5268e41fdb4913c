//! Lists of regular expressions of the configuration, searched anywhere in a text.

use regex_lite::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::stream_version::expression;

/// Regular expressions, in the order written. Read from a list of texts.
#[derive(Debug, Clone, Default)]
pub struct Patterns(Vec<Regex>);

impl Patterns {
    /// Makes the list.
    ///
    /// # Errors
    /// Says which regular expression is none.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        texts.into_iter().map(expression).collect::<Result<_, _>>().map(Self)
    }

    /// Says whether one of them is found somewhere in a text.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.0.iter().any(|regex| regex.is_match(text))
    }

    /// Returns what the groups of the first that is found say, joined; `None` if none is found, or all its groups are empty.
    pub fn groups_in(&self, text: &str) -> Option<String> {
        let found = self.0.iter().find_map(|regex| regex.captures(text))?;
        let joined: String = found.iter().skip(1).flatten().map(|group| group.as_str()).collect();
        (!joined.is_empty()).then_some(joined)
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(Regex::as_str).eq(other.0.iter().map(Regex::as_str))
    }
}

impl Eq for Patterns {}

impl Serialize for Patterns {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(Regex::as_str))
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        Self::new(texts.iter().map(String::as_str)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_the_first_that_is_found_are_joined() {
        let patterns = Patterns::new(["(?:rhel-)(el)(\\d+)(\\.\\d+)?", "stream-(.*)", "(x)?y"]).unwrap();
        assert_eq!(patterns.groups_in("stream-a-rhel-el8.2").as_deref(), Some("el8.2"));
        assert_eq!(patterns.groups_in("stream-9").as_deref(), Some("9"));
        assert_eq!(patterns.groups_in("yes"), None, "all its groups are empty");
        assert_eq!(patterns.groups_in("main"), None);
        assert!(patterns.is_found_in("yes") && !patterns.is_found_in("main"));
    }

    #[test]
    fn what_is_no_expression_is_refused_naming_it() {
        assert!(Patterns::new(["a", "b("]).unwrap_err().contains("\"b(\""));
        assert!(serde_json::from_str::<Patterns>("[\"b(\"]").is_err());
        let patterns = Patterns::new(["^private-.*"]).unwrap();
        assert_eq!(serde_json::from_str::<Patterns>("[\"^private-.*\"]").unwrap(), patterns);
        assert_eq!(serde_json::to_string(&patterns).unwrap(), "[\"^private-.*\"]");
    }
}
