//! What shows of the real server's language: the order of its hash tables, and how it spells values.
//!
//! The real PDC is written in Python 2, whose tables have the same order every time. It shows where an answer lists the names
//! that a set had left, and where the first bad item of an object is named.

use serde_json::Value;

/// Returns the keys in the order in which a table lists them that took them in this order. Each comes once.
pub(super) fn table_order<'k>(keys: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    Table::of(keys).slots.into_iter().flatten().collect()
}

/// Returns the keys of two sets in the order in which their union lists them.
pub(super) fn union<'k>(
    first: impl IntoIterator<Item = &'k str>,
    second: impl IntoIterator<Item = &'k str>,
) -> Vec<&'k str> {
    let mut union = Table::of([]);
    union.merge(Table::of(first));
    union.merge(Table::of(second));
    union.slots.into_iter().flatten().collect()
}

/// Returns those keys of an object that nobody knows, in the order in which the difference of two sets lists them.
pub(super) fn unknown<'k>(
    keys: impl IntoIterator<Item = &'k str>,
    is_known: impl Fn(&str) -> bool,
) -> Vec<&'k str> {
    let set = table_order(table_order(keys));
    table_order(set.into_iter().filter(|key| !is_known(key)))
}

struct Table<'k> {
    /// As many as a power of two.
    slots: Vec<Option<&'k str>>,
    used: usize,
}

impl<'k> Table<'k> {
    fn of(keys: impl IntoIterator<Item = &'k str>) -> Self {
        let mut table = Self { slots: vec![None; 8], used: 0 };
        for key in keys {
            table.insert(key);
        }
        table
    }

    /// Takes the keys of another one. Room is made for all of them first, as if none were here already.
    fn merge(&mut self, other: Self) {
        let used = self.used + other.used;
        if used * 3 >= self.slots.len() * 2 {
            self.resize(used * 2);
        }
        for key in other.slots.into_iter().flatten() {
            self.insert(key);
        }
    }

    /// Makes room for more than so many.
    fn resize(&mut self, used: usize) {
        let room = (used + 1).next_power_of_two().max(8);
        let keys = std::mem::replace(&mut self.slots, vec![None; room]);
        for key in keys.into_iter().flatten() {
            let slot = self.slot_of(key);
            self.slots[slot] = Some(key);
        }
    }

    fn insert(&mut self, key: &'k str) {
        let slot = self.slot_of(key);
        if self.slots[slot].replace(key).is_some() {
            return;
        }
        self.used += 1;
        if self.used * 3 >= self.slots.len() * 2 {
            self.resize(self.used * 4);
        }
    }

    /// Returns the slot that has the key, or should.
    fn slot_of(&self, key: &str) -> usize {
        let mask = self.slots.len() as u64 - 1;
        let hash = hash(key);
        let (mut place, mut perturbation) = (hash & mask, hash);
        loop {
            // The mask leaves what an index has room for.
            let slot = (place & mask) as usize;
            if self.slots[slot].is_none_or(|other| other == key) {
                return slot;
            }
            place = place.wrapping_mul(5).wrapping_add(perturbation).wrapping_add(1);
            perturbation >>= 5;
        }
    }
}

fn hash(text: &str) -> u64 {
    let Some(first) = text.chars().next() else { return 0 };
    let start = u64::from(u32::from(first)) << 7;
    let mixed = text.chars().fold(start, |hash, c| hash.wrapping_mul(1_000_003) ^ u64::from(u32::from(c)));
    match mixed ^ text.chars().count() as u64 {
        u64::MAX => u64::MAX - 1,
        hash => hash,
    }
}

/// Returns the name of a value's type.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "unicode",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Returns what `unicode()` says of a value.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// Returns what `repr()` says of a value.
pub(super) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(values) => format!("[{}]", values.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let keys = table_order(members.keys().map(String::as_str));
            let members = keys.iter().map(|key| format!("{}: {}", quoted(key), repr(&members[*key])));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns what `repr()` says of a text.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut spelled = format!("u{quote}");
    for c in text.chars() {
        match (c, u32::from(c)) {
            ('\\', _) => spelled.push_str("\\\\"),
            ('\n', _) => spelled.push_str("\\n"),
            ('\r', _) => spelled.push_str("\\r"),
            ('\t', _) => spelled.push_str("\\t"),
            (c, _) if c == quote => spelled.extend(['\\', c]),
            (c, 0x20..0x7f) => spelled.push(c),
            (_, code @ 0..0x100) => spelled.push_str(&format!("\\x{code:02x}")),
            (_, code @ 0..0x1_0000) => spelled.push_str(&format!("\\u{code:04x}")),
            (_, code) => spelled.push_str(&format!("\\U{code:08x}")),
        }
    }
    spelled.push(quote);
    spelled
}

/// Says what Python takes for true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_has_the_order_that_was_recorded() {
        let known = ["variant_id", "variant_uid", "modulemd", "koji_tag"];
        let keys = ["variant_id", "variant_uid", "koji_tag", "modulemd", "extra", "surprise"];
        assert_eq!(unknown(keys, |key| known.contains(&key)), ["surprise", "extra"]);
    }

    #[test]
    fn texts_are_spelled_with_their_prefix() {
        assert_eq!(quoted("it's \u{e9}"), "u\"it's \\xe9\"");
        assert_eq!(repr(&serde_json::json!([1, null, "a"])), "[1, None, u'a']");
    }
}
