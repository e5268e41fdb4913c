//! Whole-system tests: one module per question asked of the whole system.

mod chaos;
mod clients;
mod embed;
mod hostile;
mod koji_module;
mod koji_requests;
mod local_build;
mod local_faults;
mod local_recovery;
mod local_reuse;
mod local_service;
mod modulemd_reference;
mod modulemd_robustness;
mod mutation;
mod pdc_manager;
mod remote;
mod rest_golden;
mod schemathesis;
mod service;
mod sim_fairness;
mod sim_graphs;
mod sim_koji;
mod sim_stores;
mod simulation;
