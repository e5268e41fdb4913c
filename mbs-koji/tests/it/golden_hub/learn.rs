//! What has to be so for a recorded answer: rows that a read shows and that no recorded call made, and what calls that worked
//! name.

mod answers;
mod arguments;
mod rows;

use mbs_koji::xmlrpc::{Fault, Struct, Value};

use super::script::Step;
use super::world::World;

/// Calls whose rows are new, not read.
const MAKERS: [&str; 4] = ["CGImport", "CGInitBuild", "createExternalRepo", "login"];

impl World {
    /// Learns what a step needs before it is sent.
    pub(super) fn learn_before(&mut self, step: &Step, exchange: usize) {
        if let Ok(answer) = &step.answer {
            if !MAKERS.contains(&step.method()) {
                self.learn_links(step);
                for row in step.rows() {
                    self.learn_row(step.method(), row);
                }
            }
            self.learn_answer(step, answer);
        }
        self.learn_arguments(step, exchange);
        if let Err(fault) = &step.answer {
            self.learn_fault(step, fault);
        }
        if step.method() == "CGImport" {
            self.learn_uploads(step);
        }
    }
}

/// Returns a result as rows of tasks have it.
fn stored(result: &Result<Value, Fault>) -> Value {
    match result {
        Ok(value) => Value::Array(vec![value.clone()]),
        Err(fault) => {
            let members =
                [("faultCode", Value::from(fault.code.number())), ("faultString", (&fault.text).into())];
            Struct::from(members).into()
        }
    }
}
