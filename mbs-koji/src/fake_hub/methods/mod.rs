//! The hub's methods: one table, and how a call finds its way into it.
//!
//! A call that faults leaves no trace: the state is put back to the savepoint made before it. Calls of a multicall have a
//! savepoint each.

mod bind;
mod build;
mod cg;
mod external;
mod group;
mod inherit;
mod misc;
mod multicall;
mod package;
mod query;
mod repo;
mod rpm;
mod session;
mod tag;
mod tagged;
mod tagging;
mod target;
mod task;
mod upload;
mod user;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use bind::{Args, Signature, wrong_type};

use super::context::Context;
use super::state::{Answer, refuse};
use crate::xmlrpc::Call;

/// What a method does.
type Run = fn(&mut Context<'_>, &Args) -> Answer;

/// A method: its name, the function behind it as Python's complaints call it, its parameters, what it does.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    pub(crate) parameters: &'static str,
    run: Run,
}

const fn method(name: &'static str, function: &'static str, parameters: &'static str, run: Run) -> Method {
    Method { name, function, parameters, run }
}

/// A method with its parameters read.
pub(crate) struct Known {
    pub(crate) method: &'static Method,
    pub(crate) signature: Signature,
}

/// All methods, by name.
pub(crate) static METHODS: LazyLock<BTreeMap<&'static str, Known>> = LazyLock::new(|| {
    let tables = [
        tag::METHODS,
        inherit::METHODS,
        package::METHODS,
        group::METHODS,
        target::METHODS,
        external::METHODS,
        tagging::METHODS,
        tagged::METHODS,
        task::METHODS,
        build::METHODS,
        rpm::METHODS,
        repo::METHODS,
        cg::METHODS,
        upload::METHODS,
        user::METHODS,
        session::METHODS,
        multicall::METHODS,
        misc::METHODS,
    ];
    let known = |method: &'static Method| {
        (method.name, Known { method, signature: Signature::parse(method.function, method.parameters) })
    };
    tables.into_iter().flatten().map(known).collect()
});

/// Runs one call; a fault undoes what it did.
pub(crate) fn run(context: &mut Context<'_>, call: &Call) -> Answer {
    let savepoint = context.state.clone();
    let answer = dispatch(context, call);
    if answer.is_err() {
        *context.state = savepoint;
    }
    answer
}

fn dispatch(context: &mut Context<'_>, call: &Call) -> Answer {
    let known = METHODS.get(call.method()).filter(|_| context.config.offers(call.method()));
    let known = known.ok_or_else(|| refuse(format!("Invalid method: {}", call.method())))?;
    let args = known.signature.bind(call.arguments(), call.keywords())?;
    (known.method.run)(context, &args)
}
