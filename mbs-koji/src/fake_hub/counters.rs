//! How often the hub was asked.

use std::collections::BTreeMap;

/// Counts since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// HTTP requests that reached the hub, refused ones and those hit by injected faults included.
    pub requests: u64,
    /// Calls inside multicalls.
    pub inner_calls: u64,
    /// Calls by method, those inside multicalls and the multicalls themselves included. Raw uploads count as `rawUpload`.
    pub methods: BTreeMap<String, u64>,
}

impl Counters {
    /// Returns how often a method was called.
    pub fn calls_of(&self, method: &str) -> u64 {
        self.methods.get(method).copied().unwrap_or_default()
    }

    pub(crate) fn count(&mut self, method: &str) {
        // Unknown methods count together, so that nonsense cannot fill the memory.
        let is_known = method == "rawUpload" || super::methods::METHODS.contains_key(method);
        let name = if is_known { method } else { "?" };
        *self.methods.entry(name.to_owned()).or_default() += 1;
    }

    pub(crate) fn count_inner(&mut self, method: &str) {
        self.inner_calls += 1;
        self.count(method);
    }
}
