//! Many calls in one request.

use crate::xmlrpc::{Call, Fault, FaultCode, Struct, Value};

/// How many calls go into one request at most. A look at a module build of 150 components asks less than 500 questions and
/// thus stays one request; all calls of a request share one transaction of the hub's database, which should not stay open for
/// longer; and 500 calls of the usual length are a quarter of a megabyte, of 4 MiB that hubs take.
pub const CALLS_PER_REQUEST: usize = 500;

/// Packs calls.
pub(super) fn pack(calls: &[Call]) -> Call {
    let rows = calls.iter().map(|call| {
        let method = Value::from(call.method());
        Struct::from([("methodName", method), ("params", Value::Array(call.params()))])
    });
    Call::new("multiCall").arg(rows.collect::<Value>())
}

/// Takes the answers out, in the order of the calls.
///
/// # Errors
/// They are no answers to so many calls; the text tells in which way.
pub(super) fn unpack(answers: Value, count: usize) -> Result<Vec<Result<Value, Fault>>, String> {
    let Value::Array(rows) = answers else { return Err(format!("{} in place of a list", answers.kind())) };
    if rows.len() != count {
        return Err(format!("{} answers to {count} calls", rows.len()));
    }
    rows.into_iter().map(unpack_row).collect()
}

fn unpack_row(row: Value) -> Result<Result<Value, Fault>, String> {
    match row {
        Value::Array(mut one) if one.len() == 1 => Ok(Ok(one.remove(0))),
        Value::Struct(members) => {
            let code = members.member("faultCode").and_then(Value::as_int);
            let text = members.member("faultString").and_then(Value::as_str);
            let (Some(code), Some(text)) = (code, text) else {
                return Err("a struct that is no fault among the answers".to_owned());
            };
            Ok(Err(Fault::new(FaultCode::of(code), text)))
        }
        other => Err(format!("{} among the answers", other.kind())),
    }
}
