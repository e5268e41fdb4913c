//! Serves a fake PDC until it is interrupted.

fn main() {}
