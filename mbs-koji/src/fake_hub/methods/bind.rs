//! Arguments of a call bound to a method's parameters as Python binds them, with Python's words when they do not fit.

use std::collections::BTreeMap;

use crate::fake_hub::python::{self, is_true};
use crate::fake_hub::state::{Answer, Id};
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

/// Parameters of a method, written as in Python: `tagInfo, strict=False, event=None`.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<(&'static str, Option<Value>)>,
    takes_more: bool,
    takes_keywords: bool,
    /// What Python calls the function in its complaints.
    function: &'static str,
}

/// The arguments of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args {
    values: BTreeMap<&'static str, Value>,
    /// Positional arguments beyond the named ones, where a method takes them.
    pub(crate) more: Vec<Value>,
    /// Keywords beyond the named ones, where a method takes them.
    pub(crate) keywords: Struct,
}

fn parameter_error(text: String) -> Fault {
    Fault::new(FaultCode::ParameterError, text)
}

impl Signature {
    /// Reads a signature.
    pub(crate) fn parse(function: &'static str, text: &'static str) -> Self {
        let mut signature =
            Self { parameters: Vec::new(), takes_more: false, takes_keywords: false, function };
        for part in text.split(", ").filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((name, default)) => signature.parameters.push((name, Some(literal(default)))),
                None if part.starts_with("**") => signature.takes_keywords = true,
                None if part.starts_with('*') => signature.takes_more = true,
                None => signature.parameters.push((part, None)),
            }
        }
        signature
    }

    /// Binds arguments.
    pub(crate) fn bind(&self, positional: &[Value], keywords: Option<&Struct>) -> Answer<Args> {
        let mut args = Args::default();
        let named = positional.len().min(self.parameters.len());
        for ((name, _), value) in self.parameters.iter().zip(positional) {
            args.values.insert(name, value.clone());
        }
        for (name, value) in keywords.into_iter().flat_map(Struct::iter) {
            self.bind_keyword(&mut args, (name, value))?;
        }
        if positional.len() > named && !self.takes_more {
            return Err(self.too_many(positional.len()));
        }
        args.more = positional[named..].to_vec();
        let mut missing = Vec::new();
        for (name, default) in &self.parameters {
            match default {
                _ if args.values.contains_key(name) => {}
                Some(default) => drop(args.values.insert(name, default.clone())),
                None => missing.push(*name),
            }
        }
        if missing.is_empty() { Ok(args) } else { Err(self.missing(&missing)) }
    }

    fn bind_keyword(&self, args: &mut Args, (name, value): (&str, &Value)) -> Answer<()> {
        let function = self.function;
        match self.parameters.iter().find(|(known, _)| *known == name) {
            Some((known, _)) if args.values.contains_key(known) => {
                Err(parameter_error(format!("{function}() got multiple values for argument '{name}'")))
            }
            Some((known, _)) => {
                args.values.insert(known, value.clone());
                Ok(())
            }
            None if self.takes_keywords => {
                args.keywords.insert(name, value.clone());
                Ok(())
            }
            None => Err(parameter_error(format!("{function}() got an unexpected keyword argument '{name}'"))),
        }
    }

    fn too_many(&self, given: usize) -> Fault {
        let this = usize::from(self.function.contains('.'));
        let (most, given) = (self.parameters.len() + this, given + this);
        let least = self.parameters.iter().filter(|(_, default)| default.is_none()).count() + this;
        let takes = if least == most { most.to_string() } else { format!("from {least} to {most}") };
        let noun = if most == 1 { "argument" } else { "arguments" };
        let verb = if given == 1 { "was" } else { "were" };
        let function = self.function;
        parameter_error(format!("{function}() takes {takes} positional {noun} but {given} {verb} given"))
    }

    fn missing(&self, names: &[&str]) -> Fault {
        let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let list = match quoted.as_slice() {
            [rest @ .., before, last] if !rest.is_empty() => {
                format!("{}, {before}, and {last}", rest.join(", "))
            }
            [first, last] => format!("{first} and {last}"),
            _ => quoted.join(""),
        };
        let noun = if names.len() == 1 { "argument" } else { "arguments" };
        let (function, count) = (self.function, names.len());
        parameter_error(format!("{function}() missing {count} required positional {noun}: {list}"))
    }
}

