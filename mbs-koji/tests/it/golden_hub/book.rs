//! Which of our ids stands for which recorded one.
//!
//! Rows that were planted have the recorded ids; those of events a thousandfold, so that what our hub does between two of them
//! finds a number. Ids that our hub gives are above [`FLOOR`], so nothing planted later can collide with them.

use std::collections::BTreeMap;

use mbs_koji::xmlrpc::{Call, Struct, Value};

use super::kinds::{self, Kind};

/// Ids of our hub are above this.
pub(super) const FLOOR: i64 = 1_000_000;
/// Between two events that were recorded is room for so many.
pub(super) const ROOM: i64 = 1_000;

/// Pairs of ids, and of texts that are keys.
#[derive(Debug, Default)]
pub(super) struct Book {
    ids: BTreeMap<(Kind, i64), i64>,
    back: BTreeMap<(Kind, i64), i64>,
    texts: BTreeMap<String, String>,
}

impl Book {
    /// Returns our id of a recorded one.
    pub(super) fn ours(&self, kind: Kind, recorded: i64) -> i64 {
        let usual = if kind == Kind::Event { recorded * ROOM } else { recorded };
        self.ids.get(&(kind, recorded)).copied().unwrap_or(usual)
    }

    /// Says whether a recorded id has a partner that our hub chose.
    pub(super) fn is_paired(&self, kind: Kind, recorded: i64) -> bool {
        self.ids.contains_key(&(kind, recorded))
    }

    /// Says whether one of our ids has a partner.
    pub(super) fn is_taken(&self, kind: Kind, ours: i64) -> bool {
        self.back.contains_key(&(kind, ours))
    }

    /// Says whether two ids are the same thing; learns it where our hub was free to choose.
    pub(super) fn pair(&mut self, kind: Kind, recorded: i64, ours: i64) -> bool {
        if let Some(known) = self.ids.get(&(kind, recorded)) {
            return *known == ours;
        }
        let is_chosen = match kind {
            Kind::Event => ours % ROOM != 0,
            _ => ours > FLOOR,
        };
        if !is_chosen {
            return self.ours(kind, recorded) == ours;
        }
        // What has been so since the beginning stands for any event of the past.
        let is_shared = kind == Kind::Event && ours == 1;
        if !is_shared && self.back.insert((kind, ours), recorded).is_some() {
            return false;
        }
        self.ids.insert((kind, recorded), ours);
        true
    }

    /// Says whether two keys are the same thing.
    pub(super) fn pair_texts(&mut self, recorded: &str, ours: &str) -> bool {
        self.texts.entry(recorded.to_owned()).or_insert_with(|| ours.to_owned()) == ours
    }

    /// Returns our key of a recorded one.
    pub(super) fn our_text<'b>(&'b self, recorded: &'b str) -> &'b str {
        self.texts.get(recorded).map_or(recorded, String::as_str)
    }

    /// Says whether two numbers in a text may be the same thing.
    pub(super) fn may_be(&self, recorded: &str, ours: &str) -> bool {
        let (Ok(recorded), Ok(ours)) = (recorded.parse::<i64>(), ours.parse::<i64>()) else { return false };
        self.ids.iter().any(|((_, theirs), own)| *theirs == recorded && *own == ours)
    }

    /// Returns a recorded call with our ids.
    pub(super) fn translated(&self, call: &Call) -> Call {
        let method = call.method();
        let mut ours = Call::new(method);
        for (place, value) in call.arguments().iter().enumerate() {
            ours = ours.arg(self.argument((method, kinds::of_place(method, place)), value));
        }
        for (name, value) in call.keywords().into_iter().flat_map(Struct::iter) {
            ours = ours.keyword(name, self.argument((method, kinds::of_keyword(method, name)), value));
        }
        ours
    }

    fn argument(&self, (method, kind): (&str, Option<Kind>), value: &Value) -> Value {
        match value {
            Value::Int(id) => kind.map_or(*id, |kind| self.ours(kind, *id)).into(),
            Value::Array(values) => values.iter().map(|value| self.argument((method, kind), value)).collect(),
            Value::String(text) => self.our_text(text).into(),
            Value::Struct(members) => match (members.member("methodName"), members.member("params")) {
                (Some(Value::String(inner)), Some(Value::Array(params))) => {
                    let call = self.translated(&Call::from_params(&**inner, params.clone()));
                    let mut members = members.clone();
                    members.insert("params", call.params().into());
                    members.into()
                }
                _ => self.members(method, members).into(),
            },
            other => other.clone(),
        }
    }

    fn members(&self, method: &str, members: &Struct) -> Struct {
        let ours = members.iter().map(|(name, value)| {
            let kind = kinds::of_keyword(method, name).or_else(|| kinds::of_member(name, members));
            (name.into(), self.argument((method, kind), value))
        });
        ours.collect()
    }
}
