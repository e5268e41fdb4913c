//! What every store keeps, tried on each: memory, an SQLite file, a PostgreSQL server of the tests' own.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

mod contract;
mod hostile;
mod migrations;
mod resolver;
mod samples;
mod servers;
mod together;
