//! Streams as numbers, which order base modules and prefix versions.

use regex_lite::Regex;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ident::{Stream, Version};

/// Whether short numbers are filled up, so that `f28` and `f28.0.0` are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// With zeros on the right to six digits: `f28` is 280000.
    Right,
    /// Not at all: `f28` is 28.
    None,
}

/// A version with the number of its base stream in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixed {
    /// The version to use.
    pub version: Version,
    /// Whether the prefix was left out because the number would have become too large; the submitter should know.
    pub overflowed: bool,
}

/// What is added to the numbers of streams: regular expressions that must match from the start of a stream, and numbers.
///
/// The first that matches counts, in the order written. Read from a map.
#[derive(Debug, Clone, Default)]
pub struct StreamSuffixes(Vec<(Regex, f64)>);

/// The longest regular expression that is taken.
const LONGEST_EXPRESSION: usize = 1_000;

/// Makes a regular expression of the configuration.
///
/// # Errors
/// Says that it is none, or too long.
pub(crate) fn expression(text: &str) -> Result<Regex, String> {
    match Regex::new(text) {
        Ok(regex) if text.len() <= LONGEST_EXPRESSION => Ok(regex),
        Ok(_) => Err(format!("a regular expression has more than {LONGEST_EXPRESSION} characters")),
        Err(error) => Err(format!("{text:?} is no regular expression: {error}")),
    }
}

impl StreamSuffixes {
    /// Makes the list.
    ///
    /// # Errors
    /// Says which regular expression is none, or for which the number is.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, f64)>) -> Result<Self, String> {
        let compile = |(text, number): (&str, f64)| {
            if !number.is_finite() {
                return Err(format!("what is added for {text:?} is no number"));
            }
            expression(text).and_then(|_| expression(&format!("^(?:{text})"))).map(|regex| (regex, number))
        };
        entries.into_iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Returns what is added for a stream; 0 if nothing matches.
    pub fn of(&self, stream: &str) -> f64 {
        self.0.iter().find(|(regex, _)| regex.is_match(stream)).map_or(0.0, |(_, number)| *number)
    }

    fn entries(&self) -> impl Iterator<Item = (&str, f64)> {
        let written = |regex: &str| regex.len() - 1;
        self.0
            .iter()
            .map(move |(regex, number)| (&regex.as_str()["^(?:".len()..written(regex.as_str())], *number))
    }
}

impl PartialEq for StreamSuffixes {
    fn eq(&self, other: &Self) -> bool {
        self.entries().eq(other.entries())
    }
}

impl Serialize for StreamSuffixes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.entries())
    }
}

impl<'de> Deserialize<'de> for StreamSuffixes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(InOrder)
    }
}

/// Reads a map without sorting it.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = StreamSuffixes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map of regular expressions to numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StreamSuffixes, A::Error> {
        let mut entries: Vec<(String, f64)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        StreamSuffixes::new(entries.iter().map(|(text, number)| (text.as_str(), *number)))
            .map_err(de::Error::custom)
    }
}

/// Returns the number of a stream; 0 if it holds no digit. Source: behaviour, section 1, "Stream version".
///
/// `suffix` is what the first fitting entry of `stream_suffixes` says, 0 if none fits.
///
/// ```
/// use mbs_core::stream_version::{Padding, stream_version};
/// assert_eq!(stream_version("el8.2.1", Padding::Right, 0.0), 80201.0);
/// assert_eq!(stream_version("f28-beta", Padding::None, 0.0), 28.0);
/// ```
pub fn stream_version(stream: &str, padding: Padding, suffix: f64) -> f64 {
    let mut digits = version_digits(stream);
    if digits.is_empty() {
        return 0.0;
    }
    if padding == Padding::Right {
        digits = format!("{digits:0<6}");
    }
    digits.parse::<f64>().expect("digits alone are a number") + suffix
}

/// Says whether a stream counts as x.y.z: only such streams are ordered within a major version.
pub fn counts_as_xyz(stream: &str) -> bool {
    stream_version(stream, Padding::None, 0.0) >= 100.0
}

/// Puts the number of a base stream (unpadded, without suffix) in front of a version, as text.
pub fn prefixed_version(version: Version, base_stream: &Stream) -> Prefixed {
    let digits = version_digits(base_stream.as_str());
    let text = format!("{digits}{version}");
    match text.parse() {
        Ok(version) => Prefixed { version, overflowed: false },
        Err(_) => Prefixed { version, overflowed: true },
    }
}

