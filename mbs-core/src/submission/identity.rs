//! Name, stream and version of a submission. Source: behaviour, sections 1 and 3; rest-api, section 6.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Refused, Rules};
use crate::ident::{Name, Stream, Version};
use crate::modulemd::ModuleStream;

/// Where a document from git is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitOrigin {
    /// The repository's name, without `.git`.
    pub repository: String,
    /// The branch as submitted; `None` or empty: the default branch.
    pub branch: Option<String>,
    /// When the commit was committed.
    pub committed_at: Timestamp,
}

/// What came with a document that was given directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextOrigin {
    /// The name to take if the document has none.
    pub module_name: Option<String>,
    /// The stream that overrides the document's.
    pub module_stream: Option<String>,
    /// The name of the file, used if nothing else names the module; a folder in front does not matter.
    pub file_name: Option<String>,
    /// The time, for documents without version.
    pub now: Timestamp,
}

/// Returns the version that stands for a moment: `YYYYMMDDhhmmss` in UTC, fractions dropped, years before 0 as 0.
pub fn version_of(moment: Timestamp) -> Version {
    let at = moment.to_zoned(TimeZone::UTC);
    let part = |number: i64, digits: u32| u64::try_from(number).unwrap_or(0) % 10_u64.pow(digits);
    let parts = [
        (i64::from(at.month()), 2),
        (i64::from(at.day()), 2),
        (i64::from(at.hour()), 2),
        (i64::from(at.minute()), 2),
        (i64::from(at.second()), 2),
    ];
    let year = part(i64::from(at.year()), 4);
    Version(
        parts
            .iter()
            .fold(year, |so_far, &(number, digits)| so_far * 10_u64.pow(digits) + part(number, digits)),
    )
}

/// Fills in name, stream and version of a document from git. They are those of repository, branch and commit; what the
/// document says itself must agree.
///
/// # Errors
/// The document names itself or its stream differently without leave, or has a version; a name is unusable.
pub fn from_git(
    mut document: ModuleStream,
    origin: &GitOrigin,
    rules: &Rules,
    default_branch: &str,
) -> Result<ModuleStream, Refused> {
    let own_name = given(document.name.take());
    let own_stream = given(document.stream.take());
    if let Some(name) = &own_name
        && *name != origin.repository
        && !rules.allow_name_override_from_scm
    {
        return Err(Refused::ForeignName(name.clone()));
    }
    let branch = origin.branch.as_deref().filter(|branch| !branch.is_empty()).unwrap_or(default_branch);
    let branch_stream = stream_of_branch(branch, rules);
    if let Some(stream) = &own_stream {
        check_own_stream(stream, branch, &branch_stream, rules)?;
    }
    if let Some(version) = document.version.filter(|version| *version != 0) {
        return Err(Refused::VersionInDocument(version));
    }
    document.name = Some(own_name.unwrap_or_else(|| origin.repository.clone()));
    document.stream = Some(own_stream.unwrap_or(branch_stream));
    document.version = Some(version_of(origin.committed_at).0);
    check_names(document, &format!("{}.yaml ", origin.repository))
}

