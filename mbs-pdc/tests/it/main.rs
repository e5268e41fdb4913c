//! What `mbs-pdc` does against recorded traffic and a fake server.

#![expect(clippy::unwrap_used, reason = "tests fail for want of anything")]

mod recorded;
