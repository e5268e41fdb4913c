//! Which tag imported builds are put into.

use std::fmt;

use mbs_core::ident::TagName;

/// Where imported builds go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTag {
    /// Into this tag.
    Into(TagName),
    /// Nowhere, as configured.
    Nowhere,
    /// Nowhere, because the hub has none of these; worth a warning.
    Lacking(Vec<TagName>),
}

impl fmt::Display for ImportTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportTag::Into(tag) => write!(f, "imported builds are tagged into {tag}"),
            ImportTag::Nowhere => f.write_str("imported builds are not tagged"),
            ImportTag::Lacking(tags) => {
                let names: Vec<&str> = tags.iter().map(TagName::as_str).collect();
                write!(f, "imported builds are not tagged: Koji has no tag {}", names.join(" and no tag "))
            }
        }
    }
}

/// Returns the tags to ask the hub for, the better first: the recorded one, then the default; none if none is recorded.
pub fn tags_to_look_for<'t>(recorded: Option<&'t TagName>, default: &'t TagName) -> Vec<&'t TagName> {
    let Some(recorded) = recorded else { return Vec::new() };
    if recorded == default { vec![recorded] } else { vec![recorded, default] }
}

/// Chooses the recorded tag (behaviour, section 6), else the default one, else none; `exists` is what the hub says.
pub fn choose_import_tag(
    recorded: Option<&TagName>,
    default: &TagName,
    exists: impl Fn(&TagName) -> bool,
) -> ImportTag {
    let tags = tags_to_look_for(recorded, default);
    match tags.iter().find(|tag| exists(tag)) {
        Some(tag) => ImportTag::Into((*tag).clone()),
        None if tags.is_empty() => ImportTag::Nowhere,
        None => ImportTag::Lacking(tags.into_iter().cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> TagName {
        TagName::new(name).unwrap()
    }

    fn chosen(recorded: Option<&str>, existing: &[&str]) -> ImportTag {
        let recorded = recorded.map(tag);
        choose_import_tag(recorded.as_ref(), &tag("default"), |tag| existing.contains(&tag.as_str()))
    }

    #[test]
    fn the_recorded_tag_is_taken_if_koji_has_it_and_else_the_default() {
        assert_eq!(chosen(Some("f40"), &["default", "f40"]), ImportTag::Into(tag("f40")));
        assert_eq!(chosen(Some("f40"), &["default"]), ImportTag::Into(tag("default")));
    }

    #[test]
    fn without_either_tag_there_is_a_warning_that_names_both() {
        let warning = chosen(Some("f40"), &[]).to_string();
        assert_eq!(warning, "imported builds are not tagged: Koji has no tag f40 and no tag default");
        assert_eq!(chosen(Some("default"), &[]), ImportTag::Lacking(vec![tag("default")]));
    }

    #[test]
    fn a_build_that_is_not_to_be_tagged_is_not() {
        assert_eq!(chosen(None, &["default"]), ImportTag::Nowhere);
    }
}
