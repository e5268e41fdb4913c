//! Names and numbers that identify things, checked once, when made.
//!
//! Ids of different kinds never mix, and no bare text crosses a trait. What is accepted here is safe in a path, a tag, a
//! query or an argument: no `/`, no blank, no control character, no leading `-` or `.`. Names that look like
//! numbers are text: `1.10` stays `1.10`. Copies of a name share its text: records are full of them and are copied with every
//! plan.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod nvr;

pub use nvr::{Epoch, Nevra, Nvr, ParsedNvr};

/// Text that is no valid name of its kind. The person who wrote it has to change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no valid {kind}: {why}")]
pub struct InvalidIdent {
    /// What it should have been, in words.
    pub kind: &'static str,
    /// The text as given, cut at 200 characters.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

fn refuse(kind: &'static str, text: &str, why: &'static str) -> InvalidIdent {
    InvalidIdent { kind, text: text.chars().take(200).collect(), why }
}

/// What every name obeys, whatever its kind.
fn check_name(kind: &'static str, text: &str, longest: usize) -> Result<(), InvalidIdent> {
    let why = if text.is_empty() {
        "it is empty"
    } else if text.len() > longest {
        "it is too long"
    } else if text.starts_with(['-', '.']) {
        "it must not start with '-' or '.'"
    } else if text.chars().any(|c| c == '/' || c == '\\' || c == ':' || c.is_whitespace() || c.is_control()) {
        "it must not hold '/', '\\', ':', blanks or control characters"
    } else {
        return Ok(());
    };
    Err(refuse(kind, text, why))
}

macro_rules! text_ident {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $longest:literal $(, $more:expr)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            #[doc = concat!("Checks text and makes it a ", $kind, ".")]
            ///
            /// # Errors
            /// The text is empty, too long, or holds characters that are not safe.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidIdent> {
                let text = text.into();
                check_name($kind, &text, $longest)?;
                $(let more: fn(&str) -> Option<&'static str> = $more;
                if let Some(why) = more(&text) {
                    return Err(refuse($kind, &text, why));
                })?
                Ok(Self(text.into()))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = InvalidIdent;
            fn from_str(text: &str) -> Result<Self, InvalidIdent> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidIdent;
            fn try_from(text: String) -> Result<Self, InvalidIdent> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.as_str().to_owned()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_ident!(
    /// A module's name.
    Name, "module name", 200
);
text_ident!(
    /// A module's line of development, with the spelling of the document.
    Stream, "stream", 200
);
text_ident!(
    /// Tells apart builds of one name, stream and version.
    Context, "context", 100
);
text_ident!(
    /// A source package's name.
    Package, "package name", 200
);
text_ident!(
    /// The name of a tag or target of the build system.
    TagName, "tag name", 262
);
text_ident!(
    /// An architecture in the package manager's words: `x86_64`, `noarch`, `src`.
    Arch, "architecture", 40
);
text_ident!(
    /// A full git commit: 40 or 64 lower-case hexadecimal digits.
    CommitId, "commit", 64,
    |text| {
        let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (!is_hash).then_some("it must be 40 or 64 lower-case hexadecimal digits")
    }
);

macro_rules! number_ident {
    ($(#[$doc:meta])* $type:ident, $of:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub $of);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_ident!(
    /// A module build in the store.
    BuildId, i64
);
number_ident!(
    /// A component build in the store.
    ComponentId, i64
);
number_ident!(
    /// A line of a build's log in the store.
    LogId, i64
);
number_ident!(
    /// A unit of work of the build system.
    TaskId, i64
);
number_ident!(
    /// A generated repository of the build system.
    RepoId, i64
);
number_ident!(
    /// The build system's moment of a change; larger is later.
    TagEvent, i64
);
number_ident!(
    /// How often a module build was saved.
    Revision, u64
);
number_ident!(
    /// A module's version, compared as a number, written as text in JSON.
    Version, u64
);
number_ident!(
    /// The 1-based run a component belongs to: 1 is module-build-macros, packages start at 2; 0 is before the first.
    Batch, u32
);

impl FromStr for Version {
    type Err = InvalidIdent;
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = if all_digits { text.parse().ok() } else { None };
        number.map(Version).ok_or_else(|| refuse("version", text, "it must be an unsigned 64-bit integer"))
    }
}

/// Expected cost of building a component, in the build system's own unit; at least zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Weight(f64);

// A weight is never what does not equal itself: `new` lets no such number through.
impl Eq for Weight {}

impl Weight {
    /// The cost of a component of which nothing is known.
    pub const UNKNOWN: Weight = Weight(1.5);

    /// Makes a weight; what is negative or no number counts as zero.
    pub fn new(cost: f64) -> Self {
        Weight(if cost > 0.0 && cost.is_finite() { cost } else { 0.0 })
    }

    /// Returns the cost.
    pub fn cost(self) -> f64 {
        self.0
    }

    /// Orders by cost, smallest first.
    pub fn total_cmp(self, other: Weight) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// `name:stream`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameStream {
    /// The module's name.
    pub name: Name,
    /// Its stream.
    pub stream: Stream,
}

impl fmt::Display for NameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.stream)
    }
}

impl FromStr for NameStream {
    type Err = InvalidIdent;
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let (name, stream) = text
            .split_once(':')
            .ok_or_else(|| refuse("name:stream", text, "it must be two parts with ':' between"))?;
        Ok(Self { name: name.parse()?, stream: stream.parse()? })
    }
}

/// `name:stream:version:context`, which is unique among module builds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nsvc {
    /// The module's name.
    pub name: Name,
    /// Its stream.
    pub stream: Stream,
    /// Its version.
    pub version: Version,
    /// Its context.
    pub context: Context,
}

impl Nsvc {
    /// Returns name and stream alone.
    pub fn name_stream(&self) -> NameStream {
        NameStream { name: self.name.clone(), stream: self.stream.clone() }
    }

    /// Returns the NVR under which Koji knows the finished module. Source: behaviour, section 1.
    ///
    /// ```
    /// let nsvc: mbs_core::ident::Nsvc = "perl:5.30-x:2020:c0ffee00".parse()?;
    /// assert_eq!(nsvc.nvr().to_string(), "perl-5.30_x-2020.c0ffee00");
    /// # Ok::<(), mbs_core::ident::InvalidIdent>(())
    /// ```
    pub fn nvr(&self) -> Nvr {
        let version = self.stream.as_str().replace('-', "_");
        Nvr::of(self.name.as_str(), &version, &format!("{}.{}", self.version, self.context))
    }
}

impl fmt::Display for Nsvc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.name, self.stream, self.version, self.context)
    }
}

impl FromStr for Nsvc {
    type Err = InvalidIdent;
    fn from_str(text: &str) -> Result<Self, InvalidIdent> {
        let parts: Vec<&str> = text.split(':').collect();
        let [name, stream, version, context] = parts[..] else {
            return Err(refuse(
                "name:stream:version:context",
                text,
                "it must be four parts with ':' between",
            ));
        };
        Ok(Self {
            name: name.parse()?,
            stream: stream.parse()?,
            version: version.parse()?,
            context: context.parse()?,
        })
    }
}

macro_rules! via_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = InvalidIdent;
            fn try_from(text: String) -> Result<Self, InvalidIdent> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(ident: $type) -> String {
                ident.to_string()
            }
        }
    )*};
}
via_text!(NameStream, Nsvc, Nvr, Nevra);
