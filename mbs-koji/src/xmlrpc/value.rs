//! XML-RPC values as Koji uses them.

use std::fmt;
use std::sync::Arc;

/// One value.
///
/// | XML | here |
/// | --- | --- |
/// | `<nil/>` | `Nil` |
/// | `<boolean>` | `Bool` |
/// | `<int>`, `<i4>`, `<i8>`, also `<i1>`, `<i2>`, `<biginteger>` | `Int`; 64 bits |
/// | `<double>`, `<float>` | `Double` |
/// | `<string>`, text without a type | `String` |
/// | `<dateTime.iso8601>` | `DateTime`, the text as it stands |
/// | `<base64>` | `Bytes` |
/// | `<array>` | `Array` |
/// | `<struct>` | `Struct` |
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A text.
    String(Box<str>),
    /// A time of day without zone, `20240102T03:04:05`. The hub never answers with it.
    DateTime(Box<str>),
    /// Raw bytes.
    Bytes(Box<[u8]>),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by name.
    Struct(Struct),
}

impl Value {
    /// Returns the kind of value in words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Double(_) => "a double",
            Value::String(_) => "a string",
            Value::DateTime(_) => "a date",
            Value::Bytes(_) => "base64",
            Value::Array(_) => "an array",
            Value::Struct(_) => "a struct",
        }
    }

    /// Says whether it is nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// Returns the whole number; `None` for other kinds.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(number) = self { Some(*number) } else { None }
    }

    /// Returns the number, be it whole or not; `None` for other kinds.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Value::Double(number) => Some(*number),
            // Koji's whole numbers in such places are seconds and weights, far below 2^53.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            Value::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// Returns the truth; `None` for other kinds.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// Returns the text; `None` for other kinds.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// Returns the values of an array; `None` for other kinds.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(values) = self { Some(values) } else { None }
    }

    /// Returns the struct; `None` for other kinds.
    pub fn as_struct(&self) -> Option<&Struct> {
        if let Value::Struct(members) = self { Some(members) } else { None }
    }

    /// Returns a member of a struct; `None` for other kinds, and if there is none of that name.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.as_struct()?.member(name)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(truth) => truth.fmt(f),
            Value::Int(number) => number.fmt(f),
            Value::Double(number) => number.fmt(f),
            Value::String(text) => text.fmt(f),
            Value::DateTime(text) => write!(f, "date {text}"),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Array(values) => values.fmt(f),
            Value::Struct(members) => members.fmt(f),
        }
    }
}

/// Values by name. Members are in order of their names; of two with one name the later one counts, as in Python.
///
/// Names share their text: rows of an answer repeat them.
#[derive(Clone, PartialEq, Default)]
pub struct Struct(Vec<(Arc<str>, Value)>);

impl Struct {
    /// Returns the value of a name.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// Puts a value under a name and returns the one that was there.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.0.remove(at).1)
    }

    /// Returns names and values, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Returns how many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

impl fmt::Debug for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(Arc<str>, Value)> for Struct {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        // Equal names stand in the order they came in: the value of the last one moves to the first.
        members.dedup_by(|later, first| {
            let is_double = later.0 == first.0;
            if is_double {
                std::mem::swap(&mut later.1, &mut first.1);
            }
            is_double
        });
        members.shrink_to_fit();
        Self(members)
    }
}

impl IntoIterator for Struct {
    type Item = (Arc<str>, Value);
    type IntoIter = std::vec::IntoIter<(Arc<str>, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<Arc<str>>, V: Into<Value>, const COUNT: usize> From<[(N, V); COUNT]> for Struct {
    fn from(members: [(N, V); COUNT]) -> Self {
        members.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Value {
                $made
            }
        }
    )*};
}
from! {
    bool => |truth| Value::Bool(truth);
    i32 => |number| Value::Int(number.into());
    u32 => |number| Value::Int(number.into());
    i64 => |number| Value::Int(number);
    f64 => |number| Value::Double(number);
    &str => |text| Value::String(text.into());
    String => |text| Value::String(text.into());
    &String => |text| Value::String(text.as_str().into());
    Struct => |members| Value::Struct(members);
    Vec<Value> => |values| Value::Array(values);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Nil, Into::into)
    }
}

impl<T: Into<Value>, const COUNT: usize> From<[T; COUNT]> for Value {
    fn from(values: [T; COUNT]) -> Value {
        Value::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Value::Array(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        let members: Struct = [("b", 1), ("a", 2), ("b", 3), ("b", 4)].into();
        assert_eq!(members, [("a", 2), ("b", 4)].into());
        assert_eq!(members.member("b"), Some(&Value::Int(4)));
    }

    #[test]
    fn members_are_put_in_and_taken_out() {
        let mut members = Struct::default();
        assert_eq!(members.insert("b", Value::Nil), None);
        assert_eq!(members.insert("a", 1.into()), None);
        assert_eq!(members.insert("b", 2.into()), Some(Value::Nil));
        assert_eq!(members.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(members.remove("a"), Some(Value::Int(1)));
        assert_eq!((members.remove("a"), members.len()), (None, 1));
    }

    #[test]
    fn a_value_is_four_words_at_most() {
        assert!(size_of::<Value>() <= 4 * size_of::<usize>(), "{}", size_of::<Value>());
    }
}
