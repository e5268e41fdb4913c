//! The index of a repository: where its metadata are.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Returns the place of the primary metadata, below the repository's address.
pub(super) fn primary_of(index: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(index).map_err(|_| "its index is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut is_primary = false;
    loop {
        match reader.read_event().map_err(|_| "its index is no XML".to_owned())? {
            Event::Start(start) if start.name().as_ref() == "data" => {
                is_primary = attribute(&start, "type").as_deref() == Some("primary");
            }
            Event::Start(start) if is_primary && start.name().as_ref() == "location" => {
                let place = attribute(&start, "href").filter(|place| is_below(place));
                return place.ok_or_else(|| "its index names no place for the primary metadata".to_owned());
            }
            Event::Eof => return Err("its index names no primary metadata".to_owned()),
            _ => {}
        }
    }
}

pub(super) fn attribute(start: &quick_xml::events::BytesStart, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok()??;
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// Says whether a place stays below the repository.
fn is_below(place: &str) -> bool {
    !place.starts_with('/') && !place.contains("..") && !place.contains("://") && !place.contains(['?', '#'])
}
