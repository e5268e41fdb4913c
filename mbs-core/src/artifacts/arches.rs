//! Which RPM architectures an architecture can install. The tables are the package manager's.

use crate::ident::Arch;

/// Returns an architecture of the build system in the package manager's word: the richest of its family.
pub fn package_manager_name(arch: &Arch) -> &str {
    match arch.as_str() {
        "i386" => "athlon",
        "ppc64" => "ppc64p7",
        "sparc" => "sparc64v",
        "arm" => "armv7l",
        "armhfp" => "armv7hnl",
        other => other,
    }
}

/// Returns the architectures that are native to one, richest first, `noarch` last; multilib ones are left out.
pub fn own_arches(arch: &Arch) -> Vec<&str> {
    let name = package_manager_name(arch);
    let multilib = multilib_arches(arch);
    family(name).into_iter().filter(|own| !multilib.contains(own)).chain(["noarch"]).collect()
}

/// Returns the architectures whose RPMs can be installed beside the native ones, richest first; empty for most.
pub fn multilib_arches(arch: &Arch) -> Vec<&str> {
    let name = package_manager_name(arch);
    match family(name).into_iter().find_map(multilib_of) {
        Some(richest) => family(richest),
        None => Vec::new(),
    }
}

/// Returns an architecture and all it falls back to, `noarch` left out.
fn family(name: &str) -> Vec<&str> {
    std::iter::successors(Some(name), |arch| fallback(arch)).collect()
}

/// Returns the next poorer architecture that runs on one; `None` if only `noarch` is left.
fn fallback(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "ia32e" | "amd64" => "x86_64",
        "x86_64" => "athlon",
        "athlon" | "pentium3" => "i686",
        "pentium4" => "pentium3",
        "i686" | "geode" => "i586",
        "i586" => "i486",
        "i486" => "i386",
        "ppc64p7" | "ppc64pseries" | "ppc64iseries" => "ppc64",
        "ppc64" => "ppc",
        "s390x" => "s390",
        "sparc64v" => "sparcv9v",
        "sparc64" | "sparcv9v" => "sparcv9",
        "sparcv9" => "sparcv8",
        "sparcv8" => "sparc",
        "armv7l" => "armv6l",
        "armv6l" => "armv5tejl",
        "armv5tejl" => "armv5tel",
        "armv8hl" => "armv7hnl",
        "armv7hnl" => "armv7hl",
        "armv7hl" => "armv6hl",
        _ => return None,
    })
}

/// Returns the richest multilib architecture of one that has any.
fn multilib_of(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "x86_64" => "athlon",
        "ppc64" => "ppc",
        "s390x" => "s390",
        "sparc64v" => "sparcv9v",
        "sparc64" => "sparcv9",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arch(name: &str) -> Arch {
        Arch::new(name).unwrap()
    }

    #[test]
    fn a_64_bit_architecture_leaves_its_32_bit_family_to_multilib() {
        assert_eq!(own_arches(&arch("x86_64")), ["x86_64", "noarch"]);
        assert_eq!(multilib_arches(&arch("x86_64")), ["athlon", "i686", "i586", "i486", "i386"]);
        assert_eq!(own_arches(&arch("s390x")), ["s390x", "noarch"]);
        assert_eq!(multilib_arches(&arch("s390x")), ["s390"]);
        assert_eq!(own_arches(&arch("ppc64")), ["ppc64p7", "ppc64", "noarch"]);
        assert_eq!(multilib_arches(&arch("ppc64")), ["ppc"]);
    }

    #[test]
    fn a_32_bit_architecture_installs_its_poorer_relatives_as_its_own() {
        assert_eq!(own_arches(&arch("i686")), ["i686", "i586", "i486", "i386", "noarch"]);
        assert_eq!(own_arches(&arch("i386")), ["athlon", "i686", "i586", "i486", "i386", "noarch"]);
        assert_eq!(own_arches(&arch("armv7hl")), ["armv7hl", "armv6hl", "noarch"]);
        assert_eq!(multilib_arches(&arch("i686")), Vec::<&str>::new());
    }

    #[test]
    fn other_architectures_stand_alone() {
        for name in ["aarch64", "ppc64le", "riscv64"] {
            assert_eq!(own_arches(&arch(name)), [name, "noarch"]);
            assert_eq!(multilib_arches(&arch(name)), Vec::<&str>::new());
            assert_eq!(package_manager_name(&arch(name)), name);
        }
    }

    #[test]
    fn families_have_a_name_of_their_own_in_the_package_manager() {
        assert_eq!(package_manager_name(&arch("armhfp")), "armv7hnl");
        assert_eq!(package_manager_name(&arch("i386")), "athlon");
    }
}
