//! The text of server-sent events, read as it comes: pure.
//!
//! Source: the HTML standard, "Server-sent events", interpreting an event stream.

use std::time::Duration;

/// An event as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawEvent {
    /// What to resume from; `None`: the stream has not said.
    pub(crate) id: Option<String>,
    /// What it is; `message` if it does not say.
    pub(crate) kind: String,
    pub(crate) data: String,
}

/// An event longer than is read. The stream cannot be followed any further.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// What has come of a stream, and is not an event yet.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    line: Vec<u8>,
    /// Whether the last byte ended a line as half of one end of two bytes.
    after_return: bool,
    kind: String,
    data: String,
    has_data: bool,
    id: Option<String>,
    retry: Option<Duration>,
}

impl EventReader {
    /// Takes what has come, and returns the events that are complete.
    ///
    /// # Errors
    /// One is longer than so many bytes.
    pub(crate) fn take(&mut self, bytes: &[u8], limit_bytes: usize) -> Result<Vec<RawEvent>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                byte => self.line.push(byte),
            }
            self.after_return = byte == b'\r';
            if self.line.len() + self.data.len() > limit_bytes {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// Returns how long the service wants to be left alone before it is asked again.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_line(&mut self) -> Option<RawEvent> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.kind = value.to_owned(),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry),
            // Comments have no field; fields that nobody knows mean nothing.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<RawEvent> {
        let (kind, data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        std::mem::take(&mut self.has_data).then(|| RawEvent { id: self.id.clone(), kind, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&str]) -> Vec<(Option<String>, String, String)> {
        let mut reader = EventReader::default();
        let events = parts.iter().flat_map(|part| reader.take(part.as_bytes(), 1000).unwrap());
        events.map(|event| (event.id, event.kind, event.data)).collect()
    }

    fn event(id: Option<&str>, kind: &str, data: &str) -> (Option<String>, String, String) {
        (id.map(str::to_owned), kind.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_read_however_they_are_cut_and_whatever_ends_their_lines() {
        let wanted = [event(Some("1"), "module", "a\nb"), event(Some("1"), "message", "c")];
        assert_eq!(read(&["id: 1\nevent: module\ndata: a\ndata: b\n\ndata:c\n\n"]), wanted);
        assert_eq!(
            read(&["id: 1\r", "\nevent: mod", "ule\r\ndata: a\rdata: b\r\n\r", "\ndata:c\r\r"]),
            wanted
        );
    }

    #[test]
    fn comments_and_unknown_fields_mean_nothing_and_an_event_without_data_is_none() {
        assert_eq!(read(&[": alive\n\nid: 2\nnew: x\n\n"]), []);
        assert_eq!(read(&["id: 2\n\ndata\n\n"]), [event(Some("2"), "message", "")]);
    }

    #[test]
    fn the_pause_that_the_service_wants_is_kept() {
        let mut reader = EventReader::default();
        reader.take(b"retry: 1500\nretry: soon\n", 100).unwrap();
        assert_eq!(reader.retry(), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn an_event_has_a_bound() {
        let mut reader = EventReader::default();
        assert_eq!(reader.take(&[b'x'; 101], 100), Err(TooLong));
        let mut reader = EventReader::default();
        let lines = "data: 0123456789\n".repeat(20);
        assert_eq!(reader.take(lines.as_bytes(), 100), Err(TooLong));
    }
}
