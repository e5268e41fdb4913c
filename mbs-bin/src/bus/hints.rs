//! Messages of the build system as hints.

use mbs_amqp::{Arrived, Read, Reader};
use mbs_koji::messages::{Heard, Messages};

/// Reads what Koji publishes under some prefixes.
#[derive(Debug)]
pub(super) struct Hints(Messages);

impl Hints {
    pub(super) fn new(prefixes: &[String]) -> Self {
        Self(Messages::new(prefixes.iter().map(String::as_str)))
    }
}

impl Reader for Hints {
    fn read(&self, message: Arrived<'_>) -> Read {
        match self.0.hear_topic(message.topic, message.body) {
            Heard::Hint(hint) => Read::Hint(hint),
            Heard::Ignored(_) => Read::Ignored,
            Heard::Malformed(what) => Read::Malformed(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use mbs_core::bus::Hint;
    use mbs_core::ident::TaskId;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_build_that_changed_is_a_hint_and_all_else_is_told_apart() {
        let hints = Hints::new(&["org.example.prod".to_owned()]);
        let read = |topic: &str, body: &[u8]| hints.read(Arrived { topic, body, headers: &json!({}) });
        let changed = "org.example.prod.buildsys.build.state.change";
        assert_eq!(read(changed, br#"{"task_id": 7}"#), Read::Hint(Hint::Task(TaskId(7))));
        assert_eq!(read("org.example.stg.buildsys.tag", br#"{"tag": "t"}"#), Read::Ignored);
        assert!(matches!(read(changed, b"{"), Read::Malformed(_)));
    }
}
