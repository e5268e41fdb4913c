//! Reading configuration that is written in Python, without Python: classes of assigned literals.
//!
//! | read | not read |
//! | --- | --- |
//! | texts (raw and long ones, too), numbers, `True`, `False`, `None` | texts with values in them (`f"…"`), bytes |
//! | lists, tuples, sets, dicts, and `set(…)`, `list(…)` of them | comprehensions, conditions |
//! | `+` and `*`, texts that follow each other | other operators, methods |
//! | `path.join(…)`, `path.dirname(…)`, `path.abspath(…)`, `__file__` | other calls |
//! | names assigned before, in the class or outside; `Class.NAME` | what was imported |
//! | classes with their bases | what `if`, `for`, `try`, `def` hold |
//!
//! What is not read is told with its line. Nothing is carried out.

mod expression;
mod file;
mod scan;

use std::collections::BTreeMap;

pub(super) use file::{Assigned, PythonFile};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Python {
    /// Nothing.
    None,
    /// A truth.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Fraction(f64),
    /// A text.
    Text(String),
    /// A list, a tuple or a set.
    List(Vec<Python>),
    /// A dict, in the order written.
    Dict(Vec<(Python, Python)>),
}

/// Values by their names.
type Names = BTreeMap<String, Result<Python, String>>;

#[cfg(test)]
mod tests;
