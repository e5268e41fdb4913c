//! The rules of a local build, where they differ from those of a service.

use std::env::consts::ARCH;
use std::time::Duration;

use mbs_core::ident::{Arch, NameStream};
use mbs_core::policy::{Policy, Reuse};

/// Returns the rules of builds on this machine, with a base module that stands for it.
///
/// Components and modules may come from anywhere; what is complete in a failed build is reused; nobody is asked to be
/// patient, for the person who waits can mend things at once.
pub fn policy(base: &NameStream) -> Policy {
    let mut policy = Policy {
        arches: vec![machine_arch()],
        rpms_allow_repository: true,
        rpms_allow_cache: true,
        modules_allow_repository: true,
        koji_cg_tag_build: false,
        check_collisions: false,
        reuse: Reuse::ReadyAndFailed,
        min_gap: Duration::from_millis(50),
        // A repository is made while the call lasts: that takes time and is no strain.
        slow_after: Policy::default().call_within,
        poll_floor: Duration::from_secs(1),
        idle_floor: Duration::from_secs(10),
        lease: Duration::from_secs(60),
        // Tags and repositories are there when the call returns: only a run that was killed asks twice.
        ask_again: Duration::from_secs(1),
        backoff_first: Duration::from_secs(1),
        backoff_longest: Duration::from_secs(10),
        // Tasks end with the program: somebody who kills it again and again still wants the module.
        retries_vanished: usize::MAX,
        patience: Duration::from_secs(60),
        ..Policy::default()
    };
    if !policy.is_base(&base.name) {
        policy.base_module_names.push(base.name.clone());
    }
    policy
}

/// Returns this machine's architecture in the package manager's words.
fn machine_arch() -> Arch {
    let name = match ARCH {
        "x86" => "i686",
        "arm" => "armv7hl",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    };
    Arch::new(name).expect("names of architectures are letters, digits and underscores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_bears_being_killed_many_times() {
        let usual: NameStream = "platform:f40".parse().unwrap();
        assert_eq!(policy(&usual).retries_vanished, usize::MAX);
    }

    #[test]
    fn a_base_module_of_another_name_is_one_too() {
        let base: NameStream = "bootstrap:1".parse().unwrap();
        assert!(policy(&base).is_base(&base.name));
        let usual: NameStream = "platform:f40".parse().unwrap();
        assert_eq!(policy(&usual).base_module_names, [usual.name]);
    }
}
