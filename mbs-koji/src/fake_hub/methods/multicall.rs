//! Many calls in one.

use super::{Args, Method, method, run};
use crate::fake_hub::context::Context;
use crate::fake_hub::state::Answer;
use crate::xmlrpc::{Call, Fault, FaultCode, Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("multiCall", "ModXMLRPCRequestHandler.multiCall", "calls", multicall),
    method("system.multicall", "ModXMLRPCRequestHandler.multiCall", "calls", multicall),
];

fn multicall(context: &mut Context<'_>, args: &Args) -> Answer {
    let calls: Vec<Value> = match args.value("calls") {
        Value::Array(calls) => calls.clone(),
        // Python goes through a text letter by letter.
        Value::String(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        other => {
            let text = format!("<class 'TypeError'>: {} object is not iterable", name_of(other));
            return Err(Fault::new(FaultCode::Exception, text));
        }
    };
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        let answer = read(&call).and_then(|call| {
            context.count(call.method());
            run(context, &call)
        });
        context.state.begin_next();
        answers.push(entry(answer));
    }
    Ok(answers.into())
}

fn read(call: &Value) -> Answer<Call> {
    let Value::Struct(members) = call else {
        return Err(exception("string indices must be integers, not 'str'"));
    };
    let member = |name: &str| members.member(name).ok_or_else(|| exception(name));
    let (method, params) = (member("methodName")?, member("params")?);
    let method = method.as_str().unwrap_or_default();
    Ok(Call::from_params(method, params.as_array().map(<[Value]>::to_vec).unwrap_or_default()))
}

fn exception(text: &str) -> Fault {
    Fault::new(FaultCode::Exception, text)
}

fn entry(answer: Answer) -> Value {
    let fault = match answer {
        Ok(value) => return Value::Array(vec![value]),
        Err(fault) => fault,
    };
    // In here other exceptions say their words without the name of their class.
    let text = match fault.text.split_once(">: ") {
        Some((class, words)) if class.starts_with("<class '") => words,
        _ => &fault.text,
    };
    let last = format!("{}: {text}\n", class_of(fault.code));
    let traceback: Value = ["Traceback (most recent call last):\n", last.as_str()].into();
    Value::Struct(Struct::from([
        ("faultCode", Value::from(fault.code.number())),
        ("faultString", text.into()),
        ("traceback", traceback),
    ]))
}

fn class_of(code: FaultCode) -> String {
    match code.to_string().split_once(',') {
        Some((name, _)) => format!("koji.{name}"),
        None => "Exception".into(),
    }
}

fn name_of(value: &Value) -> String {
    let name = crate::fake_hub::python::type_of(value);
    name.trim_start_matches("<class ").trim_end_matches('>').to_owned()
}
