//! Primary metadata: one element for each RPM.

use std::io::BufRead;

use mbs_core::ident::Nevra;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::index::attribute;

/// An RPM as far as its element was read.
#[derive(Default)]
struct Partial {
    name: Option<String>,
    arch: Option<String>,
    version: Option<(u64, String, String)>,
}

/// Reads the RPMs; of one that has no valid name nothing is kept.
pub(super) fn read(xml: impl BufRead) -> Result<Vec<Nevra>, String> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut rpms, mut buffer, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    let mut partial = Partial::default();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|_| "its primary metadata are no XML, or cut off".to_owned())? {
            Event::Start(start) => {
                depth += 1;
                // metadata, package, what is said of it: deeper stands nothing that counts.
                match (depth, start.name().as_ref()) {
                    (2, "package") => partial = Partial::default(),
                    (3, "version") => partial.version = version(&start),
                    (3, "name" | "arch") => {
                        let is_name = start.name().as_ref() == "name";
                        let text = text(&mut reader)?;
                        depth -= 1;
                        *if is_name { &mut partial.name } else { &mut partial.arch } = Some(text);
                    }
                    _ => {}
                }
            }
            Event::End(_) => {
                if depth == 2 {
                    rpms.extend(std::mem::take(&mut partial).whole());
                }
                depth = depth.saturating_sub(1);
            }
            Event::DocType(_) => return Err("its primary metadata have a document type".to_owned()),
            Event::Eof if depth > 0 => return Err("its primary metadata end too early".to_owned()),
            Event::Eof => return Ok(rpms),
            _ => {}
        }
    }
}

fn version(start: &BytesStart) -> Option<(u64, String, String)> {
    let epoch = attribute(start, "epoch").map_or(Ok(0), |epoch| epoch.parse()).ok()?;
    Some((epoch, attribute(start, "ver")?, attribute(start, "rel")?))
}

/// Reads the text of an element that has just begun, and its end.
fn text(reader: &mut Reader<impl BufRead>) -> Result<String, String> {
    let mut buffer = Vec::new();
    let mut text = String::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Text(piece)) => text.push_str(&piece),
            Ok(Event::GeneralRef(_) | Event::CData(_) | Event::Comment(_)) => {}
            Ok(Event::End(_)) => return Ok(text),
            _ => return Err("its primary metadata are no XML, or cut off".to_owned()),
        }
    }
}

impl Partial {
    fn whole(self) -> Option<Nevra> {
        let (epoch, version, release) = self.version?;
        Some(Nevra { name: self.name?, epoch, version, release, arch: self.arch?.parse().ok()? })
    }
}
