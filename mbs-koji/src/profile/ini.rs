//! The dialect of INI that Koji's configuration is written in: that of Python's `configparser`.
//!
//! `[section]`, `name = value` or `name: value`, names without regard to case, values over several lines if the further ones
//! are indented, `#` and `;` at the beginning of a line, `[DEFAULT]` for all sections, and `%(name)s` for another value of the
//! section. Of two values of one name the later one counts.

use std::collections::BTreeMap;

/// The section whose values all others have.
const DEFAULT: &str = "DEFAULT";
/// Values may name others this deep; deeper is a circle.
const DEPTH: usize = 10;

/// A value, and which file it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) text: String,
    pub(super) file: String,
}

/// Several files, one over the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ini {
    sections: BTreeMap<String, Section>,
}

/// The values of one section by their names in lower case.
pub(super) type Section = BTreeMap<String, Setting>;

/// A line that is none of INI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadLine {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) what: &'static str,
}

impl Ini {
    /// Reads a file over those before it.
    ///
    /// # Errors
    /// A line cannot be read; the lines before it have been.
    pub(super) fn read(&mut self, file: &str, text: &str) -> Result<(), BadLine> {
        let (mut section, mut open): (Option<String>, Option<String>) = (None, None);
        for (line, text) in (1..).zip(text.lines()) {
            let bad = |what| BadLine { line, what };
            let trimmed = text.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if text.starts_with([' ', '\t'])
                && let (Some(section), Some(name)) = (&section, &open)
            {
                self.extend(section, name, trimmed);
            } else if let Some(rest) = trimmed.strip_prefix('[') {
                let name = rest.split_once(']').ok_or_else(|| bad("a section without `]`"))?.0;
                self.sections.entry(name.to_owned()).or_default();
                (section, open) = (Some(name.to_owned()), None);
            } else {
                let section = section.as_ref().ok_or_else(|| bad("a value before any section"))?;
                let at = trimmed.find(['=', ':']).ok_or_else(|| bad("neither section nor value"))?;
                let name = trimmed[..at].trim().to_lowercase();
                let setting = Setting { text: trimmed[at + 1..].trim().to_owned(), file: file.to_owned() };
                self.sections.entry(section.clone()).or_default().insert(name.clone(), setting);
                open = Some(name);
            }
        }
        Ok(())
    }

    fn extend(&mut self, section: &str, name: &str, more: &str) {
        if let Some(setting) = self.sections.get_mut(section).and_then(|section| section.get_mut(name)) {
            setting.text.push('\n');
            setting.text.push_str(more);
        }
    }

    /// Returns the names of all sections, sorted.
    pub(super) fn names(&self) -> Vec<&str> {
        self.sections.keys().map(String::as_str).filter(|name| *name != DEFAULT).collect()
    }

    /// Returns a section with the values of all sections; `None` if there is none of that name.
    pub(super) fn section(&self, name: &str) -> Option<Section> {
        let own = self.sections.get(name).filter(|_| name != DEFAULT)?;
        let mut section = self.sections.get(DEFAULT).cloned().unwrap_or_default();
        section.extend(own.clone());
        Some(section)
    }
}

/// Returns a value with the values that it names in their places.
///
/// # Errors
/// It names what is not there, or itself, or uses `%` for something else.
pub(super) fn resolved(section: &Section, text: &str) -> Result<String, String> {
    resolved_within(section, text, DEPTH)
}

fn resolved_within(section: &Section, text: &str, depth: usize) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        whole.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            whole.push('%');
            rest = after;
            continue;
        }
        let named = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
        let (name, after) = named.ok_or("`%` stands for itself only if doubled")?;
        let value = section.get(&name.to_lowercase()).ok_or_else(|| format!("there is no `{name}`"))?;
        let depth = depth.checked_sub(1).ok_or("values name each other in a circle")?;
        whole.push_str(&resolved_within(section, &value.text, depth)?);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Section {
        let mut ini = Ini::default();
        ini.read("koji.conf", text).unwrap();
        ini.section("koji").unwrap()
    }

    fn text<'s>(section: &'s Section, name: &str) -> Option<&'s str> {
        section.get(name).map(|setting| setting.text.as_str())
    }

    #[test]
    fn values_are_read_as_python_reads_them() {
        let section = read(
            "# a comment\n[koji]\nServer = https://a/kojihub ; kept\n  ; not kept\ntopurl: http://b:80/\n\
             long = one\n  two\n\n  three\nempty =\n",
        );
        assert_eq!(text(&section, "server"), Some("https://a/kojihub ; kept"));
        assert_eq!(text(&section, "topurl"), Some("http://b:80/"));
        assert_eq!(text(&section, "long"), Some("one\ntwo\nthree"));
        assert_eq!(text(&section, "empty"), Some(""));
    }

    #[test]
    fn later_files_count_and_defaults_are_for_all() {
        let mut ini = Ini::default();
        ini.read("a", "[DEFAULT]\nx = 1\ny = 1\n[koji]\ny = 2\nz = 2").unwrap();
        ini.read("b", "[koji]\nz = 3\n[other]\n").unwrap();
        assert_eq!(ini.names(), ["koji", "other"]);
        let section = ini.section("koji").unwrap();
        assert_eq!(
            [text(&section, "x"), text(&section, "y"), text(&section, "z")],
            [Some("1"), Some("2"), Some("3")]
        );
        assert_eq!((section["y"].file.as_str(), section["z"].file.as_str()), ("a", "b"));
        assert_eq!((ini.section("DEFAULT"), ini.section("none")), (None, None));
    }

    #[test]
    fn values_name_others() {
        let section = read("[koji]\nhost = h\nserver = https://%(HOST)s/100%%\na = %(b)s\nb = %(a)s\n");
        let shown = |text| resolved(&section, text);
        assert_eq!(shown("%(server)s!"), Ok("https://h/100%!".to_owned()));
        assert_eq!(shown("%(a)s"), Err("values name each other in a circle".to_owned()));
        assert_eq!(shown("%(c)s"), Err("there is no `c`".to_owned()));
        assert!(shown("5%").is_err() && shown("%(a)").is_err());
    }

    #[test]
    fn a_bad_line_is_named() {
        let bad = |text| Ini::default().read("a", text).unwrap_err().line;
        assert_eq!(
            (bad("\nx = 1"), bad("[koji]\nserver"), bad("[koji"), bad("# c\n[a]\n=\n x\ny")),
            (2, 2, 1, 5)
        );
    }
}