/// Fills in name, stream and version of a document that was given directly: the document's name, else the given one, else
/// the file's; the given stream, else the document's, else `default_branch`; the document's version, else the time.
///
/// # Errors
/// Nothing names the module; a name is unusable.
pub fn from_text(
    mut document: ModuleStream,
    origin: &TextOrigin,
    default_branch: &str,
) -> Result<ModuleStream, Refused> {
    let file_stem = || origin.file_name.as_deref().and_then(stem);
    let name = given(document.name.take()).or_else(|| given(origin.module_name.clone())).or_else(file_stem);
    document.name = Some(name.ok_or(Refused::NoName)?);
    let stream = given(origin.module_stream.clone()).or_else(|| given(document.stream.take()));
    document.stream = Some(stream.unwrap_or_else(|| default_branch.to_owned()));
    let own_version = document.version.filter(|version| *version != 0);
    document.version = Some(own_version.unwrap_or_else(|| version_of(origin.now).0));
    check_names(document, "")
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn stem(file_name: &str) -> Option<String> {
    let file = file_name.rsplit('/').next().unwrap_or_default();
    let stem = match file.rsplit_once('.') {
        Some((front, _)) if !front.is_empty() => front,
        _ => file,
    };
    given(Some(stem.to_owned()))
}

fn stream_of_branch(branch: &str, rules: &Rules) -> String {
    if rules.allow_dashes_in_svc { branch.to_owned() } else { branch.replace('-', "_") }
}

fn check_own_stream(own: &str, branch: &str, branch_stream: &str, rules: &Rules) -> Result<(), Refused> {
    if own.contains('-') && !rules.allow_dashes_in_svc {
        return Err(Refused::DashInDocumentStream);
    }
    if own != branch_stream && !rules.allow_stream_override_from_scm {
        return Err(Refused::ForeignStream { stream: own.to_owned(), branch: branch.to_owned() });
    }
    Ok(())
}

/// Refuses names that are not fit for a tag or a path, naming the key.
fn check_names(document: ModuleStream, file: &str) -> Result<ModuleStream, Refused> {
    let invalid = |key: &str, what: String| Refused::InvalidDocument {
        file: file.to_owned(),
        what: format!("{key}: {what}"),
    };
    let name = document.name.as_deref().unwrap_or_default();
    Name::new(name).map_err(|error| invalid("data.name", error.to_string()))?;
    let stream = document.stream.as_deref().unwrap_or_default();
    Stream::new(stream).map_err(|error| invalid("data.stream", error.to_string()))?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn document(name: Option<&str>, stream: Option<&str>) -> ModuleStream {
        ModuleStream {
            name: name.map(str::to_owned),
            stream: stream.map(str::to_owned),
            ..Default::default()
        }
    }

    fn origin(branch: &str) -> GitOrigin {
        GitOrigin {
            repository: "perl".into(),
            branch: Some(branch.into()),
            committed_at: at("2018-04-05T10:20:30+02:00"),
        }
    }

    fn text_origin() -> TextOrigin {
        TextOrigin {
            module_name: None,
            module_stream: None,
            file_name: None,
            now: at("2024-02-29T23:59:59Z"),
        }
    }

    fn svc(document: &ModuleStream) -> (&str, &str, u64) {
        (document.name.as_deref().unwrap(), document.stream.as_deref().unwrap(), document.version.unwrap())
    }

    fn from_branch(document: ModuleStream, branch: &str, rules: &Rules) -> Result<ModuleStream, Refused> {
        from_git(document, &origin(branch), rules, "master")
    }

    #[test]
    fn a_version_is_the_moment_in_utc() {
        assert_eq!(version_of(at("2018-04-05T23:20:30.9-03:00")), Version(20_180_406_022_030));
        assert_eq!(version_of(at("0007-01-02T03:04:05Z")), Version(70_102_030_405));
    }

    #[test]
    fn a_moment_before_the_year_0_still_has_a_version() {
        assert_eq!(version_of(Timestamp::MIN).0 / 10_000_000_000, 0);
    }

    #[test]
    fn git_names_the_module_the_stream_and_the_version() {
        let named = from_branch(document(None, None), "f28-devel", &Rules::default()).unwrap();
        assert_eq!(svc(&named), ("perl", "f28_devel", 20_180_405_082_030));
    }

    #[test]
    fn a_branch_keeps_its_dashes_where_they_are_allowed() {
        let rules = Rules { allow_dashes_in_svc: true, ..Rules::default() };
        let named = from_branch(document(None, Some("a-b")), "a-b", &rules).unwrap();
        assert_eq!(svc(&named).1, "a-b");
    }

    #[test]
    fn an_empty_or_missing_branch_means_the_default_branch() {
        let named = from_branch(document(None, None), "", &Rules::default()).unwrap();
        assert_eq!(svc(&named).1, "master");
        let no_branch = GitOrigin { branch: None, ..origin("") };
        let named = from_git(document(None, None), &no_branch, &Rules::default(), "rawhide").unwrap();
        assert_eq!(svc(&named).1, "rawhide");
    }

    #[test]
    fn a_document_that_agrees_with_its_repository_and_branch_is_fine() {
        let named = from_branch(document(Some("perl"), Some("f28_devel")), "f28-devel", &Rules::default());
        assert_eq!(svc(&named.unwrap()), ("perl", "f28_devel", 20_180_405_082_030));
    }

    #[test]
    fn another_name_than_the_repositorys_is_refused() {
        let refused = from_branch(document(Some("other"), None), "b", &Rules::default()).unwrap_err();
        assert_eq!(refused.to_string(), "The name \"other\" that is stored in the modulemd is not valid");
        let rules = Rules { allow_name_override_from_scm: true, ..Rules::default() };
        assert_eq!(svc(&from_branch(document(Some("other"), None), "b", &rules).unwrap()).0, "other");
    }

    #[test]
    fn another_stream_than_the_branch_is_refused() {
        let refused = from_branch(document(None, Some("other")), "B", &Rules::default()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "The stream \"other\" that is stored in the modulemd does not match the stream determined by the branch \"B\""
        );
        let rules = Rules { allow_stream_override_from_scm: true, ..Rules::default() };
        assert_eq!(svc(&from_branch(document(None, Some("other")), "B", &rules).unwrap()).1, "other");
    }

    #[test]
    fn a_dash_in_the_documents_stream_is_refused_before_the_branch_is_compared() {
        let refused = from_branch(document(None, Some("a-b")), "a-b", &Rules::default()).unwrap_err();
        assert_eq!(refused, Refused::DashInDocumentStream);
    }

    #[test]
    fn a_version_in_a_document_from_git_is_refused_but_0_is_none() {
        let with = |version| ModuleStream { version: Some(version), ..document(None, None) };
        assert_eq!(
            from_branch(with(42), "b", &Rules::default()).unwrap_err(),
            Refused::VersionInDocument(42)
        );
        assert!(from_branch(with(0), "b", &Rules::default()).is_ok());
    }

    #[test]
    fn a_name_that_is_unfit_for_a_path_is_refused_naming_the_key() {
        let refused = from_text(document(Some("a/../b"), None), &text_origin(), "master").unwrap_err();
        assert!(refused.to_string().starts_with("The modulemd is invalid. The error was:\n'data.name: "));
        let refused = from_branch(document(None, None), "a:b", &Rules::default()).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("The modulemd perl.yaml is invalid. The error was:\n'data.stream: ")
        );
    }

    #[test]
    fn a_given_document_is_named_by_itself_then_by_the_request_then_by_its_file() {
        let origin = TextOrigin {
            module_name: Some("asked.x".into()),
            file_name: Some("dir/file.v1.yaml".into()),
            ..text_origin()
        };
        let name = |own, origin: &TextOrigin| {
            from_text(document(own, None), origin, "master").map(|named| named.name.unwrap())
        };
        assert_eq!(name(Some("own"), &origin).unwrap(), "own");
        assert_eq!(name(None, &origin).unwrap(), "asked.x");
        assert_eq!(name(None, &TextOrigin { module_name: None, ..origin }).unwrap(), "file.v1");
        assert_eq!(name(None, &text_origin()).unwrap_err(), Refused::NoName);
    }

    #[test]
    fn the_requests_stream_beats_the_documents_and_the_default_branch_comes_last() {
        let origin = TextOrigin { module_stream: Some("asked".into()), ..text_origin() };
        let stream = |own, origin: &TextOrigin| {
            from_text(document(Some("m"), own), origin, "master").unwrap().stream.unwrap()
        };
        assert_eq!(stream(Some("own"), &origin), "asked");
        assert_eq!(stream(Some("own"), &text_origin()), "own");
        assert_eq!(stream(None, &text_origin()), "master");
    }

    #[test]
    fn a_given_document_keeps_its_version() {
        let with = |version| ModuleStream { version, ..document(Some("m"), None) };
        let version = |version| from_text(with(version), &text_origin(), "master").unwrap().version.unwrap();
        assert_eq!(version(Some(7)), 7);
        assert_eq!(version(Some(0)), 20_240_229_235_959);
        assert_eq!(version(None), 20_240_229_235_959);
    }
}
