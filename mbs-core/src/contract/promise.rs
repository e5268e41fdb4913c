//! A promise, how it is tried, and the small checks it is made of.

use std::fmt;

use futures_util::future::BoxFuture;

use super::{Broken, Kept};

/// What a ground cannot do, in words that follow "cannot": "end a task badly".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unable(pub &'static str);

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ground cannot {}", self.0)
    }
}

/// Why a promise was not kept, or not tried to the end.
#[derive(Debug)]
pub(super) enum Breach {
    /// What was seen instead.
    Seen(String),
    /// The ground could not do its part.
    Unable(Unable),
}

/// Whether a promise was kept.
pub(super) type Verdict<T = ()> = Result<T, Breach>;

/// An error where none may be.
impl<E: std::error::Error> From<E> for Breach {
    fn from(error: E) -> Self {
        Self::Seen(format!("there was an error: {error}"))
    }
}

impl From<Unable> for Breach {
    fn from(unable: Unable) -> Self {
        Self::Unable(unable)
    }
}

/// One sentence of a trait's documentation, and how it is tried.
pub(super) struct Promise<G: ?Sized + 'static> {
    pub(super) name: &'static str,
    pub(super) keep: for<'a> fn(&'a G) -> BoxFuture<'a, Verdict>,
}

/// Lists promises by the functions that try them; each is given a bench on a ground of its own.
macro_rules! promises {
    ($bench:ident: $($room:ident::$name:ident),+ $(,)?) => {
        &[$($crate::contract::promise::Promise {
            name: stringify!($name),
            keep: |ground| Box::pin(async move { $room::$name(&$bench::on(ground)).await }),
        }),+]
    };
}
pub(super) use promises;

/// Tries every promise on a ground of its own.
pub(super) async fn run<T, G, F>(
    suite: &'static str,
    promises: &[Promise<G>],
    make: impl Fn() -> F,
    as_ground: fn(&T) -> &G,
) -> Result<Kept, Broken>
where
    G: ?Sized,
    F: Future<Output = T>,
{
    let mut kept = Kept { promises: Vec::new(), left_out: Vec::new() };
    let mut broken = Broken { suite, promises: Vec::new() };
    for promise in promises {
        let ground = make().await;
        match (promise.keep)(as_ground(&ground)).await {
            Ok(()) => kept.promises.push(promise.name),
            Err(Breach::Seen(what)) => broken.promises.push((promise.name, what)),
            Err(Breach::Unable(unable)) => kept.left_out.push((promise.name, unable)),
        }
    }
    if broken.promises.is_empty() { Ok(kept) } else { Err(broken) }
}

/// Says what was seen instead of what was promised.
pub(super) fn seen<T>(what: impl Into<String>) -> Verdict<T> {
    Err(Breach::Seen(what.into()))
}

/// Checks that something is as promised.
#[expect(clippy::needless_pass_by_value, reason = "promises compare what they have just made")]
pub(super) fn equal<T: PartialEq<U> + fmt::Debug, U: fmt::Debug>(what: &str, got: T, wanted: U) -> Verdict {
    if got == wanted { Ok(()) } else { seen(format!("{what}: {got:?}, not {wanted:?}")) }
}

/// Checks that something holds; `what` says so of the object.
pub(super) fn holds(is_so: bool, what: &str) -> Verdict {
    if is_so { Ok(()) } else { seen(format!("it does not hold that {what}")) }
}

/// Checks that a call was refused in one way; `what` says how.
pub(super) fn refused<T: fmt::Debug, E: fmt::Debug>(
    what: &str,
    outcome: Result<T, E>,
    is_so: impl Fn(&E) -> bool,
) -> Verdict {
    match outcome {
        Err(error) if is_so(&error) => Ok(()),
        other => seen(format!("{what} must be refused, but: {other:?}")),
    }
}

/// Returns what there must be.
pub(super) fn there<T>(what: &str, found: Option<T>) -> Verdict<T> {
    found.map_or_else(|| seen(format!("there is no {what}")), Ok)
}
