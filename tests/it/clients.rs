//! Do the programs that people and other services have for the original service work with ours, unmodified?
//!
//! rpkg 1.70 (the commands of fedpkg and its like, which PyPI has not got), `mbs-build` of 1.7.0, `mbs-cli` and the resolver of local
//! builds of 3.9.2, ODCS 0.9.2, and Freshmaker 0.1.2, all as PyPI has them, with openidc-client 0.6.0 where they log in. Each of the
//! small programs in `tests/data/clients` only calls what it names.
//!
//! `scripts/mbs-clients` installs them; without them nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

mod people;
mod services;
mod stage;
mod wire;