fn literal(text: &str) -> Value {
    match text {
        "None" => Value::Nil,
        "True" => true.into(),
        "False" => false.into(),
        _ => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.trim_matches('\'').into(),
        },
    }
}

static NIL: Value = Value::Nil;

impl Args {
    /// Returns an argument; nil for one that the method does not have.
    pub(crate) fn value(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or(&NIL)
    }

    /// Says whether an argument is true in Python's sense.
    pub(crate) fn flag(&self, name: &str) -> bool {
        is_true(self.value(name))
    }

    /// Returns an argument unless it is nil.
    pub(crate) fn given(&self, name: &str) -> Option<&Value> {
        Some(self.value(name)).filter(|value| !value.is_nil())
    }

    /// Returns a text.
    pub(crate) fn text(&self, name: &str) -> Answer<&str> {
        let value = self.value(name);
        value.as_str().ok_or_else(|| wrong_type(value, "<class 'str'>"))
    }

    /// Returns a text, or `None` for nil.
    pub(crate) fn optional_text(&self, name: &str) -> Answer<Option<&str>> {
        self.given(name).map(|_| self.text(name)).transpose()
    }

    /// Returns a whole number.
    pub(crate) fn int(&self, name: &str) -> Answer<i64> {
        let value = self.value(name);
        value.as_int().ok_or_else(|| wrong_type(value, "<class 'int'>"))
    }

    /// Returns a whole number, or `None` for nil.
    pub(crate) fn optional_int(&self, name: &str) -> Answer<Option<i64>> {
        self.given(name).map(|_| self.int(name)).transpose()
    }

    /// Returns the event a query is about.
    pub(crate) fn event(&self) -> Answer<Option<Id>> {
        self.optional_int("event")
    }

    /// Returns a truth, or `None` for nil.
    pub(crate) fn optional_flag(&self, name: &str) -> Option<bool> {
        self.given(name).map(is_true)
    }
}

/// Says that a value has a type that the hub does not take.
pub(crate) fn wrong_type(value: &Value, expected: &str) -> Fault {
    let text = format!(
        "Invalid type for value '{}': {}, expected type {expected}",
        python::text(value),
        python::type_of(value)
    );
    parameter_error(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(params: &[Value], keywords: &[&str]) -> String {
        let signature = Signature::parse("get_tag", "tagInfo, strict=False, event=None");
        let keywords: Struct = keywords.iter().map(|name| ((*name).into(), Value::Nil)).collect();
        signature.bind(params, Some(&keywords)).expect_err("they do not fit").text
    }

    #[test]
    fn python_says_what_does_not_fit() {
        let one = Value::from(1);
        assert_eq!(words(&[], &[]), "get_tag() missing 1 required positional argument: 'tagInfo'");
        assert_eq!(
            words(std::slice::from_ref(&one), &["x"]),
            "get_tag() got an unexpected keyword argument 'x'"
        );
        assert_eq!(
            words(std::slice::from_ref(&one), &["tagInfo"]),
            "get_tag() got multiple values for argument 'tagInfo'"
        );
        let four = [one.clone(), one.clone(), one.clone(), one];
        assert_eq!(words(&four, &[]), "get_tag() takes from 1 to 3 positional arguments but 4 were given");
        let method = Signature::parse("RootExports.x", "a, b, c");
        let missing = method.bind(&[], None).expect_err("nothing is given");
        assert_eq!(
            missing.text,
            "RootExports.x() missing 3 required positional arguments: 'a', 'b', and 'c'"
        );
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let signature = Signature::parse("get_tag", "tagInfo, strict=False, event=None, kind='x', most=3");
        let args = signature.bind(&["f40".into()], None).expect("they fit");
        assert_eq!((args.text("kind"), args.int("most"), args.flag("strict")), (Ok("x"), Ok(3), false));
        assert_eq!(args.event(), Ok(None));
    }
}
