//! A PDC for tests: stateful, strict, a real HTTP server on loopback.
