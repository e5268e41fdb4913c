//! Koji's nouns: which call asks for one, and what of its answer we read.
//!
//! Functions named after what they ask for make calls; `read` functions take answers apart. Nothing is sent here, and
//! nothing is decided. Names of members are Koji's; what is not read here is not needed by us.

use std::fmt;

use crate::xmlrpc::{Struct, Value};

pub mod build;
pub mod cg;
pub mod repo;
pub mod rpm;
pub mod tag;
pub mod task;

/// An answer that is not what the hub promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} answered {what}")]
pub struct Odd {
    /// The method.
    pub method: &'static str,
    /// What was odd, in words.
    pub what: String,
}

impl Odd {
    /// Makes one, from what stands there instead.
    pub fn new(method: &'static str, what: impl fmt::Display) -> Self {
        Self { method, what: what.to_string() }
    }
}

/// A struct of an answer, of which members are read by name.
#[derive(Debug, Clone, Copy)]
pub struct Row<'v> {
    method: &'static str,
    members: &'v Struct,
}

impl<'v> Row<'v> {
    /// Takes a value for a struct.
    ///
    /// # Errors
    /// It is none.
    pub fn of(method: &'static str, value: &'v Value) -> Result<Self, Odd> {
        let members = value.as_struct().ok_or_else(|| Odd::new(method, value.kind()))?;
        Ok(Self { method, members })
    }

    /// Takes a value for a struct or for nil, which is `None`.
    ///
    /// # Errors
    /// It is neither.
    pub fn maybe(method: &'static str, value: &'v Value) -> Result<Option<Self>, Odd> {
        if value.is_nil() { Ok(None) } else { Self::of(method, value).map(Some) }
    }

    /// Takes a value for an array of structs.
    ///
    /// # Errors
    /// It is none.
    pub fn all(method: &'static str, value: &'v Value) -> Result<Vec<Self>, Odd> {
        array(method, value)?.iter().map(|value| Self::of(method, value)).collect()
    }

    /// Returns a member; nil counts as none.
    pub fn member(&self, name: &str) -> Option<&'v Value> {
        self.members.member(name).filter(|value| !value.is_nil())
    }

    /// Returns a whole number.
    ///
    /// # Errors
    /// There is none.
    pub fn int(&self, name: &str) -> Result<i64, Odd> {
        self.maybe_int(name)?.ok_or_else(|| self.without(name))
    }

    /// Returns a whole number; `None` for nil or nothing.
    ///
    /// # Errors
    /// It is something else.
    pub fn maybe_int(&self, name: &str) -> Result<Option<i64>, Odd> {
        self.read(name, Value::as_int)
    }

    /// Returns a text.
    ///
    /// # Errors
    /// There is none.
    pub fn text(&self, name: &str) -> Result<&'v str, Odd> {
        self.maybe_text(name)?.ok_or_else(|| self.without(name))
    }

    /// Returns a text; `None` for nil or nothing.
    ///
    /// # Errors
    /// It is something else.
    pub fn maybe_text(&self, name: &str) -> Result<Option<&'v str>, Odd> {
        self.read(name, Value::as_str)
    }

    /// Returns a truth; nil or nothing is false.
    ///
    /// # Errors
    /// It is something else.
    pub fn truth(&self, name: &str) -> Result<bool, Odd> {
        Ok(self.read(name, Value::as_bool)?.unwrap_or(false))
    }

    /// Returns a number; `None` for nil or nothing.
    ///
    /// # Errors
    /// It is something else.
    pub fn maybe_number(&self, name: &str) -> Result<Option<f64>, Odd> {
        self.read(name, Value::as_double)
    }

    /// Returns an identifier of ours that a text of the answer is.
    ///
    /// # Errors
    /// There is none, or it is no valid one.
    pub fn ident<T: std::str::FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T, Odd> {
        self.text(name)?.parse().map_err(|error| Odd::new(self.method, error))
    }

    fn read<T>(&self, name: &str, read: impl Fn(&'v Value) -> Option<T>) -> Result<Option<T>, Odd> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let wrong = || Odd::new(self.method, format_args!("{} as {name}", value.kind()));
        read(value).map(Some).ok_or_else(wrong)
    }

    fn without(&self, name: &str) -> Odd {
        Odd::new(self.method, format_args!("something without {name}"))
    }
}

/// Takes a value for an array.
///
/// # Errors
/// It is none.
pub fn array<'v>(method: &'static str, value: &'v Value) -> Result<&'v [Value], Odd> {
    value.as_array().ok_or_else(|| Odd::new(method, value.kind()))
}
