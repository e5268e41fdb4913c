//! What the spec file says that the header of the source RPM repeats.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::SourceRpmError;

/// The package as its spec describes it.
pub(super) struct Described<'s> {
    pub(super) name: &'s str,
    pub(super) version: &'s str,
    pub(super) release: String,
    pub(super) summary: &'s str,
    pub(super) license: &'s str,
    /// Noon of the day of the changelog entry, in seconds since 1970, as rpmbuild has it for builds that can be repeated;
    /// 0 without an entry.
    pub(super) time: u32,
}

impl<'s> Described<'s> {
    pub(super) fn read(spec: &'s str, release: String) -> Result<Self, SourceRpmError> {
        let field = |name: &str, what| {
            let mut lines = spec.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let value = lines.next().map(str::trim).filter(|text| !text.is_empty());
            value.ok_or(SourceRpmError::Incomplete { what })
        };
        Ok(Self {
            name: plain(field("Name", "name")?, "name")?,
            version: plain(field("Version", "version")?, "version")?,
            release,
            summary: field("Summary", "summary")?,
            license: field("License", "licence")?,
            time: changelog_time(spec).unwrap_or(0),
        })
    }

    /// Returns name, version and release.
    pub(super) fn nvr(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.release)
    }
}

/// Lets through what can be part of a file name.
fn plain<'s>(text: &'s str, what: &'static str) -> Result<&'s str, SourceRpmError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && text.chars().all(is_plain) {
        Ok(text)
    } else {
        Err(SourceRpmError::Incomplete { what })
    }
}

/// Returns the time that the changelog's first entry means; `None` without one, or before 1970.
fn changelog_time(spec: &str) -> Option<u32> {
    let (_, changelog) = spec.split_once("%changelog\n")?;
    let words: Vec<&str> = changelog.lines().next()?.strip_prefix("* ")?.split(' ').take(4).collect();
    let date = Date::strptime("%a %b %d %Y", words.join(" ")).ok()?;
    let noon = date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?;
    u32::try_from(noon.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_gives_noon_of_its_day_and_nothing_else_a_time() {
        assert_eq!(changelog_time("%changelog\n* Mon Jan 01 2024 Somebody - 1\n"), Some(1_704_110_400));
        for spec in ["", "%changelog\n", "%changelog\n* Mon Jan 01 1900 S\n", "%changelog\n* never\n"] {
            assert_eq!(changelog_time(spec), None, "{spec}");
        }
    }

    #[test]
    fn a_spec_that_says_too_little_is_refused_by_what_lacks() {
        let whole = "Name: a\nVersion: 1\nSummary: S\nLicense: MIT\n";
        assert!(Described::read(whole, "1".into()).is_ok());
        for (line, lacks) in
            [("Name: a\n", "name"), ("Version: 1\n", "version"), ("License: MIT\n", "licence")]
        {
            let error = Described::read(&whole.replace(line, ""), "1".into()).err().unwrap().to_string();
            assert!(error.ends_with(&format!("no usable {lacks}")), "{error}");
        }
        assert!(Described::read(&whole.replace("Name: a", "Name: ../a"), "1".into()).is_err());
    }
}