/// Takes the part from the first digit on, as long as there are digits and dots; each section gets at least two digits.
fn version_digits(stream: &str) -> String {
    let mut part = String::new();
    for char in stream.chars() {
        match decimal_digit(char) {
            Some(digit) => part.push(char::from(digit)),
            None if part.is_empty() => {}
            None if char == '.' => part.push('.'),
            None => break,
        }
    }
    let part = part.trim_end_matches('.');
    if part.is_empty() {
        return String::new();
    }
    part.split('.').map(|section| format!("{section:0>2}")).collect()
}

/// The zero of every set of ten decimal digits in Unicode, sorted.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50,
    0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
    0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Returns the ASCII form of a decimal digit of any script; the original service counted them all.
fn decimal_digit(char: char) -> Option<u8> {
    let code = u32::from(char);
    let behind = ZEROS.partition_point(|zero| *zero <= code);
    let zero = ZEROS.get(behind.checked_sub(1)?)?;
    let digit = u8::try_from(code - zero).ok().filter(|digit| *digit <= 9)?;
    Some(b'0' + digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::reference::{golden, text};

    #[test]
    fn every_golden_stream_has_its_number() {
        let lines = golden("stream_version.jsonl").unwrap_or_default();
        for line in &lines {
            let stream = text(line, "/input/stream");
            let suffixes = line
                .pointer("/input/config/stream_suffixes")
                .cloned()
                .unwrap_or_else(|| serde_json::json!({}));
            let suffix = serde_json::from_value::<StreamSuffixes>(suffixes).unwrap().of(stream);
            let number = |padding| serde_json::json!(stream_version(stream, padding, suffix));
            assert_eq!(number(Padding::Right), line["output"]["right_pad"], "{stream}");
            assert_eq!(number(Padding::None), line["output"]["no_pad"], "{stream}");
        }
    }

    #[test]
    fn every_golden_version_gets_its_prefix() {
        for line in &golden("prefixed_version.jsonl").unwrap_or_default() {
            let version = Version(line["input"]["version"].as_u64().unwrap());
            let Some(base) = line["input"]["base_module_stream"].as_str() else {
                assert_eq!(line["output"], version.0, "{}", line["name"]);
                continue;
            };
            let prefixed = prefixed_version(version, &base.parse().unwrap());
            assert_eq!(prefixed.version.0, line["output"], "{}", line["name"]);
        }
    }

    #[test]
    fn the_first_suffix_that_matches_from_the_start_counts() {
        let suffixes = StreamSuffixes::new([("l8", 0.9), (r"el\d+", 0.2), ("el8", 0.3)]).unwrap();
        assert_eq!((suffixes.of("el8.1"), suffixes.of("rhel8"), suffixes.of("l8")), (0.2, 0.0, 0.9));
        let text = serde_json::to_string(&suffixes).unwrap();
        assert_eq!(text, r#"{"l8":0.9,"el\\d+":0.2,"el8":0.3}"#);
        assert_eq!(serde_json::from_str::<StreamSuffixes>(&text).unwrap(), suffixes);
        assert!(StreamSuffixes::new([("el", f64::NAN)]).is_err());
        assert!(StreamSuffixes::new([("el(", 0.1)]).unwrap_err().contains("is no regular expression"));
        assert!(StreamSuffixes::new([("a".repeat(1_001).as_str(), 0.1)]).is_err());
    }

    #[test]
    fn long_streams_and_empty_sections_keep_their_digits() {
        assert_eq!(stream_version("1.2.3.4", Padding::Right, 0.0), 1_020_304.0);
        assert_eq!(stream_version("8..1", Padding::None, 0.0), 80_001.0);
        assert_eq!(stream_version("eln", Padding::Right, 0.1), 0.0);
    }

    #[test]
    fn streams_of_several_sections_count_as_xyz() {
        assert!(counts_as_xyz("el8.1") && counts_as_xyz("f100") && counts_as_xyz("el8.0.0"));
        assert!(!counts_as_xyz("f28") && !counts_as_xyz("eln"));
    }

    #[test]
    fn a_prefix_that_does_not_fit_is_left_out_and_said() {
        let prefixed = prefixed_version(Version(20_230_101_000_000), &"el18.46".parse().unwrap());
        assert_eq!(prefixed, Prefixed { version: Version(184_620_230_101_000_000), overflowed: false });
        let prefixed = prefixed_version(Version(20_230_101_000_000), &"el18.46.0".parse().unwrap());
        assert_eq!(prefixed, Prefixed { version: Version(20_230_101_000_000), overflowed: true });
    }

    #[test]
    fn a_base_stream_without_digits_is_no_prefix() {
        let prefixed = prefixed_version(Version(7), &"eln".parse().unwrap());
        assert_eq!(prefixed, Prefixed { version: Version(7), overflowed: false });
    }
}
